"""Channels, people and what was said, as the Web API tells of them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.clock import SettableClock
from bot.rehearsal.server import StandIn
from bot.rehearsal.workspace import Workspace
from tests.rehearsal.conftest import section


async def test_a_channel_is_described(slack: StandIn, client: AsyncWebClient) -> None:
    ana = slack.user("ana")
    ops = slack.channel("ops", [ana], private=True, shared=True)
    found = (await client.conversations_info(channel=ops))["channel"]
    assert (found["name"], found["is_private"], found["is_ext_shared"], found["is_member"]) == ("ops", True, True, True)
    assert set((await client.conversations_members(channel=ops))["members"]) == {ana, slack.bot_user_id}


async def test_a_public_channel_can_be_joined_and_a_private_one_not(slack: StandIn, client: AsyncWebClient) -> None:
    slack.workspace.tokens[slack.bot_token].scopes.add("channels:join")
    ops = slack.channel("ops", with_bot=False)
    assert (await client.conversations_join(channel=ops))["channel"]["is_member"]
    with pytest.raises(SlackApiError, match="channel_not_found"):
        await client.conversations_join(channel=slack.channel("secret", private=True, with_bot=False))


async def test_lists_come_in_pages_and_hide_what_the_bot_may_not_know(slack: StandIn, client: AsyncWebClient) -> None:
    names = [f"c{number}" for number in range(5)]
    for name in names:
        slack.channel(name)
    slack.channel("secret", private=True, with_bot=False)
    found: list[str] = []
    async for answer in await client.conversations_list(limit=2, types="public_channel,private_channel"):
        found += [channel["name"] for channel in answer["channels"]]
    assert found == names


async def test_history_is_newest_first_and_leaves_out_threads_and_ephemerals(
    slack: StandIn, client: AsyncWebClient
) -> None:
    ana = slack.user("ana")
    ops = slack.channel("ops", [ana])
    root = await slack.say(ana, ops, "one")
    mark = {"event_type": "entry", "event_payload": {"id": 1}}
    reply = await client.chat_postMessage(channel=ops, text="in thread", thread_ts=root, metadata=mark)
    await client.chat_postEphemeral(channel=ops, user=ana, text="psst")
    await slack.say(ana, ops, "two")
    found = (await client.conversations_history(channel=ops))["messages"]
    assert [message["text"] for message in found] == ["two", "one"]
    assert found[1]["reply_count"] == 1
    thread = await client.conversations_replies(channel=ops, ts=root, include_all_metadata=True)
    assert [message["text"] for message in thread["messages"]] == ["one", "in thread"]
    assert thread["messages"][1]["metadata"] == mark
    plain = await client.conversations_replies(channel=ops, ts=root, oldest=root)
    assert [message["ts"] for message in plain["messages"]] == [root, reply["ts"]]
    assert "metadata" not in plain["messages"][1]


async def test_history_comes_in_pages_between_two_times(slack: StandIn, client: AsyncWebClient) -> None:
    ana = slack.user("ana")
    ops = slack.channel("ops", [ana])
    stamps = [await slack.say(ana, ops, str(number)) for number in range(6)]
    found: list[str] = []
    async for answer in await client.conversations_history(channel=ops, limit=2, oldest=stamps[0], latest=stamps[5]):
        found += [message["text"] for message in answer["messages"]]
    assert found == ["4", "3", "2", "1"]


async def test_a_post_to_a_person_opens_their_conversation(slack: StandIn, client: AsyncWebClient) -> None:
    ana = slack.user("ana")
    posted = await client.chat_postMessage(channel=ana, text="hello")
    assert posted["channel"] == slack.dm(ana) == (await client.conversations_open(users=ana))["channel"]["id"]
    assert [message.plain for message in slack.messages(slack.dm(ana))] == ["hello"]


async def test_a_person_has_a_zone_and_a_bot_has_none(
    slack: StandIn, client: AsyncWebClient, clock: SettableClock
) -> None:
    clock.set(clock.now().replace(year=2026, month=7, day=1))
    ana = slack.user("ana", "Europe/Berlin", email="ana@demo.example", guest=True)
    found = (await client.users_info(user=ana))["user"]
    assert (found["tz"], found["tz_label"], found["tz_offset"], found["is_restricted"]) == (
        "Europe/Berlin", "CEST", 7200, True,
    )  # fmt: skip
    slack.workspace.tokens[slack.bot_token].scopes.add("users:read.email")
    assert (await client.users_lookupByEmail(email="Ana@demo.example"))["user"]["id"] == ana
    assert "tz" not in (await client.users_info(user=slack.bot_user_id))["user"]
    assert {user["id"] for user in (await client.users_list())["members"]} == {ana, slack.bot_user_id}


async def test_an_update_marks_the_message_and_keeps_its_metadata(slack: StandIn, client: AsyncWebClient) -> None:
    ops = slack.channel("ops")
    mark = {"event_type": "entry", "event_payload": {"id": 1}}
    ts = (await client.chat_postMessage(channel=ops, text="x", metadata=mark))["ts"]
    await client.chat_update(channel=ops, ts=ts, text="y", blocks=[section("z")])
    (message,) = slack.messages(ops)
    assert (message.plain, message.edited, message.metadata) == ("z", True, mark)
    link = (await client.chat_getPermalink(channel=ops, message_ts=ts))["permalink"]
    assert link.endswith(f"/{ops}/p{ts.replace('.', '')}")
    await client.chat_delete(channel=ops, ts=ts)
    assert slack.messages(ops) == []


async def test_reactions_are_counted_once_for_each(slack: StandIn, client: AsyncWebClient) -> None:
    ana = slack.user("ana")
    ops = slack.channel("ops", [ana])
    ts = await slack.say(ana, ops, "x")
    await slack.react(ana, ops, ts, "memo")
    await client.reactions_add(channel=ops, timestamp=ts, name="memo")
    with pytest.raises(SlackApiError, match="already_reacted"):
        await client.reactions_add(channel=ops, timestamp=ts, name="memo")
    found = await client.reactions_get(channel=ops, timestamp=ts)
    assert found["message"]["reactions"] == [{"name": "memo", "users": [ana, slack.bot_user_id], "count": 2}]
    await client.reactions_remove(channel=ops, timestamp=ts, name="memo")
    assert slack.messages(ops)[0].reactions == {"memo": [ana]}


@given(st.lists(st.floats(-100, 100), max_size=20))
def test_time_stamps_rise_even_where_the_clock_goes_back(steps: list[float]) -> None:
    clock = SettableClock(datetime(2026, 11, 23, tzinfo=UTC))
    workspace = Workspace(clock)
    channel = workspace.channels[workspace.add_channel("ops")]
    stamps = []
    for step in steps:
        clock.advance(timedelta(seconds=step))
        stamps.append(workspace.next_ts(channel))
    assert stamps == sorted(set(stamps), key=float)
    assert len(stamps) == len(steps)


async def test_history_may_give_less_than_is_asked_for(slack: StandIn, client: AsyncWebClient) -> None:
    ana = slack.user("ana")
    ops = slack.channel("ops", [ana])
    for number in range(20):
        await slack.say(ana, ops, f"line {number}")
    slack.workspace.history_page = 15
    first = await client.conversations_history(channel=ops, limit=200)
    assert len(first["messages"]) == 15
    assert first["has_more"]
    oldest = first["messages"][-1]["ts"]
    assert len((await client.conversations_history(channel=ops, latest=oldest))["messages"]) == 5


async def test_a_message_is_pinned_once(slack: StandIn, client: AsyncWebClient) -> None:
    ana = slack.user("ana")
    ops = slack.channel("ops", [ana])
    ts = await slack.say(ana, ops, "x")
    await client.pins_add(channel=ops, timestamp=ts)
    assert slack.workspace.channels[ops].pins == [ts]
    with pytest.raises(SlackApiError, match="already_pinned"):
        await client.pins_add(channel=ops, timestamp=ts)
    with pytest.raises(SlackApiError, match="message_not_found"):
        await client.pins_add(channel=ops, timestamp="1700000000.000001")
    await client.pins_remove(channel=ops, timestamp=ts)
    assert slack.workspace.channels[ops].pins == []
    with pytest.raises(SlackApiError, match="no_pin"):
        await client.pins_remove(channel=ops, timestamp=ts)
