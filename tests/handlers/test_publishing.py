"""A postmortem that is published or waived already: it is said once, and whoever says it again reads what stands."""

from bot.domain.records import PostmortemStatus
from storage import audit as audit_store
from tests.handlers.test_postmortem import NEEDED, fill, resolve_incident
from tests.support.interactions import having, labels, last, on_stage, open_incident, press, type_command
from tests.support.play import NOON, Play


async def publish_postmortem(play: Play) -> None:
    await resolve_incident(play)
    for section, text in NEEDED.items():
        await fill(play, play.bo, section, text)
    await type_command(play, play.bo, "/postmortem publish")
    await play.settle()


def count_announcements(play: Play) -> int:
    return sum("Postmortem published: *INC-1" in seen.plain for seen in play.slack.messages(play.channel))


async def test_published_again_it_says_since_when_and_by_whom_and_announces_nothing(database_url: str) -> None:
    async with on_stage(database_url) as play:
        await publish_postmortem(play)
        assert count_announcements(play) == 1
        await play.pass_time(days=2)
        answer = await type_command(play, play.chandra, "/postmortem publish")
        assert "The postmortem of *INC-1* was published on Mon 23 Nov, 12:30 UTC by Bo Demo." in answer
        assert count_announcements(play) == 1
        assert labels(last(play, play.chandra)) == ["Show postmortem", "Export", "Reopen postmortem"]
        incident = play.case().incident
        assert incident.published_at == NOON
        assert (
            play.bot.store.read_now(lambda tx: audit_store.find_last_author(tx, incident.id, "postmortem.publish"))
            == play.bo
        )
        assert "Published · Owner: Bo Demo" in (await press(play, play.chandra, "postmortem_show")).plain


async def test_reopened_resolved_and_published_anew_it_is_announced_anew_by_whoever_does_it(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await publish_postmortem(play)
        await play.pass_time(days=1)
        await type_command(play, play.ana, "/incident reopen")
        await type_command(play, play.ana, "/incident resolved")
        await type_command(play, play.chandra, "/postmortem publish")
        await play.settle()
        assert count_announcements(play) == 2
        answer = await type_command(play, play.ana, "/postmortem published")
        assert "was published on Tue 24 Nov, 12:30 UTC by Chandra Demo." in answer


async def test_what_is_published_is_not_waived_and_a_reason_is_told_once(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        await type_command(play, play.ana, "/postmortem waive a drill")
        await play.settle()
        assert "is already waived, for this reason" in await type_command(play, play.bo, "/postmortem waive a drill")
        assert "waived the postmortem" in await type_command(play, play.bo, "/postmortem waive only staging was hit")
        for section, text in NEEDED.items():
            await fill(play, play.bo, section, text)
        await type_command(play, play.bo, "/postmortem publish")
        answer = await type_command(play, play.ana, "/postmortem waive a drill")
        assert "is already published. Reopen it first: `/postmortem reopen INC-1`" in answer
        assert play.case().incident.postmortem_status is PostmortemStatus.PUBLISHED


async def test_a_snooze_that_is_typed_leaves_the_owner_alone_as_the_button_does(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        await play.pass_time(hours=26)
        dm = play.slack.dm(play.bo)
        assert "*INC-1* postmortem is waiting for you" in last(play, play.bo, dm).plain
        answer = await type_command(play, play.chandra, "/postmortem snooze")
        assert "Snoozed until " in answer
        await play.settle()
        retired = last(play, play.bo, dm)
        assert "snoozed until" in retired.plain
        assert labels(retired) == []
        again = await type_command(play, play.chandra, "/postmortem snooze")
        assert again == answer
        await play.pass_time(hours=25)
        assert "*INC-1* postmortem is waiting for you" in last(play, play.bo, dm).plain


async def test_handing_over_is_understood_in_other_words(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        for typed in ("hand over @Chandra Demo", "assign to @Bo Demo", "handover to @Ana Demo"):
            answer = await type_command(play, play.ana, f"/postmortem {typed}")
            assert "owns the postmortem of INC-1" in answer
        assert play.case().incident.postmortem_owner == play.ana
        assert "Who's finishing it? Try `/postmortem owner @ana`" in await type_command(
            play, play.ana, "/postmortem hand over"
        )


async def ready(play: Play) -> None:
    """An incident of an hour and ten minutes, mitigated before it was detected, with one action that has no owner."""
    await open_incident(play, "checkout down for EU")
    await type_command(play, play.ana, "/incident sev 2")
    await type_command(play, play.ana, "/incident lead @Bo Demo")
    await type_command(play, play.ana, "/incident started 12:20 UTC")
    await type_command(play, play.chandra, "/incident detected 12:27 UTC")
    await type_command(play, play.ana, "/incident mitigated 12:25 UTC")
    await press(play, play.ana, "milestone_keep")
    await play.pass_time(hours=1)
    await type_command(play, play.ana, "/incident resolved")
    await type_command(play, play.bo, "/why because retries had no limit")
    await type_command(play, play.bo, "/why root")
    await type_command(play, play.bo, "/action cap the retries @Chandra Demo due friday")
    await type_command(play, play.bo, "/action add a load test")
    await fill(play, play.bo, "impact", "One in five customers.")
    await fill(
        play, play.bo, "summary", "Checkout failed in the EU. A pool ran out. It took an hour. Nobody was paged."
    )
    await play.settle()


async def test_a_publication_says_what_happened_why_and_what_is_still_to_be_done(database_url: str) -> None:
    async with on_stage(database_url) as play:
        await ready(play)
        before = len(play.slack.messages(play.channel))
        answer = await type_command(play, play.ana, "/postmortem publish")
        assert answer.splitlines() == [
            "*Publish INC-1 as it is?* 2 things to fix first:",
            ":warning: Mitigated (12:25 UTC) is before detected (12:27 UTC).",
            "Fix",
            ":warning: Action 2 has no owner, due date or ticket: “add a load test”",
            "Fix",
            "Publish anyway",
        ]
        await play.settle()
        assert len(play.slack.messages(play.channel)) == before  # asked privately
        assert play.case().incident.postmortem_status is PostmortemStatus.OPEN
        question = having(play, play.ana, "postmortem_publish_anyway")
        assert (await press(play, play.ana, "finding_action")).plain
        (view,) = play.slack.views(play.ana)
        await play.slack.close(play.ana, view)
        await play.slack.click(play.ana, question, "postmortem_publish_anyway")
        await play.slack.click(play.ana, question, "postmortem_publish_anyway")
        await play.settle()
        assert len(play.slack.messages(play.channel)) == before + 1
        posted = play.slack.messages(play.channel)[-1]
        assert posted.plain.splitlines() == [
            ":tada: Postmortem published: *INC-1 Checkout down for EU* (sev2, 1 h 10 min)",
            "Checkout failed in the EU. A pool ran out. It took an hour.",
            "*Root cause:* retries had no limit",
            "*Open actions:*",
            "• cap the retries – Chandra Demo, due Fri 27 Nov",
            "• add a load test – no owner, no due date",
            "Thanks to Bo Demo, Ana Demo and Chandra Demo. Published by Ana Demo.",
            "Get the document",
            "Reopen postmortem",
        ]
        assert posted.pings == set()
        seen = play.slack.messages(play.channel, user=play.ana)
        (again,) = (
            message for message in seen if "was published on Mon 23 Nov, 13:30 UTC by Ana Demo" in message.plain
        )
        assert again.ts == question.ts  # the second press reads it in the question's place
        await press(play, play.chandra, "postmortem_export")
        (file,) = play.slack.files
        assert (file.title, file.thread_ts != "") == ("INC-1 Checkout down for EU – postmortem (HTML)", True)


async def test_a_sound_record_is_published_without_a_question(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await publish_postmortem(play)
        posted = play.slack.messages(play.channel)[-1].plain
        assert "Publish anyway" not in posted
        assert "*Root cause:* The pool." in posted
        assert "Open actions" not in posted
