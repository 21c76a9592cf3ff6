"""Statuspage: what customers read. Nothing goes out twice, and nothing that a person has not seen word by word.

An update mails all subscribers, so it is looked up before it is repeated. A key may make one call a second.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bot.domain.records import Component
from bot.domain.text import shorten, to_one_line
from bot.integrations.http import (
    Call,
    Endpoint,
    IntegrationError,
    Response,
    RetryPolicy,
    get,
    make_caller,
    path_of,
    post,
    put,
    text_at,
    value_at,
)

API = "https://api.statuspage.io/v1"
GAP = 1.0
"""Seconds between two calls, by Statuspage's limit for a key."""
LONGEST_NAME = 255

_LOOKED_AT = "100"
_KEY = "afterword"
_REMEDIES = {
    401: "refused the key. It was revoked, or belongs to another account. Create a new one under “API info” and put it "
    "into the settings.",
    404: "doesn't know that page, incident or component. Check the page's ID in the settings.",
}

TOLD_CUSTOMERS = (
    "Statuspage published an update although only the incident's metadata changed. Remove that update on Statuspage, "
    "and set AFTERWORD_STATUSPAGE_METADATA=none to prevent more."
)


class PublicStatus(StrEnum):
    """The status of an incident, as customers read it."""

    INVESTIGATING = "investigating"
    IDENTIFIED = "identified"
    MONITORING = "monitoring"
    RESOLVED = "resolved"


class ComponentStatus(StrEnum):
    """The status of a component."""

    OPERATIONAL = "operational"
    DEGRADED = "degraded_performance"
    PARTIAL_OUTAGE = "partial_outage"
    MAJOR_OUTAGE = "major_outage"
    MAINTENANCE = "under_maintenance"


@dataclass(frozen=True, slots=True)
class Update:
    """An update for customers, word by word. `components` maps ids to their new statuses.

    `notifies`: subscribers get a mail.
    """

    status: PublicStatus
    body: str
    notifies: bool
    components: Mapping[str, ComponentStatus] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Announcement:
    """An incident to open in public. It is found again by its `mark`, which no other incident has.

    `back` is the metadata that links to what exists of it in other systems (decision 34).
    """

    mark: str
    name: str
    update: Update
    back: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PublicIncident:
    """An incident as customers see it. `updates` are pairs of status and text, in no certain order."""

    id: str
    name: str
    status: str
    url: str
    components: tuple[Component, ...]
    updates: tuple[tuple[str, str], ...]
    mark: str


class StatuspageClient:
    """One page as one key reaches it. Every verb raises IntegrationError. Close it with `aclose`."""

    name = "Statuspage"

    def __init__(
        self, page_id: str, key: str, patience: RetryPolicy | None = None, api: str = API, gap: float = GAP
    ) -> None:
        headers = {"Authorization": f"OAuth {key}"}
        self._caller = make_caller(Endpoint(self.name, api, headers, (key,), _REMEDIES, gap), patience or RetryPolicy())
        self._page_id = page_id

    async def aclose(self) -> None:
        """Close the connections."""
        await self._caller.aclose()

    async def check(self) -> str:
        """Which page we reach, by a call that changes nothing."""
        return f"page {self._page_id}, {len(await self.components())} components"

    async def components(self) -> list[Component]:
        """The components of the page, without their groups."""
        answer = await self._caller.ask(get(self._path("components"), per_page=_LOOKED_AT))
        return [_component(each) for each in answer.objects() if each.get("group") is not True]

    async def open(self, announcement: Announcement, *, is_repeat: bool) -> PublicIncident:
        """Open an incident in public. `is_repeat`: an earlier attempt may have done it, so look first."""
        if is_repeat and (incident := await self.find(announcement.mark)):
            return incident
        body = _update_body(announcement.update) | {
            "name": shorten(to_one_line(announcement.name), LONGEST_NAME),
            "metadata": {_KEY: {"incident": announcement.mark, **announcement.back}},
        }
        return _incident(await self._caller.ask(post(self._path("incidents"), {"incident": body})))

    async def find(self, mark: str) -> PublicIncident | None:
        """The incident that has a mark, among the open ones and the last hundred; None if there is none."""
        # The open ones are listed apart, because one of them may be older than the last hundred.
        for which in (("incidents", "unresolved"), ("incidents",)):
            for incident in await self._incidents(*which):
                if incident.mark == mark:
                    return incident
        return None

    async def update(self, incident_id: str, update: Update, *, is_repeat: bool) -> PublicIncident:
        """Post an update. `is_repeat`: an earlier attempt may have posted it, so look first."""
        if is_repeat:
            incident = await self._one(incident_id)
            if _has_said(incident, update):
                return incident
        path = self._path("incidents", incident_id)
        # Not repeated at once, though it is a PATCH: each one would be another update with its mails.
        call = Call("PATCH", path, body={"incident": _update_body(update)}, writes=True, repeats=False)
        return _incident(await self._caller.ask(call))

    async def resolve(self, incident_id: str, body: str, *, notifies: bool, is_repeat: bool) -> PublicIncident:
        """Post that it is over, and set its components back to operational.

        Those of another open incident stay as they are.
        """
        mine = await self._one(incident_id)
        affected = {
            component.id
            for other in await self._incidents("incidents", "unresolved")
            if other.id != incident_id
            for component in other.components
        }
        # A component of another open incident is still broken, so this end must not show it as operational.
        free = [component.id for component in mine.components if component.id not in affected]
        restored = dict.fromkeys(free, ComponentStatus.OPERATIONAL)
        update = Update(PublicStatus.RESOLVED, body, notifies, restored)
        if not is_repeat or not _has_said(mine, update):
            mine = await self.update(incident_id, update, is_repeat=False)
        # A repeat that finds its update sends no components with it.
        await self.restore(
            each.id for each in mine.components if each.id in free and each.status != ComponentStatus.OPERATIONAL
        )
        return mine

    async def restore(self, component_ids: Iterable[str]) -> None:
        """Set components back to operational."""
        for component_id in component_ids:
            body = {"component": {"status": ComponentStatus.OPERATIONAL}}
            await self._caller.ask(Call("PATCH", self._path("components", component_id), body=body, writes=True))

    async def draft_postmortem(self, incident_id: str, markdown: str) -> None:
        """Store the postmortem's text with an incident, where customers do not see it yet."""
        body = {"postmortem": {"body_draft": markdown}}
        await self._caller.ask(put(self._path("incidents", incident_id, "postmortem"), body))

    async def lead_back(self, incident_id: str, mark: str, back: Mapping[str, object]) -> None:
        """Update the metadata that links from an incident to other systems, without an update for customers.

        Other tools' metadata stays. Raises IntegrationError, once, if Statuspage made an update of it after all.
        """
        path, ours = self._path("incidents", incident_id), {"incident": mark, **back}
        before = await self._caller.ask(get(path))
        current = value_at(before.data, "metadata")
        metadata = current if isinstance(current, dict) else {}
        # No call if nothing differs: each one is a chance that Statuspage makes an update of it.
        if metadata.get(_KEY) == ours:
            return
        # Whether metadata is merged or replaced is not documented: sent whole, it makes no difference (decision 34).
        body = {"metadata": metadata | {_KEY: ours}, "deliver_notifications": False}
        after = await self._caller.ask(Call("PATCH", path, body={"incident": body}, writes=True, repeats=False))
        if _has_silent_update(_incident(before), _incident(after)):
            raise IntegrationError(self.name, TOLD_CUSTOMERS, is_permanent=True)

    async def _one(self, incident_id: str) -> PublicIncident:
        return _incident(await self._caller.ask(get(self._path("incidents", incident_id))))

    async def _incidents(self, *which: str) -> list[PublicIncident]:
        answer = await self._caller.ask(get(self._path(*which), **{_page_size_name(which): _LOOKED_AT}))
        return [_incident(Response(self.name, answer.status, each)) for each in answer.objects()]

    def _path(self, *parts: str) -> str:
        return path_of("pages", self._page_id, *parts)


def _has_said(incident: PublicIncident, update: Update) -> bool:
    """Whether customers can read an update already. The page may have changed its blanks and line breaks."""
    body = update.body.split()
    return any(status == update.status and text.split() == body for status, text in incident.updates)


def _has_silent_update(before: PublicIncident, after: PublicIncident) -> bool:
    """Whether there are more updates than before and no new text. A person's update in between would have a text."""
    is_more = len(after.updates) > len(before.updates)
    return is_more and {text for _, text in after.updates if text.strip()} <= {text for _, text in before.updates}


def _page_size_name(which: tuple[str, ...]) -> str:
    return "limit" if which == ("incidents",) else "per_page"  # the two lists name it differently


def _update_body(update: Update) -> dict[str, Any]:
    body: dict[str, Any] = {
        "status": update.status,
        "body": update.body,
        "deliver_notifications": update.notifies,  # never left out: true is the default
    }
    if update.components:
        body |= {"component_ids": list(update.components), "components": dict(update.components)}
    return body


def _component(data: Mapping[str, Any]) -> Component:
    return Component(text_at(data, "id"), text_at(data, "name"), text_at(data, "status"))


def _incident(answer: Response) -> PublicIncident:
    data = answer.data
    return PublicIncident(
        answer.text("id"),
        text_at(data, "name"),
        text_at(data, "status"),
        text_at(data, "shortlink"),
        tuple(_component(each) for each in _list(data, "components")),
        tuple((text_at(each, "status"), text_at(each, "body")) for each in _list(data, "incident_updates")),
        text_at(data, "metadata", _KEY, "incident"),
    )


def _list(data: object, name: str) -> list[Mapping[str, Any]]:
    found = value_at(data, name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
