"""What people of the stand-in do: they type, press, react, join and leave. Sends what Slack would send to the app."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from bot.rehearsal.block_kit import (
    CannotTypeError,
    collect_state,
    enter_value,
    enter_values,
    find_input,
    find_option,
    list_options,
)
from bot.rehearsal.delivery import AppAnswer, AppDelivery, InteractionSender
from bot.rehearsal.payloads import channel_fields, envelope, file_json, message_json, user_json, view_json
from bot.rehearsal.screen import ShownMessage, ShownView, escape, list_elements
from bot.rehearsal.web_api.files import share
from bot.rehearsal.workspace import Json, Message, StandInChannel, View

LINK = r"https?://[^\s<>|]+[^\s<>|.,;:!?)\]'\"]"
MAIL = r"(?<![\w.+-])[\w.+-]++@[\w-]++(?:\.[\w-]++)*\.[A-Za-z]{2,}"
BROADCAST = r"@(?:here|channel|everyone)\b"


class Keyboard:
    """Turns what people type into Slack's text; `people` and `channels` are ids by name."""

    def __init__(self, people: Mapping[str, str], channels: Mapping[str, str]) -> None:
        self.people = people
        self.channels = channels
        names = "|".join(
            [f"@{re.escape(name)}" for name in sorted(people, key=len, reverse=True) if name]
            + [f"\\#{re.escape(name)}" for name in sorted(channels, key=len, reverse=True) if name]
        )
        self._parts = re.compile(f"({LINK})|({MAIL})|({BROADCAST})|({names or '(?!)'})(?![\\w-])")

    def command(self, text: str) -> str:
        """The text as a slash command with escaping sends it: `<@U…|name>`, `<#C…|name>`, `<https://…>`."""
        return self._convert(text, named=True)

    def message(self, text: str) -> str:
        """The text as a message holds it: `<@U…>`, `<#C…|name>`, `<https://…>`."""
        return self._convert(text, named=False)

    def _convert(self, text: str, *, named: bool) -> str:
        parts, end = [], 0
        for match in self._parts.finditer(text):
            parts += [escape(text[end : match.start()]), self._mark_up(match, named=named)]
            end = match.end()
        return "".join([*parts, escape(text[end:])])

    def _mark_up(self, match: re.Match[str], *, named: bool) -> str:
        word = escape(match[0])
        if match[1]:
            return f"<{word}>"
        if match[2]:
            return f"<mailto:{word}|{word}>"
        if match[3]:
            return f"<!{match[0][1:]}>"
        name = match[0][1:]
        if match[0].startswith("#"):
            return f"<#{self.channels[name]}|{name}>"
        return f"<@{self.people[name]}|{name}>" if named else f"<@{self.people[name]}>"


class UserActions(InteractionSender):
    """What people do with the app: commands, buttons, shortcuts, modals and Home tabs."""

    def keyboard(self) -> Keyboard:
        """A keyboard that knows the names of today."""
        people = {user.name: user.id for user in self.workspace.users.values()}
        return Keyboard(people, {place.name: place.id for place in self.workspace.channels.values()})

    async def command(self, user: str, channel: str, text: str, *, thread_ts: str = "") -> AppAnswer:
        """Type a slash command (`/timeline 14:05 …`). In a thread Slack refuses it without asking the app."""
        place = self.require_member(user, channel)
        name, _, rest = text.partition(" ")
        if not name.startswith("/"):
            raise LookupError(f"{text!r} is no slash command")
        # Slack itself refuses commands in threads; the app must never see one.
        if thread_ts:
            return AppAnswer(body=f"{name} is not supported in threads. Sorry!", error="not_in_thread")
        payload = {
            "token": "rehearsal",
            "team_id": self.workspace.team,
            "team_domain": self.workspace.domain,
            "channel_id": channel,
            "channel_name": channel_fields(place)["name"],
            "user_id": user,
            "user_name": self.name_of(user),
            "command": name,
            "text": self.keyboard().command(rest).strip(),
            "api_app_id": self.workspace.app_id,
            "is_enterprise_install": "false",
            "response_url": self.workspace.new_response_url(channel, user),
            "trigger_id": self.workspace.new_trigger(user),
        }
        return await self.deliver(AppDelivery("slash_commands", payload))

    # --- messages ----------------------------------------------------------------------------------------------

    async def click(
        self, user: str, message: ShownMessage | str, action_id: str, value: str | None = None, **state: Any
    ) -> AppAnswer:
        """Press a button or choose `value` in a menu of a message, given with its ts alone if need be.

        `state` holds what the person has put into other inputs of the message, by action_id. Raises LookupError if
        the person does not see such a control.
        """
        shown = self.find_shown(user, message)
        block, element = _find_control(shown.blocks, action_id, value)
        typed = enter_values(shown.blocks, state)
        return await self._touch_message(user, shown, typed, _make_action(block, element, value))

    async def enter(self, user: str, message: ShownMessage | str, action_id: str, text: str) -> AppAnswer:
        """Put text into an input of a message and press return. Raises CannotTypeError if it has no dispatch_action."""
        shown = self.find_shown(user, message)
        block, element = find_input(shown.blocks, action_id)
        if block["type"] == "input" and not block.get("dispatch_action"):
            raise CannotTypeError(f"{action_id!r} does not report what is typed (no dispatch_action)")
        state = enter_value(element, text)
        typed = {(block["block_id"], action_id): state}
        return await self._touch_message(user, shown, typed, _make_action(block, element) | state)

    def find_shown(self, user: str, message: ShownMessage | str) -> Message:
        """The message as it is now. Raises LookupError unless this person sees exactly one of this ts."""
        ts = message if isinstance(message, str) else message.ts
        wanted = None if isinstance(message, str) else message.channel
        places = (
            [self.require_member(user, wanted)]
            if wanted
            else [place for place in self.workspace.channels.values() if user in place.members]
        )
        of_ts = [place.messages[ts] for place in places if ts in place.messages]
        seen = [each for each in of_ts if each.ephemeral_for in ("", user)]
        if len(seen) != 1:
            raise LookupError(f"{self.name_of(user)} sees {len(seen) or 'no'} messages {ts}")
        return seen[0]

    async def _touch_message(self, user: str, message: Message, typed: dict[Any, Json], action: Json) -> AppAnswer:
        # For an ephemeral message Slack sends no `message`, only the container with its ts.
        place = self.require_member(user, message.channel)
        container: Json = {"type": "message", "message_ts": message.ts, "channel_id": message.channel}
        container |= {"is_ephemeral": bool(message.ephemeral_for)}
        container |= {"thread_ts": message.thread_ts} if message.thread_ts else {}
        url = self.workspace.new_response_url(message.channel, user, message.ts, message.thread_ts)
        payload = {
            **envelope(self.workspace, "block_actions", user),
            "container": container,
            "trigger_id": self.workspace.new_trigger(user),
            "channel": channel_fields(place),
            **({} if message.ephemeral_for else {"message": message_json(self.workspace, message, metadata=True)}),
            "state": {"values": collect_state(message.blocks, typed)},
            "response_url": url,
            "actions": [action | {"action_ts": self._now_text()}],
        }
        return await self.deliver(AppDelivery("interactive", payload))

    def _now_text(self) -> str:
        return f"{self.workspace.now().timestamp():.6f}"

    async def shortcut(self, user: str, channel: str, message_ts: str, callback_id: str) -> AppAnswer:
        """Choose a message shortcut in the menu of a message."""
        place = self.require_member(user, channel)
        message = place.messages.get(message_ts)
        if message is None or message.ephemeral_for:
            raise LookupError(f"there is no message {message_ts} in #{place.name} to use a shortcut on")
        payload = {
            **envelope(self.workspace, "message_action", user),
            "callback_id": callback_id,
            "trigger_id": self.workspace.new_trigger(user),
            "response_url": self.workspace.new_response_url(channel, user, thread_ts=message.thread_ts),
            "action_ts": self._now_text(),
            "message_ts": message_ts,
            "channel": channel_fields(place),
            "message": message_json(self.workspace, message),
        }
        return await self.deliver(AppDelivery("interactive", payload))

    async def global_shortcut(self, user: str, callback_id: str) -> AppAnswer:
        """Choose a shortcut in the search or the composer."""
        self.require_active(user)
        payload = {
            **envelope(self.workspace, "shortcut", user),
            "callback_id": callback_id,
            "trigger_id": self.workspace.new_trigger(user),
            "action_ts": self._now_text(),
        }
        return await self.deliver(AppDelivery("interactive", payload))

    # --- windows and home tabs ---------------------------------------------------------------------------------

    async def click_in_view(
        self, user: str, view: ShownView | str, action_id: str, value: str | None = None, **state: Any
    ) -> AppAnswer:
        """Press a button or choose in a menu of an open modal, after `state` was put into other inputs."""
        return await self._touch_view(user, self.open_view(user, view), action_id, value, state)

    async def click_in_home(self, user: str, action_id: str, value: str | None = None, **state: Any) -> AppAnswer:
        """Press a button or choose in a menu of the person's home tab."""
        self.require_active(user)
        home = self.workspace.homes.get(user)
        if home is None:
            raise LookupError(f"nothing is on the home tab of {self.name_of(user)}")
        return await self._touch_view(user, home, action_id, value, state)

    def open_view(self, user: str, view: ShownView | str) -> View:
        """The open modal of this person. Raises LookupError if it is closed or another's."""
        wanted = view if isinstance(view, str) else view.id
        for candidate in self.workspace.stacks.get(user, []):
            if candidate.id == wanted:
                return candidate
        raise LookupError(f"{self.name_of(user)} has no window {wanted} open")

    async def _touch_view(
        self, user: str, view: View, action_id: str, value: str | None, state: dict[str, Any]
    ) -> AppAnswer:
        view.typed |= enter_values(view.blocks, state)
        block, element = _find_control(view.blocks, action_id, value)
        action = _make_action(block, element, value)
        if value is not None and element["type"] not in ("button", "overflow"):
            view.typed[(block["block_id"], action_id)] = enter_value(element, value)
        payload = {
            **envelope(self.workspace, "block_actions", user),
            "container": {"type": "view", "view_id": view.id},
            "trigger_id": self.workspace.new_trigger(user),
            "view": view_json(self.workspace, view),
            "actions": [action | {"action_ts": self._now_text()}],
        }
        return await self.deliver(AppDelivery("interactive", payload))


def _find_control(blocks: list[Json], action_id: str, value: str | None) -> tuple[Json, Json]:
    """The block and element of this action_id; among several buttons, the one with this value or label."""
    controls = [(block, element) for block, element in list_elements(blocks) if element.get("action_id") == action_id]
    if not controls:
        return find_input(blocks, action_id)
    if value is None or controls[0][1]["type"] not in ("button", "overflow"):
        return controls[0]
    for block, element in controls:
        parts = list_options(element) if element["type"] == "overflow" else [element]
        if any(value in (part.get("value"), part["text"]["text"]) for part in parts):
            return block, element
    shown = ", ".join(repr(element.get("value")) for _, element in controls)
    raise CannotTypeError(f"no {action_id!r} has the value {value!r}; there is: {shown}")


def _make_action(block: Json, element: Json, value: str | None = None) -> Json:
    kind = element["type"]
    action: Json = {"type": kind, "action_id": element["action_id"], "block_id": block["block_id"]}
    if kind == "button":
        return action | {key: element[key] for key in ("text", "value", "style", "url") if key in element}
    if kind == "overflow":
        if value is None:
            raise CannotTypeError(
                f"say which of {[option['text']['text'] for option in list_options(element)]} is meant"
            )
        return action | {"selected_option": find_option(element, value)}
    return action if value is None else action | enter_value(element, value)


class UserEvents(UserActions):
    """What people say in channels, react with, and how they come and go. Each waits until the app has the event."""

    async def say(
        self,
        user: str,
        channel: str,
        text: str,
        *,
        thread_ts: str | None = None,
        files: Iterable[tuple[str, bytes]] = (),
    ) -> str:
        """Write a message, with files as (name, content); returns its ts."""
        place = self.require_member(user, channel)
        shared = [share(self.workspace, place, user, name, content).id for name, content in files]
        message = self.workspace.put(
            place, user, self.keyboard().message(text), thread_ts=thread_ts or "", files=shared
        )
        event = self._message_event(place, message)
        await self._notify_app(place, f"message.{_channel_kind(place)}", event | {"type": "message"})
        if f"<@{self.bot_user_id}>" in message.text and not place.dm_with:
            await self._notify_app(place, "app_mention", event | {"type": "app_mention"})
        return message.ts

    async def edit(self, user: str, channel: str, ts: str, text: str) -> None:
        """Change one of the person's own messages."""
        place, message = self._find_own(user, channel, ts)
        before = self._message_event(place, message)
        message.text, message.edited = self.keyboard().message(text), self.workspace.next_ts(place)
        after = self._message_event(place, message) | {"edited": {"user": user, "ts": message.edited}}
        await self._message_changed(place, "message_changed", message=after, previous_message=before)

    async def delete(self, user: str, channel: str, ts: str) -> None:
        """Delete one of the person's own messages."""
        place, message = self._find_own(user, channel, ts)
        del place.messages[ts]
        before = self._message_event(place, message)
        await self._message_changed(place, "message_deleted", deleted_ts=ts, previous_message=before)

    async def _message_changed(self, place: StandInChannel, subtype: str, **fields: Any) -> None:
        ts, kind = self.workspace.next_ts(place), _channel_kind(place)
        event = {"type": "message", "subtype": subtype, "hidden": True, "channel": place.id, "ts": ts, **fields}
        await self._notify_app(
            place, f"message.{kind}", event | {"event_ts": ts, "channel_type": kind.removesuffix("s")}
        )

    def write_on_canvas(self, user: str, canvas: str, old: str, new: str) -> None:
        """Replace words on a canvas. Raises LookupError if this person sees no such canvas or words."""
        changed = self.workspace.canvases[canvas]
        if not any(user in self.workspace.channels[place].members for place in changed.access):
            raise LookupError(f"{user} does not see the canvas {canvas}")
        if old not in changed.markdown:
            raise LookupError(f"{old!r} is not on the canvas {canvas}")
        changed.markdown = changed.markdown.replace(old, new, 1)
        changed.edits += 1

    async def react(self, user: str, channel: str, ts: str, name: str) -> AppAnswer | None:
        """Add a reaction to a message; None if the app is not notified."""
        return await self._change_reaction(user, channel, ts, name, add=True)

    async def unreact(self, user: str, channel: str, ts: str, name: str) -> AppAnswer | None:
        """Remove a reaction; None if the app is not notified."""
        return await self._change_reaction(user, channel, ts, name, add=False)

    async def _change_reaction(self, user: str, channel: str, ts: str, name: str, *, add: bool) -> AppAnswer | None:
        place = self.require_member(user, channel)
        message = place.messages.get(ts)
        if message is None or message.ephemeral_for:
            raise LookupError(f"there is no message {ts} in #{place.name} to react to")
        users = message.reactions.setdefault(name, [])
        if (user in users) == add:
            raise LookupError(f"{self.name_of(user)} has {'already' if add else 'not'} reacted with :{name}:")
        users.append(user) if add else users.remove(user)
        if not users:
            del message.reactions[name]
        item = {"type": "message", "channel": channel, "ts": ts}
        kind = "reaction_added" if add else "reaction_removed"
        return await self._channel_event(place, kind, user=user, reaction=name, item=item, item_user=message.user)

    # --- comings and goings ------------------------------------------------------------------------------------

    async def open_home(self, user: str) -> AppAnswer | None:
        """Open the app's Home tab."""
        self.require_active(user)
        place = self.workspace.dm(user)
        home = self.workspace.homes.get(user)
        view = {"view": view_json(self.workspace, home)} if home else {}
        return await self._channel_event(place, "app_home_opened", user=user, channel=place.id, tab="home", **view)

    async def invite_bot(self, channel: str, by: str) -> AppAnswer | None:
        """Bring the bot into a channel."""
        return await self.arrive(self.bot_user_id, channel, by=by)

    async def arrive(self, user: str, channel: str, *, by: str = "") -> AppAnswer | None:
        """Join a channel, or be brought in by a member."""
        place = self.require_member(by, channel) if by else self._find_open_channel(channel)
        place.members.add(user)
        return await self._member_event(place, "member_joined_channel", user, **({"inviter": by} if by else {}))

    async def leave(self, user: str, channel: str) -> AppAnswer | None:
        """Leave a channel; for the bot: be removed."""
        place = self._find_open_channel(channel)
        if user not in place.members:
            raise LookupError(f"{self.name_of(user)} is not in #{place.name}")
        # The bot is still a member while the event is sent: Slack notifies an app of its own removal.
        answer = await self._member_event(place, "member_left_channel", user)
        place.members.discard(user)
        return answer

    async def _member_event(self, place: StandInChannel, kind: str, user: str, **fields: str) -> AppAnswer | None:
        fields |= {"channel": place.id, "team": self.workspace.team, "channel_type": "G" if place.private else "C"}
        return await self._channel_event(place, kind, user=user, **fields)

    async def archive(self, user: str, channel: str) -> AppAnswer | None:
        """Archive a channel."""
        place = self.require_member(user, channel)
        place.archived = True
        kind = "group_archive" if place.private else "channel_archive"
        return await self._channel_event(place, kind, channel=channel, user=user)

    async def rename(self, user: str, channel: str, name: str) -> AppAnswer | None:
        """Rename a channel."""
        place = self.require_member(user, channel)
        place.name = name
        kind = "group_rename" if place.private else "channel_rename"
        return await self._channel_event(place, kind, channel={"id": channel, "name": name, "created": place.created})

    async def change_person(self, user: str, **fields: Any) -> AppAnswer | None:
        """Change a person's profile: `zone`, `name`, `guest`, `deleted`, `email`, `locale`."""
        person = self.workspace.person(user)
        for name, value in fields.items():
            setattr(person, name, value)
        event = {"type": "user_change", "user": user_json(self.workspace, person, with_locale=True)}
        return await self.event(event) if "user_change" in self.workspace.subscriptions else None

    # --- events ------------------------------------------------------------------------------------------------

    async def event(self, payload: Json) -> AppAnswer:
        """Send any event: `payload` is the inner event, or a whole callback with `event` in it."""
        whole = payload if "event" in payload else self._callback(payload)
        return await self.deliver(AppDelivery("events_api", whole))

    def _callback(self, event: Json) -> Json:
        return {
            "token": "rehearsal",
            "team_id": self.workspace.team,
            "api_app_id": self.workspace.app_id,
            "event": event,
            "type": "event_callback",
            "event_id": self.workspace.next_id("Ev"),
            "event_time": int(self.workspace.now().timestamp()),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": self.workspace.team,
                    "user_id": self.bot_user_id,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": False,
        }

    async def _channel_event(self, place: StandInChannel, kind: str, **fields: Any) -> AppAnswer | None:
        return await self._notify_app(place, kind, {"type": kind, **fields, "event_ts": self.workspace.next_ts(place)})

    async def _notify_app(self, place: StandInChannel, name: str, event: Json) -> AppAnswer | None:
        """Send an event if the app subscribed to this kind and the bot is in the channel; else None."""
        if name not in self.workspace.subscriptions or self.bot_user_id not in place.members:
            return None
        return await self.event(event)

    def _message_event(self, place: StandInChannel, message: Message) -> Json:
        event: dict[str, Any] = {
            "user": message.user,
            "text": message.text,
            "ts": message.ts,
            "team": self.workspace.team,
            "channel": place.id,
            "event_ts": message.ts,
            "channel_type": _channel_kind(place).removesuffix("s"),
        }
        if message.files:
            event["files"] = [file_json(self.workspace, self.workspace.files[name]) for name in message.files]
        return event | ({"thread_ts": message.thread_ts} if message.thread_ts else {})

    def _find_own(self, user: str, channel: str, ts: str) -> tuple[StandInChannel, Message]:
        place = self.require_member(user, channel)
        message = place.messages.get(ts)
        if message is None or message.user != user:
            raise LookupError(f"{self.name_of(user)} wrote no message {ts} in #{place.name}")
        return place, message

    def _find_open_channel(self, channel: str) -> StandInChannel:
        place = self.workspace.channels.get(channel)
        if place is None or place.archived:
            raise LookupError(f"there is no open channel {channel!r}")
        return place


def _channel_kind(place: StandInChannel) -> str:
    if place.dm_with:
        return "im"
    return "groups" if place.private else "channels"
