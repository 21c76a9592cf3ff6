"""Other systems as people see them: their state, their failures, and trying again."""

from bot.domain.text import clean_input, require_text
from bot.errors import Refused
from bot.integrations import views as integration_views
from bot.services.context import Request, Services, require_incident, run_once
from bot.slack.views.blocks import Block, Message
from storage import actions as actions_store
from storage import incidents as incidents_store
from storage import links as links_store
from storage.database.statements import Transaction
from storage.links import Link, LinkKey

MOST = 200
"""Open actions of one person that are assigned anew."""


async def overview(services: Services, request: Request) -> Message:
    """How each connected system stands, as far as the asker may see what it is about."""
    counts, troubled, channels = await services.store.read(lambda tx: _look(tx, request.team))
    seen = await services.visible_channels(request.team, request.user, set(channels.values()), request.place.channel)
    shown = tuple(link for link in troubled if channels.get(link.incident_id) in seen)
    return integration_views.overview(services.integrations.names, counts, shown, services.integrations.troubles)


def _look(tx: Transaction, team: str) -> tuple[tuple[links_store.LinkCount, ...], tuple[Link, ...], dict[int, str]]:
    troubled = links_store.list_failing(tx, team)
    about = {link.incident_id for link in troubled}
    found = [incident for row in about if (incident := incidents_store.find(tx, row))]
    return links_store.count_by_state(tx, team), troubled, {incident.id: incident.channel for incident in found}


async def try_again(services: Services, request: Request, system: str) -> Message | None:
    """Try everything of a system again that failed or waits."""
    if system not in services.integrations.names:
        raise Refused("That system is not connected any more.")

    def unit(tx: Transaction) -> Message:
        return integration_views.again(system, links_store.retry_failing(tx, request.team, system, request.now))

    return await run_once(services, request, unit, verb="connections.try_again")


async def account_form(services: Services, request: Request, user: str) -> Block:
    """The form that asks who somebody is in Jira."""
    person = await services.slack.directory.look_up(request.team, user)
    return await services.store.read(
        lambda tx: integration_views.account_form(require_incident(tx, request), user, person.name)
    )


async def choose_account(services: Services, request: Request, user: str, account: str) -> Message | None:
    """Keep who somebody is in Jira, and assign what is theirs anew."""
    account = require_text(clean_input(account, "That account").strip(), "Write an e-mail address or an account id.")

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request)
        links_store.set_account(tx, request.team, "jira", user, account, (request.user, request.now))
        tx.note(incident.id, "account")
        for owed in actions_store.list_open_of(tx, request.team, user, MOST):
            thing = LinkKey(request.team, "jira", f"{owed.incident.key} action {owed.action.number}", owed.incident.id)
            links_store.enqueue_if_known(tx, thing, request.now)
        return integration_views.account_kept(user, account)

    return await run_once(services, request, unit, verb="connections.choose_account")
