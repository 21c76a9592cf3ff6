"""What happened to an action's work item in Jira, and what follows of it here: read by polling, told by webhooks.

A look at Jira says how an issue stands now. A telling may come late, so it counts only where it is newer than all
that was seen. Neither counts while a call of ours is under way, and a look not where the link changed since.

What a signed webhook of Jira says about an issue.

Jira tells late, twice and out of order: `Issue.updated` says which of two tellings is the newer one, and
X-Atlassian-Webhook-Identifier is the same whenever a telling is repeated.

What signed webhooks of Jira tell of our work items and service incidents, learnt at once as a look would.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from bot.domain.alert_payloads import MalformedPayloadError
from bot.domain.due_dates import overdue_at
from bot.domain.records import Action, ActionStatus, Incident
from bot.domain.reminders import ReminderRules
from bot.integrations import sync
from bot.integrations import views as integration_views
from bot.integrations.http import IntegrationError, text_at, value_at
from bot.integrations.jira.client import read_issue
from bot.integrations.jira.types import Category, Issue
from bot.integrations.relations import enqueue_metadata
from bot.services import actions as actions_service
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

SYSTEM = "jira"
ACTION = "action "
"""What the record notes of a changed action, before its number: links are named so, too."""
FOLLOWED = timedelta(days=30)
"""So long after it was done an action is opened again where its work item is: until its owner is asked if it held."""
HIDDEN = (
    "Several work items are hidden from Afterword's account in Jira since a moment ago, or were deleted together: look "
    "at its permissions in the project, then try again. Here everything stays as it is."
)
_UNDERWAY = (Category.NEW, Category.IN_PROGRESS)


def find_action(tx: Transaction, link: Link) -> tuple[Incident, Action] | None:
    """The incident and the action that a link is about."""
    incident = incidents_store.find(tx, link.incident_id)
    number = int(link.subject.rpartition(ACTION)[2])
    found = [action for action in actions_store.list_all(tx, link.incident_id) if action.number == number]
    return (incident, found[0]) if incident and found else None


def is_missing(link: Link) -> bool:
    """Whether its issue was found to be gone, so that it is asked about no more until somebody tries again."""
    return "gone" in json.loads(link.memo or "{}")


def remote_fields(issue: Issue) -> dict[str, Any]:
    """What is kept of how an issue stood, to see later what somebody changed there."""
    return {"due": issue.due.isoformat() if issue.due else None, "who": issue.assignee}


def seen_at(issue: Issue) -> dict[str, str]:
    """What is kept of when it stood so, by Jira's clock."""
    return {"seen": issue.updated.isoformat()} if issue.updated else {}


def has_changed(link: Link, issue: Issue | None) -> bool:
    """Whether a look at an issue says anything that was not known."""
    memo = json.loads(link.memo or "{}")
    if issue is None:
        return "gone" not in memo
    is_same = (issue.status, issue.key) == (link.status, link.external_id) and remote_fields(issue) == memo.get("there")
    return not is_same or (issue.category is Category.DONE) != memo.get("done", False)


def lock_unchanged(tx: Transaction, link: Link, *, is_read: bool) -> Link | None:
    """The link, locked, where what was learnt of it may count; None while a call is under way, or it was let go."""
    current = links_store.lock(tx, link)
    if current is None or current.state in (SyncState.CALLING, SyncState.ABANDONED):
        return None
    has_moved = (current.wanted, current.state, current.memo) != (link.wanted, link.state, link.memo)
    return None if is_read and has_moved else current


def is_late(memo: Mapping[str, Any], issue: Issue, *, is_read: bool) -> bool:
    """Whether something newer was seen already; a telling that cannot be compared is left to the next look."""
    seen = datetime.fromisoformat(memo["seen"]) if memo.get("seen") else None
    if issue.updated is None or seen is None:
        return not is_read
    return issue.updated < seen or (issue.updated == seen and not is_read)


def record_many_missing(tx: Transaction, gone: list[Link], now: datetime) -> list[int]:
    """Several issues are gone at once: told once in each channel, for that is rather a permission. Their incidents."""
    lost = []
    for link in gone:
        current, found = lock_unchanged(tx, link, is_read=True), find_action(tx, link)
        is_wanted = found is not None and found[1].status is ActionStatus.OPEN
        if current is not None and record_missing(tx, current, is_wanted=is_wanted, now=now, sentence=HIDDEN):
            lost.append(link.incident_id)
    return lost


def record_missing(tx: Transaction, link: Link, *, is_wanted: bool, now: datetime, sentence: str = "") -> bool:
    """The issue behind a link, which was locked, is gone: told once where somebody still counts on it."""
    links_store.set_memo(tx, link, json.dumps(json.loads(link.memo or "{}") | {"gone": True}))
    if link.state == SyncState.REJECTED:  # which was told
        return False
    if not is_wanted:
        links_store.abandon(tx, link)
        return False
    sentence = sentence or (
        f"{link.external_id} was deleted in Jira, or this account may not see it any more. Restore it or give the "
        "account the permission, and try again. Here everything stays as it is."
    )
    sync.report_failure(tx, link, sentence, now)
    links_store.mark_rejected(tx, link, sentence)
    return True


def apply_issue(
    tx: Transaction, rules: ReminderRules, link: Link, issue: Issue | None, now: datetime, *, is_read: bool
) -> bool:
    """Take in how an issue stands (None: it is gone); whether its action changed. `is_read`: it was a look."""
    current, found = lock_unchanged(tx, link, is_read=is_read), find_action(tx, link)
    if current is None or found is None:
        return False
    incident, action = found
    if issue is None:
        return record_missing(tx, current, is_wanted=action.status is ActionStatus.OPEN, now=now)
    memo = json.loads(current.memo or "{}")
    if is_late(memo, issue, is_read=is_read):
        return False
    taken = _IssueChange(tx, rules, current, incident, action, issue, memo, now)
    return taken.all()


@dataclass(slots=True)
class _IssueChange:
    """One issue as it stands, and all that follows from it, in one transaction."""

    tx: Transaction
    rules: ReminderRules
    link: Link
    incident: Incident
    action: Action
    issue: Issue
    memo: dict[str, Any]
    now: datetime

    def all(self) -> bool:
        """Whether the action changed."""
        tx, issue, link = self.tx, self.issue, self.link
        tx.clear_notes()
        self._status()
        if self.action.status is ActionStatus.OPEN:
            self._due()
            self._who()
        self.memo |= {"there": remote_fields(issue)} | seen_at(issue)
        links_store.set_status(tx, link, issue.status, self.now)
        links_store.set_memo(tx, link, json.dumps(self.memo))
        if issue.key != link.external_id:  # it was moved to another project
            thing = LinkKey(link.team, link.system, link.subject, link.incident_id)
            links_store.add_existing(tx, thing, issue.key, issue.url, self.now)
            enqueue_metadata(tx, self.incident, self.now)
        return bool(tx.changed)

    def _status(self) -> None:
        is_done, was_done = self.issue.category is Category.DONE, self.memo.get("done", False)
        if is_done and self.action.status is ActionStatus.OPEN and not was_done:
            actions_service.close_elsewhere(self.tx, self.rules, self.incident, self.action, self.now)
            self._say("jira.done", integration_views.done_in_jira(self.action, self.incident, self._at))
            self.memo["done"] = True
            self.action = replace(self.action, status=ActionStatus.DONE)
        elif self.issue.category in _UNDERWAY and self.action.status is ActionStatus.DONE and was_done:
            self.action = actions_service.reopen_elsewhere(self.tx, self.incident, self.action, self.now)
            self._say("jira.reopened", integration_views.reopened_in_jira(self.action, self.incident, self._at))
            self.memo["done"] = False

    def _due(self) -> None:
        """A date that was changed there holds here, too, unless it was changed here since."""
        due, before = self.issue.due, self.memo.get("there")
        mine = self.action.due_on.isoformat() if self.action.due_on else None
        if before is None or before["due"] == remote_fields(self.issue)["due"] or self.memo.get("due") != mine:
            return
        self.memo["due"] = remote_fields(self.issue)["due"]
        if due == self.action.due_on:
            return
        keeper = people_store.find(self.tx, self.incident.team, self.action.owner) if self.action.owner else None
        at = overdue_at(due, find_zone(keeper)) if due else None
        self.action = replace(self.action, due_on=due, overdue_at=at)
        actions_service.move_elsewhere(self.tx, self.incident, self.action, self.now)
        self._say("jira.moved", integration_views.moved_in_jira(self.action, self.incident, self._at))

    def _who(self) -> None:
        """Whoever has it there now: people are told, for an account there is nobody of Slack's for certain."""
        before = self.memo.get("there")
        if before is not None and before["who"] != self.issue.assignee and self.link.state == SyncState.IN_SYNC:
            said = integration_views.assigned_in_jira(self.action, self.incident, self._at, self.issue.assignee_name)
            deliveries_store.enqueue_message(self.tx, self.incident, said, self.now)

    @property
    def _at(self) -> tuple[str, str]:
        return (self.issue.key, self.issue.url)

    def _say(self, verb: str, said: Message) -> None:
        audit_store.add_lines(self.tx, SYSTEM, verb, "", self.now)
        deliveries_store.enqueue_message(self.tx, self.incident, said, self.now)


IDENTIFIER = "x-atlassian-webhook-identifier"
_UPDATED, _DELETED = "jira:issue_updated", "jira:issue_deleted"


@dataclass(frozen=True, slots=True)
class IssueEvent:
    """Something happened to an issue. `issue` is None where it was deleted; `keys` has those that it had before, too.

    `by` is the account that did it, and `id` what a repeated telling repeats; either may be empty.
    """

    id: str
    keys: tuple[str, ...]
    issue: Issue | None
    by: str


def read_event(data: Mapping[str, object], identifier: str, site_url: str) -> IssueEvent | None:
    """The event in a webhook's body; None for one that means nothing here. Raises Malformed where it is not Jira's."""
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
    return IssueEvent(identifier[:200], (issue.key, *_before(data)), None if name == _DELETED else issue, by)


def _before(data: Mapping[str, object]) -> list[str]:
    """The keys that an issue had until it was moved just now."""
    items = value_at(data, "changelog", "items")
    changes = [item for item in items if text_at(item, "field") == "Key"] if isinstance(items, list) else []
    return [key for item in changes if (key := text_at(item, "fromString"))]


class IssueSync(Protocol):
    """Follows issues of one kind; `me` is our own account in Jira, empty while it is unknown."""

    @property
    def me(self) -> str: ...

    def hear(self, tx: Transaction, link: Link, issue: Issue | None, now: datetime) -> bool:
        """Take in how an issue of ours stands (None: it is gone); whether anything changed here."""


@dataclass(frozen=True, slots=True)
class WebhookOutcome:
    """What became of a telling: it was `taken`, `repeated` one, or neither where it is nothing of ours."""

    taken: int = 0
    repeated: int = 0
    incident_id: int | None = None


@dataclass(frozen=True, slots=True)
class JiraWebhooks:
    """Hears for the followers of Jira, by system; `site_url` is where people open issues."""

    site_url: str
    hearers: Mapping[str, IssueSync]

    def read(self, data: Mapping[str, object], headers: Mapping[str, str]) -> IssueEvent | None:
        """The event in a webhook; headers in lower case. Raises Malformed."""
        return read_event(data, headers.get(IDENTIFIER, ""), self.site_url)

    async def hear(
        self, store: Store, outbox: Outbox, tabs: HomeTabQueue, event: IssueEvent | None, now: datetime
    ) -> WebhookOutcome:
        """Learn an event, unless we did it ourselves. Nobody is asked anything; NotRecorded where it cannot be kept."""
        if event is None or (event.by and event.by in {hearer.me for hearer in self.hearers.values()}):
            return WebhookOutcome()
        learnt = await store.write(lambda tx: self._learn(tx, event, now))
        if learnt.taken:
            outbox.notify()
        if learnt.incident_id is not None:
            tabs.mark_changed([(learnt.incident_id, "incident")])
        return learnt

    def _learn(self, tx: Transaction, event: IssueEvent, now: datetime) -> WebhookOutcome:
        found = self._ours(tx, event)
        if found is None:
            return WebhookOutcome()
        hearer, link = found
        key = f"jira webhook {event.id}"
        if event.id and deliveries_store.find_reply(tx, key) is not None:
            return WebhookOutcome(repeated=1)
        if event.id:
            deliveries_store.store_reply(tx, key, "", now)
        has_changed = hearer.hear(tx, link, event.issue, now)
        return WebhookOutcome(taken=1, incident_id=link.incident_id if has_changed else None)

    def _ours(self, tx: Transaction, event: IssueEvent) -> tuple[IssueSync, Link] | None:
        for key in event.keys:
            for system, hearer in self.hearers.items():
                if link := links_store.find_by_external_id(tx, system, key):
                    return hearer, link
        return None
