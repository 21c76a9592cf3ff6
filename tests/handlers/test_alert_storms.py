"""Alerts that open an incident by themselves, and so many at once that a channel would drown in them."""

import asyncio
import json
import time
from datetime import timedelta
from statistics import median

from bot.domain.alerts.groups import PROGRAMS
from bot.domain.records import Milestone, Status
from storage import incidents as incidents_store
from tests.support.alert_senders import ALERTS, alertmanager, call, member, send, watch_alerts
from tests.support.interactions import having, labels, press, type_command
from tests.support.play import NOON, TEAM, Play, reached_at

RULE = "severity=critical,page"


def critical(name: str, at: str = "2026-11-23T12:20:00Z", group: str = "") -> dict[str, object]:
    return alertmanager(member(name, at, severity="Critical"), group=group or name)


def warning(name: str) -> dict[str, object]:
    return alertmanager(member(name, "2026-11-23T12:20:00Z"), group=name)


def by_programs(play: Play) -> list[str]:
    """In the order in which they were written."""
    entries = sorted(play.case(ALERTS).entries, key=lambda entry: entry.number)
    return [entry.text.partition(" (")[0] for entry in entries if entry.author in PROGRAMS]


async def test_a_rule_opens_the_incident_where_alerts_go(database_url: str) -> None:
    async with watch_alerts(database_url, RULE) as play:
        await call(play, "alertmanager", critical("CheckoutDown"))
        await play.settle()
        case = play.case(ALERTS)
        assert (case.incident.title, case.incident.severity) == ("CheckoutDown on checkout", None)
        assert case.name(case.incident.opened_by) == "Afterword"
        assert f"{reached_at(case, Milestone.DETECTED):%H:%M}" == "12:20"
        assert by_programs(play) == [
            "Incident opened: CheckoutDown on checkout",
            "Alert fired: CheckoutDown on checkout",
        ]
        alert, card = play.slack.messages(ALERTS)
        if "Add entry" in labels(alert):
            alert, card = card, alert
        assert "In the timeline of *INC-1* in #alerts, attached by a rule" in alert.plain
        assert "INC-1 CheckoutDown on checkout" in card.plain
        await type_command(play, play.ana, "/incident resolved", ALERTS)
        assert play.case(ALERTS).incident.postmortem_owner == play.ana


async def test_what_a_rule_finds_later_joins_the_incident_that_is_open(sqlite_url: str) -> None:
    async with watch_alerts(sqlite_url, RULE) as play:
        await call(play, "alertmanager", critical("CheckoutDown"))
        await call(play, "alertmanager", critical("PaymentsDown", "2026-11-23T12:21:00Z"))
        await play.settle()
        assert by_programs(play)[1:] == [
            "Alert fired: CheckoutDown on checkout",
            "Alert fired: PaymentsDown on checkout",
        ]
        assert len(play.slack.messages(ALERTS)) == 2
        over = member("CheckoutDown", "2026-11-23T12:20:00Z", "2026-11-23T12:29:00Z", severity="Critical")
        await call(play, "alertmanager", alertmanager(over, group="CheckoutDown"))
        await play.settle()
        assert not [m for m in play.slack.messages(ALERTS) if "Is the incident mitigated, or resolved?" in m.plain]
        over = member("PaymentsDown", "2026-11-23T12:21:00Z", "2026-11-23T12:30:00Z", severity="Critical")
        await call(play, "alertmanager", alertmanager(over, group="PaymentsDown"))
        await play.settle()
        assert "Both alert groups of *INC-1* have ended, the last one at 12:30 UTC" in (
            having(play, play.bo, "alerts_resolved", ALERTS).plain
        )


async def test_what_grows_worse_is_opened_by_the_rule_then(sqlite_url: str) -> None:
    async with watch_alerts(sqlite_url, RULE) as play:
        await call(play, "alertmanager", warning("SlowAnswers"))
        await play.settle()
        assert labels(play.slack.messages(ALERTS)[0])[0] == "Open an incident"
        worse = member("NoAnswers", "2026-11-23T12:25:00Z", severity="page")
        await call(play, "alertmanager", alertmanager(worse, group="SlowAnswers"))
        await play.pass_time(seconds=5)
        assert by_programs(play)[0] == "Incident opened: SlowAnswers on checkout"
        assert by_programs(play)[1:] == ["Alert fired: SlowAnswers on checkout", "Alert fired: NoAnswers on checkout"]
        assert "attached by a rule" in play.slack.messages(ALERTS)[0].plain


async def test_many_alerts_of_one_group_are_one_entry_over_their_time(sqlite_url: str) -> None:
    async with watch_alerts(sqlite_url, RULE) as play:
        told_now = [member(f"Disk{n}", f"2026-11-23T12:{10 + n}:00Z", severity="critical") for n in range(8)]
        await call(play, "alertmanager", alertmanager(*told_now))
        (entry,) = (entry for entry in play.case(ALERTS).entries if entry.milestone is Milestone.DETECTED)
        assert entry.text.startswith("8 alerts fired: Disk0 on checkout; ")
        assert "; and 3 more" in entry.text
        assert (f"{entry.happened_at:%H:%M}", f"{entry.ended_at:%H:%M}") == ("12:10", "12:17")


async def test_a_storm_of_groups_is_five_suggestions_and_one_message_that_counts(sqlite_url: str) -> None:
    async with watch_alerts(sqlite_url) as play:
        for number in range(12):
            await call(play, "alertmanager", warning(f"Alert{number}"))
        await play.settle()
        messages = play.slack.messages(ALERTS)
        assert len(messages) == 6
        (storm,) = (message for message in messages if "alerts_more" in str(message.buttons))
        assert "*7 more alert groups* since 12:30 UTC" in storm.plain
        await press(play, play.ana, "alerts_more", channel=ALERTS)
        await play.settle()
        assert len([m for m in play.slack.messages(ALERTS) if "alerts_ignore" in str(m.buttons)]) == 10
        assert "*2 more alert groups*" in having(play, play.ana, "alerts_more", ALERTS).plain
        await press(play, play.ana, "alerts_more", channel=ALERTS)
        assert any("have their own message or are dealt with" in m.plain for m in play.slack.messages(ALERTS))
        await play.pass_time(minutes=11)
        await call(play, "alertmanager", warning("Later"))
        await play.settle()
        assert "Later on checkout" in play.slack.messages(ALERTS)[-1].plain


async def record_until(play: Play, stop: asyncio.Event) -> list[float]:
    """Ana records one step after the other; how many seconds each took to be answered."""
    took: list[float] = []
    while not stop.is_set():
        began = time.monotonic()
        await type_command(play, play.ana, f"/timeline step {len(took)}")
        took.append(time.monotonic() - began)
        await asyncio.sleep(0.05)
    return took


async def storm(play: Play, count: int) -> set[int]:
    """So many webhooks, fifty at a time; the statuses that came."""
    gate = asyncio.Semaphore(50)

    async def one(number: int) -> int:
        async with gate:
            return (await send(play, "alertmanager", json.dumps(warning(f"Alert{number}")).encode())).status

    return set(await asyncio.gather(*(one(number) for number in range(count))))


async def test_a_thousand_webhooks_are_a_few_messages_and_nobody_who_records_waits(sqlite_url: str) -> None:
    async with watch_alerts(sqlite_url) as play:
        await type_command(play, play.ana, "/incident open Checkout is failing")
        stop = asyncio.Event()
        recording = asyncio.create_task(record_until(play, stop))
        began = time.monotonic()
        assert await storm(play, 1_000) == {200}
        lasted = time.monotonic() - began
        stop.set()
        took = await recording
        assert len([e for e in play.case().entries if e.text.startswith("step")]) == len(took)
        assert max(took) < max(3, lasted / 2)  # as long as Slack waits, however slow the machine is
        assert median(took) < max(0.5, lasted / 10)
        for _ in range(3):
            await play.pass_time(seconds=3)
        messages = play.slack.messages(ALERTS)
        assert len(messages) == 6
        assert any("*995 more alert groups*" in message.plain for message in messages)
        assert len([c for c in play.slack.calls if c.method in ("chat.postMessage", "chat.update")]) < 30 + 2 * lasted


async def test_a_thousand_alerts_in_one_webhook_are_one_message(database_url: str) -> None:
    async with watch_alerts(database_url) as play:
        many = [member(f"Disk{number}", "2026-11-23T12:20:00Z") for number in range(1_000)]
        assert (await call(play, "alertmanager", alertmanager(*many))).text.startswith("1000 new")
        await play.settle()
        await play.pass_time(seconds=3)
        (shown,) = play.slack.messages(ALERTS)
        assert "1000 alerts, 1000 of them firing" in shown.plain
        assert (await call(play, "alertmanager", alertmanager(*many))).text.startswith("0 new")


async def test_a_thousand_critical_groups_open_one_incident_with_a_readable_timeline(sqlite_url: str) -> None:
    async with watch_alerts(sqlite_url, RULE) as play:
        for number in range(60):
            await call(play, "alertmanager", critical(f"Alert{number}"))
        await play.settle()
        assert len(play.bot.store.read_now(lambda tx: incidents_store.list_latest(tx, TEAM, 99))) == 1
        assert len(by_programs(play)) <= 25
        assert len(play.slack.messages(ALERTS)) == 3
        assert "more alert groups" in having(play, play.ana, "alerts_more", ALERTS).plain


async def test_a_group_that_flaps_does_not_fill_the_timeline(sqlite_url: str) -> None:
    async with watch_alerts(sqlite_url, RULE) as play:
        for number in range(70):
            at = NOON - timedelta(hours=3) + timedelta(minutes=2 * number)
            fired, ended = (f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in (at, at + timedelta(minutes=1)))
            await call(play, "alertmanager", critical("Flaps", fired, "flaps"))
            over = member("Flaps", fired, ended, severity="Critical")
            await call(play, "alertmanager", alertmanager(over, group="flaps"))
        await play.settle()
        fired_entries = [text for text in by_programs(play) if text.startswith("Alert fired")]
        assert len(fired_entries) <= 30
        assert (
            len([m for m in play.slack.messages(ALERTS) if "Is the incident mitigated, or resolved?" in m.plain]) == 1
        )
        assert play.case(ALERTS).incident.status is Status.OPEN
