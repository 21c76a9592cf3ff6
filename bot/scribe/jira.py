"""Corrective actions as work items in Jira: made once, kept in step, done there is done here."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from bot.incident.masking import MaskRules
from bot.incident.records import Action, ActionStatus
from bot.incident.reminders import ReminderRules
from bot.publish.failures import PublishError
from bot.publish.jira import Jira
from bot.publish.jira_complaints import explained
from bot.publish.jira_records import Changes, Issue
from bot.scribe import links_there
from bot.scribe.followers import Kept
from bot.scribe.jira_agreed import AGREED, is_agreed, is_public, undecided
from bot.scribe.jira_items import Items, Plan, Wanted, title_of
from bot.scribe.jira_there import FOLLOWED, SYSTEM, action_of, is_gone, is_news, learn, lose_many, seen_at, there
from bot.scribe.people_there import ACCOUNTS, Emails, account_of
from bot.scribe.relations import lead_back, related
from bot.slack import connections as says
from bot.slack.places import Places
from storage import accounts, actions, audit, cases, deliveries, link_lists
from storage.links import Link
from storage.statements import Transaction
from storage.store import Store


class ActionsInJira:
    """Follows each action; `emails` finds out whom to assign.

    Of a private incident nothing goes there before somebody has agreed, and then masked by the rules in `mask`.
    """

    me = ""
    """Our own account there, once a look has asked."""

    def __init__(
        self, jira: Jira, plan: Plan, emails: Emails, rules: ReminderRules, places: Places, mask: MaskRules
    ) -> None:
        self._jira = jira
        self._plan = plan
        self._emails = emails
        self._rules = rules
        self._places = places
        self._items = Items(plan, mask)

    def is_urgent(self, link: Link) -> bool:
        return False

    async def aclose(self) -> None:
        """Let the connections go."""
        await self._jira.aclose()

    def prepare(self, tx: Transaction, link: Link, now: datetime) -> Wanted | None:
        """The action behind a link; None where it was dropped before Jira heard of it."""
        found = action_of(tx, link)
        if found is None:
            return None
        incident, action = found
        if action.status is ActionStatus.DROPPED and not link.external_id:
            return None
        case, _ = cases.glance(tx, incident, 1)
        return Wanted(
            action=action,
            incident=incident,
            owner=case.name(action.owner),
            account=accounts.of(tx, link.team, SYSTEM, action.owner),
            item=self._items.of(case, action, link),
            title=title_of(incident),
            sent=json.loads(link.memo or "{}"),
            case=case,
            is_agreed=is_agreed(tx, incident.id),
            related=related(tx, incident),
        )

    async def _as_it_may_leave(self, link: Link, wanted: Wanted) -> Wanted:
        """What a public incident says as it is; of a private one a masked copy, once somebody agreed."""
        if await is_public(self._places, wanted.incident):
            return wanted
        copy = await asyncio.to_thread(self._items.as_agreed, link, wanted)
        if not wanted.is_agreed:
            raise undecided(wanted.incident, self._plan.project, copy.item.summary)
        return copy

    async def perform(self, link: Link, prepared: Wanted) -> Kept:
        """Make the work item or bring it into step. Only what changed here is sent: people's edits there stay."""
        prepared = await self._as_it_may_leave(link, prepared)
        if not link.external_id:
            return await self._made(link, prepared)
        key, url, sent = link.external_id, link.url, dict(prepared.sent)
        if not sent.get("linked"):
            await self._jira.link(key, prepared.item.label, prepared.incident.channel_link, prepared.title)
            sent["linked"] = True
        await links_there.link(self._jira, key, prepared.item.label, prepared.incident.key, prepared.related, sent)
        await links_there.relate(self._jira, key, prepared.item.label, prepared.related, sent)
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
        return Kept(key, url, issue.status if issue and has_moved else link.status, json.dumps(sent))

    async def _made(self, link: Link, wanted: Wanted) -> Kept:
        """The work item, made or found. It is written down before the rest is tried, so that it is made only once."""
        assignee = await self._assignee(wanted)
        item = replace(wanted.item, assignee=assignee)
        try:
            made = await self._jira.create(item, is_repeat=link.is_unsure or link.attempts > 1)
        except PublishError as error:
            if not assignee or "assignee" not in error.fields:
                raise
            # Whoever was to have it has left, or may not: better there for nobody than not there at all.
            made, assignee = await self._jira.create(replace(item, assignee=""), is_repeat=False), ""
        sent = _agreed(wanted) | wanted.told | {"done": False, "assigned": bool(assignee) and not made.is_unassigned}
        sent |= _known(wanted.action.owner, assignee if sent["assigned"] else "")
        if made.issue is not None:
            sent |= {"there": there(made.issue)} | seen_at(made.issue)
        return Kept(made.key, made.url, made.issue.status if made.issue else "", json.dumps(sent), is_all=False)

    async def _change(self, key: str, wanted: Wanted, changed: dict[str, Any]) -> dict[str, Any]:
        assignee = await self._assignee(wanted) if "owner" in changed or "account" in changed else None
        due = wanted.item.due if "due" in changed else None
        says_anew = "summary" in changed or "text" in changed
        changes = Changes(
            summary=wanted.item.summary if says_anew else None,
            description=wanted.item.description if says_anew else None,
            assignee=assignee,
            due=due,
            takes_due_away="due" in changed and due is None,
        )
        try:
            await self._jira.edit(key, changes)
        except PublishError as error:
            raise explained(error, replace(wanted.item, assignee=assignee or "")) from None
        if assignee is None:
            return changed
        return changed | {"assigned": bool(assignee)} | _known(wanted.action.owner, assignee)

    async def _assignee(self, wanted: Wanted) -> str:
        return await account_of(self._jira, self._plan.project, self._emails, wanted.action.owner or "", wanted.account)

    def keep(self, tx: Transaction, link: Link, kept: Kept, now: datetime) -> None:
        """Put the work item's address at the action, and say once where it is and whether somebody has it."""
        found = action_of(tx, link)
        if found is None:
            return
        incident, action = found
        was, is_ = json.loads(link.memo or "{}"), json.loads(kept.memo)
        if not link.external_id:
            lead_back(tx, incident, now)
        if not action.link:
            _save(tx, replace(action, link=kept.url), now)
        if not link.external_id or was.get("owner") != is_.get("owner") or was.get("account") != is_.get("account"):
            said = says.in_jira(action, incident, (kept.external_id, kept.url), is_assigned=is_.get("assigned", False))
            deliveries.tell(tx, incident, said, now)

    async def look(self, store: Store, now: datetime) -> list[int]:
        """Read how what is followed stands there: what changed there changes here. Raises PublishError."""
        waiting = await store.read(lambda tx: _followed(tx, now))
        if not waiting:
            return []
        self.me = self.me or await self._jira.account()
        issues = await self._jira.status_of(link.external_id for link in waiting)
        gone = [link for link in waiting if link.external_id in issues and issues[link.external_id] is None]
        changed = await store.write(lambda tx: lose_many(tx, gone, now)) if len(gone) > 1 else []
        for link in waiting if len(gone) < 2 else [link for link in waiting if link not in gone]:
            if link.external_id in issues and is_news(link, issue := issues[link.external_id]):
                learnt = partial(learn, rules=self._rules, link=link, issue=issue, now=now, is_read=True)
                changed += [link.incident_id] if await store.write(learnt) else []
        return changed

    def hear(self, tx: Transaction, link: Link, issue: Issue | None, now: datetime) -> bool:
        """Take in what a webhook tells of an issue (None: it is gone); whether anything changed here."""
        return learn(tx, self._rules, link, issue, now, is_read=False)


def _followed(tx: Transaction, now: datetime) -> tuple[Link, ...]:
    """What stands there and is asked about."""
    return tuple(link for link in link_lists.of_live_actions(tx, SYSTEM, now - FOLLOWED) if not is_gone(link))


def _save(tx: Transaction, action: Action, now: datetime) -> None:
    tx.clear_notes()
    actions.save(tx, action)
    audit.keep(tx, SYSTEM, "jira.linked", "", now)


def _keep_in_mind(sent: dict[str, Any], issue: Issue, changed: Mapping[str, Any]) -> None:
    """What we changed stands there as it was read; what we did not is compared with what stood there before."""
    stands, before = there(issue), sent.get("there") or there(issue)
    sent["there"] = {
        "due": stands["due"] if "due" in changed else before["due"],
        "who": stands["who"] if changed.keys() & {"owner", "account"} else before["who"],
    }
    sent |= seen_at(issue)


def _known(owner: str | None, assignee: str) -> dict[str, Any]:
    """What is kept of who somebody was found to be there: a page mentions them."""
    return {ACCOUNTS: {owner: assignee} if owner and assignee else {}}


def _agreed(wanted: Wanted) -> dict[str, Any]:
    return {AGREED: True} if AGREED in wanted.sent else {}
