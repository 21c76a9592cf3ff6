"""The whys' verbs: answer, mark as root cause, show."""

import json
from dataclasses import dataclass, replace

from bot.errors import Refused
from bot.incident import whys as rules
from bot.incident.blame import blaming
from bot.incident.records import Entry, Incident, Status, Why
from bot.incident.spots import Noun, Subject
from bot.incident.text import admit, require
from bot.scribe import secrets
from bot.scribe.desk import Asked, Desk, once, require_incident
from bot.scribe.pressed import TYPED, Pressed, require_why, why_since
from bot.slack import blocks, threads, whys_corrected
from bot.slack import whys as says
from bot.slack.blocks import Block, Message
from bot.slack.words import words
from storage import cases, deliveries, incidents, whys
from storage import timeline as entries
from storage.deliveries import Owed
from storage.statements import Transaction

EXAMPLE = "Say why, as in `/why because the connection pool ran out`."


async def answer(desk: Desk, asked: Asked, text: str, parent: int | None, seen: int | None = None) -> Message | None:
    """Record an answer and ask the next question; it explains `parent`, else the latest open why.

    `seen` is the latest why that its author could see (None where they typed it): where somebody else was quicker,
    the answer says so, with the button that moves it.
    """
    text = require(admit(text, "That answer"), EXAMPLE)

    def unit(tx: Transaction) -> Message:
        incident = _resolved(tx, asked, locking=True)
        chain = whys.chain(tx, incident.id)
        why = whys.add(tx, incident.id, rules.parent_of_next(chain, parent), text, asked.user, asked.now)
        secrets.warn(tx, incident, Subject(Noun.WHY, str(why.number)), text, asked)
        is_told = parent is not None and seen is None  # `/why branch 2 …` says itself what it explains
        doubt = None if is_told else rules.doubt_of(chain, why, seen)
        said = says.answered(why, incident, (*chain, why), says.Beside(_cited(tx, why), doubt))
        return in_thread(tx, asked, incident, said)

    return await once(desk, asked, unit)


async def hint(desk: Desk, asked: Asked, text: str) -> Message | None:
    """The gentle word to somebody whose answer, just recorded, seems to stop at a person; None where it does not."""
    word = blaming(text, desk.blame_words)
    if not word:
        return None

    def look(tx: Transaction) -> Message | None:
        mine = [why for why in whys.chain(tx, require_incident(tx, asked).id) if why.author == asked.user]
        latest = next((why for why in reversed(mine) if blaming(why.text, desk.blame_words) == word), None)
        return whys_corrected.hint(latest, word) if latest else None

    return await desk.store.read(look)


def _cited(tx: Transaction, why: Why) -> tuple[Entry, ...]:
    found = (entries.by_number(tx, why.incident_id, number) for number in rules.cited(why.text))
    return tuple(entry for entry in found if entry is not None and not entry.struck)


def in_thread(tx: Transaction, asked: Asked, incident: Incident, said: Message) -> Message:
    """What is said to all about the whys, said in their thread; who caused it reads it where they are.

    Where there is no thread yet (the bot cannot post into the channel), the reply itself is for everybody.
    """
    if not tell_thread(tx, asked, incident, said):
        return said
    note = blocks.context(words.whys.asked_in_thread())
    return blocks.whisper(said["text"], [*said["blocks"], note])


def tell_thread(tx: Transaction, asked: Asked, incident: Incident, said: Message) -> bool:
    """Owe the thread of the whys a message; False where there is no thread yet."""
    thread = incidents.whys_thread(tx, incident.id)
    if thread:
        told = threads.for_whys({key: value for key, value in said.items() if key != "response_type"})
        deliveries.tell(tx, incident, told | {"thread_ts": thread}, asked.now)
    return bool(thread)


def open_thread(tx: Transaction, asked: Asked, incident: Incident) -> None:
    """After the resolution: owe the channel the first question, or its thread the one that is open."""
    thread = incidents.whys_thread(tx, incident.id)
    kind, body = "whys", ""
    if thread:
        said = says.asked_again(incident, whys.chain(tx, incident.id))
        kind, body = "message", json.dumps(threads.for_whys(said) | {"thread_ts": thread})
    deliveries.owe(tx, Owed(asked.team, kind, incident.channel, body, asked.now, incident.id, fallback=asked.user))


def _resolved(tx: Transaction, asked: Asked, *, locking: bool = False) -> Incident:
    incident = require_incident(tx, asked, locking=locking)
    if incident.status is not Status.RESOLVED:
        sentence = f"{incident.key} is not resolved yet. First make it stop: `/incident resolved` asks the first why."
        raise Refused(sentence)
    return incident


async def mark_root(desk: Desk, asked: Asked, number: int | None, pressed: Pressed = TYPED) -> Message | None:
    """The numbered why, else the latest open one, is a root cause: its branch ends there."""

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, asked, locking=True)
        if now := _numbered_since(tx, desk, asked, incident, number, pressed):
            return now
        why = rules.to_mark(whys.chain(tx, incident.id), number)
        if not why.is_root:
            why = whys.amend(tx, replace(why, is_root=True), "root", asked.user, asked.now)
        said = says.rooted(why, asked.user, incident, whys.chain(tx, incident.id))
        return in_thread(tx, asked, incident, said)

    return await once(desk, asked, unit)


def _numbered_since(
    tx: Transaction, desk: Desk, asked: Asked, incident: Incident, number: int | None, pressed: Pressed
) -> Message | None:
    """How the numbered why stands now, where it is not what its button showed. Raises Refused for one taken back."""
    if number is None:
        return None
    why = rules.by_number(whys.every(tx, incident.id), number)
    now = why_since(tx, desk, asked, why, pressed)
    if now is None:
        require_why(tx, desk, asked, why)
    return now


async def unmark_root(desk: Desk, asked: Asked, number: int, pressed: Pressed = TYPED) -> Message | None:
    """The numbered why is no root cause after all."""

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, asked, locking=True)
        if now := _numbered_since(tx, desk, asked, incident, number, pressed):
            return now
        why = rules.by_number(whys.chain(tx, incident.id), number)
        if not why.is_root:
            sentence = f"Why {number} is not marked as a root cause."
            raise Refused(sentence)
        why = whys.amend(tx, replace(why, is_root=False), "no root", asked.user, asked.now)
        return in_thread(tx, asked, incident, whys_corrected.not_rooted(why, asked.user))

    return await once(desk, asked, unit)


async def show(desk: Desk, asked: Asked) -> Message:
    """The chain and the open question."""
    return await desk.store.read(lambda tx: says.tree(cases.load(tx, require_incident(tx, asked))))


def entry_to_cite(tx: Transaction, incident_id: int) -> int:
    """The number of the latest entry, as an example of what an answer may cite."""
    latest = entries.latest(tx, incident_id, 1)
    return latest[-1].number if latest else 1


async def form(desk: Desk, asked: Asked, parent: int | None) -> Block:
    """The form that answers the question after `parent`."""

    def look(tx: Transaction) -> Block:
        incident = _resolved(tx, asked)
        chain = whys.chain(tx, incident.id)
        if parent:
            require_why(tx, desk, asked, rules.by_number(whys.every(tx, incident.id), parent))
        before = rules.answer_to(chain, parent)
        who = (desk.people.name(asked.team, before.author) or before.author) if before else ""
        return says.answer_form(
            incident, chain, parent, entry_to_cite(tx, incident.id), (before, who) if before else None
        )

    return await desk.store.read(look)


@dataclass(frozen=True, slots=True)
class Offer:
    """Words to their author: whether what they said in the thread is the answer to the question (by its parent)."""

    said: Message
    question: int


async def offer(desk: Desk, asked: Asked, line: str) -> Offer | None:
    """The question whether a reply is an answer; None where it cannot be one, or where nothing is asked."""
    if not rules.may_answer(line):
        return None

    def look(tx: Transaction) -> Offer | None:
        incident = require_incident(tx, asked)
        chain = whys.chain(tx, incident.id)
        if incident.status is not Status.RESOLVED or rules.is_ended(chain):
            return None
        end = rules.open_end(chain)
        return Offer(says.offered(incident, chain, line), end.number if end else rules.THE_INCIDENT)

    return await desk.store.read(look)


async def asked_in(desk: Desk, asked: Asked, thread_ts: str) -> Asked | None:
    """The request, about the incident whose whys are asked in this thread of the channel; None for another thread."""
    if not thread_ts:
        return None
    incident = await desk.store.read(lambda tx: incidents.by_whys_thread(tx, asked.place, thread_ts))
    return replace(asked, incident_id=incident.id) if incident else None
