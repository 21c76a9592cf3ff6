"""Alert history is pruned once it can no longer matter, and never before."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.domain.alerts import groups as alerts_rules
from bot.domain.alerts.groups import (
    ALERTMANAGER,
    JSM,
    PAGERDUTY,
    REMEMBERED,
    Alert,
    AlertGroup,
    AlertStatus,
    GroupState,
)
from storage import alerts as alerts_store
from storage.database.statements import Transaction
from storage.database.store import Store
from tests.support.storage.sample_records import NOW, open_incident

FIRING, RESOLVED = AlertStatus.FIRING, AlertStatus.RESOLVED
DAY = timedelta(days=1)


def report_alert(
    at: datetime, status: AlertStatus = FIRING, group: str = "g", source: str = PAGERDUTY, **more: str
) -> Alert:
    fingerprint = more.get("fingerprint", group)
    event = f"{source} {group} {fingerprint} {status} {at.isoformat()}"
    return Alert(source, group, fingerprint, event, "Down", status, at, at)


def receive(tx: Transaction, alert: Alert, now: datetime) -> AlertGroup:
    """Record a reported event, as the service does."""
    group = alerts_store.find_latest(tx, "T1", alert)
    if group is None or not alerts_rules.belongs_to(group, alert):
        group = alerts_store.begin(tx, "T1", "C1", alert, alert.at, now)
    known = alerts_store.read_status(tx, group, alert.fingerprint)
    alerts_store.add_event(tx, group, alert, now)
    group = alerts_rules.apply_alert(group, alert, known)
    alerts_store.save(tx, group)
    return group


def rows(store: Store) -> tuple[int, int, int]:
    """How many events, groups and storms there are."""

    def count(tx: Transaction) -> tuple[int, int, int]:
        connection = tx._connection
        found = [
            connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]
            for table in ("alert_event", "alert", "alert_storm")
        ]
        return found[0], found[1], found[2]

    return store.read_now(count)


def prune_alerts(store: Store, now: datetime, most: int = alerts_store.AT_ONCE) -> int:
    return store.write_now(lambda tx: alerts_store.prune_events(tx, now - REMEMBERED, now, most))


def also_lately(store: Store, now: datetime) -> None:
    """The newest group always stays, so another one is put behind those that are looked at."""
    store.write_now(lambda tx: receive(tx, report_alert(now, group="the newest"), now))


def test_a_group_that_ended_long_ago_goes_with_all_that_was_told_of_it(store: Store) -> None:
    store.write_now(lambda tx: receive(tx, report_alert(NOW), NOW))
    store.write_now(lambda tx: receive(tx, report_alert(NOW + DAY, RESOLVED), NOW + DAY))
    also_lately(store, NOW + 29 * DAY)
    assert prune_alerts(store, NOW + 29 * DAY) == 0
    assert rows(store) == (3, 2, 0)
    assert not store.read_now(alerts_store.has_pruned)
    assert prune_alerts(store, NOW + 32 * DAY) == 2
    assert rows(store) == (1, 1, 0)
    assert store.read_now(alerts_store.has_pruned)


@pytest.mark.parametrize("source", [PAGERDUTY, JSM])
def test_what_goes_on_is_known_for_as_long_as_it_goes_on(store: Store, source: str) -> None:
    store.write_now(lambda tx: receive(tx, report_alert(NOW, source=source), NOW))
    also_lately(store, NOW)
    for month in range(1, 13):
        assert prune_alerts(store, NOW + month * 31 * DAY) == 0
    over = report_alert(NOW + 400 * DAY, RESOLVED, source=source)
    group = store.write_now(lambda tx: receive(tx, over, NOW + 400 * DAY))
    assert (group.ended_at, group.firing) == (NOW + 400 * DAY, 0)


def test_what_is_told_again_and_again_is_known_again_and_again(store: Store) -> None:
    firing = report_alert(NOW, source=ALERTMANAGER)
    store.write_now(lambda tx: receive(tx, firing, NOW))
    also_lately(store, NOW)
    for day in range(0, 200, 5):
        now = NOW + day * DAY
        assert store.read_now(lambda tx: alerts_store.is_known(tx, "T1", firing)), day
        store.write_now(lambda tx, now=now: alerts_store.save_repeated_event(tx, "T1", firing, now))  # type: ignore[misc]
        prune_alerts(store, now)
    assert rows(store)[0] >= 1


def test_what_alertmanager_tells_no_more_is_let_go_though_its_end_was_never_told(store: Store) -> None:
    store.write_now(lambda tx: receive(tx, report_alert(NOW, source=ALERTMANAGER), NOW))
    also_lately(store, NOW + 40 * DAY)
    assert prune_alerts(store, NOW + 40 * DAY) == 1
    assert rows(store) == (1, 1, 0)


def test_a_repeat_is_written_down_once_a_day_at_most(store: Store) -> None:
    firing = report_alert(NOW, source=ALERTMANAGER)
    store.write_now(lambda tx: receive(tx, firing, NOW))

    def heard_at(tx: Transaction) -> object:
        return tx._connection.execute("SELECT heard_at FROM alert_event").fetchall()[0][0]

    first = store.read_now(heard_at)
    store.write_now(lambda tx: alerts_store.save_repeated_event(tx, "T1", firing, NOW + DAY / 2))
    assert store.read_now(heard_at) == first
    store.write_now(lambda tx: alerts_store.save_repeated_event(tx, "T1", firing, NOW + 2 * DAY))
    assert store.read_now(heard_at) != first


def test_a_group_in_an_incident_stays_and_only_its_old_tellings_go(store: Store) -> None:
    incident = store.write_now(open_incident)
    group = store.write_now(lambda tx: receive(tx, report_alert(NOW), NOW))
    ended = store.write_now(lambda tx: receive(tx, report_alert(NOW + DAY, RESOLVED), NOW + DAY))
    taken = replace(ended, stand=GroupState.ATTACHED, incident_id=incident.id)
    store.write_now(lambda tx: alerts_store.save(tx, taken))
    also_lately(store, NOW)
    assert prune_alerts(store, NOW + 40 * DAY) == 2
    assert store.read_now(lambda tx: alerts_store.find(tx, group.id)) == taken


def test_the_newest_group_stays_so_that_no_button_ever_names_another(store: Store) -> None:
    old = store.write_now(lambda tx: receive(tx, report_alert(NOW, source=ALERTMANAGER), NOW))
    assert prune_alerts(store, NOW + 40 * DAY) == 0
    new = store.write_now(lambda tx: receive(tx, report_alert(NOW + 60 * DAY, group="h"), NOW + 60 * DAY))
    assert new.id != old.id
    assert prune_alerts(store, NOW + 75 * DAY) == 1
    assert rows(store) == (1, 1, 0)


def test_a_storm_goes_once_nothing_of_it_is_left(store: Store) -> None:
    def storm(tx: Transaction) -> None:
        group = receive(tx, report_alert(NOW, source=ALERTMANAGER), NOW)
        new_storm = alerts_store.begin_storm(tx, "T1", "C1", NOW)
        alerts_store.save(tx, replace(group, storm_id=new_storm.id))
        alerts_store.begin_storm(tx, "T1", "C1", NOW + 40 * DAY)

    store.write_now(storm)
    also_lately(store, NOW + 40 * DAY)
    assert rows(store)[2] == 2
    prune_alerts(store, NOW + 40 * DAY)
    assert rows(store) == (1, 1, 1)


def test_at_most_so_many_are_looked_at_in_one_sweep(store: Store) -> None:
    def many(tx: Transaction) -> None:
        for number in range(25):
            receive(tx, report_alert(NOW, group=f"g{number:02}", source=ALERTMANAGER if number % 2 else PAGERDUTY), NOW)

    store.write_now(many)
    also_lately(store, NOW + 40 * DAY)
    gone = [prune_alerts(store, NOW + 40 * DAY, most=5) for _ in range(6)]
    assert all(count <= 5 for count in gone)
    assert (sum(gone), rows(store)[0]) == (12, 14)


def test_after_a_year_there_is_a_month_of_them(store: Store) -> None:
    def day(tx: Transaction, now: datetime) -> None:
        for number in range(6):
            for status, hour in ((FIRING, 0), (RESOLVED, 1)):
                receive(tx, report_alert(now + timedelta(hours=hour), status, f"{now:%j} {number}"), now)
        alerts_store.prune_events(tx, now - REMEMBERED, now)

    for number in range(365):
        store.write_now(lambda tx, now=NOW + number * DAY: day(tx, now))  # type: ignore[misc]
    events, groups, _ = rows(store)
    assert events <= 12 * 33
    assert groups <= 6 * 33


def test_an_end_that_waits_for_its_start_is_let_go_as_well(store: Store) -> None:
    end = report_alert(NOW, RESOLVED)
    store.write_now(lambda tx: alerts_store.add_waiting_end(tx, "T1", end, NOW))
    assert prune_alerts(store, NOW + 29 * DAY) == 0
    assert store.read_now(lambda tx: alerts_store.is_known(tx, "T1", end))
    assert prune_alerts(store, NOW + 31 * DAY) == 1
    assert not store.read_now(lambda tx: alerts_store.is_known(tx, "T1", end))


def test_the_message_of_a_merged_group_goes_with_the_group_that_has_it(store: Store) -> None:
    def merge(tx: Transaction) -> None:
        receive(tx, report_alert(NOW, source=ALERTMANAGER), NOW)
        other = alerts_store.begin(tx, "T1", "C1", report_alert(NOW, source=ALERTMANAGER), NOW + DAY, NOW)
        alerts_store.save(tx, replace(other, stand=GroupState.MERGED))

    store.write_now(merge)
    also_lately(store, NOW + 40 * DAY)
    assert prune_alerts(store, NOW + 40 * DAY) == 1
    assert rows(store) == (1, 1, 0)
