from bot.domain import checks as checks_rules
from bot.domain.checks import FindingKind, Remedy, list_findings
from bot.domain.records import Status
from bot.domain.sections import SECTIONS
from tests.support.export.cases import FULL, NOTHING_KNOWN, action, at, case, entry, incident, section_text, why

ALL_WRITTEN = tuple(section_text(section.slug, "Known.") for section in SECTIONS)


def test_where_nothing_is_known_every_section_is_blank_in_document_order() -> None:
    assert checks_rules.list_blank_sections(NOTHING_KNOWN) == tuple(section.slug for section in SECTIONS)
    assert checks_rules.count_sections(NOTHING_KNOWN) == (0, 14)


def test_the_record_fills_timeline_whys_root_cause_and_actions() -> None:
    assert checks_rules.count_sections(FULL) == (6, 14)
    blank = checks_rules.list_blank_sections(FULL)
    assert not {"timeline", "whys", "root_cause", "actions", "summary", "leadup"} & set(blank)
    assert {"fault", "impact", "detection", "response", "recovery"} <= set(blank)


def test_what_was_struck_fills_nothing() -> None:
    struck = case(entries=(entry(1, at(14, 0), struck=True),), whys=(why(1, None, root=True, struck=True),))
    assert checks_rules.count_sections(struck) == (0, 14)


def test_a_section_of_white_space_is_missing() -> None:
    assert "fault" in checks_rules.list_blank_sections(case(sections=(section_text("fault", " \n\t"),)))


def test_a_complete_case_misses_nothing() -> None:
    complete = case(sections=ALL_WRITTEN, actions=(action(1),))
    assert checks_rules.list_blank_sections(complete) == ()
    assert checks_rules.find_next_section(complete) == ""


def test_the_next_section_is_the_one_that_readers_look_for_first() -> None:
    assert checks_rules.find_next_section(NOTHING_KNOWN) == "root_cause"
    assert checks_rules.find_next_section(case(sections=(section_text("root_cause", "The pool."),))) == "impact"


def test_lead_and_severity_are_findings_and_no_sections_once_it_is_resolved() -> None:
    bare = case(about=incident(lead=None, severity=None), sections=ALL_WRITTEN)
    assert checks_rules.count_sections(bare) == (14, 14)
    unset = [one for one in list_findings(bare, at(16, 0)) if one.kind in (FindingKind.LEAD, FindingKind.SEVERITY)]
    assert [(one.sentence, one.mend) for one in unset] == [
        ("No lead is recorded.", Remedy.SET_LEAD),
        ("No severity is set.", Remedy.SET_SEVERITY),
    ]
    going_on = case(about=incident(lead=None, severity=None, status=Status.OPEN, resolved_at=None))
    assert list_findings(going_on, at(16, 0)) == ()
