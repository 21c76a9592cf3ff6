"""Jira: what goes there and comes from it, as plain values, and the calls.

Issues are created once, changed, polled, and found again by their labels. Jira has no idempotency key, so a create that
may have happened is looked up by its label before it is repeated. Jira's search finds a new issue only after some
seconds.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from bot.domain.text import shorten, to_one_line
from bot.integrations import atlassian
from bot.integrations.atlassian import AtlassianAccess, AtlassianCaller
from bot.integrations.http import (
    Call,
    IntegrationError,
    Response,
    RetryPolicy,
    get,
    path_of,
    post,
    put,
    read_moment,
    text_at,
    value_at,
)

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


API = "/rest/api/3"

DONE = ("done", "resolved", "fixed", "closed", "completed")
DROPPED = ("won't do", "won't fix", "wontfix", "declined", "rejected", "cancelled", "canceled", "closed")
"""Names of statuses and resolutions for what was done, and for what will not be done; the plainest first."""


def browse_url(site_url: str, key: str) -> str:
    """Where people open an issue."""
    return f"{site_url}/browse/{key}"


def new_fields(item: WorkItem) -> dict[str, Any]:
    """The fields of an issue to create. An empty one is left out, so that the project's default holds."""
    about = IssueChanges(
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
        **changed_fields(about),
    }


def changed_fields(changes: IssueChanges) -> dict[str, Any]:
    """The fields that an edit names."""
    fields: dict[str, Any] = dict(changes.custom)
    if changes.summary is not None:
        fields["summary"] = _summary(changes.summary)
    if changes.description is not None:
        fields["description"] = atlassian.to_adf(changes.description) if changes.description else None
    if changes.assignee is not None:
        fields["assignee"] = {"id": changes.assignee} if changes.assignee else None
    if changes.due or changes.takes_due_away:
        fields["duedate"] = changes.due.isoformat() if changes.due else None
    if changes.priority is not None:
        fields["priority"] = {"name": changes.priority} if changes.priority else None
    return fields


def _summary(text: str) -> str:
    return atlassian.fit(to_one_line(text) or "(no text)", LONGEST_SUMMARY)


def read_issue(data: object, site_url: str) -> Issue:
    """An issue in an answer. Raises IntegrationError if it is none."""
    key = Response("Jira", 200, data).text("key")
    fields = value_at(data, "fields")
    person = value_at(fields, "assignee")
    return Issue(
        key,
        browse_url(site_url, key),
        text_at(fields, "status", "name"),
        read_category(fields),
        text_at(person, "accountId"),
        text_at(person, "displayName"),
        read_date(text_at(fields, "duedate")),
        read_moment(text_at(fields, "updated")),
    )


def read_field(entry: Mapping[str, Any]) -> FormField:
    """A field of a form, as it describes itself."""
    schema = value_at(entry, "schema")
    return FormField(
        text_at(entry, "fieldId") or text_at(entry, "key"),
        text_at(entry, "name"),
        is_demanded=entry.get("required") is True and entry.get("hasDefaultValue") is not True,
        takes_people=(text_at(schema, "type"), text_at(schema, "items")) == ("array", "user"),
    )


def choose_transition(
    steps: list[Mapping[str, Any]], goal: Category, names: tuple[str, ...] = DONE
) -> Mapping[str, Any] | None:
    """The transition to a category: to the status with the first of the names, else the first transition there is."""
    found = [step for step in steps if text_at(step, "to", "statusCategory", "key") == goal and text_at(step, "id")]
    by_name = {_plain(text_at(step, "to", "name")): step for step in reversed(found)}
    return next((by_name[name] for name in names if name in by_name), found[0] if found else None)


def transition_fields(step: Mapping[str, Any], names: tuple[str, ...] = DONE) -> dict[str, Any]:
    """The fields that a transition's form demands: a resolution, one with a name of `names` if there is one."""
    resolution = value_at(step, "fields", "resolution")
    if value_at(resolution, "required") is not True:
        return {}
    found = [text_at(value, "name") for value in resolution.get("allowedValues") or ()]
    best = next((name for name in found if _plain(name) in names), found[0] if found else "")
    return {"resolution": {"name": best}} if best else {}


def _plain(name: str) -> str:
    return name.lower().replace("’", "'")  # sites write "Won’t Do" either way


SEARCH_LAG = 15.0
"""Seconds until Jira's search surely finds a new issue."""

RELATES = "Relates"
"""A type of issue link that every new site has."""

_READ = ("status", "assignee", "duedate", "updated")
_MOST_PAGES = 20  # an answer that always names a next page must not loop for ever
_PAGE_SIZE = 100
_KEYS_AT_ONCE = 50


class JiraClient:
    """One Jira as one account reaches it. Every verb raises IntegrationError. Close it with `aclose`."""

    name = "Jira"

    def __init__(self, access: AtlassianAccess, patience: RetryPolicy | None = None) -> None:
        self._line = AtlassianCaller(self.name, "jira", access, patience or RetryPolicy())

    async def aclose(self) -> None:
        """Close the connections."""
        await self._line.aclose()

    async def check(self) -> str:
        """Which account we use, by a call that changes nothing."""
        return f"signed in as {(await self._line.ask(get(f'{API}/myself'))).text('displayName')}"

    async def account(self) -> str:
        """Our own account id, by which our own changes are recognized."""
        return text_at((await self._line.ask(get(f"{API}/myself"))).data, "accountId")

    async def create(self, item: WorkItem, *, is_repeat: bool) -> CreatedIssue:
        """Create an issue and read it back. `is_repeat`: an earlier attempt may have made it, so look first.

        If it may have been made, the error's `retry_after` gives Jira's search time to find it.
        """
        if is_repeat and (issue := await self.find(item.label)):
            return CreatedIssue(issue.key, issue.url, was_there=True, issue=issue, is_unassigned=_lacks(issue, item))
        try:
            fields = await asyncio.to_thread(new_fields, item)  # a long description takes half a second to convert
            answer = await self._line.ask(post(f"{API}/issue", {"fields": fields}))
            key = answer.text("key")
        except IntegrationError as error:
            if error.may_have_happened:
                # A look-up before Jira's search knows the issue would find nothing, and make a second one.
                error.retry_after = max(error.retry_after or 0.0, SEARCH_LAG)
            raise explain(error, item) from None
        issue = await self._read_back(key)
        unassigned = issue is not None and _lacks(issue, item)
        return CreatedIssue(key, self.url_of(key), was_there=False, issue=issue, is_unassigned=unassigned)

    async def find(self, label: str) -> Issue | None:
        """The oldest issue with a label, or None."""
        found = await self.search(f"labels = {quote_jql(label)} ORDER BY created ASC", most_pages=1)
        return found[0] if found else None

    async def issue(self, key: str) -> Issue | None:
        """An issue as it is now; None if it was deleted or the account may not see it."""
        try:
            answer = await self._line.ask(get(issue_path(key), fields=",".join(_READ)))
        except IntegrationError as error:
            if error.status == 404 and error.is_permanent:
                return None
            raise
        return self._read(answer.data)

    async def require_issue(self, key: str) -> Issue:
        """An issue as it is now. If it is missing, this is an error until a person does something."""
        issue = await self.issue(key)
        if issue is None:
            raise IntegrationError(
                self.name,
                f"{self.name} doesn't have {key} anymore, or hides it from this account. Restore it, then try again.",
                is_permanent=True,
                status=404,
            )
        return issue

    async def edit(self, key: str, changes: IssueChanges) -> None:
        """Change only what `changes` names, so that people's edits of the rest stay."""
        if fields := await asyncio.to_thread(changed_fields, changes):
            await self._line.ask(put(issue_path(key), {"fields": fields}))

    async def status_of(self, keys: Iterable[str]) -> dict[str, Issue | None]:
        """Issues as they are now, by key; None for those that were deleted or that the account may not see."""
        wanted = list(dict.fromkeys(keys))
        found: dict[str, Issue | None] = {}
        for start in range(0, len(wanted), _KEYS_AT_ONCE):
            found |= await self._status_of_batch(wanted[start : start + _KEYS_AT_ONCE])
        return found

    async def search(self, jql: str, most_pages: int = _MOST_PAGES) -> list[Issue]:
        """The issues that a JQL query finds, a hundred per page at most."""
        found: list[Issue] = []
        page = ""
        for _ in range(most_pages):
            body: dict[str, Any] = {"jql": jql, "fields": list(_READ), "maxResults": _PAGE_SIZE}
            if page:
                body["nextPageToken"] = page
            answer = await self._line.ask(Call("POST", f"{API}/search/jql", body=body))  # it only reads
            found += [self._read(each) for each in answer.objects("issues")]
            page = "" if value_at(answer.data, "isLast") is True else text_at(answer.data, "nextPageToken")
            if not page:
                break
        return found

    async def finish(self, key: str, *, is_dropped: bool = False) -> None:
        """Bring an issue to a status that counts as done, unless it has one.

        `is_dropped`: it will not be done; if the workflow has a status for that, it gets that one.
        """
        await self._move(key, (Category.DONE,), DROPPED if is_dropped else DONE)

    async def reopen(self, key: str) -> None:
        """Bring an issue back to a status that counts as not done, unless it has one."""
        await self._move(key, (Category.NEW, Category.IN_PROGRESS))

    async def find_assignee(self, project: str, email: str) -> str:
        """The account id of the one assignable person with an e-mail address; empty if there is none, or several.

        Most profiles hide the address, so we trust Jira's search and do not compare it.
        """
        if not email:
            return ""
        call = get(f"{API}/user/assignable/search", project=project, query=email, maxResults="10")
        people = [each for each in (await self._line.ask(call)).objects() if _is_human(each) and each.get("accountId")]
        # Of several, no one is chosen: a wrong assignee gets mails about work that is not theirs.
        return text_at(people[0], "accountId") if len(people) == 1 else ""

    async def link(self, key: str, global_id: str, url: str, title: str) -> None:
        """Add a web link to an issue, or replace the one of that `global_id`."""
        body = {
            "globalId": global_id,
            "object": {"url": url, "title": shorten(to_one_line(title), LONGEST_SUMMARY - 1)},
        }
        path = issue_path(key, "remotelink")
        await self._line.ask(Call("POST", path, body=body, writes=True))  # repeatable: the id makes it once

    async def relate(self, key: str, other: str) -> None:
        """Link an issue with another. Repeatable: Jira makes no second link of the same two."""
        body = {"type": {"name": RELATES}, "inwardIssue": {"key": other}, "outwardIssue": {"key": key}}
        await self._line.ask(Call("POST", f"{API}/issueLink", body=body, writes=True))

    async def form(self, project: str, issue_type: str) -> list[FormField]:
        """The fields of a project's form for new issues of a type."""
        kind = await self._issue_type(project, issue_type)
        return [read_field(entry) for entry in await self._meta("fields", project, "issuetypes", kind)]

    def url_of(self, key: str) -> str:
        """Where people open an issue."""
        return browse_url(self._line.access.site_url, key)

    def _read(self, data: object) -> Issue:
        return read_issue(data, self._line.access.site_url)

    async def _read_back(self, key: str) -> Issue | None:
        try:
            return await self.issue(key)
        except IntegrationError:  # the issue was created: an error here would create it again
            return None

    async def _status_of_batch(self, keys: list[str]) -> dict[str, Issue | None]:
        try:
            found = await self.search(f"key in ({', '.join(map(quote_jql, keys))})")
        except IntegrationError as error:
            if error.status != 400:
                raise
            return {key: await self.issue(key) for key in keys}  # one unknown key makes Jira refuse the whole query
        by_key = {issue.key: issue for issue in found}
        return {key: by_key.get(key) or await self.issue(key) for key in keys}  # a moved issue has a new key

    async def _move(self, key: str, goals: tuple[Category, ...], names: tuple[str, ...] = DONE) -> None:
        issue = await self.require_issue(key)
        if issue.category in goals:
            return
        path = issue_path(key, "transitions")
        answer = await self._line.ask(get(path, expand="transitions.fields"))
        for goal in goals:
            if step := choose_transition(answer.objects("transitions"), goal, names):
                # `post` does not repeat an unsure one. The worker's next attempt reads the issue first, above.
                fields = transition_fields(step, names)
                await self._line.ask(post(path, {"transition": {"id": step["id"]}, "fields": fields}))
                return
        raise IntegrationError(
            self.name,
            f"{self.name}'s workflow doesn't let this account move {key} on from “{issue.status}”. Move it in Jira.",
            is_permanent=True,
        )

    async def _issue_type(self, project: str, name: str) -> str:
        for entry in await self._meta("issueTypes", project, "issuetypes"):
            if name in (text_at(entry, "id"), text_at(entry, "name")):
                return text_at(entry, "id")
        raise IntegrationError(
            self.name, f"{self.name} has no issue type {name} in {project}. Check the settings.", is_permanent=True
        )

    async def _meta(self, part: str, *path: str) -> list[Mapping[str, Any]]:
        """A list out of the project's form, page by page."""
        found: list[Mapping[str, Any]] = []
        for _ in range(_MOST_PAGES):
            call = get(issue_path("createmeta", *path), startAt=str(len(found)), maxResults="100")
            answer = await self._line.ask(call)
            entries, total = answer.objects(part), value_at(answer.data, "total")
            found += entries
            if not entries or not isinstance(total, int) or len(found) >= total:
                break
        return found


def issue_path(key: str, *more: str) -> str:
    """The path of an issue, or of something that belongs to it."""
    return f"{API}/issue{path_of(key, *more)}"


def quote_jql(value: str) -> str:
    """A value inside a JQL query."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _is_human(person: Mapping[str, Any]) -> bool:
    """Whether it is an active account of a person: not of an app, of a customer, or of someone who left."""
    return person.get("active") is True and person.get("accountType", "atlassian") == "atlassian"


def _lacks(issue: Issue, item: WorkItem) -> bool:
    return bool(item.assignee) and issue.assignee != item.assignee
