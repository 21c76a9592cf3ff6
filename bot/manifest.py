"""The Slack app's manifest: its commands, events and scopes, with the reason for each scope."""

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

from bot.errors import Misconfigured

SCOPES = {
    "commands": "the slash commands and the shortcuts",
    "chat:write": "answers, the live timeline message and reminders, only where the bot is a member",
    "im:write": "opens the direct message for a reminder",
    "channels:read": "knows a public channel's name, its members, and whether another organisation shares it",
    "groups:read": "the same for private incident channels",
    "users:read": "people's time zones and names, and who is a guest, a bot or deactivated",
    "files:write": "attaches the exported postmortem",
}
"""Bot scopes that nothing works without, each with its reason."""

OPTIONAL_SCOPES = {
    "app_mentions:read": "recording with @afterword inside threads, where commands cannot run",
    "reactions:read": "recording a message by the :memo: reaction",
    "pins:write": "pinning the live message of an incident, if AFTERWORD_PIN_CARD is set",
    "reactions:write": "marking a message that was recorded",
    "channels:history": "in public channels: reading the message that a reaction marks, noticing that a recorded one "
    "was edited or deleted, looking back for messages to record, looking up an unsure send",
    "groups:history": "in private channels: the same",
    "im:history": "`done 3` and `3 friday` as answers to a reminder, looking up an unsure send in a direct message",
    "users:read.email": "finding the owner of an action among the people of a connected Jira",
    "usergroups:read": "writing a user group's name where a message holds only its id, handing an action over to one",
    "files:read": "keeping the files of recorded messages, and making sure that an attached export arrived",
    "canvases:write": "the postmortem as a canvas of its channel; without it the Markdown file is posted instead",
    "canvases:read": "bringing such a canvas up to date: what people changed in it is read first, so that it stays",
}
"""Bot scopes that an admin may decline, each with the feature that is then missing."""

SIGN_IN_SCOPES = {
    "openid": "signing in to the library: which account it is",
    "profile": "the same: the workspace of that account",
}
"""Scopes of the people who sign in to the library, each with its reason; only for an app that has one."""

REDIRECT_PATH = "/library/sign-in/callback"

EVENTS = {
    "app_home_opened": "",
    "member_joined_channel": "channels:read",
    "member_left_channel": "channels:read",
    "channel_rename": "channels:read",
    "group_rename": "groups:read",
    "user_change": "users:read",
    "team_join": "users:read",
    "app_mention": "app_mentions:read",
    "reaction_added": "reactions:read",
    "reaction_removed": "reactions:read",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
}
"""The events that the app subscribes to, each with the scope that it needs."""

_SHORTCUTS = (
    ("Add to timeline", "message", "timeline_add_message", "Record this message at its own time"),
    ("Open an incident", "global", "incident_open", "Start a timeline in a channel"),
)

_LONG_DESCRIPTION = (
    "Afterword is the incident scribe. During an incident it writes the timeline down in UTC, line by line, "
    "as people type it; after the incident it drafts the postmortem from what was recorded, asks for what is "
    "missing, and reminds the owner until it is published."
)


class SlashCommand(NamedTuple):
    """A slash command as Slack lists it; `usage_hint` is shown while it is typed."""

    command: str
    description: str
    usage_hint: str


def manifest(
    transport: Literal["socket", "http"],
    commands: Iterable[SlashCommand],
    url: str = "",
    *,
    minimal: bool = False,
    library: str = "",
) -> dict[str, Any]:
    """The manifest, schema version 2, as Slack's "create an app from a manifest" takes it (JSON).

    `url` is the bot's public https address in HTTP mode; raises Misconfigured if it is missing there. `minimal` leaves
    out the optional scopes and their events, for workspaces that refuse them. `library` is the address of the library,
    for the sign-in; empty if there is none.
    """
    request_url = _request_url(url) if transport == "http" else ""
    address = {"request_url": request_url} if request_url else {}
    scopes = list(SCOPES) if minimal else [*SCOPES, *OPTIONAL_SCOPES]
    return {
        "_metadata": {"major_version": 2, "minor_version": 1},
        "display_information": {
            "name": "Afterword",
            "description": "Writes the incident timeline down in UTC and gets the postmortem finished.",
            "long_description": _LONG_DESCRIPTION,
            "background_color": "#1f2a37",
        },
        "features": _features(commands, request_url),
        "oauth_config": _oauth(library, minimal=minimal),
        "settings": {
            "event_subscriptions": {
                **address,
                "bot_events": [event for event, scope in EVENTS.items() if not scope or scope in scopes],
            },
            "interactivity": {"is_enabled": True, **address},
            "org_deploy_enabled": False,
            "socket_mode_enabled": transport == "socket",
            "token_rotation_enabled": False,
        },
    }


def reasons() -> str:
    """Every scope with its reason, for the person who approves the app."""
    needed = [f"  {scope:<18} {reason}" for scope, reason in SCOPES.items()]
    optional = [f"  {scope:<18} {reason}" for scope, reason in OPTIONAL_SCOPES.items()]
    sign_in = [f"  {scope:<18} {reason}" for scope, reason in SIGN_IN_SCOPES.items()]
    return "\n".join(
        [
            *("Needed:", *needed, "Optional (declined, only this is off):", *optional),
            *("Of people, with --library only:", *sign_in),
        ]
    )


def _request_url(url: str) -> str:
    if not url.startswith("https://"):
        raise Misconfigured(
            "HTTP mode needs the https address at which Slack reaches the bot. Give it, or use Socket Mode."
        )
    return url.rstrip("/").removesuffix("/slack/events") + "/slack/events"


def _oauth(library: str, *, minimal: bool) -> dict[str, Any]:
    scopes = _scopes(minimal=minimal)
    if not library:
        return {"scopes": scopes}
    return {"redirect_urls": [f"{library}{REDIRECT_PATH}"], "scopes": scopes | {"user": list(SIGN_IN_SCOPES)}}


def _scopes(*, minimal: bool) -> dict[str, list[str]]:
    # An optional scope is in both lists: `bot` is what the app requests, `bot_optional` what an admin may decline.
    if minimal:
        return {"bot": list(SCOPES)}
    return {"bot": [*SCOPES, *OPTIONAL_SCOPES], "bot_optional": list(OPTIONAL_SCOPES)}


def _features(commands: Iterable[SlashCommand], request_url: str) -> dict[str, Any]:
    address = {"url": request_url} if request_url else {}
    return {
        "app_home": {
            "home_tab_enabled": True,
            "messages_tab_enabled": True,
            "messages_tab_read_only_enabled": False,
        },
        "bot_user": {"display_name": "afterword", "always_online": True},
        "shortcuts": [
            {"name": name, "type": kind, "callback_id": callback, "description": description}
            for name, kind, callback, description in _SHORTCUTS
        ],
        "slash_commands": [
            # Escaped, a mention comes with the person's id. A typed name could be several people's.
            {**command._asdict(), "should_escape": True, **address}
            for command in commands
        ],
    }
