"""The process in which a job runs: `python -m bot.export.worker MODULE DESCRIPTOR MEMORY SECONDS OUTPUT`.

`bot.export.sandbox` starts it. The data comes by standard input, the answer goes to the descriptor. The status is 0, or
the answer is a sentence that says why there is none.
"""

import contextlib
import os
import resource
import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, cast

from bot.errors import AfterwordError
from bot.export.sandbox import MEGABYTE, JobError, describe_excess


def main() -> None:
    """Run one job: the whole life of the process."""
    descriptor, memory, seconds, max_output = map(int, sys.argv[2:6])
    # Import the job alone, so that no job can reach what only another one needs; and here, so that the bot need not.
    run = cast("Callable[[bytes], bytes]", import_module(sys.argv[1]).run)
    pipe = os.fdopen(descriptor, "wb")
    sys.excepthook = partial(_report_error, pipe, memory)
    _limit(resource.RLIMIT_AS, memory)
    _limit(resource.RLIMIT_CPU, seconds + 1)  # the bot may have died, and then no one else would kill this process
    _limit(resource.RLIMIT_CORE, 0)  # a core dump would leave people's words on the disk
    _yield_to_bot()
    answer = run(sys.stdin.buffer.read())
    if len(answer) > max_output:
        raise JobError(describe_excess(max_output))
    pipe.write(answer)
    pipe.flush()


def _limit(kind: int, most: int) -> None:
    with contextlib.suppress(ValueError, OSError):  # macOS refuses RLIMIT_AS; there the time limit must do
        _, hard = resource.getrlimit(kind)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))


def _yield_to_bot() -> None:
    # If processor or memory are short, recording comes first: this process runs at low priority and is killed first.
    with contextlib.suppress(OSError):
        os.nice(10)
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def _report_error(
    pipe: BinaryIO, memory: int, kind: type[BaseException], error: BaseException, _: TracebackType | None
) -> None:
    # In place of a trace, which would hold people's words.
    if issubclass(kind, AfterwordError):
        sentence = str(error)
    elif issubclass(kind, MemoryError):
        sentence = f"It needs more than {memory // MEGABYTE} MB of memory."
    else:
        sentence = f"It failed ({kind.__name__})."
    pipe.write(sentence.encode())
    pipe.flush()


if __name__ == "__main__":
    main()
