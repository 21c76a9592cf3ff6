"""Whatever happens between the bot and Slack, a message is said once, or twice at worst, and never forgotten."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from bot.slack.errors import retry_after
from storage import deliveries as deliveries_store
from storage.database.store import Store
from tests.support.deadlines import until
from tests.support.slack.outbox_setup import NOW, PATIENCE, Post, a_post


@pytest.fixture
async def post(sqlite_store: Store) -> AsyncIterator[Post]:
    async with a_post(sqlite_store) as opened:
        yield opened


async def test_a_post_whose_answer_was_lost_is_found_and_not_repeated(post: Post) -> None:
    post.slack.fail("chat.postMessage", drop="after")
    await post.owe("once", post.ana)
    assert await post.tick() == 0
    (row,) = post.rows()
    assert (row.state, row.due_at) == ("unsure", NOW + timedelta(seconds=30))
    assert await post.tick(29) == 0
    assert post.count("conversations.history") == 0
    assert await post.tick(1) == 1
    dm = post.slack.dm(post.ana)
    assert post.list_texts(dm) == ["once"]
    (row,) = post.rows()
    assert (row.state, row.sent_channel, row.sent_ts) == ("sent", dm, post.slack.messages(dm)[0].ts)
    assert post.sent_messages == [("once", dm, row.sent_ts)]


async def test_a_lost_answer_in_a_thread_is_found_in_the_thread(post: Post) -> None:
    root = await post.slack.say(post.ana, post.channel, "what now?")
    post.slack.fail("chat.postMessage", drop="after")
    await post.owe(json.dumps({"text": "this", "thread_ts": root}))
    await post.tick()
    assert await post.tick(30) == 1
    assert post.list_texts() == ["what now?", "this"]


async def test_a_message_is_found_behind_two_hundred_others(post: Post) -> None:
    post.slack.fail("chat.postMessage", drop="after")
    await post.owe("once")
    await post.tick()
    for number in range(250):
        await post.slack.say(post.ana, post.channel, f"chatter {number}")
    assert await post.tick(30) == 1
    assert post.list_texts().count("once") == 1
    assert post.count("conversations.history") == 2


FAULTS: list[dict[str, Any]] = [
    {"drop": "before"},
    {"status": 500, "html": True},
    {"status": 503, "html": True},
    {"html": True},
    {"error": "internal_error"},
    {"error": "fatal_error"},
    {"error": "request_timeout"},
    {"error": "service_unavailable"},
]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
async def test_a_post_that_slack_may_have_taken_is_looked_for_and_then_sent(post: Post, fault: dict[str, Any]) -> None:
    post.slack.fail("chat.postMessage", **fault)
    await post.owe("once")
    assert await post.tick() == 0
    assert post.states() == ["unsure"]
    assert await post.tick(30) == 1
    assert post.list_texts() == ["once"]
    assert post.count("conversations.history") == 1


async def test_no_answer_in_time_is_a_doubt(post: Post) -> None:
    post.slack.fail("chat.postMessage", until=asyncio.Event())
    await post.owe("once")
    post.wait_at_most(0.5)
    assert await post.tick() == 0
    assert post.states() == ["unsure"]
    post.wait_at_most(PATIENCE)
    await post.tick(30)
    assert post.list_texts() == ["once"]


@pytest.mark.parametrize("error", ["missing_scope", "channel_not_found"])
async def test_where_nobody_may_look_it_is_said_again(post: Post, error: str) -> None:
    post.slack.fail("chat.postMessage", drop="after")
    post.slack.fail("conversations.history", error)
    await post.owe("perhaps twice")
    await post.tick()
    assert await post.tick(30) == 1
    assert post.list_texts() == ["perhaps twice"] * 2
    assert await post.tick(3600) == 0


@pytest.mark.parametrize(
    "fault", [{"error": "ratelimited", "retry_after": 60}, {"status": 500}, {"drop": "before", "times": 2}]
)
async def test_where_looking_fails_for_now_nothing_is_said_blindly(post: Post, fault: dict[str, Any]) -> None:
    post.slack.fail("chat.postMessage", drop="after")
    post.slack.fail("conversations.history", **fault)
    await post.owe("once")
    await post.tick()
    assert await post.tick(30) == 0
    assert post.states() == ["unsure"]
    assert await post.tick(120) == 1
    assert post.list_texts() == ["once"]


async def test_a_process_killed_after_its_claim_loses_nothing(post: Post) -> None:
    await post.owe("once")

    def claimed_by_another(tx: Any) -> None:
        (delivery,) = deliveries_store.due(tx, NOW, 10)
        deliveries_store.claim(tx, delivery, "a process that is no more", NOW + timedelta(seconds=60), NOW)

    await post.store.write(claimed_by_another)
    assert await post.tick(59) == 0
    assert await post.tick(1) == 1
    assert post.list_texts() == ["once"]
    assert post.count("conversations.history") == 1


async def test_a_process_that_lost_its_lease_settles_nothing_and_its_message_is_found(post: Post) -> None:
    go_on = asyncio.Event()
    post.slack.fail("chat.postMessage", until=go_on)
    await post.owe("once")
    sending = asyncio.create_task(post.tick())
    await until(lambda: not post.slack.api.faults["chat.postMessage"])
    (delivery,) = post.rows()
    lease = NOW + timedelta(seconds=60)
    await post.store.write(lambda tx: deliveries_store.claim(tx, delivery, "a process that is no more", lease, NOW))
    go_on.set()
    await sending
    assert (post.sent_messages, post.states()) == ([], ["sending"])
    assert await post.tick(60) == 1
    assert (post.list_texts(), post.states(), len(post.sent_messages)) == (["once"], ["sent"], 1)


async def test_two_processes_on_one_database_send_each_message_once(store: Store) -> None:
    async with a_post(store) as post:
        other = post.another_outbox()
        for number in range(20):
            await post.owe(f"message {number}", post.slack.channel(f"channel-{number}"))
        assert sum(await asyncio.gather(post.outbox.run_due(NOW), other.run_due(NOW))) == 20
        assert post.count("chat.postMessage") == 20


async def test_a_rate_limit_is_waited_for_as_long_as_slack_says(post: Post) -> None:
    post.slack.fail("chat.postMessage", "ratelimited", retry_after=17)
    await post.owe("patience")
    await post.tick()
    (row,) = post.rows()
    assert (row.state, row.due_at) == ("pending", NOW + timedelta(seconds=17))
    assert await post.tick(17) == 1
    assert post.count("conversations.history") == 0


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("17", 17), ("0", 30), ("-1", 30), ("x", 30), ("", 30), ("nan", 30), ("inf", 30), ("86400", 3600), ("1.5", 1.5)],
)
def test_a_senseless_wait_is_half_a_minute_and_the_longest_an_hour(header: str, seconds: float) -> None:
    assert retry_after({"Retry-After": header}) == seconds


async def test_a_night_without_a_network_loses_nothing(post: Post) -> None:
    home, post.client.base_url = post.client.base_url, "http://127.0.0.1:9/api/"
    await post.owe("good morning")
    for _ in range(20):
        assert await post.tick(3600) == 0
    (row,) = post.rows()
    assert (row.state, row.attempts) == ("pending", 20)
    post.client.base_url = home
    post.slack.fail("chat.postMessage", status=500)
    assert await post.tick(3600) == 0
    assert await post.tick(3600) == 1
    assert post.list_texts() == ["good morning"]


async def test_a_message_that_stays_in_doubt_is_given_up_in_the_end(post: Post) -> None:
    post.slack.fail("chat.postMessage", status=500, times=100)
    await post.owe("never")
    for _ in range(20):
        await post.tick(3600)
    (row,) = post.rows()
    assert (row.state, row.attempts, row.error) == ("dead", 10, "internal_error")


async def test_a_refused_token_stops_the_round_and_heals(post: Post) -> None:
    post.slack.fail("chat.postMessage", "invalid_auth", times=3)
    other = post.slack.channel("other")
    await post.owe("one")
    await post.owe("two")
    await post.owe("elsewhere", other)
    assert await post.tick() == 0
    assert post.count("chat.postMessage") == 2
    assert post.states() == ["pending"] * 3
    assert "token" in await post.outbox.probe()
    assert await post.tick() == 1
    assert await post.tick() == 2
    assert (post.list_texts(), post.list_texts(other)) == (["one", "two"], ["elsewhere"])
    assert await post.outbox.probe() == ""


async def test_a_file_in_doubt_is_shared_once_more_and_no_more(post: Post) -> None:
    post.slack.fail("files.completeUploadExternal", status=500, times=5)
    await post.owe(json.dumps({"text": "The draft.", "file": "INC-7.md"}))
    for _ in range(5):
        await post.tick(3600)
    assert post.count("files.completeUploadExternal") == 2
    assert post.states() == ["dead"]


async def test_a_conversation_that_could_not_be_opened_has_got_no_file(post: Post) -> None:
    post.slack.fail("conversations.open", status=500, times=4)
    await post.owe(json.dumps({"text": "The draft.", "file": "INC-7.md"}), post.ana)
    for _ in range(5):
        await post.tick(60)
    assert len(post.slack.files) == 1
    assert post.states() == ["sent"]


async def test_an_upload_that_breaks_off_before_the_file_is_shared_is_simply_repeated(post: Post) -> None:
    post.slack.fail("upload", status=500, times=3)
    await post.owe(json.dumps({"text": "The draft.", "file": "INC-7.md"}))
    for _ in range(5):
        await post.tick(60)
    assert len(post.slack.files) == 1
    assert post.states() == ["sent"]


async def test_a_new_wording_in_doubt_is_said_again(post: Post) -> None:
    await post.owe("open")
    await post.tick()
    post.slack.fail("chat.update", drop="after")
    await post.owe(json.dumps({"text": "resolved", "update_ts": post.sent_messages[0][2]}))
    assert await post.tick(100) == 0
    assert await post.tick(30) == 1
    assert (post.list_texts(), post.count("chat.update")) == (["resolved"], 2)


async def test_a_message_that_slack_chokes_on_does_not_silence_a_channel(post: Post) -> None:
    await post.owe(json.dumps({"unsayable": True}))
    await post.owe("whole")
    assert await post.tick() == 0
    for _ in range(30):
        await post.tick(10)
    assert post.states() == ["unsure", "sent"]


async def test_a_database_that_does_not_take_the_outcome_makes_no_second_message(post: Post) -> None:
    await post.owe("untold")
    for _ in range(3):
        await post.tick(60)
    assert (post.list_texts(), post.states()) == (["untold"], ["sending"])


async def test_a_lease_begins_with_the_claim_and_not_with_the_wait_for_a_turn(post: Post) -> None:
    go_on = asyncio.Event()
    post.slack.fail("chat.postMessage", until=go_on)
    await post.owe("once")
    async with post.outbox._working:  # as another round, whose calls may take 40 s
        sending = asyncio.create_task(post.tick())
        await asyncio.sleep(0)
        post.clock.advance(timedelta(seconds=50))
    await until(lambda: not post.slack.api.faults["chat.postMessage"])
    assert [row.due_at for row in post.rows()] == [NOW + timedelta(seconds=50 + 60)]
    go_on.set()
    assert await sending == 1
