"""`/timeline` and the buttons of its receipts."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.errors import Refused
from bot.incident import timeline as rules
from bot.incident.carried import unpacked
from bot.incident.offers import Offer
from bot.incident.records import Place
from bot.scribe import carried as carrying
from bot.scribe import pages
from bot.scribe import timeline as scribe
from bot.scribe import timeline_corrected as corrected
from bot.scribe import timeline_moved as moved
from bot.scribe.desk import Asked, Desk
from bot.scribe.examples import examples
from bot.scribe.pressed import pressed_in
from bot.scribe.timeline import Typed
from bot.scribe.timeline_moved import Seen
from bot.slack import timeline as says
from bot.slack.blocks import Block, Message
from bot.slack.carried import value_of
from handlers.boundary import Boundary
from handlers.paste import Paste
from handlers.requests import Click, Command, Form, Submission, asked_at_in, chosen_in

_AT = re.compile(r"timeline_at_(\d+|now)")
_EDIT_AT = re.compile(r"timeline_edit_at_(\d+|keep)")
_WAS = re.compile(r"timeline_was_\d+")


class Timeline:
    """Parses what was typed, calls one verb, returns its answer."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._paste = Paste(desk)

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
        asked = command.asked
        text = await self._desk.people.read(asked.team, command.text)
        match rules.wish(text):
            case rules.Record(line):
                return await self._record(command, Typed(line))
            case rules.Overview():
                return await pages.overview(self._desk, asked)
            case rules.Show(since, number):
                return await self._show(asked, since, number)
            case rules.Edit(number, line):
                return await self._edit(asked, number, line)
            case rules.Delete(number):
                return await corrected.strike(self._desk, asked, number)
            case rules.Paste(lines):
                return await self._paste.begin(command, lines)
            case rules.Undo():
                return await corrected.strike(self._desk, asked, None)
            case _:
                return says.help_text(self._desk.reaction, (await examples(self._desk, asked)).entry)

    async def _show(self, asked: Asked, since: timedelta | None, number: int | None) -> Message:
        if number is not None:
            return await corrected.show_one(self._desk, asked, number)
        return await pages.show(self._desk, asked, since)

    async def _edit(self, asked: Asked, number: int, line: str) -> Message | None:
        if line:
            return await corrected.edit(self._desk, asked, number, line)
        return await corrected.offer_edit(self._desk, asked, number)

    async def _record(self, request: Command | Click | Submission, typed: Typed) -> Message | None:
        return await scribe.record(self._desk, request.asked, typed)

    async def undo(self, click: Click) -> Message | None:
        """[Undo] on a receipt."""
        return await corrected.strike(self._desk, click.asked, _number(click), pressed_in(click.value))

    async def restore(self, click: Click) -> Message | None:
        """[Bring back]."""
        return await corrected.restore(self._desk, click.asked, _number(click), pressed_in(click.value))

    async def was_utc(self, click: Click) -> Message | None:
        """[That was UTC]."""
        written, pressed = str(click.value["written"]), pressed_in(click.value)
        return await corrected.as_utc(self._desk, click.asked, _number(click), written, pressed)

    async def was_at(self, click: Click) -> Message | None:
        """[It was 17:31 UTC] where an entry's words name a time."""
        value, asked = click.value, click.asked
        if channel := value.get("channel"):  # pressed in a DM, below what a look back recorded
            asked = replace(asked, place=Place(asked.team, str(channel)))
        chosen = chosen_in(value)
        offer = Offer(chosen.at or asked.now, chosen.lasts, chosen.approximate)
        return await moved.was_at(self._desk, asked, _seen(value), offer)

    async def edit_at(self, click: Click) -> Message | None:
        """One of the readings of the time in `/timeline edit`, or that the time stays."""
        chosen = chosen_in(click.value)
        return await corrected.edit_at(self._desk, click.asked, _seen(click.value), chosen.reading())

    async def again(self, click: Click) -> Message | None:
        """[Add it again] on a repeat."""
        version = int(click.value.get("version") or 1)
        text = await scribe.text_of(self._desk, click.asked, _number(click), version)
        return await self._record(click, replace(_chosen(click, text), names_times=True))

    async def at(self, click: Click) -> Message | None:
        """One of the readings of a time that was asked."""
        text, asked_at = str(click.value["text"]), asked_at_in(click.value)
        # One question is answered once: another of its buttons gets the answer that the first one got.
        asked = click.asked if asked_at is None else replace(click.asked, key=_key(click.asked, asked_at, text))
        return await scribe.record(self._desk, asked, replace(_chosen(click, text), asked_at=asked_at))

    async def entered(self, click: Click) -> Message | None:
        """The field below `/timeline`'s list."""
        return await self._record(click, Typed(click.typed))

    async def show(self, click: Click) -> Message | None:
        """[Whole timeline] on the live message."""
        return await pages.show(self._desk, click.asked, None)

    async def turn(self, click: Click) -> Message | None:
        """[Older] and [Newer] below a list."""
        return await pages.turn(self._desk, click.asked, click.value)

    async def edit_form(self, click: Click) -> Block:
        """[Edit] on a receipt."""
        return await corrected.form_for(self._desk, click.asked, _number(click), pressed_in(click.value))

    async def add_form(self, click: Click) -> Block:
        """[Add entry] on the live message."""
        return await scribe.blank_form(self._desk, click.asked)

    async def edited(self, sent: Submission) -> Message | None:
        """The form behind [Edit]."""
        return await corrected.save_form(self._desk, sent.asked, sent.metadata, sent.values)

    async def added(self, sent: Submission) -> Message | None:
        """The form behind [Add entry]; where no incident is open any more, the form that opens one takes its place."""
        try:
            return await self._record(sent, Typed(str(sent.values.get("line") or "")))
        except Refused as refused:
            if not value_of(refused.carrying):
                raise
            view = carrying.form(sent.asked, sent.asked.place.channel, unpacked(dict(refused.carrying)))
            return {"response_action": "update", "view": view}


def _key(asked: Asked, asked_at: datetime, text: str) -> str:
    parts = ("asked", asked.team, asked.place.channel, asked.user, asked_at.isoformat(), text)
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "replace")).hexdigest()


def _number(click: Click) -> int:
    return int(click.value["entry"])


def _seen(value: Mapping[str, Any]) -> Seen:
    """The wording below which a button stood."""
    return Seen(int(value["entry"]), int(value["version"]))


def _chosen(click: Click, text: str) -> Typed:
    """What a button records: words whose time is settled."""
    chosen = chosen_in(click.value)
    return Typed(text, chosen.at or click.asked.now, chosen.approximate, chosen.lasts, again=True)
