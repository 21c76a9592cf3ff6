"""[Milestone] on the live message: a small window for what was reached, when, and in which words."""

import pytest

from bot.domain.records import Milestone, Status
from bot.rehearsal.screen import ShownView
from tests.support.interactions import having, labels, last, on_stage, open_incident, type_command, window
from tests.support.play import Play


def marks(play: Play) -> list[tuple[str, str, str]]:
    """Each milestone's word, time and text."""
    entries = play.case().entries
    return [(str(one.milestone), f"{one.happened_at:%H:%M}", one.text) for one in entries if one.milestone]


def proposed_milestone(view: ShownView) -> str:
    """The milestone that the window has chosen already."""
    (menu,) = (block["element"] for block in view.blocks if block.get("block_id") == "milestone")
    return str(menu["initial_option"]["value"])


async def test_the_live_message_says_how_it_stands_and_what_can_be_done(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/incident sev 2")
        await type_command(play, play.ana, "/incident lead me")
        await type_command(play, play.bo, "/timeline failed over")
        await play.settle()
        card = having(play, play.chandra, "incident_milestone")
        for words in ("Open", "sev2", "Lead: *Ana Demo*", "`12:30 UTC` failed over — Bo Demo #4"):
            assert words in card.plain
        assert labels(card) == [
            "Add entry",
            "Resolved",
            "Mitigated",
            "Milestone",
            "Whole timeline",
            "Services and tags",
        ]
        assert "*Next:* Ana Demo says when it's mitigated: `/incident mitigated`" in card.plain


async def test_a_milestone_with_time_and_words_is_recorded_and_seen_by_all_in_the_live_message(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        view = await window(play, play.ana, "incident_milestone")
        assert "Berlin time, unless you add a zone" in view.plain
        answer = await play.slack.submit(
            play.ana, view, {"milestone": "detected", "when": "13:05", "text": "14:00 is when the alert was due"}
        )
        assert answer.ok
        assert answer.errors == {}
        await play.settle()
        assert marks(play) == [("detected", "12:05", "14:00 is when the alert was due")]
        assert "INC-1 detected* at 12:05 UTC (13:05 Berlin)" in last(play, play.ana).plain
        (card,) = play.slack.messages(play.channel, user=play.bo)
        assert "Detected 12:05 UTC" in card.plain
        assert "14:00 is when the alert was due — Ana Demo #2" in card.plain


@pytest.mark.parametrize("milestone", list(Milestone))
async def test_each_milestone_can_be_marked_as_of_now_without_a_word(sqlite_url: str, milestone: Milestone) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        view = await window(play, play.bo, "incident_milestone")
        await play.slack.submit(play.bo, view, {"milestone": str(milestone)})
        await play.settle()
        ((word, time, _),) = marks(play)
        assert (word, time) == (str(milestone), "12:30")


async def test_the_window_proposes_the_first_one_that_is_not_marked(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        assert proposed_milestone(await window(play, play.bo, "incident_milestone")) == "impact_started"
        await type_command(play, play.ana, "/incident started 13:00")
        await type_command(play, play.ana, "/incident detected 13:05")
        assert proposed_milestone(await window(play, play.ana, "incident_milestone")) == "acknowledged"


async def test_resolving_in_the_window_asks_the_first_why(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        view = await window(play, play.ana, "incident_milestone")
        await play.slack.submit(play.ana, view, {"milestone": "resolved", "when": "5 min ago"})
        await play.settle()
        assert play.case().incident.status is Status.RESOLVED
        assert marks(play)[-1][:2] == ("resolved", "12:25")
        assert having(play, play.bo, "why_answer").ephemeral_for == ""


@pytest.mark.parametrize("typed", ["soon", "03/04 14:05", "2026-11-24 01:00"])
async def test_a_time_that_cannot_be_stands_at_its_field(sqlite_url: str, typed: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        view = await window(play, play.ana, "incident_milestone")
        answer = await play.slack.submit(play.ana, view, {"milestone": "detected", "when": typed})
        assert list(answer.errors) == ["when"]
        assert marks(play) == []


async def test_sent_after_the_incident_ended_the_window_says_why_not(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        view = await window(play, play.ana, "incident_milestone")
        await type_command(play, play.bo, "/incident resolved")
        answer = await play.slack.submit(play.ana, view, {"milestone": "resolved"})
        assert list(answer.errors) == ["milestone"]
        assert len([mark for mark in marks(play) if mark[0] == "resolved"]) == 1
