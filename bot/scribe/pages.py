"""The timeline as a list: the latest, the whole in pages, or what happened in the last while."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.incident.records import Entry, Incident
from bot.scribe.desk import Asked, Desk, require_incident
from bot.scribe.timeline import own_clocks
from bot.slack import pages as says
from bot.slack.blocks import Message
from bot.slack.pages import LATEST, PAGE, Page
from storage import cases, pages
from storage.pages import Anchor, Span
from storage.statements import Transaction

_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)

Finding = Callable[[Transaction, Span], tuple[Entry, ...]]


async def overview(desk: Desk, asked: Asked) -> Message:
    """The latest entries and a form."""
    clocks = await own_clocks(desk, asked)

    def look(tx: Transaction) -> Message:
        case, total = cases.glance(tx, require_incident(tx, asked), LATEST)
        fitting = says.fitting(case, case.entries, asked.now, from_end=True)
        return says.overview(Page(case, fitting, total - len(fitting), total), clocks)

    return await desk.store.read(look)


async def show(desk: Desk, asked: Asked, back: timedelta | None) -> Message:
    """The last page of the timeline, or of what happened in the last while."""
    since = asked.now - back if back else None

    def look(tx: Transaction) -> Message:
        return _last(tx, require_incident(tx, asked), since, asked.now)

    return await desk.store.read(look)


async def turn(desk: Desk, asked: Asked, value: dict[str, Any]) -> Message:
    """The page before or behind the one whose button was pressed, as the timeline is now."""
    since = datetime.fromisoformat(value["since"]) if value["since"] else None
    anchor = Anchor(datetime.fromisoformat(value["at"]), int(value["number"]))
    is_older = value["way"] == "older"

    def find(tx: Transaction, span: Span) -> tuple[Entry, ...]:
        return (pages.before if is_older else pages.behind)(tx, span, anchor, PAGE)

    def look(tx: Transaction) -> Message:
        incident = require_incident(tx, asked)
        page = _page(tx, incident, find, _View(asked.now, since, is_older))
        # What the button led to was taken back meanwhile.
        return says.listing(page, asked.now) if page.entries else _last(tx, incident, since, asked.now)

    return await desk.store.read(look)


def _last(tx: Transaction, incident: Incident, since: datetime | None, now: datetime) -> Message:
    view = _View(now, since, from_end=True)
    return says.listing(_page(tx, incident, lambda tx, span: pages.last(tx, span, PAGE), view), now)


@dataclass(frozen=True, slots=True)
class _View:
    """How a page is looked at: `now`, what happened `since` alone, `from_end` where its end matters if it is long."""

    now: datetime
    since: datetime | None
    from_end: bool


def _page(tx: Transaction, incident: Incident, find: Finding, view: _View) -> Page:
    """What is found, as far as it fits into one message."""
    span = Span(incident.id, view.since or _BEGINNING)
    found = find(tx, span)
    case = cases.around(tx, incident, found)
    entries = says.fitting(case, found, view.now, from_end=view.from_end)
    skipped = pages.count_before(tx, span, Anchor(entries[0].happened_at, entries[0].number)) if entries else 0
    return Page(case, entries, skipped, pages.count(tx, span), view.since)
