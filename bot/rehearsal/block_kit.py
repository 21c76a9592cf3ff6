"""Block Kit in the stand-in: what an input holds, what may be typed into it, and what Slack refuses in blocks.

The limits are the documented ones (Block Kit reference); refusals have JSON pointers, as Slack's have. A message's
blocks also have an undocumented limit on all their text together, met in practice at about 13,000 characters (bolt-js
issues 2509 and 2867); here it is 12,000.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from bot.rehearsal.screen import list_elements
from bot.rehearsal.workspace import ApiRefusal, Json

Typed = Mapping[tuple[str, str], Json]

# element type -> (key of its state, name of its initial value)
ONE = {
    "plain_text_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "rich_text_input": ("rich_text_value", "initial_value"),
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "users_select": ("selected_user", "initial_user"),
    "channels_select": ("selected_channel", "initial_channel"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
}
MANY = {
    "multi_static_select": ("selected_options", "initial_options"),
    "multi_external_select": ("selected_options", "initial_options"),
    "checkboxes": ("selected_options", "initial_options"),
    "multi_users_select": ("selected_users", "initial_users"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "file_input": ("files", ""),
}
STATEFUL = ONE | MANY


class CannotTypeError(LookupError):
    """Slack's client does not let a person enter this: no such input or choice, too long, or a required one empty."""


def initial_state(element: Json) -> Json:
    """The state of an input as it is first shown."""
    key, initial = STATEFUL[element["type"]]
    value = element.get(initial)
    if value is None and element["type"] in MANY:
        value = []
    return {"type": element["type"], key: value}


def collect_state(blocks: list[Json], typed: Typed) -> Json:
    """`state.values` of a payload: every input with what was typed, or its initial value."""
    values: Json = {}
    for block, element in list_elements(blocks):
        if element["type"] not in STATEFUL:
            continue
        key = (block["block_id"], element["action_id"])
        values.setdefault(key[0], {})[key[1]] = typed.get(key) or initial_state(element)
    return values


def list_options(element: Json) -> list[Json]:
    """The options of a menu, those of its groups included."""
    grouped = [option for group in element.get("option_groups", ()) for option in group["options"]]
    return [*element.get("options", ()), *grouped]


def find_option(element: Json, wanted: Any) -> Json:
    """The option with this value or label. Raises CannotTypeError if there is none."""
    if isinstance(wanted, dict):
        return wanted
    for option in list_options(element):
        if wanted in (option.get("value"), option["text"]["text"]):
            return option
    if element["type"] in ("external_select", "multi_external_select"):  # their options come from the app
        return {"text": {"type": "plain_text", "text": str(wanted)}, "value": str(wanted)}
    shown = ", ".join(str(option.get("value")) for option in list_options(element))
    raise CannotTypeError(f"{element['action_id']!r} offers no {wanted!r}, only: {shown}")


def enter_value(element: Json, wanted: Any) -> Json:
    """The state of an input after `wanted` was entered. Raises CannotTypeError if Slack would refuse it."""
    kind = element["type"]
    if kind not in STATEFUL:
        raise CannotTypeError(f"{element['action_id']!r} is a {kind}, nothing can be put into it")
    key = STATEFUL[kind][0]
    if kind in MANY:
        several = wanted if isinstance(wanted, list | tuple) else [wanted]
        return {"type": kind, key: [find_option(element, one) if key == "selected_options" else one for one in several]}
    if key == "selected_option":
        return {"type": kind, key: None if wanted is None else find_option(element, wanted)}
    if key == "selected_date_time" and isinstance(wanted, datetime):
        wanted = int(wanted.timestamp())
    if key == "value" and isinstance(wanted, str):
        _require_allowed(element, wanted)
        wanted = wanted or None
    return {"type": kind, key: wanted}


def _require_allowed(element: Json, text: str) -> None:
    most, least = element.get("max_length", 3000), element.get("min_length", 0)
    if len(text) > most:
        raise CannotTypeError(f"{element['action_id']!r} takes at most {most} characters, not {len(text)}")
    if text and len(text) < least:
        raise CannotTypeError(f"{element['action_id']!r} takes at least {least} characters, not {len(text)}")
    if "\n" in text and not element.get("multiline"):
        raise CannotTypeError(f"{element['action_id']!r} takes one line only")


def find_input(blocks: list[Json], action_id: str) -> tuple[Json, Json]:
    """The block and the element of this action_id. Raises CannotTypeError if it is not shown."""
    for block, element in list_elements(blocks):
        if element.get("action_id") == action_id:
            return block, element
    shown = ", ".join(sorted(element.get("action_id", "") for _, element in list_elements(blocks))) or "nothing"
    raise CannotTypeError(f"{action_id!r} is not shown; there is: {shown}")


def enter_values(blocks: list[Json], values: Mapping[str, Any]) -> dict[tuple[str, str], Json]:
    """The states by block and action id of what was entered, given by action id. Raises CannotTypeError."""
    typed = {}
    for action_id, wanted in values.items():
        block, element = find_input(blocks, action_id)
        typed[(block["block_id"], action_id)] = enter_value(element, wanted)
    return typed


def require_filled(blocks: list[Json], typed: Typed) -> None:
    """Raise CannotTypeError if a required input is empty: Slack would not submit the modal."""
    values = collect_state(blocks, typed)
    for block, element in list_elements(blocks):
        if block["type"] != "input" or block.get("optional"):
            continue
        state = values.get(block["block_id"], {}).get(element["action_id"], {})
        if not any(value for key, value in state.items() if key != "type"):
            raise CannotTypeError(f"{element['action_id']!r} must be filled in before it can be submitted")


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
ELEMENTS = {"context": frozenset({"image", "mrkdwn", "plain_text"}), "actions": TOUCHABLE - {"image"}}
WITH_OPTIONS = frozenset("static_select multi_static_select radio_buttons checkboxes overflow".split())
Complaint = tuple[str, str]


def check_blocks(blocks: list[Json]) -> None:
    """Raise ApiRefusal `invalid_blocks` if Slack would refuse a message's blocks."""
    complaints = list(_check_blocks(blocks, "/blocks", MESSAGE_BLOCKS, EVERYWHERE | MESSAGES_ONLY))
    if complaints:
        errors = [f"{words} [json-pointer:{pointer}]" for words, pointer in complaints]
        messages = [f"[ERROR] {error}" for error in errors]
        raise ApiRefusal("invalid_blocks", errors=errors, response_metadata={"messages": messages})


def check_size(blocks: list[Json]) -> None:
    """Raise ApiRefusal `msg_blocks_too_long` if a message's blocks have too much text together."""
    if sum(_list_lengths(blocks)) > ALL_TEXT:
        raise ApiRefusal("msg_blocks_too_long")


def check_view(view: Json, kind: str) -> None:
    """Raise ApiRefusal `invalid_arguments` if Slack would refuse a modal or Home tab (`kind`)."""
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
    elements = [(element, f"{at}/elements/{n}") for n, element in enumerate(block.get("elements") or ())]
    elements += [(block[key], f"{at}/{key}") for key in ("accessory", "element") if key in block]
    actions: set[str] = set()
    for element, pointer in elements:
        kind = str(element.get("type"))
        if kind not in ELEMENTS.get(block["type"], {kind}):
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
