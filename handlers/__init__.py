"""Slack in, Slack out: acknowledge, parse, one call to the scribe, answer."""

from slack_bolt.async_app import AsyncApp

from bot.scribe.desk import Desk
from handlers.actions import Actions
from handlers.alerts import Alerts
from handlers.boundary import Boundary
from handlers.capture import Capture
from handlers.confluence import Confluence
from handlers.connections import Connections
from handlers.drafts import Drafts
from handlers.exports import Exports
from handlers.findings import Findings
from handlers.home import Home
from handlers.incidents import Incidents
from handlers.lookback import Lookback
from handlers.people import People
from handlers.postmortem import Postmortem
from handlers.recall import Recall
from handlers.secrets import Secrets
from handlers.statuspage import Statuspage
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
