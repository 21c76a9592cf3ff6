"""The buttons below what became of something in another system."""

from slack_bolt.async_app import AsyncApp

from bot.scribe import connections as scribe
from bot.scribe import jira_agreed
from bot.scribe.desk import Desk
from bot.slack.blocks import Block, Message
from handlers.boundary import Boundary
from handlers.requests import Click, Submission


class Connections:
    """[Try again], [Who is it in Jira?] and [Put its actions into Jira]."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def listen(self, app: AsyncApp, boundary: Boundary) -> None:
        """Register every way in."""
        app.action("connections_again")(boundary.click(self.again))
        app.action("connections_account")(boundary.form(self.account_form))
        app.action("connections_agree")(boundary.click(self.agree))
        app.view("connections_account")(boundary.submission(self.account))

    async def again(self, click: Click) -> Message | None:
        """[Try … again]."""
        return await scribe.try_again(self._desk, click.asked, str(click.value.get("system")))

    async def agree(self, click: Click) -> Message | None:
        """[Put its actions into Jira]."""
        return await jira_agreed.agree(self._desk, click.asked)

    async def account_form(self, click: Click) -> Block:
        """[Who is it in Jira?]."""
        return await scribe.account_form(self._desk, click.asked, str(click.value.get("user")))

    async def account(self, sent: Submission) -> Message | None:
        """The form behind it."""
        user, account = str(sent.metadata.get("user")), str(sent.values.get("account") or "")
        return await scribe.choose_account(self._desk, sent.asked, user, account)
