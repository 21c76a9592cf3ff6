"""Blocks of a Confluence page to Markdown.

What does not show is left out: local ids, the order of attributes, paragraphs that the editor adds in cells and items,
empty paragraphs, columns of a layout. So two readings are equal unless a person changed something.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from html.entities import html5
from xml.etree.ElementTree import Element, ParseError, fromstring

from bot.domain.text import remove_controls
from bot.errors import AfterwordError
from bot.export import escape

AC, RI = "urn:afterword:ac", "urn:afterword:ri"
"""The namespaces of a page that was read."""
PERSON = f"{{{RI}}}user"

_ACCOUNT_ID, _USERNAME, _USERKEY = (f"{{{RI}}}{name}" for name in ("account-id", "username", "userkey"))
_SOMEONE = "someone"
"""For a person whose name Confluence does not give: an account id is no name."""


def find_account(person: Element) -> str:
    """The account that is mentioned, or ""."""
    return next(filter(None, (person.get(name) for name in (_ACCOUNT_ID, _USERNAME, _USERKEY))), "")


def list_mentions(element: Element) -> Iterator[str]:
    """The account ids of the people mentioned in an element. User names, from Data Center, are left out."""
    return (person.get(_ACCOUNT_ID, "") for person in element.iter(PERSON) if person.get(_ACCOUNT_ID))


def name_mentions(block: Element, names: Mapping[str, str]) -> Element:
    """The block with mentions replaced by names. `names` maps account ids to them."""
    if next(block.iter(PERSON), None) is None:
        return block
    block = deepcopy(block)
    for link in block.iter(f"{{{AC}}}link"):
        person = link.find(PERSON)
        if person is None:
            continue
        link.text = names.get(person.get(_ACCOUNT_ID, "")) or person.get(_USERNAME) or _SOMEONE
        for child in list(link):
            link.remove(child)
    return block


_NAME, _ANCHOR = f"{{{AC}}}name", re.compile(r"\s*afterword-([a-z][a-z0-9_]{0,59})\s*")
_ENTITY = re.compile(r"<!\[CDATA\[(?:.*?]]>|.*)|&([A-Za-z][A-Za-z0-9]*;)", re.DOTALL)
_OF_XML = frozenset({"amp;", "lt;", "gt;", "quot;", "apos;"})
_LINE_BEGINS = re.compile(r"\n(?=[^\n])")
_LIST = re.compile(r"(?:-|[0-9]+\.) ")
_NUMBER = re.compile(r"[0-9]{1,9}")
_BLANKS = re.compile(r"\s+")
_MARKS = {"strong": "**", "b": "**", "em": "*", "i": "*", "del": "~~", "s": "~~"}
HEADINGS = {f"h{level}": level for level in range(1, 7)}
_LISTS = frozenset({"ul", "ol", "ac:task-list"})
_BLOCKS = frozenset({"p", "table", "blockquote", "hr", "pre", "div", "section", *HEADINGS, *_LISTS})
WRAPPERS = frozenset({"div", "section", "ac:layout", "ac:layout-section", "ac:layout-cell", "ac:rich-text-body"})
_INLINE_MACROS = frozenset({"anchor", "status", "jira"})
_SILENT_MACROS = frozenset({"anchor", "toc"})
_DEEPEST = 40


class NotAPageError(AfterwordError):
    """The answer of Confluence is no storage format."""


def decode_entities(storage: str) -> str:
    """The page with HTML's named entities as characters, because XML knows only five of them."""
    return _ENTITY.sub(lambda found: _decode_entity(found[0], found[1]), remove_controls(storage))


def parse_page(storage: str) -> Element:
    """The page as one element. Raises NotAPageError."""
    try:
        # Inside an element no document type can be declared, so there are no entities that could grow.
        return fromstring(f'<page xmlns:ac="{AC}" xmlns:ri="{RI}">{decode_entities(storage)}</page>')  # noqa: S314
    except ParseError as error:
        raise NotAPageError(f"What Confluence gave is no well-formed page ({error}).") from error


def _decode_entity(found: str, entity: str | None) -> str:
    return html5.get(entity, found) if entity and entity not in _OF_XML else found


def tag_name(element: Element) -> str:
    """The name of an element as Confluence writes it: `p`, `ac:image`."""
    return element.tag.replace(f"{{{AC}}}", "ac:").replace(f"{{{RI}}}", "ri:")


def macro_name(element: Element) -> str:
    """The name of a macro, or "" for any other element."""
    return element.get(_NAME, "") if tag_name(element) == "ac:structured-macro" else ""


def list_blocks(element: Element) -> Iterator[Element]:
    """The blocks of a page in their order, whatever layout they are in."""
    within = [iter(element)]  # not by recursion, which a page of nothing but layouts would exhaust
    while within:
        child = next(within[-1], None)
        if child is None:
            within.pop()
        elif tag_name(child) in WRAPPERS:
            within.append(iter(child))
        else:
            yield child


def find_anchor(block: Element) -> str:
    """The region that begins with this block, or ""."""
    for macro in block.iter(f"{{{AC}}}structured-macro"):
        if macro_name(macro) == "anchor" and (anchor := _ANCHOR.fullmatch("".join(macro.itertext()))):
            return anchor[1]
    return ""


def render_body(region: Iterable[Element]) -> str:
    """The Markdown of a region's blocks without its heading, which is the first block that shows anything."""
    shown = [(block, markdown) for block in region if (markdown := _render_block(block, 0))]
    if shown and tag_name(shown[0][0]) in HEADINGS:
        del shown[0]
    return "\n\n".join(markdown for _, markdown in shown)


def _render_block(element: Element, depth: int) -> str:
    tag = tag_name(element)
    if depth > _DEEPEST:  # people cannot see such nesting, but Python would run out of stack
        return _escape_text("".join(element.itertext()))
    if tag in HEADINGS:
        return f"{'#' * HEADINGS[tag]} {_render_as_line(element, depth)}".strip()
    if tag in _LISTS:
        return "\n".join(_render_items(element, depth))
    if tag == "table":
        return _render_table(element, depth)
    if tag == "blockquote":
        return "\n".join(f"> {line}".rstrip() for line in _render_content(element, depth + 1).split("\n"))
    if tag in _WITHOUT_BLOCKS:
        return _WITHOUT_BLOCKS[tag](element)
    return _render_macro(element, depth) if _is_block_macro(element) else _render_content(element, depth + 1)


def _render_content(element: Element, depth: int) -> str:
    """Runs of text as paragraphs, and the blocks between them."""
    return "\n\n".join(filter(None, _render_parts(element, depth)))


def _render_parts(element: Element, depth: int) -> Iterator[str]:
    run = _escape_text(element.text or "")
    for child in element:
        if tag_name(child) in _BLOCKS | WRAPPERS or _is_block_macro(child):
            yield _escape_run(run)
            yield _render_block(child, depth)
            run = ""
        else:
            run += _render_inline(child, depth)
        run += _escape_text(child.tail or "")
    yield _escape_run(run)


def _escape_run(run: str) -> str:
    return "\\\n".join(escape.escape_line_start(line.strip()) for line in run.strip().split("\\\n"))


def _render_as_line(element: Element, depth: int) -> str:
    """Everything in an element as one line."""
    return " ".join(_render_content(element, depth + 1).replace("\\\n", " ").split())


def _render_items(element: Element, depth: int) -> Iterator[str]:
    start = element.get("start", "")
    for number, item in enumerate(element, int(start) if _NUMBER.fullmatch(start) else 1):
        sign = f"{number}." if tag_name(element) == "ol" else "-"
        body = item.find(f"{{{AC}}}task-body")
        if body is not None:
            is_done = item.findtext(f"{{{AC}}}task-status", "").strip() == "complete"
            sign += " [x]" if is_done else " [ ]"
        text = _render_item(item if body is None else body, depth)
        margin = " " * (len(sign.split()[0]) + 1)
        yield _LINE_BEGINS.sub(f"\n{margin}", f"{sign} {text}").rstrip()


def _render_item(item: Element, depth: int) -> str:
    """The content of an item. A list follows its line directly, also if the editor made the line a paragraph."""
    text = ""
    for part in filter(None, _render_parts(item, depth + 1)):
        text += ("\n" if _LIST.match(part) else "\n\n") * bool(text) + part
    return text


def _render_table(element: Element, depth: int) -> str:
    rows = [[_render_as_line(cell, depth).replace("|", "\\|") for cell in row] for row in element.iter("tr")]
    if not rows:
        return ""
    width = max(map(len, rows))
    lines = [f"| {' | '.join(row + [''] * (width - len(row)))} |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * width, *lines[1:]])


def _is_block_macro(element: Element) -> bool:
    return bool(macro_name(element)) and macro_name(element) not in _INLINE_MACROS


def _render_macro(element: Element, depth: int) -> str:
    name, body = macro_name(element), element.find(f"{{{AC}}}rich-text-body")
    parameters = {one.get(_NAME, ""): one.text or "" for one in element.findall(f"{{{AC}}}parameter")}
    plain = element.findtext(f"{{{AC}}}plain-text-body")
    if plain is not None:
        return escape.code_block(plain.strip("\n"), parameters.get("language", ""))
    if name in _SILENT_MACROS:
        return ""
    if body is None:
        return escape.inline(f"({name}: {', '.join(sorted(parameters.values()))})")
    title, inside = parameters.get("title"), _render_content(body, depth + 1)
    return "\n\n".join(filter(None, [f"**{_escape_text(title).strip()}**" if title else "", inside]))


def _render_inline(element: Element, depth: int) -> str:
    """An element inside a line, without the text after it."""
    tag = tag_name(element)
    if tag in _LEAVES:
        return _LEAVES[tag](element)
    if depth > _DEEPEST:
        return _escape_text("".join(element.itertext()))
    inside = _escape_text(element.text or "") + "".join(
        _render_inline(child, depth + 1) + _escape_text(child.tail or "") for child in element
    )
    if tag == "a":
        return _render_link(element.get("href", ""), inside)
    if tag == "ac:link" and not inside.strip():
        return _escape_text(" ".join(map(_describe_target, element)))
    return _emphasize(inside, _MARKS.get(tag, ""))


def _render_link(href: str, inside: str) -> str:
    if not href.startswith(("http://", "https://")) or inside == _escape_text(href):
        return inside
    return f"[{inside}](<{href}>)"


def _render_inline_macro(element: Element) -> str:
    if macro_name(element) == "anchor":
        return ""
    parameters = {one.get(_NAME, ""): one.text or "" for one in element}
    return _escape_text(parameters.get("title") or parameters.get("key", ""))


def _describe_target(child: Element) -> str:
    """The target of a Confluence link. Of a person only the account: the editor adds local ids, which change."""
    if child.tag == PERSON:
        return find_account(child)
    return " ".join(value for _, value in sorted(child.items()))


def _describe_picture(element: Element) -> str:
    """A picture by its file or address alone. The editor adds other attributes, which are no edit."""
    sources = [child.get(name, "") for child in element for name in (f"{{{RI}}}filename", f"{{{RI}}}value")]
    return _escape_text(f"(picture: {' '.join(filter(None, sources))})")


def _render_emoticon(element: Element) -> str:
    """The emoji itself if there is one, else the name that people type for it."""
    fallback, short, name = (
        element.get(f"{{{AC}}}{attribute}", "") for attribute in ("emoji-fallback", "emoji-shortname", "name")
    )
    return _escape_text(fallback or short or (f":{name}:" if name else ""))


def _emphasize(inside: str, mark: str) -> str:
    # The marks must touch the text: blank space at its edges goes outside.
    bare = inside.strip()
    if not bare or not mark:
        return inside
    before, after = inside.split(bare, 1)
    return f"{before}{mark}{bare}{mark}{after}"


def _escape_text(text: str) -> str:
    return escape.verbatim(_BLANKS.sub(" ", text))


def squeeze_blanks(text: str) -> str:
    """The text with every run of blank space as one space."""
    return _BLANKS.sub(" ", text).strip()


_WITHOUT_BLOCKS: dict[str, Callable[[Element], str]] = {
    "pre": lambda element: escape.code_block("".join(element.itertext()).strip("\n")),
    "hr": lambda _: "---",
    "ac:image": lambda element: _escape_run(_describe_picture(element)),  # Cloud's editor puts it into no paragraph
}
_LEAVES: dict[str, Callable[[Element], str]] = {
    "br": lambda _: "\\\n",
    "time": lambda element: element.get("datetime", ""),
    "code": lambda element: escape.code("".join(element.itertext())),
    "ac:image": _describe_picture,
    "ac:emoticon": _render_emoticon,
    "ac:structured-macro": _render_inline_macro,
}
