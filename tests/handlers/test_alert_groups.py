"""A group of alerts over its life: told once, whatever comes twice, late, wrong, or after the end."""

import json
from pathlib import Path

from bot.export.json import reader as json_reader
from bot.services.documents import drafts as drafts_service
from bot.services.documents.drafts import ImportRequest
from storage.database.store import open_store
from tests.handlers.test_alerts import open_from_suggestion, times
from tests.support.alert_senders import ALERTS, alertmanager, call, member, pagerduty, send, watch_alerts
from tests.support.full_incident import LATER, RULES, export_incident
from tests.support.interactions import type_command
from tests.support.play import TEAM
from tests.support.timeouts import PATIENT


async def test_a_group_is_one_message_however_many_alerts_it_has(sqlite_url: str) -> None:
    async with watch_alerts(sqlite_url) as play:
        one, two = (
            member(name, f"2026-11-23T12:2{at}:00Z") for at, name in enumerate(("HighErrorRate", "SlowAnswers"))
        )
        await call(play, "alertmanager", alertmanager(one))
        await play.settle()
        assert (await call(play, "alertmanager", alertmanager(one, two))).text.startswith("1 new, 1 known")
        await play.pass_time(seconds=5)
        (shown,) = play.slack.messages(ALERTS)
        assert "2 alerts, 2 of them firing" in shown.plain
        over = member("HighErrorRate", "2026-11-23T12:20:00Z", "2026-11-23T12:29:00Z")
        await call(play, "alertmanager", alertmanager(over, two))
        await play.pass_time(seconds=5)
        (shown,) = play.slack.messages(ALERTS)
        assert "*Firing* since 12:20 UTC" in shown.plain
        assert "2 alerts, 1 of them firing" in shown.plain


async def test_what_is_told_again_changes_nothing(database_url: str) -> None:
    async with watch_alerts(database_url) as play:
        told_once = alertmanager(member("HighErrorRate", "2026-11-23T12:20:00Z"))
        for _ in range(3):
            await call(play, "alertmanager", told_once)
        await play.settle()
        await open_from_suggestion(play, channel=play.channel)
        over = alertmanager(member("HighErrorRate", "2026-11-23T12:20:00Z", "2026-11-23T12:29:00Z"))
        answers = [(await call(play, "alertmanager", over)).text[:5] for _ in range(3)]
        await play.pass_time(seconds=5)
        assert answers == ["1 new", "0 new", "0 new"]
        assert [text.partition(":")[0] for _, text, _ in times(play)] == ["Alert fired", "Alert resolved"]
        assert len(play.slack.messages(ALERTS)) == 1
        assert len([m for m in play.slack.messages(play.channel) if "alerts_resolved" in str(m.buttons)]) == 1


async def test_what_comes_late_is_written_at_its_own_time_and_turns_nothing_back(sqlite_url: str) -> None:
    async with watch_alerts(sqlite_url) as play:
        await call(play, "pagerduty", pagerduty("incident.triggered", "2026-11-23T12:20:00Z"))
        await play.settle()
        await open_from_suggestion(play, channel=play.channel)
        await call(play, "pagerduty", pagerduty("incident.resolved", "2026-11-23T12:29:00Z"))
        await call(play, "pagerduty", pagerduty("incident.acknowledged", "2026-11-23T12:25:00Z"))
        await play.pass_time(seconds=5)
        assert [when for when, _, _ in times(play)] == ["12:20:00", "12:25:00", "12:29:00"]
        (shown,) = play.slack.messages(ALERTS)
        assert "*Resolved* at 12:29 UTC" in shown.plain


async def test_a_group_that_flaps_goes_on_and_one_that_begins_anew_is_suggested_anew(sqlite_url: str) -> None:
    async with watch_alerts(sqlite_url) as play:
        for fired, ended in (("12:00", "12:05"), ("12:20", "12:25")):
            at = f"2026-11-23T{fired}:00Z"
            await call(play, "alertmanager", alertmanager(member("HighErrorRate", at)))
            await call(play, "alertmanager", alertmanager(member("HighErrorRate", at, f"2026-11-23T{ended}:00Z")))
        await play.settle()
        assert len(play.slack.messages(ALERTS)) == 1
        await play.pass_time(hours=2)
        await call(play, "alertmanager", alertmanager(member("HighErrorRate", "2026-11-23T14:20:00Z")))
        await play.settle()
        first, second = play.slack.messages(ALERTS)
        assert ("Resolved" in first.plain, "Firing" in second.plain) == (True, True)


async def test_the_end_of_what_was_never_heard_to_begin_is_kept_and_not_suggested(sqlite_url: str) -> None:
    async with watch_alerts(sqlite_url) as play:
        over = member("HighErrorRate", "2026-11-23T12:20:00Z", "2026-11-23T12:29:00Z")
        answers = [(await call(play, "alertmanager", alertmanager(over))).text[:5] for _ in range(2)]
        assert answers == ["1 new", "0 new"]
        await call(play, "pagerduty", pagerduty("incident.priority_updated", "2026-11-23T12:29:00Z"))
        await play.settle()
        assert play.slack.messages(ALERTS) == []


async def test_a_suggestion_that_somebody_deleted_stays_away(sqlite_url: str) -> None:
    async with watch_alerts(sqlite_url, refused=("message_not_found",)) as play:
        await call(play, "pagerduty", pagerduty("incident.triggered", "2026-11-23T12:20:00Z"))
        await play.settle()
        play.slack.workspace.channels[ALERTS].messages.clear()
        await call(play, "pagerduty", pagerduty("incident.resolved", "2026-11-23T12:29:00Z"))
        await play.pass_time(seconds=5)
        assert play.slack.messages(ALERTS) == []


async def test_a_time_that_is_still_to_come_is_the_time_of_receipt(sqlite_url: str) -> None:
    async with watch_alerts(sqlite_url) as play:
        await call(play, "alertmanager", alertmanager(member("HighErrorRate", "2031-01-01T00:00:00Z")))
        await play.settle()
        assert "since 12:30 UTC" in play.slack.messages(ALERTS)[0].plain


async def test_a_finished_postmortem_is_not_written_into(sqlite_url: str) -> None:
    async with watch_alerts(sqlite_url) as play:
        await call(play, "pagerduty", pagerduty("incident.triggered", "2026-11-23T12:20:00Z"))
        await play.settle()
        await open_from_suggestion(play, channel=play.channel)
        await type_command(play, play.ana, "/incident resolved")
        await type_command(play, play.ana, "/postmortem waive a drill, nothing broke")
        before = times(play)
        reply = await send(
            play, "pagerduty", json.dumps(pagerduty("incident.resolved", "2026-11-23T12:29:00Z")).encode()
        )
        assert reply.status == 200
        assert times(play) == before
        assert play.case().incident.team == TEAM


async def test_what_monitoring_told_goes_with_the_record_to_another_database(sqlite_url: str, tmp_path: Path) -> None:
    async with watch_alerts(sqlite_url, "severity=critical") as play:
        fired = member("CheckoutDown", "2026-11-23T12:20:00Z", severity="critical")
        await call(play, "alertmanager", alertmanager(fired))
        await type_command(play, play.ana, "/timeline rolled back", ALERTS)
        content = export_incident(play.bot.store, 1, team=TEAM)
    assert [deed["who"] for deed in json.loads(content)["audit"] if deed["verb"] == "alerts.hear"] == ["Afterword"]
    store = open_store(f"sqlite:///{tmp_path}/elsewhere.db", timeouts=PATIENT)
    drafts_service.import_record(store, json_reader.read(content), ImportRequest(), RULES, LATER)
    again = export_incident(store, 1, team=TEAM)
    store.close()
    assert again == content
    assert b"Alert fired: CheckoutDown on checkout" in again
