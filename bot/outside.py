"""The other systems that the settings connect."""

import logging
from collections.abc import Awaitable, Callable, Mapping

from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import Misconfigured
from bot.incident.reminders import ReminderRules
from bot.publish.atlassian import Access, Kind
from bot.publish.failures import PublishError
from bot.publish.jira import Jira
from bot.scribe.errands import Follower
from bot.scribe.jira import ActionsInJira, Plan
from bot.settings import Settings, variable

log = logging.getLogger(__name__)


def followers(settings: Settings, client: AsyncWebClient, rules: ReminderRules) -> Mapping[str, Follower]:
    """What follows our things into each connected system. Raises Misconfigured where one is connected by half."""
    found: dict[str, Follower] = {}
    if settings.jira_url and settings.jira_project:
        plan = Plan(settings.jira_project, settings.jira_type, custom=settings.jira_custom)
        found["jira"] = ActionsInJira(Jira(jira_access(settings)), plan, emails(client), rules)
    elif settings.jira_url and not settings.jsm_project:
        raise Misconfigured("AFTERWORD_JIRA_URL is set, and AFTERWORD_JIRA_PROJECT is not: name the project's key.")
    return found


def jira_access(settings: Settings) -> Access:
    """How Jira is reached. Raises Misconfigured where its token or address is missing."""
    return _access(settings, "jira", settings.jira_url, settings.jira_email, settings.jira_token.get_secret_value())


def _access(settings: Settings, name: str, url: str, email: str, token: str) -> Access:
    if not token:
        raise Misconfigured(f"{variable(f'{name}_url')} is set, and {variable(f'{name}_token')} is not.")
    return Access(url, token, email, Kind(settings.jira_kind))


async def checks(settings: Settings) -> list[tuple[str, bool, str]]:
    """One harmless call to each connected system: its name, whether all is well, and a sentence."""
    found = []
    for name, check in _checks(settings).items():
        try:
            found.append((name, True, await check()))
        except (PublishError, Misconfigured) as error:
            found.append((name, False, str(error)))
    return found


def _checks(settings: Settings) -> dict[str, Callable[[], Awaitable[str]]]:
    found: dict[str, Callable[[], Awaitable[str]]] = {}
    if settings.jira_url:
        found["Jira"] = lambda: _check_jira(settings)
    return found


async def _check_jira(settings: Settings) -> str:
    jira = Jira(jira_access(settings))
    try:
        standing = await jira.check()
        if settings.jira_project:
            unfilled = await jira.unfilled(settings.jira_project, settings.jira_type, settings.jira_custom)
            if unfilled:
                named = ", ".join(f"{field.name} ({field.id})" for field in unfilled)
                raise Misconfigured(
                    f"{settings.jira_project} demands {named} of a {settings.jira_type}: give them in "
                    "AFTERWORD_JIRA_FIELDS, or make them optional."
                )
        return f"{standing.about[0].upper()}{standing.about[1:]}."
    finally:
        await jira.aclose()


def emails(client: AsyncWebClient) -> Callable[[str], Awaitable[str]]:
    """Asks Slack for e-mail addresses, which needs the scope users:read.email; empty where it does not tell."""
    known: dict[str, str] = {}

    async def email_of(user: str) -> str:
        if user not in known:
            try:
                told = await client.users_info(user=user)
            except (SlackClientError, OSError, TimeoutError) as error:
                log.warning("the e-mail address of %s could not be asked (%s)", user, type(error).__name__)
                return ""
            known[user] = str((told["user"].get("profile") or {}).get("email") or "")
        return known[user]

    return email_of
