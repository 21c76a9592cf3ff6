"""What monitoring told long ago is let go by the sweep, and neither a repeat nor an old button can bring it back."""

from typing import Any

from tests.support.alert_senders import ALERTS, alertmanager, call, member, pagerduty, watch_alerts
from tests.support.interactions import press
from tests.support.play import Play

BEGAN, ENDED = "2026-11-23T12:20:00Z", "2026-11-23T12:25:00Z"
FIRED: dict[str, Any] = pagerduty("incident.triggered", BEGAN)


def things_told(play: Play) -> int:
    found: int = play.bot.store.read_now(
        lambda tx: tx._connection.execute("SELECT count(*) FROM alert_event").fetchall()[0][0]
    )
    return found


async def began_and_ended(play: Play) -> None:
    await call(play, "pagerduty", FIRED)
    await call(play, "pagerduty", pagerduty("incident.resolved", ENDED))
    later = pagerduty("incident.triggered", BEGAN, number="PD02")
    await call(play, "pagerduty", later)
    await play.settle()


async def test_a_repeat_after_the_memory_of_it_is_gone_is_no_news(database_url: str) -> None:
    async with watch_alerts(database_url) as play:
        await began_and_ended(play)
        shown = len(play.slack.messages(ALERTS))
        await play.pass_time(days=31)
        assert things_told(play) == 1  # that which still fires
        reply = await call(play, "pagerduty", FIRED)
        assert (reply.status, reply.text) == (200, "0 new, 1 known or without meaning here")
        await play.settle()
        assert len(play.slack.messages(ALERTS)) == shown


async def test_the_button_of_a_suggestion_that_is_gone_says_so(database_url: str) -> None:
    async with watch_alerts(database_url) as play:
        await call(play, "alertmanager", alertmanager(member("DiskFull", BEGAN), group="disk"))
        await play.settle()
        (old,) = play.slack.messages(ALERTS)
        await call(play, "pagerduty", FIRED)
        await play.pass_time(days=31)
        await play.slack.click(play.ana, old, "alerts_ignore")
        await play.settle()
        assert "That alert is too old" in play.slack.messages(ALERTS, user=play.ana)[-1].plain


async def test_what_fires_on_is_no_second_alert_however_often_it_is_told(database_url: str) -> None:
    async with watch_alerts(database_url) as play:
        firing = alertmanager(member("DiskFull", BEGAN), group="disk")
        await call(play, "alertmanager", firing)
        await play.settle()
        for _ in range(9):
            await play.pass_time(days=5)
            await call(play, "alertmanager", firing)
        await play.settle()
        (shown,) = play.slack.messages(ALERTS)
        over = member("DiskFull", BEGAN, "2027-01-07T12:00:00Z")
        await call(play, "alertmanager", alertmanager(over, group="disk"))
        await play.pass_time(seconds=5)
        (shown,) = play.slack.messages(ALERTS)
        assert ":white_check_mark: *Resolved*" in shown.plain


async def test_the_old_button_is_pressed_in_vain_also_by_the_window(database_url: str) -> None:
    async with watch_alerts(database_url) as play:
        await began_and_ended(play)
        first = play.slack.messages(ALERTS)[0]
        await play.pass_time(days=31)
        await play.slack.click(play.ana, first, "alerts_open")
        await play.settle()
        assert play.slack.views(play.ana) == []
        await press(play, play.ana, "alerts_ignore", channel=ALERTS)
        assert "Ignored by" in play.slack.messages(ALERTS)[-1].plain  # the newer one stands
