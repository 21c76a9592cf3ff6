"""What can go wrong at another system's, as one kind of error that says what is known and what to do.

Which status means what is read from RFC 9110 and from the vendors' pages on rate limits.
"""

import math
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from bot.errors import AfterwordError
from bot.incident.plain import one_line
from bot.incident.text import shortened

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


class PublishError(AfterwordError):
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


def refusal(
    system: str, status: int, headers: Mapping[str, str], data: object, remedies: Mapping[int, str]
) -> PublishError:
    """The error for an answer of `status` 300 or above to a write; `data` is its JSON, or None where it had none.

    `headers` must find names in any case. `remedies` are the system's own in the place of `REMEDIES`.
    """
    fields = field_complaints(data)
    is_page = data is None and _is_page(headers)
    again = status in _TRY_AGAIN or status >= 500 or (is_page and status in _A_PAGE_IN_BETWEEN)
    return PublishError(
        system,
        _page_sentence(system) if is_page and again else _sentence(system, status, headers, data, remedies),
        is_permanent=not again,
        may_have_happened=status >= 500 and status not in _SURELY_NOT_DONE,
        retry_after=retry_after(headers) if again else None,
        status=status,
        fields=fields,
        lacks_scope=_lacks_scope(status, data),
    )


def no_data(system: str, status: int) -> PublishError:
    """The error for a good answer to a write that is a web page, or nothing, where data was due."""
    return PublishError(system, _page_sentence(system), may_have_happened=True, status=status)


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
        said.append(f"It said: {shortened(words, LONGEST_QUOTE)}")
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
    return one_line(_TAG.sub(" ", words)) if isinstance(words, str) else ""
