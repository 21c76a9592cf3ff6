"""Digits, dashes and quotation marks of all kinds as the plain ones that the grammar is written in."""

_PLAIN = str.maketrans(
    {
        **{chr(0xFF10 + digit): str(digit) for digit in range(10)},
        **dict.fromkeys(
            "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000", " "
        ),
        **dict.fromkeys("\u200b\u200e\u200f\u2060\ufeff", " "),
        **dict.fromkeys("\u05be\u2010\u2011\u2012\u2013\u2014\u2015\u2212\uff0d", "-"),
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u02bc", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f", '"'),
        "\uff1a": ":",
        "\u2236": ":",
        "\uff0e": ".",
        "\uff0f": "/",
        "\uff5e": "~",
        "\u301c": "~",
        "\uff3b": "[",
        "\uff3d": "]",
        "\uff08": "(",
        "\uff09": ")",
    }
)


def plain(text: str) -> str:
    """The text with plain characters, each standing for exactly one, so that a place in it is the same in the text."""
    return text if text.isascii() else text.translate(_PLAIN)


def as_typed(kept: str, source: str) -> str:
    """What stood before the time and is part of the words, with the quotation marks that its author typed."""
    for mark in {"'", '"'}.intersection(kept):
        typed = next((letter for letter in source if letter.translate(_PLAIN) == mark), mark)
        kept = kept.replace(mark, typed)
    return kept
