"""What the last release before the redesign left behind, opened again: see `old_release.py`."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from bot.rehearsal.server import StandIn
from bot.rehearsal.workspace import Message, StandInChannel, User, View

FOLDER = Path(__file__).resolve().parents[1] / "data" / "before_redesign"
Json = dict[str, Any]


class Press(NamedTuple):
    """Something in an old message that a person can press or choose, and what they choose."""

    user: str
    message: Message
    element: Json
    value: str | None


def unpack_database(path: Path) -> str:
    """Put a copy of the old database there; its URL."""
    path.write_bytes(gzip.decompress((FOLDER / "afterword.db.gz").read_bytes()))
    return f"sqlite:///{path}"


def read_workspace() -> Json:
    """People, channels with their messages, open forms and Home tabs; `now` is when the old bot stopped."""
    found: Json = json.loads((FOLDER / "workspace.json").read_text(encoding="utf-8"))
    return found | {"now": datetime.fromisoformat(found["now"])}


def fill(slack: StandIn, old: Json) -> None:
    """Put everything of the old workspace into a stand-in that is empty."""
    workspace = slack.workspace
    # Forms know a response_url each: it has expired by now, but leads to the same Slack.
    old = json.loads(json.dumps(old, default=str).replace(old["base_url"], workspace.base_url))
    workspace.users = {each["id"]: User(**each) for each in old["users"]}
    workspace.channels = {each["id"]: _channel(each) for each in old["channels"]}
    workspace.stacks = {user: [_view(view) for view in stack] for user, stack in old["stacks"].items()}
    workspace.views = {view.id: view for stack in workspace.stacks.values() for view in stack}
    workspace.homes = {user: _view(view) for user, view in old["homes"].items()}
    workspace._numbers = Counter(old["numbers"])


def _channel(stored: Json) -> StandInChannel:
    messages = {each["ts"]: _message(each) for each in stored["messages"]}
    return StandInChannel(**stored | {"members": set(stored["members"]), "messages": messages})


def _message(stored: Json) -> Message:
    payload = stored.pop("as_told")
    return Message(**stored, payload=payload)


def _view(stored: Json) -> View:
    return View(**stored | {"typed": {(block, action): value for block, action, value in stored["typed"]}})


def presses(slack: StandIn) -> list[Press]:
    """Everything that can be pressed in the messages, each by a person who sees it."""
    found = []
    for place in slack.workspace.channels.values():
        member = min(place.members - {slack.bot_user_id})
        for message in place.messages.values():
            user = message.ephemeral_for or member
            found += [Press(user, message, each, _choice(each)) for each in elements(message.blocks)]
    return found


def elements(blocks: list[Json]) -> Iterator[Json]:
    """What can be pressed or chosen in blocks; links only lead elsewhere."""
    for block in blocks:
        for each in (*block.get("elements", ()), block.get("accessory"), block.get("element")):
            if isinstance(each, dict) and "action_id" in each and "url" not in each:
                yield each


def _choice(element: Json) -> str | None:
    if element["type"] == "button":
        return element.get("value")
    options = element.get("options") or [one for group in element.get("option_groups", ()) for one in group["options"]]
    return options[0]["value"] if options else None
