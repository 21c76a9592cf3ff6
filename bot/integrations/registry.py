"""The other systems that the settings connect.

Harmless calls to each other system that the settings connect, for `afterword doctor`.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.records import Component
from bot.domain.reminders import ReminderRules
from bot.errors import Misconfigured
from bot.integrations import SystemClient
from bot.integrations.atlassian import CONFLUENCE, JIRA, AtlassianAccess, TokenKind, scopes_of
from bot.integrations.confluence.client import ConfluenceClient
from bot.integrations.confluence.sync import PageSources, PageSync
from bot.integrations.http import IntegrationError, RetryPolicy
from bot.integrations.jira.client import JiraClient
from bot.integrations.jira.pull import JiraWebhooks
from bot.integrations.jira.push import ActionSync, WorkItemDefaults
from bot.integrations.jira.types import FormField, find_unfilled
from bot.integrations.paging.client import JSM, OPSGENIE, OPSGENIE_EU, PagingClient
from bot.integrations.paging.sync import PagingSync
from bot.integrations.service_management.client import ServiceDeskClient, ServiceProject
from bot.integrations.service_management.sync import IncidentSync
from bot.integrations.statuspage.client import API as STATUSPAGE
from bot.integrations.statuspage.client import StatuspageClient
from bot.integrations.statuspage.sync import CustomerUpdateSync, PostmortemDrafter
from bot.integrations.sync import SyncHandler
from bot.settings import Settings, variable
from bot.slack.errors import CALL_ERRORS, describe_cause, parse_refusal

log = logging.getLogger(__name__)

_NOT_NOW = "Slack does not say just now who has which e-mail address; it is tried again later."


def build_handlers(
    settings: Settings,
    client: AsyncWebClient,
    rules: ReminderRules,
    patience: RetryPolicy,
    drafted: PostmortemDrafter,
    shelf: PageSources,
) -> Mapping[str, SyncHandler]:
    """What follows our things into each connected system. Raises Misconfigured where one is connected by half."""
    found: dict[str, SyncHandler] = {}
    email_of = email_lookup(client)
    if settings.jira_project:
        plan = WorkItemDefaults(settings.jira_project, settings.jira_type, custom=settings.object_of("jira_fields"))
        jira = JiraClient(jira_access(settings), patience)
        found["jira"] = ActionSync(jira, plan, email_of, rules, shelf.places, shelf.rules)
    if settings.confluence_url:
        confluence = confluence_client(settings, patience)
        found["confluence"] = PageSync(confluence, settings.confluence_parent, shelf)
    if settings.jsm_project:
        jira = JiraClient(jira_access(settings), patience)
        found["jsm"] = IncidentSync(
            ServiceDeskClient(jira, service_project(settings)), jira, settings.jsm_project, email_of
        )
    if settings.jsm_key.get_secret_value():
        found["paging"] = PagingSync(paging_client(settings, patience), settings.jsm_team)
    if settings.statuspage_page:
        page = statuspage_client(settings, patience)
        found["statuspage"] = CustomerUpdateSync(page, drafted, settings.statuspage_metadata)
    return found


def jira_webhooks(settings: Settings, followers: Mapping[str, SyncHandler]) -> JiraWebhooks | None:
    """What hears the webhooks of Jira; None where nothing of ours is there."""
    hearers = {name: one for name, one in followers.items() if isinstance(one, ActionSync | IncidentSync)}
    if not hearers:
        return None
    return JiraWebhooks(settings.jira_site, hearers)


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


def confluence_client(settings: Settings, patience: RetryPolicy | None = None) -> ConfluenceClient:
    """The space for postmortems. Raises Misconfigured where its key or the token is missing."""
    if not settings.confluence_space:
        raise Misconfigured("AFTERWORD_CONFLUENCE_URL is set, and AFTERWORD_CONFLUENCE_SPACE is not.")
    url, email, token = settings.confluence_site, settings.confluence_email, settings.confluence_token
    access = _access(settings, "confluence", url, email, token.get_secret_value())
    return ConfluenceClient(access, settings.confluence_space, patience)


def statuspage_client(settings: Settings, patience: RetryPolicy | None = None) -> StatuspageClient:
    """The page for customers. Raises Misconfigured where its key is missing."""
    key = settings.statuspage_key.get_secret_value()
    if not key:
        raise Misconfigured("AFTERWORD_STATUSPAGE_PAGE is set, and AFTERWORD_STATUSPAGE_KEY is not.")
    return StatuspageClient(settings.statuspage_page, key, patience, api=settings.statuspage_url or STATUSPAGE)


def paging_client(settings: Settings, patience: RetryPolicy | None = None) -> PagingClient:
    """The integration that pages."""
    api = settings.jsm_url or {"jsm": JSM, "opsgenie": OPSGENIE, "opsgenie_eu": OPSGENIE_EU}[settings.jsm_alerts]
    return PagingClient(settings.jsm_key.get_secret_value(), api, patience)


def component_source(followers: Mapping[str, SyncHandler]) -> Callable[[], tuple[Component, ...]]:
    """What Statuspage shows customers of the service, as last read; nothing where it is not connected."""
    follower = followers.get("statuspage")
    return follower.components if isinstance(follower, CustomerUpdateSync) else tuple


def jira_access(settings: Settings) -> AtlassianAccess:
    """How Jira is reached. Raises Misconfigured where its token or address is missing."""
    if not settings.jira_url:
        raise Misconfigured("A project of Jira's is named, and AFTERWORD_JIRA_URL is not set.")
    return _access(settings, "jira", settings.jira_site, settings.jira_email, settings.jira_token.get_secret_value())


def _access(settings: Settings, name: str, url: str, email: str, token: str) -> AtlassianAccess:
    if not token:
        raise Misconfigured(f"{variable(f'{name}_url')} is set, and {variable(f'{name}_token')} is not.")
    return AtlassianAccess(url, token, email, TokenKind(settings.jira_kind))


def email_lookup(client: AsyncWebClient) -> Callable[[str], Awaitable[str]]:
    """Asks Slack for e-mail addresses, which needs the scope users:read.email; empty where it does not tell.

    Raises IntegrationError while Slack does not answer: nobody is to be left out for that.
    """
    known: dict[str, str] = {}

    async def email_of(user: str) -> str:
        if user not in known:
            try:
                told = await client.users_info(user=user)
            except CALL_ERRORS as error:
                log.warning("the e-mail address of %s could not be asked (%s)", user, describe_cause(error))
                refusal = parse_refusal(error) if isinstance(error, SlackApiError) else None
                if refusal is None or refusal.is_passing or refusal.is_locked_out:
                    raise IntegrationError("Slack", _NOT_NOW, retry_after=refusal.rest if refusal else None) from error
                return ""
            if not (email := str((told["user"].get("profile") or {}).get("email") or "")):
                return ""  # asked again next time: the scope may have been granted
            known[user] = email
        return known[user]

    return email_of


OPSGENIE_ENDS = "2027-04-05"
"""After Atlassian's announcement."""

Told = tuple[str, bool | None, str]


async def checks(settings: Settings) -> list[Told]:
    """A few harmless calls to each connected system: its name, whether all is well (None: worth knowing), a sentence.

    What only writing would show is told as not checked.
    """
    found: list[Told] = []
    for name, check in _checks(settings).items():
        try:
            found.append((name, True, await check()))
        except (IntegrationError, Misconfigured) as error:
            found.append((name, False, str(error)))
    return found + await _notes(settings, {name for name, ok, _ in found if ok})


async def _notes(settings: Settings, fine: set[str]) -> list[Told]:
    """What is worth knowing of systems that are `fine`, by their names."""
    found: list[Told] = []
    if "Confluence" in fine:
        found.append(("Confluence", None, await _about_rights(settings)))
    if "Jira" in fine and TokenKind(settings.jira_kind) is TokenKind.SCOPED:
        needed = ", ".join(scopes_of(JIRA))
        sentence = f"Not checked, for only writing shows it: whether the token has all of {needed}."
        found.append(("Jira", None, sentence))
    if settings.jsm_key.get_secret_value() and "opsgenie" in f"{settings.jsm_alerts} {settings.jsm_url}".lower():
        sentence = (
            f"Opsgenie ends on {OPSGENIE_ENDS}, and its keys with it: move to Jira Service Management, make an API "
            "integration there, and put its key into AFTERWORD_JSM_KEY and jsm into AFTERWORD_JSM_ALERTS."
        )
        found.append(("Paging", None, sentence))
    return found


async def _about_rights(settings: Settings) -> str:
    """What may be done in the space beyond reading it, as far as reading tells."""
    confluence = confluence_client(settings)
    try:
        missing = await confluence.missing_rights()
    except IntegrationError as error:
        return f"What the account may do in the space could not be asked: {error}"
    finally:
        await confluence.aclose()
    unknown = ["labels", "what is kept at a page (properties)"]
    if missing is None:
        unknown = ["pages", "attachments", *unknown]
    sentences = [f"The space does not list the right to create {' and '.join(missing)} for it."] if missing else []
    sentences.append(f"Not checked, for only writing shows it: whether it may write {', '.join(unknown)}.")
    if TokenKind(settings.jira_kind) is TokenKind.SCOPED:
        sentences.append(f"The token needs all of {', '.join(scopes_of(CONFLUENCE))}.")
    return " ".join(sentences)


def _checks(settings: Settings) -> dict[str, Callable[[], Awaitable[str]]]:
    found: dict[str, Callable[[], Awaitable[str]]] = {}
    if settings.jira_url or settings.jira_project:
        found["Jira"] = lambda: _check_jira(settings)
    if settings.jsm_project:
        found["Jira Service Management"] = lambda: _check_service_project(settings)
    if settings.confluence_url:
        found["Confluence"] = lambda: _check_confluence(settings)
    if settings.jsm_key.get_secret_value():
        found["Paging"] = lambda: _about(paging_client(settings))
    if settings.statuspage_page:
        found["Statuspage"] = lambda: _about(statuspage_client(settings))
    return found


async def _about(system: SystemClient) -> str:
    try:
        about = (await system.check()).about
        return f"{about[0].upper()}{about[1:]}."
    finally:
        await system.aclose()


async def _check_confluence(settings: Settings) -> str:
    confluence = confluence_client(settings)
    try:
        about = (await confluence.check()).about
        if not settings.confluence_parent:
            return f"{about[0].upper()}{about[1:]}."
        parent = await confluence.read(settings.confluence_parent)
    finally:
        await confluence.aclose()
    if parent is None:
        raise Misconfigured(
            f"AFTERWORD_CONFLUENCE_PARENT: there is no page {settings.confluence_parent} that the account may see. "
            "Copy the number in the page's address, or set none."
        )
    return f"{about[0].upper()}{about[1:]}, below “{parent.title}”."


async def _check_jira(settings: Settings) -> str:
    jira = JiraClient(jira_access(settings))
    try:
        about = (await jira.check()).about
        if settings.jira_project:
            form = await jira.form(settings.jira_project, settings.jira_type)
            given = settings.object_of("jira_fields")
            _require_filled(form, given, settings.jira_project, settings.jira_type, "AFTERWORD_JIRA_FIELDS")
        return f"{about[0].upper()}{about[1:]}."
    finally:
        await jira.aclose()


async def _check_service_project(settings: Settings) -> str:
    desk = ServiceDeskClient(JiraClient(jira_access(settings)), service_project(settings))
    try:
        about, form = (await desk.check()).about, await desk.form()
    finally:
        await desk.aclose()
    shown, project = {field.id for field in form}, settings.jsm_project
    given = {"priority", settings.jsm_responders, *settings.object_of("jsm_fields")}
    _require_filled(form, given, project, settings.jsm_type, "AFTERWORD_JSM_FIELDS")
    if settings.object_of("jsm_priorities") and "priority" not in shown:
        raise Misconfigured(f"The form of {project} has no priority: add it, or set AFTERWORD_JSM_PRIORITIES to {{}}.")
    if settings.jsm_responders and settings.jsm_responders not in shown:
        raise Misconfigured(f"{settings.jsm_responders} of AFTERWORD_JSM_RESPONDERS is not on the form of {project}.")
    return f"{about[0].upper()}{about[1:]}. {_about_responders(form, settings.jsm_responders)}".strip()


def _about_responders(form: list[FormField], chosen: str) -> str:
    """That nobody is named there, and what to do about it; nothing where a field is chosen."""
    if chosen:
        return ""
    fit = ", ".join(f"{field.id} ({field.name})" for field in form if field.takes_people)
    fields = f"such as {fit}" if fit else "which its form has none of yet"
    return (
        "Responders are not named there: Jira's own list of them takes no token that a server can hold. "
        f"AFTERWORD_JSM_RESPONDERS may name a field for several people, {fields}."
    )


def _require_filled(form: list[FormField], given: Iterable[str], project: str, kind: str, setting: str) -> None:
    if wanted := find_unfilled(form, given):
        named = ", ".join(f"{field.name} ({field.id})" for field in wanted)
        raise Misconfigured(f"{project} demands {named} of a {kind}: give them in {setting}, or make them optional.")
