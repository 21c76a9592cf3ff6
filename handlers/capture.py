"""Messages into the timeline: the message shortcut, the reaction, mentions of the bot, and the scan of a channel."""

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
from bot.services.announcements import followers as followers_service
from bot.services.context import Request
from bot.slack.message_text import JsonObject, read_object, read_string
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

LATE_SECONDS = 30.0
"""Slack sends events again for an hour, in any order: such a reaction may have been taken away since, and the event
that said so may have come first. A fresh one is recorded without asking, because Slack may not show it at once."""

_FIRST = re.compile(r"\s*<@([UW][A-Z0-9]+)(?:\|[^<>]*)?>[\s,:]*")
# Slack leaves a tombstone where a deleted message had replies, and reports it as a change.
_GONE = ("message_deleted", "tombstone")


async def _record_chosen(boundary: Boundary, click: Click) -> Message | None:
    """*Add to timeline* in a message's menu. Slack sends the message along, so this needs no scope to read it."""
    message = parse_message(click.message, click.request.place.channel, click.app)
    link = await boundary.messages.permalink(message.channel, message.ts)
    answer = await capture_service.record(boundary.services, click.request, message, link, by_reaction=False)
    _mark_recorded(boundary, message.channel, message.ts)
    return answer.reply


async def _record_by_reaction(boundary: Boundary, body: Body) -> None:
    event = body["event"]
    channel, ts = _item(event)
    if not _is_ours(boundary, body) or not ts:
        return
    request = event_of(body, channel, boundary.services.clock.now())
    if _is_late(event, request) and not await _is_marked(boundary, channel, ts, _bots(body)):
        return
    work = partial(_take_by_reaction, boundary, request, ts, body.get("api_app_id", ""))
    await _run(boundary, request, "", work, is_recording=True)


def _is_late(event: JsonObject, request: Request) -> bool:
    try:
        return request.now.timestamp() - float(event.get("event_ts", "")) > LATE_SECONDS
    except ValueError:
        return False


async def _is_marked(boundary: Boundary, channel: str, ts: str, bots: frozenset[str]) -> bool:
    """Whether a person's reaction is still on the message; true while Slack doesn't answer, so that nothing is lost."""
    try:
        return bool(await boundary.messages.holders(channel, ts, boundary.services.policy.reaction) - bots)
    except MessageUnavailable:
        return True


async def _take_by_reaction(boundary: Boundary, request: Request, ts: str, app: str) -> None:
    channel = request.place.channel
    # Side by side, since Slack repeats an event that is not answered in three seconds.
    body, link = await asyncio.gather(boundary.messages.find(channel, ts), boundary.messages.permalink(channel, ts))
    message = parse_message(body, channel, app)
    answer = await capture_service.record(boundary.services, request, message, link, by_reaction=True)
    if answer.reply is not None and (answer.is_telling or _is_unidentified(boundary, request)):
        boundary.later(boundary.whisper_if_possible(request, answer.reply, message.thread_ts))
    _mark_recorded(boundary, message.channel, message.ts)


async def _withdraw(boundary: Boundary, body: Body) -> None:
    """A reaction was removed: once no person's is left on the message, the entry is struck."""
    channel, ts = _item(body["event"])
    if not _is_ours(boundary, body) or not ts:
        return
    request = event_of(body, channel, boundary.services.clock.now())
    await _run(boundary, request, "", partial(_strike_unless_marked, boundary, request, ts, _bots(body)))


async def _strike_unless_marked(boundary: Boundary, request: Request, ts: str, bots: frozenset[str]) -> None:
    channel = request.place.channel
    # Read from Slack, not counted: several people may have set it, and events can be lost or repeated.
    if await boundary.messages.holders(channel, ts, boundary.services.policy.reaction) - bots:
        return
    if await capture_service.withdraw(boundary.services, request, message_source(channel, ts)):
        boundary.later(boundary.messages.unmark(channel, ts))


async def _record_mention(boundary: Boundary, body: Body) -> None:
    """`@afterword [time] what happened`, in a channel or a thread."""
    event = body["event"]
    # What a bot says is not recorded by a mention: two bots could answer each other for ever.
    if "user" not in event or event.get("bot_id"):
        return
    request = event_of(body, event["channel"], boundary.services.clock.now())
    message = parse_message(event, event["channel"], body.get("api_app_id", ""))
    work = partial(_record_line, boundary, request, message, _bots(body))
    await _run(boundary, request, message.thread_ts, work, is_recording=True)


async def _record_line(boundary: Boundary, request: Request, message: SlackMessage, bots: frozenset[str]) -> None:
    first = _FIRST.match(message.text)
    if first is None or first[1] not in bots:
        raise Refused(words.capture.not_first(reaction=boundary.services.policy.reaction))
    line = message.text[first.end() :].strip()
    if message.thread_ts and await _answer_in_whys(boundary, request, message, line):
        return
    if line.lower() in ("", "help", "?") and not message.files:
        usage = blocks.ephemeral(words.capture.help(reaction=boundary.services.policy.reaction))
        boundary.later(boundary.whisper_if_possible(request, usage, message.thread_ts))
        return
    link = await boundary.messages.permalink(message.channel, message.ts)
    answer = await capture_service.record_mention(boundary.services, request, message, line, link)
    is_telling = answer.is_telling or not answer.is_recorded or _is_unidentified(boundary, request)
    if answer.reply is not None and is_telling:
        boundary.later(boundary.whisper_if_possible(request, answer.reply, message.thread_ts))
    if answer.is_recorded:
        _mark_recorded(boundary, message.channel, message.ts)
    else:
        boundary.later(boundary.messages.mark(message.channel, message.ts, by=ASKED))


async def _answer_in_whys(boundary: Boundary, request: Request, message: SlackMessage, line: str) -> bool:
    """Whether the thread is that of the whys; then the line is about them and is no entry."""
    line = await boundary.services.slack.directory.resolve_names(request.team, line)
    answer = await whys_handlers.run_in_thread(boundary, request, line, message.thread_ts)
    _show_thread_answer(boundary, message, request, answer)
    return answer is not None


def _show_thread_answer(
    boundary: Boundary, message: SlackMessage, request: Request, answer: ThreadAnswer | None
) -> None:
    if answer is not None and answer.is_recorded:
        boundary.later(boundary.messages.mark(message.channel, message.ts, by=RECORDED))
    if answer is not None and answer.whisper is not None:
        boundary.later(boundary.whisper_if_possible(request, answer.whisper, message.thread_ts))


async def _record_at(boundary: Boundary, click: Click) -> Message | None:
    """One of the readings of the time in a mention."""
    channel, _, ts = str(click.value["source"]).partition(":")
    body: Body = {"ts": ts, "user": click.request.user}
    with contextlib.suppress(Refused, MessageUnavailable):  # only for its files: its words are in the button
        body = await boundary.messages.find(channel, ts)
    message = parse_message(body, channel, click.app)
    request = click.request.at(Place(click.request.team, channel))
    link = await boundary.messages.permalink(channel, ts)
    answer = await capture_service.record_at(boundary.services, request, message, chosen_in(click.value), link)
    boundary.later(boundary.messages.unmark(channel, ts, by=ASKED))
    _mark_recorded(boundary, message.channel, message.ts)
    return answer


async def follow_message(boundary: Boundary, body: Body) -> None:
    """An edited or deleted message marks the entry captured from it; a reply may answer a why. Others are ignored."""
    event = body["event"]
    place = Place(body["team_id"], event.get("channel", ""))
    match event.get("subtype"):
        case None | "thread_broadcast" | "file_share" if event.get("thread_ts", event["ts"]) != event["ts"]:
            # A reply without a mention may be an answer, in the whys' thread alone (decision 36).
            await _follow_reply(boundary, body)
        case "channel_convert_to_private" | "channel_convert_to_public" as kind:
            boundary.services.slack.channels.forget(place.channel)
            await boundary.services.slack.channel_privacy.note(
                place.team, place.channel, boundary.services.clock.now(), is_private=kind.endswith("private")
            )
            await followers_service.look_at_channel(boundary.services, place)
        case "message_deleted":
            await _mark_changed(boundary, place, read_string(event.get("deleted_ts")), "deleted")
            await _follow_answer(boundary, body, "")
        case "message_changed":
            message, app = read_object(event.get("message")), body.get("api_app_id", "")
            after = parse_message(message, place.channel, app)
            before = parse_message(read_object(event.get("previous_message")), place.channel, app)
            # Slack sends this event also when it has only unfurled a link, hence the comparison.
            if message.get("subtype") in _GONE:
                await _mark_changed(boundary, place, after.ts, "deleted")
            elif after.text != before.text:
                await _mark_changed(boundary, place, after.ts, "edited")
                await _follow_answer(boundary, body, after.text)


async def _mark_changed(boundary: Boundary, place: Place, ts: str, change: str) -> None:
    if ts:
        await capture_service.mark_changed(boundary.services, place, message_source(place.channel, ts), change)


async def _follow_reply(boundary: Boundary, body: Body) -> None:
    """A reply in a thread that does not mention the bot: "because …" in the thread of the whys is an answer."""
    event = body["event"]
    text = str(event.get("text") or "")
    if event.get("bot_id") or not event.get("user") or any(f"<@{bot}" in text for bot in _bots(body)):
        return
    request = event_of(body, event["channel"], boundary.services.clock.now())
    thread_ts = str(event["thread_ts"])
    # First, as it costs one read: every reply in every channel comes here, and `admit` may ask Slack.
    if await whys_handlers.is_elsewhere(boundary, request, thread_ts):
        return
    try:
        await boundary.admit(request, is_recording=True)
    except Refused:
        return  # no refusal: they did not address the bot
    message = parse_message(event, event["channel"], body.get("api_app_id", ""))
    await _run(boundary, request, thread_ts, partial(_answer_why, boundary, request, message), is_recording=True)


async def _follow_answer(boundary: Boundary, body: Body, after: str) -> None:
    """An edited or deleted reply that answered a why: its author's new words are the answer, or it is removed."""
    before = read_object(body["event"].get("previous_message"))
    user, thread_ts = read_string(before.get("user")), read_string(before.get("thread_ts"))
    if not user or before.get("bot_id") or thread_ts in ("", before.get("ts")):
        return
    asking = {**body, "event": {**body["event"], "user": user, "user_team": before.get("user_team")}}
    request = event_of(asking, body["event"]["channel"], boundary.services.clock.now())
    if await whys_handlers.is_elsewhere(boundary, request, thread_ts):
        return
    try:
        await boundary.admit(request)
    except Refused:
        return  # no refusal: they did not address the bot
    message = parse_message(before, body["event"]["channel"], body.get("api_app_id", ""))
    lines = [await _read_line(boundary, request, text, _bots(body)) for text in (message.text, after)]
    receipt = await whys_handlers.follow_reply(boundary, request, (lines[0], lines[1]), thread_ts)
    if receipt is not None:
        boundary.later(boundary.whisper_if_possible(request, receipt, thread_ts))
        if after:
            boundary.later(boundary.messages.unmark(message.channel, message.ts))


async def _read_line(boundary: Boundary, request: Request, text: str, bots: frozenset[str]) -> str:
    """What a reply says, without the mention of the bot that it may begin with."""
    first = _FIRST.match(text)
    line = text[first.end() :] if first is not None and first[1] in bots else text
    return await boundary.services.slack.directory.resolve_names(request.team, line.strip())


async def _answer_why(boundary: Boundary, request: Request, message: SlackMessage) -> None:
    line = await boundary.services.slack.directory.resolve_names(request.team, message.text)
    answer = await whys_handlers.reply(boundary, request, line, message.thread_ts)
    _show_thread_answer(boundary, message, request, answer)


def _is_unidentified(boundary: Boundary, request: Request) -> bool:
    """Whether the receipt says that the entry is marked, and must be seen."""
    return not boundary.services.slack.directory.is_known(request.team, request.user)


def _is_ours(boundary: Boundary, body: Body) -> bool:
    """Whether it is the reaction that records, by a person and in a channel."""
    event = body["event"]
    in_channel = not _item(event)[0].startswith("D")
    return (
        in_channel
        and strip_skin_tone(event["reaction"]) == boundary.services.policy.reaction
        and event["user"] not in _bots(body)
    )


async def _run(
    boundary: Boundary,
    request: Request,
    thread_ts: str,
    work: Callable[[], Awaitable[None]],
    *,
    is_recording: bool = False,
) -> None:
    """Do the work of an event for the person who caused it; a refusal is whispered to them."""
    try:
        await boundary.admit(request, is_recording=is_recording)
        await work()
    except Refused as refused:
        boundary.later(boundary.whisper_if_possible(request, refusal(refused, ""), thread_ts))


def mark_later(boundary: Boundary, pending: PendingEntry) -> None:
    """Mark the message that an incident was opened with as recorded."""
    channel, _, ts = pending.source.partition(":")
    _mark_recorded(boundary, channel, ts)


def _mark_recorded(boundary: Boundary, channel: str, ts: str) -> None:
    boundary.later(boundary.messages.mark(channel, ts, by=RECORDED))


def _item(event: Body) -> tuple[str, str]:
    """The channel and timestamp of the message that was reacted to; empty if it was no message."""
    item = event.get("item") or {}
    return (item["channel"], item["ts"]) if item.get("type") == "message" else ("", "")


def _bots(body: Body) -> frozenset[str]:
    """Afterword's user ids in the workspaces that this event was sent for."""
    return frozenset(one["user_id"] for one in body.get("authorizations") or () if one.get("user_id"))


async def _scan(boundary: Boundary, click: Click) -> Message | None:
    """[Scan the last 2 hours] when an incident is opened."""
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
    recording=frozenset({re.compile(r"capture_at_(\d+|now)"), "timeline_add_message"}),
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
