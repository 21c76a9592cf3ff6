"""The alerts of Jira Service Management or Opsgenie: accepted at once, done a little later."""

import re
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from tests.support.integrations.fakes.days import Fake


class FakeAlerts(Fake):
    def __init__(self) -> None:
        super().__init__()
        self.alerts: dict[str, dict[str, Any]] = {}
        self.pages = 0
        self.slow_for = 1
        self.refuses = ""
        self.may_not_look = False
        self.raised: list[dict[str, Any]] = []
        """Every alert that ever was, the newest first."""
        self.now = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
        self._requests: list[dict[str, Any]] = []
        self._asked: dict[str, int] = {}
        add = self.app.router.add_route
        add("GET", "/v2/alerts", self._list)
        add("POST", "/v2/alerts", self._raise)
        add("GET", "/v2/alerts/requests/{id}", self._request)
        add("POST", "/v2/alerts/{alias}/close", self._change)

    async def _list(self, request: web.Request) -> web.Response:
        wanted = re.fullmatch(r'alias: "(.*)"', request.query.get("query", ""))
        if self.may_not_look and wanted:
            return web.json_response({"message": "You are not allowed to do that."}, status=403)
        found = [one for one in self.raised if wanted and one["alias"].startswith(wanted[1])]
        return web.json_response({"data": found, "took": 0.1, "requestId": "q"})

    def _accept(self, success: bool, alert_id: str, status: str) -> web.Response:
        done = {"success": success, "isSuccess": success, "status": status, "alertId": alert_id}
        self._requests.append(done)
        at = f"r{len(self._requests) - 1}"
        return web.json_response({"result": "Request will be processed", "took": 0.1, "requestId": at}, status=202)

    async def _raise(self, request: web.Request) -> web.Response:
        asked = await request.json()
        if self.refuses:
            return self._accept(False, "", self.refuses)
        alert = self.alerts.get(asked["alias"])
        if alert is None or alert["state"] == "closed":
            self.pages += 1
            alert = {
                "id": f"a{self.pages}",
                "state": "open",
                "createdAt": f"{self.now:%Y-%m-%dT%H:%M:%S.000Z}",
                **asked,
            }
            self.alerts[asked["alias"]] = alert
            self.raised.insert(0, alert)
        return self._accept(True, alert["id"], "Created alert")

    async def _request(self, request: web.Request) -> web.Response:
        at = request.match_info["id"]
        self._asked[at] = self._asked.get(at, 0) + 1
        if self._asked[at] <= self.slow_for:
            return web.json_response({"message": "Request not found. It might not be processed, yet."}, status=404)
        return web.json_response({"data": self._requests[int(at[1:])], "took": 0.1, "requestId": at})

    async def _change(self, request: web.Request) -> web.Response:
        if request.query.get("identifierType") != "alias":
            return web.json_response({"message": "identifierType must be given"}, status=422)
        alert = self.alerts.get(request.match_info["alias"])
        if alert is None or alert["state"] == "closed":
            return self._accept(False, "", "Alert does not exist")
        alert["state"] = "closed"
        return self._accept(True, alert["id"], "done")
