"""A team's templates at work, in a process of its own (see `bot.export.apart` and `bot.export.teams`)."""

import json
import signal
import time
from types import FrameType

from bot.export import custom
from bot.export.apart import answer
from bot.export.teams import TASK


def make(given: bytes) -> bytes:
    """What a task asks for: a document's Markdown, or of a sample what is broken and what is worth knowing, as JSON."""
    task = TASK.validate_json(given)
    signal.signal(signal.SIGALRM, _ring)
    signal.setitimer(signal.ITIMER_REAL, max(0.001, task.until - time.monotonic()))
    if task.document is not None:
        made = custom.markdown(task.templates, task.document)
    else:
        made = json.dumps(custom.tried(task.templates, task.sample))
    signal.setitimer(signal.ITIMER_REAL, 0)
    return made.encode()


def _ring(_: int, __: FrameType | None) -> None:
    raise custom.OutOfTime


if __name__ == "__main__":
    answer(make)
