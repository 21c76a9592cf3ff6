"""Posts: an incident as people outside its channel see it, in the announce channel and for each follower.

A change enqueues at most one edit of each post, which is composed when it is sent. Whether its readers may see the
incident is asked of Slack at that moment; if not, nothing is posted, and what was becomes a neutral line.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from bot.domain.announcements import posts as posts_rules
from bot.domain.announcements.posts import AnnounceRules
from bot.domain.library import library_url
from bot.domain.records import Incident, Status
from bot.services.announcements import promises as promises_service
from bot.slack.channels import Audience, ChannelNotFound, Channels
from bot.slack.sender import AnswerPending, OutgoingMessage
from bot.slack.views import announcements as announcements_views
from bot.slack.views.announcements import PostContent, WeekInReview
from bot.slack.views.blocks import Message
from storage import case as case_store
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage import timeline as timeline_store
from storage.announcements import posts as posts_store
from storage.announcements import updates as updates_store
from storage.announcements.posts import MOST_LISTED, IncidentPost
from storage.database.statements import Transaction
from storage.deliveries import Delivery, NewDelivery
from storage.queues import DeliveryKind

log = logging.getLogger(__name__)

PEOPLE = ("U", "W")
PATIENCE = 3
"""Attempts of a digest that wait for Slack's answer; after them it leaves out what Slack said nothing about."""

_SHOWN = ("incident", "update")
"""The noted changes that a post may show."""

CHECKED_EVERY = timedelta(days=1)
"""A post is looked at again this often, unless there are so many that it takes longer: one for each sweep."""

MOST_POSTS = 200
"""Posts of one channel that are looked at when it changes."""


def announce_changes(tx: Transaction, rules: AnnounceRules, now: datetime) -> None:
    """Enqueue what the transaction changed for people outside, in the transaction of the change."""
    for incident_id in dict.fromkeys(incident_id for incident_id, what in tx.changed if what in _SHOWN):
        incident = incidents_store.find(tx, incident_id)
        if incident is None:
            continue
        if rules.channel and posts_rules.is_news(incident, now):
            posts_store.add(tx, incident, rules.channel)
        if incident.status is Status.RESOLVED:
            promises_service.settle_questions(tx, incident, "over", None, now)
        enqueue_posts(tx, incident, now)


def enqueue_posts(tx: Transaction, incident: Incident, now: datetime) -> None:
    """Enqueue that every post of an incident is made again."""
    for post in posts_store.list_by_incident(tx, incident.id):
        enqueue_post(tx, post, now)


def enqueue_post(tx: Transaction, post: IncidentPost, now: datetime) -> None:
    """Enqueue one post, or its edit, unless it is enqueued already: it shows the later changes as well."""
    if posts_store.mark_owed(tx, post.id):
        due_at = max(now, post.edited_at + posts_rules.EDITED_AFTER) if post.edited_at else now
        _enqueue(tx, post, due_at)


def _enqueue(tx: Transaction, post: IncidentPost, due_at: datetime, *, is_look: bool = False) -> None:
    body = {"announcement": post.id, "look": is_look}
    kind = DeliveryKind.ANNOUNCEMENT
    deliveries_store.enqueue(tx, NewDelivery(post.team, kind, post.recipient, body, due_at, post.incident_id))


def announce_correction(tx: Transaction, incident: Incident, entry_id: int, now: datetime) -> None:
    """An entry was corrected: if it is an update, people outside read it as it is now."""
    if updates_store.is_update(tx, entry_id):
        enqueue_posts(tx, incident, now)


def rewrite(tx: Transaction, incident: Incident, now: datetime, *, but: str = "") -> None:
    """Words went from a record: what was sent outside is composed again; not what the person `but` got."""
    for post in posts_store.list_by_incident(tx, incident.id):
        if post.recipient != but:
            enqueue_post(tx, post, now)
    for one in promises_service.list_questions(tx, incident):
        if one.recipient != but:
            body = {"anew_of": one.id, "redacted": True}
            kind = DeliveryKind.REPLACED_REMINDER
            deliveries_store.enqueue(
                tx, NewDelivery(one.team, kind, one.sent_channel, body, now, None, one.reminder_id)
            )


def look_again(tx: Transaction, now: datetime) -> None:
    """Enqueue a look at the post that was checked longest ago: its channel may have become private."""
    stalest = posts_store.find_stalest(tx, now - CHECKED_EVERY)
    if stalest is not None:
        posts_store.save_checked(tx, stalest.id, now)
        _enqueue(tx, stalest, now, is_look=True)


def look_at_channel(tx: Transaction, team: str, channel: str, now: datetime) -> None:
    """Enqueue the posts about a channel that became private, or public."""
    for post in posts_store.list_by_channel(tx, team, channel, MOST_POSTS):
        enqueue_post(tx, post, now)


def read_content(tx: Transaction, incident: Incident, library: str) -> PostContent:
    """What the post of an incident shows; `library` is the library's address."""
    case = case_store.load(tx, incident) if incident.is_closed else case_store.load_latest(tx, incident)
    update = updates_store.find_update(tx, incident.id)
    return PostContent(case, timeline_store.measure_span(tx, incident), update, library_url(library, incident))


def record_sent(tx: Transaction, delivery: Delivery, channel: str, ts: str) -> None:
    """Save where a post is; an older one to a follower becomes a line."""
    post = posts_store.find(tx, int(delivery.content["announcement"]))
    if post is None or not ts:
        return
    posts_store.save_checked(tx, post.id, delivery.due_at)
    if ts in (post.ts, ""):
        return
    posts_store.save(tx, replace(post, channel=channel, ts=ts, old_ts=""))
    incident = incidents_store.find(tx, post.incident_id)
    if post.old_ts and post.old_ts != ts and incident is not None:
        line = announcements_views.moved_message(incident, post.stage)
        replace_post(tx, replace(post, ts=post.old_ts), incident, line, delivery.due_at)


def replace_post(tx: Transaction, post: IncidentPost, incident: Incident, line: Message, now: datetime) -> None:
    """Enqueue that a line takes the place of a post to a follower."""
    body = {"of": 0, "ts": post.ts, "to": post.recipient, "about": incident.channel, **line}
    new = NewDelivery(post.team, DeliveryKind.REPLACED_REMINDER, post.channel, body, now, incident.id)
    deliveries_store.enqueue(tx, new)


Compose = Callable[[frozenset[str]], OutgoingMessage]


class Announcer:
    """Composes what people outside read, for those who may read it when it is sent."""

    def __init__(self, channels: Channels, library: str) -> None:
        """`library` is the library's address; empty without one."""
        self._channels = channels
        self._library = library

    def compose_for_channel(self, tx: Transaction, delivery: Delivery, now: datetime) -> OutgoingMessage | None:
        """The post in the announce channel; None if it is gone."""
        found = find_post(tx, delivery, now)
        if found is None:
            return None
        post, incident = found
        shown = OutgoingMessage.of(announcements_views.post(read_content(tx, incident, self._library), now))
        is_look = bool(delivery.content.get("look"))
        return replace(shown, factory=partial(self._post, post, incident, shown, is_look=is_look), is_keyed=True)

    async def _post(
        self, post: IncidentPost, incident: Incident, shown: OutgoingMessage, *, is_look: bool
    ) -> OutgoingMessage:
        is_seen = await self._may_show(incident, post.recipient)
        return place(post, shown, is_seen=is_seen, is_look=is_look)

    async def _may_show(self, incident: Incident, to: str) -> bool:
        source = await self._find_audience(incident.channel)
        if source is None or source.is_private:
            return False
        return await self._is_ours(to)

    async def _is_ours(self, channel: str) -> bool:
        """Whether no other organization reads along in a channel."""
        there = await self._find_audience(channel)
        # A channel that the bot is not in refuses the message itself, and the log says so.
        if there is None or not there.is_shared:
            return True
        log.warning(
            "Nothing is announced in %(channel)s: other organizations read along there, or Slack doesn't say. Set "
            "AFTERWORD_ANNOUNCE_CHANNEL and AFTERWORD_DIGEST to a channel of your own workspace.",
            {"event": "announce_shared", "channel": channel},
        )
        return False

    async def _find_audience(self, channel: str) -> Audience | None:
        try:
            return await self._channels.audience(channel)
        except ChannelNotFound:
            return None

    def compose_for_follower(
        self, tx: Transaction, delivery: Delivery, now: datetime
    ) -> tuple[Incident, Compose] | None:
        """The post to a follower, by the channels that they may look into; None if they follow no more."""
        found = find_post(tx, delivery, now)
        if found is None:
            return None
        post, incident = found
        content = read_content(tx, incident, self._library)
        shown = OutgoingMessage.of(announcements_views.post(content, now, follower=post.recipient))
        is_look = bool(delivery.content.get("look"))
        return incident, lambda seen: place(post, shown, is_seen=incident.channel in seen, is_look=is_look)

    def compose_digest(self, tx: Transaction, delivery: Delivery, at: datetime, now: datetime) -> OutgoingMessage:
        """The weekly digest for a channel, of the week up to `at`: only what is public by then."""
        since = at - posts_rules.WEEK
        week = WeekInReview(
            posts_store.list_published(tx, delivery.team, since),
            incidents_store.list_unresolved(tx, delivery.team, MOST_LISTED),
            posts_store.list_overdue(tx, delivery.team, now),
            self._library,
        )
        nothing = replace(OutgoingMessage.of(announcements_views.weekly_digest(week)), is_nothing=True)
        return replace(nothing, factory=partial(self._digest, delivery, week), is_keyed=True)

    async def _digest(self, delivery: Delivery, week: WeekInReview) -> OutgoingMessage:
        overdue = (one for one, _ in week.overdue)
        channels = {one.channel for one in (*week.published, *week.unresolved, *overdue)}
        sight = await self._channels.check_public(channels, "")
        if not sight.is_sure and delivery.attempts < PATIENCE:
            raise AnswerPending("Slack does not say which channels are public")
        public = WeekInReview(
            [one for one in week.published if one.channel in sight.seen],
            [one for one in week.unresolved if one.channel in sight.seen],
            [(one, count) for one, count in week.overdue if one.channel in sight.seen],
            week.library,
        )
        shown = OutgoingMessage.of(announcements_views.weekly_digest(public))
        is_wanted = not public.is_empty and await self._is_ours(delivery.recipient)
        return replace(shown, is_nothing=not is_wanted)


def find_post(tx: Transaction, delivery: Delivery, now: datetime) -> tuple[IncidentPost, Incident] | None:
    """The post that a delivery sends or edits, with its incident; from here on a change needs another edit."""
    post = posts_store.find(tx, int(delivery.content["announcement"]))
    incident = incidents_store.find(tx, post.incident_id) if post is not None else None
    if post is None or incident is None:
        return None
    if delivery.content.get("look"):
        return (post, incident) if post.ts else None
    posts_store.mark_current(tx, post.id, now)
    stage = posts_rules.stage_of(incident)
    if stage == post.stage:
        return post, incident
    # An edit notifies no one, so a follower gets a new message for what they wait for.
    is_new = post.recipient.startswith(PEOPLE) and posts_rules.is_later(stage, post.stage) and bool(post.ts)
    post = replace(post, stage=stage, old_ts=post.ts, ts="") if is_new else replace(post, stage=stage)
    posts_store.save(tx, post)
    return post, incident


def place(post: IncidentPost, shown: OutgoingMessage, *, is_seen: bool, is_look: bool) -> OutgoingMessage:
    """A post where it belongs: new, or in the place of an earlier one. What may not be seen becomes a neutral line."""
    earlier = post.ts or ("" if is_seen else post.old_ts)
    if not is_seen:
        shown = OutgoingMessage.of(announcements_views.withdrawn_message())
    is_nothing = (is_look and is_seen) or not (earlier or is_seen)
    to = post.channel if earlier else ""
    return replace(shown, update_ts=earlier, only_there=bool(earlier), to=to, is_nothing=is_nothing)
