"""Corrections of the timeline: an entry is reworded, moved, taken back and brought back; every wording is kept."""

from dataclasses import dataclass, replace
from datetime import UTC
from functools import partial
from typing import Any

from bot.errors import Refused
from bot.incident import timeline as rules
from bot.incident import times
from bot.incident.records import Entry, Incident
from bot.incident.text import admit
from bot.incident.times import Reading
from bot.scribe.desk import Asked, Desk, once, require_incident
from bot.scribe.pressed import TYPED, Pressed, changed_since, entry_since, require_standing
from bot.scribe.resolution import as_corrected
from bot.scribe.timeline import own_clocks, require_entry, time_in_form
from bot.scribe.timeline_moved import Seen, last_editor
from bot.slack import corrections, fields
from bot.slack import timeline as says
from bot.slack.blocks import Block, Message
from bot.slack.corrections import Typed
from storage import attachments
from storage import timeline as kept
from storage.statements import Transaction


async def show_one(desk: Desk, asked: Asked, number: int) -> Message:
    """One entry with every wording it ever had."""
    clocks = await own_clocks(desk, asked)

    def look(tx: Transaction) -> Message:
        incident = require_incident(tx, asked)
        entry = require_entry(tx, incident, number)
        return corrections.history(entry, kept.versions(tx, entry.id), clocks, partial(desk.people.name, asked.team))

    return await desk.store.read(look)


@dataclass(frozen=True, slots=True)
class Rewording:
    """What an entry is to become: an empty text keeps the words, None or a reading without a time keeps the time.

    Of a form, `version` is the one that its editor saw, and `typed` what they changed in it; None for a command.
    `is_chosen`: the time is one of those that were asked.
    """

    reading: Reading | None
    text: str
    typed: Typed | None = None
    version: int | None = None
    is_chosen: bool = False


async def edit(desk: Desk, asked: Asked, number: int, line: str) -> Message | None:
    """Change an entry's time, its text or both, as `/timeline edit 4 [time] [text]`."""
    clocks = await own_clocks(desk, asked)
    reading = times.read(line, asked.now, clocks.zone, language=clocks.language)
    if reading.question is not None:
        return await _ask(desk, asked, number, reading, clocks)
    return await _amend(desk, asked, number, Rewording(reading, reading.text), clocks)


async def _ask(desk: Desk, asked: Asked, number: int, reading: Reading, clocks: says.Clocks) -> Message:
    entry = await desk.store.read(lambda tx: require_entry(tx, require_incident(tx, asked), number))
    question = corrections.question(entry, reading, clocks)
    if question is None:
        raise Refused(_not_changed(number, reading, asked))
    return question


async def edit_at(desk: Desk, asked: Asked, seen: Seen, reading: Reading) -> Message | None:
    """Change an entry as `/timeline edit` would have, at the one of its readings that was chosen."""
    clocks = await own_clocks(desk, asked)
    rewording = Rewording(reading, reading.text, version=seen.version, is_chosen=True)
    return await _amend(desk, asked, seen.number, rewording, clocks)


async def save_form(desk: Desk, asked: Asked, metadata: dict[str, Any], values: dict[str, Any]) -> Message | None:
    """Save the form behind [Edit]; raises Refused for a time that cannot be read, which the form then shows."""
    clocks = await own_clocks(desk, asked)
    when = fields.change(metadata, "when", str(values.get("when") or "").strip())
    typed = Typed(when, fields.text_change(metadata, values))
    reading = None if when is None else time_in_form(when, asked.now, clocks)
    rewording = Rewording(reading, typed.text or "", typed, int(metadata["version"]))
    return await _amend(desk, asked, int(metadata["entry"]), rewording, clocks)


async def _amend(desk: Desk, asked: Asked, number: int, wanted: Rewording, clocks: says.Clocks) -> Message | None:
    text = admit(wanted.text, "That entry")
    _require_one(wanted, number, asked)

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, asked, locking=True)
        before = require_entry(tx, incident, number)
        if wanted.version is not None and before.version != wanted.version:
            who = last_editor(desk, tx, asked, before)
            if wanted.typed is None:
                return corrections.changed_since(before, clocks, who)
            return corrections.stale_form(before, clocks, wanted.typed, who)
        entry = replace(_moved(before, wanted, clocks), text=text or before.text, struck=False)
        if entry == before:
            return corrections.standing(entry, clocks)
        entry = kept.amend(tx, entry, "edited", asked.user, asked.now)
        turn = corrections.Turn(incident, as_corrected(tx, desk.rules, incident, entry, asked.now), asked.user)
        return corrections.edited(entry, before, clocks, turn, attachments.names(tx, entry.id), named=wanted.reading)

    return await once(desk, asked, unit)


def _require_one(wanted: Rewording, number: int, asked: Asked) -> None:
    """Raises Refused for a time that has not one reading, and for one that is still to come, unless it was chosen."""
    reading = wanted.reading
    if reading is None:
        return
    if reading.question is not None:
        raise Refused(_not_changed(number, reading, asked), field="when")
    if reading.utc is not None:
        require = rules.require_chosen if wanted.is_chosen else rules.require_past
        require(reading.utc, asked.now)


def _not_changed(number: int, reading: Reading, asked: Asked) -> str:
    as_in = rules.in_full(reading.question, asked.now)
    return f"#{number} was not changed. {reading.problem} Write the time in full, as in {as_in}."


def _moved(before: Entry, wanted: Rewording, clocks: says.Clocks) -> Entry:
    """The entry at the time that was read; raises Refused where that says nothing of an end which it then needs.

    A form shows the whole time, and what it says is meant. A command may give the start alone: then the end moves
    along, and seconds stay where only the minute was written.
    """
    reading = wanted.reading
    if reading is None or reading.utc is None:
        return before
    start, end = reading.utc, reading.end_utc
    if wanted.typed is None:
        whole = reading.precise
        start = start if whole else rules.same_minute(before.happened_at, start)
        if end is not None:
            end = end if whole or before.ended_at is None else rules.same_minute(before.ended_at, end)
        elif before.ended_at is not None:
            end = rules.end_moved(before, start, clocks.now, clocks.zone)
    return replace(before, happened_at=start, ended_at=end, approximate=reading.approximate)


async def offer_edit(desk: Desk, asked: Asked, number: int) -> Message:
    """`/timeline edit 4` without words: the entry with its buttons."""
    clocks = await own_clocks(desk, asked)
    entry = await desk.store.read(lambda tx: require_entry(tx, require_incident(tx, asked), number))
    return corrections.standing(entry, clocks)


async def strike(desk: Desk, asked: Asked, number: int | None, pressed: Pressed = TYPED) -> Message | None:
    """Take an entry back: the numbered one, else the one this person recorded last. It stays in the history."""
    clocks = await own_clocks(desk, asked)

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, asked, locking=True)
        entry = _last(tx, incident, asked.user) if number is None else require_entry(tx, incident, number)
        if now := entry_since(tx, desk, asked, entry, pressed, clocks):
            return now
        if entry.struck:
            sentence = f"#{entry.number} was taken back already."
            raise Refused(sentence)
        entry = kept.amend(tx, replace(entry, struck=True), "struck", asked.user, asked.now)
        after = as_corrected(tx, desk.rules, incident, entry, asked.now)
        return corrections.struck(entry, corrections.Turn(incident, after, asked.user, pressed.is_harmless))

    return await once(desk, asked, unit)


async def restore(desk: Desk, asked: Asked, number: int, pressed: Pressed = TYPED) -> Message | None:
    """Bring a struck entry back."""

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, asked, locking=True)
        entry = require_entry(tx, incident, number)
        if not entry.struck:
            sentence = f"#{number} stands in the timeline already."
            raise Refused(sentence)
        entry = kept.amend(tx, replace(entry, struck=False), "restored", asked.user, asked.now)
        after = as_corrected(tx, desk.rules, incident, entry, asked.now)
        return corrections.restored(entry, corrections.Turn(incident, after, asked.user, pressed.is_harmless))

    return await once(desk, asked, unit)


async def as_utc(desk: Desk, asked: Asked, number: int, written: str, pressed: Pressed) -> Message | None:
    """Read an entry's time as it was written once more, in UTC; its words stay: the answer to [That was UTC].

    What was taken back or changed since the button was shown stays as it is.
    """
    clocks = await own_clocks(desk, asked)

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, asked, locking=True)
        before = require_entry(tx, incident, number)
        if now := entry_since(tx, desk, asked, before, pressed, clocks):
            return now
        reading = times.read(f"{written} .", before.recorded_at, UTC, language=clocks.language)
        if reading.utc is None:
            why = f"{reading.problem or ''} `/timeline edit {number} …` gives it a time in full."
            raise Refused(f"#{number} stays as it is. {why}")
        lasts = before.ended_at - before.happened_at if before.ended_at else None
        end = reading.end_utc or (reading.utc + lasts if lasts else None)
        entry = replace(before, happened_at=reading.utc, ended_at=end, struck=False)
        entry = kept.amend(tx, entry, "edited", asked.user, asked.now)
        after = as_corrected(tx, desk.rules, incident, entry, asked.now)
        return corrections.edited(entry, before, clocks, corrections.Turn(incident, after, asked.user))

    return await once(desk, asked, unit)


async def form_for(desk: Desk, asked: Asked, number: int, pressed: Pressed) -> Block:
    """The form that edits an entry; raises Refused for one that was taken back."""
    clocks = await own_clocks(desk, asked)

    def look(tx: Transaction) -> Block:
        entry = require_entry(tx, require_incident(tx, asked), number)
        require_standing(tx, desk, asked, entry)
        return corrections.edit_form(entry, clocks, changed_since(tx, desk, asked, entry, pressed))

    return await desk.store.read(look)


def _last(tx: Transaction, incident: Incident, user: str) -> Entry:
    entry = kept.last_by(tx, incident.id, user)
    if entry is None:
        sentence = f"You have recorded nothing in {incident.key} that could be taken back."
        raise Refused(sentence)
    return entry
