"""Updates: what an incident's responders tell people outside, each with the promise of the next one if they like."""

from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.announcements import updates as updates_rules
from bot.domain.announcements.updates import UpdateLine
from bot.domain.records import Incident, Status
from bot.domain.secrets import RecordKind, RecordRef
from bot.domain.text import clean_input, require_length
from bot.domain.timeline import require_text
from bot.errors import OutdatedButton, Refused
from bot.services import secrets as secrets_service
from bot.services.announcements import promises as promises_service
from bot.services.context import Request, Services, require_incident, require_open_record, run_once
from bot.services.timeline import read_own_clocks
from bot.slack.views import announcements as announcements_views
from bot.slack.views.blocks import Block, Message
from storage import timeline as timeline_store
from storage.announcements import updates as updates_store
from storage.announcements.updates import IncidentUpdate
from storage.database.statements import Transaction
from storage.timeline import NewEntry

_EXAMPLE = "`/incident update checkout at 80 %, next in 30m`"


async def update(services: Services, request: Request, line: str) -> Message | None:
    """Record an update as typed: an entry, what people outside read, and until when the next one is promised."""
    clocks = await read_own_clocks(services, request)
    typed = updates_rules.split_update(line, request.now, clocks.zone, clocks.language)
    if typed.problem:
        raise Refused(
            f"Not recorded. I couldn't read “{typed.problem[:60]}” as one time ahead, within 7 days. Try `next in 30m` "
            "or `next 15:00 UTC`."
        )
    return await _send(services, request, typed)


async def send_form(services: Services, request: Request, text: str, when: str) -> Message | None:
    """Record the update of the form behind [Write]."""
    clocks = await read_own_clocks(services, request)
    next_at = updates_rules.read_promise(when, request.now, clocks.zone, clocks.language) if when.strip() else None
    if when.strip() and next_at is None:
        raise Refused(
            f"I couldn't read “{when[:60]}” as one time ahead, within 7 days. Write in 30m, or 15:00 UTC.", field="next"
        )
    return await _send(services, request, UpdateLine(text, next_at))


async def _send(services: Services, request: Request, typed: UpdateLine) -> Message | None:
    clocks = await read_own_clocks(services, request)
    text = clean_input(typed.text, "That update")
    if not text:
        raise Refused(f"What's the news? Try {_EXAMPLE}", field="text")
    require_length(text, "That update")
    text = require_text(text)
    new = NewEntry(request.now, text, request.user, request.user, request.now)

    def unit(tx: Transaction) -> Message:
        incident = require_open_record(tx, request, locking=True)
        if incident.status is Status.RESOLVED and typed.next_at is not None:
            raise Refused(f"{incident.key} is resolved, so no further update is due. Send it without `next`.")
        entry = timeline_store.append(tx, incident.id, new)
        pace = round((typed.next_at - request.now).total_seconds()) if typed.next_at else 0
        ahead = IncidentUpdate(0, incident.id, entry.id, request.user, request.now, typed.next_at, pace, None)
        updates_store.add_update(tx, ahead)
        promises_service.settle_questions(tx, incident, "answered", None, request.now)
        _schedule(tx, incident)
        secrets_service.warn(tx, incident, RecordRef(RecordKind.ENTRY, str(entry.number)), text, request)
        channel = services.policy.announce.channel
        return announcements_views.update_receipt(entry, incident, typed.next_at, clocks, channel)

    return await run_once(services, request, unit, verb="announcements.update")


def _schedule(tx: Transaction, incident: Incident) -> None:
    found = updates_store.find_update(tx, incident.id)
    if found is not None:
        promises_service.schedule(tx, incident, found[0])


async def form(services: Services, request: Request) -> Block:
    """The form behind [Write]."""

    def look(tx: Transaction) -> Block:
        incident = require_incident(tx, request)
        found = updates_store.find_update(tx, incident.id)
        pace = found[0].pace if found is not None else 0
        return announcements_views.update_form(incident, request.place.channel, pace, request.user)

    return await services.store.read(look)


async def extend(services: Services, request: Request) -> Message | None:
    """[Nothing new]: people outside read so, and the next update is promised for as long again."""

    def unit(tx: Transaction) -> None:
        incident, latest = _require_promise(tx, request)
        pace = timedelta(seconds=latest.pace) or updates_rules.USUAL_PACE
        changed = replace(latest, quiet_at=request.now, next_at=_to_the_minute(request.now + pace))
        updates_store.save_update(tx, changed)
        promises_service.settle_questions(tx, incident, "quiet", changed, request.now)
        promises_service.schedule(tx, incident, changed)

    return await run_once(services, request, unit, verb="announcements.extend")


async def end(services: Services, request: Request) -> Message | None:
    """[No more]: nothing is promised any more."""

    def unit(tx: Transaction) -> None:
        incident, latest = _require_promise(tx, request)
        updates_store.save_update(tx, replace(latest, next_at=None))
        promises_service.settle_questions(tx, incident, "ended", None, request.now)

    return await run_once(services, request, unit, verb="announcements.end")


def _to_the_minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def _require_promise(tx: Transaction, request: Request) -> tuple[Incident, IncidentUpdate]:
    """The incident, locked, with its latest update. Raises Refused if that promises nothing any more."""
    incident = require_incident(tx, request, locking=True)
    if incident.status is Status.RESOLVED:
        raise OutdatedButton(f"{incident.key} is resolved, so no update is due.")
    found = updates_store.find_update(tx, incident.id)
    if found is None or found[0].next_at is None:
        raise OutdatedButton(f"No update of {incident.key} is promised anymore. To send one: {_EXAMPLE}")
    if found[0].next_at > request.now:
        raise OutdatedButton(f"{incident.key} has a newer promise already, so nothing was changed.")
    return incident, found[0]
