"""The Home tab: drawn when it is opened, and again after something was done in it."""

import logging

from aiohttp import ClientError
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.scribe import home as scribe
from bot.scribe.desk import Desk
from handlers.boundary import Boundary
from handlers.requests import Body

log = logging.getLogger(__name__)


class Home:
    """Publishes the Home tab."""

    def __init__(self, desk: Desk, client: AsyncWebClient) -> None:
        self._desk = desk
        self._client = client

    def listen(self, app: AsyncApp, boundary: Boundary) -> None:
        """Register every way in."""
        app.event("app_home_opened")(boundary.event(self.opened))
        boundary.after_home(self.publish)

    async def opened(self, body: Body) -> None:
        """Somebody looks at the Home tab (or at the messages, which need nothing)."""
        event = body["event"]
        if event.get("tab", "home") == "home":
            await self.publish(body["team_id"], event["user"])

    async def publish(self, team: str, user: str) -> None:
        """Draw somebody's tab anew; a failure shows the old one, and the next opening mends it."""
        try:
            await self._client.views_publish(user_id=user, view=await scribe.view(self._desk, team, user))
        except (SlackClientError, ClientError, OSError, TimeoutError) as error:
            log.warning("a Home tab could not be drawn: %s", type(error).__name__)
