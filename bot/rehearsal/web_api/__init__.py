"""One Web API call: its arguments from JSON, form or query, and the table of methods."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.rehearsal.workspace import ApiRefusal, Json, Token, Workspace

# slack_sdk sends these as JSON in a string or as JSON proper, by the method, so both are read.
NESTED = {"blocks": "invalid_blocks_format", "attachments": "invalid_attachments", "view": "invalid_arguments"}
NESTED |= {"metadata": "invalid_metadata_format", "files": "invalid_arguments"}
NESTED |= dict.fromkeys(("changes", "document_content", "criteria"), "invalid_arguments")


class Args:
    """The arguments of a call by name, whether they came as JSON, as a form or in the query."""

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        self.values: Json = {name: value for name, value in arguments.items() if value is not None}
        for name, error in NESTED.items():
            if isinstance(self.values.get(name), str):
                self.values[name] = _parse_json(self.values[name], error)

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def text(self, name: str, default: str = "") -> str:
        """An argument as text."""
        return str(self.values.get(name, default))

    def need(self, name: str) -> str:
        """An argument that must be there; ApiRefusal `invalid_arguments`."""
        if not self.values.get(name):
            raise ApiRefusal(
                "invalid_arguments",
                response_metadata={"messages": [f"[ERROR] missing required field: {name}"]},
            )
        return self.text(name)

    def flag(self, name: str) -> bool:
        """An argument as a yes or no: true, "true", 1, "1"."""
        return str(self.values.get(name, False)).lower() in ("true", "1")

    def number(self, name: str, default: int) -> int:
        """An argument as a whole number; ApiRefusal `invalid_arguments`."""
        try:
            return int(self.values.get(name, default))
        except ValueError:
            raise ApiRefusal("invalid_arguments") from None

    def items(self, name: str) -> list[Json]:
        """A list of objects; ApiRefusal with Slack's word for this argument."""
        items = self.values.get(name) or []
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise ApiRefusal(NESTED.get(name, "invalid_arguments"))
        return items

    def thing(self, name: str) -> Json | None:
        """An object, or None if it is absent; ApiRefusal with Slack's word for this argument."""
        value = self.values.get(name)
        if value is not None and not isinstance(value, dict):
            raise ApiRefusal(NESTED.get(name, "invalid_arguments"))
        return value


def _parse_json(text: str, error: str) -> Any:
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise ApiRefusal(error) from None


Handler = Callable[[Workspace, Args], Json]
ScopeOf = Callable[[Workspace, Args], str]


@dataclass(frozen=True, slots=True)
class Method:
    """A Web API method: its handler, the scope that it needs (or a function that says which), the kind of token.

    Without a `caller` it takes no token.
    """

    handler: Handler
    scope: str | ScopeOf = ""
    caller: str = "xoxb"


def scope_by_channel(suffix: str) -> ScopeOf:
    """The scope that a method needs for the channel it names: of channels, groups or im."""

    def find_scope(workspace: Workspace, args: Args) -> str:
        channel = workspace.channels.get(args.text("channel"))
        if channel is None or not (channel.private or channel.dm_with):
            return f"channels:{suffix}"
        return f"im:{suffix}" if channel.dm_with else f"groups:{suffix}"

    return find_scope


def check_token(workspace: Workspace, sent: str) -> Token:
    """The token of a call; ApiRefusal not_authed, invalid_auth, token_revoked or account_inactive."""
    if not sent:
        raise ApiRefusal("not_authed")
    token = workspace.tokens.get(sent)
    if token is None:
        raise ApiRefusal("invalid_auth")
    if token.state:
        raise ApiRefusal(token.state)
    return token


def check_scope(workspace: Workspace, method: Method, token: Token, args: Args) -> None:
    """Raise ApiRefusal not_allowed_token_type or missing_scope unless this token may call this method."""
    # An app-level token opens sockets and nothing else, and a bot's token cannot; Slack names it differently from a
    # missing scope.
    if token.kind != method.caller:
        raise ApiRefusal("not_allowed_token_type")
    needed = method.scope if isinstance(method.scope, str) else method.scope(workspace, args)
    if needed and needed not in token.scopes:
        raise ApiRefusal("missing_scope", needed=needed, provided=",".join(sorted(token.scopes)))


def page(rows: list[Any], args: Args, default: int = 100, most: int = 1000) -> tuple[list[Any], str]:
    """At most `most` rows, and the cursor of the next page or empty; ApiRefusal `invalid_cursor` or `invalid_limit`."""
    cursor = args.text("cursor")
    if cursor and not cursor.isdigit():
        raise ApiRefusal("invalid_cursor")
    start = int(cursor or 0)
    limit = args.number("limit", default) or default
    # As Slack's cursor-based methods document it: 1,000 at most.
    if not 0 < limit <= 1000:
        raise ApiRefusal("invalid_limit")
    end = start + min(limit, most)
    return rows[start:end], str(end) if end < len(rows) else ""
