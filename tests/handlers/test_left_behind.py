"""What somebody opened inside a private channel before they left it: it shows and saves nothing any more."""

from tests.handlers.stage import told, window
from tests.handlers.test_unseen import UNSEEN, in_secret, left


async def test_a_form_that_was_open_inside_the_channel_saves_nothing_once_they_left(sqlite_url: str) -> None:
    async with in_secret(sqlite_url) as play:
        await told(play, play.bo, "/postmortem")
        view = await window(play, play.bo, "postmortem_fill")
        await left(play)
        assert UNSEEN in str((await play.slack.submit(play.bo, view, {"text_0": "through the back door"})).errors)
        assert not play.case().sections
        await play.slack.arrive(play.bo, play.channel, by=play.ana)
        assert (await play.slack.submit(play.bo, view, {"text_0": "through the front door"})).ok
        assert [saved.text for saved in play.case().sections.values()] == ["through the front door"]


async def test_a_form_of_no_one_incident_records_nothing_once_they_left(sqlite_url: str) -> None:
    async with in_secret(sqlite_url) as play:
        before = len(play.case().entries)
        await told(play, play.bo, "/timeline")
        view = await window(play, play.bo, "timeline_form_open")
        await left(play)
        assert UNSEEN in str((await play.slack.submit(play.bo, view, {"line": "through the back door"})).errors)
        assert len(play.case().entries) == before


async def test_a_choice_that_was_open_inside_the_channel_shows_no_section_once_they_left(sqlite_url: str) -> None:
    async with in_secret(sqlite_url) as play:
        await told(play, play.bo, "/postmortem")
        view = await window(play, play.bo, "postmortem_pick")
        await left(play)
        answer = await play.slack.submit(play.bo, view, {"section": "impact"})
        assert UNSEEN in str(answer.errors)
        assert "response_action" in answer.body
        assert answer.body["response_action"] == "errors"


async def test_in_a_public_channel_that_they_left_a_form_is_saved_all_the_same(sqlite_url: str) -> None:
    async with in_secret(sqlite_url) as play:
        play.channel = play.slack.channel("open-room", [play.ana, play.bo])
        await told(play, play.ana, "/incident open The loud leak")
        await play.settle()
        await told(play, play.bo, "/postmortem")
        view = await window(play, play.bo, "postmortem_fill")
        await left(play)
        assert (await play.slack.submit(play.bo, view, {"text_0": "seen by everybody"})).ok
