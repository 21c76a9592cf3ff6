"""docs/templates.md names every value that a template sees, and no other."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from bot.export import custom, folder
from bot.export.environment import team_set, template_set
from bot.export.regions import split
from bot.incident import document as values
from bot.incident import lines, postmortem
from bot.incident.samples import NOW, SAMPLES
from bot.incident.sections import SECTIONS

PAGE = (Path(__file__).parents[2] / "docs" / "templates.md").read_text(encoding="utf-8")
NAMED = {
    "document": values.Document,
    "who": lines.Who,
    "mark": values.Mark,
    "metrics": values.Metrics,
    "line": lines.Line,
    "file": lines.FileItem,
    "participant": values.Participant,
    "part": values.Part,
    "step": values.WhyStep,
    "action": values.ActionItem,
    "deed": values.Deed,
}


def attributes(kind: type) -> set[str]:
    own = set(getattr(kind, "_fields", ())) or {field.name for field in fields(kind)}
    return own | {name for name, value in vars(kind).items() if isinstance(value, property) and name not in own}


@pytest.mark.parametrize("name", NAMED)
def test_the_page_names_what_a_template_sees(name: str) -> None:
    rows = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith(f"| `{name}.")]
    told = {found for row in rows for found in re.findall(rf"`{name}\.(\w+)`", row)}
    assert told == attributes(NAMED[name])


def test_the_page_names_every_marker() -> None:
    assert all(f"`{section.slug}`" in PAGE for section in SECTIONS)


def test_the_pages_example_is_a_template() -> None:
    (example,) = re.findall(r"```jinja\n(.*?)```", PAGE, re.DOTALL)
    document = postmortem.compile(SAMPLES["everything known"], NOW)
    made = split(custom.markdown({"sections.md.j2": example}, document))
    assert [(region.id, region.title) for region in made.regions] == [("summary", "En bref")]
    assert made.regions[0].body.startswith("Checkout failed for 43 minutes.")


def test_the_page_names_every_template_and_filter() -> None:
    templates = team_set({})
    assert templates.filters.keys() == template_set().filters.keys()
    told = re.findall(r"^\| `([\w.]+\.(?:j2|css))` \|", PAGE, re.MULTILINE)
    assert told == [*folder.TEMPLATES, *folder.STYLES]
    for name in ("block", "item", "inline", "cell", "heading", "yaml", "dated", "iso", "span", "stamp"):
        assert name in templates.filters
        assert f"`{name}`" in PAGE
