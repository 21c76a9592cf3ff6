"""What is done at every `/timeline` and at every tick goes through indexes, so it costs the same after years."""

import re
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Dialect

from bot.domain.alerts.groups import Alert, AlertStatus, GroupState
from bot.domain.facets import FacetKind, FacetName
from bot.domain.numbers import Selection, read_period
from bot.domain.readers import Sight
from bot.domain.records import EditOrigin, Milestone, Person, Place
from bot.domain.reminders import ReminderState
from storage import actions as actions_store
from storage import alerts as alerts_store
from storage import attachments as attachments_store
from storage import audit as audit_store
from storage import case as case_store
from storage import deliveries as deliveries_store
from storage import facets as facets_store
from storage import history_scan as history_scan_store
from storage import incidents as incidents_store
from storage import links as links_store
from storage import numbers as numbers_store
from storage import people as people_store
from storage import reminders as reminders_store
from storage import search as search_store
from storage import timeline as timeline_store
from storage.database.statements import Cursor, DriverConnection, Statement, Transaction
from storage.database.store import Store, open_store
from storage.deliveries import NewDelivery, SendOutcome
from storage.history_scan import NewScan, ScanCursor
from storage.postmortem import sections as sections_store
from storage.postmortem.sections import NewEdit
from storage.queues import DeliveryKind, DeliveryState
from storage.search import SearchQuery
from storage.timeline import Anchor, EntryRange
from tests.support.storage.sample_records import NOW, PLACE, entry, noting, open_incident, record_entry
from tests.support.timeouts import PATIENT

# Their indexes hold only what is still to be done, and all of it is wanted.
PARTIAL = ("ix_delivery_due", "ix_delivery_recipient", "ix_reminder_due", "ix_lookback_going", "ix_attachment_wanted")
LOOKED_UP = re.compile(
    r"SCAN recall_words VIRTUAL TABLE INDEX \d+:M"  # words in the index of words
    r"|SCAN \w+ VIRTUAL TABLE INDEX 1:|SCAN \(subquery-\d+\)"  # a list given as JSON; what another step found
    r"|SCAN latest"  # the entries that another step found
    r"|SCAN CONSTANT ROW"  # one row without a table
)
"""Steps that SQLite calls scans and that read no more than what is wanted."""


def a_timeline_command(tx: Transaction) -> None:
    deliveries_store.find_reply(tx, "key")
    taken = incidents_store.take_entry_number(tx, PLACE)
    assert taken is not None
    incident, number = taken
    timeline_store.add_new(tx, PLACE, entry(), 16, NOW - timedelta(seconds=10))
    timeline_store.find_repeat(tx, incident.id, entry(), number - 16, NOW - timedelta(seconds=10))
    deliveries_store.store_reply(tx, "key", "Recorded", NOW)


def a_look_at_the_timeline(tx: Transaction) -> None:
    incidents_store.find_current(tx, PLACE)
    incidents_store.find_by_number(tx, "T1", 1)
    timeline_store.list_latest(tx, 1, 5)
    timeline_store.list_human(tx, 1, 3)
    timeline_store.list_changes(tx, 1, 3)
    timeline_store.list_marking(tx, 1)
    audit_store.list_latest(tx, 1, 20)
    timeline_store.find_last_by(tx, 1, "U1")
    timeline_store.find_by_number(tx, 1, 1)
    timeline_store.list_versions(tx, 1)


def a_look_at_services(tx: Transaction) -> None:
    sight, kind = Sight("T1", public=True, channels=frozenset({"C1"})), FacetKind.SERVICE
    facets_store.list_by_incident(tx, 1)
    facets_store.list_by_incidents(tx, [1, 2])
    facets_store.find_spelling(tx, kind, "checkout", sight)
    facets_store.list_spellings(tx, kind, ("checkout", "search"), sight)
    facets_store.list_incidents(tx, "T1", [FacetName(kind, "checkout"), FacetName(FacetKind.TAG, "pool")], 25)


def a_tick(tx: Transaction) -> None:
    for reminder in reminders_store.due(tx, NOW, 50):
        reminders_store.settle(tx, reminder, ReminderState.SENT, "", NOW)
    reminders_store.cancel(tx, 1, "published", NOW)
    timeline_store.find_latest_recorded(tx, 1)
    deliveries_store.enqueue(tx, NewDelivery("T1", DeliveryKind.MESSAGE, "C1", "{}", NOW))
    for delivery in deliveries_store.due(tx, NOW, 50):
        assert deliveries_store.is_next(tx, delivery, NOW)
        deliveries_store.claim(tx, delivery, "us", NOW, NOW)
        deliveries_store.settle(tx, delivery, "us", SendOutcome(DeliveryState.SENT, NOW))
    deliveries_store.next_due(tx)
    deliveries_store.count_waiting(tx)
    deliveries_store.list_by_reminder(tx, 1)
    deliveries_store.find(tx, 1)
    deliveries_store.find_latest_prompt(tx, 1)
    deliveries_store.is_whys_thread_waiting(tx, 1)
    for team, owner in (*actions_store.list_overdue_owners(tx, NOW), ("T1", "U1")):
        actions_store.list_overdue_of(tx, team, owner, NOW)
    actions_store.list_long_overdue(tx, NOW)
    deliveries_store.prune_replies(tx, NOW)
    alert = Alert("alertmanager", "group", "a", "event", "Down", AlertStatus.FIRING, NOW, NOW)
    alerts_store.add_waiting_end(tx, "T1", replace(alert, status=AlertStatus.RESOLVED, event="end"), NOW)
    alerts_store.add_event(tx, alerts_store.begin(tx, "T1", "C1", alert, NOW, NOW), alert, NOW)
    alerts_store.save(
        tx, replace(alerts_store.begin(tx, "T1", "C2", alert, NOW + timedelta(seconds=1), NOW), ended_at=NOW)
    )
    alerts_store.save_repeated_event(tx, "T1", alert, NOW)
    alerts_store.has_pruned(tx)
    alerts_store.prune_events(tx, NOW + timedelta(days=31), NOW)
    alerts_store.prune_events(tx, NOW + timedelta(days=31), NOW)


def a_webhook_of_jira(tx: Transaction) -> None:
    links_store.find_by_external_id(tx, "jira", "OPS-1")
    links_store.find_by_external_id(tx, "jsm", "OPS-1")
    deliveries_store.find_reply(tx, "key")
    deliveries_store.store_reply(tx, "key of the webhook", "", NOW)
    actions_store.list_all(tx, 1)


def a_look_at_jira(tx: Transaction) -> None:
    links_store.list_existing(tx, "statuspage")
    links_store.list_of_live_actions(tx, "jira", NOW)
    links_store.list_of_open_incidents(tx, "jsm")
    links_store.find_by_external_id(tx, "jsm", "OPS-1")
    actions_store.list_all(tx, 1)


def a_page_of_the_timeline(tx: Transaction) -> None:
    span, anchor = EntryRange(1, NOW), Anchor(NOW, 1)
    timeline_store.list_last(tx, span, 100)
    timeline_store.list_before(tx, span, anchor, 100)
    timeline_store.list_after(tx, span, anchor, 100)
    timeline_store.count_since(tx, span)
    timeline_store.count_before(tx, span, anchor)
    timeline_store.read_recorded(tx, span, NOW)


def a_look_back(tx: Transaction) -> None:
    row = history_scan_store.add(tx, NewScan("T1", "C1", 1, "U1", NOW, ScanCursor("1.0")), NOW)
    history_scan_store.next_due(tx)
    for scan in history_scan_store.claim(tx, "process 1", NOW, NOW, 5):
        history_scan_store.save_page(tx, scan, "process 1", ())
        history_scan_store.settle(tx, scan, "process 1")
    history_scan_store.find(tx, row)
    history_scan_store.is_running(tx, 1)
    timeline_store.find_by_source(tx, 1, "C1:1.0")


def a_captured_message(tx: Transaction) -> None:
    timeline_store.find_by_source(tx, 1, "C1:1795437300.000002")
    timeline_store.list_unmarked_captures(tx, PLACE, "C1:1795437300.000002", "edited")
    attachments_store.sum_sizes(tx, 1)
    attachments_store.next_due(tx)
    attachments_store.claim(tx, "process 1", NOW, timedelta(minutes=2), 3)
    attachments_store.list_by_incident(tx, 1)


def what_a_webhook_tells(tx: Transaction) -> None:
    alert = Alert("jsm", "group", "a", "event", "Down", AlertStatus.FIRING, NOW, NOW, start="start")
    end = replace(alert, status=AlertStatus.RESOLVED, event="end")
    alerts_store.lock(tx, "T1", alert)
    alerts_store.is_known(tx, "T1", end)
    alerts_store.find_latest(tx, "T1", alert)
    alerts_store.list_since(tx, "T1", alert, NOW)
    group = alerts_store.begin(tx, "T1", "C1", alert, NOW, NOW)
    alerts_store.find_newest(tx, group)
    alerts_store.read_status(tx, group, "a")
    alerts_store.has_fired(tx, group, end)
    alerts_store.has_begun(tx, "T1", end)
    alerts_store.confirm_start(tx, "T1", alert, NOW)
    alerts_store.add_event(tx, group, alert, NOW)
    alerts_store.move_event(tx, alert, group)
    alerts_store.add_waiting_end(tx, "T1", end, NOW)
    alerts_store.take_waiting_ends(tx, "T1", alert, 50)
    alerts_store.list_events(tx, group, 500)
    alerts_store.has_more_than(tx, group, 500)
    alerts_store.drop_event(tx, "T1", alert)


def a_webhook(tx: Transaction) -> None:
    group = alerts_store.begin(
        tx, "T1", "C1", Alert("jsm", "g", "a", "e", "Down", AlertStatus.FIRING, NOW, NOW), NOW, NOW
    )
    alerts_store.count_suggested(tx, "T1", NOW)
    alerts_store.count_attached_by_rule(tx, 1, NOW)
    storm = alerts_store.begin_storm(tx, "T1", "C1", NOW)
    alerts_store.find_storm_since(tx, "T1", NOW)
    alerts_store.mark_storm_outdated(tx, storm.id)
    alerts_store.count_of_storm(tx, storm.id)
    alerts_store.list_of_storm(tx, storm.id, 10)
    alerts_store.save(tx, replace(group, stand=GroupState.ATTACHED, incident_id=1))
    alerts_store.count_firing(tx, 1)
    alerts_store.count_attached(tx, 1)
    alerts_store.read_last_end(tx, 1)
    alerts_store.read_calmed_at(tx, 1)
    alerts_store.mark_outdated(tx, group.id)
    timeline_store.find_milestone(tx, 1, Milestone.DETECTED)


def a_look_at_the_past(tx: Transaction) -> None:
    search_store.read_texts(tx, 1)
    search_store.find(tx, "T1", SearchQuery(("checkout", "pool"), is_any=True), 50)
    search_store.find(tx, "T1", SearchQuery(("checkout", "pool")), 50)
    search_store.list_verdicts(tx, 1)
    search_store.add_verdict(tx, 1, 1, "U1", NOW, is_same=True)
    audit_store.add_lines(tx, "U1", "recall.judge", "key", NOW)
    audit_store.list_all(tx, 1)


def a_complete_export(tx: Transaction) -> None:
    incident = incidents_store.find(tx, 1)
    assert incident is not None
    case_store.load(tx, incident, with_files=True, with_audit=True)
    case_store.load_history(tx, incident)


def a_look_at_the_tabs(tx: Transaction) -> None:
    people_store.save_tab_opened(tx, "T1", "U1", NOW)
    people_store.find_tab(tx, "T1", "U1")
    people_store.save_tab_page(tx, "T1", "U1", "actions_from", 20)
    people_store.save_tab_shown(tx, "T1", "U1", "hash", frozenset({1}))
    people_store.list_recent_tabs(tx, "T1", NOW, 200)
    people_store.list_affected_tabs(tx, "T1", NOW, 1)


def a_look_at_a_home_tab(tx: Transaction) -> None:
    actions_store.list_open_of(tx, "T1", "U1", 100)
    incidents_store.list_owed_by(tx, "T1", "U1", 100)
    incidents_store.list_unresolved(tx, "T1", 24)
    incidents_store.list_resolved(tx, "T1", 24)
    timeline_store.has_recorded(tx, "T1", "U1")


def a_draft_that_comes_back(tx: Transaction) -> None:
    incidents_store.find(tx, 1, locking=True)
    sections_store.list_edits(tx, 1)
    sections_store.add_edit(tx, 1, NewEdit("leadup", EditOrigin.EDITED, "By hand.", "", 0, "U1", "file", NOW))
    audit_store.add_lines(tx, "U1", "drafts.take", "", NOW)
    audit_store.count_changes(tx, 1)


def a_look_at_the_numbers(tx: Transaction) -> None:
    sight = Sight("T1", public=True, channels=frozenset({"C1"}))
    chosen = Selection(read_period("", NOW), 1, "checkout", "database")
    numbers_store.read_sample(tx, chosen, sight)
    numbers_store.read_sample(tx, Selection(chosen.period), sight)


def plans(store: Store, unit: Callable[[Transaction], object]) -> dict[str, list[str]]:
    """How SQLite goes about every statement that a unit really runs."""
    seen: list[str] = []

    def watch(tx: Transaction) -> dict[str, list[str]]:
        connection: Any = tx._connection
        connection.set_trace_callback(seen.append)
        unit(tx)
        connection.set_trace_callback(None)
        statements = [statement for statement in seen if not statement.startswith("--")]
        return {s: [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {s}")] for s in statements}

    return store.write_now(watch)


UNITS = [
    a_timeline_command,
    a_look_at_the_timeline,
    a_look_at_services,
    a_page_of_the_timeline,
    a_look_back,
    a_captured_message,
    a_look_at_the_past,
    a_complete_export,
    what_a_webhook_tells,
    a_webhook,
    a_webhook_of_jira,
    a_look_at_jira,
    a_look_at_the_tabs,
    a_look_at_a_home_tab,
    a_draft_that_comes_back,
    a_look_at_the_numbers,
    a_tick,
]


@pytest.mark.parametrize("unit", UNITS)
def test_nothing_is_searched_from_end_to_end(sqlite_store: Store, unit: Callable[[Transaction], None]) -> None:
    sqlite_store.write_now(open_incident)
    found = plans(sqlite_store, unit)
    assert len(found) >= 5
    scans = {
        statement: step
        for statement, steps in found.items()
        for step in steps
        if step.startswith("SCAN") and not step.endswith(PARTIAL) and not LOOKED_UP.match(step)
    }
    assert scans == {}


def test_nothing_of_a_timeline_command_or_a_page_is_sorted(sqlite_store: Store) -> None:
    sqlite_store.write_now(open_incident)
    for unit in (a_timeline_command, a_page_of_the_timeline):
        for statement, steps in plans(sqlite_store, unit).items():
            assert not any("TEMP B-TREE" in step for step in steps), statement


def the_lists(tx: Transaction) -> None:
    incidents = (*incidents_store.list_unresolved(tx, "T1", 24), *incidents_store.list_resolved(tx, "T1", 24))
    timeline_store.measure_spans(tx, incidents)
    people_store.find_all(tx, "T1", ("U1", "U2"))


def test_lists_are_read_in_their_order_from_what_they_show(sqlite_store: Store) -> None:
    sqlite_store.write_now(open_incident)
    found = plans(sqlite_store, the_lists)
    used = [re.sub(r" \(.*", "", step) for steps in found.values() for step in steps if not LOOKED_UP.match(step)]
    assert used == [
        "SEARCH incident USING INDEX ix_incident_unresolved",
        "SEARCH incident USING INDEX sqlite_autoindex_incident_1",
        "SEARCH incident USING INTEGER PRIMARY KEY",
        "LIST SUBQUERY 2",
        "CORRELATED SCALAR SUBQUERY 1",
        "SEARCH entry USING INDEX ix_entry_order",
        "SEARCH entry USING INDEX ix_entry_marking",
        "LIST SUBQUERY 1",
        "SEARCH person USING INDEX sqlite_autoindex_person_1",
        "LIST SUBQUERY 1",
    ]


@pytest.mark.postgres
def test_postgresql_reads_lists_from_its_indexes_too(postgres_url: str) -> None:
    store = open_store(postgres_url, timeouts=PATIENT)
    store.write_now(open_incident)
    connection = store.driver.connect()
    connection.execute("SET enable_seqscan = off")
    plans = {}
    for name, statement, values in (
        ("unresolved", incidents_store._UNRESOLVED, {"team": "T1", "most": 24}),
        ("resolved", incidents_store._RESOLVED, {"team": "T1", "most": 24}),
        ("owed", incidents_store._OWED_BY, {"team": "T1", "owner": "U1", "most": 24}),
        ("first", timeline_store._FIRST, {"incidents": [1, 2]}),
        ("marking", timeline_store._MARKING_ALL, {"incidents": [1, 2]}),
        ("people", people_store._SOME, {"team": "T1", "users": ["U1", "U2"]}),
    ):
        compiled = statement.compile_for(store.driver.dialect)
        lines = connection.execute(f"EXPLAIN {compiled.sql}", compiled.parameters(values)).fetchall()
        plans[name] = "\n".join(line for (line,) in lines)
    connection.close()
    store.close()
    assert not [plan for plan in plans.values() if "Seq Scan" in plan]
    assert not [plan for name, plan in plans.items() if "Sort" in plan and name != "owed"]
    assert "ix_incident_unresolved" in plans["unresolved"]
    assert "ix_entry_marking" in plans["marking"]


class ExplainedTransaction(Transaction):
    """Keeps PostgreSQL's plan of each statement that it runs, as if its tables were too large to be read whole."""

    __slots__ = ("plans",)

    def __init__(self, connection: DriverConnection, dialect: Dialect) -> None:
        super().__init__(connection, dialect)
        self.plans: dict[str, str] = {}

    def _execute(self, statement: Statement, values: dict[str, Any]) -> Cursor:
        compiled = statement.compile_for(self._dialect)
        lines = self._connection.execute(f"EXPLAIN {compiled.sql}", compiled.parameters(dict(values))).fetchall()
        self.plans[compiled.sql] = "\n".join(line for (line,) in lines)
        return super()._execute(statement, values)


@pytest.mark.postgres
@pytest.mark.parametrize("unit", [*UNITS, the_lists])
def test_postgresql_reads_no_table_from_end_to_end(postgres_url: str, unit: Callable[[Transaction], None]) -> None:
    with closing(open_store(postgres_url, timeouts=PATIENT)) as store, closing(store.driver.connect()) as connection:
        store.write_now(open_incident)
        connection.execute("BEGIN")
        connection.execute("SET enable_seqscan = off")
        tx = ExplainedTransaction(connection, store.driver.dialect)
        unit(tx)
        connection.execute("ROLLBACK")
    assert len(tx.plans) >= 3
    assert [plan for plan in tx.plans.values() if "Seq Scan" in plan] == []


@pytest.mark.postgres
def test_postgresql_finds_a_repeat_among_the_latest_entries_by_their_numbers(postgres_url: str) -> None:
    with closing(open_store(postgres_url, timeouts=PATIENT)) as store, closing(store.driver.connect()) as connection:
        store.write_now(open_incident)
        for number in range(40):  # all of one time
            store.write_now(noting(f"step {number}"))
        connection.execute("ANALYZE entry")
        connection.execute("BEGIN")
        tx = ExplainedTransaction(connection, store.driver.dialect)
        incidents_store.take_entry_number(tx, PLACE)
        assert timeline_store.add_new(tx, PLACE, entry("step 41"), 16, NOW - timedelta(seconds=10)) is not None
        connection.execute("ROLLBACK")
    plan = next(plan for sql, plan in tx.plans.items() if sql.startswith("INSERT INTO entry "))
    assert "ix_entry_order" not in plan


def count_statements(tx: Transaction, look: Callable[[], object]) -> int:
    seen: list[str] = []
    connection: Any = tx._connection
    connection.set_trace_callback(seen.append)
    look()
    connection.set_trace_callback(None)
    return len([statement for statement in seen if not statement.startswith("--")])


def test_a_page_and_a_list_take_as_many_statements_however_many_wrote_in_them(sqlite_store: Store) -> None:
    def grow(tx: Transaction, numbers: range) -> tuple[int, int]:
        for number in numbers:
            people_store.save(tx, Person("T1", f"U{number}", "Ana", "UTC"))
            open_incident(tx, Place("T1", f"C{number}"))
            record_entry(tx, entry(f"step {number}", recorder=f"U{number}"), Place("T1", "C1"))
        incidents = incidents_store.list_latest(tx, "T1", 60)
        entries = timeline_store.list_active(tx, incidents[-1].id)
        assert len(entries) == len(incidents) == numbers[-1]
        page = count_statements(tx, lambda: case_store.load_page(tx, incidents[-1], entries))
        return page, count_statements(tx, lambda: timeline_store.measure_spans(tx, incidents))

    assert sqlite_store.write_now(lambda tx: grow(tx, range(1, 2))) == (9, 2)
    assert sqlite_store.write_now(lambda tx: grow(tx, range(2, 61))) == (9, 2)


def test_a_plan_that_scans_would_be_noticed(sqlite_store: Store) -> None:
    sqlite_store.write_now(open_incident)

    def careless(tx: Transaction) -> None:
        tx._connection.execute("SELECT * FROM entry WHERE text = 'x'")

    assert list(plans(sqlite_store, careless).values()) == [["SCAN entry"]]
