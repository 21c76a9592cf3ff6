"""Messages into the timeline: the message shortcut, the reaction, and what is said to the bot.

Also the buttons that look back through a channel's history, and the window that lists the messages found.
"""

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable
from functools import partial

from bot.domain.records import Place
from bot.domain.timeline import PendingEntry
from bot.errors import Refused
from bot.services import capture as capture_service
from bot.services import history_scan as history_scan_service
from bot.services.context import Request
from bot.slack.message_text import read_object, read_string
from bot.slack.messages_in import (
    ASKED,
    RECORDED,
    MessageUnavailable,
    SlackMessage,
    message_source,
    parse_message,
    strip_skin_tone,
)
from bot.slack.views import blocks
from bot.slack.views import history_scan as history_scan_views
from bot.slack.views.blocks import Block, Message
from bot.slack.views.templates import words
from handlers import whys as whys_handlers
from handlers.boundary import Boundary, HandlerTable, refusal
from handlers.requests import Body, Click, Submission, chosen_in, event_of
from handlers.whys import ThreadAnswer

_FIRST = re.compile(r"\s*<@([UW][A-Z0-9]+)(?:\|[^<>]*)?>[\s,:]*")
_GONE = ("message_deleted", "tombstone")


async def _record_chosen(boundary: Boundary, click: Click) -> Message | None:
    """*Add to timeline* in a message's menu; Slack gives the message along, so that no right is needed."""
    said = parse_message(click.message, click.request.place.channel, click.app)
    link = await boundary.messages.permalink(said.channel, said.ts)
    answer = await capture_service.record(boundary.services, click.request, said, link, by_reaction=False)
    boundary.later(_recorded(boundary, said))
    return answer.said


async def _record_by_reaction(boundary: Boundary, body: Body) -> None:
    """The reaction that records, put on a message."""
    event = body["event"]
    channel, ts = _item(event)
    if not _is_ours(boundary, body) or not ts:
        return
    request = event_of(body, channel, boundary.services.clock.now())
    await _whispering(
        boundary, request, "", partial(_take_by_reaction, boundary, request, ts, body.get("api_app_id", ""))
    )


async def _take_by_reaction(boundary: Boundary, request: Request, ts: str, app: str) -> None:
    channel = request.place.channel
    told, link = await asyncio.gather(boundary.messages.find(channel, ts), boundary.messages.permalink(channel, ts))
    said = parse_message(told, channel, app)
    answer = await capture_service.record(boundary.services, request, said, link, by_reaction=True)
    if answer.said is not None and answer.is_telling:
        boundary.later(boundary.whisper_if_possible(request, answer.said, said.thread_ts))
    boundary.later(_recorded(boundary, said))


async def _withdraw(boundary: Boundary, body: Body) -> None:
    """The reaction taken away: once no person has it on the message, the entry is taken back."""
    channel, ts = _item(body["event"])
    if not _is_ours(boundary, body) or not ts:
        return
    request = event_of(body, channel, boundary.services.clock.now())
    await _whispering(boundary, request, "", partial(_withdraw_unless_held, boundary, request, ts, _bots(body)))


async def _withdraw_unless_held(boundary: Boundary, request: Request, ts: str, bots: frozenset[str]) -> None:
    channel = request.place.channel
    if await boundary.messages.holders(channel, ts, boundary.services.policy.reaction) - bots:
        return
    if await capture_service.withdraw(boundary.services, request, message_source(channel, ts)):
        boundary.later(boundary.messages.unmark(channel, ts))


async def _record_mention(boundary: Boundary, body: Body) -> None:
    """`@afterword [time] what happened`, in a channel or a thread."""
    event = body["event"]
    if "user" not in event or event.get("bot_id"):
        return
    request = event_of(body, event["channel"], boundary.services.clock.now())
    said = parse_message(event, event["channel"], body.get("api_app_id", ""))
    await _whispering(boundary, request, said.thread_ts, partial(_note, boundary, request, said, _bots(body)))


async def _note(boundary: Boundary, request: Request, said: SlackMessage, bots: frozenset[str]) -> None:
    first = _FIRST.match(said.text)
    if first is None or first[1] not in bots:
        raise Refused(words.capture.not_first(reaction=boundary.services.policy.reaction))
    line = said.text[first.end() :].strip()
    if said.thread_ts and await _in_whys(boundary, request, said, line):
        return
    if line.lower() in ("", "help", "?") and not said.files:
        boundary.later(boundary.whisper_if_possible(request, _help(boundary), said.thread_ts))
        return
    link = await boundary.messages.permalink(said.channel, said.ts)
    answer = await capture_service.record_mention(boundary.services, request, said, line, link)
    if answer.said is not None and (not answer.is_recorded or answer.is_telling):
        boundary.later(boundary.whisper_if_possible(request, answer.said, said.thread_ts))
    if answer.is_recorded:
        boundary.later(_recorded(boundary, said))
    else:
        boundary.later(boundary.messages.mark(said.channel, said.ts, by=ASKED))


async def _in_whys(boundary: Boundary, request: Request, said: SlackMessage, line: str) -> bool:
    """Whether it was said in the thread of the whys, and so is about them and no entry."""
    line = await boundary.services.slack.directory.resolve_names(request.team, line)
    heard = await whys_handlers.in_thread(boundary, request, line, said.thread_ts)
    _after_whys(boundary, said, request, heard)
    return heard is not None


def _after_whys(boundary: Boundary, said: SlackMessage, request: Request, heard: ThreadAnswer | None) -> None:
    if heard is not None and heard.is_recorded:
        boundary.later(boundary.messages.mark(said.channel, said.ts, by=RECORDED))
    if heard is not None and heard.said is not None:
        boundary.later(boundary.whisper_if_possible(request, heard.said, said.thread_ts))


def _help(boundary: Boundary) -> Message:
    return blocks.ephemeral(words.capture.help(reaction=boundary.services.policy.reaction))


async def _record_at(boundary: Boundary, click: Click) -> Message | None:
    """One of the readings of the time in what was said to the bot."""
    channel, _, ts = str(click.value["source"]).partition(":")
    told: Body = {"ts": ts, "user": click.request.user}
    with contextlib.suppress(Refused, MessageUnavailable):  # read for its files alone: its words are in the button
        told = await boundary.messages.find(channel, ts)
    said = parse_message(told, channel, click.app)
    request = click.request.at(Place(click.request.team, channel))
    link = await boundary.messages.permalink(channel, ts)
    answer = await capture_service.record_at(boundary.services, request, said, chosen_in(click.value), link)
    boundary.later(boundary.messages.unmark(channel, ts, by=ASKED))
    boundary.later(_recorded(boundary, said))
    return answer


async def follow_message(boundary: Boundary, body: Body) -> None:
    """A message was edited or deleted: what was captured from it says so. A reply may answer one of the whys.

    Nothing else that is said matters.
    """
    event = body["event"]
    place = Place(body["team_id"], event.get("channel", ""))
    match event.get("subtype"):
        case None | "thread_broadcast" | "file_share" if event.get("thread_ts", event["ts"]) != event["ts"]:
            await _follow_reply(boundary, body)
        case "message_deleted":
            await _changed(boundary, place, read_string(event.get("deleted_ts")), "deleted")
        case "message_changed":
            told, app = read_object(event.get("message")), body.get("api_app_id", "")
            after = parse_message(told, place.channel, app)
            before = parse_message(read_object(event.get("previous_message")), place.channel, app)
            # Slack also says "changed" when it has only unfolded a link.
            if told.get("subtype") in _GONE:
                await _changed(boundary, place, after.ts, "deleted")
            elif after.text != before.text:
                await _changed(boundary, place, after.ts, "edited")


async def _changed(boundary: Boundary, place: Place, ts: str, change: str) -> None:
    if ts:
        await capture_service.mark_changed(boundary.services, place, message_source(place.channel, ts), change)


async def _follow_reply(boundary: Boundary, body: Body) -> None:
    """Somebody replied in a thread, not to the bot: in that of the whys it may be an answer, from who may."""
    event = body["event"]
    text = str(event.get("text") or "")
    if event.get("bot_id") or not event.get("user") or any(f"<@{bot}" in text for bot in _bots(body)):
        return
    request = event_of(body, event["channel"], boundary.services.clock.now())
    thread_ts = str(event["thread_ts"])
    if await whys_handlers.is_elsewhere(boundary, request, thread_ts):
        return
    try:
        await boundary.admit(request)
    except Refused:
        return  # they did not speak to the bot
    said = parse_message(event, event["channel"], body.get("api_app_id", ""))
    await _whispering(boundary, request, thread_ts, partial(_answer_why, boundary, request, said))


async def _answer_why(boundary: Boundary, request: Request, said: SlackMessage) -> None:
    line = await boundary.services.slack.directory.resolve_names(request.team, said.text)
    _after_whys(boundary, said, request, await whys_handlers.reply(boundary, request, line, said.thread_ts))


def _is_ours(boundary: Boundary, body: Body) -> bool:
    """Whether it is the reaction that records, put on by a person in a channel."""
    event = body["event"]
    in_channel = not _item(event)[0].startswith("D")
    return (
        in_channel
        and strip_skin_tone(event["reaction"]) == boundary.services.policy.reaction
        and event["user"] not in _bots(body)
    )


async def _whispering(
    boundary: Boundary, request: Request, thread_ts: str, work: Callable[[], Awaitable[None]]
) -> None:
    """Do the work of an event, where who caused it may do so; a refusal is whispered to them."""
    try:
        await boundary.admit(request)
        await work()
    except Refused as refused:
        boundary.later(boundary.whisper_if_possible(request, refusal(refused, ""), thread_ts))


def mark_later(boundary: Boundary, carried: PendingEntry) -> None:
    """The same for a message that an incident was opened with."""
    channel, _, ts = carried.source.partition(":")
    boundary.later(_marked(boundary, channel, ts, has_files=bool(carried.files)))


async def _recorded(boundary: Boundary, said: SlackMessage) -> None:
    """The receipt that everybody sees, and then the message's files."""
    await _marked(boundary, said.channel, said.ts, has_files=bool(said.files))


async def _marked(boundary: Boundary, channel: str, ts: str, *, has_files: bool) -> None:
    await boundary.messages.mark(channel, ts, by=RECORDED)
    if has_files:
        await capture_service.fetch_due(boundary.services.store, boundary.files, boundary.services.clock.now())


def _item(event: Body) -> tuple[str, str]:
    """The channel and time stamp of the message that was reacted to; empty if it was no message."""
    item = event.get("item") or {}
    return (item["channel"], item["ts"]) if item.get("type") == "message" else ("", "")


def _bots(body: Body) -> frozenset[str]:
    """The user ids of Afterword in the workspaces that hear of this event."""
    return frozenset(one["user_id"] for one in body.get("authorizations") or () if one.get("user_id"))


async def _scan(boundary: Boundary, click: Click) -> Message | None:
    """[Look back 2 hours] when an incident is opened."""
    return await history_scan_service.begin(boundary.services, click.request, int(click.value["hours"]), click.app)


async def _scan_again(boundary: Boundary, click: Click) -> Message | None:
    """[Try again] below a look back that failed."""
    return await history_scan_service.retry(boundary.services, click.request, click.value)


async def _choose(boundary: Boundary, click: Click) -> Block:
    """[Choose] below what was found."""
    return await history_scan_service.choose(boundary.services, click.request, click.value)


async def _record_scan(boundary: Boundary, sent: Submission) -> Message | None:
    """The list, ticked."""
    ticked = blocks.read_ticked(sent.values, history_scan_views.TICKS)
    return await history_scan_service.record(boundary.services, sent.request, sent.metadata.get("lookback"), ticked)


HANDLERS = HandlerTable(
    clicks={
        re.compile(r"capture_at_(\d+|now)"): _record_at,
        re.compile(r"lookback_\d+"): _scan,
        "lookback_again": _scan_again,
    },
    forms={re.compile(r"lookback_choose_\d+"): _choose},
    submissions={"lookback_record": _record_scan},
    shortcuts={"timeline_add_message": _record_chosen},
    events={
        "reaction_added": _record_by_reaction,
        "reaction_removed": _withdraw,
        "app_mention": _record_mention,
    },
)
