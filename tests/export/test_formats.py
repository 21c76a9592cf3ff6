"""No form is a secret: each is told wherever someone looks for it."""

from pathlib import Path

import pytest

from bot.export import FORMATS
from handlers.postmortem import POSTMORTEM
from tests.support.command_line import invoke

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("form", FORMATS)
def test_the_readme_names_every_form(form: str) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (forms,) = [part for part in readme.split("\n\n") if part.startswith("The formats are `markdown`")]
    assert f"`{form}`" in forms


def test_the_help_of_the_command_in_slack_names_every_form() -> None:
    help_text = POSTMORTEM.help_text(())
    assert [form for form in FORMATS if form not in help_text] == []


def test_the_help_of_the_command_line_names_every_form() -> None:
    help_text = invoke("export", "--help").output
    assert f"[{'|'.join(FORMATS)}]" in help_text.replace("\n", "").replace(" ", "")
