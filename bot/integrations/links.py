"""Links: one thing of an incident in one other system; what its sync remembers, and what links to what.

A subject is stored text, `INC-7 action 3`, that people also read in `/incident connections`. Python writes and reads it
only here. (`storage/links.py` joins actions by the same text in SQL; `bot/services/context.py` writes what a
transaction noted behind the incident's key.)

A memo is what the sync of a system remembers about a link, stored as JSON in the column `memo`. The JSON keys below
never change: memos of old rows must load. An empty column is a memo of defaults, and a default is not written.

Each sync handler reads `find_related` and writes the links into its own system. When something new exists,
`enqueue_links` makes the others due again, so it does not matter which came first. A link has an id or is remembered in
the memo, so it is made once.

The metadata of the incident on Statuspage is sent to everyone who subscribed to the page's webhooks. So it names what
exists by key, which means little to a stranger, and by address only if the settings say so (decision 34).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, Self

from bot.domain.records import Incident, System
from bot.export.confluence.merge import HeadSnapshot, PageSnapshot, RegionSnapshot
from storage import links as links_store
from storage.database.statements import Transaction
from storage.links import Link, LinkKey
from storage.queues import SyncState


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


_DESCRIPTIONS = {
    SubjectKind.PUBLIC_INCIDENT: "incident for customers",
    SubjectKind.METADATA: "link from Statuspage",
}
_SUBJECT = re.compile(rf"\S+ ({'|'.join(re.escape(kind) for kind in SubjectKind)})([0-9]*)")


def subject_of(incident: Incident, kind: SubjectKind, number: int | None = None) -> str:
    """`INC-7 action 3`."""
    return f"{incident.key} {kind}{'' if number is None else number}"


def describe_subject(subject: str) -> str:
    """A subject as people read it: some kinds are stored under names that people wouldn't know."""
    kind = kind_of(subject)
    return subject.removesuffix(kind) + _DESCRIPTIONS[kind] if kind in _DESCRIPTIONS else subject


def kind_of(subject: str) -> SubjectKind | None:
    """What a subject is about; None if it is not one of ours."""
    found = _SUBJECT.fullmatch(subject)
    return SubjectKind(found[1]) if found else None


def number_in(subject: str) -> int:
    """The number at the end of a subject: of an action or an entry. Raises ValueError if there is none."""
    return int(subject.rpartition(" ")[2].removeprefix("#"))


@dataclass(frozen=True, slots=True)
class SentFields:
    """The fields of an action as they were last sent to Jira. One that differs from the record is sent again.

    `text` is a digest of the action's text, which may be long. `due` is an ISO date. `owner` is a Slack id, `account`
    the Jira account that a person chose for them.
    """

    summary: str | None = None
    text: str | None = None
    due: str | None = None
    owner: str | None = None
    account: str | None = None

    def changed_since(self, old: "SentFields | None") -> frozenset[str]:
        """The names of the fields that differ from `old`; all of them if nothing was sent yet."""
        return frozenset(
            each.name for each in fields(self) if old is None or getattr(self, each.name) != getattr(old, each.name)
        )


@dataclass(frozen=True, slots=True)
class RemoteFields:
    """An issue as Jira last showed it: due date (ISO) and assignee's account. A difference is a person's edit."""

    due: str | None
    who: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueMemo:
    """What the memos of all issues in Jira have in common.

    `accounts` are the accounts found for Slack ids. `seen_at` is when the issue was in the state that we know, by
    Jira's clock. `is_missing`: it was deleted or hidden, so it is polled no more until someone tries again. `web_links`
    maps the ids of our links at the issue to their addresses.
    """

    accounts: Mapping[str, str] = field(default_factory=dict)
    seen_at: datetime | None = None
    is_missing: bool = False
    has_channel_link: bool = False
    web_links: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a stored memo. Raises ValueError if it is not a JSON object."""
        return cls(**_read_fields(cls, json.loads(text or "{}")))

    def to_json(self) -> str:
        """The text to store."""
        return json.dumps(_stored_fields(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionMemo(IssueMemo):
    """About an action's work item in Jira.

    `sent` is None until the work item exists. `service_issue` is the key of the service project's issue that it was
    linked with. `is_agreed`: people in a private channel agreed that it goes to Jira; this holds for the whole
    incident.
    """

    sent: SentFields | None = None
    is_done: bool = False
    is_assigned: bool = False
    remote: RemoteFields | None = None
    service_issue: str = ""
    is_agreed: bool = False

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a stored memo. Raises ValueError if it is not a JSON object."""
        found: dict[str, Any] = json.loads(text or "{}")
        values, names = _read_fields(cls, found), [each.name for each in fields(SentFields)]
        if any(name in found for name in names):
            values["sent"] = SentFields(**{name: found.get(name) for name in names})
        if remote := values.get("remote"):
            values["remote"] = RemoteFields(**remote)
        return cls(**values)

    def to_json(self) -> str:
        """The text to store. The fields of `sent` are next to the others."""
        values = _stored_fields(self)
        return json.dumps(values.pop("sent", {}) | values)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceIncidentMemo(IssueMemo):
    """About an incident in Jira Service Management: what was last sent of it."""

    title: str | None = None
    severity: int | None = None
    status: str | None = None
    responders: tuple[str, ...] = ()


def read_issue_memo(system: str, text: str) -> ActionMemo | ServiceIncidentMemo:
    """The memo of a link of Jira or of Jira Service Management."""
    return ActionMemo.from_json(text) if system == System.JIRA else ServiceIncidentMemo.from_json(text)


_KEYS = {
    "seen_at": "seen",
    "is_missing": "gone",
    "has_channel_link": "linked",
    "web_links": "links",
    "is_done": "done",
    "is_assigned": "assigned",
    "remote": "there",
    "service_issue": "incident",
    "is_agreed": "agreed",
}
"""The stored keys of an issue memo's fields, if they differ from the names here."""


def _read_fields(kind: type[IssueMemo], found: Mapping[str, Any]) -> dict[str, Any]:
    keys = {each.name: _KEYS.get(each.name, each.name) for each in fields(kind)}
    values = _with_tuples({name: found[key] for name, key in keys.items() if found.get(key)})
    return values | ({"seen_at": datetime.fromisoformat(values["seen_at"])} if "seen_at" in values else {})


def _stored_fields(memo: IssueMemo) -> dict[str, Any]:
    values = {_KEYS.get(name, name): value for name, value in asdict(memo).items()}
    return _drop_defaults(values | {"seen": memo.seen_at.isoformat() if memo.seen_at else None})


def _drop_defaults(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value}


@dataclass(frozen=True, slots=True)
class PagingMemo:
    """About a page to people on call: its words, who asked for it and when.

    `request` is the id under which the system accepted it at `sent_at`; empty until then. Memos from before `at` was
    stored have none.
    """

    words: str
    by: str
    at: datetime | None = None
    request: str = ""
    sent_at: datetime | None = None

    @classmethod
    def from_json(cls, text: str) -> "PagingMemo":
        """Read a stored memo. Raises ValueError or KeyError if it is not one."""
        found: dict[str, Any] = json.loads(text)
        at, sent_at = (datetime.fromisoformat(found[name]) if found.get(name) else None for name in ("at", "sent_at"))
        return cls(found["words"], found["by"], at, found.get("request", ""), sent_at)

    def to_json(self) -> str:
        """The text to store."""
        values = {
            "at": self.at.isoformat() if self.at else None,
            "request": self.request,
            "sent_at": self.sent_at.isoformat() if self.sent_at else None,
        }
        return json.dumps({"words": self.words, "by": self.by, **_drop_defaults(values)})


@dataclass(frozen=True, slots=True)
class CustomerUpdateMemo:
    """An update for customers, as a person confirmed it word by word.

    `components` are ids; all of them get the status `working`. `mails`: subscribers get a mail.
    """

    status: str
    body: str
    components: tuple[str, ...]
    working: str
    mails: bool

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> "CustomerUpdateMemo":
        """Out of a form's values, or of stored JSON. Raises KeyError if one is missing."""
        return cls(values["status"], values["body"], tuple(values["components"]), values["working"], values["mails"])

    @classmethod
    def from_json(cls, text: str) -> "CustomerUpdateMemo":
        """Read a stored memo. Raises ValueError or KeyError if it is not one."""
        return cls.from_values(json.loads(text))

    def to_json(self) -> str:
        """The text to store."""
        return json.dumps(asdict(self), ensure_ascii=False)


ANEW, OVERWRITE, BACK = "anew", "overwrite", "back"
"""What people may order: another page, this page overwritten, or regions restored that people removed. Stored words."""


@dataclass(frozen=True, slots=True)
class PageNews:
    """What an attempt to write a page did, for the message about it. Regions are given by their ids.

    `taken` are regions whose text on the page was imported into the draft; in those of `open` a person has to choose;
    `gone` are regions that people removed from the page since the last message. `pictures`, `labels` and `kept` say why
    the page is without pictures, without some labels, or without our property.
    """

    is_new: bool = False
    is_changed: bool = False
    taken: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    pictures: str = ""
    labels: str = ""
    kept: str = ""


@dataclass(frozen=True, slots=True)
class PageMemo:
    """About a postmortem's page on Confluence.

    `is_masked`: people agreed to a masked copy, and the page never holds anything else. `order` and `back` (regions to
    restore) were ordered and are not done yet. `copy` counts the pages that were made. `title` is the page's title as
    we last saw it, `named` the one that we wanted. `record` is a snapshot of the page as we wrote it. About the regions
    in `gone` people were asked. `files` maps attached files to their digests. `links_at` is the count of changes
    (`Link.wanted`) at which only the links to other systems are due, which no person asked for.
    """

    is_masked: bool = False
    order: str = ""
    back: tuple[str, ...] = ()
    copy: int = 1
    title: str = ""
    named: str = ""
    record: PageSnapshot = field(default_factory=PageSnapshot)
    gone: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    news: PageNews = field(default_factory=PageNews)
    links_at: int = 0

    @classmethod
    def from_json(cls, text: str) -> "PageMemo":
        """Read a stored memo. Raises ValueError if it is not a JSON object, TypeError if it has unknown keys."""
        found: dict[str, Any] = json.loads(text or "{}")
        news = PageNews(**_with_tuples(found.pop("news", {})))
        record = read_page_record(found.pop("record", {}))
        return replace(cls(**_with_tuples(found)), record=record, news=news)

    def to_json(self) -> str:
        """The text to store."""
        return json.dumps(asdict(self), ensure_ascii=False)

    def for_another_page(self) -> "PageMemo":
        """What remains of it if another page is made."""
        return PageMemo(is_masked=self.is_masked, order=self.order, copy=self.copy + 1)


def read_page_record(found: Mapping[str, Any]) -> PageSnapshot:
    """A snapshot of a page out of what `asdict` made of it."""
    regions = {id_: RegionSnapshot(**_with_tuples(left)) for id_, left in found.get("regions", {}).items()}
    return PageSnapshot(regions, HeadSnapshot(**_with_tuples(found.get("head", {}))))


def _with_tuples(found: Mapping[str, Any]) -> dict[str, Any]:
    """The same values, with a tuple for each list of JSON."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in found.items()}


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
