"""Everything about other systems. All of them are optional, and none can hold up recording.

`Integration` says what an integration is; `registry.INTEGRATIONS` lists them. How to add one: CONTRIBUTING.md.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, NamedTuple, Protocol

from bot.domain.masking import MaskRules
from bot.domain.records import Incident, System
from bot.domain.reminders import ReminderRules
from bot.export import Exporter
from bot.integrations.http import RetryPolicy, SystemClient
from bot.integrations.sync import SyncHandler
from bot.settings import Settings
from bot.slack.channels import Channels
from bot.slack.outbox import Outbox
from bot.slack.refresh import HomeTabQueue
from storage.database.store import Store


class CheckedSystem(NamedTuple):
    """A line of `afterword doctor`. `ok` is None if nothing is wrong and something is worth knowing."""

    name: str
    ok: bool | None
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncDependencies:
    """What sync handlers are built from, besides the settings.

    `find_email` returns the e-mail address of a Slack user, or an empty text. `draft_for_customers` returns the masked
    postmortem of an incident as of a moment, as Markdown; it blocks, so call it in a thread.
    """

    store: Store
    exporter: Exporter
    channels: Channels
    mask: MaskRules
    reminders: ReminderRules
    retry: RetryPolicy
    find_email: Callable[[str], Awaitable[str]]
    draft_for_customers: Callable[[Incident, datetime], str]


@dataclass(frozen=True, slots=True)
class WebhookOutcome:
    """How many events of a webhook were new, and how many repeats. Events that are not about us do not count.

    `incident_id` is the incident that they changed.
    """

    new_count: int = 0
    known_count: int = 0
    incident_id: int | None = None


class Webhook(Protocol):
    """A way in at `/hooks/NAME`. Each request is signed with `secret`."""

    @property
    def name(self) -> str: ...
    @property
    def secret(self) -> str: ...

    def read(self, data: Mapping[str, object], headers: Mapping[str, str]) -> Any:
        """The event in a body. Header names are in lower case. Raises MalformedPayloadError."""

    async def receive(
        self, store: Store, outbox: Outbox, tabs: HomeTabQueue, event: Any, now: datetime
    ) -> WebhookOutcome:
        """Apply an event. Raises NotRecorded if the database cannot take it."""


class Integration(ABC):
    """One system that the settings may connect: how it is built from them, and how `afterword doctor` checks it."""

    system: ClassVar[System]

    @abstractmethod
    def is_connected(self, settings: Settings) -> bool:
        """Whether something is kept in sync with it."""

    @abstractmethod
    def build_client(self, settings: Settings, retry: RetryPolicy | None = None) -> SystemClient:
        """The client. Raises Misconfigured if a setting that it needs is missing."""

    @abstractmethod
    def build_sync(self, settings: Settings, needs: SyncDependencies) -> SyncHandler:
        """The sync handler. Raises Misconfigured if a setting that it needs is missing."""

    def is_checked(self, settings: Settings) -> bool:
        """Whether `afterword doctor` looks at it."""
        return self.is_connected(settings)

    async def check(self, settings: Settings) -> str:
        """Make a few harmless calls; a sentence if all is well. Raises IntegrationError or Misconfigured."""
        client = self.build_client(settings)
        try:
            return as_sentence(await client.check())
        finally:
            await client.aclose()

    async def list_notes(self, settings: Settings, *, is_well: bool) -> list[str]:
        """What is worth knowing, such as what only writing would show. `is_well`: its check succeeded."""
        return []

    def check_webhook(self, settings: Settings) -> CheckedSystem | None:
        """Whether its webhook is on, and what it lacks; None if it has no webhook."""
        return None

    def build_webhook(self, settings: Settings, handlers: Mapping[str, SyncHandler]) -> Webhook | None:
        """What receives its webhook, given the sync handlers by system; None if it is off or there is none."""
        return None


def as_sentence(about: str) -> str:
    """`space ENG` as the sentence `Space ENG`, with a full stop."""
    return f"{about[0].upper()}{about[1:]}."
