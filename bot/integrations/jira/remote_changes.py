"""What people changed in Jira, applied to the record: status, due date, assignee, moved and deleted issues.

An issue is seen by polling, or in a webhook. A poll shows the issue as it is now. A webhook may arrive late: it counts
only if it is newer than the last state seen. Neither counts while a call of ours is under way, and a poll not if the
link changed since it was read.

Jira delivers webhooks late, twice and out of order. `Issue.updated` says which of two events is newer; a repeated event
has the same X-Atlassian-Webhook-Identifier.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from bot.domain.records import Action, ActionStatus, Incident, System
from bot.domain.reminders import ReminderRules
from bot.domain.times.due_dates import overdue_at
from bot.errors import MalformedPayloadError
from bot.integrations import WebhookOutcome, sync
from bot.integrations.http import IntegrationError, text_at, value_at
from bot.integrations.jira import views as jira_views
from bot.integrations.jira.client import Category, Issue, read_issue
from bot.integrations.links import (
    ActionMemo,
    IssueMemo,
    RemoteFields,
    SentFields,
    enqueue_metadata,
    number_in,
    read_issue_memo,
)
from bot.services import actions as actions_service
from bot.services.notifications import outdated_buttons as outdated_buttons_service
from bot.services.notifications import reminders as reminders_service
from bot.slack.directory import find_zone
from bot.slack.outbox import Outbox
from bot.slack.refresh import HomeTabQueue
from bot.slack.views.blocks import Message
from storage import actions as actions_store
from storage import audit as audit_store
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage import links as links_store
from storage import people as people_store
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.links import Link, LinkKey
from storage.queues import SyncState

REOPENED_WITHIN = timedelta(days=30)
"""How long after it was done an action is opened again with its work item. Then its owner is asked if it held."""
HIDDEN = (
    "Several work items were deleted in Jira at once, or this account can't see them anymore. Check its permissions "
    "in the project, then try again. Nothing has changed in Slack."
)
_UNDERWAY = (Category.NEW, Category.IN_PROGRESS)


def find_action(tx: Transaction, link: Link) -> tuple[Incident, Action] | None:
    """The incident and the action that a link is about."""
    incident, number = incidents_store.find(tx, link.incident_id), number_in(link.subject)
    found = [action for action in actions_store.list_all(tx, link.incident_id) if action.number == number]
    return (incident, found[0]) if incident and found else None


def is_missing(link: Link) -> bool:
    """Whether its issue was deleted or hidden: it is polled no more until someone tries again."""
    return IssueMemo.from_json(link.memo).is_missing


def read_remote_fields(issue: Issue) -> RemoteFields:
    """The fields in which a later difference is a person's edit."""
    return RemoteFields(issue.due.isoformat() if issue.due else None, issue.assignee)


def has_changed(link: Link, issue: Issue | None) -> bool:
    """Whether a poll shows anything new of an issue."""
    memo = ActionMemo.from_json(link.memo)
    if issue is None:
        return not memo.is_missing
    is_same = (issue.status, issue.key) == (link.status, link.external_id) and read_remote_fields(issue) == memo.remote
    return not is_same or (issue.category is Category.DONE) != memo.is_done


def lock_unchanged(tx: Transaction, link: Link, *, is_read: bool) -> Link | None:
    """The link, locked; None if a call is under way, the link was abandoned, or it changed since a poll read it.

    `is_read`: the news comes from a poll, not from a webhook.
    """
    current = links_store.lock(tx, link)  # a poll and webhooks may bring news of one issue at the same time
    if current is None or current.state in (SyncState.CALLING, SyncState.ABANDONED):
        return None
    # A poll's answer is older than a change that was made since the link was read, so the next poll decides.
    has_moved = (current.wanted, current.state, current.memo) != (link.wanted, link.state, link.memo)
    return None if is_read and has_moved else current


def is_late(memo: IssueMemo, issue: Issue, *, is_read: bool) -> bool:
    """Whether we saw a newer state before. A webhook without a time counts as late: the next poll decides."""
    if issue.updated is None or memo.seen_at is None:
        return not is_read
    # Of the same moment, a poll wins: it shows the whole issue as it is now, while a webhook is a picture of one
    # event.
    return issue.updated < memo.seen_at or (issue.updated == memo.seen_at and not is_read)


def record_many_missing(tx: Transaction, missing: list[Link], now: datetime) -> list[int]:
    """Record that several issues are missing at once, with one notice a channel; the ids of their incidents.

    So many at once are most likely hidden by a lost permission, and not deleted one by one.
    """
    incidents = []
    for link in missing:
        current, found = lock_unchanged(tx, link, is_read=True), find_action(tx, link)
        is_wanted = found is not None and found[1].status is ActionStatus.OPEN
        if current is not None and record_missing(tx, current, is_wanted=is_wanted, now=now, sentence=HIDDEN):
            incidents.append(link.incident_id)
    return incidents


def record_missing(tx: Transaction, link: Link, *, is_wanted: bool, now: datetime, sentence: str = "") -> bool:
    """Record that a locked link's issue is missing. Reports it in the channel if it `is_wanted`; whether it did."""
    memo = replace(read_issue_memo(link.system, link.memo), is_missing=True)
    links_store.set_memo(tx, link, memo.to_json())
    if link.state == SyncState.REJECTED:  # the channel has read of it
        return False
    if not is_wanted:
        links_store.abandon(tx, link)
        sync.drop_outdated_buttons(tx, link, now)
        return False
    sentence = sentence or (
        f"{link.external_id} was deleted in Jira, or this account can't see it anymore. Restore it or give the "
        "account the permission, then try again. Nothing has changed in Slack."
    )
    sync.report_failure(tx, link, sentence, now)
    links_store.mark_rejected(tx, link, sentence)
    return True


def follow_key(tx: Transaction, link: Link, issue: Issue, incident: Incident, now: datetime) -> None:
    """If an issue was moved to another project, keep its new key."""
    if issue.key != link.external_id:
        thing = LinkKey(link.team, link.system, link.subject, link.incident_id)
        links_store.add_existing(tx, thing, issue.key, issue.url, now)
        enqueue_metadata(tx, incident, now)


def apply_issue(
    tx: Transaction, rules: ReminderRules, link: Link, issue: Issue | None, now: datetime, *, is_read: bool
) -> bool:
    """Apply the state of an issue (None: it is missing) to its action; whether the action changed.

    `is_read`: it comes from a poll, not from a webhook.
    """
    current, found = lock_unchanged(tx, link, is_read=is_read), find_action(tx, link)
    if current is None or found is None:
        return False
    incident, action = found
    if issue is None:
        return record_missing(tx, current, is_wanted=action.status is ActionStatus.OPEN, now=now)
    memo = ActionMemo.from_json(current.memo)
    if is_late(memo, issue, is_read=is_read):
        return False
    return _IssueChange(tx, rules, current, incident, action, issue, memo, now).apply()


@dataclass(slots=True)
class _IssueChange:
    """One issue and what follows from its state, in one transaction."""

    tx: Transaction
    rules: ReminderRules
    link: Link
    incident: Incident
    action: Action
    issue: Issue
    memo: ActionMemo
    now: datetime

    def apply(self) -> bool:
        """Apply it; whether the action changed."""
        tx, issue, link = self.tx, self.issue, self.link
        tx.clear_notes()  # below, `tx.changed` shall show what this issue changed, and nothing else
        self._apply_status()
        if self.action.status is ActionStatus.OPEN:
            self._apply_due_date()
            self._report_assignee()
        seen_at = issue.updated or self.memo.seen_at
        memo = replace(self.memo, remote=read_remote_fields(issue), seen_at=seen_at)
        links_store.set_status(tx, link, issue.status, self.now)
        links_store.set_memo(tx, link, memo.to_json())
        follow_key(tx, link, issue, self.incident, self.now)
        outdated_buttons_service.drop(tx, self.now)
        return bool(tx.changed)

    def _apply_status(self) -> None:
        is_done, was_done = self.issue.category is Category.DONE, self.memo.is_done
        if is_done and self.action.status is ActionStatus.OPEN and not was_done:
            actions_service.close_elsewhere(self.tx, self.rules, self.incident, self.action, self.now)
            self._report(jira_views.done_message(self.action, self.incident, self._issue), verb="jira.done")
            self.memo = replace(self.memo, is_done=True)
            self.action = replace(self.action, status=ActionStatus.DONE)
        elif self.issue.category in _UNDERWAY and self.action.status is ActionStatus.DONE and was_done:
            self.action = actions_service.reopen_elsewhere(self.tx, self.incident, self.action, self.now)
            self._report(jira_views.reopening_message(self.action, self.incident, self._issue), verb="jira.reopened")
            self.memo = replace(self.memo, is_done=False)

    def _apply_due_date(self) -> None:
        """A due date that people changed in Jira counts here, unless it was changed here, too (decision 21)."""
        before, remote = self.memo.remote, read_remote_fields(self.issue)
        sent = self.memo.sent or SentFields()
        mine = self.action.due_on.isoformat() if self.action.due_on else None
        if before is None or before.due == remote.due or sent.due != mine:
            return
        self.memo = replace(self.memo, sent=replace(sent, due=remote.due))  # or the next sync would send it back
        due = self.issue.due
        if due == self.action.due_on:
            return
        owner = people_store.find(self.tx, self.incident.team, self.action.owner) if self.action.owner else None
        at = overdue_at(due, find_zone(owner)) if due else None
        self.action = replace(self.action, due_on=due, overdue_at=at)
        actions_service.move_elsewhere(self.tx, self.incident, self.action, self.now)
        moved = jira_views.due_date_message(self.action, self.incident, self._issue, self.now.date())
        self._report(moved, verb="jira.moved")

    def _report_assignee(self) -> None:
        """Another assignee is only reported: we cannot say for certain which Slack user a Jira account belongs to."""
        before = self.memo.remote
        # While a change of ours is pending, the assignee in Jira may still be the one that we replace.
        if before is not None and before.who != self.issue.assignee and self.link.state == SyncState.IN_SYNC:
            message = jira_views.assignee_message(self.action, self.incident, self._issue, self.issue.assignee_name)
            reminders_service.enqueue_for_owner(self.tx, self.incident, self.action, message, self.now)

    @property
    def _issue(self) -> tuple[str, str]:
        return (self.issue.key, self.issue.url)

    def _report(self, message: Message, *, verb: str) -> None:
        audit_store.add_lines(self.tx, System.JIRA, verb, "", self.now)
        reminders_service.enqueue_for_owner(self.tx, self.incident, self.action, message, self.now)


IDENTIFIER = "x-atlassian-webhook-identifier"
_UPDATED, _DELETED = "jira:issue_updated", "jira:issue_deleted"


@dataclass(frozen=True, slots=True)
class IssueEvent:
    """Something happened to an issue. `issue` is None if it was deleted; `keys` includes keys that it had before.

    `by` is the account that did it; `id` is the same in every repeat. Either may be empty.
    """

    id: str
    keys: tuple[str, ...]
    issue: Issue | None
    by: str


def read_event(data: Mapping[str, object], identifier: str, site_url: str) -> IssueEvent | None:
    """The event in a webhook's body; None if it is of no interest. Raises MalformedPayloadError if it is not Jira's."""
    name = data.get("webhookEvent")
    if not isinstance(name, str):
        raise MalformedPayloadError("there is no webhookEvent")
    if name not in (_UPDATED, _DELETED):
        return None
    try:
        issue = read_issue(data.get("issue"), site_url)
    except IntegrationError:
        raise MalformedPayloadError("there is no issue with a key") from None
    by = text_at(data.get("user"), "accountId")
    # Cut, because the identifier becomes a key in our database, and this is a request from outside.
    return IssueEvent(identifier[:200], (issue.key, *_old_keys(data)), None if name == _DELETED else issue, by)


def _old_keys(data: Mapping[str, object]) -> list[str]:
    """The keys that an issue had before this event moved it."""
    items = value_at(data, "changelog", "items")
    changes = [item for item in items if text_at(item, "field") == "Key"] if isinstance(items, list) else []
    return [key for item in changes if (key := text_at(item, "fromString"))]


@runtime_checkable
class IssueSync(Protocol):
    """A sync handler that follows issues; `own_account` is our own account in Jira, empty while it is unknown."""

    @property
    def own_account(self) -> str: ...

    def receive(self, tx: Transaction, link: Link, issue: Issue | None, now: datetime) -> bool:
        """Apply the state of an issue (None: it was deleted); whether the record changed."""


@dataclass(frozen=True, slots=True)
class JiraWebhooks:
    """Receives webhooks for the sync handlers, which are given by system. People open issues at `site_url`."""

    site_url: str
    handlers: Mapping[str, IssueSync]
    secret: str = field(repr=False)
    name: str = "jira"

    def read(self, data: Mapping[str, object], headers: Mapping[str, str]) -> IssueEvent | None:
        """The event in a webhook. Header names are in lower case. Raises MalformedPayloadError."""
        return read_event(data, headers.get(IDENTIFIER, ""), self.site_url)

    async def receive(
        self, store: Store, outbox: Outbox, tabs: HomeTabQueue, event: IssueEvent | None, now: datetime
    ) -> WebhookOutcome:
        """Apply an event, unless we caused it. Raises NotRecorded if the database cannot take it."""
        # Our own writes come back as webhooks. Without `event.by`, an account that is not known yet would match every
        # event.
        if event is None or (event.by and event.by in {each.own_account for each in self.handlers.values()}):
            return WebhookOutcome()
        outcome = await store.write(lambda tx: self._apply(tx, event, now))
        if outcome.new_count:
            outbox.notify()
        if outcome.incident_id is not None:
            tabs.mark_changed([(outcome.incident_id, "incident")])
        return outcome

    def _apply(self, tx: Transaction, event: IssueEvent, now: datetime) -> WebhookOutcome:
        found = self._find_link(tx, event)
        if found is None:
            return WebhookOutcome()
        handler, link = found
        key = f"jira webhook {event.id}"
        if event.id and deliveries_store.find_reply(tx, key) is not None:
            return WebhookOutcome(known_count=1)
        if event.id:  # stored in the transaction of its effect: a repeat finds either both or neither
            deliveries_store.store_reply(tx, key, "", now)
        has_changed = handler.receive(tx, link, event.issue, now)
        return WebhookOutcome(new_count=1, incident_id=link.incident_id if has_changed else None)

    def _find_link(self, tx: Transaction, event: IssueEvent) -> tuple[IssueSync, Link] | None:
        for key in event.keys:
            for system, handler in self.handlers.items():
                if link := links_store.find_by_external_id(tx, system, key):
                    return handler, link
        return None
