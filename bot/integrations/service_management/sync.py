"""An incident in Jira Service Management: opened on request, kept in step, its end there told here."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from jinja2 import Template

from bot.domain.records import Case, Incident, Status
from bot.domain.secrets import mask_credentials
from bot.domain.text import strip_code_marks, to_one_line
from bot.errors import Refused
from bot.export.template_env import load_shipped_templates
from bot.integrations import views as integration_views
from bot.integrations.jira import push as jira_push
from bot.integrations.jira.client import JiraClient
from bot.integrations.jira.pull import is_late, is_missing, lock_unchanged, record_missing, seen_at
from bot.integrations.jira.push import Emails, account_of, title_of
from bot.integrations.jira.types import Category, Issue
from bot.integrations.relations import ACCOUNTS, RelatedLinks, enqueue_links, enqueue_metadata, find_related
from bot.integrations.service_management.client import ServiceDeskClient, ServiceIncident
from bot.integrations.sync import SyncResult
from bot.services.context import Request, Services, require_incident, run_once
from bot.slack.views.blocks import Message
from storage import case as case_store
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage import links as links_store
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.links import Link, LinkKey

SYSTEM = "jsm"


async def open_incident(services: Services, request: Request) -> Message | None:
    """`/incident jsm`: open the channel's incident in the service project, too."""
    if SYSTEM not in services.integrations.names:
        raise Refused(
            "Jira Service Management is not connected. Whoever runs Afterword can connect it: AFTERWORD_JSM_PROJECT."
        )

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request, locking=True)
        thing = LinkKey(request.team, SYSTEM, f"{incident.key} incident", incident.id)
        standing = links_store.find(tx, request.team, SYSTEM, thing.subject)
        if standing is not None and standing.external_id:
            return integration_views.in_jsm_already(incident, (standing.external_id, standing.url))
        links_store.enqueue(tx, thing, request.now)
        tx.note(incident.id, "incident in Jira Service Management")
        return integration_views.on_its_way(incident, SYSTEM)

    return await run_once(services, request, unit, verb="jsm.open_there")


@dataclass(frozen=True, slots=True)
class _WantedIssue:
    """An incident as it is to stand there, with those who respond as (Slack id, account chosen for them)."""

    incident: Incident
    opened: ServiceIncident
    responders: tuple[tuple[str, str], ...]
    sent: Mapping[str, Any]
    related: RelatedLinks


class IncidentSync:
    """Follows each incident that was opened there."""

    me = ""
    """Our own account there, once a look has asked."""

    def __init__(self, desk: ServiceDeskClient, jira: JiraClient, project: str, emails: Emails) -> None:
        self._desk = desk
        self._jira = jira
        self._project = project
        self._emails = emails
        self._description: Template = load_shipped_templates().get_template("publish/service_incident.md.j2")

    def is_urgent(self, link: Link) -> bool:
        return False

    async def aclose(self) -> None:
        """Let the connections go."""
        await self._jira.aclose()

    def prepare(self, tx: Transaction, link: Link, now: datetime) -> _WantedIssue | None:
        """The incident behind a link."""
        incident = incidents_store.find(tx, link.incident_id)
        if incident is None:
            return None
        case = case_store.load(tx, incident)
        people = dict.fromkeys([incident.lead, incident.opened_by, *(entry.author for entry in case.entries)])
        responders = tuple((user, links_store.find_account(tx, link.team, "jira", user)) for user in people if user)
        opened = ServiceIncident(
            f"afterword-{link.team}-{link.id}".lower(),
            strip_code_marks(to_one_line(mask_credentials(incident.title))),
            self._described(case),
            incident.severity,
        )
        return _WantedIssue(
            incident, opened, responders[:20], json.loads(link.memo or "{}"), find_related(tx, incident)
        )

    def _described(self, case: Case) -> str:
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
        """Open it there, or send what changed here."""
        key, url, sent = link.external_id, link.url, dict(prepared.sent)
        if not key:  # it is written down before the rest is tried, so that it is opened only once
            made = await self._desk.open(prepared.opened, is_repeat=link.is_unsure or link.attempts > 1)
            sent = {"title": prepared.opened.title, "severity": prepared.opened.severity, "status": Status.OPEN.value}
            sent |= seen_at(made.issue) if made.issue else {}
            return SyncResult(
                made.key, made.url, made.issue.status if made.issue else "", json.dumps(sent), is_all=False
            )
        if link.error:
            await self._jira.standing(key)
        await self._link(key, prepared, sent)
        await self._step(key, prepared, sent)
        sent.pop("gone", None)
        return SyncResult(key, url, sent.pop("there", link.status), json.dumps(sent))

    async def _link(self, key: str, wanted: _WantedIssue, sent: dict[str, Any]) -> None:
        """The way back into the channel, and the links to what else stands of the incident."""
        incident, label = wanted.incident, wanted.opened.label
        if not sent.get("linked"):
            await self._jira.link(key, f"{label}-channel", incident.channel_link, title_of(incident))
            sent["linked"] = True
        await jira_push.link_related(self._jira, key, label, incident.key, wanted.related, sent)

    async def _step(self, key: str, wanted: _WantedIssue, sent: dict[str, Any]) -> None:
        incident = wanted.incident
        if wanted.opened.title != sent.get("title"):
            await self._desk.set_title(key, wanted.opened.title)
            sent["title"] = wanted.opened.title
        if incident.severity and incident.severity != sent.get("severity"):
            await self._desk.set_severity(key, incident.severity)
            sent["severity"] = incident.severity
        found = await self._people(wanted) if self._desk.names_responders else {}
        people = list(dict.fromkeys(found.values()))
        if people != sent.get("responders", []):
            await self._desk.set_responders(key, people)
            sent |= {"responders": people, ACCOUNTS: found}
        if incident.status.value != sent.get("status"):
            await self._desk.set_status(key, incident.status)
            sent["status"] = incident.status.value
            issue = await self._jira.standing(key)
            sent |= {"there": issue.status} | seen_at(issue)

    async def _people(self, wanted: _WantedIssue) -> dict[str, str]:
        """The accounts of those who respond, by their ids in Slack."""
        found = {who[0]: await account_of(self._jira, self._project, self._emails, *who) for who in wanted.responders}
        return {user: account for user, account in found.items() if account}

    def keep(self, tx: Transaction, link: Link, kept: SyncResult, now: datetime) -> None:
        """Say once where it is; what else stands of the incident links to it."""
        incident = incidents_store.find(tx, link.incident_id)
        if incident is not None and not link.external_id:
            enqueue_links(tx, incident, SYSTEM, now)
            said = integration_views.in_jsm(incident, (kept.external_id, kept.url))
            deliveries_store.enqueue_message(tx, incident, said, now)

    async def look(self, store: Store, now: datetime) -> list[int]:
        """Say when an incident that is open here was closed there, and offer to resolve it: the time is a person's."""
        waiting = await store.read(_open_here)
        if waiting:
            self.me = self.me or await self._jira.account()
            issues = await self._jira.status_of(link.external_id for link in waiting)
            for link in waiting:
                issue = issues.get(link.external_id, None)
                if issue is None or (issue.status, issue.key) != (link.status, link.external_id):
                    await store.write(partial(_learn, link=link, issue=issue, now=now, is_read=True))
        return []

    def hear(self, tx: Transaction, link: Link, issue: Issue | None, now: datetime) -> bool:
        """Take in what a webhook tells of an issue (None: it is gone). It changes nothing here by itself."""
        _learn(tx, link, issue, now, is_read=False)
        return False


def _learn(tx: Transaction, link: Link, issue: Issue | None, now: datetime, *, is_read: bool) -> None:
    current, incident = lock_unchanged(tx, link, is_read=is_read), incidents_store.find(tx, link.incident_id)
    if current is None or incident is None:
        return
    is_open, memo = incident.status is not Status.RESOLVED, json.loads(current.memo or "{}")
    if issue is None:
        record_missing(tx, current, is_wanted=is_open, now=now)
        return
    is_known = (issue.status, issue.key) == (current.status, current.external_id)
    if is_late(memo, issue, is_read=is_read) or is_known:
        return
    if issue.key != current.external_id:  # it was moved to another project
        thing = LinkKey(current.team, current.system, current.subject, current.incident_id)
        links_store.add_existing(tx, thing, issue.key, issue.url, now)
        enqueue_metadata(tx, incident, now)
    links_store.set_status(tx, current, issue.status, now)
    links_store.set_memo(tx, current, json.dumps(memo | seen_at(issue)))
    if issue.category is Category.DONE and is_open and issue.status != current.status:
        said = integration_views.closed_in_jsm(incident, (issue.key, issue.url))
        deliveries_store.enqueue_message(tx, incident, said, now)


def _open_here(tx: Transaction) -> tuple[Link, ...]:
    return tuple(link for link in links_store.list_of_open_incidents(tx, SYSTEM) if not is_missing(link))
