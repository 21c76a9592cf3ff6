"""Block Kit: functions that build blocks within Slack's limits, and labels of days and times.

The limits (https://docs.slack.dev/reference/block-kit/blocks): 3,000 characters a section, 50 blocks a message, and
about 10,000 characters in all.
"""

import json
from datetime import date, datetime, timedelta
from typing import Any

from bot.domain import text as text_rules
from bot.domain.records import Entry, Incident
from bot.domain.text import shorten
from bot.slack.views.templates import words

Block = dict[str, Any]
Message = dict[str, Any]

SECTION = 2_900
"""Characters of mrkdwn in one section: Slack's 3,000 less room for an ellipsis and entities cut in half."""
MESSAGE = 9_500
BUTTON_VALUE = 2_000
OPTION = 75
"""Characters of one choice."""


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
        "value": value[:BUTTON_VALUE] or "-",
    }
    if style:
        block["style"] = style
    if confirm:
        block["confirm"] = {
            "title": {"type": "plain_text", "text": "Sure?"},
            "text": {"type": "plain_text", "text": shorten(confirm, 300)},
            "confirm": {"type": "plain_text", "text": "Yes"},
            "deny": {"type": "plain_text", "text": "No"},
        }
    return block


def incident_value(incident: Incident, **more: object) -> str:
    """The value of a button, or metadata of a form, about an incident. It works in any channel."""
    return json.dumps({"incident": incident.id} | more)


def entry_value(entry: Entry, **more: object) -> str:
    """The same about an entry. It holds the version shown, so that a click on an outdated one is noticed."""
    return json.dumps({"incident": entry.incident_id, "entry": entry.number, "version": entry.version} | more)


def actions(*elements: Block) -> Block:
    """A row of buttons."""
    return {"type": "actions", "elements": list(elements)}


def option(text: str, value: str, description: str = "") -> Block:
    """One choice: plain text of at most 75 characters, a dash if blank. `description` is a grey line below it."""
    text, description = text_rules.strip_code_marks(text), text_rules.strip_code_marks(description)
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


def input_block(label: str, block_id: str, element: Block, **more: Any) -> Block:
    """A field with its label. Of `more`: `hint` is a line below, `dispatch_action` makes Enter send the field."""
    block: Block = {
        "type": "input",
        "block_id": block_id,
        "label": {"type": "plain_text", "text": shorten(label, 2000)},
        "element": element,
    }
    if hint := more.pop("hint", ""):
        block["hint"] = {"type": "plain_text", "text": shorten(hint, 2000)}
    return block | {key: value for key, value in more.items() if value}


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


def message(text: str, blocks: list[Block] | None = None, **more: Any) -> Message:
    """A message. `text` is for notifications, and the content if there are no blocks."""
    shown = blocks if blocks is not None else sections(text)
    return {"text": _cut(text, 3_500), "blocks": _fit_blocks(shown)} | more


def ephemeral(text: str, blocks: list[Block] | None = None, **more: Any) -> Message:
    """A message that only the author of the request can see."""
    return message(text, blocks, response_type="ephemeral", **more)


def join_messages(said: list[Message]) -> Message:
    """Several messages as one answer, with the audience of the first."""
    text = "\n".join(str(one["text"]) for one in said)
    shown = [block for one in said for block in one["blocks"]]
    return message(text, shown) | {key: said[0][key] for key in ("response_type",) if said and key in said[0]}


def _cut(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    cut = shorten(text, most)
    half = cut.rfind("&", len(cut) - 8)
    return cut if half < 0 or ";" in cut[half:] else cut[:half] + "…"


def _fit_blocks(blocks: list[Block]) -> list[Block]:
    """As many blocks as fit into one message. Buttons at the end are kept."""
    room = MESSAGE
    kept: list[Block] = []
    for block in blocks:
        size = len(str(block.get("text", {}).get("text", "")))
        if size > room or len(kept) == 49:
            kept.append(context(words.general.cut_off()))
            kept.extend(b for b in blocks[-1:] if b["type"] == "actions")
            break
        room -= size
        kept.append(block)
    return kept[:50]


_AHEAD = timedelta(minutes=1)


def relative_day(day: date, today: date) -> str:
    """`yesterday`, `3 days ago`, `tomorrow`; the weekday if it is a week or more away; empty for today."""
    ahead = (day - today).days
    return words.timeline.day(ahead=ahead, weekday=f"{day:%A}") if ahead else ""


def is_ahead(moment: datetime, now: datetime) -> bool:
    """Whether a moment is more than a minute in the future. The time grammar allows the same minute."""
    return moment > now + _AHEAD


def moment_label(moment: datetime, now: datetime) -> str:
    """`17:31 UTC`, `yesterday 17:31 UTC`, `5 Apr 08:00 UTC`, `5 Apr 2025 08:00 UTC`: for the label of a button.

    A time later today gets `today` in front.
    """
    days = (moment.date() - now.date()).days
    if abs(days) == 1 or (days == 0 and is_ahead(moment, now)):
        day = relative_day(moment.date(), now.date()) or "today"
    elif days == 0:
        day = ""
    else:
        day = f"{moment:%-d %b}" if moment.year == now.year else f"{moment:%-d %b %Y}"
    return f"{day} {moment:%H:%M} UTC".strip()
