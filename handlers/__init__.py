"""Slack in, Slack out: acknowledge, parse, one call to the scribe, answer."""

from slack_bolt.async_app import AsyncApp

from bot.services.context import Desk
from handlers.actions import Actions
from handlers.alerts import Alerts
from handlers.boundary import Boundary
from handlers.capture import Capture, Lookback
from handlers.home_tab import Home, People
from handlers.incidents import Incidents
from handlers.integrations import Confluence, Connections, Statuspage
from handlers.postmortem import Drafts, Exports, Findings, Postmortem, Recall
from handlers.secrets import Secrets
from handlers.timeline import Timeline
from handlers.whys import Whys


def listen(app: AsyncApp, desk: Desk, boundary: Boundary) -> None:
    """Register every command, button, form and event."""
    whys, exports = Whys(desk, boundary), Exports(desk)
    capture = Capture(desk, boundary, whys)
    postmortem = Postmortem(desk, exports)
    actions = Actions(desk, boundary, postmortem)
    nouns = (Timeline(desk), Incidents(desk, capture), whys, actions, People(desk), Secrets(desk))
    documents = (postmortem, exports)
    others = (Home(desk, boundary), capture, Lookback(desk), Findings(desk), Recall(desk))
    outside = (Alerts(desk), Connections(desk), Statuspage(desk), Confluence(desk))
    for noun in (*nouns, *documents, *others, *outside, Drafts(desk)):
        noun.listen(app, boundary)
