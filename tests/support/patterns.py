"""Finds every regular expression of the product, how each is used, and texts that could be hard for it.

Found in two ways, so that none is missed: by walking what the modules hold (globals, classes, containers, defaults,
closures), and by evaluating the argument of every `re.…(` in the source.
"""

import ast
import dataclasses
import importlib
import itertools
import random
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from re import _constants, _parser  # type: ignore[attr-defined]
from types import FunctionType, MappingProxyType, ModuleType
from typing import Any, NamedTuple

from tests.support.house_offenders import modules, source, tree

FLOORS = ("bot", "handlers", "storage")
METHODS = frozenset("match search fullmatch sub subn finditer findall split".split())
TAKERS = {"take"}
"""Functions that are given a pattern and match it at a place."""
NOT_IMPORTED = {"storage/migrations/env.py"}  # runs migrations when it is imported


class Found(NamedTuple):
    """A pattern, the methods by which it is used, and where it stands."""

    pattern: re.Pattern[str]
    methods: frozenset[str]
    where: str

    @property
    def work(self) -> dict[str, Callable[[str], object]]:
        """What is done with a text, by name."""
        used: dict[str, Callable[[str], object]] = {}
        for method in sorted(self.methods):
            if method in ("sub", "subn"):
                used["sub"] = lambda text: self.pattern.sub("", text)
            elif method in ("finditer", "findall"):
                used["finditer"] = lambda text: sum(1 for _ in self.pattern.finditer(text))
            else:
                used[method] = getattr(self.pattern, method)
        return used


def module_of(name: str) -> ModuleType:
    return importlib.import_module(name.removesuffix(".py").removesuffix("/__init__").replace("/", "."))


def product() -> list[str]:
    """The files of the product's modules."""
    return [name for name in modules(*FLOORS) if name not in NOT_IMPORTED]


def callers() -> list[str]:
    """The files that name a function of `re`: read as text, as every worker of a run asks."""
    names = re.compile(rf"\bre\.(?:{'|'.join(sorted(METHODS))}|compile)\b")
    return [name for name in product() if names.search(source(name))]


def inside(value: object, seen: set[int], depth: int = 6) -> Iterator[re.Pattern[str]]:
    """The patterns that a value holds, however deep."""
    if isinstance(value, re.Pattern):
        yield value
    if id(value) in seen or not depth:
        return
    seen.add(id(value))
    for part in _parts(value):
        yield from inside(part, seen, depth - 1)


def _parts(value: object) -> Iterable[object]:
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    if isinstance(value, dict | MappingProxyType):
        return [*value, *value.values()]
    if isinstance(value, FunctionType):
        cells = [cell.cell_contents for cell in value.__closure__ or () if _is_filled(cell)]
        return [*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values(), *cells]
    owner = value if isinstance(value, type) else type(value)
    if owner.__module__.partition(".")[0] not in FLOORS:
        return ()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, field.name, None) for field in dataclasses.fields(value)]
    return list(getattr(value, "__dict__", {}).values())


def _is_filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not cell
    except ValueError:
        return False


class CallSite(NamedTuple):
    """A call of a function of `re`; without a pattern if its argument is only known as it runs."""

    where: str
    function: str
    pattern: re.Pattern[str] | None


@cache
def call_sites(name: str) -> tuple[CallSite, ...]:
    """Every call of a function of `re` in a file."""
    return tuple(_call_sites(name))


def _call_sites(name: str) -> Iterator[CallSite]:
    names = vars(module_of(name))
    owners = {
        id(inner): outer.name
        for outer in ast.walk(tree(name))
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(outer)
    }
    for node in ast.walk(tree(name)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if ast.unparse(node.func).startswith("re.") and node.func.attr in {*METHODS, "compile"}:
            yield CallSite(f"{name}:{owners.get(id(node), '')}", node.func.attr, _evaluate(node, names))


def _evaluate(call: ast.Call, names: dict[str, Any]) -> re.Pattern[str] | None:
    at = {"sub": 4, "subn": 4, "split": 3, "compile": 1}.get(getattr(call.func, "attr", ""), 2)
    flags = [word.value for word in call.keywords if word.arg == "flags"] or call.args[at : at + 1]
    try:
        pattern, *rest = (eval(ast.unparse(node), names) for node in [call.args[0], *flags])
    except NameError:
        return None
    return re.compile(pattern, *rest)


@cache
def uses() -> dict[tuple[str, str], set[str]]:
    """By file and name (no file if the name is public) the methods called on it; "?" if it is handed on."""
    found: dict[tuple[str, str], set[str]] = {}
    for name in product():
        parents = {child: node for node in ast.walk(tree(name)) for child in ast.iter_child_nodes(node)}
        for node, parent in parents.items():
            word = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
            if not word or not isinstance(node.ctx, ast.Load):  # type: ignore[attr-defined]
                continue
            method = parent.attr if isinstance(parent, ast.Attribute) else "?"
            if isinstance(parent, ast.Call) and ast.unparse(parent.func).rpartition(".")[2] in TAKERS:
                method = "match"
            if method not in ("pattern", "flags"):
                key = (name if word.startswith("_") else "", word)
                found.setdefault(key, set()).add(method if method in METHODS else "?")
    return found


def methods_of(name: str, attribute: str, handed_on: dict[str, str]) -> frozenset[str]:
    """How the pattern of a global is used; all ways for one of a container."""
    if which := handed_on.get(f"{name}:{attribute}"):
        return frozenset(which.split())
    found = uses().get((name if attribute.startswith("_") else "", attribute), {"?"})
    return frozenset(found - {"?"}) | (frozenset(("search", "fullmatch")) if "?" in found else frozenset())


def patterns_in(name: str, handed_on: dict[str, str]) -> list[Found]:
    """Every pattern of a file, once for each use."""
    found: dict[tuple[re.Pattern[str], frozenset[str]], str] = {}
    known: set[re.Pattern[str]] = set()
    for attribute, value in list(vars(module_of(name)).items()):
        if not isinstance(value, ModuleType):
            for pattern in inside(value, set()):
                known.add(pattern)
                found.setdefault((pattern, methods_of(name, attribute, handed_on)), f"{name}:{attribute}")
    for where, function, built in call_sites(name):
        if built is not None and built not in known:
            methods = frozenset(("search", "fullmatch") if function == "compile" else (function,))
            found.setdefault((built, methods), where)
    return [Found(pattern, methods, where) for (pattern, methods), where in found.items()]


_STAND_FOR = {
    _constants.CATEGORY_DIGIT: "0",
    _constants.CATEGORY_NOT_DIGIT: "a",
    _constants.CATEGORY_SPACE: " ",
    _constants.CATEGORY_NOT_SPACE: "a",
    _constants.CATEGORY_WORD: "a",
    _constants.CATEGORY_NOT_WORD: "-",
}
_REPEATS = (_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT)
_COMMON = " a0-\t.,:/x\n<&#="
_MANY = 10

Items = Any
"""A sequence of what the standard library's own parser makes of a pattern."""


def _letters(items: Items) -> list[str]:
    """Some of the characters that a set admits."""
    if any(op is _constants.NEGATE for op, _ in items):
        return [letter for letter in _COMMON if _admits(items, letter)] or ["\u0101"]
    found: list[str] = []
    for op, value in items:
        if op is _constants.LITERAL:
            found.append(chr(value))
        elif op is _constants.RANGE:
            found += map(chr, value)
        elif op is _constants.CATEGORY:
            found.append(_STAND_FOR[value])
    return list(dict.fromkeys(found)) or ["a"]


def _admits(items: Items, letter: str) -> bool:
    written = {_constants.CATEGORY_DIGIT: r"\d", _constants.CATEGORY_SPACE: r"\s", _constants.CATEGORY_WORD: r"\w"}
    excluded = False
    for op, value in items:
        if op is _constants.LITERAL:
            excluded |= ord(letter) == value
        elif op is _constants.RANGE:
            excluded |= value[0] <= ord(letter) <= value[1]
        elif op is _constants.CATEGORY and value in written:
            excluded |= bool(re.match(written[value], letter))
        elif op is _constants.CATEGORY:
            opposite = {
                _constants.CATEGORY_NOT_DIGIT: r"\D",
                _constants.CATEGORY_NOT_SPACE: r"\S",
                _constants.CATEGORY_NOT_WORD: r"\W",
            }
            excluded |= bool(re.match(opposite[value], letter))
    return not excluded


def _bodies(op: Any, value: Any) -> list[Items]:
    """The sequences inside an item."""
    if op in _REPEATS:
        return [value[2]]
    if op is _constants.SUBPATTERN:
        return [value[-1]]
    if op is _constants.ATOMIC_GROUP:
        return [value]
    if op is _constants.BRANCH:
        return list(value[1])
    return [value[1]] if op in (_constants.ASSERT, _constants.ASSERT_NOT) else []


def _sample(  # noqa: C901 - one branch for each item there is
    items: Items, chance: random.Random, *, fully: bool, groups: dict[int, str] | None = None
) -> str:
    """A text that the items match, but for what they look at: the shortest, or `fully` with what may be there."""
    groups = {} if groups is None else groups
    text = ""
    for op, value in items:
        if op is _constants.LITERAL:
            text += chr(value)
        elif op is _constants.NOT_LITERAL:
            text += chance.choice([letter for letter in "a 0-" if ord(letter) != value])
        elif op is _constants.ANY:
            text += chance.choice("a 0-")
        elif op is _constants.IN:
            text += chance.choice(_letters(value))
        elif op in _REPEATS:
            count = min(value[1], max(value[0], 1)) if fully else value[0]
            text += "".join(_sample(value[2], chance, fully=fully, groups=groups) for _ in range(min(count, 60)))
        elif op is _constants.BRANCH:
            text += _sample(chance.choice(value[1]), chance, fully=fully, groups=groups)
        elif op is _constants.GROUPREF:
            text += groups.get(value, "")
        elif op is _constants.SUBPATTERN:
            groups[value[0]] = _sample(value[-1], chance, fully=fully, groups=groups)
            text += groups[value[0]]
        elif op is _constants.ATOMIC_GROUP:
            text += _sample(value, chance, fully=fully, groups=groups)
    return text


def _repeats(items: Items, before: tuple[Any, ...] = ()) -> Iterator[tuple[Items, Items, Items]]:
    """Each item that may repeat often: what comes before it, what it repeats, and what comes behind."""
    items = list(items)
    for index, (op, value) in enumerate(items):
        ahead = (*before, *items[:index])
        if op in _REPEATS and value[1] >= _MANY:
            yield ahead, value[2], items[index + 1 :]
        for body in _bodies(op, value):
            yield from _repeats(body, ahead)


def _alphabet(items: Items) -> Iterator[str]:
    for op, value in items:
        if op in (_constants.LITERAL, _constants.NOT_LITERAL):
            yield chr(value)
        elif op is _constants.IN:
            yield from _letters(value)
        for body in _bodies(op, value):
            yield from _alphabet(body)


class Attack(NamedTuple):
    """A text of any length: its begin, what repeats, and an end that lets a match fail."""

    begin: str
    pump: str
    end: str

    def text(self, length: int) -> str:
        """The text, about so long."""
        return self.begin + self.pump * max(1, length // len(self.pump)) + self.end


ENDS = ("", "\x01", "=", "a", " \n!")


def attacks(pattern: re.Pattern[str], most: int) -> list[Attack]:
    """Texts made of a pattern's own letters, words and repeated parts; the same ones each time."""
    items = list(_parser.parse(pattern.pattern, pattern.flags))
    chance = random.Random(repr(pattern.pattern))
    letters = list(dict.fromkeys([*" \t\n0a-", *_alphabet(items)]))
    letters = letters if len(letters) <= 14 else letters[:6] + chance.sample(letters[6:], 8)
    plain = [Attack("", letter, end) for letter in letters for end in ENDS]
    pairs = [Attack("", one + other, "\x01") for one, other in itertools.permutations(letters[:9], 2)]
    grown: list[Attack] = []
    for before, body, behind in _repeats(items):
        for fully in (False, True, True, False):
            begin, pump = _sample(before, chance, fully=fully), _sample(body, chance, fully=fully) or "a"
            after = _sample(behind, chance, fully=True)[:1] or " "
            for end in ENDS[:3]:
                grown += (Attack(begin, pump, end), Attack(begin, pump * 3 + after, end), Attack("", begin + pump, end))
                grown += [Attack("", begin, end)] if begin else []
    grown = list(dict.fromkeys(grown))
    chance.shuffle(grown)
    chance.shuffle(pairs)
    chance.shuffle(plain)
    kinds = (grown[: most // 2], plain[: most // 3], pairs[: most // 6])
    return list(dict.fromkeys(itertools.chain(*kinds)))
