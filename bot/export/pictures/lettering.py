"""How much room text takes where no font can be asked: estimates on the wide side, in the units of the picture."""

import unicodedata
from collections.abc import Iterator

ELLIPSIS = "…"
_NARROW = frozenset("iljtfrI.,:;'|!()[]{} `\"-/\\")
_BROAD = frozenset("mwMW@%&—…")
_JOINED = ("Mn", "Me", "Cf")
_READ_PER_LINE = 400  # characters looked at: a text may be a whole log, and a line holds a hundred at most


def width(text: str, size: float) -> float:
    """How wide a line of text is at a font size, in any of the usual sans serif fonts."""
    return sum(map(_share, text)) * size


def _share(character: str) -> float:
    """The width of a character as a share of the font's size; East Asian wide ones take two."""
    if character.isascii():
        if character in _NARROW:
            return 0.42
        return 1.0 if character in _BROAD else 0.72 if character.isupper() else 0.63
    if unicodedata.category(character) in _JOINED:
        return 0
    return 1.26 if unicodedata.east_asian_width(character) in "WF" else 1.0 if character in _BROAD else 0.75


def _fitting(text: str, room: float, size: float) -> str:
    """The longest beginning that fits, one character at least."""
    taken = 0.0
    for index, character in enumerate(text):
        taken += _share(character) * size
        if taken > room and index:
            return text[:index]
    return text


def wrapped(text: str, room: float, size: float, most: int) -> tuple[str, ...]:
    """The text in at most so many lines, broken between words where they allow it; the last ends in an ellipsis if cut.

    Line ends of the text are taken as spaces.
    """
    lines: list[str] = []
    for word in _pieces(text[: most * _READ_PER_LINE].split(), room, size):
        if lines and width(f"{lines[-1]} {word}", size) <= room:
            lines[-1] += f" {word}"
        elif len(lines) == most:
            return (*lines[:-1], _ended(lines[-1], room, size))
        else:
            lines.append(word)
    return tuple(lines)


def _ended(line: str, room: float, size: float) -> str:
    return _fitting(line, room - width(ELLIPSIS, size), size).rstrip() + ELLIPSIS


def _pieces(words: list[str], room: float, size: float) -> Iterator[str]:
    """The words, those that are too long for a line in pieces."""
    for word in words:
        rest = word
        while width(rest, size) > room:
            piece = _fitting(rest, room, size)
            if piece == rest:
                break
            yield piece
            rest = rest[len(piece) :]
        yield rest
