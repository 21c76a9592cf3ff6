"""Logging. Lines contain ids and lengths, never text that a person wrote, and never a token.

A line is a sentence for the operator and a mapping of what it is about, `event` first: the name of what happened, which
stays when the sentence is reworded. `log.warning("Message %(delivery)d is …", {"event": "…", "delivery": 7})`.
"""

import json
import logging
import re
import sys
import traceback
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal

from bot.errors import AfterwordError

LogFormat = Literal["text", "json"]

_SECRETS = re.compile(r"xox[a-z](?:\.xox[a-z])?-[\w-]+|xapp-[\w-]+|xwfp-[\w-]+|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")

_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class TextFreeFormatter(logging.Formatter):
    """One line a message; for an error its type and traceback, and its own message only if it is ours.

    The message of any other error may quote text that a person wrote: a database quotes the row that it refuses.
    """

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 (the library's name)
        del datefmt
        return f"{datetime.fromtimestamp(record.created, UTC):%Y-%m-%d %H:%M:%S} UTC"

    def format(self, record: logging.LogRecord) -> str:
        return _SECRETS.sub("***", super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (the library's name)
        # Escaped, so that text from another system cannot forge a line.
        return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", super().formatMessage(record))

    def formatException(self, ei: _ExcInfo) -> str:  # noqa: N802 (the library's name)
        return "\n".join(_describe(error) for error in reversed(list(_walk_causes(ei[1]))))


class JsonFormatter(TextFreeFormatter):
    """One JSON object a line: time, level, logger, event, message, what the line is about, and `error` for a trace."""

    def format(self, record: logging.LogRecord) -> str:
        fields: Mapping[str, Any] = record.args if isinstance(record.args, Mapping) else {}
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": fields.get("event", "other"),
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in fields.items() if value is not None and name not in line}
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = self.formatException(record.exc_info)
        # In ASCII, so that nothing that another system sent is taken for the end of a line.
        return _SECRETS.sub("***", json.dumps(line, default=str))


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


def configure(level: str, form: LogFormat = "text") -> None:
    """Log to standard error. Libraries only warn: at finer levels Bolt and slack_sdk log whole bodies."""
    handler = logging.StreamHandler(sys.stderr)
    as_text = TextFreeFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    handler.setFormatter(as_text if form == "text" else JsonFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for name in ("bot", "handlers", "storage"):
        logging.getLogger(name).setLevel(level)
    for name in ("slack_bolt", "slack_sdk", "aiohttp", "apscheduler", "stamina"):
        logging.getLogger(name).setLevel(logging.ERROR)
