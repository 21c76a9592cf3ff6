"""The verbs that mend what the checks found, where no other form does: an action's owner, date and link."""

from dataclasses import dataclass, replace
from datetime import date, tzinfo

from bot.errors import Refused
from bot.incident import actions as rules
from bot.incident import due
from bot.incident import whys as chains
from bot.incident.records import Action, ActionStatus, Person
from bot.incident.spots import Noun, Subject
from bot.scribe import secrets
from bot.scribe.actions import numbered, owner_of, require_open, today_of
from bot.scribe.desk import Asked, Desk, once, require_incident
from bot.scribe.pressed import require_why
from bot.slack import findings as says
from bot.slack.blocks import Block, Message
from bot.slack.people import zone_of
from storage import actions, cases, whys
from storage.statements import Transaction


@dataclass(frozen=True, slots=True)
class Completed:
    """What somebody changed in the form of an action: its owner (the id of a person or a group), its day, its link.

    `changed` names them; the others stay as they are, whoever changed them meanwhile.
    """

    owner: str | None
    due_on: date | None
    link: str
    changed: frozenset[str]


async def action_form(desk: Desk, asked: Asked, action_id: int) -> Block:
    """The form that gives an action its owner, date and link."""
    groups = await desk.people.names.groups(asked.team)

    def look(tx: Transaction) -> Block:
        incident = require_incident(tx, asked)
        action = _of(tx, incident.id, action_id)
        require_open(action)
        return says.action_form(action, incident, desk.people.seen(asked.team, action.owner or ""), groups)

    return await desk.store.read(look)


async def complete(desk: Desk, asked: Asked, action_id: int, given: Completed) -> Message | None:
    """Give an action its owner, date and link; raises Refused, naming the field, for what cannot be."""
    link = rules.address(given.link) if "link" in given.changed else ""
    if "due" in given.changed and given.due_on is not None and given.due_on < await today_of(desk, asked):
        raise Refused(f"{given.due_on.isoformat()} is past. Pick today or a later day.", field="due")
    if "owner" in given.changed:
        owner = given.owner
        keeper = await owner_of(desk, asked, owner or asked.user)
    else:
        owner = await desk.store.read(lambda tx: _of(tx, require_incident(tx, asked).id, action_id).owner)
        keeper = await _keeper(desk, asked, owner or asked.user)

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, asked, locking=True)
        before = _of(tx, incident.id, action_id)
        require_open(before)
        action = _completed(before, given, link, zone_of(keeper))
        if action != before:
            actions.save(tx, action)
        secrets.warn(tx, incident, Subject(Noun.ACTION, str(action.number)), link, asked)
        return says.completed(action, cases.glance(tx, incident, 1)[0])

    return await once(desk, asked, unit)


async def _keeper(desk: Desk, asked: Asked, owner: str) -> Person:
    """Whoever owns it already, which is not judged anew: also somebody who has left since."""
    if owner.startswith("S"):
        return await owner_of(desk, asked, owner)
    return await desk.people.known(asked.team, owner)


def _completed(action: Action, given: Completed, link: str, zone: tzinfo) -> Action:
    """The action with what was changed; its day ends anew, in the zone of its owner, where either is another."""
    if "owner" in given.changed:
        action = replace(action, owner=given.owner)
    if "due" in given.changed:
        action = replace(action, due_on=given.due_on)
    if "link" in given.changed:
        action = replace(action, link=link)
    if given.changed & {"owner", "due"}:
        action = replace(action, overdue_at=due.overdue_at(action.due_on, zone) if action.due_on else None)
    return action


async def link(desk: Desk, asked: Asked, why: int, action: int) -> Message | None:
    """Say that an action is for a why, both by their numbers."""

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, asked, locking=True)
        about = chains.by_number(whys.every(tx, incident.id), why)
        require_why(tx, desk, asked, about)
        found = numbered(tx, incident, action)
        if found.status is ActionStatus.DROPPED:
            require_open(found)
        whys.link(tx, about, found)
        return says.linked(about, found)

    return await once(desk, asked, unit)


def _of(tx: Transaction, incident_id: int, action_id: int) -> Action:
    action = actions.by_id(tx, action_id)
    if action is None or action.incident_id != incident_id:
        sentence = "That action is not here any more."
        raise Refused(sentence)
    return action
