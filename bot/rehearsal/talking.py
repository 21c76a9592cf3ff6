"""What people say and do among themselves, and the events an app hears of it."""

from collections.abc import Iterable
from typing import Any

from bot.rehearsal.methods_files import share
from bot.rehearsal.records import Channel, Json, Message
from bot.rehearsal.seen import Answer, Delivery
from bot.rehearsal.shapes import file_json, user_json, view_json
from bot.rehearsal.touching import Touching


class Talking(Touching):
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
        place = self.present(user, channel)
        shared = [share(self.workspace, place, user, name, content).id for name, content in files]
        message = self.workspace.put(
            place, user, self.keyboard().message(text), thread_ts=thread_ts or "", files=shared
        )
        event = self._message_event(place, message)
        await self._heard(place, f"message.{_side(place)}", event | {"type": "message"})
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
        await self._heard(place, f"message.{_side(place)}", self._about(place, event))

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
        await self._heard(place, f"message.{_side(place)}", self._about(place, event))

    async def react(self, user: str, channel: str, ts: str, name: str) -> Answer | None:
        """Put a reaction on a message; the answer is None where the app does not hear of it."""
        return await self._reaction(user, channel, ts, name, add=True)

    async def unreact(self, user: str, channel: str, ts: str, name: str) -> Answer | None:
        """Take a reaction back."""
        return await self._reaction(user, channel, ts, name, add=False)

    async def _reaction(self, user: str, channel: str, ts: str, name: str, *, add: bool) -> Answer | None:
        place = self.present(user, channel)
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

    async def open_home(self, user: str) -> Answer | None:
        """Open the app's home tab."""
        self.active(user)
        place = self.workspace.dm(user)
        event: Json = {"type": "app_home_opened", "user": user, "channel": place.id, "tab": "home"}
        if user in self.workspace.homes:
            event["view"] = view_json(self.workspace, self.workspace.homes[user])
        return await self._heard(place, "app_home_opened", event | {"event_ts": self.workspace.next_ts(place)})

    async def invite_bot(self, channel: str, by: str) -> Answer | None:
        """Bring the bot into a channel."""
        return await self.arrive(self.bot_user_id, channel, by=by)

    async def arrive(self, user: str, channel: str, *, by: str = "") -> Answer | None:
        """Join a channel, or be brought in `by` somebody who is there."""
        place = self.present(by, channel) if by else self._known(channel)
        place.members.add(user)
        event = {"type": "member_joined_channel", "user": user, "channel": channel, "team": self.workspace.team}
        event |= {"inviter": by} if by else {}
        event |= {"channel_type": "G" if place.private else "C", "event_ts": self.workspace.next_ts(place)}
        return await self._heard(place, "member_joined_channel", event)

    async def leave(self, user: str, channel: str) -> Answer | None:
        """Go out of a channel; for the bot: be removed."""
        place = self._known(channel)
        if user not in place.members:
            raise LookupError(f"{self.name_of(user)} is not in #{place.name}")
        event = {"type": "member_left_channel", "user": user, "channel": channel, "team": self.workspace.team}
        event |= {"channel_type": "G" if place.private else "C", "event_ts": self.workspace.next_ts(place)}
        answer = await self._heard(place, "member_left_channel", event)
        place.members.discard(user)
        return answer

    async def archive(self, user: str, channel: str) -> Answer | None:
        """Put a channel away."""
        place = self.present(user, channel)
        place.archived = True
        kind = "group_archive" if place.private else "channel_archive"
        event = {"type": kind, "channel": channel, "user": user, "event_ts": self.workspace.next_ts(place)}
        return await self._heard(place, kind, event)

    async def rename(self, user: str, channel: str, name: str) -> Answer | None:
        """Give a channel another name."""
        place = self.present(user, channel)
        place.name = name
        kind = "group_rename" if place.private else "channel_rename"
        about = {"id": channel, "name": name, "created": place.created}
        event = {"type": kind, "channel": about, "event_ts": self.workspace.next_ts(place)}
        return await self._heard(place, kind, event)

    async def change_person(self, user: str, **fields: Any) -> Answer | None:
        """Change somebody's profile: `zone`, `name`, `guest`, `deleted`, `email`, `locale`."""
        person = self.workspace.person(user)
        for name, value in fields.items():
            setattr(person, name, value)
        event = {"type": "user_change", "user": user_json(self.workspace, person, with_locale=True)}
        return await self.event(event) if "user_change" in self.workspace.subscriptions else None

    # --- events ------------------------------------------------------------------------------------------------

    async def event(self, payload: Json) -> Answer:
        """Any event: `payload` is the inner event, or a whole callback of one's own making (with `event` in it)."""
        whole = payload if "event" in payload else self._callback(payload)
        return await self.deliver(Delivery("events_api", whole))

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

    async def _heard(self, place: Channel, name: str, event: Json) -> Answer | None:
        """Tell the app, where it asked for this kind of event and the bot is in the channel."""
        if name not in self.workspace.subscriptions or self.bot_user_id not in place.members:
            return None
        return await self.event(event)

    def _message_event(self, place: Channel, message: Message) -> Json:
        event: dict[str, Any] = {
            "user": message.user,
            "text": message.text,
            "ts": message.ts,
            "team": self.workspace.team,
            "channel": place.id,
            "event_ts": message.ts,
            "channel_type": _side(place).rstrip("s"),
        }
        if message.files:
            event["files"] = [file_json(self.workspace, self.workspace.files[name]) for name in message.files]
        return event | ({"thread_ts": message.thread_ts} if message.thread_ts else {})

    def _about(self, place: Channel, event: Json) -> Json:
        ts = self.workspace.next_ts(place)
        side = _side(place).rstrip("s")
        return {"type": "message", "channel": place.id, "ts": ts, "event_ts": ts, "channel_type": side, **event}

    def _own(self, user: str, channel: str, ts: str) -> tuple[Channel, Message]:
        place = self.present(user, channel)
        message = place.messages.get(ts)
        if message is None or message.user != user:
            raise LookupError(f"{self.name_of(user)} wrote no message {ts} in #{place.name}")
        return place, message

    def _known(self, channel: str) -> Channel:
        place = self.workspace.channels.get(channel)
        if place is None or place.archived:
            raise LookupError(f"there is no open channel {channel!r}")
        return place


def _side(place: Channel) -> str:
    if place.dm_with:
        return "im"
    return "groups" if place.private else "channels"
