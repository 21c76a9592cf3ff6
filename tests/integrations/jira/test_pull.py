"""What a poll of Jira finds, and what it must never cause: two messages, two issues, or a false message."""

from datetime import date, timedelta

from bot.domain.records import ActionStatus
from storage.queues import SyncState
from tests.handlers.test_redaction import LEAK
from tests.handlers.test_secrets import PASSWORD
from tests.integrations.jira.test_sync import action, add_owned_action, count_messages, issue, link, with_jira
from tests.slack.test_directory import GROUP, with_group
from tests.support.integrations.fakes.days import refuse_with
from tests.support.interactions import press, type_command, window
from tests.support.play import Play
from tests.support.replicas import both

TROUBLE = refuse_with(503, {})


async def test_an_issue_opened_again_opens_the_action_again_once(database_url: str) -> None:
    async with with_jira(database_url) as (play, jira):
        await add_owned_action(play)
        await type_command(play, play.ana, "/action done 1")
        await play.pass_time(seconds=1)
        await play.pass_time(minutes=3)
        jira.by_hand("OPS-1", status="To Do")
        await play.pass_time(minutes=3)
        await play.pass_time(minutes=3)
        assert action(play).status is ActionStatus.OPEN
        assert count_messages(play, "OPS-1 was reopened in Jira") == 1


async def test_an_action_done_here_is_not_opened_by_a_jira_that_was_not_told_yet(database_url: str) -> None:
    async with with_jira(database_url) as (play, jira):
        await add_owned_action(play)
        jira.next_time("GET .*/transitions$", *[refuse_with(403, {})] * 2)
        await type_command(play, play.ana, "/action done 1")
        await play.pass_time(seconds=1)
        jira.by_hand("OPS-1", status="In Progress")
        await play.pass_time(minutes=9)
        assert (action(play).status, link(play).state) == (ActionStatus.DONE, SyncState.REJECTED)


async def test_done_there_is_done_here_even_where_an_edit_is_refused(database_url: str) -> None:
    async with with_jira(database_url) as (play, jira):
        await add_owned_action(play)
        jira.unseen_fields = {"duedate"}
        view = await window(play, play.ana, "action_date")
        await play.slack.submit(play.ana, view, {"due": "2026-12-08"})
        await play.pass_time(seconds=1)
        assert link(play).state == SyncState.REJECTED
        jira.by_hand("OPS-1", status="Done")
        await play.pass_time(minutes=3)
        assert action(play).status is ActionStatus.DONE


async def test_a_date_changed_on_both_sides_is_ours(database_url: str) -> None:
    async with with_jira(database_url) as (play, jira):
        await add_owned_action(play)
        jira.by_hand("OPS-1", duedate="2026-12-24")
        view = await window(play, play.ana, "action_date")
        await play.slack.submit(play.ana, view, {"due": "2026-12-08"})
        await play.pass_time(seconds=1)
        await play.pass_time(minutes=3)
        assert (issue(jira)["duedate"], action(play).due_on) == ("2026-12-08", date(2026, 12, 8))


async def test_a_date_changed_there_shortly_before_an_edit_of_ours_is_not_lost(database_url: str) -> None:
    async with with_jira(database_url) as (play, jira):
        await add_owned_action(play)
        jira.by_hand("OPS-1", duedate="2026-12-22")
        await play.pass_time(minutes=3)
        jira.by_hand("OPS-1", duedate="2026-12-24")
        await hand_over(play, owner=play.bo)
        await play.pass_time(minutes=3)
        assert (issue(jira)["duedate"], action(play).due_on) == ("2026-12-24", date(2026, 12, 24))


async def hand_over(play: Play, **to: str) -> None:
    """Ana hands the action over, from the message that says that its date was changed in Jira."""
    view = await window(play, play.ana, "action_hand_over", play.slack.dm(play.ana))
    assert (await play.slack.submit(play.ana, view, to)).ok
    await play.pass_time(seconds=1)


async def test_an_owner_whom_nobody_knows_there_leaves_the_work_item_to_nobody(database_url: str) -> None:
    async with with_jira(database_url) as (play, jira):
        await add_owned_action(play)
        jira.by_hand("OPS-1", duedate="2026-12-22")
        await play.pass_time(minutes=3)
        await hand_over(play, owner=play.chandra)
        assert issue(jira)["assignee"] is None
        assert count_messages(play, "It's unassigned: I couldn't find @Chandra Demo in Jira.") == 1


async def test_a_credential_leaves_for_jira_only_masked(sqlite_url: str) -> None:
    async with with_jira(sqlite_url) as (play, jira):
        await add_owned_action(play, f"look into {LEAK}")
        assert PASSWORD not in str(jira.seen)
        assert issue(jira)["summary"].startswith("look into the password=")
        jira.by_hand("OPS-1", status="Done")
        await play.pass_time(minutes=3)
        assert count_messages(play, "OPS-1 is done in Jira") == 1
        assert not [message for message in play.slack.messages(play.channel) if PASSWORD in str(message.blocks)]


async def test_what_was_asked_of_an_overdue_action_is_answered_by_its_end_in_jira(sqlite_url: str) -> None:
    async with with_jira(sqlite_url) as (play, jira):
        await add_owned_action(play, "enlarge the pool @Bo Demo due tomorrow")
        await play.pass_time(days=2, hours=2)
        room = play.slack.dm(play.bo)
        assert "enlarge the pool" in play.slack.messages(room)[-1].plain
        jira.by_hand("OPS-1", status="Done")
        await play.pass_time(minutes=3)
        await play.settle()
        handover, digest, told_of_it = (message.plain for message in play.slack.messages(room))
        assert handover == ":bell: ~Action 1:~ enlarge the pool – it's done."
        assert "nothing is overdue anymore" in digest
        assert "OPS-1 is done in Jira" in told_of_it


async def test_an_issue_that_was_deleted_is_found_by_looking_and_told_once(database_url: str) -> None:
    async with with_jira(database_url) as (play, jira):
        await add_owned_action(play)
        del jira.issues["OPS-1"]
        for _ in range(4):
            await play.pass_time(minutes=3)
        assert count_messages(play, "OPS-1 was deleted in Jira, or this account can't see it anymore.") == 1
        assert (link(play).state, action(play).status) == (SyncState.REJECTED, ActionStatus.OPEN)


async def test_several_that_are_hidden_at_once_are_told_once_and_come_back_with_a_click(
    database_url: str,
) -> None:
    async with with_jira(database_url) as (play, jira):
        for text in ("enlarge the pool", "alert on the pool", "halve the batch"):
            await add_owned_action(play, text)
        hidden = dict(jira.issues)
        jira.issues.clear()
        for _ in range(3):
            await play.pass_time(minutes=3)
        assert count_messages(play, "Several work items were deleted in Jira at once") == 1
        assert count_messages(play, ":warning:") == 1
        jira.issues |= hidden
        await press(play, play.ana, "connections_again")
        await play.pass_time(seconds=1)
        assert [link(play, number).state for number in (1, 2, 3)] == [SyncState.IN_SYNC] * 3
        jira.by_hand("OPS-2", status="Done")
        await play.pass_time(minutes=3)
        assert action(play, 2).status is ActionStatus.DONE


async def test_nobody_counts_on_the_deleted_issue_of_a_done_action(database_url: str) -> None:
    async with with_jira(database_url) as (play, jira):
        await add_owned_action(play)
        await type_command(play, play.ana, "/action done 1")
        await play.pass_time(seconds=1)
        del jira.issues["OPS-1"]
        await play.pass_time(minutes=9)
        assert (link(play).state, count_messages(play, ":warning:")) == ("let go", 0)


async def test_two_bots_learn_a_thing_once(postgres_url: str) -> None:
    async with with_jira(postgres_url) as (play, jira):
        await add_owned_action(play)
        await add_owned_action(play, "alert on the pool")
        for key in ("OPS-1", "OPS-2"):
            jira.by_hand(key, status="Done")
        play.clock.advance(timedelta(minutes=3))
        await both(play)
        assert count_messages(play, "is done in Jira") == 2


async def test_two_bots_make_a_thing_once(postgres_url: str) -> None:
    async with with_jira(postgres_url) as (play, jira):
        for number in range(6):
            await type_command(play, play.ana, f"/action step {number}")
        await both(play)
        await play.pass_time(seconds=1)
        assert sorted(each["summary"] for each in jira.issues.values()) == [f"step {number}" for number in range(6)]


async def test_what_fails_after_the_making_never_makes_it_twice(database_url: str) -> None:
    async with with_jira(database_url) as (play, jira):
        jira.search_lags = True
        jira.next_time("POST .*/remotelink$", *[TROUBLE] * 3)
        await add_owned_action(play)
        await play.pass_time(seconds=5)
        assert (len(jira.issues), len(jira.links), link(play).state) == (1, 1, SyncState.IN_SYNC)
        assert count_messages(play, "Action 1 of INC-1 is OPS-1 in Jira.") == 1


async def test_who_left_is_not_assigned_and_the_work_item_is_made_all_the_same(database_url: str) -> None:
    async with with_jira(database_url) as (play, jira):
        await add_owned_action(play, "enlarge the pool @Bo Demo")
        view = await window(play, play.ana, "connections_account")
        await play.slack.submit(play.ana, view, {"account": "acc-left"})
        await play.pass_time(seconds=1)
        assert count_messages(play, "doesn't let that person be assigned in OPS") == 1
        await add_owned_action(play, "alert on the pool @Bo Demo")
        assert issue(jira, "OPS-2").get("assignee") is None
        assert (
            count_messages(play, "Action 2 of INC-1 is OPS-2 in Jira. It's unassigned: I couldn't find @Bo Demo") == 1
        )


async def test_a_group_and_nobody_are_said_as_what_they_are(database_url: str) -> None:
    async with with_jira(database_url) as (play, jira):
        with_group(play)
        await add_owned_action(play)
        await add_owned_action(play, "alert on the pool")
        jira.by_hand("OPS-1", duedate="2026-12-22")
        await play.pass_time(minutes=3)
        await hand_over(play, group="@oncall")
        assert action(play).owner == GROUP
        assert [each.get("assignee") for each in jira.issues.values()] == [None, None]
        assert count_messages(play, "It's unassigned, since Jira can't assign a group.") == 1
        assert count_messages(play, "Action 2 of INC-1 is OPS-2 in Jira. It doesn't have an owner yet.") == 1


async def test_a_closed_sprint_is_said_in_jira_s_words(sqlite_url: str) -> None:
    async with with_jira(sqlite_url) as (play, jira):
        closed = {"errorMessages": [], "errors": {"customfield_20": "Sprint 41 is closed."}}
        jira.next_time("POST .*/issue$", refuse_with(400, closed))
        await add_owned_action(play)
        await play.pass_time(hours=3)
        assert (link(play).state, count_messages(play, "customfield_20: Sprint 41 is closed.")) == (
            SyncState.REJECTED,
            1,
        )


async def test_a_project_that_allows_nobody_says_so_of_an_owner_whom_it_does_not_know(sqlite_url: str) -> None:
    async with with_jira(sqlite_url) as (play, jira):
        await add_owned_action(play)
        jira.by_hand("OPS-1", duedate="2026-12-22")
        await play.pass_time(minutes=3)
        jira.demands_assignee = True
        await hand_over(play, owner=play.chandra)
        assert (link(play).state, count_messages(play, "requires an assignee in OPS")) == (SyncState.REJECTED, 1)
        assert issue(jira)["assignee"] == {"id": "acc-ana"}
