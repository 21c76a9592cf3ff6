"""The Web API over HTTP: which call it is, whether it may, what goes wrong on purpose, and the answer."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from bot.rehearsal.web_api import chat as chat_api
from bot.rehearsal.web_api import conversations as conversations_api
from bot.rehearsal.web_api import files as files_api
from bot.rehearsal.web_api import views as views_api
from bot.rehearsal.web_api.calls import Args, Handler, Method, check_scope, check_token
from bot.rehearsal.web_api.chat import answer_through
from bot.rehearsal.workspace import ApiCall, ApiRefusal, Json, PlannedFault, Workspace

METHODS: dict[str, Method] = {
    **files_api.CANVASES_METHODS,
    **chat_api.CHAT_METHODS,
    **conversations_api.CONVERSATIONS_METHODS,
    **files_api.FILES_METHODS,
    **chat_api.MARKS_METHODS,
    **conversations_api.PEOPLE_METHODS,
    **views_api.METHODS,
}
LARGEST_BODY = 64 * 1024 * 1024


class WebApi:
    """Answers the calls of one workspace, and keeps them in `calls`."""

    def __init__(self, workspace: Workspace, open_connection: Handler) -> None:
        self.workspace = workspace
        self.calls: list[ApiCall] = []
        self.faults: defaultdict[str, list[PlannedFault]] = defaultdict(list)
        self.methods = METHODS | {"apps.connections.open": Method(open_connection, "connections:write", "xapp")}

    def routes(self) -> list[web.RouteDef]:
        """The paths that an app knows of."""
        return [
            web.route("*", "/api/{method}", self.api),
            web.post("/response/{key}", self.response_url),
            web.post("/upload/{file}", self.upload),
            web.get("/files/{file}", self.download),
            web.get("/files-pri/{file}", self.private),
            web.get("/signin", sign_in),
        ]

    # --- methods -----------------------------------------------------------------------------------------------

    async def api(self, request: web.Request) -> web.StreamResponse:
        """One call of a method."""
        name = request.match_info["method"]
        given = await _read_arguments(request)
        fault = await self._fault(name)
        if fault is not None and fault.stops:
            return self._fail(request, fault, name, given)
        token = _token(request, given)
        answer = self._answer(name, token, given)
        self.calls.append(ApiCall(name, given, answer))
        if fault is not None and fault.drop == "after":
            return _cut_connection(request)
        scopes = self.workspace.tokens[token].scopes if token in self.workspace.tokens else ()
        return web.json_response(answer, headers={"x-oauth-scopes": ",".join(sorted(scopes))})

    def _answer(self, name: str, sent: str, given: Json) -> Json:
        try:
            method = self._method(name)
            token = check_token(self.workspace, sent)
            args = Args(given)
            check_scope(self.workspace, method, token, args)
            return {"ok": True, **method.handler(self.workspace, args)}
        except ApiRefusal as refusal:
            return {"ok": False, "error": refusal.error, **refusal.beside}

    def _method(self, name: str) -> Method:
        if name not in self.methods:
            raise ApiRefusal("unknown_method", req_method=name)
        return self.methods[name]

    # --- things that go wrong ----------------------------------------------------------------------------------

    async def _fault(self, name: str) -> PlannedFault | None:
        """The fault that waits for this call, after its delay."""
        waiting = self.faults[name]
        if not waiting:
            return None
        fault = waiting[0]
        fault.times -= 1
        if fault.times <= 0:
            waiting.pop(0)
        await asyncio.sleep(fault.delay)
        if fault.until is not None:
            await fault.until.wait()
        return fault

    def _fail(self, request: web.Request, fault: PlannedFault, name: str, given: Json) -> web.StreamResponse:
        if fault.drop == "before":
            self.calls.append(ApiCall(name, given, {}))
            return _cut_connection(request)
        answer: Json = {"ok": False, "error": fault.error or "internal_error"}
        self.calls.append(ApiCall(name, given, answer))
        limited = fault.error in ("ratelimited", "rate_limited")
        status = 429 if limited and fault.status == 200 else fault.status
        headers = {}
        if limited or fault.retry_after is not None:
            headers["Retry-After"] = str(1 if fault.retry_after is None else fault.retry_after)
        if fault.html:
            page = "<!DOCTYPE html><html><body><h1>Server Error</h1></body></html>"
            return web.Response(status=status, text=page, content_type="text/html", headers=headers)
        return web.json_response(answer, status=status, headers=headers)

    # --- beside the methods ------------------------------------------------------------------------------------

    async def response_url(self, request: web.Request) -> web.StreamResponse:
        """What an app says through a response_url."""
        given = await _read_arguments(request)
        fault = await self._fault("response_url")
        if fault is not None and fault.stops:
            return self._fail(request, fault, "response_url", given)
        answer: Json = {"ok": True}
        try:
            answer_through(self.workspace, request.match_info["key"], given)
        except ApiRefusal as refusal:
            answer = {"ok": False, "error": refusal.error, **refusal.beside}
        self.calls.append(ApiCall("response_url", given, answer))
        if fault is not None and fault.drop == "after":
            return _cut_connection(request)
        if answer["ok"]:
            return web.Response(text="ok")
        return web.json_response(answer, status=404 if answer["error"] in ("used_url", "expired_url") else 400)

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """The bytes of a file, as they are or as the one part of a form."""
        fault = await self._fault("upload")
        if fault is not None and fault.stops:
            return self._fail(request, fault, "upload", {})
        file = self.workspace.files.get(request.match_info["file"])
        if file is None:
            raise web.HTTPNotFound(text="file_not_found")
        if request.content_type.startswith("multipart/"):
            parts = [part for part in (await request.post()).values() if isinstance(part, web.FileField)]
            file.bytes = parts[0].file.read() if parts else b""
        else:
            file.bytes = await request.read()
        file.uploaded = True
        if fault is not None and fault.drop == "after":
            return _cut_connection(request)
        return web.Response(text=f"OK - {len(file.bytes)}")

    async def download(self, request: web.Request) -> web.StreamResponse:
        """The bytes of a file, for whoever looks at the workspace."""
        file = self.workspace.files.get(request.match_info["file"])
        if file is None:
            raise web.HTTPNotFound(text="file_not_found")
        headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
        return web.Response(body=file.bytes, content_type="application/octet-stream", headers=headers)

    async def private(self, request: web.Request) -> web.StreamResponse:
        """The bytes of a file, for a token that may read files; Slack sends everybody else to its sign-in page."""
        fault = await self._fault("file")
        if fault is not None and fault.stops:
            return self._fail(request, fault, "file", {})
        token = self.workspace.tokens.get(_token(request, {}))
        if token is None or token.state or "files:read" not in token.scopes:
            raise web.HTTPFound("/signin")
        return await self.download(request)


async def sign_in(_: web.Request) -> web.StreamResponse:
    """The page on which a person would sign in."""
    return web.Response(text="<!DOCTYPE html><html><body><h1>Sign in</h1></body></html>", content_type="text/html")


@web.middleware
async def refuse(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer a refusal that came before any method had the call."""
    try:
        return await handler(request)
    except ApiRefusal as refusal:
        return web.json_response({"ok": False, "error": refusal.error, **refusal.beside})


def _cut_connection(request: web.Request) -> web.StreamResponse:
    """End the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


def _token(request: web.Request, given: Json) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    sent = str(given.pop("token", ""))
    return token.strip() if scheme.lower() == "bearer" else sent


async def _read_arguments(request: web.Request) -> Json:
    """The arguments, from the query and from a JSON or form body."""
    given: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        try:
            body = await request.json() if request.can_read_body else {}
        except json.JSONDecodeError:
            raise ApiRefusal("invalid_json") from None
        return given | (body if isinstance(body, dict) else {})
    return given | dict(await request.post())
