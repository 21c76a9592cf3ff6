"""What Slack refuses in blocks, messages and views, said with JSON pointers as Slack says it.

The numbers are the documented ones (Block Kit reference). A message's blocks also have an undocumented limit on all
their text together, met in practice at about 13,000 characters (bolt-js issues 2509 and 2867); here it is 12,000.
"""

from collections.abc import Iterator
from typing import Any

from bot.rehearsal.forms import STATEFUL
from bot.rehearsal.workspace import ApiRefusal, Json

MESSAGE_BLOCKS, VIEW_BLOCKS, ALL_TEXT = 50, 100, 12_000
INPUTS = frozenset(STATEFUL)
TOUCHABLE = INPUTS | {"button", "overflow", "workflow_button", "image"}
EVERYWHERE = frozenset("section header divider context actions input image rich_text video".split())
MESSAGES_ONLY = frozenset(
    "markdown table file alert card carousel plan task_card context_actions data_table container".split()
)
# type -> field -> (most characters, plain_text only)
TEXTS: dict[str, dict[str, tuple[int, bool]]] = {
    "section": {"text": (3000, False)},
    "header": {"text": (150, True)},
    "input": {"label": (2000, True), "hint": (2000, True)},
    "button": {"text": (75, True)},
    "workflow_button": {"text": (75, True)},
    "image": {"title": (2000, True)},
    "modal": {"title": (24, True), "submit": (24, True), "close": (24, True)},
    "confirm": {"title": (100, True), "text": (300, False), "confirm": (30, True), "deny": (30, True)},
    "option": {"text": (75, False), "description": (75, False)},
    "option_group": {"label": (75, True)},
    "card": {"title": (150, False), "subtitle": (150, False), "body": (200, False)},
}
# type -> field -> most characters of a bare string
STRINGS: dict[str, dict[str, int]] = {
    "button": {"value": 2000, "url": 3000, "accessibility_label": 75},
    "option": {"value": 150, "url": 3000},
    "image": {"alt_text": 2000, "image_url": 3000},
    "markdown": {"text": 12_000},
    "modal": {"private_metadata": 3000, "callback_id": 255, "external_id": 255},
    "home": {"private_metadata": 3000, "callback_id": 255, "external_id": 255},
}
# type -> field -> most items of a list
LISTS: dict[str, dict[str, int]] = {
    "section": {"fields": 10},
    "context": {"elements": 10},
    "context_actions": {"elements": 5},
    "actions": {"elements": 25},
    "overflow": {"options": 5},
    "radio_buttons": {"options": 10},
    "checkboxes": {"options": 10},
    "static_select": {"options": 100, "option_groups": 100},
    "multi_static_select": {"options": 100, "option_groups": 100},
    "option_group": {"options": 100},
    "table": {"rows": 100},
}
NEEDED = {
    "header": ("text",),
    "actions": ("elements",),
    "context": ("elements",),
    "input": ("label", "element"),
    "button": ("text",),
    "option": ("text", "value"),
    "image": ("alt_text",),
    "rich_text": ("elements",),
    "markdown": ("text",),
    "overflow": ("options",),
    "modal": ("title", "blocks"),
    "home": ("blocks",),
    "plain_text": ("text",),
    "mrkdwn": ("text",),
}
HELD = {"context": frozenset({"image", "mrkdwn", "plain_text"}), "actions": TOUCHABLE - {"image"}}
WITH_OPTIONS = frozenset("static_select multi_static_select radio_buttons checkboxes overflow".split())
Complaint = tuple[str, str]


def check_blocks(blocks: list[Json]) -> None:
    """ApiRefusal `invalid_blocks` where Slack would refuse a message's blocks."""
    complaints = list(_check_blocks(blocks, "/blocks", MESSAGE_BLOCKS, EVERYWHERE | MESSAGES_ONLY))
    if complaints:
        errors = [f"{words} [json-pointer:{pointer}]" for words, pointer in complaints]
        messages = [f"[ERROR] {error}" for error in errors]
        raise ApiRefusal("invalid_blocks", errors=errors, response_metadata={"messages": messages})


def check_size(blocks: list[Json]) -> None:
    """ApiRefusal `msg_blocks_too_long` where the blocks of a message hold too much text together."""
    if sum(_list_lengths(blocks)) > ALL_TEXT:
        raise ApiRefusal("msg_blocks_too_long")


def check_view(view: Json, kind: str) -> None:
    """ApiRefusal `invalid_arguments` where Slack would refuse a modal or a home tab (`kind`)."""
    complaints = list(_check_view(view, kind))
    if complaints:
        first = "[ERROR] failed to match all allowed schemas [json-pointer:/view]"
        messages = [f"[ERROR] {words} [json-pointer:{pointer}]" for words, pointer in complaints]
        raise ApiRefusal("invalid_arguments", response_metadata={"messages": [first, *messages]})


def _check_view(view: Json, kind: str) -> Iterator[Complaint]:
    if view.get("type") != kind:
        yield f"must be {kind}", "/view/type"
        return
    yield from _check_by_table(view, kind, "/view")
    blocks = view.get("blocks")
    if not isinstance(blocks, list):
        yield "must provide an array", "/view/blocks"
        return
    yield from _check_blocks(blocks, "/view/blocks", VIEW_BLOCKS, EVERYWHERE)
    if kind == "modal" and not view.get("submit") and any(block.get("type") == "input" for block in blocks):
        yield "missing required field: submit", "/view"


def _check_blocks(blocks: list[Json], pointer: str, most: int, allowed: frozenset[str]) -> Iterator[Complaint]:
    if len(blocks) > most:
        yield f"no more than {most} items allowed", pointer
    seen: set[str] = set()
    for number, block in enumerate(blocks):
        at = f"{pointer}/{number}"
        if block.get("type") not in allowed:
            yield f"unsupported type: {block.get('type')}", f"{at}/type"
            continue
        block_id = str(block.get("block_id") or "")
        if block_id in seen:
            yield f"`block_id` {block_id} is already used", f"{at}/block_id"
        seen |= {block_id} - {""}
        yield from _check_block(block, at)
    if sum(block.get("type") == "table" for block in blocks) > 1:
        yield "only one table is allowed", pointer


def _check_block(block: Json, at: str) -> Iterator[Complaint]:
    kind = block["type"]
    yield from _check_by_table(block, kind, at)
    if kind == "section" and not block.get("text") and not block.get("fields"):
        yield "missing required field: text", at
    if kind == "input" and (block.get("element") or {}).get("type") not in INPUTS:
        yield "unsupported type", f"{at}/element/type"
    for number, field in enumerate(block.get("fields") or ()):
        yield from _check_text(field, f"{at}/fields/{number}", 2000, plain=False)
    yield from _check_elements(block, at)
    if kind == "table":
        wide = [row for row in block.get("rows", ()) if len(row) > 20]
        yield from (("no more than 20 items allowed", f"{at}/rows") for _ in wide[:1])


def _check_elements(block: Json, at: str) -> Iterator[Complaint]:
    found = [(element, f"{at}/elements/{n}") for n, element in enumerate(block.get("elements") or ())]
    found += [(block[key], f"{at}/{key}") for key in ("accessory", "element") if key in block]
    actions: set[str] = set()
    for element, pointer in found:
        kind = str(element.get("type"))
        if kind not in HELD.get(block["type"], {kind}):
            yield f"unsupported type: {kind}", f"{pointer}/type"
            continue
        action = str(element.get("action_id") or "")
        if action in actions:
            yield f"`action_id` {action} is already used", f"{pointer}/action_id"
        actions |= {action} - {""}
        if block["type"] != "rich_text":
            yield from _check_element(element, kind, pointer)


def _check_element(element: Json, kind: str, at: str) -> Iterator[Complaint]:
    yield from _check_by_table(element, kind, at)
    if kind in ("mrkdwn", "plain_text"):
        yield from _check_text(element, at, 3000, plain=False)
    if "placeholder" in element:
        yield from _check_text(element["placeholder"], f"{at}/placeholder", 150, plain=True)
    if "confirm" in element:
        yield from _check_by_table(element["confirm"], "confirm", f"{at}/confirm")
    if kind == "plain_text_input" and not 0 < int(element.get("max_length", 1)) <= 3000:
        yield "must be less than or equal to 3000", f"{at}/max_length"
    yield from _check_options(element, at)


def _check_options(element: Json, at: str) -> Iterator[Complaint]:
    if element.get("type") in WITH_OPTIONS and not element.get("options") and not element.get("option_groups"):
        yield "missing required field: options", at
    for number, group in enumerate(element.get("option_groups") or ()):
        yield from _check_by_table(group, "option_group", f"{at}/option_groups/{number}")
        yield from _check_options({"options": group.get("options")}, f"{at}/option_groups/{number}")
    for number, option in enumerate(element.get("options") or ()):
        yield from _check_by_table(option, "option", f"{at}/options/{number}")


def _check_by_table(thing: Json, kind: str, at: str) -> Iterator[Complaint]:
    yield from ((f"missing required field: {name}", at) for name in NEEDED.get(kind, ()) if thing.get(name) is None)
    for name, (most, plain) in TEXTS.get(kind, {}).items():
        if thing.get(name) is not None:
            yield from _check_text(thing[name], f"{at}/{name}", most, plain=plain)
    limits = {**STRINGS.get(kind, {}), "block_id": 255, "action_id": 255}
    for name, most in limits.items():
        if len(str(thing.get(name) or "")) > most:
            yield f"must be less than {most + 1} characters", f"{at}/{name}"
    for name, most in LISTS.get(kind, {}).items():
        if len(thing.get(name) or ()) > most:
            yield f"no more than {most} items allowed", f"{at}/{name}"
        if name == "elements" and thing.get(name) == []:
            yield "no fewer than 1 items allowed", f"{at}/{name}"


def _check_text(text: Any, at: str, most: int, *, plain: bool) -> Iterator[Complaint]:
    if not isinstance(text, dict) or text.get("type") not in ("plain_text", "mrkdwn"):
        yield "must be a valid text object", at
        return
    if plain and text["type"] != "plain_text":
        yield "must be plain_text", f"{at}/type"
    length = len(str(text.get("text") or ""))
    if length == 0:
        yield "must be more than 0 characters", f"{at}/text"
    if length > most:
        yield f"must be less than {most + 1} characters", f"{at}/text"


def _list_lengths(piece: Any) -> Iterator[int]:
    """The lengths of all texts in blocks, however deep."""
    if isinstance(piece, list):
        for inner in piece:
            yield from _list_lengths(inner)
    elif isinstance(piece, dict):
        for key, inner in piece.items():
            if key == "text" and isinstance(inner, str):
                yield len(inner)
            elif isinstance(inner, list | dict):
                yield from _list_lengths(inner)
