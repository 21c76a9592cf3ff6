"""A month of one incident's life: the people, the days, a bot that comes and goes, and all its messages."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from bot.app import Afterword
from bot.domain.records import Case
from bot.rehearsal.screen import PersonReader, ShownMessage, ShownView
from bot.rehearsal.workspace import Json
from storage import case as case_store
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage import reminders as reminders_store
from storage.database.statements import Transaction
from tests.support.acceptance.programs import bot_on
from tests.support.acceptance.weeks import Weeks, weeks
from tests.support.interactions import actions_of, as_pressed
from tests.support.play import TEAM

THURSDAY = datetime(2026, 10, 22, 12, tzinfo=UTC)
"""Two in the afternoon in Berlin, three days before its clocks go back; in New York they do a week later."""

HALF_HOUR = timedelta(minutes=30)
QUIET = {"AFTERWORD_QUIET_HOURS": "20-8", "AFTERWORD_QUIET_WEEKENDS": "true"}


@dataclass(slots=True)
class Month:
    """`bot` is only there while it runs. Times are UTC, written `10-23 13:40`."""

    life: Weeks
    running: list[Afterword] = field(default_factory=list)
    looks: list[tuple[str, Json]] = field(default_factory=list)
    """What people looked at besides messages: windows, acknowledgements and Home tabs, each with a name."""

    @property
    def bot(self) -> Afterword:
        return self.running[-1]

    @asynccontextmanager
    async def up(self) -> AsyncIterator[None]:
        """While this lasts, the bot runs."""
        async with bot_on(self.life.slack, self.life.clock, {**self.life.environ, **QUIET}) as bot:
            self.running.append(bot)
            await self.settle()
            yield
            await self.settle()
            self.running.pop()

    async def settle(self) -> None:
        """Wait until all that was caused is delivered."""
        await self.bot.boundary.drain()
        await self.bot.slack.outbox.run_due(self.life.clock.now())
        await self.bot.slack.live_messages.refresh_now()
        await self.bot.slack.home_tabs.refresh_now()

    async def until(self, when: str) -> None:
        """Time passes; the bot looks at what is due every half hour, and at the minute at which something is."""
        end, clock = moment(when), self.life.clock
        while (now := clock.now()) < end:
            whole = now.replace(minute=now.minute // 30 * 30, second=0) + HALF_HOUR
            due = await self.bot.store.read(partial(_due, since=now, until=end))
            await self.life.at(min([whole, end, *due]), self.bot)
            await self.settle()

    async def types(self, user: str, text: str) -> str:
        """Type a command; what its author reads for it."""
        self.life.clock.advance(timedelta(seconds=40))
        answer = await self.life.do(user, text)
        if isinstance(answer.body, dict):
            self.looks.append((text, answer.body))
        await self.settle()
        return answer.text

    async def presses(self, user: str, button: str, place: str = "") -> None:
        """Press a button of the newest message of a channel (or of the DM) that has it."""
        self.life.clock.advance(timedelta(seconds=40))
        found = having(self, user, button, place)
        assert (await self.life.slack.click(user, found, *as_pressed(found, button))).ok
        await self.settle()
        self._look_at_window(user, button)

    async def presses_at_home(self, user: str, button: str) -> None:
        """Press the first such button of one's Home tab."""
        self.life.clock.advance(timedelta(seconds=40))
        assert (await self.life.slack.click_in_home(user, button)).ok
        await self.settle()
        self._look_at_window(user, button)

    async def sends(self, user: str, values: dict[str, Any]) -> None:
        """Send the form on top; an answer of it in the form (a stale save) stays open."""
        self.life.clock.advance(timedelta(seconds=40))
        view = self.window(user)
        answer = await self.life.slack.submit(user, view, values)
        assert (answer.ok, answer.errors) == (True, {})
        await self.settle()
        self._look_at_window(user, f"after {view.title}")

    async def writes(self, user: str, text: str) -> str:
        """Write to the bot in one's DM; what it says to that."""
        self.life.clock.advance(timedelta(seconds=40))
        room = self.life.slack.dm(user)
        await self.life.slack.say(user, room, text)
        await self.settle()
        return self.life.slack.messages(room)[-1].plain

    async def opens_home(self, user: str) -> str:
        """Look at one's Home tab."""
        await self.life.slack.open_home(user)
        await self.settle()
        return self.home(user)

    def home(self, user: str) -> str:
        """A person's Home tab, as they read it."""
        view = self.life.slack.home(user)
        assert view is not None
        self.looks.append((f"home of {self.name(user)}", view))
        return self.reader(user).blocks(view["blocks"])

    def window(self, user: str) -> ShownView:
        """The window on top."""
        return self.life.slack.views(user)[-1]

    def name(self, place: str) -> str:
        """A person's first name, or a channel's."""
        workspace = self.life.slack.workspace
        if place.startswith("U"):
            return workspace.users[place].name.split()[0]
        room = workspace.channels[place]
        people = [member for member in room.members if member != self.life.slack.bot_user_id]
        return self.name(people[0]) if place.startswith("D") else f"#{room.name}"

    def reader(self, user: str) -> PersonReader:
        return self.life.slack.reader(user)

    def posts(self) -> list[str]:
        """Everything that the bot posted but into threads: when, to whom or where, and its first line as it is read."""
        found = []
        for call in self.life.slack.calls:
            if call.method == "chat.postMessage" and call.ok and not call.args.get("thread_ts"):
                at = datetime.fromtimestamp(float(call.answer["ts"]), UTC)
                read = self.reader(self.life.ana).mrkdwn(call.args["text"])
                found.append(f"{at:%m-%d %H:%M} {self.name(call.answer['channel'])}: {read.partition(chr(10))[0]}")
        return found

    async def case(self) -> Case:
        """The record of the incident."""

        def look(tx: Transaction) -> Case:
            incident = incidents_store.find_by_number(tx, TEAM, 1)
            assert incident is not None
            return case_store.load(tx, incident)

        return await self.bot.store.read(look)

    def _look_at_window(self, user: str, name: str) -> None:
        if views := self.life.slack.views(user):
            self.looks.append((f"window {name}", self.life.slack.workspace.views[views[-1].id].body))


def moment(when: str) -> datetime:
    return datetime.strptime(f"2026-{when} +0000", "%Y-%m-%d %H:%M %z").astimezone(UTC)


def _due(tx: Transaction, since: datetime, until: datetime) -> list[datetime]:
    """When something that is written down already is due."""
    found = [reminder.due_at for reminder in reminders_store.due(tx, until, 100, locking=False)]
    found += [delivery.due_at for delivery in deliveries_store.due(tx, until, 100, locking=False)]
    return [due for due in found if due > since]


def having(month: Month, user: str, button: str, place: str = "") -> ShownMessage:
    """The newest message that shows this person such a button; `place` is `dm`, else the channel's."""
    slack = month.life.slack
    room = slack.dm(user) if place == "dm" else month.life.channel
    seen = [*slack.messages(room, user=user)]
    seen += [reply for one in seen for reply in slack.messages(room, user=user, thread_ts=one.ts)[1:]]
    return max((one for one in seen if button in actions_of(one)), key=lambda one: float(one.ts))


@asynccontextmanager
async def month(url: str) -> AsyncIterator[Month]:
    """Thursday afternoon; no bot is in the workspace yet."""
    async with weeks(url, THURSDAY) as life:
        yield Month(life)
