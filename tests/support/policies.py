"""The example of docs/policy.md, and files that tests write."""

import re
from pathlib import Path

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "policy.md"


def read_example() -> str:
    """The file that the guide shows."""
    examples: list[str] = re.findall(r"```toml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    (example,) = examples
    return example


def write_config(folder: Path, text: str) -> Path:
    """A policy file in a folder."""
    path = folder / "afterword.toml"
    path.write_text(text, encoding="utf-8")
    return path
