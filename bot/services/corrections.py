"""Corrections of the timeline: an entry is reworded, moved, taken back and brought back; every wording is kept.

What an old button meets: the thing that it is about has changed since, and the answer says how it stands now.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC
from functools import partial
from typing import Any

from bot.domain import timeline as timeline_rules
from bot.domain import times
from bot.domain.records import Entry, Incident, PostmortemStatus, Why
from bot.domain.text import clean_input
from bot.domain.times import Reading
from bot.errors import Refused
from bot.services.context import Request, Services, require_incident, run_once
from bot.services.reminders import as_corrected
from bot.services.timeline import SeenEntry, last_editor, own_clocks, require_entry, time_in_form
from bot.slack.views import corrections as corrections_views
from bot.slack.views import form_fields as form_fields_views
from bot.slack.views import timeline as timeline_views
from bot.slack.views.blocks import Block, Message
from bot.slack.views.corrections import EditedFields
from bot.slack.views.timeline import Clocks
from storage import attachments as attachments_store
from storage import timeline as timeline_store
from storage import whys as whys_store
from storage.database.statements import Transaction


@dataclass(frozen=True, slots=True)
class Pressed:
    """What the message showed that a button hangs on: which version, and whether it was said to be harmless.

    A command shows nothing, so its version is None.
    """

    version: int | None = None
    is_harmless: bool = False


TYPED = Pressed()


def pressed_in(value: Mapping[str, Any]) -> Pressed:
    """What a button's message showed, as the button carries it."""
    version = value.get("version")
    return Pressed(version if isinstance(version, int) else None, bool(value.get("harmless")))


def entry_since(
    tx: Transaction, services: Services, request: Request, entry: Entry, pressed: Pressed, clocks: Clocks
) -> Message | None:
    """How an entry stands now, where somebody changed it or took it back after the button was shown; else None."""
    if pressed.version in (None, entry.version):
        return None
    return corrections_views.entry(entry, clocks, _who_changed(tx, services, request, entry))


def changed_since(tx: Transaction, services: Services, request: Request, entry: Entry, pressed: Pressed) -> str:
    """Who changed an entry after the button was shown; empty where nobody did."""
    return "" if pressed.version in (None, entry.version) else _who_changed(tx, services, request, entry)


def require_standing(tx: Transaction, services: Services, request: Request, entry: Entry) -> None:
    """Raises Refused, with the button that brings it back, for an entry that was taken back."""
    if entry.struck:
        name = _named(services, request, _who_changed(tx, services, request, entry))
        raise Refused(
            f"#{entry.number} was taken back by {name}, and stays so until somebody brings it back.",
            offer=f"restore_entry {corrections_views.entry_ref(entry)}",
        )


def _who_changed(tx: Transaction, services: Services, request: Request, entry: Entry) -> str:
    versions = timeline_store.versions(tx, entry.id)
    who = versions[-1].changed_by if versions else entry.recorder
    return services.slack.directory.name(request.team, who) or who


def _named(services: Services, request: Request, name: str) -> str:
    return "you" if name == (services.slack.directory.name(request.team, request.user) or request.user) else name


def why_since(tx: Transaction, services: Services, request: Request, why: Why, pressed: Pressed) -> Message | None:
    """The same of a why."""
    if pressed.version in (None, why.version):
        return None
    return corrections_views.why(why, _who_changed_why(tx, services, request, why))


def why_changed_since(tx: Transaction, services: Services, request: Request, why: Why, pressed: Pressed) -> str:
    """Who changed a why after the button was shown; empty where nobody did."""
    return "" if pressed.version in (None, why.version) else _who_changed_why(tx, services, request, why)


def require_why(tx: Transaction, services: Services, request: Request, why: Why) -> None:
    """Raises Refused, with the button that brings it back, for a why that was taken back."""
    if why.struck:
        name = _named(services, request, _who_changed_why(tx, services, request, why))
        raise Refused(
            f"Why {why.number} was taken back by {name}, and stays so until somebody brings it back.",
            offer=f"restore_why {corrections_views.why_ref(why)}",
        )


def _who_changed_why(tx: Transaction, services: Services, request: Request, why: Why) -> str:
    wordings = whys_store.versions(tx, why.id)
    who = wordings[-1].changed_by if wordings else why.author
    return services.slack.directory.name(request.team, who) or who


def require_owed(incident: Incident) -> None:
    """Raises Refused for a reminder's button once nothing is asked of the postmortem any more."""
    key, status = incident.key, incident.postmortem_status
    if status.is_finished:
        word = "published" if status is PostmortemStatus.PUBLISHED else "waived"
        raise Refused(f"The postmortem of {key} is {word} already. `/postmortem reopen {key}` asks for it again.")
    if incident.resolved_at is None:
        raise Refused(f"{key} is open again, so nothing is asked of its postmortem yet.")


async def show_one(services: Services, request: Request, number: int) -> Message:
    """One entry with every wording it ever had."""
    clocks = await own_clocks(services, request)

    def look(tx: Transaction) -> Message:
        incident = require_incident(tx, request)
        entry = require_entry(tx, incident, number)
        return corrections_views.history(
            entry, timeline_store.versions(tx, entry.id), clocks, partial(services.slack.directory.name, request.team)
        )

    return await services.store.read(look)


@dataclass(frozen=True, slots=True)
class Rewording:
    """What an entry is to become: an empty text keeps the words, None or a reading without a time keeps the time.

    Of a form, `version` is the one that its editor saw, and `typed` what they changed in it; None for a command.
    `is_chosen`: the time is one of those that were asked.
    """

    reading: Reading | None
    text: str
    typed: EditedFields | None = None
    version: int | None = None
    is_chosen: bool = False


async def edit(services: Services, request: Request, number: int, line: str) -> Message | None:
    """Change an entry's time, its text or both, as `/timeline edit 4 [time] [text]`."""
    clocks = await own_clocks(services, request)
    reading = times.read(line, request.now, clocks.zone, language=clocks.language)
    if reading.question is not None:
        return await _ask(services, request, number, reading, clocks)
    return await _amend(services, request, number, Rewording(reading, reading.text), clocks)


async def _ask(
    services: Services, request: Request, number: int, reading: Reading, clocks: timeline_views.Clocks
) -> Message:
    entry = await services.store.read(lambda tx: require_entry(tx, require_incident(tx, request), number))
    question = corrections_views.question(entry, reading, clocks)
    if question is None:
        raise Refused(_not_changed(number, reading, request))
    return question


async def edit_at(services: Services, request: Request, seen: SeenEntry, reading: Reading) -> Message | None:
    """Change an entry as `/timeline edit` would have, at the one of its readings that was chosen."""
    clocks = await own_clocks(services, request)
    rewording = Rewording(reading, reading.text, version=seen.version, is_chosen=True)
    return await _amend(services, request, seen.number, rewording, clocks)


async def save_form(
    services: Services, request: Request, metadata: dict[str, Any], values: dict[str, Any]
) -> Message | None:
    """Save the form behind [Edit]; raises Refused for a time that cannot be read, which the form then shows."""
    clocks = await own_clocks(services, request)
    when = form_fields_views.change(metadata, "when", str(values.get("when") or "").strip())
    typed = EditedFields(when, form_fields_views.text_change(metadata, values))
    reading = None if when is None else time_in_form(when, request.now, clocks)
    rewording = Rewording(reading, typed.text or "", typed, int(metadata["version"]))
    return await _amend(services, request, int(metadata["entry"]), rewording, clocks)


async def _amend(
    services: Services, request: Request, number: int, wanted: Rewording, clocks: timeline_views.Clocks
) -> Message | None:
    text = clean_input(wanted.text, "That entry")
    _require_one(wanted, number, request)

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request, locking=True)
        before = require_entry(tx, incident, number)
        if wanted.version is not None and before.version != wanted.version:
            who = last_editor(services, tx, request, before)
            if wanted.typed is None:
                return corrections_views.changed_since(before, clocks, who)
            return corrections_views.stale_form(before, clocks, wanted.typed, who)
        entry = replace(_moved(before, wanted, clocks), text=text or before.text, struck=False)
        if entry == before:
            return corrections_views.standing(entry, clocks)
        entry = timeline_store.amend(tx, entry, "edited", request.user, request.now)
        turn = corrections_views.Turn(
            incident, as_corrected(tx, services.policy.reminders, incident, entry, request.now), request.user
        )
        return corrections_views.edited(
            entry, before, clocks, turn, attachments_store.names(tx, entry.id), named=wanted.reading
        )

    return await run_once(services, request, unit, verb="timeline.amend")


def _require_one(wanted: Rewording, number: int, request: Request) -> None:
    """Raises Refused for a time that has not one reading, and for one that is still to come, unless it was chosen."""
    reading = wanted.reading
    if reading is None:
        return
    if reading.question is not None:
        raise Refused(_not_changed(number, reading, request), field="when")
    if reading.utc is not None:
        require = timeline_rules.require_chosen if wanted.is_chosen else timeline_rules.require_past
        require(reading.utc, request.now)


def _not_changed(number: int, reading: Reading, request: Request) -> str:
    as_in = timeline_rules.format_choices(reading.question, request.now)
    return f"#{number} was not changed. {reading.problem} Write the time in full, as in {as_in}."


def _moved(before: Entry, wanted: Rewording, clocks: timeline_views.Clocks) -> Entry:
    """The entry at the time that was read; raises Refused where that says nothing of an end which it then needs.

    A form shows the whole time, and what it says is meant. A command may give the start alone: then the end moves
    along, and seconds stay where only the minute was written.
    """
    reading = wanted.reading
    if reading is None or reading.utc is None:
        return before
    start, end = reading.utc, reading.end_utc
    if wanted.typed is None:
        whole = reading.precise
        start = start if whole else timeline_rules.keep_seconds(before.happened_at, start)
        if end is not None:
            end = end if whole or before.ended_at is None else timeline_rules.keep_seconds(before.ended_at, end)
        elif before.ended_at is not None:
            end = timeline_rules.move_end(before, start, clocks.now, clocks.zone)
    return replace(before, happened_at=start, ended_at=end, approximate=reading.approximate)


async def offer_edit(services: Services, request: Request, number: int) -> Message:
    """`/timeline edit 4` without words: the entry with its buttons."""
    clocks = await own_clocks(services, request)
    entry = await services.store.read(lambda tx: require_entry(tx, require_incident(tx, request), number))
    return corrections_views.standing(entry, clocks)


async def strike(services: Services, request: Request, number: int | None, pressed: Pressed = TYPED) -> Message | None:
    """Take an entry back: the numbered one, else the one this person recorded last. It stays in the history."""
    clocks = await own_clocks(services, request)

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request, locking=True)
        entry = _last(tx, incident, request.user) if number is None else require_entry(tx, incident, number)
        if now := entry_since(tx, services, request, entry, pressed, clocks):
            return now
        if entry.struck:
            raise Refused(f"#{entry.number} was taken back already.")
        entry = timeline_store.amend(tx, replace(entry, struck=True), "struck", request.user, request.now)
        after = as_corrected(tx, services.policy.reminders, incident, entry, request.now)
        return corrections_views.struck(
            entry, corrections_views.Turn(incident, after, request.user, pressed.is_harmless)
        )

    return await run_once(services, request, unit, verb="timeline.strike")


async def restore(services: Services, request: Request, number: int, pressed: Pressed = TYPED) -> Message | None:
    """Bring a struck entry back."""

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request, locking=True)
        entry = require_entry(tx, incident, number)
        if not entry.struck:
            raise Refused(f"#{number} stands in the timeline already.")
        entry = timeline_store.amend(tx, replace(entry, struck=False), "restored", request.user, request.now)
        after = as_corrected(tx, services.policy.reminders, incident, entry, request.now)
        return corrections_views.restored(
            entry, corrections_views.Turn(incident, after, request.user, pressed.is_harmless)
        )

    return await run_once(services, request, unit, verb="timeline.restore")


async def as_utc(services: Services, request: Request, number: int, written: str, pressed: Pressed) -> Message | None:
    """Read an entry's time as it was written once more, in UTC; its words stay: the answer to [That was UTC].

    What was taken back or changed since the button was shown stays as it is.
    """
    clocks = await own_clocks(services, request)

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request, locking=True)
        before = require_entry(tx, incident, number)
        if now := entry_since(tx, services, request, before, pressed, clocks):
            return now
        reading = times.read(f"{written} .", before.recorded_at, UTC, language=clocks.language)
        if reading.utc is None:
            why = f"{reading.problem or ''} `/timeline edit {number} …` gives it a time in full."
            raise Refused(f"#{number} stays as it is. {why}")
        lasts = before.ended_at - before.happened_at if before.ended_at else None
        end = reading.end_utc or (reading.utc + lasts if lasts else None)
        entry = replace(before, happened_at=reading.utc, ended_at=end, struck=False)
        entry = timeline_store.amend(tx, entry, "edited", request.user, request.now)
        after = as_corrected(tx, services.policy.reminders, incident, entry, request.now)
        return corrections_views.edited(entry, before, clocks, corrections_views.Turn(incident, after, request.user))

    return await run_once(services, request, unit, verb="timeline.as_utc")


async def form_for(services: Services, request: Request, number: int, pressed: Pressed) -> Block:
    """The form that edits an entry; raises Refused for one that was taken back."""
    clocks = await own_clocks(services, request)

    def look(tx: Transaction) -> Block:
        entry = require_entry(tx, require_incident(tx, request), number)
        require_standing(tx, services, request, entry)
        return corrections_views.edit_form(entry, clocks, changed_since(tx, services, request, entry, pressed))

    return await services.store.read(look)


def _last(tx: Transaction, incident: Incident, user: str) -> Entry:
    entry = timeline_store.last_by(tx, incident.id, user)
    if entry is None:
        raise Refused(f"You have recorded nothing in {incident.key} that could be taken back.")
    return entry
