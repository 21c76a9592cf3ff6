"""The ends of the history, noted beside the database: what was cut off is seen, in the log and by doctor."""

import shutil
from pathlib import Path

import pytest

from bot.services.history.chain import ChainNotes, find_notes_file, read_notes
from storage.database import drivers
from storage.database.store import Store, open_store
from storage.history import chain as chain_store
from tests.support import interactions
from tests.support.command_line import invoke
from tests.support.interactions import on_stage, type_command
from tests.support.storage.sample_records import noting, open_incident
from tests.support.timeouts import PATIENT


async def test_every_sweep_notes_where_the_history_ends(sqlite_url: str, tmp_path: Path) -> None:
    file = tmp_path / "afterword.db.chain"
    async with on_stage(sqlite_url) as play:
        await interactions.open_incident(play)
        await play.bot.sweep(play.bot.clock.now())
        (first,) = read_notes(file)
        await type_command(play, play.ana, "/timeline the pool ran out")
        await play.bot.sweep(play.bot.clock.now())
        (second,) = read_notes(file)
        assert second.position > first.position
        size = file.stat().st_size
        await play.bot.sweep(play.bot.clock.now())
        assert file.stat().st_size == size  # nothing new, nothing written
        assert file.stat().st_mode & 0o777 == 0o600
        assert "pool" not in file.read_text()


@pytest.fixture
async def cut(sqlite_url: str, tmp_path: Path) -> Path:
    """The notes about a database whose log lost its end: what is left is whole, and ends earlier."""
    path, earlier = tmp_path / "afterword.db", tmp_path / "earlier.db"
    store = open_store(sqlite_url, timeouts=PATIENT)
    store.write_now(open_incident)
    store.write_now(noting("there"))
    drivers.backup(sqlite_url, earlier)
    store.write_now(noting("lost"))
    file = find_notes_file("beside", store.driver)
    assert file is not None
    await ChainNotes(store, file).write()
    store.close()
    shutil.copyfile(earlier, path)
    return file


def test_doctor_sees_that_the_end_was_cut_off(cut: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", sqlite_url)
    found = invoke("doctor")
    assert f"FAIL  history: The history of 1 incident doesn't match {cut}: its end was cut off" in found.stdout


async def test_the_log_says_so_and_what_follows_does_not_hide_it(
    cut: Path, sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    store = open_store(sqlite_url, timeouts=PATIENT)
    notes = ChainNotes(store, cut)
    await notes.write()
    assert "its end was cut off" in caplog.text
    store.write_now(noting("another"))
    await notes.write()
    assert store.read_now(lambda tx: chain_store.find_lost_heads(tx, read_notes(cut)))
    store.close()


async def test_the_file_stays_short_and_a_cut_line_counts_for_nothing(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "chain"
    store.write_now(open_incident)
    notes = ChainNotes(store, file)
    await notes.write()
    with file.open("a") as opened:
        opened.write("1 77 abc")  # a crash in the middle of a line
    store.write_now(noting("one"))
    await notes.write()
    assert read_notes(file) == store.read_now(chain_store.list_heads)
    notes._lines = 5_000
    store.write_now(noting("two"))
    await notes.write()
    assert len(file.read_text().splitlines()) == 2
    assert read_notes(file) == store.read_now(chain_store.list_heads)


async def test_where_it_cannot_be_written_recording_goes_on(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store.write_now(open_incident)
    store.write_now(noting("one"))
    await ChainNotes(store, tmp_path / "no such folder" / "chain").write()
    assert f"couldn't be noted in {tmp_path}" in caplog.text
    store.write_now(noting("two"))


def test_where_it_is_noted_is_the_operators_choice(store: Store, tmp_path: Path) -> None:
    beside = find_notes_file("beside", store.driver)
    assert (beside is None) is (store.driver.dialect.name == "postgresql")
    assert find_notes_file("none", store.driver) is None
    assert find_notes_file(str(tmp_path / "x"), store.driver) == tmp_path / "x"
