"""The button below what another system refused."""

from slack_bolt.async_app import AsyncApp

from bot.scribe import connections as scribe
from bot.scribe.desk import Desk
from bot.slack.blocks import Message
from handlers.boundary import Boundary
from handlers.requests import Click


class Connections:
    """[Try again]."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def listen(self, app: AsyncApp, boundary: Boundary) -> None:
        """Register every way in."""
        app.action("connections_again")(boundary.click(self.again))

    async def again(self, click: Click) -> Message | None:
        """[Try … again]."""
        return await scribe.try_again(self._desk, click.asked, str(click.value.get("system")))
