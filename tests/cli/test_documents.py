"""`afterword export` and `afterword import`, as someone types them."""

import json
from pathlib import Path

import pytest
from click.testing import Result

from storage.database.store import open_store
from tests.support import full_incident
from tests.support.command_line import invoke
from tests.support.timeouts import PATIENT

NOW = ("--now", "2026-12-03T12:00:00.123456Z")


def run(*words: str) -> Result:
    result = invoke(*words)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture
def exports(sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """INC-1 and INC-2 as files, out of another database than that of the settings."""
    for name in ("source", "here"):
        (tmp_path / f"{name}.db").write_bytes(sqlite_template.read_bytes())
    store = open_store(f"sqlite:///{tmp_path}/source.db", timeouts=PATIENT)
    store.write_now(full_incident.write)
    store.close()
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/source.db")
    files = tmp_path / "1.json", tmp_path / "2.json"
    for number, file in enumerate(files, 1):
        assert run("export", f"INC-{number}", "--format", "json", "-o", str(file), *NOW).exit_code == 0
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/here.db")
    return files


def test_what_is_imported_is_exported_as_the_very_same_file(exports: tuple[Path, Path]) -> None:
    for file in exports:
        assert run("import", str(file)).exit_code == 0
    for number, file in enumerate(exports, 1):
        assert run("export", f"INC-{number}", "--format", "json", *NOW).stdout_bytes == file.read_bytes()


def test_it_says_what_it_imported_and_what_it_left_out(exports: tuple[Path, Path]) -> None:
    output = run("import", str(exports[1])).stdout
    assert output == (
        "INC-2 was imported into T1: 8 entries, 1 struck entry, 3 whys, 2 sections, 5 actions, 1 file.\n"
        "What was recorded about INC-1 was left out, because that incident isn't here. "
        "Import it first, then this file again.\n"
    )
    run("import", str(exports[0]))
    assert (
        run("import", str(exports[1])).stdout
        == "INC-2 was already here. What was recorded about INC-1 was added to it.\n"
    )
    assert "Nothing was changed" in run("import", str(exports[1])).stdout
    assert run("export", "INC-2", "--format", "json", *NOW).stdout_bytes == exports[1].read_bytes()


def test_the_same_file_again_changes_nothing_and_says_so(exports: tuple[Path, Path]) -> None:
    run("import", str(exports[0]))
    again = run("import", str(exports[0]))
    assert (again.exit_code, again.stdout) == (
        0,
        "INC-1 is already here, with the same content. Nothing was changed.\n",
    )


def test_another_one_of_the_same_key_is_refused_until_it_may_take_a_new_key(exports: tuple[Path, Path]) -> None:
    run("import", str(exports[1]))
    other = exports[1].with_name("other.json")
    other.write_bytes(exports[1].read_bytes().replace(b"Nobody looked", b"Somebody looked"))
    refused = run("import", str(other))
    assert refused.exit_code == 1
    assert "INC-2 is already here with different content" in refused.stderr
    output = run("import", str(other), "--as-new").stdout
    assert "INC-3 was imported into T1" in output
    assert "It was INC-2 in the file. Its key is now INC-3." in output


def test_it_goes_where_the_options_say(exports: tuple[Path, Path]) -> None:
    assert "INC-1 was imported into T9" in run("import", str(exports[0]), "--team", "T9", "--channel", "C9").stdout
    incident = json.loads(run("export", "INC-1", "--team", "T9", "--format", "json").stdout)["incident"]
    assert (incident["workspace"], incident["channel"]) == ("T9", {"id": "C9", "name": None})


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "It can't be read as JSON"),
        (b"\x00\xff" * 500, "It can't be read as JSON"),
        (b'{"title": "a story", "entries": []}', "It isn't an Afterword postmortem"),
        (b'{"format": "afterword.postmortem", "version": 9}', "Update Afterword first."),
        (
            b'{"format": "afterword.postmortem", "version": 1}',
            "generated_at is missing. The format is described in docs/json.md.",
        ),
    ],
    ids=["empty", "bytes", "a story", "newer", "nothing in it"],
)
def test_a_file_that_is_none_is_a_sentence_and_no_trace(
    content: bytes, sentence: str, tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", sqlite_url)
    (tmp_path / "it.json").write_bytes(content)
    result = run("import", str(tmp_path / "it.json"))
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {tmp_path / 'it.json'} wasn't imported. ")
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_a_file_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    result = run("import", str(tmp_path / "nothing.json"))
    assert result.exit_code == 2
    assert "does not exist" in result.stderr


@pytest.mark.parametrize("key", ["INC-", "7x", "INC-99999999999999999999", "INC-٣"])
def test_a_key_that_is_none_is_a_sentence(key: str, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", sqlite_url)
    result = run("export", key)
    assert result.exit_code == 2
    assert "Write it as INC-7." in result.stderr


@pytest.mark.parametrize("now", ["soon", "0001-01-01T00:00:00+05:00"])
def test_a_moment_that_is_none_is_a_sentence(now: str) -> None:
    result = run("export", "INC-1", "--now", now)
    assert result.exit_code == 2
    assert "isn't an ISO time" in result.stderr
