"""Whatever answers in Slack's place, nothing that asks Slack breaks over it."""

from datetime import UTC, datetime

import pytest

from bot.domain.records import Person
from bot.slack.channels import Channels
from bot.slack.directory import RETRY_AFTER, Directory, DirectoryRefresher, NameCache
from bot.slack.files import Canvases
from bot.slack.messages_in import Busy, ChannelHistory, Messages, MessageUnavailable
from bot.slack.refresh import HomeTabPublisher, MessageUpdater, RefreshResult
from storage.database.store import Store
from tests.support.slack.proxy_answers import ODD, Odd, client_to

NOW = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
odd_answers = pytest.mark.parametrize("odd", ODD, ids=str)


@odd_answers
async def test_a_stranger_is_read_in_utc_and_what_they_typed_is_not_lost(odd: Odd, sqlite_store: Store) -> None:
    async with client_to(odd) as client:
        assert await Directory(sqlite_store, client).look_up("T1", "U1") == Person("T1", "U1", "U1")


@odd_answers
async def test_a_name_that_is_not_told_stays_an_id(odd: Odd) -> None:
    async with client_to(odd) as client:
        names = NameCache(client)
        await names.learn("T1", ["C1", "S1"])
        assert (names.name("T1", "C1"), names.name("T1", "S1")) == ("", "")


@odd_answers
async def test_a_channel_of_which_nothing_is_told_is_closed_and_that_is_not_remembered(odd: Odd) -> None:
    async with client_to(odd) as client:
        sight = await Channels(client).check_visible("U1", ["C1"])
        assert ("C1" in sight.seen, sight.is_sure) == (False, False)


@odd_answers
async def test_a_live_message_that_was_not_updated_is_not_taken_for_deleted(odd: Odd) -> None:
    async with client_to(odd) as client:
        assert await MessageUpdater(client).update("C1", "1.1", {"text": "as it stands"}) == RefreshResult()


@odd_answers
async def test_a_home_tab_that_was_not_published_is_tried_again(odd: Odd) -> None:
    async with client_to(odd) as client:
        drawn = await HomeTabPublisher(client).publish("U1", {"type": "home", "blocks": []})
        assert drawn.wait > 0
        assert drawn == RefreshResult(wait=drawn.wait)


@odd_answers
async def test_a_message_that_was_not_given_is_left_for_the_next_time(odd: Odd) -> None:
    async with client_to(odd) as client:
        messages = Messages(client)
        with pytest.raises(MessageUnavailable):
            await messages.find("C1", "1.1")
        assert await messages.permalink("C1", "1.1") == ""


@odd_answers
async def test_a_walk_through_the_history_waits(odd: Odd) -> None:
    async with client_to(odd) as client:
        with pytest.raises(Busy) as busy:
            await ChannelHistory(client).before("C1", "2.0", "1.0")
        assert not busy.value.is_named


@odd_answers
async def test_a_canvas_that_cannot_be_looked_at_is_no_error(odd: Odd) -> None:
    async with client_to(odd) as client:
        assert await Canvases(client).read_back("F1") == ""


@odd_answers
async def test_the_list_of_people_is_asked_for_again_soon(odd: Odd, sqlite_store: Store) -> None:
    calls: list[str] = []
    async with client_to(odd, calls) as client:
        roster = DirectoryRefresher(client, Directory(sqlite_store, client))
        roster.start(NOW)
        await roster.wait()
        roster.refresh_if_due(NOW + RETRY_AFTER)
        await roster.wait()
    assert calls == ["auth.test", "auth.test"]
