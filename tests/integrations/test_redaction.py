"""A credential in what went, or is to go, to other systems: its author is warned, and it leaves our rows about them."""

import asyncio
import json
from dataclasses import dataclass

import pytest

from bot.integrations.http import IntegrationError
from bot.integrations.sync import SyncResult
from storage.links import Link
from tests.handlers.test_redaction import CLEAN, LEAK, press_redact
from tests.handlers.test_secrets import PASSWORD, files
from tests.integrations.service_management.test_sync import with_pager
from tests.integrations.statuspage.test_sync import draft_update, with_page
from tests.integrations.test_sync_workers import Slow, thing
from tests.support.alert_senders import ALERTS, call, pagerduty, watch_alerts
from tests.support.interactions import on_stage, open_incident, type_command, window


async def test_what_people_are_paged_with_is_redacted_before_and_after_it_went(sqlite_url: str) -> None:
    async with with_pager(sqlite_url) as (play, there):
        await type_command(play, play.bo, f"/incident page {LEAK}")
        assert "is redacted" in await press_redact(play, play.bo)
        assert PASSWORD.encode() not in files(sqlite_url)
        await play.pass_time(seconds=1)
        (alert,) = there.alerts.values()
        assert PASSWORD not in json.dumps(alert)
        assert any(entry.text == f"Asked to page: {CLEAN}" for entry in play.case().entries)


@dataclass
class Paging(Slow):
    """A call that is under way while the gate is shut, and remembers what it was asked, and its number."""

    heard: str = ""

    async def perform(self, link: Link, prepared: str) -> SyncResult:
        await super().perform(link, prepared)
        return SyncResult("a1", "", "asked", json.dumps(json.loads(link.memo) | {"request": "r1"}))

    def record_success(self, tx: object, link: Link, result: SyncResult, now: object) -> None:
        self.heard = link.memo


@pytest.mark.parametrize("trouble", [[], [IntegrationError("paging", "The pager has a bad day.")]])
async def test_what_is_redacted_while_a_call_is_under_way_does_not_come_back_with_its_answer(
    database_url: str, trouble: list[IntegrationError]
) -> None:
    pager = Paging(bad_days=list(trouble))
    async with on_stage(database_url, sync_handlers={"paging": pager}) as play:
        await open_incident(play)
        await type_command(play, play.bo, f"/incident page {LEAK}")
        calling = asyncio.create_task(play.bot.sync_workers.run_due(play.clock.now()))
        await pager.called.wait()
        assert "is redacted" in await press_redact(play, play.bo)
        pager.gate.set()
        await calling
        found = thing(play, "paging", "INC-1 page of #2")
        assert PASSWORD not in found.memo + pager.heard
        assert json.loads(found.memo)["words"] == CLEAN
        assert trouble or (json.loads(found.memo)["request"] == "r1" and pager.heard)


async def test_what_customers_were_told_leaves_our_rows(sqlite_url: str) -> None:
    async with with_page(sqlite_url) as (play, _):
        await play.slack.submit(play.ana, await draft_update(play, body=LEAK))
        await play.pass_time(seconds=5)
        assert "is redacted" in await press_redact(play, play.ana)
        assert PASSWORD.encode() not in files(sqlite_url)


async def test_an_incident_that_an_alert_may_join_is_named_masked(sqlite_url: str) -> None:
    async with watch_alerts(sqlite_url) as play:
        await call(play, "pagerduty", pagerduty("incident.triggered", "2026-11-23T12:20:04Z"))
        await type_command(play, play.ana, f"/incident open {LEAK}")
        await play.settle()
        view = await window(play, play.bo, "alerts_attach", channel=ALERTS)
        assert "INC-1 the password=" in str(view.blocks)
        assert PASSWORD not in str(view.blocks)
