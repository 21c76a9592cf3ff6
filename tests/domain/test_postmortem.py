from datetime import UTC, datetime, timedelta

import pytest

from bot.domain import postmortem as postmortem_rules
from bot.domain.document import Metrics
from bot.domain.records import Entry, Milestone, PostmortemStatus, Status
from bot.domain.sections import SECTIONS
from tests.support.export.cases import FULL, NOTHING_KNOWN, NOW, action, at, case, entry, incident, section_text

MARKED = (
    entry(1, at(13, 50)),
    entry(2, at(14, 0), milestone=Milestone.IMPACT_STARTED),
    entry(3, at(14, 5), milestone=Milestone.DETECTED),
    entry(4, at(14, 9), milestone=Milestone.ACKNOWLEDGED),
    entry(5, at(14, 41), milestone=Milestone.MITIGATED),
    entry(6, at(15, 10), milestone=Milestone.RESOLVED),
)


def test_the_fourteen_sections_stand_in_their_order() -> None:
    document = postmortem_rules.compile_document(NOTHING_KNOWN, NOW)
    assert [part.slug for part in document.parts] == [
        "summary", "leadup", "fault", "impact", "detection", "response", "recovery", "timeline", "whys", "root_cause",
        "backlog_check", "recurrence", "lessons", "actions",
    ]  # fmt: skip
    assert [part.title for part in document.parts] == [section.title for section in SECTIONS]


def test_what_nobody_recorded_stays_unknown() -> None:
    document = postmortem_rules.compile_document(NOTHING_KNOWN, NOW)
    assert document.metrics == Metrics(None, None, None, None)
    assert (document.started_at, document.resolved_at, document.duration) == (None, None, None)
    assert (document.lead, document.owner, document.severity) == (None, None, "")
    assert (document.timeline, document.whys, document.actions, document.participants) == ((), (), (), ())
    assert all(part.text == "" for part in document.parts)


def test_metrics_are_the_spans_between_milestones() -> None:
    document = postmortem_rules.compile_document(case(entries=MARKED), NOW)
    minutes = [*(timedelta(minutes=count) for count in (5, 4, 41, 70)), NOW - at(15, 10)]
    assert document.metrics == Metrics(*minutes)
    assert document.duration == timedelta(minutes=70)


@pytest.mark.parametrize(
    ("status", "published", "age"),
    [
        (PostmortemStatus.PUBLISHED, at(17, 10), timedelta(hours=2)),
        (PostmortemStatus.OPEN, None, NOW - at(15, 10)),
        (PostmortemStatus.WAIVED, None, None),
    ],
)
def test_a_postmortem_ages_until_it_is_published_and_not_at_all_where_none_is_owed(
    status: PostmortemStatus, published: datetime | None, age: timedelta | None
) -> None:
    about = incident(postmortem_status=status, published_at=published)
    assert postmortem_rules.measure(case(about=about, entries=MARKED), NOW).postmortem_age == age


def test_a_span_that_would_be_negative_is_unknown() -> None:
    entries = (
        entry(1, at(14, 30), milestone=Milestone.IMPACT_STARTED),
        entry(2, at(14, 5), milestone=Milestone.DETECTED),
        entry(3, at(14, 0), milestone=Milestone.RESOLVED),
    )
    document = postmortem_rules.compile_document(case(entries=entries), NOW)
    assert document.metrics == Metrics(None, None, None, None, postmortem_age=NOW - at(14, 0))
    assert document.duration is None


def test_the_latest_entry_that_marks_a_milestone_counts() -> None:
    entries = (
        entry(1, at(14, 30), milestone=Milestone.DETECTED),
        entry(2, at(14, 5), milestone=Milestone.DETECTED),
    )
    mark = postmortem_rules.compile_document(case(entries=entries), NOW).mark(Milestone.DETECTED)
    assert mark.at == at(14, 5)
    assert mark.line is not None
    assert mark.line.number == 2


def test_an_incident_that_was_reopened_has_no_end() -> None:
    reopened = incident(status=Status.OPEN, resolved_at=None, resolved_by=None)
    document = postmortem_rules.compile_document(case(about=reopened, entries=MARKED), NOW)
    assert document.resolved_at is None
    assert document.duration is None
    assert document.metrics.time_to_resolve is None


def test_the_end_is_known_from_the_incident_where_no_entry_marks_it() -> None:
    document = postmortem_rules.compile_document(case(entries=MARKED[:2]), NOW)
    assert document.resolved_at == at(15, 10)


@pytest.mark.parametrize(
    ("entries", "started"), [(MARKED, at(14, 0)), (MARKED[:1], at(13, 50)), (MARKED[2:4], at(14, 5))]
)
def test_the_start_is_the_impact_else_when_it_was_noticed_else_the_first_entry(
    entries: tuple[Entry, ...], started: datetime
) -> None:
    assert postmortem_rules.compile_document(case(entries=entries), NOW).started_at == started


def test_the_timeline_is_in_order_of_time_then_number_and_leaves_out_the_struck() -> None:
    entries = (
        entry(4, at(14, 0)),
        entry(3, at(14, 0)),
        entry(2, at(13, 0), struck=True),
        entry(1, datetime(1999, 12, 31, 23, 59, tzinfo=UTC)),
    )
    document = postmortem_rules.compile_document(case(entries=entries), NOW)
    assert [line.number for line in document.timeline] == [1, 3, 4]
    assert document.spans_days


def test_a_range_that_runs_past_midnight_spans_days() -> None:
    document = postmortem_rules.compile_document(case(entries=(entry(1, at(23, 50), ended_at=at(0, 0, day=24)),)), NOW)
    assert document.spans_days


def test_author_and_recorder_are_named_and_an_unknown_person_keeps_the_id() -> None:
    document = postmortem_rules.compile_document(case(entries=(entry(1, at(14, 0), author="U99", recorder="U2"),)), NOW)
    (line,) = document.timeline
    assert (line.author.name, line.recorder.name, line.was_told) == ("U99", "Ben Okafor", True)


def test_participants_say_who_wrote_how_much_and_when_the_lead_first() -> None:
    ana, chloe, ben = postmortem_rules.compile_document(FULL, NOW).participants
    assert (ana.who.name, ana.is_lead, ana.authored) == ("Ana Costa", True, 5)
    assert (chloe.authored, chloe.first_at, chloe.last_at) == (2, at(13, 52), at(14, 41))
    assert (ben.who.name, ben.authored, ben.recorded, ben.first_at) == ("Ben Okafor", 0, 1, None)


@pytest.mark.parametrize(("now", "overdue"), [(at(23, 59, day=27), False), (at(0, 0, day=28), True)])
def test_an_open_action_is_overdue_from_the_instant_its_day_ends(now: datetime, overdue: bool) -> None:
    (item,) = postmortem_rules.compile_document(case(actions=(action(1),)), now).actions
    assert item.is_overdue is overdue


def test_a_closed_action_is_never_overdue() -> None:
    assert [item.is_overdue for item in postmortem_rules.compile_document(FULL, NOW).actions] == [
        True,
        False,
        False,
        False,
    ]


def test_every_text_is_freed_from_what_misleads_or_cannot_be_written() -> None:
    hostile = "a\u202eb\x1bc\ud800d\r\ne\u2028f\x00"
    about = incident(title=f"  {hostile} ")
    document = postmortem_rules.compile_document(
        case(about=about, entries=(entry(1, at(14, 0), hostile),), sections=(section_text("fault", hostile),)), NOW
    )
    assert document.title == "abcd e f"
    assert document.timeline[0].text == "abcd\ne\nf"
    assert document.parts[2].text == "abcd\ne\nf"


def test_a_section_of_white_space_is_blank() -> None:
    document = postmortem_rules.compile_document(case(sections=(section_text("fault", " \n\u202e"),)), NOW)
    assert (document.parts[2].text, document.parts[2].author) == ("", None)
