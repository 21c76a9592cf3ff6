"""An issue is edited, moved, followed and linked, and what a project demands is found out beforehand."""

import pytest

from bot.integrations.atlassian import TokenKind
from bot.integrations.jira.client import Category, IssueChanges, find_unfilled
from tests.support.integrations.atlassian_sites import ITEM, Site, error_of
from tests.support.integrations.fakes.days import BadDay


async def test_an_edit_changes_what_it_names_and_no_more(site: Site) -> None:
    await site.jira.create(ITEM, is_repeat=False)
    labels = list(site.fake.issues["OPS-1"]["labels"])
    await site.jira.edit("OPS-1", IssueChanges(summary="Other", takes_due_away=True))
    stands = site.fake.issues["OPS-1"]
    assert (stands["summary"], stands["duedate"], stands["labels"]) == ("Other", None, labels)
    assert stands["priority"] == {"name": "High"}
    await site.jira.edit("OPS-1", IssueChanges(assignee="", description="", priority=""))
    issue = await site.jira.issue("OPS-1")
    assert issue
    assert issue.assignee == ""


async def test_an_edit_of_nothing_asks_nothing(cloud: Site) -> None:
    await cloud.jira.edit("OPS-1", IssueChanges())
    assert cloud.fake.seen == []


async def test_an_edit_of_a_deleted_issue_says_so(site: Site) -> None:
    error = await error_of(site.jira.edit("OPS-9", IssueChanges(summary="x")))
    assert (error.is_permanent, error.status) == (True, 404)
    assert "deleted" in str(error)


async def test_the_status_of_many_is_asked_at_once_and_the_deleted_are_told_apart(site: Site) -> None:
    site.fake.page_size = 2
    for number in range(1, 6):
        site.fake.file(f"OPS-{number}", status="Done" if number == 3 else "To Do")
    stands = await site.jira.status_of(["OPS-1", "OPS-2", "OPS-3", "OPS-4", "OPS-5", "OPS-3"])
    assert [key for key, issue in stands.items() if issue and issue.category is Category.DONE] == ["OPS-3"]
    assert len(site.fake.find_calls("POST .*/search")) == 3
    with_deleted = await site.jira.status_of(["OPS-1", "OPS-8"])
    assert with_deleted["OPS-8"] is None
    assert with_deleted["OPS-1"]


async def test_an_issue_is_done_and_reopened_by_the_step_that_leads_there(site: Site) -> None:
    site.fake.file("OPS-1")
    await site.jira.finish("OPS-1")
    assert site.fake.issues["OPS-1"]["status"] == "Done"
    await site.jira.finish("OPS-1")
    assert len(site.fake.find_calls("POST .*/transitions")) == 1
    await site.jira.reopen("OPS-1")
    assert site.fake.issues["OPS-1"]["status"] == "To Do"


async def test_a_step_that_demands_a_resolution_gets_one(cloud: Site) -> None:
    cloud.fake.resolution_required = True
    cloud.fake.file("OPS-1")
    await cloud.jira.finish("OPS-1")
    assert cloud.fake.issues["OPS-1"]["resolution"] == {"name": "Done"}


async def test_a_workflow_without_a_way_says_so(cloud: Site) -> None:
    cloud.fake.file("OPS-1")
    cloud.fake.next_time("GET .*/transitions", BadDay(200, '{"transitions": []}'))
    error = await error_of(cloud.jira.finish("OPS-1"))
    assert error.is_permanent
    assert "doesn't let this account move" in str(error)


async def test_a_step_that_was_taken_unseen_is_not_taken_again(cloud: Site) -> None:
    cloud.fake.file("OPS-1")
    cloud.fake.next_time("POST .*/transitions", BadDay(acts=True, resets=True))
    assert (await error_of(cloud.jira.finish("OPS-1"))).may_have_happened
    await cloud.jira.finish("OPS-1")
    assert len(cloud.fake.find_calls("POST .*/transitions")) == 1


@pytest.mark.parametrize(
    ("email", "account"),
    [
        ("ana@team.example", "acc-ana"),
        ("left@team.example", ""),
        ("bo@team.example", ""),
        ("no@team.example", ""),
        ("", ""),
    ],
)
async def test_an_assignee_is_the_one_active_person_behind_an_address(site: Site, email: str, account: str) -> None:
    assert await site.jira.find_assignee("OPS", email) == account


async def test_an_app_is_nobody_to_assign_on_the_cloud(cloud: Site) -> None:
    assert await cloud.jira.find_assignee("OPS", "app@team.example") == ""


async def test_a_link_is_put_once_though_the_line_breaks(site: Site) -> None:
    site.fake.file("OPS-1")
    site.fake.next_time("remotelink", BadDay(acts=True, resets=True))
    await site.jira.link("OPS-1", "afterword:INC-7", "https://wiki.example/INC-7", "INC-7:\nthe postmortem")
    assert site.fake.links == {
        ("OPS-1", "afterword:INC-7"): {"url": "https://wiki.example/INC-7", "title": "INC-7: the postmortem"}
    }


async def test_the_required_fields_that_nobody_fills_are_found_across_pages(site: Site) -> None:
    assert [field.name for field in find_unfilled(await site.jira.form("OPS", "Task"), ())] == ["Team"]
    assert find_unfilled(await site.jira.form("OPS", "Task"), ["customfield_10"]) == []
    assert "no issue type Epic" in str(await error_of(site.jira.form("OPS", "Epic")))


async def test_doctor_hears_who_we_are(site: Site) -> None:
    assert await site.jira.check() == "signed in as Afterword"


async def test_a_revoked_token_says_what_kind_of_token_was_used(site: Site) -> None:
    site.fake.authorization = "another"
    error = await error_of(site.jira.check())
    assert (error.is_permanent, error.status) == (True, 401)
    wanted = {
        TokenKind.CLASSIC: "a token with scopes",
        TokenKind.SCOPED: "a token without scopes",
    }
    assert wanted[site.kind] in str(error)


async def test_a_broken_answer_is_an_error_and_not_a_crash(cloud: Site) -> None:
    cloud.fake.next_time("POST .*/issue$", BadDay(201, '{"id": null}'))
    assert (await error_of(cloud.jira.create(ITEM, is_repeat=False))).may_have_happened
