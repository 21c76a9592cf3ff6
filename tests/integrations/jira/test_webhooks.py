"""Webhooks of Jira: proven, learnt at once, and what comes late, twice, or from ourselves changes nothing."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import pytest

from bot.domain.records import ActionStatus
from storage import links as links_store
from storage.links import Link
from storage.queues import SyncState
from tests.integrations.jira.test_sync import action, add_owned_action, count_messages, link, with_jira
from tests.support.alert_senders import Reply, send, sign
from tests.support.integrations.fakes.jira import FakeJira
from tests.support.interactions import type_command
from tests.support.play import Play

AGREED = "agreed-with-" + "jira-demo"


@asynccontextmanager
async def with_hook(database_url: str) -> AsyncIterator[tuple[Play, FakeJira]]:
    async with with_jira(database_url, AFTERWORD_JIRA_SECRET=AGREED) as (play, jira):
        await add_owned_action(play)
        yield play, jira


async def tell(play: Play, payload: Any, identifier: str = "", secret: str = AGREED) -> Reply:
    """Jira calls; the answer says how much was new."""
    raw = json.dumps(payload).encode()
    headers = {"X-Hub-Signature": f"sha256={sign(secret, raw)}"}
    named = {"X-Atlassian-Webhook-Identifier": identifier} if identifier else {}
    reply = await send(play, "jira", raw, headers | named)
    await play.settle()
    return reply


async def test_done_there_is_done_here_without_a_look(database_url: str) -> None:
    async with with_hook(database_url) as (play, jira):
        jira.by_hand("OPS-1", status="Done")
        asked = len(jira.seen)
        reply = await tell(play, jira.telling("OPS-1"), "one")
        assert (reply.status, reply.text[:5], len(jira.seen)) == (200, "1 new", asked)
        assert action(play).status is ActionStatus.DONE
        await play.pass_time(minutes=9)
        assert count_messages(play, "OPS-1 is done in Jira, so action 1 of INC-1 is done: enlarge the pool") == 1


async def test_a_telling_that_is_repeated_is_known(database_url: str) -> None:
    async with with_hook(database_url) as (play, jira):
        jira.by_hand("OPS-1", status="Done")
        done = jira.telling("OPS-1")
        assert [(await tell(play, done, "one")).text[:5] for _ in range(3)] == ["1 new", "0 new", "0 new"]
        assert count_messages(play, "is done in Jira") == 1


async def test_what_comes_late_changes_nothing(database_url: str) -> None:
    async with with_hook(database_url) as (play, jira):
        jira.by_hand("OPS-1", duedate="2026-12-05")
        first = jira.telling("OPS-1")
        jira.by_hand("OPS-1", status="Done", duedate="2026-12-09")
        await tell(play, jira.telling("OPS-1"), "two")
        await tell(play, first, "one")
        assert action(play).status is ActionStatus.DONE
        assert count_messages(play, "was reopened") == 0


async def test_what_was_told_before_our_own_change_changes_nothing(database_url: str) -> None:
    async with with_hook(database_url) as (play, jira):
        jira.by_hand("OPS-1", summary="enlarge it twice")
        before = jira.telling("OPS-1")
        await type_command(play, play.ana, "/action done 1")
        await play.pass_time(seconds=1)
        assert jira.issues["OPS-1"]["status"] == "Done"
        await tell(play, before, "one")
        assert action(play).status is ActionStatus.DONE


async def test_what_we_did_ourselves_is_no_news(database_url: str) -> None:
    async with with_hook(database_url) as (play, jira):
        await play.pass_time(minutes=3)
        jira.by_hand("OPS-1", status="Done")
        assert (await tell(play, jira.telling("OPS-1", by="acc-bot"), "one")).text[:5] == "0 new"
        assert action(play).status is ActionStatus.OPEN


async def test_an_issue_opened_again_opens_the_action_again_once(database_url: str) -> None:
    async with with_hook(database_url) as (play, jira):
        jira.by_hand("OPS-1", status="Done")
        await tell(play, jira.telling("OPS-1"), "one")
        jira.by_hand("OPS-1", status="In Progress")
        await tell(play, jira.telling("OPS-1"), "two")
        assert (action(play).status, action(play).closed_at) == (ActionStatus.OPEN, None)
        await play.pass_time(minutes=9)
        assert (
            count_messages(play, "OPS-1 was reopened in Jira, so action 1 of INC-1 is open again: enlarge the pool")
            == 1
        )
        await type_command(play, play.ana, "/action done 1")
        await play.pass_time(seconds=1)
        assert jira.issues["OPS-1"]["status"] == "Done"


async def test_a_date_that_was_changed_there_holds_here(database_url: str) -> None:
    async with with_hook(database_url) as (play, jira):
        jira.by_hand("OPS-1", duedate="2026-12-09", summary="enlarge it twice")
        await tell(play, jira.telling("OPS-1"), "one")
        assert (action(play).due_on, action(play).text) == (date(2026, 12, 9), "enlarge the pool")
        await play.pass_time(minutes=9)
        assert count_messages(play, "OPS-1 is now due Wed 9 Dec in Jira, and so is action 1 of INC-1") == 1
        assert len(jira.find_calls("PUT .*/issue/OPS-1$")) == 0


async def test_somebody_else_in_jira_is_said_and_the_owner_stays(database_url: str) -> None:
    async with with_hook(database_url) as (play, jira):
        jira.by_hand("OPS-1", assignee={"id": "acc-bo-1"})
        await tell(play, jira.telling("OPS-1"), "one")
        await play.pass_time(minutes=9)
        assert (
            count_messages(
                play, "OPS-1 is now assigned to Bo One in Jira. In Slack, action 1 of INC-1 stays with @Ana Demo"
            )
            == 1
        )
        assert action(play).owner == play.ana


async def test_a_deleted_issue_is_told_once_and_refused_with_the_remedy(database_url: str) -> None:
    async with with_hook(database_url) as (play, jira):
        gone = jira.telling("OPS-1", "jira:issue_deleted")
        issue = jira.issues.pop("OPS-1")
        await tell(play, gone, "one")
        assert (link(play).state, action(play).status) == (SyncState.REJECTED, ActionStatus.OPEN)
        await play.pass_time(minutes=9)
        assert count_messages(play, "OPS-1 was deleted in Jira, or this account can't see it anymore. Restore it") == 1
        asked = len(jira.seen)
        await play.pass_time(minutes=9)
        assert len(jira.seen) == asked
        jira.issues["OPS-1"] = issue
        await type_command(play, play.ana, "/action done 1")
        await play.pass_time(seconds=1)
        assert issue["status"] == "Done"


async def test_an_issue_that_was_moved_is_followed_under_its_new_key(database_url: str) -> None:
    async with with_hook(database_url) as (play, jira):
        jira.issues["NEW-7"] = jira.issues.pop("OPS-1")
        jira.by_hand("NEW-7", status="Done")
        items = [{"field": "Key", "fromString": "OPS-1", "toString": "NEW-7"}]
        await tell(play, jira.telling("NEW-7", changelog={"id": "1", "items": items}), "one")
        assert (link(play).external_id, link(play).url) == ("NEW-7", f"{jira.url}/browse/NEW-7")
        assert action(play).status is ActionStatus.DONE


async def test_while_a_call_of_ours_is_under_way_the_next_look_learns_it(database_url: str) -> None:
    async with with_hook(database_url) as (play, jira):
        jira.by_hand("OPS-1", status="Done")
        claim(play, link(play))
        await tell(play, jira.telling("OPS-1"), "one")
        assert action(play).status is ActionStatus.OPEN
        await play.pass_time(minutes=9)
        await play.pass_time(minutes=3)
        assert (action(play).status, count_messages(play, "is done in Jira")) == (ActionStatus.DONE, 1)


def claim(play: Play, found: Link) -> None:
    play.bot.store.write_now(lambda tx: links_store.claim(tx, found, "another", play.clock.now()))


async def test_what_is_not_ours_and_what_means_nothing_is_taken_without_effect(sqlite_url: str) -> None:
    async with with_hook(sqlite_url) as (play, jira):
        jira.file("OPS-99")
        for payload in (jira.telling("OPS-99"), jira.telling("OPS-1", "comment_created"), {"webhookEvent": "x"}):
            reply = await tell(play, payload, "one")
            assert (reply.status, reply.text[:5]) == (200, "0 new")


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"webhookEvent": 5}', b'{"webhookEvent": "jira:issue_updated"}'])
async def test_what_jira_never_sends_is_refused_in_a_sentence(sqlite_url: str, raw: bytes) -> None:
    async with with_hook(sqlite_url) as (play, _):
        reply = await send(play, "jira", raw, {"X-Hub-Signature": f"sha256={sign(AGREED, raw)}"})
        assert (reply.status, 5 < len(reply.text) < 200) == (400, True)


async def test_fields_of_the_wrong_kind_do_no_harm(sqlite_url: str) -> None:
    async with with_hook(sqlite_url) as (play, jira):
        odd: dict[str, Any] = {"status": 5, "assignee": "x", "duedate": [], "updated": {}, "labels": 7}
        values: list[Any] = [odd, None, []]
        for fields in (*values, odd | {"updated": "2031-01-01T00:00:00.000+0000"}):
            payload = jira.telling("OPS-1") | {"issue": {"key": "OPS-1", "fields": fields}, "user": 5, "changelog": []}
            assert (await tell(play, payload)).status == 200
        assert action(play).status is ActionStatus.OPEN


async def test_who_proves_nothing_is_turned_away(sqlite_url: str) -> None:
    async with with_hook(sqlite_url) as (play, jira):
        jira.by_hand("OPS-1", status="Done")
        payload = jira.telling("OPS-1")
        raw = json.dumps(payload).encode()
        assert (await send(play, "jira", raw, {})).status == 401
        for signature in ("", "sha256=", sign(AGREED, raw), f"sha1={sign(AGREED, raw)}", "sha256=sch\u00fc"):
            assert (await send(play, "jira", raw, {"X-Hub-Signature": signature})).status == 403
        assert (await tell(play, payload, secret="another-" + "secret-of-somebody")).status == 403
        assert action(play).status is ActionStatus.OPEN


async def test_without_its_secret_there_is_no_way_in(sqlite_url: str) -> None:
    async with with_jira(sqlite_url) as (play, jira):
        await add_owned_action(play)
        assert (await tell(play, jira.telling("OPS-1"))).status == 404
