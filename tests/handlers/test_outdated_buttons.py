"""Messages with an address in Slack lose the buttons that do nothing any more, whoever answered by which path."""

from bot.rehearsal.screen import ShownMessage
from tests.handlers.test_publishing import ready
from tests.support.alert_senders import ALERTS, alertmanager, call, member, watch_alerts
from tests.support.interactions import actions_of, having, labels, on_stage, open_incident, press, type_command
from tests.support.play import Play


def shown_now(play: Play, seen: ShownMessage) -> ShownMessage:
    """The message as it is now."""
    return next(one for one in play.slack.messages(seen.channel, user=play.ana) if one.ts == seen.ts)


async def test_a_publication_loses_reopen_once_it_is_reopened_by_command(database_url: str) -> None:
    async with on_stage(database_url) as play:
        await ready(play)
        await type_command(play, play.ana, "/postmortem publish")
        await press(play, play.ana, "postmortem_publish_anyway")
        posted = having(play, play.bo, "postmortem_reopen")
        await type_command(play, play.chandra, "/postmortem reopen")
        await play.settle()
        assert labels(posted) == ["Get the document", "Reopen postmortem"]
        assert labels(shown_now(play, posted)) == ["Get the document"]
        assert shown_now(play, posted).text == posted.text


async def test_a_publication_that_waits_is_posted_without_what_is_outdated_by_then(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=["ratelimited"]) as play:
        await ready(play)
        await type_command(play, play.ana, "/postmortem publish")
        play.slack.fail("chat.postMessage", "ratelimited", retry_after=30)
        question = having(play, play.ana, "postmortem_publish_anyway")
        await play.slack.click(play.ana, question, "postmortem_publish_anyway")
        await play.bot.boundary.drain()
        await type_command(play, play.bo, "/postmortem reopen")
        await play.pass_time(minutes=2)
        await play.settle()
        posted = having(play, play.bo, "postmortem_export")
        assert "postmortem_reopen" not in actions_of(posted)


async def test_a_digest_shows_what_is_still_overdue(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        for text in ("add a load test", "cap the retries"):
            await type_command(play, play.ana, f"/action add {text} @Bo Demo due tomorrow")
        await play.pass_time(days=2, hours=2)
        room = play.slack.dm(play.bo)
        digest = having(play, play.bo, "actions_all_done", room)
        await type_command(play, play.ana, "/action done 1")
        await play.settle()
        now = next(one for one in play.slack.messages(room, user=play.bo) if one.ts == digest.ts)
        assert "add a load test" in digest.plain
        assert "You have 1 overdue action" in now.plain
        assert "add a load test" not in now.plain
        assert labels(now) == ["Done", "New date", "Hand over", "Won't do …"]
        await type_command(play, play.ana, "/action done 2")
        await play.settle()
        now = next(one for one in play.slack.messages(room, user=play.bo) if one.ts == digest.ts)
        assert labels(now) == []


async def test_that_alerts_have_ended_is_not_asked_any_more_once_the_incident_is_over(sqlite_url: str) -> None:
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
        asked = having(play, play.ana, "alerts_resolved")
        await type_command(play, play.bo, "/incident mitigated")
        await play.settle()
        assert actions_of(shown_now(play, asked)) == ["alerts_resolved"]
        await type_command(play, play.bo, "/incident resolved")
        await play.settle()
        assert actions_of(shown_now(play, asked)) == []
