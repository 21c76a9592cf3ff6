"""Who is not in the channel, or not of the workspace, any more or at all: nothing is shown or saved for them."""

import pytest

from tests.handlers.test_visibility import REFUSED, in_secret, left
from tests.support.history_scans import chosen, looked_back, say, talk
from tests.support.interactions import on_stage, open_incident, type_command, window


async def test_a_form_that_was_open_inside_the_channel_saves_nothing_once_they_left(sqlite_url: str) -> None:
    async with in_secret(sqlite_url) as play:
        await type_command(play, play.bo, "/postmortem")
        view = await window(play, play.bo, "postmortem_fill")
        await left(play)
        assert REFUSED in str((await play.slack.submit(play.bo, view, {"text_0": "through the back door"})).errors)
        assert not play.case().sections
        await play.slack.arrive(play.bo, play.channel, by=play.ana)
        assert (await play.slack.submit(play.bo, view, {"text_0": "through the front door"})).ok
        assert [saved.text for saved in play.case().sections.values()] == ["through the front door"]


async def test_a_form_of_no_one_incident_records_nothing_once_they_left(sqlite_url: str) -> None:
    async with in_secret(sqlite_url) as play:
        before = len(play.case().entries)
        await type_command(play, play.bo, "/timeline")
        view = await window(play, play.bo, "timeline_form_open")
        await left(play)
        assert REFUSED in str((await play.slack.submit(play.bo, view, {"line": "through the back door"})).errors)
        assert len(play.case().entries) == before


async def test_a_choice_that_was_open_inside_the_channel_shows_no_section_once_they_left(sqlite_url: str) -> None:
    async with in_secret(sqlite_url) as play:
        await type_command(play, play.bo, "/postmortem")
        view = await window(play, play.bo, "postmortem_pick")
        await left(play)
        answer = await play.slack.submit(play.bo, view, {"section": "impact"})
        assert REFUSED in str(answer.errors)
        assert "response_action" in answer.body
        assert answer.body["response_action"] == "errors"


async def test_in_a_public_channel_that_they_left_a_form_is_saved_all_the_same(sqlite_url: str) -> None:
    async with in_secret(sqlite_url) as play:
        play.channel = play.slack.channel("open-room", [play.ana, play.bo])
        await type_command(play, play.ana, "/incident open The loud leak")
        await play.settle()
        await type_command(play, play.bo, "/postmortem")
        view = await window(play, play.bo, "postmortem_fill")
        await left(play)
        assert (await play.slack.submit(play.bo, view, {"text_0": "seen by everybody"})).ok


@pytest.mark.parametrize("word", ["user_not_found", "user_not_visible"])
async def test_one_of_whom_slack_says_that_there_is_nobody_is_a_guest_until_it_says_otherwise(
    sqlite_url: str, word: str
) -> None:
    async with on_stage(sqlite_url, refused=[word]) as play:
        await open_incident(play)
        olga = play.slack.user("Olga Demo")
        play.slack.workspace.channels[play.channel].members.add(olga)
        play.slack.fail("users.info", word)
        before = len(play.case().entries)
        for text in ("/timeline I was here", "/timeline I was here again"):
            assert "Guests and people from other workspaces" in await type_command(play, olga, text)
        assert len(play.case().entries) == before
        await play.slack.change_person(olga, email="olga@team.example")
        await type_command(play, olga, "/timeline I work here")
        assert play.case().entries[-1].author == olga


async def test_what_was_found_in_a_channel_is_not_recorded_by_somebody_who_left_it(sqlite_url: str) -> None:
    async with talk(sqlite_url) as play:
        play.channel = play.slack.channel("secret-room", [play.ana, play.bo], private=True)
        for minute in (10, 20, 30):
            say(play, play.bo, f"09:{minute} the quiet leak got worse")
        await looked_back(play)
        view = await chosen(play)
        before = len(play.case().entries)
        await play.slack.leave(play.ana, play.channel)
        await play.settle()
        answer = await play.slack.submit(play.ana, view)
        assert "You're not in that channel anymore" in str(answer.errors)
        assert len(play.case().entries) == before
