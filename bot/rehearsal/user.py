"""What people of the stand-in do: they type, press, react, join and leave. Sends what Slack would send to the app."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from bot.rehearsal.block_kit import CannotTypeError, collect_state, enter_values, find_input, find_option, list_options
from bot.rehearsal.block_kit import enter_value as entered
from bot.rehearsal.delivery import AppAnswer, AppDelivery, InteractionSender
from bot.rehearsal.payloads import channel_fields, envelope, file_json, message_json, user_json, view_json
from bot.rehearsal.screen import ShownMessage, ShownView, escape, list_elements
from bot.rehearsal.web_api.files import share
from bot.rehearsal.workspace import Json, Message, StandInChannel, View

LINK = r"https?://[^\s<>|]+[^\s<>|.,;:!?)\]'\"]"
MAIL = r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}"
BROADCAST = r"@(?:here|channel|everyone)\b"


class Keyboard:
    """Knows the names that can be typed: of people, and of channels."""

    def __init__(self, people: Mapping[str, str], channels: Mapping[str, str]) -> None:
        self.people = people
        self.channels = channels
        names = "|".join(
            [f"@{re.escape(name)}" for name in sorted(people, key=len, reverse=True) if name]
            + [f"\\#{re.escape(name)}" for name in sorted(channels, key=len, reverse=True) if name]
        )
        self._parts = re.compile(f"({LINK})|({MAIL})|({BROADCAST})|({names or '(?!)'})(?![\\w-])")

    def command(self, text: str) -> str:
        """As a slash command with escaping sends it: `<@U…|name>`, `<#C…|name>`, `<https://…>`."""
        return self._sent(text, named=True)

    def message(self, text: str) -> str:
        """As a message holds it: `<@U…>`, `<#C…|name>`, `<https://…>`."""
        return self._sent(text, named=False)

    def _sent(self, text: str, *, named: bool) -> str:
        parts, end = [], 0
        for match in self._parts.finditer(text):
            parts += [escape(text[end : match.start()]), self._marked(match, named=named)]
            end = match.end()
        return "".join([*parts, escape(text[end:])])

    def _marked(self, match: re.Match[str], *, named: bool) -> str:
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
    """A person's hands on the messages of the workspace, and on the windows and home tabs."""

    def keyboard(self) -> Keyboard:
        """The names that can be typed now."""
        people = {user.name: user.id for user in self.workspace.users.values()}
        return Keyboard(people, {place.name: place.id for place in self.workspace.channels.values()})

    async def command(self, user: str, channel: str, text: str, *, thread_ts: str = "") -> AppAnswer:
        """Type a slash command (`/timeline 14:05 …`); in a thread Slack refuses it, and the app never hears of it."""
        place = self.require_member(user, channel)
        name, _, rest = text.partition(" ")
        if not name.startswith("/"):
            raise LookupError(f"{text!r} is no slash command")
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
        """Press a button, or choose `value` in a menu, of a message (or its ts) as it stands now.

        `state` is what the person has put into other inputs of the message, by action_id. LookupError where no
        such thing is shown to this person.
        """
        found = self.shown_to(user, message)
        block, element = _find_control(found.blocks, action_id, value)
        typed = enter_values(found.blocks, state)
        return await self._touch_message(user, found, typed, _make_action(block, element, value))

    async def enter(self, user: str, message: ShownMessage | str, action_id: str, text: str) -> AppAnswer:
        """Put text into an input of a message and press return: the app hears of it where it asked to."""
        found = self.shown_to(user, message)
        block, element = find_input(found.blocks, action_id)
        if block["type"] == "input" and not block.get("dispatch_action"):
            raise CannotTypeError(f"{action_id!r} does not report what is typed (no dispatch_action)")
        typed = {(block["block_id"], action_id): entered(element, text)}
        action = _make_action(block, element) | typed[(block["block_id"], action_id)]
        return await self._touch_message(user, found, typed, action)

    def shown_to(self, user: str, message: ShownMessage | str) -> Message:
        """The message as it stands now, where this person sees it; LookupError else."""
        ts = message if isinstance(message, str) else message.ts
        wanted = None if isinstance(message, str) else message.channel
        places = (
            [self.require_member(user, wanted)]
            if wanted
            else [place for place in self.workspace.channels.values() if user in place.members]
        )
        found = [place.messages[ts] for place in places if ts in place.messages]
        found = [one for one in found if one.ephemeral_for in ("", user)]
        if len(found) != 1:
            raise LookupError(f"{self.name_of(user)} sees {len(found) or 'no'} messages {ts}")
        return found[0]

    async def _touch_message(self, user: str, message: Message, typed: dict[Any, Json], action: Json) -> AppAnswer:
        # Slack leaves `message` out of the payload for an ephemeral one: only the container tells which it was.
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
            "actions": [self._stamped(action)],
        }
        return await self.deliver(AppDelivery("interactive", payload))

    def _stamped(self, action: Json) -> Json:
        return {**action, "action_ts": f"{self.workspace.now().timestamp():.6f}"}

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
            "response_url": self.workspace.new_response_url(channel, user, message_ts, message.thread_ts),
            "action_ts": f"{self.workspace.now().timestamp():.6f}",
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
            "action_ts": f"{self.workspace.now().timestamp():.6f}",
        }
        return await self.deliver(AppDelivery("interactive", payload))

    # --- windows and home tabs ---------------------------------------------------------------------------------

    async def click_in_view(
        self, user: str, view: ShownView | str, action_id: str, value: str | None = None, **state: Any
    ) -> AppAnswer:
        """Press a button or choose in a menu of an open modal; `state` is typed into other inputs and stays."""
        found = self.open_view(user, view)
        found.typed |= enter_values(found.blocks, state)
        return await self._touch_view(user, found, action_id, value)

    async def click_in_home(self, user: str, action_id: str, value: str | None = None, **state: Any) -> AppAnswer:
        """Press a button or choose in a menu of the person's home tab."""
        self.require_active(user)
        found = self.workspace.homes.get(user)
        if found is None:
            raise LookupError(f"nothing is on the home tab of {self.name_of(user)}")
        found.typed |= enter_values(found.blocks, state)
        return await self._touch_view(user, found, action_id, value)

    def open_view(self, user: str, view: ShownView | str) -> View:
        """The open modal of this person; LookupError where it is closed or another's."""
        wanted = view if isinstance(view, str) else view.id
        for found in self.workspace.stacks.get(user, []):
            if found.id == wanted:
                return found
        raise LookupError(f"{self.name_of(user)} has no window {wanted} open")

    async def _touch_view(self, user: str, view: View, action_id: str, value: str | None) -> AppAnswer:
        block, element = _find_control(view.blocks, action_id, value)
        action = _make_action(block, element, value)
        if value is not None and element["type"] not in ("button", "overflow"):
            view.typed[(block["block_id"], action_id)] = entered(element, value)
        payload = {
            **envelope(self.workspace, "block_actions", user),
            "container": {"type": "view", "view_id": view.id},
            "trigger_id": self.workspace.new_trigger(user),
            "view": view_json(self.workspace, view),
            "actions": [self._stamped(action)],
        }
        return await self.deliver(AppDelivery("interactive", payload))


def _find_control(blocks: list[Json], action_id: str, value: str | None) -> tuple[Json, Json]:
    """The block and element that is meant; among several of one action_id, the one with this value."""
    found = [(block, element) for block, element in list_elements(blocks) if element.get("action_id") == action_id]
    if not found:
        return find_input(blocks, action_id)
    if value is None or found[0][1]["type"] != "button":
        return found[0]
    for block, element in found:
        if value in (element.get("value"), element["text"]["text"]):
            return block, element
    shown = ", ".join(repr(element.get("value")) for _, element in found)
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
    return action if value is None else action | entered(element, value)


class UserEvents(UserActions):
    """A person's words, reactions and comings and goings; each waits until the app has taken the event."""

    async def say(
        self,
        user: str,
        channel: str,
        text: str,
        *,
        thread_ts: str | None = None,
        files: Iterable[tuple[str, bytes]] = (),
    ) -> str:
        """Write a message, with files (name, content) where there are any; its ts is answered."""
        place = self.require_member(user, channel)
        shared = [share(self.workspace, place, user, name, content).id for name, content in files]
        message = self.workspace.put(
            place, user, self.keyboard().message(text), thread_ts=thread_ts or "", files=shared
        )
        event = self._message_event(place, message)
        await self._heard(place, f"message.{_channel_kind(place)}", event | {"type": "message"})
        if f"<@{self.bot_user_id}>" in message.text and not place.dm_with:
            await self._heard(place, "app_mention", event | {"type": "app_mention"})
        return message.ts

    async def edit(self, user: str, channel: str, ts: str, text: str) -> None:
        """Change a message of one's own."""
        place, message = self._own(user, channel, ts)
        before = self._message_event(place, message)
        message.text, message.edited = self.keyboard().message(text), self.workspace.next_ts(place)
        after = self._message_event(place, message) | {"edited": {"user": user, "ts": message.edited}}
        event = {"subtype": "message_changed", "message": after, "previous_message": before, "hidden": True}
        await self._heard(place, f"message.{_channel_kind(place)}", self._about(place, event))

    def write_on_canvas(self, user: str, canvas: str, old: str, new: str) -> None:
        """Put words in the place of others on a canvas; LookupError where this person sees no such canvas or words."""
        found = self.workspace.canvases[canvas]
        if not any(user in self.workspace.channels[place].members for place in found.access):
            raise LookupError(f"nobody shows {user} the canvas {canvas}")
        if old not in found.markdown:
            raise LookupError(f"{old!r} does not stand on the canvas {canvas}")
        found.markdown = found.markdown.replace(old, new, 1)
        found.edits += 1

    async def delete(self, user: str, channel: str, ts: str) -> None:
        """Take back a message of one's own."""
        place, message = self._own(user, channel, ts)
        del place.messages[ts]
        event = {"subtype": "message_deleted", "deleted_ts": ts, "hidden": True}
        event["previous_message"] = self._message_event(place, message)
        await self._heard(place, f"message.{_channel_kind(place)}", self._about(place, event))

    async def react(self, user: str, channel: str, ts: str, name: str) -> AppAnswer | None:
        """Put a reaction on a message; the answer is None where the app does not hear of it."""
        return await self._reaction(user, channel, ts, name, add=True)

    async def unreact(self, user: str, channel: str, ts: str, name: str) -> AppAnswer | None:
        """Take a reaction back."""
        return await self._reaction(user, channel, ts, name, add=False)

    async def _reaction(self, user: str, channel: str, ts: str, name: str, *, add: bool) -> AppAnswer | None:
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
        kind = "reaction_added" if add else "reaction_removed"
        item = {"type": "message", "channel": channel, "ts": ts}
        event = {"type": kind, "user": user, "reaction": name, "item": item, "item_user": message.user}
        return await self._heard(place, kind, event | {"event_ts": self.workspace.next_ts(place)})

    # --- comings and goings ------------------------------------------------------------------------------------

    async def open_home(self, user: str) -> AppAnswer | None:
        """Open the app's home tab."""
        self.require_active(user)
        place = self.workspace.dm(user)
        event: Json = {"type": "app_home_opened", "user": user, "channel": place.id, "tab": "home"}
        if user in self.workspace.homes:
            event["view"] = view_json(self.workspace, self.workspace.homes[user])
        return await self._heard(place, "app_home_opened", event | {"event_ts": self.workspace.next_ts(place)})

    async def invite_bot(self, channel: str, by: str) -> AppAnswer | None:
        """Bring the bot into a channel."""
        return await self.arrive(self.bot_user_id, channel, by=by)

    async def arrive(self, user: str, channel: str, *, by: str = "") -> AppAnswer | None:
        """Join a channel, or be brought in `by` somebody who is there."""
        place = self.require_member(by, channel) if by else self._known(channel)
        place.members.add(user)
        event = {"type": "member_joined_channel", "user": user, "channel": channel, "team": self.workspace.team}
        event |= {"inviter": by} if by else {}
        event |= {"channel_type": "G" if place.private else "C", "event_ts": self.workspace.next_ts(place)}
        return await self._heard(place, "member_joined_channel", event)

    async def leave(self, user: str, channel: str) -> AppAnswer | None:
        """Go out of a channel; for the bot: be removed."""
        place = self._known(channel)
        if user not in place.members:
            raise LookupError(f"{self.name_of(user)} is not in #{place.name}")
        event = {"type": "member_left_channel", "user": user, "channel": channel, "team": self.workspace.team}
        event |= {"channel_type": "G" if place.private else "C", "event_ts": self.workspace.next_ts(place)}
        answer = await self._heard(place, "member_left_channel", event)
        place.members.discard(user)
        return answer

    async def archive(self, user: str, channel: str) -> AppAnswer | None:
        """Put a channel away."""
        place = self.require_member(user, channel)
        place.archived = True
        kind = "group_archive" if place.private else "channel_archive"
        event = {"type": kind, "channel": channel, "user": user, "event_ts": self.workspace.next_ts(place)}
        return await self._heard(place, kind, event)

    async def rename(self, user: str, channel: str, name: str) -> AppAnswer | None:
        """Give a channel another name."""
        place = self.require_member(user, channel)
        place.name = name
        kind = "group_rename" if place.private else "channel_rename"
        about = {"id": channel, "name": name, "created": place.created}
        event = {"type": kind, "channel": about, "event_ts": self.workspace.next_ts(place)}
        return await self._heard(place, kind, event)

    async def change_person(self, user: str, **fields: Any) -> AppAnswer | None:
        """Change somebody's profile: `zone`, `name`, `guest`, `deleted`, `email`, `locale`."""
        person = self.workspace.person(user)
        for name, value in fields.items():
            setattr(person, name, value)
        event = {"type": "user_change", "user": user_json(self.workspace, person, with_locale=True)}
        return await self.event(event) if "user_change" in self.workspace.subscriptions else None

    # --- events ------------------------------------------------------------------------------------------------

    async def event(self, payload: Json) -> AppAnswer:
        """Any event: `payload` is the inner event, or a whole callback of one's own making (with `event` in it)."""
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

    async def _heard(self, place: StandInChannel, name: str, event: Json) -> AppAnswer | None:
        """Tell the app, where it asked for this kind of event and the bot is in the channel."""
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
            "channel_type": _channel_kind(place).rstrip("s"),
        }
        if message.files:
            event["files"] = [file_json(self.workspace, self.workspace.files[name]) for name in message.files]
        return event | ({"thread_ts": message.thread_ts} if message.thread_ts else {})

    def _about(self, place: StandInChannel, event: Json) -> Json:
        ts = self.workspace.next_ts(place)
        side = _channel_kind(place).rstrip("s")
        return {"type": "message", "channel": place.id, "ts": ts, "event_ts": ts, "channel_type": side, **event}

    def _own(self, user: str, channel: str, ts: str) -> tuple[StandInChannel, Message]:
        place = self.require_member(user, channel)
        message = place.messages.get(ts)
        if message is None or message.user != user:
            raise LookupError(f"{self.name_of(user)} wrote no message {ts} in #{place.name}")
        return place, message

    def _known(self, channel: str) -> StandInChannel:
        place = self.workspace.channels.get(channel)
        if place is None or place.archived:
            raise LookupError(f"there is no open channel {channel!r}")
        return place


def _channel_kind(place: StandInChannel) -> str:
    if place.dm_with:
        return "im"
    return "groups" if place.private else "channels"
