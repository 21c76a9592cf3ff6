"""What of the record holds a credential, and where: told without it, so that a button may carry it to find it again."""

import zlib
from dataclasses import dataclass
from enum import StrEnum

LEAST = 6
"""Characters of what is looked for in other incidents: what is shorter stands in half of them by chance."""


class Noun(StrEnum):
    """What of the record may hold a credential."""

    ENTRY = "entry"
    WHY = "why"
    ACTION = "action"
    SECTION = "section"
    TITLE = "title"
    DRAFT = "draft"
    """A section as somebody edited it in a copy that came back."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing of an incident: `which` is its number, of a section its slug; empty for the title."""

    noun: Noun
    which: str = ""

    @property
    def number(self) -> int:
        """The number of an entry, a why or an action; 0 for what has none."""
        return int(self.which) if self.which.isdigit() else 0


@dataclass(frozen=True, slots=True)
class Redacted:
    """What held a credential and does not any more; `elsewhere` are sections of other incidents, as (key, slug).

    `still_in` are the keys of past incidents that this one quotes, and that hold it still.
    """

    subjects: tuple[Subject, ...]
    elsewhere: tuple[tuple[str, str], ...] = ()
    still_in: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wording:
    """One text of the record, as it was worded once.

    `part` tells which: of an entry, a why, a section or a draft its version; of an action 0 for its text, 1 for its
    link, 2 for its reason; of a title 0, and 1 for the reason why no postmortem is needed.
    """

    subject: Subject
    part: int
    text: str


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a wording; `rest` is the sum of the text around it, by which it is known whether it is still there."""

    subject: Subject
    part: int
    start: int
    length: int
    rest: int


def spot_of(wording: Wording, value: str) -> Spot | None:
    """Where a value stands first in a wording; None where it does not."""
    start = wording.text.find(value)
    if start < 0:
        return None
    return Spot(wording.subject, wording.part, start, len(value), _sum(wording.text, value))


def value_at(spot: Spot, text: str) -> str:
    """What stands there; empty where the wording was changed (redacted) since."""
    value = text[spot.start : spot.start + spot.length]
    return value if len(value) == spot.length and _sum(text, value) == spot.rest else ""


def _sum(text: str, value: str) -> int:
    """Of all but the value, so that it tells nothing of it."""
    return zlib.crc32(text.replace(value, "").encode("utf-8", "replace"))
