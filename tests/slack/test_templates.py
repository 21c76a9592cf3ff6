"""The words of Slack's messages, as mypy knows them: its declarations match the templates."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from jinja2.meta import find_undeclared_variables

from bot.slack.views import templates
from tests.support.house_offenders import ROOT, modules
from tests.support.template_stub import FOLDER, STUB, Macro, macros, stub

WRONG_USES = {
    "words.timeline.recieved()": '"TimelineMacros" has no attribute "recieved"',
    "words.actions.list_hint()": 'Missing named argument "number" for "list_hint" of "ActionsMacros"',
    "words.actions.list_hint(nubmer=4)": 'Unexpected keyword argument "nubmer" for "list_hint" of "ActionsMacros"',
    'words.actions.list_hint(number="4")': 'has incompatible type "str"; expected "int"',
    "words.actoins.list_hint(number=4)": '"Macros" has no attribute "actoins"',
}


def test_the_stub_is_what_the_templates_say() -> None:
    """If this fails, run `python -m tests.support.template_stub` and commit what it writes."""
    assert STUB.read_text(encoding="utf-8") == stub()


def test_mypy_sees_a_wrong_name_a_wrong_argument_and_a_wrong_type(tmp_path: Path) -> None:
    right = "words.actions.list_hint(number=4)"
    uses = tmp_path / "uses.py"
    uses.write_text("\n".join(["from bot.slack.views.templates import words", right, *WRONG_USES]), encoding="utf-8")
    read = [str(uses), "bot/slack/views/templates.py", str(STUB.relative_to(ROOT))]
    # Other modules are skipped: their classes count as Any, and mypy needs seconds instead of a minute.
    options = ["--follow-imports=skip", f"--cache-dir={tmp_path / 'cache'}", "--config-file=", "--no-pretty"]
    command = [sys.executable, "-m", "mypy", *options, *read]
    output = subprocess.run(command, capture_output=True, check=False, cwd=ROOT, text=True).stdout
    for line, message in enumerate(WRONG_USES.values(), start=3):
        assert [each for each in output.splitlines() if each.startswith(f"{uses}:{line}: error:") and message in each]
    assert f"{uses}:2:" not in output


def test_every_macro_is_used() -> None:
    """In our code, or by another macro of its file."""
    code = "\n".join((ROOT / name).read_text(encoding="utf-8") for name in modules("bot", "handlers"))
    sources = {file.stem: file.read_text(encoding="utf-8") for file in sorted(FOLDER.glob("*.j2"))}
    written = [(file, macro.name, source) for file, source in sources.items() for macro in macros(source)]
    used = set(re.findall(r"\bwords\.(\w+\.\w+)", code))
    unused = [f"{file}.{name}" for file, name, source in written if source.count(f"{name}(") == 1]
    assert set(unused) <= used


def test_no_macro_reads_a_name_that_it_does_not_get() -> None:
    """A misspelt parameter inside a template, or a call of a macro that is not there."""
    parse = templates._environment().parse
    sources = {file.name: file.read_text(encoding="utf-8") for file in sorted(FOLDER.glob("*.j2"))}
    unknown = {name: find_undeclared_variables(parse(source)) for name, source in sources.items()}
    assert {name: names for name, names in unknown.items() if names} == {}
    assert find_undeclared_variables(parse("{% macro added(number) %}{{ nubmer }}{% endmacro %}")) == {"nubmer"}


def test_a_parameter_is_text_unless_the_comment_says_otherwise() -> None:
    source = "{# number: int, owner: str | None #}\n{% macro added(number, key, owner=none) %}x{% endmacro %}"
    (macro,) = macros(source)
    assert macro == Macro("added", {"number": "int", "key": "str", "owner": "str | None"}, frozenset({"owner"}))
    assert str(macro).strip() == "def added(self, *, number: int, key: str, owner: str | None = ...) -> str: ..."


def test_a_comment_that_fits_no_parameter_is_refused() -> None:
    with pytest.raises(ValueError, match="added has no parameter nubmer"):
        list(macros("{# nubmer: int #}\n{% macro added(number) %}x{% endmacro %}"))


def test_a_person_is_named_in_bold_and_only_an_id_becomes_a_mention() -> None:
    shown = templates._environment().from_string("{{ by|person }}").render
    assert shown(by="Bo <Demo>") == "*Bo &lt;Demo&gt;*"
    assert shown(by="U0R00000003") == "<@U0R00000003>"
