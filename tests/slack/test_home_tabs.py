"""Home tabs in the background: gathered, paced, patient where Slack asks for it, and not for ever."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise

from bot.slack.refresh import MOST_TRIES, Change, HomeTabQueue, RefreshResult, TabOwner
from tests.support.deadlines import until

ANA, BO = ("T1", "UANA"), ("T1", "UBO")


@dataclass
class Drawing:
    """Writes down whose tab is drawn when; every change shows in Ana's and Bo's. Each drawing lasts until `go_on`."""

    answer: RefreshResult = field(default_factory=lambda: RefreshResult(is_sent=True))
    drawn: list[tuple[str, float]] = field(default_factory=list)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    under_way: int = 0
    looked_up: int = 0
    at_the_start: tuple[TabOwner, ...] = (BO,)

    def __post_init__(self) -> None:
        self.go_on.set()

    async def find_affected(self, changes: frozenset[Change]) -> tuple[TabOwner, ...]:
        self.looked_up += 1
        await self.go_on.wait()
        return (ANA, BO) if changes else ()

    async def list_viewers(self) -> tuple[TabOwner, ...]:
        return self.at_the_start

    async def refresh(self, team: str, person: str, *, force: bool = False) -> RefreshResult:
        began = time.monotonic()
        self.under_way += 1
        await self.go_on.wait()
        self.under_way -= 1
        self.drawn.append((person, began))
        return self.answer

    @property
    def people(self) -> list[str]:
        return [person for person, _ in self.drawn]


@asynccontextmanager
async def running(drawing: Drawing, **timing: float) -> AsyncIterator[HomeTabQueue]:
    tabs = HomeTabQueue(**timing)
    tabs.refresh_with(drawing)
    task = asyncio.create_task(tabs.run())
    yield tabs
    assert not task.done(), task.exception()
    task.cancel()
    await asyncio.wait([task])


async def test_everybody_is_looked_at_once_at_the_start() -> None:
    drawing = Drawing()
    async with running(drawing, pause=0.01, pace=0.01) as tabs:
        await until(lambda: drawing.drawn)
        tabs.mark_stale(*ANA)
        await until(lambda: "UANA" in drawing.people)
    assert drawing.people == ["UBO", "UANA"]


async def test_nobody_s_tab_is_drawn_more_often_than_once_in_a_pause_and_the_last_change_is_drawn() -> None:
    drawing = Drawing()
    async with running(drawing, pause=0.1, pace=0.01) as tabs:
        began = time.monotonic()
        for number in range(35):
            changed = time.monotonic()
            tabs.mark_changed([(number, "action 1")])
            await asyncio.sleep(0.01)
        await until(lambda: max((at for person, at in drawing.drawn if person == "UANA"), default=0) >= changed)
    moments = [at for person, at in drawing.drawn if person == "UANA"]
    assert len(moments) <= 2 + (moments[-1] - began) / 0.1
    assert all(later - earlier >= 0.1 for earlier, later in pairwise(moments))


async def test_two_people_s_tabs_are_drawn_at_slack_s_pace() -> None:
    drawing = Drawing()
    async with running(drawing, pause=0.01, pace=0.2) as tabs:
        tabs.mark_changed([(1, "incident")])
        await until(lambda: len(drawing.drawn) >= 2)
    first, second = (at for _, at in drawing.drawn)
    assert second - first >= 0.2


async def test_where_slack_wants_rest_nobody_s_tab_is_drawn_until_then() -> None:
    drawing = Drawing(RefreshResult(wait=0.5))
    async with running(drawing, pause=0.01, pace=0.01) as tabs:
        tabs.mark_changed([(1, "incident")])
        await until(lambda: drawing.drawn)
        drawing.answer = RefreshResult(is_sent=True)
        await tabs.refresh_now()
        await until(lambda: len(drawing.drawn) >= 3)
    assert sorted(drawing.people[1:]) == ["UANA", "UBO"]
    assert drawing.drawn[1][1] - drawing.drawn[0][1] >= 0.5


async def test_what_can_never_be_drawn_is_given_up() -> None:
    drawing = Drawing(RefreshResult(wait=0.001))
    tabs = HomeTabQueue()
    tabs.refresh_with(drawing)
    tabs.mark_stale(*ANA)
    for _ in range(3 * MOST_TRIES):
        await tabs.refresh_now()
        await asyncio.sleep(0.002)
    assert len(drawing.drawn) == MOST_TRIES
    assert not tabs.is_behind


async def test_whoever_opens_their_tab_while_they_wait_for_their_turn_ends_nobody_s_turn() -> None:
    drawing = Drawing(at_the_start=(ANA, BO))
    drawing.go_on.clear()
    async with running(drawing, pause=0.01, pace=0.01) as tabs:
        await until(lambda: drawing.under_way)  # Ana's; Bo is next
        looking = asyncio.create_task(tabs.show(*BO))
        await until(lambda: drawing.under_way == 2)
        drawing.go_on.set()
        await looking
        tabs.mark_changed([(1, "incident")])
        await until(lambda: len(drawing.drawn) >= 4)
    assert sorted(drawing.people) == ["UANA", "UANA", "UBO", "UBO"]


async def test_drawing_now_waits_for_what_is_being_found_out_and_drawn_already() -> None:
    drawing = Drawing(at_the_start=())
    async with running(drawing, pause=0.01, pace=0.01) as tabs:
        drawing.go_on.clear()
        tabs.mark_changed([(1, "incident")])
        await until(lambda: drawing.looked_up)
        now = asyncio.create_task(tabs.refresh_now())
        await asyncio.sleep(0.05)  # were it not to wait, it would be over
        assert not now.done()
        drawing.go_on.set()
        await now
        assert sorted(drawing.people) == ["UANA", "UBO"]
