"""Messages about other systems lose the buttons that do nothing any more, whoever settled it and where."""

import pytest

from tests.handlers.test_outdated_buttons import shown_now
from tests.handlers.test_postmortem import fill
from tests.integrations.confluence.test_private_incidents import ask_for_page, is_made_private
from tests.integrations.jira.test_sync import add_owned_action, issue, with_jira
from tests.integrations.statuspage.test_sync import publish_update, with_page
from tests.integrations.test_sync import connect, failure, want_link
from tests.support.integrations.confluence_pages import put, with_confluence, write
from tests.support.interactions import actions_of, having, labels, press, type_command, window

UNKNOWN = "enlarge the pool @Bo Demo"


async def test_find_in_jira_goes_once_the_person_is_found(database_url: str) -> None:
    async with with_jira(database_url) as (play, jira):
        await add_owned_action(play, UNKNOWN)
        asked = having(play, play.ana, "connections_account")
        view = await window(play, play.ana, "connections_account")
        await play.slack.submit(play.ana, view, {"account": "acc-ana"})
        await play.pass_time(seconds=1)
        assert issue(jira)["assignee"] == {"id": "acc-ana"}
        assert labels(shown_now(play, asked)) == []


@pytest.mark.parametrize("since", ["/action done 1", "/action drop 1 not needed", "/action 1 @Ana Demo"])
async def test_find_in_jira_goes_once_the_action_is_over_or_somebody_elses(sqlite_url: str, since: str) -> None:
    async with with_jira(sqlite_url) as (play, _):
        await add_owned_action(play, UNKNOWN)
        asked = having(play, play.ana, "connections_account")
        await type_command(play, play.ana, since)
        await play.settle()
        assert labels(shown_now(play, asked)) == []


async def test_find_in_jira_stays_where_the_account_that_was_named_is_not_known_either(sqlite_url: str) -> None:
    async with with_jira(sqlite_url) as (play, _):
        await add_owned_action(play, UNKNOWN)
        view = await window(play, play.ana, "connections_account")
        await play.slack.submit(play.ana, view, {"account": "nobody@team.example"})
        await play.pass_time(seconds=1)
        await type_command(play, play.ana, "/incident sev 2")
        await play.settle()
        assert labels(having(play, play.ana, "connections_account")) == ["Find in Jira"]


async def test_try_again_goes_with_the_last_failure_of_the_channel(database_url: str) -> None:
    async with connect(database_url) as (play, elsewhere):
        elsewhere.bad_days = [
            failure("Jira has no project OPS.", is_permanent=True, status=400),
            failure("Jira has no field 10.", is_permanent=True, status=400),
        ]
        want_link(play)
        await play.pass_time(seconds=1)
        first = having(play, play.ana, "connections_again")
        want_link(play, "INC-1 action 2")
        await play.pass_time(seconds=1)
        newest = having(play, play.ana, "connections_again")
        assert newest.ts != first.ts
        assert labels(shown_now(play, first)) == []
        want_link(play)  # the first thing was mended, the second was not
        await play.pass_time(seconds=1)
        assert labels(shown_now(play, newest)) == ["Try Jira again"]
        want_link(play, "INC-1 action 2")
        await play.pass_time(seconds=1)
        assert labels(shown_now(play, newest)) == []


async def test_try_again_goes_once_what_failed_is_wanted_no_more(sqlite_url: str) -> None:
    async with connect(sqlite_url) as (play, elsewhere):
        elsewhere.bad_days = [failure("Jira has no project OPS.", is_permanent=True, status=400)]
        want_link(play)
        await play.pass_time(seconds=1)
        warning = having(play, play.ana, "connections_again")
        await type_command(play, play.ana, "/incident rename gone")
        want_link(play)
        await play.pass_time(seconds=1)
        assert labels(shown_now(play, warning)) == []


async def test_an_owners_notice_loses_its_buttons_once_the_action_is_done_in_jira(database_url: str) -> None:
    async with with_jira(database_url) as (play, jira):
        await add_owned_action(play)
        jira.by_hand("OPS-1", duedate="2026-12-22")
        await play.pass_time(minutes=3)
        notice = having(play, play.ana, "action_done", play.slack.dm(play.ana))
        assert "is now due" in notice.plain
        jira.by_hand("OPS-1", status="Done")
        await play.pass_time(minutes=3)
        assert labels(shown_now(play, notice)) == []


@pytest.mark.parametrize("since", ["/action 1 @Bo Demo", "/action done 1", "/action drop 1 not needed"])
async def test_an_owners_notice_loses_its_buttons_once_the_action_is_over_or_somebody_elses(
    sqlite_url: str, since: str
) -> None:
    async with with_jira(sqlite_url) as (play, jira):
        await add_owned_action(play)
        jira.by_hand("OPS-1", duedate="2026-12-22")
        await play.pass_time(minutes=3)
        notice = having(play, play.ana, "action_done", play.slack.dm(play.ana))
        await type_command(play, play.chandra, since)
        await play.settle()
        assert labels(shown_now(play, notice)) == []


async def test_what_somebody_was_told_of_an_action_goes_once_it_is_done_in_jira(sqlite_url: str) -> None:
    async with with_jira(sqlite_url) as (play, jira):
        await type_command(play, play.bo, "/action enlarge the pool @Ana Demo due 2026-12-01")
        await play.pass_time(seconds=1)
        assigned = having(play, play.ana, "action_done", play.slack.dm(play.ana))
        jira.by_hand("OPS-1", status="Done")
        await play.pass_time(minutes=3)
        assert labels(shown_now(play, assigned)) == []


async def test_the_question_about_a_private_incident_goes_once_it_is_public(sqlite_url: str) -> None:
    async with with_jira(sqlite_url) as (play, jira):
        is_made_private(play)
        await add_owned_action(play)
        asked = having(play, play.ana, "connections_agree")
        play.slack.workspace.channels[play.channel].private = False
        play.bot.services.slack.channels.forget(play.channel)
        await type_command(play, play.ana, "/action 1 @Bo Demo")
        await play.pass_time(minutes=3)
        assert len(jira.issues) == 1
        assert actions_of(shown_now(play, asked)) == []


async def test_each_text_to_choose_has_a_button_that_goes_once_it_is_chosen(database_url: str) -> None:
    async with with_confluence(database_url) as (play, wiki):
        await put(play)
        for section in ("leadup", "response"):
            write(wiki, section, "<p>It grew.</p>")
            await fill(play, play.ana, section, "A release.")
        message = await put(play)
        assert actions_of(message) == ["draft_look", "draft_look"]
        first = message.buttons[0][2]
        await press(play, play.bo, "draft_look", first)
        await press(play, play.bo, "draft_keep")
        now = shown_now(play, message)
        assert [button[2] for button in now.buttons] == [message.buttons[1][2]]


async def test_the_last_word_to_customers_is_not_asked_for_any_more_once_they_read_it(sqlite_url: str) -> None:
    async with with_page(sqlite_url) as (play, _):
        await publish_update(play)
        await type_command(play, play.ana, "/incident resolved")
        await play.pass_time(minutes=3)
        asked = having(play, play.ana, "statuspage_form")
        assert "Update them?" in asked.plain
        await publish_update(play, status="resolved", body="It is over.", components=[])
        await play.settle()
        assert labels(shown_now(play, asked)) == []


async def test_the_question_about_a_private_page_goes_once_somebody_agreed(database_url: str) -> None:
    async with with_confluence(database_url) as (play, wiki):
        view = await ask_for_page(play)
        question = having(play, play.bo, "confluence_look")
        await play.slack.submit(play.ana, view)
        await play.pass_time(seconds=1)
        assert len(wiki.pages) == 1
        assert labels(shown_now(play, question)) == []
