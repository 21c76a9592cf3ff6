"""What people see, told on a terminal as it happens."""

import re
from collections.abc import Iterable
from datetime import datetime
from itertools import groupby

from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

from bot.rehearsal.emoji import sign

_MARKS = re.compile(
    r"(?P<bold>\*[^*\n]+\*)|(?P<code>`[^`\n]+`)|(?P<italic>(?<!\w)_[^_\n]+_(?!\w))|(?P<emoji>:[a-z0-9_+-]+:)"
)
_STYLES = {"bold": "bold", "code": "cyan", "italic": "italic"}


class Account:
    """Prints who does what, and what they see."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def chapter(self, title: str, explanation: str = "") -> None:
        """A new part of the story."""
        self._console.print()
        self._console.rule(f"[bold]{title}[/bold]", style="blue")
        if explanation:
            self._console.print(Padding(Text(explanation, style="dim"), (0, 2)))

    def types(self, who: str, text: str, now: datetime) -> None:
        """Somebody types a command."""
        line = Text.assemble((f"{now:%a %H:%M} UTC  ", "dim"), (who, "bold magenta"), "  ", (text, "bold"))
        self._console.print(line)

    def does(self, who: str, what: str, now: datetime) -> None:
        """Somebody presses or fills something."""
        self._console.print(Text.assemble((f"{now:%a %H:%M} UTC  ", "dim"), (who, "bold magenta"), f"  {what}"))

    def sees(self, where: str, text: str, buttons: Iterable[str] = (), *, private: bool = False) -> None:
        """What appears on their screen; buttons stand in a row, as they do there."""
        shown = _in_rows(text, set(buttons))
        note = f"{where}, only they can see it" if private else where
        style = "dim" if private else "green"
        self._console.print(Padding(Panel(_styled(shown), title=note, title_align="left", border_style=style), (0, 4)))

    def passes(self, now: datetime) -> None:
        """Time goes by."""
        self._console.print(Text(f"… it is {now:%A %-d %B %Y, %H:%M} UTC", style="yellow"))

    def says(self, text: str) -> None:
        """The narrator."""
        self._console.print(f"  {text}", markup=False, soft_wrap=True)


def _in_rows(text: str, buttons: set[str]) -> str:
    """Lines that are buttons, put together as `[Edit] [Undo]`."""
    rows: list[str] = []
    for is_button, group in groupby(text.splitlines(), key=lambda line: line in buttons):
        lines = list(group)
        rows.extend([" ".join(f"[{line}]" for line in lines)] if is_button else lines)
    return "\n".join(rows)


def _styled(text: str) -> Text:
    """Slack's marks as a terminal shows them."""
    styled, at = Text(), 0
    for mark in _MARKS.finditer(text):
        styled.append(text[at : mark.start()])
        kind = mark.lastgroup or ""
        if kind == "emoji":
            styled.append(sign(mark[0]))
        else:
            styled.append(mark[0][1:-1], style=_STYLES[kind])
        at = mark.end()
    styled.append(text[at:])
    return styled
