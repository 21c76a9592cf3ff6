"""A page in storage format as a document of Cloud's editor (ADF), converted without mending anything.

What stands inside what is taken over as it is: where the editor does not allow it, the document fails its schema.
"""

from typing import Any

from lxml import etree

from tests.support.export.storage_format import AC, RI, page

Node = dict[str, Any]

PANELS = {"info": "info", "note": "warning", "tip": "success", "warning": "error"}
COLOURS = {"Grey": "neutral", "Red": "red", "Yellow": "yellow", "Green": "green", "Blue": "blue", "Purple": "purple"}
MARKS = {"strong": "strong", "b": "strong", "em": "em", "i": "em", "del": "strike", "s": "strike", "u": "underline"}
INLINE_MACROS = ("anchor", "status", "jira")
BLOCKS = frozenset("p table blockquote hr pre ul ol h1 h2 h3 h4 h5 h6 ac:image ac:task-list".split())


def document(storage: str) -> Node:
    """The document of a page."""
    return {"type": "doc", "version": 1, "content": _blocks(page(storage))}


def _tag(element: etree._Element) -> str:
    return str(element.tag).replace(f"{{{AC}}}", "ac:").replace(f"{{{RI}}}", "ri:")


def _macro(element: etree._Element) -> str:
    return element.get(f"{{{AC}}}name", "") if _tag(element) == "ac:structured-macro" else ""


def _is_block(element: etree._Element) -> bool:
    return _tag(element) in BLOCKS or (bool(_macro(element)) and _macro(element) not in INLINE_MACROS)


def _blocks(element: etree._Element) -> list[Node]:
    """The blocks of an element; text between them is a paragraph, and nothing at all is an empty one."""
    found: list[Node] = []
    run = _text(element.text, ())
    for child in element:
        if _is_block(child):
            found += [*_paragraph(run), _block(child)]
            run = []
        else:
            run += _inline(child, ())
        run += _text(child.tail, ())
    return [*found, *_paragraph(run)] or [{"type": "paragraph", "content": []}]


def _paragraph(run: list[Node]) -> list[Node]:
    is_blank = all(node["type"] == "text" and not node["text"].strip() for node in run)
    return [] if is_blank else [{"type": "paragraph", "content": run}]


def _block(element: etree._Element) -> Node:
    tag = _tag(element)
    if tag == "p":
        return {"type": "paragraph", "content": _line(element)}
    if tag in ("h1", "h2", "h3", "h4", "h5", "h6"):
        return {"type": "heading", "attrs": {"level": int(tag[1])}, "content": _line(element)}
    if tag == "ac:image":
        return _picture(element)
    if tag == "table":
        return {"type": "table", "content": [_row(row) for row in element.iter("tr")]}
    if tag == "ac:task-list":
        return {"type": "taskList", "attrs": {"localId": "1"}, "content": [_task(task) for task in element]}
    if tag == "hr":
        return {"type": "rule"}
    return _block_macro(element) if _macro(element) else _holder(element, tag)


def _holder(element: etree._Element, tag: str) -> Node:
    if tag == "blockquote":
        return {"type": "blockquote", "content": _blocks(element)}
    if tag == "ul":
        return {"type": "bulletList", "content": [_item(item) for item in element]}
    if tag == "ol":
        order = {"order": int(element.get("start", "1"))}
        return {"type": "orderedList", "attrs": order, "content": [_item(item) for item in element]}
    raise AssertionError(f"the editor knows no block {tag}")


def _item(element: etree._Element) -> Node:
    assert _tag(element) == "li", _tag(element)
    return {"type": "listItem", "content": _blocks(element)}


def _row(element: etree._Element) -> Node:
    kinds = {"th": "tableHeader", "td": "tableCell"}
    return {"type": "tableRow", "content": [{"type": kinds[_tag(cell)], "content": _blocks(cell)} for cell in element]}


def _task(element: etree._Element) -> Node:
    body = element.find(f"{{{AC}}}task-body")
    assert body is not None
    is_done = element.findtext(f"{{{AC}}}task-status") == "complete"
    attributes = {"localId": "1", "state": "DONE" if is_done else "TODO"}
    return {"type": "taskItem", "attrs": attributes, "content": _line(body)}


def _picture(element: etree._Element) -> Node:
    """The editor shows a picture whose size is known; one without is only seen while the page is edited."""
    width = element.get(f"{{{AC}}}width", "")
    media = {"type": "external", "url": "https://wiki.example/file", "alt": element.get(f"{{{AC}}}alt", "")}
    attributes = {"width": int(width), "widthType": "pixel", "layout": element.get(f"{{{AC}}}layout", "center")}
    return {"type": "mediaSingle", "attrs": attributes, "content": [{"type": "media", "attrs": media}]}


def _read_parameters(element: etree._Element) -> dict[str, str]:
    return {one.get(f"{{{AC}}}name", ""): one.text or "" for one in element.findall(f"{{{AC}}}parameter")}


def _extension(element: etree._Element, kind: str) -> Node:
    key = {"extensionType": "com.atlassian.confluence.macro.core", "extensionKey": _macro(element)}
    return {"type": kind, "attrs": {**key, "parameters": _read_parameters(element)}}


def _block_macro(element: etree._Element) -> Node:
    name, body = _macro(element), element.find(f"{{{AC}}}rich-text-body")
    if name == "code":
        text = element.findtext(f"{{{AC}}}plain-text-body") or ""
        return {"type": "codeBlock", "content": [{"type": "text", "text": text}] if text else []}
    if body is None:
        return _extension(element, "extension")
    if name in PANELS:
        return {"type": "panel", "attrs": {"panelType": PANELS[name]}, "content": _blocks(body)}
    if name == "expand":
        return {
            "type": "expand",
            "attrs": {"title": _read_parameters(element).get("title", "")},
            "content": _blocks(body),
        }
    return {**_extension(element, "bodiedExtension"), "content": _blocks(body)}


def _line(element: etree._Element, marks: tuple[Node, ...] = ()) -> list[Node]:
    found = _text(element.text, marks)
    for child in element:
        found += [_block(child)] if _is_block(child) else _inline(child, marks)
        found += _text(child.tail, marks)
    return found


def _text(text: str | None, marks: tuple[Node, ...]) -> list[Node]:
    if not text:
        return []
    return [{"type": "text", "text": text, **({"marks": list(marks)} if marks else {})}]


def _inline(element: etree._Element, marks: tuple[Node, ...]) -> list[Node]:
    tag = _tag(element)
    if tag == "br":
        return [{"type": "hardBreak"}]
    if tag == "code":  # beside which the editor drops every mark but a link's
        links = tuple(mark for mark in marks if mark["type"] == "link")
        return _text("".join(str(text) for text in element.itertext()), (*links, {"type": "code"}))
    if tag == "time":
        return [{"type": "date", "attrs": {"timestamp": element.get("datetime", "")}}]
    if tag == "a":
        return _line(element, (*marks, {"type": "link", "attrs": {"href": element.get("href", "")}}))
    if tag in MARKS:
        return _line(element, (*marks, {"type": MARKS[tag]}))
    if tag == "ac:link":
        (person,) = element
        return [{"type": "mention", "attrs": {"id": person.get(f"{{{RI}}}account-id", "")}}]
    return _inline_macro(element)


def _inline_macro(element: etree._Element) -> list[Node]:
    assert _macro(element), f"the editor knows no {_tag(element)} in a line"
    if _macro(element) == "status":
        parameters = _read_parameters(element)
        return [{"type": "status", "attrs": {"text": parameters["title"], "color": COLOURS[parameters["colour"]]}}]
    return [_extension(element, "inlineExtension")]
