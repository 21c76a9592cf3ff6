"""Events: only where the app asked for them, and only where the bot is."""

import pytest

from bot.rehearsal.block_kit import CannotTypeError
from bot.rehearsal.server import StandIn
from tests.rehearsal.conftest import Scribe, actions, button, field_of


def kinds(app: Scribe) -> list[str]:
    return [body["event"]["type"] for body in app.heard]


async def test_messages_are_heard_only_where_subscribed(by_http: Scribe, slack: StandIn) -> None:
    ana = slack.user("ana")
    ops = slack.channel("ops", [ana])
    await slack.say(ana, ops, "quiet")
    assert by_http.heard == []
    slack.workspace.subscriptions.add("message.channels")
    ts = await slack.say(ana, ops, "loud")
    await slack.edit(ana, ops, ts, "louder")
    await slack.delete(ana, ops, ts)
    events = [body["event"] for body in by_http.heard]
    assert [event.get("subtype") for event in events] == [None, "message_changed", "message_deleted"]
    assert events[1]["message"]["text"] == "louder"
    assert events[1]["previous_message"]["text"] == "loud"
    assert [message.text for message in slack.messages(ops)] == ["quiet"]


async def test_a_direct_message_is_heard(by_http: Scribe, slack: StandIn) -> None:
    slack.workspace.subscriptions.add("message.im")
    ana = slack.user("ana")
    await slack.say(ana, slack.dm(ana), "done")
    assert by_http.heard[0]["event"]["channel_type"] == "im"


async def test_nothing_is_heard_of_places_without_the_bot(by_http: Scribe, slack: StandIn) -> None:
    ana = slack.user("ana")
    ops = slack.channel("ops", [ana], with_bot=False)
    ts = await slack.say(ana, ops, "@afterword hello")
    assert await slack.react(ana, ops, ts, "memo") is None
    assert by_http.heard == []
    await slack.invite_bot(ops, ana)
    assert kinds(by_http) == ["member_joined_channel"]
    await slack.react(ana, ops, ts, "eyes")
    assert kinds(by_http)[-1] == "reaction_added"


async def test_every_event_has_its_own_id_and_a_repeat_keeps_it(by_http: Scribe, slack: StandIn) -> None:
    ana = slack.user("ana")
    ops = slack.channel("ops", [ana])
    for _ in range(2):
        await slack.say(ana, ops, "@afterword x")
    await slack.deliver_again(slack.answers[0])
    ids = [body["event_id"] for body in by_http.heard]
    assert ids[0] == ids[2] != ids[1]


async def test_any_event_can_be_sent(by_http: Scribe, slack: StandIn) -> None:
    answer = await slack.event({"type": "app_home_opened", "user": "U404", "tab": "home", "channel": "D404"})
    assert (answer.ok, kinds(by_http)) == (True, ["app_home_opened"])


async def test_people_cannot_do_what_their_client_would_not_let_them(by_http: Scribe, slack: StandIn) -> None:
    ana, bo = slack.user("ana"), slack.user("bo")
    ops = slack.channel("ops", [ana, bo])
    ts = await slack.say(ana, ops, "x")
    await slack.react(ana, ops, ts, "memo")
    with pytest.raises(LookupError, match="already reacted"):
        await slack.react(ana, ops, ts, "memo")
    with pytest.raises(LookupError, match="bo wrote no message"):
        await slack.edit(bo, ops, ts, "y")
    by_http.answer = {"text": "x", "blocks": [actions(button("A", "pick", "1"), button("B", "other", "2"))]}
    await slack.command(ana, ops, "/note")
    mine = slack.messages(ops, user=ana)[-1]
    with pytest.raises(LookupError, match="bo sees no messages"):
        await slack.click(bo, mine, "pick")
    with pytest.raises(CannotTypeError, match="there is: other, pick"):
        await slack.click(ana, mine, "third")
    with pytest.raises(CannotTypeError, match="has the value '9'"):
        await slack.click(ana, mine, "pick", "9")


async def test_an_input_in_a_message_reports_what_is_entered(by_http: Scribe, slack: StandIn) -> None:
    ana = slack.user("ana")
    ops = slack.channel("ops", [ana])
    quiet = field_of("quiet", block_id="q")
    by_http.answer = {"text": "x", "blocks": [field_of("line", block_id="l", dispatch_action=True), quiet]}
    await slack.command(ana, ops, "/note")
    message = slack.messages(ops, user=ana)[-1]
    await slack.enter(ana, message, "line", "14:05 failed over")
    assert by_http.heard[-1]["actions"][0]["value"] == "14:05 failed over"
    assert by_http.heard[-1]["state"]["values"]["q"]["quiet"] == {"type": "plain_text_input", "value": None}
    with pytest.raises(CannotTypeError, match="dispatch_action"):
        await slack.enter(ana, message, "quiet", "x")


async def test_a_change_of_a_person_is_heard(by_http: Scribe, slack: StandIn) -> None:
    ana = slack.user("ana")
    await slack.change_person(ana, zone="Asia/Tokyo", guest=True)
    event = by_http.heard[0]["event"]
    assert (event["type"], event["user"]["tz"], event["user"]["is_restricted"]) == ("user_change", "Asia/Tokyo", True)


async def test_two_workspaces_live_side_by_side(slack: StandIn, by_http: Scribe) -> None:
    async with StandIn(slack.clock) as other:
        assert other.api_url != slack.api_url
        assert {other.bot_token, other.app_token, other.signing_secret}.isdisjoint(
            {slack.bot_token, slack.app_token, slack.signing_secret}
        )
        assert other.channel("ops") in other.workspace.channels
        assert slack.workspace.channels == {}
