"""Whatever monitoring tells comes in any order, twice, and in whichever parcels: the database says the same of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.alerts.groups import (
    ALERTMANAGER,
    PAGERDUTY,
    Alert,
    AlertGroup,
    AlertRules,
    AlertStatus,
    GroupState,
    sort_key,
)
from bot.domain.records import Place
from bot.services.alerts.groups import record
from storage import alerts as alerts_store
from storage import incidents as incidents_store
from storage import timeline as timeline_store
from storage.database.statements import Transaction
from storage.database.store import Store, open_store
from tests.support.play import NOON, TEAM
from tests.support.timeouts import PATIENT

FIRING, ACKNOWLEDGED, RESOLVED = AlertStatus
RUNS = count(1)


def minute(number: float) -> datetime:
    return NOON + timedelta(minutes=number)


def build_alert(name: str, status: AlertStatus, began: datetime, at: datetime, **more: Any) -> Alert:
    """One thing told as Alertmanager does: each alert of the group has its own severity, service and link."""
    facts: dict[str, Any] = {
        "severity": f"severity of {name}",
        "service": f"service of {name}",
        "link": f"https://example.com/{name}",
    }
    event = f"{name} {status} {began:%d %H:%M:%S}"
    return Alert(ALERTMANAGER, "g", name, event, f"{name} on checkout", status, began, at, **{**facts, **more})


@st.composite
def firings(draw: st.DrawFn) -> list[Alert]:
    """Up to three alerts of one group, each of which fires and ends a few times over a day."""
    found = []
    for name in draw(st.sampled_from(["a", "ab", "abc"])):
        at = NOON - timedelta(days=1)
        for _ in range(draw(st.integers(1, 3))):
            began = at + timedelta(minutes=draw(st.sampled_from([1, 2, 20, 45, 90, 200])))
            at = began + timedelta(minutes=draw(st.sampled_from([0, 1, 20, 70])))
            found += [build_alert(name, FIRING, began, began), build_alert(name, RESOLVED, began, at)]
    return found if draw(st.booleans()) else found[:-1]


@st.composite
def events(draw: st.DrawFn) -> list[Alert]:
    """What PagerDuty and JSM tell of one alert: taken up, given back, ended and opened again."""
    at = began = NOON - timedelta(days=1)
    found = [build_alert("a", FIRING, began, began)]
    for status in draw(st.lists(st.sampled_from(AlertStatus), max_size=5)):
        at += timedelta(minutes=draw(st.sampled_from([1, 2, 20, 45, 90, 200])))
        by = "" if status is FIRING else "Ana"
        found.append(replace(build_alert("a", status, began, at, by=by), event=f"{status} {at:%d %H:%M:%S}"))
    return [replace(alert, source=PAGERDUTY, start="start") for alert in found]


def parcels(alerts: Sequence[Alert], sizes: Sequence[int]) -> list[list[Alert]]:
    """In their order, up to so many at a time; a sender tells one thing of each alert at a time."""
    found: list[list[Alert]] = []
    room = 0
    left = iter(sizes)
    for alert in alerts:
        if room == 0 or alert.fingerprint in {other.fingerprint for other in found[-1]}:
            found.append([])
            room = next(left, 1)
        found[-1].append(alert)
        room -= 1
    return found


@dataclass(frozen=True)
class Run:
    """A fresh group in a channel of its own, told in some order; what the database says then."""

    store: Store
    opens: bool

    def of(self, deliveries: Sequence[Sequence[Alert]]) -> tuple[Any, ...]:
        team = f"T{next(RUNS)}"
        rules = AlertRules("C1", team, (("env", frozenset({"prod"})),) if self.opens else ())
        for parcel in deliveries:
            labelled = [replace(alert, labels=(("env", "prod"),)) for alert in parcel]
            self.store.write_now(lambda tx, alerts=labelled: record(tx, rules, team, alerts, NOON))  # type: ignore[misc]
        return self.store.write_now(lambda tx: read_groups(tx, team, deliveries[0][0]))


def read_groups(tx: Transaction, team: str, of_group: Alert) -> tuple[Any, ...]:
    """Each group and what was told of it, and the timeline without that it was opened."""
    rows = alerts_store.list_since(tx, team, of_group, NOON - timedelta(days=9))
    blank: dict[str, Any] = {"id": 0, "team": "", "incident_id": None}
    groups = [
        (replace(row, **blank), sorted(alerts_store.list_events(tx, row, 99), key=sort_key))
        for row in rows
        if row.stand is not GroupState.MERGED
    ]
    incident = incidents_store.find_current(tx, Place(team, "C1"))
    entries = timeline_store.list_active(tx, incident.id)[:-1] if incident else ()
    marked = {(entry.milestone, entry.happened_at) for entry in entries if entry.milestone}
    return groups, sorted(str((entry.happened_at, entry.ended_at, entry.text)) for entry in entries), marked


@st.composite
def orders(draw: st.DrawFn) -> tuple[list[list[Alert]], list[list[Alert]]]:
    """The same things one by one in their order, and in another order, in parcels, some of them twice."""
    in_order = sorted(draw(firings() | events()), key=sort_key)
    again = draw(st.lists(st.sampled_from(in_order), max_size=3))
    shuffled = draw(st.permutations([*in_order, *again]))
    sizes = draw(st.lists(st.integers(1, 4), max_size=6))
    return [[alert] for alert in in_order], parcels(shuffled, sizes)


def test_in_any_order_the_same_groups_are_suggested(sqlite_url: str) -> None:
    store = open_store(sqlite_url, timeouts=PATIENT)

    @settings(max_examples=100, deadline=None)
    @given(orders())
    def check(pair: tuple[list[list[Alert]], list[list[Alert]]]) -> None:
        in_order, otherwise = pair
        assert Run(store, opens=False).of(otherwise) == Run(store, opens=False).of(in_order)

    check()
    store.close()


def test_in_any_order_a_rule_opens_the_same_incident_with_the_same_timeline(sqlite_url: str) -> None:
    store = open_store(sqlite_url, timeouts=PATIENT)

    @settings(max_examples=100, deadline=None)
    @given(orders())
    def check(pair: tuple[list[list[Alert]], list[list[Alert]]]) -> None:
        in_order, otherwise = pair
        assert Run(store, opens=True).of(otherwise) == Run(store, opens=True).of(in_order)

    check()
    store.close()


def test_an_incident_opened_by_a_rule_keeps_what_fires_later_in_the_same_parcel(sqlite_url: str) -> None:
    store = open_store(sqlite_url, timeouts=PATIENT)
    first = [build_alert(name, FIRING, minute(-200), minute(-200)) for name in "ab"]
    ends = [build_alert(name, RESOLVED, minute(-200), minute(-200)) for name in "ab"]
    later = build_alert("c", FIRING, minute(-100), minute(-100))
    in_order = [[alert] for alert in sorted([*first, *ends, later], key=sort_key)]
    assert Run(store, opens=True).of([ends, [*first, later]]) == Run(store, opens=True).of(in_order)
    store.close()


def test_a_group_too_large_to_be_told_anew_counts_right_in_any_order(sqlite_url: str) -> None:
    store = open_store(sqlite_url, timeouts=PATIENT)
    rules = AlertRules("C1", TEAM, ())
    many = [build_alert(f"a{number:03}", FIRING, minute(-90), minute(-90)) for number in range(560)]
    ends = [build_alert(f"a{number:03}", RESOLVED, minute(-90), minute(-number / 20)) for number in range(560)]
    newest = build_alert("z", FIRING, minute(-1), minute(-1)), build_alert("z", RESOLVED, minute(-1), minute(-0.5))

    def tell(alerts_told: Sequence[Alert]) -> AlertGroup:
        for at in range(0, len(alerts_told), 50):
            part = alerts_told[at : at + 50]
            store.write_now(lambda tx, part=part: record(tx, rules, TEAM, part, NOON))  # type: ignore[misc]
        (group,) = store.write_now(lambda tx: alerts_store.list_since(tx, TEAM, newest[0], minute(-99)))
        return group

    group = tell([*many, newest[0], *ends[300:], *ends[:299]])
    assert (group.fired, group.firing, group.status, group.ended_at) == (561, 2, FIRING, None)
    group = tell([newest[1], ends[299]])
    assert (group.fired, group.firing, group.status, group.ended_at) == (561, 0, RESOLVED, NOON)
    group = tell([build_alert("late", FIRING, minute(-80), minute(-80))])
    assert (group.fired, group.firing, group.status, group.ended_at) == (562, 1, FIRING, None)
    store.close()
