"""`.env.example` is the settings, written out: every one, with its default and its meaning."""

import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.settings import FILED, Settings, load, variable

EXAMPLE = Path(__file__).resolve().parents[2] / ".env.example"


def test_every_setting_stands_there_once_with_its_meaning() -> None:
    written = re.findall(r"^# (.+)\n(\w+)=.*$", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE)
    described = [(field.description, variable(name)) for name, field in Settings.model_fields.items()]
    assert written == described


def test_nothing_is_set_without_a_comment() -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if "=" in line and not line.startswith("#")]) == len(Settings.model_fields)


def test_what_stands_there_are_the_defaults() -> None:
    assert load({}, EXAMPLE) == load({}, None)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_a_default_is_left_out_only_where_there_is_none(name: str) -> None:
    (value,) = re.findall(rf"^{variable(name)}=(.*)$", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE)
    assert bool(value) is (Settings.model_fields[name].default not in ("", SecretStr("")))


def test_the_secrets_that_may_stand_in_a_file_are_listed() -> None:
    assert f"({', '.join(map(variable, FILED))})" in EXAMPLE.read_text(encoding="utf-8")
