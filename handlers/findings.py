"""The button and form that complete an action which the checks found wanting."""

import re
from datetime import date

from slack_bolt.async_app import AsyncApp

from bot.scribe import findings as scribe
from bot.scribe import postmortem
from bot.scribe.desk import Desk
from bot.scribe.findings import Completed
from bot.slack import fields, owners
from bot.slack.blocks import Block, Message
from bot.slack.findings import LINK
from handlers.boundary import Boundary
from handlers.requests import Click, Submission


class Findings:
    """Calls one verb, returns its answer."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def listen(self, app: AsyncApp, boundary: Boundary) -> None:
        """Register every way in."""
        app.action(re.compile(rf"{LINK}\d+"))(boundary.click(self.link))
        app.action("finding_action")(boundary.form(self.form))
        app.view("finding_action")(boundary.submission(self.completed))

    async def link(self, click: Click) -> Message | None:
        """[Action 2] below the question which action a root cause has, and [For why 3] below a new action."""
        said = await scribe.link(self._desk, click.asked, int(click.value["why"]), int(click.value["action"]))
        return await postmortem.overview(self._desk, click.asked) if click.value.get("back") else said

    async def form(self, click: Click) -> Block:
        """[Owner, date, link]."""
        return await scribe.action_form(self._desk, click.asked, int(click.value["action"]))

    async def completed(self, sent: Submission) -> Message | None:
        """The form behind it."""
        owner, due = owners.chosen(sent.values), str(sent.values.get("due") or "")
        link = str(sent.values.get("link") or "")
        sent_as = {"owner": owner or "", "due": due, "link": link}
        changed = {name for name, value in sent_as.items() if fields.change(sent.metadata, name, value) is not None}
        given = Completed(owner, date.fromisoformat(due) if due else None, link, frozenset(changed))
        return await scribe.complete(self._desk, sent.asked, int(sent.metadata["action"]), given)
