"""A postmortem that is published or waived already: it is said once, and whoever says it again reads what stands."""

from datetime import timedelta

from bot.domain.records import PostmortemStatus
from storage import audit as audit_store
from tests.handlers.test_postmortem import NEEDED, fill, resolved
from tests.support.interactions import labels, last, on_stage, press, told
from tests.support.play import NOON, Play


async def published(play: Play) -> None:
    await resolved(play)
    for section, text in NEEDED.items():
        await fill(play, play.bo, section, text)
    await told(play, play.bo, "/postmortem publish")
    await play.settle()


def announced(play: Play) -> int:
    return sum("published the postmortem of" in seen.plain for seen in play.slack.messages(play.channel))


async def test_published_again_it_says_since_when_and_by_whom_and_announces_nothing(database_url: str) -> None:
    async with on_stage(database_url) as play:
        await published(play)
        assert announced(play) == 1
        await play.pass_time(days=2)
        said = await told(play, play.chandra, "/postmortem publish")
        assert "The postmortem of *INC-1* is published already, since 2026-11-23 12:30 UTC, by @Bo Demo." in said
        assert announced(play) == 1
        assert labels(last(play, play.chandra)) == ["Show what stands", "Export", "Reopen"]
        incident = play.case().incident
        assert incident.published_at == NOON
        assert (
            play.bot.store.read_now(lambda tx: audit_store.find_last_author(tx, incident.id, "postmortem.publish"))
            == play.bo
        )
        assert "Published · Owner: Bo Demo" in (await press(play, play.chandra, "postmortem_show")).plain


async def test_reopened_resolved_and_published_anew_it_is_announced_anew_by_whoever_does_it(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await published(play)
        await play.pass_time(days=1)
        await told(play, play.ana, "/incident reopen")
        await told(play, play.ana, "/incident resolved")
        await told(play, play.chandra, "/postmortem publish")
        await play.settle()
        assert announced(play) == 2
        said = await told(play, play.ana, "/postmortem published")
        assert f"since {NOON + timedelta(days=1):%Y-%m-%d %H:%M} UTC, by @Chandra Demo." in said


async def test_what_is_published_is_not_waived_and_a_reason_is_told_once(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolved(play)
        await told(play, play.ana, "/postmortem waive a drill")
        await play.settle()
        assert "is waived already, for this reason" in await told(play, play.bo, "/postmortem waive a drill")
        assert "waived the postmortem" in await told(play, play.bo, "/postmortem waive only staging was hit")
        for section, text in NEEDED.items():
            await fill(play, play.bo, section, text)
        await told(play, play.bo, "/postmortem publish")
        said = await told(play, play.ana, "/postmortem waive a drill")
        assert "is published already: there is nothing left to waive." in said
        assert play.case().incident.postmortem_status is PostmortemStatus.PUBLISHED


async def test_a_snooze_that_is_typed_leaves_the_owner_alone_as_the_button_does(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolved(play)
        await play.pass_time(hours=26)
        dm = play.slack.dm(play.bo)
        assert "*INC-1* postmortem is waiting for you" in last(play, play.bo, dm).plain
        said = await told(play, play.chandra, "/postmortem snooze")
        assert "Snoozed until " in said
        await play.settle()
        (retired,) = play.slack.messages(dm)
        assert "snoozed until" in retired.plain
        assert labels(retired) == []
        again = await told(play, play.chandra, "/postmortem snooze")
        assert again == said
        await play.pass_time(hours=25)
        assert "*INC-1* postmortem is waiting for you" in last(play, play.bo, dm).plain


async def test_handing_over_is_understood_in_other_words(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolved(play)
        for typed in ("hand over @Chandra Demo", "assign to @Bo Demo", "handover to @Ana Demo"):
            said = await told(play, play.ana, f"/postmortem {typed}")
            assert "owns the postmortem of INC-1" in said
        assert play.case().incident.postmortem_owner == play.ana
        assert "Name the owner" in await told(play, play.ana, "/postmortem hand over")
