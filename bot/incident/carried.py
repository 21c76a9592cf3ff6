"""Words that had no incident to go into: what the button that opens one carries, and how they are read then."""

from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from bot.errors import Refused
from bot.incident import times
from bot.incident.times import Reading


@dataclass(frozen=True, slots=True)
class Carried:
    """What somebody wanted to record, with all that it takes to record it later as if it had been recorded then.

    `line` is as it was typed, to be read at `typed_at` in `zone` (an IANA name); where `at` is given the time is
    settled, and `line` is the words alone. `key` is that of the request, by which it is recorded once. `author` is
    empty for whoever typed it. `files` are (name, media type, size, address). `is_paste`: many lines, to be previewed.
    `language` is that in which the time is read, `names_times`: the words are a message's, and may name other times.
    """

    line: str
    typed_at: datetime
    zone: str
    channel: str
    key: str
    at: datetime | None = None
    ended_at: datetime | None = None
    approximate: bool = False
    author: str = ""
    link: str = ""
    source: str = ""
    is_marked: bool = False
    files: tuple[tuple[str, str, int, str], ...] = ()
    is_paste: bool = False
    language: str = ""
    names_times: bool = False

    def packed(self) -> dict[str, Any]:
        """As a JSON object, without what is empty and may be left out."""
        found = {name: value for name, value in asdict(self).items() if value or name in _ALWAYS}
        return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in found.items()}

    def clock(self) -> tzinfo:
        """The zone in which its time is read."""
        return ZoneInfo(self.zone) if self.zone else UTC

    def reading(self) -> Reading:
        """How its time is read: what was typed by the clock of that moment, or the time that was settled already."""
        if self.at is None:
            return times.read(self.line, self.typed_at, self.clock(), language=self.language or "en")
        return Reading(
            self.at, self.ended_at, self.approximate, self.line, None, None, None, assumed_zone=False, precise=False
        )


_ALWAYS = ("line", "typed_at", "zone", "channel", "key")
_TIMES = ("typed_at", "at", "ended_at")
_NAMES = tuple(field.name for field in fields(Carried))


def unpacked(packed: dict[str, Any]) -> Carried:
    """What `packed` made; raises KeyError, TypeError or ValueError for anything else."""
    given = {name: packed[name] for name in _NAMES if name in packed}
    given |= {name: datetime.fromisoformat(given[name]) for name in _TIMES if name in given}
    return Carried(**given | {"files": tuple(tuple(file) for file in given.get("files", ()))})


def zone_name(zone: tzinfo) -> str:
    """The zone's IANA name; empty for UTC."""
    return str(getattr(zone, "key", ""))


def with_words(refused: Refused, carried: Carried) -> Refused:
    """The refusal, with the words for the button that opens an incident, where it offers that."""
    if refused.offer != "open_incident":
        return refused
    return Refused(refused.sentence, offer=refused.offer, field=refused.field, carrying=carried.packed())
