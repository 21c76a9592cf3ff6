"""Jira Service Management: an incident as an issue of a service project.

It is written through Jira, because the product's own interface for incidents accepts no token that a server can hold,
and creates no incidents. Paging is in `bot.integrations.paging.client`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.domain.records import Status
from bot.integrations.jira.client import CreatedIssue, FormField, IssueChanges, JiraClient, WorkItem

ISSUE_TYPE = "[System] Incident"


@dataclass(frozen=True, slots=True)
class ServiceProject:
    """How incidents are written to a service project.

    `priorities` maps a severity, 1 to 4, to a priority's name. `responders_field` is the id of a field for several
    people, or empty (decision 43). `custom` maps field ids to values in Jira's form.
    """

    key: str
    issue_type: str = ISSUE_TYPE
    priorities: Mapping[int, str] = field(default_factory=dict)
    responders_field: str = ""
    custom: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ServiceIncident:
    """An incident to open. It is found again by its `label`, which nothing else has. `description` is Markdown."""

    label: str
    title: str
    description: str
    severity: int | None = None


class ServiceDeskClient:
    """A service project of a Jira. Methods raise IntegrationError. Close it with `aclose`, or close its `jira`."""

    name = "Jira Service Management"

    def __init__(self, jira: JiraClient, project: ServiceProject) -> None:
        self._jira = jira
        self._project = project

    @property
    def names_responders(self) -> bool:
        """Whether the project has a field for responders."""
        return bool(self._project.responders_field)

    async def check(self) -> str:
        """Which project and account we use, by a call that changes nothing."""
        return f"project {self._project.key}, {await self._jira.check()}"

    async def form(self) -> list[FormField]:
        """The fields of the form for new incidents."""
        return await self._jira.form(self._project.key, self._project.issue_type)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._jira.aclose()

    async def open(self, incident: ServiceIncident, *, is_repeat: bool) -> CreatedIssue:
        """Create the issue. `is_repeat`: an earlier attempt may have done it, so look first."""
        item = WorkItem(
            incident.label,
            self._project.key,
            self._project.issue_type,
            incident.title,
            incident.description,
            priority=self._project.priorities.get(incident.severity or 0, ""),
            custom=self._project.custom,
        )
        return await self._jira.create(item, is_repeat=is_repeat)

    async def set_severity(self, key: str, severity: int) -> None:
        """Set the priority that belongs to a severity; without one, people's priority stays."""
        await self._jira.edit(key, IssueChanges(priority=self._project.priorities.get(severity)))

    async def set_responders(self, key: str, account_ids: Iterable[str]) -> None:
        """Set the responders, in place of those set before. Nothing happens if the project has no field for them."""
        people = [{"accountId": each} for each in dict.fromkeys(account_ids)]
        if self.names_responders:
            await self._jira.edit(key, IssueChanges(custom={self._project.responders_field: people}))

    async def set_title(self, key: str, title: str) -> None:
        """Set the issue's summary."""
        await self._jira.edit(key, IssueChanges(summary=title))

    async def set_status(self, key: str, status: Status) -> None:
        """Finish the issue of a resolved incident, reopen any other. A mitigated incident is not done there."""
        if status is Status.RESOLVED:
            await self._jira.finish(key)
        else:
            await self._jira.reopen(key)
