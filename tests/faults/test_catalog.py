"""The page on reliability says what is tested, and every test that it names is there."""

import ast

import pytest

from tests.faults.catalog import FAULTS, PAGE, ROOT, SHOWN, Fault, is_shown_by, page


def test_the_page_is_what_its_command_writes() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_the_faults_are_numbered_without_a_gap() -> None:
    assert [fault.number for fault in FAULTS] == list(range(1, 47))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: str(fault.number))
def test_every_test_that_shows_a_fault_exists(fault: Fault) -> None:
    assert fault.tests
    for test in fault.tests:
        path, _, name = test.partition("::")
        code = ast.parse((ROOT / "tests" / path).read_text(encoding="utf-8"))
        names = {node.name for node in code.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert not name or name in names, test


def test_a_test_is_known_by_its_node_whatever_its_parameters() -> None:
    known = next(test for test in SHOWN if "::" in test)
    assert is_shown_by(f"tests/{known}[sqlite]")
    assert not is_shown_by(f"tests/{known}_and_more")
