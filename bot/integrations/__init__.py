"""The outside systems that Afterword can tell things to. All are optional, and none is ever in the way of recording.

`SYSTEMS` is the one table of them; each client is of the one shape `Connected`.

How another system answered when it was asked how it is.
"""

from dataclasses import dataclass
from typing import Protocol

from bot.integrations.http import IntegrationError


@dataclass(frozen=True, slots=True)
class ClientStatus:
    """`system` is its name, `about` what to show: as whom we are signed in there, and where."""

    system: str
    about: str


__all__ = ["SYSTEMS", "ClientStatus", "IntegrationError", "System", "SystemClient"]


@dataclass(frozen=True, slots=True)
class System:
    """A system: `name` in settings, rows and commands, `title` as people call it, and what it `does` for them."""

    name: str
    title: str
    does: str


SYSTEMS = {
    system.name: system
    for system in (
        System("jira", "Jira", "an action becomes a work item, and is done when that is done"),
        System("confluence", "Confluence", "the postmortem becomes a page, and what people change on it is kept"),
        System("jsm", "Jira Service Management", "an incident opened here is opened and followed there"),
        System("paging", "Paging", "people on call are paged, and a page counts only when it is confirmed"),
        System("statuspage", "Statuspage", "customers are told, word by word as somebody confirmed it"),
    )
}


class SystemClient(Protocol):
    """What every client can do. Its verbs raise IntegrationError."""

    @property
    def name(self) -> str: ...

    async def check(self) -> ClientStatus:
        """How it is there for us; asks once and changes nothing."""
        ...

    async def aclose(self) -> None: ...
