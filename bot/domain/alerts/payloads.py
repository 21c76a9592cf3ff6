"""Parses the webhooks of Alertmanager, Grafana, PagerDuty and JSM Operations (also Opsgenie's) into `Alert` values.

Everything in a payload is untrusted. Labels and tags are read whole, however many and long; only what is stored is cut,
to the length of a line. Credentials in titles and links are removed, since their source has them; links are stored only
if they are web addresses; keys are hashes of everything they stand for, so that they fit an index. A time that is
missing or in the future is the time of receipt, and no status comes before the alert began. The year 1 is Go's way to
write no time.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from bot.domain import secrets as secrets_rules
from bot.domain.alerts.groups import ALERTMANAGER, GRAFANA, JSM, PAGERDUTY, Alert, AlertStatus
from bot.domain.text import clean_input, shorten
from bot.errors import MalformedPayloadError

# What is stored and shown of a payload, in characters; a rule still sees labels whole.
TITLE, WORD, ADDRESS = 300, 80, 1_500
SERVICE_LABELS = ("service", "app", "component", "job")
"""The labels that name a service, the first that an alert has."""
NAMELESS = "An alert without a name"

Payload = Mapping[str, Any]


def parse_alertmanager(payload: Payload, now: datetime) -> tuple[Alert, ...]:
    """The alerts of a webhook of Alertmanager (version 4), or Grafana's extended one. Raises MalformedPayloadError."""
    # Grafana sends the format of Alertmanager with more fields.
    source = GRAFANA if "orgId" in payload else ALERTMANAGER
    group = _read_text(payload, "groupKey")
    alerts = payload.get("alerts")
    if not isinstance(alerts, list):
        raise MalformedPayloadError("The field `alerts` must be a list.")
    return tuple(_member(source, group, _object(one, f"alerts[{at}]"), now) for at, one in enumerate(alerts))


_OF_PROMETHEUS = {"firing": AlertStatus.FIRING, "resolved": AlertStatus.RESOLVED}


def _member(source: str, group: str, fields: Payload, now: datetime) -> Alert:
    status = _OF_PROMETHEUS.get(str(fields.get("status")))
    if status is None:
        raise MalformedPayloadError("The status of an alert must be `firing` or `resolved`.")
    labels = _labels(fields.get("labels"))
    named, notes = dict(labels), dict(_labels(fields.get("annotations")))
    starts_at, at = _from_start_to(status, fields, now)
    # Hashed like every key here: a sender may give one of any length, and an index holds it.
    fingerprint = _digest(str(fields.get("fingerprint") or _identity(fields.get("labels"))))
    # A repeated notification reports the same status since the same start, so these make its key.
    event = _digest(source, group, fingerprint, str(fields.get("startsAt")), status)
    return Alert(
        source=source,
        group=_digest(group),
        fingerprint=fingerprint,
        event=event,
        title=_title(named.get("alertname", ""), notes.get("summary") or notes.get("description", "")),
        status=status,
        starts_at=starts_at,
        at=at,
        severity=shorten(named.get("severity", "") or named.get("priority", ""), WORD),
        service=shorten(next((named[name] for name in SERVICE_LABELS if named.get(name)), ""), WORD),
        link=_first_link(fields, "panelURL", "dashboardURL", "generatorURL"),
        labels=labels,
    )


def _from_start_to(status: AlertStatus, fields: Payload, now: datetime) -> tuple[datetime, datetime]:
    """When an alert began, and when it came to its status."""
    started, ended = _iso(fields.get("startsAt"), "startsAt"), _iso(fields.get("endsAt"), "endsAt")
    if status is AlertStatus.FIRING:
        starts_at = _past(started, now)
        return starts_at, starts_at
    return _span(started, _past(ended, now), now)


def _span(started: datetime | None, at: datetime, now: datetime) -> tuple[datetime, datetime]:
    """Start and time of the status if both are known. Clocks may differ, so the status is never before the start."""
    starts_at = _past(started or at, now)
    return starts_at, max(at, starts_at)


def _identity(labels: Any) -> tuple[tuple[str, str], ...]:
    """All labels to the last character: the identity of an alert whose sender gives it none."""
    return tuple(sorted((name, str(value)) for name, value in labels.items())) if isinstance(labels, dict) else ()


def _title(name: str, summary: str) -> str:
    """`HighErrorRate: 5xx above 5 % on checkout`, or as much of it as there is."""
    parts = (summary,) if name in summary else (name, summary)
    return _headline(": ".join(part for part in parts if part))


def _headline(text: str) -> str:
    """The beginning of a text. Credentials are removed before the cut, because half of one is not recognised."""
    # Cut before the search as well, for a payload may be megabytes; four times as much as is shown, so that a
    # credential at the end of what is shown is seen whole.
    return shorten(secrets_rules.redact(text[: TITLE * 4]), TITLE) or NAMELESS


_OF_PAGERDUTY = {
    "incident.triggered": AlertStatus.FIRING,
    "incident.unacknowledged": AlertStatus.FIRING,
    "incident.reopened": AlertStatus.FIRING,
    "incident.acknowledged": AlertStatus.ACKNOWLEDGED,
    "incident.resolved": AlertStatus.RESOLVED,
}


def parse_pagerduty(payload: Payload, now: datetime) -> tuple[Alert, ...]:
    """The alert of a PagerDuty v3 webhook; none if no incident's status changes. Raises MalformedPayloadError."""
    event = _object(payload.get("event"), "event")
    status = _OF_PAGERDUTY.get(_read_text(event, "event_type"))
    if status is None:
        return ()
    data = _object(event.get("data"), "event.data")
    number = _read_text(data, "id")
    urgency, priority, service = (
        _line(data.get("urgency")),
        _summary(data.get("priority")),
        _summary(data.get("service")),
    )
    known = (("urgency", urgency), ("priority", priority), ("service", service))
    created, agent = _iso(data.get("created_at"), "event.data.created_at"), event.get("agent")
    starts_at, at = _span(created, _past(_iso(event.get("occurred_at"), "event.occurred_at"), now), now)
    is_start = event["event_type"] == "incident.triggered"
    return (
        Alert(
            source=PAGERDUTY,
            group=_digest(number),
            fingerprint=_digest(number),
            event=_digest(PAGERDUTY, _read_text(event, "id")),
            title=_headline(_line(data.get("title"))),
            status=status,
            starts_at=starts_at,
            at=starts_at if is_start else at,
            severity=shorten(priority or urgency, WORD),
            service=shorten(service, WORD),
            link=_link(data.get("html_url")),
            by=shorten(_summary(agent), WORD) if _is_person(agent) else "",
            labels=tuple((name, value) for name, value in known if value),
            start=_digest(PAGERDUTY, number, "start") if created else "",
        ),
    )


def _is_person(agent: Any) -> bool:
    return isinstance(agent, dict) and str(agent.get("type", "")).startswith("user")


_OF_JSM = {
    "Create": AlertStatus.FIRING,
    "UnAcknowledge": AlertStatus.FIRING,
    "Acknowledge": AlertStatus.ACKNOWLEDGED,
    "Close": AlertStatus.RESOLVED,
    "Delete": AlertStatus.RESOLVED,
}


def parse_jsm(payload: Payload, now: datetime) -> tuple[Alert, ...]:
    """The alert of a webhook of JSM Operations or Opsgenie; none for an action that changes no status.

    Its times count from 1970: `createdAt` in milliseconds, `updatedAt` in nanoseconds. Raises MalformedPayloadError.
    """
    action = _read_text(payload, "action")
    status = _OF_JSM.get(action)
    if status is None:
        return ()
    alert = _object(payload.get("alert"), "alert")
    number = _read_text(alert, "alertId")
    created, updated = alert.get("createdAt"), alert.get("updatedAt")
    started, is_start = _epoch(created, "alert.createdAt"), action == "Create"
    starts_at, at = _span(started, _past(None if is_start else _epoch(updated, "alert.updatedAt"), now), now)
    priority, entity = _line(alert.get("priority")), _line(alert.get("entity"))
    tags = alert.get("tags")
    known = [("priority", priority), ("entity", entity)]
    known += [("tag", _line(tag)) for tag in tags] if isinstance(tags, list) else []
    return (
        Alert(
            source=JSM,
            group=_digest(number),
            fingerprint=_digest(number),
            event=_digest(JSM, number, action, str(updated or created)),
            title=_headline(_line(alert.get("message"))),
            status=status,
            starts_at=starts_at,
            at=starts_at if is_start else at,
            severity=shorten(priority, WORD),
            service=shorten(entity, WORD),
            by="" if status is AlertStatus.FIRING else shorten(_line(alert.get("username")), WORD),
            labels=tuple((name, value) for name, value in known if value),
            start=_digest(JSM, number, "start") if started else "",
        ),
    )


Parser = Callable[[Payload, datetime], tuple[Alert, ...]]
PARSERS: dict[str, Parser] = {ALERTMANAGER: parse_alertmanager, PAGERDUTY: parse_pagerduty, JSM: parse_jsm}
"""By the last part of the address that each is sent to."""


def _object(value: Any, where: str) -> Payload:
    if not isinstance(value, dict):
        raise MalformedPayloadError(f"The field {where} must be an object.")
    return value


def _read_text(fields: Payload, name: str) -> str:
    found = fields.get(name)
    if not isinstance(found, str) or not found:
        raise MalformedPayloadError(f"The field {name} must be a text that isn't empty.")
    return found


def _line(value: Any) -> str:
    """A text as one line; empty for anything that is not text."""
    return " ".join(clean_input(value, most=len(value)).split()) if isinstance(value, str) else ""


def _summary(value: Any) -> str:
    return _line(value.get("summary")) if isinstance(value, dict) else ""


def _labels(labels: Any) -> tuple[tuple[str, str], ...]:
    """All labels by name, each to its end: a rule may look for a value that a cut would lose."""
    return (
        tuple(sorted((_line(name), _line(value)) for name, value in labels.items())) if isinstance(labels, dict) else ()
    )


def _first_link(fields: Payload, *names: str) -> str:
    return next((link for name in names if (link := _link(fields.get(name)))), "")


# RFC 3986 has no other characters, and none of these ends a link in Slack.
_UNSAFE = re.compile(r"[^!#$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~]")


def _link(value: Any) -> str:
    """A web address that ends no markup, hides nothing and holds no credential; empty for anything else."""
    if (
        not isinstance(value, str)
        or len(value) > ADDRESS
        or _UNSAFE.search(value)
        or secrets_rules.find_credentials(value)
    ):
        return ""
    try:
        at = urlsplit(value)
    except ValueError:
        return ""
    return value if at.scheme in ("http", "https") and at.hostname and not at.username else ""


_ISO = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:?\d\d)", re.ASCII)


def _iso(value: Any, where: str) -> datetime | None:
    """A time in the form of RFC 3339, also to the nanosecond; None if there is none."""
    if value is None or value == "":
        return None
    match = _ISO.fullmatch(value) if isinstance(value, str) else None
    try:
        moment = _moment(match) if match else None
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        raise MalformedPayloadError(f"The field {where} isn't a time such as 2026-11-23T14:05:00Z.")
    return moment if moment.year >= 1970 else None


def _moment(match: re.Match[str]) -> datetime:
    day, clock, fraction, zone = match.groups()
    if day.startswith("0001-"):  # moving it to UTC could leave the calendar
        return datetime.min.replace(tzinfo=UTC)
    return datetime.fromisoformat(f"{day}T{clock}.{(fraction or '0')[:6]:0<6}{zone.upper()}").astimezone(UTC)


def _epoch(value: Any, where: str) -> datetime | None:
    """A count since 1970, in seconds, milli-, micro- or nanoseconds: its size shows which."""
    if value is None:
        return None
    # A bool is an int, and a float has lost digits of nanoseconds.
    text = str(value)
    if isinstance(value, bool | float) or not re.fullmatch(r"[0-9]{1,19}", text, re.ASCII):
        raise MalformedPayloadError(f"The field {where} isn't a number of milliseconds since 1970.")
    # Up to eleven figures are seconds, up to 14 milliseconds, up to 17 microseconds.
    scale = 10 ** (max(0, (len(text) - 11 + 2) // 3) * 3)
    return (
        datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(text) * 1_000_000 // scale) if int(text) else None
    )


def _past(moment: datetime | None, now: datetime) -> datetime:
    return now if moment is None or moment > now else moment


def _digest(*parts: str) -> str:
    # With surrogates as they are: JSON may hold a lone one, and a key must not raise.
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
