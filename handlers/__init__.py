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


def listen(app: AsyncApp, desk: Services, boundary: Boundary) -> None:
    """Register every command, button, form and event."""
    whys, exports = Whys(desk, boundary), Exports(desk)
    capture = CaptureHandlers(desk, boundary, whys)
    postmortem = PostmortemHandlers(desk, exports)
    actions = Actions(desk, boundary, postmortem)
    nouns = (Timeline(desk), Incidents(desk, capture), whys, actions, PeopleHandlers(desk), Secrets(desk))
    documents = (postmortem, exports)
    others = (Home(desk, boundary), capture, LookbackHandlers(desk), Findings(desk), Recall(desk))
    outside = (Alerts(desk), ConnectionsHandlers(desk), StatuspageHandlers(desk), ConfluenceHandlers(desk))
    for noun in (*nouns, *documents, *others, *outside, Drafts(desk)):
        noun.listen(app, boundary)
