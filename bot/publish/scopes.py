"""The scopes that a token needs at Atlassian, call by call: after the pages of its REST interfaces.

A token without scopes needs none of them, and Data Center knows none.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Need:
    """What a kind of call needs: `does` goes on from "to", `calls` finds its `METHOD /path`.

    `scopes` are what to choose, `instead` what does as well.
    """

    does: str
    calls: str
    scopes: tuple[str, ...]
    instead: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """`to label pages it needs read:label:confluence and write:label:confluence`."""
        others = f" (or {' and '.join(self.instead)})" if self.instead else ""
        return f"to {self.does} it needs {' and '.join(self.scopes)}{others}"


_PAGES, _CONTENT, _JIRA = "/wiki/api/v2/pages", "/wiki/rest/api/content/[^/]+", "/rest/api/3"

CONFLUENCE = (
    Need("look for the space", "GET /wiki/api/v2/spaces.*", ("read:space:confluence",)),
    Need(
        "keep what it knows at a page",
        f"(POST|PUT) {_PAGES}/[^/]+/properties.*",
        ("read:page:confluence", "write:page:confluence"),
    ),
    Need("read pages", f"GET {_PAGES}.*", ("read:page:confluence",)),
    Need("write pages", f"(POST|PUT) {_PAGES}.*", ("write:page:confluence",)),
    Need(
        "label pages",
        f"POST {_CONTENT}/label",
        ("read:label:confluence", "write:label:confluence"),
        ("write:confluence-content",),
    ),
    Need(
        "attach pictures",
        f"(PUT|POST) {_CONTENT}/child/attachment.*",
        ("read:attachment:confluence", "write:attachment:confluence"),
        ("write:confluence-file",),
    ),
    Need("name who changed a page or is mentioned on it", "POST /wiki/api/v2/users-bulk", ("read:user:confluence",)),
)
JIRA = (
    Need("know its own account", f"GET {_JIRA}/myself", ("read:jira-user",)),
    Need("find who may be assigned", f"GET {_JIRA}/user/assignable/search", ("read:jira-user",)),
    Need("search issues", f"POST {_JIRA}/search/jql", ("read:jira-work",)),
    Need("read issues and forms", f"GET {_JIRA}/issue.*", ("read:jira-work",)),
    Need("link issues with each other", f"POST {_JIRA}/issueLink", ("write:jira-work",)),
    Need("create, change and link issues", f"(POST|PUT) {_JIRA}/issue.*", ("write:jira-work",)),
)
_PRODUCTS = {"jira": JIRA, "confluence": CONFLUENCE}


def need_of(product: str, method: str, path: str) -> Need | None:
    """What a call of a product (`jira` or `confluence`) needs, by its path at the site; None where nobody knows."""
    return next((need for need in _PRODUCTS[product] if re.fullmatch(need.calls, f"{method} {path}")), None)


def scopes_of(needs: Iterable[Need]) -> tuple[str, ...]:
    """All that a token is to have, each once."""
    return tuple(dict.fromkeys(scope for need in needs for scope in need.scopes))
