"""An alert comes in, is suggested, and becomes an incident whose timeline has the source's own times."""

import json
from datetime import timedelta

from bot.incident.alerts import PROGRAMS
from bot.incident.records import Milestone, Status
from tests.alarms import ALERTS, alertmanager, call, grafana, jsm, member, pagerduty, send, watched
from tests.handlers.stage import having, labels, opened, press, told, window
from tests.playing import NOON, TEAM, Play


def times(play: Play, channel: str = "") -> list[tuple[str, str, str]]:
    """When, what and by whom, of every entry that no person wrote."""
    case = play.case(channel)
    return [
        (f"{entry.happened_at:%H:%M:%S}", entry.text, case.name(entry.author))
        for entry in case.entries
        if entry.author in PROGRAMS
    ]


async def open_from_suggestion(play: Play, **values: str) -> None:
    view = await window(play, play.ana, "alerts_open", channel=ALERTS)
    answer = await play.slack.submit(play.ana, view, values)
    assert answer.errors == {}
    await play.settle()


async def test_from_the_alert_to_a_timeline_with_the_sources_times(database_url: str) -> None:
    async with watched(database_url) as play:
        await call(play, "pagerduty", pagerduty("incident.triggered", "2026-11-23T12:20:04Z"))
        await play.settle()
        suggestion = having(play, play.bo, "alerts_open", ALERTS)
        assert suggestion.plain.startswith(
            "Checkout answers 5xx\n:rotating_light: *Firing* since 2026-11-23 12:20 UTC\nP1 · checkout · PagerDuty"
        )
        assert labels(suggestion) == ["Open an incident", "Attach to …", "Ignore"]
        assert suggestion.pings == set()

        view = await window(play, play.ana, "alerts_open", channel=ALERTS)
        assert "Checkout answers 5xx" in json.dumps(view.blocks)
        assert "sev1, the worst" in json.dumps([block["element"].get("initial_option") for block in view.blocks])
        answer = await play.slack.submit(play.ana, view, {"channel": play.channel})
        assert answer.errors == {}
        await play.settle()
        incident = play.case().incident
        assert (incident.title, incident.severity, incident.opened_by) == ("Checkout answers 5xx", 1, play.ana)
        assert any("opened *INC-1*" in message.plain for message in play.slack.messages(ALERTS, user=play.ana))
        (shown,) = play.slack.messages(ALERTS)
        assert f"In the timeline of *INC-1* in #checkout, attached by @{play.slack.name_of(play.ana)}" in shown.plain
        assert labels(shown) == []

        await play.pass_time(minutes=3)
        await call(play, "pagerduty", pagerduty("incident.acknowledged", "2026-11-23T12:32:10Z"))
        await play.pass_time(minutes=20)
        await call(play, "pagerduty", pagerduty("incident.resolved", "2026-11-23T12:50:30Z"))
        await play.pass_time(seconds=5)
        (shown,) = play.slack.messages(ALERTS)
        assert ":white_check_mark: *Resolved* at 2026-11-23 12:50 UTC, fired at 2026-11-23 12:20 UTC" in shown.plain

        link = "https://demo.pagerduty.example.com/incidents/PD01"
        assert times(play) == [
            ("12:20:00", f"Alert fired: Checkout answers 5xx (checkout, P1) {link}", "PagerDuty"),
            ("12:32:10", "Alert acknowledged by Ana Demo: Checkout answers 5xx", "PagerDuty"),
            ("12:50:30", "Alert resolved by Ana Demo: Checkout answers 5xx", "PagerDuty"),
        ]
        case = play.case()
        assert f"{case.at(Milestone.DETECTED):%H:%M}" == "12:20"
        assert f"{case.at(Milestone.ACKNOWLEDGED):%H:%M:%S}" == "12:32:10"
        assert case.at(Milestone.MITIGATED) is None
        assert case.incident.status is Status.OPEN
        assert {case.name(entry.recorder) for entry in case.entries if entry.author == "pagerduty"} == {"Afterword"}

        await press(play, play.bo, "alerts_mitigated")
        await press(play, play.bo, "alerts_resolved")
        case = play.case()
        assert case.incident.status is Status.RESOLVED
        assert case.incident.postmortem_owner == play.bo
        assert case.incident.resolved_at == case.at(Milestone.MITIGATED) == NOON + timedelta(minutes=20, seconds=30)


async def test_an_alert_is_named_wherever_people_are_and_never_mentioned(sqlite_url: str) -> None:
    async with watched(sqlite_url) as play:
        fired = member("Disk & <!channel> <@U0ANA>", "2026-11-23T12:20:00Z", severity="critical")
        await call(play, "alertmanager", alertmanager(fired))
        await play.settle()
        await open_from_suggestion(play, channel=play.channel)
        for line in (
            "/timeline",
            "/timeline show",
            "/timeline show 2",
            "/incident",
            "/postmortem",
            "/incident resolved",
        ):
            await told(play, play.ana, line)
        await told(play, play.ana, "/postmortem export json")
        await told(play, play.ana, "/postmortem export")
        await play.settle()
        said = json.dumps([message.blocks for at in (ALERTS, play.channel) for message in play.slack.messages(at)])
        assert "<@alertmanager>" not in said + json.dumps([answer.body for answer in play.slack.answers])
        assert all(not message.pings & {"channel", "U0ANA"} for message in play.slack.messages(ALERTS))
        record, draft = (file.bytes.decode() for file in play.slack.files)
        (line,) = (line for line in json.loads(record)["timeline"] if line["author_id"] == "alertmanager")
        assert (line["author"], line["recorder"], line["milestone"]) == ("Alertmanager", "Afterword", "detected")
        assert "Alertmanager" in draft
        assert "**Alertmanager**" not in draft.partition("## Response")[2].partition("## Recovery")[0]


async def test_a_group_is_one_message_however_many_alerts_it_has(sqlite_url: str) -> None:
    async with watched(sqlite_url) as play:
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
        assert "*Firing* since 2026-11-23 12:20 UTC" in shown.plain
        assert "2 alerts, 1 of them firing" in shown.plain


async def test_what_is_told_again_changes_nothing(database_url: str) -> None:
    async with watched(database_url) as play:
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
    async with watched(sqlite_url) as play:
        await call(play, "pagerduty", pagerduty("incident.triggered", "2026-11-23T12:20:00Z"))
        await play.settle()
        await open_from_suggestion(play, channel=play.channel)
        await call(play, "pagerduty", pagerduty("incident.resolved", "2026-11-23T12:29:00Z"))
        await call(play, "pagerduty", pagerduty("incident.acknowledged", "2026-11-23T12:25:00Z"))
        await play.pass_time(seconds=5)
        assert [when for when, _, _ in times(play)] == ["12:20:00", "12:25:00", "12:29:00"]
        (shown,) = play.slack.messages(ALERTS)
        assert "*Resolved* at 2026-11-23 12:29 UTC" in shown.plain


async def test_attaching_brings_the_history_and_then_each_event(sqlite_url: str) -> None:
    async with watched(sqlite_url) as play:
        await opened(play)
        created = NOON + timedelta(minutes=1)
        play.clock.advance(timedelta(minutes=10))
        await call(play, "jsm", jsm("Create", created, created))
        await call(play, "jsm", jsm("Acknowledge", created, created + timedelta(minutes=2)))
        await call(play, "jsm", jsm("AddNote", created, created + timedelta(minutes=3)))
        await play.settle()
        assert (
            "*Acknowledged* by Ana Demo at 2026-11-23 12:33 UTC" in having(play, play.bo, "alerts_attach", ALERTS).plain
        )
        view = await window(play, play.bo, "alerts_attach", channel=ALERTS)
        assert "INC-1 Checkout is failing" in json.dumps(view.blocks)
        await play.slack.submit(play.bo, view, {})
        await call(play, "jsm", jsm("Close", created, created + timedelta(minutes=8)))
        await play.settle()
        said = [(when, text.partition(":")[0]) for when, text, _ in times(play)]
        assert said == [
            ("12:31:00", "Alert fired"),
            ("12:33:00", "Alert acknowledged by Ana Demo"),
            ("12:39:00", "Alert resolved by Ana Demo"),
        ]
        # People had opened the incident before it fired: the alert did not detect it.
        assert play.case().at(Milestone.DETECTED) is None
        assert f"{play.case().at(Milestone.ACKNOWLEDGED):%H:%M}" == "12:33"


async def test_only_incidents_that_the_presser_may_see_are_offered(sqlite_url: str) -> None:
    async with watched(sqlite_url) as play:
        secret = play.slack.channel("board", [play.ana], private=True)
        await opened(play, "Something delicate", secret)
        await call(play, "alertmanager", alertmanager(member("HighErrorRate", "2026-11-23T12:20:00Z")))
        await play.settle()
        await press(play, play.bo, "alerts_attach", channel=ALERTS)
        assert play.slack.views(play.bo) == []
        assert "No incident is open that you may look into." in play.slack.messages(ALERTS, user=play.bo)[-1].plain
        view = await window(play, play.ana, "alerts_attach", channel=ALERTS)
        assert "Something delicate" in json.dumps(view.blocks)
        await play.slack.submit(play.ana, view, {})
        await play.settle()
        (shown,) = play.slack.messages(ALERTS)
        assert "INC-1" in shown.plain
        assert "delicate" not in shown.plain


async def test_the_incident_that_is_open_among_the_alerts_has_a_button_of_its_own(sqlite_url: str) -> None:
    async with watched(sqlite_url) as play:
        await opened(play, "Checkout is failing", ALERTS)
        await call(play, "alertmanager", grafana(member("HighErrorRate", "2026-11-23T12:20:00Z")))
        await play.settle()
        suggestion = having(play, play.bo, "alerts_attach_here", ALERTS)
        assert labels(suggestion)[0] == "Attach to INC-1"
        assert "Grafana · Look at it" in suggestion.plain
        await press(play, play.bo, "alerts_attach_here", channel=ALERTS)
        assert [who for _, _, who in times(play, ALERTS)] == ["Grafana"]
        assert f"{play.case(ALERTS).at(Milestone.DETECTED):%H:%M}" == "12:20"


async def test_two_who_press_at_once_get_one_incident(sqlite_url: str) -> None:
    async with watched(sqlite_url) as play:
        await call(play, "alertmanager", alertmanager(member("HighErrorRate", "2026-11-23T12:20:00Z")))
        await play.settle()
        first = await window(play, play.ana, "alerts_open", channel=ALERTS)
        second = await window(play, play.bo, "alerts_open", channel=ALERTS)
        assert (await play.slack.submit(play.ana, first, {"channel": play.channel})).errors == {}
        answer = await play.slack.submit(play.bo, second, {"channel": play.channel})
        assert list(answer.errors.values()) == ["INC-1 has this alert already. Its timeline tells what comes of it."]


async def test_ignoring_says_by_whom_and_can_be_taken_back(sqlite_url: str) -> None:
    async with watched(sqlite_url) as play:
        await call(play, "alertmanager", alertmanager(member("HighErrorRate", "2026-11-23T12:20:00Z")))
        await play.settle()
        await press(play, play.bo, "alerts_ignore", channel=ALERTS)
        await play.pass_time(seconds=5)
        (shown,) = play.slack.messages(ALERTS)
        assert f"Ignored by @{play.slack.name_of(play.bo)}" in shown.plain
        assert labels(shown) == ["Suggest it again"]
        await press(play, play.ana, "alerts_again", channel=ALERTS)
        (shown,) = play.slack.messages(ALERTS)
        assert labels(shown) == ["Open an incident", "Attach to …", "Ignore"]


async def test_a_guest_decides_nothing(sqlite_url: str) -> None:
    async with watched(sqlite_url) as play:
        guest = play.slack.user("Gil Demo", guest=True)
        play.slack.workspace.channels[ALERTS].members.add(guest)
        await call(play, "alertmanager", alertmanager(member("HighErrorRate", "2026-11-23T12:20:00Z")))
        await play.settle()
        await press(play, guest, "alerts_ignore", channel=ALERTS)
        assert "Guests of this workspace cannot change incidents." in play.slack.messages(ALERTS, user=guest)[-1].plain
        assert labels(play.slack.messages(ALERTS)[0])[0] == "Open an incident"


async def test_a_group_that_flaps_goes_on_and_one_that_begins_anew_is_suggested_anew(sqlite_url: str) -> None:
    async with watched(sqlite_url) as play:
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


async def test_the_end_of_what_was_never_heard_to_begin_is_not_suggested(sqlite_url: str) -> None:
    async with watched(sqlite_url) as play:
        over = member("HighErrorRate", "2026-11-23T12:20:00Z", "2026-11-23T12:29:00Z")
        assert (await call(play, "alertmanager", alertmanager(over))).text.startswith("0 new")
        await call(play, "pagerduty", pagerduty("incident.priority_updated", "2026-11-23T12:29:00Z"))
        await play.settle()
        assert play.slack.messages(ALERTS) == []


async def test_a_suggestion_that_somebody_deleted_stays_away(sqlite_url: str) -> None:
    async with watched(sqlite_url, refused=("message_not_found",)) as play:
        await call(play, "pagerduty", pagerduty("incident.triggered", "2026-11-23T12:20:00Z"))
        await play.settle()
        play.slack.workspace.channels[ALERTS].messages.clear()
        await call(play, "pagerduty", pagerduty("incident.resolved", "2026-11-23T12:29:00Z"))
        await play.pass_time(seconds=5)
        assert play.slack.messages(ALERTS) == []


async def test_a_time_that_is_still_to_come_is_the_time_of_receipt(sqlite_url: str) -> None:
    async with watched(sqlite_url) as play:
        await call(play, "alertmanager", alertmanager(member("HighErrorRate", "2031-01-01T00:00:00Z")))
        await play.settle()
        assert "since 2026-11-23 12:30 UTC" in play.slack.messages(ALERTS)[0].plain


async def test_a_finished_postmortem_is_not_written_into(sqlite_url: str) -> None:
    async with watched(sqlite_url) as play:
        await call(play, "pagerduty", pagerduty("incident.triggered", "2026-11-23T12:20:00Z"))
        await play.settle()
        await open_from_suggestion(play, channel=play.channel)
        await told(play, play.ana, "/incident resolved")
        await told(play, play.ana, "/postmortem waive a drill, nothing broke")
        before = times(play)
        reply = await send(
            play, "pagerduty", json.dumps(pagerduty("incident.resolved", "2026-11-23T12:29:00Z")).encode()
        )
        assert reply.status == 200
        assert times(play) == before
        assert TEAM == play.case().incident.team
