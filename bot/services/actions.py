"""The actions' verbs: add, finish, drop, give a new date, list.

What is done about actions that are named by their numbers: shown, several at once, opened again, worded anew.

The forms about actions; none is opened for what is finished or was taken back.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime

from bot.domain import actions as actions_rules
from bot.domain import due_dates as due_dates_rules
from bot.domain.actions import Deed, ReplyAnswer, find_vague_word
from bot.domain.form_fields import fingerprint
from bot.domain.records import Action, ActionKind, ActionStatus, Incident, Person
from bot.domain.reminders import ReminderRules
from bot.domain.secrets import RecordKind, RecordRef
from bot.domain.text import clean_input, describe_unlinked_name, require_text
from bot.domain.whys import find_why, list_without_action
from bot.errors import Refused
from bot.services import reminders as reminders_service
from bot.services import secrets as secrets_service
from bot.services.context import Request, Services, once, require_able, require_incident, require_sight
from bot.services.corrections import require_why
from bot.services.reminders import settle_asked, settle_digests
from bot.slack.directory import zone_of
from bot.slack.views import actions as actions_views
from bot.slack.views import blocks
from bot.slack.views import postmortem as postmortem_views
from bot.slack.views.blocks import Block, Message
from bot.slack.views.templates import words
from storage import actions as actions_store
from storage import case as case_store
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage import people as people_store
from storage import whys as whys_store
from storage.actions import NewAction, OwedAction
from storage.database.statements import Transaction


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


async def require_addable(desk: Services, asked: Request, text: str) -> None:
    """Raises Refused where there is nothing to write down, or no incident to write it into."""
    require_text(clean_input(text, "That action"), _EXAMPLE)
    await desk.store.read(lambda tx: require_incident(tx, asked))


async def add(desk: Services, asked: Request, asking: Asking) -> Message | None:
    """Write an action down."""
    text = require_text(clean_input(asking.text, "That action"), _EXAMPLE)
    if asking.due_on is not None:
        await _require_ahead(desk, asked, asking.due_on)
    keeper = await owner_of(desk, asked, asking.owner or asked.user)
    overdue_at = due_dates_rules.overdue_at(asking.due_on, zone_of(keeper)) if asking.due_on else None
    new = NewAction(text, asking.owner, asking.due_on, overdue_at, asking.link, asked.user, asked.now, asking.kind)

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, asked, locking=True)
        action = actions_store.add(tx, incident.id, new)
        chain = whys_store.chain(tx, incident.id)
        for why in chain:
            if why.number == asking.why:
                whys_store.link(tx, why, action)
        secrets_service.warn(
            tx, incident, RecordRef(RecordKind.ACTION, str(action.number)), f"{text} {action.link}", asked
        )
        roots = list_without_action(chain, _standing(tx, incident)) if asking.why is None else ()
        return actions_views.added(action, incident, postmortem_views.link_offers(incident, roots, action.number))

    return await once(desk, asked, unit, verb="actions.add")


def _standing(tx: Transaction, incident: Incident) -> tuple[int, ...]:
    found = actions_store.of_incident(tx, incident.id)
    return tuple(action.number for action in found if action.status is not ActionStatus.DROPPED)


async def today_of(desk: Services, asked: Request) -> date:
    """What day it is where the author lives: due dates in words are counted from there."""
    return asked.now.astimezone(zone_of(await desk.people.known(asked.team, asked.user))).date()


async def _require_ahead(desk: Services, asked: Request, due_on: date) -> None:
    """Raises Refused for a day that is past where the author lives."""
    if due_on < await today_of(desk, asked):
        raise Refused(f"{due_on.isoformat()} is past. Pick today or a later day.", field="due")


async def close(desk: Services, asked: Request, number: int, reason: str | None) -> Message | None:
    """Action 3 of the channel's incident is done, or (with a reason) dropped."""
    if reason is not None:
        reason = require_text(
            clean_input(reason, "That reason"), f"Say why it is dropped, as in `/action drop {number} not needed`."
        )

    return await once(
        desk,
        asked,
        lambda tx: _close(tx, desk, asked, numbered(tx, require_incident(tx, asked), number), reason),
        verb="actions.close",
    )


def numbered(tx: Transaction, incident: Incident, number: int) -> Action:
    """Action 3 of the incident; raises Refused where there is none."""
    for action in actions_store.of_incident(tx, incident.id):
        if action.number == number:
            return action
    raise Refused(f"{incident.key} has no action {number}. `/action list` shows them.")


async def close_by_id(desk: Services, asked: Request, action_id: int, reason: str | None = None) -> Message | None:
    """The action behind a [Done] button or (with a reason) [Won't do …], from a channel or from a DM."""
    if reason is not None:
        reason = require_text(clean_input(reason, "That reason"), "Say why it will not be done.")
    return await once(
        desk,
        asked,
        lambda tx: _close(tx, desk, asked, touched(tx, asked, action_id)[0], reason),
        verb="actions.close_by_id",
    )


def _close(tx: Transaction, desk: Services, asked: Request, action: Action, reason: str | None) -> Message:
    require_open(action)
    status = ActionStatus.DROPPED if reason else ActionStatus.DONE
    action = replace(action, status=status, reason=reason or "", closed_at=asked.now)
    actions_store.save(tx, action)
    settle_digests(tx, asked.team, action.owner, asked.now)
    over = words.reminders.is_done() if status is ActionStatus.DONE else words.reminders.is_dropped()
    settle_asked(tx, asked.team, action, over, asked.now)
    incident = incidents_store.by_id(tx, action.incident_id)
    assert incident is not None  # noqa: S101 (a foreign key holds it)
    if status is ActionStatus.DONE:
        reminders_service.ask_later(tx, desk.rules, asked.team, action, asked.now)
    return told(tx, asked, incident, actions_views.closed(action, incident, asked.user))


def close_elsewhere(tx: Transaction, rules_: ReminderRules, incident: Incident, action: Action, now: datetime) -> None:
    """An open action was finished in the tracker: it is done here, too, and its owner is asked later if it held."""
    action = replace(action, status=ActionStatus.DONE, closed_at=now)
    actions_store.save(tx, action)
    settle_digests(tx, incident.team, action.owner, now)
    settle_asked(tx, incident.team, action, words.reminders.is_done(), now)
    reminders_service.ask_later(tx, rules_, incident.team, action, now)


def reopen_elsewhere(tx: Transaction, incident: Incident, action: Action, now: datetime) -> Action:
    """A done action goes on in the tracker: it is open here again. What was asked of it as a done one is answered."""
    action = replace(action, status=ActionStatus.OPEN, closed_at=None, held="")
    actions_store.save(tx, action)
    settle_asked(tx, incident.team, action, words.reminders.goes_on(), now)
    return action


def move_elsewhere(tx: Transaction, incident: Incident, action: Action, now: datetime) -> None:
    """An open action got the date that it has here now in the tracker."""
    actions_store.save(tx, action)
    settle_digests(tx, incident.team, action.owner, now)
    settle_asked(tx, incident.team, action, words.reminders.has_date(due=actions_views.due_words(action.due_on)), now)


def told(tx: Transaction, asked: Request, incident: Incident, said: Message) -> Message:
    """What is said where it was done, and in any case in the incident's channel."""
    if incident.channel == asked.place.channel:
        return said
    # Done from a DM or the Home tab: the others should see it where the action was promised, and may go on there.
    deliveries_store.tell(tx, incident, said, asked.now)
    return said | {"blocks": [block for block in said["blocks"] if block["type"] != "actions"]}


def touched(tx: Transaction, asked: Request, action_id: int) -> tuple[Action, Incident]:
    """An action that this person may touch: theirs, of an incident that they lead, or of the channel they are in."""
    action = actions_store.by_id(tx, action_id)
    incident = incidents_store.by_id(tx, action.incident_id) if action else None
    if action is None or incident is None or incident.team != asked.team:
        raise Refused("That action is not here any more.")
    if incident.channel != asked.place.channel and asked.user not in (action.owner, incident.lead):
        raise Refused(_not_yours(tx, incident, action))
    return action, incident


def _not_yours(tx: Transaction, incident: Incident, action: Action) -> str:
    owner = people_store.one(tx, incident.team, action.owner) if action.owner else None
    owns = f"is {owner.name}'s now" if owner else "is nobody's now"
    what = f"Action {action.number} of {incident.key} {owns}."
    return f"{what} From outside the incident's channel only its owner and the lead can change it."


def _name(desk: Services, asked: Request) -> str:
    return desk.people.name(asked.team, asked.user) or asked.user


async def move(desk: Services, asked: Request, action_id: int, due_on: date, beside: str = "") -> Message | None:
    """Give an open action a new due date, today or later; its channel reads by whom, and nobody is pinged.

    `beside` is a time of day that was written with it: that it is not kept is said.
    """
    await _require_ahead(desk, asked, due_on)
    owner = await desk.store.read(lambda tx: touched(tx, asked, action_id)[0].owner)
    keeper = await desk.people.known(asked.team, owner or asked.user)
    overdue_at = due_dates_rules.overdue_at(due_on, zone_of(keeper))

    def unit(tx: Transaction) -> Message:
        before, incident = touched(tx, asked, action_id)
        require_open(before)
        if before.due_on == due_on:
            raise Refused(f"Action {before.number} is due {actions_views.due_words(due_on)} already.", field="due")
        action = replace(before, due_on=due_on, overdue_at=overdue_at)
        actions_store.save(tx, action)
        settle_digests(tx, asked.team, action.owner, asked.now)
        settle_asked(tx, asked.team, action, words.reminders.has_date(due=actions_views.due_words(due_on)), asked.now)
        said = told(
            tx, asked, incident, actions_views.moved(action, incident, _name(desk, asked), before.due_on, beside)
        )
        is_at_home = asked.place.channel == asked.user  # the Home tab shows it; their conversation need not
        return said | {"response_type": "ephemeral"} if is_at_home else said

    return await once(desk, asked, unit, verb="actions.move")


async def hand_over(desk: Services, asked: Request, action_id: int, owner: str) -> Message | None:
    """Give an action to somebody else, or to a user group; its due day then ends where they live."""
    person = await owner_of(desk, asked, owner)

    def unit(tx: Transaction) -> Message:
        action, incident = touched(tx, asked, action_id)
        require_open(action)
        overdue_at = due_dates_rules.overdue_at(action.due_on, zone_of(person)) if action.due_on else None
        before, action = action.owner, replace(action, owner=owner, overdue_at=overdue_at)
        actions_store.save(tx, action)
        settle_digests(tx, asked.team, before, asked.now)
        settle_asked(tx, asked.team, action, words.reminders.has_owner(owner=person.name), asked.now)
        return told(tx, asked, incident, actions_views.handed_over(action, incident, asked.user))

    return await once(desk, asked, unit, verb="actions.hand_over")


async def owner_of(desk: Services, asked: Request, owner: str) -> Person:
    """Whoever is to own an action: a person, or a user group that is known; raises Refused for who cannot."""
    if owner.startswith("S"):
        seen = desk.people.seen(asked.team, owner)
        by = await desk.people.known(asked.team, asked.user)
        return seen or await desk.people.learn_group(asked.team, owner, "", by.zone)
    return await require_able(desk, asked, owner, "own it", field="owner")


async def judge(desk: Services, asked: Request, action_id: int, *, held: bool) -> Message | None:
    """Say whether what was done has held."""

    def unit(tx: Transaction) -> Message:
        action, incident = touched(tx, asked, action_id)
        if action.status is not ActionStatus.DONE or action.held:
            raise Refused(f"Action {action.number} of {incident.key} is not asked about any more.")
        action = replace(action, held="held" if held else "came back")
        actions_store.save(tx, action)
        settle_asked(tx, asked.team, action, words.reminders.has_held(held=action.held), asked.now)
        return told(tx, asked, incident, actions_views.judged(action, incident, asked.user))

    return await once(desk, asked, unit, verb="actions.judge")


def require_open(action: Action) -> None:
    """Raises Refused for an action that is finished, with how it is opened again."""
    if action.status is not ActionStatus.OPEN:
        raise Refused(f"Action {action.number} is {action.status} already.")


async def list_all(desk: Services, asked: Request) -> Message:
    """The actions of the channel's incident."""
    return await desk.store.read(
        lambda tx: actions_views.listing(case_store.load(tx, require_incident(tx, asked)), asked.now)
    )


async def show(desk: Services, asked: Request, numbers: Iterable[int]) -> Message:
    """The actions as they stand, to whoever asked, each with all that can be done about it."""

    def look(tx: Transaction) -> Message:
        incident = require_incident(tx, asked)
        case = case_store.load(tx, incident)
        return blocks.joined(
            [actions_views.one(numbered(tx, incident, number), case, asked.now) for number in dict.fromkeys(numbers)]
        )

    return await desk.store.read(look)


async def act(desk: Services, asked: Request, answer: ReplyAnswer, other: str | None) -> Message:
    """Do what was typed behind `/action` about actions of the channel's incident; only their numbers show them.

    `other` is who was mentioned. Raises Refused, with nothing done, where one of them is not there.
    """
    if not answer.about:
        raise Refused("Say which action, as in `/action done 1` or `/action 1 friday`. `/action list` shows them.")
    deed = answer.deed
    if isinstance(deed, actions_rules.Unpicked):
        raise Refused(describe_unlinked_name(deed.name))
    found = await desk.store.read(lambda tx: _named(tx, asked, answer))
    _require_clear(deed, answer.about[0].number)
    if isinstance(deed, actions_rules.Unclear):
        return await show(desk, asked, [action.number for action in found])
    if isinstance(deed, actions_rules.Choose):
        incident = await desk.store.read(lambda tx: require_incident(tx, asked))
        return actions_views.of_actions([OwedAction(action, incident) for action in found], deed.due)
    return blocks.joined(await do_all(desk, asked, deed, [action.id for action in found], other))


def _require_clear(deed: Deed, number: int) -> None:
    """Raises Refused for a day that there is not, and for what has no reason."""
    match deed:
        case actions_rules.Unclear(problem=problem) if problem:
            raise Refused(problem)
        case actions_rules.ReplyDrop(reason=""):
            raise Refused(f"Say why it is dropped: `/action drop {number} covered by the new rate limit`.")


def _named(tx: Transaction, asked: Request, answer: ReplyAnswer) -> list[Action]:
    incident = require_incident(tx, asked)
    for about in answer.about:
        if about.incident not in (None, incident.number):
            raise Refused(
                f"This channel's incident is {incident.key}: go to the channel of the other, and do it there."
            )
    return [numbered(tx, incident, number) for number in dict.fromkeys(about.number for about in answer.about)]


async def do_all(
    desk: Services, asked: Request, deed: Deed, action_ids: Iterable[int], other: str | None = None
) -> list[Message]:
    """Do the same with each of the actions; what is said of each. `other` is who is handed them.

    Each takes effect once however often the request is repeated. Of several, one that cannot be is told and hinders
    no other; raises Refused where it is the only one.
    """
    ids, said = list(action_ids), []
    for index, action_id in enumerate(ids):
        each = replace(asked, key=f"{asked.key}+{index}") if index else asked
        try:
            told = await _do(desk, each, deed, action_id, other)
        except Refused as refused:
            if len(ids) == 1:
                raise
            told = await _refused(desk, each, refused.sentence)
        said += [told] if told else []
    return said


async def move_all(
    desk: Services, asked: Request, action_ids: Iterable[int], deed: actions_rules.MoveDueDate
) -> list[Message]:
    """The answer to which day was meant: all these actions are due then. Who asks may look into all their channels."""
    ids = list(action_ids)

    def look(tx: Transaction) -> set[int]:
        return {found.incident_id for one in ids if (found := actions_store.by_id(tx, one)) is not None}

    for incident_id in await desk.store.read(look):
        await require_sight(desk, replace(asked, incident_id=incident_id))
    return await do_all(desk, asked, deed, ids)


async def _refused(desk: Services, asked: Request, sentence: str) -> Message | None:
    said = blocks.message(words.general.refused(sentence=sentence), response_type="in_channel")
    return await once(desk, asked, lambda _: said, verb="actions.refused")


async def _do(desk: Services, asked: Request, deed: Deed, action_id: int, other: str | None) -> Message | None:
    match deed:
        case actions_rules.ReplyDone():
            return await close_by_id(desk, asked, action_id)
        case actions_rules.ReplyDrop(reason=reason):
            return await close_by_id(desk, asked, action_id, reason)
        case actions_rules.MoveDueDate(due_on=due_on, beside=beside):
            return await move(desk, asked, action_id, due_on, beside)
        case actions_rules.HandOver() if other is not None:
            return await hand_over(desk, asked, action_id, other)
        case _:
            return None


async def reopen(desk: Services, asked: Request, number: int) -> Message | None:
    """A done or dropped action is to be done after all; raises Refused where it is open."""

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, asked, locking=True)
        return _reopened(tx, asked, incident, numbered(tx, incident, number))

    return await once(desk, asked, unit, verb="actions.reopen")


async def reopen_by_id(desk: Services, asked: Request, action_id: int) -> Message | None:
    """[Open again], in a channel or in a DM."""

    def unit(tx: Transaction) -> Message:
        action, incident = touched(tx, asked, action_id)
        return told(tx, asked, incident, _reopened(tx, asked, incident, action))

    return await once(desk, asked, unit, verb="actions.reopen_by_id")


def _reopened(tx: Transaction, asked: Request, incident: Incident, action: Action) -> Message:
    if action.status is ActionStatus.OPEN:
        raise Refused(f"Action {action.number} is open already.")
    action = replace(action, status=ActionStatus.OPEN, reason="", closed_at=None, held="")
    actions_store.save(tx, action)
    settle_asked(tx, asked.team, action, words.reminders.goes_on(), asked.now)
    return actions_views.reopened(action, incident, asked.user)


async def edit(desk: Services, asked: Request, number: int, text: str) -> Message | None:
    """`/action edit 3 …`: word an action anew; everybody reads how it read before."""
    text = require_text(clean_input(text, "That action"), "Say what is to be done.")

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, asked, locking=True)
        return _reworded(tx, desk, asked, numbered(tx, incident, number), incident, text)

    return await once(desk, asked, unit, verb="actions.edit")


async def edit_form(desk: Services, asked: Request, action_id: int) -> Block:
    """The form behind [Edit]."""
    return await desk.store.read(lambda tx: actions_views.edit_form(touched(tx, asked, action_id)[0]))


async def save_form(desk: Services, asked: Request, action_id: int, text: str, seen: str) -> Message | None:
    """The form behind [Edit] was sent, with another text than it was filled with: that one's mark is `seen`."""
    text = require_text(clean_input(text, "That action"), "Say what is to be done.")

    def unit(tx: Transaction) -> Message:
        action, incident = touched(tx, asked, action_id)
        if seen != fingerprint(action.text):
            return actions_views.stale_form(action, text)
        return told(tx, asked, incident, _reworded(tx, desk, asked, action, incident, text))

    return await once(desk, asked, unit, verb="actions.save_form")


def _reworded(
    tx: Transaction, desk: Services, asked: Request, before: Action, incident: Incident, text: str
) -> Message:
    action = replace(before, text=text)
    actions_store.save(tx, action)
    secrets_service.warn(tx, incident, RecordRef(RecordKind.ACTION, str(action.number)), text, asked)
    return actions_views.reworded(action, before, incident, desk.people.name(asked.team, asked.user) or asked.user)


async def hint(desk: Services, asked: Request, text: str) -> Message | None:
    """The gentle word to somebody whose action, just recorded, does not tell when it is done; None where it does."""
    word = find_vague_word(text, desk.vague_words)
    if not word:
        return None

    def look(tx: Transaction) -> Message | None:
        mine = [
            one for one in actions_store.of_incident(tx, require_incident(tx, asked).id) if one.created_by == asked.user
        ]
        latest = next((one for one in reversed(mine) if find_vague_word(one.text, desk.vague_words) == word), None)
        return actions_views.hint(latest, word) if latest else None

    return await desk.store.read(look)


async def owner_form(desk: Services, asked: Request, action_id: int) -> Block:
    """The form behind [Hand over]."""
    groups = await desk.people.names.groups(asked.team)
    return await desk.store.read(lambda tx: actions_views.owner_form(_open_one(tx, asked, action_id), groups))


async def drop_form(desk: Services, asked: Request, action_id: int) -> Block:
    """The form behind [Won't do …]."""
    return await desk.store.read(lambda tx: actions_views.drop_form(_open_one(tx, asked, action_id)))


async def date_form(desk: Services, asked: Request, action_id: int) -> Block:
    """The form that gives an action a new date."""
    today = await today_of(desk, asked)
    return await desk.store.read(lambda tx: actions_views.date_form(_open_one(tx, asked, action_id), today))


def _open_one(tx: Transaction, asked: Request, action_id: int) -> Action:
    """An action that a form is to be opened for; raises Refused for one that is finished."""
    action, _ = touched(tx, asked, action_id)
    require_open(action)
    return action


async def form_from_why(desk: Services, asked: Request, number: int | None) -> Block:
    """The form that makes an action of a why."""
    groups = await desk.people.names.groups(asked.team)

    def look(tx: Transaction) -> Block:
        incident = require_incident(tx, asked)
        why = find_why(whys_store.every(tx, incident.id), number) if number is not None else None
        if why is None:
            return actions_views.add_form(incident, None, groups)
        require_why(tx, desk, asked, why)
        standing = [one for one in actions_store.of_incident(tx, incident.id) if one.status is not ActionStatus.DROPPED]
        before = next((one for one in reversed(standing) if one.number in why.actions), None)
        return actions_views.add_form(incident, why, groups, before)

    return await desk.store.read(look)
