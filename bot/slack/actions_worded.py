"""How an action's words are looked at and changed in Slack: the hint, the form, and what reads anew."""

import json

from bot.incident import code
from bot.incident.fields import mark
from bot.incident.records import Action, Incident
from bot.incident.text import shortened
from bot.slack import blocks, fields
from bot.slack.actions import QUOTED, ref
from bot.slack.blocks import Block, Message
from bot.slack.words import words


def reworded(action: Action, before: Action, incident: Incident, by: str) -> Message:
    """An action reads anew; `by` is the name of who worded it."""
    said = words.actions.reworded(
        number=action.number,
        key=incident.key,
        text=shortened(action.text, QUOTED),
        before=shortened(code.flat(before.text), 500),
        by=by,
    )
    return blocks.message(said, response_type="in_channel")


def edit_form(action: Action, typed: str | None = None, notice: str = "") -> Block:
    """The form that words an action anew; `typed` is kept where somebody did so meanwhile, which `notice` says."""
    shown = [blocks.section(notice)] if notice else []
    text, anew = action.text if typed is None else typed, mark(action.text) if notice else ""
    shown += fields.texts("What is to be done?", text, anew=anew)
    metadata = {"action": action.id, "incident": action.incident_id, **fields.marks(action.text, typed)}
    return blocks.modal(
        f"Action {action.number}", "action_edit", shown, submit="Save", private_metadata=json.dumps(metadata)
    )


def stale_form(action: Action, typed: str) -> Message:
    """The form once more, because somebody worded the action anew meanwhile: saving it now is a choice."""
    notice = words.actions.stale(number=action.number, theirs=shortened(action.text, QUOTED))
    return {"response_action": "update", "view": edit_form(action, typed, notice)}


def hint(action: Action, word: str) -> Message:
    """For the author alone: nobody can tell by these words when it is done."""
    said = words.actions.hint(number=action.number, word=word)
    row = blocks.actions(blocks.button("Edit", "action_edit", ref(action)))
    return blocks.whisper(said, [blocks.section(said), row])
