"""What is inconsistent or unfinished in a record, and what fixes it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.checks import Finding, FindingKind, Remedy, find_placeholder, list_findings
from bot.domain.records import ActionStatus, Case, Entry, EntryKind, Milestone, Status
from tests.support.export.cases import FULL, NOTHING_KNOWN, NOW, action, at, case, entry, incident, section_text, why

IMPACT, DETECTED, ACKNOWLEDGED, MITIGATED, RESOLVED = Milestone


def of(kind: FindingKind, record: Case) -> list[Finding]:
    return [finding for finding in list_findings(record, NOW) if finding.kind is kind]


def mark_entries(*marks: tuple[Milestone, int, int]) -> tuple[Entry, ...]:
    return tuple(entry(n, at(hour, minute), milestone=mark) for n, (mark, hour, minute) in enumerate(marks, 1))


IN_ORDER = mark_entries(
    (IMPACT, 14, 0), (DETECTED, 14, 5), (ACKNOWLEDGED, 14, 6), (MITIGATED, 14, 20), (RESOLVED, 14, 40)
)


def test_a_sound_record_has_no_findings() -> None:
    linked = action(1, link="https://tracker.example.com/OPS-1")
    sound = case(entries=IN_ORDER, whys=(replace(why(1, None, root=True), actions=(1,)),), actions=(linked,))
    assert list_findings(sound, NOW) == ()


def test_an_incident_that_goes_on_lacks_no_milestone_yet() -> None:
    assert list_findings(NOTHING_KNOWN, NOW) == ()


def test_resolved_before_detected_is_said_in_these_words_and_edits_the_later_milestone() -> None:
    (found,) = of(FindingKind.ORDER, case(entries=mark_entries((DETECTED, 15, 0), (RESOLVED, 14, 30))))
    assert found.sentence == "Resolved (14:30 UTC) is before detected (15:00 UTC)."
    assert (found.mend, found.target, found.is_question) == (Remedy.EDIT_ENTRY, 2, False)


def test_days_are_named_only_where_they_differ() -> None:
    midnight = (entry(1, at(0, 5) + timedelta(days=1), milestone=DETECTED), entry(2, at(23, 50), milestone=RESOLVED))
    found = of(FindingKind.ORDER, case(about=incident(resolved_at=at(23, 50)), entries=midnight))
    assert [one.sentence for one in found] == [
        "Resolved (Mon 23 Nov, 23:50 UTC) is before detected (Tue 24 Nov, 0:05 UTC)."
    ]


def test_contradicting_times_and_ownerless_actions_are_asked_about_before_publishing() -> None:
    wrong = case(
        entries=mark_entries((DETECTED, 15, 0), (RESOLVED, 14, 30)),
        actions=(action(1), action(2, owner=None), action(3, due_on=None)),
    )
    asked = [one.kind for one in list_findings(wrong, NOW) if one.is_asked_before_publishing]
    assert asked == [FindingKind.ORDER, FindingKind.ACTION]


def test_every_milestone_before_an_earlier_one_is_found() -> None:
    found = of(
        FindingKind.ORDER, case(entries=mark_entries((MITIGATED, 14, 0), (IMPACT, 14, 10), (ACKNOWLEDGED, 14, 5)))
    )
    assert [(one.sentence.split(" (")[0], one.target) for one in found] == [("Acknowledged", 3), ("Mitigated", 1)]


def test_milestones_at_one_time_are_in_order() -> None:
    assert (
        of(FindingKind.ORDER, case(entries=mark_entries((DETECTED, 14, 0), (ACKNOWLEDGED, 14, 0), (RESOLVED, 14, 0))))
        == []
    )


def test_the_latest_entry_of_a_milestone_counts_and_struck_ones_do_not() -> None:
    wrong, right = entry(1, at(16, 0), milestone=DETECTED), entry(2, at(14, 0), milestone=DETECTED)
    struck = entry(3, at(17, 0), milestone=DETECTED, struck=True)
    assert of(FindingKind.ORDER, case(entries=(wrong, right, struck, entry(4, at(15, 0), milestone=RESOLVED)))) == []


def test_what_resolved_it_before_it_was_reopened_is_not_judged() -> None:
    reopened = incident(status=Status.OPEN, resolved_at=None)
    assert (
        of(FindingKind.ORDER, case(about=reopened, entries=mark_entries((DETECTED, 15, 0), (RESOLVED, 14, 30)))) == []
    )


@pytest.mark.parametrize(("minutes", "is_found"), [(30, False), (31, True)])
def test_a_gap_of_more_than_half_an_hour_is_a_question(minutes: int, is_found: bool) -> None:
    second = at(14, 0) + timedelta(minutes=minutes)
    found = of(
        FindingKind.GAP, case(about=incident(resolved_at=at(16, 0)), entries=(entry(1, at(14, 0)), entry(2, second)))
    )
    assert [(one.is_question, one.mend) for one in found] == ([(True, Remedy.ADD_ENTRY)] if is_found else [])
    assert all(
        one.sentence == "Nothing is recorded from 14:00 to 14:31 UTC (31 min). Anything to add?" for one in found
    )


def test_a_gap_counts_from_the_end_of_a_range_even_where_another_entry_lies_within_it() -> None:
    spanning = entry(1, at(14, 0), ended_at=at(15, 0))
    during = (spanning, entry(2, at(14, 10)), entry(3, at(15, 25)))
    assert of(FindingKind.GAP, case(about=incident(resolved_at=at(16, 0)), entries=during)) == []


def test_gaps_before_the_impact_and_after_the_resolution_are_not_asked_about() -> None:
    around = (entry(8, at(9, 0)), *IN_ORDER, entry(9, at(18, 0)))
    assert of(FindingKind.GAP, case(entries=around)) == []


def test_the_quiet_between_a_resolution_and_a_reopening_is_not_asked_about() -> None:
    again = (entry(6, at(20, 0), kind=EntryKind.STATUS), entry(7, at(20, 20), milestone=RESOLVED))
    assert of(FindingKind.GAP, case(entries=(*IN_ORDER, *again))) == []
    assert of(FindingKind.GAP, case(entries=(*IN_ORDER, again[0], replace(again[1], happened_at=at(20, 31))))) != []


def test_an_entry_in_the_future_is_found_beyond_a_minute_of_difference_between_clocks() -> None:
    ahead, close = (
        entry(1, NOW + timedelta(minutes=2)),
        entry(2, NOW + timedelta(seconds=50)),
    )
    assert [(one.target, one.mend) for one in of(FindingKind.FUTURE, case(entries=(ahead, close)))] == [
        (1, Remedy.EDIT_ENTRY)
    ]


def test_a_resolved_incident_without_detection_and_recovery_is_found_and_recovery_is_a_question() -> None:
    bare = case(entries=(entry(1, at(15, 10), milestone=RESOLVED),))
    assert [(f.kind, f.mend, f.is_question) for f in list_findings(bare, NOW)] == [
        (FindingKind.DETECTION, Remedy.MARK, False),
        (FindingKind.RECOVERY, Remedy.MARK, True),
    ]


def test_an_open_action_says_all_that_it_lacks_and_a_missing_link_alone_is_a_question() -> None:
    bare = action(2, owner=None, due_on=None)
    closed = action(3, owner=None, due_on=None, status=ActionStatus.DONE)
    first, second = of(FindingKind.ACTION, case(actions=(action(1), bare, closed)))
    assert first.sentence.startswith("Action 2 has no owner, due date or ticket: “Pool")
    assert (first.is_question, first.target, first.mend) == (False, 2, Remedy.COMPLETE_ACTION)
    assert (second.is_question, second.target) == (True, 1)


def test_a_root_without_an_action_is_found() -> None:
    roots = (why(1, None, "No load test", root=True), replace(why(2, 1, root=True), actions=(1,)))
    (found,) = of(FindingKind.ROOT, case(whys=roots, actions=(action(1),)))
    assert (found.target, found.mend) == (1, Remedy.ADD_ACTION)
    assert "“No load test”" in found.sentence


def test_a_dropped_action_covers_no_root_and_an_action_of_no_why_is_for_the_only_one_without() -> None:
    root = replace(why(1, None, root=True), actions=(1,))
    dropped = action(1, status=ActionStatus.DROPPED, reason="too large")
    assert len(of(FindingKind.ROOT, case(whys=(root,), actions=(dropped,)))) == 1
    assert of(FindingKind.ROOT, case(whys=(root,), actions=(dropped, action(2)))) == []


def test_which_root_an_action_is_for_is_asked_where_there_are_several() -> None:
    roots = (why(1, None, "No load test", root=True), why(2, 1, "No alarm", root=True))
    first, second = of(FindingKind.ROOT, case(whys=roots, actions=(action(1), action(2))))
    assert (first.target, first.mend, first.is_question, first.choices) == (1, Remedy.LINK_ACTION, True, (2, 1))
    assert first.sentence.startswith("Which action is for the root cause in why 1, “No load test”? Action 2 “")
    assert second.target == 2
    one_left = (roots[0], replace(roots[1], actions=(2,)))
    assert of(FindingKind.ROOT, case(whys=one_left, actions=(action(1), action(2)))) == []


def test_an_action_made_of_a_root_covers_that_one_alone() -> None:
    roots = (replace(why(1, None, root=True), actions=(1, 2)), why(2, 1, root=True))
    (found,) = of(FindingKind.ROOT, case(whys=roots, actions=(action(1), action(2))))
    assert (found.target, found.mend, found.is_question) == (2, Remedy.ADD_ACTION, False)


def test_an_action_for_a_why_that_is_no_root_covers_none() -> None:
    chain = (replace(why(1, None), actions=(1,)), why(2, 1, root=True))
    assert [found.target for found in of(FindingKind.ROOT, case(whys=chain, actions=(action(1),)))] == [2]


def test_a_written_root_cause_without_any_action_is_found() -> None:
    words = (section_text("root_cause", "The pool."),)
    assert [found.target for found in of(FindingKind.ROOT, case(sections=words))] == [None]
    assert of(FindingKind.ROOT, case(sections=words, actions=(action(1),))) == []


@pytest.mark.parametrize(
    "left",
    [
        "TODO",
        "TBD",
        "{{ summary }}",
        "[insert impact here]",
        "<describe what happened>",
        "_Not recorded_",
        "Lorem ipsum",
    ],
)
def test_a_placeholder_that_was_left_is_found_in_its_section(left: str) -> None:
    (found,) = of(FindingKind.PLACEHOLDER, case(sections=(section_text("impact", f"About 40 % of users. {left}"),)))
    assert (found.section, found.mend) == ("impact", Remedy.FILL_SECTION)
    assert left in found.sentence


@pytest.mark.parametrize(
    "fine",
    [
        "a todo list and its items",
        "a < b and c > d",
        "see [what we did](https://wiki.example.com)",
        "arr[0] and names of List<T>",
        "the {name} label, [1] and [sic]",
        "https://example.com/TODOS",
    ],
)
def test_what_people_write_on_purpose_is_no_placeholder(fine: str) -> None:
    assert find_placeholder(fine) == ""


def test_what_is_surely_wrong_stands_before_what_is_asked() -> None:
    both = case(entries=(entry(1, at(14, 0)), entry(2, at(15, 0))), actions=FULL.actions)
    found = list_findings(both, NOW)
    assert [one.kind for one in found] == [
        FindingKind.ACTION,
        FindingKind.DETECTION,
        FindingKind.RECOVERY,
        FindingKind.GAP,
    ]
    assert [one.is_question for one in found] == [False, False, True, True]
