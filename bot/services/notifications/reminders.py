"""Reminders: the sweep turns what is due into deliveries, unless its reason is gone; later steps replace earlier ones.

Also the questions about single actions (to the lead once one is a week overdue, to its owner a month after it was
done), what a resolution and its corrections do to reminders, and how superseded reminders collapse to one line.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bot.domain import incident as incident_rules
from bot.domain import reminders as reminders_rules
from bot.domain.alerts.groups import REMEMBERED
from bot.domain.policy import PostmortemRule, SeverityPolicies
from bot.domain.records import Action, ActionStatus, Entry, EntryKind, Incident, Milestone, Place, Status
from bot.domain.reminders import OF_ACTIONS, ReminderKind, ReminderRules, ReminderState, ReminderStep
from bot.domain.text import format_day
from bot.domain.times.zones import label_of
from bot.errors import Refused
from bot.services.notifications import invitations as invitations_service
from bot.services.notifications import nudges as nudges_service
from bot.slack.directory import find_zone
from bot.slack.views import actions as actions_views
from bot.slack.views import reminders as reminders_views
from bot.slack.views.blocks import Message
from bot.slack.views.templates import words
from storage import actions as actions_store
from storage import alerts as alerts_store
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage import people as people_store
from storage import reminders as reminders_store
from storage import timeline as timeline_store
from storage.database import clock as clock_store
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.deliveries import Delivery, NewDelivery
from storage.queues import DeliveryKind
from storage.reminders import Reminder


def schedule(tx: Transaction, now: datetime) -> None:
    """Schedule the question to the lead about each action that is a week overdue, once for each of its due dates."""
    for action_id, due_on, team in actions_store.list_long_overdue(tx, now - reminders_rules.ESCALATED_AFTER):
        _put(tx, team, ReminderKind.ESCALATED, action_id, due_on.isoformat(), now)


def ask_later(tx: Transaction, rules_: ReminderRules, team: str, action: Action, now: datetime) -> None:
    """Schedule the question to the owner of a done action: whether it held."""
    zone = find_zone(people_store.find(tx, team, action.owner) if action.owner else None)
    at = reminders_rules.follow_up_at(now, zone, rules_)
    _put(tx, team, ReminderKind.FOLLOW_UP, action.id, now.date().isoformat(), at)


def take_over(tx: Transaction, rules_: ReminderRules, incident: Incident, now: datetime) -> None:
    """Schedule the later questions about the actions of an imported incident; those already due are skipped."""
    for action in actions_store.list_all(tx, incident.id):
        if action.status is ActionStatus.DONE and action.closed_at is not None and not action.held:
            zone = find_zone(people_store.find(tx, incident.team, action.owner) if action.owner else None)
            if reminders_rules.follow_up_at(action.closed_at, zone, rules_) > now:
                ask_later(tx, rules_, incident.team, action, action.closed_at)
        is_open = action.status is ActionStatus.OPEN
        if is_open and action.overdue_at is not None and action.overdue_at <= now - reminders_rules.ESCALATED_AFTER:
            subject = (incident.team, ReminderKind.ESCALATED, str(action.id), str(action.due_on))
            skipped = Reminder(
                0, *subject, None, action.overdue_at + reminders_rules.ESCALATED_AFTER, ReminderState.SKIPPED, now, ""
            )
            reminders_store.add_skipped(tx, skipped, "it was due before the incident was imported", now)


def notify_owner(
    tx: Transaction, incident: Incident, action: Action, by: str, now: datetime, *, is_reopened: bool = False
) -> None:
    """Tell a person that another person gave them an action, or reopened theirs.

    It is one DM, which collapses once the action changes. A user group gets none
    (docs/decisions/0048-actions-are-answered-privately.md).
    """
    owner = action.owner or ""
    if owner == by or not is_reachable(tx, incident.team, owner):
        return
    # The time is in it: an action that comes back to the same person is a new assignment, with a DM of its own.
    slot = f"{now.isoformat()} {owner} {by}" + (f" {_REOPENED}" if is_reopened else "")
    _put(tx, incident.team, ReminderKind.ASSIGNED, action.id, slot, now)
    had = reminders_store.list_latest(tx, incident.team, ReminderKind.ASSIGNED, str(action.id), LATEST)
    for reminder in had:
        # Enqueued at once and not by the next sweep: it is about what the owner works on now (decision 48).
        if reminder.slot == slot and reminder.state is ReminderState.PENDING:
            reminders_store.settle(tx, reminder, ReminderState.SENT, "its owner hears of the action", now)
            deliveries_store.enqueue(
                tx, NewDelivery(incident.team, DeliveryKind.REMINDER, owner, "", now, reminder_id=reminder.id)
            )


def enqueue_for_owner(tx: Transaction, incident: Incident, action: Action, message: Message, now: datetime) -> None:
    """Enqueue a message about an action to its owner, or to the channel if no person owns it."""
    if not is_reachable(tx, incident.team, action.owner or ""):
        deliveries_store.enqueue_message(tx, incident, message, now)
        return
    to, body = action.owner or "", message
    deliveries_store.enqueue(
        tx,
        NewDelivery(incident.team, DeliveryKind.OWNER_NOTICE, to, body, now, incident.id, fallback=incident.channel),
    )


def _put(tx: Transaction, team: str, kind: ReminderKind, action_id: int, slot: str, at: datetime) -> None:
    # Of no incident: what is withdrawn with a postmortem's reminders is not this.
    reminders_store.schedule(
        tx, Reminder(0, team, kind, str(action_id), slot, None, at, ReminderState.PENDING, None, "")
    )


def _subject(tx: Transaction, reminder: Reminder) -> tuple[Action, Incident] | None:
    action = actions_store.find(tx, int(reminder.subject))
    incident = incidents_store.find(tx, action.incident_id) if action else None
    return (action, incident) if action is not None and incident is not None else None


def explain_obsolete(tx: Transaction, reminder: Reminder, now: datetime) -> str:
    """Why there is nothing to say about an action any more; empty if there is."""
    found = _subject(tx, reminder)
    if found is None:
        return "the action is gone"
    action, incident = found
    if reminder.kind is ReminderKind.ASSIGNED:
        is_theirs = action.status is ActionStatus.OPEN and action.owner == _parse_assigned(reminder).owner
        return "" if is_theirs else "the action is done or someone else's"
    if reminder.kind is ReminderKind.FOLLOW_UP:
        is_asked = action.status is ActionStatus.DONE and not action.held
        return "" if is_asked else f"the action is {action.held or action.status}"
    if action.status is not ActionStatus.OPEN:
        return f"the action is {action.status}"
    if action.overdue_at is None or action.overdue_at > now or str(action.due_on) != reminder.slot:
        return "the action has another date"
    return "the lead owns it" if incident.lead is not None and incident.lead == action.owner else ""


def list_recipients(tx: Transaction, reminder: Reminder) -> tuple[str, ...]:
    """Who gets it: for a done action its owner, else the lead, else the channel."""
    found = _subject(tx, reminder)
    assert found is not None  # noqa: S101 (explain_obsolete has seen it)
    action, incident = found
    asked = (action.owner, incident.lead) if reminder.kind is ReminderKind.FOLLOW_UP else (incident.lead,)
    here = [
        user
        for user in asked
        if user and not user.startswith("S") and not people_store.has_left(tx, reminder.team, user)
    ]
    return (*here, incident.channel)[:1]


_REOPENED = "reopened"


@dataclass(frozen=True, slots=True)
class _Assignment:
    """The ids of the owner of an action and of who gave it to them, or reopened it."""

    owner: str
    by: str
    is_reopened: bool


def _parse_assigned(reminder: Reminder) -> _Assignment:
    _, owner, by, *how = reminder.slot.split(" ")
    return _Assignment(owner, by, _REOPENED in how)


def is_reachable(tx: Transaction, team: str, user: str) -> bool:
    """Whether a DM can reach them: a person, not a user group, who has not left."""
    return user.startswith(PEOPLE) and not people_store.has_left(tx, team, user)


def compose(tx: Transaction, reminder: Reminder, recipient: str, now: datetime) -> tuple[Message, Incident] | None:
    """The message about an action to a person or a channel, and its incident."""
    found = _subject(tx, reminder)
    if found is None:
        return None
    action, incident = found
    if reminder.kind is ReminderKind.FOLLOW_UP:
        return actions_views.outcome_question(action, incident, now.date()), incident
    owner = people_store.find(tx, reminder.team, action.owner) if action.owner else None
    if reminder.kind is ReminderKind.ASSIGNED:
        assignment, is_public = _parse_assigned(reminder), recipient == incident.channel
        return actions_views.assigned_message(
            action,
            incident,
            assignment.by,
            now.date(),
            is_public=is_public,
            is_reopened=assignment.is_reopened,
        ), incident
    days = (now - action.overdue_at).days if action.overdue_at else 0
    return actions_views.escalation_message(
        action, incident, owner.name if owner else action.owner or "", days, now.date()
    ), incident


# The sweep is one transaction, and people who record wait for it; the rest follows at the next tick.
MOST_AT_ONCE = 200
PEOPLE = ("U", "W")
INBOX_KEPT = timedelta(days=2)
"""Longer than Slack repeats a delivery."""


@dataclass(frozen=True, slots=True)
class SettledReminder:
    """The result for one due reminder, and its recipients."""

    reminder: Reminder
    state: ReminderState
    why: str
    recipients: tuple[str, ...] = ()
    fallback: str = ""
    """Who gets it where the first recipient turns out to be out of reach."""


async def sweep(store: Store, rules_: ReminderRules, now: datetime) -> tuple[SettledReminder, ...]:
    """Turn everything due by `now` into deliveries, in one transaction. Returns the result for each."""
    return await store.write(lambda tx: settle_due(tx, rules_, now))


def settle_due(tx: Transaction, rules_: ReminderRules, now: datetime) -> tuple[SettledReminder, ...]:
    """The sweep's transaction; rolled back, it is the dry run of `afterword tick --dry-run`."""
    _schedule_digests(tx, rules_, now)
    schedule(tx, now)
    nudges_service.schedule(tx, rules_, now)
    deliveries_store.prune_replies(tx, now - INBOX_KEPT)
    alerts_store.prune_events(tx, now - REMEMBERED, now)
    deliveries_store.recall(tx, now)
    clock_store.note_swept(tx, now)
    settled: list[SettledReminder] = []
    # The latest first: after an outage one message goes out, and the earlier steps are skipped for it.
    for reminder in reminders_store.due(tx, now, MOST_AT_ONCE):
        outcome = _judge(tx, reminder, now)
        if outcome.state is ReminderState.SENT:
            _owe(tx, outcome, rules_, now)
        reminders_store.settle(tx, reminder, outcome.state, outcome.why, now)
        settled.append(outcome)
    return tuple(settled)


def _schedule_digests(tx: Transaction, rules_: ReminderRules, now: datetime) -> None:
    """One digest a day for each person who owes an overdue action, from their morning on."""
    for team, owner in actions_store.list_overdue_owners(tx, now):
        slot = reminders_rules.digest_slot(now, find_zone(people_store.find(tx, team, owner)), rules_)
        if slot is not None:
            reminders_store.schedule(
                tx, Reminder(0, team, ReminderKind.OVERDUE, owner, slot, None, now, ReminderState.PENDING, None, "")
            )


def _judge(tx: Transaction, reminder: Reminder, now: datetime) -> SettledReminder:
    if gone := _explain_gone(tx, reminder, now):
        return SettledReminder(reminder, ReminderState.CANCELLED, gone)
    if reminder.kind is ReminderKind.OVERDUE:
        if replaced := _explain_replaced(tx, reminder, now):
            return SettledReminder(reminder, ReminderState.SKIPPED, replaced)
        return _judge_digest(tx, reminder, now)
    if reminder.kind in reminders_rules.OF_ACTIONS:
        return SettledReminder(reminder, ReminderState.SENT, "an action is asked about", list_recipients(tx, reminder))
    if reminder.kind in reminders_rules.AT_ONCE:
        is_review = reminder.kind is ReminderKind.REVIEW
        asked = (invitations_service if is_review else nudges_service).list_recipients(tx, reminder)
        why = "a review is near" if is_review else "the incident needs a look"
        state, why = (ReminderState.SENT, why) if asked else (ReminderState.SKIPPED, "its people can't be reached")
        return SettledReminder(reminder, state, why, asked)
    return _judge_postmortem(tx, reminder, now)


def _judge_digest(tx: Transaction, reminder: Reminder, now: datetime) -> SettledReminder:
    """To the owner; if they have left, each incident's part to its lead, or else to its channel.

    What a user group owes goes to the incidents' channels, where its members can be reached.
    """
    if not reminder.subject.startswith(PEOPLE):
        owed = actions_store.list_overdue_of(tx, reminder.team, reminder.subject, now)
        channels = dict.fromkeys(item.incident.channel for item in owed)
        return SettledReminder(reminder, ReminderState.SENT, "actions of a user group are overdue", tuple(channels))
    if not people_store.has_left(tx, reminder.team, reminder.subject):
        return SettledReminder(reminder, ReminderState.SENT, "actions are overdue", (reminder.subject,))
    found = [item.incident for item in actions_store.list_overdue_of(tx, reminder.team, reminder.subject, now)]
    leads = [(incident, incident.lead or reminder.subject) for incident in found]
    heirs = [incident.channel if people_store.has_left(tx, reminder.team, lead) else lead for incident, lead in leads]
    return SettledReminder(
        reminder, ReminderState.SENT, "the owner of overdue actions has left", tuple(dict.fromkeys(heirs))
    )


def _judge_postmortem(tx: Transaction, reminder: Reminder, now: datetime) -> SettledReminder:
    """To the owner, else to the lead, else to the channel; the steps counted in hours to the channel in any case."""
    incident = incidents_store.find(tx, int(reminder.subject))
    assert incident is not None  # noqa: S101 (_explain_gone has seen it)
    if incident.rule is PostmortemRule.OPTIONAL:
        return _judge_optional(tx, reminder, incident)
    asked = dict.fromkeys(user for user in (incident.postmortem_owner, incident.lead) if user)
    here = [user for user in asked if not people_store.has_left(tx, reminder.team, user)]
    is_public = reminders_rules.is_for_the_channel(reminder.slot) or not here
    recipients = (*here[:1], incident.channel, *_list_also(tx, incident)) if is_public else tuple(here[:1])
    replaced = {
        one: _explain_replaced(tx, reminder, now, in_channel=bool(here) and one not in here[:1])
        for one in dict.fromkeys(recipients)
    }
    wanted = tuple(one for one, why in replaced.items() if not why)
    if not wanted:
        return SettledReminder(reminder, ReminderState.SKIPPED, replaced[recipients[0]])
    return SettledReminder(reminder, ReminderState.SENT, "the postmortem is open", wanted, fallback="".join(here[1:2]))


def _list_also(tx: Transaction, incident: Incident) -> list[str]:
    """Who else hears of the steps in hours, by the incident's policy."""
    also = (one for one in reminders_rules.list_also(incident) if one.startswith((*PEOPLE, "C", "G", "#")))
    return [one for one in also if not people_store.has_left(tx, incident.team, one)]


def _judge_optional(tx: Transaction, reminder: Reminder, incident: Incident) -> SettledReminder:
    """The one question about an optional postmortem: to one person, or to the channel if no one can be reached."""
    here = [user for user in incident_rules.list_askable(incident) if is_reachable(tx, incident.team, user)]
    to = tuple(here[:1]) or (incident.channel,)
    return SettledReminder(reminder, ReminderState.SENT, "the postmortem is optional", to, "".join(here[1:2]))


def _owe(tx: Transaction, settled: SettledReminder, rules_: ReminderRules, now: datetime) -> None:
    """Enqueue the messages: a channel's now, a person's once neither their night nor a snooze is in the way."""
    reminder = settled.reminder
    for recipient in settled.recipients:
        is_person = recipient.startswith(PEOPLE)
        fallback = settled.fallback if is_person else ""
        at = _free_from(tx, reminder, recipient, rules_, now) if is_person else now
        deliveries_store.enqueue(
            tx,
            NewDelivery(
                reminder.team, DeliveryKind.REMINDER, recipient, "", at, reminder.incident_id, reminder.id, fallback
            ),
        )


def _free_from(tx: Transaction, reminder: Reminder, user: str, rules_: ReminderRules, now: datetime) -> datetime:
    if reminder.kind in reminders_rules.AT_ONCE:  # the incident burns now, whatever the hour is
        return now
    if reminder.kind is ReminderKind.POSTMORTEM:
        steps = reminders_store.list_by_incident(tx, int(reminder.subject))
        pending = {
            step.slot: step.due_at for step in steps if step.state is ReminderState.PENDING and step.id != reminder.id
        }
        now = max(now, reminders_rules.find_snooze_end(pending) or now)
        incident = incidents_store.find(tx, int(reminder.subject))
        rules_ = reminders_rules.limit_rules(incident.policy, rules_) if incident else rules_
    zone = find_zone(people_store.find(tx, reminder.team, user))
    is_weekly = reminder.kind is ReminderKind.POSTMORTEM and reminders_rules.is_weekly(reminder.slot)
    return reminders_rules.defer_past_quiet_hours(now, zone, rules_, is_weekly=is_weekly)


def describe_snooze(tx: Transaction, rules_: ReminderRules, user: tuple[str, str], end: datetime, today: date) -> str:
    """When the reminder comes after a snooze, on the clock of a person (team, user): after their quiet hours."""
    zone = find_zone(people_store.find(tx, *user))
    moment = reminders_rules.defer_past_quiet_hours(end, zone, rules_).astimezone(zone)
    return f"{format_day(moment.date(), today)}, {moment:%-H:%M} ({label_of(zone)})"


def explain_unwanted(tx: Transaction, reminder: Reminder, now: datetime, recipient: str) -> str:
    """Why a reminder must not be sent (any more), or empty. Checked again at sending, which may be days later."""
    in_channel = not recipient.startswith(PEOPLE)
    return _explain_gone(tx, reminder, now) or _explain_replaced(tx, reminder, now, in_channel=in_channel)


def _explain_gone(tx: Transaction, reminder: Reminder, now: datetime) -> str:
    if reminder.kind is ReminderKind.OVERDUE:
        owed = actions_store.list_overdue_of(tx, reminder.team, reminder.subject, now)
        return "" if owed else "nothing is overdue any more"
    if reminder.kind in reminders_rules.OF_ACTIONS:
        return explain_obsolete(tx, reminder, now)
    if reminder.kind in reminders_rules.AT_ONCE:
        is_review = reminder.kind is ReminderKind.REVIEW
        gone: str = (invitations_service if is_review else nudges_service).explain_gone(tx, reminder, now)
        return gone
    incident = incidents_store.find(tx, int(reminder.subject))
    return reminders_rules.postmortem_reason_gone(incident)


def _explain_replaced(tx: Transaction, reminder: Reminder, now: datetime, *, in_channel: bool = False) -> str:
    """Why another reminder is sent instead of this one, or empty: after an outage only the latest of a kind is.

    `in_channel`: a message to the channel is not replaced by one to a person.
    """
    if reminder.kind is ReminderKind.OVERDUE:
        zone = find_zone(people_store.find(tx, reminder.team, reminder.subject))
        is_past = reminders_rules.is_of_earlier_day(reminder.slot, now, zone)
        return "the digest of a later day takes its place" if is_past else ""
    if reminder.kind is not ReminderKind.POSTMORTEM:
        return ""
    if ahead := invitations_service.explain_ahead(tx, int(reminder.subject), now):
        return ahead
    steps = reminders_store.list_by_incident(tx, int(reminder.subject))
    # By row, not by due time: a corrected resolution may lie before the first one.
    latest = max(steps, key=lambda step: step.id)
    if reminders_rules.is_of_earlier_resolution(reminder.slot, latest.slot):
        return "the incident was resolved again"
    later = [
        step
        for step in steps
        if reminder.due_at < step.due_at <= now and step.state in (ReminderState.PENDING, ReminderState.SENT)
    ]
    if in_channel and reminders_rules.is_for_the_channel(reminder.slot):
        later = [step for step in later if reminders_rules.is_for_the_channel(step.slot)]
    return "a later reminder of the same went out instead" if later else ""


def remind(
    tx: Transaction, rules: ReminderRules, incident: Incident, resolving: Entry, *, after: datetime | None = None
) -> None:
    """Schedule the postmortem's reminders, except those that this resolution has had already.

    With `after` only those that are due later than that moment.
    """
    had = {reminder.slot: reminder.state for reminder in reminders_store.list_by_incident(tx, incident.id)}
    for step in reminders_rules.postmortem_steps(incident, rules, resolving.number, had):
        if after is None or step.due_at > after:
            _schedule(tx, incident, step)


def resume(tx: Transaction, rules: ReminderRules, incident: Incident, now: datetime) -> ReminderStep | None:
    """Schedule again what was withdrawn when the postmortem was finished and still lies ahead; the next of it.

    What went out does not go out again, and what would have been due meanwhile is not made up for.
    """
    had = reminders_store.list_by_incident(tx, incident.id)
    if had:
        latest = max(had, key=lambda reminder: reminder.id)
        snoozed = reminders_rules.restore_snooze(latest.slot, {one.slot: (one.state, one.due_at) for one in had}, now)
        if snoozed is not None:
            _schedule(tx, incident, snoozed)
    resolving = [
        entry for entry in timeline_store.list_active(tx, incident.id) if entry.milestone is Milestone.RESOLVED
    ]
    if resolving:
        remind(tx, rules, incident, max(resolving, key=lambda entry: entry.number), after=now)
    ahead = [one for one in reminders_store.list_by_incident(tx, incident.id) if one.state is ReminderState.PENDING]
    return min((ReminderStep(one.slot, one.due_at) for one in ahead), key=lambda step: step.due_at, default=None)


def _schedule(tx: Transaction, incident: Incident, step: ReminderStep) -> None:
    subject = (incident.team, ReminderKind.POSTMORTEM, str(incident.id))
    reminders_store.schedule(
        tx, Reminder(0, *subject, step.slot, incident.id, step.due_at, ReminderState.PENDING, None, "")
    )


def apply_correction(
    tx: Transaction,
    rules: ReminderRules,
    incident: Incident,
    changed: Entry,
    now: datetime,
    policies: SeverityPolicies = incident_rules.NO_POLICIES,
) -> Incident:
    """The incident after a correction of one of its entries; its reminders are moved or withdrawn.

    The incident was read with locking, the entry is saved. Raises Refused if the incident would be open again while
    another one is open in its channel.
    """
    if changed.milestone is None and changed.kind is not EntryKind.STATUS:
        return incident
    entries = timeline_store.list_active(tx, incident.id)
    updated = incident_rules.derive_state(incident, entries, policies)
    if updated == incident:
        return incident
    # A channel has one open incident. The database would refuse a second, without words that help.
    if incident.status is Status.RESOLVED and updated.status is not Status.RESOLVED:
        _require_free(tx, incident)
    incidents_store.save(tx, updated)
    if updated.resolved_at != incident.resolved_at:
        _reschedule(tx, rules, updated, entries, now)
    return updated


def _reschedule(
    tx: Transaction, rules: ReminderRules, incident: Incident, entries: tuple[Entry, ...], now: datetime
) -> None:
    resolving = [entry for entry in entries if entry.milestone is Milestone.RESOLVED]
    reopened = incident.status is not Status.RESOLVED
    reminders_store.cancel(
        tx, incident.id, "the incident was reopened" if reopened else "the time of the resolution was corrected", now
    )
    if not reopened and not incident.postmortem_status.is_finished:
        remind(tx, rules, incident, max(resolving, key=lambda entry: entry.number))


def _require_free(tx: Transaction, incident: Incident) -> None:
    current = incidents_store.find_current(tx, Place(incident.team, incident.channel))
    if current is not None and current.id != incident.id and current.status is not Status.RESOLVED:
        refusal = f"{current.key} is open in its channel now, so {incident.key} can't be reopened there."
        raise Refused(f"{refusal} End that one first: `/incident resolved`")


LATEST = 8
"""So many digests of a person, and questions about an action, are looked at: earlier ones were replaced already."""


def retire(tx: Transaction, incident: Incident, why: str, now: datetime, *, channel: str = "", but: int = 0) -> int:
    """Enqueue one line in place of each postmortem reminder of the incident. Returns how many there were.

    `why` is mrkdwn. Only those in `channel` if one is given, and not the reminder of the row `but`.
    """
    superseded = _list_superseded(tx, reminders_store.list_by_incident(tx, incident.id), but)
    found = [one for one in superseded if _is_in(one, channel)]
    for one in found:
        _replace(tx, one, reminders_views.closed_reminder(incident, why), now, incident.channel)
    return len(found)


def update_reminders(tx: Transaction, incident: Incident, now: datetime) -> None:
    """The postmortem reminders of an incident that people can see name the section that is next now."""
    for one in _list_superseded(tx, reminders_store.list_by_incident(tx, incident.id)):
        if one.kind is DeliveryKind.REMINDER:
            _enqueue_update(tx, one, {"anew_of": one.id}, now)


def retire_older_digests(tx: Transaction, digest: Reminder, channel: str, now: datetime) -> None:
    """A digest was sent to a channel: the earlier ones there collapse to one line each."""
    for one in _digests(tx, digest.team, digest.subject, digest.id):
        if _is_in(one, channel):
            _replace(tx, one, reminders_views.closed_digest(words.reminders.newer_digest()), now)


def settle_digests(tx: Transaction, team: str, owner: str | None, now: datetime) -> None:
    """A person's digests show what is still overdue, with its buttons; a line once nothing is."""
    if owner is None:
        return
    is_left = bool(actions_store.list_overdue_of(tx, team, owner, now))
    for one in _digests(tx, team, owner):
        if is_left:
            _enqueue_update(tx, one, {"anew_of": one.id}, now)
        else:
            _replace(tx, one, reminders_views.closed_digest(words.reminders.nothing_overdue()), now)


def settle_questions(tx: Transaction, team: str, action: Action, why: str, now: datetime) -> None:
    """The questions about an action (to its lead, or whether it held) are answered: each collapses to one line.

    `why` is mrkdwn.
    """
    message = reminders_views.closed_question(action, why)
    incident = incidents_store.find(tx, action.incident_id)
    assert incident is not None  # noqa: S101 (a foreign key holds it)
    for kind in OF_ACTIONS:
        for one in _list_superseded(tx, reminders_store.list_latest(tx, team, kind, str(action.id), LATEST)):
            _replace(tx, one, message, now, incident.channel)


def _digests(tx: Transaction, team: str, owner: str, but: int = 0) -> list[Delivery]:
    return list(_list_superseded(tx, reminders_store.list_latest(tx, team, ReminderKind.OVERDUE, owner, LATEST), but))


def _is_in(one: Delivery, channel: str) -> bool:
    return channel in ("", one.sent_channel, one.recipient)


def _replace(tx: Transaction, one: Delivery, message: Message, now: datetime, about: str = "") -> None:
    """`about` is the channel that the line is about; empty for none."""
    body = {"of": one.id, "ts": one.sent_ts, "to": one.recipient, "about": about, **message}
    _enqueue_update(tx, one, body, now)


def _enqueue_update(tx: Transaction, one: Delivery, body: dict[str, object], now: datetime) -> None:
    kind, about = DeliveryKind.REPLACED_REMINDER, (one.incident_id, one.reminder_id)
    deliveries_store.enqueue(tx, NewDelivery(one.team, kind, one.sent_channel, body, now, *about))


def _list_superseded(tx: Transaction, had: Iterable[Reminder], but: int = 0) -> Iterator[Delivery]:
    for reminder in had:
        if reminder.id == but:
            continue
        owed = deliveries_store.list_by_reminder(tx, reminder.id)
        # One line for each: a second would only be a second edit of the same message.
        retired = {one.content.get("of") for one in owed if one.kind is DeliveryKind.REPLACED_REMINDER}
        yield from (
            one
            for one in owed
            if one.kind is not DeliveryKind.REPLACED_REMINDER and one.sent_ts and one.id not in retired
        )
