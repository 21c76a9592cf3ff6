"""The objects of Slack's answers and payloads, as Slack shapes them."""

import mimetypes
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.rehearsal.block_kit import collect_state
from bot.rehearsal.workspace import Canvas, Json, Message, SharedFile, StandInChannel, User, View, Workspace


def user_json(workspace: Workspace, user: User, *, with_locale: bool = False) -> Json:
    """A user as in users.info, with the language on request; a bot has no zone."""
    profile: Json = {"display_name": user.name, "real_name": user.name}
    if user.email:
        profile["email"] = user.email
    shown: Json = {
        "id": user.id,
        "team_id": workspace.team,
        "name": user.name,
        "real_name": user.name,
        "deleted": user.deleted,
        "is_bot": user.bot,
        "is_app_user": False,
        "is_restricted": user.guest,
        "is_ultra_restricted": False,
        "is_admin": False,
        "is_owner": False,
        "profile": profile,
        "updated": 1,
    }
    if not user.bot and not user.deleted:
        at = workspace.now().astimezone(ZoneInfo(user.zone))
        offset = at.utcoffset() or timedelta(0)
        shown |= {"tz": user.zone, "tz_label": at.tzname(), "tz_offset": int(offset.total_seconds())}
    return shown | ({"locale": user.locale} if with_locale else {})


def channel_json(workspace: Workspace, channel: StandInChannel) -> Json:
    """A channel as in conversations.info."""
    shown: Json = {
        "id": channel.id,
        "created": channel.created,
        "is_archived": channel.archived,
        "is_im": bool(channel.dm_with),
        "is_org_shared": False,
        "context_team_id": workspace.team,
    }
    if channel.dm_with:
        return shown | {"user": channel.dm_with, "is_open": True}
    return shown | {
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": not channel.private,
        "is_group": False,
        "is_mpim": False,
        "is_private": channel.private,
        "is_general": False,
        "is_shared": channel.shared,
        "is_ext_shared": channel.shared,
        "is_pending_ext_shared": channel.invited,
        "connected_team_ids": ["T0ELSEWHERE"] if channel.shared else [],
        "pending_connected_team_ids": ["T0INVITED"] if channel.invited else [],
        "is_member": workspace.bot_user_id in channel.members,
        "topic": {"value": channel.topic, "creator": "", "last_set": 0},
        "purpose": {"value": channel.purpose, "creator": "", "last_set": 0},
        "num_members": len(channel.members),
        "properties": _properties_json(workspace, channel),
    }


def _properties_json(workspace: Workspace, channel: StandInChannel) -> Json:
    own = [canvas for canvas in workspace.canvases.values() if canvas.is_channels and canvas.channel == channel.id]
    return {"canvas": {"file_id": own[0].id, "is_empty": not own[0].markdown}} if own else {}


def canvas_json(workspace: Workspace, canvas: Canvas) -> Json:
    """A canvas as in files.info: Slack treats it as a file."""
    return {
        "id": canvas.id,
        "name": canvas.title or "Untitled",
        "title": canvas.title or "Untitled",
        "mimetype": "application/vnd.slack-docs",
        "filetype": "quip",
        "mode": "quip",
        "permalink": f"{workspace.base_url}/docs/{workspace.team}/{canvas.id}",
        "channels": sorted(canvas.access),
    }


def message_json(workspace: Workspace, message: Message, *, metadata: bool = False) -> Json:
    """A message as in conversations.history, with its metadata on request."""
    if message.payload is not None:
        return dict(message.payload)
    return _bot_message_json(workspace, message, metadata=metadata) | _thread_fields(workspace, message)


def _bot_message_json(workspace: Workspace, message: Message, *, metadata: bool) -> Json:
    shown: Json = {
        "type": "message",
        "user": message.user,
        "text": message.text,
        "ts": message.ts,
        "team": workspace.team,
    }
    if message.by_app:
        shown |= {"bot_id": workspace.bot_id, "app_id": workspace.app_id}
    for key in ("blocks", "attachments", "thread_ts"):
        if value := getattr(message, key):
            shown[key] = value
    if message.edited:
        shown["edited"] = {"user": message.user, "ts": message.edited}
    if message.files:
        shown["files"] = [file_json(workspace, workspace.files[name]) for name in message.files]
    if message.reactions:
        shown["reactions"] = reactions_json(message)
    if metadata and message.metadata:
        shown["metadata"] = message.metadata
    return shown


def _thread_fields(workspace: Workspace, message: Message) -> Json:
    if message.thread_ts and message.thread_ts != message.ts:
        return {}
    everything = workspace.channels[message.channel].messages.values()
    replies = [reply for reply in everything if reply.thread_ts == message.ts != reply.ts and not reply.ephemeral_for]
    if not replies:
        return {}
    return {"thread_ts": message.ts, "reply_count": len(replies), "latest_reply": replies[-1].ts}


def reactions_json(message: Message) -> list[Json]:
    """The reactions of a message, with who reacted."""
    return [{"name": name, "users": users, "count": len(users)} for name, users in message.reactions.items()]


def file_json(workspace: Workspace, file: SharedFile, *, shares: bool = True) -> Json:
    """A file as in files.info. Slack fills in `shares` some time after the upload."""
    shown: Json = {
        "id": file.id,
        "name": file.name,
        "title": file.title or file.name,
        "size": len(file.bytes),
        "user": file.user or workspace.bot_user_id,
        "mimetype": mimetypes.guess_type(file.name)[0] or "application/octet-stream",
        "mode": "hosted",
        "url_private": f"{workspace.base_url}/files-pri/{file.id}",
        "permalink": f"{workspace.base_url}/files/{file.id}",
        "channels": [file.channel] if file.channel and shares else [],
        "shares": {},
    }
    if file.channel and shares:
        side = "private" if workspace.channels[file.channel].private else "public"
        share: Json = {"ts": file.ts} | ({"thread_ts": file.thread_ts} if file.thread_ts else {})
        shown["shares"] = {side: {file.channel: [share]}}
    return shown


def view_json(workspace: Workspace, view: View) -> Json:
    """A view as in the answers of views.* and in payloads, with its state."""
    body = view.body
    shown: Json = {
        "id": view.id,
        "team_id": workspace.team,
        "type": body["type"],
        "blocks": view.blocks,
        "private_metadata": body.get("private_metadata", ""),
        "callback_id": body.get("callback_id", ""),
        "external_id": body.get("external_id", ""),
        "state": {"values": collect_state(view.blocks, view.typed)},
        "hash": view.hash,
        "clear_on_close": bool(body.get("clear_on_close")),
        "notify_on_close": bool(body.get("notify_on_close")),
        "root_view_id": view.root,
        "previous_view_id": view.previous or None,
        "app_id": workspace.app_id,
        "app_installed_team_id": workspace.team,
        "bot_id": workspace.bot_id,
    }
    return shown | {key: body.get(key) for key in ("title", "submit", "close")}


def user_fields(workspace: Workspace, user: str) -> Json:
    """A person as in interaction payloads."""
    name = workspace.users[user].name
    return {"id": user, "username": name, "name": name, "team_id": workspace.team}


def channel_fields(channel: StandInChannel) -> Json:
    """A channel as in interaction payloads, which do not name private channels and conversations."""
    name = "directmessage" if channel.dm_with else "privategroup" if channel.private else channel.name
    return {"id": channel.id, "name": name}


def envelope(workspace: Workspace, kind: str, user: str) -> dict[str, Any]:
    """The fields that all interaction payloads have."""
    return {
        "type": kind,
        "token": "rehearsal",
        "user": user_fields(workspace, user),
        "api_app_id": workspace.app_id,
        "team": {"id": workspace.team, "domain": workspace.domain},
        "enterprise": None,
        "is_enterprise_install": False,
    }
