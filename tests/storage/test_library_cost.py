"""What a page of the library costs: the same statements and rows however many incidents there are."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.library import LibraryFilters, Stage, parse_span
from bot.domain.readers import Sight
from bot.domain.records import Incident
from bot.export import Exporter
from bot.services.library import catalog as catalog_service
from storage.database.statements import Transaction
from storage.database.store import Store
from tests.support.shelves import OWNERS, write_many
from tests.support.storage.sample_records import NOW

TEAM = "T1"
SIGHT = Sight(TEAM, public=True, channels=frozenset({"CMINE"}))
SHORT, LONG = 260, 900
EXPORTER = Exporter()


def run(tx: Transaction, look: Callable[[Transaction], object]) -> tuple[list[str], int]:
    """The statements that a look runs, and how many steps SQLite's machine takes for them, in hundreds."""
    connection: Any = tx._connection
    seen: list[str] = []
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    connection.set_trace_callback(seen.append)
    connection.set_progress_handler(count, 100)
    look(tx)
    connection.set_progress_handler(None, 0)
    connection.set_trace_callback(None)
    return [statement for statement in seen if not statement.startswith("--")], steps


def list_by(**filters: Any) -> Callable[[Transaction], object]:
    return lambda tx: catalog_service.list_shelf(tx, SIGHT, LibraryFilters(**filters), None, NOW)


LOOKS: dict[str, Callable[[Transaction], object]] = {
    "index": list_by(),
    "severity": list_by(severity="sev2"),
    "status": list_by(stage=Stage.PUBLISHED),
    "owner": list_by(owner=OWNERS[0][0]),
    "overdue": list_by(is_overdue=True),
    "severity of a month": list_by(severity="sev2", span=parse_span("2026-11")),
    "several": list_by(severity="sev2", owner=OWNERS[0][0], stage=Stage.PUBLISHED),
    "feed": lambda tx: catalog_service.list_published(tx, SIGHT, NOW, 30),
}


@pytest.mark.parametrize("name", LOOKS)
def test_a_list_takes_as_many_statements_and_steps_of_a_long_history_as_of_a_short_one(
    name: str, sqlite_store: Store
) -> None:
    def measure(tx: Transaction) -> tuple[list[str], int]:
        LOOKS[name](tx)  # what a statement costs to prepare is no part of it
        return run(tx, LOOKS[name])

    sqlite_store.write_now(lambda tx: write_many(tx, TEAM, SHORT, NOW, actions=1))
    few, cost = sqlite_store.write_now(measure)
    sqlite_store.write_now(lambda tx: write_many(tx, TEAM, LONG, NOW - timedelta(days=SHORT)))
    many, later = sqlite_store.write_now(measure)
    assert len(few) - 1 <= len(many) <= len(few) <= 12
    assert later <= 1.1 * cost + 2


@pytest.mark.parametrize("name", LOOKS)
def test_a_list_goes_along_an_index_and_is_not_sorted(name: str, sqlite_store: Store) -> None:
    def look(tx: Transaction) -> list[str]:
        connection: Any = tx._connection
        statements, _ = run(tx, LOOKS[name])
        listing = next(
            statement for statement in statements if "FROM incident" in statement and "opened_at" in statement
        )
        return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {listing}")]

    sqlite_store.write_now(lambda tx: write_many(tx, TEAM, SHORT, NOW))
    steps = sqlite_store.write_now(look)
    assert any(re.match(r"SEARCH incident USING INDEX ix_incident_\w*opened", step) for step in steps), steps


def test_a_long_list_is_turned_page_by_page_to_its_end(sqlite_store: Store) -> None:
    incidents = sqlite_store.write_now(lambda tx: write_many(tx, TEAM, 1_000, NOW))
    found: list[str] = []
    after, costs = None, []

    def turn(tx: Transaction) -> Any:
        return catalog_service.list_shelf(tx, SIGHT, LibraryFilters(), after, NOW)

    while True:
        shelf = sqlite_store.read_now(turn)
        found += [row.key for row in shelf.rows]
        costs.append(len(shelf.rows))
        after = shelf.after
        if after is None:
            break
    assert found == [incident.key for incident in reversed(incidents)]
    assert set(costs) == {catalog_service.PAGE}


def test_an_incident_of_two_hundred_actions_is_a_page(sqlite_store: Store) -> None:
    (incident,) = sqlite_store.write_now(lambda tx: write_many(tx, TEAM, 1, NOW, actions=200))
    view = sqlite_store.read_now(lambda tx: catalog_service.read_page(tx, EXPORTER, SIGHT, incident.number, NOW))
    assert view is not None
    assert (view.outcome.total, view.outcome.open, view.outcome.overdue) == (200, 200, 200)
    assert catalog_service.describe_outcome(view.outcome) == "None of 200 actions are done; 200 open, all overdue."


def test_a_page_of_an_incident_costs_the_same_beside_many(sqlite_store: Store) -> None:
    def read(incident: Incident) -> Callable[[Transaction], object]:
        return lambda tx: catalog_service.read_page(tx, EXPORTER, SIGHT, incident.number, NOW)

    first, *_ = sqlite_store.write_now(lambda tx: write_many(tx, TEAM, 150, NOW))
    few, cost = sqlite_store.write_now(lambda tx: run(tx, read(first)))
    sqlite_store.write_now(lambda tx: write_many(tx, TEAM, 450, NOW))
    many, later = sqlite_store.write_now(lambda tx: run(tx, read(first)))
    assert len(many) <= len(few) + 2
    assert later <= 1.3 * cost + 20
