"""How a pasted text is laid out: which of its lines are headings, list items, rows of a table, code, or only rules."""

import re
from typing import NamedTuple

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


class Laid(NamedTuple):
    """A line with words: `bare` is it without the marks of a heading, `kind` "heading", "item", "row", "code" or "".

    `apart`: a blank line or a rule stands above it.
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


def laid_out(text: str) -> tuple[Laid, ...]:
    """The lines of a text that hold more than a rule, from the first to the last."""
    found: list[Laid] = []
    apart, in_code = False, False
    for number, written in enumerate(text.splitlines(), 1):
        line = written.strip()
        is_fence = bool(_FENCE.match(line))
        if _RULE.fullmatch(line):
            if found and not apart and _UNDERLINE.fullmatch(line) and found[-1].kind == "" and not in_code:
                found[-1] = found[-1]._replace(kind="heading")
            apart = apart or not is_fence
        else:
            kind, bare = ("code", line) if in_code or is_fence else _kind(line)
            found.append(Laid(number, line, bare, kind, _indent(written), apart))
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


def cells_of(text: str) -> list[str]:
    """The cells of a row."""
    inner = text.strip().removeprefix("|").removesuffix("|")
    return [cell.strip() for cell in re.split(r"\t|\|", inner)]


def is_incomplete(text: str) -> bool:
    """Whether a line in which no time is read begins as if it told one.

    Figures are missing ("22:XX"), it counts from a moment that is not told ("T+5m"), or may be a length ("0:45 down").
    """
    return bool(_INCOMPLETE.match(text[:80]) or _COUNTED.match(text[:80]))
