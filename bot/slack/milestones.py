"""The form behind [Milestone]: which one was reached, and when."""

import json

from bot.incident.lifecycle import SAID
from bot.incident.records import Entry, Incident, Milestone
from bot.slack import blocks
from bot.slack.blocks import Block
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
