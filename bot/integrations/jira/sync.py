"""Keeps each action in sync with a work item in Jira. What changes in Jira: `remote_changes`.

`bot/integrations/service_management` uses the links to other systems and the accounts, too.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from jinja2 import Template

from bot.domain.masking import MaskRules, mask_text
from bot.domain.records import Action, ActionStatus, Incident, System, Why
from bot.domain.reminders import ReminderRules
from bot.domain.secrets import mask_credentials
from bot.domain.text import clean, shorten, strip_code_marks, to_one_line
from bot.export.mask_patterns import apply_patterns
from bot.export.templates import load_shipped_templates
from bot.integrations.http import IntegrationError
from bot.integrations.jira import views as jira_views
from bot.integrations.jira.client import LONGEST_SUMMARY, Issue, IssueChanges, JiraClient, WorkItem, explain
from bot.integrations.jira.remote_changes import (
    REOPENED_WITHIN,
    apply_issue,
    find_action,
    has_changed,
    is_missing,
    read_remote_fields,
    record_many_missing,
)
from bot.integrations.links import (
    ActionMemo,
    IssueMemo,
    RelatedLinks,
    RemoteFields,
    RemoteLink,
    SentFields,
    enqueue_metadata,
    find_related,
    label_of,
)
from bot.integrations.sync import DecisionNeeded, SyncResult, is_public
from bot.services.notifications import outdated_buttons as outdated_buttons_service
from bot.services.notifications import reminders as reminders_service
from bot.slack.channels import Channels
from storage import actions as actions_store
from storage import audit as audit_store
from storage import deliveries as deliveries_store
from storage import links as links_store
from storage import people as people_store
from storage import whys as whys_store
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.links import Link

EmailLookup = Callable[[str], Awaitable[str]]
"""The e-mail address of a Slack user id; empty if Slack hides it. Raises IntegrationError while Slack is down."""

_Memo = TypeVar("_Memo", bound=IssueMemo)


@dataclass(frozen=True, slots=True)
class WorkItemDefaults:
    """The project, type, labels and other fields of new work items, from the settings."""

    project: str
    issue_type: str = "Task"
    labels: tuple[str, ...] = ("postmortem",)
    custom: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ActionSource:
    """What a work item is made from. `whys` are the incident's active ones, `owner` is the owner's name."""

    action: Action
    incident: Incident
    whys: tuple[Why, ...]
    owner: str


@dataclass(frozen=True, slots=True)
class ActionSnapshot:
    """An action as Jira should have it, and the memo of what was sent last.

    `account` is the Jira account that a person chose for the owner, or empty. `title` is the text of the link back into
    the channel. A masked copy is made of `source`.
    """

    action: Action
    incident: Incident
    account: str
    item: WorkItem
    title: str
    memo: ActionMemo
    source: ActionSource
    is_agreed: bool
    related: RelatedLinks = field(default_factory=RelatedLinks)

    @property
    def sent_fields(self) -> SentFields:
        """What to remember as sent. Of the text, which may be long, only a digest."""
        due = self.item.due
        return SentFields(
            summary=self.item.summary,
            text=hashlib.sha256(self.action.text.encode()).hexdigest()[:16],
            due=due.isoformat() if due else None,
            owner=self.action.owner,
            account=self.account,
        )


class WorkItemBuilder:
    """Builds work items from actions. Those of a private incident are masked by the rules in `mask`."""

    def __init__(self, defaults: WorkItemDefaults, mask: MaskRules) -> None:
        self._defaults = defaults
        self._mask = mask
        self._description: Template = load_shipped_templates().get_template("publish/work_item.md.j2")

    def build(self, source: ActionSource, link: Link, mask: Callable[[str], str] = mask_credentials) -> WorkItem:
        """The work item of an action."""
        action = source.action
        return WorkItem(
            label=label_of(link),
            project=self._defaults.project,
            issue_type=self._defaults.issue_type,
            # Jira shows a summary as it is, without any markup.
            summary=shorten(to_one_line(strip_code_marks(mask(action.text))), LONGEST_SUMMARY),
            description=self._describe(source, mask),
            due=action.due_on,
            labels=(*self._defaults.labels, source.incident.key.lower()),
            custom=self._defaults.custom,
        )

    def _describe(self, source: ActionSource, mask: Callable[[str], str]) -> str:
        action, incident = source.action, source.incident
        return self._description.render(
            text=clean(mask(action.text)),
            key=incident.key,
            title=to_one_line(mask(incident.title)),
            severity=incident.severity_name,
            resolved_at=incident.resolved_at,
            whys=[replace(why, text=mask(why.text)) for why in source.whys if action.number in why.actions],
            owner=to_one_line(source.owner),
        )

    def mask(self, link: Link, snapshot: ActionSnapshot) -> ActionSnapshot:
        """The masked copy that people agreed to. Runs the operator's patterns, which blocks: call it in a thread."""
        texts = (snapshot.action.text, snapshot.incident.title, *(why.text for why in snapshot.source.whys))
        rules = apply_patterns(self._mask, [mask_credentials(text) for text in dict.fromkeys(texts)])

        def mask(text: str) -> str:
            return mask_text(mask_credentials(text), rules)

        return replace(
            snapshot,
            item=self.build(snapshot.source, link, mask),
            title=channel_link_title(snapshot.incident, mask),
            memo=replace(snapshot.memo, is_agreed=True),
        )


def channel_link_title(incident: Incident, mask: Callable[[str], str] = mask_credentials) -> str:
    """The text of the link back into the channel."""
    return f"{incident.key} in Slack: {strip_code_marks(to_one_line(mask(incident.title)))}"


async def link_related(
    jira: JiraClient, key: str, label: str, incident: str, related: RelatedLinks, memo: _Memo
) -> _Memo:
    """Link an issue to the incident's Confluence page and Statuspage incident; the memo that remembers the links.

    A web link's id is made of the issue's `label`, so a new address replaces the old one in Jira.
    """
    links = dict(memo.web_links)
    for id_, title, place in _web_links(label, incident, related):
        if links.get(id_) != place.url:
            await jira.link(key, id_, place.url, title)
            links[id_] = place.url
    return replace(memo, web_links=links)


async def link_service_incident(
    jira: JiraClient, key: str, label: str, related: RelatedLinks, memo: ActionMemo
) -> ActionMemo:
    """Link a work item with the service project's issue, by a web link if Jira refuses links between issues."""
    issue = related.issue
    if issue is None or memo.service_issue:
        return memo
    try:
        await jira.relate(key, issue.name)
    except IntegrationError as error:
        if not error.is_permanent or error.status == 401:  # a refused token is no refusal of the link
            raise
        await jira.link(key, f"{label}-incident", issue.url, f"{issue.name} in Jira Service Management")
    return replace(memo, service_issue=issue.name)


def _web_links(label: str, incident: str, related: RelatedLinks) -> Iterator[tuple[str, str, RemoteLink]]:
    if related.page:
        yield f"{label}-page", f"The postmortem of {incident}", related.page
    if related.customers:
        yield f"{label}-customers", f"What customers read of {incident}", related.customers


async def find_account(jira: JiraClient, project: str, emails: EmailLookup, user: str, chosen: str) -> str:
    """The Jira account of a Slack user; empty if none is found. Raises IntegrationError.

    `chosen` is what a person chose for the user, an account id or an e-mail address, and wins over the user's own
    address. A user group has no account.
    """
    if chosen and "@" not in chosen:
        return chosen
    # Slack's ids of people begin with U, and with W in an Enterprise Grid; a user group's begins with S.
    if not user.startswith(("U", "W")):
        return ""
    return await jira.find_assignee(project, chosen or await emails(user))


def is_agreed(tx: Transaction, incident_id: int) -> bool:
    """Whether people agreed that an incident's actions go to Jira."""
    return any(ActionMemo.from_json(link.memo).is_agreed for link in list_work_item_links(tx, incident_id))


def ask_for_consent(incident: Incident, project: str, summary: str) -> DecisionNeeded:
    """The error that asks whether a private incident's actions may go to `project`; `summary` is one as it would be."""
    return DecisionNeeded(
        System.JIRA.display_name,
        f"{incident.key} is private. Press [Send actions to Jira] in its channel first.",
        jira_views.consent_question(incident, project, summary),
    )


def list_work_item_links(tx: Transaction, incident_id: int) -> list[Link]:
    """The links of an incident's actions to Jira."""
    return [link for link in links_store.list_by_incident(tx, incident_id) if link.system == System.JIRA]


def _name_owner(tx: Transaction, incident: Incident, action: Action) -> str:
    person = people_store.find(tx, incident.team, action.owner) if action.owner else None
    return person.name if person else action.owner or ""


_OWNER = frozenset({"owner", "account"})
_TEXT = frozenset({"summary", "text"})


class ActionSync:
    """The sync handler of actions. A private incident's wait for consent, and are masked by the rules in `mask`."""

    own_account = ""
    """Our own account in Jira; empty until the first poll."""

    def __init__(
        self,
        jira: JiraClient,
        defaults: WorkItemDefaults,
        emails: EmailLookup,
        rules: ReminderRules,
        channels: Channels,
        mask: MaskRules,
    ) -> None:
        self._jira = jira
        self._defaults = defaults
        self._emails = emails
        self._rules = rules
        self._channels = channels
        self._items = WorkItemBuilder(defaults, mask)

    def is_urgent(self, link: Link) -> bool:
        return False

    async def aclose(self) -> None:
        await self._jira.aclose()

    def prepare(self, tx: Transaction, link: Link, now: datetime) -> ActionSnapshot | None:
        """The action behind a link; None if it was dropped before it reached Jira."""
        found = find_action(tx, link)
        if found is None:
            return None
        incident, action = found
        if action.status is ActionStatus.DROPPED and not link.external_id:
            return None
        source = ActionSource(
            action, incident, whys_store.list_chain(tx, incident.id), _name_owner(tx, incident, action)
        )
        return ActionSnapshot(
            action=action,
            incident=incident,
            account=links_store.find_account(tx, link.team, System.JIRA, action.owner),
            item=self._items.build(source, link),
            title=channel_link_title(incident),
            memo=ActionMemo.from_json(link.memo),
            source=source,
            is_agreed=is_agreed(tx, incident.id),
            related=find_related(tx, incident),
        )

    async def _mask_if_private(self, link: Link, snapshot: ActionSnapshot) -> ActionSnapshot:
        """A public incident's action as it is; a private one's as a masked copy, or DecisionNeeded without consent."""
        if await is_public(self._channels, snapshot.incident, System.JIRA.display_name):
            return snapshot
        copy = await asyncio.to_thread(self._items.mask, link, snapshot)
        if not snapshot.is_agreed:
            raise ask_for_consent(snapshot.incident, self._defaults.project, copy.item.summary)
        return copy

    async def perform(self, link: Link, prepared: ActionSnapshot) -> SyncResult:
        """Create or update the work item. Only fields that changed here are sent, so people's edits in Jira stay."""
        prepared = await self._mask_if_private(link, prepared)
        if not link.external_id:
            return await self._create(link, prepared)
        # The memo is stored at the end. If a call fails, the next attempt repeats those before it, which does no harm.
        key, memo = link.external_id, await self._set_links(link.external_id, prepared)
        changed = prepared.sent_fields.changed_since(memo.sent)
        if changed:
            memo = await self._edit(key, prepared, changed, memo)
        is_done = prepared.action.status is not ActionStatus.OPEN
        has_moved = is_done != memo.is_done
        if has_moved:
            is_dropped = prepared.action.status is ActionStatus.DROPPED
            await (self._jira.finish(key, is_dropped=is_dropped) if is_done else self._jira.reopen(key))
            memo = replace(memo, is_done=is_done)
        # Read the issue again: a webhook from before our change is then known to be late, and an issue that was missing
        # must be back before the error is cleared.
        issue = await self._jira.require_issue(key) if changed or has_moved or link.error else None
        if issue is not None:
            memo = _remember_state(memo, issue, changed)
        status = issue.status if issue and has_moved else link.status
        return SyncResult(key, link.url, status, replace(memo, is_missing=False).to_json())

    async def _set_links(self, key: str, snapshot: ActionSnapshot) -> ActionMemo:
        memo, label = snapshot.memo, snapshot.item.label
        # Its title is the incident's, as the description's first line is: what changes that text may change this one.
        if not memo.has_channel_link or snapshot.sent_fields.changed_since(memo.sent) & _TEXT:
            await self._jira.link(key, label, snapshot.incident.channel_link, snapshot.title)
            memo = replace(memo, has_channel_link=True)
        memo = await link_related(self._jira, key, label, snapshot.incident.key, snapshot.related, memo)
        return await link_service_incident(self._jira, key, label, snapshot.related, memo)

    async def _create(self, link: Link, snapshot: ActionSnapshot) -> SyncResult:
        """Create the work item. It is recorded before anything else is tried: it is created only once (decision 21)."""
        assignee = await self._find_assignee(snapshot)
        item = replace(snapshot.item, assignee=assignee)
        try:
            created = await self._jira.create(item, is_repeat=link.is_unsure or link.attempts > 1)
        except IntegrationError as error:
            if not assignee or "assignee" not in error.fields:
                raise
            # The owner has left, or may not be assigned: an unassigned work item is better than none.
            # No look-up: Jira has refused the first, so nothing was made.
            created, assignee = await self._jira.create(replace(item, assignee=""), is_repeat=False), ""
        # Jira may take the call and leave the assignee out, so what was read back counts.
        is_assigned = bool(assignee) and not created.is_unassigned
        memo = ActionMemo(
            is_agreed=snapshot.memo.is_agreed,
            sent=snapshot.sent_fields,
            is_assigned=is_assigned,
            accounts=_account_of(snapshot, assignee if is_assigned else ""),
            remote=read_remote_fields(created.issue) if created.issue else None,
            seen_at=created.issue.updated if created.issue else None,
        )
        status = created.issue.status if created.issue else ""
        return SyncResult(created.key, created.url, status, memo.to_json(), is_all=False)

    async def _edit(self, key: str, snapshot: ActionSnapshot, changed: frozenset[str], memo: ActionMemo) -> ActionMemo:
        assignee = await self._find_assignee(snapshot) if changed & _OWNER else None
        due = snapshot.item.due if "due" in changed else None
        changes = IssueChanges(
            summary=snapshot.item.summary if changed & _TEXT else None,
            description=snapshot.item.description if changed & _TEXT else None,
            assignee=assignee,
            due=due,
            takes_due_away="due" in changed and due is None,
        )
        try:
            await self._jira.edit(key, changes)
        except IntegrationError as error:
            raise explain(error, replace(snapshot.item, assignee=assignee or "")) from None
        memo = replace(memo, sent=snapshot.sent_fields)
        if assignee is None:
            return memo
        return replace(memo, is_assigned=bool(assignee), accounts=_account_of(snapshot, assignee))

    async def _find_assignee(self, snapshot: ActionSnapshot) -> str:
        owner = snapshot.action.owner or ""
        return await find_account(self._jira, self._defaults.project, self._emails, owner, snapshot.account)

    def record_success(self, tx: Transaction, link: Link, result: SyncResult, now: datetime) -> None:
        """Save the work item's address with the action; tell its owner when it is new or its owner changed."""
        found = find_action(tx, link)
        if found is None:
            return
        incident, action = found
        before, after = ActionMemo.from_json(link.memo), ActionMemo.from_json(result.memo)
        if not link.external_id:
            enqueue_metadata(tx, incident, now)
        # A link that a person gave the action stays.
        if not action.link:
            _save(tx, replace(action, link=result.url), now)
        if after.is_assigned:
            outdated_buttons_service.drop_answered(
                tx, incident.id, ["connections_account"], now, user=action.owner, action=action.id
            )
        if not link.external_id or _owner_in(before) != _owner_in(after):
            issue = (result.external_id, result.url)
            message = jira_views.work_item_message(action, incident, issue, is_assigned=after.is_assigned)
            if _is_unmatched(action, is_assigned=after.is_assigned):  # the message asks, and anyone there may answer
                deliveries_store.enqueue_message(tx, incident, message, now)
            else:
                reminders_service.enqueue_for_owner(tx, incident, action, message, now)

    async def poll(self, store: Store, now: datetime) -> list[int]:
        """Poll the issues of live actions and apply what changed in Jira. Raises IntegrationError."""
        waiting = await store.read(lambda tx: _list_polled(tx, now))
        if not waiting:
            return []
        self.own_account = self.own_account or await self._jira.account()  # webhooks about our own changes are ignored
        issues = await self._jira.status_of(link.external_id for link in waiting)
        missing = [link for link in waiting if link.external_id in issues and issues[link.external_id] is None]
        changed: list[int] = []
        if len(missing) > 1:
            changed = await store.write(lambda tx: record_many_missing(tx, missing, now))
            waiting = tuple(link for link in waiting if link not in missing)
        for link in waiting:
            if link.external_id in issues and has_changed(link, issue := issues[link.external_id]):
                apply = partial(apply_issue, rules=self._rules, link=link, issue=issue, now=now, is_read=True)
                changed += [link.incident_id] if await store.write(apply) else []
        return changed

    def receive(self, tx: Transaction, link: Link, issue: Issue | None, now: datetime) -> bool:
        """Apply what a webhook says of an issue (None: it was deleted); whether the record changed."""
        return apply_issue(tx, self._rules, link, issue, now, is_read=False)


def _list_polled(tx: Transaction, now: datetime) -> tuple[Link, ...]:
    # Older ones are left alone, so that the number of calls does not grow with the years.
    live = links_store.list_of_live_actions(tx, System.JIRA, now - REOPENED_WITHIN)
    return tuple(link for link in live if not is_missing(link))


def _save(tx: Transaction, action: Action, now: datetime) -> None:
    tx.clear_notes()  # a link that the sync adds is no change that other systems must get
    actions_store.save(tx, action)
    audit_store.add_lines(tx, System.JIRA, "jira.linked", "", now)


def _remember_state(memo: ActionMemo, issue: Issue, changed: frozenset[str]) -> ActionMemo:
    """Remember the fields that we changed as they are now, the others as before: a poll then shows people's edits."""
    current = read_remote_fields(issue)
    before = memo.remote or current
    remote = RemoteFields(
        due=current.due if "due" in changed else before.due,
        who=current.who if changed & _OWNER else before.who,
    )
    return replace(memo, remote=remote, seen_at=issue.updated or memo.seen_at)


def _account_of(snapshot: ActionSnapshot, assignee: str) -> dict[str, str]:
    """The owner's account, which Confluence pages mention."""
    owner = snapshot.action.owner
    return {owner: assignee} if owner and assignee else {}


def _is_unmatched(action: Action, *, is_assigned: bool) -> bool:
    """Whether a person owns the action and Jira does not know them."""
    return bool(action.owner) and not is_assigned and not (action.owner or "").startswith("S")


def _owner_in(memo: ActionMemo) -> tuple[str | None, str | None]:
    return (memo.sent.owner, memo.sent.account) if memo.sent else (None, None)
