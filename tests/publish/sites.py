"""A Jira with a client toward it, and the action that the tests put there."""

from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import date

import pytest

from bot.publish.atlassian import Kind
from bot.publish.failures import PublishError
from bot.publish.jira import Jira
from bot.publish.jira_records import WorkItem
from tests.publish.fakes.jira import FakeJira

LABEL = "afterword-inc-7-action-2"
ITEM = WorkItem(
    LABEL,
    "OPS",
    "Task",
    "Alert on\npool exhaustion",
    "See **INC-7**.",
    assignee="acc-ana",
    due=date(2026, 12, 1),
    labels=("postmortem",),
    priority="High",
    custom={"customfield_10": {"value": "Ops"}},
)


@dataclass
class Site:
    fake: FakeJira
    jira: Jira
    kind: Kind

    @property
    def root(self) -> str:
        return "/ex/jira/cloud-1" if self.kind is Kind.SCOPED else ""


async def error_of(call: Awaitable[object]) -> PublishError:
    """What a call fails with."""
    with pytest.raises(PublishError) as caught:
        await call
    return caught.value
