"""What we send to Jira is what Atlassian's own description of it allows."""

from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import httpx
import pytest

from bot.integrations.http import IntegrationError
from bot.integrations.jira.client import Category, IssueChanges, JiraClient
from tests.support.integrations.atlassian_sites import ITEM
from tests.support.integrations.clients import QUICK, access
from tests.support.integrations.prism import CONTRACT, Gate, gate_to, mocking
from tests.support.integrations.vendor_specs import spec

pytestmark = CONTRACT


@pytest.fixture(scope="module")
def mock() -> Iterator[str]:
    with mocking(spec("jira-v3.json")) as url:
        yield url


@pytest.fixture
async def gate(mock: str) -> AsyncIterator[Gate]:
    async with gate_to(mock) as gate:
        gate.made_up = ("/user/assignable/search", "/issuetypes/7")
        yield gate


@pytest.fixture
async def jira(gate: Gate) -> AsyncIterator[JiraClient]:
    jira = JiraClient(access(gate.url), QUICK)
    yield jira
    await jira.aclose()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/rest/api/3/issue", {"fields": "all of them"}),
        ("/rest/api/3/search/jql", {"jql": 7}),
        ("/rest/api/3/issue/OPS-1/transitions", {"transition": "11"}),
        ("/rest/api/3/issueLink", {"type": {"name": "Relates"}, "inwardIssue": {"key": "INC-1"}}),
        ("/rest/api/3/issue/OPS-1/remotelink", {"globalId": "no object"}),
    ],
)
async def test_the_mock_refuses_what_is_wrong(gate: Gate, path: str, body: object) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(gate.url + path, json=body)
    assert answer.status_code in (400, 422)
    assert gate.violations


async def test_every_verb_is_allowed(gate: Gate, jira: JiraClient) -> None:
    await jira.check()
    await jira.create(ITEM, is_repeat=True)
    await jira.create(ITEM, is_repeat=False)
    await jira.edit("OPS-1", IssueChanges("x", "y", "acc-ana", ITEM.due, priority="High"))
    await jira.edit("OPS-1", IssueChanges(assignee="", takes_due_away=True))
    await jira.status_of(["OPS-1", "OPS-2"])
    await jira.link("OPS-1", "afterword:INC-7", "https://wiki.example/INC-7", "INC-7")
    await jira.relate("OPS-1", "INC-1")
    await jira.find_assignee("OPS", "ana@team.example")
    assert gate.violations == []
    assert len(gate.exchanges) >= 12
    assert ("POST /rest/api/3/issueLink", 201) in [(one.request, one.status) for one in gate.exchanges]


async def test_a_step_of_a_workflow_is_taken_as_allowed(gate: Gate, jira: JiraClient) -> None:
    with suppress(IntegrationError):  # the example's steps lead nowhere that we want
        await jira.finish("OPS-1")
    fields = {"resolution": {"required": True, "allowedValues": [{"name": "Done"}]}}
    step = {"id": "31", "to": {"name": "Done", "statusCategory": {"key": "done"}}, "fields": fields}
    gate.instead = {"/transitions": {"transitions": [step]}}
    await jira.finish("OPS-1")
    assert (gate.requests[-1], gate.exchanges[-1].status) == ("POST /rest/api/3/issue/OPS-1/transitions", 204)
    assert gate.violations == []


async def test_the_forms_of_a_project_are_asked_as_allowed(gate: Gate, jira: JiraClient) -> None:
    with pytest.raises(IntegrationError, match="no issue type"):
        await jira.form("OPS", "a type that no example has")
    gate.instead = {"/issuetypes": {"issueTypes": [{"id": "7", "name": "Task"}], "total": 1}}
    await jira.form("OPS", "Task")
    assert gate.requests[-1] == "GET /rest/api/3/issue/createmeta/OPS/issuetypes/7"
    assert gate.violations == []


async def test_the_answers_of_the_description_are_understood(jira: JiraClient) -> None:
    issue = await jira.issue("OPS-1")
    assert issue
    assert issue.key
    assert issue.category in set(Category)


@pytest.mark.parametrize("status", [400, 401, 404])
async def test_a_refusal_of_the_description_is_understood(gate: Gate, jira: JiraClient, status: int) -> None:
    gate.prefer = [f"code={status}"]
    with pytest.raises(IntegrationError) as caught:
        await jira.search("labels = x") if status == 400 else await jira.edit("OPS-1", IssueChanges("x"))
    assert (caught.value.status, caught.value.is_permanent) == (status, True)
