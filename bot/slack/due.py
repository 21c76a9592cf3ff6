"""How it is asked which day a due date is: each day that can be meant is a button."""

import json
from collections.abc import Mapping, Sequence
from datetime import date

from bot.errors import Refused
from bot.incident.due import Due
from bot.incident.secrets import masked
from bot.incident.text import shortened
from bot.slack import blocks
from bot.slack.actions import QUOTED, due_words
from bot.slack.blocks import Block, Message
from bot.slack.words import words
from storage.actions import OwedAction

CHOOSE = "action_day_"
"""How the buttons' action ids begin."""


def of_new(key: str, text: str, asking: Mapping[str, object], due: Due) -> Message:
    """Which day a new action is due, which is written down once it is known; `key` is that of the request.

    Raises Refused where buttons cannot hold all that was typed.
    """
    said = words.actions.which_day(problem=due.problem, what="written down")
    shown = words.actions.day_asked(text=shortened(" ".join(text.split()), QUOTED))
    value = {"of": key, "text": text, **asking}
    row = _row(due, value, [_button("No due date", len(due.days), value, None)])
    if any(len(button["value"]) > blocks.BUTTON_VALUE for button in row):
        raise Refused(f"Not written down. {due.problem} Send it again with the date in full, as in `due 2026-12-24`.")
    return blocks.whisper(said, [blocks.section(said), blocks.section(shown), blocks.actions(*row)])


def of_actions(found: Sequence[OwedAction], due: Due) -> Message:
    """Which day is the new due date of these actions."""
    said = words.actions.which_day(problem=due.problem, what="changed")
    shown = [blocks.section(words.actions.named_one(item=_named(one))) for one in found]
    about = {"actions": [one.action.id for one in found], "incident": found[0].incident.id, "beside": due.beside}
    return blocks.whisper(said, [blocks.section(said), *shown, blocks.actions(*_row(due, about, []))])


def _named(one: OwedAction) -> tuple[int, str, str]:
    text = shortened(" ".join(masked(one.action.text).split()), QUOTED)
    return one.action.number, one.incident.key, text


def settled() -> Message:
    """In place of the question, once it is answered; what came of it is said to all."""
    return blocks.whisper(words.actions.day_chosen())


def _row(due: Due, value: Mapping[str, object], more: list[Block]) -> list[Block]:
    return [*(_button(due_words(day), index, value, day) for index, day in enumerate(due.days)), *more]


def _button(label: str, index: int, value: Mapping[str, object], day: date | None) -> Block:
    told = json.dumps({**value, "due": day.isoformat() if day else ""}, ensure_ascii=False)
    button = blocks.button(label, f"{CHOOSE}{index}")
    return button | {"value": told}
