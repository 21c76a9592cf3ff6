"""Text as it may leave the record: no control characters, no characters that reorder what is read."""

import re

_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
# Unicode's Bidi_Control characters can make a line read as something else than it says; the control characters and
# the noncharacters have no meaning in any form that we write, and a lone surrogate cannot be encoded.
_NONCHARACTERS = "".join(chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
_UNWELCOME = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef"
    f"{_NONCHARACTERS}]"
)


def plain(text: str) -> str:
    """The text with LF line ends, stripped, and without control, bidi control and unencodable characters."""
    # Most texts are printable, and ten thousand of them are looked at for one document.
    return text.strip() if text.isprintable() else legible(text).strip()


def legible(text: str) -> str:
    """The same without stripping: for a piece of a longer text."""
    if text.isprintable():
        return text
    return _UNWELCOME.sub("", _LINE_ENDS.sub("\n", text))


def one_line(text: str) -> str:
    """The plain text with every run of white space as one space: for titles and names."""
    return " ".join(plain(text).split())
