"""The verbs about what looks like a credential: take it out of the record, or let it stand."""

import asyncio
import json
import logging
from datetime import datetime
from functools import partial
from typing import Any

from bot.errors import Refused
from bot.incident import secrets
from bot.incident.records import Entry, Incident
from bot.incident.sections import BY_SLUG
from bot.scribe import timeline
from bot.scribe.desk import Asked, Desk, once, require_incident
from bot.slack import secrets as says
from bot.slack.blocks import Message
from bot.slack.text import escape
from storage import deliveries, incidents, recall, sections
from storage import secrets as kept
from storage import timeline as entries
from storage.deliveries import Owed
from storage.secrets import Copy, Reach
from storage.statements import Transaction

log = logging.getLogger(__name__)

_JSON_PLACES = ("delivery", "inbox", "lookback")


async def redact(desk: Desk, asked: Asked, number: int) -> Message | None:
    """Replace what looks like a credential in an entry, and every copy of it in the incident, by "[redacted]".

    It is gone from every wording, from what waits to be sent and from the answers kept for repeats; only a section's
    text is for its author to change. The history says who redacted and when.
    """

    def unit(tx: Transaction) -> Message:
        incident = _incident(tx, asked, number)
        entry = _entry(tx, incident, number)
        values = _values(tx, entry)
        entries.redact(tx, entry, partial(secrets.redacted, known=values), asked.user, asked.now)
        others = _redact_others(tx, incident, values, asked)
        _redact_copies(tx, Reach(incident.id, incident.team, incident.opened_at), values)
        recall.forget(tx)
        return says.redacted(number, others, _sections(tx, incident, values))

    said = await once(desk, asked, unit)
    if not await asyncio.to_thread(kept.wipe, desk.store):
        log.warning("a redacted text stays in the write-ahead log until the database is quiet")
    return said


async def leave(desk: Desk, asked: Asked, number: int) -> Message:
    """It is harmless: the entry as it reads, with its buttons and without the warning."""
    return await timeline.offer_edit(desk, asked, number)


def warn(tx: Transaction, incident: Incident, entry: Entry, to: str, now: datetime) -> None:
    """Owe somebody (a user id) a DM where their entry looks as if it held a credential.

    For entries whose answer everybody reads, or that have none; the receipt of others carries the warning itself.
    """
    spans = secrets.found(entry.text)
    if spans:
        body = json.dumps(says.warning_alone(spans, entry, incident))
        deliveries.owe(tx, Owed(incident.team, "message", to, body, now, incident.id))


def _incident(tx: Transaction, asked: Asked, number: int) -> Incident:
    """The incident that is meant; whose entry it is may redact it from a DM as well."""
    found = incidents.by_id(tx, asked.incident_id, locking=True) if asked.incident_id else None
    if found is not None and found.team == asked.team:
        entry = entries.by_number(tx, found.id, number)
        if entry is not None and asked.user in (entry.author, entry.recorder):
            return found
    return require_incident(tx, asked, locking=True)


def _entry(tx: Transaction, incident: Incident, number: int) -> Entry:
    entry = entries.by_number(tx, incident.id, number)
    if entry is None:
        sentence = f"{incident.key} has no entry #{number}."
        raise Refused(sentence)
    return entry


def _sections(tx: Transaction, incident: Incident, values: frozenset[str]) -> tuple[str, ...]:
    """The titles of the sections that quote one of the credentials."""
    saved = sections.latest(tx, incident.id)
    return tuple(BY_SLUG[slug].title for slug, told in saved.items() if secrets.without(told.text, values) != told.text)


def _values(tx: Transaction, entry: Entry) -> frozenset[str]:
    """The credentials in any wording of the entry."""
    wordings = entries.versions(tx, entry.id)
    found = frozenset().union(*(secrets.values(version.text) for version in wordings))
    if found:
        return found
    was_redacted = any(version.change == "redacted" for version in wordings)
    sentence = (
        f"#{entry.number} {'is redacted already' if was_redacted else 'holds nothing that looks like a credential'}."
    )
    raise Refused(sentence)


def _redact_others(tx: Transaction, incident: Incident, values: frozenset[str], asked: Asked) -> tuple[int, ...]:
    """The same in other entries; their numbers."""
    clean = partial(secrets.without, known=values)
    suspects = {number for value in values for number in kept.entries_with(tx, incident.id, kept.mark_of(value))}
    done = []
    for number in sorted(suspects):
        entry = _entry(tx, incident, number)
        if any(clean(version.text) != version.text for version in entries.versions(tx, entry.id)):
            entries.redact(tx, entry, clean, asked.user, asked.now)
            done.append(number)
    return tuple(done)


def _redact_copies(tx: Transaction, reach: Reach, values: frozenset[str]) -> None:
    for value in values:
        for copy in kept.copies(tx, reach, kept.mark_of(value)):
            text = _cleaned(copy, values)
            if text != copy.text:
                kept.rewrite(tx, copy, text)


def _cleaned(copy: Copy, values: frozenset[str]) -> str:
    if copy.place not in _JSON_PLACES:
        return secrets.without(copy.text, values)
    try:
        text = json.dumps(_walked(json.loads(copy.text), values))
    except ValueError:  # a file's format, which is no JSON
        text = secrets.without(copy.text, values)
    # Words may be cut or wrapped in a way that hides the rest of a credential: then none of them stay.
    still = any(kept.mark_of(value) in text for value in values)
    return json.dumps(says.forgotten()) if still and copy.place != "lookback" else text


def _walked(found: Any, values: frozenset[str]) -> Any:
    """A JSON value with every string in it redacted; what a button carries is JSON itself."""
    if isinstance(found, str):
        return secrets.without(found, _forms(values))
    if isinstance(found, list):
        return [_walked(item, values) for item in found]
    if isinstance(found, dict):
        return {key: _walked(item, values) for key, item in found.items()}
    return found


def _forms(values: frozenset[str]) -> frozenset[str]:
    """Each credential as typed, as mrkdwn, and as a button's JSON."""
    shown = values | {escape(value) for value in values}
    quoted = {json.dumps(value, ensure_ascii=is_ascii)[1:-1] for value in shown for is_ascii in (True, False)}
    return shown | quoted
