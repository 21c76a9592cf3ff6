"""Slack in, Slack out: acknowledge, parse, one call to a service, answer.

Each module has a `HandlerTable` of its functions by action id; the module of a command also has a `CommandTable`.
"""

import logging

from slack_bolt.async_app import AsyncApp
from slack_bolt.response import BoltResponse

from bot.slack.views.blocks import MORE
from handlers import actions as actions_handlers
from handlers import capture as capture_handlers
from handlers import home_tab as home_tab_handlers
from handlers import incidents as incidents_handlers
from handlers import integrations as integrations_handlers
from handlers import postmortem as postmortem_handlers
from handlers import timeline as timeline_handlers
from handlers import whys as whys_handlers
from handlers.boundary import Boundary, HandlerTable
from handlers.requests import Body, button_of

log = logging.getLogger(__name__)

COMMANDS = (
    timeline_handlers.TIMELINE,
    whys_handlers.WHY,
    incidents_handlers.INCIDENT,
    actions_handlers.ACTION,
    postmortem_handlers.POSTMORTEM,
)
SLASH_COMMANDS = tuple(command.in_manifest() for command in COMMANDS)


async def _route_message(boundary: Boundary, body: Body) -> None:
    """A message to the bot, or one in a channel: that may edit, delete or answer something recorded."""
    is_to_us = actions_handlers.is_said_to_us(body["event"])
    await (actions_handlers.answer_message if is_to_us else capture_handlers.follow_message)(boundary, body)


TABLES = (
    timeline_handlers.HANDLERS,
    whys_handlers.HANDLERS,
    incidents_handlers.HANDLERS,
    actions_handlers.HANDLERS,
    postmortem_handlers.HANDLERS,
    home_tab_handlers.HANDLERS,
    capture_handlers.HANDLERS,
    integrations_handlers.HANDLERS,
    HandlerTable(events={"message": _route_message}),
)


async def _press_line(boundary: Boundary, body: Body) -> BoltResponse:
    """A line of an overflow menu does what the button does that it stands for."""
    pressed = button_of(body)
    action = pressed["actions"][0]["action_id"]
    found = (table.find_listener(action, boundary) for table in TABLES)
    listener = next((one for one in found if one is not None), None)
    if listener is None:
        log.warning("no button is called %s", action)
        return BoltResponse(status=200, body="")
    return await listener(body=pressed)


def listen(app: AsyncApp, boundary: Boundary) -> None:
    """Register every command, button, form and event."""
    for table in TABLES:  # commands first: Bolt tries listeners in order, and recording must be fastest
        table.listen_to_commands(app, boundary)
    for table in TABLES:
        table.listen(app, boundary)

    async def press_line(body: Body) -> BoltResponse:
        return await _press_line(boundary, body)

    app.action(MORE)(press_line)
