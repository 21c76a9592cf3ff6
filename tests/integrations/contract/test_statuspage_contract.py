"""What we send to Statuspage is what its own description allows."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from bot.integrations.http import IntegrationError
from bot.integrations.statuspage.client import Announcement, ComponentStatus, PublicStatus, StatuspageClient, Update
from tests.support.integrations.clients import QUICK, SECRET
from tests.support.integrations.prism import CONTRACT, Gate, gate_to, mocking
from tests.support.integrations.vendor_specs import spec

pytestmark = CONTRACT

# The description names each component as a property of its own, so that only those of its examples are checked.
UPDATE = Update(PublicStatus.INVESTIGATING, "Checkout fails.", True, {"9nqvnr23zmzn": ComponentStatus.MAJOR_OUTAGE})
MORE = Update(PublicStatus.IDENTIFIED, "We know why.", False, {"qcpgt4lvsmxw": ComponentStatus.PARTIAL_OUTAGE})


@pytest.fixture(scope="module")
def mock() -> Iterator[str]:
    with mocking(spec("statuspage.json")) as url:
        yield url


@pytest.fixture
async def gate(mock: str) -> AsyncIterator[Gate]:
    async with gate_to(mock, "/v1") as gate:
        yield gate


@pytest.fixture
async def page(gate: Gate) -> AsyncIterator[StatuspageClient]:
    page = StatuspageClient("pg", SECRET, QUICK, gate.url, gap=0.0)
    yield page
    await page.aclose()


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/pages/pg/incidents", {"incident": {"name": "x", "status": "on fire"}}),
        ("POST", "/pages/pg/incidents", {"incident": {"status": "investigating"}}),
        ("PATCH", "/pages/pg/components/c", {"component": {"status": "broken"}}),
        ("PUT", "/pages/pg/incidents/i/postmortem", {"postmortem": {}}),
    ],
)
async def test_the_mock_refuses_what_is_wrong(gate: Gate, method: str, path: str, body: object) -> None:
    async with httpx.AsyncClient(trust_env=False, headers={"Authorization": "OAuth x"}) as client:
        answer = await client.request(method, gate.url + path, json=body)
    assert answer.status_code in (400, 422)
    assert gate.violations


async def test_an_incident_takes_metadata_alone_and_only_an_object(gate: Gate) -> None:
    async with httpx.AsyncClient(trust_env=False, headers={"Authorization": "OAuth x"}) as client:
        for metadata, status in (("INC-7", 422), ({"afterword": {"work_items": ["OPS-1"]}}, 200)):
            asked = {"incident": {"metadata": metadata, "deliver_notifications": False}}
            answer = await client.patch(f"{gate.url}/pages/pg/incidents/i", json=asked)
            assert answer.status_code == status


async def test_the_mock_lets_nobody_in_without_a_key(gate: Gate) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(f"{gate.url}/pages/pg/components")).status_code == 401


async def test_every_verb_is_allowed(gate: Gate, page: StatuspageClient) -> None:
    await page.check()
    await page.open(Announcement("afterword-T1-inc-7", "Checkout fails", UPDATE), is_repeat=True)
    await page.update("i1", MORE, is_repeat=True)
    await page.resolve("i1", "Over.", notifies=True, is_repeat=True)
    await page.restore(["c1"])
    await page.draft_postmortem("i1", "# What happened")
    await page.lead_back("i1", "afterword-T1-inc-7", {"page": "1000", "work_items": ["OPS-1"]})
    assert gate.violations == []
    assert {request.split()[0] for request in gate.requests} == {"GET", "POST", "PATCH", "PUT"}


@pytest.mark.parametrize("status", [400, 401, 404, 422])
async def test_a_refusal_of_the_description_is_understood(gate: Gate, page: StatuspageClient, status: int) -> None:
    gate.prefer = [f"code={status}"]
    with pytest.raises(IntegrationError) as caught:
        await page.open(Announcement("m", "Checkout fails", UPDATE), is_repeat=False)
    assert (caught.value.status, caught.value.is_permanent) == (status, True)
