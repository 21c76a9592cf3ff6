"""reactions.*, pins.*, bookmarks.*: marks on messages and channels."""

from bot.rehearsal.calling import Args, Method
from bot.rehearsal.records import ApiRefusal, Json, Message
from bot.rehearsal.shapes import message_json
from bot.rehearsal.workspace import Workspace

MOST_PINS = 100
MOST_BOOKMARKS = 100


def _message(workspace: Workspace, args: Args) -> Message:
    channel = workspace.joined(args.text("channel"))
    message = channel.messages.get(args.text("timestamp"))
    if message is None or message.ephemeral_for:
        raise ApiRefusal("message_not_found")
    return message


def add_reaction(workspace: Workspace, args: Args) -> Json:
    """reactions.add, once for each person and name."""
    name = args.need("name").strip(":")
    users = _message(workspace, args).reactions.setdefault(name, [])
    if workspace.bot_user_id in users:
        raise ApiRefusal("already_reacted")
    users.append(workspace.bot_user_id)
    return {}


def remove_reaction(workspace: Workspace, args: Args) -> Json:
    """reactions.remove of the bot's own."""
    message = _message(workspace, args)
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
    message = _message(workspace, args)
    return {"type": "message", "channel": message.channel, "message": message_json(workspace, message)}


def add_pin(workspace: Workspace, args: Args) -> Json:
    """pins.add of a message."""
    message = _message(workspace, args)
    pins = workspace.channels[message.channel].pins
    if message.ts in pins:
        raise ApiRefusal("already_pinned")
    if len(pins) >= MOST_PINS:
        raise ApiRefusal("too_many_pins")
    pins.append(message.ts)
    return {}


def remove_pin(workspace: Workspace, args: Args) -> Json:
    """pins.remove of a message."""
    message = _message(workspace, args)
    pins = workspace.channels[message.channel].pins
    if message.ts not in pins:
        raise ApiRefusal("no_pin")
    pins.remove(message.ts)
    return {}


def add_bookmark(workspace: Workspace, args: Args) -> Json:
    """bookmarks.add of a link."""
    channel = workspace.writable(args.text("channel_id"))
    if len(channel.bookmarks) >= MOST_BOOKMARKS:
        raise ApiRefusal("too_many_bookmarks")
    mark = {"id": workspace.next_id("Bk"), "channel_id": channel.id, "type": "link"}
    mark |= {"title": args.need("title"), "link": args.need("link")}
    channel.bookmarks[mark["id"]] = mark
    return {"bookmark": mark}


def edit_bookmark(workspace: Workspace, args: Args) -> Json:
    """bookmarks.edit of a title or a link."""
    channel = workspace.writable(args.text("channel_id"))
    mark = channel.bookmarks.get(args.need("bookmark_id"))
    if mark is None:
        raise ApiRefusal("not_found")
    mark |= {key: args.text(key) for key in ("title", "link") if key in args}
    return {"bookmark": mark}


def list_bookmarks(workspace: Workspace, args: Args) -> Json:
    """bookmarks.list of a channel."""
    return {"bookmarks": list(workspace.joined(args.text("channel_id")).bookmarks.values())}


METHODS = {
    "reactions.add": Method(add_reaction, "reactions:write"),
    "reactions.remove": Method(remove_reaction, "reactions:write"),
    "reactions.get": Method(get_reactions, "reactions:read"),
    "pins.add": Method(add_pin, "pins:write"),
    "pins.remove": Method(remove_pin, "pins:write"),
    "bookmarks.add": Method(add_bookmark, "bookmarks:write"),
    "bookmarks.edit": Method(edit_bookmark, "bookmarks:write"),
    "bookmarks.list": Method(list_bookmarks, "bookmarks:read"),
}
