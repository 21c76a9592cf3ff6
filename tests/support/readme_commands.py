"""The README's table of commands, made of the handlers' tables: `python -m tests.support.readme_commands` writes it."""

import re

from handlers import COMMANDS
from tests.house_offenders import ROOT

README = ROOT / "README.md"
_TABLE = re.compile(r"(?<=<!-- commands -->\n).*?(?=<!-- end of commands -->)", re.DOTALL)


def rewrite(readme: str) -> str:
    """The README with the table as it should be. Raises ValueError if its two marks are missing."""
    rows = ["| | |", "|---|---|", *(row for command in COMMANDS for row in command.readme_rows())]
    text, count = _TABLE.subn(lambda _: "\n".join(rows) + "\n", readme)
    if count != 1:
        raise ValueError("README.md needs one table between <!-- commands --> and <!-- end of commands -->.")
    return text


if __name__ == "__main__":
    README.write_text(rewrite(README.read_text(encoding="utf-8")), encoding="utf-8")
