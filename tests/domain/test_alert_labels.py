"""Labels of monitoring, however many and long: rules find them, and they distinguish alerts."""

from typing import Any

import pytest

from bot.domain.alerts.groups import Alert
from bot.domain.alerts.payloads import parse_alertmanager, parse_jsm
from tests.support import alert_senders
from tests.support.play import NOON

FIRED = "2026-11-23T12:20:00Z"
LONG = "x" * 200


def one(found: tuple[Alert, ...]) -> Alert:
    (alert,) = found
    return alert


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 150, 500])
def test_however_many_labels_there_are_severity_and_service_are_found(count: int) -> None:
    many = {f"app_kubernetes_io_{number:03}": "x" for number in range(count)}
    fired = alert_senders.member("A", FIRED, severity="disaster", zone="eu", **many)
    fired["annotations"] = {f"a_{number:03}": "x" for number in range(count)} | {"summary": "The disk is full"}
    for payload in (alert_senders.alertmanager(fired), alert_senders.grafana(fired)):
        alert = one(parse_alertmanager(payload, NOON))
        assert (alert.severity, alert.service) == ("disaster", "checkout")
        assert alert.title == "A: The disk is full"
        assert {("severity", "disaster"), ("zone", "eu")} <= set(alert.labels)


def test_a_rule_sees_every_tag_and_every_label_to_its_end() -> None:
    tags = [f"tag-{number:03}" for number in range(500)] + ["prod", LONG]
    alert = one(parse_jsm(alert_senders.jsm("Create", NOON, NOON, tags=tags), NOON))
    assert {("tag", "prod"), ("tag", LONG)} <= set(alert.labels)
    fired = alert_senders.member("A", FIRED, team=LONG, **{LONG: "1", LONG + "y": "2"})
    labels = one(parse_alertmanager(alert_senders.alertmanager(fired), NOON)).labels
    assert {("team", LONG), (LONG, "1"), (LONG + "y", "2")} <= set(labels)


@pytest.mark.parametrize("number", [0, 499])
@pytest.mark.parametrize("values", [(LONG + "a", LONG + "b"), ("a", "b"), ("a b", "a  b"), (1, 2), ("", 0)])
def test_alerts_without_a_fingerprint_are_told_apart_by_all_their_labels(values: tuple[Any, Any], number: int) -> None:
    found = set()
    for value in values:
        fired = alert_senders.member("A", FIRED)
        del fired["fingerprint"]
        fired["labels"] = {f"label_{at:03}": "x" for at in range(500)} | {f"label_{number:03}": value}
        found.add(one(parse_alertmanager(alert_senders.alertmanager(fired), NOON)).fingerprint)
    assert len(found) == 2


def test_a_fingerprint_is_made_of_all_of_it_and_in_no_order() -> None:
    fired = alert_senders.member("A", FIRED) | {"fingerprint": None}
    turned = fired | {"labels": dict(reversed(fired["labels"].items()))}
    one_of, other = (alert_senders.member("A", FIRED) | {"fingerprint": LONG + end} for end in "ab")
    prints = [
        one(parse_alertmanager(alert_senders.alertmanager(each), NOON)).fingerprint
        for each in (fired, turned, one_of, other)
    ]
    assert prints[0] == prints[1]
    assert len({len(each) for each in prints}) == 1
    assert len(set(prints)) == 3
