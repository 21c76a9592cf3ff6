"""`/why`, and the buttons below its questions."""

from slack_bolt.async_app import AsyncApp

from bot.incident import whys as rules
from bot.scribe import actions as actions_scribe
from bot.scribe import whys as scribe
from bot.scribe.desk import Desk
from bot.slack import whys as says
from bot.slack.blocks import Block, Message
from bot.slack.text import named, plain
from handlers.boundary import Boundary
from handlers.requests import Click, Command, Submission


class Whys:
    """Parses what was typed, calls one verb, returns its answer."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def listen(self, app: AsyncApp, boundary: Boundary) -> None:
        """Register every way in."""
        app.command("/why")(boundary.command(self.command))
        app.action("why_root")(boundary.click(self.root))
        app.action("why_answer")(boundary.form(self.form))
        app.action("why_action")(boundary.form(self.action_form))
        app.view("why_answer")(boundary.submission(self.answered))

    async def command(self, command: Command) -> Message | None:
        """`/why TEXT`."""
        desk, asked = self._desk, command.asked
        if ids := named(command.text):
            await desk.people.all_known(asked.team, ids)
        match rules.wish(plain(command.text, lambda user: desk.people.name(asked.team, user))):
            case rules.Answer(text, parent):
                return await scribe.answer(desk, asked, text, parent)
            case rules.MarkRoot(number):
                return await scribe.mark_root(desk, asked, number)
            case rules.Show():
                return await scribe.show(desk, asked)
            case _:
                return says.help_text()

    async def root(self, click: Click) -> Message | None:
        """[This is the root cause]."""
        return await scribe.mark_root(self._desk, click.asked, int(click.value["why"]))

    async def form(self, click: Click) -> Block:
        """[Answer]."""
        return await scribe.form(self._desk, click.asked, click.value.get("parent"))

    async def action_form(self, click: Click) -> Block:
        """[Make it an action]."""
        return await actions_scribe.form_from_why(self._desk, click.asked, click.value.get("why"))

    async def answered(self, sent: Submission) -> Message | None:
        """The form behind [Answer]."""
        text = str(sent.values.get("answer") or "")
        return await scribe.answer(self._desk, sent.asked, text, sent.metadata.get("parent"))
