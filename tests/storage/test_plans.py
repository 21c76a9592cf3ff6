"""What is done at every `/timeline` and at every tick goes through indexes, so it costs the same after years."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.incident.alerts import Alert, AlertStatus, Stand
from bot.incident.kept import Change
from bot.incident.records import Milestone
from storage import (
    actions,
    alert_events,
    alerts,
    attachments,
    audit,
    cases,
    deliveries,
    histories,
    inbox,
    incidents,
    kept,
    link_lists,
    lookbacks,
    pages,
    past_alerts,
    recall,
    reminders,
    tabs,
    timeline,
)
from storage.deliveries import Outcome, Owed
from storage.kept import NewText
from storage.lookbacks import NewLookback
from storage.pages import Anchor, Span
from storage.recall import Wanted
from storage.statements import Transaction
from storage.store import Store
from tests.storage.given import NOW, PLACE, entry, opened

# Of these only what is still to be done stands in the index, and all of it is wanted.
PARTIAL = ("ix_delivery_due", "ix_reminder_due", "ix_lookback_going", "ix_attachment_wanted")
FULL_TEXT = "SCAN recall_words VIRTUAL TABLE INDEX 0:M"
"""How SQLite calls looking words up in the index of words."""


def a_timeline_command(tx: Transaction) -> None:
    inbox.reply(tx, "key")
    taken = incidents.take_entry_number(tx, PLACE)
    assert taken is not None
    incident, number = taken
    timeline.same_lately(tx, incident.id, entry(), number - 16, NOW - timedelta(seconds=10))
    timeline.add(tx, incident.id, number, entry())
    inbox.keep(tx, "key", "Recorded", NOW)


def a_look_at_the_timeline(tx: Transaction) -> None:
    incidents.current(tx, PLACE)
    incidents.by_number(tx, "T1", 1)
    timeline.latest(tx, 1, 5)
    timeline.last_by(tx, 1, "U1")
    timeline.by_number(tx, 1, 1)
    timeline.versions(tx, 1)


def a_tick(tx: Transaction) -> None:
    for reminder in reminders.due(tx, NOW, 50):
        reminders.settle(tx, reminder, "sent", "", NOW)
    reminders.cancel(tx, 1, "published", NOW)
    deliveries.owe(tx, Owed("T1", "message", "C1", "{}", NOW))
    for delivery in deliveries.due(tx, NOW, 50):
        deliveries.claim(tx, delivery, "us", NOW, NOW)
        deliveries.settle(tx, delivery, "us", Outcome("sent", NOW))
    deliveries.next_due(tx)
    deliveries.waiting(tx)
    deliveries.of_reminder(tx, 1)
    for team, owner in (*actions.overdue_owners(tx, NOW), ("T1", "U1")):
        actions.overdue_of(tx, team, owner, NOW)
    actions.long_overdue(tx, NOW)
    inbox.prune(tx, NOW)
    told = Alert("alertmanager", "group", "a", "event", "Down", AlertStatus.FIRING, NOW, NOW)
    alert_events.wait(tx, "T1", replace(told, status=AlertStatus.RESOLVED, event="end"), NOW)
    alert_events.keep(tx, alerts.begin(tx, "T1", "C1", told, NOW, NOW), told, NOW)
    alerts.save(tx, replace(alerts.begin(tx, "T1", "C2", told, NOW + timedelta(seconds=1), NOW), ended_at=NOW))
    past_alerts.told_again(tx, "T1", told, NOW)
    past_alerts.has_let_go(tx)
    past_alerts.prune(tx, NOW + timedelta(days=31), NOW)
    past_alerts.prune(tx, NOW + timedelta(days=31), NOW)


def a_webhook_of_jira(tx: Transaction) -> None:
    link_lists.of_key(tx, "jira", "OPS-1")
    link_lists.of_key(tx, "jsm", "OPS-1")
    inbox.reply(tx, "key")
    inbox.keep(tx, "key of the webhook", "", NOW)
    actions.of_incident(tx, 1)


def a_look_at_jira(tx: Transaction) -> None:
    link_lists.standing(tx, "statuspage")
    link_lists.of_live_actions(tx, "jira", NOW)
    link_lists.of_open_incidents(tx, "jsm")
    link_lists.of_key(tx, "jsm", "OPS-1")
    actions.of_incident(tx, 1)


def a_page_of_the_timeline(tx: Transaction) -> None:
    span, anchor = Span(1, NOW), Anchor(NOW, 1)
    pages.last(tx, span, 100)
    pages.before(tx, span, anchor, 100)
    pages.behind(tx, span, anchor, 100)
    pages.count(tx, span)
    pages.count_before(tx, span, anchor)
    pages.said(tx, span, NOW)


def a_look_back(tx: Transaction) -> None:
    row = lookbacks.add(tx, NewLookback("T1", "C1", 1, "U1", NOW, "{}"), NOW)
    for walk in lookbacks.due(tx, NOW, 5):
        lookbacks.claim(tx, walk, NOW)
    lookbacks.by_id(tx, row)
    lookbacks.is_going(tx, 1)
    timeline.by_source(tx, 1, "C1:1.0")


def a_captured_message(tx: Transaction) -> None:
    timeline.by_source(tx, 1, "C1:1795437300.000002")
    timeline.unlike(tx, PLACE, "C1:1795437300.000002", "edited")
    attachments.held(tx, 1)
    attachments.next_due(tx)
    attachments.claim(tx, NOW, timedelta(minutes=2), 3)
    attachments.of_incident(tx, 1)


def what_a_webhook_tells(tx: Transaction) -> None:
    told = Alert("jsm", "group", "a", "event", "Down", AlertStatus.FIRING, NOW, NOW, start="start")
    end = replace(told, status=AlertStatus.RESOLVED, event="end")
    alert_events.lock(tx, "T1", told)
    alert_events.is_known(tx, "T1", end)
    alerts.latest(tx, "T1", told)
    alerts.since(tx, "T1", told, NOW)
    group = alerts.begin(tx, "T1", "C1", told, NOW, NOW)
    alert_events.newest(tx, group)
    alert_events.known(tx, group, "a")
    alert_events.has_fired(tx, group, end)
    alert_events.has_begun(tx, "T1", end)
    alert_events.confirm(tx, "T1", told, NOW)
    alert_events.keep(tx, group, told, NOW)
    alert_events.move(tx, told, group)
    alert_events.wait(tx, "T1", end, NOW)
    alert_events.awaited(tx, "T1", told, 50)
    alert_events.told(tx, group, 500)
    alert_events.has_more_than(tx, group, 500)
    alert_events.drop(tx, "T1", told)


def a_webhook(tx: Transaction) -> None:
    group = alerts.begin(tx, "T1", "C1", Alert("jsm", "g", "a", "e", "Down", AlertStatus.FIRING, NOW, NOW), NOW, NOW)
    alerts.suggested_since(tx, "T1", NOW)
    alerts.ruled_since(tx, 1, NOW)
    storm = alerts.begin_storm(tx, "T1", "C1", NOW)
    alerts.storm_since(tx, "T1", NOW)
    alerts.owe_storm(tx, storm.id)
    alerts.count_of_storm(tx, storm.id)
    alerts.of_storm(tx, storm.id, 10)
    alerts.save(tx, replace(group, stand=Stand.ATTACHED, incident_id=1))
    alerts.firing(tx, 1)
    alerts.attached(tx, 1)
    alerts.ended_at(tx, 1)
    alerts.calmed_at(tx, 1)
    alerts.owe(tx, group.id)
    timeline.marking(tx, 1, Milestone.DETECTED)


def a_look_at_the_past(tx: Transaction) -> None:
    recall.words_of(tx, 1)
    recall.find(tx, "T1", Wanted(("checkout", "pool"), is_any=True), 50)
    recall.judged(tx, 1)
    recall.judge(tx, 1, 1, "U1", NOW, is_same=True)
    audit.keep(tx, "U1", "recall.judge", "key", NOW)
    audit.of_incident(tx, 1)


def a_complete_export(tx: Transaction) -> None:
    incident = incidents.by_id(tx, 1)
    assert incident is not None
    cases.load(tx, incident, with_files=True, with_audit=True)
    histories.load(tx, incident)


def a_look_at_the_tabs(tx: Transaction) -> None:
    tabs.opened(tx, "T1", "U1", NOW)
    tabs.one(tx, "T1", "U1")
    tabs.turn(tx, "T1", "U1", "actions_from", 20)
    tabs.keep(tx, "T1", "U1", "hash", frozenset({1}))
    tabs.lately(tx, "T1", NOW, 200)
    tabs.owing(tx, "T1", NOW, 1)


def a_draft_that_comes_back(tx: Transaction) -> None:
    incidents.by_id(tx, 1, locking=True)
    kept.of_incident(tx, 1)
    kept.add(tx, 1, NewText("leadup", Change.EDITED, "By hand.", "", 0, "U1", "file", NOW))
    audit.keep(tx, "U1", "drafts.take", "", NOW)
    audit.count(tx, 1)


def plans(store: Store, unit: Callable[[Transaction], None]) -> dict[str, list[str]]:
    """How SQLite goes about every statement that a unit really runs."""
    seen: list[str] = []

    def watched(tx: Transaction) -> dict[str, list[str]]:
        connection: Any = tx._connection
        connection.set_trace_callback(seen.append)
        unit(tx)
        connection.set_trace_callback(None)
        statements = [statement for statement in seen if not statement.startswith("--")]
        return {s: [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {s}")] for s in statements}

    return store.write_now(watched)


UNITS = [
    a_timeline_command,
    a_look_at_the_timeline,
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
    a_draft_that_comes_back,
    a_tick,
]


@pytest.mark.parametrize("unit", UNITS)
def test_nothing_is_searched_from_end_to_end(sqlite_store: Store, unit: Callable[[Transaction], None]) -> None:
    sqlite_store.write_now(opened)
    found = plans(sqlite_store, unit)
    assert len(found) >= 5
    scans = {
        statement: step
        for statement, steps in found.items()
        for step in steps
        if step.startswith("SCAN") and not step.endswith(PARTIAL) and not step.startswith(FULL_TEXT)
    }
    assert scans == {}


def test_nothing_of_a_timeline_command_or_a_page_is_sorted(sqlite_store: Store) -> None:
    sqlite_store.write_now(opened)
    for unit in (a_timeline_command, a_page_of_the_timeline):
        for statement, steps in plans(sqlite_store, unit).items():
            assert not any("TEMP B-TREE" in step for step in steps), statement


def test_a_plan_that_scans_would_be_noticed(sqlite_store: Store) -> None:
    sqlite_store.write_now(opened)

    def careless(tx: Transaction) -> None:
        tx._connection.execute("SELECT * FROM entry WHERE text = 'x'")

    assert list(plans(sqlite_store, careless).values()) == [["SCAN entry"]]
