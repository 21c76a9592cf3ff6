"""Keeps an incident in sync with its issue in a service project of Jira Service Management."""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from jinja2 import Template

from bot.domain.records import Case, Incident, Status, System
from bot.domain.secrets import mask_credentials
from bot.domain.text import strip_code_marks, to_one_line
from bot.export.templates import load_shipped_templates
from bot.integrations import views as integration_views
from bot.integrations.jira.client import Category, Issue, JiraClient
from bot.integrations.jira.remote_changes import follow_key, is_late, is_missing, lock_unchanged, record_missing
from bot.integrations.jira.sync import EmailLookup, channel_link_title, find_account, link_related
from bot.integrations.links import RelatedLinks, ServiceIncidentMemo, enqueue_links, find_related, label_of
from bot.integrations.service_management.client import ServiceDeskClient, ServiceIncident
from bot.integrations.sync import SyncResult
from storage import case as case_store
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage import links as links_store
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.links import Link

_MOST_RESPONDERS = 20
"""To find the account of each may take a call."""


@dataclass(frozen=True, slots=True)
class _WantedIssue:
    """An incident as the issue should have it. A responder is a Slack id and the account that a person chose for it."""

    incident: Incident
    opened: ServiceIncident
    responders: tuple[tuple[str, str], ...]
    memo: ServiceIncidentMemo
    related: RelatedLinks


class IncidentSync:
    """The sync handler of incidents that people opened in the service project."""

    own_account = ""
    """Our own account in Jira; empty until the first poll."""

    def __init__(self, desk: ServiceDeskClient, jira: JiraClient, project: str, emails: EmailLookup) -> None:
        self._desk = desk
        self._jira = jira
        self._project = project
        self._emails = emails
        self._description: Template = load_shipped_templates().get_template("publish/service_incident.md.j2")

    def is_urgent(self, link: Link) -> bool:
        return False

    async def aclose(self) -> None:
        await self._jira.aclose()

    def prepare(self, tx: Transaction, link: Link, now: datetime) -> _WantedIssue | None:
        """The incident behind a link."""
        incident = incidents_store.find(tx, link.incident_id)
        if incident is None:
            return None
        case = case_store.load(tx, incident)
        # In this order, so that of too many people the later ones are left out.
        people = dict.fromkeys([incident.lead, incident.opened_by, *(entry.author for entry in case.entries)])
        responders = tuple(
            (user, links_store.find_account(tx, link.team, System.JIRA, user)) for user in people if user
        )
        opened = ServiceIncident(
            label_of(link),
            strip_code_marks(to_one_line(mask_credentials(incident.title))),
            self._describe(case),
            incident.severity,
        )
        return _WantedIssue(
            incident,
            opened,
            responders[:_MOST_RESPONDERS],
            ServiceIncidentMemo.from_json(link.memo),
            find_related(tx, incident),
        )

    def _describe(self, case: Case) -> str:
        incident = case.incident
        return self._description.render(
            title=to_one_line(mask_credentials(incident.title)),
            key=incident.key,
            opened_by=to_one_line(case.name(incident.opened_by)),
            opened_at=incident.opened_at,
            channel=f"#{to_one_line(incident.channel_name)}" if incident.channel_name else incident.channel,
            lead=to_one_line(case.name(incident.lead)),
        )

    async def perform(self, link: Link, prepared: _WantedIssue) -> SyncResult:
        """Open the incident there, or send what changed here."""
        key = link.external_id
        if not key:  # recorded before anything else is tried, so that it is opened once (decision 21)
            created = await self._desk.open(prepared.opened, is_repeat=link.is_unsure or link.attempts > 1)
            memo = ServiceIncidentMemo(
                title=prepared.opened.title,
                severity=prepared.opened.severity,
                status=Status.OPEN.value,
                seen_at=created.issue.updated if created.issue else None,
            )
            status = created.issue.status if created.issue else ""
            return SyncResult(created.key, created.url, status, memo.to_json(), is_all=False)
        if link.error:  # the issue may have been missing: it must be back before the error is cleared
            await self._jira.require_issue(key)
        memo = await self._set_links(key, prepared)
        memo, status = await self._send_changes(key, prepared, memo)
        return SyncResult(key, link.url, status or link.status, replace(memo, is_missing=False).to_json())

    async def _set_links(self, key: str, wanted: _WantedIssue) -> ServiceIncidentMemo:
        incident, label, memo = wanted.incident, wanted.opened.label, wanted.memo
        if not memo.has_channel_link:
            await self._jira.link(key, f"{label}-channel", incident.channel_link, channel_link_title(incident))
            memo = replace(memo, has_channel_link=True)
        return await link_related(self._jira, key, label, incident.key, wanted.related, memo)

    async def _send_changes(
        self, key: str, wanted: _WantedIssue, memo: ServiceIncidentMemo
    ) -> tuple[ServiceIncidentMemo, str]:
        """Send what differs from the memo; the new memo, and the issue's status if it was moved, else empty."""
        # The memo is stored at the end. If a call fails, the next attempt repeats those before it, which does no harm.
        incident, status = wanted.incident, ""
        if wanted.opened.title != memo.title:
            await self._desk.set_title(key, wanted.opened.title)
            memo = replace(memo, title=wanted.opened.title)
        if incident.severity and incident.severity != memo.severity:
            await self._desk.set_severity(key, incident.severity)
            memo = replace(memo, severity=incident.severity)
        accounts = await self._find_accounts(wanted) if self._desk.names_responders else {}
        responders = tuple(dict.fromkeys(accounts.values()))
        if responders != memo.responders:
            await self._desk.set_responders(key, responders)
            memo = replace(memo, responders=responders, accounts=accounts)
        if incident.status.value != memo.status:
            await self._desk.set_status(key, incident.status)
            # By its time, a webhook from before our change is known to be late.
            issue = await self._jira.require_issue(key)
            status = issue.status
            memo = replace(memo, status=incident.status.value, seen_at=issue.updated or memo.seen_at)
        return memo, status

    async def _find_accounts(self, wanted: _WantedIssue) -> dict[str, str]:
        """The responders' accounts by their Slack ids."""
        found = {who[0]: await find_account(self._jira, self._project, self._emails, *who) for who in wanted.responders}
        return {user: account for user, account in found.items() if account}

    def record_success(self, tx: Transaction, link: Link, result: SyncResult, now: datetime) -> None:
        """Report once in the channel where it is, and make the other systems link to it."""
        incident = incidents_store.find(tx, link.incident_id)
        if incident is not None and not link.external_id:
            enqueue_links(tx, incident, System.SERVICE_MANAGEMENT, now)
            message = integration_views.service_incident_message(incident, (result.external_id, result.url))
            deliveries_store.enqueue_message(tx, incident, message, now)

    async def poll(self, store: Store, now: datetime) -> list[int]:
        """Poll the issues of open incidents. If one was closed, offer to resolve: a person says when it ended."""
        waiting = await store.read(_list_polled)
        if waiting:
            self.own_account = self.own_account or await self._jira.account()
            issues = await self._jira.status_of(link.external_id for link in waiting)
            for link in waiting:
                issue = issues.get(link.external_id)
                if issue is None or (issue.status, issue.key) != (link.status, link.external_id):
                    await store.write(partial(_apply_issue, link=link, issue=issue, now=now, is_read=True))
        return []

    def receive(self, tx: Transaction, link: Link, issue: Issue | None, now: datetime) -> bool:
        """Apply what a webhook says of an issue (None: it was deleted). The record never changes by it."""
        _apply_issue(tx, link, issue, now, is_read=False)
        return False


def _apply_issue(tx: Transaction, link: Link, issue: Issue | None, now: datetime, *, is_read: bool) -> None:
    current, incident = lock_unchanged(tx, link, is_read=is_read), incidents_store.find(tx, link.incident_id)
    if current is None or incident is None:
        return
    is_open, memo = incident.status is not Status.RESOLVED, ServiceIncidentMemo.from_json(current.memo)
    if issue is None:
        record_missing(tx, current, is_wanted=is_open, now=now)
        return
    is_known = (issue.status, issue.key) == (current.status, current.external_id)
    if is_late(memo, issue, is_read=is_read) or is_known:
        return
    follow_key(tx, current, issue, incident, now)
    links_store.set_status(tx, current, issue.status, now)
    links_store.set_memo(tx, current, replace(memo, seen_at=issue.updated or memo.seen_at).to_json())
    if issue.category is Category.DONE and is_open and issue.status != current.status:
        message = integration_views.closure_question(incident, (issue.key, issue.url))
        deliveries_store.enqueue_message(tx, incident, message, now)


def _list_polled(tx: Transaction) -> tuple[Link, ...]:
    return tuple(
        link for link in links_store.list_of_open_incidents(tx, System.SERVICE_MANAGEMENT) if not is_missing(link)
    )
