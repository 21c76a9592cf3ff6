"""What customers are told: drafted in a window, confirmed word by word, and only then sent.

The page of a postmortem: asked for, agreed to, and what becomes of it.

The buttons below what became of something in another system.
"""

from slack_bolt.async_app import AsyncApp

from bot.integrations import overview
from bot.integrations.confluence import service as confluence_service
from bot.integrations.confluence.memo import ANEW, OVERWRITE
from bot.integrations.jira import push as jira_push
from bot.integrations.statuspage import sync as statuspage_sync
from bot.services.context import Services
from bot.slack.views.blocks import Block, Message
from handlers.boundary import Boundary
from handlers.requests import Click, Submission


class StatuspageHandlers:
    """[Tell customers …] and the two windows behind it."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def listen(self, app: AsyncApp, boundary: Boundary) -> None:
        """Register every way in."""
        app.action("statuspage_form")(boundary.form(self.form))
        app.action("statuspage_draft")(boundary.form(self.draft_form))
        app.view("statuspage_draft")(boundary.submission(self.draft))
        app.view("statuspage_update")(boundary.submission(self.drafted))
        app.view("statuspage_confirm")(boundary.submission(self.confirmed))

    async def form(self, click: Click) -> Block:
        """[Tell customers …]."""
        return await statuspage_sync.form(self._services, click.request)

    async def drafted(self, sent: Submission) -> Block:
        """The draft: its window gives way to one that shows exactly what will be read."""
        values = sent.values
        update = {
            "status": str(values.get("status") or ""),
            "body": str(values.get("body") or "").strip(),
            "components": list(values.get("components") or ()),
            "working": str(values.get("working") or ""),
            "mails": bool(values.get("mails")),
        }
        return {
            "response_action": "update",
            "view": await statuspage_sync.confirm(self._services, sent.request, update),
        }

    async def confirmed(self, sent: Submission) -> Message | None:
        """[Publish]."""
        return await statuspage_sync.publish(self._services, sent.request, dict(sent.metadata["update"]))

    async def draft_form(self, click: Click) -> Block:
        """[Postmortem draft …]."""
        return await statuspage_sync.draft_form(self._services, click.request)

    async def draft(self, sent: Submission) -> Message | None:
        """[Put it there]."""
        return await statuspage_sync.draft(self._services, sent.request)


class ConfluenceHandlers:
    """[Put it on Confluence], [Look and decide], and the buttons below what became of the page."""

    def __init__(self, services: Services) -> None:
        self._services = services

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
        return await confluence_service.publish(self._services, click.request)

    async def look(self, click: Click) -> Block:
        """[Look and decide]."""
        return await confluence_service.window(self._services, click.request)

    async def agree(self, sent: Submission) -> Message | None:
        """[Put a masked copy]."""
        return await confluence_service.agree(self._services, sent.request)

    async def anew(self, click: Click) -> Message | None:
        """[Make a new page]."""
        return await confluence_service.order(self._services, click.request, ANEW, str(click.value.get("page")))

    async def overwrite(self, click: Click) -> Message | None:
        """[Overwrite]."""
        return await confluence_service.order(self._services, click.request, OVERWRITE, str(click.value.get("page")))

    async def back(self, click: Click) -> Message | None:
        """[Put it back]."""
        return await confluence_service.put_back(
            self._services, click.request, tuple(map(str, click.value.get("back") or ()))
        )


class ConnectionsHandlers:
    """[Try again], [Who is it in Jira?] and [Put its actions into Jira]."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def listen(self, app: AsyncApp, boundary: Boundary) -> None:
        """Register every way in."""
        app.action("connections_again")(boundary.click(self.again))
        app.action("connections_account")(boundary.form(self.account_form))
        app.action("connections_agree")(boundary.click(self.agree))
        app.view("connections_account")(boundary.submission(self.account))

    async def again(self, click: Click) -> Message | None:
        """[Try … again]."""
        return await overview.try_again(self._services, click.request, str(click.value.get("system")))

    async def agree(self, click: Click) -> Message | None:
        """[Put its actions into Jira]."""
        return await jira_push.agree(self._services, click.request)

    async def account_form(self, click: Click) -> Block:
        """[Who is it in Jira?]."""
        return await overview.account_form(self._services, click.request, str(click.value.get("user")))

    async def account(self, sent: Submission) -> Message | None:
        """The form behind it."""
        user, account = str(sent.metadata.get("user")), str(sent.values.get("account") or "")
        return await overview.choose_account(self._services, sent.request, user, account)
