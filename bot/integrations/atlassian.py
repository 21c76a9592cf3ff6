"""What Jira and Confluence on Atlassian's cloud share: signing in, what to do if that is refused, and their text form.

A token does not show its kind. A classic one is accepted at the site's own address; one with scopes only at
Atlassian's gateway.

`CONFLUENCE` and `JIRA` list the scopes that each call needs, after Atlassian's REST reference. A classic token needs
none. Data Center is not supported: docs/decisions/0035-data-center-is-not-supported.md.

The text form is Atlassian Document Format (ADF), the only one in which Jira takes a description. The converter of
Markdown (marklas) drops raw HTML, and headings inside lists. `to_adf` notices lost words and sends plain paragraphs
instead.

Lengths are counted as Atlassian counts them: in UTF-16 units, as Java does. An emoji counts twice.
"""

import asyncio
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import count
from typing import TYPE_CHECKING, Any

from bot.domain.text import clean
from bot.errors import Misconfigured
from bot.integrations.http import Call, Endpoint, IntegrationError, Response, RetryPolicy, get, make_caller, under

if TYPE_CHECKING:
    from bot.integrations.caller import Caller


@dataclass(frozen=True, slots=True)
class ScopeNeed:
    """The scopes that a kind of call needs. `does` follows a "to"; `calls` is a pattern of its `METHOD /path`.

    `instead` are older scopes that do as well.
    """

    does: str
    calls: str
    scopes: tuple[str, ...]
    instead: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """``to label pages, it needs `read:label:confluence` and `write:label:confluence` ``, as Slack reads it.

        Outside backticks `:label:` would show as an emoji.
        """
        scopes, others = (" and ".join(f"`{scope}`" for scope in some) for some in (self.scopes, self.instead))
        return f"to {self.does}, it needs {scopes}{f' (or {others})' if others else ''}"


_PAGES, _CONTENT, _JIRA = "/wiki/api/v2/pages", "/wiki/rest/api/content/[^/]+", "/rest/api/3"

CONFLUENCE = (
    ScopeNeed("look for the space", "GET /wiki/api/v2/spaces.*", ("read:space:confluence",)),
    ScopeNeed(
        "save its notes with a page",
        f"(POST|PUT) {_PAGES}/[^/]+/properties.*",
        ("read:page:confluence", "write:page:confluence"),
    ),
    ScopeNeed("read pages", f"GET {_PAGES}.*", ("read:page:confluence",)),
    ScopeNeed("write pages", f"(POST|PUT) {_PAGES}.*", ("write:page:confluence",)),
    ScopeNeed(
        "label pages",
        f"POST {_CONTENT}/label",
        ("read:label:confluence", "write:label:confluence"),
        ("write:confluence-content",),
    ),
    ScopeNeed(
        "attach pictures",
        f"(PUT|POST) {_CONTENT}/child/attachment.*",
        ("read:attachment:confluence", "write:attachment:confluence"),
        ("write:confluence-file",),
    ),
    ScopeNeed(
        "name the people who edited a page or are mentioned on it",
        "POST /wiki/api/v2/users-bulk",
        ("read:user:confluence",),
    ),
)
JIRA = (
    ScopeNeed("read its own account", f"GET {_JIRA}/myself", ("read:jira-user",)),
    ScopeNeed("find people to assign", f"GET {_JIRA}/user/assignable/search", ("read:jira-user",)),
    ScopeNeed("search issues", f"POST {_JIRA}/search/jql", ("read:jira-work",)),
    ScopeNeed("read issues and forms", f"GET {_JIRA}/issue.*", ("read:jira-work",)),
    ScopeNeed("link issues with each other", f"POST {_JIRA}/issueLink", ("write:jira-work",)),
    ScopeNeed("create, change and link issues", f"(POST|PUT) {_JIRA}/issue.*", ("write:jira-work",)),
)
_PRODUCTS = {"jira": JIRA, "confluence": CONFLUENCE}


def need_of(product: str, method: str, path: str) -> ScopeNeed | None:
    """What a call of a product (`jira` or `confluence`) needs, by its path at the site; None if it is not listed."""
    return next((need for need in _PRODUCTS[product] if re.fullmatch(need.calls, f"{method} {path}")), None)


def scopes_of(needs: Iterable[ScopeNeed]) -> tuple[str, ...]:
    """All scopes that a token needs, each once."""
    return tuple(dict.fromkeys(scope for need in needs for scope in need.scopes))


GATEWAY = "https://api.atlassian.com"
_TENANT = "/_edge/tenant_info"


class TokenKind(StrEnum):
    """A classic API token, or one with scopes."""

    CLASSIC = "classic"
    SCOPED = "scoped"


@dataclass(frozen=True, slots=True)
class AtlassianAccess:
    """How to reach a product of Atlassian's.

    `site_url` is where people open it (`https://example.atlassian.net`). `email` is the token owner's.
    """

    site_url: str
    token: str = field(repr=False)
    email: str = ""
    kind: TokenKind = TokenKind.CLASSIC
    gateway_url: str = GATEWAY


class AtlassianCaller:
    """Makes calls to one product for one account. Raises Misconfigured if the e-mail address is missing."""

    def __init__(self, system: str, product: str, access: AtlassianAccess, patience: RetryPolicy) -> None:
        """`product` is its name at the gateway: `jira` or `confluence`."""
        if not access.email:
            raise Misconfigured(f"{system} on Atlassian's cloud needs the email address of the token's owner.")
        self.access = replace(access, site_url=access.site_url.rstrip("/"), gateway_url=access.gateway_url.rstrip("/"))
        self.system = system
        self._product = product
        self._cloud_id = ""
        self._asking = asyncio.Lock()  # the first calls may run at once, and one of them is enough to learn the id
        through_gateway = access.kind is TokenKind.SCOPED
        secret, headers = _sign_in(self.access)
        base_url = self.access.gateway_url if through_gateway else self.access.site_url
        remedies = {401: _REFUSED[access.kind]}
        self._caller = make_caller(Endpoint(system, base_url, headers, (secret, access.token), remedies), patience)
        self._site = make_caller(Endpoint(system, self.access.site_url), patience) if through_gateway else None

    async def aclose(self) -> None:
        """Close the connections."""
        await self._caller.aclose()
        if self._site:
            await self._site.aclose()

    async def ask(self, call: Call) -> Response:
        """The answer to a call, whose path is the one at the site. Raises IntegrationError."""
        try:
            if self._site is None:
                return await self._caller.ask(call)
            cloud_id = await self._own_cloud_id(self._site)
            return await self._caller.ask(under(call, f"/ex/{self._product}/{cloud_id}"))
        except IntegrationError as error:
            if error.lacks_scope and (need := need_of(self._product, call.method, call.path)):
                error.reword(
                    f"{self.system} refused this call because the token lacks a scope: {need.sentence}. {_REMAKE}"
                )
            raise

    async def _own_cloud_id(self, site: "Caller") -> str:
        """The site's id, read once, and without the token: a token with scopes is sent to the gateway alone."""
        async with self._asking:
            if not self._cloud_id:
                self._cloud_id = (await site.ask(get(_TENANT))).text("cloudId")
            return self._cloud_id


def _sign_in(access: AtlassianAccess) -> tuple[str, Mapping[str, str]]:
    """The secret as it is sent, and the header that carries it."""
    secret = b64encode(f"{access.email}:{access.token}".encode()).decode("ascii")
    return secret, {"Authorization": f"Basic {secret}"}


_REMAKE = (
    "A token's scopes can't be changed: make a new one with all the scopes in docs/connections.md, and put it into the "
    "settings."
)
_EXPIRED = "refused the token. Either it expired (after a year at most) or was revoked,"
_REFUSED = {
    TokenKind.CLASSIC: f"{_EXPIRED} the email address isn't its owner's, or it's a token with scopes. For a token with "
    "scopes, set AFTERWORD_JIRA_KIND=scoped.",
    TokenKind.SCOPED: f"{_EXPIRED} it lacks a scope that this needs, or it's a token without scopes. For a token "
    "without scopes, set AFTERWORD_JIRA_KIND=classic.",
}


_LIST_MARK = re.compile(r"^[\s>]*(?:[-+*]|[0-9]{1,9}[.)])?\s*(?:\[[ xX]\])?", re.MULTILINE)
_WORD = re.compile(r"[^\W_]+")


def keeps_every_word(markdown: str, shown: str) -> bool:
    """Whether every word of a Markdown text is in the result; numbers and boxes of lists do not count as words."""
    return all(word in shown for word in _WORD.findall(_LIST_MARK.sub("", markdown)))


def utf16_length(text: str) -> int:
    """The length of a text in UTF-16 units."""
    return len(text.encode("utf-16-le")) // 2


def fit(text: str, most: int) -> str:
    """The text, cut to `most` units if it is longer; then it ends in an ellipsis."""
    if utf16_length(text) <= most:
        return text
    return text.encode("utf-16-le")[: 2 * (most - 1)].decode("utf-16-le", "ignore").rstrip() + "…"


LONGEST_ADF = 30_000
"""Jira refuses a text field of more than 32,767 characters."""

_GUARD = "\ufdd0"  # a noncharacter: no text of ours may hold it, so that taking it out again is safe
_SAFE_LINK = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)
_OPENS_HTML = re.compile(r"<(?!(?:https?://|mailto:)[^\s<>]*>)")

_NEVER_EMPTY = frozenset({"listItem", "blockquote", "tableCell", "tableHeader", "blockTaskItem"})


def to_adf(markdown: str) -> dict[str, Any]:
    """The ADF document of a Markdown text, the same for the same text. What is beyond `LONGEST_ADF` is cut."""
    import marklas  # noqa: PLC0415 (it takes 30 ms to load; most bots write to no Atlassian site)

    text = fit(clean(markdown).replace(_GUARD, ""), LONGEST_ADF)
    body = _tidy(marklas.to_adf(_OPENS_HTML.sub("<" + _GUARD, text)), count(1))
    return body if keeps_every_word(text, "".join(_strings(body))) else _literal(text)


def _tidy(node: dict[str, Any], numbers: Iterator[int]) -> dict[str, Any]:
    """The node as the schema demands it: no empty texts or list items, and no unsafe addresses."""
    if node["type"] == "mediaSingle":  # a picture elsewhere, which Jira will not load
        return _picture(node)
    tidy = {name: value for name, value in node.items() if name not in ("content", "marks", "attrs")}
    if "text" in tidy:
        tidy["text"] = _clean(tidy["text"]) + "".join(map(_plain_address, node.get("marks", ())))
    if attributes := node.get("attrs"):
        tidy["attrs"] = {name: _clean(value) for name, value in attributes.items()}
        if "localId" in attributes:  # random otherwise, and a text would differ from itself
            tidy["attrs"]["localId"] = str(next(numbers))
    if marks := [mark for mark in map(_mark, node.get("marks", ())) if mark]:
        tidy["marks"] = marks
    if "content" in node:
        tidy["content"] = [_tidy(child, numbers) for child in node["content"] if child.get("text", "-") != ""]
    if node["type"] in _NEVER_EMPTY and not tidy.get("content"):
        tidy["content"] = [{"type": "paragraph", "content": []}]
    return tidy


def _mark(mark: dict[str, Any]) -> dict[str, Any] | None:
    if mark["type"] != "link":
        return mark
    address = _clean(mark["attrs"]["href"])
    return {"type": "link", "attrs": {"href": address}} if _SAFE_LINK.match(address) else None


def _plain_address(mark: dict[str, Any]) -> str:
    """The address of an unsafe link, to be written behind its words."""
    return "" if _mark(mark) else f" ({_clean(mark['attrs']['href'])})"


def _picture(node: dict[str, Any]) -> dict[str, Any]:
    about = node["content"][0]["attrs"]
    address = _clean(about.get("url", ""))
    text: dict[str, Any] = {"type": "text", "text": _clean(about.get("alt", "")) or address}
    if _SAFE_LINK.match(address):
        text["marks"] = [{"type": "link", "attrs": {"href": address}}]
    return {"type": "paragraph", "content": [text] if text["text"] else []}


def _clean(value: Any) -> Any:
    return value.replace(_GUARD, "") if isinstance(value, str) else value


def _strings(node: object) -> Iterator[str]:
    """Every string of a document: what is shown, and where its links lead."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for value in node.values():
            yield from _strings(value)
    elif isinstance(node, list):
        for value in node:
            yield from _strings(value)


def _literal(text: str) -> dict[str, Any]:
    """The text as it was written, paragraph by paragraph."""
    paragraphs = []
    for block in re.split(r"\n\s*\n", text):
        lines: list[dict[str, Any]] = []
        for line in filter(str.strip, block.split("\n")):
            lines += [{"type": "hardBreak"}] if lines else []
            lines.append({"type": "text", "text": line})
        paragraphs.append({"type": "paragraph", "content": lines})
    return {"type": "doc", "version": 1, "content": paragraphs}
