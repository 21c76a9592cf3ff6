"""Slack in, Slack out: acknowledge, parse, one call to a service, answer.

Each module has a `HandlerTable` of its functions by action id; the module of a command also has a `CommandTable`.
"""

import re
from collections.abc import Callable
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.response import BoltResponse

from bot.slack.views.blocks import MORE
from handlers import actions as actions_handlers
from handlers import capture as capture_handlers
from handlers import facets as facets_handlers
from handlers import home_tab as home_tab_handlers
from handlers import incidents as incidents_handlers
from handlers import integrations as integrations_handlers
from handlers import postmortem as postmortem_handlers
from handlers import review as review_handlers
from handlers import timeline as timeline_handlers
from handlers import whys as whys_handlers
from handlers.boundary import Boundary, HandlerTable, Listener, answer_error
from handlers.requests import Body, button_of

_ANY = re.compile("")

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
    facets_handlers.HANDLERS,
    actions_handlers.HANDLERS,
    postmortem_handlers.HANDLERS,
    review_handlers.HANDLERS,
    home_tab_handlers.HANDLERS,
    capture_handlers.HANDLERS,
    integrations_handlers.HANDLERS,
    HandlerTable(events={"message": _route_message}),
)


def _find(find: Callable[[HandlerTable, str, Boundary], Listener | None], name: str, boundary: Boundary) -> Listener:
    found = (find(table, name, boundary) for table in TABLES)
    return next((one for one in found if one is not None), _answer_nobody)


async def _answer_nobody(**_: Any) -> BoltResponse:
    return BoltResponse(status=404, body="")


def build_commands(boundary: Boundary) -> dict[str, Listener]:
    """The listeners of all commands, by name. They are called without Bolt (decision 55)."""
    return {name: listener for table in TABLES for name, listener in table.build_commands(boundary).items()}


def listen(app: AsyncApp, boundary: Boundary) -> None:
    """Register every event, and one listener for all buttons, one for all forms, one for all shortcuts.

    Bolt tries its listeners one after the other, and inspects each when it is registered. With one for each of 150
    names, an answer waited for a hundred of them, and half of a bot's start was their inspection.
    """

    async def press(body: Body) -> BoltResponse:
        # A line of an overflow menu does what the button does that it stands for.
        pressed = button_of(body) if body["actions"][0]["action_id"] == MORE else body
        return await _find(HandlerTable.find_button, pressed["actions"][0]["action_id"], boundary)(body=pressed)

    async def submit(body: Body) -> BoltResponse:
        return await _find(HandlerTable.find_submission, body["view"]["callback_id"], boundary)(body=body)

    async def choose(body: Body) -> BoltResponse:
        return await _find(HandlerTable.find_shortcut, body["callback_id"], boundary)(body=body)

    app.block_action(_ANY)(press)
    app.view_submission(_ANY)(submit)
    app.shortcut(_ANY)(choose)
    for table in TABLES:
        table.listen_to_events(app, boundary)
    app.error(answer_error)
