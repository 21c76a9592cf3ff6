"""`/postmortem export` as people meet it: the file in the incident's thread, the other forms, and what fails."""

from datetime import timedelta

import pytest

from tests.support.interactions import having, labels, last, on_stage, open_incident, press, type_command
from tests.support.play import Play

EMPTY = "Root cause, Impact, Incident summary"
STRETCH = timedelta(hours=1, minutes=17)


async def resolve_incident(play: Play) -> None:
    await open_incident(play)
    await type_command(play, play.ana, "/incident sev 2")
    await type_command(play, play.ana, "/incident started 13:27")
    await type_command(play, play.ana, "/incident lead @Bo Demo")
    await type_command(play, play.ana, "/action add a load test @Chandra Demo")
    play.clock.advance(STRETCH)
    await type_command(play, play.ana, "/incident resolved")
    await play.settle()


def in_dm(play: Play, user: str) -> str:
    return last(play, user, play.slack.dm(user)).plain


async def test_the_answer_offers_the_other_forms_and_each_goes_out(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        answer = await type_command(play, play.ana, "/postmortem export")
        assert answer.startswith("Exporting Markdown to the incident thread.\n")
        (card, *_) = play.slack.messages(play.channel)
        link = f"https://{play.slack.workspace.domain}.slack.com/archives/{play.channel}/p{card.ts.replace('.', '')}"
        shown = having(play, play.ana, "exports_form")
        assert f"<{link}|incident thread>" in shown.text
        assert labels(shown) == ["HTML", "PDF", "Word", "Confluence", "Canvas", "JSON", "CSV"]
        answered = await press(play, play.ana, "exports_form", "CSV")
        assert "Exporting CSV to the incident thread." in having(play, play.ana, "exports_form").plain
        assert "CSV" not in labels(having(play, play.ana, "exports_form"))
        assert answered.channel == play.channel
        assert [file.name.rpartition(".")[2] for file in play.slack.files] == ["md", "csv"]


@pytest.mark.parametrize("transport", ["http", "socket"])
async def test_the_file_hangs_below_the_live_message_with_a_summary(database_url: str, transport: str) -> None:
    async with on_stage(database_url, transport=transport) as play:
        await resolve_incident(play)
        await type_command(play, play.ana, "/postmortem export html")
        await play.settle()
        (file,) = play.slack.files
        (card, *_) = play.slack.messages(play.channel)
        assert "INC-1 Checkout is failing" in card.plain
        assert (file.thread_ts, file.channel) == (card.ts, play.channel)
        assert last(play, play.bo).plain.splitlines() == [
            "*INC-1 Checkout is failing* – postmortem draft",
            "sev2 · resolved · lasted 1 h 20 min",
            f"2 of 14 sections filled · still empty: {EMPTY} and 9 more",
            "Owner: Bo Demo · 1 open action",
        ]
        assert last(play, play.bo).pings == set()


async def test_without_a_live_message_it_goes_into_the_channel(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=["restricted_action"]) as play:
        play.slack.fail("chat.postMessage", "restricted_action", times=3)
        await open_incident(play)
        await type_command(play, play.ana, "/postmortem export")
        await play.settle()
        (file,) = play.slack.files
        assert (file.channel, file.thread_ts) == (play.channel, "")
        assert "No owner yet" in last(play, play.ana).plain


REMEDIES = {
    "missing_scope": "I need the permission `files:write`",
    "not_in_channel": "Invite me there, then try again: `/invite @afterword`",
    "is_archived": "The channel is archived",
    "file_uploads_disabled": "switched file uploads off",
    "file_upload_size_restricted": "Try a smaller format",
    "posting_to_channel_denied": "An admin restricts who can post there",
    "something_new": "Slack refused it, or its answer was lost. Check if the file is there, then try again.",
}


@pytest.mark.parametrize("error", REMEDIES)
async def test_a_refusal_reaches_who_asked_with_what_to_do(sqlite_url: str, error: str) -> None:
    async with on_stage(sqlite_url, refused=[error]) as play:
        await resolve_incident(play)
        play.slack.fail("files.completeUploadExternal", error)
        await type_command(play, play.ana, "/postmortem export")
        await play.settle()
        message = in_dm(play, play.ana)
        assert "I couldn't post the draft of *INC-1* to #checkout as Markdown." in message
        assert REMEDIES[error] in message
        assert ("on the server" in message) is (error != "not_in_channel")
        assert play.slack.files == []


async def test_what_failed_can_be_tried_again_from_there(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=["file_uploads_disabled"]) as play:
        await resolve_incident(play)
        play.slack.fail("files.getUploadURLExternal", "file_uploads_disabled")
        await type_command(play, play.chandra, "/postmortem export csv")
        await play.settle()
        await press(play, play.chandra, "exports_decide", channel=play.slack.dm(play.chandra))
        (view,) = play.slack.views(play.chandra)
        assert "The draft of *INC-1* Checkout is failing\nas CSV, to #checkout" in view.plain
        await play.slack.submit(play.chandra, view)
        await play.settle()
        assert [file.name.rpartition(".")[2] for file in play.slack.files] == ["csv"]
        assert "Posting the draft of INC-1 to #checkout as CSV." in in_dm(play, play.chandra)


async def test_an_upload_in_doubt_is_told_to_who_asked(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=["internal_error"]) as play:
        await resolve_incident(play)
        play.slack.fail("files.completeUploadExternal", status=500, times=2)
        await type_command(play, play.ana, "/postmortem export")
        await play.settle()
        await play.pass_time(minutes=2)
        assert "its answer was lost. Check if the file is there" in in_dm(play, play.ana)


async def test_while_slack_does_not_say_who_reads_there_nothing_goes_out(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=["ratelimited"]) as play:
        await resolve_incident(play)
        play.slack.fail("conversations.info", "ratelimited", retry_after=30)
        await type_command(play, play.ana, "/postmortem export")
        await play.settle()
        assert play.slack.files == []
        await play.pass_time(seconds=31)
        assert len(play.slack.files) == 1
