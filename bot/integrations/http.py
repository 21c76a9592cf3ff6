"""How every other system is called: bounded in time and size, repeated only where that cannot do a thing twice.

A `Caller` belongs to one system and one address, keeps its connections, and must be closed.

What can go wrong at another system's, as one kind of error that says what is known and what to do.

Which status means what is read from RFC 9110 and from the vendors' pages on rate limits.

What another system answered, read with care: what is not there is an error that says so, never a KeyError.
"""

import asyncio
import ipaddress
import json
import logging
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Protocol
from urllib.parse import quote

import httpx
import stamina

from bot.domain.text import shorten, to_one_line
from bot.errors import AfterwordError, Misconfigured

LONGEST_RETRY_AFTER = 86_400.0
LONGEST_QUOTE = 300
"""How much of another system's own words an error repeats."""

_SLOW_DOWN = frozenset({420, 429})  # 420 is Statuspage's
_TRY_AGAIN = _SLOW_DOWN | {408, 425}
_SURELY_NOT_DONE = _SLOW_DOWN | {503}
_A_PAGE_IN_BETWEEN = frozenset({404})  # what a site that is asleep, and a proxy, answer for everything
_TAG = re.compile(r"<[^<>]*>")

REMEDIES: Mapping[int, str] = {
    401: "refused the token: it has expired or was revoked. Make a new one and put it into Afterword's settings.",
    403: "knows the account but does not let it do that. Give it the permission, or choose another place.",
    404: "does not know that, or the account may not see it. Look whether it was deleted, moved or restricted.",
    409: "refused because somebody else changed it at the same time.",
    413: "refused because it is too large. Make it shorter, or attach less.",
}
"""What an answer means where the system's own file says nothing better; each goes on from the system's name."""


class IntegrationError(AfterwordError):
    """A call to another system that did not come to a good end; `str(error)` is safe to show, and says what to do.

    `is_permanent`: the same call will fail again until a person has changed something. `may_have_happened`: a write was
    sent and its fate is unknown, so look it up before it is sent again. `retry_after`: seconds to wait first, where
    the system or the case asks for it. `status` is the HTTP status, 0 where there was no answer. `fields` maps the
    fields that the system named to what it said about them. `lacks_scope`: the token is good, but not for this call.
    """

    def __init__(  # noqa: PLR0913 - it is the record of everything known about a failure
        self,
        system: str,
        sentence: str,
        *,
        is_permanent: bool = False,
        may_have_happened: bool = False,
        retry_after: float | None = None,
        status: int = 0,
        fields: Mapping[str, str] | None = None,
        lacks_scope: bool = False,
    ) -> None:
        super().__init__(sentence)
        self.system = system
        self.sentence = sentence
        self.is_permanent = is_permanent
        self.may_have_happened = may_have_happened
        self.retry_after = retry_after
        self.status = status
        self.fields = dict(fields or {})
        self.lacks_scope = lacks_scope

    def retry_at(self, now: datetime) -> datetime | None:
        """When to try again, where the system said it; None leaves that to the caller."""
        return None if self.retry_after is None else now + timedelta(seconds=self.retry_after)

    def reword(self, sentence: str) -> None:
        """Say it in a sentence that knows more of the case."""
        self.args = (sentence,)
        self.sentence = sentence

    def forget(self, secret: str) -> None:
        """Leave a secret out of everything that the error says."""
        self.reword(self.sentence.replace(secret, "…"))
        self.fields = {name: words.replace(secret, "…") for name, words in self.fields.items()}


def error_of_refusal(
    system: str, status: int, headers: Mapping[str, str], data: object, remedies: Mapping[int, str]
) -> IntegrationError:
    """The error for an answer of `status` 300 or above to a write; `data` is its JSON, or None where it had none.

    `headers` must find names in any case. `remedies` are the system's own in the place of `REMEDIES`.
    """
    fields = field_complaints(data)
    is_page = data is None and _is_page(headers)
    again = status in _TRY_AGAIN or status >= 500 or (is_page and status in _A_PAGE_IN_BETWEEN)
    return IntegrationError(
        system,
        _page_sentence(system) if is_page and again else _sentence(system, status, headers, data, remedies),
        is_permanent=not again,
        may_have_happened=status >= 500 and status not in _SURELY_NOT_DONE,
        retry_after=retry_after(headers) if again else None,
        status=status,
        fields=fields,
        lacks_scope=_lacks_scope(status, data),
    )


def error_of_missing_data(system: str, status: int) -> IntegrationError:
    """The error for a good answer to a write that is a web page, or nothing, where data was due."""
    return IntegrationError(system, _page_sentence(system), may_have_happened=True, status=status)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds of a Retry-After header, which may also be a date; that is read against the answer's own clock."""
    told = headers.get("retry-after", "").strip()
    try:
        seconds = float(told)
    except ValueError:
        seconds = _seconds_until(told, headers.get("date", ""))
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER) if math.isfinite(seconds) else None


def complaints(data: object) -> list[str]:
    """What a system says about a refused call, in the forms that the vendors use, each as one line."""
    return [line for line in map(_line, _words(data)) if line]


def field_complaints(data: object) -> dict[str, str]:
    """The fields that a system named in a refusal, with what it said of each."""
    errors = data.get("errors") if isinstance(data, dict) else None
    if not isinstance(errors, dict):
        return {}
    return {str(name): _line(words) for name, words in errors.items()}


def _sentence(system: str, status: int, headers: Mapping[str, str], data: object, remedies: Mapping[int, str]) -> str:
    if status in _SLOW_DOWN:
        return f"{system} asks Afterword to slow down; it is tried again later."
    if status >= 500 or status in _TRY_AGAIN:
        return f"{system} has trouble of its own (status {status}); it is tried again later."
    if status < 400:
        place = re.sub(r"[?#].*", "", headers.get("location", "another address"))
        return f"{system} points to {_line(place)} instead of answering. Put its real address into the settings."
    if remedy := remedies.get(status) or REMEDIES.get(status):
        said = [f"{system} {remedy}"]
    else:
        said = [f"{system} did not accept it (status {status})."]
    if (status != 401 or _lacks_scope(status, data)) and (words := "; ".join(complaints(data))):
        said.append(f"It said: {shorten(words, LONGEST_QUOTE)}")
    return " ".join(said)


def _lacks_scope(status: int, data: object) -> bool:
    """Whether a refusal is for the scopes of a token: "scope does not match", says Atlassian."""
    return status in (401, 403) and any("scope" in words.lower() for words in complaints(data))


def _page_sentence(system: str) -> str:
    return (
        f"{system} sent a web page where data was due: it is down for maintenance, or a login page or proxy answers "
        "at its address. It is tried again later; if that goes on, look at the address in the settings."
    )


def _is_page(headers: Mapping[str, str]) -> bool:
    return "html" in headers.get("content-type", "").lower()


def _seconds_until(told: str, sent: str) -> float:
    try:
        return (parsedate_to_datetime(told) - parsedate_to_datetime(sent)).total_seconds()
    except (TypeError, ValueError):
        return math.nan


def _words(data: object) -> Iterator[Any]:
    """Jira: errorMessages and errors; Confluence: errors[].title/detail or message; others: error, message, errors."""
    if not isinstance(data, dict):
        return
    for name in ("errorMessages", "message", "error"):
        value = data.get(name)
        yield from value if isinstance(value, list) else [value]
    errors = data.get("errors")
    if isinstance(errors, dict):
        yield from (f"{name}: {words}" for name, words in errors.items())
    elif isinstance(errors, list):
        for error in errors:
            yield error.get("title") if isinstance(error, dict) else error
            yield error.get("detail") if isinstance(error, dict) else None


def _line(words: object) -> str:
    return to_one_line(_TAG.sub(" ", words)) if isinstance(words, str) else ""


@dataclass(frozen=True, slots=True)
class Response:
    """A good answer of `system`. `data` is its JSON, None where it was empty; `wrote` that the call was a write."""

    system: str
    status: int
    data: Any
    wrote: bool = False

    def text(self, *path: str) -> str:
        """What stands at a path of names, as text; raises IntegrationError where nothing does."""
        value = value_at(self.data, *path)
        if isinstance(value, str | int) and not isinstance(value, bool):
            return str(value)
        raise self._unlike(".".join(path))

    def number(self, *path: str) -> int:
        """The whole number at a path; raises IntegrationError where there is none."""
        value = value_at(self.data, *path)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        raise self._unlike(".".join(path))

    def objects(self, *path: str) -> list[Mapping[str, Any]]:
        """The list of objects at a path; raises IntegrationError where there is no list."""
        value = value_at(self.data, *path) if path else self.data
        if isinstance(value, list):
            return [each for each in value if isinstance(each, dict)]
        raise self._unlike(".".join(path) or "a list")

    def _unlike(self, what: str) -> IntegrationError:
        return IntegrationError(
            self.system,
            f"{self.system} answered in a form that Afterword does not know (no {what}). "
            "Look whether its address in the settings is right.",
            may_have_happened=self.wrote,
            status=self.status,
        )


def value_at(data: object, *path: str) -> Any:
    """What stands at a path of names in JSON; None where the path breaks off."""
    for name in path:
        data = data.get(name) if isinstance(data, dict) else None
    return data


def text_at(data: object, *path: str) -> str:
    """The text at a path of names in JSON; empty where there is none."""
    value = value_at(data, *path)
    return value if isinstance(value, str) else ""


log = logging.getLogger(__name__)

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_IMPOSSIBLE = (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL)
_BROKEN = (httpx.RequestError, TimeoutError, OSError)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
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
class Endpoint:
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


@dataclass(frozen=True, slots=True)
class ClientStatus:
    """What a system says of our access: `system` is its name, `about` which account or which place we reach."""

    system: str
    about: str


class SystemClient(Protocol):
    """What the client of every system has. Its methods raise IntegrationError."""

    @property
    def name(self) -> str: ...

    async def check(self) -> ClientStatus:
        """One harmless call: as whom we are signed in, and where."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


class Caller:
    """Makes calls to one system. Raises Misconfigured where its address is none."""

    def __init__(self, line: Endpoint, patience: RetryPolicy) -> None:
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

    async def ask(self, call: Call) -> Response:
        """The answer to a call, after as many attempts as may safely be made. Raises IntegrationError."""
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
                    except IntegrationError as error:
                        log.info("%s: %s failed with status %d", error.system, call.method, error.status)
                        unsure = unsure or error.may_have_happened
                        raise
        except IntegrationError as error:
            error.may_have_happened = unsure  # a later refusal does not tell what became of an earlier attempt
            raise
        raise AssertionError("every attempt returns or raises")

    def _wait_before_another(self, call: Call, error: Exception) -> bool | float:
        if not isinstance(error, IntegrationError) or error.is_permanent:
            return False
        if error.may_have_happened and not call.repeats:
            return False
        if error.retry_after is None:
            return True
        return error.retry_after if error.retry_after <= self._patience.longest_wait else False

    async def _once(self, call: Call) -> Response:
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

    def _read(self, call: Call, response: httpx.Response, body: bytes) -> Response:
        system, status = self.line.system, response.status_code
        data, is_data = _parsed(body)
        if response.is_success:
            if body.strip() and not is_data:
                raise self._judged(call, error_of_missing_data(system, status))
            return Response(system, status, data, call.writes)
        raise self._judged(call, error_of_refusal(system, status, response.headers, data, self.line.remedies))

    def _judged(self, call: Call, error: IntegrationError) -> IntegrationError:
        """The error without our secrets, which a system may have quoted, and with nothing done by a mere reading."""
        for secret in filter(None, self.line.secrets):
            error.forget(secret)
        error.may_have_happened = error.may_have_happened and call.writes
        return error

    def _not_reached(self, error: Exception) -> IntegrationError:
        if "CERTIFICATE" in str(error).upper():
            words = "shows a certificate that this machine does not trust. Name your authority's file in SSL_CERT_FILE."
        else:
            words = f"cannot be reached at {_host(self.line)}. Look at the address, and at the way out of this network."
        return IntegrationError(self.line.system, f"{self.line.system} {words} It is tried again later.")

    def _broken_off(self, call: Call, error: Exception) -> IntegrationError:
        if isinstance(error, TimeoutError | httpx.TimeoutException):
            words = "did not answer in time"
        else:
            words = "broke the connection off"
        sentence = f"{self.line.system} {words}; it is tried again later."
        return IntegrationError(self.line.system, sentence, may_have_happened=call.writes)

    def _told(self, call: Call, words: str) -> IntegrationError:
        sentence = f"{self.line.system} {words}"
        return IntegrationError(self.line.system, sentence, is_permanent=True, may_have_happened=call.writes)


def under(call: Call, prefix: str) -> Call:
    """The call at an address that has a prefix before every path."""
    return replace(call, path=prefix + call.path)


def _parsed(body: bytes) -> tuple[Any, bool]:
    try:
        return json.loads(body), True
    except (ValueError, RecursionError):
        return None, False


def _host(line: Endpoint) -> str:
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


def read_moment(text: str) -> datetime | None:
    """`2026-11-23T14:05:00.000+0100` as an aware time, or None."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
