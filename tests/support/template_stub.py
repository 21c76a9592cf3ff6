"""The signatures of the macros in `templates/slack`, for mypy: `python -m tests.support.template_stub` writes them.

A parameter is a `str`, unless the comment on the line above its macro says otherwise:

    {# number: int, owner: str | None #}
    {% macro added(number, key, owner) %}

A class of ours is written by its bare name, since class names are unique.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from jinja2 import Environment, nodes

from tests.support.house_offenders import ROOT, modules

FOLDER = ROOT / "templates" / "slack"
STUB = ROOT / "bot" / "slack" / "views" / "macros.pyi"

BUILTINS = {"bool", "bytes", "float", "int", "str", "tuple"}
STANDARD = {
    **dict.fromkeys(("Collection", "Iterable", "Mapping", "Sequence"), "collections.abc"),
    **dict.fromkeys(("date", "datetime", "timedelta"), "datetime"),
}
"""What an annotation may name without further ado. `Any` is left out on purpose."""
SOURCES = ("bot/domain/", "bot/export/", "bot/slack/", "storage/")
"""Where classes of ours may come from: what `bot.slack` may import."""

_CLASS = re.compile(r"^class (\w+)", re.MULTILINE)
_COMMENT = re.compile(r"\{#\s*(.*?)\s*#\}")


class Macro(NamedTuple):
    """A macro's name, its parameters with their types, and those that have a default."""

    name: str
    types: dict[str, str]
    optional: frozenset[str]

    def __str__(self) -> str:
        parameters = [f"{name}: {type_}{' = ...' * (name in self.optional)}" for name, type_ in self.types.items()]
        return f"    def {self.name}({', '.join(['self', *(['*'] if parameters else []), *parameters])}) -> str: ..."


def macros(source: str) -> Iterator[Macro]:
    """The macros of a template in the order of the file. Raises ValueError for an annotation that fits no macro."""
    lines = source.splitlines()
    found = Environment(extensions=["jinja2.ext.do"], autoescape=True).parse(source).find_all(nodes.Macro)
    for macro in sorted(found, key=lambda macro: macro.lineno):
        names = [str(argument.name) for argument in macro.args]
        types = _annotations(lines[macro.lineno - 2])
        if unknown := types.keys() - set(names):
            raise ValueError(f"{macro.name} has no parameter {', '.join(sorted(unknown))}.")
        optional = frozenset(names[len(names) - len(macro.defaults) :])
        yield Macro(macro.name, {name: types.get(name, "str") for name in names}, optional)


def _annotations(line: str) -> dict[str, str]:
    """`number: int, owner: str | None` of a comment, by name."""
    comment = _COMMENT.fullmatch(line.strip())
    if not comment:
        return {}
    (function,) = ast.parse(f"def macro({comment[1]}): ...").body
    assert isinstance(function, ast.FunctionDef)
    return {each.arg: ast.unparse(each.annotation) for each in function.args.args if each.annotation}


@cache
def _homes() -> dict[str, str]:
    """The modules of our classes."""
    return {
        class_: name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for name in modules("bot", "storage")
        if name.startswith(SOURCES)
        for class_ in _CLASS.findall((ROOT / name).read_text(encoding="utf-8"))
    }


def _origin(name: str) -> str:
    """The module that a type is imported from. Raises ValueError if there is none."""
    if not (module := STANDARD.get(name) or _homes().get(name)):
        raise ValueError(f"{name} is no type that a macro can take: a class of ours, or one of {', '.join(STANDARD)}.")
    return module


def stub() -> str:
    """The text of the stub, formatted as ruff formats it."""
    by_file = {file.stem: [*macros(file.read_text(encoding="utf-8"))] for file in sorted(FOLDER.glob("*.j2"))}
    types = {type_ for found in by_file.values() for macro in found for type_ in macro.types.values()}
    names = {node.id for type_ in types for node in ast.walk(ast.parse(type_)) if isinstance(node, ast.Name)}
    lines = ["# Written by `python -m tests.support.template_stub` from templates/slack/*.j2: edit those instead."]
    origins = {name: _origin(name) for name in sorted(names - BUILTINS)}
    for is_ours in (False, True):
        of_kind = sorted({module for name, module in origins.items() if (name not in STANDARD) is is_ours})
        lines += [
            f"from {module} import {', '.join(name for name in origins if origins[name] == module)}"
            for module in of_kind
        ]
        lines.append("")
    for file, found in by_file.items():
        lines += [f"class {_class(file)}:", *map(str, found), ""]
    lines += ["class Macros:", *(f"    {file}: {_class(file)}" for file in by_file)]
    return _format_stub("\n".join(lines))


def _class(file: str) -> str:
    return f"{file.title().replace('_', '')}Macros"


def _format_stub(text: str) -> str:
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", STUB.name, "-"]
    return subprocess.run(command, input=text, capture_output=True, check=True, cwd=ROOT, text=True).stdout


if __name__ == "__main__":
    STUB.write_text(stub(), encoding="utf-8")
