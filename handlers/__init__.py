"""Slack in, Slack out: acknowledge, parse, one call to the scribe, answer."""

from functools import partial

from slack_bolt.async_app import AsyncApp

from bot.services.context import Services
from handlers import whys as whys_handlers
from handlers.actions import Actions
from handlers.alerts import Alerts
from handlers.boundary import Boundary
from handlers.capture import CaptureHandlers, LookbackHandlers
from handlers.home_tab import Home, PeopleHandlers
from handlers.incidents import Incidents
from handlers.integrations import ConfluenceHandlers, ConnectionsHandlers, StatuspageHandlers
from handlers.postmortem import Drafts, Exports, Findings, PostmortemHandlers, Recall
from handlers.secrets import Secrets
from handlers.timeline import Timeline
from handlers.whys import WHY

COMMANDS = (WHY,)
TABLES = (whys_handlers.HANDLERS,)


def listen(app: AsyncApp, services: Services, boundary: Boundary) -> None:
    """Register every command, button, form and event."""
    exports = Exports(services)
    capture = CaptureHandlers(services, boundary)
    postmortem = PostmortemHandlers(services, exports)
    actions = Actions(services, boundary, postmortem)
    nouns = (
        Timeline(services),
        Incidents(services, capture),
        actions,
        PeopleHandlers(services),
        Secrets(services),
    )
    documents = (postmortem, exports)
    others = (Home(services, boundary), capture, LookbackHandlers(services), Findings(services), Recall(services))
    outside = (
        Alerts(services),
        ConnectionsHandlers(services),
        StatuspageHandlers(services),
        ConfluenceHandlers(services),
    )
    for command in COMMANDS:
        app.command(command.name)(boundary.command(partial(command.run, boundary)))
    for table in TABLES:
        table.listen(app, boundary)
    for noun in (*nouns, *documents, *others, *outside, Drafts(services)):
        noun.listen(app, boundary)
