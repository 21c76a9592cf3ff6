"""What the tables of the slash commands understand, word by word."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.errors import Refused
from handlers import COMMANDS
from handlers.incidents import INCIDENT
from handlers.requests import command_of
from handlers.whys import WHY
from tests.support import readme_commands

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)

TABLES = {table.name: table for table in COMMANDS}


def understood(typed: str) -> tuple[str, str, str]:
    """The first word of the verb that is understood, the number and the words that it finds."""
    name, _, text = typed.partition(" ")
    body = {"channel_id": "C1", "user_id": "U1", "command": name, "text": text}
    verb, found = TABLES[name].parse(text)
    command = replace(command_of(body, NOW), match=found)
    return verb.words, command.part("number"), command.rest


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("/why", ("", "", "")),
        ("/why Undo", ("undo", "", "")),
        ("/why history #2", ("show", "2", "")),
        ("/why show 2", ("show", "2", "")),
        ("/why edit 2 because of x", ("edit", "2", "because of x")),
        ("/why undo the deploy was not possible", ("", "", "undo the deploy was not possible")),
        ("/why history 2 was lost", ("", "", "history 2 was lost")),
        ("/why ?", ("help", "", "")),
        ("/timeline show stopped loading", ("", "", "show stopped loading")),
        ("/timeline Edit 4 14:10 failed over", ("edit", "4", "14:10 failed over")),
        ("/timeline delete 4", ("delete", "4", "")),
        ("/timeline delete 4 pods", ("", "", "delete 4 pods")),
        ("/timeline paste\n  14:05 a\n14:06 b", ("paste", "", "  14:05 a\n14:06 b")),
        ("/timeline paste service is down", ("", "", "paste service is down")),
        ("/timeline edit", ("", "", "edit")),
        ("/action #1 is done", ("done", "1", "")),
        ("/action change 2", ("show", "2", "")),
        ("/action change 2 replicas", ("", "", "change 2 replicas")),
        ("/postmortem hand over to @bo", ("owner", "", "@bo")),
        ("/postmortem waive a drill", ("waive", "", "a drill")),
        ("/incident", ("status", "", "")),
        ("/incident sev-1", ("sev severity", "1", "")),
        ("/incident close 16:40 errors are gone", ("resolved", "", "16:40 errors are gone")),
        ("/incident list them", ("list", "", "them")),
    ],
)
def test_a_sub_command_is_only_what_fits_its_whole_form(typed: str, found: tuple[str, str, str]) -> None:
    assert understood(typed) == found


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("/incident sev", "Severities go from 1 (worst) to 4. Try `/incident sev 2`"),
        ("/incident sev2 now", "Severities go from 1 (worst) to 4. Try `/incident sev 2`"),
        ("/incident lead", "Who's leading? Try `/incident lead @ana`"),
        ("/why because …", "Why did it happen? Try `/why because the connection pool ran out`"),
        ("/action finish", "Which action? Try `/action done 1` (`/action list` shows the numbers)"),
        ("/postmortem hand over", "Who's finishing it? Try `/postmortem owner @ana`"),
        ("/postmortem share", "Share it where? Try `/postmortem share #leadership`"),
        ("/why history", "Which why? Try `/why show 1` (`/why` shows the numbers)"),
    ],
)
def test_half_a_verb_is_refused_with_the_whole_of_it(typed: str, sentence: str) -> None:
    with pytest.raises(Refused) as refused:
        understood(typed)
    assert refused.value.sentence == sentence


@pytest.mark.parametrize("systems", [(), ("jira",)])
def test_a_verb_that_is_not_configured_is_neither_listed_nor_suggested(systems: tuple[str, ...]) -> None:
    assert ("connections" in INCIDENT.help_text(systems)) is bool(systems)
    with pytest.raises(Refused) as refused:
        INCIDENT.parse("connectionz", systems)
    assert ("Did you mean `connections`?" in refused.value.sentence) is bool(systems)


def test_only_some_verbs_change_the_record() -> None:
    changing = ("because of x", "branch 2 because of x", "root", "root 2", "edit 2 because", "delete 2", "undo")
    assert all(WHY.parse(typed)[0].changes for typed in changing)
    assert not any(WHY.parse(typed)[0].changes for typed in ("", "show", "show 2", "edit 2", "help"))


def test_the_readme_has_the_table_of_the_commands() -> None:
    """Else: `python -m tests.support.readme_commands`."""
    readme = readme_commands.README.read_text(encoding="utf-8")
    assert readme_commands.rewrite(readme) == readme
