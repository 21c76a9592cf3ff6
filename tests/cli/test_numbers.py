"""`afterword trends`: the figures counted by hand, as a spreadsheet reads them."""

import csv
import io
from pathlib import Path

import pytest

from storage.database.store import open_store
from tests.support.command_line import invoke, run
from tests.support.timeouts import PATIENT
from tests.support.twenty_incidents import NOW, store_rows

AUTUMN = ("trends", "2026-09..2026-11", "--now", NOW.isoformat())


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    url = f"sqlite:///{tmp_path}/afterword.db"
    monkeypatch.setenv("DATABASE_URL", url)
    store = open_store(url, timeouts=PATIENT)
    store.write_now(store_rows)
    store.close()
    return url


def read(*arguments: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(run(*arguments))))


@pytest.mark.usefixtures("database")
def test_the_table_has_the_figures_counted_by_hand() -> None:
    whole, *months = read(*AUTUMN)
    expected = {
        "part": "all",
        "since": "2026-09-01T00:00:00Z",
        "until": "2026-12-01T00:00:00Z",
        "incidents": "17",
        "published_within_48h": "6",
        "published_within_48h_of": "14",
        "published_within_week": "9",
        "published_within_week_of": "13",
        "published_later": "2",
        "unpublished": "4",
        "waived": "2",
        "actions_in_time": "7",
        "actions_in_time_of": "11",
        "actions_overdue": "2",
        "open_action_days_n": "5",
        "open_action_days_median": "58.1",
        "detect_minutes_n": "14",
        "detect_minutes_q1": "3.2",
        "detect_minutes_median": "6.5",
        "detect_minutes_q3": "9.8",
        "resolve_minutes_median": "70.0",
        "no_acknowledged": "4",
        "same_cause": "INC-2 INC-11 INC-13; INC-9 INC-16",
        "keys": " ".join(f"INC-{number}" for number in range(18, 1, -1)),
    }
    assert {name: whole[name] for name in expected} == expected
    assert [(month["part"], month["incidents"]) for month in months] == [
        ("Sep 2026", "6"),
        ("Oct 2026", "5"),
        ("Nov 2026", "6"),
    ]
    assert months[0]["detect_minutes_q1"] == ""  # of four values there are no quartiles


@pytest.mark.usefixtures("database")
def test_parts_and_filters_are_chosen() -> None:
    _, *services = read(*AUTUMN, "--by", "service")
    assert [row["part"] for row in services] == ["checkout", "search", "login", "payments", "no service"]
    (whole, *_) = read("trends", "2026-09..2026-11", "service", "checkout", "sev", "1", "--now", NOW.isoformat())
    assert whole["keys"] == "INC-13 INC-8 INC-2"
    assert "INC-19" not in run(*AUTUMN)


@pytest.mark.usefixtures("database")
def test_what_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    result = invoke("trends", "soon")
    assert (result.exit_code, "couldn't read “soon” as a period" in result.stderr) == (1, True)
    run(*AUTUMN, "-o", f"{tmp_path}/trends.csv")
    assert (tmp_path / "trends.csv").read_text().startswith('"part","since"')


def test_several_workspaces_are_told_apart(database: str) -> None:
    store = open_store(database, timeouts=PATIENT)
    store.write_now(lambda tx: store_rows(tx, "T2"))
    store.close()
    result = invoke(*AUTUMN)
    assert "several workspaces. Choose one with --team: T1, T2" in result.stderr
    assert read(*AUTUMN, "--team", "T2")[0]["incidents"] == "17"
