"""The whys' verbs: answer, mark as root cause, show."""

from dataclasses import replace

from bot.errors import Refused
from bot.incident import whys as rules
from bot.incident.records import Incident, Status
from bot.incident.text import admit, require
from bot.scribe.desk import Asked, Desk, once, require_incident
from bot.slack import whys as says
from bot.slack.blocks import Block, Message
from storage import cases, whys
from storage.statements import Transaction


async def answer(desk: Desk, asked: Asked, text: str, parent: int | None) -> Message | None:
    """Record an answer and ask the next question; it explains `parent`, else the latest why."""
    text = require(admit(text, "That answer"), "Say why, as in `/why because the connection pool ran out`.")

    def unit(tx: Transaction) -> Message:
        incident = _resolved(tx, asked)
        chain = whys.chain(tx, incident.id)
        why = whys.add(tx, incident.id, rules.parent_of_next(chain, parent), text, asked.user, asked.now)
        return says.answered(why, incident, (*chain, why))

    return await once(desk, asked, unit)


def _resolved(tx: Transaction, asked: Asked) -> Incident:
    incident = require_incident(tx, asked, locking=True)
    if incident.status is not Status.RESOLVED:
        sentence = f"{incident.key} is not resolved yet. First make it stop: `/incident resolved` asks the first why."
        raise Refused(sentence)
    return incident


async def mark_root(desk: Desk, asked: Asked, number: int | None) -> Message | None:
    """The numbered why, else the latest, is a root cause."""

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, asked, locking=True)
        why = replace(rules.to_mark(whys.chain(tx, incident.id), number), is_root=True)
        whys.save(tx, why)
        return says.rooted(why, asked.user)

    return await once(desk, asked, unit)


async def show(desk: Desk, asked: Asked) -> Message:
    """The chain and the open question."""
    return await desk.store.read(lambda tx: says.tree(cases.load(tx, require_incident(tx, asked))))


async def form(desk: Desk, asked: Asked, parent: int | None) -> Block:
    """The form that answers the question after `parent`."""

    def look(tx: Transaction) -> Block:
        incident = _resolved(tx, asked)
        return says.answer_form(incident, whys.chain(tx, incident.id), parent)

    return await desk.store.read(look)
