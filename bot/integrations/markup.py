"""Markdown to Jira's wiki markup, which is what Data Center takes for a description or a comment.

Forms after Atlassian's "Text Formatting Notation Help".

Whether a text came through a converter whole.

Lengths as the vendors count them: in UTF-16 units, as Java does, in which an emoji counts twice.

Markdown to Atlassian Document Format, the only form in which Jira Cloud takes a description or a comment.

The converter drops raw HTML, and headings inside lists; text that would be lost is given back as plain paragraphs.
"""

import re
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import marklas
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from bot.domain.text import clean

_LIST_MARK = re.compile(r"^[\s>]*(?:[-+*]|[0-9]{1,9}[.)])?\s*(?:\[[ xX]\])?", re.MULTILINE)
_WORD = re.compile(r"[^\W_]+")


def keeps_every_word(markdown: str, shown: str) -> bool:
    """Every word of a Markdown text stands in what became of it; the numbers and boxes of lists are no words."""
    return all(word in shown for word in _WORD.findall(_LIST_MARK.sub("", markdown)))


def units(text: str) -> int:
    """How long a text is."""
    return len(text.encode("utf-16-le")) // 2


def fitted(text: str, most: int) -> str:
    """The text for a place that holds `most` units: cut with an ellipsis that says so."""
    if units(text) <= most:
        return text
    return text.encode("utf-16-le")[: 2 * (most - 1)].decode("utf-16-le", "ignore").rstrip() + "…"


LONGEST_WIKI = 30_000
"""Jira refuses a text field of more than 32,767 characters."""

_MARKUP = re.compile(r"\\|[{}\[\]*_+^~|!#-]|\?(?=\?)|(?<=\?)\?|\((?=[a-z!?/*+-])|[:;](?=[()DPp])")
_OPENS_LINE = re.compile(r"(?m)^(\s*(?:h[1-6]|bq))\.")
_NOT_IN_TITLE = re.compile(r"[{}|=:\s]+")
_SAFE_LINK = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)
_IN_LINK = str.maketrans({"|": "%7C", "]": "%5D", "[": "%5B", "{": "%7B", "}": "%7D", " ": "%20"})

_parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def markup(markdown: str) -> str:
    """The wiki markup of a Markdown text, which is cut until that is at most `LONGEST` units long."""
    text, most = clean(markdown), LONGEST_WIKI
    while units(shown := _turned(fitted(text, most))) > LONGEST_WIKI:
        most = most * LONGEST_WIKI // units(shown) - 1  # what is escaped grows, and by how much, only trying tells
    return shown


def _turned(text: str) -> str:
    try:
        tree = SyntaxTreeNode(_parser.parse(text))
        shown = "\n\n".join(filter(None, (_block(child) for child in tree.children)))
    except RecursionError:  # emphasis within emphasis without end
        return escaped(text)
    return shown if keeps_every_word(text, shown) else escaped(text)  # the parser drops what is nested too deeply


def escaped(text: str) -> str:
    """A text that shows as it is."""
    shown = _MARKUP.sub(lambda found: "&#92;" if found[0] == "\\" else "\\" + found[0], text)
    return _OPENS_LINE.sub(r"\1\\.", shown)


def _block(node: SyntaxTreeNode, marks: str = "") -> str:
    made = _BLOCKS.get(node.type)
    return made(node, marks) if made else _inside(node)


def _inside(node: SyntaxTreeNode) -> str:
    return "".join(_inline(child) for child in node.children)


def _list(node: SyntaxTreeNode, marks: str) -> str:
    deeper = marks + ("*" if node.type == "bullet_list" else "#")
    return "\n".join(_item(item, deeper) for item in node.children)


def _item(item: SyntaxTreeNode, marks: str) -> str:
    """One line for what stands first; lists inside follow with longer marks, other blocks behind a line break."""
    said = ""
    for child in item.children:
        if child.type.endswith("_list"):
            said += "\n" + _block(child, marks)
        else:
            said += (" \\\\ " if said else f"{marks} ") + _block(child).replace("\n", " \\\\ ")
    return said or f"{marks} "


def _quote(node: SyntaxTreeNode, _: str) -> str:
    return "{quote}\n" + "\n\n".join(_block(child) for child in node.children) + "\n{quote}"


def _code(node: SyntaxTreeNode, _: str) -> str:
    fence = "noformat" if "{code" in node.content else "code"
    about = _NOT_IN_TITLE.sub(" ", node.info).strip()  # as a title: Jira complains of languages that it does not know
    opens = f"{fence}:title={about}" if about else fence
    return f"{{{opens}}}\n{node.content.rstrip()}\n{{{fence}}}"


def _table(node: SyntaxTreeNode, _: str) -> str:
    rows = [row for part in node.children for row in part.children]
    return "\n".join(_row(row) for row in rows)


def _row(row: SyntaxTreeNode) -> str:
    bar = "||" if row.children and row.children[0].type == "th" else "|"
    return bar + bar.join(_inside(cell) or " " for cell in row.children) + bar


_BLOCKS: dict[str, Callable[[SyntaxTreeNode, str], str]] = {
    "heading": lambda node, _: f"h{node.tag[1]}. {_inside(node)}",
    "bullet_list": _list,
    "ordered_list": _list,
    "blockquote": _quote,
    "fence": _code,
    "code_block": _code,
    "table": _table,
    "hr": lambda _node, _marks: "----",
}


def _inline(node: SyntaxTreeNode) -> str:
    made = _INLINES.get(node.type)
    return made(node) if made else _inside(node)


def _link(node: SyntaxTreeNode) -> str:
    address = str(node.attrs.get("href") or node.attrs.get("src") or "")
    words = _inside(node) if node.children else escaped(node.content or address)
    if not _SAFE_LINK.match(address):
        return f"{words} ({escaped(address)})"
    return f"[{words}|{address.translate(_IN_LINK)}]"


_INLINES: dict[str, Callable[[SyntaxTreeNode], str]] = {
    "text": lambda node: escaped(node.content),
    "strong": lambda node: f"{{*}}{_inside(node)}{{*}}",  # in braces a mark also takes effect inside a word
    "em": lambda node: f"{{_}}{_inside(node)}{{_}}",
    "s": lambda node: f"{{-}}{_inside(node)}{{-}}",
    "code_inline": lambda node: f"{{{{{escaped(node.content)}}}}}",
    "softbreak": lambda _: "\n",
    "hardbreak": lambda _: "\n",
    "link": _link,
    "image": _link,
}


LONGEST_ADF = 30_000
"""Jira refuses a text field of more than 32,767 characters."""

_GUARD = "\ufdd0"  # a noncharacter: no text of ours may hold it, so that taking it out again is safe
_OPENS_HTML = re.compile(r"<(?!(?:https?://|mailto:)[^\s<>]*>)")

_NEVER_EMPTY = frozenset({"listItem", "blockquote", "tableCell", "tableHeader", "blockTaskItem"})


def document(markdown: str) -> dict[str, Any]:
    """The ADF document of a Markdown text, the same for the same text; what is beyond `LONGEST` is cut."""
    text = fitted(clean(markdown).replace(_GUARD, ""), LONGEST_ADF)
    body = _tidy(marklas.to_adf(_OPENS_HTML.sub("<" + _GUARD, text)), count(1))
    return body if keeps_every_word(text, "".join(_strings(body))) else _literal(text)


def _tidy(node: dict[str, Any], numbers: Iterator[int]) -> dict[str, Any]:
    """The node as the schema wants it: no empty text, nothing empty that must hold something, no odd addresses."""
    if node["type"] == "mediaSingle":  # a picture elsewhere, which Jira will not load
        return _picture(node)
    kept = {name: value for name, value in node.items() if name not in ("content", "marks", "attrs")}
    if "text" in kept:
        kept["text"] = _clean(kept["text"]) + "".join(map(_elsewhere, node.get("marks", ())))
    if attributes := node.get("attrs"):
        kept["attrs"] = {name: _clean(value) for name, value in attributes.items()}
        if "localId" in attributes:  # random otherwise, and a text would differ from itself
            kept["attrs"]["localId"] = str(next(numbers))
    if marks := [mark for mark in map(_mark, node.get("marks", ())) if mark]:
        kept["marks"] = marks
    if "content" in node:
        kept["content"] = [_tidy(child, numbers) for child in node["content"] if child.get("text", "-") != ""]
    if node["type"] in _NEVER_EMPTY and not kept.get("content"):
        kept["content"] = [{"type": "paragraph", "content": []}]
    return kept


def _mark(mark: dict[str, Any]) -> dict[str, Any] | None:
    if mark["type"] != "link":
        return mark
    address = _clean(mark["attrs"]["href"])
    return {"type": "link", "attrs": {"href": address}} if _SAFE_LINK.match(address) else None


def _elsewhere(mark: dict[str, Any]) -> str:
    """Where a link leads that must not be one, to stand behind its words."""
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
