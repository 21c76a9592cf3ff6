"""What people decide about Jira: whether a private incident's actions may go there, and who someone is there."""

from dataclasses import replace

from bot.domain.records import System
from bot.domain.text import clean_input, require_text
from bot.errors import OutdatedButton
from bot.integrations.jira import views as jira_views
from bot.integrations.jira.sync import is_agreed, list_work_item_links
from bot.integrations.links import ActionMemo, SubjectKind, link_key
from bot.services.context import Request, Services, require_incident, run_once
from bot.slack.views.blocks import Block, Message
from bot.slack.views.templates import words
from storage import actions as actions_store
from storage import links as links_store
from storage.database.statements import Transaction

REASSIGNED_AT_ONCE = 200
"""Open actions of one person that are assigned again once their account is known. More would hold up the writer."""


async def agree(services: Services, request: Request) -> Message | None:
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


async def account_form(services: Services, request: Request, user: str) -> Block:
    """The form that asks who someone is in Jira."""
    person = await services.slack.directory.look_up(request.team, user)
    return await services.store.read(
        lambda tx: jira_views.account_form(require_incident(tx, request), user, person.name)
    )


async def choose_account(services: Services, request: Request, user: str, account: str) -> Message | None:
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
