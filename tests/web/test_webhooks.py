"""The ways in for monitoring, over real sockets: who is let in, what is refused, and what is told to come again."""

import asyncio
import json
import time

import aiohttp

from storage import alerts as alerts_store
from tests.support.alert_senders import (
    ALERTMANAGER,
    ALERTS,
    GRAFANA,
    PAGERDUTY,
    SECRETS,
    alertmanager,
    call,
    grafana,
    member,
    pagerduty,
    proof,
    send,
    sign,
    watch_alerts,
)
from tests.support.deadlines import SOON_SECONDS
from tests.support.play import NOON, TEAM, Play, playing
from tests.support.storage.busy_writer import BusyWriter
from tests.support.timeouts import hurry

FIRED = alertmanager(member("HighErrorRate", "2026-11-23T12:20:00Z"))
RAW = json.dumps(FIRED).encode()
OF_GRAFANA = json.dumps(grafana(member("HighErrorRate", "2026-11-23T12:20:00Z"))).encode()
OF_PAGERDUTY = json.dumps(pagerduty("incident.triggered", "2026-11-23T12:20:00Z")).encode()
SIGNATURE, STAMP = "X-Grafana-Alerting-Signature", "X-Grafana-Alerting-Timestamp"
NOW = int(NOON.timestamp())


def count_groups(play: Play) -> int:
    """How many groups of alerts are known, of the first few."""
    return play.bot.store.read_now(lambda tx: len([n for n in range(1, 9) if alerts_store.find(tx, n) is not None]))


async def test_without_a_secret_there_is_no_way_in(sqlite_url: str) -> None:
    async with playing(sqlite_url, environ={"AFTERWORD_ALERTS_CHANNEL": ALERTS}) as play:
        for hook in ("alertmanager", "pagerduty", "jsm", "other"):
            assert (await send(play, hook, RAW)).status == 404
    only = {"AFTERWORD_ALERTS_CHANNEL": ALERTS, "AFTERWORD_PAGERDUTY_SECRET": PAGERDUTY}
    async with playing(sqlite_url, environ=only) as play:
        await play.bot.directory_refresher.wait()
        assert [(await send(play, hook, RAW)).status for hook in ("alertmanager", "jsm")] == [404, 404]
        assert (await send(play, "pagerduty", OF_PAGERDUTY)).status == 200


async def test_without_a_channel_to_suggest_in_there_is_no_way_in(sqlite_url: str) -> None:
    async with playing(sqlite_url, environ=SECRETS) as play:
        assert (await send(play, "alertmanager", RAW)).status == 404


async def test_in_socket_mode_monitoring_comes_by_http_all_the_same(sqlite_url: str) -> None:
    async with watch_alerts(sqlite_url, transport="socket") as play:
        assert (await send(play, "alertmanager", RAW)).status == 200
        await play.settle()
        assert len(play.slack.messages(ALERTS)) == 1


UNPROVEN: list[tuple[str, dict[str, str], int]] = [
    ("alertmanager", {}, 401),
    ("alertmanager", {"Authorization": "Basic " + "dXNlcjpwYXNz"}, 401),
    ("alertmanager", {"Authorization": "Bearer "}, 401),
    ("alertmanager", {"Authorization": "Bearer " + ALERTMANAGER[:-1]}, 403),
    ("alertmanager", {"Authorization": "Bearer " + PAGERDUTY}, 403),
    ("alertmanager", {"Authorization": "Bearer schl\u00fcssel"}, 403),
    ("alertmanager", {SIGNATURE: sign(ALERTMANAGER, RAW)}, 403),
    ("alertmanager", {SIGNATURE: ""}, 403),
    ("pagerduty", {}, 401),
    ("pagerduty", {"Authorization": "Bearer " + PAGERDUTY}, 401),
    ("pagerduty", {"X-PagerDuty-Signature": "v1=" + sign(GRAFANA, RAW)}, 403),
    ("pagerduty", {"X-PagerDuty-Signature": sign(PAGERDUTY, RAW)}, 403),
    ("pagerduty", {"X-PagerDuty-Signature": ",,,v1=,v0=\u00fc"}, 403),
    ("jsm", {}, 401),
    ("jsm", {"Authorization": "Bearer " + ALERTMANAGER}, 403),
]


async def test_who_proves_nothing_is_turned_away(sqlite_url: str) -> None:
    async with watch_alerts(sqlite_url) as play:
        for hook, headers, status in UNPROVEN:
            reply = await send(play, hook, RAW, headers)
            assert (reply.status, reply.text[-1:]) == (status, "."), (hook, headers)
        assert count_groups(play) == 0


async def test_a_signature_is_of_the_very_bytes(sqlite_url: str) -> None:
    async with watch_alerts(sqlite_url) as play:
        for hook, raw in (("pagerduty", OF_PAGERDUTY), ("alertmanager", OF_GRAFANA)):
            name = "X-PagerDuty-Signature" if hook == "pagerduty" else SIGNATURE
            good = proof(hook, raw) if hook == "pagerduty" else {name: sign(GRAFANA, raw)}
            assert (await send(play, hook, raw + b" ", good)).status == 403
            assert (await send(play, hook, raw, good)).status == 200


async def test_while_a_secret_is_changed_one_of_several_signatures_is_enough(sqlite_url: str) -> None:
    async with watch_alerts(sqlite_url) as play:
        both = f"v1={sign('the-secret-before-this', OF_PAGERDUTY)}, v1={sign(PAGERDUTY, OF_PAGERDUTY)}"
        assert (await send(play, "pagerduty", OF_PAGERDUTY, {"X-PagerDuty-Signature": both})).status == 200


async def test_a_signed_timestamp_holds_for_five_minutes(sqlite_url: str) -> None:
    async with watch_alerts(sqlite_url) as play:
        for age, status in ((0, 200), (299, 200), (-299, 200), (301, 403), (-301, 403)):
            stamp = str(NOW - age)
            headers = {SIGNATURE: sign(GRAFANA, f"{stamp}:".encode() + OF_GRAFANA), STAMP: stamp}
            assert (await send(play, "alertmanager", OF_GRAFANA, headers)).status == status, age


async def test_a_timestamp_is_part_of_what_is_signed(sqlite_url: str) -> None:
    async with watch_alerts(sqlite_url) as play:
        without = {SIGNATURE: sign(GRAFANA, OF_GRAFANA)}
        with_one = {SIGNATURE: sign(GRAFANA, f"{NOW}:".encode() + OF_GRAFANA)}
        for headers in (without | {STAMP: str(NOW)}, with_one, with_one | {STAMP: "soon"}):
            assert (await send(play, "alertmanager", OF_GRAFANA, headers)).status == 403


MALFORMED: list[bytes] = [
    b"",
    b"\xff\xfe",
    b"not json",
    b"[]",
    b"null",
    b"{}",
    b'{"groupKey": "g"}',
    b'{"groupKey": "g", "alerts": {}}',
    b'{"groupKey": "g", "alerts": [1]}',
    b'{"groupKey": "g", "alerts": [{"status": "odd"}]}',
    b'{"groupKey": "g", "alerts": [{"status": "firing", "startsAt": "yesterday"}]}',
    b'{"groupKey": "g", "alerts": [{"status": "firing", "startsAt": 5}]}',
    b'{"groupKey": 5, "alerts": []}',
    b'{"a": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    b'{"a": ' * 200 + b"1" + b"}" * 200,
    b'{"a": ' + b"9" * 10_000 + b"}",
    b"<html>a proxy's page</html>",
]


async def test_what_is_not_as_documented_is_refused_in_a_sentence(sqlite_url: str) -> None:
    async with watch_alerts(sqlite_url) as play:
        for raw in MALFORMED:
            reply = await send(play, "alertmanager", raw)
            assert (reply.status, 5 < len(reply.text) < 200) == (400, True), raw[:60]
        assert count_groups(play) == 0


async def test_the_same_holds_for_the_other_senders(sqlite_url: str) -> None:
    async with watch_alerts(sqlite_url) as play:
        for raw in (b"{}", b'{"event": 1}', b'{"event": {"event_type": "incident.triggered"}}'):
            assert (await send(play, "pagerduty", raw)).status == 400, raw
        for alert in (b"1", b"{}", b'{"alertId": "a", "createdAt": "x"}', b'{"alertId": "a", "createdAt": true}'):
            assert (await send(play, "jsm", b'{"action": "Create", "alert": ' + alert + b"}")).status == 400, alert


async def test_what_means_nothing_here_is_taken_all_the_same(sqlite_url: str) -> None:
    async with watch_alerts(sqlite_url) as play:
        ping = {"event": {"id": "1", "event_type": "pagey.ping", "data": {"message": "Hello", "type": "ping"}}}
        assert (await call(play, "pagerduty", ping)).text.startswith("0 new")
        assert (await call(play, "jsm", {"action": "AddNote", "alert": {}})).text.startswith("0 new")
        assert (await call(play, "alertmanager", alertmanager())).text.startswith("0 new")


async def test_a_body_of_more_than_a_megabyte_is_not_read_to_its_end(sqlite_url: str) -> None:
    async with watch_alerts(sqlite_url) as play:
        assert (await send(play, "alertmanager", b" " * 1_000_001)).status == 413
        almost = json.dumps({**FIRED, "padding": "x" * 990_000}).encode()
        assert (await send(play, "alertmanager", almost)).status == 200


async def test_nothing_but_a_post_is_taken(sqlite_url: str) -> None:
    async with (
        watch_alerts(sqlite_url) as play,
        aiohttp.ClientSession() as http,
        http.get(f"{play.url}/hooks/alertmanager") as answer,
    ):
        assert (answer.status, answer.headers["Allow"]) == (405, "POST")


async def test_where_the_database_does_not_answer_the_sender_is_to_come_again(sqlite_url: str) -> None:
    async with watch_alerts(sqlite_url) as play:
        await call(play, "pagerduty", {"event": {"event_type": "pagey.ping"}})
        await call(play, "alertmanager", alertmanager(member("Before", "2026-11-23T12:20:00Z"), group="before"))
        with BusyWriter(play.bot.store), hurry():
            reply = await send(play, "alertmanager", RAW)
        assert (reply.status, reply.headers["retry-after"]) == (503, "10")
        assert reply.text.startswith("The database")
        again = await send(play, "alertmanager", RAW)
        assert again.text.startswith("1 new")
        assert count_groups(play) == 2


async def test_nobody_waits_long_behind_a_database_that_stands_still(sqlite_url: str) -> None:
    async with watch_alerts(sqlite_url) as play:
        began = time.monotonic()
        with BusyWriter(play.bot.store), hurry():
            answers = await asyncio.gather(*(send(play, "alertmanager", RAW) for _ in range(12)))
        assert {reply.status for reply in answers} == {503}
        assert time.monotonic() - began < SOON_SECONDS
        assert any("Too many webhooks are waiting already." in reply.text for reply in answers)


async def test_while_nobody_knows_the_workspace_the_sender_is_to_come_again(sqlite_url: str) -> None:
    async with watch_alerts(sqlite_url) as play:
        play.bot.slack.directory.home = ""
        reply = await send(play, "alertmanager", RAW)
        assert (reply.status, "AFTERWORD_ALERTS_TEAM" in reply.text) == (503, True)
        await play.slack.command(play.ana, play.channel, "/incident open Checkout is failing")
        assert (await send(play, "alertmanager", RAW)).status == 200


async def test_the_workspace_may_be_named(sqlite_url: str) -> None:
    environ = SECRETS | {"AFTERWORD_ALERTS_CHANNEL": ALERTS, "AFTERWORD_ALERTS_TEAM": TEAM}
    async with playing(sqlite_url, environ=environ) as play:
        play.bot.slack.directory.home = ""
        assert (await send(play, "alertmanager", RAW)).status == 200


async def test_webhooks_are_counted_by_what_became_of_them(sqlite_url: str) -> None:
    async with watch_alerts(sqlite_url) as play, aiohttp.ClientSession() as http:

        async def count() -> dict[str, float]:
            async with http.get(f"{play.url}/metrics") as answer:
                lines = (await answer.text()).splitlines()
            ours = (line.rpartition(" ") for line in lines if line.startswith('afterword_hooks_total{hook="jsm"'))
            return {name.partition('outcome="')[2].rstrip('"}'): float(value) for name, _, value in ours}

        before = await count()
        raw = b'{"action": "Create", "alert": {"alertId": "a", "createdAt": 1795436400000}}'
        for body, headers in ((raw, None), (raw, None), (raw, {}), (b"x", None), (b'{"action": "AddNote"}', None)):
            await send(play, "jsm", body, headers)
        after = await count()
        gained = {name: after[name] - before.get(name, 0) for name in after}
        assert {name: count for name, count in gained.items() if count} == dict.fromkeys(
            ("taken", "repeated", "unproven", "malformed", "nothing"), 1.0
        )


async def test_the_same_webhook_many_times_at_once_takes_effect_once(database_url: str) -> None:
    async with watch_alerts(database_url) as play:
        answers = await asyncio.gather(*(send(play, "alertmanager", RAW) for _ in range(20)))
        assert sorted(reply.text[:5] for reply in answers) == ["0 new"] * 19 + ["1 new"]
        await play.settle()
        assert len(play.slack.messages(ALERTS)) == 1
