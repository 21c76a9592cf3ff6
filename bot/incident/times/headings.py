"""A date that is all of a line, as in a heading above lines that only tell the time of day."""

from datetime import date, datetime, tzinfo

from bot.incident.times.days import dates, day_at, near
from bot.incident.times.language import vocabulary
from bot.incident.times.phrase import HEAD
from bot.incident.times.plain import plain
from bot.incident.times.scan import small

_FRAME = " \t#*_:=-[]()"
"""What people put around a heading."""


def date_alone(text: str, now: datetime, zone: tzinfo, on: date | None = None) -> date | None:
    """The date that is all of a text, as in a heading above lines that only tell the time of day; else None.

    One without its year is the latest past one, or the one next to `on`. None too where it can be two dates.
    """
    head = plain(text[: HEAD + 1]).strip(_FRAME)
    found = day_at(head, small(head), vocabulary("en"), 0)
    if found is None or found[1] != len(head) or len(text) > HEAD:
        return None
    today = now.astimezone(zone).date()
    meant = near(found[0], on) if on else found[0]
    rows = [[day for day in row if day <= today] for row in dates(meant, today)]
    return rows[0][0] if len(rows) == 1 and rows[0] else None
