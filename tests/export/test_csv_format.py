import csv
import io

import pytest

from bot.domain import postmortem as postmortem_rules
from bot.domain.records import Case
from bot.export import Exporter
from tests.support.export.cases import FULL, NOTHING_KNOWN, NOW, at, case, entry

EXPORTER = Exporter()


def rows(about: Case) -> list[dict[str, str]]:
    text = EXPORTER.render(postmortem_rules.compile_document(about, NOW), "csv").decode()
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def test_every_entry_is_a_row() -> None:
    found = rows(FULL)
    assert [row["number"] for row in found] == list("1234567")
    assert found[2] == {
        "number": "3",
        "happened_at": "2026-11-23T14:05:00Z",
        "ended_at": "",
        "approximate": "no",
        "text": "Alert checkout_5xx fired",
        "milestone": "detected",
        "kind": "note",
        "author": "Ana Costa",
        "recorder": "Ben Okafor",
        "recorded_at": "2026-11-23T14:07:00Z",
    }


def test_no_entries_leave_the_names_of_the_columns() -> None:
    assert rows(NOTHING_KNOWN) == []


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "＝1+1"])
def test_a_text_that_a_spreadsheet_would_run_is_shown_as_text(text: str) -> None:
    assert rows(case(entries=(entry(1, at(14, 5), text),)))[0]["text"] == f"'{text}"


def test_quotes_commas_and_line_ends_stay_in_their_cell() -> None:
    text = 'a, "b"\n=c;d'
    assert rows(case(entries=(entry(1, at(14, 5), text),)))[0]["text"] == text
