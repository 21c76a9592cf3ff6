"""The names of the systems that Afterword connects to."""

from enum import StrEnum


class System(StrEnum):
    """A system by the name that it has in settings, rows and commands. These words are stored and never change."""

    JIRA = "jira"
    CONFLUENCE = "confluence"
    SERVICE_MANAGEMENT = "jsm"
    PAGING = "paging"
    STATUSPAGE = "statuspage"

    @property
    def display_name(self) -> str:
        """What people call it."""
        return _TITLES[self]


_TITLES = {
    System.JIRA: "Jira",
    System.CONFLUENCE: "Confluence",
    System.SERVICE_MANAGEMENT: "Jira Service Management",
    System.PAGING: "Paging",
    System.STATUSPAGE: "Statuspage",
}


def title_of(system: str) -> str:
    """What people call a system, by its stored name. Raises ValueError if there is none of that name."""
    return System(system).display_name
