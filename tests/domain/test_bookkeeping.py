"""Which entries only say how the incident itself changed."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.incident import is_bookkeeping
from bot.domain.records import Entry, EntryKind, Milestone
from tests.support.play import NOON

WRITTEN = Entry(1, 1, 2, NOON, None, False, "failed over", "U1", "U1", NOON, EntryKind.NOTE, None, 1, False)
RENAMED = replace(WRITTEN, text="Renamed from a to b")


@pytest.mark.parametrize(
    "entry",
    [
        replace(WRITTEN, text="Incident opened: a", kind=EntryKind.STATUS),
        replace(WRITTEN, text="Severity set to sev2", kind=EntryKind.SEVERITY),
        replace(WRITTEN, text="Ana leads", kind=EntryKind.LEAD),
        replace(WRITTEN, text="Mitigated.", kind=EntryKind.STATUS, milestone=Milestone.MITIGATED),
        replace(WRITTEN, text="Detected", milestone=Milestone.DETECTED),
        RENAMED,
    ],
)
def test_a_change_of_the_incident_is_bookkeeping(entry: Entry) -> None:
    assert is_bookkeeping(entry)


@pytest.mark.parametrize(
    "entry",
    [
        WRITTEN,
        replace(WRITTEN, text="traffic moved", kind=EntryKind.STATUS, milestone=Milestone.MITIGATED),
        replace(WRITTEN, text="by the 5xx alert", milestone=Milestone.DETECTED),
        replace(RENAMED, happened_at=NOON - timedelta(minutes=1)),
        replace(RENAMED, source="C1:1.0"),
    ],
)
def test_what_a_person_saw_is_none(entry: Entry) -> None:
    assert not is_bookkeeping(entry)
