"""What can go wrong, as sentences a person can act on."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class AfterwordError(Exception):
    """The root of everything Afterword raises on purpose; `str(error)` is safe to show to a person."""


class Refused(AfterwordError):
    """A person's mistake, answered with one sentence that says what to do.

    `offer` names the button that mends it (`open_incident`, …), or is empty; `field` the field of a form that it is
    about, which else stands at the form's first. `carrying` is what the offered button takes along (JSON), so that what
    was typed is not typed again.
    """

    def __init__(
        self, sentence: str, *, offer: str = "", field: str = "", carrying: Mapping[str, Any] = _NOTHING
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.offer = offer
        self.field = field
        self.carrying = carrying


class NotRecorded(AfterwordError):
    """The database could not take it in time; nothing was written, and the text must be given back."""


class Misconfigured(AfterwordError):
    """A setting is missing or cannot be; the sentence names the variable and the remedy."""
