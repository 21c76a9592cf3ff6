"""What somebody may answer to a reminder in their conversation with the bot: `done 3`, `3 friday`, `drop 3 why`."""

import re
from dataclasses import dataclass
from datetime import date

from bot.incident.due import day


@dataclass(frozen=True, slots=True)
class About:
    """The action that is meant: its number, and its incident's where that was written (`INC-4 3`)."""

    number: int
    incident: int | None


@dataclass(frozen=True, slots=True)
class Done:
    """It is done."""

    about: About


@dataclass(frozen=True, slots=True)
class Drop:
    """It will not be done, for this reason; empty where none was given."""

    about: About
    reason: str


@dataclass(frozen=True, slots=True)
class Move:
    """It has a new due date."""

    about: About
    due_on: date


Answer = Done | Drop | Move

_ABOUT = r"(?:INC-(?P<incident>\d{1,6})\s*[,:/#]?\s*)?(?:action\s+)?#?(?P<number>\d{1,4})"
_REST = r"(?:[\s:,]+(?P<rest>.+))?"
_VERB = r"(?P<verb>(?:is\s+)?done|drop|won[’']?t\s+do|move)"
_FIRST = re.compile(rf"{_VERB}\s+{_ABOUT}{_REST}", re.IGNORECASE | re.DOTALL)
_BEHIND = re.compile(rf"{_ABOUT}[\s:,]+{_VERB}{_REST}", re.IGNORECASE | re.DOTALL)
_DATED = re.compile(rf"{_ABOUT}[\s:,]+(?P<rest>.+)", re.IGNORECASE | re.DOTALL)
_TO = re.compile(r"(?:due|by|until|to|on)\s+", re.IGNORECASE)


def moved(line: str, today: date) -> tuple[int, date] | None:
    """The number and the day where a line behind `/action` gives an action of that incident a new date, else None."""
    answer = read(line, today)
    return (answer.about.number, answer.due_on) if isinstance(answer, Move) and answer.about.incident is None else None


def read(text: str, today: date) -> Answer | None:
    """The answer that a message is, or None where it is none; `today` is the day where its author lives."""
    text = text.strip().rstrip(".!")
    match = _FIRST.fullmatch(text) or _BEHIND.fullmatch(text)
    if match is None:
        match, verb = _DATED.fullmatch(text), "move"
    else:
        verb = match["verb"].lower()
    if match is None:
        return None
    about = About(int(match["number"]), int(match["incident"]) if match["incident"] else None)
    rest = (match["rest"] or "").strip()
    if verb == "move":
        due_on = day(_TO.sub("", rest, count=1), today)
        return Move(about, due_on) if due_on is not None else None
    if verb.endswith("done"):
        return None if rest else Done(about)
    return Drop(about, rest.removeprefix("because").strip())
