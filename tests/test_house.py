"""The house keeps its own rules: what stands where, how it is named, how long it may get, and who reads the clock."""

import ast
import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from handlers import COMMANDS
from handlers.command_table import FIRST, CommandTable, Verb
from tests.support import house_offenders
from tests.support.house_offenders import FLOORS, ROOT, files, modules, tree

TOP_LEVEL = {
    *FLOORS,
    *("tests", "docs", ".ci", "pyproject.toml", "requirements.lock", "requirements-dev.lock", "Makefile", "Dockerfile"),
    *("README.md", "CHANGELOG.md", "LICENSE", ".env.example", ".gitignore", ".gitattributes", ".dockerignore"),
    *("CONTRIBUTING.md", "SECURITY.md", ".editorconfig", ".pre-commit-config.yaml", ".github", "compose.yaml"),
}
NOT_YET = {".gitattributes"}  # allowed, not demanded

BOUNDARIES = {"handlers/boundary.py", "bot/scheduler.py"}
CLOCKS = {"bot/clock.py"}
ENVIRONMENT = {"bot/settings/__init__.py"}
LAZY_IMPORTS = {
    "bot/cli/__init__.py": {"storage.database.drivers"},
    "bot/domain/times/cldr.py": {"bot.domain.times"},
    "bot/export/invitation.py": {"icalendar"},
    "bot/integrations/atlassian.py": {"marklas"},
    "bot/integrations/http.py": {"bot.integrations.caller"},
    "storage/database/drivers.py": {"storage.database.postgres"},
    "storage/database/store.py": {"storage.database"},
}
"""What is loaded only when it is needed, by file: what few commands or settings need, and what takes long to load.

Never on the way from a request to its answer: whatever that needs is loaded before the bot says that it is ready.
"""
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}

MACHINE_PATHS = ("/wo" + "rk/", "/ro" + "ot/", "/tmp/" + "aw", "/Us" + "ers/")
REGISTRY_HOSTS = ("py" + "pi.org", "python" + "hosted.org", "npm" + "js.org", "conda" + ".anaconda")


MAPS = ("docs/architecture.md", "CONTRIBUTING.md")
LONGEST_DECISION = 15


@pytest.fixture(autouse=True, scope="module")
def checkout() -> None:
    """The rules are for a checkout: a copy without git has no list of what is ours."""
    try:
        files()
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"git does not know this folder: {error}")


def is_kept(name: str) -> bool:
    """Whether it is a document that Afterword wrote, kept to be compared."""
    return name.startswith("tests/golden/") and not name.endswith(".py")


def functions(name: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree(name)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def dotted_name(node: ast.expr) -> str:
    """`datetime.datetime.now` of an attribute chain; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (before := dotted_name(node.value)):
        return f"{before}.{node.attr}"
    return ""


def modules_using(pattern: str, *floors: str) -> set[str]:
    """The modules in which a dotted name, or a name taken from another module, matches."""
    found = set()
    for name in modules(*floors):
        for node in ast.walk(tree(name)):
            taken = [f"{node.module}.{alias.name}" for alias in node.names] if isinstance(node, ast.ImportFrom) else []
            here = [dotted_name(node)] if isinstance(node, ast.Attribute) else taken
            if any(re.search(pattern, each) for each in here):
                found.add(name)
    return found


def test_the_top_level_is_what_it_was_agreed_to_be() -> None:
    present = {name.split("/")[0] for name in files()}
    assert present <= TOP_LEVEL
    assert present >= TOP_LEVEL - NOT_YET


def test_every_folder_of_modules_is_a_package() -> None:
    folders = {str(Path(name).parent) for name in modules(*FLOORS, "tests")}
    assert {folder for folder in folders if not (ROOT / folder / "__init__.py").exists()} == set()


def test_templates_hold_words_and_no_code() -> None:
    assert modules("templates") == ["templates/__init__.py"]
    assert all(isinstance(node, ast.Expr) for node in tree("templates/__init__.py").body)


def test_no_file_has_a_name_that_says_nothing() -> None:
    assert [name for name in files() if {Path(name).stem, Path(name).parent.name} & VAGUE_NAMES] == []


def test_no_file_is_longer_than_six_hundred_lines() -> None:
    written = [name for name in files() if name.endswith((".py", ".j2", ".html", ".js", ".css")) and not is_kept(name)]
    lengths = {name: len((ROOT / name).read_text(encoding="utf-8").splitlines()) for name in written}
    assert {name: lines for name, lines in lengths.items() if lines > 600} == {}


@pytest.mark.parametrize("floors", [FLOORS, ("tests",)], ids=["product", "tests"])
def test_nineteen_of_twenty_functions_keep_within_forty_lines(floors: tuple[str, ...]) -> None:
    lengths = sorted(length(function) for name in modules(*floors) for function in functions(name))
    assert lengths[len(lengths) * 95 // 100] <= 40


def test_no_function_is_longer_than_sixty_lines() -> None:
    everything = [(name, function) for name in modules(*FLOORS, "tests") for function in functions(name)]
    assert [f"{name}:{function.name}" for name, function in everything if length(function) > 60] == []


@pytest.mark.parametrize("section", house_offenders.RULES)
def test_a_rule_is_broken_no_more_than_it_was(section: str) -> None:
    now, allowed = house_offenders.found(section), house_offenders.read_list()[section]
    assert house_offenders.grown(now, allowed) == {}, house_offenders.RULES[section].says


@pytest.mark.parametrize("section", house_offenders.RULES)
def test_what_was_put_right_is_listed_no_longer(section: str) -> None:
    """Else it could be broken again: `python -m tests.support.house_offenders` shortens the list."""
    now, allowed = house_offenders.found(section), house_offenders.read_list()[section]
    assert house_offenders.shrunk(now, allowed) == {}


@pytest.mark.parametrize("name", ["kept.py", "jira_there.py", "whys_corrected.py", "reading_blocks.py", "kept.md.j2"])
def test_a_participle_or_a_remainder_names_no_file(name: str) -> None:
    assert house_offenders.is_no_noun(name)


@pytest.mark.parametrize("name", ["timeline.py", "edited_draft.py", "masking.py", "messages_in.py", "__main__.py"])
def test_a_noun_names_a_file(name: str) -> None:
    assert not house_offenders.is_no_noun(name)


@pytest.mark.parametrize("name", ["told", "_kept", "written", "_refused"])
def test_a_participle_names_no_function(name: str) -> None:
    assert house_offenders.is_lone_participle(name)


@pytest.mark.parametrize("name", ["read", "find_kept", "list_active", "left", "record", "_need"])
def test_a_verb_names_a_function(name: str) -> None:
    assert not house_offenders.is_lone_participle(name)


@pytest.mark.parametrize(
    "text",
    [
        *("told = 1", "_SAID = 1", "told_: str", "x = (given := 1)", "for said in (): pass", "a, kept = 1, 2"),
        *("def call(said): pass", "def call(*, given=()): pass", "def call(**standing): pass", "lambda kept: 1"),
        *("self.held = 1", "class Case:\n    held: str", "class State(StrEnum):\n    HELD = 'held'"),
        *("with x as kept: pass", "try: x\nexcept OSError as told: pass", "match x:\n    case [*said]: pass"),
    ],
)
def test_a_participle_that_names_a_value_is_found(text: str) -> None:
    bound = {name.strip("_").lower() for name in house_offenders.bindings(ast.parse(text))}
    assert len(bound & house_offenders.NAMELESS) == 1


def test_no_participle_names_a_value() -> None:
    """What it holds has a noun. A few names are stored or published, and stay: `house_offenders.PUBLISHED`."""
    assert house_offenders.names() == {}


@pytest.mark.parametrize("text", ["call(said=1)", "told.said()", "from hypothesis import given", "was_told = said"])
def test_only_what_binds_a_name_is_judged(text: str) -> None:
    assert not set(house_offenders.bindings(ast.parse(text))) & house_offenders.NAMELESS


@pytest.mark.parametrize("name", MAPS)
def test_the_map_names_only_what_is_there(name: str) -> None:
    """A path in backticks with a slash or a known ending is a file or a folder of ours."""
    text = (ROOT / name).read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:bot|handlers|storage|templates|tests|docs|\.github|\.ci)/[\w./-]*)`", text))
    assert len(named) > 20
    assert {path for path in named if not (ROOT / path).exists()} == set()


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "decisions").glob("*.md")), ids=lambda path: path.name)
def test_a_decision_is_short_and_has_the_number_it_is_filed_under(path: Path) -> None:
    """Mechanics belong into docs/architecture.md. Two records with one number would be cited as one."""
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= LONGEST_DECISION
    assert lines[0].startswith(f"# {int(path.name[:4])}. ")
    assert [line.partition(".")[0] for line in lines if line.startswith("**")] == ["**Question", "**Choice", "**Price"]
    assert len(list(path.parent.glob(f"{path.name[:4]}-*.md"))) == 1


@pytest.mark.parametrize(("command", "verb"), [(command, verb) for command in COMMANDS for verb in command.verbs])
def test_every_verb_has_a_help_line_and_an_example_that_is_this_verb(command: CommandTable, verb: Verb) -> None:
    assert verb.help
    assert command.parse(verb.example.format(**FIRST))[0] is verb


def test_imports_stand_at_the_top() -> None:
    inside: dict[str, set[str]] = {}
    for name in modules(*FLOORS, "tests"):
        for node in (node for function in functions(name) for node in ast.walk(function)):
            if isinstance(node, ast.Import):
                inside.setdefault(name, set()).update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                inside.setdefault(name, set()).add(node.module or "")
    assert inside == LAZY_IMPORTS


def test_every_migration_has_a_number_of_its_own() -> None:
    """Two branches may have taken the same: then nothing can be migrated."""
    numbers = [Path(name).name[:5] for name in modules("storage") if "/versions/v" in name]
    assert sorted(set(numbers)) == sorted(numbers)


def test_only_the_two_boundaries_catch_everything() -> None:
    broad = {"Exception", "BaseException"}
    catching = set()
    for name in modules(*FLOORS, "tests"):
        for node in ast.walk(tree(name)):
            if isinstance(node, ast.ExceptHandler):
                caught = {each.id for each in ast.walk(node.type) if isinstance(each, ast.Name)} if node.type else broad
            elif isinstance(node, ast.Call) and dotted_name(node.func).endswith("suppress"):
                caught = {dotted_name(argument) for argument in node.args}
            else:
                continue
            if caught & broad:
                catching.add(name)
    assert catching <= BOUNDARIES


def indirect_raises(module: ast.Module) -> list[int]:
    """The lines of `sentence = "…"` right before a `raise Refused(sentence)`, whatever the names are."""
    blocks = [getattr(node, name, None) for node in ast.walk(module) for name in ("body", "orelse", "finalbody")]
    pairs = (pair for block in blocks if isinstance(block, list) for pair in pairwise(block))
    return [before.lineno for before, after in pairs if _names_the_sentence_of(before, after)]


def _names_the_sentence_of(before: ast.stmt, after: ast.stmt) -> bool:
    if not (isinstance(before, ast.Assign) and isinstance(after, ast.Raise) and isinstance(after.exc, ast.Call)):
        return False
    passed = {argument.id for argument in after.exc.args if isinstance(argument, ast.Name)}
    return bool(passed & {target.id for target in before.targets if isinstance(target, ast.Name)})


def test_a_sentence_is_written_at_its_raise() -> None:
    """`raise Refused("…")` is the one spelling: the condition and its answer are read together."""
    found = {name: indirect_raises(tree(name)) for name in modules(*FLOORS, "tests")}
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_a_sentence_written_before_its_raise_is_found() -> None:
    wrong = 'if severity > 4:\n    sentence = "A severity is 1 to 4."\n    raise Refused(sentence)'
    right = 'if severity > 4:\n    kind = "severity"\n    raise Refused(f"A {kind} is 1 to 4.")'
    assert [indirect_raises(ast.parse(text)) for text in (wrong, right)] == [[2], []]


def test_only_the_clock_reads_the_clock() -> None:
    reading = modules_using(
        r"(^|\.)(datetime\.(now|utcnow|today)|date\.today|time\.(time|time_ns|localtime))$", *FLOORS
    )
    assert reading == CLOCKS


def test_only_the_settings_read_the_environment() -> None:
    assert modules_using(r"^os\.(environ|environb|getenv)\b", *FLOORS) == ENVIRONMENT


def test_no_test_replaces_a_name_that_it_spells_in_a_string() -> None:
    """mypy cannot see such a patch. What waits is given its `Timeouts`; anything else is patched at its module."""
    calls = ((name, node) for name in modules("tests") for node in ast.walk(tree(name)) if isinstance(node, ast.Call))
    by_string = [
        f"{name}:{call.lineno}"
        for name, call in calls
        if dotted_name(call.func) in ("monkeypatch.setattr", "patch.setattr")
        and call.args
        and isinstance(call.args[0], ast.Constant)
    ]
    assert by_string == []


def test_stored_json_is_read_where_it_is_stored() -> None:
    """By the module that has the column, as values with types; memos by the module of links, for each system its own.

    A redaction goes through JSON of every kind, whatever it says.
    """
    reading = modules_using(r"^json\.loads$", *FLOORS)
    assert {name for name in reading if name.startswith(("bot/services/", "bot/domain/"))} == {
        "bot/services/secrets.py"
    }


def test_nothing_is_unpickled_or_evaluated() -> None:
    assert modules_using(r"^(pickle|marshal|shelve)\b", *FLOORS) == set()
    calls = (node for name in modules(*FLOORS) for node in ast.walk(tree(name)) if isinstance(node, ast.Call))
    assert [call.lineno for call in calls if dotted_name(call.func) in ("eval", "exec")] == []


def test_no_file_names_a_machine_or_a_registry() -> None:
    needle = re.compile("|".join([*(rf"(?<![\w.]){path}" for path in MACHINE_PATHS), *map(re.escape, REGISTRY_HOSTS)]))
    texts = {name: (ROOT / name).read_bytes().decode("utf-8", "replace") for name in files()}
    assert {name: found.group() for name, text in texts.items() if (found := needle.search(text))} == {}


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_every_locked_package_is_pinned_by_hash_and_names_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    pins = re.findall(r"^\w\S*==\S+.*?(?=^\w|\Z)", text, re.MULTILINE | re.DOTALL)
    assert len(pins) > 20
    assert [pin.split()[0] for pin in pins if "--hash=sha256:" not in pin] == []
    assert "://" not in text


def test_every_module_stands_on_a_floor() -> None:
    """A module outside the layers contract could import what it likes."""
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    contracts = tools["importlinter"]["contracts"]
    (layers,) = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    named = {each.strip() for layer in layers for each in layer.split("|")}
    rooms = {".".join(Path(name).with_suffix("").parts[:2]) for name in modules("bot")} - {"bot.__init__"}
    floors = {*rooms, "handlers", "storage", "templates"}
    assert floors <= {name.strip("()") for name in named}
    assert {name for name in named if name.startswith("(") and name.strip("()") in floors} == set()


def test_make_has_a_dozen_targets_at_most_and_explains_each() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    (phony,) = re.findall(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    assert len(phony.split()) <= 12
    assert set(re.findall(r"^([a-z]+):.* ## \S", text, re.MULTILINE)) == set(phony.split())


def test_ci_runs_what_a_person_runs() -> None:
    ci = ROOT / ".ci" / "run"
    assert os.access(ci, os.X_OK)
    assert ci.read_text(encoding="utf-8").rstrip().endswith("exec make test")
