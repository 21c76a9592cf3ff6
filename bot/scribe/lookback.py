"""Looking back through a channel's history: begin, walk on, propose, and record what was chosen."""

import json
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from bot.errors import Refused
from bot.incident.lookback import SPANS, Proposal, Reason
from bot.incident.records import Entry, Incident, Place
from bot.incident.spots import Noun, Subject
from bot.scribe.capture import wanted
from bot.scribe.desk import Asked, Desk, closed, once, require_taking
from bot.scribe.secrets import warn
from bot.scribe.timeline import own_clocks
from bot.slack import lookback as says
from bot.slack.blocks import Block, Message
from bot.slack.history import address
from bot.slack.reading import Hanging, source_of
from storage import incidents, lookbacks, people
from storage import timeline as kept
from storage.lookbacks import Lookback, NewLookback
from storage.statements import Transaction
from storage.timeline import NewEntry


async def begin(desk: Desk, asked: Asked, hours: int, app: str) -> Message | None:
    """[Look back 2 hours]: a walk that the next tick takes up. `app` is our own app id, whose messages it skips."""
    span = SPANS[hours]

    def unit(tx: Transaction) -> Message:
        incident = require_taking(tx, asked, locking=True)
        _begin(tx, asked, incident, asked.now - span, app)
        return says.begun(incident, hours)

    return await once(desk, asked, unit)


async def again(desk: Desk, asked: Asked, value: dict[str, Any]) -> Message | None:
    """[Try again] below a walk that failed: the same span once more, from its latest message on."""
    row = await _found_by(desk, asked, value["lookback"])

    def unit(tx: Transaction) -> Message:
        incident = _incident(tx, row, locking=True)
        _begin(tx, asked, incident, row.oldest, json.loads(row.cursor)["app"])
        return says.begun_again(incident)

    return await once(desk, asked, unit)


def _begin(tx: Transaction, asked: Asked, incident: Incident, oldest: datetime, app: str) -> None:
    if lookbacks.is_going(tx, incident.id):
        sentence = f"I am looking back for {incident.key} already. What I find comes as a direct message."
        raise Refused(sentence)
    cursor = json.dumps({"latest": f"{asked.now.timestamp():.6f}", "app": app})
    new = NewLookback(asked.team, incident.channel, incident.id, asked.user, oldest, cursor)
    lookbacks.add(tx, new, asked.now)


async def choose(desk: Desk, asked: Asked, value: dict[str, Any]) -> Block:
    """[Choose]: the window that lists what was found and is not recorded yet."""
    row = await _found_by(desk, asked, value["lookback"])
    clocks = await own_clocks(desk, asked)
    page = int(value["page"])
    proposals = proposals_of(row)[page * says.PAGE : (page + 1) * says.PAGE]

    def look(tx: Transaction) -> Block:
        incident = _incident(tx, row)
        new = [one for one in proposals if not kept.by_source(tx, incident.id, source_of(row.channel, one.ts))]
        if not new:
            sentence = f"All of these messages are recorded in {incident.key} already."
            raise Refused(sentence)
        named = [(one, _name(tx, row.team, one.author)) for one in new]
        return says.window(incident, named, clocks, row.id, page)

    return await desk.store.read(look)


async def record(desk: Desk, asked: Asked, lookback_id: object, ticked: frozenset[str]) -> Message | None:
    """The window was sent: every ticked message becomes an entry, each once, all of them or none."""
    row = await _found_by(desk, asked, lookback_id)
    chosen = [one for one in proposals_of(row) if one.ts in ticked]
    if not chosen:
        sentence = "No message is ticked, so there is nothing to record. Tick at least one, or close this window."
        raise Refused(sentence)
    home = json.loads(row.cursor).get("home", "")

    def unit(tx: Transaction) -> Message:
        incident = _incident(tx, row, locking=True)
        links = (address(home, row.channel, one.ts, one.thread) for one in chosen)
        added = [_add(tx, incident, asked, one, link) for one, link in zip(chosen, links, strict=True)]
        entries = [entry for entry in added if entry is not None]
        if not entries:
            sentence = f"All of these messages are recorded in {incident.key} already."
            raise Refused(sentence)
        named = {source_of(row.channel, one.ts): one.named for one in chosen if one.named}
        return says.receipt(incident, entries, named, asked.now)

    there = replace(asked.at(Place(row.team, row.channel)), incident_id=row.incident_id)
    return await once(desk, there, unit)


def _add(tx: Transaction, incident: Incident, asked: Asked, one: Proposal, link: str) -> Entry | None:
    """The new entry; None where the message is captured already."""
    source = source_of(incident.channel, one.ts)
    if kept.by_source(tx, incident.id, source) is not None:
        return None
    new = NewEntry(
        one.at, one.text, one.author, asked.user, asked.now, one.end, one.approximate, permalink=link, source=source
    )
    entry = kept.append(tx, incident.id, new)
    wanted(tx, entry, tuple(Hanging(*file) for file in one.files))
    warn(tx, incident, Subject(Noun.ENTRY, str(entry.number)), entry.text, asked)
    return entry


async def _found_by(desk: Desk, asked: Asked, lookback_id: object) -> Lookback:
    """The walk that somebody asked for; raises Refused for anybody else, and once they left the channel."""
    row = await desk.store.read(lambda tx: lookbacks.by_id(tx, lookback_id)) if isinstance(lookback_id, int) else None
    if row is None or row.team != asked.team or row.asked_by != asked.user:
        sentence = "That list is not yours. `/incident open` offers to look back when you open an incident."
        raise Refused(sentence)
    if row.channel not in await desk.may_see(asked.team, asked.user, [row.channel], asked.place.channel):
        sentence = "You are not in that channel any more, so I cannot show you what was said there."
        raise Refused(sentence)
    return row


def _incident(tx: Transaction, row: Lookback, *, locking: bool = False) -> Incident:
    incident = incidents.by_id(tx, row.incident_id, locking=locking)
    if incident is None:
        sentence = "That incident is not here any more."
        raise Refused(sentence)
    if incident.is_closed:
        raise Refused(closed(incident))
    return incident


def _name(tx: Transaction, team: str, user: str) -> str:
    person = people.one(tx, team, user)
    return person.name if person else user


def proposals_of(row: Lookback) -> tuple[Proposal, ...]:
    """What a walk has found, in the order in which it would stand in the timeline."""
    found = (_proposal(told) for told in json.loads(row.found))
    return tuple(sorted(found, key=lambda one: (one.at, one.ts)))


def _proposal(told: dict[str, Any]) -> Proposal:
    times = {
        "at": datetime.fromisoformat(told["at"]),
        "end": datetime.fromisoformat(told["end"]) if told["end"] else None,
    }
    files = tuple((str(name), str(kind), int(size), str(address)) for name, kind, size, address in told["files"])
    named = tuple(
        datetime.fromisoformat(at) for at in told.get("named", ())
    )  # none in what was found before there were
    return Proposal(**{**told, **times, "files": files, "reason": Reason(told["reason"]), "named": named})


def as_told(one: Proposal) -> dict[str, Any]:
    """A proposal as it is kept, for JSON."""
    times = {"at": one.at.isoformat(), "end": one.end.isoformat() if one.end else ""}
    return {**asdict(one), **times, "named": [at.isoformat() for at in one.named]}
