"""The library in the browser: an index, a page for each incident, a feed. Who reads is for `bot/web/sign_in.py`.

An address of an incident that the reader may not see is answered exactly as one of an incident that does not exist.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.domain.library import parse_cursor, parse_filters
from bot.domain.readers import Reader, Sight, public_sight
from bot.export.csv_format import write_numbers
from bot.services.context import Services
from bot.services.library import catalog as catalog_service
from bot.services.library import numbers as numbers_service
from bot.services.library import pages as pages_service
from bot.services.library import readers as readers_service
from bot.services.library import trends as trends_service
from bot.services.library.catalog import PostmortemView, Shelf
from bot.services.library.numbers import Comparison
from bot.services.library.pages import Feed, FeedEntry, Site
from bot.services.library.trends import TrendsQuery
from storage.database.statements import Transaction

ROOT = "/library"
SIGN_IN = f"{ROOT}/sign-in"
TRENDS = f"{ROOT}/trends"

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    # A page that was read by one person must not be shown to the next one at the same machine.
    "cache-control": "no-store",
}
"""Of every page."""

FEED_ENTRIES = 30

_KEY = re.compile(r"INC-([1-9][0-9]{0,8})", re.IGNORECASE)

FindReader = Callable[[Request], Awaitable[Reader | None]]
FindSite = Callable[[Request, Reader], Site]


@dataclass(frozen=True, slots=True)
class LibraryDoor:
    """Who comes in. `find_reader` is the person of a request; `find_feed_reader` that of a feed's signed address.

    `describe` is the site as a reader sees it: their name, their way out, the address of their feed. `base` is the
    library's own address, for links that leave it.
    """

    base: str
    find_reader: FindReader
    find_feed_reader: FindReader
    describe: FindSite


def make_routes(services: Services, door: LibraryDoor) -> list[Route]:
    """The routes of the library."""
    pages_service.prepare()
    library = LibraryPages(services, door)
    return [
        Route(ROOT, library.show_index, methods=["GET"]),
        Route(f"{ROOT}/", _redirect_to_index, methods=["GET"]),
        Route(f"{ROOT}/style.css", _show_style, methods=["GET"]),
        Route(f"{ROOT}/feed.atom", library.show_feed, methods=["GET"]),
        Route(TRENDS, library.show_trends, methods=["GET"]),
        Route(f"{TRENDS}.csv", library.show_trends_table, methods=["GET"]),
        Route(f"{ROOT}/{{key}}", library.show_postmortem, methods=["GET"]),
        Route(f"{ROOT}/{{team}}/{{key}}", library.show_postmortem, methods=["GET"]),
    ]


def make_page(content: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A page with the headers of all pages."""
    return HTMLResponse(content, status, {**HEADERS, **(headers or {})})


def send_to_sign_in(request: Request) -> Response:
    """Where a person goes who is not signed in; then back to what they wanted."""
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"{SIGN_IN}?next={quote(wanted, safe='')}", 303, {"cache-control": "no-store"})


async def _redirect_to_index(_: Request) -> Response:
    return RedirectResponse(ROOT, 308)


async def _show_style(_: Request) -> Response:
    # Its address changes with its content.
    headers = {"cache-control": "public, max-age=31536000, immutable", "x-content-type-options": "nosniff"}
    return Response(pages_service.write_style(), media_type="text/css", headers=headers)


class LibraryPages:
    """The pages. Reading, compiling and drawing are done in threads: none holds up the loop."""

    def __init__(self, services: Services, door: LibraryDoor) -> None:
        self._services = services
        self._door = door

    async def show_index(self, request: Request) -> Response:
        """The list, by the filters of the address."""
        reader = await self._door.find_reader(request)
        if reader is None:
            return send_to_sign_in(request)
        filters, before = parse_filters(request.query_params), parse_cursor(request.query_params.get("before", ""))
        sight = await readers_service.visible_to(self._services, reader)
        site, now = self._describe(request, reader), self._services.clock.now()

        def look(tx: Transaction) -> tuple[Shelf, bool]:
            is_named = filters.number is not None and catalog_service.exists(tx, sight, filters.number)
            return catalog_service.list_shelf(tx, sight, filters, before, now), is_named

        def make() -> str | None:
            shelf, is_named = self._services.store.read_now(look)
            if is_named:
                return None
            return pages_service.draw_index(site, filters, shelf, is_first=before is None, now=now)

        content = await asyncio.to_thread(make)
        if content is None:  # who types INC-7 wants its page
            return RedirectResponse(site.page(f"INC-{filters.number}"), 303, {"cache-control": "no-store"})
        return make_page(content)

    async def show_postmortem(self, request: Request) -> Response:
        """The page of an incident."""
        reader = await self._door.find_reader(request)
        if reader is None:
            return send_to_sign_in(request)
        sight = await readers_service.visible_to(self._services, reader)
        site = self._describe(request, reader)
        found = _KEY.fullmatch(request.path_params["key"])
        is_here = request.path_params.get("team", reader.team) == reader.team
        number = int(found[1]) if found and is_here else 0
        view = await asyncio.to_thread(self._services.store.read_now, partial(self._look, sight, number))
        # Asked of Slack once more: what is in sight may be a minute old.
        channels = [view.channel] if view else []
        visible = await self._services.check_channels(reader.team, reader.user, channels)
        if view is None or view.channel not in visible.seen:
            is_sure = view is None or visible.is_sure
            blank = await asyncio.to_thread(partial(pages_service.draw_blank, site, is_sure=is_sure))
            return make_page(blank, 404 if is_sure else 503)
        return make_page(await asyncio.to_thread(pages_service.draw_postmortem, site, view))

    def _look(self, sight: Sight, number: int, tx: Transaction) -> PostmortemView | None:
        return catalog_service.read_page(tx, self._services.exporter, sight, number, self._services.clock.now())

    async def show_trends(self, request: Request) -> Response:
        """The numbers of a period, of what the reader may see."""
        reader = await self._door.find_reader(request)
        if reader is None:
            return send_to_sign_in(request)
        sight, now = await readers_service.visible_to(self._services, reader), self._services.clock.now()
        site, query = self._describe(request, reader), trends_service.parse_query(request.query_params, now)

        def make() -> str:
            return trends_service.draw_trends(site, query, self._count(query, sight, now), now)

        return make_page(await asyncio.to_thread(make))

    async def show_trends_table(self, request: Request) -> Response:
        """The same as CSV."""
        reader = await self._door.find_reader(request)
        if reader is None:
            return send_to_sign_in(request)
        sight, now = await readers_service.visible_to(self._services, reader), self._services.clock.now()
        query = trends_service.parse_query(request.query_params, now)
        content = await asyncio.to_thread(lambda: write_numbers(self._count(query, sight, now).groups))
        name = f"trends-{query.chosen.period.name}.csv"
        headers = {**HEADERS, "content-disposition": f'attachment; filename="{name}"'}
        return Response(content, 200, headers, "text/csv; charset=utf-8")

    def _count(self, query: TrendsQuery, sight: Sight, now: datetime) -> Comparison:
        return self._services.store.read_now(lambda tx: numbers_service.compare(tx, query.chosen, sight, query.by, now))

    def _describe(self, request: Request, reader: Reader) -> Site:
        return replace(self._door.describe(request, reader), trends=TRENDS)

    async def show_feed(self, request: Request) -> Response:
        """The published postmortems that everyone in the workspace may read."""
        reader = await self._door.find_feed_reader(request) or await self._door.find_reader(request)
        if reader is None or not (await readers_service.visible_to(self._services, reader)).public:
            return Response("The address isn't valid. Copy it from the library's page.", 404, HEADERS, "text/plain")
        now, base = self._services.clock.now(), f"{self._door.base}{ROOT}"

        def make() -> str:
            rows = self._services.store.read_now(
                lambda tx: catalog_service.list_published(tx, public_sight(reader.team), now, FEED_ENTRIES)
            )
            entries = tuple(FeedEntry(row, f"{base}/{row.key}") for row in rows)
            times = [row.published_at for row in rows if row.published_at]
            updated_at = max(times, default=datetime(2000, 1, 1, tzinfo=UTC))
            address = f"{self._door.base}{request.url.path}" + (f"?{request.url.query}" if request.url.query else "")
            return pages_service.draw_feed(Feed(address, base, updated_at, entries))

        content = await asyncio.to_thread(make)
        return Response(content, 200, HEADERS, "application/atom+xml; charset=utf-8")
