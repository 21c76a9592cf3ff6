"""What people type in a hurry, or who know other tools: it does what they meant, or says in a sentence what to type."""

from datetime import date

import pytest

from bot.domain.records import ActionStatus, Milestone, Status
from tests.support.interactions import labels, last, on_stage, open_incident, type_command
from tests.support.play import Play


async def _with_actions(play: Play) -> None:
    await open_incident(play)
    await type_command(play, play.ana, "/action add a load test @Bo Demo due 2026-12-01")
    await type_command(play, play.ana, "/action write the runbook")


async def test_an_incident_can_be_renamed_once_it_is_known_what_is_wrong(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await type_command(play, play.ana, "/incident open")
        await play.settle()
        answer = await type_command(play, play.bo, "/incident rename  Payments   are down")
        assert answer == "*INC-1* is now called Payments are down (was Untitled incident)."
        assert last(play, play.bo).ephemeral_for == play.bo
        await play.settle()
        case = play.case()
        assert case.incident.title == "Payments are down"
        assert case.incident.status is Status.OPEN
        assert case.entries[-1].text == "Renamed from Untitled incident to Payments are down"
        assert any("INC-1 Payments are down" in message.plain for message in play.slack.messages(play.channel))
        assert "is already called that" in await type_command(play, play.ana, "/incident title Payments are down")
        assert "at most 300 characters" in await type_command(play, play.ana, f"/incident rename {'x' * 301}")
        assert "`/incident rename checkout" in await type_command(play, play.ana, "/incident rename")


@pytest.mark.parametrize(
    ("typed", "reached"),
    [("close 13:20", Milestone.RESOLVED), ("closed", Milestone.RESOLVED), ("ack", Milestone.ACKNOWLEDGED),
     ("acknowledge 13:20 looking", Milestone.ACKNOWLEDGED)],
)  # fmt: skip
async def test_the_words_of_other_tools_reach_the_milestone(sqlite_url: str, typed: str, reached: Milestone) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, f"/incident {typed}")
        assert reached in [entry.milestone for entry in play.case().entries]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("/incident declare payments down", "/incident open"), ("/incident done", "/incident help"),
     ("/postmortem summary", "/postmortem fill summary"), ("/postmortem root_cause", "/postmortem fill root cause"),
     ("/postmortem done", "/postmortem help"), ("/postmortem fill poetry", "/postmortem fill impact"),
     ("/postmortem fill re", "/postmortem fill impact"), ("/why because", "/why because the connection pool ran out"),
     ("/why because …", "/why because the connection pool ran out"), ("/why delete", "/why delete 1"),
     ("/action done", "/action done 1"), ("/action undo", "/action reopen 1"),
     ("/action edit", "/action edit 1 cap the retries at 3")],
)  # fmt: skip
async def test_half_a_command_writes_nothing_and_names_the_whole(sqlite_url: str, typed: str, meant: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        assert f"`{meant}`" in await type_command(play, play.ana, typed)
        case = play.case()
        assert (len(case.entries), case.whys, case.actions) == (1, (), ())


@pytest.mark.parametrize("typed", ["/incident status", "/incident show", "/postmortem status", "/postmortem show"])
async def test_who_asks_for_the_status_reads_it(sqlite_url: str, typed: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        assert "Checkout is failing" in await type_command(play, play.ana, typed)


@pytest.mark.parametrize(
    ("typed", "title"),
    [("fill", "Root cause"), ("fill impact", "Impact"), ("edit Root cause", "Root cause"),
     ("fill lessons", "Lessons learned"), ("fill BACKLOG", "Backlog check")],
)  # fmt: skip
async def test_a_section_is_filled_by_its_name(sqlite_url: str, typed: str, title: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, f"/postmortem {typed}")
        await play.settle()
        (view,) = play.slack.views(play.ana)
        assert view.title == title


@pytest.mark.parametrize("typed", ["done #1", "1 done", "close 1", "finish 1", "#1 is done"])
async def test_an_action_is_done_in_any_order_of_words(sqlite_url: str, typed: str) -> None:
    async with on_stage(sqlite_url) as play:
        await _with_actions(play)
        assert "Action 1 of INC-1 is done" in await type_command(play, play.ana, f"/action {typed}")
        assert play.case().actions[0].status is ActionStatus.DONE


@pytest.mark.parametrize("typed", ["1 friday", "move 1 friday", "1 due friday"])
async def test_an_action_gets_a_new_date_as_in_a_direct_message(sqlite_url: str, typed: str) -> None:
    async with on_stage(sqlite_url) as play:
        await _with_actions(play)
        assert "Action 1 of INC-1 is now due Fri 27 Nov" in await type_command(play, play.ana, f"/action {typed}")
        assert [action.due_on for action in play.case().actions] == [date(2026, 11, 27), None]


async def test_an_action_closed_by_mistake_is_opened_again(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await _with_actions(play)
        assert "is already open" in await type_command(play, play.ana, "/action reopen 1")
        for closing in ("done 1", "drop 1 not needed"):
            await type_command(play, play.ana, f"/action {closing}")
            assert "`/action reopen 1`" in await type_command(play, play.ana, "/action 1")
            assert "Action 1 of INC-1 is open again: add a load test" in await type_command(
                play, play.ana, "/action reopen 1"
            )
            action = play.case().actions[0]
            assert (action.status, action.reason, action.closed_at) == (ActionStatus.OPEN, "", None)
        assert "has no action 9" in await type_command(play, play.ana, "/action reopen 9")


@pytest.mark.parametrize("typed", ["2", "#2", "show 2", "edit 2"])
async def test_one_action_is_shown_with_all_that_can_be_done_about_it(sqlite_url: str, typed: str) -> None:
    async with on_stage(sqlite_url) as play:
        await _with_actions(play)
        assert "*2.* write the runbook\nno owner yet · no due date yet" in await type_command(
            play, play.ana, f"/action {typed}"
        )
        seen = last(play, play.ana)
        assert seen.ephemeral_for == play.ana
        assert labels(seen) == ["Done", "New date", "Hand over", "Won't do …", "Owner, date, link", "Edit"]


@pytest.mark.parametrize(
    "typed", ["1 more replica in Oregon", "edit two runbooks", "move 3 services due friday", "done deals need a review"]
)
async def test_what_only_begins_like_a_sub_command_is_to_be_done(sqlite_url: str, typed: str) -> None:
    async with on_stage(sqlite_url) as play:
        await _with_actions(play)
        await type_command(play, play.ana, f"/action {typed}")
        assert play.case().actions[-1].text == typed.removesuffix(" due friday")


async def test_a_new_action_offers_an_owner_where_it_has_none(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/action write the runbook")
        offered = ["Edit", "New date", "Hand over", "Done", "Won't do …"]
        assert labels(last(play, play.ana)) == [*offered, "Owner, date, link"]
        await type_command(play, play.ana, "/action add a load test @Bo Demo due friday")
        assert labels(last(play, play.ana)) == offered


@pytest.mark.parametrize(("typed", "is_odd"), [("list", True), ("remove 4", True), ("edit", True), ("undo that", True),
                                               ("show 2-4", True), ("show stopped loading in Europe", False),
                                               ("list of hosts lost", False), ("failed over", False)])  # fmt: skip
async def test_an_entry_that_reads_like_a_command_says_where_those_are(
    sqlite_url: str,
    typed: str,
    is_odd: bool,
) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        answer = await type_command(play, play.ana, f"/timeline {typed}")
        assert ("Recorded as an entry. For commands: `/timeline help`" in answer) is is_odd
        assert play.case().entries[-1].text == typed


async def test_in_a_direct_message_a_command_says_where_incidents_live(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        for typed in ("/timeline failed over", "/incident", "/why because it was full", "/action add a load test"):
            answer = await type_command(play, play.ana, typed, play.slack.dm(play.ana))
            assert answer.startswith("Incidents belong to channels, not to direct messages.")
            assert labels(last(play, play.ana, play.slack.dm(play.ana))) == ["Open an incident"]
