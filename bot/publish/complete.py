"""Whether a text came through a converter whole."""

import re

_MARK = re.compile(r"^[\s>]*(?:(?:`{3}|~{3}).*|(?:[-+*]|[0-9]{1,9}[.)])?\s*(?:\[[ xX]\])?)", re.MULTILINE)
_WORD = re.compile(r"[^\W_]+")


def keeps_every_word(markdown: str, shown: str) -> bool:
    """Every word of a Markdown text stands in what became of it.

    The numbers and boxes of lists, and the language of code, are no words.
    """
    return all(word in shown for word in _WORD.findall(_MARK.sub("", markdown)))
