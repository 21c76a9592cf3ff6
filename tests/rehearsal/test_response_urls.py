"""Response URLs, and files: what an app may still say and share after it has acknowledged."""

from datetime import timedelta

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.clock import SettableClock
from bot.rehearsal.server import StandIn
from tests.rehearsal.conftest import Scribe, actions, button, section


async def url_of_a_command(scribe: Scribe, user: str, channel: str) -> AsyncWebhookClient:
    await scribe.slack.command(user, channel, "/note")
    return AsyncWebhookClient(scribe.heard[-1]["response_url"], retry_handlers=[])


async def test_a_response_url_is_good_five_times(by_http: Scribe, slack: StandIn) -> None:
    ana = slack.user("ana")
    ops = slack.channel("ops", [ana], with_bot=False)
    hook = await url_of_a_command(by_http, ana, ops)
    answers = [await hook.send(text=f"{number}") for number in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [404]
    assert "used_url" in answers[5].body
    assert [message.plain for message in slack.messages(ops, user=ana)] == list("01234")


async def test_a_response_url_dies_after_half_an_hour(by_http: Scribe, slack: StandIn, clock: SettableClock) -> None:
    ana = slack.user("ana")
    hook = await url_of_a_command(by_http, ana, slack.channel("ops", [ana]))
    clock.advance(timedelta(minutes=30))
    assert (await hook.send(text="x")).status_code == 200
    clock.advance(timedelta(seconds=1))
    late = await hook.send(text="x")
    assert (late.status_code, "expired_url" in late.body) == (404, True)


async def test_a_response_url_refuses_bad_blocks_but_takes_long_ones(by_http: Scribe, slack: StandIn) -> None:
    ana = slack.user("ana")
    hook = await url_of_a_command(by_http, ana, slack.channel("ops", [ana]))
    bad = await hook.send(text="x", blocks=[section("x" * 3001)])
    assert (bad.status_code, "invalid_blocks" in bad.body) == (400, True)
    assert (await hook.send(text="x", blocks=[section("x" * 3000)] * 5)).status_code == 200


async def test_the_original_can_be_deleted(by_http: Scribe, slack: StandIn) -> None:
    ana = slack.user("ana")
    ops = slack.channel("ops", [ana])
    by_http.answer = {"text": "x", "blocks": [actions(button("Dismiss", "no"))]}
    await slack.command(ana, ops, "/note")
    by_http.response = {"delete_original": True}
    await slack.click(ana, slack.messages(ops, user=ana)[0], "no")
    assert slack.messages(ops, user=ana) == []


async def test_a_command_s_response_url_replaces_and_deletes_nothing(by_http: Scribe, slack: StandIn) -> None:
    """https://docs.slack.dev/messaging/modifying-messages: it takes "an interactive element in a message"."""
    ana = slack.user("ana")
    ops = slack.channel("ops", [ana])
    by_http.answer = {"text": "recorded", "blocks": [actions(button("Undo", "no"))]}
    hook = await url_of_a_command(by_http, ana, ops)
    assert (await hook.send(text="removed", replace_original=True)).status_code == 200
    assert [message.plain for message in slack.messages(ops, user=ana)] == ["Undo", "removed"]
    refused = await hook.send(delete_original=True)
    assert (refused.status_code, "no_text" in refused.body) == (400, True)
    assert len(slack.messages(ops, user=ana)) == 2


async def test_an_ephemeral_message_is_out_of_reach_of_the_web_api(by_http: Scribe, slack: StandIn) -> None:
    ana = slack.user("ana")
    ops = slack.channel("ops", [ana])
    by_http.answer = {"text": "recorded"}
    await slack.command(ana, ops, "/note")
    posted = await by_http.client.chat_postEphemeral(channel=ops, user=ana, text="y")
    for ts in (slack.messages(ops, user=ana)[0].ts, str(posted["message_ts"])):
        with pytest.raises(SlackApiError, match="message_not_found"):
            await by_http.client.chat_update(channel=ops, ts=ts, text="x")
        with pytest.raises(SlackApiError, match="message_not_found"):
            await by_http.client.chat_delete(channel=ops, ts=ts)


async def test_an_answer_to_a_button_in_a_thread_stays_in_the_thread(by_http: Scribe, slack: StandIn) -> None:
    ana = slack.user("ana")
    ops = slack.channel("ops", [ana])
    root = await slack.say(ana, ops, "root")
    blocks = [actions(button("Go", "go"))]
    posted = await by_http.client.chat_postMessage(channel=ops, text="x", blocks=blocks, thread_ts=root)
    by_http.response = {"text": "gone"}
    await slack.click(ana, str(posted["ts"]), "go")
    assert by_http.heard[-1]["message"]["ts"] == posted["ts"]
    assert [message.plain for message in slack.messages(ops, user=ana, thread_ts=root)] == ["root", "Go", "gone"]


async def test_a_file_goes_up_in_three_steps_and_its_shares_come_later(slack: StandIn, client: AsyncWebClient) -> None:
    ana = slack.user("ana")
    ops = slack.channel("ops", [ana])
    root = await slack.say(ana, ops, "root")
    answer = await client.files_upload_v2(
        channel=ops, thread_ts=root, file=b"# After\xc3\xa4", filename="a.md", title="Draft", initial_comment="Here."
    )
    assert answer["files"][0]["shares"] == {}
    (file,) = slack.files
    assert (file.name, file.title, file.bytes, file.channel, file.thread_ts, file.initial_comment) == (
        "a.md", "Draft", b"# After\xc3\xa4", ops, root, "Here.",
    )  # fmt: skip
    later = (await client.files_info(file=file.id))["file"]
    assert later["shares"]["public"][ops][0]["ts"] == file.ts
    assert slack.messages(ops, thread_ts=root)[-1].files == [file.id]


async def test_a_file_for_a_place_without_the_bot_is_not_shared(slack: StandIn, client: AsyncWebClient) -> None:
    ops = slack.channel("ops", with_bot=False)
    with pytest.raises(SlackApiError, match="not_in_channel"):
        await client.files_upload_v2(channel=ops, content="x", filename="a.md")
    with pytest.raises(SlackApiError, match="file_not_found"):
        await client.files_completeUploadExternal(files=[{"id": "F404", "title": "x"}], channel_id=ops)
    assert slack.files == []
