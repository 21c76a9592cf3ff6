"""Work that must not happen in the bot's own process: it is done by a fresh one, within bounds, or it fails.

A module that works apart holds `if __name__ == "__main__": answer(make)`, where `make` takes bytes and returns bytes;
whatever it needs is imported there and never in the bot. The process gets no secret: its environment is made here.
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
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, cast

from bot.errors import AfterwordError

_PIECE = 64 * 1024
_MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the process may take: seconds from its start, bytes of address space, bytes of answer."""

    seconds: float = 60.0
    memory: int = 1024 * _MEGABYTE
    output: int = 64 * _MEGABYTE


class FailedApart(AfterwordError):
    """The work gave no answer; the sentence says why, and is safe to show to a person."""


class TookTooLong(FailedApart):
    """The work was ended because its time was up."""


USUAL = Bounds()
_running: "set[subprocess.Popen[bytes]]" = set()


def run_apart(module: str, given: bytes, bounds: Bounds = USUAL) -> bytes:
    """What the module's `make` makes of the bytes. Blocks, so call it in a thread; the process is gone when it returns.

    Raises FailedApart where the work says so by raising it, fails, dies or answers too much; TookTooLong.
    """
    ear, voice = os.pipe()
    told = (str(voice), str(bounds.memory), str(math.ceil(bounds.seconds)), str(bounds.output))
    with os.fdopen(ear, "rb", buffering=0) as listening:
        try:
            process = subprocess.Popen(  # noqa: S603 (our own interpreter and one of our own modules)
                [sys.executable, "-P", "-m", module, *told],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,  # what a library prints must not come into the answer
                stderr=subprocess.DEVNULL,
                pass_fds=(voice,),
                env=_environment(),
                start_new_session=True,
            )
        finally:
            os.close(voice)
        return _awaited(process, listening, given, bounds)


def _awaited(process: "subprocess.Popen[bytes]", listening: BinaryIO, given: bytes, bounds: Bounds) -> bytes:
    until = time.monotonic() + bounds.seconds
    _running.add(process)
    try:
        made = _talk(cast("BinaryIO", process.stdin), listening, given, until, bounds.output)
        status = process.wait(max(0.0, until - time.monotonic()))
    except (TimeoutError, subprocess.TimeoutExpired) as error:
        raise TookTooLong(f"It took longer than {bounds.seconds:g} seconds.") from error
    finally:
        _running.discard(process)
        _end(process)
    if status:
        raise FailedApart(_reason(status, made, bounds))
    return made


def end_all() -> None:
    """End whatever this process has running apart: those who wait for it get FailedApart at once."""
    for process in tuple(_running):
        _kill(process)


def answer(make: Callable[[bytes], bytes]) -> None:
    """The whole life of a process that works apart: read what was given, make the answer, say it or say why not."""
    descriptor, memory, seconds, output = map(int, sys.argv[1:5])
    voice = os.fdopen(descriptor, "wb")
    sys.excepthook = partial(_say_why, voice, memory)
    _limit(resource.RLIMIT_AS, memory)
    _limit(resource.RLIMIT_CPU, seconds + 1)  # ends it even where nobody waits for it any more
    _limit(resource.RLIMIT_CORE, 0)
    _stand_back()
    made = make(sys.stdin.buffer.read())
    if len(made) > output:
        raise FailedApart(_too_much(output))
    voice.write(made)
    voice.flush()


def _environment() -> dict[str, str]:
    """What finds the same packages and the system's libraries and fonts, and tells nothing else."""
    return {
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "PATH": os.defpath,
        "HOME": os.path.expanduser("~"),  # noqa: PTH111 (which, unlike Path.home, always answers)
        "TMPDIR": tempfile.gettempdir(),
        "LANG": "C.UTF-8",
        "SOURCE_DATE_EPOCH": "0",  # else fontTools writes the moment into each font: no two PDFs would be the same
        "DYLD_FALLBACK_LIBRARY_PATH": "/opt/homebrew/lib:/usr/local/lib:/usr/lib",
    }


def _talk(pipe: BinaryIO, listening: BinaryIO, given: bytes, until: float, most: int) -> bytes:
    """Give and take at once, so that neither side ever waits for the other to read."""
    rest, made = memoryview(given), bytearray()
    os.set_blocking(pipe.fileno(), False)
    with selectors.DefaultSelector() as talking:
        talking.register(pipe, selectors.EVENT_WRITE)
        talking.register(listening, selectors.EVENT_READ)
        while talking.get_map():
            for key, _ in talking.select(max(0.0, until - time.monotonic())):
                if key.fileobj is pipe:
                    rest = _give(talking, pipe, rest)
                elif piece := os.read(key.fd, _PIECE):
                    made += piece
                else:
                    talking.unregister(listening)
            if len(made) > most:
                raise FailedApart(_too_much(most))
            if time.monotonic() >= until:
                raise TimeoutError
    return bytes(made)


def _give(talking: selectors.BaseSelector, pipe: BinaryIO, rest: memoryview) -> memoryview:
    """Write what the pipe takes now; once all is written, or nobody reads any more, it is closed."""
    try:
        rest = rest[os.write(pipe.fileno(), rest[:_PIECE]) :]
    except BrokenPipeError:
        rest = rest[:0]
    if not rest:
        talking.unregister(pipe)
        pipe.close()
    return rest


def _end(process: "subprocess.Popen[bytes]") -> None:
    _kill(process)
    process.wait()
    if process.stdin:
        process.stdin.close()


def _kill(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # it leads a group of its own


def _reason(status: int, said: bytes, bounds: Bounds) -> str:
    if status > 0:
        return said.decode(errors="replace") or f"It ended with status {status}."
    name = signal.Signals(-status).name if -status in set(signal.Signals) else f"signal {-status}"
    return f"It was ended by {name}; it may have needed more than {bounds.memory // _MEGABYTE} MB of memory."


def _too_much(most: int) -> str:
    return f"It made more than {most // _MEGABYTE} MB."


def _limit(kind: int, most: int) -> None:
    with contextlib.suppress(ValueError, OSError):  # not every system can
        _, hard = resource.getrlimit(kind)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))


def _stand_back() -> None:
    """Where processor or memory are short, the bot comes first."""
    with contextlib.suppress(OSError):
        os.nice(10)
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def _say_why(
    voice: BinaryIO, memory: int, kind: type[BaseException], error: BaseException, _: TracebackType | None
) -> None:
    """In place of a trace, which would hold people's words: the sentence of an error that was raised on purpose."""
    if issubclass(kind, AfterwordError):
        sentence = str(error)
    elif issubclass(kind, MemoryError):
        sentence = f"It needs more than {memory // _MEGABYTE} MB of memory."
    else:
        sentence = f"It failed ({kind.__name__})."
    voice.write(sentence.encode())
    voice.flush()
