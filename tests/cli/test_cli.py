"""The command line, as someone types it."""

import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli import main
from storage.database.store import open_store
from tests.support.command_line import invoke, run
from tests.support.storage.sample_records import open_incident
from tests.support.timeouts import PATIENT

NOW = ("--now", "2026-11-23T13:06:00Z", "--zone", "Europe/Berlin")


def test_every_command_says_what_it_is_for() -> None:
    listed = run("--help")
    for name in (
        "run",
        "demo",
        "rehearse",
        "export",
        "import",
        "when",
        "tick",
        "doctor",
        "migrate",
        "manifest",
        "backup",
        "restore",
        "forget",
        "prune",
        "template",
        "trends",
    ):
        assert f"  {name} " in listed
        assert len(run(name, "--help")) > 80


@pytest.mark.parametrize("options", [("--zone", "Nowhere/Land"), ("--now", "soon")])
def test_a_wrong_option_is_a_sentence_and_no_trace(options: tuple[str, str]) -> None:
    result = invoke("when", "14:05 x", *options)
    assert result.exit_code == 2
    assert "Write it as" in result.stderr


def test_an_incident_that_is_not_there_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/afterword.db")
    result = invoke("export", "INC-7")
    assert result.exit_code == 1
    assert "There's no INC-7" in result.stderr


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{}", "isn't an incident file: 'entries' is missing. Its format is in README.md."),
        ("hello", "isn't an incident file: Expecting value: line 1 column 1 (char 0). Its format is in README.md."),
        ('{"title": "x", "entries": []}', "isn't an incident file: it has no entries. Its format is in README.md."),
    ],
)
def test_an_incident_file_that_is_none_is_told_what_it_lacks(tmp_path: Path, content: str, sentence: str) -> None:
    (tmp_path / "mine.json").write_text(content)
    result = CliRunner().invoke(
        main, ["demo", "--incident", f"{tmp_path}/mine.json", "--out", f"{tmp_path}/out"], obj=PATIENT
    )
    assert result.exit_code == 1
    assert sentence in result.stderr


def test_a_port_that_is_taken_is_told_with_another(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = invoke("rehearse", "--port", str(port))
    assert result.exit_code == 1
    assert f"Port {port} can't be used" in result.stderr
    assert "To use any free port: afterword rehearse --port 0" in result.stderr
    assert invoke("rehearse", "--port", "65536").exit_code == 2


def test_a_tick_with_nothing_to_do_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/afterword.db")
    result = invoke("tick", "--dry-run")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "Nothing is due.\n")


def test_doctor_notices_slips_in_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/afterword.db")
    monkeypatch.setenv("AFTERWORD_QUIET_HOUR", "22-8")
    monkeypatch.setenv("AFTERWORD_MASK", "emails,phones")
    result = invoke("doctor")
    assert result.exit_code == 1
    assert "note  settings: AFTERWORD_QUIET_HOUR isn't a setting" in result.stdout
    assert "FAIL  mask: " in result.stdout


def test_a_masked_copy_tells_what_it_masks_on_standard_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path}/afterword.db"
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("AFTERWORD_MASK_PATTERNS", "acme-[0-9]+")
    key = "AKIA" + "IOSFODNN7" + "EXAMPLE"
    store = open_store(url, timeouts=PATIENT)
    store.write_now(lambda tx: open_incident(tx, title=f"acme-77 lost {key} to jo@customer.example"))
    store.close()
    result = invoke("export", "INC-1", "--masked")
    assert result.exit_code == 0, result.output
    assert "[masked] lost [masked] to [masked]" in result.stdout.replace("\\", "")
    assert "Masked an e-mail address in the title: jo@customer.example" in result.stderr
    assert "Masked a match of your own rule in the title: ac…" in result.stderr
    assert key not in result.stdout + result.stderr
    whole = invoke("export", "INC-1")
    assert (key in whole.stdout, whole.stderr) == (True, "")


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("AFTERWORD_MASK", "emails,phones", "there is no rule 'phones'; there are credentials, emails, addresses"),
        ("AFTERWORD_MASK_PATTERNS", "acme-[0-9+", "'acme-[0-9+' is no regular expression"),
    ],
)
def test_a_mask_that_cannot_be_used_stops_before_anything_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    url = f"sqlite:///{tmp_path}/afterword.db"
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv(name, value)
    store = open_store(url, timeouts=PATIENT)
    store.write_now(open_incident)
    store.close()
    result = invoke("export", "INC-1", "--masked")
    assert (result.exit_code, result.stdout) == (1, "")
    assert sentence in result.stderr
