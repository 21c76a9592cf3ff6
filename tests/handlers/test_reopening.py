"""A postmortem that was published or waived by mistake is opened again, and nothing that was said is said twice."""

import re
from collections import Counter
from datetime import timedelta

import pytest

from bot.domain.records import PostmortemStatus, Status
from storage import audit as audit_store
from storage import deliveries as deliveries_store
from storage import reminders as reminders_store
from tests.handlers.test_home import open_home, words
from tests.handlers.test_postmortem import resolve_incident
from tests.handlers.test_publishing import publish_postmortem
from tests.support.interactions import having, labels, last, on_stage, open_incident, press, type_command
from tests.support.play import NOON, Play

_ASKED = re.compile(r"\*INC-1\* postmortem")


def count_reminders(play: Play) -> Counter[str]:
    """How often the postmortem was asked for: in the channel, and in Bo's conversation with the bot."""
    there = {"channel": play.channel, "dm": play.slack.dm(play.bo)}
    texts = {name: [seen.plain for seen in play.slack.messages(room)] for name, room in there.items()}
    return Counter({name: sum(bool(_ASKED.search(text)) for text in had) for name, had in texts.items()})


def due(play: Play) -> list[tuple[str, timedelta]]:
    """What is to come, as the step's name and the time after noon at which it is due."""
    incident = play.case().incident
    had = play.bot.store.read_now(lambda tx: reminders_store.list_by_incident(tx, incident.id))
    return [(one.slot.split(" ")[0], one.due_at - NOON) for one in had if one.state == "pending"]


@pytest.mark.parametrize("ending", ["waive a drill", "publish"])
async def test_the_ladder_goes_on_from_what_lies_ahead_and_repeats_nothing(database_url: str, ending: str) -> None:
    async with on_stage(database_url) as play:
        await (publish_postmortem(play) if ending == "publish" else resolve_incident(play))
        if ending == "publish":  # at noon, so that its ladder is the other's
            await type_command(play, play.bo, "/postmortem reopen")
        await play.pass_time(hours=25)
        assert count_reminders(play) == {"channel": 1, "dm": 1}
        await type_command(play, play.ana, f"/postmortem {ending}")
        await play.settle()
        assert due(play) == []
        await play.pass_time(hours=5)
        answer = await type_command(play, play.chandra, "/postmortem reopen")
        was = "waived" if ending != "publish" else "published"
        assert f"Chandra Demo reopened the postmortem of *INC-1* (it was {was})." in answer
        assert "It's waiting for Bo Demo." in answer
        assert "Next reminder: Wed 25 Nov, 12:30 UTC." in answer
        assert [hours for _, hours in due(play)][:2] == [timedelta(hours=48), timedelta(days=9)]
        await play.pass_time(hours=1)
        assert count_reminders(play) == {"channel": 1, "dm": 1}
        await play.pass_time(hours=18)
        assert count_reminders(play) == {"channel": 2, "dm": 2}
        await play.pass_time(minutes=5)
        assert count_reminders(play) == {"channel": 2, "dm": 2}


async def test_what_would_have_been_due_meanwhile_is_not_made_up_for(database_url: str) -> None:
    async with on_stage(database_url) as play:
        await resolve_incident(play)
        await type_command(play, play.ana, "/postmortem waive a drill")
        await play.pass_time(days=3)
        await type_command(play, play.ana, "/postmortem reopen")
        await play.pass_time(hours=1)
        assert count_reminders(play) == {"channel": 0, "dm": 0}
        await play.pass_time(days=6)
        assert count_reminders(play) == {"channel": 0, "dm": 1}


async def test_opened_again_twice_over_each_step_still_goes_out_once(database_url: str) -> None:
    async with on_stage(database_url) as play:
        await resolve_incident(play)
        for _ in range(3):
            await type_command(play, play.ana, "/postmortem waive a drill")
            await type_command(play, play.ana, "/postmortem reopen")
        assert [step for step, _ in due(play)][:3] == ["24h", "48h", "9d"]
        await play.pass_time(hours=25)
        assert count_reminders(play) == {"channel": 1, "dm": 1}


async def test_a_snooze_that_was_running_runs_on(database_url: str) -> None:
    async with on_stage(database_url) as play:
        await resolve_incident(play)
        await play.pass_time(hours=25)
        await type_command(play, play.bo, "/postmortem snooze")
        await type_command(play, play.ana, "/postmortem waive a drill")
        await play.pass_time(hours=1)
        answer = await type_command(play, play.ana, "/postmortem reopen")
        assert ("snoozed-2", timedelta(hours=49)) in due(play)
        assert "Next reminder: Wed 25 Nov, 12:30 UTC." in answer
        again = await type_command(play, play.bo, "/postmortem snooze")
        assert "Snoozed until " in again
        assert [step for step, _ in due(play)].count("snoozed-2") == 1
        assert not [step for step, _ in due(play) if step == "snoozed-3"]


async def test_after_the_last_step_it_is_said_that_none_lies_ahead(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        await type_command(play, play.ana, "/postmortem waive a drill")
        await play.pass_time(days=60)
        assert "No more reminders." in await type_command(play, play.ana, "/postmortem reopen")


async def test_it_is_told_to_everybody_kept_in_the_audit_and_takes_entries_again(database_url: str) -> None:
    async with on_stage(database_url) as play:
        await publish_postmortem(play)
        assert labels(having(play, play.chandra, "postmortem_reopen"))[-1] == "Reopen postmortem"
        await press(play, play.chandra, "postmortem_reopen")
        announced = play.slack.messages(play.channel)[-1]
        assert "Chandra Demo reopened the postmortem of *INC-1* (it was published)." in announced.plain
        assert labels(announced) == ["What's missing", "Hand over"]
        incident = play.case().incident
        assert (incident.status, incident.postmortem_status) == (Status.RESOLVED, PostmortemStatus.OPEN)
        assert incident.published_at is None
        who = play.bot.store.read_now(lambda tx: audit_store.find_last_author(tx, incident.id, "postmortem.reopen"))
        assert who == play.chandra
        assert "one more thing" in await type_command(play, play.ana, "/timeline one more thing")
        assert "5 of 14 sections filled\nOwner: Bo Demo" in await type_command(play, play.ana, "/postmortem")
        assert "postmortem_reopen" not in [button[1] for button in last(play, play.ana).buttons]


async def test_where_it_is_open_one_sentence_says_so(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        sentence = "The postmortem of INC-1 is already open."
        assert await type_command(play, play.ana, "/postmortem reopen") == sentence
        await type_command(play, play.ana, "/incident resolved")
        await type_command(play, play.ana, "/postmortem waive a drill")
        await play.settle()
        await press(play, play.ana, "postmortem_reopen")
        before = len(play.slack.messages(play.channel))
        assert sentence in (await press(play, play.bo, "postmortem_reopen")).plain
        assert len(play.slack.messages(play.channel)) == before


async def test_the_way_back_stands_wherever_it_says_that_it_is_finished(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await publish_postmortem(play)
        for command in ("/postmortem publish", "/postmortem"):
            await type_command(play, play.chandra, command)
            assert "Reopen postmortem" in labels(last(play, play.chandra))
        await press(play, play.chandra, "postmortem_reopen")
        await type_command(play, play.ana, "/postmortem waive a drill")
        await play.settle()
        assert labels(play.slack.messages(play.channel)[-1]) == ["Reopen postmortem"]


async def test_of_an_earlier_incident_the_button_opens_that_one(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        await type_command(play, play.ana, "/postmortem waive a drill")
        await play.settle()
        await type_command(play, play.ana, "/incident open The next one")
        await press(play, play.bo, "postmortem_reopen")
        await play.settle()
        assert "reopened the postmortem of *INC-1*" in play.slack.messages(play.channel)[-1].plain
        assert play.case().incident.key == "INC-2"
        owed = play.bot.store.read_now(lambda tx: deliveries_store.due(tx, play.clock.now(), 50, locking=False))
        assert owed == ()


async def test_the_owners_tab_asks_for_it_again(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        assert "*Your postmortems* · 1 to finish" in await open_home(play, play.bo)
        await type_command(play, play.ana, "/postmortem waive a drill")
        await play.settle()
        assert "You're all caught up" in words(play, play.bo)
        await type_command(play, play.ana, "/postmortem reopen")
        await play.settle()
        assert "*Your postmortems* · 1 to finish" in words(play, play.bo)
