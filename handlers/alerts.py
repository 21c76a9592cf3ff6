"""The buttons of alerts: in the channel where they are suggested, and where an incident's alerts have ended."""

from datetime import UTC, datetime

from slack_bolt.async_app import AsyncApp

from bot.domain.records import Milestone
from bot.services import milestones as milestones_service
from bot.services.alerts import suggestions as suggestions_service
from bot.services.context import Services
from bot.slack.views.blocks import Block, Message
from handlers.boundary import Boundary
from handlers.requests import Click, Submission


class Alerts:
    """Parses what was pressed, calls one verb, returns its answer."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def listen(self, app: AsyncApp, boundary: Boundary) -> None:
        """Register every way in; the form behind [Open an incident] is that of `handlers.incidents`."""
        app.action("alerts_open")(boundary.form(self.open_form))
        app.action("alerts_attach")(boundary.form(self.attach_form))
        app.view("alerts_attach")(boundary.submission(self.attached))
        app.action("alerts_attach_here")(boundary.click(self.attach_here))
        app.action("alerts_ignore")(boundary.click(self.ignore))
        app.action("alerts_again")(boundary.click(self.again))
        app.action("alerts_more")(boundary.click(self.more))
        app.action("alerts_mitigated")(boundary.click(self.mitigated))
        app.action("alerts_resolved")(boundary.click(self.resolved))

    async def open_form(self, click: Click) -> Block:
        """[Open an incident]."""
        return await suggestions_service.open_form(self._services, click.request, int(click.value["alert"]))

    async def attach_form(self, click: Click) -> Block:
        """[Attach to …]."""
        return await suggestions_service.attach_form(self._services, click.request, int(click.value["alert"]))

    async def attached(self, sent: Submission) -> Message | None:
        """The form behind [Attach to …]."""
        alert, into = int(sent.metadata["alert"]), int(sent.values["into"])
        return await suggestions_service.attach_to(self._services, sent.request, alert, into)

    async def attach_here(self, click: Click) -> Message | None:
        """[Attach to INC-7], which is open in the channel of alerts."""
        alert, into = int(click.value["alert"]), int(click.value["into"])
        return await suggestions_service.attach_to(self._services, click.request, alert, into)

    async def ignore(self, click: Click) -> Message | None:
        """[Ignore]."""
        return await suggestions_service.ignore(self._services, click.request, int(click.value["alert"]))

    async def again(self, click: Click) -> Message | None:
        """[Suggest it again]."""
        return await suggestions_service.suggest_again(self._services, click.request, int(click.value["alert"]))

    async def more(self, click: Click) -> Message | None:
        """[Show 5 one by one]."""
        return await suggestions_service.show_more(self._services, click.request, int(click.value["storm"]))

    async def mitigated(self, click: Click) -> Message | None:
        """[Mitigated at 14:40 UTC]."""
        return await self._reached(click, Milestone.MITIGATED)

    async def resolved(self, click: Click) -> Message | None:
        """[Resolved at 14:40 UTC]."""
        return await self._reached(click, Milestone.RESOLVED)

    async def _reached(self, click: Click, milestone: Milestone) -> Message | None:
        """The milestone at the time at which the last alert ended, as if it had been typed."""
        at = datetime.fromisoformat(click.value["at"]).astimezone(UTC)
        return await milestones_service.by_button(self._services, click.request, milestone, at)
