"""Credentials in the database: the texts that may quote one, and how one leaves the database's files.

Every version of every text of the record is one list, in which the same credential is found in other incidents.
"""

import logging
import re
import time
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import CompoundSelect, Table, Text, bindparam, cast, literal_column, or_, select, union_all, update
from sqlalchemy.sql import ColumnElement

from bot.domain.records import Incident
from bot.domain.secrets import RecordKind, RecordRef, SecretLocation, SecretWording
from storage import incidents as incidents_store
from storage.database.drivers import DATABASE_ERRORS, SqliteDriver
from storage.database.statements import Statement, Transaction, table_of
from storage.database.store import Store
from storage.tables.queues import AlertEventRow, AlertRow, DeliveryRow, InboxRow, LinkRow, LookbackRow
from storage.tables.record import (
    ActionRow,
    AttachmentRow,
    EntryRow,
    EntryVersionRow,
    IncidentRow,
    KeptRegionRow,
    SectionRow,
    WhyRow,
    WhyVersionRow,
)

log = logging.getLogger(__name__)

_entry, _version = table_of(EntryRow), table_of(EntryVersionRow)
_kept = table_of(KeptRegionRow)
_incident, _action, _section = table_of(IncidentRow), table_of(ActionRow), table_of(SectionRow)
_why, _why_version = table_of(WhyRow), table_of(WhyVersionRow)
_inbox, _delivery, _lookback = table_of(InboxRow), table_of(DeliveryRow), table_of(LookbackRow)
_attachment, _link = table_of(AttachmentRow), table_of(LinkRow)
_alert, _alert_event = table_of(AlertRow), table_of(AlertEventRow)

_RUN = re.compile("[A-Za-z0-9]+")
_MARK_LENGTH = 8
_WIPE_TRIES = 20
_WIPE_PAUSE = 0.05

MOST = 1_000
"""Texts that one search finds, those of the latest incidents first."""


def choose_mark(secret: str) -> str:
    """The longest piece of a credential that none of our encodings changes, so every copy contains it."""
    runs: list[str] = _RUN.findall(secret)
    return max(runs, key=len, default="")[:_MARK_LENGTH]


@dataclass(frozen=True, slots=True)
class SecretCopy:
    """A text that contains a mark. `place` is where it is; in `inbox`, `delivery`, `lookback` and `link` it is JSON.

    In `kept` it is Markdown, which may have escapes inside the credential.
    """

    place: str
    key: int | str
    text: str


@dataclass(frozen=True, slots=True)
class SearchScope:
    """Where to look: one incident, and if `since` is given, the messages of its workspace from then on."""

    incident_id: int
    team: str = ""
    since: datetime | None = None


class _Texts:
    """One column that may quote the record."""

    def __init__(self, table: Table, text: str, *within: ColumnElement[bool], key: str = "id") -> None:
        held, identity = table.c[text], table.c[key]
        quotes = held.contains(bindparam("mark"))
        self.find = Statement(select(identity, held).where(quotes, *within).order_by(identity))
        words = {text: bindparam("new_text", type_=held.type)}
        self.write = Statement(update(table).where(identity == bindparam("row_key")).values(words))


_told_of_it = _alert_event.c.alert_id.in_(select(_alert.c.id).where(_alert.c.incident_id == bindparam("incident_id")))
_PLACES = {
    "attachment": _Texts(
        _attachment,
        "name",
        _attachment.c.entry_id.in_(select(_entry.c.id).where(_entry.c.incident_id == bindparam("incident_id"))),
    ),
    "alert": _Texts(_alert, "title", _alert.c.incident_id == bindparam("incident_id")),
    "alert_link": _Texts(_alert, "link", _alert.c.incident_id == bindparam("incident_id")),
    "alert_event": _Texts(_alert_event, "title", _told_of_it),
    "alert_event_link": _Texts(_alert_event, "link", _told_of_it),
    # Text that waits to be sent. Other memos hold what was sent: they must differ from the record until the next send.
    "link": _Texts(
        _link,
        "memo",
        _link.c.incident_id == bindparam("incident_id"),
        or_(_link.c.system == "statuspage", _link.c.system == "paging"),
    ),
    "kept": _Texts(_kept, "markdown", _kept.c.incident_id == bindparam("incident_id")),
    "lookback": _Texts(_lookback, "found", _lookback.c.incident_id == bindparam("incident_id")),
    "delivery": _Texts(_delivery, "body", _delivery.c.team == bindparam("team")),
    "inbox": _Texts(_inbox, "reply", _inbox.c.received_at >= bindparam("since"), key="key"),
}
_SCOPE = {"delivery": ("team",), "inbox": ("since",)}
_ENTRIES = Statement(
    select(_entry.c.number)
    .distinct()
    .join_from(_entry, _version, _version.c.entry_id == _entry.c.id)
    .where(_entry.c.incident_id == bindparam("incident_id"), _version.c.text.contains(bindparam("mark")))
    .order_by(_entry.c.number)
)


def _is(noun: RecordKind) -> ColumnElement[str]:
    return literal_column(f"'{noun}'", Text).label("noun")


def _part(number: int) -> ColumnElement[int]:
    return literal_column(str(number)).label("part")


def _every() -> CompoundSelect[tuple[int, str, str, int, str]]:
    of_entries = select(
        _entry.c.incident_id,
        _is(RecordKind.ENTRY),
        cast(_entry.c.number, Text).label("which"),
        _version.c.version.label("part"),
        _version.c.text.label("text"),
    ).join_from(_entry, _version, _version.c.entry_id == _entry.c.id)
    of_whys = select(
        _why.c.incident_id, _is(RecordKind.WHY), cast(_why.c.number, Text), _why_version.c.version, _why_version.c.text
    ).join_from(_why, _why_version, _why_version.c.why_id == _why.c.id)
    of_sections = select(
        _section.c.incident_id, _is(RecordKind.SECTION), _section.c.section, _section.c.version, _section.c.text
    )
    of_drafts = select(_kept.c.incident_id, _is(RecordKind.DRAFT), _kept.c.section, _kept.c.version, _kept.c.markdown)
    of_actions = [
        select(_action.c.incident_id, _is(RecordKind.ACTION), cast(_action.c.number, Text), _part(at), _action.c[text])
        for at, text in enumerate(("text", "link", "reason"))
    ]
    of_titles = [
        select(_incident.c.id, _is(RecordKind.TITLE), literal_column("''", Text), _part(at), _incident.c[text])
        for at, text in enumerate(("title", "postmortem_reason"))
    ]
    return union_all(of_entries, of_whys, of_sections, of_drafts, *of_actions, *of_titles)


_wording = _every().subquery("wording")
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


def list_entries(tx: Transaction, incident_id: int, mark: str) -> tuple[int, ...]:
    """The numbers of the entries, struck or not, that may quote it in any of their wordings."""
    return tuple(row[0] for row in tx.rows(_ENTRIES, incident_id=incident_id, mark=mark))


def list_copies(tx: Transaction, reach: SearchScope, mark: str) -> tuple[SecretCopy, ...]:
    """Every other text that may quote it: alert entries, texts for other systems, drafts, stored replies."""
    scope = {"incident_id": reach.incident_id, "team": reach.team, "since": reach.since}
    return tuple(
        SecretCopy(place, key, text)
        for place, texts in _PLACES.items()
        if place not in _SCOPE or reach.since is not None
        for key, text in tx.rows(
            texts.find, mark=mark, **{name: scope[name] for name in _SCOPE.get(place, ("incident_id",))}
        )
    )


def rewrite(tx: Transaction, copy: SecretCopy, text: str) -> None:
    """Replace the text of a copy."""
    tx.run(_PLACES[copy.place].write, row_key=copy.key, new_text=text)


def wipe(store: Store) -> bool:
    """Remove overwritten text from SQLite's files as well; whether that worked. Blocks for a second at most.

    Pages are zeroed when they are freed (secure_delete), but the write-ahead log keeps the old text until it is
    truncated, which needs a moment without readers and writers. PostgreSQL removes it in its own time (VACUUM).
    """
    if not isinstance(store.driver, SqliteDriver):
        return True
    connection = store.driver.connect(reading=True)
    try:
        # Waiting for readers inside the checkpoint would hold the lock that the writer needs.
        connection.execute("PRAGMA busy_timeout = 0")
        for _ in range(_WIPE_TRIES):
            if _emptied_log(connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()):
                return True
            time.sleep(_WIPE_PAUSE)
    except DATABASE_ERRORS as error:
        log.warning("the write-ahead log could not be emptied: %s", type(error).__name__)
    finally:
        connection.close()
    return False


def _emptied_log(answer: list[tuple[int, int, int]]) -> bool:
    """SQLite's answer is (busy, pages in the log, pages moved)."""
    return answer[0][0] == 0


def find_in_other_incidents(
    tx: Transaction, incident: Incident, mark: str
) -> tuple[tuple[Incident, tuple[SecretWording, ...]], ...]:
    """The wordings of the workspace's other incidents that may hold a mark, which is letters and digits only."""
    found: dict[int, list[SecretWording]] = {}
    for row in tx.rows(_FIND, team=incident.team, but=incident.id, mark=mark, most=MOST):
        found.setdefault(row[0], []).append(SecretWording(RecordRef(RecordKind(row[1]), row[2]), row[3], row[4]))
    others = ((incidents_store.find(tx, other), wordings) for other, wordings in found.items())
    return tuple((other, tuple(wordings)) for other, wordings in others if other is not None)


def read_text(tx: Transaction, incident_id: int, spot: SecretLocation) -> str:
    """The whole text at a location; empty if there is none."""
    subject = spot.subject
    return (
        tx.one(str, _ONE, of_incident=incident_id, of_noun=str(subject.noun), of_which=subject.which, of_part=spot.part)
        or ""
    )
