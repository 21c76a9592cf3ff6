"""The one error boundary: whatever happens, the person gets an answer, and never loses what they typed.

A person's mistake is one sentence with the remedy. Anything else is an apology with their text given back, and a
line in the log. Answers to commands are the acknowledgement itself; answers to clicks go to Slack after it.

What a person reads where something was not done: a sentence with the remedy, and their text given back.
"""

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.domain.sections import BY_SLUG
from bot.domain.text import shorten
from bot.errors import NotRecorded, Refused
from bot.services.context import Request, Services, StoredReply, require_visible
from bot.slack.errors import CALL_ERRORS, NO_ANSWER, describe_cause
from bot.slack.files import FileReader
from bot.slack.messages_in import Messages, MessageUnavailable
from bot.slack.views import blocks
from bot.slack.views.blocks import Block, Message, field_name
from bot.slack.views.incidents import pending_value
from bot.slack.views.templates import words
from handlers.requests import Body, Click, Command, Form, Submission, click_of, command_of, for_reader, submission_of
from storage.database.writer import PerhapsRecorded

PIECE = 2_500
GIVEN_BACK = 3 * PIECE
"""Characters of a person's text that fit into an answer that gives it back."""


def _with_button(refused: Refused) -> str:
    """The sentence, which names the button only if it has one: a form shows none."""
    is_opening = refused.offer == "open_incident" and "/incident open" in refused.sentence
    return f"{refused.sentence[:-1]}, or with the button." if is_opening else refused.sentence


_RESTORING = {"restore_entry": "timeline_restore", "restore_why": "why_restore"}
"""Offers that bring back what was taken back, and the action ids of their buttons."""


def refusal(refused: Refused, typed: str) -> Message:
    """One sentence with the remedy, the button that mends it, and the person's text given back."""
    said = words.general.refused(sentence=_with_button(refused))
    typed = typed or str(refused.carrying.get("line", ""))
    is_prose, value = len(typed.split()) > 1, pending_value(refused.carrying)
    shown = [blocks.section(said), *(_given_back(typed) if is_prose or value else [])]
    if value:
        shown.append(blocks.context(words.general.carries(lines=bool(refused.carrying.get("is_paste")))))
    if refused.offer:
        shown.append(blocks.actions(_offered(refused.offer, value)))
    return blocks.ephemeral(said, blocks=shown, refused=True)


def _offered(offer: str, carrying: str) -> Block:
    """The button that mends it: [Open an incident], with what was typed, or the form of a section."""
    kind, _, slug = offer.partition(" ")
    if kind in _RESTORING:
        return blocks.button("Bring back", _RESTORING[kind], slug)
    if kind == "fill_section":
        slug, _, incident = slug.partition(" ")
        title, value = BY_SLUG[slug].title, json.dumps({"section": slug, "incident": int(incident)})
        return blocks.button(f"Fill {title}", "postmortem_fill", value, style="primary")
    return blocks.button("Open an incident", "incident_form_open", carrying, style="primary")


def not_recorded(error: NotRecorded, typed: str) -> Message:
    """The database did not take it, or it is unknown whether it did: say so, and give the text back."""
    told = words.general.perhaps_recorded if isinstance(error, PerhapsRecorded) else words.general.not_recorded
    said = told(cause=str(error))
    return blocks.ephemeral(said, *_given_back(typed), refused=True)


def apology(typed: str) -> Message:
    """Something broke: say so, and give the text back."""
    said = words.general.apology()
    return blocks.ephemeral(said, *_given_back(typed), refused=True)


def _given_back(typed: str) -> list[Block]:
    """The text to copy; as rich text, where nothing in it is markup."""
    if not typed.strip():
        return []
    pieces = [typed[at : at + PIECE] for at in range(0, min(len(typed), GIVEN_BACK), PIECE)]
    shown: list[Block] = [
        {
            "type": "rich_text",
            "elements": [{"type": "rich_text_preformatted", "elements": [{"type": "text", "text": piece}]}],
        }
        for piece in pieces
    ]
    if len(typed) > GIVEN_BACK:
        shown.append(blocks.context(words.general.given_back_in_part(fits=GIVEN_BACK, total=len(typed))))
    return shown


log = logging.getLogger(__name__)

Listener = Callable[..., Awaitable[BoltResponse]]
JSON_HEADERS: dict[str, str | Sequence[str]] = {"content-type": ["application/json;charset=utf-8"]}


class Boundary:
    """Wraps what handlers do into what Bolt calls, and gives them what they need for it."""

    def __init__(self, services: Services, client: AsyncWebClient) -> None:
        self.services = services
        self.client = client
        self.messages = Messages(client, services.store.timeouts)
        self.files = FileReader(client)
        self.offered: dict[tuple[str, str, int], None] = {}
        """Who was offered, in which thread and at which question, to have a reply recorded as an answer."""
        self._running: set[asyncio.Task[None]] = set()

    def command(self, work: Callable[[Command], Awaitable[Message | Form | None]]) -> Listener:
        """A slash command: the message that `work` returns is the acknowledgement; a form opens behind an empty one."""

        async def listener(body: Body) -> BoltResponse:
            command = command_of(body, self.services.clock.now())
            said = await self._guarded(command.request, work, command, partial(self._words, command))
            if isinstance(said, Form):
                self.later(self._open(command.as_click(), said.built))
                return _answer(None)
            return _answer(said)

        return listener

    def click(self, work: Callable[[Click], Awaitable[Message | None]]) -> Listener:
        """A button: acknowledged once `work` is on disk, then answered where it was pressed."""

        async def listener(body: Body) -> BoltResponse:
            click = click_of(body, self.services.clock.now())
            said = _for(click.request, await self._guarded(click.request, work, click, lambda: click.typed))
            self._redraw(click.request, in_home=click.in_home)
            if said is not None and said.get("response_type") != "in_channel":
                self.later(self.reply(click, said))
            return BoltResponse(status=200, body="")

        return listener

    def form(self, build: Callable[[Click], Awaitable[Block]]) -> Listener:
        """A button that opens a form, in time for its trigger."""

        async def listener(body: Body) -> BoltResponse:
            click = click_of(body, self.services.clock.now())
            self.later(self._open(click, build))
            return BoltResponse(status=200, body="")

        return listener

    def submission(self, work: Callable[[Submission], Awaitable[Message | Block | None]]) -> Listener:
        """A form sent: a mistake is shown in the form, anything else answers the person where they were."""

        async def listener(body: Body) -> BoltResponse:
            sent = submission_of(body, self.services.clock.now())
            try:
                await self.admit(sent.from_where)
                said = await work(sent)
            except Refused as refused:
                places = list(body["view"].get("state", {}).get("values", {})) or [""]
                at = next((each for each in places if field_name(each) == refused.field), places[0])
                return _answer({"response_action": "errors", "errors": {at: refused.sentence}})
            except NotRecorded as error:
                said = not_recorded(error, _typed(sent))
            except Exception:
                log.exception("a form broke")
                said = apology(_typed(sent))
            if said is not None and "response_action" in said:
                return _answer({**said, "view": _carrying(said["view"], sent.metadata)})
            self._after(sent, _for(sent.request, said))
            return BoltResponse(status=200, body="")

        return listener

    def event(self, work: Callable[[Body], Awaitable[None]]) -> Listener:
        """An event: it needs no answer, and Slack repeats it after a failure."""

        async def listener(body: Body) -> BoltResponse:
            try:
                await work(body)
            except Refused as refused:
                log.info("an event was refused: %s", type(refused).__name__)
            except (NotRecorded, MessageUnavailable) as error:
                log.warning("an event is left for Slack to repeat: %s", error)
                return BoltResponse(status=503, body="")
            return BoltResponse(status=200, body="")

        return listener

    async def drain(self) -> None:
        """Wait for the answers that are still on their way."""
        while self._running:
            await asyncio.gather(*self._running, return_exceptions=True)
            # From Python 3.12 on, gather answers at once where all are done: their callbacks, which empty the set, need
            # a turn of the loop.
            await asyncio.sleep(0)

    def _words(self, command: Command) -> str:
        """What was typed, to give back: worked out only for a refusal, so that other requests do not pay for it."""
        return self.services.slack.directory.resolve_known_names(command.request.team, command.text)

    async def _guarded(
        self, request: Request, work: Callable[[Any], Awaitable[Any]], interaction: Any, typed: Callable[[], str]
    ) -> Any:
        try:
            await self.admit(request)
            said = await work(interaction)
        except Refused as refused:
            return refusal(refused, typed())
        except NotRecorded as error:
            return not_recorded(error, typed())
        except Exception:
            log.exception("a request broke")
            return apology(typed())
        return said

    async def admit(self, request: Request) -> None:
        """Guests and people of other organisations change nothing unless the operator says so.

        From outside a channel, people see and change only what is in channels that they may look into.
        """
        people = self.services.slack.directory
        if not self.services.policy.allow_guests:
            is_elsewhere = request.home not in ("", people.home or request.team)
            if is_elsewhere or (await people.look_up(request.team, request.user)).is_guest:
                raise Refused(words.general.no_guests())
        await require_visible(self.services, request)

    def later(self, work: Any) -> None:
        """Run something after the acknowledgement; only `drain` waits for it."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def _after(self, sent: Submission, said: Message | None) -> None:
        self._redraw(sent.request, in_home=sent.in_home)
        if said is not None and said.get("response_type") != "in_channel":
            self.later(self.reply(sent.as_click(), said))

    def _redraw(self, request: Request, *, in_home: bool) -> None:
        if in_home:
            self.later(self.services.slack.home_tabs.show(request.team, request.user))

    async def reply(self, click: Click, said: Message) -> None:
        """Answer where the button was: a whisper takes the place of the one that held it."""
        message = {key: value for key, value in said.items() if key not in ("response_type", "refused")}
        replacing = click.in_whisper and not said.get("refused")
        try:
            if not await self._answered(click, message | {"replace_original": replacing}):
                await self.say_beside(click.request, message)
        except CALL_ERRORS as error:
            log.warning("an answer could not be shown: %s", describe_cause(error))

    async def _answered(self, click: Click, message: Message) -> bool:
        """Whether the button's own way back, good for half an hour and five answers, took the answer."""
        if not click.response_url:
            return False
        hook = AsyncWebhookClient(click.response_url, session=self.client.session, retry_handlers=[])
        hook.proxy = self.client.proxy
        answer = await hook.send_dict(message | {"response_type": "ephemeral"})
        return answer.status_code < 300

    async def say_beside(self, request: Request, message: Message, thread_ts: str = "") -> None:
        """Whisper where the person asked, or else in their conversation with the bot; raises what the client raises."""
        channel = request.place.channel
        if channel and not channel.startswith(("D", "U", "W")):
            told = message
            if thread_ts:
                text, shown = blocks.adapt_message(message["text"], message["blocks"])
                told = message | {"text": text, "blocks": shown}
            try:
                await self.client.chat_postEphemeral(
                    channel=channel, user=request.user, thread_ts=thread_ts or None, **told
                )
            except SlackApiError as error:  # the bot is not in there: the person hears it all the same
                log.info("an answer goes to a DM: %s", describe_cause(error))
            else:
                return
        await self.client.chat_postMessage(channel=request.user, **message)

    async def say_if_possible(self, request: Request, message: Message, thread_ts: str = "") -> None:
        """Whisper a hint; if that fails, it is only logged."""
        said = {key: value for key, value in message.items() if key != "response_type"}
        try:
            await self.say_beside(request, said, thread_ts)
        except CALL_ERRORS as error:
            log.info("a hint could not be shown: %s", describe_cause(error))

    async def _open(self, click: Click, build: Callable[[Click], Awaitable[Block]]) -> None:
        here = {
            "channel": click.request.place.channel,
            "url": click.response_url,
            "whisper": click.in_whisper,
            "home": click.in_home,
            "opened_in": click.request.place.channel,
            "for": click.request.user if click.request.sees is not None else "",
        }
        try:
            async with asyncio.timeout(self.services.store.timeouts.form):
                await self.admit(click.request)
                await self.client.views_open(trigger_id=click.trigger, view=_carrying(await build(click), here))
        except Refused as refused:
            await self.reply(click, refusal(refused, ""))
        except NO_ANSWER as error:
            log.warning("a form could not be opened: %s", describe_cause(error))
            await self.reply(click, refusal(Refused("Slack did not open the form in time. Press it once more."), ""))
        except Exception:
            log.exception("a form broke")
            await self.reply(click, apology(""))


def _carrying(view: Block, here: dict[str, Any]) -> Block:
    """The form with the place where it was opened, so that its answer finds the way back there."""
    place = {key: here.get(key, "") for key in ("channel", "url", "whisper", "home", "opened_in", "for")}
    inner = json.loads(view.get("private_metadata") or "{}")  # counted in characters: none is written as six
    return view | {"private_metadata": json.dumps(place | inner, ensure_ascii=False)}


def _for(request: Request, said: Message | None) -> Message | None:
    """An answer whose buttons work as those did that led to it."""
    return (
        for_reader(said, request.user) if said is not None and request.sees is not None and "blocks" in said else said
    )


def _typed(sent: Submission) -> str:
    carried = (sent.metadata.get("carry") or {}).get("line")
    return shorten("\n".join(str(value) for value in (*sent.values.values(), carried) if value), GIVEN_BACK)


def _answer(said: dict[str, Any] | None) -> BoltResponse:
    if said is None:
        return BoltResponse(status=200, body="")
    if isinstance(said, StoredReply):
        return BoltResponse(status=200, body=said.encoded, headers=JSON_HEADERS)
    shown = {key: value for key, value in said.items() if key != "refused"}
    return BoltResponse(status=200, body=json.dumps(shown), headers=JSON_HEADERS)


CommandHandler = Callable[[Boundary, Command], Awaitable[Message | Form | None]]
ClickHandler = Callable[[Boundary, Click], Awaitable[Message | None]]
FormHandler = Callable[[Boundary, Click], Awaitable[Block]]
SubmissionHandler = Callable[[Boundary, Submission], Awaitable[Message | Block | None]]
EventHandler = Callable[[Boundary, Body], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class HandlerTable:
    """What one module of handlers answers: its functions by command, action id, callback id or kind of event.

    `clicks` and `submissions` answer, `forms` open a form; `shortcuts` and `shortcut_forms` do so from Slack's menus.
    """

    commands: Mapping[str, CommandHandler] = field(default_factory=dict)
    clicks: Mapping[str | re.Pattern[str], ClickHandler] = field(default_factory=dict)
    forms: Mapping[str | re.Pattern[str], FormHandler] = field(default_factory=dict)
    submissions: Mapping[str, SubmissionHandler] = field(default_factory=dict)
    shortcuts: Mapping[str, ClickHandler] = field(default_factory=dict)
    shortcut_forms: Mapping[str, FormHandler] = field(default_factory=dict)
    events: Mapping[str, EventHandler] = field(default_factory=dict)

    def listen_to_commands(self, app: AsyncApp, boundary: Boundary) -> None:
        """Register the commands with Bolt."""
        for name, command in self.commands.items():
            app.command(name)(boundary.command(partial(command, boundary)))

    def listen(self, app: AsyncApp, boundary: Boundary) -> None:
        """Register everything else with Bolt."""
        for name, click in self.clicks.items():
            app.action(name)(boundary.click(partial(click, boundary)))
        for name, form in self.forms.items():
            app.action(name)(boundary.form(partial(form, boundary)))
        for callback, submission in self.submissions.items():
            app.view(callback)(boundary.submission(partial(submission, boundary)))
        for callback, shortcut in self.shortcuts.items():
            app.shortcut(callback)(boundary.click(partial(shortcut, boundary)))
        for callback, form in self.shortcut_forms.items():
            app.shortcut(callback)(boundary.form(partial(form, boundary)))
        for kind, event in self.events.items():
            app.event(kind)(boundary.event(partial(event, boundary)))
