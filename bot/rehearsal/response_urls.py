"""What an app says in answer to an interaction: in its acknowledgement, or later through the response_url."""

from typing import Any

from bot.rehearsal.calling import Args
from bot.rehearsal.methods_chat import content_of, rewrite
from bot.rehearsal.records import ApiRefusal, Channel, Json, Message, ResponseUrl
from bot.rehearsal.workspace import Workspace


def answer_through(workspace: Workspace, key: str, said: Json) -> None:
    """Use a response_url; ApiRefusal expired_url, used_url, or what is wrong with the message."""
    place = workspace.use_response_url(key)
    say_in(workspace, place, said)


def say_in(workspace: Workspace, place: ResponseUrl, said: Json) -> Message | None:
    """Do what the app said where the interaction was: replace, delete, or a new message; None where it is gone."""
    args = Args(said)
    channel = workspace.channels[place.channel]
    original = channel.messages.get(place.message_ts)
    if args.flag("delete_original"):
        if original is not None:
            del channel.messages[original.ts]
        return None
    content = content_of(args, cumulative=False)
    if args.flag("replace_original") and original is not None:
        rewrite(workspace, original, content)
        place.made.append(original)
        return original
    return _new(workspace, channel, place, args, content)


def _new(workspace: Workspace, channel: Channel, place: ResponseUrl, args: Args, content: dict[str, Any]) -> Message:
    if channel.archived:
        raise ApiRefusal("is_archived")
    public = args.text("response_type") == "in_channel"
    message = workspace.put(
        channel,
        workspace.bot_user_id,
        **content,
        thread_ts=args.text("thread_ts") or place.thread_ts,
        ephemeral_for="" if public else place.user,
        by_app=True,
    )
    place.made.append(message)
    return message
