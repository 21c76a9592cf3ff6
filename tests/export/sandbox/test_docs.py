"""docs/templates.md names every value that a template sees, and no other."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from bot.domain import document as document_rules
from bot.domain import postmortem as postmortem_rules
from bot.domain.samples import NOW, SAMPLES
from bot.domain.sections import SECTIONS
from bot.export import template_job
from bot.export.drafts import split
from bot.export.templates import STYLES, TEMPLATES, load_shipped_templates, load_team_templates

PAGE = (Path(__file__).parents[3] / "docs" / "templates.md").read_text(encoding="utf-8")
NAMED = {
    "document": document_rules.Document,
    "who": document_rules.PersonName,
    "mark": document_rules.Mark,
    "metrics": document_rules.Metrics,
    "line": document_rules.TimelineLine,
    "file": document_rules.FileItem,
    "participant": document_rules.Participant,
    "part": document_rules.DocumentSection,
    "step": document_rules.WhyStep,
    "action": document_rules.ActionItem,
    "deed": document_rules.AuditRecord,
}


def attributes(kind: type) -> set[str]:
    own = set(getattr(kind, "_fields", ())) or {field.name for field in fields(kind)}
    return own | {name for name, value in vars(kind).items() if isinstance(value, property) and name not in own}


@pytest.mark.parametrize("name", NAMED)
def test_the_page_names_what_a_template_sees(name: str) -> None:
    rows = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith(f"| `{name}.")]
    names = {found for row in rows for found in re.findall(rf"`{name}\.(\w+)`", row)}
    assert names == attributes(NAMED[name])


def test_the_page_names_every_marker() -> None:
    assert all(f"`{section.slug}`" in PAGE for section in SECTIONS)


def test_the_pages_example_is_a_template() -> None:
    (example,) = re.findall(r"```jinja\n(.*?)```", PAGE, re.DOTALL)
    document = postmortem_rules.compile_document(SAMPLES["everything known"], NOW)
    made = split(template_job.render_markdown({"sections.md.j2": example}, document))
    assert [(region.id, region.title) for region in made.regions] == [("summary", "En bref")]
    assert made.regions[0].body.startswith("Checkout failed for 43 minutes.")


def test_the_page_names_every_template_and_filter() -> None:
    environment = load_team_templates({})
    assert environment.filters.keys() == load_shipped_templates().filters.keys()
    names = re.findall(r"^\| `([\w.]+\.(?:j2|css))` \|", PAGE, re.MULTILINE)
    assert names == [*TEMPLATES, *STYLES]
    for name in ("block", "item", "inline", "cell", "heading", "yaml", "dated", "iso", "span", "stamp"):
        assert name in environment.filters
        assert f"`{name}`" in PAGE
