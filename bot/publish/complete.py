"""Whether a text came through a converter whole."""

import re

_LIST_MARK = re.compile(r"^[\s>]*(?:[-+*]|[0-9]{1,9}[.)])?\s*(?:\[[ xX]\])?", re.MULTILINE)
_WORD = re.compile(r"[^\W_]+")


def keeps_every_word(markdown: str, shown: str) -> bool:
    """Every word of a Markdown text stands in what became of it; the numbers and boxes of lists are no words."""
    return all(word in shown for word in _WORD.findall(_LIST_MARK.sub("", markdown)))
