"""A Jira that keeps issues, after version 3 of its interface, with one project and its rules."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from tests.support.integrations.fakes.days import Fake

STATUSES = {"To Do": "new", "In Progress": "indeterminate", "Won't do": "done", "Done": "done"}
PEOPLE = {
    "acc-ana": ("ana@team.example", "Ana", True, "atlassian"),
    "acc-left": ("left@team.example", "Lou", False, "atlassian"),
    "acc-app": ("app@team.example", "Robot", True, "app"),
    "acc-bo-1": ("bo@team.example", "Bo One", True, "atlassian"),
    "acc-bo-2": ("bo@team.example", "Bo Two", True, "atlassian"),
}
DEFAULT_FIELDS: list[dict[str, Any]] = [
    {"fieldId": "summary", "name": "Summary", "required": True, "hasDefaultValue": False},
    {"fieldId": "customfield_10", "name": "Team", "required": True, "hasDefaultValue": False},
    {"fieldId": "customfield_11", "name": "Impact", "required": True, "hasDefaultValue": True},
    {"fieldId": "duedate", "name": "Due", "required": False, "hasDefaultValue": False},
]


class FakeJira(Fake):
    def __init__(self) -> None:
        super().__init__()
        self.issues: dict[str, dict[str, Any]] = {}
        self.links: dict[tuple[str, str], dict[str, Any]] = {}
        self.related: list[tuple[str, str, str]] = []
        """Links between issues: type, inward and outward."""
        self.link_types = ["Blocks", "Relates"]
        self.demands_assignee = False
        self.drops_assignee = False
        self.unseen_fields: set[str] = set()
        self.form = list(DEFAULT_FIELDS)
        self.page_size = 100
        self.resolution_required = False
        self.search_lags = False
        self._changes = 0
        self._moved: dict[str, str] = {}
        for prefix in ("", "/ex/jira/cloud-1"):
            self._routes(f"{prefix}/rest/api/3")
        self.app.router.add_get("/_edge/tenant_info", self._tenant)

    def _routes(self, api: str) -> None:
        add = self.app.router.add_route
        add("GET", f"{api}/myself", self._myself)
        add("POST", f"{api}/issue", self._create)
        add("GET", f"{api}/issue/createmeta/OPS/issuetypes", self._types)
        add("GET", f"{api}/issue/createmeta/OPS/issuetypes/7", self._form)
        add("GET", f"{api}/issue/{{key}}", self._issue)
        add("PUT", f"{api}/issue/{{key}}", self._edit)
        add("GET", f"{api}/issue/{{key}}/transitions", self._steps)
        add("POST", f"{api}/issue/{{key}}/transitions", self._step)
        add("POST", f"{api}/issue/{{key}}/remotelink", self._link)
        add("POST", f"{api}/issueLink", self._relate)
        add("POST", f"{api}/search/jql", self._search)
        add("GET", f"{api}/user/assignable/search", self._assignable)

    def file(self, key: str, **fields: Any) -> None:
        """Put an issue there without a call."""
        self.issues[key] = {"summary": key, "labels": [], "status": "To Do", **fields}
        self._touch(key)

    def by_hand(self, key: str, **fields: Any) -> None:
        """Someone changes an issue."""
        self.issues[key] |= fields
        self._touch(key)

    def move(self, key: str, to: str) -> None:
        """Someone moves an issue to another project: its old key still leads there."""
        self.issues[to] = self.issues.pop(key)
        self._moved[key] = to
        self._touch(to)

    def _touch(self, key: str) -> None:
        self._changes += 1
        at = datetime(2026, 11, 23, 14, 5, tzinfo=UTC) + timedelta(seconds=self._changes)
        self.issues[key]["updated"] = at.strftime("%Y-%m-%dT%H:%M:%S.000+0000")

    def telling(self, key: str, event: str = "jira:issue_updated", by: str = "acc-ana", **more: Any) -> dict[str, Any]:
        """The payload of a webhook about an issue as it is now."""
        person = {"accountId": by, "displayName": "Somebody"}
        payload = {"timestamp": 1, "webhookEvent": event, "user": person, "changelog": {"id": "1", "items": []}}
        return {**payload, "issue": self._render(key), **more}

    async def _tenant(self, request: web.Request) -> web.Response:
        return web.json_response({"cloudId": "cloud-1"})

    def _lets_in(self, request: web.Request) -> bool:
        return request.path == "/_edge/tenant_info" or super()._lets_in(request)

    async def _myself(self, request: web.Request) -> web.Response:
        return web.json_response({"accountId": "acc-bot", "displayName": "Afterword"})

    async def _create(self, request: web.Request) -> web.Response:
        fields = (await request.json())["fields"]
        errors = self._wrong(fields)
        if self.demands_assignee and not self._person(fields.get("assignee")):
            errors["assignee"] = "Issues must be assigned."
        if errors:
            return web.json_response({"errorMessages": [], "errors": errors}, status=400)
        key = f"{fields['project']['key']}-{len(self.issues) + 1}"
        self.issues[key] = {**fields, "status": "To Do"}
        self._touch(key)
        if self.drops_assignee:
            self.issues[key]["assignee"] = None
        return web.json_response({"id": str(len(self.issues)), "key": key, "self": "x"}, status=201)

    def _wrong(self, fields: dict[str, Any]) -> dict[str, str]:
        errors = {
            name: f"Field '{name}' cannot be set. It is not on the appropriate screen, or unknown."
            for name in fields.keys() & self.unseen_fields
        }
        if isinstance(fields.get("description"), str):
            errors["description"] = "It must be an Atlassian Document."
        if len(fields.get("summary", "")) > 255 or "\n" in fields.get("summary", ""):
            errors["summary"] = "Summary must be one line of at most 255 characters."
        person = self._person(fields.get("assignee"))
        if person and not PEOPLE[person][2]:
            errors["assignee"] = "User 'x' cannot be assigned issues."
        return errors

    def _person(self, value: Any) -> str:
        return str((value or {}).get("id") or "")

    async def _issue(self, request: web.Request) -> web.Response:
        key = self._moved.get(request.match_info["key"], request.match_info["key"])
        return web.json_response(self._render(key)) if key in self.issues else self._missing()

    def _render(self, key: str) -> dict[str, Any]:
        issue = self.issues[key]
        person = self._person(issue.get("assignee"))
        named = {"accountId": person, "displayName": PEOPLE[person][1]} if person else None
        return {
            "id": "1",
            "key": key,
            "fields": {
                "status": {"name": issue["status"], "statusCategory": {"key": STATUSES[issue["status"]]}},
                "assignee": named,
                "duedate": issue.get("duedate"),
                "updated": issue["updated"],
                "labels": issue["labels"],
            },
        }

    @staticmethod
    def _missing() -> web.Response:
        errors = {"errorMessages": ["Issue does not exist or you do not have permission to see it."], "errors": {}}
        return web.json_response(errors, status=404)

    async def _edit(self, request: web.Request) -> web.Response:
        key, asked = request.match_info["key"], await request.json()
        if key not in self.issues:
            return self._missing()
        errors = self._wrong(asked.get("fields", {}))
        if self.demands_assignee and asked["fields"].get("assignee", self) is None:
            errors["assignee"] = "Issues must be assigned."
        if errors:
            return web.json_response({"errorMessages": [], "errors": errors}, status=400)
        self.issues[key] |= asked.get("fields", {})
        self._touch(key)
        return web.Response(status=204)

    async def _steps(self, request: web.Request) -> web.Response:
        asked = {"required": True, "allowedValues": [{"name": "Duplicate"}, {"name": "Done"}]}
        steps = [
            {
                "id": str(number),
                "name": f"to {name}",
                "to": {"name": name, "statusCategory": {"key": category}},
                "fields": {"resolution": asked} if self.resolution_required and category == "done" else {},
            }
            for number, (name, category) in enumerate(STATUSES.items(), 11)
        ]
        return web.json_response({"transitions": steps})

    async def _step(self, request: web.Request) -> web.Response:
        asked = await request.json()
        name = list(STATUSES)[int(asked["transition"]["id"]) - 11]
        if self.resolution_required and STATUSES[name] == "done" and "resolution" not in asked.get("fields", {}):
            return web.json_response({"errors": {"resolution": "Resolution is required."}}, status=400)
        self.issues[request.match_info["key"]] |= {"status": name, **asked.get("fields", {})}
        self._touch(request.match_info["key"])
        return web.Response(status=204)

    async def _relate(self, request: web.Request) -> web.Response:
        """As Jira does: a second link of the same two is no second, and what it cannot link is not found."""
        asked = await request.json()
        keys = [self._moved.get(key, key) for key in (asked["inwardIssue"]["key"], asked["outwardIssue"]["key"])]
        if set(asked) - {"type", "inwardIssue", "outwardIssue", "comment"}:
            return web.json_response({"errorMessages": ["Invalid request payload."]}, status=400)
        if not set(keys) <= self.issues.keys():
            return self._missing()
        if asked["type"]["name"] not in self.link_types:
            message = f"No issue link type with name '{asked['type']['name']}' found."
            return web.json_response({"errorMessages": [message], "errors": {}}, status=404)
        link = (asked["type"]["name"], keys[0], keys[1])
        self.related += [link] if link not in self.related else []
        return web.Response(status=201)

    async def _link(self, request: web.Request) -> web.Response:
        key, asked = request.match_info["key"], await request.json()
        key = self._moved.get(key, key)
        if key not in self.issues:
            return self._missing()
        if not asked["object"].get("url", "").startswith("http") or not 0 < len(asked["object"].get("title", "")) < 256:
            return web.json_response({"errors": {"url": "A title and a web address are required."}}, status=400)
        was_there = (key, asked["globalId"]) in self.links
        self.links[key, asked["globalId"]] = asked["object"]
        return web.json_response({"id": 1, "self": "x"}, status=200 if was_there else 201)

    async def _search(self, request: web.Request) -> web.Response:
        asked = await request.json()
        jql = asked["jql"]
        keys = re.findall(r'"([^"]+)"', jql) if jql.startswith("key in") else []
        if unknown := [key for key in keys if key not in self.issues]:
            message = [f"An issue with key '{key}' does not exist for field 'key'." for key in unknown]
            return web.json_response({"errorMessages": message, "errors": {}}, status=400)
        label = re.search(r'labels = "([^"]+)"', jql)
        indexed = {} if self.search_lags else self.issues
        found = keys or [key for key, issue in indexed.items() if label and label[1] in issue["labels"]]
        start = int(asked.get("nextPageToken") or 0)
        behind = start + self.page_size
        answer: dict[str, Any] = {"issues": [self._render(key) for key in found[start:behind]]}
        if behind < len(found):
            answer["nextPageToken"] = str(behind)
        else:
            answer["isLast"] = True
        return web.json_response(answer)

    async def _assignable(self, request: web.Request) -> web.Response:
        wanted = request.query["query"]
        people = [
            {"accountId": at, "displayName": name, "active": active, "accountType": kind}
            for at, (email, name, active, kind) in PEOPLE.items()
            if email == wanted
        ]
        return web.json_response(people)

    async def _types(self, request: web.Request) -> web.Response:
        types = [{"id": "6", "name": "Story"}, {"id": "7", "name": "Task"}]
        return web.json_response({"issueTypes": types, "total": 2})

    async def _form(self, request: web.Request) -> web.Response:
        start = int(request.query["startAt"])
        part = self.form[start : start + 2]
        return web.json_response({"fields": part, "total": len(self.form)})
