"""A workspace over weeks, on one database, while the bot comes and goes; and what the people in it were reminded of."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot.app import Afterword
from bot.clock import SettableClock
from bot.rehearsal.delivery import AppAnswer
from bot.rehearsal.payloads import user_json
from bot.rehearsal.server import StandIn
from tests.support.acceptance.programs import afterword, bot_on, environ_of
from tests.support.deadlines import LONG_SECONDS
from tests.support.play import TEAM

RESOLVED = datetime(2026, 11, 23, 16, 40, tzinfo=UTC)
"""A Monday."""

POSTMORTEM = ":hourglass_flowing_sand:"
OVERDUE = ":alarm_clock:"


@dataclass(slots=True)
class Weeks:
    """Ana in Berlin, Bo in New York and Chandra in India, and one channel; `url` is the database's."""

    slack: StandIn
    clock: SettableClock
    url: str
    ana: str
    bo: str
    chandra: str
    channel: str

    @property
    def environ(self) -> dict[str, str]:
        return environ_of(self.slack, self.url, AFTERWORD_LOG_LEVEL="WARNING")

    @asynccontextmanager
    async def bot(self) -> AsyncIterator[Afterword]:
        """A bot from its start to its end."""
        async with bot_on(self.slack, self.clock, self.environ) as bot:
            yield bot

    async def do(self, user: str, text: str, channel: str = "") -> AppAnswer:
        """Type a command that must be taken."""
        answer = await self.slack.command(user, channel or self.channel, text)
        assert answer.ok, answer
        assert not any(word in answer.text for word in ("Not published", "NOT recorded", "Something broke")), (
            answer.text
        )
        return answer

    async def resolve(self, bot: Afterword, channel: str = "") -> None:
        """Ana opens an incident and resolves it, and so owes its postmortem; the live message has been posted."""
        await self.do(self.ana, "/incident open checkout is failing", channel)
        await self.do(self.ana, "/incident resolved", channel)
        await bot.slack.outbox.run_due(self.clock.now())

    async def finish(self, bot: Afterword) -> None:
        """Ana fills what a published postmortem must have."""
        for text in ("/why because the pool was too small", "/why root", "/action add a load test @Ana Demo"):
            await self.do(self.ana, text)
        for _ in ("summary", "leadup", "fault", "impact"):
            shown = (await self.do(self.ana, "/postmortem")).message
            assert shown is not None
            await self.slack.click(self.ana, shown, "postmortem_fill")
            await bot.boundary.drain()
            saved = await self.slack.submit(self.ana, self.slack.views(self.ana)[-1], {"text_0": "It is known."})
            assert saved.ok
            await bot.boundary.drain()

    async def leaves(self, user: str) -> None:
        """An account is deactivated, and the bot hears of it."""
        gone = self.slack.workspace.users[user]
        gone.deleted = True
        answer = await self.slack.event({"type": "user_change", "user": user_json(self.slack.workspace, gone)})
        assert answer.ok

    async def at(self, moment: datetime, bot: Afterword) -> None:
        """It becomes this time, and the bot does what is due."""
        self.clock.set(moment)
        await bot.tick(moment)

    async def tick(self, moment: datetime, folder: Path, *more: str) -> str:
        """`afterword tick --now …`, the real program."""
        self.clock.set(moment)
        return await afterword(self.environ, folder, "tick", "--now", moment.isoformat(), *more)

    def list_reminders(self, place: str, kind: str) -> list[str]:
        """The reminders of a kind in a person's DM or in a channel, as they are read."""
        where = self.slack.dm(place) if place.startswith("U") else place
        return [each.plain for each in self.slack.messages(where) if each.plain.startswith(kind)]

    def counts(self) -> tuple[int, int]:
        """How many reminders of postmortems Ana and the channel got."""
        return len(self.list_reminders(self.ana, POSTMORTEM)), len(self.list_reminders(self.channel, POSTMORTEM))

    def all_counts(self) -> dict[str, int]:
        """How many messages each conversation holds, of whatever kind."""
        return {place: len(self.slack.messages(place)) for place in self.slack.workspace.channels}


@asynccontextmanager
async def weeks(url: str, now: datetime = RESOLVED) -> AsyncIterator[Weeks]:
    """A fresh workspace; no bot is in it yet."""
    clock = SettableClock(now)
    async with StandIn(clock, team=TEAM) as slack:
        slack.patience = LONG_SECONDS
        ana = slack.user("Ana Demo", "Europe/Berlin")
        bo = slack.user("Bo Demo", "America/New_York")
        chandra = slack.user("Chandra Demo", "Asia/Kolkata")
        channel = slack.channel("checkout", [ana, bo, chandra])
        yield Weeks(slack, clock, url, ana, bo, chandra, channel)
