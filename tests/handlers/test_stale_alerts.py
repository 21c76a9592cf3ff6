"""Old buttons of alerts: settled meanwhile, ended meanwhile, or firing again."""

from datetime import timedelta

from tests.handlers.test_stale_buttons import press_old, remember_message
from tests.support.alert_senders import ALERTS, alertmanager, call, member, watch_alerts
from tests.support.interactions import open_incident, press, type_command


async def test_an_alert_that_was_settled_meanwhile_says_how(sqlite_url: str) -> None:
    async with watch_alerts(sqlite_url) as play:
        await call(play, "alertmanager", alertmanager(member("HighErrorRate", "2026-11-23T12:20:00Z")))
        await play.settle()
        seen = remember_message(play, play.bo, "alerts_open", ALERTS)
        await press(play, play.ana, "alerts_ignore", channel=ALERTS)
        again = remember_message(play, play.bo, "alerts_again", ALERTS)
        for action in ("alerts_open", "alerts_attach", "alerts_ignore"):
            assert "Ana Demo has ignored that alert." in await press_old(play, play.bo, seen, action)
        await press_old(play, play.ana, again, "alerts_again")
        assert "isn't ignored anymore" in await press_old(play, play.bo, again, "alerts_again")
        await open_incident(play)
        ended = member("HighErrorRate", "2026-11-23T12:20:00Z", "2026-11-23T12:25:00Z")
        await call(play, "alertmanager", alertmanager(ended))
        await play.settle()
        message = await press_old(play, play.bo, seen, "alerts_attach")
        assert "This alert ended at 12:25 UTC." in message
        await play.slack.submit(play.bo, play.slack.views(play.bo)[-1], {})
        await play.settle()
        for action in ("alerts_open", "alerts_attach", "alerts_ignore"):
            assert "That alert is already in INC-1." in await press_old(play, play.bo, seen, action)
        assert "That alert is already in INC-1." in await press_old(play, play.bo, again, "alerts_again")


async def test_that_alerts_had_ended_is_old_news_once_one_fires_again(sqlite_url: str) -> None:
    async with watch_alerts(sqlite_url) as play:
        await open_incident(play)
        began, at = "2026-11-23T12:20:00Z", "2026-11-23T12:25:00Z"
        await call(play, "alertmanager", alertmanager(member("HighErrorRate", began)))
        await play.settle()
        await press(play, play.ana, "alerts_attach", channel=ALERTS)
        await play.slack.submit(play.ana, play.slack.views(play.ana)[-1], {})
        await play.settle()
        await call(play, "alertmanager", alertmanager(member("HighErrorRate", began, at)))
        await play.settle()
        seen = remember_message(play, play.ana, "alerts_resolved")
        play.clock.advance(timedelta(minutes=2))
        await call(play, "alertmanager", alertmanager(member("HighErrorRate", "2026-11-23T12:31:00Z")))
        await play.settle()
        before = play.case()
        for action in ("alerts_resolved", "alerts_mitigated"):
            assert "1 of its alerts is firing again since I asked." in await press_old(play, play.ana, seen, action)
        assert play.case() == before
        await call(
            play, "alertmanager", alertmanager(member("HighErrorRate", "2026-11-23T12:31:00Z", "2026-11-23T12:32:00Z"))
        )
        await type_command(play, play.ana, "/incident resolved")
        assert "INC-1 is already resolved." in await press_old(play, play.ana, seen, "alerts_mitigated")
        await type_command(play, play.ana, "/incident reopen")
        assert "INC-1 was reopened since I asked" in await press_old(play, play.ana, seen, "alerts_resolved")
