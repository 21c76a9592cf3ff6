"""What goes out about a review: invitations with their calendar files, changes, answers, and the reminders around it.

A person reads nothing about a channel that they may not look into, and of a private channel no file leaves: Slack is
asked about both when the message is sent.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from functools import partial
from typing import Any

from bot.domain import reminders as reminders_rules
from bot.domain.checks import Agenda, make_agenda
from bot.domain.records import Case, Incident
from bot.domain.reminders import ReminderKind, ReminderState
from bot.domain.review import AHEAD, Review, Reviewer
from bot.domain.secrets import mask_credentials
from bot.domain.text import flatten, format_day_time, shorten
from bot.export.invitation import Guest, Invitation, link_google, link_outlook, make_uid, write_invitation
from bot.slack.channels import Audience, ChannelNotFound, Channels
from bot.slack.directory import find_zone
from bot.slack.errors import CALL_ERRORS
from bot.slack.sender import FileUpload, OutgoingMessage
from bot.slack.views import review as review_views
from bot.slack.views.blocks import Message
from bot.slack.views.incidents import SimilarCase
from bot.slack.views.review import InvitationContent
from bot.slack.views.templates import words
from storage import case as case_store
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage import people as people_store
from storage import reminders as reminders_store
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.deliveries import Delivery, NewDelivery
from storage.postmortem import reviews as reviews_store
from storage.queues import DeliveryKind
from storage.reminders import Reminder

INVITE, CANCEL, FILE, ANSWER, CLOSE = "invite", "cancel", "file", "answer", "close"
"""What a delivery about a review carries; the words are stored."""

LONGEST_TITLE = 120
MOST_SIMILAR = 3
FindSimilar = Callable[[Incident], Awaitable[tuple[SimilarCase, ...]]]
"""Finds past incidents like this one that everyone in its channel may see."""
PEOPLE = ("U", "W")


def enqueue(tx: Transaction, incident: Incident, to: str, body: Mapping[str, Any], now: datetime) -> None:
    """Enqueue a message about the review of an incident to a person or to its channel."""
    deliveries_store.enqueue(tx, NewDelivery(incident.team, DeliveryKind.REVIEW, to, body, now, incident.id))


def enqueue_with_file(tx: Transaction, incident: Incident, user: str, body: Mapping[str, Any], now: datetime) -> None:
    """Enqueue a message to a person, and the calendar file that belongs into its thread."""
    enqueue(tx, incident, user, body, now)
    enqueue(tx, incident, user, {**body, "do": FILE, "is_off": body["do"] == CANCEL}, now)


def close_card(tx: Transaction, incident: Incident, reviewer: Reviewer, line: Message, now: datetime) -> None:
    """Enqueue that a person's invitation shows this from now on."""
    if reviewer.ts:
        body = {"of": 0, "ts": reviewer.ts, "to": reviewer.user, "about": incident.channel, **line}
        kind = DeliveryKind.REPLACED_REMINDER
        deliveries_store.enqueue(tx, NewDelivery(incident.team, kind, reviewer.channel, body, now, incident.id))


def schedule(tx: Transaction, incident: Incident, review: Review, now: datetime) -> None:
    """Schedule the reminders before and after a review; the first only if there is time for it."""
    for name, at in (("ahead", review.starts_at - AHEAD), ("after", review.ends_at)):
        if at > now:
            # Of no incident: what is withdrawn with a postmortem's reminders is not this.
            subject = (incident.team, ReminderKind.REVIEW, str(incident.id), f"{name} #{review.sequence}")
            reminders_store.schedule(tx, Reminder(0, *subject, None, at, ReminderState.PENDING, None, ""))


def explain_gone(tx: Transaction, reminder: Reminder, now: datetime) -> str:
    """Why a reminder of a review must not be sent any more; empty if it must."""
    incident = incidents_store.find(tx, int(reminder.subject))
    if gone := reminders_rules.postmortem_reason_gone(incident):
        return gone
    review = reviews_store.find(tx, int(reminder.subject))
    if review is None or review.is_cancelled:
        return "the review was called off"
    name, _, sequence = reminder.slot.partition(" #")
    if sequence != str(review.sequence):
        return "the review was moved"
    if name == "ahead":
        return "" if now < review.starts_at else "the review has begun"
    return "" if now < review.ends_at + timedelta(days=1) else "the review was over a day ago"


def explain_ahead(tx: Transaction, incident_id: int, now: datetime) -> str:
    """Why no one is reminded of a postmortem: its review is still to come. Empty if none is."""
    review = reviews_store.find(tx, incident_id)
    if review is None or not review.is_ahead(now):
        return ""
    return f"its review is on {format_day_time(review.starts_at, now.date())}"


def list_recipients(tx: Transaction, reminder: Reminder) -> tuple[str, ...]:
    """Before it everyone who is asked, and the owner; afterwards the owner, and those whose answer is missing."""
    incident, review = incidents_store.find(tx, int(reminder.subject)), reviews_store.find(tx, int(reminder.subject))
    if incident is None or review is None:
        return ()
    is_after = reminder.slot.startswith("after")
    asked = [one.user for one in review.reviewers if one.is_waiting or not is_after]
    users = dict.fromkeys(filter(None, (incident.postmortem_owner or incident.lead, *asked)))
    return tuple(
        user for user in users if user.startswith(PEOPLE) and not people_store.has_left(tx, reminder.team, user)
    )


def compose_reminder(tx: Transaction, reminder: Reminder, user: str, now: datetime) -> tuple[Message, Incident] | None:
    """The reminder for a person, and its incident."""
    incident = incidents_store.find(tx, int(reminder.subject))
    if incident is None:
        return None
    case = case_store.load_latest(tx, incident)
    if case.review is None:
        return None
    zone = find_zone(people_store.find(tx, reminder.team, user))
    is_after = reminder.slot.startswith("after")
    return review_views.reminder_message(case, user, zone, now, is_after=is_after), incident


def update_reminders(tx: Transaction, incident: Incident, user: str, now: datetime) -> None:
    """A person has answered: the reminders that they got lose their question."""
    for reminder in reminders_store.list_latest(tx, incident.team, ReminderKind.REVIEW, str(incident.id), 2):
        for sent in deliveries_store.list_by_reminder(tx, reminder.id):
            if sent.kind is DeliveryKind.REMINDER and sent.sent_ts and sent.recipient == user:
                kind, body = DeliveryKind.REPLACED_REMINDER, {"anew_of": sent.id}
                deliveries_store.enqueue(
                    tx, NewDelivery(sent.team, kind, sent.sent_channel, body, now, incident.id, reminder.id)
                )


def is_file(delivery: Delivery) -> bool:
    """Whether a delivery about a review carries a file, which cannot be found again once it is shared."""
    return bool(delivery.content["do"] == FILE)


def record_sent(tx: Transaction, delivery: Delivery, channel: str, ts: str) -> None:
    """After a send: save where a person's invitation is."""
    review = reviews_store.find(tx, delivery.incident_id) if delivery.incident_id else None
    reviewer = review.find(delivery.recipient) if review else None
    if reviewer is not None and ts and delivery.content["do"] in (INVITE, CANCEL):
        reviews_store.save_invitation(tx, reviewer, channel, ts)


def tell_planner(
    tx: Transaction, channels: frozenset[str], *, incident: Incident, delivery: Delivery, now: datetime
) -> None:
    """Tell who planned a review, once, that a person who was asked cannot look into its channel."""
    review = reviews_store.find(tx, incident.id)
    reviewer = review.find(delivery.recipient) if review else None
    if delivery.content["do"] != INVITE or not channels or review is None or reviewer is None or reviewer.channel:
        return
    # So that a repeated attempt does not say it again; the message to the person sets the real one.
    reviews_store.save_invitation(tx, reviewer, reviewer.user, "")
    person = people_store.find(tx, incident.team, reviewer.user)
    message = review_views.unable_message(incident, person.name if person else reviewer.user)
    deliveries_store.enqueue_message(tx, incident, message, now, to=review.planned_by)


def _has_agenda(body: Mapping[str, Any]) -> bool:
    return body["do"] in (INVITE, FILE) and not body.get("is_off")


@dataclass(frozen=True, slots=True)
class _Letter:
    """A delivery with the record that it is about; `zone` is its reader's."""

    delivery: Delivery
    case: Case
    zone: tzinfo
    thread: str
    by: str
    now: datetime
    similar: tuple[tuple[str, str], ...] = ()

    @property
    def body(self) -> dict[str, Any]:
        return self.delivery.content

    @property
    def has_agenda(self) -> bool:
        return _has_agenda(self.body)

    @property
    def incident(self) -> Incident:
        return self.case.incident

    @property
    def review(self) -> Review:
        assert self.case.review is not None  # noqa: S101 (`_read` has seen it)
        return self.case.review

    @property
    def was(self) -> datetime | None:
        """When it was before it was moved."""
        return datetime.fromisoformat(self.body["was"]) if self.body.get("was") else None


class InvitationDelivery:
    """Makes the messages of deliveries about reviews."""

    def __init__(self, store: Store, channels: Channels, find_similar: FindSimilar) -> None:
        self._store = store
        self._channels = channels
        self._find_similar = find_similar

    def is_wanted(self, tx: Transaction, incident: Incident, delivery: Delivery) -> bool:
        """Whether a message still says what is true: a later change has a message of its own."""
        body, review = delivery.content, reviews_store.find(tx, incident.id)
        return review is not None and (body["do"] == ANSWER or body.get("sequence") == review.sequence)

    async def compose(
        self, incident: Incident, delivery: Delivery, now: datetime, seen: frozenset[str]
    ) -> OutgoingMessage | None:
        """The message for its reader, who may look into the channels `seen`; None if nothing is to be sent."""
        letter = await self._store.read(partial(_read, incident=incident, delivery=delivery, now=now))
        if letter is None:
            return None
        letter = replace(letter, similar=await self._list_similar(letter))
        do, channel = letter.body["do"], letter.incident.channel
        if delivery.recipient == channel:
            return await self._compose_for_channel(letter)
        if channel not in seen:
            hidden = review_views.hidden_invitation if do == INVITE else review_views.hidden_change
            return None if do in (FILE, ANSWER) else OutgoingMessage.of(hidden())
        if do == FILE:
            return await self._compose_file(letter)
        if do == INVITE:
            return await self._compose_invitation(letter)
        if do == CANCEL:
            message = review_views.called_off_message(
                letter.incident, letter.review, letter.by, letter.body.get("why", ""), letter.zone, now
            )
            return OutgoingMessage.of(message)
        reviewer = letter.review.find(letter.body["by"])
        if reviewer is None:
            return None
        is_last = bool(letter.body.get("is_last"))
        return OutgoingMessage.of(review_views.answer_notice(letter.case, reviewer, is_last=is_last))

    async def _list_similar(self, letter: _Letter) -> tuple[tuple[str, str], ...]:
        """Past incidents for the agenda, of which everyone in the channel may read: their keys and titles."""
        if not letter.has_agenda:
            return ()
        found = (one.case.incident for one in await self._find_similar(letter.incident))
        return tuple((one.key, shorten(flatten(mask_credentials(one.title)), LONGEST_TITLE)) for one in found)[
            :MOST_SIMILAR
        ]

    async def _audience(self, channel: str) -> Audience:
        """Who reads in the channel; if Slack does not say, it counts as private."""
        try:
            return await self._channels.audience(channel)
        except (ChannelNotFound, *CALL_ERRORS):
            return Audience(channel, is_known=False)

    async def _compose_for_channel(self, letter: _Letter) -> OutgoingMessage:
        """The calendar file in the incident's thread; in the planner's DM if Slack takes nothing there any more."""
        audience = await self._audience(letter.incident.channel)
        is_off = letter.body["do"] == CANCEL
        if is_off:
            text = review_views.posted_called_off_text(
                letter.incident, letter.review, letter.by, letter.body.get("why", "")
            )
        else:
            text = review_views.posted_text(letter.case, letter.by, letter.was)
        file = await asyncio.to_thread(_write_file, letter, is_private=audience.is_private, is_off=is_off)
        if audience.is_archived:
            return OutgoingMessage(text, file=file, to=letter.review.planned_by)
        return OutgoingMessage(text, thread_ts=letter.thread, file=file)

    async def _compose_file(self, letter: _Letter) -> OutgoingMessage | None:
        audience = await self._audience(letter.incident.channel)
        reviewer = letter.review.find(letter.delivery.recipient)
        thread = reviewer.ts if reviewer else letter.body.get("ts", "")
        if audience.is_private:
            return None
        is_off = bool(letter.body.get("is_off"))
        file = await asyncio.to_thread(_write_file, letter, is_private=False, is_off=is_off)
        return OutgoingMessage(words.review.file_note(is_off=is_off), thread_ts=thread, file=file)

    async def _compose_invitation(self, letter: _Letter) -> OutgoingMessage | None:
        reviewer = letter.review.find(letter.delivery.recipient)
        if reviewer is None:
            return None
        is_private = (await self._audience(letter.incident.channel)).is_private
        content = await asyncio.to_thread(_content, letter)
        event = _invitation(letter, is_private=is_private, is_off=False)
        links = (("Google", link_google(event)), ("Outlook", link_outlook(event)))
        content = replace(content, links=links, is_private=is_private)
        return OutgoingMessage.of(
            review_views.invitation_message(letter.case, content, reviewer, letter.zone, letter.now)
        )


def _read(tx: Transaction, incident: Incident, delivery: Delivery, now: datetime) -> _Letter | None:
    latest = incidents_store.find(tx, incident.id)
    review = reviews_store.find(tx, incident.id)
    if latest is None or review is None:
        return None
    body = delivery.content
    # The whole record only for an agenda.
    case = case_store.load(tx, latest) if _has_agenda(body) else case_store.load_latest(tx, latest)
    reader = people_store.find(tx, delivery.team, delivery.recipient)
    by = people_store.find(tx, delivery.team, str(body.get("by", "")))
    return _Letter(
        delivery,
        case,
        find_zone(reader),
        incidents_store.read_live_message(tx, incident.id),
        by.name if by else str(body.get("by", "")),
        now,
    )


def _content(letter: _Letter) -> InvitationContent:
    agenda = make_agenda(letter.case, letter.now)
    return InvitationContent(agenda, letter.similar, letter.by, letter.was)


def _write_file(letter: _Letter, *, is_private: bool, is_off: bool) -> FileUpload:
    name = f"{letter.incident.key}-review.ics"
    return FileUpload(name, name, write_invitation(_invitation(letter, is_private=is_private, is_off=is_off)))


def _invitation(letter: _Letter, *, is_private: bool, is_off: bool) -> Invitation:
    """The event. Of a private incident it says nothing but when it is: calendars are read outside of Slack."""
    incident, review, case = letter.incident, letter.review, letter.case
    title = shorten(flatten(mask_credentials(incident.title)), LONGEST_TITLE)
    content = InvitationContent(Agenda((), ()), (), letter.by) if is_private or is_off else _content(letter)

    def guest(user: str) -> Guest:
        return Guest(f"slack://user?team={incident.team}&id={user}", case.name(user))

    where = f"#{incident.channel_name}" if incident.channel_name and not is_private else incident.key
    return Invitation(
        uid=make_uid(incident.team, incident.key),
        sequence=review.sequence,
        starts_at=review.starts_at,
        minutes=review.minutes,
        title=f"Review of {incident.key}" + ("" if is_private else f": {title}"),
        description=review_views.agenda_text(content),
        place=f"{where} in Slack",
        link=incident.channel_link,
        organizer=guest(review.planned_by),
        guests=tuple(guest(one.user) for one in review.reviewers),
        sent_at=letter.now,
        is_cancelled=is_off,
    )
