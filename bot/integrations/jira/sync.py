"""Keeps each action in sync with a work item in Jira. What changes in Jira: `remote_changes`."""

import asyncio
from dataclasses import replace
from datetime import datetime
from functools import partial

from bot.domain.masking import MaskRules
from bot.domain.records import Action, ActionStatus
from bot.domain.reminders import ReminderRules
from bot.integrations.http import IntegrationError
from bot.integrations.jira import views as jira_views
from bot.integrations.jira.client import JiraClient
from bot.integrations.jira.remote_changes import (
    REOPENED_WITHIN,
    apply_issue,
    find_action,
    has_changed,
    is_missing,
    read_remote_fields,
    record_many_missing,
)
from bot.integrations.jira.service import ask_for_consent, is_agreed
from bot.integrations.jira.types import Issue, IssueChanges, explain
from bot.integrations.jira.work_items import (
    ActionSnapshot,
    EmailLookup,
    WorkItemBuilder,
    WorkItemDefaults,
    channel_link_title,
    find_account,
    link_related,
    link_service_incident,
)
from bot.integrations.memos import ActionMemo, RemoteFields
from bot.integrations.relations import enqueue_metadata, find_related
from bot.integrations.sync import SyncResult, is_public
from bot.integrations.systems import System
from bot.slack.channels import Channels
from storage import actions as actions_store
from storage import audit as audit_store
from storage import case as case_store
from storage import deliveries as deliveries_store
from storage import links as links_store
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.links import Link

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
        case, _ = case_store.load_latest(tx, incident, 1)
        return ActionSnapshot(
            action=action,
            incident=incident,
            account=links_store.find_account(tx, link.team, System.JIRA, action.owner),
            item=self._items.build(case, action, link),
            title=channel_link_title(incident),
            memo=ActionMemo.from_json(link.memo),
            case=case,
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
        if not memo.has_channel_link:
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
            created, assignee = await self._jira.create(replace(item, assignee=""), is_repeat=False), ""
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
        """Save the work item's address with the action; tell the channel when it is new or its owner changed."""
        found = find_action(tx, link)
        if found is None:
            return
        incident, action = found
        before, after = ActionMemo.from_json(link.memo), ActionMemo.from_json(result.memo)
        if not link.external_id:
            enqueue_metadata(tx, incident, now)
        if not action.link:
            _save(tx, replace(action, link=result.url), now)
        if not link.external_id or _owner_in(before) != _owner_in(after):
            issue = (result.external_id, result.url)
            message = jira_views.work_item_message(action, incident, issue, is_assigned=after.is_assigned)
            deliveries_store.enqueue_message(tx, incident, message, now)

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


def _owner_in(memo: ActionMemo) -> tuple[str | None, str | None]:
    return (memo.sent.owner, memo.sent.account) if memo.sent else (None, None)
