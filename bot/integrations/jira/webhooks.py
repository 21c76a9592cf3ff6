"""The webhook of Jira: its events applied at once, as a poll would apply them.

Jira delivers late, twice and out of order. `Issue.updated` says which of two events is newer; a repeated event has the
same X-Atlassian-Webhook-Identifier.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable

from bot.domain.alert_payloads import MalformedPayloadError
from bot.integrations.http import IntegrationError, text_at, value_at
from bot.integrations.jira.client import read_issue
from bot.integrations.jira.types import Issue
from bot.slack.outbox import Outbox
from bot.slack.refresh import HomeTabQueue
from storage import deliveries as deliveries_store
from storage import links as links_store
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.links import Link

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
class WebhookOutcome:
    """What became of an event: it was `taken`, or `repeated`, or neither if it is about nothing of ours."""

    taken: int = 0
    repeated: int = 0
    incident_id: int | None = None


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
        """Apply an event, unless it is our own doing. Raises NotRecorded if the database cannot take it."""
        if event is None or (event.by and event.by in {each.own_account for each in self.handlers.values()}):
            return WebhookOutcome()
        outcome = await store.write(lambda tx: self._apply(tx, event, now))
        if outcome.taken:
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
            return WebhookOutcome(repeated=1)
        if event.id:
            deliveries_store.store_reply(tx, key, "", now)
        has_changed = handler.receive(tx, link, event.issue, now)
        return WebhookOutcome(taken=1, incident_id=link.incident_id if has_changed else None)

    def _find_link(self, tx: Transaction, event: IssueEvent) -> tuple[IssueSync, Link] | None:
        for key in event.keys:
            for system, handler in self.handlers.items():
                if link := links_store.find_by_external_id(tx, system, key):
                    return handler, link
        return None
