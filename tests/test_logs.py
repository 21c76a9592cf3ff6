"""What reaches the log: no words of anybody's, no credential, and no line that somebody else wrote."""

import io
import logging

import pytest

from bot.errors import Refused
from bot.logs import TextFreeFormatter

TOKEN = "xoxb-" + "1234-abcd"


def logged(message: str, *args: object, error: BaseException | None = None) -> str:
    """The log after one line of it."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(TextFreeFormatter("%(levelname)s %(name)s: %(message)s"))
    handler.handle(logging.LogRecord("bot", logging.WARNING, __file__, 1, message, args, exc_info(error)))
    return written.getvalue()


def exc_info(error: BaseException | None) -> "tuple[type[BaseException], BaseException, None] | None":
    return (type(error), error, error.__traceback__) if error else None  # type: ignore[return-value]


def breaks(text: str) -> None:
    try:
        int(text)
    except ValueError as cause:
        raise KeyError(text) from cause


def broken(text: str) -> BaseException:
    """What a request broke with, with its cause."""
    with pytest.raises(KeyError) as caught:
        breaks(text)
    return caught.value


def test_a_trace_tells_where_and_of_what_kind_and_none_of_the_words() -> None:
    line = logged("a request broke", error=broken("a canary sang"))
    assert "in broken" in line
    assert "ValueError" in line
    assert "KeyError" in line
    assert "canary sang" not in line
    assert line.index("ValueError") < line.index("KeyError")


def test_our_own_sentences_are_told() -> None:
    assert "Name a word." in logged("refused", error=Refused("Name a word."))


@pytest.mark.parametrize("newline", ["\n", "\r", "\r\n", "\x0b", "\x85", "\u2028", "\x1b[2K", "\x00"])
def test_nobody_writes_a_line_of_their_own(newline: str) -> None:
    line = logged("a system said %s", f"no{newline}ERROR bot: all is lost")
    assert len(line.splitlines()) == 1
    assert "\x1b" not in line
    assert line.startswith("WARNING bot: a system said no\\")


def test_no_token_is_told() -> None:
    assert TOKEN not in logged("slack said %s", TOKEN)
    assert "hunter2" not in logged("postgresql://bot:hunter2@db/x")


def test_a_context_that_was_suppressed_is_not_told_and_a_circle_ends() -> None:
    one, other = ValueError("1"), KeyError("2")
    one.__context__, other.__context__ = other, one
    assert logged("broke", error=one).count("ValueError") == 1
    one.__suppress_context__ = True
    assert "KeyError" not in logged("broke", error=one)
