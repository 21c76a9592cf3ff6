"""What works the same over signed HTTP and over a socket."""

from bot.rehearsal.server import StandIn
from tests.rehearsal.conftest import Scribe, actions, button, field_of, modal, section


async def test_a_command_is_answered_with_what_only_the_person_sees(app: Scribe, slack: StandIn) -> None:
    ana, bo = slack.user("ana"), slack.user("bo")
    ops = slack.channel("ops", [ana, bo])
    app.answer = "Recorded."
    answer = await slack.command(ana, ops, "/note 14:05 failed over")
    assert answer.text == "Recorded."
    assert answer.ephemeral is not None
    assert [message.plain for message in slack.messages(ops, user=ana)] == ["Recorded."]
    assert slack.messages(ops, user=bo) == slack.messages(ops) == []


async def test_a_command_carries_names_links_and_signs_as_slack_escapes_them(app: Scribe, slack: StandIn) -> None:
    ana, bo = slack.user("ana"), slack.user("bo b")
    ops = slack.channel("ops", [ana, bo])
    await slack.command(ana, ops, "/note @bo b said a<b & c in #ops, see https://x.example/a?b=1&c=2. @here")
    text = app.heard[0]["text"]
    assert text == (f"<@{bo}|bo b> said a&lt;b &amp; c in <#{ops}|ops>, see <https://x.example/a?b=1&amp;c=2>. <!here>")


async def test_an_answer_in_the_channel_is_seen_by_all(app: Scribe, slack: StandIn) -> None:
    ana, bo = slack.user("ana"), slack.user("bo")
    ops = slack.channel("ops", [ana, bo])
    app.answer = {"text": "open", "blocks": [section("*open*")], "response_type": "in_channel"}
    answer = await slack.command(ana, ops, "/note")
    assert answer.ephemeral is None
    assert answer.text == "*open*"
    assert [message.plain for message in slack.messages(ops, user=bo)] == ["*open*"]


async def test_a_button_is_pressed_and_the_message_replaced(app: Scribe, slack: StandIn) -> None:
    ana = slack.user("ana")
    ops = slack.channel("ops", [ana])
    app.answer = {"text": "saved", "blocks": [section("saved"), actions(button("Undo", "undo", "4"))]}
    message = (await slack.command(ana, ops, "/note x")).ephemeral
    assert message is not None
    assert message.buttons == [("Undo", "undo", "4")]
    app.response = {"text": "taken back", "replace_original": True}
    answer = await slack.click(ana, message, "undo")
    assert answer.text == "taken back"
    assert app.heard[-1]["actions"][0]["value"] == "4"
    assert app.heard[-1]["container"] == {
        "type": "message", "message_ts": message.ts, "channel_id": ops, "is_ephemeral": True,
    }  # fmt: skip
    assert [message.plain for message in slack.messages(ops, user=ana)] == ["taken back"]


async def test_a_modal_is_opened_filled_in_and_closed_by_an_empty_answer(app: Scribe, slack: StandIn) -> None:
    ana = slack.user("ana")
    ops = slack.channel("ops", [ana])
    app.modal = modal(field_of("what"), field_of("who", element={"initial_value": "me"}), private_metadata="7")
    await slack.command(ana, ops, "/note")
    (view,) = slack.views(ana)
    assert (view.title, view.private_metadata) == ("A form", "7")
    await slack.submit(ana, view, {"what": "it broke"})
    values = [found for block in app.heard[-1]["view"]["state"]["values"].values() for found in block.items()]
    assert [(name, state["value"]) for name, state in values] == [("what", "it broke"), ("who", "me")]
    assert slack.views(ana) == []


async def test_the_complaints_of_a_modal_keep_it_open(app: Scribe, slack: StandIn) -> None:
    ana = slack.user("ana")
    ops = slack.channel("ops", [ana])
    app.modal = modal(field_of("what", block_id="w"))
    await slack.command(ana, ops, "/note")
    app.response = {"response_action": "errors", "errors": {"w": "Say more."}}
    answer = await slack.submit(ana, slack.views(ana)[-1], {"what": "x"})
    assert answer.errors == {"w": "Say more."}
    assert len(slack.views(ana)) == 1


async def test_events_shortcuts_and_mentions_arrive(app: Scribe, slack: StandIn) -> None:
    ana = slack.user("ana")
    ops = slack.channel("ops", [ana])
    ts = await slack.say(ana, ops, "@afterword what now?")
    await slack.react(ana, ops, ts, "memo")
    await slack.open_home(ana)
    await slack.shortcut(ana, ops, ts, "keep")
    assert [body.get("event", body)["type"] for body in app.heard] == [
        "app_mention", "reaction_added", "app_home_opened", "message_action",
    ]  # fmt: skip
    assert app.heard[0]["event"]["text"] == f"<@{slack.bot_user_id}> what now?"


async def test_the_same_delivery_can_come_again(app: Scribe, slack: StandIn) -> None:
    ana = slack.user("ana")
    ops = slack.channel("ops", [ana])
    first = await slack.command(ana, ops, "/note x")
    await slack.deliver_again(first)
    assert app.heard[0] == app.heard[1]


async def test_an_answer_that_slack_would_not_show_is_an_error(app: Scribe, slack: StandIn) -> None:
    ana = slack.user("ana")
    ops = slack.channel("ops", [ana])
    app.answer = {"text": "x", "blocks": [section("y" * 3001)]}
    answer = await slack.command(ana, ops, "/note")
    assert answer.error == "invalid_command_response"
    assert slack.messages(ops, user=ana) == []
