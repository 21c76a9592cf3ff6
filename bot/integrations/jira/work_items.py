"""An action as a work item in Jira: its fields, its links to other systems, and the account of its owner.

`bot/integrations/service_management` uses the links and the accounts, too.
"""

import hashlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from jinja2 import Template

from bot.domain import whys as whys_rules
from bot.domain.masking import MaskRules, mask_text
from bot.domain.records import Action, Case, Incident
from bot.domain.secrets import mask_credentials
from bot.domain.text import clean, shorten, strip_code_marks, to_one_line
from bot.export.mask_patterns import apply_patterns
from bot.export.templates import load_shipped_templates
from bot.integrations.http import IntegrationError
from bot.integrations.jira.client import JiraClient
from bot.integrations.jira.types import LONGEST_SUMMARY, WorkItem
from bot.integrations.memos import ActionMemo, IssueMemo, SentFields
from bot.integrations.relations import RelatedLinks, RemoteLink
from storage.links import Link

EmailLookup = Callable[[str], Awaitable[str]]
"""The e-mail address of a Slack user id; empty if Slack hides it. Raises IntegrationError while Slack is down."""

_Memo = TypeVar("_Memo", bound=IssueMemo)


@dataclass(frozen=True, slots=True)
class WorkItemDefaults:
    """Where work items go and what they are, from the settings."""

    project: str
    issue_type: str = "Task"
    labels: tuple[str, ...] = ("postmortem",)
    custom: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ActionSnapshot:
    """An action as Jira should have it, and the memo of what was sent last.

    `account` is the Jira account that a person chose for the owner, or empty. `title` is the text of the link back into
    the channel. A masked copy is made of `case`.
    """

    action: Action
    incident: Incident
    account: str
    item: WorkItem
    title: str
    memo: ActionMemo
    case: Case
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

    def build(self, case: Case, action: Action, link: Link, mask: Callable[[str], str] = mask_credentials) -> WorkItem:
        """The work item of an action. Its label is unique, so that a lost create can be found again."""
        return WorkItem(
            label=f"afterword-{link.team}-{link.id}".lower(),
            project=self._defaults.project,
            issue_type=self._defaults.issue_type,
            summary=shorten(to_one_line(strip_code_marks(mask(action.text))), LONGEST_SUMMARY),
            description=self._describe(case, action, mask),
            due=action.due_on,
            labels=(*self._defaults.labels, case.incident.key.lower()),
            custom=self._defaults.custom,
        )

    def _describe(self, case: Case, action: Action, mask: Callable[[str], str]) -> str:
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

    def mask(self, link: Link, snapshot: ActionSnapshot) -> ActionSnapshot:
        """The masked copy that people agreed to. Runs the operator's patterns, which blocks: call it in a thread."""
        texts = (snapshot.action.text, snapshot.incident.title, *(why.text for why in snapshot.case.whys))
        rules = apply_patterns(self._mask, [mask_credentials(text) for text in dict.fromkeys(texts)])

        def mask(text: str) -> str:
            return mask_text(mask_credentials(text), rules)

        return replace(
            snapshot,
            item=self.build(snapshot.case, snapshot.action, link, mask),
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
    if not user.startswith(("U", "W")):
        return ""
    return await jira.find_assignee(project, chosen or await emails(user))
