"""What a delivery says at the moment it is sent; nothing if its reason is gone by then.

A reminder is complete in its incident's channel; outside, it shows nothing of a channel that its reader may not look
into. Slack says so at sending; without an answer nothing is shown. Also the replies that people write to
reminders in their conversation with the bot.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from typing import Any

from bot.domain import actions as actions_rules
from bot.domain import reminders as reminders_rules
from bot.domain.actions import About, Operation, ReplyAnswer
from bot.domain.policy import PostmortemRule
from bot.domain.records import Incident, Status
from bot.domain.reminders import ReminderKind
from bot.domain.text import describe_unlinked_name
from bot.errors import Refused
from bot.services import actions as actions_service
from bot.services import live_message as live_message_service
from bot.services.actions import do_all
from bot.services.alerts import suggestions as suggestions_service
from bot.services.announcements import posts as posts_service
from bot.services.announcements.posts import Announcer
from bot.services.context import Request, Services, require_visible, run_once
from bot.services.documents.exports import ExportDelivery
from bot.services.notifications import invitations as invitations_service
from bot.services.notifications import nudges as nudges_service
from bot.services.notifications import reminders as reminders_service
from bot.services.notifications.invitations import InvitationDelivery
from bot.services.notifications.reminders import explain_unwanted, retire, retire_older_digests
from bot.services.whys import compose_prompt
from bot.slack.channels import VisibleChannels
from bot.slack.directory import find_zone
from bot.slack.sender import AnswerPending, MessageWithheld, OutgoingMessage
from bot.slack.views import actions as actions_views
from bot.slack.views import blocks
from bot.slack.views import policy as policy_views
from bot.slack.views import reminders as reminders_views
from bot.slack.views import review as review_views
from bot.slack.views import whys as whys_views
from bot.slack.views.blocks import Message
from bot.slack.views.reminders import OWN, DigestSubject
from bot.slack.views.templates import words
from storage import actions as actions_store
from storage import case as case_store
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage import people as people_store
from storage import reminders as reminders_store
from storage.actions import OwedAction
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.deliveries import Delivery, NewDelivery
from storage.queues import DeliveryKind
from storage.reminders import Reminder

PATIENCE = 3
"""Attempts that wait for Slack's answer; after them nothing is named, so that something is said at all."""

LookInto = Callable[[str, str, Iterable[str]], Awaitable[VisibleChannels]]
"""Which of the channels a person (team, user) may look into."""


@dataclass(frozen=True, slots=True)
class VisibleMessage:
    """A message about some channels: `compose` words it for a reader who may look into the given ones only."""

    channels: frozenset[str]
    compose: Callable[[frozenset[str]], OutgoingMessage]
    on_hidden: Callable[[Transaction, frozenset[str]], None] | None = None
    """Enqueues a message for each channel that its reader cannot look into: those people hear of it there."""
    is_withheld: bool = False
    """It is for those only who may look into its channels, and in other channels if those are public."""


class Visibility:
    """Words each message for its reader."""

    def __init__(self, store: Store, look_into: LookInto) -> None:
        self._store = store
        self._look_into = look_into

    def message(self, delivery: Delivery, reader: str, message: VisibleMessage) -> OutgoingMessage:
        """The message for a `reader`: in a channel all of it, and to a person what they may read once it is sent."""
        if not reader.startswith(("U", "W")) and not message.is_withheld:
            return message.compose(message.channels)
        return replace(
            # Slack is asked when the message is sent: a claim is a transaction of the writer, and must not wait for
            # Slack.
            message.compose(frozenset()),
            factory=partial(self._compose_for, delivery, reader, message),
            is_keyed=True,
        )

    async def _compose_for(self, delivery: Delivery, reader: str, message: VisibleMessage) -> OutgoingMessage:
        return message.compose(
            await self.see(delivery, reader, message.channels, message.on_hidden, is_withheld=message.is_withheld)
        )

    async def see(
        self,
        delivery: Delivery,
        reader: str,
        channels: frozenset[str],
        on_hidden: "OnHidden | None",
        *,
        is_withheld: bool = False,
    ) -> frozenset[str]:
        """Which of the channels a reader may look into now; raises AnswerPending if Slack does not say."""
        sight = await self._look_into(delivery.team, reader, channels)
        # A wait of a few attempts is better than a message without its subject.
        if not sight.is_sure and delivery.attempts < PATIENCE:
            raise AnswerPending("Slack does not say who may look into the channel")
        hidden = channels - sight.seen
        if hidden and is_withheld:
            raise MessageWithheld("the incident's channel isn't open to them")
        # Only if Slack said so: an outage must not post a person's reminder in the channel.
        if hidden and sight.is_sure and on_hidden is not None:
            await self._store.write(lambda tx: on_hidden(tx, hidden))
        return sight.seen


def compose_reminder(tx: Transaction, reminder: Reminder, delivery: Delivery, now: datetime) -> VisibleMessage | None:
    """The message of a reminder by the current record; None if it has nothing (more) for this recipient."""
    on_hidden = partial(_tell_channels, delivery=delivery, now=now)
    if reminder.kind is ReminderKind.OVERDUE:
        return _digest(tx, reminder, delivery, now)
    if reminder.kind in reminders_rules.OF_ACTIONS:
        asked = reminders_service.compose(tx, reminder, delivery.recipient, now)
        is_new = reminder.kind is ReminderKind.ASSIGNED
        unseen = reminders_views.hidden_assignment if is_new else reminders_views.hidden_action_question
        return _of_one(asked[1], asked[0], unseen, on_hidden) if asked else None
    if reminder.kind in reminders_rules.AT_ONCE:
        return _compose_at_once(tx, reminder, delivery.recipient, now)
    incident = incidents_store.find(tx, int(reminder.subject))
    if incident is None or incident.resolved_at is None:
        return None
    is_also = delivery.recipient in reminders_rules.list_also(incident)
    if not is_also and not _is_asked(incident, delivery.recipient):
        return None
    case = case_store.load_latest(tx, incident)
    zone = find_zone(people_store.find(tx, reminder.team, delivery.recipient))
    if incident.rule is PostmortemRule.OPTIONAL:
        question = policy_views.optional_question(case, now.astimezone(zone), delivery.recipient)
        return _of_one(incident, question, reminders_views.hidden_postmortem_reminder, on_hidden)
    if is_also and delivery.recipient not in (incident.channel, incident.postmortem_owner):
        notice = reminders_views.postmortem_notice(case, now.astimezone(zone))
        return VisibleMessage(frozenset({incident.channel}), lambda _: OutgoingMessage.of(notice), is_withheld=True)
    message = reminders_views.postmortem_reminder(case, now.astimezone(zone), delivery.recipient, _unseen_by(delivery))
    return _of_one(incident, message, reminders_views.hidden_postmortem_reminder, on_hidden)


def _compose_at_once(tx: Transaction, reminder: Reminder, reader: str, now: datetime) -> VisibleMessage | None:
    """A nudge, or what is said around a review."""
    if reminder.kind is ReminderKind.REVIEW:
        review = invitations_service.compose_reminder(tx, reminder, reader, now)
        return _of_one(review[1], review[0], review_views.hidden_change, None) if review else None
    nudge = nudges_service.compose(tx, reminder, reader, now)
    return _of_one(nudge[1], nudge[0], reminders_views.hidden_message, None) if nudge else None


def compose_hand_over(tx: Transaction, incident: Incident, delivery: Delivery, now: datetime) -> VisibleMessage:
    """What the new owner of a postmortem reads."""

    def tell_channels(tx: Transaction, channels: frozenset[str]) -> None:
        for channel in channels:
            deliveries_store.enqueue_message(
                tx, incident, reminders_views.hidden_owner_message(incident), now, to=channel
            )

    message = reminders_views.new_owner_message(case_store.load_latest(tx, incident), delivery.body)
    return _of_one(incident, message, reminders_views.hidden_postmortem_reminder, tell_channels)


def compose_notice(incident: Incident, delivery: Delivery, now: datetime) -> VisibleMessage:
    """What the owner of an action reads about it; the channel, if they cannot see it."""
    message = delivery.content

    def tell_channel(tx: Transaction, channels: frozenset[str]) -> None:
        for channel in channels:
            deliveries_store.enqueue_message(tx, incident, message, now, to=channel)

    return _of_one(incident, message, reminders_views.hidden_notice, tell_channel)


def compose_retired(body: dict[str, Any]) -> VisibleMessage:
    """The line that a reminder becomes, as `bot/services/notifications/reminders.py` enqueues it."""

    def compose(seen: frozenset[str]) -> OutgoingMessage:
        line = body if channels <= seen else reminders_views.hidden_reminder_message()
        return replace(OutgoingMessage.of(line), update_ts=body["ts"], only_there=True)

    channels = frozenset(filter(None, [body.get("about", "")]))
    return VisibleMessage(channels, compose)


def _digest(tx: Transaction, reminder: Reminder, delivery: Delivery, now: datetime) -> VisibleMessage | None:
    """What a person owes, for them; or their part of it for a lead or a channel, if they cannot be reached."""
    owed, recipient = actions_store.list_overdue_of(tx, reminder.team, reminder.subject, now), delivery.recipient
    if recipient != reminder.subject:
        owed = tuple(item for item in owed if recipient in (item.incident.lead, item.incident.channel))
    if not owed:
        return None
    whose = _whose(tx, reminder, delivery)

    def compose(seen: frozenset[str]) -> OutgoingMessage:
        shown = [item for item in owed if item.incident.channel in seen]
        return OutgoingMessage.of(reminders_views.overdue_digest(shown, now, whose, len(owed) - len(shown)))

    return VisibleMessage(_channels(owed), compose, partial(_tell_channels, delivery=delivery, now=now))


def compose_update(tx: Transaction, sent: Delivery, now: datetime) -> VisibleMessage | None:
    """What was sent, composed from the record, as it is now; None once its reason is gone: then a line replaces it."""
    reminder = reminders_store.find(tx, sent.reminder_id) if sent.reminder_id else None
    incident = incidents_store.find(tx, sent.incident_id) if sent.incident_id else None
    message: VisibleMessage | None = None
    if sent.kind is DeliveryKind.REMINDER:
        message = compose_reminder(tx, reminder, sent, now) if reminder else None
    elif sent.kind is DeliveryKind.HANDOVER and incident and incident.postmortem_owner == sent.recipient:
        message = compose_hand_over(tx, incident, sent, now)
    elif sent.kind is DeliveryKind.WHYS_THREAD and incident:
        thread = whys_views.thread_message(case_store.load_latest(tx, incident))
        message = _of_one(incident, thread, reminders_views.hidden_message, None)
    elif sent.kind is DeliveryKind.LIVE_MESSAGE and incident:
        live = live_message_service.compose(tx, incident, now)
        message = _of_one(incident, live, reminders_views.hidden_message, None)
    if message is None:
        return None

    def compose(seen: frozenset[str]) -> OutgoingMessage:
        return replace(message.compose(seen), update_ts=sent.sent_ts, only_there=True)

    return VisibleMessage(message.channels, compose)


def _whose(tx: Transaction, reminder: Reminder, delivery: Delivery) -> DigestSubject:
    subject = reminder.subject
    if delivery.recipient == subject:
        return OWN
    if subject.startswith("S"):
        return DigestSubject(group=subject)
    if _unseen_by(delivery) == subject:
        return DigestSubject(unseen=subject)
    owner = people_store.find(tx, reminder.team, subject)
    return DigestSubject(gone=owner.name if owner else subject)


def _channels(actions: tuple[OwedAction, ...]) -> frozenset[str]:
    return frozenset(item.incident.channel for item in actions)


Unseen = Callable[[], blocks.Message]
OnHidden = Callable[[Transaction, frozenset[str]], None]


def _of_one(incident: Incident, message: blocks.Message, unseen: Unseen, on_hidden: OnHidden | None) -> VisibleMessage:
    """A message about one channel: all of it or nothing."""
    channels = frozenset({incident.channel})
    return VisibleMessage(
        channels, lambda seen: OutgoingMessage.of(message if channels <= seen else unseen()), on_hidden
    )


def _is_asked(incident: Incident, recipient: str) -> bool:
    """Whether a person still owes it: a reminder may have waited for the morning, and the action been handed over."""
    if incident.rule is PostmortemRule.OPTIONAL:  # the one question goes to whoever could be reached
        return True
    return recipient in (incident.channel, incident.postmortem_owner, incident.lead)


def _tell_channels(tx: Transaction, channels: frozenset[str], delivery: Delivery, now: datetime) -> None:
    """Enqueue the reminder for the channels that its recipient may not look into; once, as sends are repeated."""
    assert delivery.reminder_id is not None  # noqa: S101 (it is a reminder's)
    owed = deliveries_store.list_by_reminder(tx, delivery.reminder_id)
    had = {one.recipient for one in owed if one.kind is DeliveryKind.REMINDER}
    body = {"unseen": delivery.recipient}
    for channel in sorted(channels - had):
        deliveries_store.enqueue(
            tx,
            NewDelivery(
                delivery.team, DeliveryKind.REMINDER, channel, body, now, delivery.incident_id, delivery.reminder_id
            ),
        )


def _unseen_by(delivery: Delivery) -> str:
    """The recipient who may not look into the channel that gets the reminder instead; empty for none."""
    return str(delivery.content.get("unseen", ""))


class Composer:
    """Composes each kind of message from the record at the moment it is sent."""

    def __init__(
        self, posting: ExportDelivery, readers: Visibility, announcer: Announcer, invitations: InvitationDelivery
    ) -> None:
        self._posting = posting
        self._invitations = invitations
        self._readers = readers
        self._announcer = announcer

    def compose(self, tx: Transaction, delivery: Delivery, now: datetime) -> OutgoingMessage | None:
        """The message of a delivery, or None if it must not be sent any more."""
        if delivery.kind is DeliveryKind.REMINDER:
            return self._reminder(tx, delivery, now)
        if delivery.kind is DeliveryKind.REPLACED_REMINDER:
            return self._replacement(tx, delivery, now)
        if delivery.kind is DeliveryKind.ANNOUNCEMENT:
            return self._announcement(tx, delivery, now)
        if delivery.kind in _BY_BODY:
            return _BY_BODY[delivery.kind](tx, delivery.content, now)
        incident = incidents_store.find(tx, delivery.incident_id) if delivery.incident_id else None
        if incident is None:
            return None
        if delivery.kind is DeliveryKind.REVIEW:
            return self._review(tx, incident, delivery, now)
        return self._of_incident(tx, incident, delivery, now)

    def _of_incident(
        self, tx: Transaction, incident: Incident, delivery: Delivery, now: datetime
    ) -> OutgoingMessage | None:
        if delivery.kind is DeliveryKind.WHYS_THREAD:
            return self._whys(tx, incident, delivery)
        if delivery.kind in (DeliveryKind.WHY_PROMPT, DeliveryKind.WHY_PROMPT_UPDATE):
            return compose_prompt(tx, incident, delivery)
        if delivery.kind is DeliveryKind.EXPORT:
            return self._posting.compose(tx, incident, delivery, now)
        if delivery.kind is DeliveryKind.HANDOVER:
            return self._hand_over(tx, incident, delivery, now)
        if delivery.kind is DeliveryKind.OWNER_NOTICE:
            notice = compose_notice(incident, delivery, now)
            return self._readers.message(delivery, delivery.recipient, notice)
        if delivery.recipient != incident.channel:
            return OutgoingMessage.of(reminders_views.unreachable_message(incident.channel, delivery.error))
        # Owed when the incident was opened and again when the bot came into its channel: it is posted once.
        old = live_message_service.read_replaced(delivery)
        if incidents_store.read_live_message(tx, incident.id) not in ("", old):
            return None
        return OutgoingMessage.of(live_message_service.compose(tx, incident, now))

    async def close(self) -> None:
        """Make no more files."""
        await self._posting.close()

    @staticmethod
    def _whys(tx: Transaction, incident: Incident, delivery: Delivery) -> OutgoingMessage | None:
        """The message whose thread holds the whys: once for an incident, in its channel, while it is over."""
        is_gone = incident.status is not Status.RESOLVED or delivery.recipient != incident.channel
        if is_gone or incidents_store.read_whys_thread(tx, incident.id):
            return None
        return OutgoingMessage.of(whys_views.thread_message(case_store.load_latest(tx, incident)))

    def _announcement(self, tx: Transaction, delivery: Delivery, now: datetime) -> OutgoingMessage | None:
        if not delivery.recipient.startswith(posts_service.PEOPLE):
            return self._announcer.compose_for_channel(tx, delivery, now)
        found = self._announcer.compose_for_follower(tx, delivery, now)
        if found is None:
            return None
        incident, compose = found
        return self._readers.message(
            delivery, delivery.recipient, VisibleMessage(frozenset({incident.channel}), compose)
        )

    def _reminder(self, tx: Transaction, delivery: Delivery, now: datetime) -> OutgoingMessage | None:
        reminder = reminders_store.find(tx, delivery.reminder_id) if delivery.reminder_id else None
        if reminder is None or explain_unwanted(tx, reminder, now, delivery.recipient):
            return None
        if reminder.kind is ReminderKind.WEEKLY:
            return self._announcer.compose_digest(tx, delivery, reminder.due_at, now)
        message = compose_reminder(tx, reminder, delivery, now)
        return self._readers.message(delivery, delivery.recipient, message) if message else None

    def _hand_over(
        self, tx: Transaction, incident: Incident, delivery: Delivery, now: datetime
    ) -> OutgoingMessage | None:
        """To the new owner of a postmortem, as long as they are that."""
        if incident.postmortem_owner != delivery.recipient:
            return None
        message = compose_hand_over(tx, incident, delivery, now)
        return self._readers.message(delivery, delivery.recipient, message)

    def _review(self, tx: Transaction, incident: Incident, delivery: Delivery, now: datetime) -> OutgoingMessage | None:
        """About a review, while that is as it says."""
        if not self._invitations.is_wanted(tx, incident, delivery):
            return None
        is_file = delivery.recipient == incident.channel or invitations_service.is_file(delivery)
        return OutgoingMessage("", factory=partial(self._compose_review, incident, delivery, now), is_keyed=not is_file)

    async def _compose_review(self, incident: Incident, delivery: Delivery, now: datetime) -> OutgoingMessage | None:
        channels = frozenset({incident.channel})
        if delivery.recipient != incident.channel:
            on_hidden = partial(invitations_service.tell_planner, incident=incident, delivery=delivery, now=now)
            channels = await self._readers.see(delivery, delivery.recipient, channels, on_hidden)
        return await self._invitations.compose(incident, delivery, now, channels)

    def _replacement(self, tx: Transaction, delivery: Delivery, now: datetime) -> OutgoingMessage | None:
        """The line that replaces a reminder, or the reminder as it is now; nothing if the message was deleted."""
        body = delivery.content
        if "anew_of" in body:
            sent = deliveries_store.find(tx, int(body["anew_of"]))
            found = compose_update(tx, sent, now) if sent else None
            if sent and found is None and body.get("redacted"):
                found = compose_retired({"ts": sent.sent_ts, **reminders_views.redacted_message()})
            return self._readers.message(delivery, sent.recipient, found) if sent and found else None
        return self._readers.message(delivery, body.get("to", ""), compose_retired(body))

    @staticmethod
    def record_sent(tx: Transaction, delivery: Delivery, channel: str, ts: str) -> None:
        """After a send: save where live message and whys are; a reminder replaces an earlier one."""
        if delivery.kind is DeliveryKind.ALERT:
            suggestions_service.record_sent(tx, delivery.content, channel, ts)
        if delivery.kind is DeliveryKind.ANNOUNCEMENT:
            posts_service.record_sent(tx, delivery, channel, ts)
        if delivery.kind is DeliveryKind.REVIEW:
            invitations_service.record_sent(tx, delivery, channel, ts)
        incident = incidents_store.find(tx, delivery.incident_id) if delivery.incident_id else None
        reminder = reminders_store.find(tx, delivery.reminder_id) if delivery.reminder_id else None
        if delivery.kind is DeliveryKind.REMINDER and reminder is not None:
            _take_place(tx, reminder, incident, channel, delivery.due_at)
        # A fallback went to a person: their DM is not where the live message or the thread is.
        if incident is None or channel != incident.channel:
            return
        if delivery.kind is DeliveryKind.WHYS_THREAD:
            incidents_store.save_whys_thread(tx, incident.id, ts)
        if delivery.kind is DeliveryKind.LIVE_MESSAGE:
            old = live_message_service.read_replaced(delivery)
            live_message_service.record_posted(tx, incident, old, ts, delivery.due_at)


def _take_place(tx: Transaction, reminder: Reminder, incident: Incident | None, channel: str, now: datetime) -> None:
    """After a reminder was sent: collapse the one of its kind above it in that conversation to one line."""
    if incident is not None:
        retire(tx, incident, words.reminders.newer(), now, channel=channel, but=reminder.id)
    elif reminder.kind is ReminderKind.OVERDUE:
        retire_older_digests(tx, reminder, channel, now)


def _alert(tx: Transaction, body: dict[str, Any], now: datetime) -> OutgoingMessage | None:
    """A suggestion, or its update; one that a person deleted is not posted again."""
    composed = suggestions_service.compose(tx, body, now)
    if composed is None:
        return None
    message, ts = composed
    return replace(OutgoingMessage.of(message), update_ts=ts, only_there=bool(ts))


_BY_BODY: dict[DeliveryKind, Callable[[Transaction, dict[str, Any], datetime], OutgoingMessage | None]] = {
    DeliveryKind.MESSAGE: lambda _tx, body, _now: OutgoingMessage.of(body),
    DeliveryKind.ALERT: _alert,
}
"""The kinds of deliveries whose body says all there is to say, or names it."""


# All that one person can owe; beyond it the earliest due count.
MOST = 1_000


async def apply_reply(services: Services, request: Request, text: str, mentioned: str | None = None) -> None:
    """Do what a reply says about actions that its author owes; ask if it does not say which.

    `mentioned` is the one other person it names, who is no longer in the text. A reply that asks for nothing gets help
    on what can be said; one that only names an action gets what can be done about it.
    """
    is_group = mentioned is not None and mentioned.startswith("S")
    is_bot = (
        bool(mentioned)
        and not is_group
        and (await services.slack.directory.look_up(request.team, mentioned or "")).is_bot
    )
    other = None if is_bot else mentioned
    answer = actions_rules.read_reply(
        text, await actions_service.read_today(services, request), mentions=other is not None
    )
    if answer is None and actions_rules.is_courtesy(text):
        return
    if answer is not None and isinstance(answer.operation, actions_rules.Unpicked):
        raise Refused(describe_unlinked_name(answer.operation.name))
    owed = await services.store.read(lambda tx: actions_store.list_open_of(tx, request.team, request.user, MOST))
    if answer is None:
        await say(services, request, actions_views.reply_help_message(await _list_visible(services, request, owed)))
        return
    meant = await _find_meant(services, request, answer, owed)
    if isinstance(meant, dict):
        await say(services, request, meant)
        return
    # Each channel before the first change: a reply that names three actions is done as a whole, or refused.
    for one in meant:
        await require_visible(services, replace(request, incident_id=one.incident.id))
    question = _question(answer.operation, meant, request.now.date())
    if question is not None:
        await say(services, request, question)
        return
    await do_all(services, request, answer.operation, [one.action.id for one in meant], other)


def _question(operation: Operation, meant: tuple[OwedAction, ...], today: date) -> Message | None:
    """What must be asked before anything can be done about the actions; None if nothing."""
    match operation:
        case actions_rules.Unclear(words=quote, problem=problem):
            return actions_views.unclear_reply_message(meant, quote, problem)
        case actions_rules.Choose(due=due):
            return actions_views.new_date_question(meant, due, today)
        case actions_rules.ReplyDrop(reason=""):
            return actions_views.reason_question(meant[0])
        case _:
            return None


async def say(services: Services, request: Request, message: Message) -> None:
    """Answer a person in their conversation with the bot, once."""
    content = {key: message[key] for key in ("text", "blocks")}
    await run_once(services, request, lambda _: content | {"response_type": "in_channel"}, verb="replies.say")


async def _find_meant(
    services: Services, request: Request, answer: ReplyAnswer, actions: tuple[OwedAction, ...]
) -> tuple[OwedAction, ...] | Message:
    """The actions that are meant, each once; or the answer if that is unclear, or if the reply asks for nothing."""
    if not answer.about:
        return (
            actions
            if len(actions) == 1
            else actions_views.action_question(await _list_visible(services, request, actions), len(actions))
        )
    found: dict[int, OwedAction] = {}
    for about in answer.about:
        items = _list_named(about, actions)
        if not items:
            is_talk = isinstance(answer.operation, actions_rules.Unclear) and bool(answer.operation.words)
            return actions_views.not_owed_message(
                None if is_talk else about.number, await _list_visible(services, request, actions), len(actions)
            )
        if len(items) > 1:
            return actions_views.incident_question(about.number, [item.incident.key for item in items])
        found[items[0].action.id] = items[0]
    return tuple(found.values())


def _list_named(about: About, actions: tuple[OwedAction, ...]) -> list[OwedAction]:
    found = [item for item in actions if item.action.number == about.number]
    return found if about.incident is None else [item for item in found if item.incident.number == about.incident]


async def _list_visible(services: Services, request: Request, actions: tuple[OwedAction, ...]) -> list[OwedAction]:
    """The actions that may be named: a person reads nothing about channels that they may not look into any more."""
    sight = await services.check_channels(request.team, request.user, {item.incident.channel for item in actions})
    return [item for item in actions if item.incident.channel in sight.seen]
