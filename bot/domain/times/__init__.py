"""Reads the time that a person wrote with what happened: a UTC moment, or a question if it can be more than one.

`read` is the one public way in; `docs/times.md` is the grammar for people. Pure: the clock, the author's zone and
language are arguments. A line with no time at its start is recorded as of now; times of day elsewhere in it become an
offer on its receipt (decision 32). Only a clock time is offered, never a bare date, a duration, a count or a version.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import NamedTuple

from bot.domain.text import format_clock
from bot.domain.times import evidence, zone_names
from bot.domain.times.clocks import Stamp, stamp_at
from bot.domain.times.days import Day, move_near
from bot.domain.times.evidence import is_lead, languages_in
from bot.domain.times.grammar import HEAD, find_time
from bot.domain.times.instants import Instant, Moments, resolve, sort_distinct
from bot.domain.times.language import LANGUAGES, Vocabulary, vocabulary
from bot.domain.times.scan import TimeFound, restore_quotes, to_plain

_SEEN = 1_000
"""Characters of a line that are looked through."""
_MOST = 3
_REACH = 64
"""How far before a clock its date may begin."""

_CLOCK = re.compile(
    r"(?:(?<![0-9A-Za-z_\u00c0-\u0dff.:/%+$#-])|(?<=[\u05d0-\u05ea]-))(?:[0-9]{1,2}:[0-9]{2}(?![\w/%]|:[0-9a-f]{2}:|\s{2,}[0-9])|[0-9]{1,2}(?:[:.][0-9]{2}){0,2}\s?[ap]\.?m\b"
    r"|[0-9]{1,2}(?:[.:h]|\sh\s)[0-9]{2}\s?(?:Uhr|uur|hrs?|h|Z|UTC|CES?T)?(?![\w:.%/-])|[0-9]{1,2}\s?(?:Uhr|uur|o'clock)\b"
    r"|[0-9]{1,2}h(?![\w])|[01][0-9][0-5][0-9]\s?(?:UTC|GMT|Z|h)\b)"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}|[0-9]{1,2}\s?[\u6642\u65f6\uc2dc](?![\u9593\u95f4\uac04])"
    r"|[0-9]{1,2}[\u70b9\u9ede](?=[0-9]{1,2}\u5206|\u534a)|(?<=at )(?:noon|midnight)\b",
    re.IGNORECASE,
)
_LENGTH_BEFORE = re.compile(
    r"(?:\bdays?|\bweeks?|\btook|\bwithin|\bup|\buptime|\belapsed|\blasted|\bduration:?|\bfor|\bttl|\btime\s+to\s+\w+:?)\s+(?:of\s+)?$",
    re.IGNORECASE,
)
_START = re.compile(r"(?:(?<=^)|(?<=[\s(\[\"'*_`|:,;-]))(?=[^\s\W]|[~\u2248])")


def find_elsewhere(text: str, words: Vocabulary) -> Iterator[tuple[TimeFound, str, int]]:
    """The times in the first part of a line, at most three: each as found, as written, and where it begins."""
    line = to_plain(text[:_SEEN])
    behind, count = 0, 0
    for match in _CLOCK.finditer(line):
        at = match.start()
        if count == _MOST or at < behind or _LENGTH_BEFORE.search(line, max(0, at - 24), at):
            continue
        found = _around(line, at, behind, words)
        if found is None:
            continue
        start, read = found
        behind, count = start + read.ends, count + 1
        yield read, line[start + read.begins : start + read.ends].strip(), start + read.begins


def _around(line: str, clock: int, behind: int, words: Vocabulary) -> tuple[int, TimeFound] | None:
    """The longest time that holds the clock at a place, in the author's words or else in those of another language."""
    first = max(behind, clock - _REACH)
    starts = [match.start() for match in _START.finditer(line, first, clock + 1)][-10:]
    if clock not in starts:
        starts.append(clock)
    window = line[first : clock + HEAD]
    languages = languages_in(window, words)
    best: tuple[int, TimeFound] | None = None
    for vocabulary_ in (words, *languages):
        for start in starts:
            found = find_time(line[start : start + HEAD], vocabulary_)
            if found and _is_clock(found, clock - start) and start + found.begins <= clock < start + found.ends:
                if best is None or (start + found.begins, -found.ends) < (best[0] + best[1].begins, -best[1].ends - 2):
                    best = start, found
                break
    return best


def _is_clock(found: TimeFound, place: int) -> bool:
    """Whether a time has a clock. With a dot ("15.26") it is a number unless more words say that it is a time."""
    return found.clock is not None and (found.clock.form != "dot" or found.begins < place)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a line says about its time. Either `utc` is set, or `question` is, or no time was written.

    `question` holds the possible moments (aware UTC, ascending; empty if the time cannot exist, like "25:99");
    `problem` is the sentence that says why it must be asked. `text` is what happened, as it was written. `zone` is a
    short label ("Berlin", "CET", "+02:00"); `assumed_zone`: it is the author's own; `precise`: seconds were written.
    `lasts` is the length of a range, for the choice among questions. `day` is the date written with the time, or given
    for it, in the time's zone. `offer` holds the moments of clock times elsewhere in a line that is recorded as of now
    (aware UTC, ascending), else None.
    """

    text: str
    utc: datetime | None = None
    end_utc: datetime | None = None
    approximate: bool = False
    question: tuple[datetime, ...] | None = None
    zone: str | None = None
    written: str | None = None
    assumed_zone: bool = False
    precise: bool = False
    problem: str | None = None
    lasts: timedelta | None = None
    day: date | None = None
    offer: tuple[datetime, ...] | None = None


__all__ = ["Reading", "format_moment", "prepare", "read"]

_STAMPED = 2_400
"""Characters in which a program may have written its time."""


class _Author(NamedTuple):
    """The context of a line: now, its author's zone and words, and the date of the heading above it, if any."""

    now: datetime
    zone: tzinfo
    words: Vocabulary
    on: date | None

    def outcome(self, found: TimeFound, written: str) -> Moments:
        return resolve(_put_on_date(found, self.on) if self.on else found, written, self.now, self.zone)


def read(text: str, now: datetime, zone: tzinfo, on: date | None = None, language: str = "en") -> Reading:
    """Read the time at the start of `text`, or at its end behind " | ".

    `now` is aware; `zone` is the author's, for a time without a zone; `language` is the author's, as a BCP 47 tag
    ("de-DE"). A time of day is the latest past moment that it can be, a date without a year the latest past one; with
    `on`, the one on or next to that date. A full date is taken as written, however old. Evidence of another time next
    to the one that was read makes it a question (decision 33). Never raises for any text.
    """
    author = _Author(now, zone, vocabulary(language), on)
    head = to_plain(text[:_STAMPED])
    stamp = stamp_at(head, now)
    if stamp:
        return _read_stamped(stamp, text, author)
    found = find_time(head[:HEAD], author.words)
    if found:
        rest = text[found.rest :].strip()
        if text.lstrip().startswith("|"):
            rest = rest.removesuffix("|").rstrip()
        return _interpret(found, text, rest, author)
    if "|" in text and (behind := _read_behind_bar(text, author)):
        return behind
    return _offer_elsewhere(text, author)


def prepare() -> None:
    """Read the words of all languages once, at the start, so that no line waits for them."""
    for language in LANGUAGES:
        vocabulary(language)
    find_time("14:05 yesterday x", vocabulary("en"))
    evidence.prepare()
    zone_names.prepare()


def format_moment(moment: datetime, end: datetime | None, approximate: bool, precise: bool) -> str:  # noqa: FBT001
    """A moment as the timeline shows it, in UTC and without a date: "14:05", "~13:30–13:45", "16:05:57"."""
    write = "{:%H:%M:%S}".format if precise else format_clock
    last = f"\u2013{write(end.astimezone(UTC))}" if end else ""
    return f"{'~' if approximate else ''}{write(moment.astimezone(UTC))}{last}"


def _read_behind_bar(text: str, author: _Author) -> Reading | None:
    """A time that is all of the text behind the last bar."""
    before, _, last = text.rpartition("|")
    found = find_time(to_plain(last[:HEAD]), author.words) if before[-1:].isspace() else None
    if found is None or len(last) > HEAD or found.rest != len(last):
        return None
    return _interpret(found, last, before.strip(), author)


def _put_on_date(found: TimeFound, on: date) -> TimeFound:
    """Put a time on a date, unless it has one or is relative to now; a date without a year comes near `on`."""
    if found.ago is not None or (found.day and (found.day.full or not found.day.numbers)):
        return found
    day = move_near(found.day, on) if found.day else Day(((on.year, on.month, on.day),), form="full")
    return found._replace(day=day, others=tuple(_put_on_date(other, on) for other in found.others))


def _read_stamped(stamp: Stamp, text: str, author: _Author) -> Reading:
    """A time written by a program. A line of JSON keeps its text whole, because its time is one of its fields."""
    rest = text[stamp.rest :].strip()
    if stamp.moment is None:
        found = find_time(to_plain(stamp.written), author.words)
        return _interpret(found, stamp.written, rest, author) if found and not found.leftover else Reading(text)
    if stamp.is_text:
        choices = (Instant(stamp.moment), Instant(author.now.astimezone(UTC)))
        question = Moments(choices, "That number may be a time in seconds since 1970.")
        return _make_reading(TimeFound(moment=stamp.moment), text[:24].strip(), text.strip(), question)
    return _make_reading(
        TimeFound(moment=stamp.moment), text[: stamp.rest].strip(), rest, Moments((Instant(stamp.moment),))
    )


def _interpret(found: TimeFound, source: str, rest: str, author: _Author) -> Reading:
    written = source[found.begins : found.ends].strip()
    result = author.outcome(found, written)
    text = restore_quotes(found.prefix, source) + rest
    for other in found.others:
        own = author.outcome(other, source[other.begins : other.ends].strip())
        text = max(text, restore_quotes(other.prefix, source) + source[other.rest :].strip(), key=len)
        if [instant.start for instant in own.instants] == [instant.start for instant in result.instants]:
            found, result = (other._replace(leftover=found.leftover), own) if not result.problem else (found, result)
        else:
            result = _ask_between(written, result.instants + own.instants)
    if found.leftover:
        result = _ask_about_leftover(found, written, result, _list_other_readings(found, source, author))
    if found.maybe_text:
        text = source
        result = _ask_between(written, (*result.instants, Instant(author.now.astimezone(UTC))))
    return _make_reading(found, written, text, result)


def _list_other_readings(found: TimeFound, source: str, author: _Author) -> tuple[Instant, ...]:
    """Other readings of the line: with the words next to the time, and in other languages."""
    head = to_plain(source[:HEAD])
    instants = [*_read_with_neighbor(source[found.begins : found.ends].strip(), found.leftover, author)]
    for words in languages_in(head, author.words):
        other = find_time(head, words)
        if other and other.ends > found.ends and not other.leftover:
            instants += author.outcome(other, source[other.begins : other.ends].strip()).instants
    return tuple(instants)


def _ask_about_leftover(found: TimeFound, written: str, result: Moments, more: tuple[Instant, ...]) -> Moments:
    problem = f"\u201c{found.leftover}\u201d next to {written} may mean another time."
    return Moments(sort_distinct((*result.instants, *more)), result.problem or problem)


def _offer_elsewhere(text: str, author: _Author) -> Reading:
    """Offer the clock times of a line that does not begin with a time.

    If only evidence of a time comes before the first of them ("pm CET 1:00"), it is a question instead.
    """
    starts: dict[datetime, None] = {}
    for found, written, place in find_elsewhere(text, author.words):
        instants = author.outcome(found, written).instants
        if not starts and place <= HEAD and is_lead(to_plain(text[:HEAD]), author.words, place):
            lead = text[:place].strip()
            more = _read_with_neighbor(written, lead, author)
            question = _ask_about_leftover(found._replace(leftover=lead), written, Moments(instants), more)
            return _make_reading(found, written, text, question)
        starts |= dict.fromkeys(instant.start for instant in instants)
    return Reading(text, offer=tuple(sorted(starts)) or None)


def _read_with_neighbor(written: str, words: str, author: _Author) -> tuple[Instant, ...]:
    """The readings of a time together with the words next to it, if the whole is one time."""
    together = f"{written} {words}"
    found = find_time(to_plain(together), author.words)
    if found is None or found.ends < len(together.rstrip()) or found.leftover:
        return ()
    return author.outcome(found, together).instants


def _ask_between(written: str, instants: tuple[Instant, ...]) -> Moments:
    """A question between two readings of the same words: the words behind the time may belong to it or not."""
    return Moments(sort_distinct(instants), f"\u201c{written}\u201d can be read in two ways.")


def _make_reading(found: TimeFound, written: str, text: str, result: Moments) -> Reading:
    first = result.instants[0] if result.instants else Instant(datetime.min.replace(tzinfo=UTC))
    is_question = result.problem is not None
    zones = {instant.zone for instant in result.instants}
    lasts = first.end - first.start if first.end else None
    return Reading(
        utc=None if is_question else first.start,
        end_utc=None if is_question else first.end,
        approximate=found.approximate,
        text=text,
        question=tuple(instant.start for instant in result.instants) if is_question else None,
        zone=first.zone if len(zones) == 1 else None,
        written=written,
        assumed_zone=found.clock is not None and found.zone is None and found.also is None,
        precise=bool(found.clock and found.clock.precise),
        problem=result.problem,
        lasts=lasts,
        day=first.day if found.day and not is_question else None,
    )
