"""A postmortem finished from outside its channel: archived, from a direct message, the Home tab or another channel."""

import pytest

from bot.domain.records import PostmortemStatus
from tests.handlers.test_action_reminders import said_back
from tests.support.interactions import having, labels, last, on_stage, open_incident, press, type_command
from tests.support.play import Play

FILLED = {"summary": "Checkout was down.", "impact": "Nobody could pay."}


async def resolve_elsewhere(play: Play, channel: str = "", *, archived: bool = True) -> str:
    """An incident that Bo leads is over and its channel archived; Bo's conversation with the bot."""
    channel = channel or play.channel
    await open_incident(play, channel=channel)
    await type_command(play, play.ana, "/incident lead @Bo Demo", channel)
    await type_command(play, play.ana, "/incident resolved", channel)
    await type_command(play, play.ana, "/why because nobody tests the pool", channel)
    await type_command(play, play.ana, "/why root", channel)
    await type_command(play, play.ana, "/action add a load test @Ana Demo due friday", channel)
    await play.settle()
    if archived:
        await play.slack.archive(play.ana, channel)
    return play.slack.dm(play.bo)


async def fill(play: Play, user: str, room: str) -> None:
    """[Fill …] for each of the sections that a publication needs, from their windows."""
    for slug, text in FILLED.items():
        assert await type_command(play, user, f"/postmortem fill INC-1 {slug}", room) == ""
        await play.settle()
        view = play.slack.views(user)[-1]
        assert (await play.slack.submit(user, view, {"text_0": text})).ok
        await play.settle()


def status(play: Play, channel: str = "") -> PostmortemStatus:
    return play.case(channel).incident.postmortem_status


async def test_the_owner_fills_publishes_and_exports_by_commands_in_a_dm(database_url: str) -> None:
    async with on_stage(database_url, refused=["is_archived"]) as play:
        room = await resolve_elsewhere(play)
        assert "Postmortem of INC-1" in (await type_command(play, play.bo, "/postmortem", room)).replace("*", "")
        assert "Not published: Incident summary and Impact are still empty." in await type_command(
            play, play.bo, "/postmortem publish INC-1", room
        )
        assert labels(last(play, play.bo, room)) == ["Fill: Incident summary"]
        await press(play, play.bo, "postmortem_fill", channel=room)
        assert play.slack.views(play.bo)[-1].title == "Incident summary"
        await play.slack.close(play.bo, play.slack.views(play.bo)[-1])
        await fill(play, play.bo, room)
        assert play.case().sections["impact"].text == FILLED["impact"]
        for form in ("markdown", "html", "pdf"):
            answer = await type_command(play, play.bo, f"/postmortem export INC-1 {form}", room)
            assert "to your direct messages." in answer
            await play.settle()
        assert [(file.channel, file.name.rpartition(".")[2]) for file in play.slack.files] == [
            (room, "md"),
            (room, "html"),
            (room, "pdf"),
        ]
        assert "Postmortem published: *INC-1 " in await type_command(play, play.bo, "/postmortem publish", room)
        await play.settle()
        assert status(play) is PostmortemStatus.PUBLISHED


async def test_the_owner_does_so_in_plain_words_too(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=["is_archived"]) as play:
        room = await resolve_elsewhere(play)
        answer = await said_back(play, play.bo, "publish")
        assert "Not published: Incident summary and Impact are still empty." in answer.plain
        assert labels(answer) == ["Fill: Incident summary"]
        assert "*still empty:*" in (await said_back(play, play.bo, "show INC-1")).plain.lower()
        await fill(play, play.bo, room)
        await said_back(play, play.bo, "export html")
        assert [file.channel for file in play.slack.files] == [room]
        answer = await said_back(play, play.bo, "Publish the postmortem of INC-1.")
        assert "Postmortem published: *INC-1 " in answer.plain
        assert status(play) is PostmortemStatus.PUBLISHED
        assert "No postmortem is waiting for you." in (await said_back(play, play.bo, "publish")).plain
        assert (
            "was published on Mon 23 Nov, 12:30 UTC by Bo Demo"
            in (await said_back(play, play.bo, "publish INC-1")).plain
        )
        assert "There's no INC-9" in (await said_back(play, play.bo, "publish INC-9")).plain


async def test_the_buttons_of_the_reminder_and_of_the_home_tab_finish_it(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=["is_archived"]) as play:
        room = await resolve_elsewhere(play)
        await play.pass_time(hours=24)
        assert "Publish" not in labels(having(play, play.bo, "postmortem_show", room))
        await fill(play, play.bo, room)
        await play.pass_time(hours=24)
        reminder = having(play, play.bo, "postmortem_publish", room)
        assert {"Fill: Detection", "Publish", "Export", "Not needed …"} <= set(labels(reminder))
        await press(play, play.bo, "postmortem_export", channel=room)
        assert [file.channel for file in play.slack.files] == [room]
        await play.slack.open_home(play.bo)
        await play.settle()
        home = str(play.slack.home(play.bo))
        assert "postmortem_publish" in home
        assert "postmortem_export" in home
        await press(play, play.bo, "postmortem_publish", channel=room)
        assert "Postmortem published: *INC-1 " in last(play, play.bo, room).plain
        assert status(play) is PostmortemStatus.PUBLISHED
        await play.settle()
        assert "postmortem_publish" not in str(play.slack.home(play.bo))


async def test_what_is_published_from_a_dm_is_told_in_the_channel(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        room = await resolve_elsewhere(play, archived=False)
        await fill(play, play.bo, room)
        await said_back(play, play.bo, "publish")
        assert "Postmortem published: *INC-1 " in last(play, play.chandra).plain
        assert "Reopen postmortem" in labels(last(play, play.chandra))
        answer = await type_command(play, play.chandra, "/postmortem reopen INC-1", play.slack.dm(play.chandra))
        await play.settle()
        assert "reopened the postmortem of *INC-1*" in answer
        assert "reopened the postmortem of *INC-1*" in last(play, play.ana).plain


async def test_who_was_in_the_channel_works_on_it_from_another_one_and_nothing_is_said_there(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=["is_archived"]) as play:
        secret = play.slack.channel("secret", [play.ana, play.bo], private=True)
        await resolve_elsewhere(play, secret)
        other = play.slack.channel("random", [play.ana, play.bo, play.chandra])
        await type_command(play, play.ana, "/postmortem INC-1", other)
        seen = last(play, play.ana, other)
        assert seen.ephemeral_for == play.ana
        await press(play, play.ana, "postmortem_fill", channel=other)
        view = play.slack.views(play.ana)[-1]
        await play.slack.submit(play.ana, view, {"text_0": FILLED["summary"]})
        await play.settle()
        again = having(play, play.ana, "postmortem_fill", other)
        await play.slack.click(play.ana, again, "postmortem_fill")
        await play.settle()
        view = play.slack.views(play.ana)[-1]
        await play.slack.submit(play.ana, view, {"text_0": "x"})
        await play.settle()
        await fill(play, play.ana, other)
        await type_command(play, play.ana, "/postmortem publish INC-1", other)
        await type_command(play, play.ana, "/postmortem export INC-1 html", other)
        await play.settle()
        assert status(play, secret) is PostmortemStatus.PUBLISHED
        assert [file.channel for file in play.slack.files] == [play.slack.dm(play.ana)]
        assert [message.plain for message in play.slack.messages(other, user=play.chandra)] == []


@pytest.mark.parametrize(
    "typed", ["INC-1", "show INC-1", "publish INC-1", "export INC-1 html", "export html INC-1", "fill INC-1 impact",
              "reopen INC-1", "waive INC-1 a drill", "snooze INC-1", "reminders INC-1", "owner INC-1 @Chandra Demo"]
)  # fmt: skip
async def test_who_was_not_in_a_private_channel_may_nothing_and_it_fails_closed(sqlite_url: str, typed: str) -> None:
    async with on_stage(sqlite_url, refused=["is_archived", "internal_error"]) as play:
        secret = play.slack.channel("secret", [play.ana, play.bo], private=True)
        await resolve_elsewhere(play, secret)
        before = play.case(secret)
        for user, room in ((play.chandra, play.slack.dm(play.chandra)), (play.chandra, play.channel)):
            answer = await type_command(play, user, f"/postmortem {typed}", room)
            await play.settle()
            assert "That's in a channel that you don't have access to" in answer
            assert "Checkout" not in answer
        play.slack.fail("conversations.info", "internal_error")
        play.bot.services.slack.channels.forget(secret)
        answer = await type_command(play, play.bo, f"/postmortem {typed}", play.slack.dm(play.bo))
        assert "Slack isn't telling me whether you have access to that channel." in answer
        assert play.case(secret) == before
        assert play.slack.files == []


async def test_of_several_it_is_asked_which_and_of_none_it_is_said(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        room = await resolve_elsewhere(play, archived=False)
        other = play.slack.channel("search", [play.ana, play.bo])
        await resolve_elsewhere(play, other, archived=False)
        answer = await type_command(play, play.bo, "/postmortem publish", room)
        assert "Which one? INC-1 and INC-2 are waiting for you: `/postmortem publish INC-1`" in answer
        assert (
            "INC-1 and INC-2 are waiting for you: `export html INC-1`"
            in (await said_back(play, play.bo, "export html")).plain
        )
        assert "Incidents belong to channels" in await type_command(
            play, play.chandra, "/postmortem", play.slack.dm(play.chandra)
        )


async def test_a_reason_that_begins_with_a_key_waives_the_channel_s_own(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_elsewhere(play, archived=False)
        other = play.slack.channel("search", [play.ana, play.bo])
        await resolve_elsewhere(play, other, archived=False)
        await type_command(play, play.ana, "/postmortem waive INC-1 covers it", other)
        assert (status(play), status(play, other)) == (PostmortemStatus.OPEN, PostmortemStatus.WAIVED)
        assert play.case(other).incident.postmortem_reason == "INC-1 covers it"


async def test_a_file_that_cannot_be_sent_to_somebody_is_said_and_can_be_tried_again(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=["file_uploads_disabled", "is_archived"]) as play:
        room = await resolve_elsewhere(play)
        play.slack.fail("files.getUploadURLExternal", "file_uploads_disabled", times=2)
        await type_command(play, play.bo, "/postmortem export INC-1 csv", room)
        await play.settle()
        message = last(play, play.bo, room)
        assert "I couldn't send you the draft of *INC-1* as CSV." in message.plain
        assert "switched file uploads off" in message.plain
        play.slack.api.faults.clear()
        await press(play, play.bo, "exports_form_csv", channel=room)
        assert [(file.channel, file.name.rpartition(".")[2]) for file in play.slack.files] == [(room, "csv")]


async def test_a_waiver_from_the_dm_is_answered_there_though_the_channel_is_archived(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=["is_archived"]) as play:
        room = await resolve_elsewhere(play)
        await play.pass_time(hours=24)
        await press(play, play.bo, "postmortem_waive", channel=room)
        await play.slack.submit(play.bo, play.slack.views(play.bo)[-1], {"reason": "a drill"})
        await play.settle()
        assert "waived the postmortem of *INC-1*: a drill" in last(play, play.bo, room).plain
        assert status(play) is PostmortemStatus.WAIVED
