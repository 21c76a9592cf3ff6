"""Whether a line that names a day or a zone is a heading for what stands below it, or a sentence that mentions one."""

import re
from datetime import date
from enum import Enum, auto

from bot.incident.layout import Laid, cells_of
from bot.incident.times.headings import Named

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


class Role(Enum):
    """What a line that names something is.

    NOTE, HEADING, TITLE and DATED count for what is below: a title may as well be what happened that day, and what is
    dated is. UNSURE may or may not count, so what is below it must be asked. MENTION is a sentence that only names a
    day, OF_THE_PAPER says when the paper was written, and NOTHING names nothing that matters.
    """

    NOTE = auto()
    HEADING = auto()
    TITLE = auto()
    DATED = auto()
    UNSURE = auto()
    MENTION = auto()
    OF_THE_PAPER = auto()
    NOTHING = auto()


def role(laid: Laid, named: Named, *, is_open: bool, is_first: bool) -> Role:
    """What a line without a time of day is. `is_open`: an entry stands above it; `is_first`: none has been read yet."""
    if named.is_note and _is_note(laid, named, is_open=is_open):
        return Role.HEADING if laid.is_heading or (named.has_date and not named.of_all) else Role.NOTE
    if not named.has_date:
        is_title = laid.is_heading or (not is_open and len(named.beside) <= _LONGEST_LABEL)
        return Role.HEADING if named.is_whole or is_title else Role.NOTHING
    return _dated(laid, named, is_open=is_open, is_first=is_first)


def _is_note(laid: Laid, named: Named, *, is_open: bool) -> bool:
    """Whether it tells of all times, rather than of some ("the timestamps in UTC were off by an hour")."""
    if laid.is_heading or named.is_whole or named.says_all or not is_open:
        return True
    return laid.kind == "row" and is_column_head(laid)


def _dated(laid: Laid, named: Named, *, is_open: bool, is_first: bool) -> Role:
    """What a line is that names a day, or seems to."""
    if named.is_whole:
        return Role.HEADING
    if _OF_THE_PAPER.search(laid.text) and len(named.beside) <= _LONGEST_TITLE:
        return Role.OF_THE_PAPER
    if _NOT_THAT_DAY.search(" ".join(named.beside)) and len(named.beside) <= _LONGEST_LABEL:
        return Role.UNSURE
    if laid.is_heading:
        return Role.HEADING
    if named.starts and _PARTS_BEHIND.match(laid.text, named.ends):
        return Role.TITLE if _is_title(laid, named) else Role.DATED
    if is_open and laid.is_lower:
        return Role.MENTION
    return _doubtful(laid, named, is_open=is_open, is_first=is_first)


def _doubtful(laid: Laid, named: Named, *, is_open: bool, is_first: bool) -> Role:
    """The same of a line that a mark does not tell from a sentence."""
    if named.starts and len(named.beside) == 1:
        return Role.TITLE
    ends = _ends_so(laid, named)
    parted = len(named.beside) <= _FEW or bool(_PARTS_BEFORE.search(laid.text[: named.begins]))
    if ends and (not is_open or parted):
        return Role.HEADING
    if is_first and named.mentioned:
        return Role.MENTION
    return Role.UNSURE if named.starts or ends or not named.mentioned else Role.MENTION


def _is_title(laid: Laid, named: Named) -> bool:
    """Whether a few words stand behind a date, as in "March 4 - outage", rather than what happened that day."""
    is_short = len(named.beside) <= _LONGEST_TITLE and not _SENTENCE_ENDS.search(laid.text)
    return is_short and laid.kind not in ("row", "item")


def _ends_so(laid: Laid, named: Named) -> bool:
    """Whether a few words stand before a date, and nothing behind it: "Timeline (2026-03-04)"."""
    rest = re.sub(r"[\W_]", "", laid.text[named.ends :])
    return (
        bool(named.ends)
        and not rest
        and not _SENTENCE_ENDS.search(laid.text)
        and len(named.beside) <= _LONGEST_LABEL + 1
    )


def is_column_head(laid: Laid) -> bool:
    """Whether a row names the columns of a table: words in its cells, and no figures but those of a year or a zone."""
    if laid.kind != "row":
        return False
    cells = [re.sub(r"\([^()]*\)", "", cell).strip() for cell in cells_of(laid.text)]
    filled = [cell for cell in cells if cell]
    return len(filled) >= 2 and all(len(cell.split()) <= 3 and not re.search(r"[0-9]", cell) for cell in filled)


def year_of_columns(laid: Laid) -> date | None:
    """A day in the year that the head of a column names, "Date (2021)"."""
    year = _YEAR.search(laid.text) if is_column_head(laid) else None
    return date(int(year[1]), 7, 2) if year else None  # as near to the first day of that year as to its last


def stands_apart(laid: Laid, opener: Laid) -> bool:
    """Whether a line is another item, row or paragraph than the one that began an entry, or looks like a heading."""
    if laid.apart and not laid.kind and _looks_like_heading(laid.text):
        return True
    if laid.kind == "row":
        return bool(cells_of(laid.text)[0])
    if opener.kind == "row":
        return laid.apart
    if opener.kind == "item":
        return laid.indent <= opener.indent and (laid.kind == "item" or laid.apart)
    return laid.kind == "item" and laid.apart and laid.indent <= opener.indent


def _looks_like_heading(text: str) -> bool:
    return len(text.split()) <= 4 and text[:1].isupper() and not re.search(r"[.!?,;\u2026]$|[()/\\=]", text)
