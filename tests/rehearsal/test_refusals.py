"""The Web API says no where Slack says no, in Slack's words."""

from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.rehearsal.server import StandIn


async def refusal(client: AsyncWebClient, method: str, **args: Any) -> dict[str, Any]:
    with pytest.raises(SlackApiError) as refused:
        await client.api_call(method, json=args)
    found = refused.value.response.data
    assert isinstance(found, dict)
    return found


async def error(client: AsyncWebClient, method: str, **args: Any) -> str:
    return str((await refusal(client, method, **args))["error"])


async def test_tokens_are_checked_first(slack: StandIn, client: AsyncWebClient) -> None:
    def caller(token: str | None) -> AsyncWebClient:
        return AsyncWebClient(token, base_url=slack.api_url)

    assert await error(caller(None), "auth.test") == "not_authed"
    assert await error(caller("xoxb-" + "nobody"), "auth.test") == "invalid_auth"
    assert await error(caller(slack.app_token), "auth.test") == "not_allowed_token_type"
    assert await error(client, "apps.connections.open") == "not_allowed_token_type"
    slack.workspace.tokens[slack.bot_token].state = "token_revoked"
    assert await error(client, "auth.test") == "token_revoked"


async def test_auth_test_says_who_and_what_is_granted(slack: StandIn, client: AsyncWebClient) -> None:
    answer = await client.auth_test()
    assert (answer["user_id"], answer["team_id"]) == (slack.bot_user_id, "T0REHEARSE")
    assert "chat:write" in answer.headers["x-oauth-scopes"].split(",")


async def test_a_scope_that_is_not_granted_is_named(slack: StandIn, client: AsyncWebClient) -> None:
    slack.workspace.tokens[slack.bot_token].scopes -= {"groups:history"}
    secret = slack.channel("secret", private=True)
    error = await refusal(client, "conversations.history", channel=secret)
    assert (error["error"], error["needed"]) == ("missing_scope", "groups:history")
    assert "channels:history" in error["provided"].split(",")
    assert (await client.conversations_history(channel=slack.channel("open")))["ok"]


async def test_an_unknown_method_is_unknown(client: AsyncWebClient) -> None:
    assert await error(client, "chat.shout") == "unknown_method"


@pytest.mark.parametrize(
    ("place", "word"),
    [
        ({"with_bot": False}, "not_in_channel"),
        ({"with_bot": False, "private": True}, "channel_not_found"),
        ({"archived": True}, "is_archived"),
    ],
)
async def test_a_place_where_the_bot_cannot_write(
    slack: StandIn, client: AsyncWebClient, place: dict[str, bool], word: str
) -> None:
    ana = slack.user("ana")
    channel = slack.channel("ops", [ana], **place)
    assert await error(client, "chat.postMessage", channel=channel, text="x") == word
    assert await error(client, "chat.postEphemeral", channel=channel, text="x", user=ana) == word


async def test_people_who_are_not_there(slack: StandIn, client: AsyncWebClient) -> None:
    ops, ana, gone = slack.channel("ops"), slack.user("ana"), slack.user("gone", deleted=True)
    assert await error(client, "users.info", user="U404") == "user_not_found"
    assert await error(client, "chat.postEphemeral", channel=ops, text="x", user=ana) == "user_not_in_channel"
    assert await error(client, "conversations.open", users=gone) == "user_disabled"
    assert await error(client, "chat.postMessage", channel=slack.bot_user_id, text="x") == "cannot_dm_bot"
    assert await error(client, "chat.postMessage", channel="C404", text="x") == "channel_not_found"
    slack.workspace.tokens[slack.bot_token].scopes.add("users:read.email")
    assert await error(client, "users.lookupByEmail", email="no@x.example") == "users_not_found"


async def test_messages_that_slack_does_not_take(slack: StandIn, client: AsyncWebClient) -> None:
    ops = slack.channel("ops")
    assert await error(client, "chat.postMessage", channel=ops) == "no_text"
    assert await error(client, "chat.postMessage", channel=ops, blocks="[{") == "invalid_blocks_format"
    both = {"text": "x", "markdown_text": "y"}
    assert await error(client, "chat.postMessage", channel=ops, **both) == "markdown_text_conflict"
    big = {"event_type": "x", "event_payload": {"x": "y" * 8001}}
    assert await error(client, "chat.postMessage", channel=ops, text="x", metadata=big) == "metadata_too_large"
    bare = {"event_type": "x"}
    assert await error(client, "chat.postMessage", channel=ops, text="x", metadata=bare) == "invalid_metadata_format"
    assert slack.messages(ops) == []


async def test_a_long_post_is_cut_and_a_long_edit_refused(slack: StandIn, client: AsyncWebClient) -> None:
    ops = slack.channel("ops")
    answer = await client.chat_postMessage(channel=ops, text="x" * 40_001)
    assert answer["warning"] == "message_truncated"
    assert len(slack.messages(ops)[0].text) == 40_000
    assert await error(client, "chat.update", channel=ops, ts=answer["ts"], text="x" * 4001) == "msg_too_long"


async def test_only_ones_own_messages_are_changed(slack: StandIn, client: AsyncWebClient) -> None:
    ana = slack.user("ana")
    ops = slack.channel("ops", [ana])
    hers = await slack.say(ana, ops, "mine")
    private = await client.chat_postEphemeral(channel=ops, text="x", user=ana)
    about = {"channel": ops, "text": "y"}
    assert await error(client, "chat.update", ts=hers, **about) == "cant_update_message"
    assert await error(client, "chat.delete", ts=hers, **about) == "cant_delete_message"
    assert await error(client, "chat.update", ts=private["message_ts"], **about) == "message_not_found"
    assert await error(client, "chat.update", ts="1.2", **about) == "message_not_found"


@pytest.mark.parametrize("encoding", ["json", "form", "query"])
async def test_arguments_come_in_three_encodings(slack: StandIn, encoding: str) -> None:
    ops = slack.channel("ops")
    args = {"channel": ops, "blocks": '[{"type": "divider"}]', "text": "x"}
    headers = {"Authorization": f"Bearer {slack.bot_token}"}
    how: dict[str, Any] = {"json": {"json": args}, "form": {"data": args}, "query": {"params": args}}[encoding]
    url = slack.api_url + "chat.postMessage"
    async with aiohttp.ClientSession() as session, session.post(url, headers=headers, **how) as answer:
        assert (await answer.json())["ok"]
    assert slack.messages(ops)[0].blocks[0]["type"] == "divider"


async def test_a_body_that_is_no_json_is_refused(slack: StandIn) -> None:
    headers = {"Authorization": f"Bearer {slack.bot_token}", "Content-Type": "application/json"}
    url = slack.api_url + "chat.postMessage"
    async with aiohttp.ClientSession() as session, session.post(url, headers=headers, data=b"{no") as answer:
        assert (await answer.json())["error"] == "invalid_json"
