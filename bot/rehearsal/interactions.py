"""Between the people of the workspace and the app: deliveries go out, and what the app says to them takes effect."""

import secrets
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from bot.clock import Clock
from bot.rehearsal.delivery import PATIENCE, AppReply, HttpSender, SocketSender
from bot.rehearsal.screen import AppAnswer, AppDelivery, PersonReader, ShownMessage, show_message
from bot.rehearsal.web_api.chat import say_in
from bot.rehearsal.web_api.views import change, check_body, push
from bot.rehearsal.workspace import BOT_SCOPES, ApiRefusal, Json, Message, ResponseUrl, StandInChannel, View, Workspace

MOST_RETRIES = 3
TROUBLE = "We had some trouble connecting. Try again?"


class InteractionSender:
    """Sends what people do to the app and keeps every answer in `answers`; `patience` is Slack's three seconds."""

    def __init__(self, clock: Clock, *, team: str = "T0REHEARSE") -> None:
        self.clock = clock
        self.workspace = Workspace(clock, team)
        self.bot_token = self.workspace.new_token("xoxb", BOT_SCOPES)
        self.app_token = self.workspace.new_token("xapp", {"connections:write"})
        self.signing_secret = secrets.token_hex(16)
        self.http = HttpSender(clock, self.signing_secret)
        self.sockets = SocketSender(self.workspace.app_id)
        self.patience = PATIENCE
        self.answers: list[AppAnswer] = []
        self.unacked: list[AppDelivery] = []

    @property
    def bot_user_id(self) -> str:
        """The user id of the app's bot."""
        return self.workspace.bot_user_id

    # --- out ---------------------------------------------------------------------------------------------------

    async def deliver(self, delivery: AppDelivery) -> AppAnswer:
        """Send one delivery, and let what the app says to it take effect."""
        place = self._place(delivery)
        before = len(place.made) if place else 0
        reply = await (self.http if self.http.url else self.sockets).deliver(delivery, self.patience)
        answer = AppAnswer(reply.status, reply.body, reply.error, reply.raw, delivery)
        if reply.error:
            if delivery.kind == "events_api" and delivery.attempt < MOST_RETRIES:
                self.unacked.append(delivery)
        else:
            answer = self._take_effect(answer, delivery, place)
        if place and len(place.made) > before:
            answer = replace(answer, message=self.see(place.made[-1]))
        self.answers.append(answer)
        return answer

    async def deliver_again(self, answer: AppAnswer) -> AppAnswer:
        """The very same delivery once more, an event with the marks of a retry."""
        if answer.delivery is None:
            raise LookupError("this answer came of no delivery, so there is nothing to deliver again")
        return await self.deliver(self._retry(answer.delivery))

    async def redeliver_unacked(self) -> list[AppAnswer]:
        """Send every event again that was not acknowledged; Slack does so at once, after 1 and after 5 minutes."""
        waiting, self.unacked = self.unacked, []
        return [await self.deliver(self._retry(delivery)) for delivery in waiting]

    def _retry(self, delivery: AppDelivery) -> AppDelivery:
        if delivery.kind != "events_api":
            return delivery
        reason = "http_timeout" if self.http.url else "timeout"
        return replace(delivery, attempt=delivery.attempt + 1, reason=reason)

    async def raw_post(self, headers: dict[str, str], body: bytes) -> AppReply:
        """Bytes of anybody's making to the app's request URL, with only these headers."""
        return await self.http.post(headers, body, self.patience)

    def signed(self, body: bytes, *, secret: str = "", age: float = 0) -> dict[str, str]:
        """The signature headers for a body: with another secret, or as made `age` seconds ago."""
        return self.http.signed(body, secret=secret, age=age)

    # --- back --------------------------------------------------------------------------------------------------

    def _place(self, delivery: AppDelivery) -> ResponseUrl | None:
        key = str(delivery.payload.get("response_url", "")).rpartition("/")[2]
        return self.workspace.response_urls.get(key)

    def _take_effect(self, answer: AppAnswer, delivery: AppDelivery, place: ResponseUrl | None) -> AppAnswer:
        if delivery.kind == "slash_commands" and place:
            return self._spoken(answer, place)
        if delivery.payload.get("type") == "view_submission":
            return self._window_answered(answer, delivery.payload)
        return answer

    def _spoken(self, answer: AppAnswer, place: ResponseUrl) -> AppAnswer:
        said = answer.body if isinstance(answer.body, dict) else {"text": answer.body}
        if not any(said.get(key) for key in ("text", "blocks", "attachments")):
            return answer
        try:
            say_in(self.workspace, place, {**said, "replace_original": False, "delete_original": False})
        except ApiRefusal:
            return replace(answer, error="invalid_command_response")
        return answer

    def _window_answered(self, answer: AppAnswer, payload: Json) -> AppAnswer:
        view = self.workspace.views[payload["view"]["id"]]
        said = answer.body if isinstance(answer.body, dict) else {}
        try:
            return self._respond(answer, view, said)
        except ApiRefusal as refusal:
            return replace(answer, error=refusal.error, body={**said, "text": TROUBLE})

    def _respond(self, answer: AppAnswer, view: View, said: Json) -> AppAnswer:
        stack = self.workspace.stacks.get(view.user, [])
        match said.get("response_action"):
            case "errors":
                return replace(answer, errors=_collect_errors(view, said.get("errors")))
            case "update":
                change(self.workspace, view, check_body(said.get("view") or {}, "modal"))
            case "push":
                push(self.workspace, view.user, check_body(said.get("view") or {}, "modal"))
            case "clear":
                stack.clear()
            case None:
                if view in stack:
                    del stack[stack.index(view) :]
            case _:
                raise ApiRefusal("invalid_arguments")
        return answer

    # --- who may do what ---------------------------------------------------------------------------------------

    def present(self, user: str, channel: str) -> StandInChannel:
        """The channel, where this person is in it and can still write; LookupError says why not."""
        place = self.workspace.channels.get(channel)
        if place is None:
            raise LookupError(f"there is no channel {channel!r}")
        self.active(user)
        if user not in place.members:
            raise LookupError(f"{self.name_of(user)} is not in #{place.name}")
        if place.archived:
            raise LookupError(f"#{place.name} is archived: nobody can do anything there")
        return place

    def active(self, user: str) -> None:
        """LookupError unless this person can still sign in."""
        if user not in self.workspace.users or self.workspace.users[user].deleted:
            raise LookupError(f"there is no active person {user!r}")

    # --- what is seen ------------------------------------------------------------------------------------------

    def name_of(self, some_id: str) -> str:
        """The name people see for a user or a channel id; the id itself where it is unknown."""
        if some_id in self.workspace.users:
            return self.workspace.users[some_id].name
        channel = self.workspace.channels.get(some_id)
        return channel.name or "direct message" if channel else some_id

    def reader(self, user: str = "") -> PersonReader:
        """How a person reads: with everyone's names, and dates in their own zone (UTC for nobody in particular)."""
        zone = self.workspace.users[user].zone if user else "UTC"
        return PersonReader(self.name_of, ZoneInfo(zone))

    def see(self, message: Message, user: str = "") -> ShownMessage:
        """A message as a person (or nobody in particular) sees it."""
        return show_message(message, self.reader(user or message.ephemeral_for))


def _collect_errors(view: View, errors: Any) -> dict[str, str]:
    """The errors of a refused modal; Slack takes them only for its input blocks, else the person is in trouble."""
    inputs = {block["block_id"] for block in view.blocks if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors or not set(errors) <= inputs:
        raise ApiRefusal("invalid_arguments")
    return {str(block): str(words) for block, words in errors.items()}
