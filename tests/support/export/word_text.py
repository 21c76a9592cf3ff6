"""Reading a Word file back the way a reader of it would."""

import io
from collections.abc import Iterator

import docx
from docx.document import Document
from docx.table import Table


def read(content: bytes) -> Document:
    """The file, opened."""
    return docx.Document(io.BytesIO(content))


def outline(content: bytes) -> Iterator[str]:
    """Each paragraph behind the name of its style, and each row of a table, in the order of the page."""
    for block in read(content).iter_inner_content():
        if isinstance(block, Table):
            yield from (f"[row] {' | '.join(cell.text for cell in row.cells)}" for row in block.rows)
        else:
            yield f"[{block.style.name if block.style else ''}] {block.text}"


def letters(content: bytes) -> str:
    """All that is read, without white space."""
    return "".join("".join(line.partition("] ")[2] for line in outline(content)).split())
