"""While Slack is away, and after: nothing is lost, a channel keeps its order, and an answer does not wait."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.slack.pace import BURST, PER_MINUTE, PostBudget
from storage.database.store import Store
from tests.support.deadlines import LONG_SECONDS, until
from tests.support.slack.outbox_setup import Post, a_post

AWAY = "http://127.0.0.1:9/api/"
"""Nothing listens there."""


@pytest.fixture
async def post(store: Store) -> AsyncIterator[Post]:
    async with a_post(store) as opened:
        yield opened


async def catch_up(post: Post, seconds: float) -> None:
    """Tick until nothing waits."""
    for _ in range(100):
        await post.tick(seconds)
        if set(post.states()) == {"sent"}:
            break


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("seconds", [20, 200])
async def test_after_an_outage_each_channel_gets_its_messages_in_order(
    post: Post, seconds: int, *, restarts: bool
) -> None:
    channels = [post.slack.channel(f"channel-{number}") for number in range(3)]
    home, post.client.base_url = post.client.base_url, AWAY
    for number in range(8):
        for channel in channels:
            await post.owe(f"message {number}", channel)
        await post.tick(seconds / 8)
    assert await post.tick(1) == 0
    post.client.base_url = home
    if restarts:
        post.outbox = post.another_outbox()
    await catch_up(post, 1)
    assert {tuple(post.list_texts(channel)) for channel in channels} == {tuple(f"message {n}" for n in range(8))}
    assert set(post.states()) == {"sent"}


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("times", [2, 5])
async def test_after_slack_took_requests_and_never_answered_a_channel_keeps_its_order(
    post: Post, times: int, *, restarts: bool
) -> None:
    post.wait_at_most(0.2)
    post.slack.fail("chat.postMessage", until=asyncio.Event(), times=times)
    for number in range(4):
        await post.owe(f"message {number}")
    # As long as it takes: the waits after a doubt are half a minute and more.
    while post.slack.api.faults["chat.postMessage"]:
        await post.tick(5)
    post.wait_at_most(LONG_SECONDS)
    if restarts:
        post.outbox = post.another_outbox()
    await catch_up(post, 5)
    assert post.list_texts() == [f"message {number}" for number in range(4)]


async def test_two_processes_at_once_keep_the_order_of_every_channel(post: Post) -> None:
    channels = [post.slack.channel(f"channel-{number}") for number in range(4)]
    for number in range(6):
        for channel in channels:
            await post.owe(f"message {number}", channel)
    post.slack.fail("chat.postMessage", delay=0.01, times=1_000)
    outboxes = [post.outbox, post.another_outbox(), post.another_outbox()]
    while set(post.states()) != {"sent"}:
        await asyncio.gather(*(outbox.run_due(post.clock.now()) for outbox in outboxes))
    assert {tuple(post.list_texts(channel)) for channel in channels} == {tuple(f"message {n}" for n in range(6))}


async def test_a_night_in_which_looking_gets_no_answer_gives_nothing_up(post: Post) -> None:
    post.slack.fail("chat.postMessage", drop="after")
    await post.owe("once")
    assert await post.tick() == 0
    home, post.client.base_url = post.client.base_url, AWAY
    for _ in range(20):
        assert await post.tick(3600) == 0
    assert post.states() == ["unsure"]
    post.client.base_url = home
    assert await post.tick(1) == 1
    assert post.list_texts() == ["once"]


async def test_a_refused_token_is_left_alone_for_its_pause_however_often_the_outbox_is_woken(post: Post) -> None:
    post.slack.fail("chat.postMessage", "token_revoked", times=100)
    await post.owe("one")
    running = asyncio.create_task(post.outbox.run())
    await until(lambda: bool(post.outbox.trouble))
    for _ in range(50):
        post.outbox.notify()
        await asyncio.sleep(0.002)
    assert post.count("chat.postMessage") == 1
    post.slack.api.faults["chat.postMessage"].clear()
    post.outbox.resume()
    await until(lambda: post.list_texts() == ["one"])
    await post.outbox.close()
    await asyncio.wait_for(running, LONG_SECONDS)


async def test_while_nothing_answers_one_round_is_tried_and_then_a_pause_is_made(post: Post) -> None:
    post.slack.fail("chat.postMessage", drop="before", times=100)
    for number in range(3):
        await post.owe("hello", post.slack.channel(f"channel-{number}"))
    running = asyncio.create_task(post.outbox.run())
    await until(lambda: post.outbox._rest_until > 0)
    assert post.count("chat.postMessage") == 3
    for _ in range(50):
        post.outbox.notify()
        await asyncio.sleep(0.002)
    assert post.count("chat.postMessage") == 3
    await post.outbox.close()
    await asyncio.wait_for(running, LONG_SECONDS)


async def test_what_an_outage_left_goes_out_in_a_burst_and_leaves_room_for_an_answer(post: Post) -> None:
    channels = [post.slack.channel(f"channel-{number}") for number in range(BURST + 10)]
    for channel in channels:
        await post.owe("overdue", channel)
    post.clock.advance(timedelta(hours=1))
    running = asyncio.create_task(post.outbox.run())
    await until(lambda: post.count("chat.postMessage") >= BURST)
    answered = post.slack.channel("answered")
    await post.owe("an answer", answered)
    post.outbox.notify()
    await until(lambda: post.list_texts(answered) == ["an answer"])
    assert "pending" in post.states()
    await post.outbox.close()
    await asyncio.wait_for(running, LONG_SECONDS)


async def test_fresh_messages_are_claimed_before_overdue_ones(post: Post) -> None:
    for number in range(20):
        await post.owe("overdue", post.slack.channel(f"channel-{number}"))
    post.clock.advance(timedelta(minutes=10))
    await post.owe("an answer", post.slack.channel("answered"))
    await post.outbox._send_round(post.clock.now(), paced=True)
    sent = [call.args["text"] for call in post.slack.calls if call.method == "chat.postMessage"]
    assert sent.count("an answer") == 1


def spent(budget: PostBudget, at: float) -> int:
    """How many overdue messages go at one moment."""
    count = 0
    while budget.allows(at, 0, is_fresh=False):
        budget.spend(1)
        count += 1
    return count


def test_a_burst_and_then_fifty_a_minute_go_to_all_channels_together() -> None:
    budget = PostBudget()
    assert spent(budget, 0.0) == BURST
    gone = sum(spent(budget, float(second)) for second in range(1, 601))
    assert PER_MINUTE * 10 - 1 <= gone <= PER_MINUTE * 10
    assert spent(budget, 10_000.0) == BURST


def test_those_ahead_in_a_round_count_and_what_is_fresh_does_not_wait_but_counts() -> None:
    budget = PostBudget(burst=10)
    assert budget.allows(0.0, 9, is_fresh=False)
    assert not budget.allows(0.0, 10, is_fresh=False)
    assert budget.allows(0.0, 10, is_fresh=True)
    budget.spend(10)
    assert budget.allows(0.0, 0, is_fresh=True)
    assert not budget.allows(0.0, 0, is_fresh=False)
