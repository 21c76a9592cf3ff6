"""Slack in, Slack out: acknowledge, parse, one call to the scribe, answer."""

from slack_bolt.async_app import AsyncApp

from bot.services.context import Services
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
from handlers.whys import Whys


def listen(app: AsyncApp, services: Services, boundary: Boundary) -> None:
    """Register every command, button, form and event."""
    whys, exports = Whys(services, boundary), Exports(services)
    capture = CaptureHandlers(services, boundary, whys)
    postmortem = PostmortemHandlers(services, exports)
    actions = Actions(services, boundary, postmortem)
    nouns = (
        Timeline(services),
        Incidents(services, capture),
        whys,
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
    for noun in (*nouns, *documents, *others, *outside, Drafts(services)):
        noun.listen(app, boundary)
