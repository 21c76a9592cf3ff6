"""The metadata of what customers read links to what exists elsewhere, once it exists, and makes no update."""

import pytest

from storage.queues import SyncState
from tests.integrations.test_links import STEPS, act, everything, open_issue, put_page, rest, tell_customers
from tests.support.integrations.fakes.days import BadDay, refuse_with
from tests.support.interactions import type_command

METADATA = "PATCH .*/incidents/i[0-9]+$"


async def test_what_stands_already_is_there_from_the_first_word_on(sqlite_url: str) -> None:
    async with everything(sqlite_url) as site:
        await put_page(site)
        await rest(site)
        await tell_customers(site)
        await rest(site)
        (opened,) = site.page.find_calls("POST .*/incidents$")
        assert opened.body["incident"]["metadata"]["afterword"]["page"] == "1000"
        assert site.page.find_calls(METADATA) == []


@pytest.mark.parametrize(
    ("names", "leads"),
    [("keys", "1000"), ("links", "/spaces/ENG/pages/1000"), ("none", "")],
)
async def test_what_leads_back_is_named_as_the_settings_say(sqlite_url: str, names: str, leads: str) -> None:
    async with everything(sqlite_url, AFTERWORD_STATUSPAGE_METADATA=names) as site:
        for step in STEPS.values():
            await step(site)
            await rest(site)
        metadata = site.left_with["afterword"]
        if names == "none":
            assert list(metadata) == ["incident"]
            return
        links = [metadata["page"], *metadata["work_items"], metadata["service_management"]]
        assert leads in metadata["page"]
        assert [link.startswith("http") for link in links] == [names == "links"] * 3


async def test_no_host_of_ours_is_told_by_itself(sqlite_url: str) -> None:
    async with everything(sqlite_url) as site:
        for step in STEPS.values():
            await step(site)
            await rest(site)
        assert "://" not in str(site.left_with)


async def test_each_work_item_joins_those_before(database_url: str) -> None:
    async with everything(database_url) as site:
        await tell_customers(site)
        await act(site)
        await rest(site)
        await type_command(site.play, site.play.ana, "/action add a limit @Ana Demo due 2026-12-02")
        await rest(site)
        assert site.left_with["afterword"]["work_items"] == [
            site.link("jira", "action 1").external_id,
            site.link("jira", "action 2").external_id,
        ]


async def test_what_others_keep_there_outlives_what_we_add(sqlite_url: str) -> None:
    async with everything(sqlite_url) as site:
        await tell_customers(site)
        await rest(site)
        site.page.incidents["i1"]["metadata"]["jira"] = {"issue_id": "7"}
        await put_page(site)
        await rest(site)
        assert site.left_with["jira"] == {"issue_id": "7"}
        assert site.left_with["afterword"]["page"] == "1000"


async def test_the_next_update_mends_what_somebody_wrote_over(sqlite_url: str) -> None:
    async with everything(sqlite_url) as site:
        await put_page(site)
        await tell_customers(site)
        await rest(site)
        site.page.incidents["i1"]["metadata"] = {"jira": {"issue_id": "7"}}
        await tell_customers(site)
        await rest(site)
        assert set(site.left_with) == {"jira", "afterword"}
        assert site.left_with["afterword"]["page"] == "1000"


@pytest.mark.parametrize("day", [BadDay(acts=True, resets=True), BadDay(500), refuse_with(420, {})], ids=str)
async def test_a_failure_that_passes_is_made_good_without_a_word(database_url: str, day: BadDay) -> None:
    async with everything(database_url) as site:
        await tell_customers(site)
        await rest(site)
        site.page.next_time(METADATA, day, day)
        await open_issue(site)
        await rest(site)
        await rest(site, minutes=2)
        assert site.left_with["afterword"]["service_management"] == site.issue
        assert site.count_messages(":warning:") == 0
        assert site.page.mails == []


async def test_a_refusal_is_told_once_and_customers_are_told_more_all_the_same(sqlite_url: str) -> None:
    async with everything(sqlite_url) as site:
        await tell_customers(site)
        await rest(site)
        site.page.next_time(METADATA, refuse_with(422, {"error": ["Metadata is invalid"]}))
        await put_page(site)
        await rest(site, minutes=5)
        assert site.count_messages("INC-1 link from Statuspage: ") == 1
        await tell_customers(site)
        await rest(site)
        assert len(site.page.incidents["i1"]["updates"]) == 2
        assert site.link("statuspage", "way back from Statuspage").state == SyncState.IN_SYNC


async def test_of_a_public_incident_that_was_deleted_nothing_is_said_before_the_next_update(sqlite_url: str) -> None:
    async with everything(sqlite_url) as site:
        await tell_customers(site)
        await rest(site)
        site.page.incidents.clear()
        await put_page(site)
        await rest(site)
        assert site.count_messages(":warning:") == 0
        await tell_customers(site)
        await rest(site)
        await tell_customers(site)
        await rest(site)
        assert site.left_with["afterword"]["page"] == "1000"


async def test_where_nothing_was_told_to_customers_nothing_is_owed(sqlite_url: str) -> None:
    async with everything(sqlite_url) as site:
        for name in ("item", "issue", "page"):
            await STEPS[name](site)
            await rest(site)
        assert [seen for seen in site.page.seen if "/incidents/" in seen.path and seen.method != "GET"] == []
        assert site.page.incidents == {}


async def test_an_issue_that_was_moved_leads_back_under_its_new_key(sqlite_url: str) -> None:
    async with everything(sqlite_url) as site:
        for step in STEPS.values():
            await step(site)
            await rest(site)
        site.jira.move(site.item, "WEB-1")
        site.jira.move(site.issue, "HELP-1")
        await rest(site, minutes=3)
        metadata = site.left_with["afterword"]
        assert (metadata["work_items"], metadata["service_management"]) == (["WEB-1"], "HELP-1")
