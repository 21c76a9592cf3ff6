"""Exports: the buttons of the other forms, and the window that asks before a draft leaves."""

import re

from slack_bolt.async_app import AsyncApp

from bot.errors import Refused
from bot.incident.exports import MARKDOWN, Order
from bot.scribe import exports as scribe
from bot.scribe.desk import Desk
from bot.slack.blocks import Block, Message
from bot.slack.exports import MASKED
from bot.slack.text import channels_in
from handlers.boundary import Boundary
from handlers.requests import Click, Command, Form, Submission

_FORM = re.compile(r"exports_form_[a-z]+")


class Exports:
    """Parses what was typed or pressed, calls one verb, returns its answer."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def listen(self, app: AsyncApp, boundary: Boundary) -> None:
        """Register every way in but the command, which is the postmortem's."""
        app.action("postmortem_export")(boundary.click(self.export))
        app.action(_FORM)(boundary.click(self.export))
        app.action("exports_decide")(boundary.form(self.decide))
        app.view("exports_post")(boundary.submission(self.post))

    async def export(self, click: Click) -> Message | None:
        """[Export], and the button of a form."""
        return await scribe.export(self._desk, click.asked, str(click.value.get("form") or MARKDOWN))

    def share(self, command: Command, where: str, form: str) -> Form:
        """`/postmortem share #channel html`: the window that asks. Raises Refused for a name Slack did not resolve."""
        channels = channels_in(command.text)
        if not channels:
            sentence = f"I do not know the channel {where[:80]}. Pick it from Slack's list as you type #."
            raise Refused(sentence)
        form = scribe.form_named(self._desk, form)

        async def build(_: Click) -> Block:
            return await scribe.window(self._desk, command.asked, form, channels[0])

        return Form(build=build)

    async def decide(self, click: Click) -> Block:
        """[Look and decide], and [Try again] below what failed."""
        return await scribe.window(self._desk, click.asked, str(click.value["form"]), str(click.value["to"]))

    async def post(self, sent: Submission) -> Message | None:
        """The window, answered."""
        about = sent.metadata
        is_masked = bool(about.get("masked")) or sent.values.get("copy") == MASKED
        order = Order(str(about["form"]), str(about["to"]), sent.asked.user, is_masked, bool(about.get("agreed")))
        return await scribe.post(self._desk, sent.asked, order)
