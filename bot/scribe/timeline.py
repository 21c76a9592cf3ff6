"""The timeline's verbs: record what happened, once, at the time that was meant."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from bot.errors import Refused
from bot.incident import timeline as rules
from bot.incident import times
from bot.incident.carried import Carried, with_words, zone_name
from bot.incident.records import Entry, Incident, Person
from bot.incident.text import admit
from bot.incident.times import Reading
from bot.incident.times.zones import label_of
from bot.scribe.desk import Asked, Desk, no_incident, once, require_incident, require_taking
from bot.slack import timeline as says
from bot.slack.blocks import Block, Message
from bot.slack.people import language_of
from storage import incidents
from storage import timeline as kept
from storage.statements import Transaction
from storage.timeline import NewEntry

_LOOK_BACK = 30
"""A repeat within ten seconds is at most this many entries ago."""


class _SameAgain(Exception):
    def __init__(self, incident: Incident, entry: Entry) -> None:
        super().__init__(entry.number)
        self.incident = incident
        self.same = (entry.number, entry.version)


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody typed, decoded: the line with its time still in it, or with the moment already chosen.

    `at` overrides the time (an answered question), `lasts` is its range; `again` records it although it is a repeat.
    `names_times`: the line is all that was typed, and the times that it names are offered beside the one chosen.
    `asked_at` is when its time was asked, for what was written before an incident was opened is not its own.
    """

    line: str
    at: datetime | None = None
    approximate: bool = False
    lasts: timedelta | None = None
    again: bool = False
    names_times: bool = False
    asked_at: datetime | None = None


async def record(desk: Desk, asked: Asked, typed: Typed) -> Message | None:
    """Write down what happened; the reply is the receipt, or the question where the time has no one reading."""
    person = await desk.people.known(asked.team, asked.user)
    clocks = clocks_of(desk, person, asked.now)
    reading = _read(typed, asked.now, clocks)
    if reading.question is not None:
        return _question(reading, clocks)
    text = rules.require_text(admit(reading.text, "That entry"))
    moment = reading.utc or asked.now
    require = rules.require_past if typed.at is None else rules.require_chosen
    require(moment, asked.now)
    new = NewEntry(moment, text, asked.user, asked.user, asked.now, reading.end_utc, reading.approximate)
    named = replace(typed, at=None) if typed.names_times else None
    notes = says.Notes(
        unknown_zone=reading.assumed_zone and desk.lacks_zone(person),
        named=_read(named, asked.now, clocks) if named else None,
    )

    def unit(tx: Transaction) -> Message:
        entry, incident = _append(tx, asked, new, typed)
        return says.receipt(entry, incident, clocks, reading=reading, notes=notes)

    try:
        return await once(desk, asked, unit)
    except Refused as refused:
        raise with_words(refused, _carried(asked, typed, clocks)) from refused
    except _SameAgain as same:
        already = says.already(same.incident, same.same, reading, moment)
    return await once(desk, asked, lambda _: already)


def _carried(asked: Asked, typed: Typed, clocks: says.Clocks) -> Carried:
    """What the button that opens an incident takes along."""
    end = typed.at + typed.lasts if typed.at and typed.lasts else None
    where = (zone_name(clocks.zone), asked.place.channel, asked.key)
    return Carried(typed.line, asked.now, *where, typed.at, end, typed.approximate, language=clocks.language)


def _question(reading: Reading, clocks: says.Clocks) -> Message:
    rules.require_text(reading.text)
    if not says.can_ask(reading):
        sentence = f"Not recorded. {reading.problem} Send it again with the time in full, as in `2026-11-23 14:05 UTC`."
        raise Refused(sentence)
    return says.question(reading, clocks)


async def text_of(desk: Desk, asked: Asked, number: int, version: int) -> str:
    """What an entry says: [Add it again] records the same once more. Raises Refused where it says it no more."""
    entry = await desk.store.read(lambda tx: require_entry(tx, require_incident(tx, asked), number))
    if entry.struck or entry.version != version:
        state = "was taken back" if entry.struck else "was changed"
        sentence = f"#{number} {state} since, so nothing was added. `/timeline …` records what you want to say again."
        raise Refused(sentence)
    return entry.text


def require_of(incident: Incident, asked_at: datetime | None) -> None:
    """Raises Refused for what was asked before this incident was opened, and so belongs to another."""
    if asked_at is not None and incident.opened_at > asked_at:
        sentence = f"{incident.key} was opened after that was asked. Send it again if it belongs to {incident.key}."
        raise Refused(sentence)


def _append(tx: Transaction, asked: Asked, new: NewEntry, typed: Typed) -> tuple[Entry, Incident]:
    incident, number = _take(tx, asked)
    require_of(incident, typed.asked_at)
    if not typed.again:
        same = kept.same_lately(tx, incident.id, new, number - _LOOK_BACK, asked.now - rules.SAME_AGAIN)
        if same is not None:
            raise _SameAgain(incident, require_entry(tx, incident, same))
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
        return times.read(typed.line, now, clocks.zone, language=clocks.language)
    end = typed.at + typed.lasts if typed.lasts else None
    return Reading(typed.at, end, typed.approximate, typed.line, None, "UTC", None, assumed_zone=False, precise=False)


def clocks_of(desk: Desk, person: Person, now: datetime) -> says.Clocks:
    """The clocks by which this person's entries are read and shown."""
    zone = desk.zone_for(person)
    return says.Clocks(now, zone, label_of(zone) if zone is not UTC else "", language_of(person))


async def own_clocks(desk: Desk, asked: Asked) -> says.Clocks:
    """The clocks of whoever asks, at the moment of the request."""
    return clocks_of(desk, await desk.people.known(asked.team, asked.user), asked.now)


def time_in_form(when: str, now: datetime, clocks: says.Clocks) -> Reading:
    """What stands in a form's field for a time; raises Refused where that is no time, or more than one."""
    # Behind a bar a time must be the whole of what stands there.
    reading = times.read(f"it | {when}", now, clocks.zone, language=clocks.language)
    if reading.question is None and (reading.utc is None or reading.text != "it"):
        sentence = f"“{when[:60]}” is no time that I can read. Write it as 2026-11-23 14:05, or as 14:05 UTC."
        raise Refused(sentence, field="when")
    return reading


async def blank_form(desk: Desk, asked: Asked) -> Block:
    """The form that adds an entry."""
    channel = asked.place.channel
    if asked.incident_id is not None:  # pressed in a DM, or below a list of what is wrong
        channel = (await desk.store.read(lambda tx: require_taking(tx, asked))).channel
    return says.add_form(channel, asked.incident_id, (await own_clocks(desk, asked)).label)


def require_entry(tx: Transaction, incident: Incident, number: int) -> Entry:
    """An entry by its number; raises Refused where the incident has none of it."""
    entry = kept.by_number(tx, incident.id, number)
    if entry is None:
        sentence = f"{incident.key} has no entry #{number}. `/timeline show` lists them."
        raise Refused(sentence)
    return entry
