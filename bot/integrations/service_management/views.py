"""How an incident in Jira Service Management looks in Slack. `issue` is its key and its address there."""

from bot.domain.records import Incident
from bot.integrations.systems import System
from bot.slack.views import blocks
from bot.slack.views.blocks import Message
from bot.slack.views.templates import words


def on_its_way(incident: Incident) -> Message:
    """The incident was ordered; Jira has not answered yet."""
    return blocks.ephemeral(
        words.connections.on_its_way(key=incident.key, system=System.SERVICE_MANAGEMENT.display_name)
    )


def in_jsm(incident: Incident, issue: tuple[str, str]) -> Message:
    """The incident was created in the service project."""
    key, url = issue
    return blocks.message(words.connections.in_jsm(key=incident.key, issue=key, url=url))


def in_jsm_already(incident: Incident, issue: tuple[str, str]) -> Message:
    """It was there before."""
    key, url = issue
    return blocks.ephemeral(words.connections.in_jsm_already(key=incident.key, issue=key, url=url))


def closed_in_jsm(incident: Incident, issue: tuple[str, str]) -> Message:
    """It was closed there. A person has to say when the incident ended."""
    key, url = issue
    said = words.connections.closed_in_jsm(key=incident.key, issue=key, url=url)
    ref = blocks.incident_value(incident)
    return blocks.message(
        said, [blocks.section(said), blocks.actions(blocks.button("Resolved", "incident_resolved", ref))]
    )
