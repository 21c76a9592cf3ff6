"""What a line of the timeline is made of, ready for a template."""

from collections.abc import Callable, Iterator

from bot.export.times import stamp
from bot.incident.document import Document

Row = tuple[str, str, str, str, str, int]


def timeline_rows(document: Document, text: Callable[[str], str], name: Callable[[str], str]) -> Iterator[Row]:
    """When, milestone or empty, text, author, recorder or empty, number; texts and names escaped by the given two.

    Plain tuples, made here: a template that reached into ten thousand records would take ten times as long.
    """
    names = {who: name(who.name) for who in document.people}
    with_date = document.spans_days
    for line in document.timeline:
        yield (
            stamp(line.happened_at, line.ended_at, approximate=line.approximate, with_date=with_date),
            line.milestone or "",
            text(line.text),
            names[line.author],
            names[line.recorder] if line.was_told else "",
            line.number,
        )
