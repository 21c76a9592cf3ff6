"""Walks back through a channel: claimed by one, saved by who holds them, due again after a lease."""

from dataclasses import replace

from storage import history_scan as history_scan_store
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.history_scan import HistoryScan, NewScan
from storage.queues import ScanState
from tests.support.storage.sample_records import NOW, minutes, opened


def begun(store: Store) -> HistoryScan:
    """A walk that is due now."""

    def unit(tx: Transaction) -> HistoryScan | None:
        incident = opened(tx)
        new = NewScan("T1", "C1", incident.id, "U1", NOW - minutes(120), '{"latest": "1.0"}')
        return history_scan_store.find(tx, history_scan_store.add(tx, new, NOW))

    found = store.write_now(unit)
    assert found is not None
    return found


def test_a_new_walk_is_due_at_once_and_reads_back_as_it_was_written(store: Store) -> None:
    walk = begun(store)
    assert (walk.asked_by, walk.oldest, walk.found, walk.seen, walk.state) == (
        "U1",
        NOW - minutes(120),
        "[]",
        0,
        "going",
    )
    assert store.read_now(lambda tx: history_scan_store.list_due(tx, NOW, 5)) == (walk,)
    assert store.read_now(lambda tx: history_scan_store.list_due(tx, NOW - minutes(1), 5)) == ()
    assert store.read_now(lambda tx: history_scan_store.is_running(tx, walk.incident_id))


def test_only_one_gets_a_walk_until_the_lease_ends(store: Store) -> None:
    walk = begun(store)
    held = store.write_now(lambda tx: history_scan_store.claim(tx, walk, NOW + minutes(5)))
    assert held is not None
    assert store.write_now(lambda tx: history_scan_store.claim(tx, walk, NOW + minutes(6))) is None
    assert store.read_now(lambda tx: history_scan_store.list_due(tx, NOW + minutes(4), 5)) == ()
    assert store.read_now(lambda tx: history_scan_store.list_due(tx, NOW + minutes(5), 5)) == (held,)


def test_who_lost_the_lease_writes_nothing(store: Store) -> None:
    walk = begun(store)
    first = store.write_now(lambda tx: history_scan_store.claim(tx, walk, NOW + minutes(5)))
    assert first is not None
    second = store.write_now(lambda tx: history_scan_store.claim(tx, first, NOW + minutes(10)))
    assert second is not None
    assert store.write_now(lambda tx: history_scan_store.save(tx, first, replace(first, seen=9))) is None
    saved = store.write_now(
        lambda tx: history_scan_store.save(tx, second, replace(second, seen=7, found='[{"ts": "1"}]'))
    )
    assert saved is not None
    assert store.read_now(lambda tx: history_scan_store.find(tx, walk.id)) == saved


def test_what_is_done_is_never_due_again(store: Store) -> None:
    walk = begun(store)
    store.write_now(lambda tx: history_scan_store.save(tx, walk, replace(walk, state=ScanState.DONE)))
    assert store.read_now(lambda tx: history_scan_store.list_due(tx, NOW + minutes(600), 5)) == ()
    assert not store.read_now(lambda tx: history_scan_store.is_running(tx, walk.incident_id))
    assert store.write_now(lambda tx: history_scan_store.claim(tx, walk, NOW + minutes(5))) is None
