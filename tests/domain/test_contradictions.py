"""What a milestone that is typed would contradict, by the same rule as the checks of the postmortem."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.checks import FindingKind, list_findings
from bot.domain.incident import Clash, find_clash, measure_span
from bot.domain.records import Entry, EntryKind, Milestone, Status
from tests.support.export.cases import INCIDENT, NOW, at, case, entry, incident

OPEN = incident(status=Status.OPEN, resolved_at=None, resolved_by=None)
STARTED, DETECTED, ACKNOWLEDGED, MITIGATED, RESOLVED = Milestone


def mark_entries(*marks: tuple[Milestone, int, int]) -> tuple[Entry, ...]:
    return tuple(entry(number, at(hour, minute), milestone=m) for number, (m, hour, minute) in enumerate(marks, 1))


def describe(found: Clash[Entry] | None) -> tuple[Milestone, bool, bool] | None:
    return (found.milestone, found.is_twice, found.is_later) if found else None


@pytest.mark.parametrize(
    ("before", "milestone", "hour", "minute", "against"),
    [
        ([(MITIGATED, 21, 5)], RESOLVED, 21, 0, (MITIGATED, False, True)),
        ([(STARTED, 19, 50)], DETECTED, 19, 0, (STARTED, False, True)),
        ([(DETECTED, 19, 50)], ACKNOWLEDGED, 19, 40, (DETECTED, False, True)),
        ([(DETECTED, 19, 0)], STARTED, 19, 50, (DETECTED, False, False)),
        ([(RESOLVED, 21, 0)], MITIGATED, 21, 5, (RESOLVED, False, False)),
        ([(DETECTED, 19, 0)], DETECTED, 20, 10, (DETECTED, True, False)),
        ([(MITIGATED, 19, 0)], MITIGATED, 20, 10, (MITIGATED, True, False)),
        ([(STARTED, 19, 0)], STARTED, 18, 0, (STARTED, True, False)),
        ([(STARTED, 19, 0), (DETECTED, 20, 0), (MITIGATED, 20, 30)], RESOLVED, 19, 30, (DETECTED, False, True)),
    ],
)
def test_what_contradicts_is_found(
    before: list[tuple[Milestone, int, int]],
    milestone: Milestone,
    hour: int,
    minute: int,
    against: tuple[Milestone, bool, bool],
) -> None:
    about = INCIDENT if any(mark[0] is RESOLVED for mark in before) else OPEN
    assert describe(find_clash(about, mark_entries(*before), milestone, at(hour, minute))) == against


@pytest.mark.parametrize(
    ("before", "milestone", "hour", "minute"),
    [
        ([], RESOLVED, 21, 0),
        ([(STARTED, 2, 0)], DETECTED, 21, 0),
        ([(MITIGATED, 21, 0)], RESOLVED, 21, 0),
        ([(STARTED, 21, 0)], DETECTED, 21, 0),
        ([(DETECTED, 21, 0)], STARTED, 20, 0),
        ([(STARTED, 20, 0), (RESOLVED, 21, 0)], DETECTED, 20, 30),
    ],
)
def test_what_is_in_order_is_not_asked(
    before: list[tuple[Milestone, int, int]], milestone: Milestone, hour: int, minute: int
) -> None:
    about = INCIDENT if any(mark[0] is RESOLVED for mark in before) else OPEN
    assert find_clash(about, mark_entries(*before), milestone, at(hour, minute)) is None


def test_a_time_typed_to_the_minute_may_be_any_second_of_it() -> None:
    mitigated = (entry(1, at(14, 5) + timedelta(seconds=40), milestone=MITIGATED),)
    assert find_clash(OPEN, mitigated, RESOLVED, at(14, 5)) is None
    assert find_clash(OPEN, mitigated, RESOLVED, at(14, 4)) is not None
    assert find_clash(OPEN, mitigated, RESOLVED, at(14, 5) + timedelta(seconds=39)) is not None


def test_an_acknowledgement_without_a_time_says_only_when_it_was_typed() -> None:
    undated = (entry(1, at(14, 30), milestone=ACKNOWLEDGED, recorded_at=at(14, 30)),)
    assert find_clash(OPEN, undated, MITIGATED, at(14, 20)) is None
    assert find_clash(OPEN, undated, DETECTED, at(14, 40)) is not None
    mitigated = mark_entries((MITIGATED, 14, 20))
    assert find_clash(OPEN, mitigated, ACKNOWLEDGED, at(14, 30), now=at(14, 30)) is None
    assert find_clash(OPEN, mitigated, ACKNOWLEDGED, at(14, 30), now=at(15, 0)) is not None


def test_what_did_not_last_contradicts_nothing() -> None:
    first = (
        *mark_entries((DETECTED, 14, 0), (MITIGATED, 14, 30), (RESOLVED, 14, 40)),
        entry(4, at(15, 0), "Reopened", kind=EntryKind.STATUS),
    )
    assert find_clash(OPEN, first, MITIGATED, at(15, 30)) is None
    assert find_clash(OPEN, first, RESOLVED, at(15, 30)) is None
    assert find_clash(OPEN, first, ACKNOWLEDGED, at(15, 10)) is None
    assert describe(find_clash(OPEN, first, DETECTED, at(15, 0))) == (DETECTED, True, False)


@given(st.permutations(list(Milestone)), st.lists(st.integers(0, 200), min_size=5, max_size=5))
def test_what_is_asked_when_typed_is_what_the_checks_would_find(order: list[Milestone], minutes: list[int]) -> None:
    written: tuple[Entry, ...] = ()
    asked = False
    for number, milestone in enumerate(order, 1):
        moment = at(12, 0) + timedelta(minutes=minutes[number - 1])
        is_resolved = any(one.milestone is RESOLVED for one in written)
        asked = asked or find_clash(INCIDENT if is_resolved else OPEN, written, milestone, moment) is not None
        written = (*written, entry(number, moment, milestone=milestone))
    found = [one for one in list_findings(case(entries=written), NOW) if one.kind is FindingKind.ORDER]
    assert asked == bool(found)


def test_how_long_it_lasted_is_what_the_document_says() -> None:
    span = measure_span(INCIDENT, mark_entries((STARTED, 13, 58), (DETECTED, 14, 5), (RESOLVED, 15, 10)), at(13, 50))
    assert (span.since, span.until, span.length) == (at(13, 58), at(15, 10), timedelta(hours=1, minutes=12))
    assert measure_span(OPEN, mark_entries((DETECTED, 14, 5)), at(13, 50)).length is None
    assert measure_span(OPEN, (), at(13, 50)).since == at(13, 50)
    assert measure_span(OPEN, (), None).since == OPEN.opened_at
    assert measure_span(INCIDENT, mark_entries((STARTED, 15, 58), (RESOLVED, 15, 10)), None).length is None
