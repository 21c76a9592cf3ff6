"""Parsing the payloads of monitoring: what is read from each, and that nothing in one can break anything."""

import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.alerts.groups import Alert, AlertStatus
from bot.domain.alerts.payloads import PARSERS, TITLE, WORD, Parser, parse_alertmanager, parse_jsm, parse_pagerduty
from bot.errors import MalformedPayloadError
from tests.support import alert_senders
from tests.support.play import NOON

FIRED = "2026-11-23T12:20:00Z"


def one(found: tuple[Alert, ...]) -> Alert:
    (alert,) = found
    return alert


def test_what_alertmanager_tells() -> None:
    fired = alert_senders.member("HighErrorRate", "2026-11-23T13:20:05.123456789+01:00", severity="critical")
    alert = one(parse_alertmanager(alert_senders.alertmanager(fired), NOON))
    assert (alert.source, alert.title, alert.severity, alert.service) == (
        "alertmanager",
        "HighErrorRate on checkout",
        "critical",
        "checkout",
    )
    assert alert.status is AlertStatus.FIRING
    assert alert.at == alert.starts_at == datetime(2026, 11, 23, 12, 20, 5, 123456, UTC)
    assert alert.link.startswith("https://prometheus.example.com/graph?")
    assert ("severity", "critical") in alert.labels


def test_an_alert_that_ended_is_told_at_its_end() -> None:
    over = alert_senders.member("HighErrorRate", FIRED, "2026-11-23T12:29:30Z")
    alert = one(parse_alertmanager(alert_senders.alertmanager(over), NOON))
    assert (alert.status, f"{alert.starts_at:%H:%M:%S}", f"{alert.at:%H:%M:%S}") == (
        AlertStatus.RESOLVED,
        "12:20:00",
        "12:29:30",
    )


def test_the_same_alert_told_again_is_the_same_event_and_its_end_another() -> None:
    first = alert_senders.member("HighErrorRate", FIRED)
    over = alert_senders.member("HighErrorRate", FIRED, "2026-11-23T12:29:30Z")
    anew = alert_senders.member("HighErrorRate", "2026-11-23T12:25:00Z")
    alerts = [one(parse_alertmanager(alert_senders.alertmanager(each), NOON)) for each in (first, first, over, anew)]
    assert (
        alerts[0].event == one(parse_alertmanager(alert_senders.alertmanager(first), NOON + timedelta(hours=4))).event
    )
    assert len({alert.event for alert in alerts}) == 3
    assert len({alert.group for alert in alerts}) == len({alert.fingerprint for alert in alerts}) == 1


def test_grafana_is_told_from_alertmanager_and_links_to_its_dashboard() -> None:
    alert = one(parse_alertmanager(alert_senders.grafana(alert_senders.member("HighErrorRate", FIRED)), NOON))
    assert (alert.source, alert.link) == ("grafana", "https://grafana.example.com/d/abc")


def test_a_name_that_the_summary_does_not_say_stands_before_it() -> None:
    fired = alert_senders.member("HighErrorRate", FIRED)
    fired["annotations"] = {"summary": "5xx above 5 % on checkout"}
    assert (
        one(parse_alertmanager(alert_senders.alertmanager(fired), NOON)).title
        == "HighErrorRate: 5xx above 5 % on checkout"
    )
    fired["annotations"] = fired["labels"] = {}
    assert one(parse_alertmanager(alert_senders.alertmanager(fired), NOON)).title == "An alert without a name"


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("triggered", AlertStatus.FIRING),
        ("acknowledged", AlertStatus.ACKNOWLEDGED),
        ("unacknowledged", AlertStatus.FIRING),
        ("resolved", AlertStatus.RESOLVED),
        ("reopened", AlertStatus.FIRING),
    ],
)
def test_what_pagerduty_tells(kind: str, status: AlertStatus) -> None:
    alert = one(parse_pagerduty(alert_senders.pagerduty(f"incident.{kind}", "2026-11-23T12:25:07Z"), NOON))
    assert (alert.status, alert.title, alert.severity, alert.service) == (
        status,
        "Checkout answers 5xx",
        "P1",
        "checkout",
    )
    assert f"{alert.starts_at:%H:%M:%S}" == "12:20:00"
    assert f"{alert.at:%H:%M:%S}" == ("12:20:00" if kind == "triggered" else "12:25:07")
    assert alert.by == "Ana Demo"
    assert ("urgency", "high") in alert.labels


def test_of_pagerduty_a_service_is_nobody_and_other_events_tell_nothing() -> None:
    payload = alert_senders.pagerduty("incident.resolved", "2026-11-23T12:25:00Z", priority=None)
    payload["event"]["agent"] = {"type": "integration_reference", "summary": "Monitoring"}
    alert = one(parse_pagerduty(payload, NOON))
    assert (alert.by, alert.severity) == ("", "high")
    for kind in ("incident.annotated", "incident.priority_updated", "pagey.ping", "service.updated"):
        assert parse_pagerduty({"event": {"event_type": kind}}, NOON) == ()


@pytest.mark.parametrize(
    ("action", "status"),
    [
        ("Create", AlertStatus.FIRING),
        ("Acknowledge", AlertStatus.ACKNOWLEDGED),
        ("UnAcknowledge", AlertStatus.FIRING),
        ("Close", AlertStatus.RESOLVED),
        ("Delete", AlertStatus.RESOLVED),
    ],
)
def test_what_jsm_tells_in_milliseconds_and_in_nanoseconds(action: str, status: AlertStatus) -> None:
    created = NOON - timedelta(minutes=10)
    alert = one(parse_jsm(alert_senders.jsm(action, created, created + timedelta(minutes=4)), NOON))
    assert (alert.status, alert.starts_at) == (status, created)
    assert alert.at == (created if action == "Create" else created + timedelta(minutes=4))
    assert alert.by == ("" if status is AlertStatus.FIRING else "Ana Demo")
    assert alert.labels == (("priority", "P2"), ("entity", "checkout"), ("tag", "prod"), ("tag", "payments"))
    assert parse_jsm({"action": "AddNote"}, NOON) == ()


SECONDS = 1_795_437_300


@pytest.mark.parametrize("scale", [1, 10**3, 10**6, 10**9])
@pytest.mark.parametrize("as_text", [True, False])
def test_a_count_since_1970_is_read_by_its_size(scale: int, as_text: bool) -> None:
    count: int | str = str(SECONDS * scale) if as_text else SECONDS * scale
    payload = alert_senders.jsm("Create", NOON, NOON, createdAt=count)
    later = datetime(2030, 1, 1, tzinfo=UTC)
    assert one(parse_jsm(payload, later)).starts_at == datetime.fromtimestamp(SECONDS, UTC)


@pytest.mark.parametrize(
    "start", [None, "", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "2031-01-01T00:00:00Z"]
)
def test_no_time_and_one_still_to_come_are_the_time_of_receipt(start: str | None) -> None:
    fired = {**alert_senders.member("HighErrorRate", FIRED), "startsAt": start}
    assert one(parse_alertmanager(alert_senders.alertmanager(fired), NOON)).at == NOON


BEFORE_IT_BEGAN = [
    ("alertmanager", alert_senders.alertmanager(alert_senders.member("HighErrorRate", FIRED, "2026-11-23T12:10:00Z"))),
    ("alertmanager", alert_senders.grafana(alert_senders.member("HighErrorRate", FIRED, "2026-11-23T12:10:00Z"))),
    ("pagerduty", alert_senders.pagerduty("incident.resolved", "2026-11-23T12:10:00Z")),
    ("jsm", alert_senders.jsm("Close", NOON - timedelta(minutes=10), NOON - timedelta(minutes=20))),
]


@pytest.mark.parametrize(("name", "payload"), BEFORE_IT_BEGAN)
def test_an_end_before_the_start_ended_as_it_began_whenever_it_comes(name: str, payload: dict[str, Any]) -> None:
    for now in (NOON, NOON + timedelta(hours=1)):
        alert = one(PARSERS[name](payload, now))
        assert alert.at == alert.starts_at == NOON - timedelta(minutes=10)


@pytest.mark.parametrize("field", ["startsAt", "created_at", "createdAt"])
def test_an_end_whose_start_is_not_told_is_at_its_own_time(field: str) -> None:
    senders = {
        "startsAt": (
            parse_alertmanager,
            alert_senders.alertmanager(alert_senders.member("A", "", "2026-11-23T12:10:00Z")),
        ),
        "created_at": (
            parse_pagerduty,
            alert_senders.pagerduty("incident.resolved", "2026-11-23T12:10:00Z", created_at=None),
        ),
        "createdAt": (parse_jsm, alert_senders.jsm("Close", NOON, NOON - timedelta(minutes=20), createdAt=None)),
    }
    parse, payload = senders[field]
    alert = one(parse(payload, NOON))
    assert (alert.at, alert.start) == (NOON - timedelta(minutes=20), "")


@pytest.mark.parametrize(
    "start",
    ["yesterday", "2026-11-23", "2026-11-23T12:20:00", "2026-13-23T12:20:00Z", "99999-01-01T00:00:00Z", 5, True, []],
)
def test_what_is_no_time_is_refused_by_the_name_of_its_field(start: Any) -> None:
    fired = {**alert_senders.member("HighErrorRate", FIRED), "startsAt": start}
    with pytest.raises(MalformedPayloadError, match=r"startsAt isn.t a time"):
        parse_alertmanager(alert_senders.alertmanager(fired), NOON)


@pytest.mark.parametrize("count", ["x", -1, 1.5, True, math.nan, "9" * 40, "\u0661\u0662\u0663"])
def test_what_is_no_count_is_refused(count: Any) -> None:
    with pytest.raises(MalformedPayloadError, match="createdAt isn't a number"):
        parse_jsm(alert_senders.jsm("Create", NOON, NOON, createdAt=count), NOON)


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "https://example.com/<b>",
        "https://example.com/a|b",
        "https://example.com/a b",
        "https://user:pass@example.com/",
        "https://",
        "http://[::1",
        "//example.com/",
        "https://exämple.com/",
        "https://example.com/" + "a" * 2_000,
        5,
    ],
)
def test_an_address_that_could_deceive_is_left_out(address: Any) -> None:
    fired = {**alert_senders.member("HighErrorRate", FIRED), "generatorURL": address}
    assert one(parse_alertmanager(alert_senders.alertmanager(fired), NOON)).link == ""


def test_texts_are_one_line_of_bounded_length_without_what_no_database_keeps() -> None:
    hostile = "a\x00b\nc\ud800 " + "x" * 10_000
    fired = alert_senders.member(hostile, FIRED, severity=hostile, team=hostile)
    fired["annotations"] = {"summary": hostile}
    alert = one(parse_alertmanager(alert_senders.alertmanager(fired), NOON))
    assert alert.title.startswith("ab c\ufffd x")
    assert (len(alert.title) <= TITLE, len(alert.severity) <= WORD) == (True, True)


def test_a_credential_that_monitoring_shows_is_not_kept() -> None:
    token = "xoxb-" + "123456789012-123456789012-" + "aBcDeFgHiJkLmNoPqRsTuVwX"
    fired = alert_senders.member(f"Login with {token} fails", FIRED)
    fired["generatorURL"] = f"https://example.com/?q={token}"
    alerts = [
        one(parse_alertmanager(alert_senders.alertmanager(fired), NOON)),
        one(parse_pagerduty(alert_senders.pagerduty("incident.triggered", FIRED, title=f"{token} expired"), NOON)),
        one(parse_jsm(alert_senders.jsm("Create", NOON, NOON, message=f"{token} expired"), NOON)),
    ]
    assert token not in repr([(alert.title, alert.link) for alert in alerts])
    assert [alert.title.count("[redacted]") for alert in alerts] == [1, 1, 1]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3),
    max_leaves=8,
)


@st.composite
def damaged_payloads(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A payload of a sender in which one field, however deep, has another value or is missing."""
    name, payload = draw(
        st.sampled_from(
            [
                (
                    "alertmanager",
                    alert_senders.alertmanager(
                        alert_senders.member("A", FIRED), alert_senders.member("B", FIRED, FIRED)
                    ),
                ),
                ("alertmanager", alert_senders.grafana(alert_senders.member("A", FIRED))),
                ("pagerduty", alert_senders.pagerduty("incident.resolved", FIRED)),
                ("jsm", alert_senders.jsm("Close", NOON - timedelta(minutes=5), NOON)),
            ]
        )
    )
    whole: dict[str, Any] = json.loads(json.dumps(payload))
    at: Any = whole
    while True:
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        key = draw(st.sampled_from(keys))
        if isinstance(at[key], dict | list) and at[key] and draw(st.booleans()):
            at = at[key]
            continue
        if isinstance(at, dict) and draw(st.booleans()):
            del at[key]
        else:
            at[key] = draw(ANYTHING)
        return name, whole


def read_or_refused(parse: Parser, payload: dict[str, Any]) -> tuple[Alert, ...]:
    """The alerts of a payload; none if it is refused as malformed. Any other error fails the test."""
    try:
        return parse(payload, NOON)
    except MalformedPayloadError:
        return ()


@given(damaged_payloads())
def test_whatever_a_field_holds_it_is_read_or_refused(case: tuple[str, dict[str, Any]]) -> None:
    name, payload = case
    for alert in read_or_refused(PARSERS[name], payload):
        assert alert.starts_at.utcoffset() == alert.at.utcoffset() == timedelta(0)
        assert max(alert.starts_at, alert.at) <= NOON
        assert 0 < len(alert.title) <= TITLE
        assert "\n" not in alert.title + alert.service + alert.severity + alert.by
        assert len(alert.group) == len(alert.event) == len(alert.fingerprint) == 64
        assert not alert.link or urlsplit(alert.link).scheme in ("http", "https")


@given(ANYTHING)
def test_whatever_is_sent_is_read_or_refused(anything: Any) -> None:
    payload = (
        anything
        if isinstance(anything, dict)
        else {"event": anything, "alerts": anything, "groupKey": anything, "action": "Close"}
    )
    for parse in PARSERS.values():
        read_or_refused(parse, payload)
