"""A private incident's page: nothing leaves before a person has seen what is masked, and then only the masked copy."""

from bot.rehearsal.screen import ShownView
from storage.queues import SyncState
from tests.handlers.test_audit import deeds
from tests.support.integrations.confluence_pages import body, link, newest_message, put, region, with_confluence, write
from tests.support.integrations.fakes.confluence import FakeConfluence
from tests.support.interactions import type_command, window
from tests.support.play import Play

KEY = "AKIA" + "IOSFODNN7" + "EXAMPLE"


def is_made_private(play: Play) -> None:
    """Its channel is, from now on."""
    play.slack.workspace.channels[play.channel].private = True
    play.bot.services.slack.channels.forget(play.channel)


async def ask_for_page(play: Play) -> ShownView:
    """Someone asks for the page of a private incident, and looks at what would leave."""
    await type_command(play, play.ana, f"/timeline restarted from 10.1.2.3 with {KEY}")
    is_made_private(play)
    await put(play)
    return await window(play, play.ana, "confluence_look")


async def agree(play: Play, wiki: FakeConfluence) -> None:
    await play.slack.submit(play.ana, await ask_for_page(play))
    await newest_message(play)
    assert len(wiki.pages) == 1


async def test_nothing_of_a_private_incident_leaves_before_somebody_has_seen_what_is_masked(database_url: str) -> None:
    async with with_confluence(database_url) as (play, wiki):
        is_made_private(play)
        message = await put(play)
        assert "*INC-1* is private, so it isn't on Confluence." in message.plain
        await play.pass_time(hours=3)
        assert wiki.seen == []
        assert link(play).state == SyncState.REJECTED
        assert sum("is private" in message.plain for message in play.slack.messages(play.channel)) == 1


async def test_the_window_lists_what_is_masked_and_shows_no_credential(sqlite_url: str) -> None:
    async with with_confluence(sqlite_url) as (play, wiki):
        view = await ask_for_page(play)
        assert "*2 things are masked*:" in view.plain
        assert "10.1.2.3" in view.plain
        assert "an IP address in #5" in view.plain
        assert "AKIA…" in view.plain
        assert KEY not in view.plain
        assert wiki.pages == {}


async def test_what_was_agreed_to_is_the_masked_copy_now_and_later(database_url: str) -> None:
    async with with_confluence(database_url) as (play, wiki):
        await agree(play, wiki)
        assert "restarted from [masked] with [masked]" in region(wiki, "timeline").replace("\\", "")
        assert "app_redirect" not in body(wiki)
        assert not any(word in str(wiki.seen) for word in (KEY, "10.1.2.3"))
        await type_command(play, play.ana, "/timeline moved to 10.9.9.9")
        message = await put(play)
        assert "It's a masked copy, without links to this channel." in message.plain
        assert "moved to [masked]" in region(wiki, "timeline").replace("\\", "")
        assert "10.9.9.9" not in str(wiki.seen)
        assert str(wiki.files).count(KEY) == 0


async def test_who_let_it_go_is_in_the_channel_and_in_the_audit(sqlite_url: str) -> None:
    async with with_confluence(sqlite_url) as (play, wiki):
        await agree(play, wiki)
        texts = [message.plain for message in play.slack.messages(play.channel)]
        assert any("@Ana Demo is sending a masked copy of *INC-1* to Confluence." in one for one in texts)
        assert ("Ana Demo", "confluence.decide", "masked copy onto Confluence") in deeds(play)


async def test_a_page_of_an_incident_that_became_private_is_not_brought_up_to_date_unmasked(sqlite_url: str) -> None:
    async with with_confluence(sqlite_url) as (play, wiki):
        await put(play)
        is_made_private(play)
        await type_command(play, play.ana, f"/timeline the key was {KEY}")
        message = await put(play)
        assert "is private, so its page on Confluence wasn't updated" in message.plain
        assert KEY not in str(wiki.seen)
        assert "app_redirect" in body(wiki)
        await play.slack.submit(play.ana, await window(play, play.ana, "confluence_look"))
        await newest_message(play)
        assert "the key was [masked]" in region(wiki, "timeline").replace("\\", "")
        assert "app_redirect" not in body(wiki)
        assert (len(wiki.pages), KEY in str(wiki.seen)) == (1, False)


async def test_an_edit_of_masked_words_does_not_take_the_place_of_what_the_record_says(sqlite_url: str) -> None:
    async with with_confluence(sqlite_url) as (play, wiki):
        await agree(play, wiki)
        write(wiki, "leadup", "<p>Somebody at [masked] released.</p>")
        message = await put(play)
        assert "More than one text for *Leadup*" in message.plain


async def test_where_slack_does_not_say_who_can_read_nothing_leaves_and_it_is_tried_later(sqlite_url: str) -> None:
    async with with_confluence(sqlite_url, refused="internal_error") as (play, wiki):
        # Also for the look at which channels are private, which is asked at about the same time.
        play.slack.fail("conversations.info", error="internal_error", times=2)
        await put(play)
        assert wiki.seen == []
        await play.pass_time(minutes=2)
        assert len(wiki.pages) == 1
