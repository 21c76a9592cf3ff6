"""Two replicas of the bot on one PostgreSQL: whichever a webhook comes to, it takes effect once."""

import asyncio

import pytest

from bot.app import Afterword
from bot.domain.alerts.groups import Alert, AlertStatus
from bot.domain.alerts.payloads import parse_alertmanager
from bot.services.alerts import groups as groups_service
from storage import alerts as alerts_store
from storage.database.store import open_store
from tests.support import alert_senders
from tests.support.alert_senders import ALERTS, SECRETS, watch_alerts
from tests.support.play import NOON, settings_for
from tests.support.timeouts import PATIENT


def alerts(number: int, ended: str = alert_senders.NEVER) -> tuple[Alert, ...]:
    alert = alert_senders.member(f"Alert{number}", "2026-11-23T12:20:00Z", ended, severity="critical")
    return parse_alertmanager(alert_senders.alertmanager(alert, group=f"group {number}"), NOON)


@pytest.mark.postgres
async def test_what_two_replicas_hear_at_once_is_written_once(postgres_url: str) -> None:
    rule = "severity=critical"
    environ = SECRETS | {"AFTERWORD_ALERTS_CHANNEL": ALERTS, "AFTERWORD_ALERTS_OPEN": rule}
    async with watch_alerts(postgres_url, rule) as play:
        settings = settings_for(play.slack, postgres_url, environ=environ)
        store = open_store(settings.sqlalchemy_url, timeouts=PATIENT)
        try:
            async with Afterword(settings, store, play.clock) as other:
                other.slack.directory.home = play.bot.slack.directory.home
                for number in range(15):
                    heard = await asyncio.gather(
                        *(
                            groups_service.receive(bot.services, alerts(number), NOON)
                            for bot in (play.bot, other, play.bot, other)
                        )
                    )
                    assert sum(one.new_count for one in heard) == 1
        finally:
            store.close()
        await play.settle()
        fired = [entry.text for entry in play.case(ALERTS).entries if entry.text.startswith("Alert fired")]
        assert len(fired) == len(set(fired)) == 15
        assert play.case(ALERTS).incident.number == 1


@pytest.mark.postgres
async def test_a_start_and_its_end_that_two_replicas_hear_at_once_find_each_other(postgres_url: str) -> None:
    environ = SECRETS | {"AFTERWORD_ALERTS_CHANNEL": ALERTS}
    async with watch_alerts(postgres_url) as play:
        settings = settings_for(play.slack, postgres_url, environ=environ)
        store = open_store(settings.sqlalchemy_url, timeouts=PATIENT)
        try:
            async with Afterword(settings, store, play.clock) as other:
                other.slack.directory.home = play.bot.slack.directory.home
                for number in range(1, 16):
                    end = alerts(number, ended="2026-11-23T12:25:00Z")
                    await asyncio.gather(
                        groups_service.receive(play.bot.services, alerts(number), NOON),
                        groups_service.receive(other.services, end, NOON),
                    )
                    group = store.read_now(lambda tx, row=number: alerts_store.find(tx, row))  # type: ignore[misc]
                    assert group is not None
                    assert (group.fired, group.firing, group.status) == (1, 0, AlertStatus.RESOLVED)
        finally:
            store.close()
