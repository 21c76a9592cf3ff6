"""Issues as Jira's JSON has them: what goes into its forms, and what comes out."""

from collections.abc import Mapping
from typing import Any

from bot.incident.plain import one_line
from bot.publish.answers import Answer, reach, worded
from bot.publish.jira_dialects import Dialect
from bot.publish.jira_records import (
    LONGEST_SUMMARY,
    Category,
    Changes,
    Field,
    Issue,
    WorkItem,
    read_category,
    read_date,
    read_moment,
)
from bot.publish.lengths import fitted

DONE = ("done", "resolved", "fixed", "closed", "completed")
DROPPED = ("won't do", "won't fix", "wontfix", "declined", "rejected", "cancelled", "canceled", "closed")
"""What sites call the statuses and resolutions of what was done, and of what will not be; the plainest first."""


def browse_url(site_url: str, key: str) -> str:
    """Where people open an issue."""
    return f"{site_url}/browse/{key}"


def new_fields(item: WorkItem, dialect: Dialect) -> dict[str, Any]:
    """The fields of an issue to create; what it has nothing for is left to the project's own defaults."""
    about = Changes(
        item.summary,
        item.description or None,
        item.assignee or None,
        item.due,
        priority=item.priority or None,
        custom=item.custom,
    )
    return {
        "project": {"key": item.project},
        "issuetype": {"id" if item.issue_type.isdigit() else "name": item.issue_type},
        "labels": list(dict.fromkeys((item.label, *item.labels))),
        **changed_fields(about, dialect),
    }


def changed_fields(changes: Changes, dialect: Dialect) -> dict[str, Any]:
    """The fields that an edit names."""
    fields: dict[str, Any] = dict(changes.custom)
    if changes.summary is not None:
        fields["summary"] = _summary(changes.summary)
    if changes.description is not None:
        fields["description"] = dialect.rich(changes.description) if changes.description else None
    if changes.assignee is not None:
        fields["assignee"] = dialect.person(changes.assignee)
    if changes.due or changes.takes_due_away:
        fields["duedate"] = changes.due.isoformat() if changes.due else None
    if changes.priority is not None:
        fields["priority"] = {"name": changes.priority} if changes.priority else None
    return fields


def _summary(text: str) -> str:
    return fitted(one_line(text) or "(no text)", LONGEST_SUMMARY)


def read_issue(data: object, dialect: Dialect, site_url: str) -> Issue:
    """An issue of an answer; raises PublishError where it is none."""
    key = Answer("Jira", 200, data).text("key")
    fields = reach(data, "fields")
    person, labels = reach(fields, "assignee"), reach(fields, "labels")
    return Issue(
        key,
        browse_url(site_url, key),
        worded(fields, "status", "name"),
        read_category(fields),
        dialect.person_in(person),
        worded(person, "displayName"),
        read_date(worded(fields, "duedate")),
        read_moment(worded(fields, "updated")),
        tuple(map(str, labels)) if isinstance(labels, list) else (),
    )


def read_field(entry: Mapping[str, Any]) -> Field:
    """A field of a form, as it describes itself."""
    schema = reach(entry, "schema")
    return Field(
        worded(entry, "fieldId") or worded(entry, "key"),
        worded(entry, "name"),
        is_demanded=entry.get("required") is True and entry.get("hasDefaultValue") is not True,
        takes_people=(worded(schema, "type"), worded(schema, "items")) == ("array", "user"),
    )


def best_step(
    steps: list[Mapping[str, Any]], goal: Category, names: tuple[str, ...] = DONE
) -> Mapping[str, Any] | None:
    """The transition to take to a category: to the status with the first of the names, else the first there is."""
    there = [step for step in steps if worded(step, "to", "statusCategory", "key") == goal and worded(step, "id")]
    plain = {_plain(worded(step, "to", "name")): step for step in reversed(there)}
    return next((plain[name] for name in names if name in plain), there[0] if there else None)


def step_fields(step: Mapping[str, Any], names: tuple[str, ...] = DONE) -> dict[str, Any]:
    """What a transition's form demands and we can know: a resolution, that with one of the names if there is one."""
    resolution = reach(step, "fields", "resolution")
    if reach(resolution, "required") is not True:
        return {}
    found = [worded(value, "name") for value in resolution.get("allowedValues") or ()]
    best = next((name for name in found if _plain(name) in names), found[0] if found else "")
    return {"resolution": {"name": best}} if best else {}


def _plain(name: str) -> str:
    return name.lower().replace("’", "'")
