"""The inputs of a message or a window: what they hold, what may be typed into them, what the client refuses."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.rehearsal.screen import list_elements
from bot.rehearsal.workspace import Json

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
    """A person could not have entered this: no such input, not among the choices, too long, or left empty."""


def initial_state(element: Json) -> Json:
    """The state of an input as it is first shown."""
    key, initial = STATEFUL[element["type"]]
    held = element.get(initial)
    if held is None:
        held = [] if element["type"] in MANY else None
    return {"type": element["type"], key: held}


def collect_state(blocks: list[Json], typed: Typed) -> Json:
    """`state.values`: every input of the blocks with what was typed, or what it was first shown with."""
    values: Json = {}
    for block, element in list_elements(blocks):
        if element["type"] not in STATEFUL:
            continue
        spot = (block["block_id"], element["action_id"])
        values.setdefault(spot[0], {})[spot[1]] = typed.get(spot) or initial_state(element)
    return values


def list_options(element: Json) -> list[Json]:
    """The options of a menu, its groups laid flat."""
    grouped = [option for group in element.get("option_groups", ()) for option in group["options"]]
    return [*element.get("options", ()), *grouped]


def find_option(element: Json, wanted: Any) -> Json:
    """The option a person means by its value or its words. Raises CannotTypeError if there is none."""
    if isinstance(wanted, dict):
        return wanted
    for option in list_options(element):
        if wanted in (option.get("value"), option["text"]["text"]):
            return option
    if element["type"] in ("external_select", "multi_external_select"):
        return {"text": {"type": "plain_text", "text": str(wanted)}, "value": str(wanted)}
    shown = ", ".join(str(option.get("value")) for option in list_options(element))
    raise CannotTypeError(f"{element['action_id']!r} offers no {wanted!r}, only: {shown}")


def enter_value(element: Json, wanted: Any) -> Json:
    """The state of an input after a person put `wanted` into it. Raises CannotTypeError if Slack would refuse it."""
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
    """What a person typed, by block and action, from their words by action_id."""
    typed = {}
    for action_id, wanted in values.items():
        block, element = find_input(blocks, action_id)
        typed[(block["block_id"], action_id)] = enter_value(element, wanted)
    return typed


def require_filled(blocks: list[Json], typed: Typed) -> None:
    """Raise CannotTypeError if a required input is empty: Slack does not let it be submitted."""
    values = collect_state(blocks, typed)
    for block, element in list_elements(blocks):
        if block["type"] != "input" or block.get("optional"):
            continue
        state = values.get(block["block_id"], {}).get(element["action_id"], {})
        if not any(held for key, held in state.items() if key != "type"):
            raise CannotTypeError(f"{element['action_id']!r} must be filled in before it can be submitted")
