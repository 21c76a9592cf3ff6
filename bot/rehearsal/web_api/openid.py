"""openid.connect.*: the sign-in of people, with the page on which they choose who they are."""

import base64
import json
import secrets
from dataclasses import dataclass
from typing import Any

from bot.rehearsal.web_api import Args, Method
from bot.rehearsal.workspace import ApiRefusal, Json, Workspace

CODE_SECONDS = 600
TOKEN_SECONDS = 300

CLIENT_ID = "1000000000.2000000000"


@dataclass(slots=True)
class SignInCode:
    """A code of one sign-in, good once; the token that it brought is kept for userInfo."""

    user: str
    team: str
    nonce: str
    redirect_uri: str
    made_at: float
    token: str = ""


class OpenIdProvider:
    """The workspace's side of Sign in with Slack. It refuses what Slack refuses."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.client_id = CLIENT_ID
        self.client_secret = secrets.token_hex(16)
        self.redirect_uris: set[str] = set()
        """Those of the app's settings: another one is refused before anyone is asked."""
        self.codes: dict[str, SignInCode] = {}
        self.claims: Json = {}
        """What the next ID tokens say in place of the truth."""
        self.methods = {
            "openid.connect.token": Method(self.token, caller=""),
            "openid.connect.userInfo": Method(self.user_info, caller="xoxp"),
        }

    def explain_refusal(self, query: dict[str, str]) -> str:
        """Why a person is not asked at all, as Slack's page words it; empty if they are."""
        if query.get("client_id") != self.client_id:
            return "invalid_client_id"
        if query.get("redirect_uri") not in self.redirect_uris:
            return "bad_redirect_uri"
        if "openid" not in query.get("scope", "").replace(" ", ",").split(","):
            return "invalid_scope"
        return "" if query.get("response_type") == "code" else "unsupported_response_type"

    def agree(self, user: str, nonce: str, redirect_uri: str, team: str = "") -> str:
        """A person agrees: the code that they take back to the app."""
        code = f"{secrets.randbelow(10**10)}.{secrets.token_hex(16)}"
        made_at = self.workspace.now().timestamp()
        self.codes[code] = SignInCode(user, team or self.workspace.team, nonce, redirect_uri, made_at)
        return code

    def token(self, workspace: Workspace, args: Args) -> Json:
        """openid.connect.token: each code is good once, within ten minutes, for the address that it was made for."""
        if (args.text("client_id"), args.text("client_secret")) != (self.client_id, self.client_secret):
            raise ApiRefusal("bad_client_secret" if args.text("client_id") == self.client_id else "invalid_client_id")
        found = self.codes.get(args.text("code"))
        now = workspace.now().timestamp()
        if found is None or found.token:
            raise ApiRefusal("invalid_code" if found is None else "code_already_used")
        if now - found.made_at > CODE_SECONDS:
            raise ApiRefusal("code_expired")
        if args.text("redirect_uri") != found.redirect_uri:
            raise ApiRefusal("bad_redirect_uri")
        found.token = workspace.new_token("xoxp", {"openid", "profile"})
        claims: dict[str, Any] = {
            "iss": workspace.base_url,
            "sub": found.user,
            "aud": self.client_id,
            "exp": int(now) + TOKEN_SECONDS,
            "iat": int(now),
            "nonce": found.nonce,
            "https://slack.com/team_id": found.team,
            "https://slack.com/user_id": found.user,
        } | self.claims
        parts = ({"alg": "RS256", "typ": "JWT"}, claims)
        head, body = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
        return {"access_token": found.token, "token_type": "Bearer", "id_token": f"{head}.{body}.c2lnbmVk"}

    def user_info(self, workspace: Workspace, args: Args) -> Json:
        """openid.connect.userInfo of the person whose token it is."""
        found = next(one for one in self.codes.values() if one.token and one.token == args.text("_token"))
        name = workspace.users[found.user].name if found.user in workspace.users else found.user
        return {
            "sub": found.user,
            "https://slack.com/user_id": found.user,
            "https://slack.com/team_id": found.team,
            "name": name,
        }
