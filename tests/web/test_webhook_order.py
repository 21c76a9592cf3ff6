"""Webhooks of each sender in every order: the same group, the same timeline, the same message."""

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from bot.domain.alerts.groups import PROGRAMS, AlertGroup
from bot.domain.records import Milestone
from storage import alerts as alerts_store
from tests.support import alert_senders
from tests.support.alert_senders import ALERTS, Json, alertmanager, call, grafana, jsm, member, watch_alerts
from tests.support.interactions import type_command, window
from tests.support.play import NOON, Play, reached_at

START = NOON - timedelta(minutes=25)
WEEKDAY = re.compile(r"\bon (?:Mon|Tue) \d+ Nov, ")


def at(minutes: int) -> str:
    return f"{START + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"


def prometheus(wrap: Callable[..., Json]) -> Callable[[int], list[Json]]:
    """Fired, ended, fired again and ended, as Alertmanager and Grafana tell it: they have no acknowledgements."""

    def tell(number: int) -> list[Json]:
        spans = (
            ("00", at(0), alert_senders.NEVER),
            ("00", at(0), at(5)),
            ("10", at(10), alert_senders.NEVER),
            ("10", at(10), at(15)),
        )
        each = [member("CheckoutDown", start, end, run=str(number)) for _, start, end in spans]
        return [wrap(one) | {"groupKey": f"group {number}"} for one in each]

    return tell


def pagerduty(number: int) -> list[Json]:
    kinds = (("triggered", 0), ("acknowledged", 2), ("resolved", 5))
    created = {"number": f"PD{number}", "created_at": at(0)}
    return [alert_senders.pagerduty(f"incident.{kind}", at(minutes), **created) for kind, minutes in kinds]


def operations(number: int, **more: Any) -> list[Json]:
    actions = (("Create", 0), ("Acknowledge", 2), ("Close", 5))
    return [
        jsm(action, START, START + timedelta(minutes=minutes), f"jsm-{number}", **more) for action, minutes in actions
    ]


def opsgenie(number: int) -> list[Json]:
    """The same from Opsgenie, which gives its numbers as texts."""
    told_by_it = [json.loads(json.dumps(payload)) for payload in operations(number)]
    for payload in told_by_it:
        payload["alert"] |= {name: str(payload["alert"][name]) for name in ("createdAt", "updatedAt")}
        payload["source"] = {"name": "web", "type": "web"}
    return told_by_it


SENDERS: dict[str, tuple[str, Callable[[int], list[Json]]]] = {
    "alertmanager": ("alertmanager", prometheus(alertmanager)),
    "grafana": ("alertmanager", prometheus(grafana)),
    "pagerduty": ("pagerduty", pagerduty),
    "jsm": ("jsm", operations),
    "opsgenie": ("jsm", opsgenie),
}
RULE = {"alertmanager": "severity=warning", "grafana": "severity=warning", "pagerduty": "urgency=high"}


def group(play: Play, number: int) -> AlertGroup:
    found = play.bot.store.read_now(lambda tx: alerts_store.find(tx, number))
    assert found is not None
    return found


def facts(found: AlertGroup) -> tuple[Any, ...]:
    """What the database says of a group, whichever row it is."""
    times = (found.starts_at, found.changed_at, found.acknowledged_at, found.ended_at)
    values = (found.title, found.severity, found.service, found.link, found.acknowledged_by, found.settled_by)
    return times, values, (found.status, found.stand, found.fired, found.firing, found.entries)


def entries(play: Play) -> list[tuple[datetime, datetime | None, str, str, Milestone | None]]:
    by_programs = [entry for entry in play.case(ALERTS).entries if entry.author in PROGRAMS]
    found = [(each.happened_at, each.ended_at, each.text, each.author, each.milestone) for each in by_programs]
    return [each for each in found if not each[2].startswith("Incident opened")]


async def tell(play: Play, hook: str, payloads: list[Json]) -> None:
    """Each is news, and told twice it is not."""
    for payload in payloads:
        for news in ("1 new", "0 new"):
            assert (await call(play, hook, payload)).text[:5] == news
    await play.pass_time(seconds=5)


def orders(count: int) -> list[tuple[int, ...]]:
    return list(permutations(range(count)))


@pytest.mark.parametrize("sender", SENDERS)
async def test_in_every_order_a_rule_opens_the_same_incident(database_url: str, sender: str) -> None:
    hook, payloads = SENDERS[sender]
    async with watch_alerts(database_url, RULE.get(sender, "priority=p2")) as play:
        seen = []
        for number, order in enumerate(orders(len(payloads(0))), start=1):
            each = payloads(number)
            await tell(play, hook, [each[at] for at in order])
            case = play.case(ALERTS)
            assert case.incident.number == number, order
            marked = [reached_at(case, mark) for mark in (Milestone.DETECTED, Milestone.ACKNOWLEDGED)]
            seen.append((facts(group(play, number)), entries(play), marked, case.incident.title))
            asked = [message for message in play.slack.messages(ALERTS) if "alerts_resolved" in str(message.buttons)]
            assert len(asked) == 1, order  # those of the incidents before lost it at their resolution
            await type_command(play, play.ana, "/incident resolved", ALERTS)
            await play.pass_time(minutes=61)
        assert [at for at, one in enumerate(seen) if one != seen[0]] == []
        assert len(seen[0][1]) == len(payloads(0))
        assert seen[0][2][0] == START


@pytest.mark.parametrize("sender", SENDERS)
async def test_in_every_order_the_same_is_suggested_and_reads_the_same_in_an_incident(
    sqlite_url: str, sender: str
) -> None:
    hook, payloads = SENDERS[sender]
    async with watch_alerts(sqlite_url) as play:
        seen = []
        for number, order in enumerate(orders(len(payloads(0))), start=1):
            each = payloads(number)
            await tell(play, hook, [each[at] for at in order])
            (message,) = (one for one in play.slack.messages(ALERTS) if "alerts_ignore" in str(one.buttons))
            stood = facts(group(play, number))
            view = await window(play, play.ana, "alerts_open", channel=ALERTS)
            assert (await play.slack.submit(play.ana, view, {"channel": ALERTS})).errors == {}
            await play.settle()
            # The orders are played one after the other, past midnight: from then on the day stands with the time.
            seen.append((WEEKDAY.sub("at ", message.plain), stood, entries(play)))
            await type_command(play, play.ana, "/incident resolved", ALERTS)
            await play.pass_time(minutes=61)
        assert [at for at, one in enumerate(seen) if one != seen[0]] == []
        assert len(seen[0][2]) == len(payloads(0))
