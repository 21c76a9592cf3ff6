"""A milestone: its form, and the questions where its time has several readings or contradicts the record."""

import json
from datetime import datetime
from typing import Any

from bot.incident import code
from bot.incident.fields import When, time_text
from bot.incident.lifecycle import SAID, beyond
from bot.incident.milestones import Clash, Told
from bot.incident.records import Entry, Incident, Milestone
from bot.incident.secrets import masked
from bot.incident.text import shortened
from bot.incident.times import Reading
from bot.slack import blocks
from bot.slack.blocks import Block, Message
from bot.slack.days import is_ahead, labelled
from bot.slack.timeline import QUOTED, Clocks, choice_label, time_of
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


def _typed(told: Told, clocks: Clocks) -> str:
    """A moment as the form reads it back, on its reader's own clock."""
    return time_text(When(told.at, told.end, told.approximate), clocks.now, clocks.zone, clocks.language)


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
    value, name = _clash_value(incident, told, against), SAID[told.milestone].lower()
    clock, number = labelled(told.at, clocks.now), against.by.number if against.by else 0
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


def can_ask(incident: Incident, told: Told, against: Clash[Entry]) -> bool:
    """Whether a button holds all that was told until it is pressed."""
    value = _clash_value(incident, told, against)
    return len(value) <= blocks.BUTTON_VALUE


def _clash_value(incident: Incident, told: Told, against: Clash[Entry]) -> str:
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
