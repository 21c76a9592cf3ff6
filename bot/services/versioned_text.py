"""Texts of which every wording is kept: entries and whys are corrected in one way.

A button carries the version that its message showed. If the text has changed since, the button does nothing, and the
answer shows how the text reads now.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Generic, TypeVar

from bot.domain.records import Entry, EntryVersion, Incident, Why, WhyVersion
from bot.errors import Refused
from bot.services.context import Request, Services, require_incident, run_once
from bot.services.reminders import apply_correction
from bot.slack.views import corrections as corrections_views
from bot.slack.views.blocks import Block, Message
from bot.slack.views.corrections import Correction
from bot.slack.views.timeline import Clocks
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
    return services.slack.directory.name(request.team, who) or who


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
    is_own = name == (services.slack.directory.name(request.team, you) or you)
    raise Refused(
        f"{corrections_views.label(text)} was taken back by {'you' if is_own else name}, "
        "and stays so until somebody brings it back.",
        offer=f"{'restore_entry' if isinstance(text, Entry) else 'restore_why'} {corrections_views.button_value(text)}",
    )


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
    after = apply_correction(tx, services.policy.reminders, incident, entry, request.now)
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
                raise Refused(f"{corrections_views.label(text)} was taken back already.")
            return self.save(tx, incident, replace(text, struck=True), "struck", shown)

        return await run_once(self.services, self.request, unit, verb=verb)

    async def restore(self, number: int, shown: ShownVersion, *, verb: str) -> Message | None:
        """Bring back a text that was taken back."""

        def unit(tx: Transaction) -> Message:
            incident = require_incident(tx, self.request, locking=True)
            text = self.find(tx, incident, number)
            if not text.struck:
                raise Refused(f"{corrections_views.label(text)} {self.already_active}")
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
