"""A channel that another organization shares: nothing is posted before someone who knows says so."""

import pytest

from bot.rehearsal.screen import ShownView
from tests.support.interactions import having, last, on_stage, press, type_command, window
from tests.support.play import Play
from tests.support.shares import KEY, LEAK, asked_to_share, audit_rows, leak_secret, places, read_refusal


async def decide_export(play: Play, text: str, choice: str) -> ShownView:
    """Ana exports, is asked, and chooses; the window that she read."""
    await type_command(play, play.ana, text)
    await play.settle()
    assert (play.slack.files, play.slack.workspace.canvases) == ([], {})
    await press(play, play.ana, "exports_decide", channel=play.slack.dm(play.ana))
    (view,) = play.slack.views(play.ana)
    await play.slack.submit(play.ana, view, {"copy": choice})
    await play.settle()
    return view


@pytest.mark.parametrize("transport", ["http", "socket"])
async def test_a_shared_channel_is_asked_about_before_anything_is_posted(database_url: str, transport: str) -> None:
    async with on_stage(database_url, transport=transport) as play:
        places(play)[play.channel].shared = True
        await leak_secret(play)
        await type_command(play, play.ana, "/postmortem export")
        await play.settle()
        question = having(play, play.ana, "exports_decide", play.slack.dm(play.ana))
        view = await window(play, play.ana, "exports_decide", play.slack.dm(play.ana))
        await play.slack.submit(play.ana, view, {"copy": "masked"})
        await play.settle()
        assert "*Nothing is posted yet.* People from another organization can read #checkout" in question.plain
        assert "4 members, and everyone in this workspace." in view.plain
        assert "*It is shared with 1 other organization* (T0ELSEWHERE)" in view.plain
        assert "*A masked copy masks 3 things:*" in view.plain
        assert "• `10.1.2.3`, an IP address in #2" in view.plain
        assert "• `jo@customer.example`, an e-mail address in #2" in view.plain
        assert "`AKIA…`" in view.plain
        assert KEY not in view.plain
        (file,) = play.slack.files
        assert file.channel == play.channel
        assert b"restarted from [masked] with [masked], told [masked]" in file.bytes
        assert ":lock: Masked copy: 3 things are masked. Files are left out." in last(play, play.bo).plain
        assert play.case().entries[-1].text == LEAK
        assert audit_rows(play) == [("Ana Demo", "exports.post", f"a masked copy as markdown to {play.channel}")]


async def test_the_whole_may_be_posted_as_well_once_somebody_said_so(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        places(play)[play.channel].shared = True
        await leak_secret(play)
        await decide_export(play, "/postmortem export html", "whole")
        assert KEY.encode() in play.slack.files[0].bytes
        assert audit_rows(play) == [("Ana Demo", "exports.post", f"the whole as html to {play.channel}")]


async def test_cancelled_nothing_is_posted(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        places(play)[play.channel].shared = True
        await leak_secret(play)
        await type_command(play, play.ana, "/postmortem export")
        await play.settle()
        await press(play, play.ana, "exports_decide", channel=play.slack.dm(play.ana))
        await play.slack.close(play.ana, play.slack.views(play.ana)[0])
        await play.settle()
        assert (play.slack.files, audit_rows(play)) == ([], [])


async def test_a_canvas_in_a_shared_channel_is_asked_about_too(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        places(play)[play.channel].shared = True
        await leak_secret(play)
        await decide_export(play, "/postmortem export canvas", "masked")
        (canvas,) = play.slack.workspace.canvases.values()
        assert "told [masked]" in canvas.markdown
        assert "jo@customer.example" not in canvas.markdown
        assert "is new.\n:lock: Masked copy: 3 things are masked" in last(play, play.bo).plain


async def test_an_open_invitation_counts_as_shared(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        places(play)[play.channel].invited = True
        await leak_secret(play)
        view = await decide_export(play, "/postmortem export", "masked")
        assert "*Another organization is invited* (T0INVITED)" in view.plain


async def test_where_slack_does_not_say_who_reads_there_it_is_closed(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=["missing_scope"]) as play:
        await leak_secret(play)
        play.slack.workspace.tokens[play.slack.bot_token].scopes.remove("channels:read")
        await type_command(play, play.ana, "/postmortem export")
        await play.settle()
        assert "Slack didn't say who can read #checkout" in last(play, play.ana, play.slack.dm(play.ana)).plain
        message = await press(play, play.ana, "exports_decide", channel=play.slack.dm(play.ana))
        assert "That's in a channel that you don't have access to." in message.plain
        view = await asked_to_share(play, "#checkout")
        assert "Slack didn't say. Assume everyone can." in view.plain
        assert play.slack.files == []
        await play.slack.submit(play.ana, view)
        await play.settle()
        assert b"told [masked]" in play.slack.files[0].bytes


async def test_a_window_for_which_slack_is_not_reached_is_a_sentence(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=["ratelimited"]) as play:
        play.slack.channel("leaders", [play.ana])
        await leak_secret(play)
        play.slack.fail("conversations.info", "ratelimited", times=3)
        assert "Slack doesn't say who can read there right now" in await read_refusal(play, "#leaders")
