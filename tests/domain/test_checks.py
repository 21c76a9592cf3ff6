from bot.domain import checks as checks_rules
from bot.domain.checks import Gap
from bot.domain.sections import SECTIONS
from tests.support.export.cases import FULL, NOTHING_KNOWN, action, at, case, entry, incident, why, written

ALL_WRITTEN = tuple(written(section.slug, "Known.") for section in SECTIONS)


def without(*slugs: str) -> str:
    return checks_rules.describe_progress(
        case(sections=tuple(text for text in ALL_WRITTEN if text.section not in slugs))
    )


def test_where_nothing_is_known_everything_is_missing() -> None:
    missing = checks_rules.list_missing(NOTHING_KNOWN)
    assert [one.section for one in missing[:14]] == [section.slug for section in SECTIONS]
    assert [one.gap for one in missing[14:]] == [Gap.LEAD, Gap.SEVERITY]
    assert checks_rules.count_sections(NOTHING_KNOWN) == (0, 14)


def test_every_gap_has_a_title_and_asks_a_question() -> None:
    assert all(one.title and one.question.endswith("?") for one in checks_rules.list_missing(NOTHING_KNOWN))


def test_the_record_fills_timeline_whys_root_cause_and_actions() -> None:
    assert checks_rules.count_sections(FULL) == (6, 14)
    blank = checks_rules.list_blank_sections(FULL)
    assert not {"timeline", "whys", "root_cause", "actions", "summary", "leadup"} & set(blank)
    assert {"fault", "impact", "detection", "response", "recovery"} <= set(blank)


def test_what_was_struck_fills_nothing() -> None:
    struck = case(entries=(entry(1, at(14, 0), struck=True),), whys=(why(1, None, root=True, struck=True),))
    assert checks_rules.count_sections(struck) == (0, 14)


def test_a_section_of_white_space_is_missing() -> None:
    assert "fault" in checks_rules.list_blank_sections(case(sections=(written("fault", " \n\t"),)))


def test_whys_without_a_root_ask_which_is_the_root() -> None:
    (gap,) = (one for one in checks_rules.list_missing(case(whys=(why(1, None),))) if one.section == "root_cause")
    assert gap.gap is Gap.ROOT


def test_open_actions_lack_owner_and_due_date_closed_ones_lack_nothing() -> None:
    found = [(one.gap, one.action) for one in checks_rules.list_missing(FULL) if one.section == "actions"]
    assert found == [(Gap.ACTION_OWNER, 2), (Gap.ACTION_DUE, 2)]


def test_a_complete_case_misses_nothing() -> None:
    complete = case(sections=ALL_WRITTEN, actions=(action(1),))
    assert checks_rules.list_missing(complete) == ()
    assert checks_rules.describe_progress(complete) == "All 14 sections are done"


def test_the_sentence_names_the_weightiest_blanks_first() -> None:
    assert without("leadup") == "Leadup is empty; 13 of 14 sections done"
    assert without("impact", "root_cause") == "Root cause and Impact are empty; 12 of 14 sections done"
    assert (
        without("leadup", "impact", "root_cause") == "Root cause, Impact and 1 more are empty; 11 of 14 sections done"
    )


def test_lead_and_severity_are_asked_for_only_where_unknown() -> None:
    known = case(about=incident(lead=None), sections=ALL_WRITTEN)
    assert [one.gap for one in checks_rules.list_missing(known)] == [Gap.LEAD]
