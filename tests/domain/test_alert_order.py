"""The rules of an alert group: its state after each event, the same in any order."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.alerts.groups import (
    QUIET,
    Alert,
    AlertGroup,
    AlertStatus,
    GroupState,
    apply_alert,
    belongs_to,
    missing_start,
    replay,
    sort_key,
    split_groups,
)
from tests.support.play import NOON

FIRING, ACKNOWLEDGED, RESOLVED = AlertStatus


def alert(status: AlertStatus = FIRING, at: datetime = NOON, fingerprint: str = "a", **more: Any) -> Alert:
    facts: dict[str, Any] = {"starts_at": NOON, "event": f"{fingerprint}{status}{at}"} | more
    return Alert("alertmanager", "g", fingerprint, title=f"{fingerprint} is down", status=status, at=at, **facts)


GROUP = AlertGroup(
    1, "T1", "alertmanager", "g", NOON, "a is down", "", "", "", FIRING, NOON, None, "", None, 0, 0,
    GroupState.ON_HOLD, "", None, None, 0, "C1", "", NOON,
)  # fmt: skip


def apply_all(*alerts: Alert) -> AlertGroup:
    """The group after these events, applied in this order."""
    group = GROUP
    known: dict[str, AlertStatus] = {}
    for each in alerts:
        group = apply_alert(group, each, known.get(each.fingerprint))
        known[each.fingerprint] = each.status
    return group


def minute(count: float) -> datetime:
    return NOON + timedelta(minutes=count)


def test_a_group_is_over_once_each_of_its_alerts_is() -> None:
    both = (alert(), alert(fingerprint="b"))
    assert (apply_all(*both).fired, apply_all(*both).firing, apply_all(*both).status) == (2, 2, FIRING)
    one_over = apply_all(*both, alert(RESOLVED, minute(5)))
    assert (one_over.firing, one_over.status, one_over.ended_at) == (1, FIRING, None)
    over = apply_all(*both, alert(RESOLVED, minute(5)), alert(RESOLVED, minute(7), "b"))
    assert (over.firing, over.status, over.ended_at) == (0, RESOLVED, minute(7))


def test_the_first_who_takes_it_up_counts_until_it_fires_anew() -> None:
    taken_up = apply_all(alert(), alert(ACKNOWLEDGED, minute(1), by="Ana"), alert(ACKNOWLEDGED, minute(2), by="Bo"))
    assert (taken_up.status, taken_up.acknowledged_at, taken_up.acknowledged_by) == (ACKNOWLEDGED, minute(1), "Ana")
    anew = apply_all(alert(), alert(ACKNOWLEDGED, minute(1)), alert(RESOLVED, minute(2)), alert(at=minute(3)))
    assert (anew.status, anew.acknowledged_at, anew.ended_at) == (FIRING, None, None)


def test_the_end_of_one_firing_and_the_start_of_the_next_at_the_same_moment_are_told_in_that_order() -> None:
    end, anew = alert(RESOLVED, minute(5)), alert(at=minute(5), starts_at=minute(5))
    for order_told in ((alert(), end, anew), (anew, end, alert())):
        assert (replay(GROUP, order_told).status, replay(GROUP, order_told).firing) == (FIRING, 1)


def test_what_ended_as_it_began_has_ended() -> None:
    for order_told in ((alert(), alert(RESOLVED)), (alert(RESOLVED), alert())):
        assert (replay(GROUP, order_told).status, replay(GROUP, order_told).ended_at) == (RESOLVED, NOON)


def test_a_group_goes_on_while_it_fires_and_for_an_hour_after() -> None:
    over = replace(GROUP, status=RESOLVED, ended_at=NOON)
    assert belongs_to(GROUP, alert(at=minute(10_000)))
    assert belongs_to(over, alert(at=NOON + QUIET))
    assert not belongs_to(over, alert(at=NOON + QUIET + timedelta(seconds=1)))


def test_what_becomes_of_an_alert_tells_when_it_began_and_an_end_does_not() -> None:
    taken_up = alert(ACKNOWLEDGED, minute(2), by="Ana", start="start")
    start = missing_start(taken_up)
    assert start is not None
    assert (start.status, start.at, start.event, start.by, start.is_start) == (FIRING, NOON, "start", "", True)
    given_back = alert(FIRING, minute(3), start="start")
    assert missing_start(given_back) == replace(start, title=given_back.title)
    for other in (alert(start="start"), alert(RESOLVED, minute(2), start="start"), alert(ACKNOWLEDGED, minute(2))):
        assert missing_start(other) is None


def test_ends_of_nothing_known_wait() -> None:
    end, other = alert(RESOLVED, minute(5)), alert(RESOLVED, minute(6), "b")
    assert split_groups([end, other]) == ([], [end, other])
    assert split_groups([end, other, alert()]) == ([[alert(), end]], [other])


def test_what_comes_late_divides_a_group_or_makes_one_of_two() -> None:
    first, again = alert(), alert(at=minute(140))
    assert len(split_groups([first, again])[0]) == 1
    end = alert(RESOLVED, minute(5))
    assert split_groups([first, again, end])[0] == [[first, end], [again]]
    between, its_end = alert(at=minute(50)), alert(RESOLVED, minute(100))
    assert split_groups([first, again, end, between, its_end])[0] == [[first, end, between, its_end, again]]


EVENTS = st.lists(
    st.builds(alert, st.sampled_from(AlertStatus), st.integers(0, 400).map(minute), st.sampled_from("abc")),
    max_size=12,
    unique_by=lambda each: (each.fingerprint, each.at),
)


@given(EVENTS, st.randoms(use_true_random=False))
def test_however_things_told_are_shuffled_the_same_groups_come_of_them(events: list[Alert], random: Any) -> None:
    shuffled = list(events)
    random.shuffle(shuffled)
    found, waiting = split_groups(shuffled)
    assert (found, waiting) == split_groups(events)
    assert sorted([*waiting, *(each for told_of in found for each in told_of)], key=sort_key) == sorted(
        events, key=sort_key
    )
    for told_of in found:
        backwards = list(reversed(told_of))
        assert replay(GROUP, backwards) == replace(replay(GROUP, told_of), starts_at=replay(GROUP, backwards).starts_at)


@given(EVENTS, st.randoms(use_true_random=False))
def test_a_group_that_is_told_anew_stands_as_if_all_had_come_in_order(events: list[Alert], random: Any) -> None:
    for told_of in split_groups(events)[0]:
        shuffled = list(told_of)
        random.shuffle(shuffled)
        anew, in_order = replay(GROUP, shuffled), apply_all(*told_of)
        assert replace(anew, title="", starts_at=NOON, changed_at=NOON) == replace(in_order, title="", changed_at=NOON)
        last = {each.fingerprint: each.status for each in told_of}
        assert (anew.fired, anew.firing) == (len(last), sum(status is not RESOLVED for status in last.values()))
        assert (anew.status is RESOLVED) == (anew.firing == 0) == (anew.ended_at is not None)
        assert anew.title == told_of[0].title
