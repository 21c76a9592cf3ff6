"""Reads Markdown (CommonMark, tables, strikethrough, no HTML) for the other formats, and compares what texts show."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline, link
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from bot.domain.sections import digest_facts
from bot.domain.text import remove_controls

_BREAKS = frozenset({"softbreak", "hardbreak"})
_DEEPEST_EMPHASIS = 20
_DEEPEST_BLOCK = 80
"""Blocks within blocks. The parser silently drops what is deeper than a hundred; beyond this, all becomes code."""


_DEEPEST_LABEL = 10
"""Brackets within brackets that may be a link: for each, the parser reads on through all that it holds."""


class MarkdownReader:
    """Reads what our templates, a team's template or a person wrote. Threads may share it.

    Links lead to http and https only, and pictures become links: a document loads nothing.
    """

    def __init__(self) -> None:
        self._markdown = MarkdownIt("js-default", {"html": False, "linkify": False, "typographer": False})
        self._markdown.disable("image")
        self._markdown.inline.ruler.at("link", _read_link)
        # markdown-it-py documents this hook, and types it as a method.
        self._markdown.validateLink = _is_web_address  # type: ignore[method-assign]

    def parse_blocks(self, markdown: str, line: Callable[[Sequence[Token]], str]) -> list[SyntaxTreeNode]:
        """The blocks as trees. The content of every `inline` node is what `line` makes of its tokens.

        The tokens inside a line are passed flat, because people can nest emphasis deeper than Python can recurse.
        """
        tokens = self.parse(markdown)
        for token in tokens:
            if token.type == "inline":
                token.content, token.children = line(token.children or []), []
        return SyntaxTreeNode(tokens).children

    def parse(self, markdown: str) -> list[Token]:
        """The blocks as the parser's flat list of tokens. Those inside a line are the children of its `inline`."""
        tokens = self._markdown.parse(remove_controls(markdown))
        if any(token.level > _DEEPEST_BLOCK for token in tokens):
            return [Token("code_block", "code", 0, content=remove_controls(markdown))]
        for token in tokens:
            token.children = _limit_emphasis(token.children) if token.children is not None else None
        return tokens

    def render_line(self, markdown: str, line: Callable[[Sequence[Token]], str]) -> str:
        """What `line` makes of one line of Markdown, such as a heading without its number signs."""
        (inline,) = self._markdown.parseInline(remove_controls(markdown))
        return line(_limit_emphasis(inline.children or []))

    def parse_tokens(self, markdown: str) -> list[Token]:
        """All tokens, with those inside a line in place of the line."""
        flat: list[Token] = []
        for token in self._markdown.parse(remove_controls(markdown)):
            flat += token.children if token.type == "inline" and token.children is not None else [token]
        return flat

    def read_first_paragraph(self, markdown: str) -> str:
        """What is read of the first paragraph, list item or cell, on one line; "" if there is none."""
        is_heading = False
        for token in self.parse(markdown):
            if token.type == "inline" and not is_heading:
                pieces = (" " if one.type in _BREAKS else one.content for one in token.children or ())
                if text := "".join(pieces).strip():
                    return text
            is_heading = token.type == "heading_open"
        return ""

    def find_headings(self, markdown: str) -> Iterator[tuple[int, str]]:
        """Every top-level heading: the number of its line, from 0, and its text."""
        for opening, inline in pairwise(self._markdown.parse(remove_controls(markdown))):
            if opening.type == "heading_open" and not opening.level and opening.map:
                yield opening.map[0], visible_text(inline.children or [])


def visible_text(tokens: Sequence[Token]) -> str:
    """What is read of the tokens of a line."""
    return "".join(token.content for token in tokens)


def inline_content(node: SyntaxTreeNode) -> str:
    """The content of the lines directly in a node, such as a paragraph or a cell."""
    return "".join(child.content for child in node.children if child.type == "inline")


def _limit_emphasis(tokens: Sequence[Token]) -> list[Token]:
    """The tokens of a line without emphasis that is nested deeper than a reader can see."""
    return list(_drop_deep_emphasis(tokens))


def _drop_deep_emphasis(tokens: Sequence[Token]) -> Iterator[Token]:
    depth = 0
    for token in tokens:
        depth += token.nesting
        if not token.nesting or depth + (token.nesting < 0) <= _DEEPEST_EMPHASIS:
            # The parser decodes character references, which may bring back control characters.
            token.content = remove_controls(token.content)
            token.attrs = {name: remove_controls(str(value)) for name, value in token.attrs.items()}
            yield token


def _read_link(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 (called by the parser)
    """The parser's own rule, but that what nests too deep ends the search, as the parser does at a hundred."""
    if silent and state.level > _DEEPEST_LABEL:
        state.pos = state.posMax
        return True
    return link(state, silent)


def _is_web_address(url: str) -> bool:
    return url.startswith(("http://", "https://"))


_BLANKS = re.compile(r"\s+")
_NOT_SHOWN = frozenset({"paragraph_open", "thead_open", "tbody_open", "tr_open", "softbreak", "hardbreak"})
_TYPESET = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "„": '"', "…": "...", "\u00a0": " ", "\u202f": " "})
_reader = MarkdownReader()


def digest_shown(markdown: str) -> str:
    """Differs for texts that read differently. Signs of lists do not count."""
    return digest_facts(_describe(markdown))


def read_alike(one: str, other: str) -> bool:
    """Whether two texts read the same, apart from what editors change on their own.

    They use other signs for emphasis and lists, wrap lines, pad tables, escape characters and curl quotation marks.
    """
    return _describe(one).translate(_TYPESET) == _describe(other).translate(_TYPESET)


def extract_letters(markdown: str) -> str:
    """The letters and digits of a text, without anything between them."""
    return "".join(re.findall(r"\w", "".join(token.content for token in _reader.parse_tokens(markdown))))


def _describe(markdown: str) -> str:
    return describe_tokens(_reader.parse_tokens(markdown))


def describe_tokens(tokens: Iterable[Token]) -> str:
    """What flat tokens show (as `parse_tokens`), in a form that only serves for comparing."""
    return "\n".join(_describe_pieces(tokens))


def _describe_pieces(tokens: Iterable[Token]) -> Iterator[str]:
    # In order. Signs of lists and blank space do not count.
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
