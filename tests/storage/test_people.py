"""Home tabs: who looks at theirs, and whose shows something of an incident."""

from dataclasses import replace
from datetime import timedelta

from storage import actions as actions_store
from storage import incidents as incidents_store
from storage import people as people_store
from storage.actions import NewAction
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.people import HomeTab
from tests.support.storage.sample_records import NOW, open_incident

WEEK = timedelta(days=7)


def look_at_tabs(tx: Transaction) -> None:
    """Four people, who opened theirs an hour apart, U1 last."""
    for hours, person in enumerate(("U1", "U2", "U3", "U4")):
        people_store.save_tab_opened(tx, "T1", person, NOW - timedelta(hours=hours))
    people_store.save_tab_opened(tx, "T2", "U9", NOW)


def test_an_opening_begins_at_the_first_pages_and_keeps_what_was_shown(store: Store) -> None:
    def unit(tx: Transaction) -> tuple[HomeTab | None, HomeTab | None, HomeTab | None]:
        people_store.save_tab_opened(tx, "T1", "U1", NOW)
        people_store.save_tab_page(tx, "T1", "U1", "actions_from", 40)
        people_store.save_tab_page(tx, "T1", "U1", "postmortems_from", 10)
        people_store.save_tab_shown(tx, "T1", "U1", "hash", frozenset({3}))
        before = people_store.find_tab(tx, "T1", "U1")
        people_store.save_tab_opened(tx, "T1", "U1", NOW + WEEK)
        return before, people_store.find_tab(tx, "T1", "U1"), people_store.find_tab(tx, "T2", "U1")

    before, after, unknown = store.write_now(unit)
    assert before == HomeTab("T1", "U1", NOW, "hash", 40, 10)
    assert after == HomeTab("T1", "U1", NOW + WEEK, "hash", 0, 0)
    assert unknown is None


def test_the_latest_to_look_come_first_and_only_so_many(store: Store) -> None:
    store.write_now(look_at_tabs)
    found = store.read_now(lambda tx: people_store.list_recent_tabs(tx, "T1", NOW - timedelta(hours=2), 2))
    assert found == (("T1", "U1"), ("T1", "U2"))
    assert len(store.read_now(lambda tx: people_store.list_recent_tabs(tx, "T1", NOW - timedelta(hours=2), 9))) == 3


def test_those_who_owe_something_of_an_incident_are_found_and_those_who_are_shown_to(store: Store) -> None:
    def unit(tx: Transaction) -> list[tuple[tuple[str, str], ...]]:
        look_at_tabs(tx)
        incident = open_incident(tx)
        found = [people_store.list_affected_tabs(tx, "T1", NOW - WEEK, incident.id)]
        incidents_store.save(tx, replace(incident, lead="U4"))
        found.append(people_store.list_affected_tabs(tx, "T1", NOW - WEEK, incident.id))
        actions_store.add(tx, incident.id, NewAction("add a load test", "U2", None, None, "", "U1", NOW))
        actions_store.add(tx, incident.id, NewAction("nobody's yet", None, None, None, "", "U1", NOW))
        found.append(people_store.list_affected_tabs(tx, "T1", NOW - WEEK, incident.id))
        incidents_store.save(tx, replace(incident, postmortem_owner="U1"))
        people_store.save_tab_shown(tx, "T1", "U4", "hash", frozenset({incident.id + 10, incident.id}))
        people_store.save_tab_shown(tx, "T1", "U3", "hash", frozenset({incident.id + 10}))  # 11 is not 1
        found.append(people_store.list_affected_tabs(tx, "T1", NOW - WEEK, incident.id))
        return [
            *found,
            people_store.list_affected_tabs(tx, "T2", NOW - WEEK, incident.id),
            people_store.list_affected_tabs(tx, "T1", NOW + WEEK, incident.id),
        ]

    found = [[person for _, person in each] for each in store.write_now(unit)]
    assert found == [[], ["U4"], ["U2", "U4"], ["U1", "U2", "U4"], [], []]
