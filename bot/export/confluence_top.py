"""The first block of a page of ours, which leads to other systems: changed by itself, whatever else stands there."""

from dataclasses import replace

from bot.export.confluence_apart import apart
from bot.export.confluence_left import Head, Record, without_stamp
from bot.export.confluence_reading import NotAPage


def with_top(storage: str, record: Record, top: str) -> tuple[str, Record]:
    """The page with another first block, and how it is left then.

    The page is empty where there is nothing to write: it says so already, or people changed that block.
    """
    known = record.head.digests[0].split() if record.head.digests else []
    try:
        page = apart(storage)
    except NotAPage:
        return "", record
    stands = next((block for block in page.head if without_stamp(block) in known), None)
    if stands is None:
        return "", record
    (new,) = map(without_stamp, apart(top).head)
    record = replace(record, head=Head((new, *record.head.digests[1:])))
    if without_stamp(stands) == new:
        return "", record
    return (page.text[: stands.start] + top.strip().encode() + page.text[stands.end :]).decode(), record
