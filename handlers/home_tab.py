"""What Slack reports about people and channels; the Home tab, with its search and its help."""

import logging

from bot.domain.records import Examples, Place
from bot.errors import NotRecorded
from bot.services import home_tab as home_tab_service
from bot.services import incidents as incidents_service
from bot.slack.views import home_tab as home_tab_views
from bot.slack.views.blocks import Block
from handlers.actions import ACTION
from handlers.boundary import Boundary, HandlerTable
from handlers.incidents import INCIDENT
from handlers.postmortem import POSTMORTEM
from handlers.requests import Body, Click, Submission, event_of
from handlers.timeline import TIMELINE
from handlers.whys import WHY

log = logging.getLogger(__name__)

TABLES = (INCIDENT, TIMELINE, WHY, ACTION, POSTMORTEM)
"""The commands in the order in which an incident needs them."""


async def _learn_person(boundary: Boundary, body: Body) -> None:
    """A person is new or changed. A new role counts from now on; their tab shows what it lets them see."""
    person = await boundary.services.slack.directory.learn(body["team_id"], body["event"]["user"])
    boundary.services.slack.home_tabs.mark_stale(person.team, person.id)


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
        log.warning(
            "It couldn't be saved that %(user)s opened the Home tab, so it isn't kept up to date: %(cause)s",
            {"event": "home_tab_not_saved", "user": user, "team": team, "cause": str(error)},
        )
    await boundary.services.slack.home_tabs.show(team, user)


async def _turn(boundary: Boundary, click: Click) -> None:
    """[Next 20] or [Previous 20]; the boundary refreshes the tab."""
    await home_tab_service.turn_page(
        boundary.services, click.request, str(click.value.get("part")), int(click.value.get("from") or 0)
    )


async def _search(boundary: Boundary, click: Click) -> Block:
    """Words typed into the search field of the Home tab."""
    return await incidents_service.search_window(boundary.services, click.request, click.typed)


async def _search_again(boundary: Boundary, sent: Submission) -> Block:
    """[Search] in the window with the results."""
    text = str(sent.values.get("text") or "")
    view = await incidents_service.search_window(boundary.services, sent.request, text)
    return {"response_action": "update", "view": view}


async def _show_help(boundary: Boundary, _: Click) -> Block:
    """[Help]: what can be typed, by command."""
    return home_tab_views.help_view([table.describe(boundary.services, Examples()) for table in TABLES])


LINKS = ("incident_channel", "library_read", "library_read_all")


async def _go(_: Boundary, __: Click) -> None:
    """[Go to channel] and [Read]: Slack opens the address itself, and wants only that the click is acknowledged."""


HANDLERS = HandlerTable(
    clicks={"home_back": _turn, "home_on": _turn, **dict.fromkeys(LINKS, _go)},
    forms={"home_search": _search, "home_help": _show_help},
    submissions={"incident_search": _search_again},
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
