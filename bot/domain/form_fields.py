"""Turns values of the record into the text of form fields, and back. This is the one place for it.

A form carries a fingerprint of what each field was filled with, so a field that comes back unchanged leaves its value
alone, whatever its text could be read as. Any other text reads back as the value that it shows.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise

from bot.domain import times
from bot.domain.text import LONGEST

FIELD = 3_000
"""Characters that one field of a Slack form holds."""

FIELDS = 20
"""Fields that one text may take: the longest text that is admitted, and one field more to go on in."""

_NEAR = 700
"""So many characters before the end of a field a better place is looked for to go on in the next."""

_MOST_GAPS = 500
"""Characters of white space gaps fields that a form carries."""


def fingerprint(value: str) -> str:
    """By which a form knows what it filled a field with, apart from what Slack may change: line ends, outer blanks."""
    seen = value.replace("\r\n", "\n").replace("\r", "\n").strip()
    return hashlib.sha256(seen.encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class FieldPieces:
    """A text in several form fields: `parts` joined are the text; `gaps` are the white space between them."""

    parts: tuple[str, ...]
    gaps: tuple[str, ...]


def split_into_fields(text: str) -> FieldPieces | None:
    """A text split for fields, at a paragraph, a line or a word near the limit; None if they cannot hold it."""
    parts: list[str] = []
    rest = text.strip()
    if len(rest) > LONGEST:
        return None
    while len(rest) > FIELD:
        at = _cut_at(rest)
        parts.append(rest[:at])
        rest = rest[at:]
    parts.append(rest)
    gaps = tuple(_join_parts(one, other) for one, other in pairwise(parts))
    if len(parts) >= FIELDS or sum(map(len, gaps)) > _MOST_GAPS:
        return None
    return FieldPieces(tuple(parts), gaps)


def _cut_at(text: str) -> int:
    for end in ("\n\n", "\n", " "):
        at = text.rfind(end, FIELD - _NEAR, FIELD)
        if at >= 0:
            return at + len(end)
    return FIELD


def _join_parts(one: str, other: str) -> str:
    return one[len(one.rstrip()) :] + other[: len(other) - len(other.lstrip())]


def join_fields(sent: Iterable[str], gaps: Sequence[str]) -> str:
    """The text that was sent in several fields; `gaps` is put back where Slack has stripped it.

    In a field beyond those that were filled a new line begins, unless the one before is full to the brim.
    """
    text, last = "", ""
    for index, part in enumerate(sent):
        if not part.strip():
            continue
        if text and not _join_parts(text, part):
            text += gaps[index - 1] if index <= len(gaps) else "" if len(last) >= FIELD else "\n"
        text, last = text + part, part
    return text


@dataclass(frozen=True, slots=True)
class FormMoment:
    """A moment of the record, or a span up to `end`, as its form shows it; both aware."""

    start: datetime
    end: datetime | None = None
    approximate: bool = False


def format_time(when: FormMoment, now: datetime, zone: tzinfo, language: str = "en") -> str:
    """A time as field text, on the clocks of `zone`, that `parse_time` reads back at `now` as exactly this time.

    It is the shortest form for which that holds: dates at both ends, offsets and UTC only if needed. If none does (a
    range with an end in the future is a question), it is in UTC, and only the fingerprint keeps the value.
    """
    forms = tuple(_forms(when, zone))
    return next((text for text in forms if parse_time(text, now, zone, language) == when), forms[-1])


def parse_time(text: str, now: datetime, zone: tzinfo, language: str = "en") -> FormMoment | None:
    """The time in a form's field; None if it is no time, or more than one."""
    # Behind a bar, all of the text must be the time.
    found = times.read(f"it | {text}", now, zone, language=language)
    return FormMoment(found.utc, found.end_utc, found.approximate) if found.utc and found.text == "it" else None


def _forms(when: FormMoment, zone: tzinfo) -> Iterator[str]:
    about = "~" if when.approximate else ""
    first, last = (each and each.astimezone(zone) for each in (when.start, when.end))
    assert first is not None  # noqa: S101 (the start is never None)
    if last is None or last.date() == first.date():
        yield f"{about}{_format_with_date(first)}" + (f" - {_clock(last)}" if last else "")
    yield about + " to ".join(_format_with_date(each) for each in (first, last) if each)
    if all(_is_written(each) for each in (first, last) if each):
        yield about + " to ".join(f"{_format_with_date(each)} {_offset(each)}" for each in (first, last) if each)
    yield about + " to ".join(f"{_format_with_date(each.astimezone(UTC))} UTC" for each in (first, last) if each)


def _format_with_date(local: datetime) -> str:
    return f"{local.date().isoformat()} {_clock(local)}"


def _clock(local: datetime) -> str:
    seconds = f":{local:%S}" if local.second or local.microsecond else ""
    return f"{local:%H:%M}{seconds}" + (f".{local:%f}".rstrip("0") if local.microsecond else "")


def _is_written(local: datetime) -> bool:
    """Whether its offset is of whole minutes, as all are since clocks keep standard time."""
    return not (local.utcoffset() or timedelta(0)) % timedelta(minutes=1)


def _offset(local: datetime) -> str:
    text = f"{local:%z}"
    return f"{text[:3]}:{text[3:5]}"
