"""Links between the systems: what of one incident exists in which system, and who must link to it.

Each sync handler reads `find_related` and writes the links into its own system. When something new exists,
`enqueue_links` makes the others due again, so it does not matter which came first. A link has an id or is remembered in
the memo, so it is made once.

The metadata of the incident on Statuspage is sent to everyone who subscribed to the page's webhooks. So it names what
exists by key, which means little to a stranger, and by address only if the settings say so (decision 34).
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from bot.domain.records import Incident
from bot.integrations.memos import IssueMemo, PageMemo
from bot.integrations.systems import SubjectKind, System, kind_of, subject_of
from storage import links as links_store
from storage.database.statements import Transaction
from storage.links import Link, LinkKey
from storage.queues import SyncState

MetadataStyle = Literal["keys", "links", "none"]
"""How Statuspage's metadata names what exists in other systems, if at all."""


@dataclass(frozen=True, slots=True)
class RemoteLink:
    """Something in another system: its name there (a key or an id), and where people open it."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class RelatedLinks:
    """What exists of an incident: its issue in the service project, its Confluence page, its incident on Statuspage."""

    issue: RemoteLink | None = None
    page: RemoteLink | None = None
    customers: RemoteLink | None = None


def link_key(incident: Incident, system: System, kind: SubjectKind, number: int | None = None) -> LinkKey:
    """Names the link of a thing of an incident."""
    return LinkKey(incident.team, system, subject_of(incident, kind, number), incident.id)


def find_link(tx: Transaction, incident: Incident, system: System, kind: SubjectKind) -> Link | None:
    """The link of a thing that an incident has only once; None if there is none."""
    return links_store.find(tx, incident.team, system, subject_of(incident, kind))


def label_of(link: Link) -> str:
    """What the thing of a link is found again by in the other system, so that it is created once."""
    return f"afterword-{link.team}-{link.id}".lower()


def find_related(tx: Transaction, incident: Incident) -> RelatedLinks:
    """What of an incident exists in other systems now."""
    return RelatedLinks(
        issue=_remote(find_link(tx, incident, System.SERVICE_MANAGEMENT, SubjectKind.SERVICE_INCIDENT)),
        page=_remote(find_link(tx, incident, System.CONFLUENCE, SubjectKind.POSTMORTEM)),
        customers=_remote(find_link(tx, incident, System.STATUSPAGE, SubjectKind.PUBLIC_INCIDENT)),
    )


def metadata_of(tx: Transaction, incident: Incident, style: MetadataStyle) -> dict[str, object]:
    """The metadata of an incident on Statuspage, by what it leads to. What does not exist has no key."""
    if style == "none":
        return {}
    related = find_related(tx, incident)
    values = {
        "page": _in_style(related.page, style),
        "work_items": [_in_style(item, style) for item in _work_items(tx, incident)],
        "service_management": _in_style(related.issue, style),
    }
    return {name: value for name, value in values.items() if value}


def _in_style(remote: RemoteLink | None, style: MetadataStyle) -> str:
    return "" if remote is None else remote.url if style == "links" else remote.name


def _work_items(tx: Transaction, incident: Incident) -> tuple[RemoteLink, ...]:
    # The issue of an abandoned link is missing in Jira, or was never made.
    items = [
        link
        for link in links_store.list_by_incident(tx, incident.id)
        if _is_work_item(link) and link.state != SyncState.ABANDONED
    ]
    return tuple(remote for link in items if (remote := _remote(link)))


def _is_work_item(link: Link) -> bool:
    return link.system == System.JIRA and kind_of(link.subject) is SubjectKind.ACTION


def _remote(link: Link | None) -> RemoteLink | None:
    return RemoteLink(link.external_id, link.url) if link and link.external_id and link.url else None


def enqueue_links(tx: Transaction, incident: Incident, system: str, now: datetime) -> None:
    """Make the other systems link to something of an incident that is new in `system`, or was moved there."""
    for link in links_store.list_by_incident(tx, incident.id):
        if _is_work_item(link):
            _enqueue(tx, link, now)
        elif link.system == system:
            continue
        elif link.system == System.SERVICE_MANAGEMENT:
            _enqueue(tx, link, now)
        elif link.system == System.CONFLUENCE and kind_of(link.subject) is SubjectKind.POSTMORTEM:
            _enqueue_page_links(tx, link, now)
    enqueue_metadata(tx, incident, now)


def enqueue_metadata(tx: Transaction, incident: Incident, now: datetime) -> None:
    """Compare Statuspage's metadata once this transaction is committed, if there is an incident there."""
    if find_related(tx, incident).customers:
        links_store.enqueue(tx, link_key(incident, System.STATUSPAGE, SubjectKind.METADATA), now)


def _enqueue(tx: Transaction, link: Link, now: datetime) -> None:
    # A pending or rejected job reads what exists when it is tried. One that is running has read it already.
    if link.state in (SyncState.IN_SYNC, SyncState.CALLING):
        links_store.enqueue_if_known(tx, _thing(link), now)


def _enqueue_page_links(tx: Transaction, link: Link, now: datetime) -> None:
    """Only a person's request updates a whole page. This updates the links at its top, which the memo says."""
    # Locked: what is written to the memo depends on whether a call is under way.
    current = links_store.lock(tx, link)
    if current is None or not current.external_id:
        return
    if current.state == SyncState.IN_SYNC:
        # The number that the row will have after the enqueue: by it the worker knows that only the links are due,
        # unless a person has asked for an update as well.
        memo = replace(PageMemo.from_json(current.memo), links_at=current.wanted + 1)
        links_store.enqueue_decision(tx, current, memo.to_json(), now)
    elif current.state == SyncState.CALLING:
        links_store.enqueue_if_known(tx, _thing(link), now)


def _thing(link: Link) -> LinkKey:
    return LinkKey(link.team, link.system, link.subject, link.incident_id)


def known_accounts(tx: Transaction, incident: Incident) -> dict[str, str]:
    """The Atlassian accounts known for Slack ids, without a call. An account that a person chose wins."""
    found: dict[str, str] = {}
    for link in links_store.list_by_incident(tx, incident.id):
        if link.system in (System.JIRA, System.SERVICE_MANAGEMENT):
            found |= IssueMemo.from_json(link.memo).accounts
    chosen = links_store.list_accounts(tx, incident.team, System.JIRA)
    # People may choose an e-mail address; a mention on a page needs an account id.
    return found | {user: account for user, account in chosen.items() if "@" not in account}
