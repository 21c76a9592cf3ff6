"""What people ask about the connected systems: their state, and to try again what failed."""

from bot.errors import Refused
from bot.integrations import views as integration_views
from bot.services.context import Request, Services, run_once
from bot.slack.views.blocks import Message
from storage import incidents as incidents_store
from storage import links as links_store
from storage.database.statements import Transaction
from storage.links import Link


async def overview(services: Services, request: Request) -> Message:
    """`/incident connections`: the state of each system, with the failures of incidents that the user may see."""
    counts, troubled, channels = await services.store.read(lambda tx: _read_state(tx, request.team))
    seen = await services.visible_channels(request.team, request.user, set(channels.values()), request.place.channel)
    shown = tuple(link for link in troubled if channels.get(link.incident_id) in seen)
    return integration_views.overview(services.integrations.names, counts, shown, services.integrations.troubles)


def _read_state(
    tx: Transaction, team: str
) -> tuple[tuple[links_store.LinkCount, ...], tuple[Link, ...], dict[int, str]]:
    """The counts by state, the failing links, and the channel of each incident that these are about."""
    troubled = links_store.list_failing(tx, team)
    about = {link.incident_id for link in troubled}
    found = [incident for row in about if (incident := incidents_store.find(tx, row))]
    return links_store.count_by_state(tx, team), troubled, {incident.id: incident.channel for incident in found}


async def try_again(services: Services, request: Request, system: str) -> Message | None:
    """[Try again]: everything of a system that failed or waits."""
    if system not in services.integrations.names:
        raise Refused("That system is not connected any more.")

    def unit(tx: Transaction) -> Message:
        return integration_views.again(system, links_store.retry_failing(tx, request.team, system, request.now))

    return await run_once(services, request, unit, verb="connections.try_again")
