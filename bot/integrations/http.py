"""How every other system is called: limited in time and size, and repeated only if that cannot do a thing twice.

A `Caller` belongs to one system and one address, keeps its connections, and must be closed. Every failure is an
`IntegrationError`, which says what is known and what to do. A `Response` raises one instead of a KeyError.

The meaning of a status is after RFC 9110 and the vendors' pages on rate limits.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from bot import bounds
from bot.domain.text import shorten, to_one_line
from bot.errors import AfterwordError

if TYPE_CHECKING:
    from bot.integrations.caller import Caller

LONGEST_RETRY_AFTER = 86_400.0
"""In seconds. A header that asks for more is wrong, and must not put a job off for weeks."""
LONGEST_QUOTE = 300
"""Characters of a system's own words that an error repeats."""

_SLOW_DOWN = frozenset({420, 429})  # 420 is Statuspage's
_TRY_AGAIN = _SLOW_DOWN | {408, 425}
# These are answered instead of handling the request. Any other 5xx may come after the write took effect.
_SURELY_NOT_DONE = _SLOW_DOWN | {503}
_ANSWERED_BY_PROXY = frozenset({404})  # as a web page: a site that is asleep, or a proxy, answers so for every path
_TAG = re.compile(r"<[^<>]*>")

REMEDIES: Mapping[int, str] = {
    401: "refused the token, because it expired or was revoked. Make a new one and put it into Afterword's settings.",
    403: "doesn't let this account do that. Give it the permission, or choose another place.",
    404: "doesn't know that, or this account can't see it. Check whether it was deleted, moved or restricted.",
    409: "refused it, because it was changed at the same time.",
    413: "refused it, because it's too large. Make it shorter, or attach less.",
}
"""What a status means unless the system's client knows better. Each sentence begins with the system's name."""


class IntegrationError(AfterwordError):
    """A failed call to another system. `str(error)` is safe to show, and says what to do.

    `is_permanent`: the same call fails again until a person changes something. `may_have_happened`: a write was sent
    and its fate is unknown, so look it up before you send it again. `retry_after`: seconds to wait first, if the system
    or the case asks for it. `status` is the HTTP status, 0 without an answer. `fields` maps the fields that the system
    named to what it said about them. `lacks_scope`: the token is valid, but not for this call.
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
        """When to try again, if the system said so; None leaves that to the caller."""
        return None if self.retry_after is None else now + timedelta(seconds=self.retry_after)

    def reword(self, sentence: str) -> None:
        """Replace the sentence by one that knows more about the case."""
        self.args = (sentence,)
        self.sentence = sentence

    def forget(self, secret: str) -> None:
        """Remove a secret from everything that the error says."""
        self.reword(self.sentence.replace(secret, "…"))
        self.fields = {name: words.replace(secret, "…") for name, words in self.fields.items()}


def error_of_refusal(
    system: str, status: int, headers: Mapping[str, str], data: object, remedies: Mapping[int, str]
) -> IntegrationError:
    """The error for an answer of `status` 300 or above to a write; `data` is its JSON, or None if it had none.

    `headers` must find names in any case. `remedies` are the system's own, and go before `REMEDIES`.
    """
    fields = field_complaints(data)
    is_page = data is None and _is_page(headers)
    again = status in _TRY_AGAIN or status >= 500 or (is_page and status in _ANSWERED_BY_PROXY)
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
    """The error for a successful answer to a write that has a web page, or no JSON, in place of data."""
    return IntegrationError(system, _page_sentence(system), may_have_happened=True, status=status)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds of a Retry-After header. A date in it is compared with the answer's own clock, not with ours."""
    value = headers.get("retry-after", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        # RFC 9110 allows seconds or a date.
        seconds = _seconds_until(value, headers.get("date", ""))
    # float() reads "nan" and "inf", too.
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER) if math.isfinite(seconds) else None


def complaints(data: object) -> list[str]:
    """What a system says about a refused call, in any of the vendors' forms; each complaint is one line."""
    return [line for line in map(_complaint_line, _raw_complaints(data)) if line]


def field_complaints(data: object) -> dict[str, str]:
    """The fields that a system named in a refusal, with what it said about each."""
    errors = data.get("errors") if isinstance(data, dict) else None
    if not isinstance(errors, dict):
        return {}
    return {str(name): _complaint_line(words) for name, words in errors.items()}


def _sentence(system: str, status: int, headers: Mapping[str, str], data: object, remedies: Mapping[int, str]) -> str:
    if status in _SLOW_DOWN:
        return f"{system} asks Afterword to slow down. I'll try again later."
    if status >= 500 or status in _TRY_AGAIN:
        return f"{system} has a problem (status {status}). I'll try again later."
    if status < 400:
        place = re.sub(r"[?#].*", "", headers.get("location", "another address"))
        return f"{system} redirects to {_complaint_line(place)}. Put its real address into the settings."
    if remedy := remedies.get(status) or REMEDIES.get(status):
        sentences = [f"{system} {remedy}"]
    else:
        sentences = [f"{system} didn't accept it (status {status})."]
    if (status != 401 or _lacks_scope(status, data)) and (words := "; ".join(complaints(data))):
        sentences.append(f"It said: {shorten(words, LONGEST_QUOTE)}")
    return " ".join(sentences)


def _lacks_scope(status: int, data: object) -> bool:
    """Whether a token was refused for its scopes. Atlassian says "scope does not match", with status 401 or 403."""
    return status in (401, 403) and any("scope" in words.lower() for words in complaints(data))


def _page_sentence(system: str) -> str:
    return (
        f"{system} sent a web page instead of data. It may be down for maintenance, or a login page or proxy answers "
        "at its address. I'll try again later. If it keeps failing, check the address in the settings."
    )


def _is_page(headers: Mapping[str, str]) -> bool:
    return "html" in headers.get("content-type", "").lower()


def _seconds_until(until: str, sent: str) -> float:
    try:
        return (parsedate_to_datetime(until) - parsedate_to_datetime(sent)).total_seconds()
    except (TypeError, ValueError):
        return math.nan


def _raw_complaints(data: object) -> Iterator[Any]:
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


def _complaint_line(words: object) -> str:
    return to_one_line(_TAG.sub(" ", words)) if isinstance(words, str) else ""


@dataclass(frozen=True, slots=True)
class Response:
    """A successful answer of `system`. `data` is its JSON, None if it was empty. `wrote`: the call was a write."""

    system: str
    status: int
    data: Any
    wrote: bool = False

    def text(self, *path: str) -> str:
        """The text or number at a path of names, as text. Raises IntegrationError if there is none."""
        value = value_at(self.data, *path)
        if isinstance(value, str | int) and not isinstance(value, bool):
            return str(value)
        raise self._unlike(".".join(path))

    def number(self, *path: str) -> int:
        """The whole number at a path of names. Raises IntegrationError if there is none."""
        value = value_at(self.data, *path)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        raise self._unlike(".".join(path))

    def objects(self, *path: str) -> list[Mapping[str, Any]]:
        """The list of objects at a path of names. Raises IntegrationError if there is no list."""
        value = value_at(self.data, *path) if path else self.data
        if isinstance(value, list):
            return [each for each in value if isinstance(each, dict)]
        raise self._unlike(".".join(path) or "a list")

    def _unlike(self, what: str) -> IntegrationError:
        return IntegrationError(
            self.system,
            f"{self.system} sent an answer that I can't read (no {what}). Check its address in the settings.",
            may_have_happened=self.wrote,
            status=self.status,
        )


def value_at(data: object, *path: str) -> Any:
    """The value at a path of names in JSON; None if the path ends early."""
    for name in path:
        data = data.get(name) if isinstance(data, dict) else None
    return data


def text_at(data: object, *path: str) -> str:
    """The text at a path of names in JSON; empty if there is none."""
    value = value_at(data, *path)
    return value if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long to wait for another system, in seconds, and how often to try before the call fails."""

    connect: float = 5.0
    read: float = 15.0
    whole: float = 60.0
    """For a whole attempt: `read` alone would wait for ever for an answer that trickles."""
    attempts: int = 3
    first_wait: float = 0.5
    longest_wait: float = 20.0
    """If a system asks for a longer wait, the call fails with it as the error's `retry_after`."""
    most_bytes: int = bounds.ANSWER
    pace: float = 1.0
    """The factor of the gaps between calls and of the waits for confirmations: 1, and less in tests."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to send."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `writes`: it changes something there. `repeats`: doing it twice has the effect of doing it once.

    `path` begins with a slash and is quoted: make it with `path_of`. `body` is sent as JSON. With a `file`, a form with
    that file and the `form` values is sent instead.
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
    """What to call. `base_url` has no slash at its end. `secrets`, which the `headers` carry, appear in no error.

    `remedies` says by status what a person should do. `gap` is the least time between two calls, in seconds.
    """

    system: str
    base_url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    remedies: Mapping[int, str] = field(default_factory=dict)
    gap: float = 0.0


def path_of(*parts: str) -> str:
    """A path of parts. Each is quoted as a whole, slashes too, so that a key cannot lead to another path."""
    return "".join(f"/{quote(part, safe='')}" for part in parts)


def get(path: str, **query: str) -> Call:
    """A call that reads. An underscore in a query name is sent as a hyphen."""
    return Call("GET", path, {name.replace("_", "-"): value for name, value in query.items()})


def put(path: str, body: object) -> Call:
    """A write that may be repeated."""
    return Call("PUT", path, body=body, writes=True)


def post(path: str, body: object, **query: str) -> Call:
    """A write that must not be done twice: it is repeated only if it was surely not done."""
    return Call("POST", path, query, body, writes=True, repeats=False)


class SystemClient(Protocol):
    """What the client of every system has. Its methods raise IntegrationError."""

    @property
    def name(self) -> str: ...

    async def check(self) -> str:
        """Which account or place we reach, by harmless calls that change nothing."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


def make_caller(line: Endpoint, patience: RetryPolicy) -> "Caller":
    """What makes the calls to one system. Raises Misconfigured if its address is not one."""
    from bot.integrations.caller import Caller  # noqa: PLC0415 (httpx takes 60 ms to load; most bots call no system)

    return Caller(line, patience)


def under(call: Call, prefix: str) -> Call:
    """The call with a prefix before its path."""
    return replace(call, path=prefix + call.path)


def read_moment(text: str) -> datetime | None:
    """`2026-11-23T14:05:00.000+0100` as an aware time, or None."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
