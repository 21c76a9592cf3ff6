"""What monitoring tells late, after people or a message have gone ahead: nothing they did is turned back."""

from typing import Any

import pytest

from bot.domain.alerts.groups import GroupState
from bot.domain.records import EntryKind, Milestone, Place
from bot.errors import Refused
from bot.services.alerts import suggestions as suggestions_service
from bot.services.context import Request
from storage import alerts as alerts_store
from tests.handlers.test_alerts import open_from_suggestion, suggest_incident, times
from tests.support.alert_senders import ALERTS, NEVER, alertmanager, call, member, pagerduty, watch_alerts
from tests.support.interactions import labels, press, type_command
from tests.support.play import TEAM, Play, reached_at

RULE = "severity=warning"


def firing_alert(clock: str, ended: str = "", name: str = "DiskFull", **labels: str) -> dict[str, Any]:
    end = f"2026-11-23T{ended}:00Z" if ended else NEVER
    return alertmanager(member(name, f"2026-11-23T{clock}:00Z", end, **labels), group="disk")


async def tell(play: Play, *payloads: dict[str, Any]) -> None:
    for payload in payloads:
        await call(play, "alertmanager", payload)
    await play.pass_time(seconds=5)


def stands(play: Play) -> list[tuple[str, GroupState]]:
    """Of each group, in the order of their rows, when it began and what became of it."""
    found = [play.bot.store.read_now(lambda tx, row=row: alerts_store.find(tx, row)) for row in range(1, 6)]  # type: ignore[misc]
    return [(f"{group.starts_at:%H:%M}", group.stand) for group in found if group is not None]


async def test_an_end_that_comes_late_shows_that_one_group_was_two(database_url: str) -> None:
    async with watch_alerts(database_url) as play:
        await tell(play, firing_alert("09:00"), firing_alert("11:20"))
        assert stands(play) == [("09:00", GroupState.SUGGESTED)]
        await tell(play, firing_alert("09:00", "09:05"))
        assert stands(play) == [("09:00", GroupState.SUGGESTED), ("11:20", GroupState.SUGGESTED)]
        first, second = play.slack.messages(ALERTS)
        assert "*Resolved* at 9:05 UTC, fired at 9:00 UTC" in first.plain
        assert "*Firing* since 11:20 UTC" in second.plain


async def test_a_start_that_comes_late_shows_that_two_groups_were_one_and_their_messages_say_so(
    database_url: str,
) -> None:
    async with watch_alerts(database_url) as play:
        await tell(play, firing_alert("09:00", "09:05"), firing_alert("09:00"), firing_alert("10:30"))
        old = play.slack.messages(ALERTS)[1]
        await tell(play, firing_alert("09:50"), firing_alert("09:50", "10:10"))
        assert stands(play) == [("09:00", GroupState.SUGGESTED), ("10:30", GroupState.MERGED)]
        first, second = play.slack.messages(ALERTS)
        assert "*Firing* since 9:00 UTC" in first.plain
        assert second.plain.startswith("DiskFull on checkout: part of an alert that began earlier")
        assert labels(second) == []
        await play.slack.click(play.ana, first, "alerts_ignore")
        await play.settle()
        assert labels(play.slack.messages(ALERTS)[0]) == ["Stop ignoring"]
        assert labels(old) != []


async def test_the_button_of_a_group_that_was_merged_meanwhile_says_where_the_alert_is(sqlite_url: str) -> None:
    async with watch_alerts(sqlite_url) as play:
        await tell(play, firing_alert("09:00", "09:05"), firing_alert("09:00"), firing_alert("10:30"))
        for payload in (firing_alert("09:50"), firing_alert("09:50", "10:10")):
            await call(play, "alertmanager", payload)
        request = Request(Place(TEAM, ALERTS), play.ana, play.clock.now(), "pressed")
        with pytest.raises(Refused, match="is part of one that began earlier"):
            await suggestions_service.ignore(play.bot.services, request, 2)


async def test_what_people_decided_takes_what_came_late_and_is_not_divided(sqlite_url: str) -> None:
    async with watch_alerts(sqlite_url) as play:
        await tell(play, firing_alert("09:00"), firing_alert("11:20"))
        await press(play, play.bo, "alerts_ignore", channel=ALERTS)
        await tell(
            play,
            firing_alert("09:00", "09:05"),
            firing_alert("11:00"),
            firing_alert("11:20", "11:30"),
            firing_alert("08:30"),
        )
        assert stands(play) == [("08:30", GroupState.IGNORED)]


async def test_an_incident_that_is_over_is_told_what_came_late_and_stays_over(database_url: str) -> None:
    async with watch_alerts(database_url) as play:
        await suggest_incident(play)
        await open_from_suggestion(play, channel=play.channel)
        await suggest_incident(play, "incident.resolved", "2026-11-23T12:29:00Z")
        await type_command(play, play.ana, "/incident resolved")
        await play.pass_time(minutes=45)
        asked = [message for message in play.slack.messages(play.channel) if "alerts_resolved" in str(message.buttons)]
        await suggest_incident(play, "incident.acknowledged", "2026-11-23T12:22:00Z")
        assert [when for when, _, _ in times(play)] == ["12:20:00", "12:22:00", "12:29:00"]
        assert f"{reached_at(play.case(), Milestone.ACKNOWLEDGED):%H:%M}" == "12:22"
        again = [message for message in play.slack.messages(play.channel) if "alerts_resolved" in str(message.buttons)]
        assert len(again) == len(asked)


async def test_the_end_that_was_told_last_is_named_whichever_group_came_last(sqlite_url: str) -> None:
    async with watch_alerts(sqlite_url, RULE) as play:
        for group, ended in (("one", ""), ("two", ""), ("two", "12:29"), ("one", "12:25")):
            payload = firing_alert("12:20", ended, name=group) | {"groupKey": group}
            await call(play, "alertmanager", payload)
        await play.settle()
        (asked,) = [message for message in play.slack.messages(ALERTS) if "alerts_resolved" in str(message.buttons)]
        assert "the last one at 12:29 UTC" in asked.plain


async def test_the_earliest_alert_detected_it_unless_a_person_says_otherwise(sqlite_url: str) -> None:
    async with watch_alerts(sqlite_url, RULE) as play:
        await tell(play, firing_alert("12:20"), firing_alert("12:10"))
        assert f"{reached_at(play.case(ALERTS), Milestone.DETECTED):%H:%M}" == "12:10"
        marked = [entry for entry in play.case(ALERTS).entries if entry.milestone is Milestone.DETECTED]
        assert len(marked) == 1
        await type_command(play, play.ana, "/incident detected 12:05", ALERTS)
        await press(play, play.ana, "milestone_keep", channel=ALERTS)
        by_hand = reached_at(play.case(ALERTS), Milestone.DETECTED)
        await tell(play, firing_alert("12:01"))
        assert reached_at(play.case(ALERTS), Milestone.DETECTED) == by_hand


async def test_an_acknowledgement_alone_tells_that_it_fired_and_the_start_adds_nothing(database_url: str) -> None:
    async with watch_alerts(database_url, "urgency=high") as play:
        taken_up = pagerduty("incident.acknowledged", "2026-11-23T12:22:00Z", urgency="low")
        assert (await call(play, "pagerduty", taken_up)).text.startswith("1 new")
        await play.settle()
        (shown,) = play.slack.messages(ALERTS)
        assert "firing since 12:20 UTC" in shown.plain
        start = pagerduty("incident.triggered", "2026-11-23T12:20:01Z", title="Checkout is down")
        answers = [(await call(play, "pagerduty", start)).text[:5] for _ in range(2)]
        await play.pass_time(seconds=5)
        assert answers == ["1 new", "0 new"]
        entries = [text.partition(" (")[0] for _, text, _ in times(play, ALERTS)]
        assert [text for text in entries if not text.startswith("Incident opened")] == [
            "Alert fired: Checkout is down",
            "Alert acknowledged by Ana Demo: Checkout answers 5xx",
        ]


async def test_with_five_hundred_labels_a_rule_opens_as_with_none(sqlite_url: str) -> None:
    for count in (0, 1, 100, 150, 500):
        async with watch_alerts(sqlite_url, "severity=disaster; zone=eu") as play:
            many = {f"app_kubernetes_io_{number:03}": "x" for number in range(count)}
            await tell(
                play,
                firing_alert("12:20", severity="disaster", zone="eu", run=str(count), **many)
                | {"groupKey": str(count)},
            )
            case = play.case(ALERTS)
            opened = [entry for entry in case.entries if entry.kind is EntryKind.STATUS]
            assert (case.incident.title, len(opened)) == ("DiskFull on checkout", 1)
            assert any("(checkout, disaster)" in text for _, text, _ in times(play, ALERTS))
            await type_command(play, play.ana, "/incident resolved", ALERTS)
