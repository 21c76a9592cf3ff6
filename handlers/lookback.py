"""The buttons that look back through a channel's history, and the window that lists what was found."""

import re

from slack_bolt.async_app import AsyncApp

from bot.scribe import lookback as scribe
from bot.scribe.desk import Desk
from bot.slack import lookback as says
from bot.slack.blocks import Block, Message
from handlers.boundary import Boundary
from handlers.requests import Click, Submission

_BEGIN = re.compile(r"lookback_\d+")
_CHOOSE = re.compile(r"lookback_choose_\d+")


class Lookback:
    """Parses what was pressed, calls one verb, returns its answer."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def listen(self, app: AsyncApp, boundary: Boundary) -> None:
        """Register every way in."""
        app.action(_BEGIN)(boundary.click(self.begin))
        app.action("lookback_again")(boundary.click(self.again))
        app.action(_CHOOSE)(boundary.form(self.choose))
        app.view("lookback_record")(boundary.submission(self.record))

    async def begin(self, click: Click) -> Message | None:
        """[Look back 2 hours] when an incident is opened."""
        return await scribe.begin(self._desk, click.asked, int(click.value["hours"]), click.app)

    async def again(self, click: Click) -> Message | None:
        """[Try again] below a look back that failed."""
        return await scribe.again(self._desk, click.asked, click.value)

    async def choose(self, click: Click) -> Block:
        """[Choose] below what was found."""
        return await scribe.choose(self._desk, click.asked, click.value)

    async def record(self, sent: Submission) -> Message | None:
        """The list, ticked."""
        ticked = says.ticked_in(sent.values)
        return await scribe.record(self._desk, sent.asked, sent.metadata.get("lookback"), ticked)
