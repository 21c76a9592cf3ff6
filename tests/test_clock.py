"""The clock that others correct: it goes on by a counter that no one can set."""

from datetime import UTC, datetime, timedelta

from bot.clock import CorrectedClock, SettableClock, TimeReading, count_seconds

NOW = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
YEAR = timedelta(days=365)


class Counter:
    """A counter that goes on when it is told to."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_until_it_is_set_it_is_the_machines_clock() -> None:
    machine = SettableClock(NOW)
    clock = CorrectedClock(machine)
    machine.advance(YEAR)
    assert clock.now() == NOW + YEAR
    assert clock.show(count_seconds()) is None


def test_once_set_it_goes_on_whatever_becomes_of_the_machines_clock() -> None:
    machine, counter = SettableClock(NOW), Counter()
    clock = CorrectedClock(machine, counter)
    clock.set(TimeReading(NOW - timedelta(seconds=65), 90.0, 0.0))
    assert clock.now() == NOW - timedelta(seconds=55)
    machine.advance(YEAR)
    counter.seconds += 5
    assert clock.now() == clock.show(105.0) == NOW - timedelta(seconds=50)


def test_a_reading_is_of_the_middle_of_its_question_and_answer() -> None:
    reading = TimeReading.between(10.0, NOW, 13.0)
    assert (reading.counted, reading.error) == (11.5, 1.5)
    assert reading.show(21.5) == NOW + timedelta(seconds=10)


def test_the_counter_goes_on() -> None:
    assert count_seconds() <= count_seconds()
