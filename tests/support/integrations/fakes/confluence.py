"""A Confluence that keeps pages, after version 2 of its interface, with version 1 for labels and files."""

import re
from collections.abc import Callable
from email import message_from_bytes
from email.message import Message
from typing import Any

from aiohttp import web

from tests.support.integrations.fakes.days import Fake, Handler

SCOPES = (
    ("GET .*/wiki/api/v2/spaces", "read:space"),
    ("(POST|PUT) .*/wiki/api/v2/pages/[0-9]+/properties", "read:page write:page"),
    ("GET .*/wiki/api/v2/pages", "read:page"),
    ("(POST|PUT) .*/wiki/api/v2/pages", "write:page"),
    ("POST .*/wiki/rest/api/content/[0-9]+/label$", "read:label write:label"),
    ("(PUT|POST) .*/wiki/rest/api/content/[0-9]+/child/attachment", "read:attachment write:attachment"),
    ("POST .*/wiki/api/v2/users-bulk$", "read:user"),
)
"""By Atlassian's pages on both versions of the interface."""


class FakeConfluence(Fake):
    def __init__(self) -> None:
        super().__init__()
        self.pages: dict[str, dict[str, Any]] = {}
        self.labels: dict[str, list[str]] = {}
        self.files: dict[tuple[str, str], list[bytes]] = {}
        self.properties: dict[str, dict[str, Any]] = {}
        self.hides_people = False
        self.scopes: set[str] | None = None
        """What the token has of scopes; None: it is one without."""
        self.parents = {"900": "Postmortems"}
        """Pages of the space that are there besides."""
        self.rights: list[tuple[str, str]] | None = [("create", "page"), ("create", "attachment"), ("read", "space")]
        self.says_taken = "A page with this title already exists: choose a unique one for this space."
        self.refused_for_scope: list[str] = []
        self.quicker: list[Callable[[], None]] = []
        """What people do at the very moment at which a page is written, once each."""
        for prefix in ("", "/ex/confluence/cloud-1"):
            self._routes(prefix)
        self.app.router.add_get("/_edge/tenant_info", self._tenant)

    def _routes(self, prefix: str) -> None:
        add = self.app.router.add_route
        old = f"{prefix}/wiki/rest/api"
        pages = f"{prefix}/wiki/api/v2/pages"
        path = f"{pages}/{{id}}/properties"
        add("GET", f"{prefix}/wiki/api/v2/spaces", self._space)
        add("GET", f"{prefix}/wiki/api/v2/spaces/{{id}}", self._rights)
        add("POST", pages, self._create)
        add("GET", pages, self._list_titled)
        add("GET", f"{pages}/{{id}}", self._page)
        add("POST", f"{prefix}/wiki/api/v2/users-bulk", self._people)
        add("PUT", f"{pages}/{{id}}", self._update)
        add("GET", path, self._property)
        add("POST", path, self._keep)
        add("PUT", f"{path}/{{key}}", self._keep)
        add("POST", f"{old}/content/{{id}}/label", self._label)
        add("PUT", f"{old}/content/{{id}}/child/attachment", self._attach)

    def _lets_in(self, request: web.Request) -> bool:
        return request.path == "/_edge/tenant_info" or super()._lets_in(request)

    async def _day(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if self.scopes is not None and not self._scopes_of(request) <= self.scopes:
            self.refused_for_scope.append(f"{request.method} {request.path}")
            return web.json_response({"code": 401, "message": "Unauthorized; scope does not match"}, status=401)
        return await super()._day(request, handler)

    @staticmethod
    def _scopes_of(request: web.Request) -> set[str]:
        """What Atlassian's pages demand of a token for a call."""
        call = f"{request.method} {request.path}"
        found = [names for pattern, names in SCOPES if re.search(pattern, call)]
        return {f"{name}:confluence" for name in found[0].split()} if found else set()

    def edit(self, page_id: str, body: str, by: str = "") -> None:
        """Someone changes a page by hand."""
        page = self.pages[page_id]
        page |= {"body": body, "number": page["number"] + 1, "note": "fixed a typo", "by": by}

    async def _tenant(self, request: web.Request) -> web.Response:
        return web.json_response({"cloudId": "cloud-1"})

    async def _space(self, request: web.Request) -> web.Response:
        key = request.query["keys"]
        found = [{"id": "44", "key": "ENG", "name": "Engineering"}] if key == "ENG" else []
        return web.json_response({"results": found})

    @staticmethod
    def _missing() -> web.Response:
        return web.json_response({"errors": [{"status": 404, "code": "NOT_FOUND", "title": "Not Found"}]}, status=404)

    @staticmethod
    def _wrong(title: str) -> web.Response:
        return web.json_response({"errors": [{"status": 400, "code": "INVALID", "title": title}]}, status=400)

    def put(self, title: str, body: str) -> str:
        """Put a page there without a call."""
        at = str(1000 + len(self.pages))
        self.pages[at] = {"title": title, "body": body, "number": 1, "note": "", "status": "current", "parent": ""}
        return at

    async def _create(self, request: web.Request) -> web.Response:
        asked = await request.json()
        if asked["title"] in [page["title"] for page in self.pages.values()]:
            return self._wrong(self.says_taken)
        body = asked["body"]
        if asked["spaceId"] != "44":
            return self._missing()
        parent = asked.get("parentId", "")
        if parent and parent not in {*self.parents, *self.pages}:
            return self._missing()
        at = self.put(asked["title"], body["value"])
        self.pages[at]["parent"] = parent
        return web.json_response(self._render(at))

    def _render(self, at: str) -> dict[str, Any]:
        return self._shown_as(at, self.pages[at])

    def _shown_as(self, at: str, page: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": at,
            "status": page["status"],
            "title": page["title"],
            "version": self._version(page),
            "body": {"storage": {"representation": "storage", "value": page["body"]}},
            "_links": {"webui": f"/spaces/ENG/pages/{at}"},
        }

    def _version(self, page: dict[str, Any]) -> dict[str, Any]:
        return {"number": page["number"], "message": page["note"], "authorId": f"acc-{page.get('by', '')}"}

    async def _people(self, request: web.Request) -> web.Response:
        if self.hides_people:
            return web.json_response({"message": "Unauthorized; scope does not match"}, status=401)
        asked = (await request.json())["accountIds"]
        names = {account: account.removeprefix("acc-") for account in asked if account.startswith("acc-")}
        found = [{"accountId": at, "displayName": name, "publicName": name} for at, name in names.items() if name]
        return web.json_response({"results": found, "_links": {}})

    async def _list_titled(self, request: web.Request) -> web.Response:
        found = [at for at, page in self.pages.items() if page["title"] == request.query["title"]]
        return web.json_response({"results": [self._render(at) for at in found]})

    async def _page(self, request: web.Request) -> web.Response:
        at = request.match_info["id"]
        if not at.isdecimal():
            return self._wrong(f"Provided value {{{at}}} for 'id' is not the correct type. Expected type is long")
        if at in self.parents:
            about = {"title": self.parents[at], "body": "", "number": 1, "note": "", "status": "current"}
            return web.json_response(self._shown_as(at, about))
        return web.json_response(self._render(at)) if at in self.pages else self._missing()

    async def _rights(self, request: web.Request) -> web.Response:
        operations = [{"operation": operation, "targetType": target} for operation, target in self.rights or ()]
        more = {"operations": {"results": operations}} if self.rights is not None else {}
        return web.json_response({"id": "44", "key": "ENG", "name": "Engineering"} | more)

    async def _update(self, request: web.Request) -> web.Response:
        at, asked = request.match_info["id"], await request.json()
        if at not in self.pages:
            return self._missing()
        if self.quicker:
            self.quicker.pop(0)()
        page = self.pages[at]
        if asked["version"]["number"] != page["number"] + 1:
            title = f"Version must be incremented on update. Current version is: {page['number']}"
            return web.json_response({"errors": [{"status": 409, "code": "CONFLICT", "title": title}]}, status=409)
        body, version = asked["body"], asked["version"]
        page |= {"title": asked["title"], "body": body["value"], "number": version["number"]}
        page |= {"note": version["message"], "by": "Afterword"}
        return web.json_response(self._render(at))

    async def _property(self, request: web.Request) -> web.Response:
        stored = self.properties.get(request.match_info["id"])
        return web.json_response({"results": [stored] if stored else []})

    async def _keep(self, request: web.Request) -> web.Response:
        at, asked = request.match_info["id"], await request.json()
        number = self.properties[at]["version"]["number"] if at in self.properties else 0
        if asked.get("version", {"number": 1})["number"] != number + 1:
            return web.json_response({"message": "conflict"}, status=409)
        self.properties[at] = {
            "id": "55",
            "key": "afterword",
            "value": asked["value"],
            "version": {"number": number + 1},
        }
        return web.json_response(self.properties[at])

    async def _label(self, request: web.Request) -> web.Response:
        there = self.labels.setdefault(request.match_info["id"], [])
        there += [each["name"] for each in await request.json() if each["name"] not in there]
        return web.json_response({"results": []})

    async def _attach(self, request: web.Request) -> web.Response:
        if request.headers.get("X-Atlassian-Token") != "nocheck":
            return web.json_response({"message": "XSRF check failed"}, status=403)
        name, content = await _file_of(request)
        at = (request.match_info["id"], name)
        self.files.setdefault(at, []).append(content)
        return web.json_response({"results": [{"id": f"att-{name}"}]})


async def _file_of(request: web.Request) -> tuple[str, bytes]:
    """The file of a form, which has been read already."""
    head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
    parts = message_from_bytes(head + await request.read()).get_payload()
    assert isinstance(parts, list)
    (file,) = [part for part in parts if isinstance(part, Message) and part.get_filename()]
    content = file.get_payload(decode=True)
    assert isinstance(content, bytes)
    return str(file.get_filename()), content
