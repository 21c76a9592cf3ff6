"""The published schema: it is what the reader checks, it explains everything, and every export keeps to it."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from bot.domain import postmortem as postmortem_rules
from bot.domain.records import Case
from bot.export import Exporter
from bot.export.json.schema import json_schema
from storage.database.store import Store
from tests.export import test_real_incidents
from tests.export.json.test_reader import WITH_FILES
from tests.export.test_hostile import HOSTILE, everywhere
from tests.support import full_incident
from tests.support.export.cases import FULL, NOTHING_KNOWN, NOW

DOCS = Path(__file__).resolve().parents[3] / "docs"
SCHEMA: dict[str, Any] = json.loads((DOCS / "postmortem.schema.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)
EXPORTER = Exporter()


def mistakes(content: bytes) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(json.loads(content))]


def objects() -> Iterator[tuple[str, dict[str, Any]]]:
    yield "the file", SCHEMA
    yield from ((name, found) for name, found in SCHEMA["$defs"].items() if found["type"] == "object")


def test_the_published_schema_is_the_one_that_imports_are_held_to() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    written = json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
    assert (DOCS / "postmortem.schema.json").read_text(encoding="utf-8") == written, "write it again from json_schema()"


@pytest.mark.parametrize(("name", "found"), list(objects()), ids=[name for name, _ in objects()])
def test_every_property_is_explained_and_no_other_is_allowed(name: str, found: dict[str, Any]) -> None:
    assert found["additionalProperties"] is False
    assert found["description"]
    assert {key for key, about in found["properties"].items() if not about.get("description")} == set()


def test_every_time_says_in_which_zone_it_is_and_every_span_its_unit() -> None:
    every = [(key, about) for _, found in objects() for key, about in found["properties"].items()]
    times = [about["description"] for _, about in every if "date-time" in json.dumps(about)]
    assert len(times) >= 20
    assert [text for text in times if "UTC" not in text] == []
    spans = [
        about["description"] for _, about in every if "number" in json.dumps(about.get("anyOf", about.get("type")))
    ]
    assert len(spans) >= 6
    assert [text for text in spans if "Seconds" not in text] == []


@pytest.mark.parametrize(
    "about", [FULL, NOTHING_KNOWN, WITH_FILES, *map(everywhere, HOSTILE)], ids=lambda about: about.incident.title[:20]
)
def test_every_export_keeps_to_the_schema(about: Case) -> None:
    assert mistakes(EXPORTER.render(postmortem_rules.compile_document(about, NOW), "json")) == []


def test_an_export_of_everything_that_the_record_can_hold_keeps_to_the_schema(sqlite_store: Store) -> None:
    sqlite_store.write_now(full_incident.write)
    document = json.loads(full_incident.export_incident(sqlite_store))
    assert list(VALIDATOR.iter_errors(document)) == []
    # Each kind of object was there to be checked, with every property that the schema has of it.
    assert {frozenset(found["properties"]) for _, found in objects()} <= set(shapes(document))


def shapes(value: Any) -> Iterator[frozenset[str]]:
    """The properties of every object in it."""
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if isinstance(value, dict):
        yield frozenset(value)
    for member in members:
        yield from shapes(member)


@pytest.mark.skipif(not test_real_incidents.FILES, reason="the published incidents are not beside this checkout")
@pytest.mark.parametrize("path", test_real_incidents.FILES, ids=lambda path: path.stem)
def test_the_export_of_a_published_incident_keeps_to_the_schema(path: Path) -> None:
    assert (
        mistakes(EXPORTER.render(postmortem_rules.compile_document(test_real_incidents.read(path), NOW), "json")) == []
    )


def test_the_schema_would_notice_a_new_property_and_a_time_without_a_zone() -> None:
    document = json.loads(EXPORTER.render(postmortem_rules.compile_document(replace(FULL), NOW), "json"))
    document["timeline"][0] |= {"odd": 1, "number": "1"}
    assert len(list(VALIDATOR.iter_errors(document))) == 2


def test_the_page_about_the_form_names_every_property_of_the_file_and_its_program_runs(
    tmp_path: Path,
) -> None:
    page = (DOCS / "json.md").read_text(encoding="utf-8")
    named = {name for row in re.findall(r"^\| (`.*?) \|", page, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    assert named == set(SCHEMA["properties"])
    (program,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (tmp_path / "INC-7.json").write_bytes(EXPORTER.render(postmortem_rules.compile_document(FULL, NOW), "json"))
    written = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", program], cwd=tmp_path, capture_output=True, check=True, encoding="utf-8"
    )
    assert written.stdout.startswith("INC-7 Checkout returns 503s\n2026-11-23T13:52:00Z Deploy of checkout 4.12")
    assert "13:52:00Z Deploy of checkout 4.12 finished by Chloé Martin\n" in written.stdout
