"""How every other system is called: bounded in time and size, repeated only where that cannot do a thing twice.

A `Caller` belongs to one system and one address, keeps its connections, and must be closed.
"""

import asyncio
import ipaddress
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import quote

import httpx
import stamina

from bot.errors import Misconfigured
from bot.publish.answers import Answer
from bot.publish.failures import PublishError, no_data, refusal

log = logging.getLogger(__name__)

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_IMPOSSIBLE = (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL)
_BROKEN = (httpx.RequestError, TimeoutError, OSError)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for another system, in seconds, and how often to try before the caller is told."""

    connect: float = 5.0
    read: float = 15.0
    whole: float = 60.0
    """For one attempt in all, so that an answer that trickles ends too."""
    attempts: int = 3
    first_wait: float = 0.5
    longest_wait: float = 20.0
    """A longer wait that a system asks for is handed back as the error's `retry_after`."""
    most_bytes: int = 12_000_000
    pace: float = 1.0
    """How much is kept of the gap that a system asks for between two calls, and of the waits for what it does later."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to send."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `writes`: it changes something there; `repeats`: doing it twice is as good as once.

    `path` begins with a slash and is already quoted: make it with `path_of`. `body` goes as JSON. With a `file` it is
    a form with that file and the `form` values.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    writes: bool = False
    repeats: bool = True
    file: Upload | None = None
    form: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Line:
    """Whom to call: `base_url` has no slash at its end; `secrets` are kept out of every error; `headers` carry them.

    `remedies` says by status what a person should do; `gap` is the least time between two calls in seconds.
    """

    system: str
    base_url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    remedies: Mapping[int, str] = field(default_factory=dict)
    gap: float = 0.0


def path_of(*parts: str) -> str:
    """A path of parts, each quoted as a whole, so that a key can never lead elsewhere."""
    return "".join(f"/{quote(part, safe='')}" for part in parts)


def get(path: str, **query: str) -> Call:
    """A call that reads; query names take `_` for `-`."""
    return Call("GET", path, {name.replace("_", "-"): value for name, value in query.items()})


def put(path: str, body: object) -> Call:
    """A write that is as good done twice."""
    return Call("PUT", path, body=body, writes=True)


def post(path: str, body: object, **query: str) -> Call:
    """A write that must not be done twice; it is repeated only where it was surely not done."""
    return Call("POST", path, query, body, writes=True, repeats=False)


class Caller:
    """Makes calls to one system. Raises Misconfigured where its address is none."""

    def __init__(self, line: Line, patience: Patience) -> None:
        self.line = line
        self._patience = patience
        host = _host(line)
        self._client = httpx.AsyncClient(
            headers={"Accept": "application/json", "User-Agent": "afterword", **line.headers},
            timeout=httpx.Timeout(patience.read, connect=patience.connect),
            follow_redirects=False,  # a redirect could carry the token to another host
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),  # a session would outlive a changed token
            trust_env=not _is_this_machine(host),  # proxies, and the certificates that SSL_CERT_FILE names
        )
        self._pace = asyncio.Lock()
        self._free_at = 0.0

    async def aclose(self) -> None:
        """Let the connections go."""
        await self._client.aclose()

    async def ask(self, call: Call) -> Answer:
        """The answer to a call, after as many attempts as may safely be made. Raises PublishError."""
        unsure = False
        try:
            async for attempt in stamina.retry_context(
                on=lambda error: self._wait_before_another(call, error),
                attempts=self._patience.attempts,
                timeout=None,
                wait_initial=self._patience.first_wait,
                wait_max=self._patience.longest_wait,
                wait_jitter=self._patience.first_wait,
            ):
                with attempt:
                    try:
                        return await self._once(call)
                    except PublishError as error:
                        log.info("%s: %s failed with status %d", error.system, call.method, error.status)
                        unsure = unsure or error.may_have_happened
                        raise
        except PublishError as error:
            error.may_have_happened = unsure  # a later refusal does not tell what became of an earlier attempt
            raise
        raise AssertionError("every attempt returns or raises")

    def _wait_before_another(self, call: Call, error: Exception) -> bool | float:
        if not isinstance(error, PublishError) or error.is_permanent:
            return False
        if error.may_have_happened and not call.repeats:
            return False
        if error.retry_after is None:
            return True
        return error.retry_after if error.retry_after <= self._patience.longest_wait else False

    async def _once(self, call: Call) -> Answer:
        await self._in_turn()
        try:
            async with asyncio.timeout(self._patience.whole), self._client.stream(**self._request(call)) as response:
                body = await self._bounded(call, response)
        except _NOT_SENT as error:
            raise self._not_reached(error) from None
        except _IMPOSSIBLE:
            raise self._told(replace(call, writes=False), "cannot be called at the address in the settings.") from None
        except _BROKEN as error:
            raise self._broken_off(call, error) from None
        return self._read(call, response, body)

    def _request(self, call: Call) -> dict[str, Any]:
        asked: dict[str, Any] = {
            "method": call.method,
            "url": self.line.base_url + call.path,
            "params": dict(call.query) or None,
            "headers": dict(call.headers),
        }
        if call.file:
            asked["files"] = {"file": (call.file.name, call.file.content, call.file.media_type)}
            asked["data"] = dict(call.form)
        elif call.body is not None:
            asked["json"] = call.body
        return asked

    async def _in_turn(self) -> None:
        """Keep the gap that the system asks for between two calls."""
        gap = self.line.gap * self._patience.pace
        if not gap:
            return
        async with self._pace:
            now = asyncio.get_running_loop().time()
            if self._free_at > now:
                await asyncio.sleep(self._free_at - now)
            self._free_at = max(now, self._free_at) + gap

    async def _bounded(self, call: Call, response: httpx.Response) -> bytes:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > self._patience.most_bytes:
                raise self._told(call, "answered with more than Afterword can take.")
        return bytes(body)

    def _read(self, call: Call, response: httpx.Response, body: bytes) -> Answer:
        system, status = self.line.system, response.status_code
        data, is_data = _parsed(body)
        if response.is_success:
            if body.strip() and not is_data:
                raise self._judged(call, no_data(system, status))
            return Answer(system, status, data, call.writes)
        raise self._judged(call, refusal(system, status, response.headers, data, self.line.remedies))

    def _judged(self, call: Call, error: PublishError) -> PublishError:
        """The error without our secrets, which a system may have quoted, and with nothing done by a mere reading."""
        for secret in filter(None, self.line.secrets):
            error.forget(secret)
        error.may_have_happened = error.may_have_happened and call.writes
        return error

    def _not_reached(self, error: Exception) -> PublishError:
        if "CERTIFICATE" in str(error).upper():
            words = "shows a certificate that this machine does not trust. Name your authority's file in SSL_CERT_FILE."
        else:
            words = f"cannot be reached at {_host(self.line)}. Look at the address, and at the way out of this network."
        return PublishError(self.line.system, f"{self.line.system} {words} It is tried again later.")

    def _broken_off(self, call: Call, error: Exception) -> PublishError:
        if isinstance(error, TimeoutError | httpx.TimeoutException):
            words = "did not answer in time"
        else:
            words = "broke the connection off"
        sentence = f"{self.line.system} {words}; it is tried again later."
        return PublishError(self.line.system, sentence, may_have_happened=call.writes)

    def _told(self, call: Call, words: str) -> PublishError:
        sentence = f"{self.line.system} {words}"
        return PublishError(self.line.system, sentence, is_permanent=True, may_have_happened=call.writes)


def under(call: Call, prefix: str) -> Call:
    """The call at an address that has a prefix before every path."""
    return replace(call, path=prefix + call.path)


def _parsed(body: bytes) -> tuple[Any, bool]:
    try:
        return json.loads(body), True
    except (ValueError, RecursionError):
        return None, False


def _host(line: Line) -> str:
    try:
        url = httpx.URL(line.base_url)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in ("http", "https") or not url.host or url.userinfo:
        raise Misconfigured(f"The address of {line.system} must look like https://name.example, with no sign-in in it.")
    return url.host


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
