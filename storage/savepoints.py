"""What one unit of a transaction does by itself, and what its author is told where it was not written."""

import logging
from types import TracebackType

from bot.errors import NotRecorded
from storage.drivers import DATABASE_ERRORS, Driver, Fault
from storage.statements import DriverConnection
from storage.waiting import Waiting

log = logging.getLogger(__name__)


class Savepoint:
    """What a unit does by itself.

    Whatever a unit raises is its own answer and undoes nothing but the unit, unless it is an error of the database
    that no unit of the transaction can outlive: that one goes on to the writer.
    """

    __slots__ = ("_connection", "_driver", "_waiting")

    def __init__(self, connection: DriverConnection, driver: Driver, waiting: Waiting) -> None:
        self._connection = connection
        self._driver = driver
        self._waiting = waiting

    def __enter__(self) -> None:
        self._connection.execute("SAVEPOINT unit")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> bool:
        if error is None:
            return False
        if isinstance(error, DATABASE_ERRORS):
            if self._driver.fault(error) is not Fault.UNIT:
                return False
            log.error("a unit was not written: %s", type(error).__name__)
            error = not_recorded(error)
        self._connection.execute("ROLLBACK TO SAVEPOINT unit")
        self._connection.execute("RELEASE SAVEPOINT unit")
        self._waiting.error = error
        return True


def not_recorded(error: Exception) -> NotRecorded:
    """A new error for each waiter: one that is raised in several tasks would gather all their traces."""
    if isinstance(error, NotRecorded):
        return type(error)(*error.args)
    refusal = NotRecorded(f"The database did not take it ({type(error).__name__}).")
    refusal.__cause__ = error
    return refusal
