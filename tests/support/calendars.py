"""Calendar files as a calendar reads them."""

from typing import Any, NamedTuple

from icalendar import Calendar


class ReadEvent(NamedTuple):
    """The one event of a file: the file's method, and its properties by name."""

    method: str
    properties: Any


def read_event(content: bytes) -> ReadEvent:
    """Read a file with one event."""
    calendar: Any = Calendar.from_ical(content)
    (event,) = calendar.walk("VEVENT")
    return ReadEvent(str(calendar["method"]), event)
