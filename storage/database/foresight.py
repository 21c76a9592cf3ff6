"""Foresight: what a unit is known to begin with is sent before it runs, so that a batch waits once for all answers.

Only for a database behind a network, where to wait costs more than the statement does.
"""

from collections import deque
from collections.abc import Callable
from typing import Any

from sqlalchemy import Dialect

from storage.database.statements import Cursor, Row, Statement, Transaction

Foresee = Callable[[Transaction], object]
"""Makes the statements that a unit begins with, by the same functions of storage.

None of them may depend on the answer to another: while they are noted, no statement finds a row. They run before the
units that come first in the batch are done, so those may not write, after their own first statements, what these read,
unless a unique key then refuses it.
"""


class Unforeseen(Exception):
    """A unit did not begin with the statements that were sent ahead for it."""


class Preview(Transaction):
    """Notes the statements, and runs none: it answers like a database without rows."""

    __slots__ = ("seen",)

    def __init__(self, dialect: Dialect) -> None:
        super().__init__(_NoConnection(), dialect)
        self.seen: list[tuple[Statement, dict[str, Any]]] = []

    def rows(self, statement: Statement, /, **values: Any) -> list[Row]:
        """No row."""
        self.seen.append((statement, values))
        return []


class _NoConnection:
    def execute(self, *_: Any) -> Cursor:
        """Refuse: what has no answer need not be sent ahead."""
        raise Unforeseen

    def close(self) -> None:
        """Nothing is open."""


class ForeseenTransaction(Transaction):
    """A transaction in which a unit gets the answers to what was sent ahead for it.

    If it asks for anything else, that is Unforeseen: its batch is rolled back, and the units run one after the other.
    So a foresight that is wrong costs time, and never makes a difference.
    """

    __slots__ = ("_ahead", "_sent")

    def send(self, units: list[Foresee]) -> None:
        """Send ahead for each unit of a batch, in their order."""
        self._sent = deque(self._send(foresee) for foresee in units)
        self._ahead: deque[tuple[Statement, dict[str, Any], Cursor]] = deque()

    def _send(self, foresee: Foresee) -> deque[tuple[Statement, dict[str, Any], Cursor]]:
        preview = Preview(self._dialect)
        foresee(preview)
        return deque(
            (statement, values, super(ForeseenTransaction, self)._execute(statement, dict(values)))
            for statement, values in preview.seen
        )

    def run_unit(self, unit: Callable[[Transaction], Any]) -> Any:
        """Run the next unit of the batch. Raises Unforeseen, or what the unit raises."""
        self._ahead = self._sent.popleft()
        result = unit(self)
        if self._ahead:
            raise Unforeseen
        return result

    def _execute(self, statement: Statement, values: dict[str, Any]) -> Cursor:
        if not self._ahead:
            return super()._execute(statement, values)
        foreseen, known, cursor = self._ahead.popleft()
        if foreseen is not statement or known != values:
            raise Unforeseen
        return cursor
