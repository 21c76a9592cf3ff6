"""Corrective actions as work items in Jira: made once, kept in step, done there is done here."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from jinja2 import Template

from bot.export.environment import template_set
from bot.incident import whys as chains
from bot.incident.plain import one_line, plain
from bot.incident.records import Action, ActionStatus, Case, Incident
from bot.incident.reminders import ReminderRules
from bot.incident.text import shortened
from bot.publish.jira import Jira
from bot.publish.jira_records import LONGEST_SUMMARY, Category, Changes, Issue, WorkItem
from bot.scribe import actions as verbs
from bot.scribe.errands import Kept
from bot.scribe.people_there import Emails, account_of
from bot.slack import connections as says
from storage import accounts, actions, audit, cases, deliveries, incidents, link_lists, links
from storage.deliveries import Owed
from storage.links import Link
from storage.statements import Transaction
from storage.store import Store

SYSTEM = "jira"
ACTION = "action "
"""What the record notes of a changed action, before its number: links are named so, too."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Where work items go and what they are: as the operator settled it."""

    project: str
    issue_type: str = "Task"
    labels: tuple[str, ...] = ("postmortem",)
    custom: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """An action as it is to stand in Jira, and as it was sent last (None: never)."""

    action: Action
    incident: Incident
    owner: str
    account: str
    item: WorkItem
    sent: Mapping[str, Any] | None


class ActionsInJira:
    """Follows each action; `emails` finds out whom to assign."""

    is_urgent = False

    def __init__(self, jira: Jira, plan: Plan, emails: Emails, rules: ReminderRules) -> None:
        self._jira = jira
        self._plan = plan
        self._emails = emails
        self._rules = rules
        self._description: Template = template_set().get_template("publish/work_item.md.j2")

    async def aclose(self) -> None:
        """Let the connections go."""
        await self._jira.aclose()

    def prepare(self, tx: Transaction, link: Link, now: datetime) -> _Wanted | None:
        """The action behind a link; None where it was dropped before Jira heard of it."""
        found = _action_of(tx, link)
        if found is None:
            return None
        incident, action = found
        if action.status is ActionStatus.DROPPED and not link.external_id:
            return None
        case, _ = cases.glance(tx, incident, 1)
        sent = json.loads(link.memo) if link.memo else None
        account = accounts.of(tx, link.team, SYSTEM, action.owner)
        return _Wanted(action, incident, case.name(action.owner), account, self._item(case, action, link), sent)

    def _item(self, case: Case, action: Action, link: Link) -> WorkItem:
        return WorkItem(
            label=f"afterword-{link.team}-{link.id}".lower(),
            project=self._plan.project,
            issue_type=self._plan.issue_type,
            summary=shortened(one_line(action.text), LONGEST_SUMMARY),
            description=self._described(case, action),
            due=action.due_on,
            labels=(*self._plan.labels, case.incident.key.lower()),
            custom=self._plan.custom,
        )

    def _described(self, case: Case, action: Action) -> str:
        incident = case.incident
        return self._description.render(
            text=plain(action.text),
            key=incident.key,
            title=one_line(incident.title),
            severity=incident.severity_name,
            resolved_at=incident.resolved_at,
            whys=[why for why in chains.standing(case.whys) if action.number in why.actions],
            owner=one_line(case.name(action.owner)),
        )

    async def perform(self, link: Link, prepared: _Wanted) -> Kept:
        """Make the work item or bring it into step. Only what changed here is sent: people's edits there stay."""
        key, url, sent = link.external_id, link.url, dict(prepared.sent or {})
        if not key:
            assignee = await self._assignee(prepared)
            item = replace(prepared.item, assignee=assignee)
            created = await self._jira.create(item, is_repeat=link.is_unsure or link.attempts > 1)
            key, url = created.key, created.url
            sent = _told_of(prepared) | {"done": False, "assigned": bool(assignee) and not created.is_unassigned}
            await self._jira.link(key, prepared.item.label, _place_of(prepared.incident), _title_of(prepared.incident))
        elif changed := _told_of(prepared).items() - sent.items():
            sent |= await self._change(key, prepared, dict(changed))
        is_done = prepared.action.status is not ActionStatus.OPEN
        if is_done != sent.get("done", False):
            await (self._jira.finish(key) if is_done else self._jira.reopen(key))
            sent["done"] = is_done
        return Kept(key, url, "done" if is_done else link.status, json.dumps(sent))

    async def _change(self, key: str, wanted: _Wanted, changed: dict[str, Any]) -> dict[str, Any]:
        assignee = await self._assignee(wanted) if "owner" in changed or "account" in changed else None
        due = wanted.item.due if "due" in changed else None
        changes = Changes(
            summary=wanted.item.summary if "summary" in changed else None,
            description=wanted.item.description if "summary" in changed else None,
            assignee=assignee or None,
            due=due,
            takes_due_away="due" in changed and due is None,
        )
        await self._jira.edit(key, changes)
        return changed | ({"assigned": bool(assignee)} if assignee is not None else {})

    async def _assignee(self, wanted: _Wanted) -> str:
        return await account_of(self._jira, self._plan.project, self._emails, wanted.action.owner or "", wanted.account)

    def keep(self, tx: Transaction, link: Link, kept: Kept, now: datetime) -> None:
        """Put the work item's address at the action, and say once where it is and whether somebody has it."""
        found = _action_of(tx, link)
        if found is None:
            return
        incident, action = found
        was, is_ = json.loads(link.memo or "{}"), json.loads(kept.memo)
        if not action.link:
            _save(tx, replace(action, link=kept.url), now)
        if not link.external_id or was.get("owner") != is_.get("owner") or was.get("account") != is_.get("account"):
            said = says.in_jira(action, incident, (kept.external_id, kept.url), is_assigned=is_.get("assigned", False))
            owed = Owed(link.team, "message", incident.channel, json.dumps(said), now, incident.id)
            deliveries.owe(tx, owed)

    async def look(self, store: Store, now: datetime) -> list[int]:
        """Read how what is open here stands there: done in Jira is done here. Raises PublishError."""
        waiting = await store.read(_open_links)
        if not waiting:
            return []
        issues = await self._jira.status_of(link.external_id for link in waiting)
        moved = [
            (link, issue)
            for link in waiting
            if (issue := issues.get(link.external_id)) is not None and issue.status != link.status
        ]
        for link, issue in moved:
            await self.learn(store, link, issue, now)
        return [link.incident_id for link, _ in moved]

    async def learn(self, store: Store, link: Link, issue: Issue, now: datetime) -> None:
        """Take in how an issue stands."""
        is_done = issue.category is Category.DONE
        await store.write(lambda tx: self._learn(tx, link, issue.status, now, is_done=is_done))

    def _learn(self, tx: Transaction, link: Link, status: str, now: datetime, *, is_done: bool) -> None:
        links.remark(tx, link, status, now)
        found = _action_of(tx, link)
        if found is None or not is_done or found[1].status is not ActionStatus.OPEN:
            return
        incident, action = found
        tx.clear_notes()
        verbs.close_elsewhere(tx, self._rules, incident, action, now)
        audit.keep(tx, SYSTEM, "jira.done", "", now)
        memo = json.dumps(json.loads(link.memo or "{}") | {"done": True})
        links.remember(tx, link, memo)
        said = says.done_in_jira(action, incident, (link.external_id, link.url))
        deliveries.owe(tx, Owed(link.team, "message", incident.channel, json.dumps(said), now, incident.id))


def _open_links(tx: Transaction) -> tuple[Link, ...]:
    """The links whose action is still open here."""
    standing = [(link, _action_of(tx, link)) for link in link_lists.standing(tx, SYSTEM)]
    return tuple(link for link, found in standing if found and found[1].status is ActionStatus.OPEN)


def _action_of(tx: Transaction, link: Link) -> tuple[Incident, Action] | None:
    incident = incidents.by_id(tx, link.incident_id)
    number = int(link.subject.rpartition(ACTION)[2])
    found = [action for action in actions.of_incident(tx, link.incident_id) if action.number == number]
    return (incident, found[0]) if incident and found else None


def _save(tx: Transaction, action: Action, now: datetime) -> None:
    tx.clear_notes()
    actions.save(tx, action)
    audit.keep(tx, SYSTEM, "jira.linked", "", now)


def _told_of(wanted: _Wanted) -> dict[str, Any]:
    """What is kept of what was sent, to see later what changed here."""
    due: date | None = wanted.item.due
    return {
        "summary": wanted.item.summary,
        "due": due.isoformat() if due else None,
        "owner": wanted.action.owner,
        "account": wanted.account,
    }


def _place_of(incident: Incident) -> str:
    """Where Slack opens the incident's channel, whatever the workspace's own address is."""
    return f"https://slack.com/app_redirect?team={incident.team}&channel={incident.channel}"


def _title_of(incident: Incident) -> str:
    return f"{incident.key} in Slack: {one_line(incident.title)}"
