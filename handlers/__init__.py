"""Slack in, Slack out: acknowledge, parse, one call to the scribe, answer."""

from functools import partial

from slack_bolt.async_app import AsyncApp

from bot.services.context import Services
from handlers import alerts as alerts_handlers
from handlers import integrations as integrations_handlers
from handlers import secrets as secrets_handlers
from handlers import timeline as timeline_handlers
from handlers import whys as whys_handlers
from handlers.actions import Actions
from handlers.boundary import Boundary
from handlers.capture import CaptureHandlers, LookbackHandlers
from handlers.home_tab import Home, PeopleHandlers
from handlers.incidents import Incidents
from handlers.postmortem import Drafts, Exports, Findings, PostmortemHandlers, Recall
from handlers.timeline import TIMELINE
from handlers.whys import WHY

COMMANDS = (TIMELINE, WHY)
TABLES = (
    timeline_handlers.HANDLERS,
    whys_handlers.HANDLERS,
    secrets_handlers.HANDLERS,
    alerts_handlers.HANDLERS,
    integrations_handlers.HANDLERS,
)


def listen(app: AsyncApp, services: Services, boundary: Boundary) -> None:
    """Register every command, button, form and event."""
    exports = Exports(services)
    capture = CaptureHandlers(services, boundary)
    postmortem = PostmortemHandlers(services, exports)
    actions = Actions(services, boundary, postmortem)
    nouns = (
        Incidents(services, capture),
        actions,
        PeopleHandlers(services),
    )
    documents = (postmortem, exports)
    others = (Home(services, boundary), capture, LookbackHandlers(services), Findings(services), Recall(services))
    for command in COMMANDS:
        app.command(command.name)(boundary.command(partial(command.run, boundary)))
    for table in TABLES:
        table.listen(app, boundary)
    for noun in (*nouns, *documents, *others, Drafts(services)):
        noun.listen(app, boundary)
