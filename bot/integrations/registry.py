"""The table of integrations, and what is built from those that the settings connect."""

import logging
from collections.abc import Awaitable, Callable, Mapping

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.records import Component, System
from bot.errors import Misconfigured
from bot.integrations import CheckedSystem, Integration, SyncDependencies, Webhook
from bot.integrations.confluence import ConfluenceIntegration
from bot.integrations.confluence.service import PageBlocks
from bot.integrations.http import IntegrationError
from bot.integrations.jira import JiraIntegration
from bot.integrations.paging import PagingIntegration
from bot.integrations.service_management import ServiceManagementIntegration
from bot.integrations.statuspage import StatuspageIntegration
from bot.integrations.statuspage.sync import CustomerUpdateSync
from bot.integrations.sync import SyncHandler
from bot.services.context import NoPage, PostmortemPage
from bot.settings import Settings
from bot.slack.errors import CALL_ERRORS, describe_cause, parse_refusal

log = logging.getLogger(__name__)

INTEGRATIONS: Mapping[System, Integration] = {
    each.system: each
    for each in (
        JiraIntegration(),
        ConfluenceIntegration(),
        ServiceManagementIntegration(),
        PagingIntegration(),
        StatuspageIntegration(),
    )
}
"""In the order in which people see them."""

_NOT_NOW = "Slack isn't giving me email addresses right now. I'll try again later."


def build_handlers(settings: Settings, needs: SyncDependencies) -> Mapping[str, SyncHandler]:
    """The sync handlers of the connected systems. Raises Misconfigured if one is connected only in part."""
    return {
        system.value: integration.build_sync(settings, needs)
        for system, integration in INTEGRATIONS.items()
        if integration.is_connected(settings)
    }


def build_webhooks(settings: Settings, handlers: Mapping[str, SyncHandler]) -> list[Webhook]:
    """The webhooks that are on."""
    found = (integration.build_webhook(settings, handlers) for integration in INTEGRATIONS.values())
    return [webhook for webhook in found if webhook is not None]


def component_source(handlers: Mapping[str, SyncHandler]) -> Callable[[], tuple[Component, ...]]:
    """What returns the components of the status page, as last polled; nothing if none is connected."""
    handler = handlers.get(System.STATUSPAGE)
    return handler.components if isinstance(handler, CustomerUpdateSync) else tuple


def postmortem_page(handlers: Mapping[str, SyncHandler]) -> PostmortemPage:
    """What other messages show of a postmortem's page; nothing if no system holds such pages."""
    return PageBlocks() if System.CONFLUENCE in handlers else NoPage()


async def check_systems(settings: Settings) -> list[CheckedSystem]:
    """A few harmless calls to each connected system, for `afterword doctor`: what is well or not, then notes."""
    checked: list[CheckedSystem] = []
    notes: list[CheckedSystem] = []
    for system, integration in INTEGRATIONS.items():
        if not integration.is_checked(settings):
            continue
        name = system.display_name
        try:
            result = CheckedSystem(name, ok=True, sentence=await integration.check(settings))
        except (IntegrationError, Misconfigured) as error:
            result = CheckedSystem(name, ok=False, sentence=str(error))
        checked.append(result)
        sentences = await integration.list_notes(settings, is_well=bool(result.ok))
        notes += [CheckedSystem(name, ok=None, sentence=sentence) for sentence in sentences]
    return checked + notes


def check_webhooks(settings: Settings) -> list[CheckedSystem]:
    """For each webhook whether it is on, and what it lacks."""
    found = (integration.check_webhook(settings) for integration in INTEGRATIONS.values())
    return [checked for checked in found if checked is not None]


def email_lookup(client: AsyncWebClient) -> Callable[[str], Awaitable[str]]:
    """What finds the e-mail address of a Slack user (scope `users:read.email`); empty if Slack hides it.

    Raises IntegrationError while Slack does not answer: then the sync waits, so that no owner is left out.
    """
    known: dict[str, str] = {}

    async def find_email(user: str) -> str:
        if user not in known:
            try:
                answer = await client.users_info(user=user)
            except CALL_ERRORS as error:
                log.warning(
                    "Slack didn't give the email address of %(user)s (%(cause)s), so other systems can't match them.",
                    {"event": "email_unread", "user": user, "cause": describe_cause(error)},
                )
                refusal = parse_refusal(error) if isinstance(error, SlackApiError) else None
                if refusal is None or refusal.is_passing or refusal.is_locked_out:
                    retry_after = refusal.rest if refusal else None
                    raise IntegrationError("Slack", _NOT_NOW, retry_after=retry_after) from error
                return ""
            if not (email := str((answer["user"].get("profile") or {}).get("email") or "")):
                return ""  # not remembered: the scope may be granted later
            known[user] = email
        return known[user]

    return find_email
