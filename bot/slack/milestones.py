"""The form behind [Milestone], and the question about one that contradicts the record."""

import json
from datetime import datetime
from typing import Any

from bot.incident import code
from bot.incident.lifecycle import SAID, beyond
from bot.incident.milestones import Clash, Told
from bot.incident.records import Entry, Incident, Milestone
from bot.incident.secrets import masked
from bot.incident.text import shortened
from bot.slack import blocks
from bot.slack.blocks import Block, Message
from bot.slack.timeline import Clocks
from bot.slack.words import words

_LABELS = {**SAID, Milestone.IMPACT_STARTED: "Started"}
_QUOTED = 1_000
_FORM_HOLDS = 3_000


def form(incident: Incident, entries: tuple[Entry, ...], clocks: Clocks, told: Told | None = None) -> Block:
    """The form; it proposes the first milestone that no entry marks yet, or what was `told` before."""
    reached = {entry.milestone for entry in entries}
    first = next((milestone for milestone in SAID if milestone not in reached), Milestone.RESOLVED)
    choices = {milestone: blocks.option(_LABELS[milestone], str(milestone)) for milestone in SAID}
    menu: Block = {
        "type": "radio_buttons",
        "action_id": "milestone",
        "options": list(choices.values()),
        "initial_option": choices[told.milestone if told else first],
    }
    text = beyond(told.milestone, told.text) if told else ""
    return blocks.modal(
        "Milestone",
        "incident_milestone",
        [
            blocks.labelled("What was reached?", "milestone", menu),
            blocks.labelled(
                "When? Empty means just now",
                "when",
                blocks.text_input(
                    "when",
                    placeholder="14:05, 10 min ago, yesterday 23:50",
                    initial_value=_typed(told, clocks) if told else "",
                ),
                hint=words.incidents.milestone_when(zone=clocks.label or "UTC"),
                optional=True,
            ),
            blocks.labelled(
                "In words, if they help",
                "text",
                blocks.text_input(
                    "text",
                    multiline=True,
                    placeholder="Failed over to the replica",
                    initial_value=text[:_FORM_HOLDS],
                ),
                optional=True,
            ),
        ],
        submit="Record",
        private_metadata=json.dumps({"channel": incident.channel, "incident": incident.id}),
    )


def _typed(told: Told, clocks: Clocks) -> str:
    """A moment as the form reads it back, on its reader's own clock."""
    local = told.at.astimezone(clocks.zone)
    end = f" - {told.end.astimezone(clocks.zone):%H:%M}" if told.end else ""
    seconds = f":{local:%S}" if local.second else ""
    return f"{'~' if told.approximate else ''}{local:%Y-%m-%d %H:%M}{seconds}{end}"


def problem(incident: Incident, told: Told, against: Clash[Entry], clocks: Clocks) -> str:
    """What a milestone would contradict, as a sentence."""
    return str(
        words.incidents.contradicts(
            key=incident.key,
            said=SAID[told.milestone],
            when=clocks.told(told.at, told.end, approximate=told.approximate),
            other=SAID[against.milestone].lower(),
            other_when=clocks.told(against.at),
            number=against.by.number if against.by else 0,
            is_twice=against.is_twice,
            is_later=against.is_later,
        )
    )


def contradicts(incident: Incident, told: Told, against: Clash[Entry], clocks: Clocks) -> Message:
    """The question to who typed it: each honest choice is a button, and nothing is recorded before one is pressed."""
    quoted = shortened(code.flat(masked(beyond(told.milestone, told.text))), _QUOTED)
    said = words.incidents.contradiction(problem=problem(incident, told, against, clocks), text=quoted)
    value, name = _value(incident, told, against), SAID[told.milestone].lower()
    clock, number = _clock(told.at, clocks.now), against.by.number if against.by else 0
    if against.is_twice:
        choices = [blocks.button(f"{clock} counts", "milestone_keep", value)]
        choices += [blocks.button(f"Correct #{number} to {clock}", "milestone_move", value)] if number else []
        choices.append(blocks.button(f"Keep #{number}, add an entry", "milestone_note", value))
    else:
        choices = [blocks.button(f"Record {name} {clock}", "milestone_keep", value)]
        label = f"Record it, and correct #{number}"
        choices += [blocks.button(label, "milestone_correct", value)] if number else []
    choices.append(blocks.button("Change it", "milestone_change", value))
    return blocks.whisper(said, [blocks.section(said), blocks.actions(*choices)])


def _clock(moment: datetime, now: datetime) -> str:
    return f"{moment:%H:%M} UTC" if moment.date() == now.date() else f"{moment:%-d %b %H:%M} UTC"


def can_ask(incident: Incident, told: Told, against: Clash[Entry]) -> bool:
    """Whether a button holds all that was told until it is pressed."""
    value = _value(incident, told, against)
    return len(value) <= blocks.BUTTON_VALUE


def _value(incident: Incident, told: Told, against: Clash[Entry]) -> str:
    carried = {
        "incident": incident.id,
        "milestone": str(told.milestone),
        "at": told.at.isoformat(),
        "end": told.end.isoformat() if told.end else "",
        "approximate": told.approximate,
        "text": told.text,
        "other": against.by.number if against.by else 0,
    }
    return json.dumps(carried, ensure_ascii=False)


def told_in(value: dict[str, Any]) -> Told:
    """What a button of the question carries."""
    end = str(value.get("end") or "")
    return Told(
        Milestone(value["milestone"]),
        datetime.fromisoformat(value["at"]),
        str(value["text"]),
        datetime.fromisoformat(end) if end else None,
        bool(value.get("approximate")),
    )


def settled(told: Told) -> Message:
    """To who pressed the button: what was asked about stands now. The channel reads it too."""
    name = SAID[told.milestone].lower()
    return blocks.whisper(words.incidents.settled(said=name, when=f"{told.at:%Y-%m-%d %H:%M}"))
