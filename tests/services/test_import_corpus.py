"""The round trip from database to file to database for whole collections: stories, published incidents, any text."""

import random
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from bot import demo as demo_play
from bot.domain import postmortem as postmortem_rules
from bot.domain.records import Case
from bot.errors import NotRecorded, Refused
from bot.export import Exporter
from bot.export.json import reader as json_reader
from bot.rehearsal import story
from bot.services.documents import compiler as compiler_service
from bot.services.documents import drafts as drafts_service
from bot.services.documents.drafts import ImportRequest
from storage.database.store import Store, open_store
from tests.export import test_real_incidents
from tests.export.test_escape import TEXTS
from tests.export.test_hostile import HOSTILE, everywhere
from tests.support import full_incident
from tests.support.export.cases import NOW
from tests.support.export.json_mutations import spoil
from tests.support.full_incident import LATER, RULES, export_incident
from tests.support.timeouts import PATIENT

EXPORTER = Exporter()
TABLES = (
    *("incident", "entry", "entry_version", "attachment", "why", "why_version", "section", "action", "audit"),
    *("likeness", "person", "workspace", "reminder", "delivery", "recall"),
)


@pytest.fixture
def other(sqlite_template: Path, tmp_path: Path) -> Iterator[Store]:
    """Another database to come from."""
    path = tmp_path / "other.db"
    path.write_bytes(sqlite_template.read_bytes())
    store = open_store(f"sqlite:///{path}", timeouts=PATIENT)
    yield store
    store.close()


def take_in(store: Store, content: bytes) -> None:
    drafts_service.import_record(store, json_reader.read(content), ImportRequest(), RULES, LATER)


def check_round(about: Case, number: int, other: Store, store: Store) -> None:
    """From a case to one database, to a file, to another database, to the same file."""
    numbered = replace(about, incident=replace(about.incident, number=number))
    take_in(other, EXPORTER.render(postmortem_rules.compile_document(numbered, NOW), "json"))
    content = export_incident(other, number)
    take_in(store, content)
    assert export_incident(store, number) == content


async def test_the_story_that_ships_comes_back_byte_for_byte(store: Store, tmp_path: Path) -> None:
    files = await demo_play.play(story.shipped_story(), tmp_path / "out", timeouts=PATIENT)
    (content,) = (path.read_bytes() for path in files if path.suffix == ".json")
    record = json_reader.read(content)
    imported = drafts_service.import_record(store, record, ImportRequest(), RULES, record.generated_at).incident
    document = store.read_now(lambda tx: compiler_service.compile_document(tx, imported, "json", record.generated_at))
    assert EXPORTER.render(document, "json") == content


@pytest.mark.skipif(not test_real_incidents.FILES, reason="the published incidents are not beside this checkout")
def test_every_published_incident_comes_back_byte_for_byte(other: Store, store: Store) -> None:
    assert len(test_real_incidents.FILES) > 20
    for number, path in enumerate(test_real_incidents.FILES, 1):
        # Open ones would need a channel each.
        case = test_real_incidents.read(path)
        place = replace(case.incident, channel=f"C{number}")
        check_round(replace(case, incident=place), number, other, store)


def test_hostile_text_in_every_field_comes_back_byte_for_byte(other: Store, store: Store) -> None:
    for number, text in enumerate(HOSTILE, 1):
        check_round(everywhere(text), number, other, store)


def test_any_text_in_every_field_comes_back_byte_for_byte(other: Store, store: Store) -> None:
    numbers = count(1)

    @given(TEXTS)
    @settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
    def check(text: str) -> None:
        check_round(everywhere(text), next(numbers), other, store)

    check()


def rows(store: Store) -> dict[str, int]:
    connection = store.driver.connect(reading=True)
    try:
        return {table: connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0] for table in TABLES}
    finally:
        connection.close()


@pytest.mark.parametrize("seed", range(2))
def test_a_spoiled_file_is_taken_in_whole_or_leaves_nothing_behind(seed: int, other: Store, store: Store) -> None:
    other.write_now(full_incident.write)
    content, chance = export_incident(other), random.Random(seed)
    for content_number in (1, 2):
        take_in(store, export_incident(other, content_number))
    taken = 0
    for _ in range(80):
        before = rows(store)
        try:
            record = json_reader.read(spoil(content, chance))
            imported = drafts_service.import_record(store, record, ImportRequest(is_new=True), RULES, LATER)
        except Refused:
            assert rows(store) == before
            continue
        taken += 1
        # What came in goes out again, and that can come in again.
        document = store.read_now(
            partial(compiler_service.compile_document, incident=imported.incident, form="json", now=LATER)
        )
        again = json_reader.read(EXPORTER.render(document, "json"))
        assert (again.case.entries, again.case.whys, again.case.actions) == (
            record.case.entries, record.case.whys, record.case.actions,
        )  # fmt: skip
        assert again.history.wordings == record.history.wordings
    assert taken > 1


@pytest.mark.parametrize("table", ["why_version", "likeness", "audit"])
def test_an_import_that_fails_at_its_last_row_leaves_nothing_behind(
    table: str, other: Store, sqlite_store: Store
) -> None:
    other.write_now(full_incident.write)
    take_in(sqlite_store, export_incident(other, 1))
    connection = sqlite_store.driver.connect()
    connection.execute(f"CREATE TRIGGER full BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'full'); END")
    connection.close()
    before = rows(sqlite_store)
    with pytest.raises(NotRecorded):
        take_in(sqlite_store, export_incident(other))
    assert rows(sqlite_store) == before
