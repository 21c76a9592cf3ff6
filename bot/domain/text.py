"""Text: the gate for typed text, code in it, cutting and cleaning it, names Slack does not know, and written times.

Code is `` `inline` `` or a fence of three backticks, as Slack shows them. A run of backticks opens code if a run of the
same length closes it: three or more on any lines, one or two on one line. A single one behind a letter opens nothing
(``don`t``), and blanks alone are no code. Every other backtick is text.
"""

import difflib
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from bot import bounds
from bot.errors import Refused

_RUN = re.compile("`+")
_LINE_BEFORE, _LINE_AFTER = re.compile(r"\A[ \t]*\n"), re.compile(r"\n[ \t]*\Z")
_FENCE = 3
_FENCES = re.compile("`{3,}")
_LANGUAGE = re.compile(r"[ \t]*([A-Za-z0-9+#-]{1,20})[ \t]*\n")
_LANGUAGES = frozenset(
    "bash c console cpp css diff go html ini java javascript js json kotlin perl php powershell promql python py ruby "
    "rb rust scala sh shell sql swift terraform toml ts typescript xml yaml yml".split()
)
"""Words behind a fence that are a language, not code: an error message may be there too."""


class PieceKind(StrEnum):
    """What a piece of a text is."""

    WORDS = "words"
    SPAN = "span"
    BLOCK = "block"


class Piece(NamedTuple):
    """A piece of a text without the marks around it, from `start` to `end` of the text.

    `marks` are the backticks on each side; words have none. It is a named tuple because a long timeline has thousands
    of them, and they are made three times as fast as dataclasses.
    """

    kind: PieceKind
    text: str
    start: int
    end: int
    language: str = ""
    marks: str = ""


def split_pieces(text: str) -> list[Piece]:
    """The words and the code of a text, in their order; blank space between words and a block is left out."""
    if "`" not in text:
        return [Piece(PieceKind.WORDS, text, 0, len(text))] if text else []
    found: list[Piece] = []
    begin = 0
    for code in [span] if (span := _find_only_span(text)) else _codes(text):
        found += _words(text, begin, code.start)
        found.append(code)
        begin = code.end
    found += _words(text, begin, len(text))
    return _trim_around_blocks(found)


def split_at_only_span(text: str) -> tuple[str, str, str] | None:
    """The words before, the code and the words after, if two single backticks are all; else None.

    Nearly all texts with code have one span.
    """
    parts = text.split("`")
    if len(parts) != 3:
        return None
    before, code, after = parts
    return None if not code.strip() or "\n" in code or before[-1:].isalnum() else (before, code, after)


def _find_only_span(text: str) -> Piece | None:
    if (parts := split_at_only_span(text)) is None:
        return None
    before, code, _ = parts
    return Piece(PieceKind.SPAN, code, len(before), len(before) + len(code) + 2, "", "`")


def _words(text: str, start: int, end: int) -> list[Piece]:
    return [Piece(PieceKind.WORDS, text[start:end], start, end)] if start < end else []


def _trim_around_blocks(pieces: list[Piece]) -> list[Piece]:
    """A block begins and ends its own lines, so that the line ends around it say nothing more."""
    if not any(map(_is_block, pieces)):
        return [piece for piece in pieces if piece.text]
    trimmed = []
    for before, piece, after in zip([None, *pieces], pieces, [*pieces[1:], None], strict=False):
        text = piece.text
        if piece.kind is PieceKind.WORDS:
            text = text.lstrip() if _is_block(before) else text
            text = text.rstrip() if _is_block(after) else text
        if text:
            trimmed.append(piece._replace(text=text))
    return trimmed


def _is_block(piece: Piece | None) -> bool:
    return piece is not None and piece.kind is PieceKind.BLOCK


def _codes(text: str) -> Iterator[Piece]:
    runs = list(_RUN.finditer(text))
    closes = _next_alike(runs)
    index = 0
    while index < len(runs):
        close = closes[index]
        code = _code(text, runs[index], runs[close]) if close and _may_open(text, runs[index]) else None
        if code is not None:
            yield code
            index = close
        index += 1


def _next_alike(runs: list[re.Match[str]]) -> list[int]:
    """For each run, the index of the next of the same length; 0 if there is none."""
    # From the end in one pass: looking ahead from each run would be quadratic in a text of backticks.
    closes, latest = [0] * len(runs), dict[int, int]()
    for index in range(len(runs) - 1, -1, -1):
        length = len(runs[index][0])
        closes[index] = latest.get(length, 0)
        latest[length] = index
    return closes


def _may_open(text: str, run: re.Match[str]) -> bool:
    return len(run[0]) > 1 or not text[run.start() - 1 : run.start()].isalnum()


def _code(text: str, opens: re.Match[str], closes: re.Match[str]) -> Piece | None:
    start, end, marks = opens.start(), closes.end(), opens[0]
    if len(marks) < _FENCE:
        is_one_line = text.find("\n", opens.end(), closes.start()) < 0
        inside = text[opens.end() : closes.start()] if is_one_line else ""
        return Piece(PieceKind.SPAN, _strip_padding(inside), start, end, "", marks) if inside.strip() else None
    inside, language = text[opens.end() : closes.start()], ""
    named = _LANGUAGE.match(inside)
    if named and named[1].lower() in _LANGUAGES and inside[named.end() :].strip():
        language, inside = named[1].lower(), inside[named.end() :]
    inside = _LINE_AFTER.sub("", _LINE_BEFORE.sub("", inside))
    return Piece(PieceKind.BLOCK, inside, start, end, language, marks) if inside.strip() else None


def _strip_padding(inside: str) -> str:
    """Without the blanks that only keep a backtick apart from the marks."""
    is_padded = inside.startswith(" ") and inside.endswith(" ") and "`" in (inside[1:2], inside[-2:-1])
    return inside[1:-1] if is_padded else inside


def strip_code_marks(text: str) -> str:
    """The text without the marks of its code: for places that can show none."""
    if "`" not in text:
        return text
    return _join_pieces((piece, piece.text) for piece in split_pieces(text))


def flatten(text: str) -> str:
    """The text on one line, its code still code: a block is written as a span."""
    if "```" not in text:
        return " ".join(text.split())
    line = " ".join(
        _join_pieces(
            (piece, _as_span(piece.text) if _is_block(piece) else text[piece.start : piece.end])
            for piece in split_pieces(text)
        ).split()
    )
    # Marks that marked nothing on two lines may pair up on one, and set a fence free that was inside a span.
    return _FENCES.sub("'''", line) if any(map(_is_block, split_pieces(line))) else line


def _join_pieces(written: Iterable[tuple[Piece, str]]) -> str:
    found, is_behind_block = "", False
    for piece, shown in written:
        is_block = piece.kind is PieceKind.BLOCK
        found += ("\n" if found and (is_block or is_behind_block) else "") + shown
        is_behind_block = is_block
    return found


def _as_span(block: str) -> str:
    line = " ".join(block.split())
    if "``" in line:
        line = line.replace("`", "'")
    return f"`` {line} ``" if "`" in line else f"`{line}`"


def find_closing_marks(text: str, at: int) -> str:
    """The marks that close the code that a cut at `at` would leave open; empty between words."""
    for piece in split_pieces(text) if "`" in text[:at] else ():
        if piece.marks and piece.start + len(piece.marks) < at < piece.end:
            return f"\n{piece.marks}" if piece.kind is PieceKind.BLOCK else piece.marks
    return ""


# PostgreSQL stores no NUL, and a lone surrogate has no UTF-8.
_UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")


def require_length(text: str, what: str = "That text", most: int = bounds.TEXT) -> str:
    """The text. Raises Refused if it is longer than `most` characters: nothing is ever cut silently."""
    if len(text) > most:
        raise Refused(f"{what} has {len(text):,} characters; at most {most:,} can be kept. Split it into several.")
    return text


def clean_input(text: str, what: str = "That text", most: int = bounds.TEXT) -> str:
    """The text as it can be stored: stripped, NUL dropped, lone surrogates replaced.

    Raises Refused as `require_length` does.
    """
    text = _UNKEEPABLE.sub(lambda match: "" if match[0] == "\x00" else "\ufffd", text).strip()
    return require_length(text, what, most)


def require_text(text: str, sentence: str) -> str:
    """The text; raises Refused with the sentence if the gate has left nothing of it."""
    if not text:
        raise Refused(sentence)
    return text


def shorten(text: str, most: int) -> str:
    """The text cut at `most` characters, with an ellipsis that shows it.

    Code that was cut is closed behind the ellipsis, so that the text behind it is not code.
    """
    if len(text) <= most:
        return text
    marks = find_closing_marks(text, most - 1)
    cut = text[: max(0, most - 1 - len(marks))].rstrip()
    return f"{cut}…{marks}"[:most]


def find_nearest(word: str, known: Iterable[str], likeness: float = 0.6) -> str:
    """The known word that was probably meant, at least this similar (up to 1), or empty."""
    close = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=likeness)
    return close[0] if close else ""


_NEAR = 700
"""How far before the end of a field, in characters, a better place to continue in the next is looked for."""

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
    if len(rest) > bounds.TEXT:
        return None
    while len(rest) > bounds.FIELD:
        at = _cut_at(rest)
        parts.append(rest[:at])
        rest = rest[at:]
    parts.append(rest)
    gaps = tuple(_join_parts(one, other) for one, other in pairwise(parts))
    # One field stays free to go on in. Gaps travel in the metadata of the form, which Slack limits.
    if len(parts) >= bounds.FIELDS or sum(map(len, gaps)) > _MOST_GAPS:
        return None
    return FieldPieces(tuple(parts), gaps)


def _cut_at(text: str) -> int:
    for end in ("\n\n", "\n", " "):
        at = text.rfind(end, bounds.FIELD - _NEAR, bounds.FIELD)
        if at >= 0:
            return at + len(end)
    # Nothing to cut at: a line of base64, say. Joined again, it is whole.
    return bounds.FIELD


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
            text += gaps[index - 1] if index <= len(gaps) else "" if len(last) >= bounds.FIELD else "\n"
        text, last = text + part, part
    return text


_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
# Unicode's Bidi_Control characters can make a line read as something else than it says; the control characters and
# the noncharacters have no meaning in any form that we write, and a lone surrogate cannot be encoded.
_NONCHARACTERS = "".join(chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
_UNWELCOME = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef"
    f"{_NONCHARACTERS}]"
)


def clean(text: str) -> str:
    """The text with LF line ends, stripped, and without control, bidi control and unencodable characters."""
    # Most texts are printable, and ten thousand of them are looked at for one document.
    return text.strip() if text.isprintable() else remove_controls(text).strip()


def remove_controls(text: str) -> str:
    """The clean text without stripping: for a piece of a longer text."""
    if text.isprintable():
        return text
    return _UNWELCOME.sub("", _LINE_ENDS.sub("\n", text))


def to_one_line(text: str) -> str:
    """The plain text with every run of white space as one space: for titles and names."""
    return " ".join(clean(text).split())


_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+(?=[^\W_a-z]|[\"“(])")


def take_sentences(text: str, most: int, limit: int) -> str:
    """The first sentences of a text on one line: `most` of them, as many as fit into `limit` characters."""
    taken = ""
    for sentence in _SENTENCE_END.split(flatten(text))[:most]:
        longer = f"{taken} {sentence}".strip()
        if taken and len(longer) > limit:
            break
        taken = longer
    return shorten(taken, limit)


_LOWER_CASE_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*[,:;.!?]*(?:\s|\Z)")


def capitalize_title(title: str) -> str:
    """The title with a capital first letter, unless its first word has a spelling of its own (`iOS`, `api.example`)."""
    first = _LOWER_CASE_WORD.match(title)
    capital = title[:1].upper()
    return f"{capital}{title[1:]}" if first and first[0].islower() and len(capital) == 1 else title


_NAME = re.compile(r"(?<!\S)@(?!here\b|channel\b|everyone\b)\w[\w.'’-]*")


def find_unlinked_name(text: str) -> str:
    """The first `@name` among words without Slack's own mentions; empty if there is none."""
    match = _NAME.search(text)
    return match[0].rstrip(".'’") if match else ""


def describe_unlinked_name(name: str) -> str:
    """The sentence for such a name."""
    return f"I don't know who {name[:60]} is. Type @ and pick the name from Slack's list."


_CLOCK = tuple(f"{hour:02}:{minute:02}" for hour in range(24) for minute in range(60))


def format_clock(moment: datetime) -> str:
    """`14:05`; seconds are not shown."""
    return _CLOCK[moment.hour * 60 + moment.minute]


def format_moment(moment: datetime) -> str:
    """`2026-11-23 14:05 UTC`."""
    return f"{moment.date().isoformat()} {format_clock(moment)} UTC"


def format_range(
    start: datetime, end: datetime | None = None, *, approximate: bool = False, with_date: bool = True
) -> str:
    """When something was true: `14:05 UTC`, `~13:30–13:45 UTC`, `2026-11-23 23:50 – 2026-11-24 00:10 UTC`."""
    written = f"{start.date().isoformat()} {format_clock(start)}" if with_date else format_clock(start)
    if end is not None and format_moment(end) != format_moment(start):  # else it would end when it begins
        same_day = end.date() == start.date()
        written += f"–{format_clock(end)}" if same_day else f" – {end.date().isoformat()} {format_clock(end)}"
    return f"~{written} UTC" if approximate else f"{written} UTC"


def format_count(count: int, noun: str, nouns: str = "") -> str:
    """`1 incident`, `2 incidents`; `nouns` is a plural that takes more than an s."""
    return f"{count:,} {noun if count == 1 else nouns or noun + 's'}"


def format_duration(length: timedelta) -> str:
    """`43 min`, `24 h 11 min`, `3 d 2 h`: hours run on to two days, so that a night's incident reads as hours."""
    minutes = int(length.total_seconds()) // 60
    if minutes < 1:
        return "less than a minute"
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24) if hours >= 48 else (0, hours)
    parts = [(days, "d"), (hours, "h"), (minutes, "min")]
    return " ".join(f"{count} {unit}" for count, unit in parts if count)


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def format_day(day: date, today: date) -> str:
    """A day as people say it: `Wed 2 Dec`; with the year if it is not today's: `Tue 2 Dec 2025`."""
    written = f"{_DAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]}"
    return written if day.year == today.year else f"{written} {day.year}"


def format_day_time(moment: datetime, today: date) -> str:
    """A moment as people say it, in UTC: `Wed 2 Dec, 9:00 UTC`; with the year as in `format_day`."""
    moment = moment.astimezone(UTC)
    return f"{format_day(moment.date(), today)}, {moment.hour}:{moment.minute:02} UTC"


def format_when(moment: datetime, now: datetime) -> str:
    """The same, without the day if that is today in UTC: `9:00 UTC`, `Tue 1 Dec, 9:00 UTC`."""
    written = format_day_time(moment, now.date())
    is_today = moment.astimezone(UTC).date() == now.astimezone(UTC).date()
    return written.partition(", ")[2] if is_today else written


def format_age(length: timedelta) -> str:
    """How long something has gone on, in one unit, rounded down: `12 min`, `3 h`, `2 days`, `3 weeks`, `4 months`."""
    minutes = int(length.total_seconds()) // 60
    hours, days = minutes // 60, minutes // 1440
    if minutes < 1:
        return "less than a minute"
    if hours < 1:
        return f"{minutes} min"
    if days < 1:
        return f"{hours} h"
    most = ((730, 365, "years"), (60, 30, "months"), (14, 7, "weeks"))
    count, unit = next(((days // size, unit) for least, size, unit in most if days >= least), (days, "days"))
    return f"{count} {unit if count > 1 else unit.removesuffix('s')}"


def format_ago(moment: datetime, now: datetime) -> str:
    """How long ago something was: `just now`, `12 min ago`, `yesterday`, `3 weeks ago`; ahead: `in 3 h`, `tomorrow`.

    From 24 hours on, days are counted by the calendar in the zone of `now`.
    """
    past = now - moment
    length = abs(past)
    if length < timedelta(minutes=1):
        return "just now"
    is_past = past > timedelta()
    if length >= timedelta(days=1):
        length = abs(now.date() - moment.astimezone(now.tzinfo).date())
        if length.days == 1:
            return "yesterday" if is_past else "tomorrow"
    return f"{format_age(length)} ago" if is_past else f"in {format_age(length)}"


def format_iso(moment: datetime) -> str:
    """`2026-11-23T14:05:00Z`; microseconds only if there are any."""
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return f"{utc.isoformat().removesuffix('+00:00')}Z"


def format_hours(spans: Iterable[timedelta]) -> str:
    """`24 and 48 h`: spans as people list hours; empty without one."""
    hours = [f"{span / timedelta(hours=1):g}" for span in spans]
    return f"{' and '.join(filter(None, [', '.join(hours[:-1]), hours[-1]]))} h" if hours else ""
