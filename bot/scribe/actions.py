"""The actions' verbs: add, finish, drop, give a new date, list."""

from dataclasses import dataclass, replace
from datetime import date, datetime

from bot.errors import Refused
from bot.incident import due
from bot.incident.records import Action, ActionKind, ActionStatus, Incident, Person
from bot.incident.reminders import ReminderRules
from bot.incident.spots import Noun, Subject
from bot.incident.text import admit, require
from bot.incident.whys import without_action
from bot.scribe import chasing, secrets
from bot.scribe.desk import Asked, Desk, once, require_able, require_incident
from bot.scribe.standing import settle_asked, settle_digests
from bot.slack import actions as says
from bot.slack import findings as looks
from bot.slack.blocks import Message
from bot.slack.people import zone_of
from bot.slack.words import words
from storage import actions, cases, deliveries, incidents, people, whys
from storage.actions import NewAction
from storage.statements import Transaction


@dataclass(frozen=True, slots=True)
class Asking:
    """What is to be done, by whom (a user id), by when (a day where that person lives)."""

    text: str
    owner: str | None
    due_on: date | None
    link: str = ""
    why: int | None = None
    """The why of which it was made."""
    kind: ActionKind | None = None


_EXAMPLE = "Say what is to be done, as in `/action add a load test @ana due friday`."


async def require_addable(desk: Desk, asked: Asked, text: str) -> None:
    """Raises Refused where there is nothing to write down, or no incident to write it into."""
    require(admit(text, "That action"), _EXAMPLE)
    await desk.store.read(lambda tx: require_incident(tx, asked))


async def add(desk: Desk, asked: Asked, asking: Asking) -> Message | None:
    """Write an action down."""
    text = require(admit(asking.text, "That action"), _EXAMPLE)
    if asking.due_on is not None:
        await _require_ahead(desk, asked, asking.due_on)
    keeper = await owner_of(desk, asked, asking.owner or asked.user)
    overdue_at = due.overdue_at(asking.due_on, zone_of(keeper)) if asking.due_on else None
    new = NewAction(text, asking.owner, asking.due_on, overdue_at, asking.link, asked.user, asked.now, asking.kind)

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, asked, locking=True)
        action = actions.add(tx, incident.id, new)
        chain = whys.chain(tx, incident.id)
        for why in chain:
            if why.number == asking.why:
                whys.link(tx, why, action)
        secrets.warn(tx, incident, Subject(Noun.ACTION, str(action.number)), f"{text} {action.link}", asked)
        roots = without_action(chain, _standing(tx, incident)) if asking.why is None else ()
        return says.added(action, incident, looks.link_offers(incident, roots, action.number))

    return await once(desk, asked, unit)


def _standing(tx: Transaction, incident: Incident) -> tuple[int, ...]:
    found = actions.of_incident(tx, incident.id)
    return tuple(action.number for action in found if action.status is not ActionStatus.DROPPED)


async def today_of(desk: Desk, asked: Asked) -> date:
    """What day it is where the author lives: due dates in words are counted from there."""
    return asked.now.astimezone(zone_of(await desk.people.known(asked.team, asked.user))).date()


async def _require_ahead(desk: Desk, asked: Asked, due_on: date) -> None:
    """Raises Refused for a day that is past where the author lives."""
    if due_on < await today_of(desk, asked):
        raise Refused(f"{due_on.isoformat()} is past. Pick today or a later day.", field="due")


async def close(desk: Desk, asked: Asked, number: int, reason: str | None) -> Message | None:
    """Action 3 of the channel's incident is done, or (with a reason) dropped."""
    if reason is not None:
        reason = require(
            admit(reason, "That reason"), f"Say why it is dropped, as in `/action drop {number} not needed`."
        )

    return await once(
        desk, asked, lambda tx: _close(tx, desk, asked, numbered(tx, require_incident(tx, asked), number), reason)
    )


def numbered(tx: Transaction, incident: Incident, number: int) -> Action:
    """Action 3 of the incident; raises Refused where there is none."""
    for action in actions.of_incident(tx, incident.id):
        if action.number == number:
            return action
    sentence = f"{incident.key} has no action {number}. `/action list` shows them."
    raise Refused(sentence)


async def close_by_id(desk: Desk, asked: Asked, action_id: int, reason: str | None = None) -> Message | None:
    """The action behind a [Done] button or (with a reason) [Won't do …], from a channel or from a DM."""
    if reason is not None:
        reason = require(admit(reason, "That reason"), "Say why it will not be done.")
    return await once(desk, asked, lambda tx: _close(tx, desk, asked, touched(tx, asked, action_id)[0], reason))


def _close(tx: Transaction, desk: Desk, asked: Asked, action: Action, reason: str | None) -> Message:
    require_open(action)
    status = ActionStatus.DROPPED if reason else ActionStatus.DONE
    action = replace(action, status=status, reason=reason or "", closed_at=asked.now)
    actions.save(tx, action)
    settle_digests(tx, asked.team, action.owner, asked.now)
    over = words.reminders.is_done() if status is ActionStatus.DONE else words.reminders.is_dropped()
    settle_asked(tx, asked.team, action, over, asked.now)
    incident = incidents.by_id(tx, action.incident_id)
    assert incident is not None  # noqa: S101 (a foreign key holds it)
    if status is ActionStatus.DONE:
        chasing.ask_later(tx, desk.rules, asked.team, action, asked.now)
    return told(tx, asked, incident, says.closed(action, incident, asked.user))


def close_elsewhere(tx: Transaction, rules_: ReminderRules, incident: Incident, action: Action, now: datetime) -> None:
    """An open action was finished in the tracker: it is done here, too, and its owner is asked later if it held."""
    action = replace(action, status=ActionStatus.DONE, closed_at=now)
    actions.save(tx, action)
    settle_digests(tx, incident.team, action.owner, now)
    settle_asked(tx, incident.team, action, words.reminders.is_done(), now)
    chasing.ask_later(tx, rules_, incident.team, action, now)


def reopen_elsewhere(tx: Transaction, incident: Incident, action: Action, now: datetime) -> Action:
    """A done action goes on in the tracker: it is open here again. What was asked of it as a done one is answered."""
    action = replace(action, status=ActionStatus.OPEN, closed_at=None, held="")
    actions.save(tx, action)
    settle_asked(tx, incident.team, action, words.reminders.goes_on(), now)
    return action


def move_elsewhere(tx: Transaction, incident: Incident, action: Action, now: datetime) -> None:
    """An open action got the date that it has here now in the tracker."""
    actions.save(tx, action)
    settle_digests(tx, incident.team, action.owner, now)
    settle_asked(tx, incident.team, action, words.reminders.has_date(due=says.due_words(action.due_on)), now)


def told(tx: Transaction, asked: Asked, incident: Incident, said: Message) -> Message:
    """What is said where it was done, and in any case in the incident's channel."""
    if incident.channel == asked.place.channel:
        return said
    # Done from a DM or the Home tab: the others should see it where the action was promised, and may go on there.
    deliveries.tell(tx, incident, said, asked.now)
    return said | {"blocks": [block for block in said["blocks"] if block["type"] != "actions"]}


def touched(tx: Transaction, asked: Asked, action_id: int) -> tuple[Action, Incident]:
    """An action that this person may touch: theirs, of an incident that they lead, or of the channel they are in."""
    action = actions.by_id(tx, action_id)
    incident = incidents.by_id(tx, action.incident_id) if action else None
    if action is None or incident is None or incident.team != asked.team:
        sentence = "That action is not here any more."
        raise Refused(sentence)
    if incident.channel != asked.place.channel and asked.user not in (action.owner, incident.lead):
        raise Refused(_not_yours(tx, incident, action))
    return action, incident


def _not_yours(tx: Transaction, incident: Incident, action: Action) -> str:
    owner = people.one(tx, incident.team, action.owner) if action.owner else None
    owns = f"is {owner.name}'s now" if owner else "is nobody's now"
    what = f"Action {action.number} of {incident.key} {owns}."
    return f"{what} From outside the incident's channel only its owner and the lead can change it."


def _name(desk: Desk, asked: Asked) -> str:
    return desk.people.name(asked.team, asked.user) or asked.user


async def move(desk: Desk, asked: Asked, action_id: int, due_on: date, beside: str = "") -> Message | None:
    """Give an open action a new due date, today or later; its channel reads by whom, and nobody is pinged.

    `beside` is a time of day that was written with it: that it is not kept is said.
    """
    await _require_ahead(desk, asked, due_on)
    owner = await desk.store.read(lambda tx: touched(tx, asked, action_id)[0].owner)
    keeper = await desk.people.known(asked.team, owner or asked.user)
    overdue_at = due.overdue_at(due_on, zone_of(keeper))

    def unit(tx: Transaction) -> Message:
        before, incident = touched(tx, asked, action_id)
        require_open(before)
        if before.due_on == due_on:
            raise Refused(f"Action {before.number} is due {says.due_words(due_on)} already.", field="due")
        action = replace(before, due_on=due_on, overdue_at=overdue_at)
        actions.save(tx, action)
        settle_digests(tx, asked.team, action.owner, asked.now)
        settle_asked(tx, asked.team, action, words.reminders.has_date(due=says.due_words(due_on)), asked.now)
        said = told(tx, asked, incident, says.moved(action, incident, _name(desk, asked), before.due_on, beside))
        is_at_home = asked.place.channel == asked.user  # the Home tab shows it; their conversation need not
        return said | {"response_type": "ephemeral"} if is_at_home else said

    return await once(desk, asked, unit)


async def hand_over(desk: Desk, asked: Asked, action_id: int, owner: str) -> Message | None:
    """Give an action to somebody else, or to a user group; its due day then ends where they live."""
    person = await owner_of(desk, asked, owner)

    def unit(tx: Transaction) -> Message:
        action, incident = touched(tx, asked, action_id)
        require_open(action)
        overdue_at = due.overdue_at(action.due_on, zone_of(person)) if action.due_on else None
        before, action = action.owner, replace(action, owner=owner, overdue_at=overdue_at)
        actions.save(tx, action)
        settle_digests(tx, asked.team, before, asked.now)
        settle_asked(tx, asked.team, action, words.reminders.has_owner(owner=person.name), asked.now)
        return told(tx, asked, incident, says.handed_over(action, incident, asked.user))

    return await once(desk, asked, unit)


async def owner_of(desk: Desk, asked: Asked, owner: str) -> Person:
    """Whoever is to own an action: a person, or a user group that is known; raises Refused for who cannot."""
    if owner.startswith("S"):
        seen = desk.people.seen(asked.team, owner)
        by = await desk.people.known(asked.team, asked.user)
        return seen or await desk.people.learn_group(asked.team, owner, "", by.zone)
    return await require_able(desk, asked, owner, "own it", field="owner")


async def judge(desk: Desk, asked: Asked, action_id: int, *, held: bool) -> Message | None:
    """Say whether what was done has held."""

    def unit(tx: Transaction) -> Message:
        action, incident = touched(tx, asked, action_id)
        if action.status is not ActionStatus.DONE or action.held:
            sentence = f"Action {action.number} of {incident.key} is not asked about any more."
            raise Refused(sentence)
        action = replace(action, held="held" if held else "came back")
        actions.save(tx, action)
        settle_asked(tx, asked.team, action, words.reminders.has_held(held=action.held), asked.now)
        return told(tx, asked, incident, says.judged(action, incident, asked.user))

    return await once(desk, asked, unit)


def require_open(action: Action) -> None:
    """Raises Refused for an action that is finished, with how it is opened again."""
    if action.status is not ActionStatus.OPEN:
        sentence = f"Action {action.number} is {action.status} already."
        raise Refused(sentence)


async def list_all(desk: Desk, asked: Asked) -> Message:
    """The actions of the channel's incident."""
    return await desk.store.read(lambda tx: says.listing(cases.load(tx, require_incident(tx, asked)), asked.now))
