"""The links that an issue of ours in Jira has to what else stands of its incident, each once."""

from collections.abc import Iterator
from typing import Any

from bot.publish.failures import PublishError
from bot.publish.jira import Jira
from bot.scribe.relations import Related, There

LINKS = "links"
"""In the memo of an issue's link: where each web link leads that was put there, by its id."""
_RELATED = "incident"
"""In the same memo: the key of the service project's issue that it was linked with."""


async def link(jira: Jira, key: str, label: str, incident: str, related: Related, sent: dict[str, Any]) -> None:
    """Put web links to an incident's page and to what customers read at an issue; `sent` remembers them.

    A web link is known by an id made of the issue's `label`, so that another address takes the place of the first.
    """
    links = dict(sent.get(LINKS, {}))
    for id_, title, there in _wanted(label, incident, related):
        if links.get(id_) != there.url:
            await jira.link(key, id_, there.url, title)
            links[id_] = there.url
    sent[LINKS] = links


async def relate(jira: Jira, key: str, label: str, related: Related, sent: dict[str, Any]) -> None:
    """Link a work item with the incident's issue; by a web link where Jira refuses links between issues."""
    issue = related.issue
    if issue is None or _RELATED in sent:
        return
    try:
        await jira.relate(key, issue.name)
    except PublishError as error:
        if not error.is_permanent or error.status == 401:
            raise
        await jira.link(key, f"{label}-incident", issue.url, f"{issue.name} in Jira Service Management")
    sent[_RELATED] = issue.name


def _wanted(label: str, incident: str, related: Related) -> Iterator[tuple[str, str, There]]:
    if related.page:
        yield f"{label}-page", f"The postmortem of {incident}", related.page
    if related.customers:
        yield f"{label}-customers", f"What customers read of {incident}", related.customers
