"""The one error boundary: whatever happens, the person gets an answer, and never loses what they typed.

A person's mistake is one sentence with the remedy. Anything else is an apology with their text given back, and a
line in the log. Answers to commands are the acknowledgement itself; answers to clicks go to Slack after it.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.errors import NotRecorded, Refused
from bot.incident.text import shortened
from bot.scribe.desk import Asked, Desk
from bot.slack import blocks
from bot.slack.blocks import Block, Message
from bot.slack.text import plain
from bot.slack.words import words
from handlers.requests import Body, Click, Command, Submission, click_of, command_of, submission_of

log = logging.getLogger(__name__)

Listener = Callable[..., Awaitable[BoltResponse]]
JSON_HEADERS: dict[str, str | Sequence[str]] = {"content-type": ["application/json;charset=utf-8"]}
GIVEN_BACK = 2_500
FORM_SECONDS = 2.5
"""A form must be opened within the three seconds that its trigger lives."""


class Boundary:
    """Wraps what handlers do into what Bolt calls."""

    def __init__(self, desk: Desk, client: AsyncWebClient) -> None:
        self.desk = desk
        self.client = client
        self._running: set[asyncio.Task[None]] = set()

    def command(self, work: Callable[[Command], Awaitable[Message | None]]) -> Listener:
        """A slash command: the message that `work` returns is the acknowledgement."""

        async def listener(body: Body) -> BoltResponse:
            command = command_of(body, self.desk.clock.now())
            return _answer(await self._guarded(command.asked, work, command, command.text))

        return listener

    def click(self, work: Callable[[Click], Awaitable[Message | None]]) -> Listener:
        """A button: acknowledged once `work` is on disk, then answered where it was pressed."""

        async def listener(body: Body) -> BoltResponse:
            click = click_of(body, self.desk.clock.now())
            said = await self._guarded(click.asked, work, click, click.typed)
            if said is not None and said.get("response_type") != "in_channel":
                self._later(self._reply(click, said))
            return BoltResponse(status=200, body="")

        return listener

    def form(self, build: Callable[[Click], Awaitable[Block]]) -> Listener:
        """A button that opens a form, in time for its trigger."""

        async def listener(body: Body) -> BoltResponse:
            click = click_of(body, self.desk.clock.now())
            self._later(self._open(click, build))
            return BoltResponse(status=200, body="")

        return listener

    def submission(self, work: Callable[[Submission], Awaitable[Message | Block | None]]) -> Listener:
        """A form sent: a mistake is shown in the form, anything else answers the person where they were."""

        async def listener(body: Body) -> BoltResponse:
            sent = submission_of(body, self.desk.clock.now())
            try:
                await self._admit(sent.asked)
                said = await work(sent)
            except Refused as refused:
                first = next(iter(body["view"].get("state", {}).get("values", {})), "")
                return _answer({"response_action": "errors", "errors": {first: refused.sentence}})
            except NotRecorded as error:
                said = not_recorded(error, _typed(sent))
            except Exception:
                log.exception("a form broke")
                said = apology(_typed(sent))
            if said is not None and "response_action" in said:
                return _answer(said)
            self._after(sent, said)
            return BoltResponse(status=200, body="")

        return listener

    def event(self, work: Callable[[Body], Awaitable[None]]) -> Listener:
        """An event: nobody waits for an answer, and a failure is repeated by Slack."""

        async def listener(body: Body) -> BoltResponse:
            try:
                await work(body)
            except Refused as refused:
                log.info("an event was refused: %s", type(refused).__name__)
            return BoltResponse(status=200, body="")

        return listener

    async def drain(self) -> None:
        """Wait for the answers that are still on their way."""
        while self._running:
            await asyncio.gather(*self._running, return_exceptions=True)

    async def _guarded(self, asked: Asked, work: Callable[[Any], Awaitable[Any]], request: Any, typed: str) -> Any:
        try:
            await self._admit(asked)
            said = await work(request)
        except Refused as refused:
            return refusal(refused, self._plain(asked, typed))
        except NotRecorded as error:
            return not_recorded(error, self._plain(asked, typed))
        except Exception:
            log.exception("a request broke")
            return apology(self._plain(asked, typed))
        self.desk.outbox.kick()
        return said

    async def _admit(self, asked: Asked) -> None:
        """Guests and people of other organisations change nothing unless the operator says so."""
        if self.desk.allow_guests:
            return
        if (await self.desk.people.known(asked.team, asked.user)).is_guest:
            raise Refused(words.general.no_guests())

    def _plain(self, asked: Asked, typed: str) -> str:
        return plain(typed, lambda user: self.desk.people.name(asked.team, user))

    def _later(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def _after(self, sent: Submission, said: Message | None) -> None:
        self.desk.outbox.kick()
        if said is None or said.get("response_type") == "in_channel":
            return
        place = Click(sent.asked, {}, "", "", str(sent.metadata.get("url", "")), in_whisper=True)
        self._later(self._reply(place, said))

    async def _reply(self, click: Click, said: Message) -> None:
        """Answer where the button was: a whisper takes the place of the one that held it."""
        message = {key: value for key, value in said.items() if key != "response_type"}
        try:
            if click.response_url:
                hook = AsyncWebhookClient(click.response_url, retry_handlers=[])
                answer = await hook.send_dict(
                    message
                    | {"response_type": "ephemeral", "replace_original": click.in_whisper and not _is_refusal(said)}
                )
                if answer.status_code < 300:  # noqa: PLR2004
                    return
            if click.asked.place.channel.startswith("D"):
                await self.client.chat_postMessage(channel=click.asked.place.channel, **message)
            elif click.asked.place.channel:
                await self.client.chat_postEphemeral(
                    channel=click.asked.place.channel, user=click.asked.user, **message
                )
        except (SlackClientError, OSError, TimeoutError) as error:
            log.warning("an answer could not be shown: %s", type(error).__name__)

    async def _open(self, click: Click, build: Callable[[Click], Awaitable[Block]]) -> None:
        try:
            async with asyncio.timeout(FORM_SECONDS):
                await self._admit(click.asked)
                await self.client.views_open(trigger_id=click.trigger, view=await build(click))
        except Refused as refused:
            await self._reply(click, refusal(refused, ""))
        except (SlackClientError, OSError, TimeoutError) as error:
            log.warning("a form could not be opened: %s", type(error).__name__)
            await self._reply(click, refusal(Refused("Slack did not open the form in time. Press it once more."), ""))
        except Exception:
            log.exception("a form broke")
            await self._reply(click, apology(""))


def refusal(refused: Refused, typed: str) -> Message:
    """One sentence with the remedy, the button that mends it, and the text given back."""
    said = words.general.refused(sentence=refused.sentence)
    shown = [blocks.section(said), *_given_back(typed)]
    if refused.offer == "open_incident":
        shown.append(blocks.actions(blocks.button("Open an incident", "incident_form_open", style="primary")))
    return blocks.whisper(said, shown, refused=True)


def not_recorded(error: NotRecorded, typed: str) -> Message:
    """The database did not take it: say so, and give the text back."""
    said = words.general.not_recorded(cause=str(error))
    return blocks.whisper(said, [blocks.section(said), *_given_back(typed)], refused=True)


def apology(typed: str) -> Message:
    """Something broke: say so, and give the text back."""
    said = words.general.apology()
    return blocks.whisper(said, [blocks.section(said), *_given_back(typed)], refused=True)


def _given_back(typed: str) -> list[Block]:
    """The text to copy; as rich text, where nothing in it is markup."""
    if not typed.strip():
        return []
    pieces = [typed[at : at + GIVEN_BACK] for at in range(0, min(len(typed), 3 * GIVEN_BACK), GIVEN_BACK)]
    return [
        {
            "type": "rich_text",
            "elements": [{"type": "rich_text_preformatted", "elements": [{"type": "text", "text": piece}]}],
        }
        for piece in pieces
    ]


def _is_refusal(said: Message) -> bool:
    return bool(said.get("refused"))


def _typed(sent: Submission) -> str:
    return shortened("\n".join(str(value) for value in sent.values.values() if value), 3 * GIVEN_BACK)


def _answer(said: dict[str, Any] | None) -> BoltResponse:
    if said is None:
        return BoltResponse(status=200, body="")
    shown = {key: value for key, value in said.items() if key != "refused"}
    return BoltResponse(status=200, body=json.dumps(shown), headers=JSON_HEADERS)
