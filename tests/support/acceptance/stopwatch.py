"""`afterword WORDS` that writes down what its loop spends on each callback: a way to see that nothing holds up others.

    python -m tests.support.acceptance.stopwatch FILE WORDS

A line of JSON for each callback of more than `NOTED` seconds of CPU time: how long it took, and where it was. On the
plain loop of asyncio, because a callback of uvloop cannot be watched; what runs in it is the same.
"""

import asyncio
import json
import sys
import threading
import time
import traceback
from asyncio.events import Handle
from pathlib import Path
from types import FrameType
from typing import Any

import uvloop

from bot.cli import main

NOTED = 0.02
GRABBED = 0.1
"""Seconds of CPU time in which no other thread got its turn: a thread that holds the interpreter stops the loop too."""
LOOK_SECONDS = 0.01


class Watch:
    """What the loop is doing, and since when."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("a", buffering=1)
        self.begun = 0.0
        self.thread = 0
        self.where = ""

    def install(self) -> None:
        """From now on every callback is timed."""
        run = Handle._run

        def run_timed(handle: Handle) -> None:
            self.thread, self.where, self.begun = threading.get_ident(), "", time.monotonic()
            begun = time.thread_time()
            run(handle)
            took = time.thread_time() - begun
            self.begun = 0.0
            if took > NOTED:
                self._write(took, self.where or repr(handle)[:300])

        Handle._run = run_timed  # type: ignore[method-assign,assignment]
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        awake, spent = time.monotonic(), time.process_time()
        while True:
            time.sleep(LOOK_SECONDS)
            gap, used = time.monotonic() - awake, time.process_time() - spent
            awake, spent = time.monotonic(), time.process_time()
            if min(gap, used) > GRABBED:
                self._write(used, " | ".join(map(_describe, sys._current_frames().values())))
            begun = self.begun
            if begun and time.monotonic() - begun > NOTED:
                frame = sys._current_frames().get(self.thread)
                if frame and self.begun == begun:
                    self.where = _describe(frame)

    def _write(self, took: float, where: str) -> None:
        self.file.write(json.dumps({"took": took, "where": where}) + "\n")


def _describe(frame: FrameType) -> str:
    lines = traceback.extract_stack(frame)
    return " > ".join(f"{Path(line.filename).name}:{line.lineno} {line.name}" for line in lines[-6:])


def run(coroutine: Any, **_: Any) -> Any:
    """In place of uvloop."""
    return asyncio.run(coroutine)


if __name__ == "__main__":
    Watch(Path(sys.argv[1])).install()
    uvloop.run = run  # type: ignore[assignment]
    sys.argv = ["afterword", *sys.argv[2:]]
    sys.exit(main())
