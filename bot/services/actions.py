"""Corrective actions: add, finish, drop, edit, give a new date or owner, open again, list; and their forms.

No form is opened for an action that is finished or was taken back.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from bot.domain import actions as actions_rules
from bot.domain.actions import Operation, ReplyAnswer, find_vague_word
from bot.domain.incident import find_policy
from bot.domain.records import Action, ActionKind, ActionStatus, Incident, Person
from bot.domain.reminders import ReminderRules
from bot.domain.secrets import RecordKind, RecordRef
from bot.domain.text import clean_input, describe_unlinked_name, fingerprint, format_day, require_text
from bot.domain.times import due_dates
from bot.domain.whys import find_why, list_without_action
from bot.errors import OutdatedButton, Refused
from bot.services import secrets as secrets_service
from bot.services.context import Request, Services, require_able, require_incident, require_visible, run_once
from bot.services.corrections import require_active
from bot.services.notifications import reminders as reminders_service
from bot.services.notifications.reminders import settle_digests, settle_questions
from bot.services.whys import update_prompt
from bot.slack.directory import find_zone
from bot.slack.views import actions as actions_views
from bot.slack.views import blocks
from bot.slack.views import postmortem as postmortem_views
from bot.slack.views.blocks import Block, Message
from bot.slack.views.templates import words
from storage import actions as actions_store
from storage import case as case_store
from storage import incidents as incidents_store
from storage import people as people_store
from storage import whys as whys_store
from storage.actions import NewAction, OwedAction
from storage.database.statements import Transaction


@dataclass(frozen=True, slots=True)
class Asking:
    """An action to add: the text, the owner (a user id), and the due date (a day where the owner lives).

    Without a date it gets the usual one of its kind, unless it `is_undated` by choice.
    """

    text: str
    owner: str | None
    due_on: date | None
    link: str = ""
    why: int | None = None
    """The why of which it was made."""
    kind: ActionKind | None = None
    is_undated: bool = False


_EXAMPLE = "What needs doing? Try `/action add a load test @ana due friday`"


async def require_addable(services: Services, request: Request, text: str) -> None:
    """Raises Refused if there is no text, or no incident to add the action to."""
    require_text(clean_input(text, "That action"), _EXAMPLE)
    await services.store.read(lambda tx: require_incident(tx, request))


async def add(services: Services, request: Request, asking: Asking) -> Message | None:
    """Write an action down."""
    text = require_text(clean_input(asking.text, "That action"), _EXAMPLE)
    if asking.due_on is not None:
        await require_ahead(services, request, asking.due_on)
    keeper = await require_owner(services, request, asking.owner or request.user)
    policies, zone = services.find_policies(request.team), find_zone(keeper)

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request, locking=True)
        policy = None if asking.is_undated else find_policy(incident, policies)
        usual = policy.due_on(asking.kind or "", request.now.astimezone(zone).date()) if policy else None
        due_on = asking.due_on or usual
        overdue_at = due_dates.overdue_at(due_on, zone) if due_on else None
        made = (request.user, request.now, asking.kind)
        action = actions_store.add(
            tx, incident.id, NewAction(text, asking.owner, due_on, overdue_at, asking.link, *made)
        )
        chain = whys_store.list_chain(tx, incident.id)
        for why in chain:
            if why.number == asking.why:
                whys_store.link(tx, why, action)
                update_prompt(tx, request, incident.id)  # its button that makes the action goes
        secrets_service.warn(
            tx, incident, RecordRef(RecordKind.ACTION, str(action.number)), f"{text} {action.link}", request
        )
        roots = list_without_action(chain, _list_undropped(tx, incident)) if asking.why is None else ()
        reminders_service.notify_owner(tx, incident, action, request.user, request.now)
        offers = postmortem_views.link_offer_blocks(incident, roots, action.number)
        is_usual = asking.due_on is None and usual is not None
        message = actions_views.added_message(
            action, incident, request.user, request.now.date(), offers, is_usual=is_usual
        )
        return answer(request, message)

    return await run_once(services, request, unit, verb="actions.add")


def _list_undropped(tx: Transaction, incident: Incident) -> tuple[int, ...]:
    found = actions_store.list_all(tx, incident.id)
    return tuple(action.number for action in found if action.status is not ActionStatus.DROPPED)


async def read_today(services: Services, request: Request) -> date:
    """Today's date where the author lives: due dates in words count from it."""
    return request.now.astimezone(find_zone(await services.slack.directory.look_up(request.team, request.user))).date()


async def require_ahead(services: Services, request: Request, due_on: date) -> None:
    """Raises Refused for a day that is over where the author lives."""
    today = await read_today(services, request)
    if due_on < today:
        example = format_day(today + timedelta(days=7), today)
        raise Refused(
            f"{format_day(due_on, today)} is past. Pick today or a later day, such as {example}.", field="due"
        )


async def close(services: Services, request: Request, number: int, reason: str | None) -> Message | None:
    """Action 3 of the channel's incident is done, or (with a reason) dropped."""
    if reason is not None:
        reason = require_text(
            clean_input(reason, "That reason"), f"Why won't it be done? Try `/action drop {number} not needed`"
        )

    return await run_once(
        services,
        request,
        lambda tx: _close(tx, services, request, require_action(tx, require_incident(tx, request), number), reason),
        verb="actions.close",
    )


def require_action(tx: Transaction, incident: Incident, number: int) -> Action:
    """Action 3 of the incident. Raises Refused if there is none."""
    for action in actions_store.list_all(tx, incident.id):
        if action.number == number:
            return action
    raise Refused(f"{incident.key} has no action {number}. `/action list` shows all of them.")


async def close_by_id(
    services: Services, request: Request, action_id: int, reason: str | None = None
) -> Message | None:
    """The action behind a [Done] button or (with a reason) [Won't do …], from a channel or from a DM."""
    if reason is not None:
        reason = require_text(clean_input(reason, "That reason"), "Why won't it be done? Add a reason.")
    return await run_once(
        services,
        request,
        lambda tx: _close(tx, services, request, require_touchable(tx, request, action_id)[0], reason),
        verb="actions.close_by_id",
    )


def _close(tx: Transaction, services: Services, request: Request, action: Action, reason: str | None) -> Message:
    require_open(action)
    status = ActionStatus.DROPPED if reason else ActionStatus.DONE
    action = replace(action, status=status, reason=reason or "", closed_at=request.now)
    actions_store.save(tx, action)
    settle_digests(tx, request.team, action.owner, request.now)
    over = words.reminders.is_done() if status is ActionStatus.DONE else words.reminders.is_dropped()
    settle_questions(tx, request.team, action, over, request.now)
    incident = incidents_store.find(tx, action.incident_id)
    assert incident is not None  # noqa: S101 (a foreign key holds it)
    if status is ActionStatus.DONE:
        reminders_service.ask_later(tx, services.policy.reminders, request.team, action, request.now)
    return answer(request, actions_views.closed_message(action, incident))


def close_elsewhere(tx: Transaction, rules_: ReminderRules, incident: Incident, action: Action, now: datetime) -> None:
    """Finish an action that was finished in the tracker; its owner is asked later if it held."""
    action = replace(action, status=ActionStatus.DONE, closed_at=now)
    actions_store.save(tx, action)
    settle_digests(tx, incident.team, action.owner, now)
    settle_questions(tx, incident.team, action, words.reminders.is_done(), now)
    reminders_service.ask_later(tx, rules_, incident.team, action, now)


def reopen_elsewhere(tx: Transaction, incident: Incident, action: Action, now: datetime) -> Action:
    """Open a done action that was reopened in the tracker. Open questions about it are settled."""
    action = replace(action, status=ActionStatus.OPEN, closed_at=None, held="")
    actions_store.save(tx, action)
    settle_questions(tx, incident.team, action, words.reminders.goes_on(), now)
    return action


def move_elsewhere(tx: Transaction, incident: Incident, action: Action, now: datetime) -> None:
    """An open action got the date that it has here now in the tracker."""
    actions_store.save(tx, action)
    settle_digests(tx, incident.team, action.owner, now)
    settle_questions(
        tx, incident.team, action, words.reminders.has_date(due=actions_views.due_label(action.due_on, now.date())), now
    )


def answer(request: Request, reply: Message) -> Message:
    """The answer to the person who asked, privately; in their own conversation with the bot it stays to be read.

    The channel reads changes of actions on the live message, which run_once refreshes.
    """
    is_own = request.place.channel.startswith("D") or request.place.channel == request.user
    return reply | {"response_type": "in_channel" if is_own else "ephemeral"}


def require_touchable(tx: Transaction, request: Request, action_id: int) -> tuple[Action, Incident]:
    """An action that this person may touch: theirs, of an incident that they lead, or of the channel they are in."""
    action = actions_store.find(tx, action_id)
    incident = incidents_store.find(tx, action.incident_id) if action else None
    if action is None or incident is None or incident.team != request.team:
        raise OutdatedButton(
            "That action doesn't exist anymore. To see the others, type `/action list` in its channel."
        )
    if incident.channel != request.place.channel and request.user not in (action.owner, incident.lead):
        raise OutdatedButton(_not_yours(tx, incident, action))
    return action, incident


def _not_yours(tx: Transaction, incident: Incident, action: Action) -> str:
    owner = people_store.find(tx, incident.team, action.owner) if action.owner else None
    owns = f"is {owner.name}'s now" if owner else "has no owner now"
    what = f"Action {action.number} of {incident.key} {owns}."
    return f"{what} Only its owner and the lead can change it from outside the incident's channel."


def _name(services: Services, request: Request) -> str:
    return services.slack.directory.name_or_id(request.team, request.user)


async def move(
    services: Services, request: Request, action_id: int, due_on: date, time_of_day: str = ""
) -> Message | None:
    """Give an open action a new due date, today or later.

    `time_of_day` was typed with the date: the answer says that it is not stored.
    """
    await require_ahead(services, request, due_on)
    owner = await services.store.read(lambda tx: require_touchable(tx, request, action_id)[0].owner)
    keeper = await services.slack.directory.look_up(request.team, owner or request.user)
    overdue_at = due_dates.overdue_at(due_on, find_zone(keeper))

    def unit(tx: Transaction) -> Message:
        before, incident = require_touchable(tx, request, action_id)
        require_open(before)
        if before.due_on == due_on:
            due = actions_views.due_label(due_on, request.now.date())
            raise Refused(f"Action {before.number} is already due {due}. Pick another day.", field="due")
        action = replace(before, due_on=due_on, overdue_at=overdue_at)
        actions_store.save(tx, action)
        settle_digests(tx, request.team, action.owner, request.now)
        settle_questions(
            tx,
            request.team,
            action,
            words.reminders.has_date(due=actions_views.due_label(due_on, request.now.date())),
            request.now,
        )
        reply = answer(
            request,
            actions_views.new_date_message(
                action, incident, _name(services, request), before.due_on, request.now.date(), time_of_day
            ),
        )
        is_at_home = request.place.channel == request.user  # the Home tab shows it; their conversation need not
        return reply | {"response_type": "ephemeral"} if is_at_home else reply

    return await run_once(services, request, unit, verb="actions.move")


async def hand_over(services: Services, request: Request, action_id: int, owner: str) -> Message | None:
    """Give an action to another person or to a user group; its due day then ends in their zone."""
    person = await require_owner(services, request, owner)

    def unit(tx: Transaction) -> Message:
        action, incident = require_touchable(tx, request, action_id)
        require_open(action)
        overdue_at = due_dates.overdue_at(action.due_on, find_zone(person)) if action.due_on else None
        before, action = action.owner, replace(action, owner=owner, overdue_at=overdue_at)
        actions_store.save(tx, action)
        settle_digests(tx, request.team, before, request.now)
        settle_questions(tx, request.team, action, words.reminders.has_owner(owner=person.name), request.now)
        reminders_service.notify_owner(tx, incident, action, request.user, request.now)
        return answer(request, actions_views.new_owner_message(action, incident, request.user, request.now.date()))

    return await run_once(services, request, unit, verb="actions.hand_over")


async def require_owner(services: Services, request: Request, owner: str) -> Person:
    """The new owner of an action: a person or a known user group. Raises Refused for anyone who cannot own it."""
    if owner.startswith("S"):
        seen = services.slack.directory.get(request.team, owner)
        by = await services.slack.directory.look_up(request.team, request.user)
        return seen or await services.slack.directory.learn_group(request.team, owner, "", by.zone)
    return await require_able(services, request, owner, "own it", field="owner")


async def judge(services: Services, request: Request, action_id: int, *, has_held: bool) -> Message | None:
    """Save whether a done action has held."""

    def unit(tx: Transaction) -> Message:
        action, incident = require_touchable(tx, request, action_id)
        if action.status is not ActionStatus.DONE or action.held:
            raise OutdatedButton(f"Action {action.number} of {incident.key} is open again, or already has an answer.")
        action = replace(action, held="held" if has_held else "came back")
        actions_store.save(tx, action)
        settle_questions(tx, request.team, action, words.reminders.has_held(verdict=action.held), request.now)
        return answer(request, actions_views.verdict_message(action, incident))

    return await run_once(services, request, unit, verb="actions.judge")


def require_open(action: Action) -> None:
    """Raises Refused for an action that is finished, with how it is opened again."""
    if action.status is not ActionStatus.OPEN:
        raise OutdatedButton(
            f"Action {action.number} is already {action.status}. To open it again: `/action reopen {action.number}`"
        )


async def list_all(services: Services, request: Request) -> Message:
    """The actions of the channel's incident."""
    return await services.store.read(
        lambda tx: actions_views.list_message(case_store.load(tx, require_incident(tx, request)), request.now)
    )


async def show(services: Services, request: Request, numbers: Iterable[int]) -> Message:
    """Actions as they are now, to the person who asked, with the buttons that fit each."""

    def look(tx: Transaction) -> Message:
        incident = require_incident(tx, request)
        case = case_store.load(tx, incident)
        return blocks.join_messages(
            [
                actions_views.action_message(require_action(tx, incident, number), case, request.now)
                for number in dict.fromkeys(numbers)
            ]
        )

    return await services.store.read(look)


async def act(services: Services, request: Request, answer: ReplyAnswer, other: str | None) -> Message:
    """Do what was typed after `/action` about numbered actions of the channel's incident.

    `other` is the person mentioned. Raises Refused, with nothing done, if one of the numbers does not exist.
    """
    if not answer.about:
        raise Refused("Which action? Try `/action done 1` or `/action 1 friday`. `/action list` shows the numbers.")
    operation = answer.operation
    if isinstance(operation, actions_rules.Unpicked):
        raise Refused(describe_unlinked_name(operation.name))
    found = await services.store.read(lambda tx: _find_named(tx, request, answer))
    _require_clear(operation, answer.about[0].number)
    if isinstance(operation, actions_rules.Unclear):
        return await show(services, request, [action.number for action in found])
    if isinstance(operation, actions_rules.Choose):
        incident = await services.store.read(lambda tx: require_incident(tx, request))
        items = [OwedAction(action, incident) for action in found]
        return actions_views.new_date_question(items, operation.due, request.now.date())
    return blocks.join_messages(await do_all(services, request, operation, [action.id for action in found], other))


def _require_clear(operation: Operation, number: int) -> None:
    """Raises Refused for a day that there is not, and for what has no reason."""
    match operation:
        case actions_rules.Unclear(problem=problem) if problem:
            raise Refused(problem)
        case actions_rules.ReplyDrop(reason=""):
            raise Refused(f"Why won't it be done? Try `/action drop {number} covered by the new rate limit`")


def _find_named(tx: Transaction, request: Request, answer: ReplyAnswer) -> list[Action]:
    incident = require_incident(tx, request)
    for about in answer.about:
        if about.incident not in (None, incident.number):
            raise Refused(f"This channel is about {incident.key}. Type it in the other incident's channel.")
    return [require_action(tx, incident, number) for number in dict.fromkeys(about.number for about in answer.about)]


async def do_all(
    services: Services, request: Request, operation: Operation, action_ids: Iterable[int], other: str | None = None
) -> list[Message]:
    """Do the same with each of the actions, and report on each. `other` is the person they are handed to.

    Each takes effect once, however often the request is repeated. If one of several cannot be done, that is reported
    and the others are done; if it is the only one, Refused is raised.
    """
    ids, replies = list(action_ids), []
    for index, action_id in enumerate(ids):
        # A key for each: one transaction an action, so that one that is refused does not undo the others.
        each = replace(request, key=f"{request.key}+{index}") if index else request
        try:
            answer = await _do(services, each, operation, action_id, other)
        except Refused as refused:
            if len(ids) == 1:
                raise
            answer = await _report_refusal(services, each, refused.sentence)
        replies += [answer] if answer else []
    return replies


async def move_all(
    services: Services, request: Request, action_ids: Iterable[int], operation: actions_rules.MoveDueDate
) -> list[Message]:
    """The answer to which day was meant: all these actions are due then. Who asks may look into all their channels."""
    ids = list(action_ids)

    def look(tx: Transaction) -> set[int]:
        return {found.incident_id for one in ids if (found := actions_store.find(tx, one)) is not None}

    for incident_id in await services.store.read(look):
        await require_visible(services, replace(request, incident_id=incident_id))
    return await do_all(services, request, operation, ids)


async def finish_overdue(services: Services, request: Request, action_ids: Iterable[int]) -> Message | None:
    """[All done] of a digest: finish those of the actions that are still overdue and the person's own."""
    ids = list(action_ids)

    def list_found(tx: Transaction) -> list[OwedAction]:
        owed = actions_store.list_overdue_of(tx, request.team, request.user, request.now)
        return [item for item in owed if item.action.id in ids]

    def unit(tx: Transaction) -> Message:
        found = list_found(tx)
        if not found:
            raise OutdatedButton("None of these actions is overdue anymore.")
        return blocks.join_messages([_close(tx, services, request, item.action, None) for item in found])

    # Slack is asked before the transaction; what was overdue is looked at again in it.
    for item in await services.store.read(list_found):
        await require_visible(services, replace(request, incident_id=item.incident.id))
    return await run_once(services, request, unit, verb="actions.finish_overdue")


async def _report_refusal(services: Services, request: Request, sentence: str) -> Message | None:
    reply = answer(request, blocks.ephemeral(words.general.refused(sentence=sentence)))
    return await run_once(services, request, lambda _: reply, verb="actions.refused")


async def _do(
    services: Services, request: Request, operation: Operation, action_id: int, other: str | None
) -> Message | None:
    match operation:
        case actions_rules.ReplyDone():
            return await close_by_id(services, request, action_id)
        case actions_rules.ReplyDrop(reason=reason):
            return await close_by_id(services, request, action_id, reason)
        case actions_rules.MoveDueDate(due_on=due_on, time_of_day=time_of_day):
            return await move(services, request, action_id, due_on, time_of_day)
        case actions_rules.HandOver() if other is not None:
            return await hand_over(services, request, action_id, other)
        case _:
            return None


async def reopen(services: Services, request: Request, number: int) -> Message | None:
    """Open a done or dropped action again. Raises Refused if it is open."""

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request, locking=True)
        return _reopen(tx, request, incident, require_action(tx, incident, number))

    return await run_once(services, request, unit, verb="actions.reopen")


async def reopen_by_id(services: Services, request: Request, action_id: int) -> Message | None:
    """[Open again], in a channel or in a DM."""

    def unit(tx: Transaction) -> Message:
        action, incident = require_touchable(tx, request, action_id)
        return _reopen(tx, request, incident, action)

    return await run_once(services, request, unit, verb="actions.reopen_by_id")


def _reopen(tx: Transaction, request: Request, incident: Incident, action: Action) -> Message:
    if action.status is ActionStatus.OPEN:
        raise OutdatedButton(f"Action {action.number} is already open.")
    action = replace(action, status=ActionStatus.OPEN, reason="", closed_at=None, held="")
    actions_store.save(tx, action)
    settle_questions(tx, request.team, action, words.reminders.goes_on(), request.now)
    reminders_service.notify_owner(tx, incident, action, request.user, request.now, is_reopened=True)
    return answer(request, actions_views.reopened_message(action, incident, request.now.date()))


async def edit(services: Services, request: Request, number: int, text: str) -> Message | None:
    """`/action edit 3 …`: change the text of an action. The answer shows the old text as well."""
    text = require_text(clean_input(text, "That action"), "What needs doing? Write it in a few words.")

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request, locking=True)
        return _reword(tx, services, request, require_action(tx, incident, number), incident, text)

    return await run_once(services, request, unit, verb="actions.edit")


async def edit_form(services: Services, request: Request, action_id: int) -> Block:
    """The form behind [Edit]."""
    return await services.store.read(lambda tx: actions_views.edit_form(require_touchable(tx, request, action_id)[0]))


async def save_form(services: Services, request: Request, action_id: int, text: str, seen: str) -> Message | None:
    """The form behind [Edit] was sent, with another text than it was filled with: that one's mark is `seen`."""
    text = require_text(clean_input(text, "That action"), "What needs doing? Write it in a few words.")

    def unit(tx: Transaction) -> Message:
        action, incident = require_touchable(tx, request, action_id)
        # Someone else changed it while the form was open: their words must not vanish unseen (decision 30).
        if seen != fingerprint(action.text):
            return actions_views.conflict_form(action, text)
        return _reword(tx, services, request, action, incident, text)

    return await run_once(services, request, unit, verb="actions.save_form")


def _reword(
    tx: Transaction, services: Services, request: Request, before: Action, incident: Incident, text: str
) -> Message:
    action = replace(before, text=text)
    actions_store.save(tx, action)
    secrets_service.warn(tx, incident, RecordRef(RecordKind.ACTION, str(action.number)), text, request)
    return answer(request, actions_views.reworded_message(action, before, incident, _name(services, request)))


async def hint(services: Services, request: Request, text: str) -> Message | None:
    """The hint to the author of an action that does not say when it is done; None if it does."""
    word = find_vague_word(text, services.policy.vague_words)
    if not word:
        return None

    def look(tx: Transaction) -> Message | None:
        mine = [
            one
            for one in actions_store.list_all(tx, require_incident(tx, request).id)
            if one.created_by == request.user
        ]
        latest = next(
            (one for one in reversed(mine) if find_vague_word(one.text, services.policy.vague_words) == word), None
        )
        return actions_views.wording_hint(latest, word) if latest else None

    return await services.store.read(look)


async def owner_form(services: Services, request: Request, action_id: int) -> Block:
    """The form behind [Hand over]."""
    groups = await services.slack.directory.names.groups(request.team)
    return await services.store.read(lambda tx: actions_views.owner_form(_open_one(tx, request, action_id), groups))


async def drop_form(services: Services, request: Request, action_id: int) -> Block:
    """The form behind [Won't do …]."""
    return await services.store.read(lambda tx: actions_views.drop_form(_open_one(tx, request, action_id)))


async def date_form(services: Services, request: Request, action_id: int) -> Block:
    """The form that gives an action a new date."""
    today = await read_today(services, request)
    return await services.store.read(lambda tx: actions_views.date_form(_open_one(tx, request, action_id), today))


def _open_one(tx: Transaction, request: Request, action_id: int) -> Action:
    """An action that a form is to be opened for; raises Refused for one that is finished."""
    action, _ = require_touchable(tx, request, action_id)
    require_open(action)
    return action


async def form_from_why(services: Services, request: Request, number: int | None) -> Block:
    """The form that makes an action of a why."""
    groups = await services.slack.directory.names.groups(request.team)

    def look(tx: Transaction) -> Block:
        incident = require_incident(tx, request)
        why = find_why(whys_store.list_all(tx, incident.id), number) if number is not None else None
        if why is None:
            return actions_views.add_form(incident, None, groups)
        require_active(tx, services, request, why)
        active = [one for one in actions_store.list_all(tx, incident.id) if one.status is not ActionStatus.DROPPED]
        before = next((one for one in reversed(active) if one.number in why.actions), None)
        return actions_views.add_form(incident, why, groups, before)

    return await services.store.read(look)
