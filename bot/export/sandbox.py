"""Work that must not happen in the bot's process: a fresh process does it within limits, or it fails.

Four jobs need this: WeasyPrint and python-docx hold the interpreter for seconds, a team's templates may loop for ever,
and so may an operator's regular expressions. `run_job` is the bot's side, `run_worker` the other one. A job gets bytes
and gives bytes; it inherits no secret, because its environment is made here. Decisions 24 and 40.
"""

import contextlib
import math
import os
import resource
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, cast

from bot.errors import AfterwordError

JOBS = {
    "pdf": "bot.export.pdf_job",
    "docx": "bot.export.docx_job",
    "team templates": "bot.export.template_job",
    "mask patterns": "bot.export.mask_patterns",
}
"""Job name: the module whose `run(data: bytes) -> bytes` does it. The worker imports that module and no other job's."""

_CHUNK = 64 * 1024
MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """What a job may take: seconds from its start, bytes of address space, bytes of output."""

    seconds: float = 60.0
    memory: int = 1024 * MEGABYTE
    output: int = 64 * MEGABYTE


class JobError(AfterwordError):
    """The job gave no answer. The sentence says why, and is safe to show to a person."""


class JobTimeoutError(JobError):
    """The job was killed because its time was up."""


DEFAULT_LIMITS = Limits()
_running: "set[subprocess.Popen[bytes]]" = set()


def run_job(name: str, data: bytes, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """Run a job of `JOBS`. Blocks, so call it in a thread; the process is gone when this returns.

    Raises JobTimeoutError, and JobError if the job raises it, fails, dies or writes too much. Raises OSError if no
    process can be started.
    """
    read_end, write_end = os.pipe()
    arguments = (JOBS[name], str(write_end), str(limits.memory), str(math.ceil(limits.seconds)), str(limits.output))
    with os.fdopen(read_end, "rb", buffering=0) as output:
        try:
            process = subprocess.Popen(  # noqa: S603 (our own interpreter and one of our own modules)
                [sys.executable, "-P", "-c", f"from {__name__} import run_worker; run_worker()", *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,  # the answer has its own pipe, so that no library can print into it
                stderr=subprocess.DEVNULL,
                pass_fds=(write_end,),
                env=_environment(),
                start_new_session=True,  # so that `_kill` reaches the children of the job too
            )
        finally:
            os.close(write_end)  # else the pipe would never end, for this process would hold it open
        return _wait_for(process, output, data, limits)


def _wait_for(process: "subprocess.Popen[bytes]", output: BinaryIO, data: bytes, limits: Limits) -> bytes:
    deadline = time.monotonic() + limits.seconds
    # Known to `kill_all`, so that a shutdown does not wait for a job of a minute.
    _running.add(process)
    try:
        answer = _exchange(cast("BinaryIO", process.stdin), output, data, deadline, limits.output)
        status = process.wait(max(0.0, deadline - time.monotonic()))
    except (TimeoutError, subprocess.TimeoutExpired) as error:
        raise JobTimeoutError(f"It took longer than {limits.seconds:g} seconds.") from error
    finally:  # also after an answer: the process must not outlive the call, whatever it started
        _running.discard(process)
        _end(process)
    if status:
        raise JobError(_describe_exit(status, answer, limits))
    return answer


def kill_all() -> None:
    """Kill every job of this process: its callers get JobError at once."""
    for process in tuple(_running):
        _kill(process)


def _environment() -> dict[str, str]:
    """Enough to find the same packages and the system's libraries and fonts, and nothing else."""
    return {
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "PATH": os.defpath,
        "HOME": os.path.expanduser("~"),  # noqa: PTH111 (Path.home raises if there is none)
        "TMPDIR": tempfile.gettempdir(),
        "LANG": "C.UTF-8",
        "SOURCE_DATE_EPOCH": "0",  # else fontTools writes the time into each font: no two PDFs would be the same
        "DYLD_FALLBACK_LIBRARY_PATH": "/opt/homebrew/lib:/usr/local/lib:/usr/lib",
    }


def _exchange(stdin: BinaryIO, output: BinaryIO, data: bytes, deadline: float, max_output: int) -> bytes:
    # Write and read at the same time: with one after the other, each process could wait for the other to read.
    unwritten, answer = memoryview(data), bytearray()
    # A pipe takes a few dozen kilobytes at once; a write that blocks would hold the deadline up.
    os.set_blocking(stdin.fileno(), False)
    with selectors.DefaultSelector() as selector:
        selector.register(stdin, selectors.EVENT_WRITE)
        selector.register(output, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select(max(0.0, deadline - time.monotonic())):
                if key.fileobj is stdin:
                    unwritten = _write_some(selector, stdin, unwritten)
                elif chunk := os.read(key.fd, _CHUNK):
                    answer += chunk
                else:
                    selector.unregister(output)
            if len(answer) > max_output:
                raise JobError(_describe_excess(max_output))
            if time.monotonic() >= deadline:
                raise TimeoutError
    return bytes(answer)


def _write_some(selector: selectors.BaseSelector, stdin: BinaryIO, unwritten: memoryview) -> memoryview:
    try:
        unwritten = unwritten[os.write(stdin.fileno(), unwritten[:_CHUNK]) :]
    except BrokenPipeError:  # the job ended without reading it all; its status says why
        unwritten = unwritten[:0]
    if not unwritten:
        selector.unregister(stdin)
        stdin.close()
    return unwritten


def _end(process: "subprocess.Popen[bytes]") -> None:
    _kill(process)
    process.wait()
    if process.stdin:
        process.stdin.close()


def _kill(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        # It may have ended between the look and the kill.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # the whole session that it leads: what it started ends with it


def _describe_exit(status: int, answer: bytes, limits: Limits) -> str:
    if status > 0:
        return answer.decode(errors="replace") or f"It ended with status {status}."
    name = signal.Signals(-status).name if -status in set(signal.Signals) else f"signal {-status}"
    return f"It was stopped by {name}. It may have needed more than {limits.memory // MEGABYTE} MB of memory."


def _describe_excess(max_output: int) -> str:
    return f"Its output was more than {max_output // MEGABYTE} MB."


def run_worker() -> None:
    """Do one job: the whole life of the worker process. Its arguments are MODULE DESCRIPTOR MEMORY SECONDS OUTPUT.

    The data comes by standard input, the answer goes to the descriptor. The status is 0, or the answer is a sentence
    that says why there is none.
    """
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
        raise JobError(_describe_excess(max_output))
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
