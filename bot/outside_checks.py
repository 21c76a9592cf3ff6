"""Harmless calls to each other system that the settings connect, for `afterword doctor`."""

from collections.abc import Awaitable, Callable, Iterable

from bot import outside
from bot.errors import Misconfigured
from bot.publish import Connected
from bot.publish.atlassian import Kind
from bot.publish.failures import PublishError
from bot.publish.jira import Jira
from bot.publish.jira_records import Field, unfilled
from bot.publish.jsm import ServiceDesk
from bot.publish.scopes import CONFLUENCE, JIRA, scopes_of
from bot.settings import Settings

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
        except (PublishError, Misconfigured) as error:
            found.append((name, False, str(error)))
    return found + await _notes(settings, {name for name, ok, _ in found if ok})


async def _notes(settings: Settings, fine: set[str]) -> list[Told]:
    """What is worth knowing of systems that are `fine`, by their names."""
    found: list[Told] = []
    if "Confluence" in fine:
        found.append(("Confluence", None, await _about_rights(settings)))
    if "Jira" in fine and Kind(settings.jira_kind) is Kind.SCOPED:
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
    confluence = outside.confluence_client(settings)
    try:
        missing = await confluence.missing_rights()
    except PublishError as error:
        return f"What the account may do in the space could not be asked: {error}"
    finally:
        await confluence.aclose()
    unknown = ["labels", "what is kept at a page (properties)"]
    if missing is None:
        unknown = ["pages", "attachments", *unknown]
    sentences = [f"The space does not list the right to create {' and '.join(missing)} for it."] if missing else []
    sentences.append(f"Not checked, for only writing shows it: whether it may write {', '.join(unknown)}.")
    if Kind(settings.jira_kind) is Kind.SCOPED:
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
        found["Paging"] = lambda: _about(outside.paging_client(settings))
    if settings.statuspage_page:
        found["Statuspage"] = lambda: _about(outside.statuspage_client(settings))
    return found


async def _about(system: Connected) -> str:
    try:
        about = (await system.check()).about
        return f"{about[0].upper()}{about[1:]}."
    finally:
        await system.aclose()


async def _check_confluence(settings: Settings) -> str:
    confluence = outside.confluence_client(settings)
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
    jira = Jira(outside.jira_access(settings))
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
    desk = ServiceDesk(Jira(outside.jira_access(settings)), outside.service_project(settings))
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


def _about_responders(form: list[Field], chosen: str) -> str:
    """That nobody is named there, and what to do about it; nothing where a field is chosen."""
    if chosen:
        return ""
    fit = ", ".join(f"{field.id} ({field.name})" for field in form if field.takes_people)
    fields = f"such as {fit}" if fit else "which its form has none of yet"
    return (
        "Responders are not named there: Jira's own list of them takes no token that a server can hold. "
        f"AFTERWORD_JSM_RESPONDERS may name a field for several people, {fields}."
    )


def _require_filled(form: list[Field], given: Iterable[str], project: str, kind: str, setting: str) -> None:
    if wanted := unfilled(form, given):
        named = ", ".join(f"{field.name} ({field.id})" for field in wanted)
        raise Misconfigured(f"{project} demands {named} of a {kind}: give them in {setting}, or make them optional.")
