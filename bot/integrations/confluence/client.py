"""Confluence: the postmortem as a page, made once, and changed only on top of what was last seen of it.

A title belongs to one page of a space; a page is known as ours by a mark in its body, which is there from the first
moment on.

A body is checked before it is sent, because Confluence's own error about it helps no one. It is in the storage format:
XHTML with the prefixes `ac:` and `ri:` and HTML's named entities, after Atlassian's page "Confluence Storage Format".
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from html import entities
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape

from bot.domain.text import shorten, to_one_line
from bot.integrations.atlassian import AtlassianAccess, AtlassianCaller
from bot.integrations.http import (
    Call,
    IntegrationError,
    Response,
    RetryPolicy,
    Upload,
    get,
    path_of,
    post,
    put,
    text_at,
    value_at,
)


@dataclass(frozen=True, slots=True)
class Space:
    """A space: the id that calls use, and the name that people use."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class PageDraft:
    """A page to create. `key` (`INC-7`) is added to a title that is taken.

    `body` is storage XHTML. `mark` is what the page is known by again, so it belongs to this one alone. `parent_id` is
    the page above, or empty for the top of the space.
    """

    key: str
    title: str
    body: str
    mark: str
    parent_id: str = ""


@dataclass(frozen=True, slots=True)
class ConfluencePage:
    """A page as it is now. `note` is its last writer's comment on the change; `body` is storage XHTML.

    `author_id` is that writer's account; `author` is their name, once we have looked it up.
    """

    id: str
    title: str
    version: int
    url: str
    body: str
    note: str
    is_current: bool
    author: str = ""
    author_id: str = ""


@dataclass(frozen=True, slots=True)
class CreatedPage:
    """The page after a create. `was_there`: an earlier attempt had made it."""

    page: ConfluencePage
    was_there: bool


@dataclass(frozen=True, slots=True)
class UpdatedPage:
    """The page after an update. Not `is_written`: people had changed it first, and `page` has their changes."""

    page: ConfluencePage
    is_written: bool


@dataclass(frozen=True, slots=True)
class PageProperty:
    """What we store with a page, hidden from its readers. `id` and `version` are Confluence's own."""

    id: str
    version: int
    value: Mapping[str, Any]


LARGEST = 5_000_000
"""Confluence accepts no more bytes."""

_OWN = {"lt", "gt", "amp", "quot", "apos"}
_NAMES = "".join(f'<!ENTITY {name} "&#{code};">' for name, code in entities.name2codepoint.items() if name not in _OWN)
_BEFORE = (
    f'<!DOCTYPE page [{_NAMES}]><page xmlns:ac="http://www.atlassian.com/schema/confluence/4/ac/" '
    'xmlns:ri="http://www.atlassian.com/schema/confluence/4/ri/">\n'
)


def check_storage(body: str) -> None:
    """Raise IntegrationError if Confluence would refuse a body, because it is too large or not well-formed."""
    if len(body.encode("utf-8", "replace")) > LARGEST:
        raise IntegrationError(
            "Confluence",
            "Confluence takes pages of up to 5 MB, and this one is larger. Shorten its longest sections, or attach "
            "the export as a file.",
            is_permanent=True,
        )
    parser = expat.ParserCreate(namespace_separator=" ")
    try:
        parser.Parse(f"{_BEFORE}{body}</page>".encode("utf-8", "surrogatepass"), True)  # noqa: FBT003 - its own form
    except expat.ExpatError as error:
        line, column = error.lineno - 1, error.offset + 1  # `_BEFORE` is the first line
        words = expat.ErrorString(error.code)
        raise IntegrationError(
            "Confluence",
            f"Confluence would refuse the page: it isn't well-formed at line {line}, column {column} ({words}). "
            "Check the page's template.",
            is_permanent=True,
        ) from None


def add_mark(body: str, mark: str) -> str:
    """The body with an invisible anchor by which the page is found again, unless the body has that mark already."""
    if mark in body:
        return body
    name = f'<ac:parameter ac:name="">{escape(mark)}</ac:parameter>'
    return f'{body}<p><ac:structured-macro ac:name="anchor">{name}</ac:structured-macro></p>'


LONGEST_TITLE = 255
PROPERTY = "afterword"
"""The key of the page property in which we store how we wrote the page."""

_API, _PAGES = "/wiki/api/v2", "/wiki/api/v2/pages"
_FILES = "/wiki/rest/api/content"
"""Version 2 of the interface has no calls that write labels or files."""

_STORAGE = "storage"
_PEOPLE_AT_ONCE = 100
_NO_CHECK = {"X-Atlassian-Token": "nocheck"}  # without it, Confluence refuses a file as cross-site forgery


class ConfluenceClient:
    """One space of a Confluence, as one account sees it. Methods raise IntegrationError. Close it with `aclose`."""

    name = "Confluence"

    def __init__(self, access: AtlassianAccess, space: str, patience: RetryPolicy | None = None) -> None:
        """`space` is its key, `ENG`."""
        self._line = AtlassianCaller(self.name, "confluence", access, patience or RetryPolicy())
        self._key = space
        self._names: dict[str, str] = {}

    async def aclose(self) -> None:
        """Close the connections."""
        await self._line.aclose()

    async def check(self) -> str:
        """Which space we reach, by a call that changes nothing."""
        space = await self._space()
        return f"space {self._key} ({space.name})" if space.name else f"space {self._key}"

    async def missing_rights(self) -> list[str] | None:
        """The rights that we need and the space does not list for the account; None if it lists none at all.

        Labels and properties go with the right to write the page. Changes nothing.
        """
        space = await self._space()
        await self._line.ask(_find_title(space.id, PROPERTY))  # raises if a token with scopes may read no page
        operations = (await self._line.ask(get(f"{_API}/spaces{path_of(space.id)}", include_operations="true"))).data
        listed = value_at(operations, "operations", "results")
        if not isinstance(listed, list) or not listed:
            return None
        may = {(text_at(one, "operation"), text_at(one, "targetType")) for one in listed}
        return [f"{what}s" for what in ("page", "attachment") if ("create", what) not in may]

    async def create(self, draft: PageDraft, *, is_repeat: bool) -> CreatedPage:
        """Create a page. If another page has its title, the key is added to it.

        `is_repeat`: an earlier attempt may have made it, so look first.
        """
        body = add_mark(draft.body, draft.mark)
        await asyncio.to_thread(check_storage, body)
        space = await self._space()
        # Confluence has one page of a title in a space, so the second candidate carries the key.
        for title in _candidate_titles(draft):
            if is_repeat and (page := _find_by_mark(await self._list_by_title(space, title), draft.mark)):
                return CreatedPage(page, was_there=True)
            try:
                answer = await self._line.ask(post(_PAGES, _new_page(draft, space, title, body)))
            except IntegrationError as error:
                if error.status != 400:
                    raise
                # That a title is taken is said in the account's language, so look for a page that has it.
                pages = await self._list_by_title(space, title)
                if page := _find_by_mark(pages, draft.mark):
                    return CreatedPage(page, was_there=True)
                if not pages:
                    raise
                continue
            return CreatedPage(replace(self._page(answer.data), body=body), was_there=False)
        raise IntegrationError(
            self.name,
            f"{self.name} has other pages called “{draft.title}”, with and without {draft.key}. Rename one of them.",
            is_permanent=True,
            status=400,
        )

    async def read(self, page_id: str) -> ConfluencePage | None:
        """A page as it is now; None if it was deleted or the account may not see it."""
        try:
            answer = await self._line.ask(get(f"{_PAGES}{path_of(page_id)}", body_format=_STORAGE))
        except IntegrationError as error:
            if error.status == 404 and error.is_permanent:
                return None
            raise
        page = self._page(answer.data)
        return page if page.is_current else None

    async def update(self, seen: ConfluencePage, title: str, body: str, note: str) -> UpdatedPage:
        """Write a new version on top of the page as it was `seen`. Nothing is written if people changed it since.

        `note` goes into the page's history. It must be unique to this update: a write whose answer was lost is found
        again by it.
        """
        await asyncio.to_thread(check_storage, body)
        changed = {
            "id": seen.id,
            "status": "current",
            "title": _fit_title(title),
            "body": _body(body),
            "version": {"number": seen.version + 1, "message": note},  # refused with 409 if people were quicker
        }
        try:
            answer = await self._line.ask(put(f"{_PAGES}{path_of(seen.id)}", changed))
        except IntegrationError as error:
            if error.status != 409:
                raise
            page = await self.read(seen.id)  # a conflict: by people's version, or by ours, whose answer was lost
            # The page is as it was, so the conflict is not about its version, and there is nothing to merge with.
            if page is None or page.version == seen.version:
                raise
            return UpdatedPage(page, is_written=page.note == note)
        return UpdatedPage(replace(self._page(answer.data), body=body, note=note), is_written=True)

    async def author_of(self, page: ConfluencePage) -> str:
        """The name of a page's last writer; empty if Confluence hides it, or the account may not read names."""
        if not page.author_id:
            return ""
        try:
            return (await self.names_of([page.author_id])).get(page.author_id, "")
        except IntegrationError:  # a name is not worth a failure; the next attempt reads it again
            return ""

    async def names_of(self, accounts: Iterable[str]) -> Mapping[str, str]:
        """The names of people by their account ids, without those that Confluence hides."""
        wanted = [account for account in dict.fromkeys(accounts) if account not in self._names]
        for start in range(0, len(wanted), _PEOPLE_AT_ONCE):
            body = {"accountIds": wanted[start : start + _PEOPLE_AT_ONCE]}
            answer = await self._line.ask(Call("POST", f"{_API}/users-bulk", body=body))  # it only reads
            for who in answer.objects("results"):
                if name := to_one_line(text_at(who, "displayName") or text_at(who, "publicName")):
                    self._names[text_at(who, "accountId")] = name
        return self._names

    async def label(self, page_id: str, labels: Iterable[str]) -> None:
        """Add labels to those that are there. What Confluence does not allow in a label becomes a hyphen."""
        named = [{"prefix": "global", "name": name} for name in dict.fromkeys(map(_label, labels)) if name]
        if named:
            path = f"{_FILES}{path_of(page_id, 'label')}"
            await self._line.ask(Call("POST", path, body=named, writes=True))  # adding it again adds nothing

    async def attach(self, page_id: str, file: Upload) -> None:
        """Attach a file. If the page has one of that name, this is its new version."""
        path = f"{_FILES}{path_of(page_id, 'child', 'attachment')}"
        form = {"minorEdit": "true"}
        await self._line.ask(Call("PUT", path, writes=True, file=file, form=form, headers=_NO_CHECK))

    async def read_property(self, page_id: str) -> Mapping[str, Any]:
        """What we stored with a page; empty if nothing."""
        stored = await self._property(page_id)
        return stored.value if stored else {}

    async def write_property(self, page_id: str, value: Mapping[str, Any]) -> None:
        """Store something with a page, hidden from its readers. It replaces what we stored there before."""
        old, path = await self._property(page_id), f"{_PAGES}{path_of(page_id, 'properties')}"
        if old is None:
            await self._line.ask(post(path, {"key": PROPERTY, "value": value}))
        elif old.value != value:
            body = {"key": PROPERTY, "value": value, "version": {"number": old.version + 1}}
            await self._line.ask(put(path + path_of(old.id), body))

    async def _space(self) -> Space:
        try:
            found = (await self._line.ask(get(f"{_API}/spaces", keys=self._key))).objects("results")
        except IntegrationError as error:
            if error.status != 404 or not error.is_permanent:
                raise
            found = []
        if not found:
            raise IntegrationError(
                self.name,
                f"{self.name} has no space {self._key} that this account can see. Check the settings.",
                is_permanent=True,
                status=404,
            )
        return Space(Response(self.name, 200, found[0]).text("id"), text_at(found[0], "name"))

    async def _list_by_title(self, space: Space, title: str) -> list[ConfluencePage]:
        answer = await self._line.ask(_find_title(space.id, title))
        return [self._page(each) for each in answer.objects("results")]

    async def _property(self, page_id: str) -> PageProperty | None:
        answer = await self._line.ask(get(f"{_PAGES}{path_of(page_id, 'properties')}", key=PROPERTY))
        found = answer.objects("results")
        return _read_property(found[0]) if found else None

    def _page(self, data: object) -> ConfluencePage:
        return _read_page(data, f"{self._line.access.site_url}/wiki")


def _new_page(draft: PageDraft, space: Space, title: str, body: str) -> dict[str, Any]:
    page = {"spaceId": space.id, "status": "current", "title": title, "body": _body(body)}
    return page | ({"parentId": draft.parent_id} if draft.parent_id else {})


def _find_title(space: str, title: str) -> Call:
    return get(_PAGES, space_id=space, title=title, body_format=_STORAGE)


def _body(body: str) -> dict[str, str]:
    return {"representation": _STORAGE, "value": body}


def _read_page(data: object, base_url: str) -> ConfluencePage:
    answer = Response(ConfluenceClient.name, 200, data)
    return ConfluencePage(
        id=answer.text("id"),
        title=text_at(data, "title"),
        version=answer.number("version", "number"),
        url=base_url + (text_at(data, "_links", "webui") or f"/pages/viewpage.action?pageId={answer.text('id')}"),
        body=text_at(data, "body", _STORAGE, "value"),
        note=text_at(data, "version", "message"),
        is_current=text_at(data, "status") in ("", "current"),
        author_id=text_at(data, "version", "authorId"),
    )


def _read_property(data: object) -> PageProperty:
    answer = Response(ConfluenceClient.name, 200, data)
    value = value_at(data, "value")
    return PageProperty(answer.text("id"), answer.number("version", "number"), value if isinstance(value, dict) else {})


def _candidate_titles(draft: PageDraft) -> tuple[str, str]:
    suffix = f" ({draft.key})"
    title = to_one_line(draft.title) or draft.key
    return _fit_title(title), shorten(title, LONGEST_TITLE - len(suffix)) + suffix


def _fit_title(title: str) -> str:
    return shorten(to_one_line(title), LONGEST_TITLE)


def _find_by_mark(pages: list[ConfluencePage], mark: str) -> ConfluencePage | None:
    """The page that has a mark, unless it was deleted."""
    return next((page for page in pages if mark in page.body and page.is_current), None)


def _label(name: str) -> str:
    """Confluence's labels have small letters, no spaces and hardly any punctuation."""
    allowed = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in name.lower())
    return allowed.strip("-")[:LONGEST_TITLE]
