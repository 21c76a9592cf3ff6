"""The incident as its active entries determine it, whatever was struck or restored."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import incident as incident_rules
from bot.domain.records import Entry, EntryKind, Incident, Milestone, PostmortemStatus, Status
from bot.errors import Refused

BEGAN = datetime(2026, 11, 23, 12, tzinfo=UTC)
INCIDENT = Incident(
    1, "T1", "C1", 1, "Checkout", Status.OPEN, None, None, "U1", BEGAN,
    None, None, PostmortemStatus.OPEN, None, "", None,
)  # fmt: skip


def entry(number: int, milestone: Milestone | None, kind: EntryKind = EntryKind.STATUS) -> Entry:
    moment = BEGAN + timedelta(minutes=number)
    return Entry(number, 1, number, moment, None, False, "x", "U1", "U1", moment, kind, milestone, 1, struck=False)


STEPS = (Milestone.DETECTED, Milestone.MITIGATED, Milestone.RESOLVED, None)


def live_through(steps: list[Milestone | None]) -> tuple[Incident, list[Entry]]:
    """An incident after these milestones (None reopens), and its timeline; refused ones are left out."""
    incident, entries = INCIDENT, [entry(1, None)]
    for step in steps:
        new = entry(len(entries) + 1, step)
        try:
            after = (
                incident_rules.reopen(incident)
                if step is None
                else incident_rules.reach_milestone(incident, step, "U1", new.happened_at)
            )
        except Refused:
            continue
        kind = EntryKind.STATUS if after.status is not incident.status else EntryKind.NOTE
        incident, entries = after, [*entries, replace(new, kind=kind)]
    return incident, entries


@given(st.lists(st.sampled_from(STEPS), max_size=12))
def test_what_was_lived_through_is_what_its_entries_tell(steps: list[Milestone | None]) -> None:
    incident, entries = live_through(steps)
    assert incident_rules.derive_state(incident, reversed(entries)) == incident


@given(st.lists(st.sampled_from(STEPS), max_size=12))
def test_taking_the_last_entry_back_is_as_if_it_had_never_been(steps: list[Milestone | None]) -> None:
    incident, entries = live_through(steps)
    before, _ = live_through([entry.milestone for entry in entries[1:-1]])
    state = incident_rules.derive_state(incident, entries[:-1])
    assert (state.status, state.resolved_at, state.resolved_by) == (
        before.status,
        before.resolved_at,
        before.resolved_by,
    )


@pytest.mark.parametrize("status", [PostmortemStatus.PUBLISHED, PostmortemStatus.WAIVED])
def test_a_finished_postmortem_stays_finished_while_the_incident_stays_resolved(status: PostmortemStatus) -> None:
    incident, entries = live_through([Milestone.RESOLVED])
    incident = replace(incident, postmortem_status=status, postmortem_reason="a drill")
    assert incident_rules.derive_state(incident, entries) == incident
    state = incident_rules.derive_state(incident, entries[:-1])
    assert (state.postmortem_status, state.postmortem_reason) == (PostmortemStatus.OPEN, "")
