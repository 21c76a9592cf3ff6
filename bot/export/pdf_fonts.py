"""Letters that this machine has no font for: a PDF shows a box in their place, so that whoever gets it is told.

What a PDF needs beside our own packages, as sentences that say how to get it.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

_MARK = b"\n%afterword-undrawn "
"""Behind the end of a PDF, where a reader sees a comment, the process that made it tells what it could not draw."""

MOST = 10
"""Letters of one script that are named."""

_SCRIPTS = {
    "CJK": "Chinese or Japanese",
    "HANGUL": "Korean",
    "HIRAGANA": "Japanese",
    "KATAKANA": "Japanese",
    "KANGXI": "Chinese or Japanese",
    "BOPOMOFO": "Chinese",
}
_JOINING = ("Cf", "Cc", "Cs", "Zs")
_SELECTORS = range(0xFE00, 0xFE10)


@dataclass(frozen=True, slots=True)
class Script:
    """A script, as people call it, with some of its letters, and how many more there are."""

    name: str
    letters: str
    more: int = 0


def marked(pdf: bytes, letters: Iterable[int]) -> bytes:
    """The PDF, with the code points behind it that are not drawn in it."""
    found = sorted({letter for letter in letters if _is_seen(letter)})
    return pdf + _MARK + " ".join(f"{letter:x}" for letter in found).encode() + b"\n" if found else pdf


def _is_seen(letter: int) -> bool:
    """Whether its place is empty without it: what only joins letters, or chooses their form, is never seen."""
    is_letter = 0 < letter < 0x110000 and letter not in _SELECTORS
    return is_letter and unicodedata.category(chr(letter)) not in _JOINING


def parted(made: bytes) -> tuple[bytes, str]:
    """The PDF and the letters that are not drawn in it, as `marked` put them together."""
    pdf, mark, told = made.rpartition(_MARK)
    if not mark:
        return made, ""
    try:
        return pdf, "".join(chr(int(letter, 16)) for letter in told.split())
    except ValueError:  # the mark is of something else
        return made, ""


def scripts(letters: str) -> tuple[Script, ...]:
    """Which scripts the letters are of, in the order in which they come."""
    found: dict[str, str] = {}
    for letter in letters:
        name = _script(letter)
        found[name] = found.get(name, "") + letter
    return tuple(Script(name, all_of[:MOST], max(len(all_of) - MOST, 0)) for name, all_of in found.items())


def _script(letter: str) -> str:
    if not unicodedata.category(letter).startswith(("L", "M", "N")):
        return "symbols"
    first = unicodedata.name(letter, "other letters").partition(" ")[0]
    return _SCRIPTS.get(first, first.capitalize())


def told(letters: str) -> str:
    """`Chinese or Japanese (数据库), Korean (부산시)`."""
    return ", ".join(
        f"{one.name} ({one.letters}{f' and {one.more} more' if one.more else ''})" for one in scripts(letters)
    )


NOT_INSTALLED = 'A PDF needs WeasyPrint: `pip install "afterword[pdf]"`.'
NO_LIBRARIES = (
    "WeasyPrint does not find the libraries of Pango: "
    "`apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0`."
)
