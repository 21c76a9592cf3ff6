"""The end of the server: what is being answered is answered, and nothing holds the end up for ever."""

import asyncio

import pytest

from bot.rehearsal.seen import Answer
from bot.web import server
from tests.web.test_server import House, a_house


async def asked(house: House) -> "asyncio.Task[Answer]":
    """A command that the server has taken, and is answering."""
    ana = house.slack.user("ana")
    command = asyncio.create_task(house.slack.command(ana, house.slack.channel("ops", [ana]), "/timeline x"))
    await house.echo.asked.wait()
    return command


async def test_a_request_under_way_is_answered_before_the_server_ends() -> None:
    async with a_house() as house:
        house.echo.pause = 0.1
        command = await asked(house)
        house.serving.cancel()
        assert (await command).text == "heard: x"
        await asyncio.wait([house.serving])
        assert house.serving.cancelled()


async def test_a_request_that_does_not_end_is_broken_off(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(server, "CLOSE_SECONDS", 0.05)
    async with a_house() as house:
        house.echo.pause = 60
        command = await asked(house)
        house.serving.cancel()
        assert (await command).status == 500
    assert "1 requests under way were broken off" in caplog.text
