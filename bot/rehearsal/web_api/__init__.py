"""One Web API call: its arguments from JSON, form or query, and the table of methods."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.rehearsal.workspace import ApiRefusal, Json, Token, Workspace

NESTED = {"blocks": "invalid_blocks_format", "attachments": "invalid_attachments", "view": "invalid_arguments"}
NESTED |= {"metadata": "invalid_metadata_format", "files": "invalid_arguments"}
NESTED |= dict.fromkeys(("changes", "document_content", "criteria"), "invalid_arguments")


class Args:
    """The arguments of a call by name, whether they came as JSON, as a form or in the query."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.given: Json = {name: value for name, value in given.items() if value is not None}
        for name, error in NESTED.items():
            if isinstance(self.given.get(name), str):
                self.given[name] = _parse_json(self.given[name], error)

    def __contains__(self, name: str) -> bool:
        return name in self.given

    def text(self, name: str, default: str = "") -> str:
        """An argument as text."""
        return str(self.given.get(name, default))

    def need(self, name: str) -> str:
        """An argument that must be there; ApiRefusal `invalid_arguments`."""
        if not self.given.get(name):
            raise ApiRefusal(
                "invalid_arguments",
                response_metadata={"messages": [f"[ERROR] missing required field: {name}"]},
            )
        return self.text(name)

    def flag(self, name: str) -> bool:
        """An argument as a yes or no: true, "true", 1, "1"."""
        return str(self.given.get(name, False)).lower() in ("true", "1")

    def number(self, name: str, default: int) -> int:
        """An argument as a whole number; ApiRefusal `invalid_arguments`."""
        try:
            return int(self.given.get(name, default))
        except ValueError:
            raise ApiRefusal("invalid_arguments") from None

    def items(self, name: str) -> list[Json]:
        """A list of objects; ApiRefusal in the word that Slack has for this argument."""
        found = self.given.get(name) or []
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            raise ApiRefusal(NESTED.get(name, "invalid_arguments"))
        return found

    def thing(self, name: str) -> Json | None:
        """An object, or None where it is not given; ApiRefusal in the word that Slack has for this argument."""
        found = self.given.get(name)
        if found is not None and not isinstance(found, dict):
            raise ApiRefusal(NESTED.get(name, "invalid_arguments"))
        return found


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
    """How a method is answered and what it takes: the scope, or a rule that says which; the kind of token."""

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
    """Whether this token may call this method; ApiRefusal not_allowed_token_type or missing_scope."""
    if token.kind != method.caller:
        raise ApiRefusal("not_allowed_token_type")
    needed = method.scope if isinstance(method.scope, str) else method.scope(workspace, args)
    if needed and needed not in token.scopes:
        raise ApiRefusal("missing_scope", needed=needed, provided=",".join(sorted(token.scopes)))


def page(rows: list[Any], args: Args, default: int = 100, most: int = 1000) -> tuple[list[Any], str]:
    """One page of rows, `most` at the most, and the cursor of the next one or empty; ApiRefusal `invalid_cursor`."""
    cursor = args.text("cursor")
    if cursor and not cursor.isdigit():
        raise ApiRefusal("invalid_cursor")
    start = int(cursor or 0)
    limit = args.number("limit", default) or default
    if not 0 < limit <= 1000:
        raise ApiRefusal("invalid_limit")
    end = start + min(limit, most)
    return rows[start:end], str(end) if end < len(rows) else ""
