"""What stands elsewhere of one incident, and who has to hear when more of it does: everything links to everything.

Each thing reads what else stands when it is brought into step, and puts links there. So whatever comes last, those that
stood before are brought into step once more; a link is known by an id, or by what was remembered, and made only once.

What leads back from Statuspage stands in its incident's metadata, which the page's webhooks carry to whoever subscribed
by one. So it names what stands by key, which says little to a stranger; addresses only where the settings say so.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot.domain.records import Incident
from storage import links as links_store
from storage.database.statements import Transaction
from storage.links import Link, LinkKey
from storage.queues import SyncState

ACTION, DESK, PAGE, CUSTOMERS = " action ", " incident", " postmortem", " customers"
ACCOUNTS = "accounts"
"""In the memo of a link of Jira's: the accounts that people were found to have, by their ids in Slack."""

WAY_BACK = " way back from Statuspage"
"""Of links' subjects: what stands between or behind an incident's key."""


MetadataStyle = Literal["keys", "links", "none"]
"""How the metadata of the incident on Statuspage names what stands elsewhere, if it does."""


@dataclass(frozen=True, slots=True)
class RemoteLink:
    """Something that stands in another system: what it is called there, and where people open it."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class RelatedLinks:
    """What stands of an incident, or None: its issue in the service project, its page, what customers read of it."""

    issue: RemoteLink | None = None
    page: RemoteLink | None = None
    customers: RemoteLink | None = None


def find_related(tx: Transaction, incident: Incident) -> RelatedLinks:
    """What of an incident stands elsewhere now."""
    return RelatedLinks(
        issue=_there(links_store.find(tx, incident.team, "jsm", f"{incident.key}{DESK}")),
        page=_there(links_store.find(tx, incident.team, "confluence", f"{incident.key}{PAGE}")),
        customers=_there(links_store.find(tx, incident.team, "statuspage", f"{incident.key}{CUSTOMERS}")),
    )


def metadata_of(tx: Transaction, incident: Incident, names: MetadataStyle) -> dict[str, object]:
    """What leads back from an incident on Statuspage, by what it leads to; nothing is named that does not stand."""
    if names == "none":
        return {}
    standing = find_related(tx, incident)
    leads = {
        "page": _named(standing.page, names),
        "work_items": [_named(item, names) for item in _work_items(tx, incident)],
        "service_management": _named(standing.issue, names),
    }
    return {what: lead for what, lead in leads.items() if lead}


def _named(there: RemoteLink | None, names: MetadataStyle) -> str:
    return "" if there is None else there.url if names == "links" else there.name


def _work_items(tx: Transaction, incident: Incident) -> tuple[RemoteLink, ...]:
    known = links_store.list_by_incident(tx, incident.id)
    items = [
        link for link in known if link.system == "jira" and ACTION in link.subject and link.state != SyncState.ABANDONED
    ]
    return tuple(there for link in items if (there := _there(link)))


def _there(link: Link | None) -> RemoteLink | None:
    return RemoteLink(link.external_id, link.url) if link and link.external_id and link.url else None


def enqueue_links(tx: Transaction, incident: Incident, system: str, now: datetime) -> None:
    """Something of an incident stands in a system since this transaction, or elsewhere than before: link to it."""
    for link in links_store.list_by_incident(tx, incident.id):
        if (link.system == "jira" and ACTION in link.subject) or (link.system == "jsm" and system != "jsm"):
            _owe(tx, link, now)
        elif link.subject.endswith(PAGE) and link.system == "confluence" and system != "confluence":
            _owe_links_alone(tx, link, now)
    enqueue_metadata(tx, incident, now)


def enqueue_metadata(tx: Transaction, incident: Incident, now: datetime) -> None:
    """What leads back from what customers read may be another since this transaction, where they read anything."""
    if find_related(tx, incident).customers:
        links_store.enqueue(tx, LinkKey(incident.team, "statuspage", f"{incident.key}{WAY_BACK}", incident.id), now)


def _owe(tx: Transaction, link: Link, now: datetime) -> None:
    """What is owed anyway, or refused, reads what stands when it is tried; a call under way has read it before."""
    if link.state in (SyncState.IN_SYNC, SyncState.CALLING):
        links_store.enqueue_if_known(tx, _thing(link), now)


def _owe_links_alone(tx: Transaction, link: Link, now: datetime) -> None:
    """A page is brought up to date when somebody asks for it; for the links at its top nobody has to."""
    current = links_store.lock(tx, link)
    if current is None or not current.external_id:
        return
    if current.state == SyncState.IN_SYNC:
        links_store.enqueue_decision(tx, current, _for_links_alone(current), now)
    elif current.state == SyncState.CALLING:
        links_store.enqueue_if_known(tx, _thing(link), now)


def _for_links_alone(link: Link) -> str:
    """The memo of a page whose links to other systems alone are to be brought up to date (see `Memo`)."""
    return json.dumps(json.loads(link.memo or "{}") | {"links_at": link.wanted + 1}, ensure_ascii=False)


def _thing(link: Link) -> LinkKey:
    return LinkKey(link.team, link.system, link.subject, link.incident_id)


def known_accounts(tx: Transaction, incident: Incident) -> dict[str, str]:
    """The accounts that are known of Slack users without asking, by their ids; those that were chosen win."""
    found: dict[str, str] = {}
    for link in links_store.list_by_incident(tx, incident.id):
        if link.system in ("jira", "jsm"):
            found |= json.loads(link.memo or "{}").get(ACCOUNTS, {})
    chosen = links_store.list_accounts(tx, incident.team, "jira")
    return found | {user: account for user, account in chosen.items() if "@" not in account}
