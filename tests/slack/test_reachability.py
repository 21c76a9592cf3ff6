"""Whether Slack answers is known from every call, and from a question while no one calls."""

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.clock import SystemClock
from bot.rehearsal.server import StandIn
from bot.slack.reachability import QUIET_SECONDS, REFUSED_SECONDS, SILENT_SECONDS, Reachability


@dataclass
class Line:
    """A client whose calls are listened to, and a count that is set by hand."""

    slack: StandIn
    now: float = 100.0
    returns: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.reachability = Reachability(lambda: self.now)

    async def ask(self) -> None:
        await self.reachability.ask(self.client, lambda: self.returns.append(self.now))

    client: AsyncWebClient = field(init=False)


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    async with StandIn(SystemClock()) as slack:
        made = Line(slack)
        async with aiohttp.ClientSession(trace_configs=[made.reachability.trace()]) as session:
            made.client = AsyncWebClient(slack.bot_token, base_url=slack.api_url, session=session, retry_handlers=[])
            made.client.proxy = None
            yield made


async def test_while_slack_answers_all_is_well_and_a_refused_call_is_an_answer(line: Line) -> None:
    await line.ask()
    with pytest.raises(SlackApiError):
        await line.client.chat_postMessage(channel="C0NOWHERE", text="hello")
    line.now += 1000
    assert await line.reachability.probe() == ""
    assert line.returns == []


async def test_a_slack_that_refuses_connections_is_named_with_how_long(line: Line) -> None:
    home, line.client.base_url = line.client.base_url, "http://127.0.0.1:9/api/"
    with suppress(aiohttp.ClientError):
        await line.client.chat_postMessage(channel="C1", text="hello")
    assert await line.reachability.probe() == ""  # one call that fails is no silence yet
    assert line.reachability.must_ask()
    line.now += SILENT_SECONDS + 7
    await line.ask()
    trouble = await line.reachability.probe()
    assert trouble.startswith("Slack hasn't answered for 17 s (ClientConnectorError). Check the network")
    assert line.returns == []
    line.client.base_url = home
    await line.ask()
    assert await line.reachability.probe() == ""
    assert line.returns == [line.now]


async def test_a_slack_that_only_answers_with_errors_of_its_servers_is_silent(line: Line) -> None:
    line.slack.fail("auth.test", status=503, html=True, times=5)
    await line.ask()
    line.now += SILENT_SECONDS
    assert "hasn't answered for 10 s (status 503)" in await line.reachability.probe()


async def test_a_refused_token_is_named_and_asked_about_seldom(line: Line) -> None:
    line.slack.fail("auth.test", "token_revoked")
    await line.ask()
    assert "refuses the bot's token (token_revoked). Install the app again" in await line.reachability.probe()
    assert not line.reachability.must_ask()
    line.now += REFUSED_SECONDS
    assert line.reachability.must_ask()
    await line.ask()
    assert await line.reachability.probe() == ""
    assert line.returns == [line.now]


async def test_slack_is_asked_only_while_nobody_else_calls(line: Line) -> None:
    line.now += QUIET_SECONDS - 1
    await line.client.auth_test()
    line.now += 2
    assert not line.reachability.must_ask()
    line.now += QUIET_SECONDS
    assert line.reachability.must_ask()
