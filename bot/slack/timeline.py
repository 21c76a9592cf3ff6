"""How the timeline looks in Slack."""

import json
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from bot.incident import code, secrets
from bot.incident import timeline as rules
from bot.incident.lifecycle import SAID, beyond
from bot.incident.moments import Reading, shown
from bot.incident.records import Case, Entry, Incident, Status
from bot.incident.text import shortened
from bot.slack import blocks
from bot.slack import secrets as warns
from bot.slack.blocks import Block, Message
from bot.slack.words import words

QUOTED = 2_000
"""Characters of an entry's text that a message shows; all of it is in the record and in every export."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """What is needed to show a moment in UTC and on its author's own clock."""

    now: datetime
    zone: tzinfo
    label: str

    def both(self, entry: Entry) -> str:
        """`12:05 UTC (14:05 Berlin)`, with dates where it was not today."""
        return self.told(entry.happened_at, entry.ended_at, approximate=entry.approximate)

    def told(self, moment: datetime, end: datetime | None = None, *, approximate: bool = False) -> str:
        """The same of a moment, or of the span up to `end`."""
        text = f"{_dated(moment, end, self.now, approximate=approximate)} UTC"
        local = moment.astimezone(self.zone)
        if local.utcoffset() == moment.utcoffset() or not self.label:
            return text
        day = "" if local.date() == moment.date() else f"{local:%a} "
        return f"{text} ({day}{local:%H:%M} {self.label})"


def when(entry: Entry, now: datetime) -> str:
    """An entry's time in UTC, with its date where that is not today."""
    return _dated(entry.happened_at, entry.ended_at, now, approximate=entry.approximate)


def _dated(moment: datetime, end: datetime | None, now: datetime, *, approximate: bool) -> str:
    clock = shown(moment, end, approximate, precise=False)
    return clock if moment.date() == now.date() else f"{moment:%Y-%m-%d} {clock}"


def receipt(
    entry: Entry,
    incident: Incident,
    clocks: Clocks,
    *,
    reading: Reading | None,
    notes: dict[str, Any],
    files: tuple[str, ...] = (),
) -> Message:
    """What its author reads once the entry is on disk; `reading` is how its time was read, where one was typed.

    `files` are the names of those that are kept with it.
    """
    resolved = incident.status is Status.RESOLVED
    spans = secrets.found(entry.text)
    text = shortened(secrets.replaced(entry.text, spans, secrets.MASK) if spans else entry.text, QUOTED)
    said = words.timeline.receipt(when=clocks.both(entry), text=text)
    note = words.timeline.receipt_note(
        number=entry.number, key=incident.key, resolved=resolved, odd=rules.is_like_command(entry.text), **notes
    )
    warning = warns.warning(spans, ref(entry), files) if spans else []
    return blocks.whisper(
        said,
        [blocks.section(said), blocks.context(note), *warning, edit_row(entry, _own_clock(reading, entry, clocks))],
    )


def _own_clock(reading: Reading | None, entry: Entry, clocks: Clocks) -> str:
    """The time as it was written, where it was read on its author's own clock and that is not UTC's; else empty."""
    if reading is None or not reading.assumed_zone or not reading.written:
        return ""
    return reading.written if entry.happened_at.astimezone(clocks.zone).utcoffset() else ""


def edit_row(entry: Entry, written: str = "") -> Block:
    """[Edit], [Undo], and [That was UTC] where a time was written that would be another moment in UTC."""
    this = ref(entry)
    buttons = [blocks.button("Edit", "timeline_edit", this), blocks.button("Undo", "timeline_undo", this)]
    if written:
        buttons.append(blocks.button("That was UTC", "timeline_utc", ref(entry, written=written)))
    return blocks.actions(*buttons)


def ref(entry: Entry, **more: str) -> str:
    """What a button carries to find its entry again; the handler checks that it belongs to the channel."""
    return json.dumps({"incident": entry.incident_id, "entry": entry.number, "version": entry.version} | more)


def already(incident: Incident, number: int, reading: Reading, moment: datetime) -> Message:
    """The same was typed a moment ago; a way to add it after all, at the moment that was meant."""
    said = words.timeline.already(number=number, text=shortened(secrets.masked(reading.text), QUOTED))
    value = blocks.about(incident, entry=number, **_time_of(reading, moment))
    return blocks.whisper(
        said, [blocks.section(said), blocks.actions(blocks.button("Add it again", "timeline_again", value))]
    )


def _time_of(reading: Reading, moment: datetime | None) -> dict[str, Any]:
    """A time as a button carries it; None is the moment of the click."""
    if moment is None:
        return {"at": ""}
    lasts = reading.end_utc - moment if reading.end_utc else reading.lasts
    return {
        "at": moment.isoformat(),
        "approximate": reading.approximate,
        "lasts": int(lasts.total_seconds()) if lasts else 0,
    }


def _reading_value(reading: Reading, moment: datetime | None) -> str:
    return json.dumps({"text": reading.text, **_time_of(reading, moment)}, ensure_ascii=False)


def can_ask(reading: Reading) -> bool:
    """Whether buttons can hold the text until one of them is pressed."""
    choices = (None, *(reading.question or ()))
    return all(len(_reading_value(reading, choice)) <= blocks.BUTTON_VALUE for choice in choices)


def question(reading: Reading, clocks: Clocks) -> Message:
    """A time that has no one honest reading: each reading is a button."""
    said = words.timeline.asked(problem=reading.problem, text=shortened(reading.text, QUOTED).replace("\n", "\n>"))
    buttons = [
        blocks.button(_choice(choice, clocks), f"timeline_at_{index}", _reading_value(reading, choice))
        for index, choice in enumerate(dict.fromkeys(reading.question or ()))
    ]
    buttons.append(blocks.button("Just now", "timeline_at_now", _reading_value(reading, None)))
    return blocks.whisper(said, [blocks.section(said), blocks.actions(*buttons)])


def _choice(moment: datetime, clocks: Clocks) -> str:
    local = moment.astimezone(clocks.zone)
    text = f"{moment:%H:%M} UTC" if moment.date() == clocks.now.date() else f"{moment:%-d %b %H:%M} UTC"
    if local.utcoffset() != moment.utcoffset() and clocks.label:
        text += f" ({local:%H:%M} {clocks.label})"
    return text


def line(entry: Entry, case: Case, now: datetime) -> str:
    """An entry as one line of a list, escaped."""
    said: str = words.timeline.line(
        when=when(entry, now),
        text=shortened(code.flat(secrets.masked(entry.text)), 500),
        author=case.name(entry.author),
        number=entry.number,
        change=entry.source_change,
        milestone=SAID[entry.milestone] if entry.milestone and beyond(entry.milestone, entry.text) else "",
    )
    return said


def add_form(channel: str, incident_id: int | None, label: str) -> Block:
    """The form behind [Add entry]: into the incident on whose live message it was pressed."""
    return blocks.modal(
        "Add to the timeline",
        "timeline_add",
        [
            blocks.labelled(
                "What happened, the time first if it was not just now",
                "line",
                blocks.text_input("line", multiline=True, placeholder="14:05 failed over to replica"),
                hint=words.timeline.field_hint(zone=label or "UTC"),
            )
        ],
        submit="Add",
        private_metadata=json.dumps({"channel": channel, "incident": incident_id}),
    )


def help_text(reaction: str, number: int) -> Message:
    """How to use `/timeline`; `reaction` records a message, `number` is that of an entry that there is."""
    return blocks.whisper(words.timeline.help(reaction=reaction, number=number))
