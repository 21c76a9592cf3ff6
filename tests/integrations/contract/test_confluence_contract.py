"""What we send to Confluence is what Atlassian's own description of version 2 allows."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from bot.integrations.confluence.client import ConfluenceClient, ConfluencePage
from bot.integrations.http import IntegrationError
from tests.support.integrations.atlassian_sites import DRAFT
from tests.support.integrations.clients import QUICK, access
from tests.support.integrations.prism import CONTRACT, Gate, gate_to, mocking
from tests.support.integrations.vendor_specs import spec

pytestmark = CONTRACT

BASE = "/wiki/api/v2"
SEEN = ConfluencePage("1000", "Checkout returns 503s", 1, "https://wiki.example", "<p>one</p>", "", is_current=True)


@pytest.fixture(scope="module")
def mock() -> Iterator[str]:
    with mocking(spec("confluence-v2.json")) as url:
        yield url


@pytest.fixture
async def gate(mock: str) -> AsyncIterator[Gate]:
    async with gate_to(mock, BASE) as gate:
        yield gate


@pytest.fixture
async def confluence(gate: Gate) -> AsyncIterator[ConfluenceClient]:
    confluence = ConfluenceClient(access(gate.url.removesuffix(BASE)), "ENG", QUICK)
    yield confluence
    await confluence.aclose()


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/pages", {"title": "no space"}),
        ("POST", "/pages", {"spaceId": "1", "body": {"representation": "markdown", "value": ""}}),
        ("PUT", "/pages/1000", {"id": "1000", "status": "current", "title": "no version", "body": {}}),
    ],
)
async def test_the_mock_refuses_what_is_wrong(gate: Gate, method: str, path: str, body: object) -> None:
    async with httpx.AsyncClient(trust_env=False, auth=("a", "b")) as client:
        answer = await client.request(method, gate.url + path, json=body)
    assert answer.status_code in (400, 422)
    assert gate.violations


async def test_the_mock_lets_nobody_in_without_a_token(gate: Gate) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(f"{gate.url}/spaces?keys=ENG")).status_code == 401


async def test_every_verb_is_allowed(gate: Gate, confluence: ConfluenceClient) -> None:
    await confluence.check()
    space = {"results": [{"id": "44", "key": "ENG", "name": "Engineering"}]}  # the example's id is no number
    gate.instead = {"/spaces": space}
    await confluence.missing_rights()
    await confluence.create(DRAFT, is_repeat=True)
    await confluence.read("1000")
    await confluence.update(SEEN, "New title", "<p>two</p>", "INC-7 draft 2")
    await confluence.read_property("1000")
    for stored in ([], [{"id": "55", "version": {"number": 1}, "value": {}}]):
        gate.instead = {"/properties": {"results": stored}}
        await confluence.write_property("1000", {"incident": "INC-7"})
    assert gate.violations == []
    properties = [request.split()[0] for request in gate.requests if "properties" in request]
    assert properties == ["GET", "POST", "PUT"]


@pytest.mark.parametrize("status", [400, 401, 404, 413])
async def test_a_refusal_of_the_description_is_understood(
    gate: Gate, confluence: ConfluenceClient, status: int
) -> None:
    gate.prefer = ["code=200", f"code={status}"]
    with pytest.raises(IntegrationError) as caught:
        await confluence.create(DRAFT, is_repeat=False)
    assert (caught.value.status, caught.value.is_permanent) == (status, True)
