"""A private incident's actions: nothing goes to Jira before the channel agreed, and then only masked copies."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from storage.queues import SyncState
from tests.handlers.test_audit import deeds
from tests.handlers.test_outdated_buttons import shown_now
from tests.handlers.test_stale_buttons import press_old
from tests.integrations.confluence.test_private_incidents import is_made_private
from tests.integrations.jira.test_sync import add_owned_action, count_messages, issue, link, with_jira
from tests.support.integrations.fakes.jira import FakeJira
from tests.support.interactions import actions_of, having, press, type_command
from tests.support.play import Play

LEAK = "tell jo@customer.example of 10.1.2.3 @Ana Demo due 2026-12-01"


@asynccontextmanager
async def in_private(url: str) -> AsyncIterator[tuple[Play, FakeJira]]:
    async with with_jira(url) as (play, jira):
        is_made_private(play)
        yield play, jira


async def test_nothing_of_a_private_incident_goes_to_jira_before_somebody_agreed(database_url: str) -> None:
    async with in_private(database_url) as (play, jira):
        await add_owned_action(play, LEAK)
        await add_owned_action(play, "change the keys")
        await play.pass_time(hours=3)
        assert jira.issues == {}
        assert [call for call in jira.seen if call.method != "GET"] == []
        assert link(play).state == SyncState.REJECTED
        assert count_messages(play, "*INC-1* is private") == 1
        asks = having(play, play.ana, "connections_agree").plain
        assert "tell [masked] of [masked]" in asks
        assert "jo@customer.example" not in asks


async def test_agreed_to_it_goes_masked_with_every_action_to_come(database_url: str) -> None:
    async with in_private(database_url) as (play, jira):
        await add_owned_action(play, LEAK)
        await press(play, play.ana, "connections_agree")
        await play.pass_time(seconds=1)
        assert issue(jira)["summary"] == "tell [masked] of [masked]"
        await add_owned_action(play, "forget 10.9.9.9")
        assert issue(jira, "OPS-2")["summary"] == "forget [masked]"
        await type_command(play, play.ana, "/action done 2")
        await play.pass_time(seconds=1)
        assert issue(jira, "OPS-2")["status"] == "Done"
        assert not any(word in str((jira.seen, jira.links)) for word in ("customer.example", "10.1.2.3", "10.9.9.9"))
        assert count_messages(play, "@Ana Demo is sending the corrective actions of *INC-1* to Jira") == 1
        assert ("Ana Demo", "jira.agree", "masked actions into Jira") in deeds(play)


async def test_one_that_became_private_is_asked_about_before_what_changed_there_leaves(sqlite_url: str) -> None:
    async with with_jira(sqlite_url) as (play, jira):
        await add_owned_action(play)
        is_made_private(play)
        await type_command(play, play.ana, "/action done 1")
        await play.pass_time(seconds=1)
        assert issue(jira)["status"] == "To Do"
        await press(play, play.ana, "connections_agree")
        await play.pass_time(seconds=1)
        assert (len(jira.issues), issue(jira)["status"]) == (1, "Done")


async def test_agreed_to_twice_is_said(sqlite_url: str) -> None:
    async with in_private(sqlite_url) as (play, _):
        await add_owned_action(play)
        asked = having(play, play.ana, "connections_agree")
        await press(play, play.ana, "connections_agree")
        assert "connections_agree" not in actions_of(shown_now(play, asked))
        heard = await press_old(play, play.bo, asked, "connections_agree")
        assert "are in Jira already, or on their way" in heard


async def test_where_slack_does_not_say_who_can_read_no_action_leaves_and_it_is_tried_later(sqlite_url: str) -> None:
    async with with_jira(sqlite_url, slack_refuses="internal_error") as (play, jira):
        play.bot.services.slack.channels.forget(play.channel)
        play.slack.fail("conversations.info", "internal_error")
        await type_command(play, play.ana, "/action enlarge the pool")
        await play.bot.sync_workers.run_due(play.clock.now())
        assert jira.issues == {}
        await play.pass_time(minutes=2)
        assert len(jira.issues) == 1
