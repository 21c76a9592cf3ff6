"""The other systems that the settings connect."""

import logging
from collections.abc import Awaitable, Callable, Mapping

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import Misconfigured
from bot.incident.reminders import ReminderRules
from bot.publish.atlassian import Access, Kind
from bot.publish.calls import Patience
from bot.publish.confluence import Confluence
from bot.publish.failures import PublishError
from bot.publish.jira import Jira
from bot.publish.jira_dialects import Cloud, DataCenter
from bot.publish.jsm import ServiceDesk, ServiceProject
from bot.publish.paging import JSM, OPSGENIE, OPSGENIE_EU, Paging
from bot.publish.statuspage import API as STATUSPAGE
from bot.publish.statuspage import Component, Statuspage
from bot.scribe.confluence_pages import PostmortemPages, Shelf
from bot.scribe.followers import Follower
from bot.scribe.jira import ActionsInJira
from bot.scribe.jira_hooks import JiraEars
from bot.scribe.jira_items import Plan
from bot.scribe.jsm import IncidentsInJsm
from bot.scribe.paging import Pages
from bot.scribe.statuspage import CustomerUpdates, Drafted
from bot.settings import Settings, variable
from bot.slack.failures import TROUBLE, cause_of, refusal_in

log = logging.getLogger(__name__)

_NOT_NOW = "Slack does not say just now who has which e-mail address; it is tried again later."


def followers(
    settings: Settings,
    client: AsyncWebClient,
    rules: ReminderRules,
    patience: Patience,
    drafted: Drafted,
    shelf: Shelf,
) -> Mapping[str, Follower]:
    """What follows our things into each connected system. Raises Misconfigured where one is connected by half."""
    found: dict[str, Follower] = {}
    email_of = emails(client)
    if settings.jira_project:
        plan = Plan(settings.jira_project, settings.jira_type, custom=settings.object_of("jira_fields"))
        jira = Jira(jira_access(settings), patience)
        found["jira"] = ActionsInJira(jira, plan, email_of, rules, shelf.places, shelf.rules)
    if settings.confluence_url:
        confluence = confluence_client(settings, patience)
        found["confluence"] = PostmortemPages(confluence, settings.confluence_parent, shelf)
    if settings.jsm_project:
        jira = Jira(jira_access(settings), patience)
        found["jsm"] = IncidentsInJsm(
            ServiceDesk(jira, service_project(settings)), jira, settings.jsm_project, email_of
        )
    if settings.jsm_key.get_secret_value():
        found["paging"] = Pages(paging_client(settings, patience), settings.jsm_team)
    if settings.statuspage_page:
        page = statuspage_client(settings, patience)
        found["statuspage"] = CustomerUpdates(page, drafted, settings.statuspage_metadata)
    return found


def jira_ears(settings: Settings, followers: Mapping[str, Follower]) -> JiraEars | None:
    """What hears the webhooks of Jira; None where nothing of ours is there."""
    hearers = {name: one for name, one in followers.items() if isinstance(one, ActionsInJira | IncidentsInJsm)}
    if not hearers:
        return None
    dialect = DataCenter() if Kind(settings.jira_kind) is Kind.DATA_CENTER else Cloud()
    return JiraEars(dialect, settings.jira_site, hearers)


def service_project(settings: Settings) -> ServiceProject:
    """How the service project takes incidents."""
    priorities = {int(severity): name for severity, name in settings.object_of("jsm_priorities").items()}
    return ServiceProject(
        settings.jsm_project,
        settings.jsm_type,
        priorities,
        responders_field=settings.jsm_responders,
        custom=settings.object_of("jsm_fields"),
    )


def confluence_client(settings: Settings, patience: Patience | None = None) -> Confluence:
    """The space for postmortems. Raises Misconfigured where its key or the token is missing."""
    if not settings.confluence_space:
        raise Misconfigured("AFTERWORD_CONFLUENCE_URL is set, and AFTERWORD_CONFLUENCE_SPACE is not.")
    url, email, token = settings.confluence_site, settings.confluence_email, settings.confluence_token
    access = _access(settings, "confluence", url, email, token.get_secret_value())
    return Confluence(access, settings.confluence_space, patience)


def statuspage_client(settings: Settings, patience: Patience | None = None) -> Statuspage:
    """The page for customers. Raises Misconfigured where its key is missing."""
    key = settings.statuspage_key.get_secret_value()
    if not key:
        raise Misconfigured("AFTERWORD_STATUSPAGE_PAGE is set, and AFTERWORD_STATUSPAGE_KEY is not.")
    return Statuspage(settings.statuspage_page, key, patience, api=settings.statuspage_url or STATUSPAGE)


def paging_client(settings: Settings, patience: Patience | None = None) -> Paging:
    """The integration that pages."""
    api = settings.jsm_url or {"jsm": JSM, "opsgenie": OPSGENIE, "opsgenie_eu": OPSGENIE_EU}[settings.jsm_alerts]
    return Paging(settings.jsm_key.get_secret_value(), api, patience)


def components(followers: Mapping[str, Follower]) -> Callable[[], tuple[Component, ...]]:
    """What Statuspage shows customers of the service, as last read; nothing where it is not connected."""
    follower = followers.get("statuspage")
    return follower.components if isinstance(follower, CustomerUpdates) else tuple


def jira_access(settings: Settings) -> Access:
    """How Jira is reached. Raises Misconfigured where its token or address is missing."""
    if not settings.jira_url:
        raise Misconfigured("A project of Jira's is named, and AFTERWORD_JIRA_URL is not set.")
    return _access(settings, "jira", settings.jira_site, settings.jira_email, settings.jira_token.get_secret_value())


def _access(settings: Settings, name: str, url: str, email: str, token: str) -> Access:
    if not token:
        raise Misconfigured(f"{variable(f'{name}_url')} is set, and {variable(f'{name}_token')} is not.")
    return Access(url, token, email, Kind(settings.jira_kind))


def emails(client: AsyncWebClient) -> Callable[[str], Awaitable[str]]:
    """Asks Slack for e-mail addresses, which needs the scope users:read.email; empty where it does not tell.

    Raises PublishError while Slack does not answer: nobody is to be left out for that.
    """
    known: dict[str, str] = {}

    async def email_of(user: str) -> str:
        if user not in known:
            try:
                told = await client.users_info(user=user)
            except TROUBLE as error:
                log.warning("the e-mail address of %s could not be asked (%s)", user, cause_of(error))
                refusal = refusal_in(error) if isinstance(error, SlackApiError) else None
                if refusal is None or refusal.is_passing or refusal.is_locked_out:
                    raise PublishError("Slack", _NOT_NOW, retry_after=refusal.rest if refusal else None) from error
                return ""
            if not (email := str((told["user"].get("profile") or {}).get("email") or "")):
                return ""  # asked again next time: the scope may have been granted
            known[user] = email
        return known[user]

    return email_of
