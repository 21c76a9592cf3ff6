"""The first block of a page of ours, which leads to other systems: changed by itself, whatever else stands there."""

from dataclasses import replace

from bot.export.confluence_apart import Apart, apart
from bot.export.confluence_left import Head, Record, without_stamp


def with_top(page: Apart, record: Record, top: str) -> tuple[str, Record]:
    """The page with another first block, and how it is left then; both as they were where people changed that block."""
    known = record.head.digests[0].split() if record.head.digests else []
    stands = next((block for block in page.head if without_stamp(block) in known), None)
    (new,) = apart(top).head
    if stands is None or without_stamp(stands) == without_stamp(new):
        return page.text.decode(), record
    text = page.text[: stands.start] + top.strip().encode() + page.text[stands.end :]
    return text.decode(), replace(record, head=Head((without_stamp(new), *record.head.digests[1:])))
