"""`/timeline` and the buttons of its receipts.

The windows behind `/timeline paste`.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.domain import timeline as timeline_rules
from bot.domain.records import Place
from bot.domain.timeline import TimeOffer, unpack_pending_entry
from bot.errors import Refused
from bot.services import corrections as corrections_service
from bot.services import incidents as incidents_service
from bot.services import timeline as timeline_service
from bot.services.context import Request, Services, read_examples
from bot.services.corrections import pressed_in
from bot.services.timeline import SeenEntry, TypedLine
from bot.slack.views import timeline as timeline_views
from bot.slack.views.blocks import Block, Message
from bot.slack.views.incidents import value_of
from handlers.boundary import Boundary
from handlers.requests import Click, Command, Form, Submission, asked_at_in, chosen_in


class PasteHandlers:
    """Takes many lines, shows how each is read, and records those that are ticked."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def listen(self, app: AsyncApp, boundary: Boundary) -> None:
        """Register every way in."""
        app.action("timeline_paste_open")(boundary.form(self.carried))
        app.view("timeline_paste")(boundary.submission(self.sent))

    async def begin(self, command: Command, lines: str) -> Form:
        """`/timeline paste`, with or without lines."""
        return Form(await timeline_service.form(self._services, command.request, lines))

    async def carried(self, click: Click) -> Block:
        """[Preview the lines], which an incident was opened for: read by the clock of when they were typed."""
        typed_at = datetime.fromisoformat(click.value["typed_at"])
        return await timeline_service.form(
            self._services, replace(click.request, now=typed_at), str(click.value["line"])
        )

    async def sent(self, sent: Submission) -> Message | None:
        """The window was sent: a preview of what stands in it, or the record of what was previewed."""
        return await timeline_service.submit(self._services, sent.request, sent.metadata, sent.values)


_AT = re.compile(r"timeline_at_(\d+|now)")
_EDIT_AT = re.compile(r"timeline_edit_at_(\d+|keep)")
_WAS = re.compile(r"timeline_was_\d+")


class Timeline:
    """Parses what was typed, calls one verb, returns its answer."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._paste = PasteHandlers(services)

    def listen(self, app: AsyncApp, boundary: Boundary) -> None:
        """Register every way in."""
        app.command("/timeline")(boundary.command(self.command))  # first: every listener before it costs it a look
        self._paste.listen(app, boundary)
        app.action("timeline_undo")(boundary.click(self.undo))
        app.action("timeline_restore")(boundary.click(self.restore))
        app.action("timeline_utc")(boundary.click(self.was_utc))
        app.action("timeline_again")(boundary.click(self.again))
        app.action(_AT)(boundary.click(self.at))
        app.action(_EDIT_AT)(boundary.click(self.edit_at))
        app.action(_WAS)(boundary.click(self.was_at))
        app.action("timeline_show")(boundary.click(self.show))
        app.action("timeline_older")(boundary.click(self.turn))
        app.action("timeline_newer")(boundary.click(self.turn))
        app.action("timeline_entered")(boundary.click(self.entered))
        app.action("timeline_edit")(boundary.form(self.edit_form))
        app.action("timeline_form_open")(boundary.form(self.add_form))
        app.view("timeline_edit")(boundary.submission(self.edited))
        app.view("timeline_add")(boundary.submission(self.added))

    async def command(self, command: Command) -> Message | Form | None:
        """`/timeline TEXT`."""
        request = command.request
        text = await self._services.slack.directory.read(request.team, command.text)
        match timeline_rules.wish(text):
            case timeline_rules.RecordEntry(line):
                return await self._record(command, TypedLine(line))
            case timeline_rules.TimelineOverview():
                return await timeline_service.overview(self._services, request)
            case timeline_rules.ShowTimeline(since, number):
                return await self._show(request, since, number)
            case timeline_rules.EditEntry(number, line):
                return await self._edit(request, number, line)
            case timeline_rules.StrikeEntry(number):
                return await corrections_service.strike(self._services, request, number)
            case timeline_rules.PasteLines(lines):
                return await self._paste.begin(command, lines)
            case timeline_rules.UndoEntry():
                return await corrections_service.strike(self._services, request, None)
            case _:
                return timeline_views.help_text(
                    self._services.policy.reaction, (await read_examples(self._services, request)).entry
                )

    async def _show(self, request: Request, since: timedelta | None, number: int | None) -> Message:
        if number is not None:
            return await corrections_service.show_one(self._services, request, number)
        return await timeline_service.show(self._services, request, since)

    async def _edit(self, request: Request, number: int, line: str) -> Message | None:
        if line:
            return await corrections_service.edit(self._services, request, number, line)
        return await corrections_service.offer_edit(self._services, request, number)

    async def _record(self, interaction: Command | Click | Submission, typed: TypedLine) -> Message | None:
        return await timeline_service.record(self._services, interaction.request, typed)

    async def undo(self, click: Click) -> Message | None:
        """[Undo] on a receipt."""
        return await corrections_service.strike(self._services, click.request, _number(click), pressed_in(click.value))

    async def restore(self, click: Click) -> Message | None:
        """[Bring back]."""
        return await corrections_service.restore(self._services, click.request, _number(click), pressed_in(click.value))

    async def was_utc(self, click: Click) -> Message | None:
        """[That was UTC]."""
        written, pressed = str(click.value["written"]), pressed_in(click.value)
        return await corrections_service.as_utc(self._services, click.request, _number(click), written, pressed)

    async def was_at(self, click: Click) -> Message | None:
        """[It was 17:31 UTC] where an entry's words name a time."""
        value, request = click.value, click.request
        if channel := value.get("channel"):  # pressed in a DM, below what a look back recorded
            request = replace(request, place=Place(request.team, str(channel)))
        chosen = chosen_in(value)
        offer = TimeOffer(chosen.at or request.now, chosen.lasts, chosen.approximate)
        return await timeline_service.was_at(self._services, request, _seen(value), offer)

    async def edit_at(self, click: Click) -> Message | None:
        """One of the readings of the time in `/timeline edit`, or that the time stays."""
        chosen = chosen_in(click.value)
        return await corrections_service.edit_at(self._services, click.request, _seen(click.value), chosen.reading())

    async def again(self, click: Click) -> Message | None:
        """[Add it again] on a repeat."""
        version = int(click.value.get("version") or 1)
        text = await timeline_service.text_of(self._services, click.request, _number(click), version)
        return await self._record(click, replace(_chosen(click, text), names_times=True))

    async def at(self, click: Click) -> Message | None:
        """One of the readings of a time that was asked."""
        text, asked_at = str(click.value["text"]), asked_at_in(click.value)
        # One question is answered once: another of its buttons gets the answer that the first one got.
        request = click.request if asked_at is None else replace(click.request, key=_key(click.request, asked_at, text))
        return await timeline_service.record(self._services, request, replace(_chosen(click, text), asked_at=asked_at))

    async def entered(self, click: Click) -> Message | None:
        """The field below `/timeline`'s list."""
        return await self._record(click, TypedLine(click.typed))

    async def show(self, click: Click) -> Message | None:
        """[Whole timeline] on the live message."""
        return await timeline_service.show(self._services, click.request, None)

    async def turn(self, click: Click) -> Message | None:
        """[Older] and [Newer] below a list."""
        return await timeline_service.turn(self._services, click.request, click.value)

    async def edit_form(self, click: Click) -> Block:
        """[Edit] on a receipt."""
        return await corrections_service.form_for(
            self._services, click.request, _number(click), pressed_in(click.value)
        )

    async def add_form(self, click: Click) -> Block:
        """[Add entry] on the live message."""
        return await timeline_service.blank_form(self._services, click.request)

    async def edited(self, sent: Submission) -> Message | None:
        """The form behind [Edit]."""
        return await corrections_service.save_form(self._services, sent.request, sent.metadata, sent.values)

    async def added(self, sent: Submission) -> Message | None:
        """The form behind [Add entry]; where no incident is open any more, the form that opens one takes its place."""
        try:
            return await self._record(sent, TypedLine(str(sent.values.get("line") or "")))
        except Refused as refused:
            if not value_of(refused.carrying):
                raise
            view = incidents_service.form(
                sent.request, sent.request.place.channel, unpack_pending_entry(dict(refused.carrying))
            )
            return {"response_action": "update", "view": view}


def _key(request: Request, asked_at: datetime, text: str) -> str:
    parts = ("asked", request.team, request.place.channel, request.user, asked_at.isoformat(), text)
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "replace")).hexdigest()


def _number(click: Click) -> int:
    return int(click.value["entry"])


def _seen(value: Mapping[str, Any]) -> SeenEntry:
    """The wording below which a button stood."""
    return SeenEntry(int(value["entry"]), int(value["version"]))


def _chosen(click: Click, text: str) -> TypedLine:
    """What a button records: words whose time is settled."""
    chosen = chosen_in(click.value)
    return TypedLine(text, chosen.at or click.request.now, chosen.approximate, chosen.lasts, again=True)
