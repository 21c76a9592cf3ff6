"""What Slack tells about people and channels.

The Home tab: drawn when it is opened, when its pages are turned, and after something was done in it.
"""

import logging

from slack_bolt.async_app import AsyncApp

from bot.domain.records import Place
from bot.errors import NotRecorded
from bot.services import home_tab as home_tab_service
from bot.services import incidents as incidents_service
from bot.services.context import Services
from handlers.boundary import Boundary
from handlers.requests import Body, Click, event_of


class PeopleHandlers:
    """Keeps names, zones and channel names as Slack has them."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def listen(self, app: AsyncApp, boundary: Boundary) -> None:
        """Register every way in."""
        app.event("user_change")(boundary.event(self.changed))
        app.event("team_join")(boundary.event(self.changed))
        app.event("member_joined_channel")(boundary.event(self.joined))
        app.event("member_left_channel")(boundary.event(self.left))
        app.event("channel_rename")(boundary.event(self.renamed))
        app.event("group_rename")(boundary.event(self.renamed))

    async def changed(self, body: Body) -> None:
        """Somebody is new, or has another name, zone or standing."""
        await self._services.slack.directory.learn(body["team_id"], body["event"]["user"])

    async def joined(self, body: Body) -> None:
        """Somebody came into a channel; where it is the bot, what waits for that channel can go out."""
        event = body["event"]
        self._services.slack.channels.came(event["user"], event["channel"])
        self._sees_anew(body)
        bots = {authorization.get("user_id") for authorization in body.get("authorizations") or ()}
        if event["user"] in bots:
            await incidents_service.welcomed(
                self._services, event_of(body, event["channel"], self._services.clock.now())
            )

    async def left(self, body: Body) -> None:
        """Somebody is not in a channel any more."""
        self._services.slack.channels.left(body["event"]["user"], body["event"]["channel"])
        self._sees_anew(body)

    def _sees_anew(self, body: Body) -> None:
        """What they may look into is another now, and so is what their Home tab may show."""
        self._services.slack.home_tabs.mark_stale(body["team_id"], body["event"]["user"])

    async def renamed(self, body: Body) -> None:
        """A channel has another name."""
        channel = body["event"]["channel"]
        if body["event"]["type"] == "channel_rename":  # a private channel's name is for its members
            self._services.slack.directory.names.remember(body["team_id"], channel["id"], channel["name"])
        await incidents_service.renamed(self._services, Place(body["team_id"], channel["id"]), channel["name"])


log = logging.getLogger(__name__)


class Home:
    """Hears of the Home tab; `services.tabs` draws it, here and wherever something in it changes."""

    def __init__(self, services: Services, boundary: Boundary) -> None:
        self._services = services
        self._boundary = boundary

    def listen(self, app: AsyncApp, boundary: Boundary) -> None:
        """Register every way in."""
        app.event("app_home_opened")(boundary.event(self.opened))
        for button in ("home_back", "home_on"):
            app.action(button)(boundary.click(self.turned))
        boundary.after_home(self._services.slack.home_tabs.show)

    async def opened(self, body: Body) -> None:
        """Somebody looks at the Home tab (or at the messages, which need nothing); it is drawn behind the answer."""
        event = body["event"]
        if event.get("tab", "home") == "home":
            self._boundary.later(self._show(body["team_id"], event["user"]))

    async def _show(self, team: str, user: str) -> None:
        try:
            await home_tab_service.opened(self._services, team, user, self._services.clock.now())
        except NotRecorded as error:
            log.warning("that a Home tab is looked at could not be written down: %s", error)
        await self._services.slack.home_tabs.show(team, user)

    async def turned(self, click: Click) -> None:
        """[Next 20] or [Previous 20]; the boundary draws the tab anew."""
        await home_tab_service.turn(
            self._services, click.request, str(click.value.get("part")), int(click.value.get("from") or 0)
        )
