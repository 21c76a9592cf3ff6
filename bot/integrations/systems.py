"""The systems that Afterword connects to, and the subjects of links: which thing of an incident a link is about.

A subject is stored text, `INC-7 action 3`, that people also read in `/incident connections`. Python writes and reads it
only here. (`storage/links.py` joins actions by the same text in SQL; `bot/services/context.py` writes what a
transaction noted behind the incident's key.)
"""

import re
from enum import StrEnum

from bot.domain.records import Incident


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


class SubjectKind(StrEnum):
    """What follows the incident's key in a subject. Those that end in a space, or in `#`, are followed by a number."""

    ACTION = "action "
    SERVICE_INCIDENT = "incident"
    POSTMORTEM = "postmortem"
    PUBLIC_INCIDENT = "customers"
    CUSTOMER_UPDATE = "customer update #"
    CUSTOMER_POSTMORTEM = "postmortem for customers"
    METADATA = "way back from Statuspage"
    PAGE = "page of #"


_SUBJECT = re.compile(rf"\S+ ({'|'.join(re.escape(kind) for kind in SubjectKind)})([0-9]*)")


def subject_of(incident: Incident, kind: SubjectKind, number: int | None = None) -> str:
    """`INC-7 action 3`."""
    return f"{incident.key} {kind}{'' if number is None else number}"


def kind_of(subject: str) -> SubjectKind | None:
    """What a subject is about; None if it is not one of ours."""
    found = _SUBJECT.fullmatch(subject)
    return SubjectKind(found[1]) if found else None


def number_in(subject: str) -> int:
    """The number at the end of a subject: of an action or an entry. Raises ValueError if there is none."""
    return int(subject.rpartition(" ")[2].removeprefix("#"))
