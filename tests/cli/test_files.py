"""Where a file can't be written, a sentence says so, and what stood there is there still."""

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import Result

from storage.database.store import Store, open_store
from tests.support.command_line import invoke
from tests.support.storage.sample_records import open_incident
from tests.support.timeouts import PATIENT

FULL = Path("/dev/full")


@pytest.fixture
def store(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("DATABASE_URL", sqlite_url)
    made = open_store(sqlite_url, timeouts=PATIENT)
    made.write_now(open_incident)
    made.close()
    return made


def run_export(*words: str) -> Result:
    return invoke("export", "INC-1", *words)


def test_a_folder_that_is_not_there_is_a_sentence(store: Store, tmp_path: Path) -> None:
    result = run_export("-o", str(tmp_path / "nowhere" / "draft.md"))
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert "draft.md can't be written (No such file or directory)." in result.stderr


def test_what_stood_there_stays_where_the_new_one_does_not_fit(store: Store, tmp_path: Path) -> None:
    draft = tmp_path / "draft.md"
    draft.write_text("what people wrote", encoding="utf-8")
    limited = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100));"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "from pathlib import Path; from bot.cli.options import write_output; "
        "write_output(b'x' * 1000, Path(sys.argv[1]))"
    )
    ended = subprocess.run([sys.executable, "-c", limited, str(draft)], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "can't be written (File too large)" in ended.stderr
    assert draft.read_text(encoding="utf-8") == "what people wrote"
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")] == []


def test_a_file_is_replaced_whole_through_a_link_and_keeps_its_mode(store: Store, tmp_path: Path) -> None:
    draft, link = tmp_path / "draft.md", tmp_path / "link.md"
    draft.write_text("old", encoding="utf-8")
    draft.chmod(0o640)
    link.symlink_to(draft)
    assert run_export("-o", str(link)).exit_code == 0
    assert link.is_symlink()
    assert draft.read_text(encoding="utf-8").startswith("---")
    assert draft.stat().st_mode & 0o777 == 0o640


@pytest.mark.skipif(not FULL.exists(), reason="the system has no device that is always full")
def test_a_device_is_written_to_and_its_trouble_is_a_sentence(store: Store) -> None:
    assert "/dev/full can't be written (No space left on device)." in run_export("-o", str(FULL)).stderr
    assert FULL.is_char_device()
    assert run_export("-o", os.devnull).exit_code == 0


@pytest.mark.skipif(not FULL.exists(), reason="the system has no device that is always full")
def test_standard_output_that_is_full_is_a_sentence(store: Store) -> None:
    with FULL.open("wb") as full:
        run = [sys.executable, "-c", "from bot.cli import main; main()", "export", "INC-1"]
        ended = subprocess.run(run, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert "Standard output can't be written (No space left on device)." in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_database_that_refuses_is_a_sentence_without_its_words(store: Store, sqlite_url: str) -> None:
    broken = open_store(sqlite_url, timeouts=PATIENT)
    with closing(broken.driver.connect()) as connection:
        connection.execute("ALTER TABLE incident RENAME TO gone")
    broken.close()
    result = run_export()
    assert result.exit_code == 1
    assert (
        result.stderr
        == "Error: The database refused (OperationalError). To see what's wrong with it: `afterword doctor`\n"
    )
