"""Errors, as sentences that people can act on."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class AfterwordError(Exception):
    """The base of everything that Afterword raises on purpose; `str(error)` is safe to show to people."""


class Refused(AfterwordError):
    """A person's mistake, answered with a sentence that says what to do.

    `offer` names a button that does it (`open_incident`, …), or is empty. `field` is the form's field at which the
    sentence is shown, by default the first. `carrying` is the button's value (JSON), such as the text that was typed.
    """

    def __init__(
        self, sentence: str, *, offer: str = "", field: str = "", carrying: Mapping[str, Any] = _NOTHING
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.offer = offer
        self.field = field
        self.carrying = carrying


class OutdatedButton(Refused):
    """A button does nothing useful any more. Its message is out of date, and the sentence takes its place."""


class NotRecorded(AfterwordError):
    """The database did not take it in time. Nothing was written, and the person must get their text back."""


class PerhapsRecorded(NotRecorded):
    """A save whose outcome could not be learned in time, for example because the server went away during the commit.

    The text must still be given back, with the advice to look before repeating it.
    """


class DatabaseGone(NotRecorded):
    """The database file was removed or replaced under the process: what it goes on writing would be lost."""


class MalformedPayloadError(AfterwordError):
    """A payload that is not as its sender documents it; the sentence names the place."""


class MissingPartError(MalformedPayloadError, KeyError):
    """What a button or a form carries lacks a part."""


class Misconfigured(AfterwordError):
    """A setting is missing or wrong; the sentence names the variable and the remedy."""
