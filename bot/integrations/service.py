"""What people ask of other systems: their state, another try, a page to people on call, a service incident.

And what they decide about Jira: whether a private incident's actions may go there, and who someone is there. A system
of which people ask more has its own `service`.
"""

from dataclasses import replace

from bot.domain.records import System
from bot.domain.secrets import RecordKind, RecordRef
from bot.domain.text import clean_input, require_text
from bot.errors import OutdatedButton, Refused
from bot.integrations import views as integration_views
from bot.integrations.jira import views as jira_views
from bot.integrations.jira.sync import is_agreed, list_work_item_links
from bot.integrations.links import ActionMemo, PagingMemo, SubjectKind, find_link, link_key
from bot.integrations.paging.sync import add_note
from bot.services import secrets as secrets_service
from bot.services.context import Request, Services, require_incident, run_once
from bot.slack.views.blocks import Block, Message
from bot.slack.views.templates import words
from storage import actions as actions_store
from storage import incidents as incidents_store
from storage import links as links_store
from storage.database.statements import Transaction
from storage.links import Link


async def overview(services: Services, request: Request) -> Message:
    """`/incident connections`: the state of each system, with the failures of incidents that the user may see."""
    counts, troubled, channels = await services.store.read(lambda tx: _read_state(tx, request.team))
    seen = await services.visible_channels(request.team, request.user, set(channels.values()), request.place.channel)
    shown = tuple(link for link in troubled if channels.get(link.incident_id) in seen)
    return integration_views.overview(
        services.integrations.names, counts, shown, services.integrations.troubles, request.now
    )


def _read_state(
    tx: Transaction, team: str
) -> tuple[tuple[links_store.LinkCount, ...], tuple[Link, ...], dict[int, str]]:
    """The counts by state, the failing links, and the channel of each incident that these are about."""
    troubled = links_store.list_failing(tx, team)
    found = [incidents_store.find(tx, incident_id) for incident_id in {link.incident_id for link in troubled}]
    channels = {incident.id: incident.channel for incident in found if incident}
    return links_store.count_by_state(tx, team), troubled, channels


async def try_again(services: Services, request: Request, system: str) -> Message | None:
    """[Try again]: everything of a system that failed or waits."""
    if system not in services.integrations.names:
        raise Refused("That system isn't connected anymore.")

    def unit(tx: Transaction) -> Message:
        return integration_views.retry_message(system, links_store.retry_failing(tx, request.team, system, request.now))

    return await run_once(services, request, unit, verb="connections.try_again")


async def page_on_call(services: Services, request: Request, words: str) -> Message | None:
    """`/incident page WORDS`: page the people on call. The timeline says who asked for it, and when."""
    if System.PAGING not in services.integrations.names:
        raise Refused(
            "No page was sent, because paging isn't connected. Page as you usually do, and record it with `/timeline`. "
            "Your admin can connect it with AFTERWORD_JSM_KEY."
        )
    words = " ".join(clean_input(words, "That page").split())

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request, locking=True)
        text = f"Asked to page: {words or incident.title}"
        number = add_note(tx, incident, request.user, text, request.now)
        secrets_service.warn(tx, incident, RecordRef(RecordKind.ENTRY, str(number)), text, request)
        memo = PagingMemo(words or incident.title, request.user, request.now)
        page = link_key(incident, System.PAGING, SubjectKind.PAGE, number)
        links_store.enqueue(tx, page, request.now, memo.to_json())
        return integration_views.paging_message(incident, number)

    return await run_once(services, request, unit, verb="paging.page")


async def open_service_incident(services: Services, request: Request) -> Message | None:
    """`/incident jsm`: open the channel's incident in the service project. Refused if none is connected."""
    if System.SERVICE_MANAGEMENT not in services.integrations.names:
        raise Refused("Jira Service Management isn't connected. Your admin can connect it with AFTERWORD_JSM_PROJECT.")

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request, locking=True)
        issue = System.SERVICE_MANAGEMENT, SubjectKind.SERVICE_INCIDENT
        link = find_link(tx, incident, *issue)
        if link is not None and link.external_id:
            return integration_views.known_service_incident_message(incident, (link.external_id, link.url))
        links_store.enqueue(tx, link_key(incident, *issue), request.now)
        tx.note(incident.id, "incident in Jira Service Management")
        return integration_views.opening_message(incident)

    return await run_once(services, request, unit, verb="jsm.open_there")


REASSIGNED_AT_ONCE = 200
"""Open actions of one person that are assigned again once their account is known. More would hold up the writer."""


async def agree_to_jira(services: Services, request: Request) -> Message | None:
    """[Send actions to Jira]: those that wait, and those that will be added."""

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request, locking=True)
        waiting = list_work_item_links(tx, incident.id)
        if is_agreed(tx, incident.id) or not waiting:
            raise OutdatedButton(words.connections.agreed_already(key=incident.key))
        for link in waiting:
            memo = replace(ActionMemo.from_json(link.memo), is_agreed=True)
            links_store.enqueue_decision(tx, link, memo.to_json(), request.now)
        tx.note(incident.id, "masked actions into Jira")
        return jira_views.consent_message(incident, request.user)

    return await run_once(services, request, unit, verb="jira.agree")


async def jira_account_form(services: Services, request: Request, user: str) -> Block:
    """The form that asks who someone is in Jira."""
    person = await services.slack.directory.look_up(request.team, user)
    return await services.store.read(
        lambda tx: jira_views.account_form(require_incident(tx, request), user, person.name)
    )


async def choose_jira_account(services: Services, request: Request, user: str, account: str) -> Message | None:
    """Store who someone is in Jira, and assign their open actions again."""
    account = require_text(clean_input(account, "That account").strip(), "Enter an email address or an account ID.")

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request)
        links_store.set_account(tx, request.team, System.JIRA, user, account, (request.user, request.now))
        tx.note(incident.id, "account")
        for owed in actions_store.list_open_of(tx, request.team, user, REASSIGNED_AT_ONCE):
            work_item = link_key(owed.incident, System.JIRA, SubjectKind.ACTION, owed.action.number)
            links_store.enqueue_if_known(tx, work_item, request.now)
        return jira_views.account_message(user, account)

    return await run_once(services, request, unit, verb="connections.choose_account")
