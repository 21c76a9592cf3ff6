"""What happened to an action's work item in Jira, and what follows of it here: read by polling, told by webhooks.

A look at Jira says how an issue stands now. A telling may come late, so it counts only where it is newer than all
that was seen. Neither counts while a call of ours is under way, and a look not where the link changed since.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bot.incident.due import overdue_at
from bot.incident.records import Action, ActionStatus, Incident
from bot.incident.reminders import ReminderRules
from bot.publish.jira_records import Category, Issue
from bot.scribe import actions as verbs
from bot.scribe import failing
from bot.scribe.relations import lead_back
from bot.slack import connections as says
from bot.slack.blocks import Message
from bot.slack.people import zone_of
from storage import actions, audit, deliveries, incidents, links, people
from storage.links import CALLING, KEPT, LET_GO, REFUSED, Link, Thing
from storage.statements import Transaction

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


def action_of(tx: Transaction, link: Link) -> tuple[Incident, Action] | None:
    """The incident and the action that a link is about."""
    incident = incidents.by_id(tx, link.incident_id)
    number = int(link.subject.rpartition(ACTION)[2])
    found = [action for action in actions.of_incident(tx, link.incident_id) if action.number == number]
    return (incident, found[0]) if incident and found else None


def is_gone(link: Link) -> bool:
    """Whether its issue was found to be gone, so that it is asked about no more until somebody tries again."""
    return "gone" in json.loads(link.memo or "{}")


def there(issue: Issue) -> dict[str, Any]:
    """What is kept of how an issue stood, to see later what somebody changed there."""
    return {"due": issue.due.isoformat() if issue.due else None, "who": issue.assignee}


def seen_at(issue: Issue) -> dict[str, str]:
    """What is kept of when it stood so, by Jira's clock."""
    return {"seen": issue.updated.isoformat()} if issue.updated else {}


def is_news(link: Link, issue: Issue | None) -> bool:
    """Whether a look at an issue says anything that was not known."""
    memo = json.loads(link.memo or "{}")
    if issue is None:
        return "gone" not in memo
    is_same = (issue.status, issue.key) == (link.status, link.external_id) and there(issue) == memo.get("there")
    return not is_same or (issue.category is Category.DONE) != memo.get("done", False)


def standing_still(tx: Transaction, link: Link, *, is_read: bool) -> Link | None:
    """The link, locked, where what was learnt of it may count; None while a call is under way, or it was let go."""
    current = links.locked(tx, link)
    if current is None or current.state in (CALLING, LET_GO):
        return None
    has_moved = (current.wanted, current.state, current.memo) != (link.wanted, link.state, link.memo)
    return None if is_read and has_moved else current


def is_late(memo: Mapping[str, Any], issue: Issue, *, is_read: bool) -> bool:
    """Whether something newer was seen already; a telling that cannot be compared is left to the next look."""
    seen = datetime.fromisoformat(memo["seen"]) if memo.get("seen") else None
    if issue.updated is None or seen is None:
        return not is_read
    return issue.updated < seen or (issue.updated == seen and not is_read)


def lose_many(tx: Transaction, gone: list[Link], now: datetime) -> list[int]:
    """Several issues are gone at once: told once in each channel, for that is rather a permission. Their incidents."""
    lost = []
    for link in gone:
        current, found = standing_still(tx, link, is_read=True), action_of(tx, link)
        is_wanted = found is not None and found[1].status is ActionStatus.OPEN
        if current is not None and lose(tx, current, is_wanted=is_wanted, now=now, sentence=HIDDEN):
            lost.append(link.incident_id)
    return lost


def lose(tx: Transaction, link: Link, *, is_wanted: bool, now: datetime, sentence: str = "") -> bool:
    """The issue behind a link, which was locked, is gone: told once where somebody still counts on it."""
    links.remember(tx, link, json.dumps(json.loads(link.memo or "{}") | {"gone": True}))
    if link.state == REFUSED:  # which was told
        return False
    if not is_wanted:
        links.release(tx, link)
        return False
    sentence = sentence or (
        f"{link.external_id} was deleted in Jira, or this account may not see it any more. Restore it or give the "
        "account the permission, and try again. Here everything stays as it is."
    )
    failing.tell(tx, link, sentence, now)
    links.refuse(tx, link, sentence)
    return True


def learn(
    tx: Transaction, rules: ReminderRules, link: Link, issue: Issue | None, now: datetime, *, is_read: bool
) -> bool:
    """Take in how an issue stands (None: it is gone); whether its action changed. `is_read`: it was a look."""
    current, found = standing_still(tx, link, is_read=is_read), action_of(tx, link)
    if current is None or found is None:
        return False
    incident, action = found
    if issue is None:
        return lose(tx, current, is_wanted=action.status is ActionStatus.OPEN, now=now)
    memo = json.loads(current.memo or "{}")
    if is_late(memo, issue, is_read=is_read):
        return False
    taken = _Taken(tx, rules, current, incident, action, issue, memo, now)
    return taken.all()


@dataclass(slots=True)
class _Taken:
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
        self.memo |= {"there": there(issue)} | seen_at(issue)
        links.remark(tx, link, issue.status, self.now)
        links.remember(tx, link, json.dumps(self.memo))
        if issue.key != link.external_id:  # it was moved to another project
            thing = Thing(link.team, link.system, link.subject, link.incident_id)
            links.stand(tx, thing, issue.key, issue.url, self.now)
            lead_back(tx, self.incident, self.now)
        return bool(tx.changed)

    def _status(self) -> None:
        is_done, was_done = self.issue.category is Category.DONE, self.memo.get("done", False)
        if is_done and self.action.status is ActionStatus.OPEN and not was_done:
            verbs.close_elsewhere(self.tx, self.rules, self.incident, self.action, self.now)
            self._say("jira.done", says.done_in_jira(self.action, self.incident, self._at))
            self.memo["done"] = True
            self.action = replace(self.action, status=ActionStatus.DONE)
        elif self.issue.category in _UNDERWAY and self.action.status is ActionStatus.DONE and was_done:
            self.action = verbs.reopen_elsewhere(self.tx, self.incident, self.action, self.now)
            self._say("jira.reopened", says.reopened_in_jira(self.action, self.incident, self._at))
            self.memo["done"] = False

    def _due(self) -> None:
        """A date that was changed there holds here, too, unless it was changed here since."""
        due, before = self.issue.due, self.memo.get("there")
        mine = self.action.due_on.isoformat() if self.action.due_on else None
        if before is None or before["due"] == there(self.issue)["due"] or self.memo.get("due") != mine:
            return
        self.memo["due"] = there(self.issue)["due"]
        if due == self.action.due_on:
            return
        keeper = people.one(self.tx, self.incident.team, self.action.owner) if self.action.owner else None
        at = overdue_at(due, zone_of(keeper)) if due else None
        self.action = replace(self.action, due_on=due, overdue_at=at)
        verbs.move_elsewhere(self.tx, self.incident, self.action, self.now)
        self._say("jira.moved", says.moved_in_jira(self.action, self.incident, self._at))

    def _who(self) -> None:
        """Whoever has it there now: people are told, for an account there is nobody of Slack's for certain."""
        before = self.memo.get("there")
        if before is not None and before["who"] != self.issue.assignee and self.link.state == KEPT:
            said = says.assigned_in_jira(self.action, self.incident, self._at, self.issue.assignee_name)
            deliveries.tell(self.tx, self.incident, said, self.now)

    @property
    def _at(self) -> tuple[str, str]:
        return (self.issue.key, self.issue.url)

    def _say(self, verb: str, said: Message) -> None:
        audit.keep(self.tx, SYSTEM, verb, "", self.now)
        deliveries.tell(self.tx, self.incident, said, self.now)
