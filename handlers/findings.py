"""The button and form that complete an action which the checks found wanting."""

from datetime import date

from slack_bolt.async_app import AsyncApp

from bot.scribe import findings as scribe
from bot.scribe.desk import Desk
from bot.scribe.findings import Completed
from bot.slack.blocks import Block, Message
from handlers.boundary import Boundary
from handlers.requests import Click, Submission


class Findings:
    """Calls one verb, returns its answer."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def listen(self, app: AsyncApp, boundary: Boundary) -> None:
        """Register every way in."""
        app.action("finding_action")(boundary.form(self.form))
        app.view("finding_action")(boundary.submission(self.completed))

    async def form(self, click: Click) -> Block:
        """[Owner, date, link]."""
        return await scribe.action_form(self._desk, click.asked, int(click.value["action"]))

    async def completed(self, sent: Submission) -> Message | None:
        """The form behind it."""
        due = sent.values.get("due")
        given = Completed(
            sent.values.get("owner") or None,
            date.fromisoformat(due) if due else None,
            str(sent.values.get("link") or ""),
        )
        return await scribe.complete(self._desk, sent.asked, int(sent.metadata["action"]), given)
