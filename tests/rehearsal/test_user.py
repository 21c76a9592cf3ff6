"""The less common things that people do, and the marks that an app may leave."""

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.rehearsal.block_kit import CannotTypeError, enter_value
from bot.rehearsal.server import StandIn
from tests.rehearsal.conftest import Json, Scribe, actions, field_of, section

OPTIONS = [{"text": {"type": "plain_text", "text": words}, "value": words[0]} for words in ("drop", "keep")]


def element(kind: str, **more: Any) -> Json:
    return {"type": kind, "action_id": "a", **more}


async def show(scribe: Scribe, user: str, channel: str, *blocks: Json) -> str:
    scribe.answer = {"text": "x", "blocks": list(blocks)}
    answer = (await scribe.slack.command(user, channel, "/note")).ephemeral
    assert answer is not None
    return answer.ts


async def test_a_line_of_an_overflow_menu_is_chosen(by_http: Scribe, slack: StandIn) -> None:
    ana = slack.user("ana")
    ops = slack.channel("ops", [ana])
    ts = await show(by_http, ana, ops, section("x") | {"accessory": element("overflow", options=OPTIONS)})
    assert slack.messages(ops, user=ana)[0].buttons == [("drop", "a", "d"), ("keep", "a", "k")]
    await slack.click(ana, ts, "a", "keep")
    assert by_http.heard[-1]["actions"][0]["selected_option"] == OPTIONS[1]
    with pytest.raises(CannotTypeError, match="say which of"):
        await slack.click(ana, ts, "a")


async def test_a_choice_among_people_carries_their_id_and_other_inputs(by_http: Scribe, slack: StandIn) -> None:
    ana = slack.user("ana")
    ops = slack.channel("ops", [ana])
    ts = await show(by_http, ana, ops, actions(element("users_select")), field_of("why", block_id="w"))
    await slack.click(ana, ts, "a", ana, why="she saw it")
    body = by_http.heard[-1]
    assert body["actions"][0]["selected_user"] == ana
    assert body["state"]["values"]["w"]["why"]["value"] == "she saw it"


@pytest.mark.parametrize(
    ("field", "wanted", "state"),
    [
        (element("checkboxes", options=OPTIONS), ["d", "keep"], {"selected_options": OPTIONS}),
        (element("multi_users_select"), ["U1", "U2"], {"selected_users": ["U1", "U2"]}),
        (element("external_select"), OPTIONS[0], {"selected_option": OPTIONS[0]}),
        (element("radio_buttons", options=OPTIONS), None, {"selected_option": None}),
        (element("plain_text_input"), "", {"value": None}),
        (element("plain_text_input", multiline=True), "a\nb", {"value": "a\nb"}),
        (element("timepicker"), "14:05", {"selected_time": "14:05"}),
    ],
)
def test_each_input_holds_what_slack_would_send(field: Json, wanted: Any, state: Json) -> None:
    assert enter_value(field, wanted) == {"type": field["type"], **state}


@pytest.mark.parametrize(
    ("field", "wanted", "why"),
    [
        (element("button"), "x", "nothing can be put into it"),
        (element("plain_text_input"), "a\nb", "one line only"),
        (element("plain_text_input", min_length=3), "ab", "at least 3"),
        (element("plain_text_input"), "x" * 3001, "at most 3000"),
    ],
)
def test_an_input_takes_no_more_than_the_client_lets_in(field: Json, wanted: str, why: str) -> None:
    with pytest.raises(CannotTypeError, match=why):
        enter_value(field, wanted)


async def test_a_shortcut_from_anywhere_has_no_channel(by_http: Scribe, slack: StandIn) -> None:
    assert (await slack.global_shortcut(slack.user("ana"), "keep")).ok
    assert by_http.heard[0]["type"] == "shortcut"
    assert "channel" not in by_http.heard[0]


async def test_comings_and_goings_change_what_can_be_done(slack: StandIn, client: AsyncWebClient) -> None:
    slack.workspace.subscriptions.add("channel_archive")
    ana, bo = slack.user("ana"), slack.user("bo")
    ops = slack.channel("ops", [ana])
    await slack.arrive(bo, ops)
    await slack.say(bo, ops, "hi")
    await slack.rename(ana, ops, "ops-2")
    assert (await client.conversations_info(channel=ops))["channel"]["name"] == "ops-2"
    await slack.leave(slack.bot_user_id, ops)
    with pytest.raises(SlackApiError, match="not_in_channel"):
        await client.chat_postMessage(channel=ops, text="x")
    await slack.invite_bot(ops, ana)
    await slack.archive(bo, ops)
    with pytest.raises(SlackApiError, match="is_archived"):
        await client.chat_postMessage(channel=ops, text="x")
    with pytest.raises(LookupError, match="no open channel"):
        await slack.leave(bo, ops)
    kinds = [answer.delivery.payload["event"]["type"] for answer in slack.answers if answer.delivery]
    came, went = "member_joined_channel", "member_left_channel"
    assert kinds == [came, "channel_rename", went, came, "channel_archive"]


async def test_a_group_has_members_and_the_bot_a_name(slack: StandIn, client: AsyncWebClient) -> None:
    slack.workspace.tokens[slack.bot_token].scopes.add("usergroups:read")
    slack.workspace.usergroups["S1"] = [slack.user("ana")]
    assert (await client.usergroups_users_list(usergroup="S1"))["users"] == slack.workspace.usergroups["S1"]
    with pytest.raises(SlackApiError, match="no_such_subteam"):
        await client.usergroups_users_list(usergroup="S2")
    assert (await client.bots_info(bot="B0REHEARSE"))["bot"]["user_id"] == slack.bot_user_id
