"""The windows behind `/timeline paste`."""

from slack_bolt.async_app import AsyncApp

from bot.scribe import paste as scribe
from bot.scribe.desk import Desk
from bot.slack.blocks import Message
from handlers.boundary import Boundary
from handlers.requests import Command, Form, Submission


class Paste:
    """Takes many lines, shows how each is read, and records those that are ticked."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def listen(self, app: AsyncApp, boundary: Boundary) -> None:
        """Register every way in."""
        app.view("timeline_paste")(boundary.submission(self.sent))

    async def begin(self, command: Command, lines: str) -> Form:
        """`/timeline paste`, with or without lines."""
        return Form(await scribe.form(self._desk, command.asked, lines))

    async def sent(self, sent: Submission) -> Message | None:
        """The window was sent: a preview of what stands in it, or the record of what was previewed."""
        return await scribe.submit(self._desk, sent.asked, sent.metadata, sent.values)
