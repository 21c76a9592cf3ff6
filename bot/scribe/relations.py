"""What stands elsewhere of one incident, and who has to hear when more of it does: everything links to everything.

Each thing reads what else stands when it is brought into step, and puts links there. So whatever comes last, those that
stood before are brought into step once more; a link is known by an id, or by what was remembered, and made only once.

What leads back from Statuspage stands in its incident's metadata, which the page's webhooks carry to whoever subscribed
by one. So it names what stands by key, which says little to a stranger; addresses only where the settings say so.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot.incident.records import Incident
from bot.scribe import confluence_memo as memos
from storage import link_lists, links
from storage.links import CALLING, KEPT, LET_GO, Link, Thing
from storage.statements import Transaction

ACTION, DESK, PAGE, CUSTOMERS = " action ", " incident", " postmortem", " customers"
WAY_BACK = " way back from Statuspage"
"""Of links' subjects: what stands between or behind an incident's key."""


Names = Literal["keys", "links", "none"]
"""How the metadata of the incident on Statuspage names what stands elsewhere, if it does."""


@dataclass(frozen=True, slots=True)
class There:
    """Something that stands in another system: what it is called there, and where people open it."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Related:
    """What stands of an incident, or None: its issue in the service project, its page, what customers read of it."""

    issue: There | None = None
    page: There | None = None
    customers: There | None = None


def related(tx: Transaction, incident: Incident) -> Related:
    """What of an incident stands elsewhere now."""
    return Related(
        issue=_there(links.of(tx, incident.team, "jsm", f"{incident.key}{DESK}")),
        page=_there(links.of(tx, incident.team, "confluence", f"{incident.key}{PAGE}")),
        customers=_there(links.of(tx, incident.team, "statuspage", f"{incident.key}{CUSTOMERS}")),
    )


def way_back(tx: Transaction, incident: Incident, names: Names) -> dict[str, object]:
    """What leads back from an incident on Statuspage, by what it leads to; nothing is named that does not stand."""
    if names == "none":
        return {}
    standing = related(tx, incident)
    leads = {
        "page": _named(standing.page, names),
        "work_items": [_named(item, names) for item in _work_items(tx, incident)],
        "service_management": _named(standing.issue, names),
    }
    return {what: lead for what, lead in leads.items() if lead}


def _named(there: There | None, names: Names) -> str:
    return "" if there is None else there.url if names == "links" else there.name


def _work_items(tx: Transaction, incident: Incident) -> tuple[There, ...]:
    known = link_lists.of_incident(tx, incident.id)
    items = [link for link in known if link.system == "jira" and ACTION in link.subject and link.state != LET_GO]
    return tuple(there for link in items if (there := _there(link)))


def _there(link: Link | None) -> There | None:
    return There(link.external_id, link.url) if link and link.external_id and link.url else None


def spread(tx: Transaction, incident: Incident, system: str, now: datetime) -> None:
    """Something of an incident stands in a system since this transaction, or elsewhere than before: link to it."""
    for link in link_lists.of_incident(tx, incident.id):
        if (link.system == "jira" and ACTION in link.subject) or (link.system == "jsm" and system != "jsm"):
            _owe(tx, link, now)
        elif link.subject.endswith(PAGE) and link.system == "confluence" and system != "confluence":
            _owe_links_alone(tx, link, now)
    lead_back(tx, incident, now)


def lead_back(tx: Transaction, incident: Incident, now: datetime) -> None:
    """What leads back from what customers read may be another since this transaction, where they read anything."""
    if related(tx, incident).customers:
        links.want(tx, Thing(incident.team, "statuspage", f"{incident.key}{WAY_BACK}", incident.id), now)


def _owe(tx: Transaction, link: Link, now: datetime) -> None:
    """What is owed anyway, or refused, reads what stands when it is tried; a call under way has read it before."""
    if link.state in (KEPT, CALLING):
        links.bump(tx, _thing(link), now)


def _owe_links_alone(tx: Transaction, link: Link, now: datetime) -> None:
    """A page is brought up to date when somebody asks for it; for the links at its top nobody has to."""
    current = links.locked(tx, link)
    if current is None or not current.external_id:
        return
    if current.state == KEPT:
        links.order(tx, current, memos.for_links(current), now)
    elif current.state == CALLING:
        links.bump(tx, _thing(link), now)


def _thing(link: Link) -> Thing:
    return Thing(link.team, link.system, link.subject, link.incident_id)
