"""conversations.*, users.*, usergroups.*, auth.* and bots.*: channels, their history, people."""

from bot.rehearsal.payloads import channel_json, message_json, user_json
from bot.rehearsal.web_api import Args, Method, page, scope_by_channel
from bot.rehearsal.workspace import ApiRefusal, Json, Message, StandInChannel, Workspace


def info(workspace: Workspace, args: Args) -> Json:
    """conversations.info."""
    return {"channel": channel_json(workspace, workspace.find_visible(args.text("channel")))}


def members(workspace: Workspace, args: Args) -> Json:
    """conversations.members, in pages."""
    channel = workspace.find_visible(args.text("channel"))
    rows, cursor = page(sorted(channel.members), args)
    return {"members": rows, "response_metadata": {"next_cursor": cursor}}


def list_all(workspace: Workspace, args: Args) -> Json:
    """conversations.list, in pages; public channels unless types say otherwise."""
    wanted = {kind.strip() for kind in args.text("types", "public_channel").split(",")}
    listed = [
        channel
        for channel in workspace.channels.values()
        if _kind(channel) in wanted
        # A private channel that the bot is not in does not exist for it.
        and not (channel.private and workspace.bot_user_id not in channel.members)
        and not (channel.archived and args.flag("exclude_archived"))
    ]
    rows, cursor = page(listed, args)
    shown = [channel_json(workspace, channel) for channel in rows]
    return {"channels": shown, "response_metadata": {"next_cursor": cursor}}


def list_of_user(workspace: Workspace, args: Args) -> Json:
    """users.conversations of a person: public channels they are in, private ones only if the bot is in them too."""
    person = workspace.person(args.text("user", workspace.bot_user_id))
    wanted = {kind.strip() for kind in args.text("types", "public_channel").split(",")}
    listed = [
        channel
        for channel in workspace.channels.values()
        if _kind(channel) in wanted
        and person.id in channel.members
        and not (channel.private and workspace.bot_user_id not in channel.members)
        and not (channel.archived and args.flag("exclude_archived"))
    ]
    # Unlike other lists, it refuses to give a thousand.
    if args.number("limit", 100) > 999:
        raise ApiRefusal("invalid_limit")
    rows, cursor = page(listed, args)
    shown = [channel_json(workspace, channel) for channel in rows]
    for channel in shown:
        channel.pop("is_member", None)
    return {"channels": shown, "response_metadata": {"next_cursor": cursor}}


def _kind(channel: StandInChannel) -> str:
    if channel.dm_with:
        return "im"
    return "private_channel" if channel.private else "public_channel"


def open_dm(workspace: Workspace, args: Args) -> Json:
    """conversations.open with one person, or of a D… id again."""
    if "channel" in args:
        return {"channel": {"id": workspace.find_visible(args.text("channel")).id}, "already_open": True}
    users = [user for user in args.text("users").split(",") if user]
    if not users:
        raise ApiRefusal("users_list_not_supplied")
    if len(users) > 1:
        # A conversation of several takes another scope, which the app's manifest does not ask for.
        raise ApiRefusal("missing_scope", needed="mpim:write", provided="")
    person = workspace.person(users[0])
    if person.deleted:
        raise ApiRefusal("user_disabled")
    if person.bot:
        raise ApiRefusal("cannot_dm_bot")
    return {"channel": {"id": workspace.dm(person.id).id}}


def join(workspace: Workspace, args: Args) -> Json:
    """conversations.join of a public channel."""
    channel = workspace.find_visible(args.text("channel"))
    if channel.archived:
        raise ApiRefusal("is_archived")
    if channel.private or channel.dm_with:
        raise ApiRefusal("method_not_supported_for_channel_type")
    already = workspace.bot_user_id in channel.members
    channel.members.add(workspace.bot_user_id)
    return {"channel": channel_json(workspace, channel)} | ({"warning": "already_in_channel"} if already else {})


def history(workspace: Workspace, args: Args) -> Json:
    """conversations.history: the newest first, without replies in threads."""
    channel = workspace.find_joined(args.text("channel"))
    messages = [message for message in _list_messages(channel) if not _is_only_in_thread(message)]
    rows, cursor = page(_filter_by_time(messages, args)[::-1], args, most=workspace.history_page)
    return _page_of_messages(workspace, rows, cursor, args)


def replies(workspace: Workspace, args: Args) -> Json:
    """conversations.replies: the first message of the thread, then the replies in order."""
    channel = workspace.find_joined(args.text("channel"))
    ts = args.text("ts")
    root = channel.messages.get(ts)
    if root is None or root.ephemeral_for:
        raise ApiRefusal("thread_not_found")
    start = root.thread_ts or root.ts
    thread = [message for message in _list_messages(channel) if start in (message.ts, message.thread_ts)]
    # The first message is in every answer, whatever time is asked for.
    rest = [message for message in _filter_by_time(thread, args) if message.ts != start]
    rows, cursor = page(
        [channel.messages[start], *rest] if start in channel.messages else rest, args, most=workspace.history_page
    )
    return _page_of_messages(workspace, rows, cursor, args)


def _list_messages(channel: StandInChannel) -> list[Message]:
    return [message for message in channel.messages.values() if not message.ephemeral_for]


def _is_only_in_thread(message: Message) -> bool:
    return bool(message.thread_ts) and message.thread_ts != message.ts and not message.broadcast


def _filter_by_time(messages: list[Message], args: Args) -> list[Message]:
    oldest, latest = float(args.text("oldest") or 0), float(args.text("latest") or "inf")
    if args.flag("inclusive"):
        return [message for message in messages if oldest <= float(message.ts) <= latest]
    return [message for message in messages if oldest < float(message.ts) < latest]


def _page_of_messages(workspace: Workspace, rows: list[Message], cursor: str, args: Args) -> Json:
    metadata = args.flag("include_all_metadata")
    shown = [message_json(workspace, message, metadata=metadata) for message in rows]
    answer: Json = {"messages": shown, "has_more": bool(cursor)}
    return answer | ({"response_metadata": {"next_cursor": cursor}} if cursor else {})


def auth_test(workspace: Workspace, _args: Args) -> Json:
    """auth.test of the bot's token."""
    return {
        "url": f"https://{workspace.domain}.slack.com/",
        "team": workspace.domain,
        "user": workspace.users[workspace.bot_user_id].name,
        "team_id": workspace.team,
        "user_id": workspace.bot_user_id,
        "bot_id": workspace.bot_id,
        "is_enterprise_install": False,
    }


def bots_info(workspace: Workspace, args: Args) -> Json:
    """bots.info of the bot itself."""
    if args.text("bot", workspace.bot_id) != workspace.bot_id:
        raise ApiRefusal("bot_not_found")
    bot = {"id": workspace.bot_id, "app_id": workspace.app_id, "user_id": workspace.bot_user_id, "deleted": False}
    return {"bot": bot | {"name": workspace.users[workspace.bot_user_id].name}}


def users_info(workspace: Workspace, args: Args) -> Json:
    """users.info."""
    person = workspace.person(args.text("user"))
    return {"user": user_json(workspace, person, with_locale=args.flag("include_locale"))}


def users_list(workspace: Workspace, args: Args) -> Json:
    """users.list, in pages."""
    rows, cursor = page(list(workspace.users.values()), args)
    shown = [user_json(workspace, user, with_locale=args.flag("include_locale")) for user in rows]
    return {"members": shown, "response_metadata": {"next_cursor": cursor}}


def by_email(workspace: Workspace, args: Args) -> Json:
    """users.lookupByEmail, without deactivated people."""
    wanted = args.need("email").lower()
    for user in workspace.users.values():
        if user.email.lower() == wanted and not user.deleted:
            return {"user": user_json(workspace, user)}
    raise ApiRefusal("users_not_found")


def group_members(workspace: Workspace, args: Args) -> Json:
    """usergroups.users.list."""
    group = args.need("usergroup")
    if group not in workspace.usergroups:
        raise ApiRefusal("no_such_subteam")
    return {"users": list(workspace.usergroups[group])}


def groups(workspace: Workspace, _args: Args) -> Json:
    """usergroups.list; a group's handle is its id in small letters unless `usergroup_handles` names another."""
    handles = workspace.usergroup_handles
    return {
        "usergroups": [
            {
                "id": group,
                "team_id": workspace.team,
                "handle": handles.get(group, group.lower()),
                "name": group,
                "date_delete": int(group in workspace.usergroups_disabled),
            }
            for group in workspace.usergroups
        ]
    }


METHODS = {
    "conversations.info": Method(info, scope_by_channel("read")),
    "conversations.members": Method(members, scope_by_channel("read")),
    "conversations.list": Method(list_all, "channels:read"),
    "conversations.open": Method(open_dm, "im:write"),
    "conversations.join": Method(join, "channels:join"),
    "conversations.history": Method(history, scope_by_channel("history")),
    "conversations.replies": Method(replies, scope_by_channel("history")),
    "auth.test": Method(auth_test),
    "bots.info": Method(bots_info, "users:read"),
    "users.info": Method(users_info, "users:read"),
    "users.list": Method(users_list, "users:read"),
    "users.conversations": Method(list_of_user, "channels:read"),
    "users.lookupByEmail": Method(by_email, "users:read.email"),
    "usergroups.list": Method(groups, "usergroups:read"),
    "usergroups.users.list": Method(group_members, "usergroups:read"),
}
