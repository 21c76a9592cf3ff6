"""What goes to Jira and what comes from it, as plain values; and what Jira's refusals of an issue mean."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from bot.integrations.http import IntegrationError, text_at

# Jira refuses a longer summary.
LONGEST_SUMMARY = 255


class Category(StrEnum):
    """The category of a status, whatever a site calls the status."""

    NEW = "new"
    IN_PROGRESS = "indeterminate"
    DONE = "done"
    UNKNOWN = "undefined"


@dataclass(frozen=True, slots=True)
class WorkItem:
    """An issue to create. It is found again by its `label`, which nothing else has.

    `description` is Markdown. `assignee` is an account id, empty for none. `due` is a date without a zone. `issue_type`
    is a name, or an id of digits. `custom` maps field ids to values in Jira's form.
    """

    label: str
    project: str
    issue_type: str
    summary: str
    description: str = ""
    assignee: str = ""
    due: date | None = None
    labels: tuple[str, ...] = ()
    priority: str = ""
    custom: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IssueChanges:
    """What to change in an issue. None leaves a field as it is, an empty text clears it."""

    summary: str | None = None
    description: str | None = None
    assignee: str | None = None
    due: date | None = None
    takes_due_away: bool = False
    priority: str | None = None
    custom: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue as it is now. `assignee` is an account id, empty for none."""

    key: str
    url: str
    status: str
    category: Category
    assignee: str
    assignee_name: str
    due: date | None
    updated: datetime | None


@dataclass(frozen=True, slots=True)
class CreatedIssue:
    """The outcome of a create.

    `was_there`: an earlier attempt had made it. `issue` is None if it could not be read back. `is_unassigned`: it
    should have an assignee, and Jira left that out.
    """

    key: str
    url: str
    was_there: bool
    issue: Issue | None
    is_unassigned: bool


@dataclass(frozen=True, slots=True)
class FormField:
    """A field of a project's form. `is_demanded`: no issue is made without it. `takes_people`: it is for several."""

    id: str
    name: str
    is_demanded: bool = False
    takes_people: bool = False


FILLED = frozenset({"project", "issuetype", "summary", "description", "labels", "reporter"})
"""The fields that we fill in for every issue, or that Jira fills in."""


def find_unfilled(form: Iterable[FormField], custom: Iterable[str]) -> list[FormField]:
    """The fields that a form demands, and that neither we nor the `custom` fields fill in."""
    filled = FILLED | set(custom)
    return [field for field in form if field.is_demanded and field.id not in filled]


def read_category(fields: object) -> Category:
    """The category of the status among an issue's fields."""
    key = text_at(fields, "status", "statusCategory", "key")
    return Category(key) if key in set(Category) else Category.UNKNOWN


def read_date(text: str) -> date | None:
    """`2026-12-01`, or None."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


# Parts of what Jira says about a field.
_UNSEEN = "appropriate screen"
_WANTED = "is required"


def explain(error: IntegrationError, item: WorkItem) -> IntegrationError:
    """The same error, with a sentence that names the remedy if the fields that Jira named show it."""
    if remedy := _remedy(error.fields, item):
        error.reword(f"{error.system} {remedy}")
    return error


def _remedy(fields: dict[str, str], item: WorkItem) -> str:
    kind = f"{item.issue_type} in {item.project}"
    if "project" in fields:
        return f"has no project {item.project} where this account can create issues. Check the settings."
    if "issuetype" in fields:
        return f"has no issue type {item.issue_type} in {item.project}. Check the settings."
    if "assignee" in fields:
        return _about_assignee(item)
    if unseen := [name for name, words in fields.items() if _UNSEEN in words]:
        return (
            f"doesn't have {_list(unseen)} on the form of {kind}. Add it to the project's screen, or remove it from "
            "the settings."
        )
    if wanted := [name for name, words in fields.items() if _WANTED in words]:
        return f"requires {_list(wanted)} for {kind}. Give each a value in the settings."
    return ""


def _about_assignee(item: WorkItem) -> str:
    if item.assignee:
        return (
            f"doesn't let that person be assigned in {item.project}, because the account isn't active or has no "
            "permission there. Give the action to another person, or assign it in Jira."
        )
    return (
        f"requires an assignee in {item.project}. Give the action an owner who has a Jira account, or allow "
        "unassigned issues in Jira's general settings."
    )


def _list(names: list[str]) -> str:
    return ", ".join(sorted(names))
