"""Where Jira Cloud (REST version 3) and Jira Data Center (version 2) differ, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from bot.integrations import markup
from bot.integrations.http import Call, Response, get, path_of, reach, worded

PAGE = 100


class JiraDialect(Protocol):
    """How one kind of Jira is spoken to. `api` begins every path; `meta_types` and `meta_fields` name its lists."""

    @property
    def api(self) -> str: ...
    @property
    def meta_types(self) -> str: ...
    @property
    def meta_fields(self) -> str: ...

    def rich(self, markdown: str) -> object:
        """Markdown in the form of a description or comment."""
        ...

    def person(self, assignee: str) -> object:
        """The value of the assignee field; of nobody for an empty name."""
        ...

    def person_in(self, person: object) -> str:
        """What names a person in an answer; empty for nobody and for what is no active human's account."""
        ...

    def assignable(self, project: str, email: str) -> Call:
        """Who may be assigned in a project and answers to an address."""
        ...

    def search(self, jql: str, fields: tuple[str, ...], page: str) -> Call:
        """One page of issues; `page` is what `next_page` gave, empty for the first."""
        ...

    def next_page(self, answer: Response) -> str:
        """What asks for the page behind an answer; empty behind the last."""
        ...


@dataclass(frozen=True, slots=True)
class JiraCloud:
    """Atlassian Document Format, account ids, and pages by token."""

    api: str = "/rest/api/3"
    meta_types: str = "issueTypes"
    meta_fields: str = "fields"

    def rich(self, markdown: str) -> object:
        return markup.document(markdown)

    def person(self, assignee: str) -> object:
        return {"id": assignee} if assignee else None

    def person_in(self, person: object) -> str:
        return worded(person, "accountId")

    def assignable(self, project: str, email: str) -> Call:
        return get(f"{self.api}/user/assignable/search", project=project, query=email, maxResults="10")

    def search(self, jql: str, fields: tuple[str, ...], page: str) -> Call:
        asked: dict[str, Any] = {"jql": jql, "fields": list(fields), "maxResults": PAGE}
        if page:
            asked["nextPageToken"] = page
        return Call("POST", f"{self.api}/search/jql", body=asked)

    def next_page(self, answer: Response) -> str:
        return "" if reach(answer.data, "isLast") is True else worded(answer.data, "nextPageToken")


@dataclass(frozen=True, slots=True)
class JiraDataCenter:
    """Wiki markup, user names, and pages by number."""

    api: str = "/rest/api/2"
    meta_types: str = "values"
    meta_fields: str = "values"

    def rich(self, markdown: str) -> object:
        return markup.markup(markdown)

    def person(self, assignee: str) -> object:
        return {"name": assignee or None}

    def person_in(self, person: object) -> str:
        return worded(person, "name")

    def assignable(self, project: str, email: str) -> Call:
        return get(f"{self.api}/user/assignable/search", project=project, username=email, maxResults="10")

    def search(self, jql: str, fields: tuple[str, ...], page: str) -> Call:
        asked = {"jql": jql, "fields": list(fields), "maxResults": PAGE, "startAt": int(page or 0)}
        return Call("POST", f"{self.api}/search", body=asked)

    def next_page(self, answer: Response) -> str:
        behind = answer.number("startAt") + len(answer.objects("issues"))
        return str(behind) if answer.objects("issues") and behind < answer.number("total") else ""


def is_human(person: Mapping[str, Any]) -> bool:
    """An active account of a person's: not an app's, a customer's, or of somebody who left."""
    return person.get("active") is True and person.get("accountType", "atlassian") == "atlassian"


def issue_path(api: str, key: str, *more: str) -> str:
    """The path of an issue, or of something at it."""
    return f"{api}/issue{path_of(key, *more)}"
