"""The timeline's verbs: record, show, correct."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from bot.errors import Refused
from bot.incident import moments
from bot.incident import timeline as rules
from bot.incident.carried import Carried, with_words, zone_name
from bot.incident.moments import Reading
from bot.incident.records import Entry, Incident, Person
from bot.incident.text import admit
from bot.incident.zones import label_of
from bot.scribe.desk import Asked, Desk, no_incident, once, require_incident, require_taking
from bot.scribe.resolution import as_corrected
from bot.slack import corrections
from bot.slack import timeline as says
from bot.slack.blocks import Block, Message
from storage import attachments, incidents
from storage import timeline as kept
from storage.statements import Transaction
from storage.timeline import NewEntry

_LOOK_BACK = 30
"""A repeat within ten seconds is at most this many entries ago."""


class _SameAgain(Exception):
    def __init__(self, incident: Incident, number: int) -> None:
        super().__init__(number)
        self.incident = incident
        self.number = number


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody typed, decoded: the line with its time still in it, or with the moment already chosen.

    `at` overrides the time (an answered question), `lasts` is its range; `again` records it although it is a repeat.
    """

    line: str
    at: datetime | None = None
    approximate: bool = False
    lasts: timedelta | None = None
    again: bool = False


async def record(desk: Desk, asked: Asked, typed: Typed) -> Message | None:
    """Write down what happened; the reply is the receipt, or the question where the time has no one reading."""
    person = await desk.people.known(asked.team, asked.user)
    clocks = clocks_of(desk, person, asked.now)
    reading = _read(typed, asked.now, clocks)
    if reading.question is not None:
        return _question(reading, clocks)
    text = rules.require_text(admit(reading.text, "That entry"))
    moment = reading.utc or asked.now
    rules.require_past(moment, asked.now)
    new = NewEntry(moment, text, asked.user, asked.user, asked.now, reading.end_utc, reading.approximate)
    notes = {"author": "", "unknown_zone": reading.assumed_zone and not person.zone}

    def unit(tx: Transaction) -> Message:
        entry, incident = _append(tx, asked, new, again=typed.again)
        return says.receipt(entry, incident, clocks, reading=reading, notes=notes)

    try:
        return await once(desk, asked, unit)
    except Refused as refused:
        raise with_words(refused, _carried(asked, typed, clocks)) from refused
    except _SameAgain as same:
        already = says.already(same.incident, same.number, reading, moment)
    return await once(desk, asked, lambda _: already)


def _carried(asked: Asked, typed: Typed, clocks: says.Clocks) -> Carried:
    """What the button that opens an incident takes along."""
    end = typed.at + typed.lasts if typed.at and typed.lasts else None
    where = (zone_name(clocks.zone), asked.place.channel, asked.key)
    return Carried(typed.line, asked.now, *where, typed.at, end, typed.approximate)


def _question(reading: Reading, clocks: says.Clocks) -> Message:
    rules.require_text(reading.text)
    if not says.can_ask(reading):
        sentence = f"Not recorded. {reading.problem} Send it again with the time in full, as in `2026-11-23 14:05 UTC`."
        raise Refused(sentence)
    return says.question(reading, clocks)


async def text_of(desk: Desk, asked: Asked, number: int) -> str:
    """What an entry says: [Add it again] records the same once more."""
    return await desk.store.read(lambda tx: _entry(tx, require_incident(tx, asked), number).text)


def _append(tx: Transaction, asked: Asked, new: NewEntry, *, again: bool) -> tuple[Entry, Incident]:
    incident, number = _take(tx, asked)
    if not again:
        same = kept.same_lately(tx, incident.id, new, number - _LOOK_BACK, asked.now - rules.SAME_AGAIN)
        if same is not None:
            raise _SameAgain(incident, same)
    return kept.add(tx, incident.id, number, new), incident


def _take(tx: Transaction, asked: Asked) -> tuple[Incident, int]:
    """The incident to write into, with its next number: the one that a button named, else the channel's."""
    if asked.incident_id is None:
        taken = incidents.take_entry_number(tx, asked.place)
        if taken is None:
            raise Refused(no_incident(asked), offer="open_incident")
        return taken
    incident = require_taking(tx, asked, locking=True)
    return incident, incidents.take_entry_number_in(tx, incident.id)


def _read(typed: Typed, now: datetime, clocks: says.Clocks) -> Reading:
    if typed.at is None:
        return moments.read(typed.line, now, clocks.zone)
    end = typed.at + typed.lasts if typed.lasts else None
    return Reading(typed.at, end, typed.approximate, typed.line, None, "UTC", None, assumed_zone=False, precise=False)


def clocks_of(desk: Desk, person: Person, now: datetime) -> says.Clocks:
    """The clocks by which this person's entries are read and shown."""
    zone = desk.zone_for(person)
    return says.Clocks(now, zone, label_of(zone) if zone is not UTC else "")


async def own_clocks(desk: Desk, asked: Asked) -> says.Clocks:
    """The clocks of whoever asks, at the moment of the request."""
    return clocks_of(desk, await desk.people.known(asked.team, asked.user), asked.now)


async def show_one(desk: Desk, asked: Asked, number: int) -> Message:
    """One entry with every wording it ever had."""

    def look(tx: Transaction) -> Message:
        incident = require_incident(tx, asked)
        entry = _entry(tx, incident, number)
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


def time_in_form(when: str, now: datetime, clocks: says.Clocks) -> Reading:
    """What stands in a form's field for a time; raises Refused where that is no time, or more than one."""
    # Behind a bar a time must be the whole of what stands there.
    reading = moments.read(f"it | {when}", now, clocks.zone)
    if reading.question is None and (reading.utc is None or reading.text != "it"):
        sentence = f"“{when[:60]}” is no time that I can read. Write it as 2026-11-23 14:05, or as 14:05 UTC."
        raise Refused(sentence, field="when")
    return reading


async def _amend(desk: Desk, asked: Asked, number: int, wanted: Rewording, clocks: says.Clocks) -> Message | None:
    reading, text = wanted.reading, admit(wanted.text, "That entry")
    if reading.question is not None:
        sentence = f"#{number} was not changed. {reading.problem} Write the time in full, as in 2026-11-23 14:05 UTC."
        raise Refused(sentence, field="when")
    if reading.utc is not None:
        rules.require_past(reading.utc, asked.now)

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, asked, locking=True)
        before = _entry(tx, incident, number)
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
    entry = await desk.store.read(lambda tx: _entry(tx, require_incident(tx, asked), number))
    return corrections.standing(entry, clocks)


async def strike(desk: Desk, asked: Asked, number: int | None) -> Message | None:
    """Take an entry back: the numbered one, else the one this person recorded last. It stays in the history."""

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, asked, locking=True)
        entry = _last(tx, incident, asked.user) if number is None else _entry(tx, incident, number)
        if entry.struck:
            sentence = f"#{entry.number} was taken back already."
            raise Refused(sentence)
        entry = kept.amend(tx, replace(entry, struck=True), "struck", asked.user, asked.now)
        after = as_corrected(tx, desk.rules, incident, entry, asked.now)
        return corrections.struck(entry, corrections.Turn(incident, after, asked.user))

    return await once(desk, asked, unit)


async def restore(desk: Desk, asked: Asked, number: int) -> Message | None:
    """Bring a struck entry back."""

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, asked, locking=True)
        entry = _entry(tx, incident, number)
        if not entry.struck:
            sentence = f"#{number} stands in the timeline already."
            raise Refused(sentence)
        entry = kept.amend(tx, replace(entry, struck=False), "restored", asked.user, asked.now)
        after = as_corrected(tx, desk.rules, incident, entry, asked.now)
        return corrections.restored(entry, corrections.Turn(incident, after, asked.user))

    return await once(desk, asked, unit)


async def as_utc(desk: Desk, asked: Asked, number: int, written: str) -> Message | None:
    """Read an entry's time as it was written once more, in UTC; its words stay: the answer to [That was UTC]."""
    clocks = await own_clocks(desk, asked)

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, asked, locking=True)
        before = _entry(tx, incident, number)
        reading = moments.read(f"{written} .", before.recorded_at, UTC)
        if reading.utc is None:
            raise Refused(f"#{number} stays as it is. {reading.problem or ''} Press [Edit] to give the time in full.")
        entry = replace(before, happened_at=reading.utc, ended_at=reading.end_utc, struck=False)
        entry = kept.amend(tx, entry, "edited", asked.user, asked.now)
        after = as_corrected(tx, desk.rules, incident, entry, asked.now)
        return corrections.edited(entry, before, clocks, corrections.Turn(incident, after, asked.user))

    return await once(desk, asked, unit)


async def form_for(desk: Desk, asked: Asked, number: int) -> Block:
    """The form that edits an entry."""
    clocks = await own_clocks(desk, asked)
    entry = await desk.store.read(lambda tx: _entry(tx, require_incident(tx, asked), number))
    return corrections.edit_form(entry, clocks)


async def blank_form(desk: Desk, asked: Asked) -> Block:
    """The form that adds an entry."""
    channel = asked.place.channel
    if asked.incident_id is not None:  # pressed in a DM, or below a list of what is wrong
        channel = (await desk.store.read(lambda tx: require_incident(tx, asked))).channel
    return says.add_form(channel, asked.incident_id, (await own_clocks(desk, asked)).label)


def _entry(tx: Transaction, incident: Incident, number: int) -> Entry:
    entry = kept.by_number(tx, incident.id, number)
    if entry is None:
        sentence = f"{incident.key} has no entry #{number}. `/timeline show` lists them."
        raise Refused(sentence)
    return entry


def _last(tx: Transaction, incident: Incident, user: str) -> Entry:
    entry = kept.last_by(tx, incident.id, user)
    if entry is None:
        sentence = f"You have recorded nothing in {incident.key} that could be taken back."
        raise Refused(sentence)
    return entry
