"""The windows behind `/timeline paste`."""

from dataclasses import replace
from datetime import datetime

from slack_bolt.async_app import AsyncApp

from bot.scribe import paste as scribe
from bot.scribe.desk import Desk
from bot.slack.blocks import Block, Message
from handlers.boundary import Boundary
from handlers.requests import Click, Command, Form, Submission


class Paste:
    """Takes many lines, shows how each is read, and records those that are ticked."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def listen(self, app: AsyncApp, boundary: Boundary) -> None:
        """Register every way in."""
        app.action("timeline_paste_open")(boundary.form(self.carried))
        app.view("timeline_paste")(boundary.submission(self.sent))

    async def begin(self, command: Command, lines: str) -> Form:
        """`/timeline paste`, with or without lines."""
        return Form(await scribe.form(self._desk, command.asked, lines))

    async def carried(self, click: Click) -> Block:
        """[Preview the lines], which an incident was opened for: read by the clock of when they were typed."""
        typed_at = datetime.fromisoformat(click.value["typed_at"])
        return await scribe.form(self._desk, replace(click.asked, now=typed_at), str(click.value["line"]))

    async def sent(self, sent: Submission) -> Message | None:
        """The window was sent: a preview of what stands in it, or the record of what was previewed."""
        return await scribe.submit(self._desk, sent.asked, sent.metadata, sent.values)
