"""Logging. Lines contain ids and lengths, never text that a person wrote, and never a token."""

import logging
import re
import sys
import traceback
from collections.abc import Iterator
from types import TracebackType

from bot.errors import AfterwordError

_SECRETS = re.compile(r"xox[a-z](?:\.xox[a-z])?-[\w-]+|xapp-[\w-]+|xwfp-[\w-]+|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")

_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class TextFreeFormatter(logging.Formatter):
    """One line a message; for an error its type and traceback, and its own message only if it is ours.

    The message of any other error may quote text that a person wrote: a database quotes the row that it refuses.
    """

    def format(self, record: logging.LogRecord) -> str:
        return _SECRETS.sub("***", super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (the library's name)
        # Escaped, so that text from another system cannot forge a line.
        return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", super().formatMessage(record))

    def formatException(self, ei: _ExcInfo) -> str:  # noqa: N802 (the library's name)
        return "\n".join(_describe(error) for error in reversed(list(_walk_causes(ei[1]))))


def _walk_causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and its causes, each once: causes can form a circle."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _describe(error: BaseException) -> str:
    message = f": {error}" if isinstance(error, AfterwordError) else ""
    return f"{''.join(traceback.format_tb(error.__traceback__))}{type(error).__name__}{message}"


def configure(level: str) -> None:
    """Log to standard error. Libraries only warn: at finer levels Bolt and slack_sdk log whole bodies."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(TextFreeFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for name in ("bot", "handlers", "storage"):
        logging.getLogger(name).setLevel(level)
    for name in ("slack_bolt", "slack_sdk", "aiohttp", "apscheduler", "stamina"):
        logging.getLogger(name).setLevel(logging.ERROR)
