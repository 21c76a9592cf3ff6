"""Customers read an update once, word by word, and their components are restored when it is over."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import httpx
import pytest

from bot.integrations.statuspage.client import Announcement, ComponentStatus, PublicStatus, StatuspageClient, Update
from tests.support.integrations.atlassian_sites import error_of
from tests.support.integrations.clients import QUICK, SECRET
from tests.support.integrations.fakes.days import BadDay, page, refuse_with
from tests.support.integrations.fakes.statuspage import LONGEST_BODY, FakeStatuspage

UPDATE = Update(PublicStatus.INVESTIGATING, "Checkout fails.", True, {"api": ComponentStatus.MAJOR_OUTAGE})
OPENED = Announcement("afterword-T1-inc-7", "Checkout\nfails", UPDATE)
MORE = Update(PublicStatus.IDENTIFIED, "We know why.", notifies=True)
BACK = {"page": "1000", "work_items": ["OPS-1"]}
OURS = {"incident": OPENED.mark, **BACK}
LOST = [
    BadDay(502, acts=True),
    BadDay(acts=True, resets=True),
    replace(page(200), acts=True),
]


@dataclass
class Public:
    fake: FakeStatuspage
    page: StatuspageClient


@pytest.fixture
async def public() -> AsyncIterator[Public]:
    fake = FakeStatuspage()
    fake.authorization = f"OAuth {SECRET}"
    async with fake.serving() as url:
        client = StatuspageClient("pg", SECRET, QUICK, f"{url}/v1", gap=0.0)
        yield Public(fake, client)
        await client.aclose()


async def test_an_incident_is_opened_as_it_was_confirmed(public: Public) -> None:
    incident = await public.page.open(OPENED, is_repeat=False)
    assert (incident.name, incident.status, incident.mark) == ("Checkout fails", "investigating", OPENED.mark)
    assert public.fake.status_of("api") == "major_outage"
    assert public.fake.mails == ["Checkout fails."]
    (seen,) = public.fake.find_calls("POST")
    assert "impact_override" not in seen.body["incident"]


@pytest.mark.parametrize("day", LOST, ids=str)
async def test_an_incident_that_was_opened_unseen_is_not_opened_again(public: Public, day: BadDay) -> None:
    public.fake.next_time("POST", day)
    assert (await error_of(public.page.open(OPENED, is_repeat=False))).may_have_happened
    incident = await public.page.open(OPENED, is_repeat=True)
    assert (incident.id, len(public.fake.incidents), len(public.fake.mails)) == ("i1", 1, 1)


async def test_one_that_was_resolved_meanwhile_is_found_too(public: Public) -> None:
    await public.page.open(OPENED, is_repeat=False)
    await public.page.resolve("i1", "Over.", notifies=False, is_repeat=False)
    assert (await public.page.open(OPENED, is_repeat=True)).id == "i1"


@pytest.mark.parametrize("day", LOST, ids=str)
async def test_an_update_that_went_out_unseen_mails_nobody_twice(public: Public, day: BadDay) -> None:
    await public.page.open(OPENED, is_repeat=False)
    public.fake.next_time("PATCH", day)
    assert (await error_of(public.page.update("i1", MORE, is_repeat=False))).may_have_happened
    await public.page.update("i1", MORE, is_repeat=True)
    assert public.fake.mails == ["Checkout fails.", "We know why."]


async def test_an_update_that_had_not_gone_out_goes_out_with_the_repeat(public: Public) -> None:
    await public.page.open(OPENED, is_repeat=False)
    public.fake.next_time("PATCH", BadDay(resets=True))
    await error_of(public.page.update("i1", MORE, is_repeat=False))
    await public.page.update("i1", MORE, is_repeat=True)
    assert public.fake.mails == ["Checkout fails.", "We know why."]


async def test_nobody_is_mailed_where_nobody_should_be(public: Public) -> None:
    await public.page.open(replace(OPENED, update=replace(UPDATE, notifies=False)), is_repeat=False)
    assert public.fake.mails == []


async def test_resolving_puts_the_components_back(public: Public) -> None:
    await public.page.open(OPENED, is_repeat=False)
    incident = await public.page.resolve("i1", "Over.", notifies=True, is_repeat=False)
    assert (incident.status, public.fake.status_of("api")) == ("resolved", "operational")
    assert public.fake.find_calls("PATCH .*/components") == []


async def test_a_component_that_stayed_broken_is_put_back_by_itself(public: Public) -> None:
    public.fake.forgets_components = True
    await public.page.open(OPENED, is_repeat=False)
    await public.page.resolve("i1", "Over.", notifies=True, is_repeat=False)
    assert public.fake.status_of("api") == "operational"


async def test_a_component_of_another_open_incident_stays_as_it_is(public: Public) -> None:
    await public.page.open(OPENED, is_repeat=False)
    await public.page.open(replace(OPENED, mark="afterword-T1-inc-8"), is_repeat=False)
    await public.page.resolve("i1", "Over.", notifies=True, is_repeat=False)
    assert public.fake.status_of("api") == "major_outage"
    await public.page.resolve("i2", "Over too.", notifies=True, is_repeat=False)
    assert public.fake.status_of("api") == "operational"


async def test_a_resolution_that_broke_off_is_brought_to_its_end(public: Public) -> None:
    public.fake.forgets_components = True
    await public.page.open(OPENED, is_repeat=False)
    public.fake.next_time("PATCH .*/components", *[BadDay(500)] * 3)
    await error_of(public.page.resolve("i1", "Over.", notifies=True, is_repeat=False))
    await public.page.resolve("i1", "Over.", notifies=True, is_repeat=True)
    assert public.fake.status_of("api") == "operational"
    assert public.fake.mails == ["Checkout fails.", "Over."]


async def test_a_postmortem_is_drafted_and_mails_nobody(public: Public) -> None:
    await public.page.open(OPENED, is_repeat=False)
    await public.page.draft_postmortem("i1", "# What happened")
    assert public.fake.incidents["i1"]["postmortem"] == {"body_draft": "# What happened"}
    assert public.fake.mails == ["Checkout fails."]


async def test_an_incident_is_opened_with_what_leads_back(public: Public) -> None:
    await public.page.open(replace(OPENED, back=BACK), is_repeat=False)
    assert public.fake.incidents["i1"]["metadata"] == {"afterword": OURS}
    assert (await public.page.open(OPENED, is_repeat=True)).id == "i1"


async def test_what_leads_back_later_is_no_update_and_mails_nobody(public: Public) -> None:
    await public.page.open(OPENED, is_repeat=False)
    before = public.fake.incidents["i1"]["updates"].copy()
    await public.page.lead_back("i1", OPENED.mark, BACK)
    incident = public.fake.incidents["i1"]
    assert (incident["metadata"], incident["updates"], incident["status"]) == (
        {"afterword": OURS},
        before,
        "investigating",
    )
    assert public.fake.mails == ["Checkout fails."]
    (seen,) = public.fake.find_calls("PATCH")
    assert seen.body == {"incident": {"metadata": {"afterword": OURS}, "deliver_notifications": False}}


async def test_what_others_keep_at_an_incident_stays(public: Public) -> None:
    await public.page.open(OPENED, is_repeat=False)
    public.fake.incidents["i1"]["metadata"]["jira"] = {"issue_id": "7"}
    await public.page.lead_back("i1", OPENED.mark, BACK)
    assert public.fake.incidents["i1"]["metadata"] == {"jira": {"issue_id": "7"}, "afterword": OURS}


async def test_what_stands_there_already_is_not_written_again(public: Public) -> None:
    await public.page.open(replace(OPENED, back=BACK), is_repeat=False)
    await public.page.lead_back("i1", OPENED.mark, BACK)
    assert public.fake.find_calls("PATCH") == []


@pytest.mark.parametrize("metadata", [None, "", [], {"afterword": None}], ids=str)
async def test_metadata_that_is_none_is_written_anew(public: Public, metadata: object) -> None:
    await public.page.open(OPENED, is_repeat=False)
    public.fake.incidents["i1"]["metadata"] = metadata
    await public.page.lead_back("i1", OPENED.mark, BACK)
    assert public.fake.incidents["i1"]["metadata"] == {"afterword": OURS}


async def test_a_page_that_tells_customers_of_it_after_all_is_told_of_and_not_written_again(public: Public) -> None:
    await public.page.open(OPENED, is_repeat=False)
    public.fake.tells_of_everything = True
    error = await error_of(public.page.lead_back("i1", OPENED.mark, BACK))
    assert error.is_permanent
    assert "AFTERWORD_STATUSPAGE_METADATA=none" in str(error)
    await public.page.lead_back("i1", OPENED.mark, BACK)
    assert len(public.fake.find_calls("PATCH")) == 1


async def test_an_update_that_somebody_wrote_meanwhile_is_theirs(public: Public) -> None:
    await public.page.open(OPENED, is_repeat=False)
    public.fake.on_write = lambda: public.fake.incidents["i1"]["updates"].insert(
        0, {"status": "identified", "body": "Found it."}
    )
    await public.page.lead_back("i1", OPENED.mark, BACK)
    assert public.fake.incidents["i1"]["metadata"] == {"afterword": OURS}


@pytest.mark.parametrize(
    "asked",
    [
        {"metadata": {"afterword": "INC-7"}},
        {"metadata": ["INC-7"]},
        {"status": "on fire"},
        {"name": "x" * 256},
        {"body": "x" * (LONGEST_BODY + 1)},
    ],
    ids=lambda asked: next(iter(asked)),
)
async def test_the_stand_in_refuses_what_the_description_refuses(public: Public, asked: dict[str, object]) -> None:
    await public.page.open(OPENED, is_repeat=False)
    headers = {"Authorization": f"OAuth {SECRET}"}
    async with httpx.AsyncClient(trust_env=False, headers=headers) as client:
        url = f"{public.fake.url}/v1/pages/pg/incidents"
        fresh = {"name": "x", "status": "identified"} | asked
        assert (await client.patch(f"{url}/i1", json={"incident": asked})).status_code == 422
        assert (await client.post(url, json={"incident": fresh})).status_code == 422


async def test_the_components_are_listed_without_their_groups(public: Public) -> None:
    assert [component.name for component in await public.page.components()] == ["API", "Website"]
    assert await public.page.check() == "page pg, 2 components"


async def test_the_pace_that_statuspage_asks_for_is_kept() -> None:
    fake = FakeStatuspage(least_gap=0.02)
    async with fake.serving() as url:
        client = StatuspageClient("pg", SECRET, replace(QUICK, attempts=1, pace=1.0), f"{url}/v1", gap=0.1)
        for _ in range(4):
            await client.components()
        await client.aclose()


@pytest.mark.parametrize("status", [420, 429])
async def test_too_many_calls_are_tried_again_later(public: Public, status: int) -> None:
    public.fake.next_time(
        "POST", refuse_with(status, {"error": "slow down"}), refuse_with(status, {"error": "slow down"})
    )
    await public.page.open(OPENED, is_repeat=False)
    assert len(public.fake.incidents) == 1


async def test_what_statuspage_does_not_accept_is_told(public: Public) -> None:
    public.fake.next_time("POST", refuse_with(422, {"error": ["Component ids is invalid"]}))
    error = await error_of(public.page.open(OPENED, is_repeat=False))
    assert (error.is_permanent, error.may_have_happened) == (True, False)
    assert "Component ids is invalid" in str(error)


async def test_a_deleted_incident_and_a_revoked_key_say_what_to_do(public: Public) -> None:
    assert "doesn't know that page, incident" in str(
        await error_of(public.page.resolve("i9", "x", notifies=False, is_repeat=False))
    )
    public.fake.authorization = "another"
    error = await error_of(public.page.check())
    assert (error.is_permanent, "refused the key" in str(error), SECRET in str(error)) == (True, True, False)
