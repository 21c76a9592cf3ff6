"""Credentials in the database: finding the texts that may contain one, and removing one from the database's files.

The versions of all texts of the record form one list, in which a credential is searched for in other incidents.
"""

import logging
import re
import time
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    CompoundSelect,
    Table,
    Text,
    bindparam,
    cast,
    delete,
    func,
    literal_column,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.sql import ColumnElement

from bot.domain.records import Incident, System
from bot.domain.secrets import RecordKind, RecordRef, SecretLocation, SecretWording
from storage import incidents as incidents_store
from storage.database.drivers import SqliteDriver, database_errors
from storage.database.statements import Statement, Transaction, table_of, values_of
from storage.database.store import Store
from storage.tables.queues import AlertEventRow, AlertRow, DeliveryRow, InboxRow, LinkRow, LookbackRow
from storage.tables.record import (
    ActionRow,
    AttachmentRow,
    EntryRow,
    EntryVersionRow,
    FacetRow,
    IncidentRow,
    KeptRegionRow,
    ReviewerRow,
    SectionRow,
    WhyRow,
    WhyVersionRow,
)

log = logging.getLogger(__name__)

_entry, _version = table_of(EntryRow), table_of(EntryVersionRow)
_edit = table_of(KeptRegionRow)
_incident, _action, _section = table_of(IncidentRow), table_of(ActionRow), table_of(SectionRow)
_reviewer = table_of(ReviewerRow)
_why, _why_version = table_of(WhyRow), table_of(WhyVersionRow)
_inbox, _delivery, _lookback = table_of(InboxRow), table_of(DeliveryRow), table_of(LookbackRow)
_attachment, _link = table_of(AttachmentRow), table_of(LinkRow)
_facet = table_of(FacetRow)
_alert, _alert_event = table_of(AlertRow), table_of(AlertEventRow)

_WORD = re.compile("[A-Za-z0-9]+")
_MARK_LENGTH = 8
# A second in all: the person who pressed [Redact] waits for the answer.
_WIPE_TRIES = 20
_WIPE_PAUSE = 0.05

MOST = 1_000
"""The limit of one search, the latest incidents first: it runs in a unit, and a slow one delays all others."""


def choose_mark(secret: str) -> str:
    """The longest run of letters and digits in a credential, cut to 8.

    JSON, Markdown and URLs leave those characters as they are, so every copy contains it and one search finds them all.
    """
    words: list[str] = _WORD.findall(secret)
    return max(words, key=len, default="")[:_MARK_LENGTH]


@dataclass(frozen=True, slots=True)
class SecretCopy:
    """A text that contains a mark; `place` is a key of `_PLACES`.

    It is JSON in `inbox`, `delivery`, `lookback` and `link`, and Markdown in `kept`; both may escape parts of it.
    """

    place: str
    key: int | str
    text: str


@dataclass(frozen=True, slots=True)
class SearchScope:
    """Where to look: in one incident, and if `since` is given, also in the workspace's messages and later replies."""

    incident_id: int
    team: str = ""
    since: datetime | None = None


class _CopyColumn:
    """A column that may quote the record."""

    def __init__(self, table: Table, text: str, *within: ColumnElement[bool], key: str = "id") -> None:
        column, identity = table.c[text], table.c[key]
        quotes = column.contains(bindparam("mark"))
        self.find = Statement(select(identity, column).where(quotes, *within).order_by(identity))
        new = {text: bindparam("new_text", type_=column.type)}
        self.write = Statement(update(table).where(identity == bindparam("row_key")).values(new))


class _NameColumn(_CopyColumn):
    """Names of services and tags: one with such words goes altogether, since what is left of it would be no name."""

    def __init__(self) -> None:
        super().__init__(_facet, "name", _facet.c.incident_id == bindparam("incident_id"))
        alike = func.lower(_facet.c.name).contains(func.lower(bindparam("mark", type_=Text)))
        within = _facet.c.incident_id == bindparam("incident_id")
        self.find = Statement(select(_facet.c.id, _facet.c.name).where(alike, within).order_by(_facet.c.id))
        self.write = Statement(delete(_facet).where(_facet.c.id == bindparam("row_key")))


_of_its_alerts = _alert_event.c.alert_id.in_(
    select(_alert.c.id).where(_alert.c.incident_id == bindparam("incident_id"))
)
_PLACES = {
    "attachment": _CopyColumn(
        _attachment,
        "name",
        _attachment.c.entry_id.in_(select(_entry.c.id).where(_entry.c.incident_id == bindparam("incident_id"))),
    ),
    "facet": _NameColumn(),
    "alert": _CopyColumn(_alert, "title", _alert.c.incident_id == bindparam("incident_id")),
    "alert_link": _CopyColumn(_alert, "link", _alert.c.incident_id == bindparam("incident_id")),
    "alert_event": _CopyColumn(_alert_event, "title", _of_its_alerts),
    "alert_event_link": _CopyColumn(_alert_event, "link", _of_its_alerts),
    # These memos are text that waits to be sent. Those of other systems say what was sent last. They must differ from
    # the redacted record, so that it is sent again.
    "link": _CopyColumn(
        _link,
        "memo",
        _link.c.incident_id == bindparam("incident_id"),
        or_(_link.c.system == System.STATUSPAGE, _link.c.system == System.PAGING),
    ),
    "kept": _CopyColumn(_edit, "markdown", _edit.c.incident_id == bindparam("incident_id")),
    "lookback": _CopyColumn(_lookback, "found", _lookback.c.incident_id == bindparam("incident_id")),
    "delivery": _CopyColumn(_delivery, "body", _delivery.c.team == bindparam("team")),
    "inbox": _CopyColumn(_inbox, "reply", _inbox.c.received_at >= bindparam("since"), key="key"),
}
# The parameters of each place. The inbox has no workspace and no incident: its keys are those of requests.
_SCOPE = {"delivery": ("team",), "inbox": ("since",)}
_ENTRIES = Statement(
    select(_entry.c.number)
    .distinct()
    .join_from(_entry, _version, _version.c.entry_id == _entry.c.id)
    .where(_entry.c.incident_id == bindparam("incident_id"), _version.c.text.contains(bindparam("mark")))
    .order_by(_entry.c.number)
)


def _kind(kind: RecordKind) -> ColumnElement[str]:
    return literal_column(f"'{kind}'", Text).label("noun")


def _part(number: int) -> ColumnElement[int]:
    return literal_column(str(number)).label("part")


def _select_wordings() -> CompoundSelect[tuple[int, str, str, int, str]]:
    of_entries = select(
        _entry.c.incident_id,
        _kind(RecordKind.ENTRY),
        cast(_entry.c.number, Text).label("which"),
        _version.c.version.label("part"),
        _version.c.text.label("text"),
    ).join_from(_entry, _version, _version.c.entry_id == _entry.c.id)
    of_whys = select(
        _why.c.incident_id,
        _kind(RecordKind.WHY),
        cast(_why.c.number, Text),
        _why_version.c.version,
        _why_version.c.text,
    ).join_from(_why, _why_version, _why_version.c.why_id == _why.c.id)
    of_sections = select(
        _section.c.incident_id, _kind(RecordKind.SECTION), _section.c.section, _section.c.version, _section.c.text
    )
    of_drafts = select(_edit.c.incident_id, _kind(RecordKind.DRAFT), _edit.c.section, _edit.c.version, _edit.c.markdown)
    of_actions = [
        select(
            _action.c.incident_id, _kind(RecordKind.ACTION), cast(_action.c.number, Text), _part(at), _action.c[text]
        )
        for at, text in enumerate(("text", "link", "reason"))
    ]
    of_reviews = select(
        _reviewer.c.incident_id, _kind(RecordKind.REVIEW), _reviewer.c.user, _part(0), _reviewer.c.words
    )
    of_titles = [
        select(_incident.c.id, _kind(RecordKind.TITLE), literal_column("''", Text), _part(at), _incident.c[text])
        for at, text in enumerate(("title", "postmortem_reason"))
    ]
    return union_all(of_entries, of_whys, of_sections, of_drafts, of_reviews, *of_actions, *of_titles)


_wording = _select_wordings().subquery("wording")
_FIND = Statement(
    select(*_wording.c)
    .join_from(_wording, _incident, _incident.c.id == _wording.c.incident_id)
    .where(
        _incident.c.team == bindparam("team"),
        _incident.c.id != bindparam("but"),
        _wording.c.text.contains(bindparam("mark")),
    )
    .order_by(_incident.c.number.desc(), _wording.c.noun, _wording.c.which, _wording.c.part.desc())
    .limit(bindparam("most"))
)
_ONE = Statement(
    select(_wording.c.text).where(
        _wording.c.incident_id == bindparam("of_incident"),
        _wording.c.noun == bindparam("of_noun"),
        _wording.c.which == bindparam("of_which"),
        _wording.c.part == bindparam("of_part"),
    )
)

_TEXTS = Statement(
    select(_wording.c.text).where(
        _wording.c.incident_id == bindparam("of_incident"),
        _wording.c.noun == bindparam("of_noun"),
        _wording.c.which == bindparam("of_which"),
    )
)


def list_entries(tx: Transaction, incident_id: int, mark: str) -> tuple[int, ...]:
    """The numbers of the entries, struck or not, of which any version contains a mark."""
    return tx.all(int, _ENTRIES, incident_id=incident_id, mark=mark)


def list_copies(tx: Transaction, reach: SearchScope, mark: str) -> tuple[SecretCopy, ...]:
    """Every other text that contains a mark: of alerts, edited drafts, texts for other systems, messages, replies."""
    scope = values_of(reach)
    return tuple(
        SecretCopy(place, key, text)
        for place, column in _PLACES.items()
        # Messages and replies are searched only when the whole workspace is in scope; in other incidents the person
        # chooses.
        if place not in _SCOPE or reach.since is not None
        for key, text in tx.rows(
            column.find, mark=mark, **{name: scope[name] for name in _SCOPE.get(place, ("incident_id",))}
        )
    )


def rewrite(tx: Transaction, copy: SecretCopy, text: str) -> None:
    """Replace the text of a copy."""
    tx.run(_PLACES[copy.place].write, row_key=copy.key, new_text=text)


def wipe(store: Store) -> bool:
    """Remove overwritten text from SQLite's files as well; whether that worked. Blocks for a second at most.

    PostgreSQL's VACUUM does so automatically.
    """
    if not isinstance(store.driver, SqliteDriver):
        return True
    # `secure_delete` overwrites the pages of the main file, but the write-ahead log has the old ones until it is
    # truncated, and that needs a moment without readers and writers.
    connection = store.driver.connect(reading=True)
    try:
        # A checkpoint that waits for readers keeps the lock that the writer needs, so we wait between attempts instead.
        connection.execute("PRAGMA busy_timeout = 0")
        for _ in range(_WIPE_TRIES):
            is_busy, _pages, _moved = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()[0]
            if not is_busy:
                return True
            time.sleep(_WIPE_PAUSE)
    except database_errors() as error:
        log.warning(
            "The database's -wal file couldn't be emptied after a redaction (%(cause)s). It's emptied when the bot "
            "stops.",
            {"event": "wal_not_emptied", "cause": type(error).__name__},
        )
    finally:
        connection.close()
    return False


def find_in_other_incidents(
    tx: Transaction, incident: Incident, mark: str
) -> tuple[tuple[Incident, tuple[SecretWording, ...]], ...]:
    """The wordings of the workspace's other incidents that contain a mark."""
    by_incident: dict[int, list[SecretWording]] = {}
    for incident_id, kind, which, part, text in tx.rows(
        _FIND, team=incident.team, but=incident.id, mark=mark, most=MOST
    ):
        by_incident.setdefault(incident_id, []).append(SecretWording(RecordRef(RecordKind(kind), which), part, text))
    others = ((incidents_store.find(tx, other), wordings) for other, wordings in by_incident.items())
    return tuple((other, tuple(wordings)) for other, wordings in others if other is not None)


def read_text(tx: Transaction, incident_id: int, location: SecretLocation) -> str:
    """The whole text at a location; empty if there is none."""
    ref = location.subject
    kind = str(ref.kind)
    return tx.one(str, _ONE, of_incident=incident_id, of_noun=kind, of_which=ref.which, of_part=location.part) or ""


def list_texts(tx: Transaction, incident_id: int, subject: RecordRef) -> tuple[str, ...]:
    """Every version of a record's text."""
    return tx.all(str, _TEXTS, of_incident=incident_id, of_noun=str(subject.kind), of_which=subject.which)
