"""The page on other systems names everything that connects one."""

from pathlib import Path

import pytest

from bot.settings import variable
from bot.settings.integrations import OutsideSettings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "connections.md"


@pytest.mark.parametrize("name", OutsideSettings.model_fields)
def test_every_setting_of_another_system_is_explained(name: str) -> None:
    assert f"`{variable(name)}`" in PAGE.read_text(encoding="utf-8")
