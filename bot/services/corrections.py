"""Corrections: how entries and whys are edited, struck and restored, and what only entries can, to be moved in time.

Every wording is kept. A button carries the version that its message showed. If the text has changed since, the button
does nothing, and the answer shows how the text reads now (docs/decisions/0030).
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from functools import partial
from typing import Any, Generic, TypeVar

from bot.domain import timeline as timeline_rules
from bot.domain import times
from bot.domain.records import Entry, EntryVersion, Incident, Why, WhyVersion
from bot.domain.text import clean_input
from bot.domain.timeline import TimeOffer
from bot.domain.times import Reading
from bot.errors import OutdatedButton, Refused
from bot.services.announcements import posts as posts_service
from bot.services.context import Request, Services, require_incident, run_once
from bot.services.notifications import outdated_buttons as outdated_buttons_service
from bot.services.notifications.reminders import apply_correction
from bot.services.timeline import parse_form_time, read_own_clocks, require_entry
from bot.slack.views import blocks
from bot.slack.views import corrections as corrections_views
from bot.slack.views import timeline as timeline_views
from bot.slack.views.blocks import Block, Message
from bot.slack.views.corrections import Correction, EditedFields
from bot.slack.views.timeline import Clocks
from storage import attachments as attachments_store
from storage import timeline as timeline_store
from storage import whys as whys_store
from storage.database.statements import Transaction

Text = TypeVar("Text", Entry, Why)


@dataclass(frozen=True, slots=True)
class ShownVersion:
    """What the message of a button showed: the version, and whether its author had said that it is harmless.

    A command shows nothing, so its version is None.
    """

    version: int | None = None
    is_harmless: bool = False

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> "ShownVersion":
        """From the value of a button."""
        version = value.get("version")
        return cls(version if isinstance(version, int) else None, bool(value.get("harmless")))


TYPED = ShownVersion()


def find_last_editor(tx: Transaction, services: Services, request: Request, text: Entry | Why) -> str:
    """The name of the last person who changed a text."""
    who = _versions(tx, text)[-1].changed_by
    return services.slack.directory.name_or_id(request.team, who)


def find_editor_since(
    tx: Transaction, services: Services, request: Request, text: Entry | Why, shown: ShownVersion = TYPED
) -> str:
    """The name of the person who changed a text after the button was shown; empty if it has not changed."""
    return "" if shown.version in (None, text.version) else find_last_editor(tx, services, request, text)


def require_active(tx: Transaction, services: Services, request: Request, text: Entry | Why) -> None:
    """Raises Refused, with the button that brings it back, for a text that was taken back."""
    if not text.struck:
        return
    name, you = find_last_editor(tx, services, request, text), request.user
    is_own = name == services.slack.directory.name_or_id(request.team, you)
    raise OutdatedButton(
        f"{'You' if is_own else name} removed {corrections_views.label(text, inside=True)}. Restore it first.",
        offer=restore_offer(text),
    )


def restore_offer(text: Entry | Why) -> str:
    """The offer of a refusal: a button that restores a removed text."""
    return f"{'restore_entry' if isinstance(text, Entry) else 'restore_why'} {corrections_views.button_value(text)}"


def amend_entry(
    tx: Transaction,
    services: Services,
    request: Request,
    before: tuple[Incident, Entry],
    change: str,
    shown: ShownVersion = TYPED,
) -> tuple[Entry, Correction]:
    """Save a changed entry of an incident, and bring the incident's status and reminders up to date with it."""
    incident, entry = before
    entry = timeline_store.amend(tx, entry, change, request.user, request.now)
    rules, policies = services.policy.reminders, services.find_policies(request.team)
    after = apply_correction(tx, rules, incident, entry, request.now, policies)
    posts_service.announce_correction(tx, incident, entry.id, request.now)
    outdated_buttons_service.drop_in(tx, incident.id, request.now)
    return entry, Correction(incident, after, request.user, shown.is_harmless)


def _versions(tx: Transaction, text: Entry | Why) -> tuple[EntryVersion, ...] | tuple[WhyVersion, ...]:
    if isinstance(text, Entry):
        return timeline_store.list_versions(tx, text.id)
    return whys_store.list_versions(tx, text.id)


class VersionedText(ABC, Generic[Text]):
    """The corrections of one kind of text, for one request. `clocks` are those that the times of entries show."""

    already_active: str

    def __init__(self, services: Services, request: Request, clocks: Clocks) -> None:
        self.services = services
        self.request = request
        self.clocks = clocks

    @abstractmethod
    def find(self, tx: Transaction, incident: Incident, number: int) -> Text:
        """The numbered text, also one that was taken back. Raises Refused if there is none."""

    @abstractmethod
    def find_last(self, tx: Transaction, incident: Incident) -> Text:
        """The last one by the user. Raises Refused if there is none."""

    @abstractmethod
    def save(self, tx: Transaction, incident: Incident, text: Text, change: str, shown: ShownVersion) -> Message:
        """Save a text that was `struck` or `restored`, and answer its author."""

    @abstractmethod
    def edit_form(self, tx: Transaction, text: Text, changed_by: str) -> Block:
        """The form that edits a text; `changed_by` is who changed it since its button was shown, or empty."""

    def show_if_stale(self, tx: Transaction, text: Text, shown: ShownVersion) -> Message | None:
        """How a text reads now, if it changed after its button was shown."""
        who = find_editor_since(tx, self.services, self.request, text, shown)
        return corrections_views.changed_message(text, who, self.clocks) if who else None

    async def strike(self, number: int | None, shown: ShownVersion, *, verb: str) -> Message | None:
        """Take back the numbered text, or else the user's last one. It stays in the history."""

        def unit(tx: Transaction) -> Message:
            incident = require_incident(tx, self.request, locking=True)
            text = self.find_last(tx, incident) if number is None else self.find(tx, incident, number)
            if now := self.show_if_stale(tx, text, shown):
                return now
            if text.struck:
                raise OutdatedButton(f"{corrections_views.label(text)} is already removed.", offer=restore_offer(text))
            return self.save(tx, incident, replace(text, struck=True), "struck", shown)

        return await run_once(self.services, self.request, unit, verb=verb)

    async def restore(self, number: int, shown: ShownVersion, *, verb: str) -> Message | None:
        """Bring back a text that was taken back."""

        def unit(tx: Transaction) -> Message:
            incident = require_incident(tx, self.request, locking=True)
            text = self.find(tx, incident, number)
            if not text.struck:
                raise OutdatedButton(f"{corrections_views.label(text)} {self.already_active}")
            return self.save(tx, incident, replace(text, struck=False), "restored", shown)

        return await run_once(self.services, self.request, unit, verb=verb)

    async def show(self, number: int) -> Message:
        """A text as it reads now, with its buttons."""
        return await self.services.store.read(
            lambda tx: corrections_views.entry_message(self._find(tx, number), self.clocks)
        )

    async def history(self, number: int) -> Message:
        """Every wording of a text."""
        name_of = partial(self.services.slack.directory.name, self.request.team)

        def look(tx: Transaction) -> Message:
            text = self._find(tx, number)
            return corrections_views.history(text, _versions(tx, text), name_of, self.clocks)

        return await self.services.store.read(look)

    async def form(self, number: int, shown: ShownVersion) -> Block:
        """The form that edits a text. Raises Refused for one that was taken back."""

        def look(tx: Transaction) -> Block:
            text = self._find(tx, number)
            require_active(tx, self.services, self.request, text)
            return self.edit_form(tx, text, find_editor_since(tx, self.services, self.request, text, shown))

        return await self.services.store.read(look)

    def _find(self, tx: Transaction, number: int) -> Text:
        return self.find(tx, require_incident(tx, self.request), number)


class _EntryText(VersionedText[Entry]):
    already_active = "is already in the timeline."

    def find(self, tx: Transaction, incident: Incident, number: int) -> Entry:
        return require_entry(tx, incident, number)

    def find_last(self, tx: Transaction, incident: Incident) -> Entry:
        entry = timeline_store.find_last_by(tx, incident.id, self.request.user)
        if entry is None:
            raise Refused(
                f"You don't have an entry in {incident.key} to remove. Remove any entry by its number, as in "
                "`/timeline delete 4`."
            )
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
        raise Refused(f"#{number} wasn't changed. {reading.problem} {_type_again(number, reading, request)}")
    return question


@dataclass(frozen=True, slots=True)
class SeenEntry:
    """The entry below which a button stood, and the version of it that its reader saw."""

    number: int
    version: int


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
        # Someone was quicker: nothing is written over words that this person has not seen (decision 30).
        if wanted.version is not None and before.version != wanted.version:
            who = find_last_editor(tx, services, request, before)
            if wanted.typed is None:
                return corrections_views.outdated_button_message(before, clocks, who)
            return corrections_views.conflict_form(before, clocks, wanted.typed, who)
        entry = replace(_apply_time(before, wanted, clocks), text=text or before.text, struck=False)
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


def _type_again(number: int, reading: Reading, request: Request) -> str:
    times_in_full = timeline_rules.format_choices(reading.question, request.now).split(" or ")
    return f"Type its full time: {' or '.join(f'`/timeline edit {number} {each}`' for each in times_in_full)}"


def _not_changed(number: int, reading: Reading, request: Request) -> str:
    as_in = timeline_rules.format_choices(reading.question, request.now)
    return f"#{number} wasn't changed. {reading.problem} Type the full time, as in {as_in}."


def _apply_time(before: Entry, wanted: Rewording, clocks: Clocks) -> Entry:
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
        require_active(tx, services, request, before)  # the buttons of old messages carry no version
        # As of the moment of recording, with a stop in place of the words: "yesterday" means what it meant then
        # (decision 11).
        reading = times.read(f"{written} .", before.recorded_at, UTC, language=clocks.language)
        if reading.utc is None:
            raise Refused(f"#{number} wasn't changed. {reading.problem or ''} {_type_again(number, reading, request)}")
        lasts = before.ended_at - before.happened_at if before.ended_at else None
        end = reading.end_utc or (reading.utc + lasts if lasts else None)
        entry = replace(before, happened_at=reading.utc, ended_at=end, struck=False)
        entry, turn = amend_entry(tx, services, request, (incident, entry), "edited")
        return corrections_views.edit_receipt(entry, before, clocks, turn)

    return await run_once(services, request, unit, verb="timeline.as_utc")


async def move_to(services: Services, request: Request, seen: SeenEntry, offer: TimeOffer) -> Message | None:
    """It happened at a time that its words name, the answer to [It was 17:31 UTC]; the words stay.

    An entry that was taken back or changed since stays as it is, and the answer says how that is.
    """
    clocks = await read_own_clocks(services, request)

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request, locking=True)
        before = require_entry(tx, incident, seen.number)
        if before.struck or before.version != seen.version:
            again = () if before.happened_at == offer.at else timeline_views.offer_buttons(before, [offer], request.now)
            return corrections_views.outdated_button_message(
                before, clocks, find_last_editor(tx, services, request, before), again
            )
        entry, turn = amend_entry(tx, services, request, (incident, _move_to_offer(before, offer)), "edited")
        return corrections_views.edit_receipt(entry, before, clocks, turn, attachments_store.list_names(tx, entry.id))

    return await run_once(services, request, unit, verb="timeline.was_at")


def _move_to_offer(before: Entry, offer: TimeOffer) -> Entry:
    """The entry at the offered time. It lasts as long as before, unless the offer has its own range."""
    lasted: timedelta | None = before.ended_at - before.happened_at if before.ended_at else None
    lasts = offer.lasts or lasted
    return replace(
        before,
        happened_at=offer.at,
        ended_at=offer.at + lasts if lasts else None,
        approximate=offer.approximate or before.approximate,
    )
