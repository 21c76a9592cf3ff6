"""The three ways in to Jira and Confluence, and what to do where one is refused.

The kind of a token cannot be told from the token: a classic one is taken at the site's own address, one with scopes
only at Atlassian's gateway, and Data Center knows neither.
"""

import asyncio
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from bot.errors import Misconfigured
from bot.publish.answers import Answer
from bot.publish.calls import Call, Caller, Line, Patience, get, under
from bot.publish.failures import PublishError
from bot.publish.scopes import need_of

GATEWAY = "https://api.atlassian.com"
_TENANT = "/_edge/tenant_info"


class Kind(StrEnum):
    """What sort of token it is."""

    CLASSIC = "classic"
    SCOPED = "scoped"
    DATA_CENTER = "data_center"


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach a product of Atlassian's.

    `site_url` is where people open it (`https://example.atlassian.net`; with its context path for Data Center).
    `email` is whose token it is; Data Center's personal tokens need none. `cloud_id` is asked of the site where a token
    with scopes needs it and it is empty.
    """

    site_url: str
    token: str = field(repr=False)
    email: str = ""
    kind: Kind = Kind.CLASSIC
    cloud_id: str = ""
    gateway_url: str = GATEWAY

    @property
    def is_cloud(self) -> bool:
        """Atlassian runs it."""
        return self.kind is not Kind.DATA_CENTER


class Atlassian:
    """One product as one account reaches it. Raises Misconfigured where the access cannot be meant so."""

    def __init__(self, system: str, product: str, access: Access, patience: Patience) -> None:
        """`product` is its name at the gateway: `jira` or `confluence`."""
        if access.is_cloud and not access.email:
            raise Misconfigured(f"{system} on Atlassian's cloud needs the e-mail address whose token it is.")
        self.access = replace(access, site_url=access.site_url.rstrip("/"), gateway_url=access.gateway_url.rstrip("/"))
        self.system = system
        self._product = product
        self._cloud_id = access.cloud_id
        self._asking = asyncio.Lock()
        through_gateway = access.kind is Kind.SCOPED
        secret, headers = _sign_in(self.access)
        base_url = self.access.gateway_url if through_gateway else self.access.site_url
        remedies = {401: _REFUSED[access.kind]}
        self._caller = Caller(Line(system, base_url, headers, (secret, access.token), remedies), patience)
        self._site = Caller(Line(system, self.access.site_url), patience) if through_gateway else None

    async def aclose(self) -> None:
        """Let the connections go."""
        await self._caller.aclose()
        if self._site:
            await self._site.aclose()

    async def ask(self, call: Call) -> Answer:
        """The answer to a call, whose path is as at the site. Raises PublishError."""
        try:
            if self._site is None:
                return await self._caller.ask(call)
            cloud_id = await self._own_cloud_id(self._site)
            return await self._caller.ask(under(call, f"/ex/{self._product}/{cloud_id}"))
        except PublishError as error:
            if error.lacks_scope and (need := need_of(self._product, call.method, call.path)):
                error.reword(f"{self.system} refused this call, for the token lacks a scope: {need.sentence}. {_ANEW}")
            raise

    async def _own_cloud_id(self, site: Caller) -> str:
        """The site's id, asked once and without the token, which the site has no business to see."""
        async with self._asking:
            if not self._cloud_id:
                self._cloud_id = (await site.ask(get(_TENANT))).text("cloudId")
            return self._cloud_id


def _sign_in(access: Access) -> tuple[str, Mapping[str, str]]:
    """The secret in the form that it travels in, and the header that carries it."""
    if not access.is_cloud:
        return access.token, {"Authorization": f"Bearer {access.token}"}
    secret = b64encode(f"{access.email}:{access.token}".encode()).decode("ascii")
    return secret, {"Authorization": f"Basic {secret}"}


_ANEW = (
    "A token keeps the scopes that it was made with: make one with all that docs/connections.md names, and put it into "
    "the settings."
)
_EXPIRED = "refused the token. It has expired (Atlassian's last a year at most) or was revoked,"
_REFUSED = {
    Kind.CLASSIC: f"{_EXPIRED} the e-mail address is not its owner's, or it is a token with scopes: those are taken "
    "only at api.atlassian.com, so say in the settings that it has scopes.",
    Kind.SCOPED: f"{_EXPIRED} lacks a scope that this needs, or is a token without scopes: those are taken only at the "
    "site's own address, so say in the settings that it is classic.",
    Kind.DATA_CENTER: "refused the token. It has expired or was revoked, or belongs to another server. Make a new "
    "personal access token and put it into the settings.",
}
