"""Incidents on both databases."""

from dataclasses import replace
from functools import partial

import pytest

from bot.domain.records import Incident, Place, PostmortemStatus, Status
from bot.errors import NotRecorded
from storage import incidents as incidents_store
from storage.database.store import Store
from tests.support.storage.sample_records import NOW, PLACE, minutes, open_incident

ELSEWHERE = Place("T1", "C2")
ANOTHER_TEAM = Place("T2", "C1")


def resolve_incident(
    store: Store, incident: Incident, postmortem: PostmortemStatus = PostmortemStatus.OPEN
) -> Incident:
    done = replace(
        incident, status=Status.RESOLVED, resolved_by="U2", resolved_at=NOW + minutes(9), postmortem_status=postmortem
    )
    store.write_now(lambda tx: incidents_store.save(tx, done))
    return done


def test_a_new_incident_has_its_workspaces_next_key_and_nothing_nobody_said(store: Store) -> None:
    first, second, foreign = (
        store.write_now(lambda tx: open_incident(tx, PLACE)),
        store.write_now(lambda tx: open_incident(tx, ELSEWHERE)),
        store.write_now(lambda tx: open_incident(tx, ANOTHER_TEAM)),
    )
    assert (first.key, second.key, foreign.key) == ("INC-1", "INC-2", "INC-1")
    assert (first.status, first.severity, first.lead, first.opened_at) == (Status.OPEN, None, None, NOW)
    assert store.read_now(incidents_store.list_teams) == ("T1", "T2")


def test_a_channel_has_one_unresolved_incident_at_most(store: Store) -> None:
    first = store.write_now(open_incident)
    with pytest.raises(NotRecorded):
        store.write_now(open_incident)
    resolve_incident(store, first)
    assert store.write_now(open_incident).key == "INC-2"


def test_of_a_channel_the_unresolved_incident_counts_else_the_latest(store: Store) -> None:
    assert store.read_now(lambda tx: incidents_store.find_current(tx, PLACE)) is None
    first = resolve_incident(store, store.write_now(open_incident))
    second = resolve_incident(store, store.write_now(open_incident))
    assert store.read_now(lambda tx: incidents_store.find_current(tx, PLACE)) == second
    reopened = replace(first, status=Status.MITIGATED, resolved_at=None, resolved_by=None)
    store.write_now(lambda tx: incidents_store.save(tx, reopened))
    assert store.read_now(lambda tx: incidents_store.find_current(tx, PLACE)) == reopened
    assert store.write_now(lambda tx: incidents_store.find_current(tx, PLACE, locking=True)) == reopened
    assert store.read_now(lambda tx: incidents_store.find_current(tx, ANOTHER_TEAM)) is None


def test_all_that_may_change_is_saved_and_read_back(store: Store) -> None:
    changed = replace(
        store.write_now(open_incident),
        title="Checkout was down",
        status=Status.RESOLVED,
        severity=2,
        lead="U2",
        resolved_by="U3",
        resolved_at=NOW + minutes(30),
        postmortem_status=PostmortemStatus.WAIVED,
        postmortem_owner="U4",
        postmortem_reason="A drill",
        published_at=NOW + minutes(40),
        channel_name="checkout",
    )
    store.write_now(lambda tx: incidents_store.save(tx, changed))
    assert store.read_now(lambda tx: incidents_store.find(tx, changed.id)) == changed
    assert store.write_now(lambda tx: incidents_store.find(tx, changed.id, locking=True)) == changed
    assert store.read_now(lambda tx: incidents_store.find_by_number(tx, "T1", 1)) == changed


def test_an_incident_of_another_workspace_is_not_found_by_its_number(store: Store) -> None:
    store.write_now(open_incident)
    assert store.read_now(lambda tx: incidents_store.find_by_number(tx, "T2", 1)) is None
    assert store.read_now(lambda tx: incidents_store.find(tx, 99)) is None


def test_the_list_has_the_unresolved_first_and_then_the_latest(store: Store) -> None:
    resolve_incident(store, store.write_now(open_incident))
    store.write_now(open_incident)
    resolve_incident(store, store.write_now(lambda tx: open_incident(tx, ELSEWHERE)))
    store.write_now(lambda tx: open_incident(tx, ELSEWHERE))
    resolve_incident(store, store.write_now(lambda tx: open_incident(tx, Place("T1", "C3"))))
    store.write_now(lambda tx: open_incident(tx, ANOTHER_TEAM))
    numbers = [incident.number for incident in store.read_now(lambda tx: incidents_store.list_latest(tx, "T1", 10))]
    assert numbers == [4, 2, 5, 3, 1]
    assert [incident.number for incident in store.read_now(lambda tx: incidents_store.list_latest(tx, "T1", 2))] == [
        4,
        2,
    ]


@pytest.mark.parametrize(
    ("status", "postmortem", "is_taken"),
    [
        (Status.OPEN, PostmortemStatus.OPEN, True),
        (Status.MITIGATED, PostmortemStatus.PUBLISHED, True),
        (Status.RESOLVED, PostmortemStatus.OPEN, True),
        (Status.RESOLVED, PostmortemStatus.IN_REVIEW, True),
        (Status.RESOLVED, PostmortemStatus.PUBLISHED, False),
        (Status.RESOLVED, PostmortemStatus.WAIVED, False),
    ],
)
def test_an_entry_number_is_taken_until_the_postmortem_is_finished(
    store: Store, status: Status, postmortem: PostmortemStatus, is_taken: bool
) -> None:
    incident = replace(store.write_now(open_incident), status=status, postmortem_status=postmortem)
    store.write_now(lambda tx: incidents_store.save(tx, incident))
    taken = [store.write_now(lambda tx: incidents_store.take_entry_number(tx, PLACE)) for _ in range(2)]
    assert taken == ([(incident, 1), (incident, 2)] if is_taken else [None, None])


def test_without_an_incident_no_number_is_taken(store: Store) -> None:
    store.write_now(lambda tx: open_incident(tx, ANOTHER_TEAM))
    assert store.write_now(lambda tx: incidents_store.take_entry_number(tx, PLACE)) is None


def test_numbers_go_to_the_unresolved_incident_and_not_to_a_later_one(store: Store) -> None:
    first = resolve_incident(store, store.write_now(open_incident))
    resolve_incident(store, store.write_now(open_incident))
    store.write_now(lambda tx: incidents_store.save(tx, replace(first, status=Status.OPEN)))
    taken = store.write_now(lambda tx: incidents_store.take_entry_number(tx, PLACE))
    assert taken is not None
    assert taken[0].id == first.id


@pytest.mark.parametrize("counter", ["last_entry", "last_why", "last_action"])
def test_each_counter_counts_by_itself(store: Store, counter: str) -> None:
    incident = store.write_now(open_incident)
    numbers = [store.write_now(lambda tx: incidents_store.take_number(tx, incident.id, counter)) for _ in range(3)]
    assert numbers == [1, 2, 3]
    for other in {"last_entry", "last_why", "last_action"} - {counter}:
        assert store.write_now(partial(incidents_store.take_number, incident_id=incident.id, counter=other)) == 1


def test_where_the_live_message_stands_is_remembered(store: Store) -> None:
    incident = store.write_now(open_incident)
    assert store.read_now(lambda tx: incidents_store.read_live_message(tx, incident.id)) == ""
    store.write_now(lambda tx: incidents_store.save_live_message(tx, incident.id, "1700000000.000100"))
    assert store.read_now(lambda tx: incidents_store.read_live_message(tx, incident.id)) == "1700000000.000100"
