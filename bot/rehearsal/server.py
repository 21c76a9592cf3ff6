"""The Slack stand-in on a loopback port: the Web API over HTTP. slack_sdk and Bolt use it unmodified."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from bot.clock import Clock
from bot.rehearsal.block_kit import CannotTypeError, enter_values, require_filled
from bot.rehearsal.delivery import AppAnswer, AppDelivery
from bot.rehearsal.payloads import envelope, view_json
from bot.rehearsal.screen import ShownMessage, ShownView, show_view
from bot.rehearsal.sign_in_page import SignInPage
from bot.rehearsal.user import UserEvents
from bot.rehearsal.web_api import Args, Handler, Method, check_scope, check_token
from bot.rehearsal.web_api import chat as chat_api
from bot.rehearsal.web_api import conversations as conversations_api
from bot.rehearsal.web_api import files as files_api
from bot.rehearsal.web_api import views as views_api
from bot.rehearsal.web_api.chat import post_in_reply
from bot.rehearsal.web_api.openid import OpenIdProvider
from bot.rehearsal.workspace import ApiCall, ApiRefusal, Json, PlannedFault, SharedFile, Workspace

__all__ = ["AppAnswer", "AppDelivery", "CannotTypeError", "SharedFile", "ShownMessage", "ShownView", "StandIn"]

METHODS: dict[str, Method] = {
    **chat_api.METHODS,
    **conversations_api.METHODS,
    **files_api.METHODS,
    **views_api.METHODS,
}
LARGEST_BODY = 64 * 1024 * 1024


class WebApi:
    """Answers the Web API calls of one workspace, and records them in `calls`."""

    def __init__(self, workspace: Workspace, open_connection: Handler) -> None:
        self.workspace = workspace
        self.calls: list[ApiCall] = []
        self.faults: defaultdict[str, list[PlannedFault]] = defaultdict(list)
        self.openid = OpenIdProvider(workspace)
        self.methods = METHODS | {"apps.connections.open": Method(open_connection, "connections:write", "xapp")}
        self.methods |= self.openid.methods

    def routes(self) -> list[web.RouteDef]:
        """The paths that an app knows of."""
        return [
            web.route("*", "/api/{method}", self.api),
            web.post("/response/{key}", self.response_url),
            web.post("/upload/{file}", self.upload),
            web.get("/files/{file}", self.download),
            web.get("/files-pri/{file}", self.private),
            web.get("/signin", sign_in),
            *SignInPage(self.openid).routes(),
        ]

    # --- methods -----------------------------------------------------------------------------------------------

    async def api(self, request: web.Request) -> web.StreamResponse:
        """One call of a method."""
        name = request.match_info["method"]
        arguments = await _read_arguments(request)

        async def respond() -> web.StreamResponse:
            token = _token(request, arguments)
            answer = self._answer(name, token, arguments)
            self.calls.append(ApiCall(name, arguments, answer))
            scopes = self.workspace.tokens[token].scopes if token in self.workspace.tokens else ()
            return web.json_response(answer, headers={"x-oauth-scopes": ",".join(sorted(scopes))})

        return await self._respond(request, name, arguments, respond)

    def _answer(self, name: str, sent_token: str, arguments: Json) -> Json:
        if name not in self.methods:
            return ApiRefusal("unknown_method", req_method=name).answer
        try:
            method, args = self.methods[name], Args(arguments)
            if not method.caller:
                return {"ok": True, **method.handler(self.workspace, args)}
            if method.caller == "xoxp":
                args.values["_token"] = sent_token  # a person's own
            check_scope(self.workspace, method, check_token(self.workspace, sent_token), args)
            return {"ok": True, **method.handler(self.workspace, args)}
        except ApiRefusal as refusal:
            return refusal.answer

    # --- planned faults ----------------------------------------------------------------------------------------

    async def _respond(
        self,
        request: web.Request,
        name: str,
        arguments: Json,
        respond: Callable[[], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        """Answer a call, unless the next planned fault of this name stops it or loses its answer."""
        fault = await self._next_fault(name)
        if fault is not None and fault.stops:
            return self._fail(request, fault, name, arguments)
        response = await respond()
        return _cut_connection(request) if fault is not None and fault.drop == "after" else response

    async def _next_fault(self, name: str) -> PlannedFault | None:
        """The fault that is planned for this call, after its delay."""
        planned = self.faults[name]
        if not planned:
            return None
        fault = planned[0]
        fault.times -= 1
        if fault.times <= 0:
            planned.pop(0)
        await asyncio.sleep(fault.delay)
        if fault.until is not None:
            await fault.until.wait()
        return fault

    def _fail(self, request: web.Request, fault: PlannedFault, name: str, arguments: Json) -> web.StreamResponse:
        if fault.drop == "before":
            self.calls.append(ApiCall(name, arguments, {}))
            return _cut_connection(request)
        answer: Json = {"ok": False, "error": fault.error or "internal_error"}
        self.calls.append(ApiCall(name, arguments, answer))
        limited = fault.error in ("ratelimited", "rate_limited")
        status = 429 if limited and fault.status == 200 else fault.status
        headers = {}
        if limited or fault.retry_after is not None:
            headers["Retry-After"] = str(1 if fault.retry_after is None else fault.retry_after)
        if fault.html:
            page = "<!DOCTYPE html><html><body><h1>Server Error</h1></body></html>"
            return web.Response(status=status, text=page, content_type="text/html", headers=headers)
        return web.json_response(answer, status=status, headers=headers)

    # --- other addresses ---------------------------------------------------------------------------------------

    async def response_url(self, request: web.Request) -> web.StreamResponse:
        """A message that the app sends through a response_url."""
        arguments = await _read_arguments(request)

        async def respond() -> web.StreamResponse:
            answer: Json = {"ok": True}
            try:
                post_in_reply(self.workspace, self.workspace.use_response_url(request.match_info["key"]), arguments)
            except ApiRefusal as refusal:
                answer = refusal.answer
            self.calls.append(ApiCall("response_url", arguments, answer))
            if answer["ok"]:
                return web.Response(text="ok")
            return web.json_response(answer, status=404 if answer["error"] in ("used_url", "expired_url") else 400)

        return await self._respond(request, "response_url", arguments, respond)

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """The bytes of a file, as they are or as the one part of a form."""

        async def respond() -> web.StreamResponse:
            file = self._find_file(request)
            if request.content_type.startswith("multipart/"):
                parts = [part for part in (await request.post()).values() if isinstance(part, web.FileField)]
                file.bytes = parts[0].file.read() if parts else b""
            else:
                file.bytes = await request.read()
            file.uploaded = True
            return web.Response(text=f"OK - {len(file.bytes)}")

        return await self._respond(request, "upload", {}, respond)

    async def download(self, request: web.Request) -> web.StreamResponse:
        """The bytes of a file, for anyone who looks at the workspace in a browser."""
        headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
        body = self._find_file(request).bytes
        return web.Response(body=body, content_type="application/octet-stream", headers=headers)

    async def private(self, request: web.Request) -> web.StreamResponse:
        """The bytes of a file, for a token that may read files. Like Slack, redirects others to the sign-in page."""

        async def respond() -> web.StreamResponse:
            token = self.workspace.tokens.get(_token(request, {}))
            if token is None or token.state or "files:read" not in token.scopes:
                # A redirect and no 401: an app that follows it stores a sign-in page in place of the file.
                raise web.HTTPFound("/signin")
            return await self.download(request)

        return await self._respond(request, "file", {}, respond)

    def _find_file(self, request: web.Request) -> SharedFile:
        file = self.workspace.files.get(request.match_info["file"])
        if file is None:
            raise web.HTTPNotFound(text="file_not_found")
        return file


async def sign_in(_: web.Request) -> web.StreamResponse:
    """The page on which a person would sign in."""
    return web.Response(text="<!DOCTYPE html><html><body><h1>Sign in</h1></body></html>", content_type="text/html")


@web.middleware
async def refuse(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer a refusal that is raised before a method is reached: a body that is no JSON."""
    try:
        return await handler(request)
    except ApiRefusal as refusal:
        return web.json_response(refusal.answer)


def _cut_connection(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        # Aborted, not closed: the app must see a reset, as when a proxy or the network fails.
        request.transport.abort()
    return web.Response(status=500)


def _token(request: web.Request, arguments: Json) -> str:
    """The token of the header, else that among the arguments, from which it is removed."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    sent = str(arguments.pop("token", ""))
    return token.strip() if scheme.lower() == "bearer" else sent


async def _read_arguments(request: web.Request) -> Json:
    """The arguments from the query and from a JSON or form body. Raises ApiRefusal `invalid_json`."""
    query: Json = dict(request.query)
    if request.content_type != "application/json":
        return query | dict(await request.post())
    try:
        body = await request.json() if request.can_read_body else {}
    except json.JSONDecodeError:
        raise ApiRefusal("invalid_json") from None
    return query | (body if isinstance(body, dict) else {})


class StandIn(UserEvents):
    """One workspace on a loopback port: `async with StandIn(clock) as slack: …`.

    What people do (`command`, `click`, `say`, …) returns when the app has acknowledged it or after `patience` real
    seconds. All other times are the clock's.
    """

    def __init__(self, clock: Clock, *, team: str = "T0REHEARSE") -> None:
        super().__init__(clock, team=team)
        self.api = WebApi(self.workspace, self._open_connection)
        self._runner: web.AppRunner | None = None
        self.extra_routes: list[web.RouteDef] = []

    # --- the server --------------------------------------------------------------------------------------------

    async def start(self, port: int = 0) -> None:
        """Serve on a loopback port; 0 means any that is free."""
        app = web.Application(client_max_size=LARGEST_BODY, middlewares=[refuse])
        app.add_routes([*self.api.routes(), web.get("/link", self.sockets.serve), *self.extra_routes])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        host, bound = self._runner.addresses[0][:2]
        self.workspace.base_url = f"http://{host}:{bound}"

    async def stop(self) -> None:
        """Close all connections and stop the server."""
        await self.sockets.close()
        await self.http.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def api_url(self) -> str:
        """The value for SLACK_API_URL."""
        return f"{self.workspace.base_url}/api/"

    def _open_connection(self, workspace: Workspace, args: Args) -> Json:
        """apps.connections.open: the address of one socket."""
        ticket = self.sockets.ticket()
        base = workspace.base_url.replace("http://", "ws://", 1)
        return {"url": f"{base}/link?ticket={ticket}&app_id={workspace.app_id}"}

    # --- the way to the app ------------------------------------------------------------------------------------

    def send_to(self, request_url: str) -> None:
        """Deliver by signed requests to this URL from now on, not through the app's sockets."""
        self.http.url = request_url

    async def wait_for_socket(self, seconds: float = 60) -> None:
        """Wait until the app has opened a socket. Raises TimeoutError."""
        await asyncio.wait_for(self.sockets.connected.wait(), seconds)

    async def disconnect(self, reason: str = "refresh_requested", *, close: bool = True) -> None:
        """Tell the app's sockets to reconnect; with `close=False` the old ones stay open and get nothing more."""
        await self.sockets.disconnect(reason, close=close)

    def fail(self, method: str, error: str = "", **how: Any) -> None:
        """Plan a fault for the next calls of a method, or of "response_url", "upload" or "file"; several form a queue.

        `how` is what `PlannedFault` takes.
        """
        self.api.faults[method].append(PlannedFault(error, **how))

    # --- people and places -------------------------------------------------------------------------------------

    def user(self, name: str, zone: str = "UTC", **traits: Any) -> str:
        """Add a person; returns the user id. `traits` are those of `User`, such as `guest` or `email`."""
        return self.workspace.add_user(name, zone, **traits)

    def channel(self, name: str, members: Iterable[str] = (), *, with_bot: bool = True, **traits: bool) -> str:
        """Add a channel; returns its id. `traits` are those of `StandInChannel`, such as `private` or `shared`."""
        inside = [*members, *([self.bot_user_id] if with_bot else [])]
        return self.workspace.add_channel(name, inside, **traits)

    def dm(self, user: str) -> str:
        """The id of the bot's conversation with a person."""
        return self.workspace.dm(user).id

    # --- windows -----------------------------------------------------------------------------------------------

    async def submit(self, user: str, view: ShownView | str, values: dict[str, Any] | None = None) -> AppAnswer:
        """Fill in an open modal by action_id and submit it. It stays open if the app answers with errors.

        Raises CannotTypeError if Slack's client would not submit it.
        """
        modal = self.open_view(user, view)
        modal.typed |= enter_values(modal.blocks, values or {})
        if not modal.body.get("submit"):
            raise CannotTypeError("this window has nothing to submit")
        require_filled(modal.blocks, modal.typed)
        payload = {
            **envelope(self.workspace, "view_submission", user),
            "trigger_id": self.workspace.new_trigger(user),
            "view": view_json(self.workspace, modal),
            "response_urls": [],
        }
        return await self.deliver(AppDelivery("interactive", payload))

    async def close(self, user: str, view: ShownView | str) -> AppAnswer | None:
        """Close a modal and those above it; None if the app is not notified (notify_on_close)."""
        modal = self.open_view(user, view)
        stack = self.workspace.stacks[user]
        del stack[stack.index(modal) :]
        if not modal.body.get("notify_on_close"):
            return None
        payload = {
            **envelope(self.workspace, "view_closed", user),
            "view": view_json(self.workspace, modal),
            "is_cleared": False,
        }
        return await self.deliver(AppDelivery("interactive", payload))

    # --- what people see ---------------------------------------------------------------------------------------

    def messages(self, channel: str, *, user: str | None = None, thread_ts: str | None = None) -> list[ShownMessage]:
        """The messages of a channel or a thread in order, with the ephemeral ones that this person sees."""
        place = self.workspace.channels[channel]
        return [
            self.see(message, user or "")
            for message in place.messages.values()
            if message.ephemeral_for in ("", user) and thread_ts in (None, message.thread_ts, message.ts)
        ]

    def views(self, user: str) -> list[ShownView]:
        """The person's open modals, the topmost last."""
        return [show_view(view, self.reader(user)) for view in self.workspace.stacks.get(user, [])]

    def home(self, user: str) -> Json | None:
        """The body of the person's Home tab, or None if none was published."""
        view = self.workspace.homes.get(user)
        return view.body if view else None

    @property
    def files(self) -> list[SharedFile]:
        """The files that were shared in a channel."""
        return [file for file in self.workspace.files.values() if file.channel]

    @property
    def calls(self) -> list[ApiCall]:
        """Every call of the Web API, in order."""
        return self.api.calls
