"""Actions of private incidents: none goes to Jira before somebody in the channel has agreed to it."""

import json

from bot.errors import Refused
from bot.incident.records import Incident
from bot.publish.failures import PublishError
from bot.scribe.desk import Asked, Desk, once, require_incident
from bot.scribe.failing import Undecided
from bot.scribe.jira_there import SYSTEM
from bot.slack import connections as says
from bot.slack.blocks import Message
from bot.slack.connections import NAMES
from bot.slack.places import Places
from bot.slack.words import words
from storage import link_lists, links
from storage.links import Link
from storage.statements import Transaction

AGREED = "agreed"
"""In the memo of an action's link: it may go there. It holds for every action of the incident."""


def is_agreed(tx: Transaction, incident_id: int) -> bool:
    """Whether somebody agreed that an incident's actions go to Jira."""
    return any(json.loads(link.memo or "{}").get(AGREED) for link in _links_of(tx, incident_id))


async def is_public(places: Places, incident: Incident) -> bool:
    """Whether everybody may read in the incident's channel. Raises PublishError where Slack does not say just now."""
    sight = await places.sight("", [incident.channel])
    if not sight.is_sure:
        sentence = "Slack does not say just now who can read in the incident's channel; it is tried again later."
        raise PublishError(NAMES[SYSTEM], sentence)
    return incident.channel in sight.seen


def undecided(incident: Incident, project: str, summary: str) -> Undecided:
    """The question whether a private incident's actions may go to `project`, where one would read `summary`."""
    sentence = f"{incident.key} is private, and nobody has agreed yet that its actions go to Jira."
    return Undecided(NAMES[SYSTEM], sentence, says.private_actions(incident, project, summary))


async def agree(desk: Desk, asked: Asked) -> Message | None:
    """[Put its actions into Jira]: those that wait, and those that will come."""

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, asked, locking=True)
        waiting = _links_of(tx, incident.id)
        if is_agreed(tx, incident.id) or not waiting:
            raise Refused(words.connections.agreed_already(key=incident.key))
        for link in waiting:
            links.order(tx, link, json.dumps(json.loads(link.memo or "{}") | {AGREED: True}), asked.now)
        tx.note(incident.id, "masked actions into Jira")
        return says.agreed(incident, asked.user)

    return await once(desk, asked, unit)


def _links_of(tx: Transaction, incident_id: int) -> list[Link]:
    return [link for link in link_lists.of_incident(tx, incident_id) if link.system == SYSTEM]
