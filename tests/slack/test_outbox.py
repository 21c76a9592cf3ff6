"""What is owed is sent once, in order, and to someone else where it cannot be delivered."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.slack.outbox import MOST_COMPOSED
from bot.slack.pace import CHANNEL_SECONDS
from bot.slack.sender import EVENT_TYPE, OutgoingMessage
from storage.database.store import Store
from tests.support.deadlines import LONG_SECONDS, until
from tests.support.slack.outbox_setup import NOW, Post, a_post
from tests.support.timeouts import change_patience


@pytest.fixture
async def post(sqlite_store: Store) -> AsyncIterator[Post]:
    async with a_post(sqlite_store) as opened:
        yield opened


async def test_what_is_owed_is_sent_once_with_its_key_and_without_previews(post: Post) -> None:
    await post.owe("disk full, see <https://example.org>")
    assert await post.tick() == 1
    assert await post.tick(3600) == 0
    assert post.list_texts() == ["disk full, see <https://example.org>"]
    (row,) = post.rows()
    (message,) = post.slack.messages(post.channel)
    assert message.metadata == {"event_type": EVENT_TYPE, "event_payload": {"key": row.send_key}}
    assert (row.state, row.sent_channel, row.sent_ts, row.attempts) == ("sent", post.channel, message.ts, 1)
    (call,) = [call for call in post.slack.calls if call.method == "chat.postMessage"]
    assert (call.args["unfurl_links"], call.args["unfurl_media"]) == (False, False)


async def test_whoever_owes_learns_where_the_message_went(post: Post) -> None:
    await post.owe("hello", post.ana)
    await post.tick()
    dm = post.slack.dm(post.ana)
    (message,) = post.slack.messages(dm)
    assert post.sent_messages == [("hello", dm, message.ts)]


async def test_what_is_due_later_is_sent_later(post: Post) -> None:
    await post.owe("at five past")
    assert await post.outbox.run_due(NOW - timedelta(seconds=1)) == 0
    assert await post.outbox.run_due(NOW) == 1


async def test_a_message_whose_reason_is_gone_is_cancelled_and_the_next_one_goes(post: Post) -> None:
    await post.owe("postmortem is open")
    await post.owe("something else")
    post.gone.add("postmortem is open")
    assert await post.tick() == 1
    assert post.states() == ["cancelled", "sent"]
    assert post.list_texts() == ["something else"]


async def test_a_channel_gets_its_messages_in_order(post: Post) -> None:
    other = post.slack.channel("other")
    for number in range(12):
        await post.owe(f"ops {number}")
        await post.owe(f"other {number}", other)
    assert await post.tick() == 24
    assert post.list_texts() == [f"ops {number}" for number in range(12)]
    assert post.list_texts(other) == [f"other {number}" for number in range(12)]


async def test_a_later_message_does_not_overtake_one_that_waits(post: Post) -> None:
    post.slack.fail("chat.postMessage", "ratelimited", retry_after=40)
    other = post.slack.channel("other")
    await post.owe("first")
    assert await post.tick() == 0
    await post.owe("second")
    await post.owe("elsewhere", other)
    assert await post.tick(20) == 1
    assert (post.list_texts(), post.list_texts(other)) == ([], ["elsewhere"])
    assert await post.tick(20) == 2
    assert post.list_texts() == ["first", "second"]


async def test_an_answer_in_a_thread_goes_into_the_thread(post: Post) -> None:
    root = await post.slack.say(post.ana, post.channel, "what now?")
    await post.owe(json.dumps({"text": "this", "thread_ts": root}))
    await post.tick()
    (answer,) = [message for message in post.slack.messages(post.channel) if message.text == "this"]
    assert answer.thread_ts == root


async def test_a_new_wording_replaces_the_old(post: Post) -> None:
    await post.owe("open")
    await post.tick()
    ((_, _, ts),) = post.sent_messages
    await post.owe(json.dumps({"text": "resolved", "update_ts": ts}))
    await post.tick()
    assert post.list_texts() == ["resolved"]
    assert post.sent_messages[1][2] == ts


async def test_a_card_that_somebody_deleted_is_posted_anew(post: Post) -> None:
    await post.owe(json.dumps({"text": "resolved", "update_ts": "1700000000.000100"}))
    assert await post.tick() == 1
    (message,) = post.slack.messages(post.channel)
    assert (message.text, post.sent_messages[0][2]) == ("resolved", message.ts)


async def test_what_is_to_be_said_beside_a_file_stands_below_its_comment(post: Post) -> None:
    await post.owe(json.dumps({"text": "The draft.", "file": "INC-7.html", "note": "No PDF."}), post.ana)
    assert await post.tick() == 1
    (file,) = post.slack.files
    assert (file.name, file.initial_comment) == ("INC-7.html", "The draft.\nNo PDF.")


async def test_a_file_is_shared_with_its_comment(post: Post) -> None:
    await post.owe(json.dumps({"text": "The draft.", "file": "INC-7.md"}), post.ana)
    assert await post.tick() == 1
    (file,) = post.slack.files
    assert (file.name, file.title, file.bytes, file.initial_comment) == ("INC-7.md", "A title", b"bytes", "The draft.")
    assert file.channel == post.slack.dm(post.ana)
    assert post.states() == ["sent"]


@pytest.mark.parametrize("error", ["is_archived", "restricted_action", "user_disabled", "cannot_dm_bot"])
async def test_what_is_refused_for_good_goes_to_somebody_else_once(post: Post, error: str) -> None:
    bob = post.slack.user("bob")
    post.slack.fail("chat.postMessage", error)
    await post.owe("mind the postmortem", bob, fallback=post.ana)
    assert await post.tick() == 1
    assert post.list_texts(post.slack.dm(post.ana)) == ["mind the postmortem"]
    (row,) = post.rows()
    assert (row.state, row.recipient, row.fallback) == ("sent", post.ana, "")


async def test_what_nobody_can_be_told_is_given_up_with_the_reason(post: Post) -> None:
    archived = post.slack.channel("old", archived=True)
    deactivated = post.slack.user("carl", deleted=True)
    await post.owe("hello", archived, fallback=deactivated)
    assert await post.tick() == 0
    assert await post.tick(7200) == 0
    (row,) = post.rows()
    assert (row.state, row.error, row.attempts) == ("dead", "user_disabled", 2)
    assert post.count("chat.postMessage") == 2


async def test_blocks_that_slack_refuses_are_said_in_words(post: Post) -> None:
    await post.owe(json.dumps({"text": "in words", "blocks": [{"type": "no such block"}]}))
    assert await post.tick() == 1
    (message,) = post.slack.messages(post.channel)
    assert (message.text, message.blocks, post.states()) == ("in words", [], ["sent"])


async def test_a_wording_too_long_for_an_edit_is_shortened(post: Post) -> None:
    await post.owe("short")
    await post.tick()
    await post.owe(json.dumps({"text": "x" * 4500, "update_ts": post.sent_messages[0][2]}))
    assert await post.tick() == 1
    (message,) = post.slack.messages(post.channel)
    assert message.text == "x" * 3900 + "…"


async def test_a_message_that_cannot_be_composed_holds_nothing_up_and_is_tried_again(post: Post) -> None:
    await post.owe("{broken")
    await post.owe("whole")
    assert await post.tick() == 1
    first, second = post.rows()
    assert (first.state, first.due_at, second.state) == ("pending", NOW + timedelta(seconds=2), "sent")


async def test_a_message_that_can_never_be_composed_is_given_up_with_one_trace(
    post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    await post.owe("{broken")
    for hours in range(40):
        await post.tick(3600 * hours)
    (row,) = post.rows()
    assert (row.state, row.error, row.attempts) == ("dead", "JSONDecodeError", MOST_COMPOSED)
    lines = [one for one in caplog.records if "can't be made" in one.getMessage()]
    assert (len(lines), len([one for one in lines if one.exc_info])) == (MOST_COMPOSED, 1)


def test_a_stored_message_without_blocks_shows_its_text() -> None:
    message = OutgoingMessage.of({"text": "disk full"})
    assert message.blocks == [{"type": "section", "text": {"type": "mrkdwn", "text": "disk full"}}]


async def test_an_error_that_nobody_foresaw_leaves_the_message_to_be_looked_up(post: Post) -> None:
    await post.owe(json.dumps({"unsayable": True}))
    await post.owe("whole", post.slack.channel("other"))
    assert await post.tick() == 1
    first, second = post.rows()
    assert (first.state, first.error, second.state) == ("unsure", "TypeError", "sent")


async def test_the_loop_sends_at_a_kick_and_closes_in_peace(post: Post) -> None:
    with change_patience(queue_idle=2 * LONG_SECONDS):  # it looks at nothing unless it is kicked
        running = asyncio.create_task(post.outbox.run())
        await until(lambda: post.outbox._round is not None and post.outbox._round.done())
        await post.owe("now")
        post.outbox.notify()
        await until(lambda: post.list_texts() == ["now"])
        await post.outbox.close()
        await asyncio.wait_for(running, LONG_SECONDS)
    await post.owe("too late")
    assert await post.tick() == 0


async def test_a_burst_goes_out_at_the_pace_that_slack_takes(post: Post) -> None:
    other = post.slack.channel("other")
    for text in ("one", "two"):
        await post.owe(text)
    await post.owe("alone", other)
    began = time.monotonic()
    running = asyncio.create_task(post.outbox.run())
    await until(lambda: post.list_texts() == ["one", "two"])
    assert time.monotonic() - began >= CHANNEL_SECONDS
    sent = [call.args["text"] for call in post.slack.calls if call.method == "chat.postMessage"]
    assert (sorted(sent[:2]), sent[2:]) == (["alone", "one"], ["two"])
    await post.outbox.close()
    await asyncio.wait_for(running, LONG_SECONDS)


async def test_cancelling_the_loop_does_not_break_an_attempt_off(post: Post) -> None:
    go_on = asyncio.Event()
    post.slack.fail("chat.postMessage", until=go_on)
    await post.owe("under way")
    running = asyncio.create_task(post.outbox.run())
    await until(lambda: not post.slack.api.faults["chat.postMessage"])
    running.cancel()
    await asyncio.wait([running])
    go_on.set()
    await post.outbox.close()
    assert (post.list_texts(), post.states()) == (["under way"], ["sent"])


async def test_what_is_said_is_decided_at_the_time_of_sending(post: Post) -> None:
    post.slack.fail("chat.postMessage", "ratelimited", retry_after=5)
    await post.owe("x")
    await post.tick()
    await post.tick(5)
    assert post.composed == [("x", NOW), ("x", NOW + timedelta(seconds=5))]
