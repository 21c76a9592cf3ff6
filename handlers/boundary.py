"""The one error boundary: whatever happens, people get an answer, and never lose what they typed.

A person's mistake is answered by a sentence with the remedy. Any other error is an apology with their text given back,
and a line in the log. Answers to commands are the acknowledgement itself; answers to clicks go to Slack after it.
"""

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from prometheus_client import Counter
from slack_bolt.async_app import AsyncApp
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot import bounds
from bot.domain.text import shorten
from bot.errors import NotRecorded, OutdatedButton, PerhapsRecorded, Refused
from bot.services.context import Request, Services, StoredReply, require_visible
from bot.slack.errors import CALL_ERRORS, NO_ANSWER, describe_cause
from bot.slack.messages_in import Messages, MessageUnavailable
from bot.slack.views import blocks
from bot.slack.views.blocks import Block, Message, field_name
from bot.slack.views.incidents import pending_value
from bot.slack.views.templates import words
from handlers.requests import (
    Body,
    Click,
    Command,
    Form,
    Submission,
    click_of,
    command_of,
    find_misread,
    for_reader,
    require_event,
    submission_of,
)

# Below the 3,000 characters that Slack takes in one text.
PIECE = 2_500
GIVEN_BACK = 3 * PIECE
"""How many characters of a person's text an answer gives back, in pieces that Slack's blocks can hold."""

ROLE_SECONDS = 15.0
"""Where replicas share a database, how long one that records may take to notice what Slack told another."""


_RESTORING = {"restore_entry": "timeline_restore", "restore_why": "why_restore"}
"""Offers to restore something struck, and the action ids of their buttons."""


def refusal(refused: Refused, typed: str) -> Message:
    """A sentence with the remedy, a button that does it if there is one, and the person's text given back."""
    text = words.general.refused(sentence=refused.sentence)
    typed = typed or str(refused.carrying.get("line", ""))
    is_prose, value = len(typed.split()) > 1, pending_value(refused.carrying)
    shown = [blocks.section(text), *(_copy_blocks(typed) if is_prose or value else [])]
    if value:
        shown.append(blocks.context(words.general.carries(lines=bool(refused.carrying.get("is_paste")))))
    if refused.offer:
        shown.append(blocks.actions(_offer_button(refused.offer, value)))
    return blocks.ephemeral(
        text, blocks=shown, refused="outdated" if isinstance(refused, OutdatedButton) else "mistake"
    )


def _offer_button(offer: str, carrying: str) -> Block:
    """[Restore] or [Fill: …], whose offer names what; else [Open an incident], which takes along what was typed."""
    kind, _, slug = offer.partition(" ")
    if kind in _RESTORING:
        return blocks.button("Restore", _RESTORING[kind], slug)
    if kind == "fill_section":
        slug, incident, title = slug.split(" ", 2)
        value = json.dumps({"section": slug, "incident": int(incident)})
        return blocks.button(f"Fill: {title}", "postmortem_fill", value, style="primary")
    return blocks.button("Open an incident", "incident_form_open", carrying, style="primary")


def not_recorded(error: NotRecorded, typed: str) -> Message:
    """Says that nothing was recorded, or that this is unknown, and gives the text back."""
    _NOT_RECORDED.labels("unknown" if isinstance(error, PerhapsRecorded) else "not recorded").inc()
    sentence = words.general.perhaps_recorded if isinstance(error, PerhapsRecorded) else words.general.not_recorded
    return blocks.ephemeral(sentence(cause=str(error)), *_copy_blocks(typed), refused="failure")


def apology(typed: str) -> Message:
    """Says that something broke, and gives the text back."""
    return blocks.ephemeral(words.general.apology(), *_copy_blocks(typed), refused="failure")


def _copy_blocks(typed: str) -> list[Block]:
    """The text to copy under its label, as rich text: nothing in that is markup."""
    if not typed.strip():
        return []
    pieces = [typed[at : at + PIECE] for at in range(0, min(len(typed), GIVEN_BACK), PIECE)]
    label = {"type": "rich_text_section", "elements": [{"type": "text", "text": words.general.typed()}]}
    shown: list[Block] = [
        {
            "type": "rich_text",
            "elements": [
                *([] if index else [label]),
                {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": piece}]},
            ],
        }
        for index, piece in enumerate(pieces)
    ]
    if len(typed) > GIVEN_BACK:
        shown.append(blocks.context(words.general.given_back_in_part(fits=GIVEN_BACK, total=len(typed))))
    return shown


log = logging.getLogger(__name__)

_NOT_RECORDED = Counter(
    "afterword_not_recorded_total", "Answers that say that nothing was recorded, or that this is unknown.", ["answer"]
)

Listener = Callable[..., Awaitable[BoltResponse]]
JSON_HEADERS: dict[str, str | Sequence[str]] = {"content-type": ["application/json;charset=utf-8"]}


class Boundary:
    """Wraps handlers into listeners, and holds what they need."""

    def __init__(self, services: Services, client: AsyncWebClient) -> None:
        self.services = services
        self.client = client
        self.messages = Messages(client, services.store.timeouts)
        self._running: set[asyncio.Task[None]] = set()

    def command(self, work: Callable[[Command], Awaitable[Message | Form | None]]) -> Listener:
        """A slash command: the message that `work` returns is the acknowledgement; a form opens behind an empty one.

        Which verb was typed is known later: `work` itself refuses what is not open to people who are unidentified.
        """

        async def listener(body: Body) -> BoltResponse:
            command = command_of(body, self.services.clock.now())
            typed = partial(self._resolve_text, command)
            answer = await self._run(command.request, work, command, typed, is_recording=True)
            if isinstance(answer, Form):
                self.later(self._open(command.as_click(), answer.make_view))
                return _answer(None)
            return _answer(answer)

        return listener

    def click(self, work: Callable[[Click], Awaitable[Message | None]], *, is_recording: bool = False) -> Listener:
        """A button: acknowledged once `work` is on disk, then answered in its place."""

        async def listener(body: Body) -> BoltResponse:
            click = click_of(body, self.services.clock.now())
            answer = await self._run(click.request, work, click, lambda: click.typed, is_recording=is_recording)
            self._reply_later(click, _mark_for_reader(click.request, answer))
            return BoltResponse(status=200, body="")

        return listener

    def form(self, build: Callable[[Click], Awaitable[Block]], *, is_recording: bool = False) -> Listener:
        """A button that opens a form: after the acknowledgement, while its trigger lives."""

        async def listener(body: Body) -> BoltResponse:
            click = click_of(body, self.services.clock.now())
            self.later(self._open(click, build, is_recording=is_recording))
            return BoltResponse(status=200, body="")

        return listener

    def submission(
        self, work: Callable[[Submission], Awaitable[Message | Block | None]], *, is_recording: bool = False
    ) -> Listener:
        """A submitted form: a mistake is shown in the form, anything else is answered where the form was opened."""

        async def listener(body: Body) -> BoltResponse:
            sent = submission_of(body, self.services.clock.now())
            try:
                await self.admit(sent.from_where, is_recording=is_recording)
                sent.require_short()
                answer = await work(sent)
            except Refused as refused:
                return _answer(_complaint(body, refused))
            except NotRecorded as error:
                answer = not_recorded(error, _text_in(sent))
            except Exception as error:
                if _report_misread(error):
                    return _answer(_complaint(body, Refused(words.general.misread())))
                log.exception(
                    "An error in handling a form. %(user)s was told; please report this.",
                    {
                        "event": "form_failed",
                        "user": sent.request.user,
                        "team": sent.request.place.team,
                        "channel": sent.request.place.channel,
                    },
                )
                answer = apology(_text_in(sent))
            if answer is not None and "response_action" in answer:
                return _answer({**answer, "view": _add_origin(answer["view"], sent.metadata)})
            self._reply_later(sent.as_click(), _mark_for_reader(sent.request, answer))
            return BoltResponse(status=200, body="")

        return listener

    def event(self, work: Callable[[Body], Awaitable[None]]) -> Listener:
        """An event: it needs no answer. Slack repeats it if it gets a 503."""

        async def listener(body: Body) -> BoltResponse:
            require_event(body)
            try:
                await work(body)
            except Refused as refused:
                log.info(
                    "An event wasn't acted on (%(cause)s).", {"event": "event_refused", "cause": type(refused).__name__}
                )
            except (NotRecorded, MessageUnavailable) as error:
                # Slack repeats an event three times, the last after five minutes: by then the database may answer.
                log.warning(
                    "An event couldn't be saved, and Slack was asked to repeat it: %(cause)s",
                    {"event": "event_deferred", "cause": str(error)},
                )
                return BoltResponse(status=503, body="")
            return BoltResponse(status=200, body="")

        return listener

    async def drain(self) -> None:
        """Wait for everything that was passed to `later`."""
        while self._running:
            await asyncio.gather(*self._running, return_exceptions=True)
            # From Python 3.12 on, gather returns at once if all are done, but the callbacks that empty the set need a
            # turn of the loop.
            await asyncio.sleep(0)

    def _resolve_text(self, command: Command) -> str:
        # The text to give back. Called only for a refusal, so that other requests do not pay for it.
        if len(command.text) > bounds.TEXT:
            return command.text
        return self.services.slack.directory.resolve_known_names(command.request.team, command.text)

    async def _run(
        self,
        request: Request,
        work: Callable[[Any], Awaitable[Any]],
        interaction: Any,
        typed: Callable[[], str],
        *,
        is_recording: bool,
    ) -> Any:
        try:
            await self.admit(request, is_recording=is_recording)
            return await work(interaction)
        except Refused as refused:
            return refusal(refused, typed())
        except NotRecorded as error:
            return not_recorded(error, typed())
        except Exception as error:
            if _report_misread(error):
                return refusal(Refused(words.general.misread()), typed())
            log.exception(
                "An error in handling a request. The person was told; please report this.", {"event": "request_failed"}
            )
            return apology(typed())

    async def admit(self, request: Request, *, is_recording: bool = False) -> None:
        """Raise Refused for guests and people of other organisations, unless the operator allows them.

        From outside a channel, people see and change only incidents of channels that they have access to. Unless the
        request `is_recording`, which shows nothing that others wrote, Slack must have said who they are.
        """
        await self._require_role(request, ROLE_SECONDS if is_recording else 0.0)
        if not is_recording:
            self._require_known(request)
        await require_visible(self.services, request)

    async def require_identified(self, request: Request) -> None:
        """Raise Refused unless the person may read, once it is known that they ask for more than recording."""
        await self._require_role(request, 0.0)
        self._require_known(request)

    async def _require_role(self, request: Request, most_seconds: float) -> None:
        people, team, user = self.services.slack.directory, request.team, request.user
        is_elsewhere = request.home not in ("", people.home or team)
        if is_elsewhere and not self.services.policy.allow_guests:
            raise Refused(words.general.no_guests())
        await people.reread(team, user, most_seconds=most_seconds)
        if self.services.is_excluded(await people.look_up(team, user)):
            raise Refused(words.general.no_guests())

    def _require_known(self, request: Request) -> None:
        if self.services.is_unidentified(request.team, request.user):
            raise Refused(words.general.unidentified())

    def later(self, work: Any) -> None:
        """Run something after the acknowledgement; only `drain` waits for it."""
        # The loop keeps only weak references to its tasks: without this set one could vanish half done.
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def _reply_later(self, click: Click, answer: Message | None) -> None:
        """Answer a click, or the button that opened a form, after the acknowledgement, and redraw the Home tab."""
        # The tab is drawn again even without an answer: it is where the result is seen.
        if click.in_home:
            self.later(self.services.slack.home_tabs.show(click.request.team, click.request.user))
        if answer is not None and answer.get("response_type") != "in_channel":
            self.later(self.reply(click, answer))

    async def reply(self, click: Click, answer: Message) -> None:
        """Answer where the button is: if that is in a whisper, the answer replaces it.

        In a message for others a button that is out of date goes, and only the person who pressed it is told why.
        """
        message, refused = _strip_marks(answer), answer.get("refused")
        # A refusal leaves the message with its buttons there, as the person will press again; unless they are outdated.
        replacing = click.in_whisper and refused in (None, "outdated")
        try:
            if refused == "outdated" and click.action and click.message:
                await self._send_to_url(
                    click, _without_pressed(click) | {"replace_original": True, "response_type": "in_channel"}
                )
            if not await self._send_to_url(click, message | {"replace_original": replacing}):
                await self.whisper(click.request, message)
        except CALL_ERRORS as error:
            log.warning(
                "%(user)s didn't get an answer, because Slack refused it (%(cause)s). What they asked for took effect.",
                {"event": "answer_unshown", "user": click.request.user, "cause": describe_cause(error)},
            )

    async def _send_to_url(self, click: Click, message: Message) -> bool:
        """Whether the click's response URL took the answer. It does for half an hour, and five times."""
        if not click.response_url:
            return False
        # Without retries, as for posts (docs/decisions/0004-the-row-is-the-queue.md): a repeat could answer twice.
        hook = AsyncWebhookClient(click.response_url, session=self.client.session, retry_handlers=[])
        hook.proxy = self.client.proxy
        answer = await hook.send_dict({"response_type": "ephemeral"} | message)
        return answer.status_code < 300

    async def whisper(self, request: Request, message: Message, thread_ts: str = "") -> None:
        """Show a message to the person alone where they asked, else in their DM. Raises what the client raises."""
        channel = request.place.channel
        if channel and not channel.startswith(("D", "U", "W")):
            shown = message
            if thread_ts:
                text, adapted = blocks.adapt_message(message["text"], message["blocks"])
                shown = message | {"text": text, "blocks": adapted}
            try:
                await self.client.chat_postEphemeral(
                    channel=channel, user=request.user, thread_ts=thread_ts or None, **shown
                )
            except SlackApiError as error:  # usually because the bot is not in the channel
                log.info(
                    "Slack doesn't show an answer to %(user)s in %(channel)s (%(cause)s), so it goes to them by DM.",
                    {
                        "event": "answer_by_dm",
                        "user": request.user,
                        "channel": request.place.channel,
                        "cause": describe_cause(error),
                    },
                )
            else:
                return
        await self.client.chat_postMessage(channel=request.user, **message)

    async def whisper_if_possible(self, request: Request, message: Message, thread_ts: str = "") -> None:
        """Whisper; if that fails, it is only logged."""
        try:
            await self.whisper(request, _strip_marks(message), thread_ts)
        except CALL_ERRORS as error:
            log.warning(
                "Slack refused a private line to %(user)s in %(channel)s (%(cause)s). Nothing is lost but that line.",
                {
                    "event": "private_line_unshown",
                    "user": request.user,
                    "channel": request.place.channel,
                    "cause": describe_cause(error),
                },
            )

    async def _open(
        self, click: Click, build: Callable[[Click], Awaitable[Block]], *, is_recording: bool = False
    ) -> None:
        origin = {
            "channel": click.request.place.channel,
            "url": click.response_url,
            "whisper": click.in_whisper,
            "home": click.in_home,
            "opened_in": click.request.place.channel,
            "for": click.request.user if click.request.sees is not None else "",
        }
        try:
            # A trigger lives for three seconds: after that a form cannot open, and the person should know.
            async with asyncio.timeout(self.services.store.timeouts.form):
                await self.admit(click.request, is_recording=is_recording)
                await self.client.views_open(trigger_id=click.trigger, view=_add_origin(await build(click), origin))
        except Refused as refused:
            await self.reply(click, refusal(refused, ""))
        except NO_ANSWER as error:
            log.warning(
                "Slack didn't open a form for %(user)s (%(cause)s). They were asked to press the button again.",
                {"event": "form_unopened", "user": click.request.user, "cause": describe_cause(error)},
            )
            await self.reply(click, refusal(Refused("Slack didn't open the form in time. Press the button again."), ""))
        except Exception as error:
            if _report_misread(error):
                await self.reply(click, refusal(Refused(words.general.misread()), ""))
                return
            log.exception(
                "An error in opening a form. %(user)s was told; please report this.",
                {
                    "event": "form_failed",
                    "user": click.request.user,
                    "team": click.request.place.team,
                    "channel": click.request.place.channel,
                },
            )
            await self.reply(click, apology(""))


def _complaint(body: Body, refused: Refused) -> Block:
    """The answer to a form that shows the sentence at its field."""
    fields = list(body["view"].get("state", {}).get("values", {})) or [""]
    # Slack shows an error only below a field that exists; the first one is better than none.
    at = next((each for each in fields if field_name(each) == refused.field), fields[0])
    return {"response_action": "errors", "errors": {at: refused.sentence}}


def _report_misread(error: BaseException) -> bool:
    """Whether the body could not be read, which one line of the log then says."""
    where = find_misread(error)
    if where:
        log.warning(
            "A signed request isn't as Slack documents it (%(cause)s in %(where)s). Nothing was changed.",
            {"event": "request_unreadable", "cause": type(error).__name__, "where": where},
        )
    return bool(where)


async def answer_error(error: Exception) -> BoltResponse:
    """What Slack gets for an error that no handler answered: 400 if the body could not be read, else 500."""
    if _report_misread(error):
        return BoltResponse(status=400, body="")
    log.error(
        "An error in handling a request. It wasn't answered; please report this.",
        {"event": "request_failed"},
        exc_info=error,
    )
    return BoltResponse(status=500, body="")


def _add_origin(view: Block, origin: dict[str, Any]) -> Block:
    """The form with the place where it was opened in its metadata, so that its answer can go there."""
    place = {key: origin.get(key, "") for key in ("channel", "url", "whisper", "home", "opened_in", "for")}
    inner = json.loads(view.get("private_metadata") or "{}")
    # Slack limits the metadata by characters: escaped, one letter would count as six.
    return view | {"private_metadata": json.dumps(place | inner, ensure_ascii=False)}


def _mark_for_reader(request: Request, answer: Message | None) -> Message | None:
    """The answer with buttons that work as those did that led to it."""
    is_marked = request.sees is not None and answer is not None and "blocks" in answer
    return for_reader(answer, request.user) if answer is not None and is_marked else answer


def _strip_marks(message: Message) -> Message:
    """A message without the fields that are for us, or for acknowledgements only."""
    return {key: value for key, value in message.items() if key not in ("response_type", "refused")}


def _without_pressed(click: Click) -> Message:
    """The message with a button that is out of date, without that one and others about the same thing."""
    names_thing = bool(click.value.keys() - {"incident", "for", "do"})

    def is_over(action: str, value: dict[str, Any]) -> bool:
        pressed = {key: carried for key, carried in click.value.items() if key != "do"}
        return value == pressed and (names_thing or action == click.action)

    left = blocks.drop_buttons(click.message.get("blocks") or (), is_over)
    return {"text": click.message.get("text", ""), "blocks": left}


def _text_in(sent: Submission) -> str:
    carried = (sent.metadata.get("carry") or {}).get("line")
    return shorten("\n".join(str(value) for value in (*sent.typed, carried) if value), GIVEN_BACK)


def _answer(answer: dict[str, Any] | None) -> BoltResponse:
    if answer is None:
        return BoltResponse(status=200, body="")
    # The stored bytes, so that a repeated request gets exactly the same answer.
    if isinstance(answer, StoredReply):
        return BoltResponse(status=200, body=answer.encoded, headers=JSON_HEADERS)
    shown = {key: value for key, value in answer.items() if key != "refused"}
    return BoltResponse(status=200, body=json.dumps(shown), headers=JSON_HEADERS)


CommandHandler = Callable[[Boundary, Command], Awaitable[Message | Form | None]]
ClickHandler = Callable[[Boundary, Click], Awaitable[Message | None]]
FormHandler = Callable[[Boundary, Click], Awaitable[Block]]
SubmissionHandler = Callable[[Boundary, Submission], Awaitable[Message | Block | None]]
EventHandler = Callable[[Boundary, Body], Awaitable[None]]

_Function = TypeVar("_Function")
_ByName = Mapping[str | re.Pattern[str], _Function]


@dataclass(frozen=True, kw_only=True)
class HandlerTable:
    """The functions of one module by command, action id, callback id or kind of event.

    `clicks` and `submissions` answer, `forms` open a form; `shortcuts` and `shortcut_forms` do so from Slack's menus.
    What is `recording` takes a person's own words and shows nothing that others wrote: it is open to people of whom
    Slack has not said yet who they are.
    """

    commands: Mapping[str, CommandHandler] = field(default_factory=dict)
    clicks: _ByName[ClickHandler] = field(default_factory=dict)
    forms: _ByName[FormHandler] = field(default_factory=dict)
    submissions: Mapping[str, SubmissionHandler] = field(default_factory=dict)
    shortcuts: _ByName[ClickHandler] = field(default_factory=dict)
    shortcut_forms: _ByName[FormHandler] = field(default_factory=dict)
    events: Mapping[str, EventHandler] = field(default_factory=dict)
    recording: frozenset[str | re.Pattern[str]] = frozenset()

    def build_commands(self, boundary: Boundary) -> dict[str, Listener]:
        """The listeners of the commands, by name."""
        return {name: boundary.command(partial(command, boundary)) for name, command in self.commands.items()}

    def listen_to_events(self, app: AsyncApp, boundary: Boundary) -> None:
        """Register the events with Bolt."""
        for kind, event in self.events.items():
            app.event(kind)(boundary.event(partial(event, boundary)))

    def find_button(self, action: str, boundary: Boundary) -> Listener | None:
        """The listener of a button or a field."""
        return self._find(action, boundary, self.clicks, self.forms)

    def find_shortcut(self, callback: str, boundary: Boundary) -> Listener | None:
        """The listener of a line in Slack's menus."""
        return self._find(callback, boundary, self.shortcuts, self.shortcut_forms)

    def find_submission(self, callback: str, boundary: Boundary) -> Listener | None:
        """The listener of a form that is sent."""
        submission = self.submissions.get(callback)
        is_recording = callback in self.recording
        return submission and boundary.submission(partial(submission, boundary), is_recording=is_recording)

    def _find(
        self, name: str, boundary: Boundary, clicks: _ByName[ClickHandler], forms: _ByName[FormHandler]
    ) -> Listener | None:
        is_recording = _find_key(name, self.recording) is not None
        if click := clicks.get(_find_key(name, clicks) or ""):
            return boundary.click(partial(click, boundary), is_recording=is_recording)
        form = forms.get(_find_key(name, forms) or "")
        return form and boundary.form(partial(form, boundary), is_recording=is_recording)


def _find_key(name: str, keys: Collection[str | re.Pattern[str]]) -> str | re.Pattern[str] | None:
    """The key of a table that is this name, or whose pattern it matches."""
    patterns = (one for one in keys if isinstance(one, re.Pattern) and one.fullmatch(name))
    return name if name in keys else next(patterns, None)
