"""Keeps the clock of the process right: by the database's, and by Slack's as the header `Date` of its answers shows it.

Says as well when a clock is off, and when it is too doubtful to settle anything by.
"""

import asyncio
import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from prometheus_client import Gauge
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.clock import CorrectedClock, TimeReading, count_seconds
from bot.domain import clock as clock_rules
from bot.domain.clock import ClockReadings
from bot.slack.errors import CALL_ERRORS
from storage import deliveries as deliveries_store
from storage.database import clock as clock_store
from storage.database.store import Store

log = logging.getLogger(__name__)

HALF_A_SECOND = timedelta(seconds=0.5)
"""The header has no fractions: on average this much of its second is over."""


def read_date(headers: Mapping[str, str]) -> datetime | None:
    """The time in an answer's headers; None if there is none."""
    try:
        return parsedate_to_datetime(headers.get("date", "")).replace(tzinfo=UTC) + HALF_A_SECOND
    except ValueError:
        return None


async def read_time(client: AsyncWebClient, patience: float) -> TimeReading | None:
    """Ask Slack what time it is; None if no answer comes within `patience` seconds, or one that is not Slack's."""
    began = count_seconds()
    response: Any = None
    try:
        async with asyncio.timeout(patience):
            response = await client.auth_test()
    except SlackApiError as refusal:
        response = refusal.response  # a refused token, say: the time is Slack's all the same
    except CALL_ERRORS:
        return None
    ended = count_seconds()
    body = getattr(response, "data", None)
    # A proxy's own page has a date, too.
    if not isinstance(body, dict) or "ok" not in body:
        return None
    found = read_date(response.headers)
    return TimeReading.between(began, found, ended) if found is not None else None


MOST_ERROR = 1.0
"""Seconds. A reading that may be further off is not used: the machine was stopped, or the database hung."""

ASK_EVERY = 3600.0
"""Seconds between two questions to Slack while nothing surprising happens, and between two warnings about a clock."""

_OFFSET = Gauge(
    "afterword_clock_offset_seconds",
    "How far this machine's clock is ahead of the one that is used: the database's on PostgreSQL, else Slack's.",
)


class ClockKeeper:
    """Sets the clock at the start and at every tick.

    `doubt` is why nothing may be settled for now, `trouble` what is wrong with a clock; both are empty if all is well.
    `was_checked` is set once the clock was compared with Slack's, or Slack did not answer.
    """

    def __init__(self, store: Store, clock: CorrectedClock, client: AsyncWebClient) -> None:
        self._store = store
        self._clock = clock
        self._client = client
        self._machine_error = timedelta()
        self._asked: float | None = None
        self._reported: float | None = None
        self._is_sure = False
        self.doubt = ""
        self.trouble = ""
        self.was_checked = asyncio.Event()

    async def probe(self) -> str:
        """Why nothing is settled, or else which clock is off, for the health report; empty if all is well."""
        return self.doubt or self.trouble

    async def set_by_database(self) -> None:
        """Set the clock before anything is served, without Slack."""
        reading = await self._store.read(clock_store.read_time)
        if reading is not None:
            self._clock.set(reading)

    async def check(self) -> None:
        """Set the clock by the others, and find out whether anything may be settled by it."""
        database, swept_at = await self._store.read(
            lambda tx: (clock_store.read_time(tx), clock_store.find_swept_at(tx))
        )
        counted, readings = self._collect(database, swept_at)
        if self._must_ask(counted, readings):
            self._asked = counted
            slack = await read_time(self._client, self._store.timeouts.slack_clock)
            counted, readings = self._collect(database, swept_at, slack)
        if database is None or database.error <= MOST_ERROR:
            await self._keep_due(readings, self._apply(counted, readings))
        self.was_checked.set()

    async def _keep_due(self, readings: ClockReadings, now: datetime) -> None:
        """After the clock was set back: what was due by it must not wait until it comes by again."""
        before = readings.expected
        if before is not None and before - now > clock_rules.OFF:
            await self._store.write(lambda tx: deliveries_store.make_due(tx, before, now))

    def _collect(
        self, database: TimeReading | None, swept_at: datetime | None, slack: TimeReading | None = None
    ) -> tuple[float, ClockReadings]:
        """What every clock shows now, and the count of now."""
        machine = self._clock.read_machine()
        counted = machine.counted
        return counted, ClockReadings(
            machine=machine.at,
            database=database.show(counted) if database is not None else None,
            expected=self._clock.show(counted),
            slack=slack.show(counted) if slack is not None and slack.error <= MOST_ERROR else None,
            machine_error=self._machine_error,
            swept_at=swept_at,
            is_sure=self._is_sure,
        )

    def _must_ask(self, counted: float, readings: ClockReadings) -> bool:
        return self._asked is None or counted - self._asked >= ASK_EVERY or clock_rules.is_surprising(readings)

    def _apply(self, counted: float, readings: ClockReadings) -> datetime:
        """Set the clock, and note and log what is wrong. Returns the time."""
        verdict = clock_rules.judge(readings)
        self._clock.set(TimeReading(verdict.now, counted, 0.0))
        if readings.slack is not None:
            self._machine_error = readings.machine - verdict.now
        seconds = (readings.machine - verdict.now).total_seconds()
        _OFFSET.set(seconds)
        about = {"event": "clock_off", "seconds": round(seconds, 3)}
        # Not at every tick, and not whenever a clock that is five seconds off wavers.
        if verdict.trouble and (self._reported is None or counted - self._reported >= ASK_EVERY):
            self._reported = counted
            log.warning(verdict.trouble, about)
        if verdict.doubt and not self.doubt:
            log.error(verdict.doubt, about | {"event": "clock_doubted"})
        if self.doubt and not verdict.doubt:
            log.info("The clock is confirmed. Reminders go on.", about | {"event": "clock_confirmed"})
        self.doubt, self.trouble = verdict.doubt, verdict.trouble
        self._is_sure = self._is_sure or not verdict.doubt
        return verdict.now
