"""Outlines: what a definition means, what an incident keeps, and that no text is lost when another one is chosen."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import checks as checks_rules
from bot.domain import outline as outline_rules
from bot.domain import postmortem as postmortem_rules
from bot.domain.outline import STANDARD, Outline, define_outline, give_outline, outline_of
from bot.domain.records import Case, Incident
from bot.domain.sections import BY_SLUG, SECTIONS, Section
from bot.errors import Refused
from tests.support.export.cases import NOW, case, incident, section_text

SHORT, _ = define_outline(
    "short",
    {
        "title": "Short form",
        "summary": {"title": "What happened"},
        "root_cause": {"title": "Cause"},
        "costs": {"question": "What did it cost?", "required": True},
        "actions": {"title": "What will change", "required": False},
    },
)


def short_case(**written: str) -> Case:
    """A resolved incident with the short form, and texts for its sections."""
    about = give_outline(incident(), SHORT)
    return case(about=about, sections=tuple(section_text(slug, text) for slug, text in written.items()))


def test_a_definition_takes_from_ours_what_it_leaves_out() -> None:
    assert [one.slug for one in SHORT.sections] == ["summary", "root_cause", "costs", "actions"]
    assert SHORT.find("summary") == replace(BY_SLUG["summary"], title="What happened")
    assert SHORT.find("costs") == Section("costs", "Costs", "What did it cost?", is_required=True)
    assert SHORT.requirements == ("summary", "root_cause", "costs")


@pytest.mark.parametrize(
    ("values", "table", "key", "says"),
    [
        ({"costs": {"requird": True}}, "costs", "requird", "Did you mean required?"),
        ({"titel": "x", "costs": {}}, "", "titel", "Did you mean title?"),
        ({"costs": {"required": "yes"}}, "costs", "required", "required = true"),
        ({"costs": {"title": " "}}, "costs", "title", "between quotes"),
        ({"costs": {"title": "x" * 61}}, "costs", "title", "60 are the most"),
        ({"costs": {"question": 4}}, "costs", "question", "between quotes"),
        ({"Kosten": {}}, "Kosten", "", "small letters"),
        ({"title": "Empty"}, "", "", "Write at least one"),
        ({"costs": {"title": "Impact"}, "impact": {}}, "impact", "title", "same title as [costs]"),
        ({f"part{number}": {} for number in range(41)}, "", "", "40 are the most"),
    ],
)
def test_a_mistake_names_its_place(values: dict[str, object], table: str, key: str, says: str) -> None:
    (mistake,) = define_outline("short", values)[1]
    assert (mistake.table, mistake.key) == (table, key)
    assert says in mistake.sentence


def test_an_incident_has_the_14_until_it_is_given_others() -> None:
    assert outline_of(incident()) is STANDARD
    assert STANDARD.sections == SECTIONS
    assert STANDARD.requirements == ("summary", "impact", "root_cause", "actions")
    assert give_outline(incident(), STANDARD).outline is None


_words = st.text(min_size=1, max_size=40)
_section = st.builds(Section, st.from_regex(outline_rules.SLUG, fullmatch=True), _words, _words, st.booleans())
_sections = st.lists(_section, min_size=1, max_size=8, unique_by=lambda one: one.slug).map(tuple)


@given(_sections, _sections, st.booleans())
def test_what_is_kept_reads_back_as_it_was(
    first: tuple[Section, ...], second: tuple[Section, ...], is_chosen: bool
) -> None:
    given_first = give_outline(incident(), Outline("first", "First", first))
    about = give_outline(given_first, Outline("second", "Second", second), is_chosen=is_chosen)
    after = outline_of(about)
    assert (after.sections, after.is_chosen) == (second, is_chosen)
    slugs = {one.slug for one in second}
    # Whatever was written for a section that is gone keeps its title.
    assert all(after.find(one.slug).title == one.title for one in first if one.slug not in slugs)


def test_the_meter_counts_the_sections_of_the_form() -> None:
    assert checks_rules.count_sections(short_case()) == (0, 4)
    assert checks_rules.count_sections(short_case(summary="Down.", costs="Much.", detection="By a customer.")) == (2, 4)
    assert checks_rules.list_blank_sections(short_case(summary="Down.")) == ("root_cause", "costs", "actions")


def test_the_next_section_is_a_required_one() -> None:
    about = give_outline(incident(), define_outline("other", {"praise": {}, "costs": {"required": True}})[0])
    assert checks_rules.find_next_section(case(about=about)) == "costs"
    assert checks_rules.find_next_section(case(about=about, sections=(section_text("costs", "1"),))) == "praise"


def test_a_publication_needs_what_the_form_requires() -> None:
    with pytest.raises(
        Refused, match=r"What happened and Costs are still empty. Start with `/postmortem fill summary`"
    ):
        postmortem_rules.publish(short_case(root_cause="A full disk."), NOW)
    done = short_case(summary="Down.", root_cause="A full disk.", costs="Much.")
    assert postmortem_rules.publish(done, NOW).published_at == NOW
    assert postmortem_rules.can_publish(done)


def test_what_the_form_lacks_is_shown_at_the_end() -> None:
    document = postmortem_rules.compile_document(short_case(detection="By a customer.", mood="Tired."), NOW)
    assert [(part.slug, part.title) for part in document.parts] == [
        ("summary", "What happened"),
        ("root_cause", "Cause"),
        ("costs", "Costs"),
        ("actions", "What will change"),
        ("detection", "Also written: Detection"),
        ("mood", "Also written: Mood"),
    ]
    assert document.part("detection").text == "By a customer."
    # A team's template may name any of the 14, whatever the form of the incident.
    assert document.part("leadup").text == ""
    with pytest.raises(LookupError):
        document.part("nothing_known_of")


def test_a_name_is_found_by_its_beginning_and_the_exact_one_first() -> None:
    outline = define_outline("own", {"impact": {}, "impact_on_staff": {}, "costs": {"title": "Money lost"}})[0]
    assert outline_rules.find_section(outline, "Impact") == ("impact",)
    assert outline_rules.find_section(outline, "imp") == ("impact", "impact_on_staff")
    assert outline_rules.find_section(outline, "money") == ("costs",)
    assert outline_rules.find_section(outline, "detection") == ()
    assert outline_rules.find_section(outline, "detection", also=("detection",)) == ("detection",)
    assert outline_rules.find_near_section(outline, "cosst") == "costs"


def test_titles_are_those_of_the_incident() -> None:
    about: Incident = give_outline(incident(), SHORT)
    assert outline_rules.title_of(about, "actions") == "What will change"
    assert outline_rules.title_of(incident(), "actions") == "Corrective actions"
    assert outline_rules.title_of(about, "never_defined") == "Never defined"
