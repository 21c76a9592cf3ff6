"""Errands to other systems: what storage says is out of step is brought into step, whatever happens meanwhile.

Nothing here is ever waited for by somebody who records. A call that fails for now is made again, later and later; one
that was refused stays until the thing changes or somebody tries again, and people are told once, with the remedy.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from datetime import datetime

from bot.scribe.followers import Follower
from bot.scribe.lanes import Around, Lane

CLOSE_SECONDS = 10.0


class Errands:
    """Runs errands for systems by name, each in a lane of its own. What nobody follows here is left as it is."""

    def __init__(self, followers: Mapping[str, Follower], around: Around) -> None:
        self._lanes = {name: Lane(name, follower, around) for name, follower in followers.items()}

    @property
    def followers(self) -> Mapping[str, Follower]:
        """Who follows what, by system."""
        return {name: lane.follower for name, lane in self._lanes.items()}

    def kick(self) -> None:
        """Say that something new is owed; from the loop's thread."""
        for lane in self._lanes.values():
            lane.kick()

    async def run(self) -> None:
        """Run what comes due until closed or cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for lane in self._lanes.values():
                tasks.create_task(lane.run())

    async def run_due(self, now: datetime) -> int:
        """Run everything that is due, from `now` on; how many attempts were made."""
        return sum(await asyncio.gather(*(lane.run_due(now) for lane in self._lanes.values())))

    async def close(self) -> None:
        """Claim nothing more, and let what is under way end (10 s at most)."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await asyncio.gather(*(lane.close() for lane in self._lanes.values()))
        for lane in self._lanes.values():
            await lane.follower.aclose()
