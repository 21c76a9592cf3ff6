"""Corrections of the timeline: an entry is reworded, moved, taken back and brought back; every wording is kept."""

from dataclasses import dataclass, replace
from datetime import UTC
from functools import partial
from typing import Any

from bot.errors import Refused
from bot.incident import moments
from bot.incident import timeline as rules
from bot.incident.moments import Reading
from bot.incident.records import Entry, Incident
from bot.incident.text import admit
from bot.scribe.desk import Asked, Desk, once, require_incident
from bot.scribe.pressed import TYPED, Pressed, changed_since, entry_since, require_standing
from bot.scribe.resolution import as_corrected
from bot.scribe.timeline import own_clocks, require_entry, time_in_form
from bot.slack import corrections
from bot.slack import timeline as says
from bot.slack.blocks import Block, Message
from storage import attachments
from storage import timeline as kept
from storage.statements import Transaction


async def show_one(desk: Desk, asked: Asked, number: int) -> Message:
    """One entry with every wording it ever had."""

    def look(tx: Transaction) -> Message:
        incident = require_incident(tx, asked)
        entry = require_entry(tx, incident, number)
        return corrections.history(entry, kept.versions(tx, entry.id), partial(desk.people.name, asked.team))

    return await desk.store.read(look)


@dataclass(frozen=True, slots=True)
class Rewording:
    """What an entry is to become: an empty text keeps the words, a reading without a time keeps the time.

    `version` is the one that the editor saw (None for whatever stands), `typed` the time and text as the form has them.
    """

    reading: Reading
    text: str
    typed: tuple[str, str] = ("", "")
    version: int | None = None


async def edit(desk: Desk, asked: Asked, number: int, line: str) -> Message | None:
    """Change an entry's time, its text or both, as `/timeline edit 4 [time] [text]`."""
    clocks = await own_clocks(desk, asked)
    reading = moments.read(line, asked.now, clocks.zone)
    return await _amend(desk, asked, number, Rewording(reading, reading.text), clocks)


async def save_form(desk: Desk, asked: Asked, metadata: dict[str, Any], values: dict[str, Any]) -> Message | None:
    """Save the form behind [Edit]; raises Refused for a time that cannot be read, which the form then shows."""
    clocks = await own_clocks(desk, asked)
    when, text = str(values.get("when") or "").strip(), str(values.get("text") or "")
    reading = time_in_form(when, asked.now, clocks)
    rewording = Rewording(reading, text, (when, text), int(metadata["version"]))
    return await _amend(desk, asked, int(metadata["entry"]), rewording, clocks)


async def _amend(desk: Desk, asked: Asked, number: int, wanted: Rewording, clocks: says.Clocks) -> Message | None:
    reading, text = wanted.reading, admit(wanted.text, "That entry")
    if reading.question is not None:
        sentence = f"#{number} was not changed. {reading.problem} Write the time in full, as in 2026-11-23 14:05 UTC."
        raise Refused(sentence, field="when")
    if reading.utc is not None:
        rules.require_past(reading.utc, asked.now)

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, asked, locking=True)
        before = require_entry(tx, incident, number)
        if wanted.version is not None and before.version != wanted.version:
            who = kept.versions(tx, before.id)[-1].changed_by
            return corrections.stale_form(before, clocks, wanted.typed, desk.people.name(asked.team, who) or who)
        entry = replace(before, text=rules.reworded(before.text, text), struck=False)
        if reading.utc is not None and not _same_minute(before, reading):
            entry = replace(entry, happened_at=reading.utc, ended_at=reading.end_utc, approximate=reading.approximate)
        entry = kept.amend(tx, entry, "edited", asked.user, asked.now)
        turn = corrections.Turn(incident, as_corrected(tx, desk.rules, incident, entry, asked.now), asked.user)
        return corrections.edited(entry, before, clocks, turn, attachments.names(tx, entry.id))

    return await once(desk, asked, unit)


def _same_minute(before: Entry, reading: Reading) -> bool:
    """A form shows minutes: saving it unchanged must not drop an entry's seconds."""
    same_start = before.happened_at.replace(second=0, microsecond=0) == reading.utc
    return same_start and (before.ended_at is None) == (reading.end_utc is None) and not reading.precise


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
        reading = moments.read(f"{written} .", before.recorded_at, UTC)
        if reading.utc is None:
            why = f"{reading.problem or ''} `/timeline edit {number} …` gives it a time in full."
            raise Refused(f"#{number} stays as it is. {why}")
        entry = replace(before, happened_at=reading.utc, ended_at=reading.end_utc, struck=False)
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
