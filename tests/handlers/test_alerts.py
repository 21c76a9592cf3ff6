"""An alert comes in, is suggested, and becomes an incident whose timeline has the source's own times."""

import json
from datetime import timedelta

from bot.domain.alerts.groups import PROGRAMS
from bot.domain.records import Milestone, Status
from tests.support.alert_senders import ALERTS, alertmanager, call, grafana, jsm, member, pagerduty, watch_alerts
from tests.support.interactions import having, labels, open_incident, press, type_command, window
from tests.support.play import NOON, Play, reached_at


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


async def suggest_incident(play: Play, kind: str = "incident.triggered", at: str = "2026-11-23T12:20:04Z") -> None:
    """PagerDuty tells something, and it is in the channel."""
    await call(play, "pagerduty", pagerduty(kind, at))
    await play.settle()


async def test_an_alert_is_suggested_and_opens_the_usual_form_filled_in(database_url: str) -> None:
    async with watch_alerts(database_url) as play:
        await suggest_incident(play)
        suggestion = having(play, play.bo, "alerts_open", ALERTS)
        assert suggestion.plain.startswith(
            "Checkout answers 5xx\n:rotating_light: *Firing* since 12:20 UTC\nP1 · checkout · PagerDuty"
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


async def test_from_the_alert_to_a_timeline_with_the_sources_times(database_url: str) -> None:
    async with watch_alerts(database_url) as play:
        await suggest_incident(play)
        await open_from_suggestion(play, channel=play.channel)
        await play.pass_time(minutes=3)
        await suggest_incident(play, "incident.acknowledged", "2026-11-23T12:32:10Z")
        await play.pass_time(minutes=20)
        await suggest_incident(play, "incident.resolved", "2026-11-23T12:50:30Z")
        await play.pass_time(seconds=5)
        (shown,) = play.slack.messages(ALERTS)
        assert ":white_check_mark: *Resolved* at 12:50 UTC, fired at 12:20 UTC" in shown.plain
        link = "https://demo.pagerduty.example.com/incidents/PD01"
        assert times(play) == [
            ("12:20:00", f"Alert fired: Checkout answers 5xx (checkout, P1) {link}", "PagerDuty"),
            ("12:32:10", "Alert acknowledged by Ana Demo: Checkout answers 5xx", "PagerDuty"),
            ("12:50:30", "Alert resolved by Ana Demo: Checkout answers 5xx", "PagerDuty"),
        ]
        case = play.case()
        assert f"{reached_at(case, Milestone.DETECTED):%H:%M}" == "12:20"
        assert f"{reached_at(case, Milestone.ACKNOWLEDGED):%H:%M:%S}" == "12:32:10"
        assert (reached_at(case, Milestone.MITIGATED), case.incident.status) == (None, Status.OPEN)
        assert {case.name(entry.recorder) for entry in case.entries if entry.author == "pagerduty"} == {"Afterword"}


async def test_that_the_alerts_have_ended_asks_people_whether_it_is_over(sqlite_url: str) -> None:
    async with watch_alerts(sqlite_url) as play:
        await suggest_incident(play)
        await open_from_suggestion(play, channel=play.channel)
        await play.pass_time(minutes=25)
        await suggest_incident(play, "incident.resolved", "2026-11-23T12:50:30Z")
        asked = having(play, play.bo, "alerts_resolved")
        assert labels(asked) == ["Mitigated at 12:50 UTC", "Resolved at 12:50 UTC"]
        await press(play, play.bo, "alerts_mitigated")
        await press(play, play.bo, "alerts_resolved")
        case = play.case()
        assert (case.incident.status, case.incident.postmortem_owner) == (Status.RESOLVED, play.bo)
        assert (
            case.incident.resolved_at
            == reached_at(case, Milestone.MITIGATED)
            == NOON + timedelta(minutes=20, seconds=30)
        )


async def test_an_alert_is_named_wherever_people_are_and_never_mentioned(sqlite_url: str) -> None:
    async with watch_alerts(sqlite_url) as play:
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
            await type_command(play, play.ana, line)
        await type_command(play, play.ana, "/postmortem export json")
        await type_command(play, play.ana, "/postmortem export")
        await play.settle()
        text = json.dumps([message.blocks for at in (ALERTS, play.channel) for message in play.slack.messages(at)])
        assert "<@alertmanager>" not in text + json.dumps([answer.body for answer in play.slack.answers])
        assert all(not message.pings & {"channel", "U0ANA"} for message in play.slack.messages(ALERTS))
        record, draft = (file.bytes.decode() for file in play.slack.files)
        (line,) = (line for line in json.loads(record)["timeline"] if line["author_id"] == "alertmanager")
        assert (line["author"], line["recorder"], line["milestone"]) == ("Alertmanager", "Afterword", "detected")
        assert "Alertmanager" in draft
        assert "**Alertmanager**" not in draft.partition("## Response")[2].partition("## Recovery")[0]


async def test_attaching_brings_the_history_and_then_each_event(sqlite_url: str) -> None:
    async with watch_alerts(sqlite_url) as play:
        await open_incident(play)
        created = NOON + timedelta(minutes=1)
        play.clock.advance(timedelta(minutes=10))
        await call(play, "jsm", jsm("Create", created, created))
        await call(play, "jsm", jsm("Acknowledge", created, created + timedelta(minutes=2)))
        await call(play, "jsm", jsm("AddNote", created, created + timedelta(minutes=3)))
        await play.settle()
        assert "*Acknowledged* by Ana Demo at 12:33 UTC" in having(play, play.bo, "alerts_attach", ALERTS).plain
        view = await window(play, play.bo, "alerts_attach", channel=ALERTS)
        assert "INC-1 Checkout is failing" in json.dumps(view.blocks)
        await play.slack.submit(play.bo, view, {})
        await call(play, "jsm", jsm("Close", created, created + timedelta(minutes=8)))
        await play.settle()
        entries = [(when, text.partition(":")[0]) for when, text, _ in times(play)]
        assert entries == [
            ("12:31:00", "Alert fired"),
            ("12:33:00", "Alert acknowledged by Ana Demo"),
            ("12:39:00", "Alert resolved by Ana Demo"),
        ]
        # People had opened the incident before it fired: the alert did not detect it.
        assert reached_at(play.case(), Milestone.DETECTED) is None
        assert f"{reached_at(play.case(), Milestone.ACKNOWLEDGED):%H:%M}" == "12:33"


async def test_only_incidents_that_the_presser_may_see_are_offered(sqlite_url: str) -> None:
    async with watch_alerts(sqlite_url) as play:
        secret = play.slack.channel("board", [play.ana], private=True)
        await open_incident(play, "Something delicate", secret)
        await call(play, "alertmanager", alertmanager(member("HighErrorRate", "2026-11-23T12:20:00Z")))
        await play.settle()
        await press(play, play.bo, "alerts_attach", channel=ALERTS)
        assert play.slack.views(play.bo) == []
        assert "You don't have access to any open incident." in play.slack.messages(ALERTS, user=play.bo)[-1].plain
        view = await window(play, play.ana, "alerts_attach", channel=ALERTS)
        assert "Something delicate" in json.dumps(view.blocks)
        await play.slack.submit(play.ana, view, {})
        await play.settle()
        (shown,) = play.slack.messages(ALERTS)
        assert "INC-1" in shown.plain
        assert "delicate" not in shown.plain


async def test_the_incident_that_is_open_among_the_alerts_has_a_button_of_its_own(sqlite_url: str) -> None:
    async with watch_alerts(sqlite_url) as play:
        await open_incident(play, "Checkout is failing", ALERTS)
        await call(play, "alertmanager", grafana(member("HighErrorRate", "2026-11-23T12:20:00Z")))
        await play.settle()
        suggestion = having(play, play.bo, "alerts_attach_here", ALERTS)
        assert labels(suggestion)[0] == "Attach to INC-1"
        assert "Grafana · View alert" in suggestion.plain
        await press(play, play.bo, "alerts_attach_here", channel=ALERTS)
        assert [who for _, _, who in times(play, ALERTS)] == ["Grafana"]
        assert f"{reached_at(play.case(ALERTS), Milestone.DETECTED):%H:%M}" == "12:20"


async def test_two_who_press_at_once_get_one_incident(sqlite_url: str) -> None:
    async with watch_alerts(sqlite_url) as play:
        await call(play, "alertmanager", alertmanager(member("HighErrorRate", "2026-11-23T12:20:00Z")))
        await play.settle()
        first = await window(play, play.ana, "alerts_open", channel=ALERTS)
        second = await window(play, play.bo, "alerts_open", channel=ALERTS)
        assert (await play.slack.submit(play.ana, first, {"channel": play.channel})).errors == {}
        answer = await play.slack.submit(play.bo, second, {"channel": play.channel})
        assert list(answer.errors.values()) == ["That alert is already in INC-1. Its updates go into that timeline."]


async def test_ignoring_says_by_whom_and_can_be_taken_back(sqlite_url: str) -> None:
    async with watch_alerts(sqlite_url) as play:
        await call(play, "alertmanager", alertmanager(member("HighErrorRate", "2026-11-23T12:20:00Z")))
        await play.settle()
        await press(play, play.bo, "alerts_ignore", channel=ALERTS)
        await play.pass_time(seconds=5)
        (shown,) = play.slack.messages(ALERTS)
        assert f"Ignored by @{play.slack.name_of(play.bo)}" in shown.plain
        assert labels(shown) == ["Stop ignoring"]
        await press(play, play.ana, "alerts_again", channel=ALERTS)
        (shown,) = play.slack.messages(ALERTS)
        assert labels(shown) == ["Open an incident", "Attach to …", "Ignore"]


async def test_a_guest_decides_nothing(sqlite_url: str) -> None:
    async with watch_alerts(sqlite_url) as play:
        guest = play.slack.user("Gil Demo", guest=True)
        play.slack.workspace.channels[ALERTS].members.add(guest)
        await call(play, "alertmanager", alertmanager(member("HighErrorRate", "2026-11-23T12:20:00Z")))
        await play.settle()
        await press(play, guest, "alerts_ignore", channel=ALERTS)
        assert (
            "Guests and people from other workspaces can't change incidents."
            in play.slack.messages(ALERTS, user=guest)[-1].plain
        )
        assert labels(play.slack.messages(ALERTS)[0])[0] == "Open an incident"
