"""What a person does with commands, buttons, inputs and shortcuts."""

from typing import Any

from bot.rehearsal.desk import Desk
from bot.rehearsal.inputs import CannotType, choices, find, pick, state_of, type_into
from bot.rehearsal.inputs import enter as entered
from bot.rehearsal.records import Json, Message, View
from bot.rehearsal.seen import Answer, Delivery, SeenMessage, SeenView, elements_of
from bot.rehearsal.shapes import envelope, message_json, view_json, where
from bot.rehearsal.typing_in import Keyboard


class Touching(Desk):
    """A person's hands on the messages of the workspace, and on the windows and home tabs."""

    def keyboard(self) -> Keyboard:
        """The names that can be typed now."""
        people = {user.name: user.id for user in self.workspace.users.values()}
        return Keyboard(people, {place.name: place.id for place in self.workspace.channels.values()})

    async def command(self, user: str, channel: str, text: str, *, thread_ts: str = "") -> Answer:
        """Type a slash command (`/timeline 14:05 …`); in a thread Slack refuses it, and the app never hears of it."""
        place = self.present(user, channel)
        name, _, rest = text.partition(" ")
        if not name.startswith("/"):
            raise LookupError(f"{text!r} is no slash command")
        if thread_ts:
            return Answer(body=f"{name} is not supported in threads. Sorry!", error="not_in_thread")
        payload = {
            "token": "rehearsal",
            "team_id": self.workspace.team,
            "team_domain": self.workspace.domain,
            "channel_id": channel,
            "channel_name": where(place)["name"],
            "user_id": user,
            "user_name": self.name_of(user),
            "command": name,
            "text": self.keyboard().command(rest).strip(),
            "api_app_id": self.workspace.app_id,
            "is_enterprise_install": "false",
            "response_url": self.workspace.new_response_url(channel, user),
            "trigger_id": self.workspace.new_trigger(user),
        }
        return await self.deliver(Delivery("slash_commands", payload))

    # --- messages ----------------------------------------------------------------------------------------------

    async def click(
        self, user: str, message: SeenMessage | str, action_id: str, value: str | None = None, **state: Any
    ) -> Answer:
        """Press a button, or choose `value` in a menu, of a message (or its ts) as it stands now.

        `state` is what the person has put into other inputs of the message, by action_id. LookupError where no
        such thing is shown to this person.
        """
        found = self.shown_to(user, message)
        block, element = _touched(found.blocks, action_id, value)
        typed = type_into(found.blocks, state)
        return await self._touch_message(user, found, typed, _action(block, element, value))

    async def enter(self, user: str, message: SeenMessage | str, action_id: str, text: str) -> Answer:
        """Put text into an input of a message and press return: the app hears of it where it asked to."""
        found = self.shown_to(user, message)
        block, element = find(found.blocks, action_id)
        if block["type"] == "input" and not block.get("dispatch_action"):
            raise CannotType(f"{action_id!r} does not report what is typed (no dispatch_action)")
        typed = {(block["block_id"], action_id): entered(element, text)}
        action = _action(block, element) | typed[(block["block_id"], action_id)]
        return await self._touch_message(user, found, typed, action)

    def shown_to(self, user: str, message: SeenMessage | str) -> Message:
        """The message as it stands now, where this person sees it; LookupError else."""
        ts = message if isinstance(message, str) else message.ts
        wanted = None if isinstance(message, str) else message.channel
        places = (
            [self.present(user, wanted)]
            if wanted
            else [place for place in self.workspace.channels.values() if user in place.members]
        )
        found = [place.messages[ts] for place in places if ts in place.messages]
        found = [one for one in found if one.ephemeral_for in ("", user)]
        if len(found) != 1:
            raise LookupError(f"{self.name_of(user)} sees {len(found) or 'no'} messages {ts}")
        return found[0]

    async def _touch_message(self, user: str, message: Message, typed: dict[Any, Json], action: Json) -> Answer:
        # Slack leaves `message` out of the payload for an ephemeral one: only the container tells which it was.
        place = self.present(user, message.channel)
        container: Json = {"type": "message", "message_ts": message.ts, "channel_id": message.channel}
        container |= {"is_ephemeral": bool(message.ephemeral_for)}
        container |= {"thread_ts": message.thread_ts} if message.thread_ts else {}
        url = self.workspace.new_response_url(message.channel, user, message.ts, message.thread_ts)
        payload = {
            **envelope(self.workspace, "block_actions", user),
            "container": container,
            "trigger_id": self.workspace.new_trigger(user),
            "channel": where(place),
            **({} if message.ephemeral_for else {"message": message_json(self.workspace, message, metadata=True)}),
            "state": {"values": state_of(message.blocks, typed)},
            "response_url": url,
            "actions": [self._stamped(action)],
        }
        return await self.deliver(Delivery("interactive", payload))

    def _stamped(self, action: Json) -> Json:
        return {**action, "action_ts": f"{self.workspace.now().timestamp():.6f}"}

    async def shortcut(self, user: str, channel: str, message_ts: str, callback_id: str) -> Answer:
        """Choose a message shortcut in the menu of a message."""
        place = self.present(user, channel)
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
            "channel": where(place),
            "message": message_json(self.workspace, message),
        }
        return await self.deliver(Delivery("interactive", payload))

    async def global_shortcut(self, user: str, callback_id: str) -> Answer:
        """Choose a shortcut in the search or the composer."""
        self.active(user)
        payload = {
            **envelope(self.workspace, "shortcut", user),
            "callback_id": callback_id,
            "trigger_id": self.workspace.new_trigger(user),
            "action_ts": f"{self.workspace.now().timestamp():.6f}",
        }
        return await self.deliver(Delivery("interactive", payload))

    # --- windows and home tabs ---------------------------------------------------------------------------------

    async def click_in_view(
        self, user: str, view: SeenView | str, action_id: str, value: str | None = None, **state: Any
    ) -> Answer:
        """Press a button or choose in a menu of an open modal; `state` is typed into other inputs and stays."""
        found = self.open_view(user, view)
        found.typed |= type_into(found.blocks, state)
        return await self._touch_view(user, found, action_id, value)

    async def click_in_home(self, user: str, action_id: str, value: str | None = None, **state: Any) -> Answer:
        """Press a button or choose in a menu of the person's home tab."""
        self.active(user)
        found = self.workspace.homes.get(user)
        if found is None:
            raise LookupError(f"nothing is on the home tab of {self.name_of(user)}")
        found.typed |= type_into(found.blocks, state)
        return await self._touch_view(user, found, action_id, value)

    def open_view(self, user: str, view: SeenView | str) -> View:
        """The open modal of this person; LookupError where it is closed or another's."""
        wanted = view if isinstance(view, str) else view.id
        for found in self.workspace.stacks.get(user, []):
            if found.id == wanted:
                return found
        raise LookupError(f"{self.name_of(user)} has no window {wanted} open")

    async def _touch_view(self, user: str, view: View, action_id: str, value: str | None) -> Answer:
        block, element = _touched(view.blocks, action_id, value)
        action = _action(block, element, value)
        if value is not None and element["type"] not in ("button", "overflow"):
            view.typed[(block["block_id"], action_id)] = entered(element, value)
        payload = {
            **envelope(self.workspace, "block_actions", user),
            "container": {"type": "view", "view_id": view.id},
            "trigger_id": self.workspace.new_trigger(user),
            "view": view_json(self.workspace, view),
            "actions": [self._stamped(action)],
        }
        return await self.deliver(Delivery("interactive", payload))


def _touched(blocks: list[Json], action_id: str, value: str | None) -> tuple[Json, Json]:
    """The block and element that is meant; among several of one action_id, the one with this value."""
    found = [(block, element) for block, element in elements_of(blocks) if element.get("action_id") == action_id]
    if not found:
        return find(blocks, action_id)
    if value is None or found[0][1]["type"] != "button":
        return found[0]
    for block, element in found:
        if value in (element.get("value"), element["text"]["text"]):
            return block, element
    shown = ", ".join(repr(element.get("value")) for _, element in found)
    raise CannotType(f"no {action_id!r} has the value {value!r}; there is: {shown}")


def _action(block: Json, element: Json, value: str | None = None) -> Json:
    kind = element["type"]
    action: Json = {"type": kind, "action_id": element["action_id"], "block_id": block["block_id"]}
    if kind == "button":
        return action | {key: element[key] for key in ("text", "value", "style", "url") if key in element}
    if kind == "overflow":
        if value is None:
            raise CannotType(f"say which of {[option['text']['text'] for option in choices(element)]} is meant")
        return action | {"selected_option": pick(element, value)}
    return action if value is None else action | entered(element, value)
