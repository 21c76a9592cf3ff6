"""The stand-in in a browser, for this machine only: choose a person, read, type, press.

Every text is escaped; mrkdwn is rendered as Slack does.
"""

import asyncio
import json
import re
import signal
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any

import click
from aiohttp import web
from jinja2 import Environment, PackageLoader
from markdown_it import MarkdownIt
from markupsafe import Markup, escape

from bot.bytecode import TemplateBytecode
from bot.clock import SystemClock
from bot.errors import Misconfigured
from bot.manifest import SlashCommand, manifest
from bot.rehearsal.block_kit import STATEFUL, list_options
from bot.rehearsal.delivery import AppAnswer
from bot.rehearsal.screen import TOKEN, PersonReader, ShownMessage, replace_emoji
from bot.rehearsal.server import StandIn
from bot.rehearsal.workspace import Json

CODE = re.compile(r"```(.+?)```|`([^`\n]+)`", re.DOTALL)
MARKS = ((r"\*([^*\n]+)\*", "strong"), (r"_([^_\n]+)_", "em"), (r"~([^~\n]+)~", "s"))
CANVAS = MarkdownIt("js-default", {"html": False}).disable("image")
LINKS = ("https://", "http://", "mailto:")


class WorkspaceRenderer:
    """Renders the templates `templates/web/workspace*`. Fields that a block lacks render as nothing."""

    def __init__(self) -> None:
        self.environment = Environment(
            loader=PackageLoader("templates", package_path="web"),
            bytecode_cache=TemplateBytecode(__file__),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.environment.globals |= {"choices": list_options, "is_input": STATEFUL.__contains__}
        self.environment.filters["canvas"] = render_canvas

    def draw(self, name: str, reader: PersonReader, **values: Any) -> str:
        """Render a template for this reader."""
        words = partial(render_text_object, reader)
        return self.environment.get_template(name).render(
            **values, mrkdwn=partial(render_mrkdwn, reader), words=words, rich=partial(render_rich_text, reader)
        )


def render_canvas(markdown: str) -> Markup:
    """A canvas as HTML. HTML in its Markdown is text; pictures are links."""
    return Markup(CANVAS.render(markdown))  # noqa: S704 (the parser lets no HTML through)


def render_mrkdwn(reader: PersonReader, text: str) -> Markup:
    """Slack's mrkdwn as HTML: mentions, links, dates, emphasis, code."""
    pieces, end = [], 0
    for match in CODE.finditer(text):
        pieces += [_render_prose(reader, text[end : match.start()]), _render_code(reader, match)]
        end = match.end()
    return Markup().join([*pieces, _render_prose(reader, text[end:])])


def _render_code(reader: PersonReader, match: re.Match[str]) -> Markup:
    tag = "pre" if match[1] else "code"
    return Markup("<{0}>{1}</{0}>").format(Markup(tag), reader.mrkdwn(match[1] or match[2]))  # noqa: S704 (our own tag)


def _render_prose(reader: PersonReader, text: str) -> Markup:
    pieces, end = [], 0
    for match in TOKEN.finditer(text):
        pieces += [_emphasize(reader, text[end : match.start()]), _render_token(reader, match)]
        end = match.end()
    return Markup().join([*pieces, _emphasize(reader, text[end:])])


def _render_token(reader: PersonReader, match: re.Match[str]) -> Markup:
    target = match[1].partition("|")[0]
    shown = reader.mrkdwn(match[0])
    if target.startswith(LINKS):
        return Markup('<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>').format(target, shown)
    return Markup('<span class="mention">{}</span>').format(shown) if target[:1] in "@#!" else escape(shown)


def _emphasize(reader: PersonReader, text: str) -> Markup:
    html = str(escape(reader.mrkdwn(text)))
    for pattern, tag in MARKS:
        html = re.sub(rf"(?<!\w){pattern}(?!\w)", rf"<{tag}>\1</{tag}>", html)
    return Markup(replace_emoji(html))  # noqa: S704 (escaped above)


def render_text_object(reader: PersonReader, piece: Any) -> Markup:
    """A text object, or a bare string, as HTML."""
    if isinstance(piece, dict) and piece.get("type") == "mrkdwn":
        return render_mrkdwn(reader, str(piece.get("text", "")))
    plain = str(escape(reader.words(piece)))
    return Markup(replace_emoji(plain))  # noqa: S704 (escaped above)


def render_rich_text(reader: PersonReader, part: Json) -> Markup:
    """A part of a rich_text block as HTML."""
    kind = part.get("type", "")
    tags = {"rich_text_list": "ul", "rich_text_preformatted": "pre", "rich_text_quote": "blockquote"}
    if "elements" not in part:
        style = part.get("style") or {}
        shown = escape(reader.rich(part))
        for name, tag in (("bold", "strong"), ("italic", "em"), ("strike", "s"), ("code", "code")):
            if style.get(name):
                shown = Markup("<{0}>{1}</{0}>").format(Markup(tag), shown)  # noqa: S704 (our own tag)
        return shown
    inner = [render_rich_text(reader, one) for one in part["elements"]]
    if kind == "rich_text_list":
        inner = [Markup("<li>{}</li>").format(one) for one in inner]
    tag = Markup(tags.get(kind, "div"))  # noqa: S704 (our own tag)
    return Markup("<{0}>{1}</{0}>").format(tag, Markup().join(inner))


PEOPLE = (
    ("ana", "Europe/Berlin", "de-DE"),
    ("ben", "America/New_York", "en-US"),
    ("chidi", "Africa/Lagos", "en-GB"),
)
HOME = "home"
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
Join = Callable[[StandIn], AbstractAsyncContextManager[object]]


class WorkspacePage:
    """Shows a stand-in workspace in a browser and does there what people click and type."""

    def __init__(self, slack: StandIn, commands: Iterable[SlashCommand]) -> None:
        self.slack = slack
        self.renderer = WorkspaceRenderer()
        self.features = manifest("socket", commands)["features"]
        slack.extra_routes += [web.get("/", self.shell), web.get("/look", self.look), web.post("/do", self.act)]

    # --- looking -----------------------------------------------------------------------------------------------

    async def shell(self, request: web.Request) -> web.Response:
        """The page itself; its script fetches the content from `look`."""
        _require_same_origin(request)
        people = [user for user in self.slack.workspace.users.values() if not user.bot and not user.deleted]
        html = self.renderer.draw(
            "workspace.html.j2",
            self.slack.reader(),
            people=people,
            commands=self.features["slash_commands"],
            team=self.slack.workspace.domain,
            bot=self.slack.name_of(self.slack.bot_user_id),
            library=self.slack.workspace.library_url,
        )
        headers = {"Content-Security-Policy": "default-src 'self' 'unsafe-inline'; frame-ancestors 'none'"}
        return web.Response(text=html, content_type="text/html", headers=headers)

    async def look(self, request: web.Request) -> web.Response:
        """What a person sees in a channel, as pieces of HTML."""
        _require_same_origin(request)
        user, place = self._who(request.query.get("as", "")), request.query.get("in", "")
        places = [channel for channel in self.slack.workspace.channels.values() if user in channel.members]
        rooms = [channel for channel in places if not channel.dm_with]
        room = self.slack.workspace.channels.get(place)
        if place != HOME and room not in places:
            room = rooms[0] if rooms else self.slack.workspace.dm(user)
            place = room.id
        pieces = {
            "in": place,
            "places": self._draw("workspace_places", user, rooms=rooms, here=place, dm=self.slack.dm(user), home=HOME),
            "main": self._home(user) if place == HOME or room is None else self._room(user, room.id),
            "window": self._window(user),
        }
        return web.json_response(pieces)

    def _draw(self, name: str, user: str, **values: Any) -> str:
        people = [person for person in self.slack.workspace.users.values() if not person.deleted]
        return self.renderer.draw(f"{name}.html.j2", self.slack.reader(user), user=user, people=people, **values)

    def _room(self, user: str, channel: str) -> str:
        shown = [self._row(message, user) for message in _order_by_thread(self.slack.messages(channel, user=user))]
        shortcuts = [one for one in self.features["shortcuts"] if one["type"] == "message"]
        canvases = [canvas for canvas in self.slack.workspace.canvases.values() if channel in canvas.access]
        return self._draw("workspace_room", user, rows=shown, shortcuts=shortcuts, canvases=canvases, typed={})

    def _row(self, message: ShownMessage, user: str) -> Json:
        clock = self.slack.reader(user).date(int(float(message.ts)), "{date_short_pretty}, {time}")
        files = [self.slack.workspace.files[name] for name in message.files]
        return {"message": message, "name": self.slack.name_of(message.user), "clock": clock, "files": files}

    def _window(self, user: str) -> str:
        views = self.slack.views(user)
        if not views:
            return ""
        typed = self.slack.workspace.views[views[-1].id].typed
        return self._draw("workspace_window", user, view=views[-1], typed=typed)

    def _home(self, user: str) -> str:
        body = self.slack.home(user) or {"blocks": []}
        return self._draw("workspace_home", user, blocks=body["blocks"], typed={})

    # --- doing -------------------------------------------------------------------------------------------------

    async def act(self, request: web.Request) -> web.Response:
        """Something that a person does: a JSON object with `do`, `as` and the arguments of that."""
        _require_same_origin(request)
        if request.content_type != "application/json":
            raise web.HTTPUnsupportedMediaType(text="only JSON")
        try:
            sent = await request.json()
            answer = await self._do(str(sent.pop("do")), self._who(sent.pop("as")), sent)
        except (LookupError, json.JSONDecodeError) as cannot:
            return web.json_response({"error": str(cannot.args[0]), "errors": {}})
        if answer is None:
            return web.json_response({"error": "", "errors": {}})
        trouble = (answer.text or answer.error) if answer.error else ""
        return web.json_response({"error": trouble, "errors": answer.errors})

    async def _do(self, what: str, user: str, sent: Json) -> AppAnswer | None:
        slack = self.slack
        actions: dict[str, Callable[[], Awaitable[AppAnswer | None]]] = {
            "say": lambda: self._say(user, sent),
            "click": lambda: self._click(user, sent),
            "enter": lambda: self._enter(user, sent),
            "submit": lambda: slack.submit(user, str(sent["view"]), sent.get("state") or {}),
            "close": lambda: slack.close(user, str(sent["view"])),
            "shortcut": lambda: slack.shortcut(user, str(sent["in"]), str(sent["ts"]), str(sent["callback"])),
            "react": lambda: self._react(user, str(sent["ts"]), str(sent["name"])),
            "home": lambda: slack.open_home(user),
        }
        return await actions[what]()

    async def _say(self, user: str, sent: Json) -> AppAnswer | None:
        channel, text, thread = str(sent["in"]), str(sent["text"]), str(sent.get("thread") or "")
        if text.startswith("/"):
            return await self.slack.command(user, channel, text, thread_ts=thread)
        await self.slack.say(user, channel, text, thread_ts=thread or None)
        return None

    async def _click(self, user: str, sent: Json) -> AppAnswer | None:
        action, value, state = str(sent["action"]), sent.get("value") or None, sent.get("state") or {}
        if sent.get("view"):
            return await self.slack.click_in_view(user, str(sent["view"]), action, value, **state)
        if sent.get("ts"):
            return await self.slack.click(user, str(sent["ts"]), action, value, **state)
        return await self.slack.click_in_home(user, action, value, **state)

    async def _enter(self, user: str, sent: Json) -> AppAnswer | None:
        action, text = str(sent["action"]), str(sent["text"])
        if sent.get("ts"):
            return await self.slack.enter(user, str(sent["ts"]), action, text)
        return await self.slack.click_in_home(user, action, text)

    async def _react(self, user: str, ts: str, name: str) -> AppAnswer | None:
        message = self.slack.find_shown(user, ts)
        change = self.slack.unreact if user in message.reactions.get(name, []) else self.slack.react
        return await change(user, message.channel, message.ts, name)

    def _who(self, user: str) -> str:
        known = self.slack.workspace.users
        if user in known and not known[user].bot:
            return user
        return next((person.id for person in known.values() if not person.bot and not person.deleted), "")


def _order_by_thread(messages: list[ShownMessage]) -> list[ShownMessage]:
    """Replies follow the message that they reply to; all else is in order."""
    known = {message.ts for message in messages}
    return sorted(messages, key=lambda one: (one.thread_ts if one.thread_ts in known else one.ts, one.ts))


def _require_same_origin(request: web.Request) -> None:
    """Refuse other machines and scripts of other sites: a page of this address only may look or act."""
    host = request.host.rsplit(":", 1)[0] if not request.host.endswith("]") else request.host
    origin = request.headers.get("Origin", f"http://{request.host}")
    if host not in LOOPBACK or origin != f"http://{request.host}":
        raise web.HTTPForbidden(text="This page is for the machine it runs on.")


async def rehearse(port: int, join: Join, commands: Iterable[SlashCommand]) -> None:
    """Serve a workspace with a few people on a loopback port until SIGINT or SIGTERM.

    Raises Misconfigured if the port is taken.
    `join` makes an async context in which the bot is connected to the running stand-in.
    """
    slack = StandIn(SystemClock())
    WorkspacePage(slack, commands)
    people = [slack.user(name, zone, locale=locale) for name, zone, locale in PEOPLE]
    slack.channel("incident-checkout", people)
    slack.channel("general", people)
    try:
        await slack.start(port)
    except OSError as error:
        raise Misconfigured(
            f"Port {port} can't be used ({error.strerror}). To use any free port: afterword rehearse --port 0"
        ) from error
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):  # to be stopped is no error
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    try:
        async with join(slack):
            click.echo(f"Open {slack.workspace.base_url}/ in your browser. To stop: Ctrl-C")
            await ended.wait()
    finally:
        await slack.stop()
