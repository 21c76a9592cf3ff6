"""Home tabs in the background: gathered, paced, patient where Slack asks for it, and not for ever."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise

from bot.slack.tabs import MOST_TRIES, Change, Drawn, Tabs, Whose

ANA, BO = ("T1", "UANA"), ("T1", "UBO")


@dataclass
class Drawing:
    """Writes down whose tab is drawn when; every change shows in Ana's and Bo's."""

    answer: Drawn = field(default_factory=lambda: Drawn(is_published=True))
    drawn: list[tuple[str, float]] = field(default_factory=list)

    async def whose(self, changes: frozenset[Change]) -> tuple[Whose, ...]:
        return (ANA, BO) if changes else ()

    async def everybody(self) -> tuple[Whose, ...]:
        return (BO,)

    async def draw(self, team: str, person: str, *, anyway: bool = False) -> Drawn:
        self.drawn.append((person, time.monotonic()))
        return self.answer

    @property
    def people(self) -> list[str]:
        return [person for person, _ in self.drawn]


@asynccontextmanager
async def running(drawing: Drawing, **timing: float) -> AsyncIterator[Tabs]:
    tabs = Tabs(**timing)
    tabs.drawn_by(drawing)
    task = asyncio.create_task(tabs.run())
    yield tabs
    task.cancel()
    await asyncio.wait([task])


async def test_everybody_is_looked_at_once_at_the_start() -> None:
    drawing = Drawing()
    async with running(drawing, pause=0.01, pace=0.01):
        await asyncio.sleep(0.1)
    assert drawing.people == ["UBO"]


async def test_nobody_s_tab_is_drawn_more_often_than_once_in_a_pause_and_the_last_change_is_drawn() -> None:
    drawing = Drawing()
    async with running(drawing, pause=0.1, pace=0.01) as tabs:
        for number in range(35):
            tabs.changed([(number, "action 1")])
            await asyncio.sleep(0.01)
        changed = time.monotonic()
        await asyncio.sleep(0.3)
    assert 2 <= drawing.people.count("UANA") <= 6
    moments = [at for person, at in drawing.drawn if person == "UANA"]
    assert all(later - earlier >= 0.1 for earlier, later in pairwise(moments))
    assert moments[-1] > changed - 0.02


async def test_two_people_s_tabs_are_drawn_at_slack_s_pace() -> None:
    drawing = Drawing()
    async with running(drawing, pause=0.01, pace=0.2) as tabs:
        tabs.changed([(1, "incident")])
        await asyncio.sleep(0.5)
    moments = [at for _, at in drawing.drawn]
    assert len(moments) == 2
    assert moments[1] - moments[0] >= 0.2


async def test_where_slack_wants_rest_nobody_s_tab_is_drawn_until_then() -> None:
    drawing = Drawing(Drawn(wait=0.2))
    async with running(drawing, pause=0.01, pace=0.01) as tabs:
        tabs.changed([(1, "incident")])
        await asyncio.sleep(0.1)
        assert len(drawing.drawn) == 1
        await tabs.draw_now()
        assert len(drawing.drawn) == 1
        drawing.answer = Drawn(is_published=True)
        await asyncio.sleep(0.4)
    assert sorted(drawing.people[1:]) == ["UANA", "UBO"]


async def test_what_can_never_be_drawn_is_given_up() -> None:
    drawing = Drawing(Drawn(wait=0.001))
    tabs = Tabs()
    tabs.drawn_by(drawing)
    tabs.stale(*ANA)
    for _ in range(3 * MOST_TRIES):
        await tabs.draw_now()
        await asyncio.sleep(0.002)
    assert len(drawing.drawn) == MOST_TRIES
    assert not tabs.is_behind
