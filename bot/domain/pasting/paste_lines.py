"""The lines of a pasted text: their layout, and which days and zones they name for the lines below them.

Layout is headings, list items, table rows, code and rules; and chats, whose copies have lines with only an author and
a time, and clocks that leave out "am" and "pm". A line that names a day or a zone may apply to the lines below it, or
be a sentence that only mentions one. If that is in doubt, the lines below become questions.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, tzinfo
from enum import Enum, auto
from typing import NamedTuple

from bot.domain import times
from bot.domain.times import Reading
from bot.domain.times.headings import HeadingDate, read_heading

_TIME = (
    r"(?:(?:today|yesterday|heute|gestern|hier|aujourd'hui|ayer|hoy|ieri|oggi|\u4eca\u65e5|\u6628\u65e5|[a-z\u00c0-\u024f]{3,10}\.?|[0-9]{1,4})\b"
    r"[^|\[\]()]{0,30})?[0-9]{1,2}[:.h][0-9]{2}(?::[0-9]{2})?(?:\s?[ap]\.?\s?m\.?)?(?:\s?Uhr)?"
)
_AUTHOR_LINE = re.compile(
    rf"(?P<name>[^\s\[(|#>*][^\[\]|]{{0,58}}?)(?P<gap>\s{{2,}}|\t+|,?\s?\[|\s\(|\s[\u2014\u2013-]\s)(?P<time>{_TIME})\s?[\])]?",
    re.IGNORECASE,
)
_APP = re.compile(r"(?<!\s)\s*+\b(?:APP|BOT|WORKFLOW)$|(?<=\S)\u30a2\u30d7\u30ea$")
_LONE_APP = re.compile(r"(?:APP|BOT|App|Bot|\u30a2\u30d7\u30ea)")
_NAME = re.compile(r"(?:[^\W\d_a-z][\w.'\u2019-]*|d[aeiu]|von|van|der|de[nlr]?|la|bin|al|\([^()]{1,30}\))")
_SENTENCE = re.compile(r"[.!?;]$|[.!?,;:]\s|https?://|[=<>{}/\\]")
# "Duration 0:45" is no message by a person of that name.
_NO_SPEAKER = re.compile(
    r"\b(?:duration|downtime|uptime|outage\s+lasted|total|elapsed|took|time\s+to|tt[dr]|mtt\w|eta|next|until|till|by|due|dauer|dur\u00e9e|duraci\u00f3n"
    r"|dura\u00e7\u00e3o|durata|duur)\b|:$",
    re.IGNORECASE,
)
# A clock that may lack its "am" or "pm".
_BARE_CLOCK = re.compile(r"(?<![\w:.])([1-9]|1[0-2]):([0-5][0-9])(?![\w:.]|\s?[ap]\.?\s?m\b)", re.IGNORECASE)
_HALF = re.compile(r"[0-9]\s?[ap]\.?\s?m\b", re.IGNORECASE)
_TIME_LABEL = re.compile(
    r"\W*(?:date|time|when|date\s+and\s+time|sent|datum|uhrzeit|zeit|fecha|hora|heure|data|ora|tijd)\W*", re.IGNORECASE
)
_HEADER = re.compile(
    r"(?:commit [0-9a-f]{7,40}|(?:author|from|committer|to|cc|von|de|an|message-id|merge):\s)", re.IGNORECASE
)
_MOST_WORDS = 5


class ChatLine(NamedTuple):
    """The author and time, as written, of the chat lines below it."""

    name: str
    time: str


def parse_chat_line(text: str, *, in_chat: bool = False) -> ChatLine | None:
    """The author and the time of a line with nothing else ("Ana Berg 2:05 PM"), as chats are copied.

    `in_chat`: such lines came before, so the author may be any short name.
    """
    match = _AUTHOR_LINE.fullmatch(text.replace("\u00a0", " ")) if len(text) <= 120 else None
    if match is None:
        return None
    name = _APP.sub("", match["name"].strip()).strip() or match["name"].strip()
    is_apart = len(match["gap"]) >= 2 and not match["gap"].strip()
    is_apart = is_apart or in_chat or ("[" in match["gap"] and len(name.split()) <= 2)
    if _NO_SPEAKER.search(name) or not (is_name(name) or (is_apart and is_handle(name))):
        return None
    return ChatLine(name, match["time"])


def is_name(text: str) -> bool:
    """Whether a text can be the name of a person or an app: a few words, each with a capital, and no sentence."""
    words = _APP.sub("", text).split()
    if not 1 <= len(words) <= _MOST_WORDS or len(text) > 60 or _SENTENCE.search(text):
        return False
    return all(_NAME.fullmatch(word) for word in words) and not text[0].isdigit()


def is_handle(text: str) -> bool:
    """Whether it can be a name in a chat ("ana", "dba-bot on call"): short, and not a sentence."""
    return (
        len(text.split()) <= _MOST_WORDS and len(text) <= 60 and not _SENTENCE.search(text) and not text[:1].isdigit()
    )


def is_app_mark(text: str) -> bool:
    """Whether it is the mark that a chat puts below the name of an app."""
    return bool(_LONE_APP.fullmatch(text))


def is_time_label(text: str) -> bool:
    """Whether a word only announces a time: "Date"."""
    return bool(_TIME_LABEL.fullmatch(text))


def is_header(text: str) -> bool:
    """Whether it is one of the header lines of a mail or a commit."""
    return bool(_HEADER.match(text))


def has_half(written: str | None) -> bool:
    """Whether a time has "am" or "pm"."""
    return bool(written and _HALF.search(written))


def list_halves(text: str, written: str | None) -> tuple[str, str] | None:
    """A line whose time is on a clock of twelve hours without its half: the line with "AM", and with "PM"."""
    match = _BARE_CLOCK.search(text) if written and _BARE_CLOCK.search(written) else None
    if match is None:
        return None
    first, second = (f"{text[: match.end()]} {half}{text[match.end() :]}" for half in ("AM", "PM"))
    return first, second


_RULE = re.compile(r"[-=*_|:+.>#~`\\\s\u2013\u2014\u2500-\u257f]*")
# Markdown's other mark of a heading: a line of "=" or "-" below it.
_UNDERLINE = re.compile(r"(?:={3,}|-{3,})\s*")
_FENCE = re.compile(r"(?:```|~~~)")
_HASHES = re.compile(r"(?:#{1,6}\s++|h[1-6]\.\s++|>\s*+#{1,6}\s++)((?:.*[^\s#])?)[\s#]*+")
_FRAMED = re.compile(
    r"(?:={2,6}+|-{2,}+|\u2014++|\u2500{2,}+)\s*+([^-=\u2014\u2500|\s].*?)"
    r"(?<!\s)\s*+(?:(?<!=)={2,}+|(?<!-)-{2,}+|(?<!\u2014)\u2014++|(?<!\u2500)\u2500{2,}+)"
)
_BOLD = re.compile(r"(\*{1,3}|__?|`)([^*_`]+)\1:?")
_ITEM = re.compile(r"(?:>\s*)*(?:[-*+\u2022\u00b7\u25aa\u25e6\u2023\u2013]|[0-9]{1,2}[.)])\s+(?:\[[ xX]\]\s+)?")
# A longer line is prose that happens to be bold.
_LONGEST_HEADING = 120

_UNKNOWN = r"(?:\?{1,2}|[Xx]{2}|--|__|mm|MM|[0-9][Xx?])"
_INCOMPLETE = re.compile(
    rf"\W{{0,6}}(?:[^|\t]{{0,30}}[\s*|\t~-])?(?:(?:[0-9]{{1,2}}|--|\?{{1,2}}|[Xx]{{2}}|HH|hh|[0-9][Xx?])[:h]{_UNKNOWN}"
    rf"|[0-9]{{1,2}}:[0-9]{{2}}\s?-\s?(?:[0-9]{{1,2}}|\?\?):{_UNKNOWN})(?!\w)"
)
_COUNTED = re.compile(
    r"\W{0,6}(?:T\s?[+-]\s?[0-9]|\+\s?[0-9]{1,3}(?::[0-9]{2}|\s?(?:s|secs?|m|mins?|minutes?|h|hrs?|hours?)\b)"
    r"|(?:TB[DCA]|tb[dca]|\?{2,3})\s*[-:|\t]|[0-9]{1,2}:[0-9]{2}(?![\w:]))"
)


class LaidOutLine(NamedTuple):
    """A line with words: `bare` is without the marks of a heading, `kind` "heading", "item", "row", "code" or "".

    `apart`: a blank line or a rule is above it.
    """

    number: int
    text: str
    bare: str
    kind: str
    indent: int
    apart: bool

    @property
    def is_heading(self) -> bool:
        """Whether it is marked as a heading."""
        return self.kind == "heading"

    @property
    def is_lower(self) -> bool:
        """Whether it begins as the rest of a sentence does."""
        return self.text[:1].islower() or self.text[:1] in "([,;&"


def lay_out(text: str) -> tuple[LaidOutLine, ...]:
    """The lines of a text that hold more than a rule, from the first to the last."""
    found: list[LaidOutLine] = []
    apart, in_code = False, False
    for number, written in enumerate(text.splitlines(), 1):
        line = written.strip()
        is_fence = bool(_FENCE.match(line))
        if _RULE.fullmatch(line):
            is_underline = not (apart or in_code) and _UNDERLINE.fullmatch(line)
            # A rule below the rest of a sentence only parts it from what follows.
            if is_underline and found and found[-1].kind == "" and not found[-1].is_lower:
                found[-1] = found[-1]._replace(kind="heading")
            apart = apart or not is_fence
        else:
            kind, bare = ("code", line) if in_code or is_fence else _kind(line)
            found.append(LaidOutLine(number, line, bare, kind, _indent(written), apart))
            apart = False
        in_code = in_code != is_fence
    return tuple(found)


def _kind(line: str) -> tuple[str, str]:
    if len(line) <= _LONGEST_HEADING:
        for pattern, group in ((_HASHES, 1), (_FRAMED, 1), (_BOLD, 2)):
            if match := pattern.fullmatch(line):
                return "heading", match[group].strip()
    if line.startswith("|") or "\t" in line or " | " in line:
        return "row", line
    return ("item", line) if _ITEM.match(line) else ("", line)


def _indent(written: str) -> int:
    expanded = written.expandtabs(4)
    return len(expanded) - len(expanded.lstrip())


def split_cells(text: str) -> list[str]:
    """The cells of a row."""
    inner = text.strip().removeprefix("|").removesuffix("|")
    return [cell.strip() for cell in re.split(r"\t|\|", inner)]


def is_incomplete(text: str) -> bool:
    """Whether a line without a readable time begins as if it had one.

    Figures are missing ("22:XX"), it counts from an unknown moment ("T+5m"), or may be a length ("0:45 down").
    """
    return bool(_INCOMPLETE.match(text[:80]) or _COUNTED.match(text[:80]))


_NIGHT = timedelta(hours=12)
"""A time of day that goes back at least this far is of the next day; less far back, the line is out of order."""

_DAY = timedelta(days=1)
_NEXT = (
    r"(?:the\s+)?(?:next|following)\s+(?:day|morning)|(?:am\s+)?n\u00e4chste[rn]?\s+tag|(?:am\s+)?folgetag"
    r"|(?:le\s+)?lendemain|(?:al\s+)?d\u00eda\s+siguiente|(?:no\s+)?dia\s+seguinte|(?:de\s+)?volgende\s+dag"
    r"|(?:il\s+)?giorno\s+(?:dopo|seguente)|\u7fcc\u65e5"
)
_UNIT = r"(?:days?|d|tage?|jours?|d\u00edas?|dias?|dag(?:en)?|giorn[io]|\u65e5)(?!\w)"
_SHIFT = rf"(?:D\s?\+\s?(?P<since>[1-9])(?![\w:.])|\+\s?(?P<count>[1-9])\s?{_UNIT}|(?P<next>{_NEXT})(?!\w))"
_BEFORE = re.compile(
    rf"(?P<lead>[\s|>*#\u2022-]*+)[\[(]?+\s*+{_SHIFT}\s*+[\])]?+[\s,:|*-]*+(?=[\[(*`~]*+[0-9])", re.IGNORECASE
)
_BEHIND = re.compile(
    rf"(?<![\s,*|])(?:[\s,*|]*+[\[(]\s*+|[\s,*|]++){_SHIFT}(?:\s*+[\])]|(?=[\s:,;|*-]|$))", re.IGNORECASE
)
_BRACKETED = re.compile(r"(?<![\s*])[\s*]*+[\[(]\s*+\+(?P<count>[1-9])\s*+[\])]")
_CLOCK_BEFORE = re.compile(r"[0-9][^A-Za-z]{0,3}(?:[ap]\.?m\.?|[A-Z]{2,5}|Uhr|h)?\W{0,3}$", re.IGNORECASE)
_ALONE = re.compile(
    rf"\W*(?:{_SHIFT}|(?P<later>[1-9])\s+days?\s+(?:later|after)|(?:day|T)\s?\+\s?(?P<plus>[1-9])\s?d?)\W*",
    re.IGNORECASE,
)
_REACH = 48


@dataclass(slots=True)
class HeadingContext:
    """What is known at a line, updated by the lines that apply.

    `on` is the day for times without one, `base` the day that "+1 day" counts from, `always` the day that a note gives
    for all others. `doubt` says why no day is known, and `choices` which it may be. `zones` are the meanings of a
    heading's zone, `zone_doubt` why it has none. `prose` are days mentioned in passing, `hint` is one whose year is
    used for dates without theirs, and `last` the moment of the latest line under the same heading.
    """

    now: datetime
    zone: tzinfo
    language: str = "en"
    orders: Mapping[str, str] = field(default_factory=dict)
    on: date | None = None
    base: date | None = None
    always: date | None = None
    doubt: str = ""
    choices: tuple[date, ...] = ()
    zones: tuple[tzinfo, ...] = ()
    zone_doubt: str = ""
    prose: set[date] = field(default_factory=set)
    hint: date | None = None
    last: datetime | None = None
    _moved: date | None = None

    def find_heading(self, text: str) -> HeadingDate | None:
        """What a line without a time of day names, seen from here."""
        return read_heading(text, self.now, self.zone, self.on, self.language, self.orders)

    def apply(self, named: HeadingDate, number: int) -> None:
        """Take the day and the zone that a line names for those below it."""
        if named.zones:
            self.zones, self.zone_doubt = named.zones, ""
        elif named.is_note and named.problem:
            self.zone_doubt = named.problem
            return
        if len(named.days) == 1 and not named.problem:
            self.set_day(named.days[0])
            self.always = named.days[0] if named.of_all else self.always
        elif named.has_date:
            self.forget_day(number, named.days)
            self.hint = named.mentioned[0] if named.mentioned else self.hint

    def set_day(self, day: date) -> None:
        """From here on a time without a day is of this one."""
        self.on = self.base = day
        self.doubt, self.choices, self.last = "", (), None

    def forget_day(self, number: int, choices: tuple[date, ...] = ()) -> None:
        """From here on the day is unknown, until a line says it."""
        self.on = self.base = None
        self.doubt, self.choices = f"It isn't clear which day line {number} belongs to.", choices
        self.always = None

    def record(self, reading: Reading) -> None:
        """A line was read: its date applies to those below it, unless a note gives the day."""
        if self.always is None and reading.day:
            self.set_day(reading.day)
        elif self.always is None and reading.utc and self._moved:
            self.on = self._moved
        self.last = reading.utc or self.last

    def read(self, text: str, before: datetime | None, *, rolls: bool) -> Reading:
        """Read a line. `before` is the moment of the line above it; `rolls` as in `paste.read_sheet`."""
        self._moved = None
        if shifted := self._read_shifted(text, before):
            return shifted
        if self.on is None and self.hint and not self.depends_on_day(text):
            return self._one(text, self.hint)
        if self.doubt and self.depends_on_day(text):
            return ask_between([self._one(text, day) for day in self.choices] or [self._one(text, None)], self.doubt)
        reading = self._one(text, self.on)
        if self.on and reading.question is not None and not self.depends_on_day(text):
            return self._one(text, None)
        if self.on and reading.day and (alone := self._one(text, None)).question and len(alone.question) > 1:
            return alone  # "3/4" can be two days, even if one of them is in the future this year
        if self.on is None and self.prose and reading.utc and self.depends_on_day(text):
            return self._if_named(reading)
        if rolls and self.on and self.is_night(reading):
            self._moved = self.on + _DAY
            return self._one(text, self._moved)
        return reading

    def is_night(self, reading: Reading) -> bool:
        """Whether a moment is half a day or more before the line above it, under the same heading."""
        return bool(self.last and reading.utc and self.last - reading.utc >= _NIGHT)

    def depends_on_day(self, text: str) -> bool:
        """Whether a line's moment depends on the day of a line above it."""
        # Read on two dates: if the results differ, its day comes from above.
        today = self.now.astimezone(self.zone).date()
        first, second = (times.read(text, self.now, self.zone, today - _DAY * back, self.language) for back in (2, 3))
        return (first.utc, first.question) != (second.utc, second.question)

    def apply_next_day(self, text: str, number: int, before: datetime | None) -> bool:
        """Whether a line is only "next day" or "+1 day"; then the day below it is that."""
        shift = _ALONE.fullmatch(text) if len(text) <= _REACH else None
        if shift is None:
            return False
        day = self.on or (before.astimezone(self.own_zone).date() if before and not self.doubt else None)
        if day is None:
            self.forget_day(number)
        else:
            self.set_day(day + _DAY * (_count(shift) or 1))
        return True

    @property
    def own_zone(self) -> tzinfo:
        """The zone in which a time without one is read."""
        return self.zones[0] if self.zones else self.zone

    def _one(self, text: str, on: date | None) -> Reading:
        zones = self.zones or (self.zone,)
        readings = [times.read(text, self.now, zone, on, self.language) for zone in zones]
        first = readings[0]
        if self.zone_doubt and first.assumed_zone and first.utc:
            return ask_between(readings, self.zone_doubt)
        if len({(reading.utc, reading.question) for reading in readings}) == 1:
            return first
        return ask_between(
            readings, "The zone in the heading before it could be one of two. Write the offset from UTC, as in UTC+2."
        )

    def _if_named(self, reading: Reading) -> Reading:
        if reading.utc is None or reading.utc.astimezone(self.own_zone).date() in self.prose:
            return reading
        named = min(self.prose)
        return ask_between(
            [reading], f"No line says of which day it is, and {named:%Y-%m-%d} is named above. Write the day above."
        )

    def _read_shifted(self, text: str, before: datetime | None) -> Reading | None:
        """A line with "+1 day" or "next day" next to its time, read on that day."""
        found = _shift(text)
        if found is None:
            return None
        count, rest = found
        base = self.base or (before.astimezone(self.own_zone).date() if before else None)
        if base is None or self.doubt or not self.depends_on_day(rest):
            reading = self._one(rest, None)
            if reading.utc is None and reading.question is None:
                return None
            return ask_between([reading], self.doubt or "It says “next day”, and no earlier line says after which day.")
        day = base + _DAY * (count or 1)
        if (
            not count
            and before
            and (moment := self._one(rest, day).utc)
            and moment < before
            and self.on
            and self.on >= day
        ):
            return ask_between(
                [self._one(rest, day), self._one(rest, day + _DAY)], "“Next day” could be two days. Write the date."
            )
        self._moved = day
        return self._one(rest, day)


def _shift(text: str) -> tuple[int, str] | None:
    """The number of days after the current one that a line states (0 for "next day"), and the line without that."""
    head = text[: _REACH * 2]
    if match := _BEFORE.match(head):
        return _count(match), match["lead"] + text[match.end() :]
    for pattern in (_BEHIND, _BRACKETED):
        match = pattern.search(head, 0, _REACH)
        if match and _CLOCK_BEFORE.search(head[: match.start()]):
            return _count(match), text[: match.start()] + text[match.end() :]
    return None


def _count(match: re.Match[str]) -> int:
    groups = match.groupdict()
    return int(next((groups[name] for name in ("count", "since", "later", "plus") if groups.get(name)), 0))


def ask_between(readings: list[Reading], problem: str) -> Reading:
    """The first of some readings as a question, with the moments of them all to choose from."""
    moments = {reading.utc for reading in readings if reading.utc}
    moments |= {moment for reading in readings for moment in reading.question or ()}
    return replace(readings[0], utc=None, end_utc=None, question=tuple(sorted(moments)), problem=problem, day=None)


_OF_THE_PAPER = re.compile(
    r"(?<!\w)(?:updated?|published|modified|changed|created|written|reviewed|version|revision|posted|printed|due|copyright|draft|stand|erstellt"
    r"|aktualisiert|ge\u00e4ndert|ver\u00f6ffentlicht|mis\s+\u00e0\s+jour|publi\u00e9|actualizado|publicado|atualizado|aggiornato|bijgewerkt)(?!\w)",
    re.IGNORECASE,
)
_NOT_THAT_DAY = re.compile(
    r"(?<!\w)(?:week(?:-?end)?|since|until|till|before|after|from|between|woche|seit|bis|vor|nach|zwischen|semaine|depuis|jusqu|avant|apr\u00e8s"
    r"|entre|semana|desde|hasta|settimana|fino|dopo|prima|sinds|tot|tussen)(?!\w)",
    re.IGNORECASE,
)
_PARTS_BEHIND = re.compile(r"[\s*_`)\]]*(?:$|[-\u2013\u2014:|(\u00b7/])|[ *_`)\]]*\t|,\s")
_PARTS_BEFORE = re.compile(r"(?:[(\[:|,\u2013\u2014]|\s-)[\s*_`]*(?:(?:on|am|le|el)\s+)?$")
_YEAR = re.compile(r"\(((?:19|20)[0-9]{2})\)")
_SENTENCE_ENDS = re.compile(r"[.!?]['\")\]]*$")
_LONGEST_TITLE = 6
_LONGEST_LABEL = 3
_FEW = 2


class LineRole(Enum):
    """The role of a line that names a day or zone.

    NOTE, HEADING, TITLE and DATED apply to the lines below: a title may also be what happened that day, and DATED is.
    UNSURE may or may not apply, so the lines below are questions. MENTION is a sentence that only names a day,
    OF_THE_PAPER is the date of the document, and NOTHING names nothing that matters.
    """

    NOTE = auto()
    HEADING = auto()
    TITLE = auto()
    DATED = auto()
    UNSURE = auto()
    MENTION = auto()
    OF_THE_PAPER = auto()
    NOTHING = auto()


def classify_line(laid: LaidOutLine, named: HeadingDate, *, is_open: bool, is_first: bool) -> LineRole:
    """The role of a line without a time of day. `is_open`: an entry is above it; `is_first`: none has been read yet."""
    if named.is_note and _is_note(laid, named, is_open=is_open):
        return LineRole.HEADING if laid.is_heading or (named.has_date and not named.of_all) else LineRole.NOTE
    if not named.has_date:
        is_title = laid.is_heading or (not is_open and len(named.other_words) <= _LONGEST_LABEL)
        return LineRole.HEADING if named.is_whole or is_title else LineRole.NOTHING
    return _classify_dated(laid, named, is_open=is_open, is_first=is_first)


def _is_note(laid: LaidOutLine, named: HeadingDate, *, is_open: bool) -> bool:
    """Whether it is about all times, rather than some ("the timestamps in UTC were off by an hour")."""
    if laid.is_heading or named.is_whole or named.says_all or not is_open:
        return True
    return laid.kind == "row" and is_column_head(laid)


def _classify_dated(laid: LaidOutLine, named: HeadingDate, *, is_open: bool, is_first: bool) -> LineRole:
    """What a line is that names a day, or seems to."""
    if named.is_whole:
        return LineRole.HEADING
    if _OF_THE_PAPER.search(laid.text) and len(named.other_words) <= _LONGEST_TITLE:
        return LineRole.OF_THE_PAPER
    if _NOT_THAT_DAY.search(" ".join(named.other_words)) and len(named.other_words) <= _LONGEST_LABEL:
        return LineRole.UNSURE
    if laid.is_heading:
        return LineRole.HEADING
    if named.starts and _PARTS_BEHIND.match(laid.text, named.ends):
        return LineRole.TITLE if _is_title(laid, named) else LineRole.DATED
    if is_open and laid.is_lower:
        return LineRole.MENTION
    return _classify_unmarked(laid, named, is_open=is_open, is_first=is_first)


def _classify_unmarked(laid: LaidOutLine, named: HeadingDate, *, is_open: bool, is_first: bool) -> LineRole:
    """The role of a line with a day that no mark distinguishes from a sentence."""
    if named.starts and len(named.other_words) == 1:
        return LineRole.TITLE
    ends = _ends_so(laid, named)
    parted = len(named.other_words) <= _FEW or bool(_PARTS_BEFORE.search(laid.text[: named.begins]))
    if ends and (not is_open or parted):
        return LineRole.HEADING
    if is_first and named.mentioned:
        return LineRole.MENTION
    return LineRole.UNSURE if named.starts or ends or not named.mentioned else LineRole.MENTION


def _is_title(laid: LaidOutLine, named: HeadingDate) -> bool:
    """Whether the few words behind a date are a title, as in "March 4 - outage", rather than what happened that day."""
    is_short = len(named.other_words) <= _LONGEST_TITLE and not _SENTENCE_ENDS.search(laid.text)
    return is_short and laid.kind not in ("row", "item")


def _ends_so(laid: LaidOutLine, named: HeadingDate) -> bool:
    """Whether only a few words come before a date, and nothing after it: "Timeline (2026-03-04)"."""
    rest = re.sub(r"[\W_]", "", laid.text[named.ends :])
    return (
        bool(named.ends)
        and not rest
        and not _SENTENCE_ENDS.search(laid.text)
        and len(named.other_words) <= _LONGEST_LABEL + 1
    )


def is_column_head(laid: LaidOutLine) -> bool:
    """Whether a row names the columns of a table: words in its cells, and no figures but those of a year or a zone."""
    if laid.kind != "row":
        return False
    cells = [re.sub(r"\([^()]*\)", "", cell).strip() for cell in split_cells(laid.text)]
    filled = [cell for cell in cells if cell]
    return len(filled) >= 2 and all(len(cell.split()) <= 3 and not re.search(r"[0-9]", cell) for cell in filled)


def find_column_year(laid: LaidOutLine) -> date | None:
    """A day in the year that the head of a column names, "Date (2021)"."""
    year = _YEAR.search(laid.text) if is_column_head(laid) else None
    return date(int(year[1]), 7, 2) if year else None  # as near to the first day of that year as to its last


def is_separate(laid: LaidOutLine, opener: LaidOutLine) -> bool:
    """Whether a line is another item, row or paragraph than the one that began an entry, or looks like a heading."""
    if laid.apart and not laid.kind and _looks_like_heading(laid.text):
        return True
    if laid.kind == "row":
        return bool(split_cells(laid.text)[0])
    if opener.kind == "row":
        return laid.apart
    if opener.kind == "item":
        return laid.indent <= opener.indent and (laid.kind == "item" or laid.apart)
    return laid.kind == "item" and laid.apart and laid.indent <= opener.indent


def _looks_like_heading(text: str) -> bool:
    return len(text.split()) <= 4 and text[:1].isupper() and not re.search(r"[.!?,;\u2026]$|[()/\\=]", text)
