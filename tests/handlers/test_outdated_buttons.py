"""Messages with an address in Slack lose the buttons that do nothing any more, whoever answered by which path."""

import json

from bot.rehearsal.screen import ShownMessage, ShownView, list_elements
from bot.slack.views.history_scan import TICKS
from tests.handlers.test_postmortem import fill
from tests.handlers.test_publishing import ready
from tests.handlers.test_secrets import LEAK, PASSWORD
from tests.support.alert_senders import ALERTS, alertmanager, call, member, watch_alerts
from tests.support.history_scans import chosen, in_dm, looked_back, say, talk, ticked_lines, until, walk_on
from tests.support.interactions import (
    actions_of,
    having,
    labels,
    last,
    on_stage,
    open_incident,
    press,
    type_command,
    window,
)
from tests.support.play import NOON, Play
from tests.support.shares import places


def shown_now(play: Play, seen: ShownMessage, user: str = "") -> ShownMessage:
    """The message as it is now, for Ana unless for someone else."""
    return next(one for one in play.slack.messages(seen.channel, user=user or play.ana) if one.ts == seen.ts)


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


async def warn(play: Play) -> ShownMessage:
    """Bo records a milestone with a credential; the warning that he gets."""
    await open_incident(play)
    await type_command(play, play.bo, f"/incident mitigated {LEAK}")
    await play.settle()
    warning = last(play, play.bo, play.slack.dm(play.bo))
    assert labels(warning) == ["Redact", "Not a secret"]
    return warning


async def test_a_warning_loses_its_buttons_once_the_words_are_redacted_by_command(database_url: str) -> None:
    async with on_stage(database_url) as play:
        warning = await warn(play)
        await type_command(play, play.bo, f'/timeline redact 2 "password={PASSWORD}"')
        await play.settle()
        now = shown_now(play, warning, play.bo)
        assert labels(now) == []
        assert now.text == warning.text


async def test_a_warning_loses_its_buttons_once_the_words_are_redacted_below_another_text(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        warning = await warn(play)
        await type_command(play, play.ana, f"/timeline {LEAK}")
        await press(play, play.ana, "secret_redact")
        assert labels(shown_now(play, warning, play.bo)) == []


async def test_a_warning_about_a_title_loses_its_buttons_once_that_is_redacted(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play, LEAK)
        warning = having(play, play.ana, "secret_redact", play.slack.dm(play.ana))
        await play.slack.click(play.ana, warning, "secret_redact")
        await play.settle()
        assert labels(shown_now(play, warning)) == []


async def test_a_warning_about_an_entry_that_was_struck_still_redacts_its_history(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        warning = await warn(play)
        await type_command(play, play.bo, "/timeline delete 2")
        await play.settle()
        assert "secret_redact" in actions_of(shown_now(play, warning, play.bo))
        await play.slack.click(play.bo, warning, "secret_redact")
        await play.settle()
        assert PASSWORD not in await type_command(play, play.bo, "/timeline history 2")
        assert labels(shown_now(play, warning, play.bo)) == []


async def test_a_warning_that_was_answered_as_harmless_asks_no_more_and_still_redacts(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        warning = await warn(play)
        await play.slack.click(play.bo, warning, "secret_harmless")
        await play.settle()
        assert labels(shown_now(play, warning, play.bo)) == ["Redact"]
        assert PASSWORD in play.case().entries[-1].text


async def test_the_result_of_a_scan_loses_review_once_all_is_recorded(database_url: str) -> None:
    async with talk(database_url) as play:
        say(play, play.bo, "04:20 first alert")
        say(play, play.bo, "04:25 second alert")
        until(play, NOON)
        result = await looked_back(play)
        view = await chosen(play)
        one, other = ticked_lines(view)
        await play.slack.submit(play.ana, view, {f"{TICKS}0": [one]})
        await play.settle()
        assert labels(shown_now(play, result)) == ["Review messages"]
        await play.slack.submit(play.ana, await chosen(play), {f"{TICKS}0": [other]})
        await play.settle()
        assert labels(shown_now(play, result)) == []


async def test_the_result_of_a_scan_loses_review_once_its_incident_is_closed(sqlite_url: str) -> None:
    async with talk(sqlite_url) as play:
        say(play, play.bo, "04:20 first alert")
        until(play, NOON)
        result = await looked_back(play)
        for line in ("/incident resolved", "/postmortem waive a drill"):
            await type_command(play, play.ana, line)
            await play.settle()
        assert labels(shown_now(play, result)) == []


async def test_a_scan_that_failed_loses_try_again_once_it_runs_again(sqlite_url: str) -> None:
    async with talk(sqlite_url, refused=["not_in_channel"]) as play:
        until(play, NOON)
        play.slack.fail("conversations.history", "not_in_channel")
        failure = await looked_back(play)
        assert actions_of(failure) == ["lookback_again"]
        await press(play, play.ana, "lookback_again", channel=play.slack.dm(play.ana))
        assert labels(shown_now(play, failure)) == []
        await walk_on(play)
        assert "INC-1" in in_dm(play)[-1].plain


async def test_an_export_that_failed_says_so_once_it_is_ordered_again(database_url: str) -> None:
    async with on_stage(database_url, refused=["file_uploads_disabled"]) as play:
        await ready(play)
        play.slack.fail("files.getUploadURLExternal", "file_uploads_disabled")
        await type_command(play, play.ana, "/postmortem export csv")
        await play.settle()
        failure = having(play, play.ana, "exports_decide", play.slack.dm(play.ana))
        await type_command(play, play.ana, "/postmortem export html")  # another format answers nothing
        await play.settle()
        assert actions_of(shown_now(play, failure)) == ["exports_decide"]
        await type_command(play, play.bo, "/postmortem export csv")
        await play.settle()
        now = shown_now(play, failure)
        assert labels(now) == []
        assert now.plain == "The draft of *INC-1* as CSV for #checkout was ordered again."


async def test_the_question_of_who_reads_an_export_goes_once_it_is_decided(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await ready(play)
        places(play)[play.channel].shared = True
        await type_command(play, play.ana, "/postmortem export csv")
        await play.settle()
        asked = having(play, play.ana, "exports_decide", play.slack.dm(play.ana))
        view = await window(play, play.ana, "exports_decide", play.slack.dm(play.ana))
        await play.slack.submit(play.ana, view)
        await play.settle()
        assert len(play.slack.files) == 1
        assert labels(shown_now(play, asked)) == []


async def test_a_reminder_names_the_section_that_is_next_by_now(database_url: str) -> None:
    async with on_stage(database_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/incident resolved")
        await play.pass_time(hours=24)
        await play.settle()
        reminder = having(play, play.bo, "postmortem_fill")
        first = labels(reminder)[0]
        assert first.startswith("Fill: ")
        slug = next(json.loads(value)["section"] for label, _, value in reminder.buttons if label == first)
        await fill(play, play.ana, slug, "Nobody could pay.")
        await play.settle()
        now = shown_now(play, reminder, play.bo)
        assert labels(now)[0].startswith("Fill: ")
        assert labels(now)[0] != first
        assert labels(now)[1:] == labels(reminder)[1:]
        await type_command(play, play.ana, "/postmortem waive a drill")
        await play.settle()
        assert labels(shown_now(play, reminder, play.bo)) == []


async def test_findings_in_a_dm_lose_the_buttons_of_those_that_were_mended(database_url: str) -> None:
    async with on_stage(database_url) as play:
        await open_incident(play)
        for line in ("/incident resolved", "/why because the pool ran out", "/why root", "/action cap the retries"):
            await type_command(play, play.ana, line)
            await play.settle()
        room = play.slack.dm(play.ana)
        await play.slack.say(play.ana, room, "postmortem INC-1")
        await play.settle()
        overview = having(play, play.ana, "postmortem_fill", room)
        first = labels(overview)[0]
        slug = next(json.loads(value)["section"] for label, _, value in overview.buttons if label == first)
        asked = {action for action in actions_of(overview) if action.startswith("finding_")}
        assert {"finding_severity", "finding_lead"} & asked or "finding_link_1" in asked
        await type_command(play, play.bo, "/incident sev 2")
        await type_command(play, play.bo, "/incident lead @Bo Demo")
        await fill(play, play.bo, slug, "Nobody could pay.")
        await play.settle()
        now = shown_now(play, overview)
        assert first not in labels(now)
        assert not {"finding_severity", "finding_lead"} & set(actions_of(now))
        assert "Export" in labels(now)


async def test_the_answer_in_a_dm_loses_reopen_once_the_action_is_open_again(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/action cap the retries @Bo Demo")
        await play.settle()
        room = play.slack.dm(play.bo)
        await play.slack.say(play.bo, room, "done 1")
        await play.settle()
        answer = having(play, play.bo, "action_reopen", room)
        await type_command(play, play.ana, "/action reopen 1")
        await play.settle()
        assert labels(shown_now(play, answer, play.bo)) == []


async def test_a_warning_about_an_entry_with_a_file_keeps_the_button_that_deletes_the_file(sqlite_url: str) -> None:
    async with talk(sqlite_url) as play:
        await play.slack.say(play.bo, play.channel, f"04:20 {LEAK}", files=[("dump.csv", b"a,b")])
        until(play, NOON)
        await looked_back(play)
        view = await chosen(play)
        (value,) = options_of(view)
        await play.slack.submit(play.ana, view, {f"{TICKS}0": [value]})
        await play.settle()
        warning = having(play, play.ana, "secret_redact_files", play.slack.dm(play.ana))
        await play.slack.click(play.ana, warning, "secret_redact")
        await play.settle()
        assert labels(shown_now(play, warning)) == ["Redact with files"]
        await play.slack.click(play.ana, warning, "secret_redact_files")
        await play.settle()
        assert labels(shown_now(play, warning)) == []


async def test_a_correction_that_all_read_loses_its_buttons_once_the_entry_is_changed_again(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        for line in ("/incident resolved 13:10", "/timeline delete 2"):
            await type_command(play, play.ana, line)
            await play.settle()
        await press(play, play.bo, "timeline_restore")
        posted = having(play, play.chandra, "timeline_undo")
        assert "INC-1 is resolved again" in posted.plain
        await type_command(play, play.ana, "/timeline edit 2 restarted the database")
        await play.settle()
        assert labels(shown_now(play, posted, play.chandra)) == []


def options_of(view: ShownView) -> list[str]:
    """The values of all boxes that can be ticked in a window."""
    return [one["value"] for _, element in list_elements(view.blocks) for one in element.get("options", ())]
