"""An action in Jira is created once and read back, with either kind of token."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from bot.errors import Misconfigured
from bot.integrations.atlassian import TokenKind
from bot.integrations.jira.client import SEARCH_LAG, Category, JiraClient
from tests.support.integrations.atlassian_sites import ITEM, LABEL, Site, error_of
from tests.support.integrations.clients import QUICK, access
from tests.support.integrations.fakes.days import BadDay, page, refuse_with


async def test_an_action_becomes_an_issue_with_all_that_it_has(site: Site) -> None:
    created = await site.jira.create(ITEM, is_repeat=False)
    assert (created.key, created.url) == ("OPS-1", f"{site.fake.url}/browse/OPS-1")
    assert (created.was_there, created.is_unassigned) == (False, False)
    stands = site.fake.issues["OPS-1"]
    assert stands["summary"] == "Alert on pool exhaustion"
    assert (stands["duedate"], stands["priority"]) == ("2026-12-01", {"name": "High"})
    assert stands["labels"] == [LABEL, "postmortem"]
    assert stands["customfield_10"] == {"value": "Ops"}
    assert isinstance(stands["description"], dict)
    assert created.issue
    assert (created.issue.assignee, created.issue.assignee_name) == ("acc-ana", "Ana")
    assert (created.issue.due, created.issue.category) == (date(2026, 12, 1), Category.NEW)
    assert created.issue.updated == datetime(2026, 11, 23, 14, 5, 1, tzinfo=UTC)


async def test_every_call_goes_where_the_kind_of_token_is_taken(site: Site) -> None:
    await site.jira.create(ITEM, is_repeat=True)
    asked = [seen.path for seen in site.fake.seen if seen.path != "/_edge/tenant_info"]
    assert all(path.startswith(f"{site.root}/rest/api/") for path in asked)
    tenant = site.fake.find_calls("tenant_info")
    assert len(tenant) == (1 if site.kind is TokenKind.SCOPED else 0)
    assert all("Authorization" not in seen.headers for seen in tenant)


@pytest.mark.parametrize("day", [BadDay(502, acts=True), BadDay(acts=True, resets=True)])
async def test_a_create_that_happened_unseen_is_not_repeated(site: Site, day: BadDay) -> None:
    site.fake.next_time("POST .*/issue$", day)
    error = await error_of(site.jira.create(ITEM, is_repeat=False))
    assert (error.may_have_happened, error.is_permanent, error.retry_after) == (True, False, SEARCH_LAG)
    created = await site.jira.create(ITEM, is_repeat=True)
    assert (created.key, created.was_there) == ("OPS-1", True)
    assert len(site.fake.issues) == 1


async def test_a_create_that_had_not_happened_is_made_by_the_repeat(site: Site) -> None:
    site.fake.next_time("POST .*/issue$", BadDay(resets=True))
    assert (await error_of(site.jira.create(ITEM, is_repeat=False))).may_have_happened
    assert not (await site.jira.create(ITEM, is_repeat=True)).was_there
    assert len(site.fake.issues) == 1


async def test_a_busy_jira_is_asked_again_in_the_same_create(site: Site) -> None:
    site.fake.next_time("POST .*/issue$", refuse_with(429, {}), page(503))
    await site.jira.create(ITEM, is_repeat=False)
    assert len(site.fake.issues) == 1


async def test_an_issue_that_cannot_be_read_back_was_created_all_the_same(cloud: Site) -> None:
    cloud.fake.next_time("GET .*/issue/", *[BadDay(500)] * 3)
    created = await cloud.jira.create(ITEM, is_repeat=False)
    assert (created.key, created.issue) == ("OPS-1", None)


async def test_an_assignee_that_jira_dropped_without_a_word_is_noticed(cloud: Site) -> None:
    cloud.fake.drops_assignee = True
    assert (await cloud.jira.create(ITEM, is_repeat=False)).is_unassigned


async def test_a_project_that_forbids_unassigned_says_the_remedy(cloud: Site) -> None:
    cloud.fake.demands_assignee = True
    error = await error_of(cloud.jira.create(replace(ITEM, assignee=""), is_repeat=False))
    assert (error.is_permanent, error.status) == (True, 400)
    assert "requires an assignee in OPS" in str(error)


async def test_an_assignee_who_left_says_the_remedy(site: Site) -> None:
    error = await error_of(site.jira.create(replace(ITEM, assignee="acc-left"), is_repeat=False))
    assert "isn't active" in str(error)
    assert error.is_permanent


async def test_a_field_that_is_on_no_screen_is_named_with_the_remedy(cloud: Site) -> None:
    cloud.fake.unseen_fields = {"customfield_10", "duedate"}
    error = await error_of(cloud.jira.create(ITEM, is_repeat=False))
    assert "doesn't have customfield_10, duedate on the form of Task in OPS" in str(error)


@pytest.mark.parametrize(
    ("errors", "words"),
    [
        ({"project": "valid project is required"}, "has no project OPS"),
        ({"issuetype": "Specify a valid issue type"}, "has no issue type Task in OPS"),
        ({"customfield_9": "Impact is required."}, "requires customfield_9 for"),
        ({"customfield_10020": "Sprint 4 is closed."}, "customfield_10020: Sprint 4 is closed."),
        ({"labels": "The label contains spaces."}, "labels: The label contains spaces."),
    ],
)
async def test_what_jira_says_about_a_field_becomes_what_to_do(cloud: Site, errors: object, words: str) -> None:
    cloud.fake.next_time("POST .*/issue$", refuse_with(400, {"errorMessages": [], "errors": errors}))
    assert words in str(await error_of(cloud.jira.create(ITEM, is_repeat=False)))


async def test_a_summary_is_one_line_that_jira_takes(cloud: Site) -> None:
    await cloud.jira.create(replace(ITEM, summary="long \n" * 100), is_repeat=False)
    await cloud.jira.create(replace(ITEM, summary="😀" * 300), is_repeat=False)
    assert len(cloud.fake.issues["OPS-1"]["summary"]) <= 255
    assert len(cloud.fake.issues["OPS-2"]["summary"].encode("utf-16-le")) <= 2 * 255


async def test_the_cloud_wants_to_know_whose_token_it_is() -> None:
    with pytest.raises(Misconfigured):
        JiraClient(replace(access("https://team.example"), email=""), QUICK)
