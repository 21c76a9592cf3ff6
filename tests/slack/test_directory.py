"""Names for ids that Slack sends bare, and a list of people that does not grow old."""

import asyncio

import pytest

from bot.slack.directory import NameCache
from tests.support.interactions import on_stage, open_incident, type_command
from tests.support.play import TEAM, Play
from tests.support.timeouts import SHIPPED

GROUP = "S0R0000001"


def calls(play: Play, method: str) -> int:
    return len([call for call in play.slack.calls if call.method == method])


def with_group(play: Play) -> None:
    """A user group, and the right to know its name."""
    play.slack.workspace.usergroups[GROUP] = [play.ana]
    play.slack.workspace.usergroup_handles[GROUP] = "oncall"
    play.slack.workspace.tokens[play.slack.bot_token].scopes.add("usergroups:read")


async def capture_words(play: Play, text: str) -> str:
    """Ana says it, as Slack sends it, and Bo adds it to the timeline; the entry's words."""
    ts = await play.slack.say(play.ana, play.channel, "something")
    play.slack.workspace.channels[play.channel].messages[ts].text = text
    answer = await play.slack.shortcut(play.bo, play.channel, ts, "timeline_add_message")
    assert answer.ok
    await play.settle()
    return next(entry.text for entry in play.case().entries if entry.source)


async def test_bare_ids_in_a_captured_message_become_names(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        with_group(play)
        other = play.slack.channel("payments", [play.ana])
        await open_incident(play)
        text = f"<!subteam^{GROUP}> see <#{other}|> with <@{play.chandra}>: a &lt; b, <https://a.example|the graph>"
        entry = await capture_words(play, text)
        assert entry == "@oncall see #payments with @Chandra Demo: a < b, the graph (https://a.example)"


async def test_a_private_channel_keeps_its_name_to_itself(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        secret = play.slack.channel("layoffs", [play.ana], private=True)
        play.slack.workspace.channels[secret].members.add(play.slack.workspace.bot_user_id)
        await open_incident(play)
        assert await capture_words(play, f"see <#{secret}|>") == f"see #{secret}"


async def test_without_the_scope_the_id_stands_and_nothing_breaks(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=["missing_scope"]) as play:
        play.slack.workspace.tokens[play.slack.bot_token].scopes.discard("usergroups:read")
        await open_incident(play)
        assert await capture_words(play, f"<!subteam^{GROUP}> paged") == f"@{GROUP} paged"


async def test_a_name_is_asked_once_and_a_rename_is_heard(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        other = play.slack.channel("payments", [play.ana])
        names: NameCache = play.bot.slack.directory.names
        await names.learn(TEAM, [other])
        before = calls(play, "conversations.info")
        await names.learn(TEAM, [other, other])
        assert calls(play, "conversations.info") == before
        event = {"type": "channel_rename", "channel": {"id": other, "name": "billing"}}
        await play.slack.event(event)
        assert names.name(TEAM, other) == "billing"


async def test_a_slow_slack_holds_no_entry_up(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        with_group(play)
        play.slack.fail("usergroups.list", until=asyncio.Event())
        names = NameCache(play.bot.client, SHIPPED)
        await names.learn(TEAM, [GROUP])
        assert names.name(TEAM, GROUP) == ""


async def test_a_zone_that_changed_unheard_is_known_a_day_later(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await play.bot.directory_refresher.wait()
        play.slack.workspace.users[play.ana].zone = "Asia/Tokyo"
        assert "Berlin" in await type_command(play, play.ana, "/timeline 12:05 failed over")
        await play.pass_time(hours=23)
        await play.bot.directory_refresher.wait()
        assert "Berlin" in await type_command(play, play.ana, "/timeline 12:05 failed over again")
        await play.pass_time(hours=2)
        await play.bot.directory_refresher.wait()
        assert "Tokyo" in await type_command(play, play.ana, "/timeline 12:05 failed over once more")


async def test_a_list_that_slack_rations_is_read_to_its_end(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=["ratelimited"]) as play:
        await play.bot.directory_refresher.wait()
        dana = play.slack.user("Dana Demo", "Europe/Paris")
        play.slack.fail("users.list", "ratelimited", retry_after=1)
        await play.pass_time(days=1)
        await play.bot.directory_refresher.wait()
        assert play.bot.slack.directory.name(TEAM, dana) == "Dana Demo"


@pytest.mark.parametrize("error", ["internal_error", "invalid_auth"])
async def test_a_failed_reading_is_tried_again_soon(sqlite_url: str, error: str) -> None:
    async with on_stage(sqlite_url, refused=[error]) as play:
        await play.bot.directory_refresher.wait()
        dana = play.slack.user("Dana Demo", "Europe/Paris")
        play.slack.fail("users.list", error)
        for hours in (24, 1):
            await play.pass_time(hours=hours)
            await play.bot.directory_refresher.wait()
        assert play.bot.slack.directory.name(TEAM, dana) == "Dana Demo"


async def test_somebody_whom_the_list_does_not_have_is_looked_up(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=["user_not_found"]) as play:
        await play.bot.directory_refresher.wait()
        await play.bot.slack.directory.learn(TEAM, {"id": "U0GONE", "name": "gone", "tz": "UTC"})
        before = calls(play, "users.info")
        await play.pass_time(days=1)
        await play.bot.directory_refresher.wait()
        assert calls(play, "users.info") == before + 1
        assert play.bot.slack.directory.name(TEAM, "U0GONE") == "gone"


async def test_somebody_who_left_unheard_is_known_to_have_left_a_day_later(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await play.bot.directory_refresher.wait()
        play.slack.workspace.users[play.bo].deleted = True
        await play.pass_time(days=1)
        await play.bot.directory_refresher.wait()
        seen = play.bot.slack.directory.get(TEAM, play.bo)
        assert seen is not None
        assert seen.is_deactivated
