"""The rules of alerts: what opens an incident by itself, how a group stands after each thing told, what entries say."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.incident.alerts import (
    QUIET,
    Alert,
    AlertGroup,
    AlertRules,
    AlertStatus,
    Known,
    NoCondition,
    Stand,
    after,
    conditions,
    goes_on,
    proposed_severity,
    told_as,
)
from tests.playing import NOON

FIRING, ACKNOWLEDGED, RESOLVED = AlertStatus


def alert(status: AlertStatus = FIRING, at: datetime = NOON, fingerprint: str = "a", **more: Any) -> Alert:
    return Alert("alertmanager", "g", fingerprint, f"{fingerprint}{status}{at}", "Down", status, NOON, at, **more)


GROUP = AlertGroup(
    1, "T1", "alertmanager", "g", NOON, "Down", "", "", "", FIRING, NOON, None, "", None, 0, 0,
    Stand.HELD, "", None, None, 0, "C1", "", NOON,
)  # fmt: skip


def told(*alerts: Alert) -> AlertGroup:
    """The group after these were told, in this order."""
    group = GROUP
    known: dict[str, Known] = {}
    for each in alerts:
        group = after(group, each, known.get(each.fingerprint))
        before = known.get(each.fingerprint)
        if before is None or before.at <= each.at:
            known[each.fingerprint] = Known(each.status, each.at)
    return group


def minute(count: float) -> datetime:
    return NOON + timedelta(minutes=count)


def test_a_group_is_over_once_each_of_its_alerts_is() -> None:
    both = (alert(), alert(fingerprint="b"))
    assert (told(*both).fired, told(*both).firing, told(*both).status) == (2, 2, FIRING)
    one_over = told(*both, alert(RESOLVED, minute(5)))
    assert (one_over.firing, one_over.status, one_over.ended_at) == (1, FIRING, None)
    over = told(*both, alert(RESOLVED, minute(5)), alert(RESOLVED, minute(7), "b"))
    assert (over.firing, over.status, over.ended_at) == (0, RESOLVED, minute(7))


def test_the_first_who_takes_it_up_counts_until_it_fires_anew() -> None:
    taken_up = told(alert(), alert(ACKNOWLEDGED, minute(1), by="Ana"), alert(ACKNOWLEDGED, minute(2), by="Bo"))
    assert (taken_up.status, taken_up.acknowledged_at, taken_up.acknowledged_by) == (ACKNOWLEDGED, minute(1), "Ana")
    anew = after(told(alert(), alert(ACKNOWLEDGED, minute(1)), alert(RESOLVED, minute(2))), alert(at=minute(3)), None)
    assert (anew.status, anew.acknowledged_at, anew.ended_at) == (FIRING, None, None)


def test_what_comes_late_turns_nothing_back() -> None:
    over = told(alert(), alert(RESOLVED, minute(5)))
    assert told(alert(), alert(RESOLVED, minute(5)), alert(ACKNOWLEDGED, minute(3))) == over


EVENTS = st.lists(
    st.builds(
        alert,
        st.sampled_from(AlertStatus),
        st.integers(0, 50).map(minute),
        st.sampled_from("abc"),
    ),
    max_size=12,
    unique_by=lambda each: (each.fingerprint, each.at),
)


@given(EVENTS, st.randoms(use_true_random=False))
def test_however_events_are_shuffled_the_group_counts_the_same(events: list[Alert], random: Any) -> None:
    in_order = sorted(events, key=lambda each: each.at)
    last = {each.fingerprint: each.status for each in in_order}
    shuffled = list(events)
    random.shuffle(shuffled)
    for order in (in_order, shuffled):
        group = told(*order)
        assert group.fired == len(last)
        assert group.firing == sum(status is not RESOLVED for status in last.values())
        if events:
            assert (group.status is RESOLVED) == (group.firing == 0) == (group.ended_at is not None)


def test_a_group_goes_on_while_it_fires_for_an_hour_after_and_while_its_incident_is_open() -> None:
    over = replace(GROUP, status=RESOLVED, ended_at=NOON)
    assert goes_on(GROUP, alert(at=minute(10_000)), is_open=False)
    assert goes_on(over, alert(at=NOON + QUIET), is_open=False)
    assert not goes_on(over, alert(at=NOON + QUIET + timedelta(seconds=1)), is_open=False)
    assert goes_on(over, alert(at=minute(10_000)), is_open=True)


@pytest.mark.parametrize(
    ("rule", "labels", "opens"),
    [
        ("none", {"severity": "critical"}, False),
        ("severity=critical,page", {"severity": "Critical"}, True),
        ("severity=critical,page", {"Severity": "page"}, True),
        ("severity=critical,page", {"severity": "warning"}, False),
        ("severity=critical", {}, False),
        ("severity=critical; env=prod", {"severity": "critical", "env": "prod"}, True),
        ("severity=critical; env=prod", {"severity": "critical", "env": "test"}, False),
        ("tag = prod", {"tag": "prod"}, True),
    ],
)
def test_a_rule_opens_where_every_condition_holds(rule: str, labels: dict[str, str], opens: bool) -> None:
    rules = AlertRules("C1", "", conditions(rule))
    assert rules.opens_by(alert(labels=tuple(labels.items()))) is opens
    assert not rules.opens_by(alert(RESOLVED, labels=tuple(labels.items())))


@pytest.mark.parametrize("rule", ["critical", "=critical", "severity=", "severity=,", "severity=a=b", "a=b;"])
def test_what_is_no_condition_is_refused(rule: str) -> None:
    with pytest.raises(NoCondition, match="is no condition"):
        conditions(rule)


@pytest.mark.parametrize(
    ("label", "severity"),
    [
        ("critical", 1),
        ("P1", 1),
        ("Error", 2),
        ("high", 2),
        ("warning ", 3),
        ("info", 4),
        ("P5", 4),
        ("odd", None),
        ("", None),
    ],
)
def test_a_severity_is_proposed_for_the_usual_words(label: str, severity: int | None) -> None:
    assert proposed_severity(label) == severity


def test_an_entry_names_one_alert_or_counts_several() -> None:
    assert told_as(FIRING, ("Down",), more="checkout, critical") == "Alert fired: Down (checkout, critical)"
    assert told_as(ACKNOWLEDGED, ("Down",), by="Ana") == "Alert acknowledged by Ana: Down"
    assert told_as(RESOLVED, ("A", "B")) == "2 alerts resolved: A; B"
    assert told_as(FIRING, tuple("ABCDEFG")) == "7 alerts fired: A; B; C; D; E; and 2 more"
