"""Write the golden documents again: `python -m tests.golden`."""

from collections.abc import Iterator
from pathlib import Path

import click

from bot.domain.document import Document
from bot.export.sandbox import JobError
from tests.golden import DOCUMENTS, FOLDER, PAPER, WORD, forms, paper, word


def rewrite(folder: Path, document: Document) -> Iterator[str]:
    """Write every file of a document into its folder, take away any other, and name what was written."""
    folder.mkdir(exist_ok=True)
    files = dict(forms(document))
    try:
        files[PAPER] = paper(document).encode()
    except JobError as error:
        click.echo(f"{folder.name}: the text of the PDF stays as it is. {error}", err=True)
    files[WORD] = word(document).encode()
    for old in folder.iterdir():
        if old.name not in {*files, PAPER}:
            old.unlink()
    for name, content in files.items():
        (folder / name).write_bytes(content)
        yield name


for sample, case in DOCUMENTS.items():
    click.echo(f"{sample}: {', '.join(rewrite(FOLDER / sample, case))}")
