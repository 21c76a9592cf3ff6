"""Monitoring that calls: payloads as each sender writes them, of our own making, and the ways they prove themselves."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aiohttp

from tests.support.interactions import on_stage
from tests.support.play import Play

ALERTMANAGER, GRAFANA = "agreed-with-" + "alertmanager", "agreed-with-" + "grafana-demo"
PAGERDUTY, JSM = "agreed-with-" + "pagerduty", "agreed-with-" + "jsm-operations"
SECRETS = {
    "AFTERWORD_ALERTMANAGER_SECRET": ALERTMANAGER,
    "AFTERWORD_GRAFANA_SECRET": GRAFANA,
    "AFTERWORD_PAGERDUTY_SECRET": PAGERDUTY,
    "AFTERWORD_JSM_SECRET": JSM,
}
ALERTS = "C0R00000002"
NEVER = "0001-01-01T00:00:00Z"

Json = dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """What a sender was answered."""

    status: int
    text: str
    headers: dict[str, str]


def member(name: str, fired: str, ended: str = NEVER, **labels: str) -> Json:
    """One alert in a payload of Alertmanager; the times as it writes them."""
    return {
        "status": "firing" if ended == NEVER else "resolved",
        "labels": {"alertname": name, "severity": "warning", "service": "checkout", **labels},
        "annotations": {"summary": f"{name} on checkout"},
        "startsAt": fired,
        "endsAt": ended,
        "generatorURL": "https://prometheus.example.com/graph?g0.expr=up%7Bjob%3D%22checkout%22%7D&g0.tab=1",
        "fingerprint": hashlib.md5(
            f"{name}{sorted(labels.items())}".encode("utf-8", "replace"), usedforsecurity=False
        ).hexdigest()[:16],
    }


def alertmanager(*alerts: Json, group: str = "checkout") -> Json:
    """A notification of Alertmanager, version 4."""
    is_firing = any(alert["status"] == "firing" for alert in alerts)
    return {
        "version": "4",
        "groupKey": f'{{}}:{{service="{group}"}}',
        "truncatedAlerts": 0,
        "status": "firing" if is_firing else "resolved",
        "receiver": "afterword",
        "groupLabels": {"service": group},
        "commonLabels": {"service": group},
        "commonAnnotations": {},
        "externalURL": "https://alertmanager.example.com",
        "alerts": list(alerts),
    }


def grafana(*alerts: Json) -> Json:
    """The same from Grafana, with more fields."""
    extra = {"dashboardURL": "https://grafana.example.com/d/abc", "panelURL": "", "values": {"B": 22.5}}
    notification = alertmanager(*({**alert, **extra} for alert in alerts))
    return notification | {"orgId": 1, "title": "[FIRING:1] checkout", "state": "alerting", "message": "one alert"}


def pagerduty(kind: str, at: str, number: str = "PD01", event: str = "", **more: Any) -> Json:
    """An event of a v3 webhook of PagerDuty, such as `incident.triggered`."""
    return {
        "event": {
            "id": event or f"{number}-{kind}-{at}",
            "event_type": kind,
            "resource_type": "incident",
            "occurred_at": at,
            "agent": {"id": "PANA", "type": "user_reference", "summary": "Ana Demo"},
            "client": None,
            "data": {
                "id": number,
                "type": "incident",
                "number": 42,
                "status": kind.partition(".")[2],
                "title": "Checkout answers 5xx",
                "html_url": "https://demo.pagerduty.example.com/incidents/PD01",
                "created_at": "2026-11-23T12:20:00Z",
                "service": {"id": "PSVC", "summary": "checkout"},
                "assignees": [],
                "urgency": "high",
                "priority": {"id": "PPRI", "summary": "P1"},
                **more,
            },
        }
    }


def jsm(action: str, created: datetime, updated: datetime, number: str = "jsm-1", **more: Any) -> Json:
    """What the webhook of JSM Operations sends, as Opsgenie's does: milliseconds here, nanoseconds there."""
    return {
        "action": action,
        "alert": {
            "alertId": number,
            "tinyId": "17",
            "alias": "checkout-5xx",
            "message": "Checkout answers 5xx",
            "entity": "checkout",
            "priority": "P2",
            "tags": ["prod", "payments"],
            "username": "Ana Demo",
            "createdAt": int(created.timestamp()) * 1_000,
            "updatedAt": int(updated.timestamp()) * 1_000_000_000,
            **more,
        },
        "source": {"name": "", "type": "api"},
        "integrationId": "demo",
        "integrationName": "Afterword",
    }


def sign(secret: str, raw: bytes) -> str:
    return hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


def proof(hook: str, raw: bytes) -> dict[str, str]:
    """The header by which a sender proves itself."""
    match hook:
        case "pagerduty":
            return {"X-PagerDuty-Signature": f"v1={sign(PAGERDUTY, raw)}"}
        case "jsm":
            return {"Authorization": f"Bearer {JSM}"}
        case _:
            return {"Authorization": f"Bearer {ALERTMANAGER}"}


async def send(play: Play, hook: str, raw: bytes, headers: dict[str, str] | None = None) -> Reply:
    """POST these bytes; with a right proof unless headers are given."""
    proven = proof(hook, raw) if headers is None else headers
    async with (
        aiohttp.ClientSession() as http,
        http.post(
            f"{play.url}/hooks/{hook}", data=raw, headers={"Content-Type": "application/json"} | proven
        ) as answer,
    ):
        return Reply(
            answer.status, await answer.text(), {name.lower(): value for name, value in answer.headers.items()}
        )


async def call(play: Play, hook: str, payload: Json) -> Reply:
    """A sender posts a payload, which is accepted."""
    reply = await send(play, hook, json.dumps(payload).encode())
    assert reply.status == 200, reply
    return reply


@asynccontextmanager
async def watch_alerts(database_url: str, rule: str = "none", **more: Any) -> AsyncIterator[Play]:
    """A play in which monitoring may call: every hook is on, and alerts go into a channel of their own."""
    environ = SECRETS | {"AFTERWORD_ALERTS_CHANNEL": ALERTS, "AFTERWORD_ALERTS_OPEN": rule} | more.pop("environ", {})
    async with on_stage(database_url, environ=environ, **more) as play:
        channel = play.slack.channel("alerts", [play.ana, play.bo, play.chandra])
        assert channel == ALERTS, channel
        await play.bot.directory_refresher.wait()
        yield play
