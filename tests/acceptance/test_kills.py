"""The real program, killed without a word fifty times: what was acknowledged is there, once."""

import asyncio
import json
import logging
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from bot.clock import SystemClock
from bot.rehearsal.delivery import AppAnswer
from bot.rehearsal.server import StandIn
from tests.support.acceptance.programs import Program, afterword, command_begun, environ_of, free_port
from tests.support.acceptance.weeks import RESOLVED, weeks
from tests.support.deadlines import LONG_SECONDS, until
from tests.support.interactions import is_receipt

log = logging.getLogger(__name__)

DAY = timedelta(hours=24)
LANES = 2
"""Lives that are led side by side, each on a database of its own: one start keeps one processor busy."""

KILLS = 50 // LANES
TYPISTS = 3
LONGEST_LIFE = 0.25
"""Seconds of typing before a kill: up to some fifty commands."""

LONGEST_PAUSE = 0.01


@dataclass(slots=True)
class Lane:
    """One database, led through many lives; the typists remember what they were told."""

    program: Program
    slack: StandIn
    typists: list[str]
    channel: str
    chance: random.Random
    acknowledged: set[str] = field(default_factory=set)
    doubtful: dict[str, AppAnswer] = field(default_factory=dict)
    """What was sent and never answered, by its text."""
    abandoned: set[str] = field(default_factory=set)
    """What of it is never sent again."""
    typed: int = 0

    async def lead(self) -> None:
        """Be killed while starting, then again and again while being typed to."""
        await self.program.begin()
        await asyncio.sleep(self.chance.uniform(0, 1.5))
        await self.program.kill()
        await self.program.start()
        opened = await self.slack.command(self.typists[0], self.channel, "/incident open the database moves")
        assert opened.ok
        for _ in range(KILLS):
            await self._live_and_die()
            await self.program.start()
        await self._send_half_again()

    async def _live_and_die(self) -> None:
        """Type from several keyboards at once, and die in the midst of it."""
        await self._send_half_again()
        typing = [asyncio.create_task(self._type(typist)) for typist in self.typists]
        await asyncio.sleep(self.chance.uniform(0, LONGEST_LIFE))
        await self.program.kill()
        await asyncio.gather(*typing)

    async def _type(self, typist: str) -> None:
        """One entry after the other, until one gets no answer."""
        while True:
            self.typed += 1
            text = f"step {self.typed} is done"
            await asyncio.sleep(self.chance.uniform(0, LONGEST_PAUSE))
            answer = await self.slack.command(typist, self.channel, f"/timeline {text}")
            if not answer.ok:
                self.doubtful[text] = answer
                return
            self._read_answer(text, answer)

    async def _send_half_again(self) -> None:
        """What got no answer is delivered once more; by chance it is given up instead, and never sent again."""
        waiting = [text for text in self.doubtful if text not in self.acknowledged | self.abandoned]
        for text in waiting:
            if self.chance.random() < 0.5:
                self.abandoned.add(text)
                continue
            again = await self.slack.deliver_again(self.doubtful[text])
            assert again.ok, again
            self._read_answer(text, again)

    def _read_answer(self, text: str, answer: AppAnswer) -> None:
        assert is_receipt(answer.text), answer.text
        assert text in answer.text
        self.acknowledged.add(text)


async def lead_lane(number: int, seed: int, folder: Path) -> tuple[Lane, Counter[str]]:
    """A lane from its first start to its last kill, and how often each text is in its record."""
    async with StandIn(SystemClock()) as slack:
        slack.patience = LONG_SECONDS
        typists = [slack.user(f"Typist {letter} Demo") for letter in "ABC"[:TYPISTS]]
        channel = slack.channel("moving", typists)
        environ = environ_of(slack, f"sqlite:///{folder / 'afterword.db'}", AFTERWORD_LOG_LEVEL="WARNING")
        program = Program(environ, free_port(), folder)
        slack.send_to(program.request_url)
        lane = Lane(program, slack, typists, channel, random.Random(seed + number))
        try:
            await lane.lead()
        finally:
            await program.kill()
        exported = json.loads(await afterword(environ, folder, "export", "INC-1", "--format", "json"))
        live = [message for message in slack.messages(channel) if message.user == slack.bot_user_id]
        assert len(live) <= 1, "the live message was posted twice"
    return lane, Counter(line["text"] for line in exported["timeline"])


@pytest.mark.timeout(1200)
async def test_fifty_kills_lose_nothing_acknowledged_and_double_nothing(tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    folders = [tmp_path / f"lane-{number}" for number in range(LANES)]
    for folder in folders:
        folder.mkdir()
    ended = await asyncio.gather(*(lead_lane(number, seed, folder) for number, folder in enumerate(folders)))
    for lane, found in ended:
        missing = [text for text in lane.acknowledged if found[text] != 1]
        assert not missing, (seed, missing)
        doubled = [text for text in lane.abandoned if found[text] > 1]
        assert not doubled, (seed, doubled)
        strangers = set(found) - lane.acknowledged - lane.abandoned - {"Incident opened: the database moves"}
        assert not strangers, (seed, strangers)
        assert len(lane.acknowledged) > KILLS
        assert lane.doubtful.keys() & lane.acknowledged
    acks, unanswered = (sum(len(getattr(lane, name)) for lane, _ in ended) for name in ("acknowledged", "doubtful"))
    rows = sum(sum(found[text] for text in lane.abandoned) for lane, found in ended)
    given_up = sum(len(lane.abandoned) for lane, _ in ended)
    log.info(
        "%d kills; %d entries acknowledged, %d left without an answer; of %d that were never sent again %d had reached "
        "the disk",
        *(LANES * KILLS, acks, unanswered, given_up, rows),
    )


@pytest.mark.parametrize("drop", ["before", ""], ids=["before Slack had it", "after Slack had it"])
async def test_killed_between_a_reminder_s_claim_and_its_send_it_is_sent_once(
    drop: str, sqlite_url: str, tmp_path: Path
) -> None:
    async with weeks(sqlite_url) as life:
        async with life.bot() as bot:
            await life.resolve(bot)
        life.clock.set(RESOLVED + DAY)
        over = asyncio.Event()
        life.slack.fail("chat.postMessage", times=2, drop=drop, until=over)
        ticking = await command_begun(life.environ, tmp_path, "tick", "--now", life.clock.now().isoformat())
        await until(lambda: ticking.returncode is not None or not life.slack.api.faults["chat.postMessage"])
        assert ticking.returncode is None  # both are on their way
        ticking.kill()
        await ticking.communicate()
        before = len(life.slack.calls)
        over.set()
        await until(lambda: len(life.slack.calls) == before + 2)
        was_sent = (0, 0) if drop else (1, 1)
        assert life.counts() == was_sent
        await life.tick(RESOLVED + DAY + timedelta(seconds=30), tmp_path)  # the dead one's lease stands
        assert life.counts() == was_sent
        for minutes in (2, 10):
            await life.tick(RESOLVED + DAY + timedelta(minutes=minutes), tmp_path)
            assert life.counts() == (1, 1)
