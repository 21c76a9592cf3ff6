"""Sign in with Slack (OpenID Connect): the address where a person agrees, and who they are by Slack's word.

https://docs.slack.dev/authentication/sign-in-with-slack. The ID token comes from Slack itself over TLS, so its claims
are checked, and its signature need not be (OpenID Connect Core, 3.1.3.7).
"""

import base64
import hmac
import json
import logging
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

from slack_sdk.errors import SlackApiError
from slack_sdk.oauth import OpenIDConnectAuthorizeUrlGenerator
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.readers import Reader
from bot.errors import AfterwordError
from bot.slack.errors import CALL_ERRORS, describe_cause

log = logging.getLogger(__name__)

SCOPES = ("openid", "profile")
SKEW_SECONDS = 60
_TEAM, _USER = "https://slack.com/team_id", "https://slack.com/user_id"


class IdentityError(AfterwordError):
    """Slack didn't say who it is: the code was used or wrong, or the answer doesn't fit the question.

    `is_temporary`: Slack didn't answer, and the same may work in a minute.
    """

    def __init__(self, cause: str, *, is_temporary: bool = False) -> None:
        super().__init__(cause)
        self.is_temporary = is_temporary


class OpenId:
    """The app's sign-in. `client` has no token; `redirect_uri` is where Slack sends people back."""

    def __init__(self, client: AsyncWebClient, client_id: str, client_secret: str, redirect_uri: str) -> None:
        self._client = client
        self._client_id = client_id
        self._client_secret = client_secret
        self._redirect_uri = redirect_uri
        parts = urlsplit(client.base_url)
        self._issuer = f"{parts.scheme}://{parts.netloc}"
        self._generator = OpenIDConnectAuthorizeUrlGenerator(
            client_id=quote(client_id, safe=""),
            redirect_uri=quote(redirect_uri, safe=""),
            scopes=SCOPES,
            authorization_url=f"{self._issuer}/openid/connect/authorize",
        )

    def write_address(self, state: str, nonce: str, team: str) -> str:
        """Where a person signs in to Slack; with their workspace if we know it."""
        return self._generator.generate(quote(state, safe=""), quote(nonce, safe=""), team or None)

    async def identify(self, code: str, nonce: str, now: datetime) -> Reader:
        """Who came back with this code. Raises IdentityError."""
        try:
            answer: Any = await self._client.api_call("openid.connect.token", data=self._fill_form(code))
            claims = _read_claims(str(answer.get("id_token") or ""))
            self._check_claims(claims, nonce, now)
            described: Any = await self._client.openid_connect_userInfo(token=str(answer.get("access_token") or ""))
        except SlackApiError as error:
            raise IdentityError(describe_cause(error)) from error
        except CALL_ERRORS as error:
            raise IdentityError(describe_cause(error), is_temporary=True) from error
        by_token, by_slack = (
            (str(one.get(_TEAM) or ""), str(one.get(_USER) or one.get("sub") or "")) for one in (claims, described)
        )
        if not all(by_token) or by_token != by_slack:
            raise IdentityError("two answers name different people")
        return Reader(*by_token)

    def _fill_form(self, code: str) -> dict[str, str]:
        # As a form: slack_sdk's own method uses a class that aiohttp is about to remove.
        return {
            "client_id": self._client_id,
            "client_secret": self._client_secret,
            "code": code,
            "grant_type": "authorization_code",
            "redirect_uri": self._redirect_uri,
        }

    def _check_claims(self, claims: dict[str, Any], nonce: str, now: datetime) -> None:
        if claims.get("iss") != self._issuer:
            raise IdentityError("another issuer")
        audience = claims.get("aud")
        if self._client_id not in (audience if isinstance(audience, list) else [audience]):
            raise IdentityError("for another app")
        expires = claims.get("exp")
        if not isinstance(expires, int | float) or expires < now.timestamp() - SKEW_SECONDS:
            raise IdentityError("expired")
        if not hmac.compare_digest(str(claims.get("nonce") or "").encode(), nonce.encode()):
            raise IdentityError("another nonce")


def _read_claims(token: str) -> dict[str, Any]:
    """The claims of an ID token: the JSON in its middle part."""
    try:
        _, body, _ = token.split(".")
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (ValueError, RecursionError) as error:
        raise IdentityError("an ID token that can't be read") from error
    if not isinstance(claims, dict):
        raise IdentityError("an ID token that can't be read")
    return claims
