"""Jira, built from the settings."""

from collections.abc import Iterable, Mapping
from typing import ClassVar

from bot.domain.records import System
from bot.errors import Misconfigured
from bot.integrations import CheckedSystem, Integration, SyncDependencies, as_sentence
from bot.integrations.atlassian import JIRA, AtlassianAccess, TokenKind, scopes_of
from bot.integrations.http import RetryPolicy
from bot.integrations.jira.client import FormField, JiraClient, find_unfilled
from bot.integrations.jira.remote_changes import IssueSync, JiraWebhooks
from bot.integrations.jira.sync import ActionSync, WorkItemDefaults
from bot.integrations.sync import SyncHandler
from bot.settings import Settings


def require_filled(form: list[FormField], filled_ids: Iterable[str], project: str, kind: str, setting: str) -> None:
    """Raise Misconfigured if a project's form demands a field that neither we nor `setting` fill in."""
    if wanted := find_unfilled(form, filled_ids):
        named = ", ".join(f"{field.name} ({field.id})" for field in wanted)
        raise Misconfigured(
            f"{project} requires {named} for a {kind}. Give them values in {setting}, or make them optional."
        )


def build_jira_client(settings: Settings, retry: RetryPolicy | None = None) -> JiraClient:
    """The client of Jira, which Jira Service Management uses, too. Raises Misconfigured."""
    if not settings.jira_url:
        raise Misconfigured("A Jira project is set, but AFTERWORD_JIRA_URL isn't.")
    token = settings.jira_token.get_secret_value()
    if not token:
        raise Misconfigured("AFTERWORD_JIRA_URL is set, but AFTERWORD_JIRA_TOKEN isn't.")
    access = AtlassianAccess(settings.jira_site, token, settings.jira_email, TokenKind(settings.jira_kind))
    return JiraClient(access, retry)


class JiraIntegration(Integration):
    """An action becomes a work item, and is done when the work item is done."""

    system: ClassVar[System] = System.JIRA

    def is_connected(self, settings: Settings) -> bool:
        return bool(settings.jira_project)

    def is_checked(self, settings: Settings) -> bool:
        return bool(settings.jira_url or settings.jira_project)

    def build_client(self, settings: Settings, retry: RetryPolicy | None = None) -> JiraClient:
        return build_jira_client(settings, retry)

    def build_sync(self, settings: Settings, needs: SyncDependencies) -> ActionSync:
        custom = settings.object_of("jira_fields")
        defaults = WorkItemDefaults(settings.jira_project, settings.jira_type, custom=custom)
        jira = self.build_client(settings, needs.retry)
        return ActionSync(jira, defaults, needs.find_email, needs.reminders, needs.channels, needs.mask)

    async def check(self, settings: Settings) -> str:
        jira = self.build_client(settings)
        try:
            about = await jira.check()
            if settings.jira_project:
                form = await jira.form(settings.jira_project, settings.jira_type)
                fields = settings.object_of("jira_fields")
                require_filled(form, fields, settings.jira_project, settings.jira_type, "AFTERWORD_JIRA_FIELDS")
            return as_sentence(about)
        finally:
            await jira.aclose()

    async def list_notes(self, settings: Settings, *, is_well: bool) -> list[str]:
        if not is_well or TokenKind(settings.jira_kind) is not TokenKind.SCOPED:
            return []
        needed = ", ".join(scopes_of(JIRA))
        return [f"Only writing shows whether the token has all of {needed}."]

    def check_webhook(self, settings: Settings) -> CheckedSystem:
        name = "hook jira"
        if not settings.jira_secret.get_secret_value():
            sentence = (
                "Off: set AFTERWORD_JIRA_SECRET to turn on /hooks/jira. Until then, I check Jira every two minutes."
            )
            return CheckedSystem(name, ok=None, sentence=sentence)
        if not (settings.jira_project or settings.jsm_project):
            sentence = "Off: nothing goes to Jira. Set AFTERWORD_JIRA_PROJECT or AFTERWORD_JSM_PROJECT too."
            return CheckedSystem(name, ok=False, sentence=sentence)
        where = f"http://{settings.host}:{settings.port}/hooks/jira"
        return CheckedSystem(
            name, ok=True, sentence=f"On: point Jira's webhook at {where}, or at the proxy in front of it."
        )

    def build_webhook(self, settings: Settings, handlers: Mapping[str, SyncHandler]) -> JiraWebhooks | None:
        secret = settings.jira_secret.get_secret_value()
        followed = {name: handler for name, handler in handlers.items() if isinstance(handler, IssueSync)}
        return JiraWebhooks(settings.jira_site, followed, secret) if secret and followed else None
