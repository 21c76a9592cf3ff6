"""A Statuspage that keeps incidents and components, counts the mails, and minds how often it is called."""

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import web

from tests.support.integrations.fakes.days import Fake

STATUSES = ("investigating", "identified", "monitoring", "resolved")
LONGEST_NAME, LONGEST_BODY = 255, 25_000


class FakeStatuspage(Fake):
    def __init__(self, least_gap: float = 0.0) -> None:
        super().__init__()
        self.incidents: dict[str, dict[str, Any]] = {}
        self.components = {
            "api": {"id": "api", "name": "API", "status": "operational", "group": False},
            "web": {"id": "web", "name": "Website", "status": "operational", "group": False},
            "all": {"id": "all", "name": "Everything", "status": "operational", "group": True},
        }
        self.mails: list[str] = []
        self.forgets_components = False
        self.sets_lines = False
        self.tells_of_everything = False
        """Whether any change is an update for customers, with what they read last."""
        self.on_write: Callable[[], None] = lambda: None
        """Called before an incident is changed."""
        self._least_gap = least_gap
        self._last = -1.0
        add = self.app.router.add_route
        add("GET", "/v1/pages/pg/components", self._list)
        add("PATCH", "/v1/pages/pg/components/{id}", self._component)
        add("POST", "/v1/pages/pg/incidents", self._open)
        add("GET", "/v1/pages/pg/incidents/unresolved", self._list_open)
        add("GET", "/v1/pages/pg/incidents", self._all)
        add("GET", "/v1/pages/pg/incidents/{id}", self._one)
        add("PATCH", "/v1/pages/pg/incidents/{id}", self._update)
        add("PUT", "/v1/pages/pg/incidents/{id}/postmortem", self._draft)

    def status_of(self, component_id: str) -> str:
        return str(self.components[component_id]["status"])

    async def _day(self, request: web.Request, handler: Any) -> web.StreamResponse:
        now = asyncio.get_running_loop().time()
        too_soon = now - self._last < self._least_gap
        self._last = now
        if too_soon:
            return web.json_response({"error": "too many requests"}, status=420)
        return await super()._day(request, handler)

    async def _list(self, request: web.Request) -> web.Response:
        return web.json_response(list(self.components.values()))

    async def _component(self, request: web.Request) -> web.Response:
        component = self.components[request.match_info["id"]]
        component |= (await request.json())["component"]
        return web.json_response(component)

    def _take(self, incident: dict[str, Any], asked: dict[str, Any]) -> None:
        if not self.forgets_components or asked.get("status") != "resolved":
            for at, status in asked.get("components", {}).items():
                self.components[at]["status"] = status
        incident["named"] = list(dict.fromkeys([*incident["named"], *asked.get("component_ids", [])]))
        incident["status"] = asked.get("status", incident["status"])
        incident["metadata"] = asked.get("metadata", incident["metadata"])
        body = asked.get("body", incident["updates"][0]["body"] if self.tells_of_everything else None)
        if body is not None:
            text = body.replace("\n", "\r\n").rstrip() if self.sets_lines else body
            incident["updates"].insert(0, {"status": incident["status"], "body": text})
        if asked.get("deliver_notifications", True):  # left out it counts as true, whatever else is asked
            self.mails.append(body or "")

    def _render(self, at: str) -> dict[str, Any]:
        incident = self.incidents[at]
        return {
            "id": at,
            "name": incident["name"],
            "status": incident["status"],
            "shortlink": f"https://stspg.example/{at}",
            "metadata": incident["metadata"],
            "components": [self.components[each] for each in incident["named"]],
            "incident_updates": incident["updates"],
        }

    async def _open(self, request: web.Request) -> web.Response:
        asked = (await request.json())["incident"]
        if wrong := _wrong({"name": "", "status": ""} | asked):
            return web.json_response({"error": [wrong]}, status=422)
        at = f"i{len(self.incidents) + 1}"
        self.incidents[at] = {"name": asked["name"], "status": "", "metadata": {}, "named": [], "updates": []}
        self._take(self.incidents[at], asked)
        return web.json_response(self._render(at), status=201)

    async def _list_open(self, request: web.Request) -> web.Response:
        found = [at for at, incident in self.incidents.items() if incident["status"] != "resolved"]
        return web.json_response([self._render(at) for at in found])

    async def _all(self, request: web.Request) -> web.Response:
        return web.json_response([self._render(at) for at in self.incidents])

    async def _one(self, request: web.Request) -> web.Response:
        at = request.match_info["id"]
        if at not in self.incidents:
            return web.json_response({"error": "Not found"}, status=404)
        return web.json_response(self._render(at))

    async def _update(self, request: web.Request) -> web.Response:
        at = request.match_info["id"]
        if at not in self.incidents:
            return web.json_response({"error": "Not found"}, status=404)
        asked = (await request.json())["incident"]
        if wrong := _wrong(asked):
            return web.json_response({"error": [wrong]}, status=422)
        self.on_write()
        self._take(self.incidents[at], asked)
        return web.json_response(self._render(at))

    async def _draft(self, request: web.Request) -> web.Response:
        incident = self.incidents[request.match_info["id"]]
        incident["postmortem"] = {"body_draft": (await request.json())["postmortem"]["body_draft"]}
        return web.json_response(incident["postmortem"])


def _wrong(asked: dict[str, Any]) -> str:
    """What the vendor's description does not allow of an incident; empty where it is all right."""
    if not 0 < len(asked.get("name", "x")) <= LONGEST_NAME:
        return "Name is blank or too long"
    if asked.get("status", STATUSES[0]) not in STATUSES:
        return "Status is not included in the list"
    if len(asked.get("body", "")) > LONGEST_BODY:
        return "Body is too long"
    metadata = asked.get("metadata", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, dict) for value in metadata.values()):
        return "Metadata: all top-level values must also be objects"
    return ""
