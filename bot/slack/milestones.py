"""A milestone: the form behind [Milestone], and the question where its time has no one honest reading."""

import json
from datetime import datetime

from bot.incident.lifecycle import SAID
from bot.incident.moments import Reading
from bot.incident.records import Entry, Incident, Milestone
from bot.incident.secrets import masked
from bot.incident.text import shortened
from bot.slack import blocks
from bot.slack.blocks import Block, Message
from bot.slack.days import is_ahead
from bot.slack.timeline import QUOTED, Clocks, choice_label, time_of
from bot.slack.words import words

_LABELS = {**SAID, Milestone.IMPACT_STARTED: "Started"}


def form(incident: Incident, entries: tuple[Entry, ...], zone: str) -> Block:
    """The form; it proposes the first milestone that no entry marks yet. `zone` labels the reader's clock."""
    reached = {entry.milestone for entry in entries}
    proposed = next((milestone for milestone in SAID if milestone not in reached), Milestone.RESOLVED)
    choices = {milestone: blocks.option(_LABELS[milestone], str(milestone)) for milestone in SAID}
    menu: Block = {
        "type": "radio_buttons",
        "action_id": "milestone",
        "options": list(choices.values()),
        "initial_option": choices[proposed],
    }
    return blocks.modal(
        "Milestone",
        "incident_milestone",
        [
            blocks.labelled("What was reached?", "milestone", menu),
            blocks.labelled(
                "When? Empty means just now",
                "when",
                blocks.text_input("when", placeholder="14:05, 10 min ago, yesterday 23:50"),
                hint=words.incidents.milestone_when(zone=zone or "UTC"),
                optional=True,
            ),
            blocks.labelled(
                "In words, if they help",
                "text",
                blocks.text_input("text", multiline=True, placeholder="Failed over to the replica"),
                optional=True,
            ),
        ],
        submit="Record",
        private_metadata=json.dumps({"channel": incident.channel, "incident": incident.id}),
    )


def question(milestone: Milestone, reading: Reading, clocks: Clocks) -> Message | None:
    """A milestone's time has no one honest reading: each that has been is a button, for none is reached ahead of time.

    None where none has been, or the buttons cannot hold the words.
    """
    said = words.incidents.milestone_asked(
        problem=reading.problem, said=SAID[milestone], text=shortened(masked(reading.text), QUOTED)
    )
    past = [choice for choice in dict.fromkeys(reading.question or ()) if not is_ahead(choice, clocks.now)]
    values = {choice: _value(milestone, reading, choice) for choice in (*past, None)}
    if not past or any(len(value) > blocks.BUTTON_VALUE for value in values.values()):
        return None
    buttons = [
        blocks.button(choice_label(choice, clocks), f"incident_at_{index}", values[choice])
        for index, choice in enumerate(past)
    ]
    buttons.append(blocks.button("Just now", "incident_at_now", values[None]))
    return blocks.whisper(said, [blocks.section(said), blocks.actions(*buttons)])


def _value(milestone: Milestone, reading: Reading, moment: datetime | None) -> str:
    about = {"milestone": str(milestone), "text": reading.text}
    return json.dumps(about | time_of(reading, moment), ensure_ascii=False)


def answered(milestone: Milestone, moment: datetime, clocks: Clocks) -> Message:
    """The question is answered; what came of it is told to everybody."""
    said = words.incidents.milestone_answered(said=SAID[milestone], when=choice_label(moment, clocks))
    return blocks.whisper(said)
