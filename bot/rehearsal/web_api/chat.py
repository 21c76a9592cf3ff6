"""chat.*, reactions.* and pins.*, and an app's answers to interactions: at once or by response_url."""

import json
import re
from typing import Any

from bot.rehearsal.block_kit import check_blocks, check_size
from bot.rehearsal.payloads import message_json
from bot.rehearsal.web_api import Args, Method
from bot.rehearsal.workspace import ApiRefusal, Json, Message, ResponseUrl, StandInChannel, Workspace

LONGEST_POST = 40_000  # longer ones are cut, with a warning (changelog of 2018-04)
LONGEST_EDIT = 4_000  # Slack cuts a longer post, but refuses a longer edit or ephemeral message
# Slack's limit for a channel.
MOST_PINS = 100
METADATA_BYTES = 8_000  # Slack has a limit and does not publish it; this one is on the careful side
EVENT_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9_.]*")


def post_message(workspace: Workspace, args: Args) -> Json:
    """chat.postMessage, also to a person by their id."""
    channel = find_target(workspace, args.text("channel"))
    content = parse_content(args)
    warnings: Json = {}
    if len(content["text"]) > LONGEST_POST:
        content["text"] = content["text"][:LONGEST_POST]
        warnings = {"warning": "message_truncated"}
    thread: Json = {"thread_ts": args.text("thread_ts"), "broadcast": args.flag("reply_broadcast")}
    message = workspace.put(channel, workspace.bot_user_id, **content, **thread, by_app=True)
    shown = message_json(workspace, message, metadata=True)
    return {"channel": channel.id, "ts": message.ts, "message": shown, **warnings}


def post_ephemeral(workspace: Workspace, args: Args) -> Json:
    """chat.postEphemeral, to a member of the channel only."""
    channel = workspace.find_writable(args.text("channel"))
    user = args.need("user")
    if user not in channel.members:
        raise ApiRefusal("user_not_in_channel")
    content = parse_content(args)
    _require_length(content["text"], LONGEST_EDIT)
    # Slack stores no metadata with an ephemeral message, so nothing could find it again.
    content.pop("metadata")
    thread = args.text("thread_ts")
    message = workspace.put(
        channel, workspace.bot_user_id, **content, thread_ts=thread, ephemeral_for=user, by_app=True
    )
    return {"message_ts": message.ts}


def update(workspace: Workspace, args: Args) -> Json:
    """chat.update of one of the bot's own messages."""
    channel = workspace.find_writable(args.text("channel"))
    message = require_own_message(workspace, channel, args.text("ts"), "cant_update_message")
    content = parse_content(args)
    _require_length(content["text"], LONGEST_EDIT)
    rewrite(workspace, message, content)
    shown = message_json(workspace, message, metadata=True)
    return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": shown}


def delete(workspace: Workspace, args: Args) -> Json:
    """chat.delete of one of the bot's own messages."""
    channel = workspace.find_joined(args.text("channel"))
    message = require_own_message(workspace, channel, args.text("ts"), "cant_delete_message")
    del channel.messages[message.ts]
    return {"channel": channel.id, "ts": message.ts}


def permalink(workspace: Workspace, args: Args) -> Json:
    """chat.getPermalink."""
    channel = workspace.find_visible(args.text("channel"))
    ts = args.text("message_ts")
    if ts not in channel.messages or channel.messages[ts].ephemeral_for:
        raise ApiRefusal("message_not_found")
    link = f"https://{workspace.domain}.slack.com/archives/{channel.id}/p{ts.replace('.', '')}"
    return {"channel": channel.id, "permalink": link}


def find_target(workspace: Workspace, channel: str) -> StandInChannel:
    """The channel of a post: one that the bot may write in, or its conversation with a person."""
    user = workspace.users.get(channel)
    if user is None and channel.startswith("#"):  # a public channel, by its name
        named = (one.id for one in workspace.channels.values() if f"#{one.name}" == channel and not one.private)
        return workspace.find_writable(next(named, channel))
    if user is None:
        return workspace.find_writable(channel)
    if user.bot:
        raise ApiRefusal("cannot_dm_bot")
    if user.deleted:
        raise ApiRefusal("user_disabled")
    return workspace.dm(user.id)


def require_own_message(workspace: Workspace, channel: StandInChannel, ts: str, foreign: str) -> Message:
    """A message of the bot's own; ApiRefusal `message_not_found` (for ephemeral ones too) or `foreign`."""
    message = channel.messages.get(ts)
    if message is None or message.ephemeral_for:
        raise ApiRefusal("message_not_found")
    if message.user != workspace.bot_user_id:
        raise ApiRefusal(foreign)
    return message


def rewrite(workspace: Workspace, message: Message, content: dict[str, Any]) -> None:
    """Put new content into a message; metadata stays unless new is given."""
    message.text = content["text"]
    message.blocks = workspace.with_ids(content["blocks"])
    message.attachments = content["attachments"]
    # As Slack does it: an update without metadata leaves the key by which the outbox finds its message.
    message.metadata = content.get("metadata") or message.metadata
    message.edited = message.ts


def parse_content(args: Args, *, cumulative: bool = True) -> dict[str, Any]:
    """Text, blocks, attachments and metadata of a call. Raises ApiRefusal if Slack would refuse them."""
    text, blocks, attachments = args.text("text"), args.items("blocks"), args.items("attachments")
    if "markdown_text" in args:
        if text or blocks:
            raise ApiRefusal("markdown_text_conflict")
        blocks = [{"type": "markdown", "text": args.text("markdown_text")}]
    if not text.strip() and not blocks and not attachments:
        raise ApiRefusal("no_text")
    check_blocks(blocks)
    for attachment in attachments:
        check_blocks(attachment.get("blocks") or [])
    if cumulative:
        check_size(blocks)
    return {"text": text, "blocks": blocks, "attachments": attachments, "metadata": _metadata(args)}


def _metadata(args: Args) -> Json | None:
    metadata = args.thing("metadata")
    if metadata is None:
        return None
    event_type, payload = metadata.get("event_type"), metadata.get("event_payload")
    if not isinstance(event_type, str) or not isinstance(payload, dict):
        raise ApiRefusal("invalid_metadata_format")
    if not EVENT_TYPE.fullmatch(event_type):
        raise ApiRefusal("invalid_metadata_schema")
    if len(json.dumps(payload)) > METADATA_BYTES:
        raise ApiRefusal("metadata_too_large")
    return {"event_type": event_type, "event_payload": payload}


def _require_length(text: str, most: int) -> None:
    if len(text) > most:
        raise ApiRefusal("msg_too_long")


def _require_message(workspace: Workspace, args: Args) -> Message:
    channel = workspace.find_joined(args.text("channel"))
    message = channel.messages.get(args.text("timestamp"))
    if message is None or message.ephemeral_for:
        raise ApiRefusal("message_not_found")
    return message


def add_reaction(workspace: Workspace, args: Args) -> Json:
    """reactions.add, once for each person and name."""
    name = args.need("name").strip(":")
    users = _require_message(workspace, args).reactions.setdefault(name, [])
    if workspace.bot_user_id in users:
        raise ApiRefusal("already_reacted")
    users.append(workspace.bot_user_id)
    return {}


def remove_reaction(workspace: Workspace, args: Args) -> Json:
    """reactions.remove of the bot's own."""
    message = _require_message(workspace, args)
    name = args.need("name").strip(":")
    users = message.reactions.get(name, [])
    if workspace.bot_user_id not in users:
        raise ApiRefusal("no_reaction")
    users.remove(workspace.bot_user_id)
    if not users:
        del message.reactions[name]
    return {}


def get_reactions(workspace: Workspace, args: Args) -> Json:
    """reactions.get of a message."""
    message = _require_message(workspace, args)
    return {"type": "message", "channel": message.channel, "message": message_json(workspace, message)}


def add_pin(workspace: Workspace, args: Args) -> Json:
    """pins.add of a message."""
    message = _require_message(workspace, args)
    pins = workspace.channels[message.channel].pins
    if message.ts in pins:
        raise ApiRefusal("already_pinned")
    if len(pins) >= MOST_PINS:
        raise ApiRefusal("too_many_pins")
    pins.append(message.ts)
    return {}


def remove_pin(workspace: Workspace, args: Args) -> Json:
    """pins.remove of a message that is pinned."""
    pins = workspace.channels[_require_message(workspace, args).channel].pins
    ts = args.text("timestamp")
    if ts not in pins:
        raise ApiRefusal("no_pin")
    pins.remove(ts)
    return {}


def post_in_reply(workspace: Workspace, place: ResponseUrl, answer: Json) -> None:
    """Carry out an app's answer in the place of the interaction: replace a message, delete it, or post a new one.

    Only the response_url of something pressed in a message knows an original. That of a command, a shortcut or a window
    posts a new message whatever it is asked to do, and refuses an answer without content. Messages that are written are
    added to `place.made`. Raises ApiRefusal.
    """
    args = Args(answer)
    channel = workspace.channels[place.channel]
    if place.message_ts and args.flag("delete_original"):
        channel.messages.pop(place.message_ts, None)
        return
    content = parse_content(args, cumulative=False)
    original = channel.messages.get(place.message_ts)
    if args.flag("replace_original") and original is not None:
        rewrite(workspace, original, content)
        place.made.append(original)
        return
    if channel.archived:
        raise ApiRefusal("is_archived")
    message = workspace.put(
        channel,
        workspace.bot_user_id,
        **content,
        thread_ts=args.text("thread_ts") or place.thread_ts,
        ephemeral_for="" if args.text("response_type") == "in_channel" else place.user,
        by_app=True,
    )
    place.made.append(message)


METHODS = {
    "chat.postMessage": Method(post_message, "chat:write"),
    "chat.postEphemeral": Method(post_ephemeral, "chat:write"),
    "chat.update": Method(update, "chat:write"),
    "chat.delete": Method(delete, "chat:write"),
    "chat.getPermalink": Method(permalink),
    "pins.add": Method(add_pin, "pins:write"),
    "pins.remove": Method(remove_pin, "pins:write"),
    "reactions.add": Method(add_reaction, "reactions:write"),
    "reactions.remove": Method(remove_reaction, "reactions:write"),
    "reactions.get": Method(get_reactions, "reactions:read"),
}
