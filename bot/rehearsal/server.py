"""The Slack stand-in on a loopback port. slack_sdk and Bolt use it unmodified.

`Narrator` prints what people see in it, for a terminal.
"""

import asyncio
import re
from collections.abc import Iterable
from datetime import datetime
from itertools import groupby
from types import TracebackType
from typing import Any, Self

from aiohttp import web
from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

from bot.clock import Clock
from bot.rehearsal.forms import CannotTypeError, enter_values, require_filled
from bot.rehearsal.payloads import envelope, view_json
from bot.rehearsal.screen import AppAnswer, AppDelivery, ShownMessage, ShownView, find_emoji, show_view
from bot.rehearsal.user import UserEvents
from bot.rehearsal.web_api import LARGEST_BODY, WebApi, refuse
from bot.rehearsal.web_api.calls import Args
from bot.rehearsal.workspace import ApiCall, Json, PlannedFault, SharedFile, Workspace

__all__ = ["AppAnswer", "AppDelivery", "CannotTypeError", "SharedFile", "ShownMessage", "ShownView", "StandIn"]


class StandIn(UserEvents):
    """One workspace on a loopback port: `async with StandIn(clock) as slack: …`.

    What people do (`command`, `click`, `say`, …) returns when the app has acknowledged it, or when Slack gave up
    after `patience` (three real seconds). All other times are the clock's.
    """

    def __init__(self, clock: Clock, *, team: str = "T0REHEARSE") -> None:
        super().__init__(clock, team=team)
        self.api = WebApi(self.workspace, self._open_connection)
        self._runner: web.AppRunner | None = None
        self.extra_routes: list[web.RouteDef] = []

    # --- the server --------------------------------------------------------------------------------------------

    async def start(self, port: int = 0) -> None:
        """Serve on a port of the loopback address; with 0 on any that is free."""
        app = web.Application(client_max_size=LARGEST_BODY, middlewares=[refuse])
        app.add_routes([*self.api.routes(), web.get("/link", self.sockets.serve), *self.extra_routes])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        host, bound = self._runner.addresses[0][:2]
        self.workspace.base_url = f"http://{host}:{bound}"

    async def stop(self) -> None:
        """End every connection and the server."""
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
        """What SLACK_API_URL is to be."""
        return f"{self.workspace.base_url}/api/"

    def _open_connection(self, workspace: Workspace, args: Args) -> Json:
        """apps.connections.open: where a socket may be opened, once."""
        ticket = self.sockets.ticket()
        base = workspace.base_url.replace("http://", "ws://", 1)
        return {"url": f"{base}/link?ticket={ticket}&app_id={workspace.app_id}"}

    # --- the way to the app ------------------------------------------------------------------------------------

    def send_to(self, request_url: str) -> None:
        """Deliver by signed requests to this URL; without it, through one of the app's sockets."""
        self.http.url = request_url

    async def wait_for_socket(self, seconds: float = 60) -> None:
        """Wait until the app has a socket open; TimeoutError."""
        await asyncio.wait_for(self.sockets.connected.wait(), seconds)

    async def disconnect(self, reason: str = "refresh_requested", *, close: bool = True) -> None:
        """Tell the app's sockets to reconnect; with `close=False` the old ones stay open and get nothing more."""
        await self.sockets.disconnect(reason, close=close)

    def fail(  # noqa: PLR0913 - a fault has as many sides as a bad day
        self,
        method: str,
        error: str = "",
        *,
        times: int = 1,
        status: int = 200,
        retry_after: int | None = None,
        drop: str = "",
        html: bool = False,
        delay: float = 0,
        until: asyncio.Event | None = None,
    ) -> None:
        """Let the next calls of a method go wrong (also "response_url", "upload" and "file"); several wait in a row.

        `error="ratelimited"` is HTTP 429 with Retry-After; `drop="before"` and `"after"` cut the line before or after
        the call took effect; `html` answers a page, as a proxy would; `delay` in seconds alone only makes it slow.
        With `until` a call that came in hangs until that is set.
        """
        fault = PlannedFault(error, times, status, retry_after, drop, html, delay, until)
        self.api.faults[method].append(fault)

    # --- people and places -------------------------------------------------------------------------------------

    def user(
        self,
        name: str,
        zone: str = "UTC",
        *,
        guest: bool = False,
        deleted: bool = False,
        bot: bool = False,
        **more: str,
    ) -> str:
        """A new person, with `email` and `locale` where it matters; the user id is answered."""
        return self.workspace.add_user(name, zone, guest=guest, deleted=deleted, bot=bot, **more)

    def channel(
        self,
        name: str,
        members: Iterable[str] = (),
        *,
        private: bool = False,
        with_bot: bool = True,
        shared: bool = False,
        archived: bool = False,
    ) -> str:
        """A new channel; the channel id is answered. `shared` is with another organisation."""
        inside = [*members, *([self.bot_user_id] if with_bot else [])]
        return self.workspace.add_channel(name, inside, private=private, shared=shared, archived=archived)

    def dm(self, user: str) -> str:
        """The id of the bot's conversation with a person."""
        return self.workspace.dm(user).id

    # --- windows -----------------------------------------------------------------------------------------------

    async def submit(self, user: str, view: ShownView | str, values: dict[str, Any] | None = None) -> AppAnswer:
        """Fill in an open modal by action_id and submit it.

        CannotTypeError where the client would not let them. The answer's `errors` are the app's complaints by block_id;
        the modal is then still open.
        """
        found = self.open_view(user, view)
        found.typed |= enter_values(found.blocks, values or {})
        if not found.body.get("submit"):
            raise CannotTypeError("this window has nothing to submit")
        require_filled(found.blocks, found.typed)
        payload = {
            **envelope(self.workspace, "view_submission", user),
            "trigger_id": self.workspace.new_trigger(user),
            "view": view_json(self.workspace, found),
            "response_urls": [],
        }
        return await self.deliver(AppDelivery("interactive", payload))

    async def close(self, user: str, view: ShownView | str) -> AppAnswer | None:
        """Close a modal and those above it; the app hears of it only where it asked to (notify_on_close)."""
        found = self.open_view(user, view)
        stack = self.workspace.stacks[user]
        del stack[stack.index(found) :]
        if not found.body.get("notify_on_close"):
            return None
        payload = {
            **envelope(self.workspace, "view_closed", user),
            "view": view_json(self.workspace, found),
            "is_cleared": False,
        }
        return await self.deliver(AppDelivery("interactive", payload))

    # --- what people see ---------------------------------------------------------------------------------------

    def messages(self, channel: str, *, user: str | None = None, thread_ts: str | None = None) -> list[ShownMessage]:
        """The messages of a channel (or one thread) in order, with the ephemeral ones that this person sees."""
        place = self.workspace.channels[channel]
        return [
            self.see(message, user or "")
            for message in place.messages.values()
            if message.ephemeral_for in ("", user) and thread_ts in (None, message.thread_ts, message.ts)
        ]

    def views(self, user: str) -> list[ShownView]:
        """The person's open modals, the top one last."""
        return [show_view(view, self.reader(user)) for view in self.workspace.stacks.get(user, [])]

    def home(self, user: str) -> Json | None:
        """The body of the person's home tab, or None where nothing was published."""
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


_MARKS = re.compile(
    r"(?P<bold>\*[^*\n]+\*)|(?P<code>`[^`\n]+`)|(?P<italic>(?<!\w)_[^_\n]+_(?!\w))|(?P<emoji>:[a-z0-9_+-]+:)"
)
_STYLES = {"bold": "bold", "code": "cyan", "italic": "italic"}


class Narrator:
    """Prints who does what, and what they see."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def chapter(self, title: str, explanation: str = "") -> None:
        """A new part of the story."""
        self._console.print()
        self._console.rule(f"[bold]{title}[/bold]", style="blue")
        if explanation:
            self._console.print(Padding(Text(explanation, style="dim"), (0, 2)))

    def types(self, who: str, text: str, now: datetime) -> None:
        """Somebody types a command."""
        line = Text.assemble((f"{now:%a %H:%M} UTC  ", "dim"), (who, "bold magenta"), "  ", (text, "bold"))
        self._console.print(line)

    def does(self, who: str, what: str, now: datetime) -> None:
        """Somebody presses or fills something."""
        self._console.print(Text.assemble((f"{now:%a %H:%M} UTC  ", "dim"), (who, "bold magenta"), f"  {what}"))

    def sees(self, where: str, text: str, buttons: Iterable[str] = (), *, private: bool = False) -> None:
        """What appears on their screen; buttons stand in a row, as they do there."""
        shown = _join_buttons(text, set(buttons))
        note = f"{where}, only they can see it" if private else where
        style = "dim" if private else "green"
        self._console.print(Padding(Panel(_style(shown), title=note, title_align="left", border_style=style), (0, 4)))

    def passes(self, now: datetime) -> None:
        """Time goes by."""
        self._console.print(Text(f"… it is {now:%A %-d %B %Y, %H:%M} UTC", style="yellow"))

    def says(self, text: str) -> None:
        """The narrator."""
        self._console.print(f"  {text}", markup=False, soft_wrap=True)


def _join_buttons(text: str, buttons: set[str]) -> str:
    """Lines that are buttons, put together as `[Edit] [Undo]`."""
    rows: list[str] = []
    for is_button, group in groupby(text.splitlines(), key=lambda line: line in buttons):
        lines = list(group)
        rows.extend([" ".join(f"[{line}]" for line in lines)] if is_button else lines)
    return "\n".join(rows)


def _style(text: str) -> Text:
    """Slack's marks as a terminal shows them."""
    styled, at = Text(), 0
    for mark in _MARKS.finditer(text):
        styled.append(text[at : mark.start()])
        kind = mark.lastgroup or ""
        if kind == "emoji":
            styled.append(find_emoji(mark[0]))
        else:
            styled.append(mark[0][1:-1], style=_STYLES[kind])
        at = mark.end()
    styled.append(text[at:])
    return styled
