"""The page of a postmortem: asked for, agreed to, and what becomes of it."""

from slack_bolt.async_app import AsyncApp

from bot.scribe import confluence as scribe
from bot.scribe.confluence_memo import ANEW, OVERWRITE
from bot.scribe.desk import Desk
from bot.slack.blocks import Block, Message
from handlers.boundary import Boundary
from handlers.requests import Click, Submission


class Confluence:
    """[Put it on Confluence], [Look and decide], and the buttons below what became of the page."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def listen(self, app: AsyncApp, boundary: Boundary) -> None:
        """Register every way in."""
        app.action("confluence_publish")(boundary.click(self.publish))
        app.action("confluence_look")(boundary.form(self.look))
        app.view("confluence_agree")(boundary.submission(self.agree))
        app.action("confluence_anew")(boundary.click(self.anew))
        app.action("confluence_overwrite")(boundary.click(self.overwrite))
        app.action("confluence_back")(boundary.click(self.back))

    async def publish(self, click: Click) -> Message | None:
        """[Put it on Confluence]."""
        return await scribe.publish(self._desk, click.asked)

    async def look(self, click: Click) -> Block:
        """[Look and decide]."""
        return await scribe.window(self._desk, click.asked)

    async def agree(self, sent: Submission) -> Message | None:
        """[Put a masked copy]."""
        return await scribe.agree(self._desk, sent.asked)

    async def anew(self, click: Click) -> Message | None:
        """[Make a new page]."""
        return await scribe.order(self._desk, click.asked, ANEW, str(click.value.get("page")))

    async def overwrite(self, click: Click) -> Message | None:
        """[Overwrite]."""
        return await scribe.order(self._desk, click.asked, OVERWRITE, str(click.value.get("page")))

    async def back(self, click: Click) -> Message | None:
        """[Put it back]."""
        return await scribe.put_back(self._desk, click.asked, tuple(map(str, click.value.get("back") or ())))
