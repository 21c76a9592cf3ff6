"""Slack in, Slack out: acknowledge, parse, one call to a service, answer.

Each module has a `CommandTable` of what people type, or a `HandlerTable` of what they press, or both.
"""

from functools import partial

from slack_bolt.async_app import AsyncApp

from bot.services.context import Services
from handlers import alerts as alerts_handlers
from handlers import capture as capture_handlers
from handlers import home_tab as home_tab_handlers
from handlers import incidents as incidents_handlers
from handlers import integrations as integrations_handlers
from handlers import secrets as secrets_handlers
from handlers import timeline as timeline_handlers
from handlers import whys as whys_handlers
from handlers.actions import Actions
from handlers.boundary import Boundary
from handlers.postmortem import Drafts, Exports, Findings, PostmortemHandlers, Recall

COMMANDS = (timeline_handlers.TIMELINE, whys_handlers.WHY, incidents_handlers.INCIDENT)
TABLES = tuple(
    module.HANDLERS
    for module in (
        timeline_handlers,
        incidents_handlers,
        whys_handlers,
        home_tab_handlers,
        secrets_handlers,
        capture_handlers,
        alerts_handlers,
        integrations_handlers,
    )
)


def listen(app: AsyncApp, services: Services, boundary: Boundary) -> None:
    """Register every command, button, form and event."""
    for command in COMMANDS:  # first: Bolt tries the listeners one by one, and a command has three seconds
        app.command(command.name)(boundary.command(partial(command.run, boundary)))
    exports = Exports(services)
    postmortem = PostmortemHandlers(services, exports)
    actions = Actions(services, boundary, postmortem)
    for noun in (actions, postmortem, exports, Findings(services), Recall(services), Drafts(services)):
        noun.listen(app, boundary)
    for table in TABLES:
        table.listen(app, boundary)
