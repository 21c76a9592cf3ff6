"""The timeline: record a line once, at the time that was meant; paste lines; list entries in pages.

Pasted lines are previewed as they are read; then all the ticked ones are recorded together, or none.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain import timeline as timeline_rules
from bot.domain import times
from bot.domain.pasting import paste as paste_rules
from bot.domain.records import Entry, Incident, Person
from bot.domain.text import clean_input
from bot.domain.timeline import PendingEntry, with_words, zone_name
from bot.domain.times import Reading
from bot.domain.times.zones import label_of
from bot.errors import OutdatedButton, Refused
from bot.services.context import Request, Services, describe_missing, require_incident, require_open_record, run_once
from bot.slack.directory import find_language
from bot.slack.views import paste as paste_views
from bot.slack.views import timeline as timeline_views
from bot.slack.views.blocks import Block, Message
from bot.slack.views.paste import Choice, PasteInput
from bot.slack.views.timeline import LATEST, PAGE, Clocks, TimelinePage
from storage import case as case_store
from storage import incidents as incidents_store
from storage import timeline as timeline_store
from storage.database.statements import Transaction
from storage.timeline import Anchor, EntryRange, NewEntry

_LOOK_BACK = 30
"""A repeat within ten seconds is at most this many entries ago."""


# An error, so that the number that was taken for the entry is rolled back with the unit.
class _SameAgain(Exception):
    def __init__(self, incident: Incident, entry: Entry) -> None:
        super().__init__(entry.number)
        self.incident = incident
        self.same = (entry.number, entry.version)


@dataclass(frozen=True, slots=True)
class TypedLine:
    """A typed line, decoded, with its time still in it, or with the moment already chosen.

    `at` overrides the time (an answered question), `lasts` is its range; `again` records it although it is a repeat.
    `names_times`: the line is all that was typed, and the times that it mentions are offered next to the one chosen.
    `asked_at` is when its time was asked: a line from before the incident was opened does not belong to it.
    """

    line: str
    at: datetime | None = None
    approximate: bool = False
    lasts: timedelta | None = None
    again: bool = False
    names_times: bool = False
    asked_at: datetime | None = None


async def record(services: Services, request: Request, typed: TypedLine) -> Message | None:
    """Record a line. The reply is the receipt, or a question if the time has no single reading."""
    person = await services.slack.directory.look_up(request.team, request.user)
    clocks = read_clocks(services, person, request.now)
    reading = _read(typed, request.now, clocks)
    if reading.question is not None:
        return _question(reading, clocks)
    text = timeline_rules.require_text(clean_input(reading.text, "That entry"))
    moment = reading.utc or request.now
    require = timeline_rules.require_past if typed.at is None else timeline_rules.require_chosen
    require(moment, request.now)
    new = NewEntry(moment, text, request.user, request.user, request.now, reading.end_utc, reading.approximate)
    named = replace(typed, at=None) if typed.names_times else None
    notes = timeline_views.ReceiptNotes(
        unknown_zone=reading.assumed_zone and services.lacks_zone(person),
        named=_read(named, request.now, clocks) if named else None,
        slip=timeline_rules.find_slip(reading, request.now, clocks.zone, clocks.language),
    )

    def unit(tx: Transaction) -> Message:
        entry, incident = _append(tx, request, new, typed)
        return timeline_views.receipt(entry, incident, clocks, reading=reading, notes=notes)

    def foresee(tx: Transaction) -> None:
        incidents_store.take_entry_number(tx, request.place)
        _add_new(tx, request, new, typed)

    try:
        return await run_once(services, request, unit, foresee, verb="timeline.record")
    except Refused as refused:
        raise with_words(refused, _pending_entry(request, typed, clocks)) from refused
    except _SameAgain as same:
        already = timeline_views.already_recorded_message(same.incident, same.same, reading, moment)
    # Stored as well, so that Slack's repeat of the request gets this answer and does not record the line.
    return await run_once(services, request, lambda _: already, verb="timeline.record")


def _pending_entry(request: Request, typed: TypedLine, clocks: timeline_views.Clocks) -> PendingEntry:
    """What the button that opens an incident takes along."""
    end = typed.at + typed.lasts if typed.at and typed.lasts else None
    where = (zone_name(clocks.zone), request.place.channel, request.key)
    return PendingEntry(typed.line, request.now, *where, typed.at, end, typed.approximate, language=clocks.language)


def _question(reading: Reading, clocks: timeline_views.Clocks) -> Message:
    timeline_rules.require_text(reading.text)
    if not timeline_views.can_ask_time(reading):
        raise Refused(
            f"Not recorded. {reading.problem} Send it again with the full time, as in `2026-11-23 14:05 UTC`."
        )
    return timeline_views.time_question(reading, clocks)


async def read_text(services: Services, request: Request, number: int, version: int) -> str:
    """The text of an entry, for [Add it again]. Raises Refused if the entry was changed since."""
    entry = await services.store.read(lambda tx: require_entry(tx, require_incident(tx, request), number))
    if entry.struck or entry.version != version:
        state = "removed" if entry.struck else "changed"
        remedy = "You can restore it instead." if entry.struck else "Type it again: `/timeline …`"
        raise OutdatedButton(
            f"#{number} was {state} after that was shown, so nothing was added. {remedy}",
            offer=f"restore_entry {timeline_views.entry_ref(entry)}" if entry.struck else "",
        )
    return entry.text


def require_same_incident(incident: Incident, asked_at: datetime | None) -> None:
    """Raises Refused for a question that was asked before this incident was opened: it belongs to another one."""
    if asked_at is not None and incident.opened_at > asked_at:
        raise Refused(f"{incident.key} was opened after that question. If it belongs to {incident.key}, send it again.")


def _append(tx: Transaction, request: Request, new: NewEntry, typed: TypedLine) -> tuple[Entry, Incident]:
    incident, number = _take(tx, request)
    require_same_incident(incident, typed.asked_at)
    entry = _add_new(tx, request, new, typed)
    if entry is None:
        same = timeline_store.find_repeat(tx, incident.id, new, number - _LOOK_BACK, _lately(request))
        raise _SameAgain(incident, require_entry(tx, incident, same or 0))
    return entry, incident


def _add_new(tx: Transaction, request: Request, new: NewEntry, typed: TypedLine) -> Entry | None:
    where = request.incident_id or request.place
    return timeline_store.add_new(tx, where, new, 0 if typed.again else _LOOK_BACK, _lately(request))


def _lately(request: Request) -> datetime:
    return request.now - timeline_rules.SAME_AGAIN


def _take(tx: Transaction, request: Request) -> tuple[Incident, int]:
    """The incident to write into, with its next number: the one that a button named, else the channel's."""
    if request.incident_id is None:
        taken = incidents_store.take_entry_number(tx, request.place)
        if taken is None:
            raise Refused(describe_missing(request), offer="open_incident")
        return taken
    incident = require_open_record(tx, request, locking=True)
    return incident, incidents_store.take_entry_number_in(tx, incident.id)


def _read(typed: TypedLine, now: datetime, clocks: timeline_views.Clocks) -> Reading:
    if typed.at is None:
        return times.read(typed.line, now, clocks.zone, language=clocks.language)
    end = typed.at + typed.lasts if typed.lasts else None
    return Reading(typed.line, typed.at, end, typed.approximate, zone="UTC")


def read_clocks(services: Services, person: Person, now: datetime) -> timeline_views.Clocks:
    """The clocks by which this person's entries are read and shown."""
    zone = services.zone_for(person)
    return timeline_views.Clocks(now, zone, label_of(zone) if zone is not UTC else "", find_language(person))


async def read_own_clocks(services: Services, request: Request) -> timeline_views.Clocks:
    """The clocks of the person who asks, at the moment of the request."""
    return read_clocks(services, await services.slack.directory.look_up(request.team, request.user), request.now)


def parse_form_time(when: str, now: datetime, clocks: timeline_views.Clocks) -> Reading:
    """The time in a form's field. Raises Refused for anything but a single time."""
    # Behind a bar, all the text must be the time.
    reading = times.read(f"it | {when}", now, clocks.zone, language=clocks.language)
    if reading.question is None and (reading.utc is None or reading.text != "it"):
        raise Refused(
            f"I couldn't read “{when[:60]}” as a time. Write it as 2026-11-23 14:05, or as 14:05 UTC.", field="when"
        )
    return reading


async def blank_form(services: Services, request: Request) -> Block:
    """The form that adds an entry."""
    channel = request.place.channel
    if request.incident_id is not None:  # pressed in a DM, or below a list of what is wrong
        channel = (await services.store.read(lambda tx: require_open_record(tx, request))).channel
    return timeline_views.add_form(channel, request.incident_id, (await read_own_clocks(services, request)).label)


def require_entry(tx: Transaction, incident: Incident, number: int) -> Entry:
    """An entry by its number. Raises Refused if the incident has none."""
    entry = timeline_store.find_by_number(tx, incident.id, number)
    if entry is None:
        raise Refused(f"{incident.key} has no entry #{number}. To see them all: `/timeline show`")
    return entry


_MINUTE = timedelta(minutes=1)


async def form(services: Services, request: Request, text: str) -> Block:
    """The form that takes many lines; the preview at once if the command had a text."""
    if text.strip():
        try:
            return await _preview(services, request, paste_views.split_text(text))
        except Refused as refused:
            raise with_words(
                refused, PendingEntry(text, request.now, "", request.place.channel, request.key, is_paste=True)
            ) from refused
    clocks = await _clocks(services, request, "author")
    incident = await services.store.read(lambda tx: require_open_record(tx, request))
    return paste_views.paste_form(incident, PasteInput(), clocks, clocks.label)


async def submit(
    services: Services, request: Request, metadata: dict[str, Any], values: dict[str, Any]
) -> Message | None:
    """The form was sent: record what is ticked, if it is the text that was previewed, else preview it."""
    pasted = paste_views.read_input(values)
    if metadata.get("digest") == pasted.digest:
        return await _record(
            services,
            request,
            pasted,
            paste_views.read_preview_time(metadata, request.now),
            paste_views.read_ticked(values),
        )
    return {"response_action": "update", "view": await _preview(services, request, pasted)}


async def _preview(services: Services, request: Request, pasted: PasteInput) -> Block:
    clocks = await _clocks(services, request, pasted.zone)
    home = await _clocks(services, request, "author")
    sheet = paste_rules.read_sheet(pasted.text, request.now, clocks.zone, rolls=pasted.rolls, language=clocks.language)
    readable = tuple(line for line in sheet.lines if line.can_be_recorded)

    def look(tx: Transaction) -> Block:
        incident = require_open_record(tx, request)
        choices = _choices(readable, _read_recorded(tx, incident, readable))
        return paste_views.preview_form(incident, pasted, choices, sheet, home)

    return await services.store.read(look)


def _read_recorded(
    tx: Transaction, incident: Incident, lines: tuple[paste_rules.PastedLine, ...]
) -> dict[tuple[datetime, str], int]:
    times = [line.reading.utc for line in lines if line.reading.utc]
    if not times:
        return {}
    return timeline_store.read_recorded(tx, EntryRange(incident.id, min(times) - _MINUTE), max(times) + _MINUTE)


def _choices(lines: tuple[paste_rules.PastedLine, ...], numbers: dict[tuple[datetime, str], int]) -> tuple[Choice, ...]:
    return tuple(Choice(line, numbers.get((_to_the_minute(line), clean_input(line.text)), 0)) for line in lines)


def _to_the_minute(line: paste_rules.PastedLine) -> datetime:
    moment = line.reading.utc or datetime.min.replace(tzinfo=UTC)
    return moment.replace(second=0, microsecond=0)


async def _record(
    services: Services, request: Request, pasted: PasteInput, at: datetime, ticked: frozenset[int]
) -> Message | None:
    clocks = await _clocks(services, replace(request, now=at), pasted.zone)
    lines = paste_rules.read_lines(pasted.text, at, clocks.zone, rolls=pasted.rolls, language=clocks.language)
    chosen = tuple(line for line in lines if line.number in ticked and line.can_be_recorded)
    if not chosen:
        raise Refused("No line is checked, so there's nothing to record. Check at least one, or close this window.")

    def unit(tx: Transaction) -> Message:
        incident = require_open_record(tx, request, locking=True)
        entries = [_add(tx, request, incident, line) for line in chosen]
        return paste_views.receipt(incident, entries, len(lines) - len(chosen))

    # One preview is recorded once, however often its button is pressed.
    key = hashlib.sha256(
        "\x00".join(["paste", request.team, request.user, str(at), pasted.digest]).encode()
    ).hexdigest()
    return await run_once(services, replace(request, key=key), unit, verb="paste.record")


def _add(tx: Transaction, request: Request, incident: Incident, line: paste_rules.PastedLine) -> Entry:
    reading, user = line.reading, request.user
    assert reading.utc is not None  # noqa: S101 (a line that can be recorded has its time)
    text = clean_input(line.text, f"Line {line.number}")
    new = NewEntry(reading.utc, text, user, user, request.now, reading.end_utc, reading.approximate)
    return timeline_store.append(tx, incident.id, new)


async def _clocks(services: Services, request: Request, zone: str) -> Clocks:
    clocks = await read_own_clocks(services, request)
    return replace(clocks, zone=UTC, label="") if zone == "UTC" else clocks


_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)

Finding = Callable[[Transaction, EntryRange], tuple[Entry, ...]]


async def overview(services: Services, request: Request) -> Message:
    """The latest entries and a form."""
    clocks = await read_own_clocks(services, request)

    def look(tx: Transaction) -> Message:
        incident = require_incident(tx, request)
        case, total = case_store.load_latest(tx, incident, LATEST), timeline_store.count_active(tx, incident.id)
        fitting = timeline_views.fit_entries(case, case.entries, request.now, from_end=True)
        return timeline_views.overview(TimelinePage(case, fitting, total - len(fitting), total), clocks)

    return await services.store.read(look)


async def show(services: Services, request: Request, back: timedelta | None) -> Message:
    """The last page of the timeline, or of what happened in the last while."""
    since = request.now - back if back else None

    def look(tx: Transaction) -> Message:
        return _last(tx, require_incident(tx, request), since, request.now)

    return await services.store.read(look)


async def turn_page(services: Services, request: Request, value: dict[str, Any]) -> Message:
    """The page before or after the one whose button was pressed, as the timeline is now."""
    since = datetime.fromisoformat(value["since"]) if value["since"] else None
    anchor = Anchor(datetime.fromisoformat(value["at"]), int(value["number"]))
    is_older = value["way"] == "older"

    def find(tx: Transaction, span: EntryRange) -> tuple[Entry, ...]:
        return (timeline_store.list_before if is_older else timeline_store.list_after)(tx, span, anchor, PAGE)

    def look(tx: Transaction) -> Message:
        incident = require_incident(tx, request)
        page = _page(tx, incident, find, _PageView(request.now, since, is_older))
        # What the button led to was taken back meanwhile.
        return (
            timeline_views.page_message(page, request.now) if page.entries else _last(tx, incident, since, request.now)
        )

    return await services.store.read(look)


def _last(tx: Transaction, incident: Incident, since: datetime | None, now: datetime) -> Message:
    view = _PageView(now, since, from_end=True)
    return timeline_views.page_message(
        _page(tx, incident, lambda tx, span: timeline_store.list_last(tx, span, PAGE), view), now
    )


@dataclass(frozen=True, slots=True)
class _PageView:
    """How a page is shown at `now`: only what happened `since`; `from_end` to keep its end if it is too long."""

    now: datetime
    since: datetime | None
    from_end: bool


def _page(tx: Transaction, incident: Incident, find: Finding, view: _PageView) -> TimelinePage:
    """What is found, as far as it fits into one message."""
    span = EntryRange(incident.id, view.since or _BEGINNING)
    found = find(tx, span)
    case = case_store.load_page(tx, incident, found)
    entries = timeline_views.fit_entries(case, found, view.now, from_end=view.from_end)
    skipped = timeline_store.count_before(tx, span, Anchor(entries[0].happened_at, entries[0].number)) if entries else 0
    return TimelinePage(case, entries, skipped, timeline_store.count_since(tx, span), view.since)
