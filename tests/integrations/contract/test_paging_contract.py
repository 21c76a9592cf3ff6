"""What we send to page people is what Opsgenie's description allows; Jira Service Management took over its form."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from bot.integrations.paging.client import ConfirmationPolicy, PagingClient
from tests.support.integrations.atlassian_sites import ALERT
from tests.support.integrations.clients import QUICK, SECRET
from tests.support.integrations.prism import CONTRACT, Gate, gate_to, mocking
from tests.support.integrations.vendor_specs import spec
from tests.support.play import NOON

pytestmark = CONTRACT


@pytest.fixture(scope="module")
def mock() -> Iterator[str]:
    with mocking(spec("opsgenie-oas.json")) as url:
        yield url


@pytest.fixture
async def gate(mock: str) -> AsyncIterator[Gate]:
    async with gate_to(mock) as gate:
        yield gate


@pytest.fixture
async def paging(gate: Gate) -> AsyncIterator[PagingClient]:
    paging = PagingClient(SECRET, f"{gate.url}/v2", QUICK, ConfirmationPolicy(first=0.01, within=0.1))
    yield paging
    await paging.aclose()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v2/alerts", {"alias": "no message"}),
        ("/v2/alerts", {"message": "x", "priority": "P9"}),
        ("/v2/alerts/x/close?identifierType=nickname", {"note": "x"}),
    ],
)
async def test_the_mock_refuses_what_is_wrong(gate: Gate, path: str, body: object) -> None:
    async with httpx.AsyncClient(trust_env=False, headers={"Authorization": "GenieKey x"}) as client:
        answer = await client.post(gate.url + path, json=body)
    assert answer.status_code in (400, 422)
    assert gate.violations


async def test_every_verb_is_allowed(gate: Gate, paging: PagingClient) -> None:
    await paging.check()
    assert await paging.confirm(await paging.ask(ALERT))
    await paging.find(ALERT.alias, NOON)
    await paging.close(ALERT.alias, "resolved")
    assert gate.violations == []
    assert len([request for request in gate.requests if "/v2/alerts/requests/" in request]) == 2
