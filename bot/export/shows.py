"""What a Markdown text shows, whatever hand wrote it: words, structure, emphasis, and where links lead."""

import re
from collections.abc import Iterable, Iterator

from markdown_it.token import Token

from bot.export.reader import Reader
from bot.incident.facts import digest_of

_BLANKS = re.compile(r"\s+")
_NOT_SHOWN = frozenset({"paragraph_open", "thead_open", "tbody_open", "tr_open", "softbreak", "hardbreak"})
_TYPESET = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "„": '"', "…": "...", "\u00a0": " ", "\u202f": " "})
_reader = Reader()


def digest(markdown: str) -> str:
    """What tells a text that reads differently from one that reads the same; signs of lists do not count."""
    return digest_of(_told(markdown))


def alike(one: str, other: str) -> bool:
    """Whether two texts read the same but for what editors do unasked.

    They write emphasis and lists in their own signs, wrap lines, fill up tables, escape characters and turn quotation
    marks.
    """
    return _told(one).translate(_TYPESET) == _told(other).translate(_TYPESET)


def letters(markdown: str) -> str:
    """The letters and digits alone, in a row."""
    return "".join(re.findall(r"\w", "".join(token.content for token in _reader.tokens(markdown))))


def _told(markdown: str) -> str:
    return told(_reader.tokens(markdown))


def told(tokens: Iterable[Token]) -> str:
    """What tokens show, in a form that only serves to compare it; those of a line stand in the place of their line."""
    return "\n".join(_pieces(tokens))


def _pieces(tokens: Iterable[Token]) -> Iterator[str]:
    """What is seen of the tokens, in order; marks of lists and blank space do not count."""
    text = ""
    for token in tokens:
        if token.type == "text" or token.type in _NOT_SHOWN:
            text += token.content or " "
            continue
        if text.strip():
            yield _BLANKS.sub(" ", text).strip()
        text = ""
        if token.nesting >= 0:
            yield f"{token.type} {token.tag} {token.attrGet('href') or ''} {_BLANKS.sub(' ', token.content).strip()}"
    if text.strip():
        yield _BLANKS.sub(" ", text).strip()
