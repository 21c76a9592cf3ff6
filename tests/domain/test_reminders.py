"""When a reminder is due, and when a person may get it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bot.domain.reminders import (
    QuietHours,
    ReminderRules,
    ReminderState,
    defer_past_quiet_hours,
    describe_step,
    digest_slot,
    find_snooze_end,
    is_for_the_channel,
    is_weekly,
    plan_snooze,
)

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland", "Pacific/Kiritimati")


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("hours", "weekends", "due", "morning"),
    [
        (None, False, "2026-11-28T03:00", "2026-11-28T03:00"),
        ((22, 8), False, "2026-11-24T21:59", "2026-11-24T21:59"),
        ((22, 8), False, "2026-11-24T22:00", "2026-11-25T08:00"),
        ((22, 8), False, "2026-11-25T07:59", "2026-11-25T08:00"),
        ((22, 8), False, "2026-11-25T08:00", "2026-11-25T08:00"),
        ((1, 6), False, "2026-11-25T02:30", "2026-11-25T06:00"),
        ((1, 6), False, "2026-11-25T00:30", "2026-11-25T00:30"),
        ((22, 8), False, "2026-03-28T23:00", "2026-03-29T08:00"),  # the night in which the clocks go forward
        (None, True, "2026-11-27T23:59", "2026-11-27T23:59"),
        (None, True, "2026-11-28T00:00", "2026-11-30T09:00"),
        (None, True, "2026-11-29T23:59", "2026-11-30T09:00"),
        ((22, 8), True, "2026-11-27T23:00", "2026-11-30T09:00"),
        ((22, 10), True, "2026-11-28T12:00", "2026-11-30T10:00"),
    ],
)
def test_a_dm_waits_for_the_end_of_the_night_and_of_the_weekend(
    hours: tuple[int, int] | None, weekends: bool, due: str, morning: str
) -> None:
    assert defer_past_quiet_hours(berlin(due), BERLIN, ReminderRules(quiet=QuietHours(hours, weekends))) == berlin(
        morning
    )


@given(
    some.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=some.just(UTC)),  # noqa: DTZ001
    some.sampled_from(ZONES),
    some.none() | some.tuples(some.integers(0, 23), some.integers(0, 23)).filter(lambda pair: pair[0] != pair[1]),
    some.booleans(),
)
def test_it_never_goes_out_sooner_nor_more_than_three_days_late_nor_when_it_is_quiet(
    moment: datetime, zone: str, hours: tuple[int, int] | None, weekends: bool
) -> None:
    rules = ReminderRules(quiet=QuietHours(hours, weekends))
    morning = defer_past_quiet_hours(moment, ZoneInfo(zone), rules)
    assert moment <= morning <= moment + timedelta(days=4)
    assert defer_past_quiet_hours(morning, ZoneInfo(zone), rules) == morning


def test_no_digest_comes_on_a_quiet_weekend_and_the_next_comes_on_monday() -> None:
    rules = ReminderRules(quiet=QuietHours(weekends=True))
    days = [digest_slot(berlin(f"2026-11-{day}T09:00"), BERLIN, rules) for day in (27, 28, 29, 30)]
    assert days == ["2026-11-27", None, None, "2026-11-30"]


def test_a_weekly_reminder_waits_for_a_weekday_and_another_does_not() -> None:
    rules = ReminderRules(quiet=QuietHours((20, 8), weekly_on_weekdays=True))
    saturday = berlin("2026-11-28T12:00")
    assert defer_past_quiet_hours(saturday, BERLIN, rules) == saturday
    assert defer_past_quiet_hours(saturday, BERLIN, rules, is_weekly=True) == berlin("2026-11-30T09:00")
    assert [is_weekly(slot) for slot in ("9d after #5.1", "48h after #5.1", "snoozed-1 after #5.1")] == [
        True,
        False,
        False,
    ]


def test_a_digest_whose_hour_is_quiet_comes_as_the_quiet_hours_end() -> None:
    rules = ReminderRules(overdue_hour=21, quiet=QuietHours((20, 8)))
    hours = [digest_slot(berlin(f"2026-11-27T{clock}"), BERLIN, rules) for clock in ("07:59", "08:00", "21:00")]
    assert hours == [None, "2026-11-27", None]


def test_a_snooze_is_a_day_counts_for_its_resolution_and_is_for_one_person() -> None:
    now = berlin("2026-11-24T12:00")
    first = plan_snooze(
        "48h after #5.1", {"24h after #5.1": ReminderState.SENT, "48h after #5.1": ReminderState.PENDING}, now
    )
    second = plan_snooze(first.slot, {first.slot: ReminderState.SENT}, now)
    assert (first.slot, second.slot) == ("snoozed-1 after #5.1", "snoozed-2 after #5.1")
    assert first.due_at == now + timedelta(days=1)
    assert find_snooze_end({"48h after #5.1": now, first.slot: first.due_at}) == first.due_at
    assert find_snooze_end({"48h after #5.1": now}) is None
    assert [is_for_the_channel(slot) for slot in (first.slot, "9d after #5.1", "48h after #5.1")] == [
        False,
        False,
        True,
    ]
    assert [describe_step(slot) for slot in (first.slot, "9d after #5.1")] == ["snoozed", "after 9 days"]
