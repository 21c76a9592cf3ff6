"""The layout of a pasted text: headings, list items, table rows, code and rules; and chats.

A copied chat has lines with only an author and a time, and clocks that leave out "am" and "pm".
"""

import re
from typing import NamedTuple

_TIME = (
    r"(?:(?:today|yesterday|heute|gestern|hier|aujourd'hui|ayer|hoy|ieri|oggi|\u4eca\u65e5|\u6628\u65e5|[a-z\u00c0-\u024f]{3,10}\.?|[0-9]{1,4})\b"
    r"[^|\[\]()]{0,30})?[0-9]{1,2}[:.h][0-9]{2}(?::[0-9]{2})?(?:\s?[ap]\.?\s?m\.?)?(?:\s?Uhr)?"
)
_SAID = re.compile(
    rf"(?P<name>[^\s\[(|#>*][^\[\]|]{{0,58}}?)(?P<gap>\s{{2,}}|\t+|,?\s?\[|\s\(|\s[\u2014\u2013-]\s)(?P<time>{_TIME})\s?[\])]?",
    re.IGNORECASE,
)
_APP = re.compile(r"\s*\b(?:APP|BOT|WORKFLOW)$|(?<=\S)\u30a2\u30d7\u30ea$")
_LONE_APP = re.compile(r"(?:APP|BOT|App|Bot|\u30a2\u30d7\u30ea)")
_NAME = re.compile(r"(?:[^\W\d_a-z][\w.'\u2019-]*|d[aeiu]|von|van|der|de[nlr]?|la|bin|al|\([^()]{1,30}\))")
_SENTENCE = re.compile(r"[.!?;]$|[.!?,;:]\s|https?://|[=<>{}/\\]")
_NO_SPEAKER = re.compile(
    r"\b(?:duration|downtime|uptime|outage\s+lasted|total|elapsed|took|time\s+to|tt[dr]|mtt\w|eta|next|until|till|by|due|dauer|dur\u00e9e|duraci\u00f3n"
    r"|dura\u00e7\u00e3o|durata|duur)\b|:$",
    re.IGNORECASE,
)
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
    match = _SAID.fullmatch(text.replace("\u00a0", " ")) if len(text) <= 120 else None
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
_UNDERLINE = re.compile(r"(?:={3,}|-{3,})\s*")
_FENCE = re.compile(r"(?:```|~~~)")
_HASHES = re.compile(r"(?:#{1,6}\s+|h[1-6]\.\s+|>\s*#{1,6}\s+)(.*?)[\s#]*")
_FRAMED = re.compile(
    r"(={2,6}|-{2,}|\u2014{1,}|\u2500{2,})\s*([^-=\u2014\u2500|].*?)\s*(?:={2,6}|-{2,}|\u2014+|\u2500{2,})"
)
_BOLD = re.compile(r"(\*{1,3}|__?|`)([^*_`]+)\1:?")
_ITEM = re.compile(r"(?:>\s*)*(?:[-*+\u2022\u00b7\u25aa\u25e6\u2023\u2013]|[0-9]{1,2}[.)])\s+(?:\[[ xX]\]\s+)?")
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
        for pattern, group in ((_HASHES, 1), (_FRAMED, 2), (_BOLD, 2)):
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
