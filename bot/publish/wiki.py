"""Markdown to Jira's wiki markup, which is what Data Center takes for a description or a comment.

Forms after Atlassian's "Text Formatting Notation Help".
"""

import re
from collections.abc import Callable

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from bot.incident.plain import plain
from bot.publish.complete import keeps_every_word
from bot.publish.lengths import fitted, units

LONGEST = 30_000
"""Jira refuses a text field of more than 32,767 characters."""

_MARKUP = re.compile(r"\\|[{}\[\]*_+^~|!#-]|\?(?=\?)|(?<=\?)\?|\((?=[a-z!?/*+-])|[:;](?=[()DPp])")
_OPENS_LINE = re.compile(r"(?m)^(\s*(?:h[1-6]|bq))\.")
_NOT_IN_TITLE = re.compile(r"[{}|=:\s]+")
_SAFE_LINK = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)
_IN_LINK = str.maketrans({"|": "%7C", "]": "%5D", "[": "%5B", "{": "%7B", "}": "%7D", " ": "%20"})

_parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def markup(markdown: str) -> str:
    """The wiki markup of a Markdown text, which is cut until that is at most `LONGEST` units long."""
    text, most = plain(markdown), LONGEST
    while units(shown := _turned(fitted(text, most))) > LONGEST:
        most = most * LONGEST // units(shown) - 1  # what is escaped grows, and by how much, only trying tells
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
