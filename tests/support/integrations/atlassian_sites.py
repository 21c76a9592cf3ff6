"""A Jira and a Confluence with clients toward them, and what the tests put there."""

from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import date

import pytest

from bot.integrations.atlassian import TokenKind
from bot.integrations.confluence.client import ConfluenceClient, PageDraft
from bot.integrations.http import IntegrationError
from bot.integrations.jira.client import JiraClient, WorkItem
from bot.integrations.paging.client import PageRequest
from tests.support.integrations.fakes.confluence import FakeConfluence
from tests.support.integrations.fakes.jira import FakeJira

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


ALERT = PageRequest(
    "afterword:T1:INC-7",
    "sev1: checkout returns 503s",
    "See the channel.",
    "P1",
    "t-1",
    ("afterword",),
    {"incident": "INC-7"},
)

DRAFT = PageDraft("INC-7", "Checkout returns 503s", "<p>It was&nbsp;so.</p>", "afterword-T1-inc-7", parent_id="900")


@dataclass
class Site:
    fake: FakeJira
    jira: JiraClient
    kind: TokenKind

    @property
    def root(self) -> str:
        return "/ex/jira/cloud-1" if self.kind is TokenKind.SCOPED else ""


@dataclass
class Wiki:
    fake: FakeConfluence
    confluence: ConfluenceClient
    kind: TokenKind


async def error_of(call: Awaitable[object]) -> IntegrationError:
    """What a call fails with."""
    with pytest.raises(IntegrationError) as caught:
        await call
    return caught.value
