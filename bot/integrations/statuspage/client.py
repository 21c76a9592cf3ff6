"""Statuspage: what customers are told. Nothing goes out twice, and nothing that a person has not seen word by word.

An update mails everybody who subscribed, so each is looked up before it is repeated. A key may make one call a second.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bot.domain.records import Component
from bot.domain.text import shorten, to_one_line
from bot.integrations.http import (
    Call,
    Caller,
    ClientStatus,
    Endpoint,
    IntegrationError,
    Response,
    RetryPolicy,
    get,
    path_of,
    post,
    put,
    text_at,
    value_at,
)

API = "https://api.statuspage.io/v1"
GAP = 1.0
LONGEST_NAME = 255

_LOOKED_AT = "100"
_KEPT_AS = "afterword"
_REMEDIES = {
    401: "refused the key: it was revoked, or is another account's. Make a new one under “API info” and put it into "
    "the settings.",
    404: "does not know that page, incident or component. Look at the page's id in the settings.",
}

TOLD_CUSTOMERS = (
    "Statuspage made an update for customers of it that only the incident's metadata changed. Take that update "
    "back there, and set AFTERWORD_STATUSPAGE_METADATA=none, so that it happens to no other incident."
)


class PublicStatus(StrEnum):
    """How far an incident is, as customers are told."""

    INVESTIGATING = "investigating"
    IDENTIFIED = "identified"
    MONITORING = "monitoring"
    RESOLVED = "resolved"


class ComponentStatus(StrEnum):
    """How a component does."""

    OPERATIONAL = "operational"
    DEGRADED = "degraded_performance"
    PARTIAL_OUTAGE = "partial_outage"
    MAJOR_OUTAGE = "major_outage"
    MAINTENANCE = "under_maintenance"


class Impact(StrEnum):
    """How bad it is called; by default Statuspage reckons it from the components."""

    NONE = "none"
    MINOR = "minor"
    MAJOR = "major"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Update:
    """What to tell customers, word by word. `components` maps ids to how they do from now on.

    `notifies`: whoever subscribed gets a mail.
    """

    status: PublicStatus
    body: str
    notifies: bool
    components: Mapping[str, ComponentStatus] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Announcement:
    """An incident to open in public. `mark` is what it is known by again, so it belongs to this one alone.

    `back` leads from it to what else stands of it, for those who read its metadata.
    """

    mark: str
    name: str
    update: Update
    impact: Impact | None = None
    back: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PublicIncident:
    """An incident as customers see it; `said` are its updates as status and text, in no certain order."""

    id: str
    name: str
    status: str
    url: str
    components: tuple[Component, ...]
    said: tuple[tuple[str, str], ...]
    mark: str


class StatuspageClient:
    """One page as one key reaches it. Every verb raises IntegrationError. Close it with `aclose`."""

    name = "Statuspage"

    def __init__(
        self, page_id: str, key: str, patience: RetryPolicy | None = None, api: str = API, gap: float = GAP
    ) -> None:
        headers = {"Authorization": f"OAuth {key}"}
        self._caller = Caller(Endpoint(self.name, api, headers, (key,), _REMEDIES, gap), patience or RetryPolicy())
        self._page_id = page_id

    async def aclose(self) -> None:
        """Let the connections go."""
        await self._caller.aclose()

    async def check(self) -> ClientStatus:
        """Whether the page is there for us; asks once and changes nothing."""
        components = await self.components()
        return ClientStatus(self.name, f"page {self._page_id}, {len(components)} components")

    async def components(self) -> list[Component]:
        """The parts of the service, without the groups that they stand in."""
        answer = await self._caller.ask(get(self._path("components"), per_page=_LOOKED_AT))
        return [_component(each) for each in answer.objects() if each.get("group") is not True]

    async def open(self, announcement: Announcement, *, is_repeat: bool) -> PublicIncident:
        """Open an incident in public. `is_repeat`: an earlier attempt may have done it, so look first."""
        if is_repeat and (incident := await self.find(announcement.mark)):
            return incident
        asked = _said(announcement.update) | {
            "name": shorten(to_one_line(announcement.name), LONGEST_NAME),
            "metadata": {_KEPT_AS: {"incident": announcement.mark, **announcement.back}},
        }
        if announcement.impact:
            asked["impact_override"] = announcement.impact
        answer = await self._caller.ask(post(self._path("incidents"), {"incident": asked}))
        return _incident(answer)

    async def find(self, mark: str) -> PublicIncident | None:
        """The incident of a mark, among the open ones and the last hundred; None where there is none."""
        for which in (("incidents", "unresolved"), ("incidents",)):
            for incident in await self._incidents(*which):
                if incident.mark == mark:
                    return incident
        return None

    async def update(self, incident_id: str, update: Update, *, is_repeat: bool) -> PublicIncident:
        """Tell customers more. `is_repeat`: an earlier attempt may have said it; what stands there is left so."""
        if is_repeat:
            incident = await self._one(incident_id)
            if _has_said(incident, update):
                return incident
        path = self._path("incidents", incident_id)
        call = Call("PATCH", path, body={"incident": _said(update)}, writes=True, repeats=False)
        return _incident(await self._caller.ask(call))

    async def resolve(self, incident_id: str, body: str, *, notifies: bool, is_repeat: bool) -> PublicIncident:
        """Tell customers that it is over, and put its components back to operational.

        Those that another open incident names stay as they are.
        """
        mine = await self._one(incident_id)
        held = {
            component.id
            for other in await self._incidents("incidents", "unresolved")
            if other.id != incident_id
            for component in other.components
        }
        free = [component.id for component in mine.components if component.id not in held]
        restored = dict.fromkeys(free, ComponentStatus.OPERATIONAL)
        update = Update(PublicStatus.RESOLVED, body, notifies, restored)
        if not is_repeat or not _has_said(mine, update):
            mine = await self.update(incident_id, update, is_repeat=False)
        await self.restore(
            each.id for each in mine.components if each.id in free and each.status != ComponentStatus.OPERATIONAL
        )
        return mine

    async def restore(self, component_ids: Iterable[str]) -> None:
        """Put components back to operational."""
        for component_id in component_ids:
            body = {"component": {"status": ComponentStatus.OPERATIONAL}}
            await self._caller.ask(Call("PATCH", self._path("components", component_id), body=body, writes=True))

    async def draft_postmortem(self, incident_id: str, markdown: str) -> None:
        """Put the postmortem's text at an incident, where customers do not see it yet."""
        body = {"postmortem": {"body_draft": markdown}}
        await self._caller.ask(put(self._path("incidents", incident_id, "postmortem"), body))

    async def lead_back(self, incident_id: str, mark: str, back: Mapping[str, object]) -> None:
        """Keep at an incident what leads back from it, as when it was opened; customers are told nothing of it.

        What others keep in its metadata stays. Raises IntegrationError, once, where the page made an update of it.
        """
        path, ours = self._path("incidents", incident_id), {"incident": mark, **back}
        before = await self._caller.ask(get(path))
        kept = value_at(before.data, "metadata")
        metadata = kept if isinstance(kept, dict) else {}
        if metadata.get(_KEPT_AS) == ours:
            return
        # The description does not say if metadata is merged or replaced: sent as a whole, either comes to the same.
        asked = {"metadata": metadata | {_KEPT_AS: ours}, "deliver_notifications": False}
        after = await self._caller.ask(Call("PATCH", path, body={"incident": asked}, writes=True, repeats=False))
        if _repeats_itself(_incident(before), _incident(after)):
            raise IntegrationError(self.name, TOLD_CUSTOMERS, is_permanent=True)

    async def _one(self, incident_id: str) -> PublicIncident:
        return _incident(await self._caller.ask(get(self._path("incidents", incident_id))))

    async def _incidents(self, *which: str) -> list[PublicIncident]:
        answer = await self._caller.ask(get(self._path(*which), **{_size_of(which): _LOOKED_AT}))
        return [_incident(Response(self.name, answer.status, each)) for each in answer.objects()]

    def _path(self, *parts: str) -> str:
        return path_of("pages", self._page_id, *parts)


def _has_said(incident: PublicIncident, update: Update) -> bool:
    """Whether customers read an update already, whose blanks and lines the page may have set in its own way."""
    body = update.body.split()
    return any(status == update.status and said.split() == body for status, said in incident.said)


def _repeats_itself(before: PublicIncident, after: PublicIncident) -> bool:
    """Whether there are more updates than before without a new word: what a person writes meanwhile has words."""
    is_more = len(after.said) > len(before.said)
    return is_more and {body for _, body in after.said if body.strip()} <= {body for _, body in before.said}


def _size_of(which: tuple[str, ...]) -> str:
    return "limit" if which == ("incidents",) else "per_page"  # the two lists name it differently


def _said(update: Update) -> dict[str, Any]:
    said: dict[str, Any] = {
        "status": update.status,
        "body": update.body,
        "deliver_notifications": update.notifies,  # never left out: it would count as true
    }
    if update.components:
        said |= {"component_ids": list(update.components), "components": dict(update.components)}
    return said


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
        text_at(data, "metadata", _KEPT_AS, "incident"),
    )


def _list(data: object, name: str) -> list[Mapping[str, Any]]:
    found = value_at(data, name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
