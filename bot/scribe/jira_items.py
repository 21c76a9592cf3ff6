"""An action as a work item for Jira: as the record has it, and as it may leave a private channel."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from jinja2 import Template

from bot.export.environment import template_set
from bot.export.own_rules import looked
from bot.incident import whys as chains
from bot.incident.code import bare
from bot.incident.masking import MaskRules, without
from bot.incident.plain import one_line, plain
from bot.incident.records import Action, Case, Incident
from bot.incident.secrets import masked
from bot.incident.text import shortened
from bot.publish.jira_records import LONGEST_SUMMARY, WorkItem
from bot.scribe.jira_agreed import AGREED
from bot.scribe.relations import Related
from storage.links import Link


@dataclass(frozen=True, slots=True)
class Plan:
    """Where work items go and what they are: as the operator settled it."""

    project: str
    issue_type: str = "Task"
    labels: tuple[str, ...] = ("postmortem",)
    custom: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wanted:
    """An action as it is to stand in Jira, and as it was sent last (empty: never).

    `title` is that of the way back; `case` is what an item is made of that leaves a private channel; `related` is what
    else stands of its incident.
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
    related: Related = field(default_factory=Related)

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


class Items:
    """Makes work items of actions, as `plan` says; of a private incident masked by the rules in `mask`."""

    def __init__(self, plan: Plan, mask: MaskRules) -> None:
        self._plan = plan
        self._mask = mask
        self._description: Template = template_set().get_template("publish/work_item.md.j2")

    def of(self, case: Case, action: Action, link: Link, mask: Callable[[str], str] = masked) -> WorkItem:
        """The work item of an action, whose label tells it from every other."""
        return WorkItem(
            label=f"afterword-{link.team}-{link.id}".lower(),
            project=self._plan.project,
            issue_type=self._plan.issue_type,
            summary=shortened(one_line(bare(mask(action.text))), LONGEST_SUMMARY),
            description=self._described(case, action, mask),
            due=action.due_on,
            labels=(*self._plan.labels, case.incident.key.lower()),
            custom=self._plan.custom,
        )

    def _described(self, case: Case, action: Action, mask: Callable[[str], str]) -> str:
        incident = case.incident
        return self._description.render(
            text=plain(mask(action.text)),
            key=incident.key,
            title=one_line(mask(incident.title)),
            severity=incident.severity_name,
            resolved_at=incident.resolved_at,
            whys=[
                replace(why, text=mask(why.text)) for why in chains.standing(case.whys) if action.number in why.actions
            ],
            owner=one_line(case.name(action.owner)),
        )

    def as_agreed(self, link: Link, wanted: Wanted) -> Wanted:
        """The same with all masked that the operator names, as somebody agreed. It blocks."""
        texts = (wanted.action.text, wanted.incident.title, *(why.text for why in wanted.case.whys))
        rules = looked(self._mask, [masked(text) for text in dict.fromkeys(texts)])

        def mask(text: str) -> str:
            return without(masked(text), rules)

        item = self.of(wanted.case, wanted.action, link, mask)
        return replace(wanted, item=item, title=title_of(wanted.incident, mask), sent={**wanted.sent, AGREED: True})


def title_of(incident: Incident, mask: Callable[[str], str] = masked) -> str:
    """What the link back into the channel is called over there."""
    return f"{incident.key} in Slack: {bare(one_line(mask(incident.title)))}"
