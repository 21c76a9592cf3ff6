"""The rules of alerts: which open an incident automatically, a group's state after each event, the text of entries."""

from datetime import datetime
from typing import Any

import pytest

from bot.domain.alerts.groups import (
    Alert,
    AlertRules,
    AlertStatus,
    ConditionError,
    describe,
    parse_conditions,
    propose_severity,
)
from tests.support.play import NOON

FIRING, ACKNOWLEDGED, RESOLVED = AlertStatus


def alert(status: AlertStatus = FIRING, at: datetime = NOON, fingerprint: str = "a", **more: Any) -> Alert:
    return Alert("alertmanager", "g", fingerprint, f"{fingerprint}{status}{at}", "Down", status, NOON, at, **more)


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
    rules = AlertRules("C1", "", parse_conditions(rule))
    assert rules.opens_by(alert(labels=tuple(labels.items()))) is opens
    assert not rules.opens_by(alert(RESOLVED, labels=tuple(labels.items())))


@pytest.mark.parametrize("rule", ["critical", "=critical", "severity=", "severity=,", "severity=a=b", "a=b;"])
def test_what_is_no_condition_is_refused(rule: str) -> None:
    with pytest.raises(ConditionError, match="isn't a condition"):
        parse_conditions(rule)


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
    assert propose_severity(label) == severity


def test_an_entry_names_one_alert_or_counts_several() -> None:
    assert describe(FIRING, ("Down",), more="checkout, critical") == "Alert fired: Down (checkout, critical)"
    assert describe(ACKNOWLEDGED, ("Down",), by="Ana") == "Alert acknowledged by Ana: Down"
    assert describe(RESOLVED, ("A", "B")) == "2 alerts resolved: A; B"
    assert describe(FIRING, tuple("ABCDEFG")) == "7 alerts fired: A; B; C; D; E; and 2 more"
