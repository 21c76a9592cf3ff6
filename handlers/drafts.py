"""The buttons by which somebody chooses between the texts of a section that came back in drafts."""

from slack_bolt.async_app import AsyncApp

from bot.scribe import drafts as scribe
from bot.scribe.desk import Desk
from bot.scribe.drafts import Seen
from bot.slack import fields
from bot.slack.blocks import Block, Message
from handlers.boundary import Boundary
from handlers.requests import Body, Click, Submission


class Drafts:
    """[Choose], [Keep the edited text], [Take the record's], [Write anew]."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def listen(self, app: AsyncApp, boundary: Boundary) -> None:
        """Register every way in."""
        app.action("draft_look")(boundary.click(self.look))
        app.action("draft_keep")(boundary.click(self.keep))
        app.action("draft_take")(boundary.click(self.take))
        app.action("draft_anew")(boundary.form(self.anew_form))
        app.view("draft_anew")(boundary.submission(self.anew))

    async def look(self, click: Click) -> Message:
        """[Choose] or [Show] beside a section."""
        return await scribe.look(self._desk, click.asked, str(click.value["section"]))

    async def keep(self, click: Click) -> Message | None:
        """[Keep the edited text]."""
        return await scribe.keep(self._desk, click.asked, _seen(click.value), int(click.value["keep"]))

    async def take(self, click: Click) -> Message | None:
        """[Take the record's]."""
        return await scribe.give_up(self._desk, click.asked, _seen(click.value))

    async def anew_form(self, click: Click) -> Block:
        """[Write anew]."""
        return await scribe.anew_form(self._desk, click.asked, str(click.value["section"]))

    async def anew(self, sent: Submission) -> Message | None:
        """The form behind [Write anew]."""
        text = fields.text_in(sent.metadata, sent.values) or ""
        return await scribe.write_anew(self._desk, sent.asked, _seen(sent.metadata), text)


def _seen(carried: Body) -> Seen:
    return Seen(str(carried["section"]), int(carried["seen"]), str(carried["facts"]))
