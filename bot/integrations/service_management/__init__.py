"""Jira Service Management, built from the settings. It is reached with Jira's address and token."""

from typing import ClassVar

from bot.domain.records import System
from bot.errors import Misconfigured
from bot.integrations import Integration, SyncDependencies, as_sentence
from bot.integrations.http import RetryPolicy
from bot.integrations.jira import build_jira_client, require_filled
from bot.integrations.jira.client import FormField
from bot.integrations.service_management.client import ServiceDeskClient, ServiceProject
from bot.integrations.service_management.sync import IncidentSync
from bot.settings import Settings


def service_project(settings: Settings) -> ServiceProject:
    """How incidents are written to the service project, from the settings."""
    priorities = {int(severity): name for severity, name in settings.object_of("jsm_priorities").items()}
    return ServiceProject(
        settings.jsm_project,
        settings.jsm_type,
        priorities,
        responders_field=settings.jsm_responders,
        custom=settings.object_of("jsm_fields"),
    )


class ServiceManagementIntegration(Integration):
    """An incident that people open here is opened in a service project, and kept in sync."""

    system: ClassVar[System] = System.SERVICE_MANAGEMENT

    def is_connected(self, settings: Settings) -> bool:
        return bool(settings.jsm_project)

    def build_client(self, settings: Settings, retry: RetryPolicy | None = None) -> ServiceDeskClient:
        return ServiceDeskClient(build_jira_client(settings, retry), service_project(settings))

    def build_sync(self, settings: Settings, needs: SyncDependencies) -> IncidentSync:
        jira = build_jira_client(settings, needs.retry)
        desk = ServiceDeskClient(jira, service_project(settings))
        return IncidentSync(desk, jira, settings.jsm_project, needs.find_email)

    async def check(self, settings: Settings) -> str:
        desk = self.build_client(settings)
        try:
            about, form = await desk.check(), await desk.form()
        finally:
            await desk.aclose()
        shown, project = {field.id for field in form}, settings.jsm_project
        filled_ids = {"priority", settings.jsm_responders, *settings.object_of("jsm_fields")}
        require_filled(form, filled_ids, project, settings.jsm_type, "AFTERWORD_JSM_FIELDS")
        if settings.object_of("jsm_priorities") and "priority" not in shown:
            raise Misconfigured(
                f"The form of {project} has no priority. Add it, or set AFTERWORD_JSM_PRIORITIES to {{}}."
            )
        if settings.jsm_responders and settings.jsm_responders not in shown:
            raise Misconfigured(
                f"The field {settings.jsm_responders} in AFTERWORD_JSM_RESPONDERS isn't on the form of {project}."
            )
        return f"{as_sentence(about)} {_about_responders(form, settings.jsm_responders)}".strip()


def _about_responders(form: list[FormField], chosen: str) -> str:
    """Why the issues name no responders, and how they could (decision 43); empty if a field is chosen."""
    if chosen:
        return ""
    fit = ", ".join(f"{field.id} ({field.name})" for field in form if field.takes_people)
    fields = f"such as {fit}" if fit else "but its form doesn't have one yet"
    return (
        "Responders aren't listed there, because Jira doesn't let servers change its own list. "
        f"Set AFTERWORD_JSM_RESPONDERS to a field for several people, {fields}."
    )
