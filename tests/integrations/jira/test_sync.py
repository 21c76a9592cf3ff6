"""Actions in Jira: created once, kept in sync, done here when done there; and no one ever waits for it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.domain.records import Action, ActionStatus
from storage import audit as audit_store
from storage import links as links_store
from storage.links import Link
from storage.queues import SyncState
from tests.support.integrations.clients import EMAIL, SECRET
from tests.support.integrations.fakes.days import BadDay, refuse_with
from tests.support.integrations.fakes.jira import FakeJira
from tests.support.interactions import on_stage, open_incident, press, type_command, window
from tests.support.play import TEAM, Play


@asynccontextmanager
async def with_jira(database_url: str, *, slack_refuses: str = "", **more: str) -> AsyncIterator[tuple[Play, FakeJira]]:
    jira = FakeJira()
    async with jira.serving() as url:
        environ = {
            "AFTERWORD_JIRA_URL": url,
            "AFTERWORD_JIRA_EMAIL": EMAIL,
            "AFTERWORD_JIRA_TOKEN": SECRET,
            "AFTERWORD_JIRA_PROJECT": "OPS",
            "AFTERWORD_JIRA_FIELDS": '{"customfield_10": {"value": "Ops"}}',
        }
        async with on_stage(database_url, refused=[slack_refuses], environ=environ | more) as play:
            await play.slack.change_person(play.ana, email="ana@team.example")
            await open_incident(play)
            yield play, jira


def action(play: Play, number: int = 1) -> Action:
    return play.case().actions[number - 1]


def link(play: Play, number: int = 1) -> Link:
    found = play.bot.store.read_now(lambda tx: links_store.find(tx, TEAM, "jira", f"INC-1 action {number}"))
    assert found is not None
    return found


def channel(play: Play) -> list[str]:
    """What was said to all: in the channel, or in a DM to the owner of an action."""
    places = (play.channel, *map(play.slack.dm, (play.ana, play.bo, play.chandra)))
    return [message.plain for place in places for message in play.slack.messages(place)]


def count_messages(play: Play, words: str) -> int:
    return sum(words in message for message in channel(play))


async def add_owned_action(play: Play, text: str = "enlarge the pool @Ana Demo due 2026-12-01") -> None:
    await type_command(play, play.ana, f"/action {text}")
    await play.pass_time(seconds=1)


def issue(jira: FakeJira, key: str = "OPS-1") -> dict[str, Any]:
    return jira.issues[key]


async def test_an_action_becomes_a_work_item_with_owner_date_and_a_way_back(database_url: str) -> None:
    async with with_jira(database_url) as (play, jira):
        await add_owned_action(play)
        assert issue(jira)["summary"] == "enlarge the pool"
        assert (issue(jira)["assignee"], issue(jira)["duedate"]) == ({"id": "acc-ana"}, "2026-12-01")
        assert {"postmortem", "inc-1"} < set(issue(jira)["labels"])
        assert issue(jira)["customfield_10"] == {"value": "Ops"}
        assert "A corrective action of INC-1" in str(issue(jira)["description"])
        ((key, _), there) = next(iter(jira.links.items()))
        assert (key, there["title"]) == ("OPS-1", "INC-1 in Slack: Checkout is failing")
        assert f"channel={play.channel}" in there["url"]
        assert action(play).link == f"{jira.url}/browse/OPS-1"
        assert count_messages(play, "Action 1 of INC-1 is OPS-1 in Jira.") == 1


async def test_an_edit_here_follows_and_an_edit_there_stays(database_url: str) -> None:
    async with with_jira(database_url) as (play, jira):
        await add_owned_action(play)
        issue(jira)["summary"] = "enlarge the pool to 200"
        view = await window(play, play.ana, "action_date")
        await play.slack.submit(play.ana, view, {"due": "2026-12-08"})
        await play.pass_time(seconds=1)
        assert (issue(jira)["duedate"], issue(jira)["summary"]) == ("2026-12-08", "enlarge the pool to 200")
        assert len(jira.issues) == 1


async def test_done_here_is_done_there(database_url: str) -> None:
    async with with_jira(database_url) as (play, jira):
        await add_owned_action(play)
        await type_command(play, play.ana, "/action done 1")
        await play.pass_time(seconds=1)
        assert issue(jira)["status"] == "Done"
        assert link(play).state == SyncState.IN_SYNC


async def test_done_there_is_done_here(database_url: str) -> None:
    async with with_jira(database_url) as (play, jira):
        await add_owned_action(play)
        issue(jira)["status"] = "Done"
        await play.pass_time(minutes=3)
        assert action(play).status is ActionStatus.DONE
        await play.pass_time(minutes=30)
        assert count_messages(play, "OPS-1 is done in Jira, so action 1 of INC-1 is done: enlarge the pool") == 1
        assert len([seen for seen in jira.seen if seen.path.endswith("/transitions")]) == 0
        assert [deed.verb for deed in _audit(play)][-1] == "jira.done"


def _audit(play: Play) -> Any:
    row = play.case().incident.id
    return play.bot.store.read_now(lambda tx: audit_store.list_all(tx, row))


async def test_an_owner_whom_jira_does_not_know_is_said_and_can_be_chosen(database_url: str) -> None:
    async with with_jira(database_url) as (play, jira):
        await add_owned_action(play, "enlarge the pool @Bo Demo")
        assert issue(jira).get("assignee") is None
        assert count_messages(play, "It's unassigned: I couldn't find @Bo Demo in Jira.") == 1
        view = await window(play, play.ana, "connections_account")
        await play.slack.submit(play.ana, view, {"account": "acc-ana"})
        await play.pass_time(seconds=1)
        assert issue(jira)["assignee"] == {"id": "acc-ana"}
        await add_owned_action(play, "alert on the pool @Bo Demo")
        assert issue(jira, "OPS-2")["assignee"] == {"id": "acc-ana"}


async def test_a_work_item_that_was_made_before_the_line_broke_is_found_and_not_made_again(database_url: str) -> None:
    async with with_jira(database_url) as (play, jira):
        jira.next_time("POST .*/issue$", BadDay(acts=True, resets=True))
        await add_owned_action(play)
        assert (len(jira.issues), link(play).is_unsure) == (1, True)
        await play.pass_time(minutes=5)
        assert (len(jira.issues), link(play).external_id) == (1, "OPS-1")


async def test_a_project_that_wants_an_assignee_is_told_with_what_to_do(database_url: str) -> None:
    async with with_jira(database_url) as (play, jira):
        jira.demands_assignee = True
        await add_owned_action(play, "enlarge the pool")
        assert link(play).state == SyncState.REJECTED
        assert count_messages(play, "INC-1 action 1: ") == 1
        jira.demands_assignee = False
        await press(play, play.ana, "connections_again")
        await play.pass_time(seconds=1)
        assert link(play).state == SyncState.IN_SYNC


async def test_a_work_item_that_was_deleted_is_told_once(database_url: str) -> None:
    async with with_jira(database_url) as (play, jira):
        await add_owned_action(play)
        del jira.issues["OPS-1"]
        await type_command(play, play.ana, "/action done 1")
        await play.pass_time(seconds=1)
        await play.pass_time(hours=3)
        assert link(play).state == SyncState.REJECTED
        assert count_messages(play, "INC-1 action 1: ") == 1
        assert play.case().actions[0].status is ActionStatus.DONE


async def test_jira_in_trouble_holds_nobody_up_and_catches_up(database_url: str) -> None:
    async with with_jira(database_url) as (play, jira):
        jira.next_time("POST .*/issue$", *[refuse_with(503, {}, **{"Retry-After": "60"})] * 3)
        await add_owned_action(play)
        assert "enlarge" in action(play).text
        await type_command(play, play.ana, "/timeline restarted the pool")
        for _ in range(3):
            assert not jira.issues
            await play.pass_time(seconds=61)
        assert len(jira.issues) == 1


async def test_a_dropped_action_is_never_made_and_a_made_one_is_finished(database_url: str) -> None:
    async with with_jira(database_url) as (play, jira):
        jira.next_time("POST .*/issue$", refuse_with(503, {}, **{"Retry-After": "60"}))
        await add_owned_action(play, "enlarge the pool")
        await type_command(play, play.ana, "/action drop 1 not needed")
        await play.pass_time(minutes=2)
        assert jira.issues == {}
        await add_owned_action(play, "alert on it")
        await type_command(play, play.ana, "/action drop 2 not needed")
        await play.pass_time(seconds=1)
        assert issue(jira)["status"] == "Won't do"


@pytest.mark.parametrize("trouble", ["ratelimited", "internal_error"])
async def test_a_slack_that_does_not_say_who_is_who_leaves_nobody_unassigned(sqlite_url: str, trouble: str) -> None:
    async with with_jira(sqlite_url, slack_refuses=trouble) as (play, jira):
        await type_command(play, play.ana, "/action enlarge the pool @Ana Demo")
        play.slack.fail("users.info", trouble, retry_after=60)
        await play.pass_time(seconds=1)
        assert jira.issues == {}
        await play.pass_time(minutes=2)
        assert issue(jira)["assignee"] == {"id": "acc-ana"}
        assert count_messages(play, "I couldn't find") == 0


async def test_a_slack_that_may_not_say_it_leaves_the_work_item_to_nobody_and_says_so(sqlite_url: str) -> None:
    async with with_jira(sqlite_url, slack_refuses="missing_scope") as (play, jira):
        await type_command(play, play.ana, "/action enlarge the pool @Ana Demo")
        play.slack.fail("users.info", "missing_scope", times=1)
        await play.pass_time(seconds=1)
        assert issue(jira).get("assignee") is None
        assert count_messages(play, "It's unassigned: I couldn't find @Ana Demo") == 1


async def test_redacted_words_leave_the_work_item_by_themselves(database_url: str) -> None:
    async with with_jira(database_url) as (play, jira):
        await type_command(play, play.ana, "/incident title Zephyrine Quast cannot pay")
        await add_owned_action(play, "call Zephyrine Quast @Ana Demo due 2026-12-01")
        assert "Quast" in issue(jira)["summary"]
        assert "Quast" in str(jira.links)
        await type_command(play, play.ana, "/timeline Zephyrine Quast called")
        await type_command(play, play.ana, '/timeline redact 3 "Zephyrine Quast"')
        await play.pass_time(seconds=1)
        await play.settle()
        assert issue(jira)["summary"] == "call [redacted]"
        assert "Quast" not in f"{jira.issues} {jira.links} {link(play).memo}"
