"""Work that must not happen in the bot's process: a fresh process does it within limits, or it fails.

Three jobs need this: WeasyPrint holds the interpreter for seconds, a team's templates may loop for ever, and so may an
operator's regular expressions. This module is the bot's side, `bot.export.worker` the other one. A job gets bytes and
gives bytes; it inherits no secret, because its environment is made here.
"""

import contextlib
import math
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from typing import BinaryIO, cast

from bot.errors import AfterwordError

JOBS = {
    "pdf": "bot.export.pdf_job",
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
                [sys.executable, "-P", "-m", "bot.export.worker", *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,  # the answer has its own pipe, so that no library can print into it
                stderr=subprocess.DEVNULL,
                pass_fds=(write_end,),
                env=_environment(),
                start_new_session=True,
            )
        finally:
            os.close(write_end)  # else the pipe would never end, for this process would hold it open
        return _wait_for(process, output, data, limits)


def _wait_for(process: "subprocess.Popen[bytes]", output: BinaryIO, data: bytes, limits: Limits) -> bytes:
    deadline = time.monotonic() + limits.seconds
    _running.add(process)
    try:
        answer = _exchange(cast("BinaryIO", process.stdin), output, data, deadline, limits.output)
        status = process.wait(max(0.0, deadline - time.monotonic()))
    except (TimeoutError, subprocess.TimeoutExpired) as error:
        raise JobTimeoutError(f"It took longer than {limits.seconds:g} seconds.") from error
    finally:
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
                raise JobError(describe_excess(max_output))
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
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # the whole session that it leads: what it started ends with it


def _describe_exit(status: int, answer: bytes, limits: Limits) -> str:
    if status > 0:
        return answer.decode(errors="replace") or f"It ended with status {status}."
    name = signal.Signals(-status).name if -status in set(signal.Signals) else f"signal {-status}"
    return f"It was ended by {name}; it may have needed more than {limits.memory // MEGABYTE} MB of memory."


def describe_excess(max_output: int) -> str:
    """The sentence about a job that writes more than it may."""
    return f"It made more than {max_output // MEGABYTE} MB."
