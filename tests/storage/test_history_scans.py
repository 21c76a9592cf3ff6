"""Scans of a channel's history: claimed by one, saved by who holds the lease, due again after it."""

import json
from dataclasses import replace
from datetime import datetime

from sqlalchemy import update

from bot.domain.similarity import Proposal, ProposalReason
from storage import history_scan as history_scan_store
from storage import secrets as secrets_store
from storage.database.statements import Statement, Transaction, table_of
from storage.database.store import Store
from storage.history_scan import HistoryScan, NewScan, ScanCursor
from storage.queues import ScanState
from storage.secrets import SearchScope
from storage.tables.queues import LookbackRow
from tests.support.storage.sample_records import NOW, minutes, open_incident

FOUND = Proposal(
    "1.5", "", "U1", "failed over", NOW, None, approximate=False, reason=ProposalReason.TIME,
    files=(("a.png", "image/png", 9, "https://files.slack.com/a"),), named=(NOW - minutes(4),),
)  # fmt: skip


def begun(store: Store) -> HistoryScan:
    """A scan that is due now."""

    def unit(tx: Transaction) -> HistoryScan | None:
        incident = open_incident(tx)
        new = NewScan("T1", "C1", incident.id, "U1", NOW - minutes(120), ScanCursor("1.0", "A1"))
        return history_scan_store.find(tx, history_scan_store.add(tx, new, NOW))

    found = store.write_now(unit)
    assert found is not None
    return found


def claim(store: Store, owner: str, now: datetime = NOW) -> tuple[HistoryScan, ...]:
    claimed: tuple[HistoryScan, ...] = store.write_now(
        lambda tx: history_scan_store.claim(tx, owner, now, now + minutes(5), 5)
    )
    return claimed


def store_scan(store: Store, scan: HistoryScan) -> HistoryScan:
    found = store.read_now(lambda tx: history_scan_store.find(tx, scan.id))
    assert found is not None
    return found


def test_a_new_scan_is_due_at_once_and_reads_back_as_it_was_written(store: Store) -> None:
    scan = begun(store)
    assert (scan.asked_by, scan.oldest, scan.found, scan.seen, scan.state) == (
        "U1",
        NOW - minutes(120),
        (),
        0,
        "going",
    )
    assert scan.cursor == ScanCursor("1.0", "A1")
    assert store.read_now(history_scan_store.next_due) == NOW
    assert claim(store, "one", NOW - minutes(1)) == ()
    assert claim(store, "one") == (scan,)
    assert store.read_now(lambda tx: history_scan_store.is_running(tx, scan.incident_id))


def test_only_one_gets_a_scan_until_the_lease_ends(store: Store) -> None:
    scan = begun(store)
    assert len(claim(store, "one")) == 1
    assert claim(store, "two") == ()
    assert claim(store, "two", NOW + minutes(4)) == ()
    assert claim(store, "two", NOW + minutes(5)) == (replace(scan, due_at=NOW + minutes(5)),)


def test_who_lost_the_lease_writes_nothing(store: Store) -> None:
    begun(store)
    (first,) = claim(store, "one")
    (second,) = claim(store, "two", NOW + minutes(5))
    assert store.write_now(lambda tx: history_scan_store.save_page(tx, replace(first, seen=9), "one", ())) is None
    assert not store.write_now(lambda tx: history_scan_store.settle(tx, first, "one"))
    further = replace(second, seen=7, cursor=replace(second.cursor, latest="0.5", threads=("0.7",)))
    saved = store.write_now(lambda tx: history_scan_store.save_page(tx, further, "two", [FOUND]))
    assert saved == replace(further, found=(FOUND,))
    assert store_scan(store, second) == replace(saved, due_at=NOW + minutes(10))


def test_a_page_does_not_bring_back_what_was_redacted_meanwhile(store: Store) -> None:
    begun(store)
    (scan,) = claim(store, "one")
    saved = store.write_now(lambda tx: history_scan_store.save_page(tx, scan, "one", [FOUND, FOUND]))
    assert saved is not None
    assert saved.found == (FOUND,)

    def redact(tx: Transaction) -> None:
        (copy,) = secrets_store.list_copies(tx, SearchScope(scan.incident_id), FOUND.text)
        secrets_store.rewrite(tx, copy, copy.text.replace(FOUND.text, "[redacted]"))

    store.write_now(redact)
    store.write_now(lambda tx: history_scan_store.save_page(tx, scan, "one", [replace(FOUND, ts="1.6")]))
    assert [one.text for one in store_scan(store, scan).found] == ["[redacted]", FOUND.text]


def test_a_row_of_an_older_version_is_read(store: Store) -> None:
    scan = begun(store)
    files = [["a.png", "image/png", 9, "https://files.slack.com/a"]]
    old: dict[str, object] = {
        "ts": "1.5",
        "thread": "",
        "author": "U1",
        "text": "failed over",
        "at": NOW.isoformat(),
        "end": "",
    }
    old |= {"approximate": False, "reason": "time", "files": files}
    cursor = {"latest": "1.0", "app": "A1", "home": "", "threads": ["0.5"], "behind": "0.6", "tries": 2}
    write = Statement(update(table_of(LookbackRow)).values(cursor=json.dumps(cursor), found=json.dumps([old])))
    store.write_now(lambda tx: tx.run(write))
    found = store_scan(store, scan)
    assert found.cursor == ScanCursor("1.0", "A1", threads=("0.5",), behind="0.6", tries=2)
    assert found.found == (replace(FOUND, named=()),)


def test_what_is_done_is_never_due_again(store: Store) -> None:
    begun(store)
    (scan,) = claim(store, "one")
    assert store.write_now(lambda tx: history_scan_store.settle(tx, replace(scan, state=ScanState.DONE), "one"))
    assert claim(store, "one", NOW + minutes(600)) == ()
    assert not store.read_now(lambda tx: history_scan_store.is_running(tx, scan.incident_id))
