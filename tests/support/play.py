"""A whole bot in a whole stand-in workspace: real sockets, real requests, one settable clock."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.app import Afterword
from bot.clock import SettableClock
from bot.domain.incident import list_reached_milestones
from bot.domain.records import Case, Milestone, Place
from bot.integrations.http import RetryPolicy
from bot.integrations.sync import SyncHandler
from bot.rehearsal.server import StandIn
from bot.settings import Settings, load
from storage import case as case_store
from storage import incidents as incidents_store
from storage.database.store import open_store
from tests.support.deadlines import LONG_SECONDS
from tests.support.integrations.clients import QUICK
from tests.support.timeouts import PATIENT

NOON = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
TEAM = "T0REHEARSE"


@dataclass(slots=True)
class Play:
    """Three people in three zones and one channel, with the bot in it."""

    slack: StandIn
    bot: Afterword
    clock: SettableClock
    ana: str
    bo: str
    chandra: str
    channel: str
    url: str = ""
    """Where the bot takes requests."""

    async def settle(self) -> None:
        """Wait until everything is delivered that follows the acknowledgements."""
        await self.bot.boundary.drain()
        await self.bot.slack.outbox.run_due(self.clock.now())
        await self.bot.slack.attachments.run_due(self.clock.now())
        await self.bot.slack.live_messages.refresh_now()
        await self.bot.slack.home_tabs.refresh_now()

    async def pass_time(self, **by: float) -> None:
        """Move the clock on (as `timedelta` takes it) and do what is due then."""
        self.clock.advance(timedelta(**by))
        await self.bot.tick(self.clock.now())

    def case(self, channel: str = "") -> Case:
        """The record of the channel's incident."""
        place = Place(TEAM, channel or self.channel)

        def look(tx):  # type: ignore[no-untyped-def]
            incident = incidents_store.find_current(tx, place)
            assert incident is not None
            return case_store.load(tx, incident)

        found: Case = self.bot.store.read_now(look)
        return found


def reached_at(case: Case, milestone: Milestone) -> datetime | None:
    """When an incident reached a milestone, as its record tells it."""
    found = list_reached_milestones(case.incident, case.entries)
    return found[milestone].at if milestone in found else None


def settings_for(
    slack: StandIn, database_url: str, transport: str = "http", environ: Mapping[str, str] | None = None
) -> Settings:
    """The settings of a bot in this workspace; `environ` overrides."""
    settled = {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_SIGNING_SECRET": slack.signing_secret,
        "SLACK_API_URL": slack.api_url,
        "DATABASE_URL": database_url,
        "AFTERWORD_PORT": "0",
        "AFTERWORD_TICK_SECONDS": "300",
        "AFTERWORD_NUDGES": "false",
        "AFTERWORD_QUIET_HOURS": "none",
    }
    if transport == "socket":
        settled["SLACK_APP_TOKEN"] = slack.app_token
    return load({**settled, **(environ or {})}, env_file=None)


@asynccontextmanager
async def serving(bot: Afterword, slack: StandIn, transport: str) -> AsyncIterator[str]:
    """Run the bot where the workspace can reach it, and say where; at the end it must still be running."""
    ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(bot.run(ready))
    port = await ready
    if transport == "socket":
        await slack.wait_for_socket()
    else:
        slack.send_to(f"http://127.0.0.1:{port}/slack/events")
    try:
        yield f"http://127.0.0.1:{port}"
        await bot.boundary.drain()
        assert not running.done(), running.exception()
    finally:
        running.cancel()
        await asyncio.wait([running])


@asynccontextmanager
async def playing(
    database_url: str,
    *,
    transport: str = "http",
    now: datetime = NOON,
    environ: Mapping[str, str] | None = None,
    sync_handlers: Mapping[str, SyncHandler] | None = None,
    patience: RetryPolicy = QUICK,
) -> AsyncIterator[Play]:
    """Play in a fresh workspace on the database; `transport` is `http` or `socket`, `environ` further settings.

    `sync_handlers` take the place of those that the settings would connect; `patience` is that toward other systems.
    """
    clock = SettableClock(now)
    async with StandIn(clock, team=TEAM) as slack:
        slack.patience = LONG_SECONDS
        slack.workspace.ticks = lambda: 0.0  # a trigger dies by the play's clock alone, however busy the machine is
        ana = slack.user("Ana Demo", "Europe/Berlin")
        bo = slack.user("Bo Demo", "America/New_York")
        chandra = slack.user("Chandra Demo", "Asia/Kolkata")
        channel = slack.channel("checkout", [ana, bo, chandra])
        settings = settings_for(slack, database_url, transport, environ)
        store = open_store(settings.sqlalchemy_url, timeouts=PATIENT)
        try:
            async with (
                Afterword(settings, store, clock, sync_handlers, patience) as bot,
                serving(bot, slack, transport) as url,
            ):
                yield Play(slack, bot, clock, ana, bo, chandra, channel, url)
        finally:
            store.close()
