"""How an action's words are looked at and changed in Slack: the hint, the form, and what reads anew."""

from bot.incident import code
from bot.incident.records import Action, Incident
from bot.incident.text import shortened
from bot.incident.timeline import FORM_HOLDS
from bot.slack import blocks
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


def edit_form(action: Action) -> Block:
    """The form that words an action anew."""
    is_long = len(action.text) > FORM_HOLDS
    field = blocks.labelled(
        "What is to be done?",
        "text",
        blocks.text_input("text", multiline=True, initial_value=action.text[:FORM_HOLDS]),
        hint="Only the first 3,000 characters fit here; the rest is kept." if is_long else "",
    )
    return blocks.modal(f"Action {action.number}", "action_edit", [field], submit="Save", private_metadata=ref(action))


def hint(action: Action, word: str) -> Message:
    """For the author alone: nobody can tell by these words when it is done."""
    said = words.actions.hint(number=action.number, word=word)
    row = blocks.actions(blocks.button("Edit", "action_edit", ref(action)))
    return blocks.whisper(said, [blocks.section(said), row])
