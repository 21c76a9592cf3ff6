"""What signed webhooks of Jira tell of our work items and service incidents, learnt at once as a look would."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.publish.jira_dialects import Dialect
from bot.publish.jira_events import IDENTIFIER, Event, read_event
from bot.publish.jira_records import Issue
from bot.slack.outbox import Outbox
from bot.slack.tabs import Tabs
from storage import inbox, link_lists
from storage.links import Link
from storage.statements import Transaction
from storage.store import Store


class Hearer(Protocol):
    """Follows issues of one kind; `me` is our own account in Jira, empty while it is unknown."""

    @property
    def me(self) -> str: ...

    def hear(self, tx: Transaction, link: Link, issue: Issue | None, now: datetime) -> bool:
        """Take in how an issue of ours stands (None: it is gone); whether anything changed here."""


@dataclass(frozen=True, slots=True)
class Learnt:
    """What became of a telling: it was `taken`, `repeated` one, or neither where it is nothing of ours."""

    taken: int = 0
    repeated: int = 0
    incident_id: int | None = None


@dataclass(frozen=True, slots=True)
class JiraEars:
    """Hears for the followers of Jira, by system; `site_url` is where people open issues."""

    dialect: Dialect
    site_url: str
    hearers: Mapping[str, Hearer]

    def read(self, data: Mapping[str, object], headers: Mapping[str, str]) -> Event | None:
        """The event in a webhook; headers in lower case. Raises Malformed."""
        return read_event(data, headers.get(IDENTIFIER, ""), self.dialect, self.site_url)

    async def hear(self, store: Store, outbox: Outbox, tabs: Tabs, event: Event | None, now: datetime) -> Learnt:
        """Learn an event, unless we did it ourselves. Nobody is asked anything; NotRecorded where it cannot be kept."""
        if event is None or (event.by and event.by in {hearer.me for hearer in self.hearers.values()}):
            return Learnt()
        learnt = await store.write(lambda tx: self._learn(tx, event, now))
        if learnt.taken:
            outbox.kick()
        if learnt.incident_id is not None:
            tabs.changed([(learnt.incident_id, "incident")])
        return learnt

    def _learn(self, tx: Transaction, event: Event, now: datetime) -> Learnt:
        found = self._ours(tx, event)
        if found is None:
            return Learnt()
        hearer, link = found
        key = f"jira webhook {event.id}"
        if event.id and inbox.reply(tx, key) is not None:
            return Learnt(repeated=1)
        if event.id:
            inbox.keep(tx, key, "", now)
        has_changed = hearer.hear(tx, link, event.issue, now)
        return Learnt(taken=1, incident_id=link.incident_id if has_changed else None)

    def _ours(self, tx: Transaction, event: Event) -> tuple[Hearer, Link] | None:
        for key in event.keys:
            for system, hearer in self.hearers.items():
                if link := link_lists.of_key(tx, system, key):
                    return hearer, link
        return None
