"""Corrective actions as work items in Jira: made once, kept in step, done there is done here.

The links that an issue of ours in Jira has to what else stands of its incident, each once.

Actions of private incidents: none goes to Jira before somebody in the channel has agreed to it.

An action as a work item for Jira: as the record has it, and as it may leave a private channel.

Who somebody of ours is among the people of a Jira, and so everywhere at Atlassian.
"""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

from jinja2 import Template

from bot.domain import whys as whys_rules
from bot.domain.masking import MaskRules, mask_text
from bot.domain.records import Action, ActionStatus, Case, Incident
from bot.domain.reminders import ReminderRules
from bot.domain.secrets import mask_credentials
from bot.domain.text import clean, shorten, strip_code_marks, to_one_line
from bot.errors import Refused
from bot.export.mask_patterns import apply_patterns
from bot.export.template_env import load_shipped_templates
from bot.integrations import views as integration_views
from bot.integrations.http import IntegrationError
from bot.integrations.jira.client import JiraClient
from bot.integrations.jira.pull import (
    FOLLOWED,
    SYSTEM,
    apply_issue,
    find_action,
    has_changed,
    is_missing,
    record_many_missing,
    remote_fields,
    seen_at,
)
from bot.integrations.jira.types import LONGEST_SUMMARY, Issue, IssueChanges, WorkItem, explain
from bot.integrations.relations import ACCOUNTS, RelatedLinks, RemoteLink, enqueue_metadata, find_related
from bot.integrations.sync import DecisionNeeded, SyncResult
from bot.integrations.views import NAMES
from bot.services.context import Request, Services, require_incident, run_once
from bot.slack.channels import Channels
from bot.slack.views.blocks import Message
from bot.slack.views.templates import words
from storage import actions as actions_store
from storage import audit as audit_store
from storage import case as case_store
from storage import deliveries as deliveries_store
from storage import links as links_store
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.links import Link

LINKS = "links"
"""In the memo of an issue's link: where each web link leads that was put there, by its id."""
_RELATED = "incident"
"""In the same memo: the key of the service project's issue that it was linked with."""


async def link_related(
    jira: JiraClient, key: str, label: str, incident: str, related: RelatedLinks, sent: dict[str, Any]
) -> None:
    """Put web links to an incident's page and to what customers read at an issue; `sent` remembers them.

    A web link is known by an id made of the issue's `label`, so that another address takes the place of the first.
    """
    links = dict(sent.get(LINKS, {}))
    for id_, title, place in _wanted(label, incident, related):
        if links.get(id_) != place.url:
            await jira.link(key, id_, place.url, title)
            links[id_] = place.url
    sent[LINKS] = links


async def relate(jira: JiraClient, key: str, label: str, related: RelatedLinks, sent: dict[str, Any]) -> None:
    """Link a work item with the incident's issue; by a web link where Jira refuses links between issues."""
    issue = related.issue
    if issue is None or _RELATED in sent:
        return
    try:
        await jira.relate(key, issue.name)
    except IntegrationError as error:
        if not error.is_permanent or error.status == 401:
            raise
        await jira.link(key, f"{label}-incident", issue.url, f"{issue.name} in Jira Service Management")
    sent[_RELATED] = issue.name


def _wanted(label: str, incident: str, related: RelatedLinks) -> Iterator[tuple[str, str, RemoteLink]]:
    if related.page:
        yield f"{label}-page", f"The postmortem of {incident}", related.page
    if related.customers:
        yield f"{label}-customers", f"What customers read of {incident}", related.customers


AGREED = "agreed"
"""In the memo of an action's link: it may go there. It holds for every action of the incident."""


def is_agreed(tx: Transaction, incident_id: int) -> bool:
    """Whether somebody agreed that an incident's actions go to Jira."""
    return any(json.loads(link.memo or "{}").get(AGREED) for link in _links_of(tx, incident_id))


async def is_public(places: Channels, incident: Incident) -> bool:
    """Whether everyone in the workspace may read the channel. Raises IntegrationError while Slack does not say."""
    sight = await places.check_visible("", [incident.channel])
    if not sight.is_sure:
        raise IntegrationError(
            NAMES[SYSTEM],
            "Slack does not say just now who can read in the incident's channel; it is tried again later.",
        )
    return incident.channel in sight.seen


def ask_for_consent(incident: Incident, project: str, summary: str) -> DecisionNeeded:
    """The question whether a private incident's actions may go to `project`, where one would read `summary`."""
    sentence = f"{incident.key} is private, and nobody has agreed yet that its actions go to Jira."
    return DecisionNeeded(NAMES[SYSTEM], sentence, integration_views.private_actions(incident, project, summary))


async def agree(services: Services, request: Request) -> Message | None:
    """[Put its actions into Jira]: those that wait, and those that will come."""

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request, locking=True)
        waiting = _links_of(tx, incident.id)
        if is_agreed(tx, incident.id) or not waiting:
            raise Refused(words.connections.agreed_already(key=incident.key))
        for link in waiting:
            links_store.enqueue_decision(
                tx, link, json.dumps(json.loads(link.memo or "{}") | {AGREED: True}), request.now
            )
        tx.note(incident.id, "masked actions into Jira")
        return integration_views.agreed(incident, request.user)

    return await run_once(services, request, unit, verb="jira.agree")


def _links_of(tx: Transaction, incident_id: int) -> list[Link]:
    return [link for link in links_store.list_by_incident(tx, incident_id) if link.system == SYSTEM]


@dataclass(frozen=True, slots=True)
class WorkItemDefaults:
    """Where work items go and what they are: as the operator settled it."""

    project: str
    issue_type: str = "Task"
    labels: tuple[str, ...] = ("postmortem",)
    custom: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ActionSnapshot:
    """An action as it is to stand in Jira, and as it was sent last (empty: never).

    `title` is that of the link back; a masked item is made of `case`; `related` is what else exists of its incident.
    """

    action: Action
    incident: Incident
    owner: str
    account: str
    item: WorkItem
    title: str
    sent: Mapping[str, Any]
    case: Case
    is_agreed: bool
    related: RelatedLinks = field(default_factory=RelatedLinks)

    @property
    def told(self) -> dict[str, Any]:
        """What is kept of what was sent, to see later what changed here; of the text its mark, for it may be long."""
        due = self.item.due
        return {
            "summary": self.item.summary,
            "text": hashlib.sha256(self.action.text.encode()).hexdigest()[:16],
            "due": due.isoformat() if due else None,
            "owner": self.action.owner,
            "account": self.account,
        }


class WorkItemBuilder:
    """Makes work items of actions, as `plan` says; of a private incident masked by the rules in `mask`."""

    def __init__(self, plan: WorkItemDefaults, mask: MaskRules) -> None:
        self._plan = plan
        self._mask = mask
        self._description: Template = load_shipped_templates().get_template("publish/work_item.md.j2")

    def of(self, case: Case, action: Action, link: Link, mask: Callable[[str], str] = mask_credentials) -> WorkItem:
        """The work item of an action, whose label tells it from every other."""
        return WorkItem(
            label=f"afterword-{link.team}-{link.id}".lower(),
            project=self._plan.project,
            issue_type=self._plan.issue_type,
            summary=shorten(to_one_line(strip_code_marks(mask(action.text))), LONGEST_SUMMARY),
            description=self._described(case, action, mask),
            due=action.due_on,
            labels=(*self._plan.labels, case.incident.key.lower()),
            custom=self._plan.custom,
        )

    def _described(self, case: Case, action: Action, mask: Callable[[str], str]) -> str:
        incident = case.incident
        return self._description.render(
            text=clean(mask(action.text)),
            key=incident.key,
            title=to_one_line(mask(incident.title)),
            severity=incident.severity_name,
            resolved_at=incident.resolved_at,
            whys=[
                replace(why, text=mask(why.text))
                for why in whys_rules.list_active(case.whys)
                if action.number in why.actions
            ],
            owner=to_one_line(case.name(action.owner)),
        )

    def as_agreed(self, link: Link, wanted: ActionSnapshot) -> ActionSnapshot:
        """The same with all masked that the operator names, as somebody agreed. It blocks."""
        texts = (wanted.action.text, wanted.incident.title, *(why.text for why in wanted.case.whys))
        rules = apply_patterns(self._mask, [mask_credentials(text) for text in dict.fromkeys(texts)])

        def mask(text: str) -> str:
            return mask_text(mask_credentials(text), rules)

        item = self.of(wanted.case, wanted.action, link, mask)
        return replace(wanted, item=item, title=title_of(wanted.incident, mask), sent={**wanted.sent, AGREED: True})


def title_of(incident: Incident, mask: Callable[[str], str] = mask_credentials) -> str:
    """What the link back into the channel is called over there."""
    return f"{incident.key} in Slack: {strip_code_marks(to_one_line(mask(incident.title)))}"


Emails = Callable[[str], Awaitable[str]]
"""The e-mail address of a Slack user id; empty where Slack does not tell."""


async def account_of(jira: JiraClient, project: str, emails: Emails, user: str, chosen: str) -> str:
    """The account that was chosen for a Slack user, else the one their e-mail address finds; empty for nobody.

    What was chosen may be an e-mail address itself. A user group has no account. Raises IntegrationError.
    """
    if chosen and "@" not in chosen:
        return chosen
    if not user.startswith(("U", "W")):
        return ""
    found = await jira.assignee_for(project, chosen or await emails(user))
    return found.id if found else ""


class ActionSync:
    """Follows each action; `emails` finds out whom to assign.

    Of a private incident nothing goes there before somebody has agreed, and then masked by the rules in `mask`.
    """

    me = ""
    """Our own account there, once a look has asked."""

    def __init__(
        self,
        jira: JiraClient,
        plan: WorkItemDefaults,
        emails: Emails,
        rules: ReminderRules,
        places: Channels,
        mask: MaskRules,
    ) -> None:
        self._jira = jira
        self._plan = plan
        self._emails = emails
        self._rules = rules
        self._places = places
        self._items = WorkItemBuilder(plan, mask)

    def is_urgent(self, link: Link) -> bool:
        return False

    async def aclose(self) -> None:
        """Let the connections go."""
        await self._jira.aclose()

    def prepare(self, tx: Transaction, link: Link, now: datetime) -> ActionSnapshot | None:
        """The action behind a link; None where it was dropped before Jira heard of it."""
        found = find_action(tx, link)
        if found is None:
            return None
        incident, action = found
        if action.status is ActionStatus.DROPPED and not link.external_id:
            return None
        case, _ = case_store.load_latest(tx, incident, 1)
        return ActionSnapshot(
            action=action,
            incident=incident,
            owner=case.name(action.owner),
            account=links_store.find_account(tx, link.team, SYSTEM, action.owner),
            item=self._items.of(case, action, link),
            title=title_of(incident),
            sent=json.loads(link.memo or "{}"),
            case=case,
            is_agreed=is_agreed(tx, incident.id),
            related=find_related(tx, incident),
        )

    async def _as_it_may_leave(self, link: Link, wanted: ActionSnapshot) -> ActionSnapshot:
        """What a public incident says as it is; of a private one a masked copy, once somebody agreed."""
        if await is_public(self._places, wanted.incident):
            return wanted
        copy = await asyncio.to_thread(self._items.as_agreed, link, wanted)
        if not wanted.is_agreed:
            raise ask_for_consent(wanted.incident, self._plan.project, copy.item.summary)
        return copy

    async def perform(self, link: Link, prepared: ActionSnapshot) -> SyncResult:
        """Make the work item or bring it into step. Only what changed here is sent: people's edits there stay."""
        prepared = await self._as_it_may_leave(link, prepared)
        if not link.external_id:
            return await self._made(link, prepared)
        key, url, sent = link.external_id, link.url, dict(prepared.sent)
        if not sent.get("linked"):
            await self._jira.link(key, prepared.item.label, prepared.incident.channel_link, prepared.title)
            sent["linked"] = True
        await link_related(self._jira, key, prepared.item.label, prepared.incident.key, prepared.related, sent)
        await relate(self._jira, key, prepared.item.label, prepared.related, sent)
        changed = {name: told for name, told in prepared.told.items() if name not in sent or sent[name] != told}
        if changed:
            sent |= await self._change(key, prepared, changed)
        is_done = prepared.action.status is not ActionStatus.OPEN
        has_moved = is_done != sent.get("done", False)
        if has_moved:
            is_dropped = prepared.action.status is ActionStatus.DROPPED
            await (self._jira.finish(key, is_dropped=is_dropped) if is_done else self._jira.reopen(key))
            sent["done"] = is_done
        # What is told of it from before this is late; and one that was gone must be there again.
        issue = await self._jira.standing(key) if changed or has_moved or link.error else None
        if issue is not None:
            _keep_in_mind(sent, issue, changed)
        sent.pop("gone", None)
        return SyncResult(key, url, issue.status if issue and has_moved else link.status, json.dumps(sent))

    async def _made(self, link: Link, wanted: ActionSnapshot) -> SyncResult:
        """The work item, made or found. It is written down before the rest is tried, so that it is made only once."""
        assignee = await self._assignee(wanted)
        item = replace(wanted.item, assignee=assignee)
        try:
            made = await self._jira.create(item, is_repeat=link.is_unsure or link.attempts > 1)
        except IntegrationError as error:
            if not assignee or "assignee" not in error.fields:
                raise
            # Whoever was to have it has left, or may not: better there for nobody than not there at all.
            made, assignee = await self._jira.create(replace(item, assignee=""), is_repeat=False), ""
        sent = _agreed(wanted) | wanted.told | {"done": False, "assigned": bool(assignee) and not made.is_unassigned}
        sent |= _known(wanted.action.owner, assignee if sent["assigned"] else "")
        if made.issue is not None:
            sent |= {"there": remote_fields(made.issue)} | seen_at(made.issue)
        return SyncResult(made.key, made.url, made.issue.status if made.issue else "", json.dumps(sent), is_all=False)

    async def _change(self, key: str, wanted: ActionSnapshot, changed: dict[str, Any]) -> dict[str, Any]:
        assignee = await self._assignee(wanted) if "owner" in changed or "account" in changed else None
        due = wanted.item.due if "due" in changed else None
        says_anew = "summary" in changed or "text" in changed
        changes = IssueChanges(
            summary=wanted.item.summary if says_anew else None,
            description=wanted.item.description if says_anew else None,
            assignee=assignee,
            due=due,
            takes_due_away="due" in changed and due is None,
        )
        try:
            await self._jira.edit(key, changes)
        except IntegrationError as error:
            raise explain(error, replace(wanted.item, assignee=assignee or "")) from None
        if assignee is None:
            return changed
        return changed | {"assigned": bool(assignee)} | _known(wanted.action.owner, assignee)

    async def _assignee(self, wanted: ActionSnapshot) -> str:
        return await account_of(self._jira, self._plan.project, self._emails, wanted.action.owner or "", wanted.account)

    def keep(self, tx: Transaction, link: Link, kept: SyncResult, now: datetime) -> None:
        """Put the work item's address at the action, and say once where it is and whether somebody has it."""
        found = find_action(tx, link)
        if found is None:
            return
        incident, action = found
        was, is_ = json.loads(link.memo or "{}"), json.loads(kept.memo)
        if not link.external_id:
            enqueue_metadata(tx, incident, now)
        if not action.link:
            _save(tx, replace(action, link=kept.url), now)
        if not link.external_id or was.get("owner") != is_.get("owner") or was.get("account") != is_.get("account"):
            said = integration_views.in_jira(
                action, incident, (kept.external_id, kept.url), is_assigned=is_.get("assigned", False)
            )
            deliveries_store.enqueue_message(tx, incident, said, now)

    async def look(self, store: Store, now: datetime) -> list[int]:
        """Read how what is followed stands there: what changed there changes here. Raises IntegrationError."""
        waiting = await store.read(lambda tx: _followed(tx, now))
        if not waiting:
            return []
        self.me = self.me or await self._jira.account()
        issues = await self._jira.status_of(link.external_id for link in waiting)
        gone = [link for link in waiting if link.external_id in issues and issues[link.external_id] is None]
        changed = await store.write(lambda tx: record_many_missing(tx, gone, now)) if len(gone) > 1 else []
        for link in waiting if len(gone) < 2 else [link for link in waiting if link not in gone]:
            if link.external_id in issues and has_changed(link, issue := issues[link.external_id]):
                learnt = partial(apply_issue, rules=self._rules, link=link, issue=issue, now=now, is_read=True)
                changed += [link.incident_id] if await store.write(learnt) else []
        return changed

    def hear(self, tx: Transaction, link: Link, issue: Issue | None, now: datetime) -> bool:
        """Take in what a webhook tells of an issue (None: it is gone); whether anything changed here."""
        return apply_issue(tx, self._rules, link, issue, now, is_read=False)


def _followed(tx: Transaction, now: datetime) -> tuple[Link, ...]:
    """What stands there and is asked about."""
    return tuple(link for link in links_store.list_of_live_actions(tx, SYSTEM, now - FOLLOWED) if not is_missing(link))


def _save(tx: Transaction, action: Action, now: datetime) -> None:
    tx.clear_notes()
    actions_store.save(tx, action)
    audit_store.add_lines(tx, SYSTEM, "jira.linked", "", now)


def _keep_in_mind(sent: dict[str, Any], issue: Issue, changed: Mapping[str, Any]) -> None:
    """What we changed stands there as it was read; what we did not is compared with what stood there before."""
    stands, before = remote_fields(issue), sent.get("there") or remote_fields(issue)
    sent["there"] = {
        "due": stands["due"] if "due" in changed else before["due"],
        "who": stands["who"] if changed.keys() & {"owner", "account"} else before["who"],
    }
    sent |= seen_at(issue)


def _known(owner: str | None, assignee: str) -> dict[str, Any]:
    """What is kept of who somebody was found to be there: a page mentions them."""
    return {ACCOUNTS: {owner: assignee} if owner and assignee else {}}


def _agreed(wanted: ActionSnapshot) -> dict[str, Any]:
    return {AGREED: True} if AGREED in wanted.sent else {}
