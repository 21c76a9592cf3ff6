"""`afterword tick` and `afterword doctor` where nothing ran for a year, or the clock is a year ahead."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.clock import SystemClock
from bot.domain.reminders import ReminderState
from storage import reminders as reminders_store
from storage.database import clock as clock_store
from storage.database.store import Store, open_store
from tests.support.acceptance.programs import free_port
from tests.support.command_line import invoke
from tests.support.skew import owe_reminder
from tests.support.timeouts import PATIENT

YEAR = timedelta(days=365)
DOUBT = "nothing ran for 12 months. Reminders wait until Slack's answers show the same time."


@pytest.fixture
def idle_store(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """The database of the environment, with a reminder that is due; its last sweep was a year ago. Slack is away."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
    monkeypatch.setenv("SLACK_API_URL", f"http://127.0.0.1:{free_port()}/api/")
    store, now = open_store(database_url, timeouts=PATIENT), SystemClock().now()
    store.write_now(lambda tx: owe_reminder(tx, "C1", now - timedelta(hours=1)))
    store.write_now(lambda tx: clock_store.note_swept(tx, now - YEAR))
    yield store
    store.close()


def state(store: Store) -> ReminderState:
    found = store.read_now(lambda tx: reminders_store.find(tx, 1))
    assert found is not None
    return found.state


def test_a_tick_settles_nothing_by_a_clock_in_doubt(idle_store: Store) -> None:
    result = invoke("tick")
    assert result.exit_code == 1
    assert DOUBT in result.stderr
    assert state(idle_store) is ReminderState.PENDING


def test_a_tick_at_a_time_that_was_typed_believes_it(idle_store: Store) -> None:
    now = SystemClock().now()
    result = invoke("tick", "--now", now.isoformat())
    assert (result.exit_code, state(idle_store)) == (0, ReminderState.SENT)
    swept_at = idle_store.read_now(clock_store.find_swept_at)
    assert swept_at is not None
    assert abs(swept_at - now) < timedelta(seconds=1)


def test_a_dry_run_changes_nothing_and_lists_what_is_due(idle_store: Store) -> None:
    result = invoke("tick", "--dry-run")
    assert "sent: postmortem" in result.output
    assert state(idle_store) is ReminderState.PENDING
    swept_at = idle_store.read_now(clock_store.find_swept_at)
    assert swept_at is not None
    assert swept_at < SystemClock().now() - timedelta(days=300)


@pytest.mark.usefixtures("idle_store")
def test_the_doctor_says_that_reminders_wait() -> None:
    result = invoke("doctor")
    assert "note  reminders: By th" in result.output
    assert DOUBT in result.output
