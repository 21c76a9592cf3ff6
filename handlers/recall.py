"""The buttons below past incidents that are proposed for their likeness."""

from slack_bolt.async_app import AsyncApp

from bot.scribe import recall as scribe
from bot.scribe.desk import Desk
from bot.slack.blocks import Message
from handlers.boundary import Boundary
from handlers.requests import Click


class Recall:
    """[Same cause] and [Not this one]."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def listen(self, app: AsyncApp, boundary: Boundary) -> None:
        """Register every way in."""
        app.action("recall_same")(boundary.click(self.same))
        app.action("recall_other")(boundary.click(self.other))

    async def same(self, click: Click) -> Message | None:
        """[Same cause]."""
        return await scribe.judge(self._desk, click.asked, int(click.value["other"]), is_same=True)

    async def other(self, click: Click) -> Message | None:
        """[Not this one]."""
        return await scribe.judge(self._desk, click.asked, int(click.value["other"]), is_same=False)
