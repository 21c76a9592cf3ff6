"""What breaks the house's rules about names, and the list of what still may: `python -m tests.support.house_offenders`.

The list, `house_offenders.toml` in this folder, may only shrink. The command rewrites it after a clean-up or a merge.
It refuses new entries, unless `--moved` says that old ones moved (then a section's sum must not grow), or `--grow` says
that work from before a rule was merged.
"""

import ast
import subprocess
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import click

ROOT = Path(__file__).resolve().parents[2]
LIST = Path(__file__).with_suffix(".toml")
FLOORS = ("bot", "handlers", "storage", "templates")

MOST_MODULES = 24
MOST_MODULES_OF = {"bot/services": 19}
"""Folders that must leave room for nouns to come."""
GROWING = ("storage/migrations/versions",)
"""Folders that only ever grow, and whose file names are stored."""

PARTICIPLES = set(
    "given heard held hidden kept known left lost made met read said seen sent shown told undrawn worn written".split()
)
REMAINDERS = set(
    "above again alike anew apart aside behind below beside besides elsewhere extras here late later lately more "
    "others outside rest there too".split()
)
NAMELESS = set("given held kept said standing told".split())
"""Participles that would name a variable, parameter or field: each could be the word for anything."""
PUBLISHED = {
    "bot/domain/document.py:held",
    "bot/domain/document.py:kept",
    "bot/domain/records.py:held",
    "bot/export/json/schema.py:held",
    "bot/export/json/schema.py:kept",
    "bot/integrations/links.py:kept",
    "storage/tables/record.py:held",
    "storage/tables/record.py:told",
}
"""Names that team templates, the JSON format or a database have, stored memos included."""
TRADE_WORDS = {"masking", "paging", "lettering", "embed", "feed", "need", "seed", "speed"}
"""Words of the field that only look like participles."""

ALIASES = {
    "bot.cli": "{}_commands",
    "bot.domain": "{}_rules",
    "bot.domain.pasting": "{}_rules",
    "bot.domain.announcements": "{}_rules",
    "bot.export.canvas": "canvas_{}",
    "bot.export.charts": "{}_chart",
    "bot.export.confluence": "confluence_{}",
    "bot.export.json": "json_{}",
    "bot.integrations.confluence": "confluence_{}",
    "bot.integrations.jira": "jira_{}",
    "bot.integrations.paging": "paging_{}",
    "bot.integrations.service_management": "service_management_{}",
    "bot.integrations.statuspage": "statuspage_{}",
    "bot.rehearsal.web_api": "{}_api",
    "bot.services": "{}_service",
    "bot.services.alerts": "{}_service",
    "bot.services.announcements": "{}_service",
    "bot.services.documents": "{}_service",
    "bot.services.history": "{}_service",
    "bot.services.library": "{}_service",
    "bot.services.notifications": "{}_service",
    "bot.settings": "{}_settings",
    "bot.slack.views": "{}_views",
    "handlers": "{}_handlers",
    "storage": "{}_store",
    "storage.announcements": "{}_store",
    "storage.history": "{}_store",
    "storage.postmortem": "{}_store",
}
"""By folder: the name under which its modules are imported. Elsewhere a module keeps its own name."""
OWN_ALIASES = {
    "bot.demo": "demo_play",
    "bot.domain.alerts.groups": "alerts_rules",
    "bot.domain.times": "times",
    "bot.export.charts.alt_text": "alt_text",
    "bot.export.charts.svg": "svg",
    "bot.integrations.service": "integration_service",
    "bot.integrations.views": "integration_views",
    "bot.manifest": "app_manifest",
    "bot.services.alerts": "alerts",
    "bot.services.announcements": "announcements",
    "bot.services.context": "context",
    "bot.services.documents": "documents",
    "bot.services.history": "history",
    "bot.slack.views.blocks": "blocks",
    "bot.slack.views.templates": "templates",
    "handlers.boundary": "boundary",
    "handlers.requests": "requests",
    "storage.database": "database",
    "storage.database.clock": "clock_store",
    "storage.database.health": "health_store",
    "storage.database.restore": "restore_store",
    "storage.database.store": "database_store",
    "storage.tables": "tables",
}
"""Modules that are not called after their folder."""
RENAMES = {
    "hypothesis.strategies": "st",
    "slack_sdk.signature.Clock": "SignatureClock",
    "sqlalchemy": "sa",
    "sqlalchemy.dialects.sqlite.insert": "upsert",
}
"""Everything else that may be renamed, and to what."""


Offenders = dict[str, dict[str, int]]


@cache
def files() -> tuple[str, ...]:
    """Every file that is, or would be, under version control. Raises OSError or CalledProcessError without git."""
    command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    return tuple(sorted(name for name in listed.split("\0") if name and (ROOT / name).is_file()))


def source(name: str) -> str:
    """The text of a file."""
    return (ROOT / name).read_text(encoding="utf-8")


@cache
def tree(name: str) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(source(name))


def modules(*floors: str) -> list[str]:
    """The Python files of some folders of the top level."""
    return [name for name in files() if name.endswith(".py") and name.split("/")[0] in floors]


def class_names() -> dict[str, int]:
    """The names that several classes of the product have."""
    found = Counter(
        node.name for name in modules(*FLOORS) for node in ast.walk(tree(name)) if isinstance(node, ast.ClassDef)
    )
    return {name: count for name, count in found.items() if count > 1}


def folders() -> dict[str, int]:
    """The folders of the product that hold too many modules."""
    found = Counter(str(Path(name).parent) for name in modules(*FLOORS))
    return {
        folder: count
        for folder, count in found.items()
        if folder not in GROWING and count > MOST_MODULES_OF.get(folder, MOST_MODULES)
    }


def is_no_noun(name: str) -> bool:
    """Whether a file's name is a participle, an adverb or a remainder; `edited_draft` is a noun with an adjective."""
    *before, last = name.partition(".")[0].split("_")
    return _is_participle(last) or any(word in REMAINDERS or _is_gerund(word) for word in (*before, last))


def _is_participle(word: str) -> bool:
    return word in PARTICIPLES or (word.endswith("ed") and word not in TRADE_WORDS)


def _is_gerund(word: str) -> bool:
    return word.endswith("ing") and word not in TRADE_WORDS


def file_names() -> dict[str, int]:
    """The modules and templates that are not named by nouns, with those modules of the tests that hold no tests."""
    named = [name for name in files() if name.endswith((".py", ".j2")) and name.split("/")[0] in (*FLOORS, "tests")]
    return {name: 1 for name in named if not _is_named_for_good(name) and is_no_noun(Path(name).name)}


def _is_named_for_good(name: str) -> bool:
    """A test is named for what it shows, a migration once and for all."""
    return name.startswith(GROWING) or Path(name).name.startswith("test_")


def functions() -> dict[str, int]:
    """The functions and methods that are named by a participle alone; `read` and `left` are a verb and a side."""
    return Counter(
        f"{name}:{node.name}"
        for name in modules(*FLOORS, "tests")
        for node in ast.walk(tree(name))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and is_lone_participle(node.name)
    )


def is_lone_participle(name: str) -> bool:
    """Whether a function's name is one participle, such as `told` or `_kept`; `find_kept` says what comes back."""
    word = name.strip("_")
    return "_" not in word and _is_participle(word) and word not in ("read", "left")


def names() -> dict[str, int]:
    """The files that bind such a participle: as a variable, parameter, attribute, field or member."""
    return Counter(
        name
        for name in modules(*FLOORS, "tests")
        for bound in bindings(tree(name))
        if bound.strip("_").lower() in NAMELESS and f"{name}:{bound}" not in PUBLISHED
    )


def bindings(module: ast.Module) -> Iterator[str]:
    """Every name that is bound to a value, once for each time."""
    for node in ast.walk(module):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield name
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.ExceptHandler(name=str(name)):
                yield name


def imports() -> dict[str, int]:
    """Modules and names of product and tests that are imported under a name of the importer's own making."""
    renamed = (_list_renamed(node) for name in modules(*FLOORS, "tests") for node in ast.walk(tree(name)))
    return Counter(name for names in renamed for name in names)


def _list_renamed(node: ast.AST) -> Iterator[str]:
    if not isinstance(node, ast.Import | ast.ImportFrom):
        return
    origin = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
    for alias in node.names:
        full = f"{origin}{alias.name}"
        if (alias.asname or alias.name) != _name_of(full, alias.name):
            yield full


def _name_of(full: str, name: str) -> str:
    """The one name under which something is imported."""
    path = full.replace(".", "/")
    if full.partition(".")[0] not in FLOORS or not {f"{path}.py", f"{path}/__init__.py"} & set(files()):
        return RENAMES.get(full, name)
    return OWN_ALIASES.get(full) or ALIASES.get(full.rpartition(".")[0], "{}").format(name)


class Rule(NamedTuple):
    """A section of the list: what it holds, how that is found, and what the figure behind each of its keys counts."""

    says: str
    find: Callable[[], dict[str, int]]
    counts: str


RULES = {
    "class_names": Rule("A class name is unique in the product.", class_names, "how many classes have the name"),
    "folders": Rule(f"A folder holds at most {MOST_MODULES} modules.", folders, "how many it holds"),
    "file_names": Rule("No file is named by a participle, an adverb or a remainder.", file_names, "1"),
    "functions": Rule("No participle alone names a function.", functions, "how many in the file have the name"),
    "imports": Rule("A module has one name wherever it is imported.", imports, "how often it is renamed"),
}


@cache
def found(section: str) -> dict[str, int]:
    """Everything that breaks a rule today."""
    return RULES[section].find()


def read_list() -> Offenders:
    """Everything that may."""
    known: Offenders = tomllib.loads(LIST.read_text(encoding="utf-8")) if LIST.exists() else {}
    return {section: known.get(section, {}) for section in RULES}


def grown(now: Mapping[str, int], allowed: Mapping[str, int]) -> dict[str, int]:
    """What is new, or has become more, with how much of it there is now."""
    return {name: count for name, count in sorted(now.items()) if count > allowed.get(name, 0)}


def shrunk(now: Mapping[str, int], allowed: Mapping[str, int]) -> dict[str, int]:
    """What is listed and is gone, or has become less, with how much of it there is now."""
    return {name: now.get(name, 0) for name, count in sorted(allowed.items()) if now.get(name, 0) < count}


def format_list(offenders: Offenders) -> str:
    """The list as its file holds it: sorted, one a line, so that branches that shrink it merge."""
    lines = [
        "# What still breaks the rules of tests/support/house_offenders.py. It may only shrink.",
        "# After a clean-up: python -m tests.support.house_offenders",
    ]
    for section, rule in RULES.items():
        lines += ["", f"# {rule.says} Listed: {rule.counts}.", f"[{section}]"]
        lines += [f'"{name}" = {count}' for name, count in sorted(offenders[section].items())]
    return "\n".join(lines) + "\n"


@click.command()
@click.option("--moved", is_flag=True, help="Take new entries in place of old ones, as after renaming a folder.")
@click.option("--grow", is_flag=True, help="Take whatever there is, as after merging work that is older than a rule.")
def main(*, moved: bool, grow: bool) -> None:
    """Rewrite the list of what breaks the house's rules. It refuses to grow."""
    now, allowed = {section: found(section) for section in RULES}, read_list()
    refused = False
    for section in RULES:
        more = grown(now[section], allowed[section])
        for name, count in more.items():
            click.echo(f"{section}: {name} = {count} (listed: {allowed[section].get(name, 0)})", err=True)
        has_grown = sum(now[section].values()) > sum(allowed[section].values())
        refused = refused or (bool(more) and (has_grown or not moved))
    if refused and not grow:
        raise click.ClickException("The list may only shrink: rename what is named above. Nothing was written.")
    LIST.write_text(format_list(now), encoding="utf-8")
    sums = {section: (sum(allowed[section].values()), sum(now[section].values())) for section in RULES}
    click.echo(", ".join(f"{section} {before} -> {after}" for section, (before, after) in sums.items()))


if __name__ == "__main__":
    main()
