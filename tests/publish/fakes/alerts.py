"""The alerts of Jira Service Management or Opsgenie: accepted at once, done a little later."""

from typing import Any

from aiohttp import web

from tests.publish.fakes.days import Fake


class FakeAlerts(Fake):
    def __init__(self) -> None:
        super().__init__()
        self.alerts: dict[str, dict[str, Any]] = {}
        self.pages = 0
        self.slow_for = 1
        self.refuses = ""
        self._requests: list[dict[str, Any]] = []
        self._asked: dict[str, int] = {}
        add = self.app.router.add_route
        add("GET", "/v2/alerts", self._list)
        add("POST", "/v2/alerts", self._raise)
        add("GET", "/v2/alerts/requests/{id}", self._request)
        add("POST", "/v2/alerts/{alias}/{what}", self._change)

    async def _list(self, request: web.Request) -> web.Response:
        return web.json_response({"data": []})

    def _accepted(self, success: bool, alert_id: str, said: str) -> web.Response:
        done = {"success": success, "isSuccess": success, "status": said, "alertId": alert_id}
        self._requests.append(done)
        at = f"r{len(self._requests) - 1}"
        return web.json_response({"result": "Request will be processed", "took": 0.1, "requestId": at}, status=202)

    async def _raise(self, request: web.Request) -> web.Response:
        asked = await request.json()
        if self.refuses:
            return self._accepted(False, "", self.refuses)
        alert = self.alerts.get(asked["alias"])
        if alert is None or alert["state"] == "closed":
            self.pages += 1
            alert = {"id": f"a{self.pages}", "state": "open", "notes": [], **asked}
            self.alerts[asked["alias"]] = alert
        return self._accepted(True, alert["id"], "Created alert")

    async def _request(self, request: web.Request) -> web.Response:
        at = request.match_info["id"]
        self._asked[at] = self._asked.get(at, 0) + 1
        if self._asked[at] <= self.slow_for:
            return web.json_response({"message": "Request not found. It might not be processed, yet."}, status=404)
        return web.json_response({"data": self._requests[int(at[1:])], "took": 0.1, "requestId": at})

    async def _change(self, request: web.Request) -> web.Response:
        asked, what = await request.json(), request.match_info["what"]
        if request.query.get("identifierType") != "alias":
            return web.json_response({"message": "identifierType must be given"}, status=422)
        alert = self.alerts.get(request.match_info["alias"])
        if alert is None:
            return self._accepted(False, "", "Alert does not exist")
        if what == "notes":
            alert["notes"].append(asked["note"])
        else:
            alert["state"] = "acked" if what == "acknowledge" else "closed"
        return self._accepted(True, alert["id"], "done")
