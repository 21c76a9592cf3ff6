"""What a section is filled in with before anyone wrote it: only what the record holds."""

from dataclasses import replace

from bot.domain import postmortem as postmortem_rules
from bot.domain.records import Case, EntryKind, Milestone, Status
from bot.domain.secrets import MASK
from bot.domain.sections import MOST_BEFORE, SECTIONS, DraftMilestone, LeadupEntry, SectionDraft, draft_section
from tests.support.export.cases import FULL, NOTHING_KNOWN, NOW, at, case, entry, incident, why

PASSWORD = "hunter" + "2-of-demo"


def of(about: Case, slug: str) -> SectionDraft:
    return draft_section(postmortem_rules.compile_document(about, NOW), slug)


def test_a_record_that_knows_nothing_fills_nothing_in() -> None:
    assert [of(NOTHING_KNOWN, section.slug) for section in SECTIONS] == [SectionDraft()] * len(SECTIONS)


def test_what_only_people_can_tell_and_what_is_a_list_is_left_to_them() -> None:
    for slug in ("fault", "lessons", "timeline", "whys", "actions", "backlog_check"):
        assert of(FULL, slug) == SectionDraft()


def test_the_summary_has_the_title_and_the_whole_span() -> None:
    found = of(FULL, "summary")
    assert (found.title, found.severity, found.began) == ("Checkout returns 503s", "sev2", Milestone.IMPACT_STARTED)
    assert (found.started_at, found.ended_at) == (at(13, 58), at(15, 10))
    going_on = case(about=incident(status=Status.OPEN, resolved_at=None), entries=(entry(1, at(14, 0)),))
    assert (of(going_on, "summary").began, of(going_on, "summary").ended_at) == (None, None)


def test_the_impact_runs_to_its_mitigation_and_is_not_guessed_from_less_than_its_start() -> None:
    began, better = of(FULL, "impact").moments
    assert began == DraftMilestone(
        Milestone.IMPACT_STARTED, at(13, 58), None, None, "Ana Costa", 2, "Errors climb to 30 %", approximate=True
    )
    assert (better.milestone, better.since, better.number) == (Milestone.MITIGATED, Milestone.IMPACT_STARTED, 6)
    unsaid = case(entries=tuple(e for e in FULL.entries if e.milestone is not Milestone.IMPACT_STARTED))
    assert of(unsaid, "impact") == SectionDraft()
    (detected,) = of(unsaid, "detection").moments
    assert detected.after is None


def test_times_that_contradict_each_other_give_no_span() -> None:
    marks = ((Milestone.IMPACT_STARTED, 15), (Milestone.DETECTED, 14))
    wrong = case(entries=tuple(entry(n, at(hour, 0), milestone=mark) for n, (mark, hour) in enumerate(marks, 1)))
    assert of(wrong, "detection").moments[0].after is None


def test_what_led_up_to_it_are_the_notes_before_the_impact() -> None:
    assert of(FULL, "leadup").before == (
        LeadupEntry(at(13, 52), "Deploy of checkout 4.12 finished", "Chloé Martin", 1),
    )
    entries = (entry(1, at(10, 0), "Incident opened", kind=EntryKind.STATUS), *FULL.entries[1:])
    assert of(case(entries=entries), "leadup") == SectionDraft()
    many = tuple(entry(n, at(10, n), f"deploy {n}") for n in range(40))
    before = of(case(entries=(*many, entry(50, at(12, 0), milestone=Milestone.DETECTED))), "leadup").before
    assert [line.number for line in before] == list(range(40 - MOST_BEFORE, 40))


def test_the_response_tells_who_led_and_who_came_when() -> None:
    found = of(FULL, "response")
    assert found.lead == "Ana Costa"
    assert found.arrivals == (("Chloé Martin", at(13, 52)), ("Ana Costa", at(13, 58)))
    assert [moment.milestone for moment in found.moments] == [Milestone.ACKNOWLEDGED]


def test_the_root_causes_are_those_that_were_marked() -> None:
    assert of(FULL, "root_cause").roots == ("The load test uses one customer",)
    assert of(case(whys=(why(1, None),)), "root_cause") == SectionDraft()


def test_an_incident_that_had_another_cause_is_named_for_recurrence() -> None:
    assert draft_section(postmortem_rules.compile_document(FULL, NOW), "recurrence", ("INC-3",)) == SectionDraft(
        other_causes=("INC-3",)
    )


def test_a_credential_is_not_copied_into_a_section() -> None:
    leak = f"rotated password={PASSWORD} by hand"
    marked = replace(FULL.entries[2], text=leak)
    assert of(replace(FULL, entries=(marked,)), "detection").moments[0].text == f"rotated password={MASK} by hand"
    assert of(case(whys=(why(1, None, leak, root=True),)), "root_cause").roots == (f"rotated password={MASK} by hand",)
    assert MASK in of(replace(FULL, incident=incident(title=leak)), "summary").title
