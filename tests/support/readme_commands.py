"""The README's table of commands, made of the handlers' tables: `python -m tests.support.readme_commands` writes it."""

import re
from collections.abc import Iterator
from dataclasses import asdict

from bot.domain.records import Examples
from handlers import COMMANDS
from handlers.command_table import FIRST, CommandTable
from tests.support.house_offenders import ROOT

README = ROOT / "README.md"
_TABLE = re.compile(r"(?<=<!-- commands -->\n).*?(?=<!-- end of commands -->)", re.DOTALL)

_NAMED = FIRST | asdict(Examples(entry=4, why=2, earlier_why=1, action=3, other_action=4))


def rows(command: CommandTable) -> Iterator[str]:
    """A command's rows of the table: the verbs that work without any other system."""
    for verb in (verb for row in command.rows for verb in row if verb.is_available(())):
        typed = f"{command.name} {verb.example.format(**_NAMED)}".strip()
        yield f"| `{typed}` | {verb.help.format(**_NAMED)} |"


def rewrite(readme: str) -> str:
    """The README with the table as it should be. Raises ValueError if its two marks are missing."""
    table = ["| | |", "|---|---|", *(row for command in COMMANDS for row in rows(command))]
    text, count = _TABLE.subn(lambda _: "\n".join(table) + "\n", readme)
    if count != 1:
        raise ValueError("README.md needs one table between <!-- commands --> and <!-- end of commands -->.")
    return text


if __name__ == "__main__":
    README.write_text(rewrite(README.read_text(encoding="utf-8")), encoding="utf-8")
