"""A person whose zone this machine doesn't know is told that their time was read in UTC."""

import pytest

from tests.handlers.test_capture import AGAIN, whispers
from tests.handlers.test_people import as_told
from tests.support.interactions import having, on_stage, open_incident, type_command, window
from tests.support.play import Play

NOTE = "so I read the time as UTC"


async def from_(play: Play, zone: str) -> str:
    """Ana, who is somewhere else now."""
    await play.bot.directory_refresher.wait()  # which would tell the zone that the workspace has for her
    await play.slack.event({"type": "user_change", "user": as_told(play.ana, "Ana Demo", zone)})
    return play.ana


@pytest.mark.parametrize("zone", ["", "Mars/Phobos", "Europe", "../../etc/passwd", "Europe/Berlin\x00"])
async def test_a_zone_that_means_nothing_here_is_told_as_an_empty_one_is(sqlite_url: str, zone: str) -> None:
    async with on_stage(sqlite_url, refused=AGAIN) as play:
        await open_incident(play)
        ana = await from_(play, zone)
        answer = await type_command(play, ana, "/timeline 12:05 failed over")
        assert "*#2 · 12:05 UTC*" in answer
        assert NOTE in answer
        await play.slack.say(ana, play.channel, "@afterword 12:06 said to the bot")
        await play.settle()
        assert NOTE in whispers(play, ana)[-1].plain
        assert NOTE not in await type_command(play, ana, "/timeline failed over")
        assert NOTE not in await type_command(play, ana, "/timeline 12:05 UTC failed over")


async def test_words_that_wait_for_an_incident_are_told_it_too(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        ana = await from_(play, "Mars/Phobos")
        await type_command(play, ana, "/timeline 12:05 failed over")
        view = await window(play, ana, "incident_form_open")
        await play.slack.submit(ana, view, {"title": "Checkout is failing"})
        await play.settle()
        assert NOTE in having(play, ana, "timeline_edit").plain


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kolkata", "Etc/UTC"])
async def test_a_zone_that_is_known_is_not(sqlite_url: str, zone: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        assert NOTE not in await type_command(play, await from_(play, zone), "/timeline 00:05 failed over")


async def test_nor_where_the_operator_says_in_which_zone_times_are_read(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, environ={"AFTERWORD_INPUT_ZONE": "Europe/Paris"}) as play:
        await open_incident(play)
        answer = await type_command(play, await from_(play, "Mars/Phobos"), "/timeline 12:05 failed over")
        assert "11:05 UTC (12:05 Paris)" in answer
        assert NOTE not in answer
