"""What time it is where clocks disagree, and when nothing may be settled by it."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.clock import ClockReadings, is_surprising, judge

NOW = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
SECOND, DAY, YEAR = timedelta(seconds=1), timedelta(days=1), timedelta(days=365)
LATELY = NOW - 15 * SECOND


def test_on_postgresql_the_databases_clock_is_the_time() -> None:
    verdict = judge(ClockReadings(machine=NOW + 65 * SECOND, database=NOW, swept_at=LATELY))
    assert (verdict.now, verdict.doubt) == (NOW, "")
    assert verdict.trouble == "This machine's clock is 65 s ahead of the database's, which is used. Set it with NTP."


@pytest.mark.parametrize("off", [timedelta(), 5 * SECOND, -5 * SECOND])
def test_a_clock_that_is_off_by_five_seconds_is_right_enough(off: timedelta) -> None:
    assert judge(ClockReadings(machine=NOW + off, database=NOW, swept_at=LATELY)).trouble == ""


def test_a_clock_behind_is_reported_as_well() -> None:
    trouble = judge(ClockReadings(machine=NOW - timedelta(minutes=12), database=NOW, swept_at=LATELY)).trouble
    assert "12 min behind the database's" in trouble


def test_on_sqlite_the_machines_clock_is_the_time_while_slack_agrees() -> None:
    readings = ClockReadings(machine=NOW, slack=NOW + 2 * SECOND, swept_at=LATELY)
    assert judge(readings) == judge(ClockReadings(machine=NOW, swept_at=LATELY))
    assert judge(readings).now == NOW


@pytest.mark.parametrize("off", [6 * SECOND, -6 * SECOND, YEAR, -YEAR])
def test_on_sqlite_slack_corrects_the_machines_clock(off: timedelta) -> None:
    verdict = judge(ClockReadings(machine=NOW + off, slack=NOW, swept_at=NOW - DAY))
    assert (verdict.now, verdict.doubt) == (NOW, "")
    assert "Slack's, which is used" in verdict.trouble


def test_what_slack_corrected_stays_corrected_while_it_is_silent() -> None:
    readings = ClockReadings(
        machine=NOW + YEAR, machine_error=YEAR, expected=NOW + SECOND, is_sure=True, swept_at=LATELY
    )
    assert not is_surprising(readings)
    assert (judge(readings).now, judge(readings).doubt) == (NOW, "")


@pytest.mark.parametrize("database", [None, NOW + YEAR], ids=["sqlite", "postgresql"])
def test_a_clock_a_year_ahead_at_the_start_settles_nothing(database: datetime | None) -> None:
    readings = ClockReadings(machine=NOW + YEAR, database=database, swept_at=LATELY)
    assert is_surprising(readings)
    assert "clock, nothing ran for 12 months. Reminders wait" in judge(readings).doubt


def test_it_stays_in_doubt_at_the_next_tick() -> None:
    readings = ClockReadings(machine=NOW + YEAR, expected=NOW + YEAR, swept_at=LATELY)
    assert is_surprising(readings)
    assert judge(readings).doubt


def test_a_sweep_that_somebody_ordered_ends_the_doubt() -> None:
    readings = ClockReadings(machine=NOW + YEAR, expected=NOW + YEAR, swept_at=NOW + YEAR)
    assert judge(readings).doubt == ""


def test_a_process_that_could_not_sweep_for_days_knows_its_clock() -> None:
    assert judge(ClockReadings(machine=NOW, expected=NOW, is_sure=True, swept_at=NOW - 3 * DAY)).doubt == ""


def test_after_a_week_without_the_bot_slack_confirms_the_clock() -> None:
    readings = ClockReadings(machine=NOW, swept_at=NOW - 7 * DAY)
    assert "nothing ran for 7 days" in judge(readings).doubt
    assert judge(ClockReadings(machine=NOW, slack=NOW, swept_at=NOW - 7 * DAY)).doubt == ""


def test_a_database_that_was_never_swept_is_asked_about() -> None:
    assert "isn't confirmed yet" in judge(ClockReadings(machine=NOW)).doubt
    assert judge(ClockReadings(machine=NOW, slack=NOW)).doubt == ""


@pytest.mark.parametrize("database", [None, NOW + 2 * DAY], ids=["sqlite", "postgresql"])
@pytest.mark.parametrize("machine", [NOW + 2 * DAY])
def test_a_clock_that_jumps_by_days_while_we_run_is_not_believed(machine: datetime, database: datetime | None) -> None:
    readings = ClockReadings(machine=machine, database=database, expected=NOW, is_sure=True, swept_at=LATELY)
    assert is_surprising(readings)
    verdict = judge(readings)
    assert verdict.now == NOW
    assert "clock jumped: it is 2 days ahead of where it should be." in verdict.doubt


def test_a_jump_that_somebody_swept_at_is_believed() -> None:
    readings = ClockReadings(machine=NOW + YEAR, expected=NOW, is_sure=True, swept_at=NOW + YEAR)
    assert (judge(readings).now, judge(readings).doubt) == (NOW + YEAR, "")


def test_a_jump_back_by_a_year_is_not_believed_either() -> None:
    verdict = judge(ClockReadings(machine=NOW - YEAR, expected=NOW, is_sure=True, swept_at=LATELY))
    assert (verdict.now, verdict.trouble) == (NOW, "")
    assert "12 months behind where it should be" in verdict.doubt


def test_a_smaller_jump_is_asked_about_and_believed_while_slack_is_silent() -> None:
    readings = ClockReadings(machine=NOW - 3600 * SECOND, expected=NOW, is_sure=True, swept_at=LATELY)
    assert is_surprising(readings)
    assert (judge(readings).now, judge(readings).doubt) == (NOW - 3600 * SECOND, "")


def test_a_database_far_from_slack_is_doubted() -> None:
    verdict = judge(ClockReadings(machine=NOW, database=NOW + YEAR, slack=NOW, swept_at=NOW + YEAR))
    assert "database's clock is 12 months ahead of Slack's" in verdict.doubt
    near = judge(
        ClockReadings(machine=NOW, database=NOW + 40 * SECOND, slack=NOW, expected=NOW, is_sure=True, swept_at=LATELY)
    )
    assert (near.doubt, near.now) == ("", NOW + 40 * SECOND)
    assert near.trouble
    same = judge(ClockReadings(machine=NOW + 40 * SECOND, database=NOW + 40 * SECOND, slack=NOW, swept_at=LATELY))
    assert same.trouble == "The database's clock is 40 s ahead of Slack's. Set it with NTP."


def test_a_clock_behind_the_last_sweep_is_no_reason_to_wait() -> None:
    """It settles late, and nothing too early."""
    readings = ClockReadings(machine=NOW, swept_at=NOW + YEAR)
    assert judge(readings).doubt == ""
