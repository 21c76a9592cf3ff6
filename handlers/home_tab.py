"""What Slack reports about people and channels, and the Home tab."""

import logging

from bot.domain.records import Place
from bot.errors import NotRecorded
from bot.services import home_tab as home_tab_service
from bot.services import incidents as incidents_service
from handlers.boundary import Boundary, HandlerTable
from handlers.requests import Body, Click, event_of

log = logging.getLogger(__name__)


async def _learn_person(boundary: Boundary, body: Body) -> None:
    await boundary.services.slack.directory.learn(body["team_id"], body["event"]["user"])


async def _welcome(boundary: Boundary, body: Body) -> None:
    """A person or the bot joined a channel. If it is the bot, messages that wait for the channel can be sent."""
    event = body["event"]
    boundary.services.slack.channels.record_join(event["user"], event["channel"])
    _refresh_home_tab(boundary, body)
    bots = {authorization.get("user_id") for authorization in body.get("authorizations") or ()}
    if event["user"] in bots:
        await incidents_service.welcome(
            boundary.services, event_of(body, event["channel"], boundary.services.clock.now())
        )


async def _forget_member(boundary: Boundary, body: Body) -> None:
    boundary.services.slack.channels.record_leave(body["event"]["user"], body["event"]["channel"])
    _refresh_home_tab(boundary, body)


def _refresh_home_tab(boundary: Boundary, body: Body) -> None:
    # Which incidents the tab may show depends on the person's channels.
    boundary.services.slack.home_tabs.mark_stale(body["team_id"], body["event"]["user"])


async def _rename_channel(boundary: Boundary, body: Body) -> None:
    channel = body["event"]["channel"]
    if body["event"]["type"] == "channel_rename":  # not `group_rename`: a private channel's name is for its members
        boundary.services.slack.directory.names.remember(body["team_id"], channel["id"], channel["name"])
    await incidents_service.rename_channel(boundary.services, Place(body["team_id"], channel["id"]), channel["name"])


async def _open(boundary: Boundary, body: Body) -> None:
    """The Home tab was opened (or the messages tab, which needs nothing). It is drawn after the acknowledgement."""
    event = body["event"]
    if event.get("tab", "home") == "home":
        boundary.later(_show(boundary, body["team_id"], event["user"]))


async def _show(boundary: Boundary, team: str, user: str) -> None:
    try:
        await home_tab_service.open_tab(boundary.services, team, user, boundary.services.clock.now())
    except NotRecorded as error:
        log.warning("that a Home tab is looked at could not be written down: %s", error)
    await boundary.services.slack.home_tabs.show(team, user)


async def _turn(boundary: Boundary, click: Click) -> None:
    """[Next 20] or [Previous 20]; the boundary refreshes the tab."""
    await home_tab_service.turn_page(
        boundary.services, click.request, str(click.value.get("part")), int(click.value.get("from") or 0)
    )


HANDLERS = HandlerTable(
    clicks={"home_back": _turn, "home_on": _turn},
    events={
        "user_change": _learn_person,
        "team_join": _learn_person,
        "member_joined_channel": _welcome,
        "member_left_channel": _forget_member,
        "channel_rename": _rename_channel,
        "group_rename": _rename_channel,
        "app_home_opened": _open,
    },
)
