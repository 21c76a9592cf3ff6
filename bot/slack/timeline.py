"""How the timeline looks in Slack."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from bot.incident import code, secrets
from bot.incident import timeline as rules
from bot.incident.lifecycle import SAID, beyond
from bot.incident.offers import offers
from bot.incident.records import Case, Entry, Incident, Status
from bot.incident.text import shortened
from bot.incident.times import Reading, shown
from bot.slack import blocks, days
from bot.slack import offers as offering
from bot.slack import secrets as warns
from bot.slack.blocks import Block, Message
from bot.slack.offers import Stands
from bot.slack.words import words

QUOTED = 2_000
"""Characters of an entry's text that a message shows; all of it is in the record and in every export."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """What is needed to show a moment in UTC and on its author's own clock, and to read one in their language."""

    now: datetime
    zone: tzinfo
    label: str
    language: str = "en"

    def both(self, entry: Entry) -> str:
        """`12:05 UTC (14:05 Berlin)`, with dates where it was not today."""
        return self.told(entry.happened_at, entry.ended_at, approximate=entry.approximate)

    def worded(self, entry: Entry) -> str:
        """The same with the day in words where it was not today, and whether it is still to come."""
        day, told = self.day(entry), self.both(entry)
        ahead = days.is_ahead(entry.happened_at, self.now)
        return str(words.timeline.when(day=day, when=told, ahead=ahead)) if day or ahead else told

    def day(self, entry: Entry) -> str:
        """`yesterday`: the day in words, empty for today."""
        return days.in_words(entry.happened_at.date(), self.now.date())

    def told(self, moment: datetime, end: datetime | None = None, *, approximate: bool = False) -> str:
        """The same of a moment, or of the span up to `end`."""
        text = f"{_dated(moment, end, self.now, approximate=approximate)} UTC"
        ends = [each.astimezone(self.zone) for each in (moment, end) if each]
        if not self.label or not any(each.utcoffset() for each in ends):
            return text
        return f"{text} ({_local(moment, ends)} {self.label})"

    def on_both(self, moment: datetime, end: datetime | None = None, *, approximate: bool = False) -> str:
        """The same with its date in any case, as a history tells it."""
        told = self.told(moment, end, approximate=approximate)
        return told if told.startswith(f"{moment:%Y-}") else f"{moment:%Y-%m-%d} {told}"


def when(entry: Entry, now: datetime) -> str:
    """An entry's time in UTC, with its date where that is not today."""
    return _dated(entry.happened_at, entry.ended_at, now, approximate=entry.approximate)


def _dated(moment: datetime, end: datetime | None, now: datetime, *, approximate: bool) -> str:
    if end and end.date() != moment.date():
        about = "~" if approximate else ""
        return f"{moment:%Y-%m-%d} {about}{moment:%H:%M} – {end:%Y-%m-%d %H:%M}"
    clock = shown(moment, end, approximate, precise=_is_short(moment, end))
    return clock if moment.date() == now.date() else f"{moment:%Y-%m-%d} {clock}"


def _is_short(moment: datetime, end: datetime | None) -> bool:
    """Whether the minutes alone would show both ends as one."""
    return end is not None and f"{moment:%H:%M}" == f"{end:%H:%M}" and end.date() == moment.date()


def _local(moment: datetime, ends: list[datetime]) -> str:
    """Both ends of a span, or the one moment, on somebody's own clock: with days where these are not UTC's own."""
    first, last = ends[0], ends[-1]
    if first.date() != last.date():
        return " – ".join(f"{each.day} {each:%b %H:%M}" for each in ends)
    clock = "%H:%M:%S" if _is_short(first, last) and last != first else "%H:%M"
    day = "" if first.date() == moment.date() else f"{first:%a} "
    return day + "–".join(f"{each:{clock}}" for each in ends)


@dataclass(frozen=True, slots=True)
class Notes:
    """What a receipt says beside the entry.

    `author` is the name of whoever saw it, where somebody else recorded it; `unknown_zone`: its time was read in UTC
    for want of their own; `files` are the names of those that are kept with it. `named` is the reading whose times are
    offered, where that is not the one that the entry was recorded by, and `stands` says at which time the entry stands.
    """

    author: str = ""
    unknown_zone: bool = False
    files: tuple[str, ...] = ()
    named: Reading | None = None
    stands: Stands = Stands.NOW


def receipt(entry: Entry, incident: Incident, clocks: Clocks, *, reading: Reading | None, notes: Notes) -> Message:
    """What its author reads once the entry is on disk; `reading` is how its time was read, where one was typed."""
    resolved = incident.status is Status.RESOLVED
    spans = secrets.found(entry.text)
    text = shortened(secrets.replaced(entry.text, spans, secrets.MASK) if spans else entry.text, QUOTED)
    said = words.timeline.receipt(when=clocks.worded(entry), text=text)
    note = words.timeline.receipt_note(
        number=entry.number,
        key=incident.key,
        resolved=resolved,
        odd=rules.is_like_command(entry.text),
        author=notes.author,
        unknown_zone=notes.unknown_zone,
    )
    warning = warns.warning(spans, ref(entry), notes.files) if spans else []
    found = offers(notes.named or reading, entry.happened_at, clocks.now)
    row = edit_row(entry, _own_clock(reading, entry, clocks), offering.buttons(entry, found, clocks.now))
    return blocks.whisper(
        said, [blocks.section(said), blocks.context(note), *warning, *offering.note(found, notes.stands), row]
    )


def _own_clock(reading: Reading | None, entry: Entry, clocks: Clocks) -> str:
    """The time as it was written, where it was read on its author's own clock and that is not UTC's; else empty."""
    if reading is None or not reading.assumed_zone or not reading.written:
        return ""
    return reading.written if entry.happened_at.astimezone(clocks.zone).utcoffset() else ""


def edit_row(entry: Entry, written: str = "", offered: Sequence[Block] = (), *, is_harmless: bool = False) -> Block:
    """[Edit], [Undo], and [That was UTC] where a time was written that would be another moment in UTC.

    `offered` are the buttons of times that the words name. `is_harmless` where its author said so of what looks like a
    credential in it: the answers to them show it as well.
    """
    this = ref(entry, is_harmless=is_harmless)
    buttons = [blocks.button("Edit", "timeline_edit", this), blocks.button("Undo", "timeline_undo", this)]
    if written:
        buttons.append(blocks.button("That was UTC", "timeline_utc", ref(entry, written=written)))
    return blocks.actions(*buttons, *offered)


def standing_row(entry: Entry, *, is_harmless: bool = False) -> Block:
    """The buttons of an entry as it stands: [Edit] and [Undo], or [Bring back] where it was taken back."""
    if not entry.struck:
        return edit_row(entry, is_harmless=is_harmless)
    return blocks.actions(blocks.button("Bring back", "timeline_restore", ref(entry, is_harmless=is_harmless)))


def ref(entry: Entry, *, is_harmless: bool = False, **more: str) -> str:
    """What a button carries to find its entry again; the handler checks that it belongs to the channel."""
    return blocks.about_entry(entry, **(more | ({"harmless": True} if is_harmless else {})))


def already(incident: Incident, same: tuple[int, int], reading: Reading, moment: datetime) -> Message:
    """The same was typed a moment ago, as the entry of this number and version.

    There is a way to add it after all, at the moment that was meant.
    """
    number, version = same
    said = words.timeline.already(number=number, text=shortened(secrets.masked(reading.text), QUOTED))
    value = blocks.about(incident, entry=number, version=version, **time_of(reading, moment))
    return blocks.whisper(
        said, [blocks.section(said), blocks.actions(blocks.button("Add it again", "timeline_again", value))]
    )


def time_of(reading: Reading, moment: datetime | None) -> dict[str, Any]:
    """A time as a button carries it; None is the moment of the click."""
    if moment is None:
        return {"at": ""}
    lasts = reading.end_utc - moment if reading.end_utc else reading.lasts
    return {
        "at": moment.isoformat(),
        "approximate": reading.approximate,
        "lasts": int(lasts.total_seconds()) if lasts else 0,
    }


_SOME_TIME = datetime(2026, 11, 23, 12, 30, 0, 1, UTC)


def _reading_value(reading: Reading, moment: datetime | None, asked_at: datetime = _SOME_TIME) -> str:
    told = {"text": reading.text, **time_of(reading, moment), "asked": asked_at.isoformat()}
    return json.dumps(told, ensure_ascii=False)


def can_ask(reading: Reading) -> bool:
    """Whether buttons can hold the text until one of them is pressed."""
    choices = (None, *(reading.question or ()))
    return all(len(_reading_value(reading, choice)) <= blocks.BUTTON_VALUE for choice in choices)


def question(reading: Reading, clocks: Clocks) -> Message:
    """A time that has no one honest reading: each reading is a button."""
    said = words.timeline.asked(problem=reading.problem, text=shortened(reading.text, QUOTED).replace("\n", "\n>"))
    buttons = [
        blocks.button(choice_label(choice, clocks), f"timeline_at_{index}", _reading_value(reading, choice, clocks.now))
        for index, choice in enumerate(rules.choices(reading.question, clocks.now))
    ]
    buttons.append(blocks.button("Just now", "timeline_at_now", _reading_value(reading, None, clocks.now)))
    return blocks.whisper(said, [blocks.section(said), blocks.actions(*buttons)])


def choice_label(moment: datetime, clocks: Clocks) -> str:
    """`yesterday 14:00 UTC (15:00 Berlin)`, `today 14:00 UTC (15:00 Berlin), still to come`."""
    local = moment.astimezone(clocks.zone)
    text = days.labelled(moment, clocks.now)
    if local.utcoffset() != moment.utcoffset() and clocks.label:
        day = "" if local.date() == moment.date() else f"{local:%a} "
        text += f" ({day}{local:%H:%M} {clocks.label})"
    return f"{text}, still to come" if days.is_ahead(moment, clocks.now) else text


def line(entry: Entry, case: Case, now: datetime) -> str:
    """An entry as one line of a list, escaped."""
    said: str = words.timeline.line(
        when=when(entry, now),
        ahead=days.is_ahead(entry.happened_at, now),
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
