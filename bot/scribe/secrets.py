"""The verbs about what looks like a credential: warn its author, take it out of the record, or let it stand."""

import asyncio
import logging

from bot.errors import Refused
from bot.incident import secrets
from bot.incident.records import Incident
from bot.incident.spots import Noun, Spot, Subject
from bot.scribe import timeline_corrected
from bot.scribe.desk import Asked, Desk, once, require_incident
from bot.scribe.redaction import Redaction
from bot.scribe.secrets_elsewhere import find, redact_there
from bot.slack import secrets as says
from bot.slack.blocks import Message
from storage import actions, attachments, audit, deliveries, incidents, sections, whys
from storage import kept as drafts
from storage import secrets as kept
from storage import timeline as entries
from storage.statements import Transaction

log = logging.getLogger(__name__)

DROPPED = "it was let go of when its entry was redacted"


async def redact(desk: Desk, asked: Asked, subject: Subject, *, with_files: bool = False) -> Message | None:
    """Replace what looks like a credential in an entry, a why, an action, a section or the title by "[redacted]".

    It is gone from every wording of everything in the incident, from sections of other incidents that quote it, from
    what waits to be sent and from the answers kept for repeats. The history says who redacted and when. `with_files`
    lets go of the entry's files as well. Where the same words stand in other incidents, the answer offers those.
    """

    def held(tx: Transaction) -> tuple[Incident, frozenset[str]]:
        incident, texts = _held(tx, asked, subject, locking=False)
        return incident, frozenset().union(*map(secrets.values, texts))

    also = await find(desk, asked, held)

    def unit(tx: Transaction) -> Message:
        incident, texts = _held(tx, asked, subject)
        values = frozenset().union(*map(secrets.values, texts))
        entry = entries.by_number(tx, incident.id, subject.number) if subject.noun is Noun.ENTRY else None
        files = attachments.names(tx, entry.id) if entry and with_files else ()
        if not values and not files:
            raise Refused(says.nothing_in(subject, was_redacted=any(secrets.REDACTED in text for text in texts)))
        done = Redaction(incident, values, asked.user, asked.now).take_out(tx)
        if entry and files:
            attachments.drop(tx, entry.id, DROPPED)
        return says.redacted(subject, done, files, also.left(tx))

    said = await once(desk, asked, unit)
    await _wipe(desk)
    return said


async def redact_elsewhere(desk: Desk, asked: Asked, spots: tuple[Spot, ...]) -> Message | None:
    """[Redact there]: the same, at these spots of another incident."""
    said = await redact_there(desk, asked, spots)
    await _wipe(desk)
    return said


async def _wipe(desk: Desk) -> None:
    if not await asyncio.to_thread(kept.wipe, desk.store):
        log.warning("a redacted text stays in the write-ahead log until the database is quiet")


async def leave(desk: Desk, asked: Asked, subject: Subject) -> Message:
    """It is harmless: what was written as it reads, without the warning; an entry with its buttons."""
    if subject.noun is Noun.ENTRY:
        return await timeline_corrected.offer_edit(desk, asked, subject.number)
    texts = await desk.store.read(lambda tx: _held(tx, asked, subject, locking=False)[1])
    return says.left(subject, texts[-1])


def warn(tx: Transaction, incident: Incident, subject: Subject, text: str, asked: Asked) -> None:
    """Owe its author a DM where what they wrote looks as if it held a credential.

    For what everybody reads the answer to, or what has none; the receipt of an entry carries the warning itself.
    """
    spans = secrets.found(text)
    if spans:
        entry = entries.by_number(tx, incident.id, subject.number) if subject.noun is Noun.ENTRY else None
        files = attachments.names(tx, entry.id) if entry else ()
        said = says.warning_alone(spans, subject, incident, files)
        deliveries.tell(tx, incident, said, asked.now, to=asked.user)


def _held(tx: Transaction, asked: Asked, subject: Subject, *, locking: bool = True) -> tuple[Incident, tuple[str, ...]]:
    """The incident that is meant, and every wording of the subject; whoever wrote one may do so from a DM as well.

    Raises Refused where there is no such thing, and where the person may not touch it.
    """
    found = incidents.by_id(tx, asked.incident_id, locking=locking) if asked.incident_id else None
    if found is not None and found.team == asked.team:
        authors, texts = _wordings(tx, found, subject)
        if asked.user in authors:
            return found, texts
    incident = require_incident(tx, asked, locking=locking)
    texts = _wordings(tx, incident, subject)[1]
    if not texts:
        raise Refused(says.no_such(subject, incident))
    return incident, texts


def _wordings(tx: Transaction, incident: Incident, subject: Subject) -> tuple[set[str], tuple[str, ...]]:
    """Who wrote it, and all that was ever written; nothing where there is no such thing."""
    match subject.noun:
        case Noun.ENTRY:
            return _entry(tx, incident, subject.number)
        case Noun.WHY:
            return _why(tx, incident, subject.number)
        case Noun.ACTION:
            found = [one for one in actions.of_incident(tx, incident.id) if one.number == subject.number]
            changed_by = {
                line.who
                for line in audit.of_incident(tx, incident.id)
                if f"action {subject.number}" in line.what.split(", ")
            }
            texts = tuple(text for one in found for text in (one.link, one.reason, one.text))
            return changed_by | {one.created_by for one in found}, texts
        case Noun.SECTION:
            saved = sections.history(tx, incident.id, subject.which)
            return {one.author for one in saved}, tuple(one.text for one in saved)
        case Noun.TITLE:
            # The first entry tells the title that it was opened with, also once it is called otherwise.
            return {incident.opened_by}, (*_entry(tx, incident, 1)[1], incident.title)
        case Noun.DRAFT:
            edited = [one for one in drafts.of_incident(tx, incident.id) if one.section == subject.which]
            return {one.author for one in edited}, tuple(one.markdown for one in edited)


def _entry(tx: Transaction, incident: Incident, number: int) -> tuple[set[str], tuple[str, ...]]:
    entry = entries.by_number(tx, incident.id, number)
    if entry is None:
        return set(), ()
    return {entry.author, entry.recorder}, tuple(one.text for one in entries.versions(tx, entry.id))


def _why(tx: Transaction, incident: Incident, number: int) -> tuple[set[str], tuple[str, ...]]:
    wordings = [
        wording for why in whys.every(tx, incident.id) if why.number == number for wording in whys.versions(tx, why.id)
    ]
    return {wording.changed_by for wording in wordings}, tuple(wording.text for wording in wordings)
