"""What a signed webhook of Jira tells of an issue: the same on Cloud and on Data Center, but for people's names.

Jira tells late, twice and out of order: `Issue.updated` says which of two tellings is the newer one, and
X-Atlassian-Webhook-Identifier is the same whenever a telling is repeated.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.incident.payloads import Malformed
from bot.publish.answers import reach, worded
from bot.publish.failures import PublishError
from bot.publish.jira_dialects import Dialect
from bot.publish.jira_forms import read_issue
from bot.publish.jira_records import Issue

IDENTIFIER = "x-atlassian-webhook-identifier"
_UPDATED, _DELETED = "jira:issue_updated", "jira:issue_deleted"


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened to an issue. `issue` is None where it was deleted; `keys` has those that it had before, too.

    `by` is the account that did it, and `id` what a repeated telling repeats; either may be empty.
    """

    id: str
    keys: tuple[str, ...]
    issue: Issue | None
    by: str


def read_event(data: Mapping[str, object], identifier: str, dialect: Dialect, site_url: str) -> Event | None:
    """The event in a webhook's body; None for one that means nothing here. Raises Malformed where it is not Jira's."""
    name = data.get("webhookEvent")
    if not isinstance(name, str):
        raise Malformed("there is no webhookEvent")
    if name not in (_UPDATED, _DELETED):
        return None
    try:
        issue = read_issue(data.get("issue"), dialect, site_url)
    except PublishError:
        raise Malformed("there is no issue with a key") from None
    by = dialect.person_in(data.get("user"))
    return Event(identifier[:200], (issue.key, *_before(data)), None if name == _DELETED else issue, by)


def _before(data: Mapping[str, object]) -> list[str]:
    """The keys that an issue had until it was moved just now."""
    items = reach(data, "changelog", "items")
    changes = [item for item in items if worded(item, "field") == "Key"] if isinstance(items, list) else []
    return [key for item in changes if (key := worded(item, "fromString"))]
