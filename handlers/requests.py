"""What Slack delivers, as values: a command, a click, a submitted form."""

import hashlib
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from bot.domain.records import Place
from bot.domain.timeline import ChosenTime
from bot.services.context import Request
from bot.slack.views.blocks import Block, Message

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Command:
    """A slash command; `text` is as Slack sent it (escaped, with mentions as tags).

    `match` is what its verb's form found in the words; `thread_ts` is the thread in which they were written to the bot.
    """

    request: Request
    text: str
    channel_name: str = ""
    trigger: str = ""
    response_url: str = ""
    thread_ts: str = ""
    match: re.Match[str] | None = None

    def part(self, name: str) -> str:
        """A named group of the verb's form; empty for one that found nothing, or that it does not have."""
        return (self.match and self.match.groupdict().get(name)) or ""

    @property
    def number(self) -> int:
        """The number that was typed, of a form that has one."""
        return int(self.part("number"))

    @property
    def line(self) -> str:
        """All that was typed, with names in place of mentions."""
        return self.match.string if self.match else ""

    @property
    def rest(self) -> str:
        """The words behind the verb."""
        return self.part("text")

    def as_click(self) -> "Click":
        """The same as a button would have brought it, for what opens forms."""
        return Click(self.request, {}, "", self.trigger, self.response_url, in_whisper=False)


@dataclass(frozen=True, slots=True)
class Click:
    """A button pressed, or a field entered; `value` is what the button carries.

    Of a message shortcut, `message` is the message it was chosen on, and `app` the app that it was offered by.
    """

    request: Request
    value: dict[str, Any]
    typed: str
    trigger: str
    response_url: str
    in_whisper: bool
    in_home: bool = False
    message: Body = field(default_factory=dict)
    app: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """A form as the answer to a command: it opens once the command is acknowledged.

    One for which Slack must be asked first is built then, by `build`.
    """

    view: Block = field(default_factory=dict)
    build: Callable[["Click"], Awaitable[Block]] | None = None

    async def built(self, click: "Click") -> Block:
        """The form, as whoever opens one asks for it."""
        return self.view if self.build is None else await self.build(click)


@dataclass(frozen=True, slots=True)
class Submission:
    """A form sent; `values` by action id, `metadata` as the form carried it."""

    request: Request
    values: dict[str, Any]
    metadata: dict[str, Any]

    @property
    def in_home(self) -> bool:
        """Whether it was opened in the Home tab."""
        return bool(self.metadata.get("home"))

    @property
    def from_where(self) -> Request:
        """The request as it came: a form that was opened in a DM is about its incident's channel, not from there."""
        channel = str(self.metadata.get("opened_in") or self.request.place.channel)
        return replace(self.request, place=Place(self.request.team, channel))

    def unless_at_home(self, said: Message | None) -> Message | None:
        """The answer; none in the Home tab, which shows what came of it, but for a form that stays open."""
        return None if self.in_home and said is not None and "response_action" not in said else said

    def as_click(self) -> Click:
        """The button that opened it, for the answer: in the Home tab nobody looks into the incident's channel."""
        request = self.request.at(Place(self.request.team, self.request.user)) if self.in_home else self.request
        url, in_whisper = str(self.metadata.get("url", "")), bool(self.metadata.get("whisper"))
        return Click(request, {}, "", "", url, in_whisper, self.in_home)


def _key(*parts: str) -> str:
    """One delivery of Slack's. A trigger id is minted anew each time; the rest guards against one that is not."""
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "replace")).hexdigest()


def command_of(body: Body, now: datetime) -> Command:
    """The command that a body holds; raises KeyError for a body that is none."""
    team = body.get("team_id") or body.get("enterprise_id") or ""
    channel, user, text = body["channel_id"], body["user_id"], body.get("text", "")
    trigger = body.get("trigger_id", "")
    key = _key("command", team, trigger, channel, user, body["command"], text)
    return Command(
        Request(Place(team, channel), user, now, key, home="" if body.get("enterprise_id") else team),
        text,
        body.get("channel_name", ""),
        trigger,
        body.get("response_url", ""),
    )


def click_of(body: Body, now: datetime) -> Click:
    """The click that a body holds; of a shortcut, which carries no action and may have no channel, what there is."""
    action = (body.get("actions") or [{}])[0]
    container = body.get("container", {})
    team = _team(body)
    in_home = (body.get("view") or {}).get("type") == "home"
    # What is said after a click in the Home tab goes to that person's DM, which their id names.
    channel = (
        (body.get("channel") or {}).get("id") or container.get("channel_id") or (body["user"]["id"] if in_home else "")
    )
    value = _object(action.get("value", ""))
    trigger = body.get("trigger_id", "")
    key = _key("click", team, trigger, action.get("action_id", ""), action.get("action_ts", ""), body["user"]["id"])
    return Click(
        Request(
            Place(team, channel),
            body["user"]["id"],
            now,
            key,
            _whole(value.get("incident")),
            aloud=True,
            home=_home(body),
            sees=_seen_by(value, body["user"]["id"]),
        ),
        value,
        action.get("value", "") if action.get("type") == "plain_text_input" else "",
        trigger,
        body.get("response_url", ""),
        bool(container.get("is_ephemeral")),
        in_home,
        body.get("message") or {},
        body.get("api_app_id", ""),
    )


def submission_of(body: Body, now: datetime) -> Submission:
    """The form that a body holds."""
    view = body["view"]
    metadata = _object(view.get("private_metadata", ""))
    values = {
        action: _entered(state)
        for block in view.get("state", {}).get("values", {}).values()
        for action, state in block.items()
    }
    team, user = _team(body), body["user"]["id"]
    key = _key("form", team, user, view.get("id", ""), view.get("hash", ""), body.get("trigger_id", ""))
    channel = str(metadata.get("channel", ""))
    request = Request(
        Place(team, channel),
        user,
        now,
        key,
        _whole(metadata.get("incident")),
        aloud=True,
        home=_home(body),
        sees=_seen_by(metadata, user),
    )
    return Submission(request, values, metadata)


def event_of(body: Body, channel: str, now: datetime) -> Request:
    """Who did what an event tells of, in which channel; a retry of it has the same key."""
    event = body["event"]
    team, user = body["team_id"], event["user"]
    key = _key("event", team, body.get("event_id", ""), channel, user, event.get("event_ts", ""))
    home = "" if body.get("enterprise_id") else event.get("user_team") or event.get("source_team") or ""
    return Request(Place(team, channel), user, now, key, aloud=True, home=home)


def chosen_in(value: dict[str, Any]) -> ChosenTime:
    """The time that the button of a question or of an offer carries, with the words that wait for it."""
    return ChosenTime(
        str(value.get("text") or ""),
        datetime.fromisoformat(value["at"]) if value.get("at") else None,
        bool(value.get("approximate")),
        timedelta(seconds=int(value.get("lasts") or 0)) or None,
        asked_at_in(value),
    )


def asked_at_in(value: dict[str, Any]) -> datetime | None:
    """When the question was asked whose button carries this; None for a button that does not tell."""
    try:
        return datetime.fromisoformat(value["asked"])
    except (KeyError, TypeError, ValueError):
        return None


def _team(body: Body) -> str:
    return (body.get("team") or {}).get("id") or (body.get("user") or {}).get("team_id") or ""


def _home(body: Body) -> str:
    """The workspace that somebody belongs to; empty in an enterprise, where people of one organisation have several."""
    return "" if body.get("enterprise") else (body.get("user") or {}).get("team_id") or ""


def _object(text: str) -> dict[str, Any]:
    """The JSON object that a button or a form carries; empty for anything else."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def for_reader(said: Message, user: str) -> Message:
    """A message whose buttons about an incident work for its reader, who asked for it outside the incident's channel.

    Whether they may look into that channel is asked again with each press.
    """
    return said | {"blocks": [_for_reader(block, user) for block in said.get("blocks", ())]}


def _for_reader(block: Block, user: str) -> Block:
    block = dict(block)
    if "elements" in block:
        block["elements"] = [_marked(element, user) for element in block["elements"]]
    if "accessory" in block:
        block["accessory"] = _marked(block["accessory"], user)
    return block


def _marked(element: Block, user: str) -> Block:
    value = _object(str(element.get("value", ""))) if element.get("type") == "button" else {}
    return (
        element | {"value": json.dumps(value | {"for": user}, ensure_ascii=False)} if "incident" in value else element
    )


def _seen_by(told: dict[str, Any], user: str) -> int | None:
    """The incident of a button or a form that was shown to this very person; None for any other."""
    return _whole(told.get("incident")) if told.get("for") == user else None


def _whole(found: Any) -> int | None:
    return found if isinstance(found, int) else None


def _entered(state: dict[str, Any]) -> Any:
    kind = state.get("type")
    if kind in ("static_select", "radio_buttons"):
        return (state.get("selected_option") or {}).get("value")
    if kind in ("checkboxes", "multi_static_select"):
        return [option.get("value") for option in state.get("selected_options") or ()]
    found = {
        "datepicker": "selected_date",
        "users_select": "selected_user",
        "conversations_select": "selected_conversation",
    }
    return state.get(found.get(str(kind), "value"))
