"""How long the bot waits in tests: long, except while waiting is what is tested, for a busy machine is no failure."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace

from bot.timeouts import Timeouts
from tests.support.deadlines import LONG_SECONDS

SHIPPED = Timeouts()
_NAMES = tuple(field.name for field in fields(Timeouts))
_PAUSES = ("queue_idle", "slack_person_again", "socket_ping")
"""Pauses, and no limits: they stay as shipped."""

_LIMITS = dict.fromkeys((name for name in _NAMES if name not in _PAUSES), LONG_SECONDS)
PATIENT = replace(SHIPPED, **_LIMITS | {"pdf": 10 * LONG_SECONDS})
"""Given to every store, bot and command of the tests: one object, so that `change_patience` reaches them all."""


@contextmanager
def change_patience(**seconds: float) -> Iterator[None]:
    """Everything that was given `PATIENT` waits so long meanwhile: the value is frozen for the product, not for us."""
    before = {name: getattr(PATIENT, name) for name in seconds}
    try:
        for name, value in seconds.items():
            object.__setattr__(PATIENT, name, value)
        yield
    finally:
        for name, value in before.items():
            object.__setattr__(PATIENT, name, value)


@contextmanager
def hurry(*names: str) -> Iterator[None]:
    """The bot waits as it is shipped, for everything or for what these fields are about.

    Only for as long as something hangs or is blocked, for all else may be slow.
    """
    with change_patience(**{name: getattr(SHIPPED, name) for name in names or _NAMES}):
        yield
