"""Words that had no incident to go into: the incident is opened, and they are recorded in it, once."""

import hashlib
import json

from bot.incident import times
from bot.incident.carried import Carried
from bot.incident.records import Entry, Incident, Status
from bot.incident.text import admit
from bot.incident.timeline import require_text
from bot.incident.times.zones import label_of
from bot.scribe import capture
from bot.scribe.capture import Capture
from bot.scribe.desk import Asked, Desk, once
from bot.scribe.incidents import Opening, opened_in
from bot.slack import carried as says
from bot.slack.blocks import Block, Message
from bot.slack.people import language_of
from bot.slack.reading import Hanging
from bot.slack.timeline import Clocks
from storage import inbox, incidents
from storage import timeline as kept
from storage.statements import Transaction
from storage.timeline import NewEntry


def form(asked: Asked, channel: str, carried: Carried) -> Block:
    """The form that opens an incident for these words."""
    return says.open_form(channel, carried, _clocks(asked, carried))


async def open_with(desk: Desk, asked: Asked, opening: Opening, carried: Carried) -> Message | None:
    """Open an incident in the request's channel and record the words in it, in one transaction.

    Where somebody was faster and one is open there, they are recorded in that one, and the answer says so. Where they
    were recorded before (by a second press, or typed again), they are not recorded twice. Raises Refused where another
    channel was chosen that has an open incident: into that nobody writes from outside.
    """
    wanted = await _capture(desk, asked, carried)

    def unit(tx: Transaction) -> Message:
        standing = incidents.current(tx, asked.place, locking=True)
        is_open = standing is not None and standing.status is not Status.RESOLVED
        if standing is not None and is_open and asked.place.channel == carried.channel:
            return says.recorded(None, standing, _recorded(tx, asked, standing, carried, wanted))
        opened = opened_in(tx, asked, opening)
        return says.recorded(opened, opened, _recorded(tx, asked, opened, carried, wanted))

    return await once(desk, asked, unit)


def _clocks(asked: Asked, carried: Carried) -> Clocks:
    label = label_of(carried.clock()) if carried.zone else ""
    return Clocks(asked.now, carried.clock(), label, carried.language or "en")


async def _capture(desk: Desk, asked: Asked, carried: Carried) -> Capture:
    person = await desk.people.known(asked.team, asked.user)
    author = await desk.people.known(asked.team, carried.author) if carried.author else person
    reading = carried.reading()
    named = None
    if carried.names_times and carried.at is not None:
        named = times.read(carried.line, carried.at, desk.zone_for(author), language=language_of(author))
    # Recorded is when it was typed, which [That was UTC] and the history go by.
    new = NewEntry(
        reading.utc or carried.typed_at,
        require_text(admit(reading.text, "That entry")),
        author.id,
        asked.user,
        carried.typed_at,
        reading.end_utc,
        reading.approximate,
        permalink=carried.link,
        source=carried.source,
    )
    return Capture(
        new,
        tuple(Hanging(*file) for file in carried.files),
        _clocks(asked, carried),
        capture.MARKED if carried.is_marked else "added",
        seen_by=author.name if author.id != asked.user else "",
        reading=reading if carried.at is None else None,
        unknown_zone=reading.assumed_zone and desk.lacks_zone(person),
        named=named,
    )


def _recorded(tx: Transaction, asked: Asked, incident: Incident, carried: Carried, wanted: Capture) -> list[Block]:
    """What the answer shows of the words: the receipt, where they stand already, or the way to the preview of lines."""
    if carried.is_paste:
        return says.lines(incident, carried)
    if (before := _before(tx, incident, carried, wanted)) is not None:
        return says.already(*before)
    entry = kept.add(tx, incident.id, incidents.take_entry_number_in(tx, incident.id), wanted.new, wanted.change)
    inbox.keep(tx, _key(carried), json.dumps({"incident": incident.id, "entry": entry.number}), asked.now)
    blocks: list[Block] = capture.receipt(entry, incident, wanted, capture.wanted(tx, entry, wanted.files))["blocks"]
    return blocks


def _before(tx: Transaction, incident: Incident, carried: Carried, wanted: Capture) -> tuple[Incident, Entry] | None:
    """Where the words stand since before: from this very request, from the same message, or typed once more since."""
    mark = inbox.reply(tx, _key(carried))
    if mark is not None:
        place = json.loads(mark)
        there, entry = incidents.by_id(tx, place["incident"]), kept.by_number(tx, place["incident"], place["entry"])
        if there is not None and entry is not None:
            return there, entry
    if wanted.new.source:
        entry = kept.by_source(tx, incident.id, wanted.new.source)
        return (incident, entry) if entry is not None else None
    said = (wanted.new.recorder, wanted.new.text)
    since = [one for one in kept.standing(tx, incident.id) if one.recorded_at >= carried.typed_at]
    same = next((one for one in since if (one.recorder, one.text) == said), None)
    return (incident, same) if same is not None else None


def _key(carried: Carried) -> str:
    return hashlib.sha256(f"carried\x00{carried.key}".encode()).hexdigest()
