"""Where the vendors' own descriptions of their interfaces are, for the tests that compare with them."""

import json
from pathlib import Path
from typing import Any

import pytest

SPECS = Path(__file__).resolve().parents[4] / "shared" / "specs"


def spec(name: str) -> Path:
    """The file of that name; skips the test where it is not there."""
    path = SPECS / name
    if not path.is_file():
        pytest.skip(f"the vendors' descriptions are not next to this checkout: {name}")
    return path


def spec_json(name: str) -> Any:
    return json.loads(spec(name).read_text(encoding="utf-8"))
