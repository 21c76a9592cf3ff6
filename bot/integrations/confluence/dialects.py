"""Where Confluence Cloud (version 2, with version 1 for labels and files) and Data Center (version 1) differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bot.domain.text import to_one_line
from bot.integrations.confluence.types import ConfluencePage, Property
from bot.integrations.http import Call, Response, get, path_of, post, put, reach, worded

_EXPAND = "body.storage,version,space"
_STORAGE = "storage"


@dataclass(frozen=True, slots=True)
class Space:
    """A space: what a call names it by, and what people call it."""

    id: str
    name: str


class ConfluenceDialect(Protocol):
    """How one kind of Confluence is spoken to. `files` begins the paths of labels and files."""

    @property
    def files(self) -> str: ...
    @property
    def pages(self) -> str: ...

    def space(self, key: str) -> Call: ...
    def space_in(self, answer: Response) -> Space | None:
        """The space of an answer; None where there is none."""
        ...

    def create(self, space: str, parent_id: str, title: str, body: str) -> Call: ...
    def read(self, page_id: str) -> Call: ...
    def titled(self, space: str, title: str) -> Call:
        """The pages of a title in a space: `results` of the answer."""
        ...

    def update(self, page: ConfluencePage, title: str, body: str, note: str) -> Call:
        """The next version of a page."""
        ...

    def page_in(self, data: object, site_url: str) -> ConfluencePage: ...
    def property(self, page_id: str, key: str) -> Call: ...
    def property_in(self, data: object) -> Property | None: ...
    def keep(self, page_id: str, key: str, value: Mapping[str, Any], old: Property | None) -> Call:
        """Write a property for the first time, or its next version."""
        ...


@dataclass(frozen=True, slots=True)
class ConfluenceCloud:
    """Version 2."""

    pages: str = "/wiki/api/v2"
    files: str = "/wiki/rest/api/content"

    def space(self, key: str) -> Call:
        return get(f"{self.pages}/spaces", keys=key)

    def space_in(self, answer: Response) -> Space | None:
        found = answer.objects("results")
        return Space(Response(answer.system, 200, found[0]).text("id"), worded(found[0], "name")) if found else None

    def create(self, space: str, parent_id: str, title: str, body: str) -> Call:
        asked = {"spaceId": space, "status": "current", "title": title, "body": _body(body)}
        return post(f"{self.pages}/pages", asked | ({"parentId": parent_id} if parent_id else {}))

    def read(self, page_id: str) -> Call:
        return get(f"{self.pages}/pages{path_of(page_id)}", body_format=_STORAGE)

    def titled(self, space: str, title: str) -> Call:
        return get(f"{self.pages}/pages", space_id=space, title=title, body_format=_STORAGE)

    def update(self, page: ConfluencePage, title: str, body: str, note: str) -> Call:
        version = {"number": page.version + 1, "message": note}
        asked = {"id": page.id, "status": "current", "title": title, "body": _body(body), "version": version}
        return put(f"{self.pages}/pages{path_of(page.id)}", asked)

    def page_in(self, data: object, site_url: str) -> ConfluencePage:
        return _page(data, f"{site_url}/wiki")

    def property(self, page_id: str, key: str) -> Call:
        return get(f"{self.pages}/pages{path_of(page_id, 'properties')}", key=key)

    def property_in(self, data: object) -> Property | None:
        found = Response("Confluence", 200, data).objects("results")
        return _property(found[0]) if found else None

    def keep(self, page_id: str, key: str, value: Mapping[str, Any], old: Property | None) -> Call:
        path = f"{self.pages}/pages{path_of(page_id, 'properties')}"
        if old is None:
            return post(path, {"key": key, "value": value})
        asked = {"key": key, "value": value, "version": {"number": old.version + 1}}
        return put(path + path_of(old.id), asked)


@dataclass(frozen=True, slots=True)
class ConfluenceDataCenter:
    """Version 1."""

    pages: str = "/rest/api/content"
    files: str = "/rest/api/content"

    def space(self, key: str) -> Call:
        return get(f"/rest/api/space{path_of(key)}")

    def space_in(self, answer: Response) -> Space | None:
        return Space(answer.text("key"), worded(answer.data, "name"))

    def create(self, space: str, parent_id: str, title: str, body: str) -> Call:
        asked = {"type": "page", "title": title, "space": {"key": space}, "body": {_STORAGE: _body(body)}}
        return post(self.pages, asked | ({"ancestors": [{"id": parent_id}]} if parent_id else {}))

    def read(self, page_id: str) -> Call:
        return get(self.pages + path_of(page_id), expand=_EXPAND)

    def titled(self, space: str, title: str) -> Call:
        return get(self.pages, spaceKey=space, title=title, type="page", expand=_EXPAND)

    def update(self, page: ConfluencePage, title: str, body: str, note: str) -> Call:
        version = {"number": page.version + 1, "message": note}
        asked = {"type": "page", "title": title, "body": {_STORAGE: _body(body)}, "version": version}
        return put(self.pages + path_of(page.id), asked)

    def page_in(self, data: object, site_url: str) -> ConfluencePage:
        return _page(data, site_url)

    def property(self, page_id: str, key: str) -> Call:
        return get(self.pages + path_of(page_id, "property", key))

    def property_in(self, data: object) -> Property | None:
        return _property(data)

    def keep(self, page_id: str, key: str, value: Mapping[str, Any], old: Property | None) -> Call:
        path = self.pages + path_of(page_id, "property")
        if old is None:
            return post(path, {"key": key, "value": value})
        return put(path + path_of(key), {"value": value, "version": {"number": old.version + 1}})


def people(accounts: Sequence[str]) -> Call:
    """Whose accounts these are, on the cloud: `results` of the answer. A token with scopes needs a scope for it."""
    return Call("POST", "/wiki/api/v2/users-bulk", body={"accountIds": list(accounts)})  # it only reads


def rights(space: str) -> Call:
    """What the account may do in a space, on the cloud: `operations.results` of the answer."""
    return get(f"/wiki/api/v2/spaces{path_of(space)}", include_operations="true")


def _body(body: str) -> dict[str, str]:
    return {"representation": _STORAGE, "value": body}


def _page(data: object, base_url: str) -> ConfluencePage:
    answer = Response("Confluence", 200, data)
    return ConfluencePage(
        answer.text("id"),
        worded(data, "title"),
        answer.number("version", "number"),
        base_url + (worded(data, "_links", "webui") or f"/pages/viewpage.action?pageId={answer.text('id')}"),
        worded(data, "body", _STORAGE, "value"),
        worded(data, "version", "message"),
        worded(data, "status") in ("", "current"),
        to_one_line(worded(data, "version", "by", "displayName")),
        worded(data, "version", "authorId"),
    )


def _property(data: object) -> Property:
    answer = Response("Confluence", 200, data)
    value = reach(data, "value")
    return Property(answer.text("id"), answer.number("version", "number"), value if isinstance(value, dict) else {})
