"""Reading a PDF back the way a reader of it would."""

import io
from collections.abc import Iterator
from functools import cache
from typing import Any, cast

import pytest
from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject

from bot.export.sandbox import JobError, run_job


@cache
def _trouble() -> str:
    try:
        run_job("pdf", b"<p>")
    except JobError as error:
        return str(error)
    return ""


def require_weasyprint() -> None:
    """Skip where no PDF can be made, and say what is missing."""
    if trouble := _trouble():
        pytest.skip(trouble)


def read(pdf: bytes) -> PdfReader:
    """The PDF as an independent reader sees it."""
    return PdfReader(io.BytesIO(pdf), strict=True)


def letters(reader: PdfReader) -> str:
    """All its text without white space: where a line is broken is the layout's business."""
    return "".join("".join(page.extract_text().split()) for page in reader.pages)


def fonts(reader: PdfReader) -> list[str]:
    """The names of the fonts that it is written in, without the mark of their subset."""
    found = set()
    for page in reader.pages:
        resources = cast("DictionaryObject", page["/Resources"].get_object())
        for font in cast("DictionaryObject", resources.get("/Font", DictionaryObject()).get_object()).values():
            found.add(str(font.get_object()["/BaseFont"]).removeprefix("/").rpartition("+")[2])
    return sorted(found)


def figures(reader: PdfReader) -> list[str]:
    """What is read out of each figure to those who do not see it."""
    root = cast("DictionaryObject", reader.trailer["/Root"].get_object())
    return list(_alternatives(root["/StructTreeRoot"]))


def _alternatives(node: Any) -> Iterator[str]:
    node = node.get_object()
    if isinstance(node, list):
        for child in node:
            yield from _alternatives(child)
    elif isinstance(node, dict):
        if node.get("/S") == "/Figure":
            yield str(node.get("/Alt", ""))
        yield from _alternatives(node.get("/K", ArrayObject()))
