"""Block Kit: functions that build blocks within Slack's limits, labels of times, form fields, and texts for threads.

The limits (https://docs.slack.dev/reference/block-kit/blocks): 3,000 characters a section, 50 blocks a message, and
about 10,000 characters in all.

A form that edits recorded values has fingerprints of them in its metadata (MARKS), by which a change is recognized,
and the white space between the fields that a long text was split into (GAPS).
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from bot.domain import text as text_rules
from bot.domain.records import Entry, Incident
from bot.domain.text import fingerprint, format_day, shorten
from bot.errors import MissingPartError
from bot.slack.mrkdwn import escape
from bot.slack.views.templates import words

Block = dict[str, Any]
Message = dict[str, Any]

SECTION = 2_900
"""Characters of mrkdwn in one section: Slack's 3,000 less room for an ellipsis and entities cut in half."""
# Slack's limits of a message, less room for the line that says that something was cut off.
MESSAGE = 9_500
LONGEST_NUMBER, LARGEST = 18, 10.0**18
"""Digits of a number in a button, and the number that has more: all below fit into a row."""
MOST_BLOCKS = 50
BUTTON_VALUE = 2_000
OPTION = 75
"""Characters of one choice."""
GROUP = 10
"""Options that one group of checkboxes holds."""


def section(text: str, accessory: Block | None = None) -> Block:
    """A paragraph of mrkdwn; the caller has escaped it."""
    block: Block = {"type": "section", "text": {"type": "mrkdwn", "text": _cut(text, SECTION) or " "}}
    return block | {"accessory": accessory} if accessory else block


def sections(text: str) -> list[Block]:
    """Lines as sections, each with as many lines as fit."""
    pieces: list[str] = []
    for line in text.split("\n"):
        if pieces and len(pieces[-1]) + len(line) < SECTION:
            pieces[-1] += "\n" + line
        elif pieces and pieces[-1].count("```") % 2:  # a code block continues in the next section
            pieces[-1] += "\n```"
            pieces.append(f"```\n{line}")
        else:
            pieces.append(line)
    return [section(piece) for piece in pieces if piece.strip()]


def context(text: str) -> Block:
    """A small grey line."""
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": _cut(text, SECTION)}]}


def header(text: str) -> Block:
    """A headline, plain text of at most 150 characters."""
    line = shorten(text_rules.strip_code_marks(text), 150)
    return {"type": "header", "text": {"type": "plain_text", "text": line or " ", "emoji": True}}


def divider() -> Block:
    """A thin line."""
    return {"type": "divider"}


def button(text: str, action: str, value: str = "", style: str = "", confirm: str = "") -> Block:
    """A button. Slack sends `value` with the click; `confirm` is a question that Slack asks first."""
    block: Block = {
        "type": "button",
        "text": {"type": "plain_text", "text": shorten(text, 75), "emoji": True},
        "action_id": action,
        # A dash, because Slack refuses an empty value.
        "value": value[:BUTTON_VALUE] or "-",
    }
    if style:
        block["style"] = style
    if confirm:
        block["confirm"] = {
            "title": {"type": "plain_text", "text": shorten(f"{text}?", 100)},
            "text": {"type": "plain_text", "text": shorten(confirm, 300)},
            "confirm": {"type": "plain_text", "text": shorten(text, 30)},
            "deny": {"type": "plain_text", "text": "Cancel"},
        }
    return block


def link_button(text: str, action: str, url: str) -> Block:
    """A button that opens an address. Slack also sends the click, which needs no answer."""
    return button(text, action) | {"url": url}


def read_button(address: str) -> list[Block]:
    """[Read]: the incident's page in the library; nothing while the library is off, and its address empty."""
    return [link_button("Read", "library_read", address)] if address else []


def incident_value(incident: Incident, **more: object) -> str:
    """The value of a button, or metadata of a form, about an incident. It works in any channel."""
    return json.dumps({"incident": incident.id} | more)


def entry_value(entry: Entry, **more: object) -> str:
    """The same about an entry."""
    # With the version shown, so that a click on an outdated button is noticed
    # (docs/decisions/0030-a-button-carries-the-version-it-showed.md).
    return json.dumps({"incident": entry.incident_id, "entry": entry.number, "version": entry.version} | more)


def actions(*elements: Block) -> Block:
    """A row of buttons."""
    return {"type": "actions", "elements": list(elements)}


def option(text: str, value: str, description: str = "") -> Block:
    """One choice: plain text of at most 75 characters, a dash if blank. `description` is a grey line below it."""
    text, description = text_rules.strip_code_marks(text), text_rules.strip_code_marks(description)
    # Slack refuses a choice without a text.
    name = shorten(text, OPTION) if text.strip() else "–"
    chosen: Block = {"text": {"type": "plain_text", "text": name, "emoji": False}, "value": value}
    if description.strip():
        chosen["description"] = {"type": "plain_text", "text": shorten(description, 75), "emoji": False}
    return chosen


def text_input(action: str, **more: Any) -> Block:
    """A field of at most 3,000 characters; `multiline`, `initial_value` and `placeholder` as Slack names them."""
    element: Block = {"type": "plain_text_input", "action_id": action, "max_length": 3000}
    if placeholder := more.pop("placeholder", ""):
        element["placeholder"] = {"type": "plain_text", "text": shorten(placeholder, 150)}
    return element | {key: value for key, value in more.items() if value not in ("", None, False)}


def menu(name: str, options: Iterable[Block], initial: Block | None = None, kind: str = "static_select") -> Block:
    """A choice of one of the options, `initial` chosen at first; with the kind `radio_buttons` all are shown."""
    element: Block = {"type": kind, "action_id": name, "options": list(options)}
    return element | {"initial_option": initial} if initial else element


def choice(name: str, prompt: str, options: Iterable[Block]) -> Block:
    """A menu in a message, with `prompt` on it: each option does something at once, like a button."""
    return menu(name, options) | {"placeholder": {"type": "plain_text", "text": shorten(prompt, 150), "emoji": True}}


MORE = "more"
"""The action id of every overflow menu. Each of its lines names the button that it stands for."""


def overflow(*buttons: Block) -> Block:
    """A menu of at most five buttons behind [⋯]: choosing a line does what the button does.

    Slack limits a line's value to 150 characters, so the buttons carry references and no texts.
    """
    lines = [option(button["text"]["text"], _line_value(button)) for button in buttons]
    return {"type": "overflow", "action_id": MORE, "options": lines}


IsOver = Callable[[str, dict[str, Any]], bool]
"""Whether a button, by its action id and its value, does nothing useful any more."""


def drop_buttons(shown: Sequence[Block], is_over: IsOver) -> list[Block]:
    """The blocks without some of their buttons, whether these stand alone or behind [⋯]. Empty rows go, too."""
    left: list[Block] = []
    for block in shown:
        if "elements" in block and block["type"] == "actions":
            elements = [each for each in (_keep(element, is_over) for element in block["elements"]) if each]
            left += [block | {"elements": elements}] if elements else []
        elif "accessory" in block:
            accessory = _keep(block["accessory"], is_over)
            rest = {key: value for key, value in block.items() if key != "accessory"}
            left.append(rest | ({"accessory": accessory} if accessory else {}))
        else:
            left.append(block)
    return left


def list_values(shown: Iterable[Block]) -> Iterator[dict[str, Any]]:
    """What each button of some blocks carries."""
    for block in shown:
        for element in (*(block.get("elements") or ()), block.get("accessory") or {}):
            if element.get("type") == "button":
                yield read_value(element.get("value", ""))


def _keep(element: Block, is_over: IsOver) -> Block | None:
    if element["type"] == "button":
        return None if is_over(element["action_id"], read_value(element.get("value", ""))) else element
    if element["type"] != "overflow":
        return element
    lines = [line for line in element["options"] if not _is_line_over(read_value(line["value"]), is_over)]
    return element | {"options": lines} if lines else None


def _is_line_over(carried: dict[str, Any], is_over: IsOver) -> bool:
    return is_over(str(carried.pop("do", "")), carried)


class CarriedValue(dict[str, Any]):
    """What a button or a form carries. A part that is not there means that it is none of ours."""

    def __missing__(self, name: str) -> Any:
        raise MissingPartError(f"a button without {name}")


def read_value(text: str) -> dict[str, Any]:
    """The JSON object that a button carries; empty for anything else, and for numbers that no button of ours has."""
    try:
        value = _READER.decode(text or "{}")
    except (ValueError, RecursionError):
        return CarriedValue()
    return CarriedValue(value) if isinstance(value, dict) else CarriedValue()


def _read_number(digits: str) -> int:
    """A whole number that a database can hold. Raises ValueError for any other."""
    if len(digits) > LONGEST_NUMBER:
        raise ValueError("too long a number")
    return int(digits)


def _read_fraction(digits: str) -> float:
    """A number with a fraction, if it is one that a row holds too."""
    if not -LARGEST < (number := float(digits)) < LARGEST:
        raise ValueError("too large a number")
    return number


_READER = json.JSONDecoder(parse_int=_read_number, parse_float=_read_fraction, parse_constant=_read_number)


def _line_value(button: Block) -> str:
    carried = json.loads(button["value"]) if button["value"].startswith("{") else {}
    return json.dumps({"do": button["action_id"]} | carried, separators=(",", ":"))


def due_picker(day: date | None = None) -> Block:
    """A choice of a due date, `day` chosen at first."""
    element: Block = {"type": "datepicker", "action_id": "due"}
    return element | {"initial_date": day.isoformat()} if day else element


def checkboxes(label: str, name: str, options: Sequence[tuple[Block, bool]], *, block_id: str = "") -> Block:
    """A field of at most `GROUP` checkboxes, each with whether it is ticked at first. None must be ticked."""
    element: Block = {"type": "checkboxes", "action_id": name, "options": [option for option, _ in options]}
    if ticked := [option for option, is_ticked in options if is_ticked]:
        element["initial_options"] = ticked
    return input_block(label, element, block_id=block_id, optional=True)


def read_ticked(values: Mapping[str, object], prefix: str) -> frozenset[str]:
    """The values of the options ticked in all checkboxes whose action id begins with `prefix`."""
    groups = (ticked for name, ticked in values.items() if name.startswith(prefix) and isinstance(ticked, list))
    return frozenset(str(value) for ticked in groups for value in ticked)


def input_block(label: str, element: Block, *, block_id: str = "", hint: str = "", **more: Any) -> Block:
    """A field with its label, and `hint` as a line below it.

    Its block id is the element's action id, unless another is given. Of `more`: `optional`, and `dispatch_action`,
    which makes Enter send the field.
    """
    block: Block = {
        "type": "input",
        "block_id": block_id or element["action_id"],
        "label": {"type": "plain_text", "text": shorten(label, 2000)},
        "element": element,
    }
    if hint:
        block["hint"] = {"type": "plain_text", "text": shorten(hint, 2000)}
    return block | {key: value for key, value in more.items() if value}


def text_field(
    label: str, name: str, *, block_id: str = "", hint: str = "", optional: bool = False, **more: Any
) -> Block:
    """A field for a text: `input_block` of `text_input`, which gets `more`."""
    return input_block(label, text_input(name, **more), block_id=block_id, hint=hint, optional=optional)


def modal(title: str, callback: str, blocks: list[Block], **more: Any) -> Block:
    """A form. `submit` labels its button; Slack sends `private_metadata` back with the fields."""
    view: Block = {
        "type": "modal",
        "callback_id": callback,
        "title": {"type": "plain_text", "text": shorten(title, 24)},
        "close": {"type": "plain_text", "text": "Cancel"},
        "blocks": blocks,
    }
    if submit := more.pop("submit", ""):
        view["submit"] = {"type": "plain_text", "text": shorten(submit, 24)}
    return view | more


def message(text: str, *below: Block, blocks: list[Block] | None = None, **more: Any) -> Message:
    """A message. The blocks `below` follow the text, or `blocks` show instead.

    Notifications show how `text` begins, and screen readers read nothing but it: what the blocks say besides is added.
    """
    if blocks is None:
        blocks = [section(text), *below] if below else sections(text)
    shown = _fit_blocks(blocks)
    added = (part for block in shown for part in _list_texts(block) if part.strip().removesuffix("…") not in text)
    # Below 4,000 characters, beyond which Slack refuses an edit of the message (docs of `chat.update`).
    return {"text": _cut("\n".join([text, *added]), 3_500), "blocks": shown} | more


class EncodedMessage(dict[str, Any]):
    """A message that was written as JSON; `encoded` is that text."""

    def __init__(self, encoded: str) -> None:
        super().__init__(json.loads(encoded))
        self.encoded = encoded


def encode(message: Message | None) -> str:
    """The message as JSON; `null` if there is none."""
    return message.encoded if isinstance(message, EncodedMessage) else json.dumps(message)


def replace_blocks(original: Message, shown: list[Block]) -> Message:
    """The message with other blocks, which its text says too."""
    return original | message(original["text"], blocks=shown)


def _list_texts(block: Block) -> Iterator[str]:
    """What a block says, as mrkdwn: paragraphs, grey lines and texts to copy; no headline and no button."""
    parts = [block.get("text"), *(block.get("fields") or ())] if block["type"] == "section" else []
    parts += block["elements"] if block["type"] == "context" else []
    yield from (str(part["text"]) for part in parts if part and "text" in part)
    if block["type"] == "rich_text":
        yield from (escape(piece["text"]) for part in block["elements"] for piece in part["elements"])


def ephemeral(text: str, *below: Block, blocks: list[Block] | None = None, **more: Any) -> Message:
    """An answer that only the author of the request can see."""
    return message(text, *below, blocks=blocks, response_type="ephemeral", **more)


def public(text: str, *below: Block, blocks: list[Block] | None = None) -> Message:
    """An answer that the whole channel can see."""
    return message(text, *below, blocks=blocks, response_type="in_channel")


def join_messages(messages: list[Message]) -> Message:
    """Several messages as one answer, with the audience of the first."""
    text = "\n".join(str(each["text"]) for each in messages)
    joined = message(text, blocks=[block for each in messages for block in each["blocks"]])
    return joined | {key: messages[0][key] for key in ("response_type",) if messages and key in messages[0]}


def _cut(text: str, most: int) -> str:
    """Shortens without leaving half an entity (`&am`), which Slack would show as such."""
    if len(text) <= most:
        return text
    cut = shorten(text, most)
    # Entities have at most six characters, so only the end is searched.
    half = cut.rfind("&", len(cut) - 8)
    return cut if half < 0 or ";" in cut[half:] else cut[:half] + "…"


def _fit_blocks(blocks: list[Block]) -> list[Block]:
    """As many blocks as fit into one message. Buttons at the end are kept."""
    if len(blocks) <= MOST_BLOCKS and sum(map(_size, blocks)) <= MESSAGE:
        return blocks
    # Of a message that is too long its buttons stay: without them nothing could be done about it.
    row = [block for block in blocks[-1:] if block["type"] == "actions"]
    fitting: list[Block] = []
    room = MESSAGE
    for block in blocks[: len(blocks) - len(row)]:
        room -= _size(block)
        if room < 0 or len(fitting) == MOST_BLOCKS - 1 - len(row):
            break
        fitting.append(block)
    return [*fitting, context(words.general.cut_off()), *row]


def _size(block: Block) -> int:
    # Slack's limit counts all characters of a message, and the sections have nearly all of them.
    return len(str(block.get("text", {}).get("text", "")))


_AHEAD = timedelta(minutes=1)


def relative_day(day: date, today: date) -> str:
    """`yesterday`, `3 days ago`, `tomorrow`; empty for today, and for a week or more away."""
    return "" if day == today else words.timeline.day(ahead=(day - today).days)


def is_ahead(moment: datetime, now: datetime) -> bool:
    """Whether a moment is more than a minute in the future. The time grammar allows the same minute."""
    return moment > now + _AHEAD


def moment_label(moment: datetime, now: datetime) -> str:
    """`17:31 UTC`, `yesterday 17:31 UTC`, `Sun 5 Apr, 08:00 UTC`, `Sat 5 Apr 2025, 08:00 UTC`: a button's label.

    A time later today gets `today` in front.
    """
    days = (moment.date() - now.date()).days
    if abs(days) == 1 or (days == 0 and is_ahead(moment, now)):
        day = relative_day(moment.date(), now.date()) or "today"
    elif days == 0:
        day = ""
    else:
        day = f"{format_day(moment.date(), now.date())},"
    return f"{day} {moment:%H:%M} UTC".strip()


MARKS, GAPS = "marks", "gaps"
ROOMY = 2_400
"""A text of at most so many characters leaves room in its field, which holds 3,000."""
TEXT = "text"
_EDITION = "@"

_TEXT = re.compile(rf"{TEXT}(?:_(\d+))?")


def text_fields(
    label: str, text: str, *, first: str = TEXT, hint: str = "", optional: bool = False, edition: str = ""
) -> list[Block]:
    """The fields to edit a text in: as many as it needs, plus an empty one if the last of them is nearly full.

    `first` names the first field: `text` or `text_0`. `edition` is as in `field_id`. A text that no number of fields
    holds gets a sentence instead, which says that it stays as it is.
    """
    fields = text_rules.split_into_fields(text)
    if fields is None:
        return [section(words.general.too_long_for_form(label=label, count=f"{len(text):,}"))]
    more = [""] if len(fields.parts) > 1 or len(text) > ROOMY else []
    return [
        text_field(
            label if index == 0 else "Continued",
            name,
            block_id=field_id(name, edition),
            hint=hint if index == 0 else "",
            optional=optional or bool(more),
            multiline=True,
            initial_value=piece,
        )
        for index, piece in enumerate([*fields.parts, *more])
        for name in [first if index == 0 else f"{TEXT}_{index}"]
    ]


def field_id(name: str, edition: str = "") -> str:
    """A field's block id. `edition` differs each time that a form is shown again with new values.

    Under an unchanged block id Slack keeps what was typed before, and ignores the new initial value.
    """
    return f"{name}{_EDITION}{edition}" if edition else name


def field_name(place: str) -> str:
    """The field's name in a block id."""
    return place.partition(_EDITION)[0]


def field_marks(text: str, shown: str | None = None, **others: str) -> dict[str, Any]:
    """Metadata for a form: fingerprints of the recorded text and of `others` by name.

    `shown` is the text in the fields if it differs: what the person had typed before a conflict.
    """
    fields = text_rules.split_into_fields(text if shown is None else shown)
    marks = {name: fingerprint(value) for name, value in {TEXT: text, **others}.items()}
    return {MARKS: marks, GAPS: list(fields.gaps) if fields else []}


def read_change(metadata: Mapping[str, Any], name: str, sent: str) -> str | None:
    """The value of a field; None if it was not changed."""
    return None if read_mark(metadata, name) == fingerprint(sent) else sent


def read_text(metadata: Mapping[str, Any], sent: Mapping[str, Any]) -> str | None:
    """The text from one or several fields; None if the form had no field for it."""
    pieces = {int(match[1] or 0): str(sent[name] or "") for name in sent if (match := _TEXT.fullmatch(name))}
    if not pieces:
        return None
    gaps = metadata.get(GAPS)
    return text_rules.join_fields(
        (pieces.get(index, "") for index in range(max(pieces) + 1)),
        [str(each) for each in gaps] if isinstance(gaps, list) else [],
    )


def read_text_change(metadata: Mapping[str, Any], sent: Mapping[str, Any]) -> str | None:
    """The same, but also None if the text was not changed."""
    text = read_text(metadata, sent)
    return None if text is None else read_change(metadata, TEXT, text)


def read_mark(metadata: Mapping[str, Any], name: str) -> str:
    """The fingerprint of a field's initial value; empty if the form has none."""
    marks = metadata.get(MARKS)
    return str(marks.get(name, "")) if isinstance(marks, dict) else ""


_COMMAND = re.compile(r"`/(timeline|why|incident|action|postmortem)(?: ([^`\n]*))?`")
_BEGINS_WITH_TIME = re.compile(r"[0-9]{1,2}:[0-9]{2}\b|…|\.\.\.")


def adapt_whys_text(text: str) -> str:
    """A text for the thread of the whys: `/why …` becomes `@afterword …`, which works there."""
    return _COMMAND.sub(lambda found: _mention(found[2]) if found[1] == "why" else found[0], text)


def adapt_whys_message(message: Message) -> Message:
    """A message for the thread of the whys."""
    return message | {
        "text": adapt_whys_text(message["text"]),
        "blocks": _change_texts(message["blocks"], adapt_whys_text),
    }


def adapt_message(text: str, blocks: list[Block]) -> tuple[str, list[Block]]:
    """A message for any thread: Slack has no slash commands there, so a command becomes a mention that works there.

    If there is none for a command, a line says where to type it.
    """
    is_named = False

    def change(found: re.Match[str]) -> str:
        nonlocal is_named
        command, rest = found[1], found[2] or ""
        if command == "timeline" and _BEGINS_WITH_TIME.match(rest):
            return _mention(rest)
        is_named = True
        return f"`{command} {rest}`" if rest else f"`{command}`"

    text, blocks = _COMMAND.sub(change, text), _change_texts(blocks, lambda part: _COMMAND.sub(change, part))
    if not is_named:
        return text, blocks
    note = words.general.commands_in_channel()
    return f"{text}\n{note}", [*blocks[:48], context(note)] if blocks else []


def _mention(rest: str | None) -> str:
    return f"`@afterword {rest or 'show'}`"


def _change_texts(blocks: list[Block], change: Callable[[str], str]) -> list[Block]:
    """A copy of the blocks with their mrkdwn changed. Plain text stays, since it may quote people."""
    # A deep copy: the message may be stored and sent elsewhere as it is.
    changed: list[Block] = json.loads(json.dumps(blocks))
    for block in changed:
        parts = [block.get("text"), *(block.get("fields") or ()), *(block.get("elements") or ())]
        for part in parts:
            if isinstance(part, dict) and part.get("type") == "mrkdwn":
                part["text"] = change(part["text"])
    return changed
