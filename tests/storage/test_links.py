"""Sync rows: one per thing, claimed by one process, pending again after a change meanwhile."""

from dataclasses import replace

from storage import incidents as incidents_store
from storage import links as links_store
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.links import Link, LinkKey, LinkOutcome
from storage.queues import SyncState
from tests.support.storage.sample_records import NOW, PLACE, minutes, open_incident

LEASE = NOW + minutes(1)


def want_link(store: Store, subject: str = "INC-1 action 1", system: str = "jira") -> Link:
    """A link that is owed now."""

    def unit(tx: Transaction) -> Link | None:
        incident = incidents_store.find_current(tx, PLACE) or open_incident(tx)
        links_store.enqueue(tx, LinkKey("T1", system, subject, incident.id), NOW)
        return links_store.find(tx, "T1", system, subject)

    found = store.write_now(unit)
    assert found is not None
    return found


def again(store: Store, link: Link) -> Link:
    found = store.read_now(lambda tx: links_store.find(tx, link.team, link.system, link.subject))
    assert found is not None
    return found


def settle_link(**changes: object) -> LinkOutcome:
    made = LinkOutcome(
        SyncState.IN_SYNC, NOW, "OPS-1", "https://tracker.example/OPS-1", "To do", "", 0, False, "", False, NOW
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def claim_link(store: Store, link: Link, owner: str = "one") -> Link:
    store.write_now(lambda tx: links_store.claim(tx, link, owner, LEASE))
    return again(store, link)


def test_what_is_wanted_is_due_at_once_and_once(store: Store) -> None:
    first = want_link(store)
    second = want_link(store)
    assert (first.state, first.wanted, first.external_id, first.is_unsure) == (SyncState.PENDING, 1, "", False)
    assert (second.id, second.wanted) == (first.id, 2)
    assert store.write_now(lambda tx: links_store.due(tx, "jira", NOW, 9)) == (second,)
    assert store.read_now(lambda tx: links_store.due(tx, "jira", NOW - minutes(1), 9, locking=False)) == ()
    assert store.read_now(lambda tx: links_store.next_due(tx, "jira")) == NOW


def test_somebody_sends_after_the_commit(store: Store) -> None:
    def unit(tx: Transaction) -> bool:
        links_store.enqueue(tx, LinkKey("T1", "jira", "INC-1 action 1", open_incident(tx).id), NOW)
        return tx.has_enqueued

    assert store.write_now(unit)


def test_a_call_is_one_process_s_until_its_lease_ends(store: Store) -> None:
    link = claim_link(store, want_link(store))
    assert (link.state, link.attempts) == (SyncState.CALLING, 1)
    assert store.write_now(lambda tx: links_store.due(tx, "jira", NOW, 9)) == ()
    assert store.write_now(lambda tx: links_store.due(tx, "jira", LEASE, 9)) == (link,)
    assert not store.write_now(lambda tx: links_store.settle(tx, link, "another", settle_link()))
    assert store.write_now(lambda tx: links_store.settle(tx, link, "one", settle_link()))
    assert (again(store, link).state, again(store, link).external_id) == (SyncState.IN_SYNC, "OPS-1")
    assert store.read_now(lambda tx: links_store.next_due(tx, "jira")) is None


def test_a_change_during_the_call_is_owed_anew(store: Store) -> None:
    link = claim_link(store, want_link(store))
    assert want_link(store).state == SyncState.CALLING
    store.write_now(lambda tx: links_store.settle(tx, link, "one", settle_link()))
    after = again(store, link)
    assert (after.state, after.external_id, after.attempts) == (SyncState.PENDING, "OPS-1", 0)


def test_a_refusal_waits_for_a_change_or_for_somebody(store: Store) -> None:
    link = claim_link(store, want_link(store))
    store.write_now(
        lambda tx: links_store.settle(
            tx, link, "one", settle_link(state=SyncState.REJECTED, error="no such project", is_told=True)
        )
    )
    assert store.read_now(lambda tx: [one.error for one in links_store.list_failing(tx, "T1")]) == ["no such project"]
    assert store.read_now(lambda tx: links_store.list_failing(tx, "T2")) == ()
    assert store.write_now(lambda tx: links_store.retry_failing(tx, "T1", "confluence", NOW)) == 0
    assert store.write_now(lambda tx: links_store.retry_failing(tx, "T1", "jira", NOW)) == 1
    after = again(store, link)
    assert (after.state, after.attempts, after.is_told) == (SyncState.PENDING, 0, True)


def test_a_bump_touches_only_what_stands_there(store: Store) -> None:
    link = want_link(store)
    thing = LinkKey(link.team, link.system, link.subject, link.incident_id)
    assert not store.write_now(
        lambda tx: links_store.enqueue_if_known(tx, replace(thing, subject="INC-1 action 2"), NOW)
    )
    assert store.write_now(lambda tx: links_store.enqueue_if_known(tx, thing, NOW))
    assert again(store, link).wanted == 2
    leased = claim_link(store, link)
    store.write_now(
        lambda tx: links_store.settle(tx, replace(leased, wanted=2), "one", settle_link(state=SyncState.ABANDONED))
    )
    assert not store.write_now(lambda tx: links_store.enqueue_if_known(tx, thing, NOW))
    assert want_link(store).state == SyncState.PENDING  # asked for on purpose, it is wanted again


def test_what_stands_there_is_listed_and_counted(store: Store) -> None:
    link = claim_link(store, want_link(store))
    want_link(store, "INC-1 action 2")
    store.write_now(lambda tx: links_store.settle(tx, link, "one", settle_link()))
    assert [one.subject for one in store.read_now(lambda tx: links_store.list_existing(tx, "jira"))] == [
        "INC-1 action 1"
    ]
    store.write_now(lambda tx: links_store.set_status(tx, link, "Done", NOW + minutes(5)))
    found = {count.state: count for count in store.read_now(lambda tx: links_store.count_by_state(tx, "T1"))}
    assert (found[SyncState.IN_SYNC].count, found[SyncState.IN_SYNC].synced_at, found[SyncState.PENDING].count) == (
        1,
        NOW + minutes(5),
        1,
    )
    assert again(store, link).status == "Done"
    assert len(store.read_now(lambda tx: links_store.list_by_incident(tx, link.incident_id))) == 2


def test_a_decision_is_owed_at_once_but_never_into_a_call_under_way(store: Store) -> None:
    link = claim_link(store, want_link(store))
    assert not store.write_now(lambda tx: links_store.enqueue_decision(tx, link, "decided", NOW))
    assert again(store, link).memo == ""
    store.write_now(
        lambda tx: links_store.settle(tx, link, "one", settle_link(state=SyncState.REJECTED, error="no", is_told=True))
    )
    assert store.write_now(lambda tx: links_store.enqueue_decision(tx, link, "decided", NOW + minutes(1)))
    found = again(store, link)
    assert (found.state, found.memo, found.is_told, found.wanted) == (
        SyncState.PENDING,
        "decided",
        False,
        link.wanted + 1,
    )
    assert store.read_now(lambda tx: links_store.next_due(tx, "jira")) == NOW + minutes(1)
