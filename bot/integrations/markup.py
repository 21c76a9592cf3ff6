"""Markdown to Atlassian Document Format (ADF), the only form in which Jira takes a description or a comment.

The converter (marklas) drops raw HTML, and headings inside lists. `document` notices lost words and
sends the text as plain paragraphs instead.

Lengths are counted as Atlassian counts them: in UTF-16 units, as Java does. An emoji counts twice.
"""

import re
from collections.abc import Iterator
from itertools import count
from typing import Any

import marklas

from bot.domain.text import clean

_LIST_MARK = re.compile(r"^[\s>]*(?:[-+*]|[0-9]{1,9}[.)])?\s*(?:\[[ xX]\])?", re.MULTILINE)
_WORD = re.compile(r"[^\W_]+")


def keeps_every_word(markdown: str, shown: str) -> bool:
    """Whether every word of a Markdown text is in the result; numbers and boxes of lists do not count as words."""
    return all(word in shown for word in _WORD.findall(_LIST_MARK.sub("", markdown)))


def utf16_length(text: str) -> int:
    """The length of a text in UTF-16 units."""
    return len(text.encode("utf-16-le")) // 2


def fit(text: str, most: int) -> str:
    """The text, cut to `most` units if it is longer; then it ends in an ellipsis."""
    if utf16_length(text) <= most:
        return text
    return text.encode("utf-16-le")[: 2 * (most - 1)].decode("utf-16-le", "ignore").rstrip() + "…"


LONGEST_ADF = 30_000
"""Jira refuses a text field of more than 32,767 characters."""

_GUARD = "\ufdd0"  # a noncharacter: no text of ours may hold it, so that taking it out again is safe
_SAFE_LINK = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)
_OPENS_HTML = re.compile(r"<(?!(?:https?://|mailto:)[^\s<>]*>)")

_NEVER_EMPTY = frozenset({"listItem", "blockquote", "tableCell", "tableHeader", "blockTaskItem"})


def to_adf(markdown: str) -> dict[str, Any]:
    """The ADF document of a Markdown text, the same for the same text. What is beyond `LONGEST_ADF` is cut."""
    text = fit(clean(markdown).replace(_GUARD, ""), LONGEST_ADF)
    body = _tidy(marklas.to_adf(_OPENS_HTML.sub("<" + _GUARD, text)), count(1))
    return body if keeps_every_word(text, "".join(_strings(body))) else _literal(text)


def _tidy(node: dict[str, Any], numbers: Iterator[int]) -> dict[str, Any]:
    """The node as the schema demands it: no empty texts or list items, and no unsafe addresses."""
    if node["type"] == "mediaSingle":  # a picture elsewhere, which Jira will not load
        return _picture(node)
    tidy = {name: value for name, value in node.items() if name not in ("content", "marks", "attrs")}
    if "text" in tidy:
        tidy["text"] = _clean(tidy["text"]) + "".join(map(_plain_address, node.get("marks", ())))
    if attributes := node.get("attrs"):
        tidy["attrs"] = {name: _clean(value) for name, value in attributes.items()}
        if "localId" in attributes:  # random otherwise, and a text would differ from itself
            tidy["attrs"]["localId"] = str(next(numbers))
    if marks := [mark for mark in map(_mark, node.get("marks", ())) if mark]:
        tidy["marks"] = marks
    if "content" in node:
        tidy["content"] = [_tidy(child, numbers) for child in node["content"] if child.get("text", "-") != ""]
    if node["type"] in _NEVER_EMPTY and not tidy.get("content"):
        tidy["content"] = [{"type": "paragraph", "content": []}]
    return tidy


def _mark(mark: dict[str, Any]) -> dict[str, Any] | None:
    if mark["type"] != "link":
        return mark
    address = _clean(mark["attrs"]["href"])
    return {"type": "link", "attrs": {"href": address}} if _SAFE_LINK.match(address) else None


def _plain_address(mark: dict[str, Any]) -> str:
    """The address of an unsafe link, to be written behind its words."""
    return "" if _mark(mark) else f" ({_clean(mark['attrs']['href'])})"


def _picture(node: dict[str, Any]) -> dict[str, Any]:
    about = node["content"][0]["attrs"]
    address = _clean(about.get("url", ""))
    text: dict[str, Any] = {"type": "text", "text": _clean(about.get("alt", "")) or address}
    if _SAFE_LINK.match(address):
        text["marks"] = [{"type": "link", "attrs": {"href": address}}]
    return {"type": "paragraph", "content": [text] if text["text"] else []}


def _clean(value: Any) -> Any:
    return value.replace(_GUARD, "") if isinstance(value, str) else value


def _strings(node: object) -> Iterator[str]:
    """Every string of a document: what is shown, and where its links lead."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for value in node.values():
            yield from _strings(value)
    elif isinstance(node, list):
        for value in node:
            yield from _strings(value)


def _literal(text: str) -> dict[str, Any]:
    """The text as it was written, paragraph by paragraph."""
    paragraphs = []
    for block in re.split(r"\n\s*\n", text):
        lines: list[dict[str, Any]] = []
        for line in filter(str.strip, block.split("\n")):
            lines += [{"type": "hardBreak"}] if lines else []
            lines.append({"type": "text", "text": line})
        paragraphs.append({"type": "paragraph", "content": lines})
    return {"type": "doc", "version": 1, "content": paragraphs}
