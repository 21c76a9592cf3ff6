"""What Slack delivers, as values: a command, a click, a submitted form."""

import hashlib
import json
import re
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from bot import bounds
from bot.domain.records import Place
from bot.domain.timeline import ChosenTime
from bot.errors import MalformedPayloadError, Refused
from bot.services.context import Request
from bot.slack.views.blocks import Block, Message, field_name, read_value

Body = dict[str, Any]

_NUMBERS = frozenset(
    {"incident", "entry", "version", "why", "action", "seen", "alert", "into", "other", "number", "sequence"}
)
_OBJECTS = {"user": ("user_change", "team_join"), "channel": ("channel_rename", "group_rename")}
"""The kinds of events that carry an object in this place; all others carry an id."""
_TIMES = ("ts", "thread_ts", "deleted_ts", "event_ts")
_TS = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?")
_ABSENT = frozenset({"incident", "seen", "why", "parent"})
_ID = re.compile(r"[A-Z][A-Z0-9]{0,31}")

_READERS = ("bot.", "handlers.", "storage.", "slack_bolt.")
_READS = re.compile(r"read_|unpack_|parse_|_is_external|find_users|find_group|find_ids|strip_")
_SHAPE_ERRORS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


def find_misread(error: BaseException) -> str:
    """Where a body could not be read, as "module:line"; empty if the error is of anything else.

    A handler only reads what came in and passes it on, so an error of its own lines, of Bolt's, or of a function that
    reads for it, is about the body. It is no bug of the record, and needs no trace.
    """
    frames = [(frame, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    known = [(frame, line) for frame, line in frames if str(frame.f_globals.get("__name__")).startswith(_READERS)]
    if not known or not isinstance(error, (*_SHAPE_ERRORS, MalformedPayloadError)):
        return ""
    (frame, line), is_carried = known[-1], isinstance(error, MalformedPayloadError)
    module = str(frame.f_globals["__name__"])
    is_reading = module.startswith(("handlers.", "slack_bolt.")) or _READS.match(frame.f_code.co_name) is not None
    return f"{module}:{line}" if is_reading or is_carried else ""


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
        """A named group of the verb's form; empty if it matched nothing, or the form has no such group."""
        return (self.match and self.match.groupdict().get(name)) or ""

    @property
    def number(self) -> int:
        """The number that was typed. The verb's form must have one."""
        return int(self.part("number"))

    @property
    def line(self) -> str:
        """Everything that was typed, with names in place of mentions."""
        return self.match.string if self.match else ""

    @property
    def rest(self) -> str:
        """The words behind the verb."""
        return self.part("text")

    def as_click(self) -> "Click":
        """The command as a click, from which forms open."""
        return Click(self.request, {}, "", self.trigger, self.response_url, in_whisper=False)


@dataclass(frozen=True, slots=True)
class Click:
    """A button pressed, or a field entered; `value` is what the button carries.

    `message` is the public message that it is in, or the one that a message shortcut was chosen on; `app` is our app's
    id, and `action` the button's action id.
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
    action: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """A form as the answer to a command. It opens after the acknowledgement.

    `build` makes the form then, in place of `view`, if that takes a call to Slack.
    """

    view: Block = field(default_factory=dict)
    build: Callable[["Click"], Awaitable[Block]] | None = None

    async def make_view(self, click: "Click") -> Block:
        return self.view if self.build is None else await self.build(click)


@dataclass(frozen=True, slots=True)
class Submission:
    """A submitted form: its values by action id, its metadata, and what was typed: no ids, but dates."""

    request: Request
    values: dict[str, Any]
    metadata: dict[str, Any]
    typed: tuple[str, ...]

    def require_short(self) -> None:
        """Raise Refused if a field is longer than Slack lets it be, before anything reads it."""
        for name, value in self.values.items():
            if isinstance(value, str) and len(value) > bounds.FIELD:
                raise Refused(
                    f"That has {len(value):,} characters; a field takes {bounds.FIELD:,}. Split it into several.",
                    field=field_name(name),
                )

    @property
    def in_home(self) -> bool:
        """Whether it was opened in the Home tab."""
        return bool(self.metadata.get("home"))

    @property
    def from_where(self) -> Request:
        """The request from where the form was opened: in a DM the form is about the channel of its incident."""
        channel = str(self.metadata.get("opened_in") or self.request.place.channel)
        return replace(self.request, place=Place(self.request.team, channel))

    def unless_at_home(self, answer: Message | None) -> Message | None:
        """The answer, but in the Home tab, which shows the result itself, only one that keeps the form open."""
        return None if self.in_home and answer is not None and "response_action" not in answer else answer

    def as_click(self) -> Click:
        """The button that opened it, for the answer, which from the Home tab goes to a DM, not to a channel."""
        request = self.request.at(Place(self.request.team, self.request.user)) if self.in_home else self.request
        url, in_whisper = str(self.metadata.get("url", "")), bool(self.metadata.get("whisper"))
        return Click(request, {}, "", "", url, in_whisper, self.in_home)


def _key(*parts: str) -> str:
    """Identifies one delivery. A trigger id is new each time; the other parts guard against one that is not."""
    # Joined by a character that no field holds, so that two different lists never give one key. `replace`, because a
    # lone surrogate in what was typed must not raise.
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "replace")).hexdigest()


def command_of(body: Body, now: datetime) -> Command:
    """Read a command. Raises KeyError if the body is none."""
    team = _optional_id(body.get("team_id") or body.get("enterprise_id"))
    channel, user, text = _id(body["channel_id"]), _id(body["user_id"]), _text(body.get("text", ""))
    trigger = body.get("trigger_id", "")
    key = _key("command", team, trigger, channel, user, body["command"], text)
    return Command(
        Request(Place(team, channel), user, now, key, home="" if body.get("enterprise_id") else team),
        text,
        _text(body.get("channel_name", "")),
        trigger,
        _text(body.get("response_url", "")),
    )


def click_of(body: Body, now: datetime) -> Click:
    """Read a click or a shortcut. A shortcut carries no action, and may have no channel."""
    action = (body.get("actions") or [{}])[0]
    container = body.get("container", {})
    team, user = _optional_id(_team(body)), _id(body["user"]["id"])
    in_home = (body.get("view") or {}).get("type") == "home"
    # The answer to a click in the Home tab goes to the person's DM, for which Slack takes their user id.
    channel = _optional_id(
        (body.get("channel") or {}).get("id") or container.get("channel_id") or (user if in_home else "")
    )
    # A menu sends the value of the chosen line.
    value = _require_numbers(
        read_value(action.get("value") or (action.get("selected_option") or {}).get("value") or "")
    )
    trigger = body.get("trigger_id", "")
    key = _key("click", team, trigger, action.get("action_id", ""), action.get("action_ts", ""), user)
    message = body.get("message") or {}
    return Click(
        Request(
            Place(team, channel),
            user,
            now,
            key,
            _int(value.get("incident")),
            aloud=True,
            home=_home(body),
            sees=_seen_by(value, user),
        ),
        value,
        _text(action.get("value", "")) if action.get("type") == "plain_text_input" else "",
        trigger,
        _text(body.get("response_url", "")),
        bool(container.get("is_ephemeral")),
        in_home,
        message if isinstance(message, dict) else {},
        _text(body.get("api_app_id", "")),
        _text(action.get("action_id", "")),
    )


def button_of(body: Body) -> Body:
    """The click on a line of an overflow menu as one on the button that the line stands for."""
    (action, *_) = body["actions"]
    value = (action.get("selected_option") or {}).get("value", "")
    name = str(read_value(value).get("do", ""))
    return body | {"actions": [action | {"type": "button", "action_id": name, "value": value}]}


def submission_of(body: Body, now: datetime) -> Submission:
    """Read a submitted form."""
    view = body["view"]
    metadata = _require_numbers(read_value(view.get("private_metadata", "")))
    states = [item for block in view.get("state", {}).get("values", {}).values() for item in block.items()]
    values = {action: _read_state(state) for action, state in states}
    texts = (state.get("value") or state.get("selected_date") for _, state in states)
    typed = tuple(str(text) for text in texts if text)
    team, user = _optional_id(_team(body)), _id(body["user"]["id"])
    key = _key("form", team, user, view.get("id", ""), view.get("hash", ""), body.get("trigger_id", ""))
    channel = _optional_id(metadata.get("channel"))
    request = Request(
        Place(team, channel),
        user,
        now,
        key,
        _int(metadata.get("incident")),
        aloud=True,
        home=_home(body),
        sees=_seen_by(metadata, user),
    )
    return Submission(request, values, metadata, typed)


def event_of(body: Body, channel: str, now: datetime) -> Request:
    """The request of the person who caused an event. A retry of the event has the same key."""
    event = body["event"]
    team, user, channel = _id(body["team_id"]), _id(event["user"]), _optional_id(channel)
    key = _key("event", team, body.get("event_id", ""), channel, user, event.get("event_ts", ""))
    home = "" if body.get("enterprise_id") else event.get("user_team") or event.get("source_team") or ""
    return Request(Place(team, channel), user, now, key, aloud=True, home=home)


def require_event(body: Body) -> Body:
    """The event of a body. Raises ValueError or TypeError if an id or timestamp in it cannot be one."""
    event: Body = body["event"]
    item = event.get("item") or {}
    _id(body["team_id"])
    for name, kinds in _OBJECTS.items():
        value: Any = event.get(name)
        _id(value["id"]) if event["type"] in kinds else _optional_id(value)
    for value in (*(event.get(name) for name in _TIMES), item.get("ts")):
        if value is not None and not _TS.fullmatch(value):
            raise ValueError("no timestamp")
    _optional_id(item.get("channel"))
    return event


def chosen_in(value: dict[str, Any]) -> ChosenTime:
    """The time that the button of a question or an offer carries, with the words to record."""
    return ChosenTime(
        str(value.get("text") or ""),
        datetime.fromisoformat(value["at"]) if value.get("at") else None,
        bool(value.get("approximate")),
        timedelta(seconds=int(value.get("lasts") or 0)) or None,
        asked_at_in(value),
    )


def asked_at_in(value: dict[str, Any]) -> datetime | None:
    """When the question of a button was put; None if the button does not say."""
    try:
        return datetime.fromisoformat(value["asked"])
    except (KeyError, TypeError, ValueError):
        return None


def _id(value: Any) -> str:
    """An id of Slack's. Raises TypeError or ValueError for what cannot be one."""
    if not _ID.fullmatch(value):
        raise ValueError("no id")
    return str(value)


def _optional_id(value: Any) -> str:
    """The same; empty if there is none."""
    return _id(value) if value not in ("", None) else ""


def _require_numbers(carried: dict[str, Any]) -> dict[str, Any]:
    """What a button or form carries. Raises TypeError if a row or a version in it is no number."""
    known = {name: carried[name] for name in _NUMBERS & carried.keys()}
    if any(not isinstance(value, int) and not (value is None and name in _ABSENT) for name, value in known.items()):
        raise TypeError("no number")
    return carried


def _text(value: Any) -> str:
    """A text. Raises TypeError for anything else."""
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def _team(body: Body) -> str:
    return (body.get("team") or {}).get("id") or (body.get("user") or {}).get("team_id") or ""


def _home(body: Body) -> str:
    """The person's own workspace; empty in an enterprise, where people of one organisation have several."""
    return "" if body.get("enterprise") else (body.get("user") or {}).get("team_id") or ""


def for_reader(message: Message, user: str) -> Message:
    """The message with buttons that work for this reader, who asked for it outside the incident's channel.

    Their access to that channel is checked again at each press.
    """
    return message | {"blocks": [_mark_block(block, user) for block in message.get("blocks", ())]}


def _mark_block(block: Block, user: str) -> Block:
    block = dict(block)
    if "elements" in block:
        block["elements"] = [_mark_button(element, user) for element in block["elements"]]
    if "accessory" in block:
        block["accessory"] = _mark_button(block["accessory"], user)
    return block


def _mark_button(element: Block, user: str) -> Block:
    """A button marked for the reader, or a menu whose lines are."""
    if element.get("type") in ("static_select", "overflow"):
        return element | {"options": [_mark_value(option, user) for option in element["options"]]}
    return _mark_value(element, user) if element.get("type") == "button" else element


def _mark_value(element: Block, user: str) -> Block:
    value = read_value(str(element.get("value", "")))
    return (
        element | {"value": json.dumps(value | {"for": user}, ensure_ascii=False)} if "incident" in value else element
    )


def _seen_by(carried: dict[str, Any], user: str) -> int | None:
    """The incident of a button or a form if that was made for this person."""
    return _int(carried.get("incident")) if carried.get("for") == user else None


def _int(value: Any) -> int | None:
    return value if isinstance(value, int) else None


def _read_state(state: dict[str, Any]) -> Any:
    kind = state.get("type")
    if kind in ("static_select", "radio_buttons"):
        return (state.get("selected_option") or {}).get("value")
    if kind in ("checkboxes", "multi_static_select"):
        return [option.get("value") for option in state.get("selected_options") or ()]
    fields = {
        "datepicker": "selected_date",
        "users_select": "selected_user",
        "multi_users_select": "selected_users",
        "datetimepicker": "selected_date_time",
        "conversations_select": "selected_conversation",
    }
    return state.get(fields.get(str(kind), "value"))
