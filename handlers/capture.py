"""Messages into the timeline: the message shortcut, the reaction, and what is said to the bot.

The buttons that look back through a channel's history, and the window that lists what was found.
"""

import asyncio
import contextlib
import logging
import re
from collections.abc import Awaitable, Callable
from functools import partial

from slack_bolt.async_app import AsyncApp

from bot.domain.records import Place
from bot.domain.timeline import PendingEntry
from bot.errors import Refused
from bot.services import capture as capture_service
from bot.services import history_scan as history_scan_service
from bot.services.context import Request, Services
from bot.slack.errors import TROUBLE, cause_of
from bot.slack.files import FileReader
from bot.slack.message_text import object_in, string
from bot.slack.messages_in import ASKED, RECORDED, Messages, NotRead, SlackMessage, bare, said_in, source_of
from bot.slack.views import blocks
from bot.slack.views import history_scan as history_scan_views
from bot.slack.views.blocks import Block, Message
from bot.slack.views.templates import words
from handlers import whys as whys_handlers
from handlers.boundary import Boundary, refusal
from handlers.requests import Body, Click, Submission, chosen_in, event_of
from handlers.whys import ThreadAnswer

log = logging.getLogger(__name__)

_AT = re.compile(r"capture_at_(\d+|now)")
_FIRST = re.compile(r"\s*<@([UW][A-Z0-9]+)(?:\|[^<>]*)?>[\s,:]*")
_GONE = ("message_deleted", "tombstone")


class CaptureHandlers:
    """Finds the message that is meant, calls one verb, and marks the message as recorded.

    An event is acknowledged once the entry is on disk; where Slack does not give the message it comes again.
    """

    def __init__(self, services: Services, boundary: Boundary) -> None:
        self._services = services
        self._boundary = boundary
        self._messages = Messages(boundary.client, services.store.timeouts)
        self._files = FileReader(boundary.client)

    def listen(self, app: AsyncApp, boundary: Boundary) -> None:
        """Register every way in."""
        app.shortcut("timeline_add_message")(boundary.click(self.chosen))
        app.action(_AT)(boundary.click(self.at))
        app.event("reaction_added")(boundary.event(self.reacted))
        app.event("reaction_removed")(boundary.event(self.let_go))
        app.event("app_mention")(boundary.event(self.mentioned))
        app.event("message")(boundary.event(self.heard))

    async def chosen(self, click: Click) -> Message | None:
        """*Add to timeline* in a message's menu; Slack gives the message along, so that no right is needed."""
        said = said_in(click.message, click.request.place.channel, click.app)
        link = await self._messages.permalink(said.channel, said.ts)
        answer = await capture_service.take(self._services, click.request, said, link, by_reaction=False)
        self._boundary.later(self._recorded(said))
        return answer.said

    async def reacted(self, body: Body) -> None:
        """The reaction that records, put on a message."""
        event = body["event"]
        channel, ts = _item(event)
        if not self._is_ours(body) or not ts:
            return
        request = event_of(body, channel, self._services.clock.now())
        await self._whispering(request, "", partial(self._take, request, ts, body.get("api_app_id", "")))

    async def _take(self, request: Request, ts: str, app: str) -> None:
        channel = request.place.channel
        told, link = await asyncio.gather(self._messages.find(channel, ts), self._messages.permalink(channel, ts))
        said = said_in(told, channel, app)
        answer = await capture_service.take(self._services, request, said, link, by_reaction=True)
        if answer.said is not None and answer.is_telling:
            self._boundary.later(self._whisper(request, answer.said, said.thread_ts))
        self._boundary.later(self._recorded(said))

    async def let_go(self, body: Body) -> None:
        """The reaction taken away: once nobody holds it, what it recorded is taken back."""
        channel, ts = _item(body["event"])
        if not self._is_ours(body) or not ts:
            return
        request = event_of(body, channel, self._services.clock.now())
        await self._whispering(request, "", partial(self._let_go, request, ts, _bots(body)))

    async def _let_go(self, request: Request, ts: str, bots: frozenset[str]) -> None:
        channel = request.place.channel
        if await self._messages.holders(channel, ts, self._services.policy.reaction) - bots:
            return
        if await capture_service.let_go(self._services, request, source_of(channel, ts)):
            self._boundary.later(self._messages.unmark(channel, ts))

    async def mentioned(self, body: Body) -> None:
        """`@afterword [time] what happened`, in a channel or a thread."""
        event = body["event"]
        if "user" not in event or event.get("bot_id"):
            return
        request = event_of(body, event["channel"], self._services.clock.now())
        said = said_in(event, event["channel"], body.get("api_app_id", ""))
        await self._whispering(request, said.thread_ts, partial(self._note, request, said, _bots(body)))

    async def _note(self, request: Request, said: SlackMessage, bots: frozenset[str]) -> None:
        first = _FIRST.match(said.text)
        if first is None or first[1] not in bots:
            raise Refused(words.capture.not_first(reaction=self._services.policy.reaction))
        line = said.text[first.end() :].strip()
        if said.thread_ts and await self._in_whys(request, said, line):
            return
        if line.lower() in ("", "help", "?") and not said.files:
            self._boundary.later(self._whisper(request, self._help(), said.thread_ts))
            return
        link = await self._messages.permalink(said.channel, said.ts)
        answer = await capture_service.note(self._services, request, said, line, link)
        if answer.said is not None and (not answer.is_recorded or answer.is_telling):
            self._boundary.later(self._whisper(request, answer.said, said.thread_ts))
        if answer.is_recorded:
            self._boundary.later(self._recorded(said))
        else:
            self._boundary.later(self._messages.mark(said.channel, said.ts, by=ASKED))

    async def _in_whys(self, request: Request, said: SlackMessage, line: str) -> bool:
        """Whether it was said in the thread of the whys, where it is about them and no entry."""
        line = await self._services.slack.directory.read(request.team, line)
        heard = await whys_handlers.in_thread(self._boundary, request, line, said.thread_ts)
        self._after_whys(said, request, heard)
        return heard is not None

    def _after_whys(self, said: SlackMessage, request: Request, heard: ThreadAnswer | None) -> None:
        if heard is not None and heard.is_recorded:
            self._boundary.later(self._messages.mark(said.channel, said.ts, by=RECORDED))
        if heard is not None and heard.said is not None:
            self._boundary.later(self._whisper(request, heard.said, said.thread_ts))

    def _help(self) -> Message:
        return blocks.ephemeral(words.capture.help(reaction=self._services.policy.reaction))

    async def at(self, click: Click) -> Message | None:
        """One of the readings of the time in what was said to the bot."""
        channel, _, ts = str(click.value["source"]).partition(":")
        told: Body = {"ts": ts, "user": click.request.user}
        with contextlib.suppress(Refused, NotRead):  # read for its files alone: its words are in the button
            told = await self._messages.find(channel, ts)
        said = said_in(told, channel, click.app)
        request = click.request.at(Place(click.request.team, channel))
        link = await self._messages.permalink(channel, ts)
        answer = await capture_service.settle(self._services, request, said, chosen_in(click.value), link)
        self._boundary.later(self._messages.unmark(channel, ts, by=ASKED))
        self._boundary.later(self._recorded(said))
        return answer

    async def heard(self, body: Body) -> None:
        """A message was edited or deleted: what was captured from it says so. A reply may answer one of the whys.

        Nothing else that is said matters.
        """
        event = body["event"]
        place = Place(body["team_id"], event.get("channel", ""))
        match event.get("subtype"):
            case None | "thread_broadcast" | "file_share" if event.get("thread_ts", event["ts"]) != event["ts"]:
                await self._replied(body)
            case "message_deleted":
                await self._changed(place, string(event.get("deleted_ts")), "deleted")
            case "message_changed":
                told, app = object_in(event.get("message")), body.get("api_app_id", "")
                after = said_in(told, place.channel, app)
                before = said_in(object_in(event.get("previous_message")), place.channel, app)
                # Slack also says "changed" where it has only unfolded a link.
                if told.get("subtype") in _GONE:
                    await self._changed(place, after.ts, "deleted")
                elif after.text != before.text:
                    await self._changed(place, after.ts, "edited")

    async def _changed(self, place: Place, ts: str, change: str) -> None:
        if ts:
            await capture_service.changed(self._services, place, source_of(place.channel, ts), change)

    async def _replied(self, body: Body) -> None:
        """Somebody replied in a thread, not to the bot: in that of the whys it may be an answer, from who may."""
        event = body["event"]
        text = str(event.get("text") or "")
        if event.get("bot_id") or not event.get("user") or any(f"<@{bot}" in text for bot in _bots(body)):
            return
        request = event_of(body, event["channel"], self._services.clock.now())
        thread_ts = str(event["thread_ts"])
        if await whys_handlers.is_elsewhere(self._boundary, request, thread_ts):
            return
        try:
            await self._boundary.admit(request)
        except Refused:
            return  # they did not speak to the bot
        said = said_in(event, event["channel"], body.get("api_app_id", ""))
        await self._whispering(request, thread_ts, partial(self._answer, request, said))

    async def _answer(self, request: Request, said: SlackMessage) -> None:
        line = await self._services.slack.directory.read(request.team, said.text)
        self._after_whys(said, request, await whys_handlers.reply(self._boundary, request, line, said.thread_ts))

    def _is_ours(self, body: Body) -> bool:
        """Whether it is the reaction that records, put on by a person in a channel."""
        event = body["event"]
        in_channel = not _item(event)[0].startswith("D")
        return (
            in_channel
            and bare(event["reaction"]) == self._services.policy.reaction
            and event["user"] not in _bots(body)
        )

    async def _whispering(self, request: Request, thread_ts: str, work: Callable[[], Awaitable[None]]) -> None:
        """Do the work of an event, where who caused it may do so; a refusal is whispered to them."""
        try:
            await self._boundary.admit(request)
            await work()
        except Refused as refused:
            self._boundary.later(self._whisper(request, refusal(refused, ""), thread_ts))

    async def _whisper(self, request: Request, message: Message, thread_ts: str) -> None:
        said = {key: value for key, value in message.items() if key in ("text", "blocks")}
        try:
            await self._boundary.say_beside(request, said, thread_ts)
        except TROUBLE as error:
            log.warning("a whisper could not be shown: %s", cause_of(error))

    def mark_later(self, carried: PendingEntry) -> None:
        """The same for a message that an incident was opened with."""
        channel, _, ts = carried.source.partition(":")
        self._boundary.later(self._marked(channel, ts, has_files=bool(carried.files)))

    async def _recorded(self, said: SlackMessage) -> None:
        """The receipt that everybody sees, and then the message's files."""
        await self._marked(said.channel, said.ts, has_files=bool(said.files))

    async def _marked(self, channel: str, ts: str, *, has_files: bool) -> None:
        await self._messages.mark(channel, ts, by=RECORDED)
        if has_files:
            await capture_service.fetch_due(self._services.store, self._files, self._services.clock.now())


def _item(event: Body) -> tuple[str, str]:
    """The channel and time stamp of the message that was reacted to; empty where it was no message."""
    item = event.get("item") or {}
    return (item["channel"], item["ts"]) if item.get("type") == "message" else ("", "")


def _bots(body: Body) -> frozenset[str]:
    """The user ids of Afterword in the workspaces that hear of this event."""
    return frozenset(one["user_id"] for one in body.get("authorizations") or () if one.get("user_id"))


_BEGIN = re.compile(r"lookback_\d+")
_CHOOSE = re.compile(r"lookback_choose_\d+")


class LookbackHandlers:
    """Parses what was pressed, calls one verb, returns its answer."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def listen(self, app: AsyncApp, boundary: Boundary) -> None:
        """Register every way in."""
        app.action(_BEGIN)(boundary.click(self.begin))
        app.action("lookback_again")(boundary.click(self.again))
        app.action(_CHOOSE)(boundary.form(self.choose))
        app.view("lookback_record")(boundary.submission(self.record))

    async def begin(self, click: Click) -> Message | None:
        """[Look back 2 hours] when an incident is opened."""
        return await history_scan_service.begin(self._services, click.request, int(click.value["hours"]), click.app)

    async def again(self, click: Click) -> Message | None:
        """[Try again] below a look back that failed."""
        return await history_scan_service.again(self._services, click.request, click.value)

    async def choose(self, click: Click) -> Block:
        """[Choose] below what was found."""
        return await history_scan_service.choose(self._services, click.request, click.value)

    async def record(self, sent: Submission) -> Message | None:
        """The list, ticked."""
        ticked = history_scan_views.read_ticked(sent.values)
        return await history_scan_service.record(self._services, sent.request, sent.metadata.get("lookback"), ticked)
