"""Jira Service Management: an incident opened here is opened there, and kept in step.

There it is an issue of the service project, and so goes through Jira. (Its own incidents interface takes none of the
tokens that a server can hold, and makes no incidents.) Paging is in `bot.integrations.paging.client`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.domain.records import Status
from bot.integrations.http import ClientStatus
from bot.integrations.jira.client import JiraClient
from bot.integrations.jira.types import CreatedIssue, FormField, IssueChanges, WorkItem

ISSUE_TYPE = "[System] Incident"


@dataclass(frozen=True, slots=True)
class ServiceProject:
    """How a service project takes incidents.

    `priorities` maps a severity, 1 to 4, to a priority's name; `severities` to a value of the field `severity_field`,
    where the project has one; `responders_field` is a field for several people. Fields are named by their ids.
    """

    key: str
    issue_type: str = ISSUE_TYPE
    priorities: Mapping[int, str] = field(default_factory=dict)
    severity_field: str = ""
    severities: Mapping[int, str] = field(default_factory=dict)
    responders_field: str = ""
    custom: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ServiceIncident:
    """What to open there. `label` belongs to this incident alone; `responders` are account ids; Markdown inside."""

    label: str
    title: str
    description: str
    severity: int | None = None
    responders: tuple[str, ...] = ()


class ServiceDeskClient:
    """A service project in a Jira, which whoever made it closes. Every verb raises IntegrationError."""

    name = "Jira Service Management"

    def __init__(self, jira: JiraClient, project: ServiceProject) -> None:
        self._jira = jira
        self._project = project

    @property
    def names_responders(self) -> bool:
        """Whether the project has a field for those who respond."""
        return bool(self._project.responders_field)

    async def check(self) -> ClientStatus:
        """Who we are there; asks once and changes nothing."""
        return ClientStatus(self.name, f"project {self._project.key}, {(await self._jira.check()).about}")

    async def form(self) -> list[FormField]:
        """The fields of the form for new incidents."""
        return await self._jira.form(self._project.key, self._project.issue_type)

    async def aclose(self) -> None:
        """Let the connections go."""
        await self._jira.aclose()

    async def open(self, incident: ServiceIncident, *, is_repeat: bool) -> CreatedIssue:
        """Open the incident there. `is_repeat`: an earlier attempt may have done it, so look first."""
        item = WorkItem(
            incident.label,
            self._project.key,
            self._project.issue_type,
            incident.title,
            incident.description,
            priority=self._project.priorities.get(incident.severity or 0, ""),
            custom={
                **self._project.custom,
                **self._severity(incident.severity),
                **(self._responders(incident.responders) if incident.responders else {}),
            },
        )
        return await self._jira.create(item, is_repeat=is_repeat)

    async def set_severity(self, key: str, severity: int) -> None:
        """Let the incident there be as grave as here."""
        priority = self._project.priorities.get(severity)
        await self._jira.edit(key, IssueChanges(priority=priority, custom=self._severity(severity)))

    async def set_responders(self, key: str, account_ids: Iterable[str]) -> None:
        """Name the people there who respond here, in the place of those named before."""
        await self._jira.edit(key, IssueChanges(custom=self._responders(account_ids)))

    async def set_title(self, key: str, title: str) -> None:
        """Let the incident there be called as here."""
        await self._jira.edit(key, IssueChanges(summary=title))

    async def set_status(self, key: str, status: Status) -> None:
        """Bring the incident there to where it stands here; there is no step for "mitigated", which is not done."""
        if status is Status.RESOLVED:
            await self._jira.finish(key)
        else:
            await self._jira.reopen(key)

    def _severity(self, severity: int | None) -> dict[str, Any]:
        value = self._project.severities.get(severity or 0)
        return {self._project.severity_field: {"value": value}} if self._project.severity_field and value else {}

    def _responders(self, account_ids: Iterable[str]) -> dict[str, Any]:
        field_id = self._project.responders_field
        return {field_id: [{"accountId": each} for each in dict.fromkeys(account_ids)]} if field_id else {}
