"""What Slack tells about people and channels."""

from slack_bolt.async_app import AsyncApp

from bot.incident.records import Place
from bot.scribe import incidents_channel as scribe
from bot.scribe.desk import Desk
from handlers.boundary import Boundary
from handlers.requests import Body, event_of


class People:
    """Keeps names, zones and channel names as Slack has them."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

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
        await self._desk.people.learn(body["team_id"], body["event"]["user"])

    async def joined(self, body: Body) -> None:
        """Somebody came into a channel; where it is the bot, what waits for that channel can go out."""
        event = body["event"]
        self._desk.places.came(event["user"], event["channel"])
        self._sees_anew(body)
        bots = {authorization.get("user_id") for authorization in body.get("authorizations") or ()}
        if event["user"] in bots:
            await scribe.welcomed(self._desk, event_of(body, event["channel"], self._desk.clock.now()))

    async def left(self, body: Body) -> None:
        """Somebody is not in a channel any more."""
        self._desk.places.left(body["event"]["user"], body["event"]["channel"])
        self._sees_anew(body)

    def _sees_anew(self, body: Body) -> None:
        """What they may look into is another now, and so is what their Home tab may show."""
        self._desk.tabs.stale(body["team_id"], body["event"]["user"])

    async def renamed(self, body: Body) -> None:
        """A channel has another name."""
        channel = body["event"]["channel"]
        if body["event"]["type"] == "channel_rename":  # a private channel's name is for its members
            self._desk.people.names.remember(body["team_id"], channel["id"], channel["name"])
        await scribe.renamed(self._desk, Place(body["team_id"], channel["id"]), channel["name"])
