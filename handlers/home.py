"""The Home tab: drawn when it is opened, when its pages are turned, and after something was done in it."""

import logging

from slack_bolt.async_app import AsyncApp

from bot.errors import NotRecorded
from bot.scribe import home as scribe
from bot.scribe.desk import Desk
from handlers.boundary import Boundary
from handlers.requests import Body, Click

log = logging.getLogger(__name__)


class Home:
    """Hears of the Home tab; `desk.tabs` draws it, here and wherever something in it changes."""

    def __init__(self, desk: Desk, boundary: Boundary) -> None:
        self._desk = desk
        self._boundary = boundary

    def listen(self, app: AsyncApp, boundary: Boundary) -> None:
        """Register every way in."""
        app.event("app_home_opened")(boundary.event(self.opened))
        for button in ("home_back", "home_on"):
            app.action(button)(boundary.click(self.turned))
        boundary.after_home(self._desk.tabs.show)

    async def opened(self, body: Body) -> None:
        """Somebody looks at the Home tab (or at the messages, which need nothing); it is drawn behind the answer."""
        event = body["event"]
        if event.get("tab", "home") == "home":
            self._boundary.later(self._show(body["team_id"], event["user"]))

    async def _show(self, team: str, user: str) -> None:
        try:
            await scribe.opened(self._desk, team, user, self._desk.clock.now())
        except NotRecorded as error:
            log.warning("that a Home tab is looked at could not be written down: %s", error)
        await self._desk.tabs.show(team, user)

    async def turned(self, click: Click) -> None:
        """[Next 20] or [Previous 20]; the boundary draws the tab anew."""
        await scribe.turn(self._desk, click.asked, str(click.value.get("part")), int(click.value.get("from") or 0))
