"""Reads many lines at once, copied from a document or a chat: each becomes an entry, part of one, or a flag.

A line that begins with a time is an entry, and plain prose without one continues the entry above it. A line that names
a day or a zone applies to the times below. Anything else that looks like a heading, a date, a time or an author's name
never silently joins an entry: it is applied and shown as such, or flagged with what to do.
"""

import re
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, tzinfo

from bot import bounds
from bot.domain.pasting import paste_lines as paste_lines_rules
from bot.domain.pasting.paste_lines import (
    HeadingContext,
    LaidOutLine,
    LineRole,
    ask_between,
    classify_line,
    find_column_year,
    is_column_head,
    is_incomplete,
    is_separate,
    lay_out,
)
from bot.domain.times import Reading
from bot.domain.times.headings import HeadingDate, find_orders
from bot.errors import Refused


@dataclass(frozen=True, slots=True)
class PastedLine:
    """How one line of a paste was read; `number` counts the lines from 1, `text` includes the lines that continue it.

    `problem` says why it cannot be recorded as it is; if it is empty, `reading.utc` is set. `is_earlier`: it happened
    before the line above it; `may_be_next_day`: by half a day or more, under the same date. `also_names` are the
    numbers of continuing lines that hold another time.
    """

    number: int
    written: str
    reading: Reading
    text: str
    more: int = 0
    problem: str = ""
    is_earlier: bool = False
    may_be_next_day: bool = False
    also_names: tuple[int, ...] = ()

    @property
    def can_be_recorded(self) -> bool:
        """Whether it has one honest time and words."""
        return not self.problem


@dataclass(frozen=True, slots=True)
class ContextLine:
    """A line that counts for those below it and is no entry: the day and the zone that it names, as far as it does."""

    number: int
    written: str
    day: date | None = None
    zone: tzinfo | None = None


@dataclass(frozen=True, slots=True)
class PasteReading:
    """All that a paste is read as."""

    lines: tuple[PastedLine, ...]
    heeded: tuple[ContextLine, ...] = ()


__all__ = ["MOST_LINES", "PastedLine", "describe_too_much", "read_lines", "read_sheet"]
MOST_LINES = 200
_NO_TIME = "It has no time, and there's no line before it to belong to."
_NO_WORDS = "It has a time but no words. Add what happened."
_NOT_FIRST = "Its time isn't first. Move the time to the start of the line."
_NOT_WHOLE = "I can't read its time. Write what is known, as in ~22:30, or join it to the line before."
_HEADING = "It's a heading without a day or a time, so it isn't recorded."
_DATED = "It has a date but no time. Add the time after the date."
_APART = "It has no time and is set apart. Add a time, or join it to the line before."
_DAY_OF_WHAT = (
    "It names a day. If the next times are on that day, give the day its own line. If not, join it to the line before."
)
_SPEAKER = "It could be the name of the next line's author, or the end of the line before. Join it to the right one."
_HALVES = "It could be before or after noon. Add “am” or “pm”."
_HALF_A_DAY = timedelta(hours=12)
_AFTER_WHAT = "It isn't clear which day comes before it. Write the date."
_LONGEST_NAME = 3
# A note that the next line completes: "All times are in".
_CUT_OFF = re.compile(r"\b(?:in|are|is|at|on|en|em|sont|sind|zijn|sono)\s*$", re.IGNORECASE)
_CLOCK_LAST = re.compile(r"(?<![\w:.])[0-9]{1,2}:[0-9]{2}\W*$")
_WORD = re.compile(r"(?<![\w:./-])\w")
# A table may number its rows in front of the time.
_NUMBER_CELL = re.compile(
    r"^\|?+\s*+#?[0-9]{1,3}[.)]?+(?=[^\S\t]*+[|\t])\s*+\|?+\s*+(?=[^|\t]*[0-9]{1,2}[:.h][0-9]{2})"
)
_LIST_TITLE = re.compile(
    r"(?:timeline|chronolog|log|incident\s+report|post-?mortem|zeitleiste|verlauf|chronologie)", re.IGNORECASE
)
# Limits of a look around each line, which would otherwise be quadratic in a long paste.
_MOST_STARTS = 8
_MOST_AHEAD = 6


def read_sheet(text: str, now: datetime, zone: tzinfo, *, rolls: bool = False, language: str = "en") -> PasteReading:
    """Read every line; `now`, `zone` and `language` as in `times.read`.

    `rolls`: below a date, a time of day that goes back by half a day or more is one of the day after. Raises Refused if
    nothing has a time, or if it is more than can be shown at once.
    """
    laid = lay_out(text)
    # Refused and not cut: half a paste that looks whole would be a hole in the record.
    if len(laid) > MOST_LINES:
        raise describe_too_much(text)
    walk = _Walk(HeadingContext(now, zone, language, find_orders(line.text for line in laid)), laid, rolls)
    walk.through()
    if not walk.has_times:
        raise Refused(
            "None of these lines has a time. Start each with the time it happened, as in 14:05 failed over."
            if laid
            else "Nothing to read yet. Paste some lines, each starting with the time it happened."
        )
    return PasteReading(tuple(walk.lines), tuple(walk.heeded))


def read_lines(
    text: str, now: datetime, zone: tzinfo, *, rolls: bool = False, language: str = "en"
) -> tuple[PastedLine, ...]:
    """The lines of the sheet that a text is read as; see `read_sheet`."""
    return read_sheet(text, now, zone, rolls=rolls, language=language).lines


def describe_too_much(text: str) -> Refused:
    """The refusal of more than fits at once."""
    count = sum(1 for line in text.splitlines() if line.strip())
    return Refused(
        f"That's {count:,} lines with {len(text):,} characters. Nothing was recorded, because at most {MOST_LINES} "
        f"lines and {bounds.PASTE:,} characters fit at once. Paste the first part, then the next."
    )


@dataclass(slots=True)
class _Walk:
    """A walk through a text, line by line. `opener` is the line that began the current entry.

    `is_titled`: that line is only a time, so the paragraphs below belong to it. `speakers` are the authors seen in a
    chat, and `speaker` the author of the lines below. `is_twelve`: the time above was written with "am" or "pm".
    """

    above: HeadingContext
    laid: tuple[LaidOutLine, ...]
    rolls: bool
    lines: list[PastedLine] = field(default_factory=list)
    heeded: list[ContextLine] = field(default_factory=list)
    opener: LaidOutLine | None = None
    speaker: str = ""
    speakers: set[str] = field(default_factory=set)
    place: int = 0
    joined: int = -1
    is_twelve: bool = False
    has_times: bool = False
    is_titled: bool = False

    def through(self) -> None:
        """Take every line, each as the first thing that it can be."""
        self._apply_note_on_all()
        # The first that fits decides, so the stricter readings come before those that nearly any line fits.
        steps = (
            self._is_joined,
            self._is_next_day,
            self._is_day,
            self._is_chat_line,
            self._is_entry,
            self._is_code,
            self._is_incomplete,
        )
        more = (self._is_titled_entry, self._applies, self._is_speaker, self._is_flagged, self._continue_entry)
        for place, laid in enumerate(self.laid):
            self.place = place
            text = _NUMBER_CELL.sub("| ", laid.text, count=1) if laid.kind == "row" else laid.text
            reading = self._read(text)
            next(step for step in (*steps, *more) if step(laid, reading))

    def _read(self, text: str) -> Reading:
        return self.above.read(text, self._before, rolls=self.rolls)

    @property
    def _before(self) -> datetime | None:
        return next((line.reading.utc for line in reversed(self.lines) if line.reading.utc), None)

    @property
    def _next(self) -> LaidOutLine | None:
        return self.laid[self.place + 1] if self.place + 1 < len(self.laid) else None

    @property
    def _lacks_words(self) -> bool:
        return self.opener is not None and self.lines[-1].problem == _NO_WORDS

    # Entries

    def _is_chat_line(self, laid: LaidOutLine, _: Reading) -> bool:
        chat_line = paste_lines_rules.parse_chat_line(laid.text, in_chat=bool(self.speakers))
        reading = self._read(chat_line.time) if chat_line else None
        if chat_line is None or reading is None or reading.text or not _has_time(reading):
            return False
        self.speaker = (
            self.speaker if paste_lines_rules.is_app_mark(chat_line.name) and self.speaker else chat_line.name
        )
        self.speakers.add(self.speaker)
        self._begin(laid, reading, chat_line.time)
        return True

    def _is_entry(self, laid: LaidOutLine, reading: Reading) -> bool:
        if not _has_time(reading):
            return False
        self.speaker = self.speaker if not reading.text and self.speakers else ""
        self._begin(laid, reading, laid.text, is_titled=laid.is_heading)
        return True

    def _is_titled_entry(self, laid: LaidOutLine, reading: Reading) -> bool:
        """A heading with a time, "### Update 26.08.2022 18:00 Uhr:", begins an entry with the lines below it."""
        is_labelled = laid.text.endswith(":") or paste_lines_rules.is_time_label(laid.text.partition(":")[0])
        if not reading.offer or not (laid.is_heading or is_labelled):
            return False
        for start in [match.start() for match in _WORD.finditer(laid.bare)][1:_MOST_STARTS]:
            found = self._read(laid.bare[start:])
            label = laid.bare[:start].strip(" :-\u2013\u2014|,([")
            if _has_time(found):
                if _LIST_TITLE.match(label) or (not laid.is_heading and (found.text or len(label.split()) > 2)):
                    return False
                label = "" if paste_lines_rules.is_time_label(label) else label
                self._begin(laid, replace(found, text=f"{label} {found.text}".strip()), laid.text, is_titled=True)
                return True
        return False

    def _begin(self, laid: LaidOutLine, reading: Reading, text: str, *, is_titled: bool = False) -> None:
        reading = self._on_twelve_hours(text, reading)
        before = self._before
        earlier = bool(before and reading.utc and reading.utc < before)
        night = self.above.on is not None and not reading.day and self.above.is_night(reading)
        written = f"{self.speaker} {laid.text}" if self.speaker and self.speaker not in laid.text else laid.text
        line = PastedLine(laid.number, written, reading, reading.text, 0, _problem(reading), earlier)
        self.lines.append(replace(line, may_be_next_day=night and self.above.depends_on_day(text)))
        self.above.record(reading)
        self.opener, self.has_times, self.is_titled = laid, True, is_titled or not reading.text

    def _on_twelve_hours(self, text: str, reading: Reading) -> Reading:
        """A time without "am" or "pm" below one that has it is the next such time, if that fits."""
        before, is_twelve = self._before, self.is_twelve
        self.is_twelve = paste_lines_rules.has_half(reading.written)
        pair = paste_lines_rules.list_halves(text, reading.written) if is_twelve and before else None
        if pair is None or before is None:
            return reading
        self.is_twelve = True
        halves = [self._read(half) for half in pair]
        later = next((half for half in halves if half.utc and timedelta(0) <= half.utc - before < _HALF_A_DAY), reading)
        if later.utc == reading.utc or (self.speakers and not reading.text) or self._is_before_next(later):
            return replace(later, text=reading.text)
        return ask_between([replace(half, text=reading.text) for half in halves], _HALVES)

    def _is_before_next(self, reading: Reading) -> bool:
        """Whether the next time with its half is not before this one."""
        for laid in self.laid[self.place + 1 : self.place + 1 + _MOST_AHEAD]:
            if paste_lines_rules.has_half(laid.text[:60]):
                found = self._read(laid.text)
                return bool(found.utc and reading.utc and reading.utc <= found.utc)
        return False

    # What counts for the lines below

    def _apply_note_on_all(self) -> None:
        """A note on all times may be at the end: if there is just one, it applies from the first line on."""
        notes: list[HeadingDate] = []
        for place, laid in enumerate(self.laid):
            self.place = place
            named = self.above.find_heading(self._with_next(laid)) if laid.kind != "code" and " " in laid.text else None
            if named and named.says_all and not named.problem:
                notes.append(named)
        # Two notes that differ are each for what follows them; one alone may be at the end and be for all.
        if len({(named.zones, named.days if named.of_all else ()) for named in notes}) == 1:
            self.above.apply(notes[0]._replace(days=notes[0].days if notes[0].of_all else ()), 0)

    def _with_next(self, laid: LaidOutLine) -> str:
        """The line, with the next one if it ends in the middle of a note: "all times are in"."""
        below = self._next
        is_cut = below and not below.apart and len(below.text.split()) <= 2 and _CUT_OFF.search(laid.text)
        return f"{laid.text} {below.text}" if below and is_cut else laid.text

    def _is_joined(self, laid: LaidOutLine, _: Reading) -> bool:
        return self.place == self.joined

    def _is_next_day(self, laid: LaidOutLine, _: Reading) -> bool:
        if not self.above.apply_next_day(laid.bare, laid.number, self._before):
            return False
        if self.above.doubt:
            self._flag(laid, _AFTER_WHAT)
        else:
            self._close(ContextLine(laid.number, laid.text, self.above.on))
        return True

    def _is_day(self, laid: LaidOutLine, reading: Reading) -> bool:
        """Whether it is a day and nothing else, which can look like a clock: "2026-03-04 (UTC)"."""
        named = self.above.find_heading(laid.text)
        return bool(named and named.is_whole and named.days) and self._applies(laid, reading)

    def _applies(self, laid: LaidOutLine, _: Reading) -> bool:
        self.above.hint = find_column_year(laid) or self.above.hint
        text = self._with_next(laid)
        named = self.above.find_heading(text)
        what = (
            classify_line(laid, named, is_open=self.opener is not None, is_first=not self.has_times) if named else None
        )
        if named is None or what is LineRole.NOTHING:
            return False
        if what is LineRole.MENTION:
            self.above.prose |= set(named.mentioned) if self.opener is None else set()
            return False
        self.joined = self.place + 1 if text != laid.text else -1
        if what in (LineRole.UNSURE, LineRole.OF_THE_PAPER):
            if what is LineRole.UNSURE:
                self.above.forget_day(laid.number)
            self._flag(laid, named.problem or (_DAY_OF_WHAT if what is LineRole.UNSURE else _DATED))
            return True
        self.above.apply(named, laid.number)
        zone = named.zones[0] if named.zones else None
        heeded = ContextLine(laid.number, text, self.above.on if named.days else None, zone)
        if named.problem:
            self._flag(laid, named.problem)
            self.heeded += [heeded] if zone else []
        elif what is LineRole.NOTE:
            self.heeded.append(heeded)
        elif what is LineRole.DATED or (what is LineRole.TITLE and not self._has_bare_time_below()):
            self._flag(laid, _DATED)
        else:
            self._close(heeded)
        return True

    def _has_bare_time_below(self) -> bool:
        below = self._next
        return bool(below and (_has_time(self._read(below.text)) and self.above.depends_on_day(below.text)))

    def _is_speaker(self, laid: LaidOutLine, _: Reading) -> bool:
        """The author's name, in a line whose next line is the time of their message."""
        below = self._next
        if laid.kind or below is None or below.kind or self._lacks_words or not paste_lines_rules.is_handle(laid.text):
            return False
        chat_line = paste_lines_rules.parse_chat_line(below.text)
        is_app = chat_line is not None and paste_lines_rules.is_app_mark(chat_line.name)
        alone = self._read(below.text)
        if not is_app and (alone.text or not _has_time(alone)):
            return False
        is_chat = (bool(self.speakers) or not self.has_times) and (
            paste_lines_rules.has_half(below.text) or not self.is_twelve
        )
        is_known = (
            laid.text in self.speakers or paste_lines_rules.has_half(below.text) or paste_lines_rules.is_name(laid.text)
        )
        if is_app or (is_chat and is_known):
            self._close()
            self.speaker = laid.text
            self.speakers.add(laid.text)
            return True
        if is_chat and self.opener is not None and len(laid.text.split()) <= _LONGEST_NAME:
            self._flag(laid, _SPEAKER)
            return True
        return False

    # the rest of the line

    def _is_code(self, laid: LaidOutLine, reading: Reading) -> bool:
        return laid.kind == "code" and self.opener is not None and self._continue_entry(laid, reading)

    def _is_incomplete(self, laid: LaidOutLine, _: Reading) -> bool:
        if not is_incomplete(laid.text):
            return False
        named = self.above.find_heading(laid.text)
        if named and named.starts and named.days:
            self.above.apply(named, laid.number)
        self._flag(laid, _NOT_WHOLE)
        return True

    def _is_flagged(self, laid: LaidOutLine, reading: Reading) -> bool:
        """Whether it must not silently continue the entry above it; then it gets a reason."""
        if self.opener is None and is_column_head(laid):
            self._close(ContextLine(laid.number, laid.text))
            return True
        problem = self._explain_separation(laid, reading, self.opener) if self.opener else _without_time(laid, reading)
        if problem:
            self._flag(laid, problem, None if self.above.doubt else reading.offer)
        return bool(problem)

    def _explain_separation(self, laid: LaidOutLine, reading: Reading, opener: LaidOutLine) -> str:
        """Why a line does not continue the entry above it; empty if it does."""
        if laid.is_heading:
            return _HEADING
        if paste_lines_rules.is_header(laid.text):
            return _APART
        if self.is_titled:
            return ""
        if _CLOCK_LAST.search(laid.text) and len(laid.text.split()) <= _LONGEST_NAME + 1:
            return _NOT_FIRST
        is_sentence = laid.is_lower and len(laid.text.split()) > _LONGEST_NAME + 1
        if reading.offer and not is_sentence and (laid.apart or laid.indent <= opener.indent):
            return _NOT_FIRST
        return _APART if is_separate(laid, opener) else ""

    def _continue_entry(self, laid: LaidOutLine, reading: Reading) -> bool:
        above = self.lines[-1]
        text = f"{above.text}\n{laid.text}".strip()
        if self._lacks_words and self.speaker:
            text = f"{self.speaker}: {laid.text}"
        also = (*above.also_names, laid.number) if reading.offer else above.also_names
        problem = "" if above.problem == _NO_WORDS else above.problem
        self.lines[-1] = replace(above, text=text, more=above.more + 1, problem=problem, also_names=also)
        return True

    def _flag(self, laid: LaidOutLine, problem: str, offer: tuple[datetime, ...] | None = None) -> None:
        self.lines.append(PastedLine(laid.number, laid.text, Reading(laid.text, offer=offer), laid.text, 0, problem))
        self._close()

    def _close(self, heeded: ContextLine | None = None) -> None:
        self.heeded += [heeded] if heeded else []
        self.opener, self.speaker = None, ""


def _has_time(reading: Reading) -> bool:
    return reading.utc is not None or reading.question is not None


def _problem(reading: Reading) -> str:
    if reading.question is not None:
        return reading.problem or "Its time could mean several moments."
    return "" if reading.text else _NO_WORDS


def _without_time(laid: LaidOutLine, reading: Reading) -> str:
    if laid.is_heading:
        return _HEADING
    return _NOT_FIRST if reading.offer else _NO_TIME
