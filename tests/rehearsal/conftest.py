import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from bot.clock import SettableClock
from bot.rehearsal.server import StandIn
from tests.support.deadlines import LONG_SECONDS

Json = dict[str, Any]
EVENTS = "app_mention message reaction_added app_home_opened member_joined_channel user_change".split()


def button(words: str, action: str, value: str = "") -> Json:
    return {"type": "button", "text": {"type": "plain_text", "text": words}, "action_id": action, "value": value}


def section(words: str) -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": words}}


def actions(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}


def field_of(action: str, **more: Any) -> Json:
    element = {"type": "plain_text_input", "action_id": action, **more.pop("element", {})}
    return {"type": "input", "label": {"type": "plain_text", "text": action}, "element": element, **more}


def modal(*blocks: Json, **more: Any) -> Json:
    view = {"type": "modal", "callback_id": "form", "title": {"type": "plain_text", "text": "A form"}}
    return {**view, "submit": {"type": "plain_text", "text": "Save"}, "blocks": list(blocks), **more}


@dataclass
class Scribe:
    """A tiny app: answers what it is told to, and keeps what it was sent."""

    slack: StandIn
    bolt: AsyncApp
    client: AsyncWebClient
    heard: list[Json] = field(default_factory=list)
    answer: Any = ""
    modal: Json | None = None
    response: Json = field(default_factory=dict)

    def listen(self) -> None:
        bolt = self.bolt

        @bolt.command("/note")
        async def note(ack: AsyncAck, body: Json, client: AsyncWebClient) -> None:
            self.heard.append(body)
            if self.modal:
                await client.views_open(trigger_id=body["trigger_id"], view=self.modal)
            await (ack(**self.answer) if isinstance(self.answer, dict) else ack(self.answer))

        @bolt.action(re.compile(".*"))
        async def answer_touch(ack: AsyncAck, body: Json, respond: AsyncRespond) -> None:
            self.heard.append(body)
            if self.response:
                await respond(**self.response)
            await ack()

        @bolt.view("form")
        async def answer_submission(ack: AsyncAck, body: Json) -> None:
            self.heard.append(body)
            await ack(**self.response)

        @bolt.view_closed("form")
        async def answer_close(ack: AsyncAck, body: Json) -> None:
            self.heard.append(body)
            await ack()

        for kind in (
            "app_mention",
            "message",
            "reaction_added",
            "app_home_opened",
            "member_joined_channel",
            "user_change",
        ):
            bolt.event(kind)(self.event)
        bolt.shortcut("keep")(self.shortcut)

    async def event(self, body: Json) -> None:
        self.heard.append(body)

    async def shortcut(self, ack: AsyncAck, body: Json) -> None:
        self.heard.append(body)
        await ack()


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(datetime.now(UTC))


@pytest.fixture
async def slack(clock: SettableClock) -> AsyncIterator[StandIn]:
    async with StandIn(clock) as standin:
        standin.patience = LONG_SECONDS
        standin.workspace.ticks = lambda: 0.0  # a trigger expires by the clock alone, however busy the machine is
        standin.workspace.subscriptions -= {"message.channels", "message.groups"}  # what people say is not listened to
        yield standin


@pytest.fixture
def client(slack: StandIn) -> AsyncWebClient:
    return AsyncWebClient(slack.bot_token, base_url=slack.api_url, retry_handlers=[])


@pytest.fixture
def scribe(slack: StandIn, client: AsyncWebClient) -> Scribe:
    bolt = AsyncApp(client=client, signing_secret=slack.signing_secret, process_before_response=True)
    made = Scribe(slack, bolt, client)
    made.listen()
    return made


@pytest.fixture
async def by_http(scribe: Scribe) -> AsyncIterator[Scribe]:
    async def take(request: web.Request) -> web.Response:
        return await to_aiohttp_response(await scribe.bolt.async_dispatch(await to_bolt_request(request)))

    app = web.Application()
    app.add_routes([web.post("/slack/events", take)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    scribe.slack.send_to(f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events")
    yield scribe
    await runner.cleanup()


@pytest.fixture
async def by_socket(scribe: Scribe) -> AsyncIterator[Scribe]:
    handler = AsyncSocketModeHandler(scribe.bolt, scribe.slack.app_token, ping_interval=1)
    await handler.connect_async()  # type: ignore[no-untyped-call]
    await scribe.slack.wait_for_socket()
    yield scribe
    await handler.close_async()  # type: ignore[no-untyped-call]
    await handler.client.aiohttp_client_session.close()


@pytest.fixture(params=["by_http", "by_socket"])
def app(request: pytest.FixtureRequest) -> Scribe:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Scribe)
    return found
