"""What the record knows for a section changes with the record, and with nothing else."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.domain import postmortem as postmortem_rules
from bot.domain.records import Case, Milestone, Person, Status
from bot.domain.sections import BY_SLUG
from tests.support.export.cases import FULL, NOW, action, at, entry, incident, section_text, why


def facts(case: Case, now: datetime = NOW) -> dict[str, str]:
    return dict(postmortem_rules.compile_document(case, now).facts)


def changed_sections(case: Case) -> set[str]:
    """The sections whose facts differ from those of the full case."""
    before, after = facts(FULL), facts(case)
    return {slug for slug in BY_SLUG if before[slug] != after[slug]}


def test_time_alone_changes_nothing() -> None:
    assert facts(FULL, NOW - timedelta(days=6)) == facts(FULL, NOW + timedelta(days=400))


def test_a_new_name_of_somebody_changes_nothing() -> None:
    assert changed_sections(replace(FULL, people={"U1": Person("T1", "U1", "Ana Duarte")})) == set()


def test_publishing_and_owning_change_nothing() -> None:
    assert changed_sections(replace(FULL, incident=incident(postmortem_owner="U3", published_at=NOW))) == set()


def entries(**changes: object) -> Case:
    """The full case with another fifth entry."""
    return replace(FULL, entries=tuple(replace(e, **changes) if e.number == 5 else e for e in FULL.entries))  # type: ignore[arg-type]


CHANGES = {
    "a section's text": (replace(FULL, sections=FULL.sections | {"fault": section_text("fault", "A leak")}), {"fault"}),
    "a new entry": (replace(FULL, entries=(*FULL.entries, entry(8, at(15, 20)))), {"timeline", "response"}),
    "another wording": (entries(text="Restarted the pools", version=2), {"timeline"}),
    "a deleted message": (entries(source_change="deleted"), {"timeline"}),
    "a milestone": (entries(milestone=Milestone.MITIGATED, version=2, number=9), {"impact", "recovery", "timeline"}),
    "detected again": (
        entries(milestone=Milestone.DETECTED, version=2, number=9),
        {"detection", "response", "timeline"},
    ),
    "a new lead": (replace(FULL, incident=incident(lead="U3")), {"response"}),
    "a why": (replace(FULL, whys=(*FULL.whys, why(6, 4, "No alarm"))), {"whys"}),
    "a root": (replace(FULL, whys=(*FULL.whys, why(6, 4, "No alarm", root=True))), {"whys", "root_cause"}),
    "an action": (replace(FULL, actions=(*FULL.actions, action(5))), {"actions"}),
    "an action without its link": (replace(FULL, actions=(action(1), *FULL.actions[1:])), {"actions"}),
    "reopened": (replace(FULL, incident=incident(status=Status.OPEN, resolved_at=None)), {"recovery"}),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_of_the_record_is_one_of_the_sections_that_show_it(what: str) -> None:
    case, sections = CHANGES[what]
    assert changed_sections(case) == sections
