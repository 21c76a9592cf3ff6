"""What is counted of the twenty incidents, as both databases have it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.facets import Facet, FacetKind
from bot.domain.numbers import CountedIncident, Selection, read_period
from bot.domain.readers import Sight, public_sight
from bot.domain.records import Milestone, Place
from storage import actions as actions_store
from storage import channels as channels_store
from storage import facets as facets_store
from storage import incidents as incidents_store
from storage import numbers as numbers_store
from storage import timeline as timeline_store
from storage.actions import NewAction
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.timeline import NewEntry
from tests.support.twenty_incidents import COUNTED, NOW, PRIVATE, ROWS, TEAM, store_rows

CHOSEN = Selection(read_period("2026-09..2026-11", NOW))
EVERYONE = public_sight(TEAM)
MEMBER = Sight(TEAM, public=True, channels=frozenset({PRIVATE}))


@pytest.fixture
def twenty(store: Store) -> Store:
    store.write_now(store_rows)
    return store


def read(store: Store, chosen: Selection = CHOSEN, sight: Sight = EVERYONE) -> list[CountedIncident]:
    sample = store.read_now(lambda tx: numbers_store.read_sample(tx, chosen, sight))
    assert not sample.is_cut
    return sorted(sample.incidents, key=lambda one: one.incident.number)


def numbers(found: list[CountedIncident]) -> list[int]:
    return [one.incident.number for one in found]


def test_everything_that_is_counted_is_read(twenty: Store) -> None:
    for found, row in zip(read(twenty), COUNTED, strict=True):
        assert replace(found, incident=row.incident()) == row.to_counted()
        assert found.incident == row.incident(found.incident.id)


def test_a_private_incident_counts_for_members_of_its_channel_alone(twenty: Store) -> None:
    assert 19 not in numbers(read(twenty))
    assert numbers(read(twenty, sight=MEMBER)) == [*range(2, 19), 19]
    assert read(twenty, sight=Sight(TEAM)) == []
    assert read(twenty, sight=public_sight("T2")) == []
    assert numbers(read(twenty, sight=Sight(TEAM, channels=frozenset({"C3", PRIVATE})))) == [3, 19]


def test_a_private_incident_is_no_earlier_one_with_the_same_cause(twenty: Store) -> None:
    privacy = {row.channel: row.number in (2, 19) for row in ROWS}
    twenty.write_now(lambda tx: channels_store.save_privacy(tx, TEAM, privacy, NOW))
    assert {one.incident.number: one.repeats for one in read(twenty) if one.repeats} == {13: (11,), 16: (9,)}
    # A member of INC-19's channel does not learn of INC-2 from it.
    assert read(twenty, sight=MEMBER)[-1].repeats == ()


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (replace(CHOSEN, severity=1), [2, 8, 13]),
        (replace(CHOSEN, service="CHECKOUT"), [2, 3, 8, 11, 13, 18]),
        (replace(CHOSEN, tag="database"), [2, 5, 11, 16]),
        (replace(CHOSEN, service="checkout", tag="deploy", severity=1), [8, 13]),
        (replace(CHOSEN, service="database"), []),
        (replace(CHOSEN, tag="secret"), []),
        # The last second of September and the first moment of October.
        (Selection(read_period("2026-09", NOW)), [2, 3, 4, 5, 6, 7]),
        (Selection(read_period("2026-10", NOW)), [8, 9, 10, 11, 12]),
        (Selection(read_period("2026-08", NOW)), [1]),
        (Selection(read_period("2026-12", NOW)), []),
    ],
)
def test_a_selection_finds_its_incidents(twenty: Store, chosen: Selection, expected: list[int]) -> None:
    assert numbers(read(twenty, chosen)) == expected


def test_a_milestone_that_was_taken_back_or_corrected_counts_as_the_document_has_it(twenty: Store) -> None:
    three = read(twenty)[1]

    def correct(mark: Milestone, **changes: object) -> None:
        entry = twenty.read_now(lambda tx: timeline_store.find_milestone(tx, three.incident.id, mark))
        assert entry is not None
        changed = replace(entry, **changes)  # type: ignore[arg-type]
        twenty.write_now(lambda tx: timeline_store.amend(tx, changed, "edited", "U1", NOW))

    correct(Milestone.DETECTED, struck=True)
    later = three.milestones[Milestone.MITIGATED] + timedelta(minutes=5)
    correct(Milestone.MITIGATED, happened_at=later)
    found = read(twenty)[1].milestones
    assert Milestone.DETECTED not in found
    assert found[Milestone.MITIGATED] == later


def test_of_very_many_the_latest_count_and_it_is_said(twenty: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numbers_store, "MOST", 3)
    sample = twenty.read_now(lambda tx: numbers_store.read_sample(tx, CHOSEN, EVERYONE))
    assert (sorted(numbers(list(sample.incidents))), sample.is_cut) == ([16, 17, 18], True)


def test_a_reopened_incident_no_longer_counts(twenty: Store) -> None:
    two = read(twenty)[0].incident
    open_again = replace(two, resolved_at=None)
    twenty.write_now(lambda tx: incidents_store.save(tx, open_again))
    assert numbers(read(twenty))[0] == 3


def count_steps(store: Store) -> int:
    """The steps of SQLite's machine that reading takes."""
    steps = 0

    def tick() -> int:
        nonlocal steps
        steps += 1
        return 0

    def look(tx: Transaction) -> None:
        connection: Any = tx._connection
        connection.set_progress_handler(tick, 1)
        numbers_store.read_sample(tx, CHOSEN, MEMBER)
        connection.set_progress_handler(None, 1)

    store.write_now(look)
    return steps


def write_history(tx: Transaction, count: int) -> None:
    """Incidents of the years before, each with a timeline, milestones, an action and names like those that count."""
    old = next(row for row in ROWS if row.number == 1)
    for index in range(count):
        at = NOW - timedelta(days=400 + index)
        incident = incidents_store.open_new(tx, Place(TEAM, "C1"), f"Outage {index}", "U1", at)
        resolved = replace(old.incident(incident.id), number=incident.number, resolved_at=at, published_at=at)
        incidents_store.save(tx, resolved)
        for number in range(20):
            milestone = list(Milestone)[number] if number < 5 else None
            timeline_store.append(tx, incident.id, NewEntry(at, "step", "U1", "U1", at, milestone=milestone))
        actions_store.add(tx, incident.id, NewAction("Do it", None, at.date(), at, "", "U1", at))
        facets_store.add(tx, incident, Facet(FacetKind.SERVICE, "checkout", "U1", at))


def test_what_is_older_than_the_period_costs_nothing(sqlite_store: Store) -> None:
    sqlite_store.write_now(store_rows)
    sqlite_store.write_now(lambda tx: write_history(tx, 30))
    before = count_steps(sqlite_store)
    sqlite_store.write_now(lambda tx: write_history(tx, 600))
    assert before > 1_000
    assert count_steps(sqlite_store) <= 1.05 * before
