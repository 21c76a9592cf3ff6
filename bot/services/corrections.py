"""Corrections of the timeline: an entry is edited, moved, taken back and brought back. Every wording is kept."""

from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any

from bot.domain import timeline as timeline_rules
from bot.domain import times
from bot.domain.records import Entry, Incident
from bot.domain.text import clean_input
from bot.domain.times import Reading
from bot.errors import Refused
from bot.services.context import Request, Services, require_incident, run_once
from bot.services.timeline import SeenEntry, parse_form_time, read_own_clocks, require_entry
from bot.services.versioned_text import TYPED, ShownVersion, VersionedText, amend_entry, find_last_editor
from bot.slack.views import blocks
from bot.slack.views import corrections as corrections_views
from bot.slack.views.blocks import Block, Message
from bot.slack.views.corrections import EditedFields
from bot.slack.views.timeline import Clocks
from storage import attachments as attachments_store
from storage import timeline as timeline_store
from storage.database.statements import Transaction


class _EntryText(VersionedText[Entry]):
    already_active = "stands in the timeline already."

    def find(self, tx: Transaction, incident: Incident, number: int) -> Entry:
        return require_entry(tx, incident, number)

    def find_last(self, tx: Transaction, incident: Incident) -> Entry:
        entry = timeline_store.find_last_by(tx, incident.id, self.request.user)
        if entry is None:
            raise Refused(f"You have recorded nothing in {incident.key} that could be taken back.")
        return entry

    def save(self, tx: Transaction, incident: Incident, text: Entry, change: str, shown: ShownVersion) -> Message:
        entry, turn = amend_entry(tx, self.services, self.request, (incident, text), change, shown)
        return (
            corrections_views.strike_receipt(entry, turn)
            if entry.struck
            else corrections_views.restore_receipt(entry, turn)
        )

    def edit_form(self, tx: Transaction, text: Entry, changed_by: str) -> Block:
        return corrections_views.edit_form(text, self.clocks, changed_by)


async def _entries(services: Services, request: Request) -> _EntryText:
    return _EntryText(services, request, await read_own_clocks(services, request))


async def strike(
    services: Services, request: Request, number: int | None, shown: ShownVersion = TYPED
) -> Message | None:
    """Take an entry back: the numbered one, or else the last that the user recorded. It stays in the history."""
    return await (await _entries(services, request)).strike(number, shown, verb="timeline.strike")


async def restore(services: Services, request: Request, number: int, shown: ShownVersion = TYPED) -> Message | None:
    """Bring a struck entry back."""
    return await (await _entries(services, request)).restore(number, shown, verb="timeline.restore")


async def show_history(services: Services, request: Request, number: int) -> Message:
    """An entry with every wording it ever had."""
    return await (await _entries(services, request)).history(number)


async def show(services: Services, request: Request, number: int) -> Message:
    """`/timeline edit 4` without words: the entry with its buttons."""
    return await (await _entries(services, request)).show(number)


async def edit_form(services: Services, request: Request, number: int, shown: ShownVersion) -> Block:
    """The form that edits an entry. Raises Refused for one that was taken back."""
    return await (await _entries(services, request)).form(number, shown)


@dataclass(frozen=True, slots=True)
class Rewording:
    """The change of an entry: an empty text keeps the text; None or a reading without a time keeps the time.

    From a form, `version` is the one that its editor saw, and `typed` what they changed in it; None from a command.
    `is_chosen` if the time was chosen from the buttons of a question.
    """

    reading: Reading | None
    text: str
    typed: EditedFields | None = None
    version: int | None = None
    is_chosen: bool = False


async def edit(services: Services, request: Request, number: int, line: str) -> Message | None:
    """Change an entry's time, its text or both, as `/timeline edit 4 [time] [text]`."""
    clocks = await read_own_clocks(services, request)
    reading = times.read(line, request.now, clocks.zone, language=clocks.language)
    if reading.question is not None:
        return await _ask(services, request, number, reading, clocks)
    return await _amend(services, request, number, Rewording(reading, reading.text), clocks)


async def _ask(services: Services, request: Request, number: int, reading: Reading, clocks: Clocks) -> Message:
    entry = await services.store.read(lambda tx: require_entry(tx, require_incident(tx, request), number))
    question = corrections_views.time_question(entry, reading, clocks)
    if question is None:
        raise Refused(_not_changed(number, reading, request))
    return question


async def edit_at(services: Services, request: Request, seen: SeenEntry, reading: Reading) -> Message | None:
    """Change an entry as `/timeline edit` would have, at the one of its readings that was chosen."""
    clocks = await read_own_clocks(services, request)
    rewording = Rewording(reading, reading.text, version=seen.version, is_chosen=True)
    return await _amend(services, request, seen.number, rewording, clocks)


async def save_form(
    services: Services, request: Request, metadata: dict[str, Any], values: dict[str, Any]
) -> Message | None:
    """Save the form behind [Edit]; raises Refused for a time that cannot be read, which the form then shows."""
    clocks = await read_own_clocks(services, request)
    when = blocks.read_change(metadata, "when", str(values.get("when") or "").strip())
    typed = EditedFields(when, blocks.read_text_change(metadata, values))
    reading = None if when is None else parse_form_time(when, request.now, clocks)
    rewording = Rewording(reading, typed.text or "", typed, int(metadata["version"]))
    return await _amend(services, request, int(metadata["entry"]), rewording, clocks)


async def _amend(
    services: Services, request: Request, number: int, wanted: Rewording, clocks: Clocks
) -> Message | None:
    text = clean_input(wanted.text, "That entry")
    _require_one(wanted, number, request)

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request, locking=True)
        before = require_entry(tx, incident, number)
        if wanted.version is not None and before.version != wanted.version:
            who = find_last_editor(tx, services, request, before)
            if wanted.typed is None:
                return corrections_views.outdated_button_message(before, clocks, who)
            return corrections_views.conflict_form(before, clocks, wanted.typed, who)
        entry = replace(_moved(before, wanted, clocks), text=text or before.text, struck=False)
        if entry == before:
            return corrections_views.entry_message(entry, clocks)
        entry, turn = amend_entry(tx, services, request, (incident, entry), "edited")
        return corrections_views.edit_receipt(
            entry, before, clocks, turn, attachments_store.list_names(tx, entry.id), named=wanted.reading
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


def _moved(before: Entry, wanted: Rewording, clocks: Clocks) -> Entry:
    """The entry at the time that was read. Raises Refused if the end is needed and was not given.

    A form shows the whole time, so it is taken as a whole. A command may give the start alone: then the end moves
    along, and the seconds stay if only the minute was typed.
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


async def read_as_utc(
    services: Services, request: Request, number: int, written: str, shown: ShownVersion
) -> Message | None:
    """Read an entry's time as it was written once more, in UTC; its words stay: the answer to [That was UTC].

    What was taken back or changed since the button was shown stays as it is.
    """
    entries = await _entries(services, request)
    clocks = entries.clocks

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request, locking=True)
        before = require_entry(tx, incident, number)
        if now := entries.show_if_stale(tx, before, shown):
            return now
        reading = times.read(f"{written} .", before.recorded_at, UTC, language=clocks.language)
        if reading.utc is None:
            why = f"{reading.problem or ''} `/timeline edit {number} …` gives it a time in full."
            raise Refused(f"#{number} stays as it is. {why}")
        lasts = before.ended_at - before.happened_at if before.ended_at else None
        end = reading.end_utc or (reading.utc + lasts if lasts else None)
        entry = replace(before, happened_at=reading.utc, ended_at=end, struck=False)
        entry, turn = amend_entry(tx, services, request, (incident, entry), "edited")
        return corrections_views.edit_receipt(entry, before, clocks, turn)

    return await run_once(services, request, unit, verb="timeline.as_utc")
