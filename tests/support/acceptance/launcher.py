"""Starts `afterword` by forking a process that has loaded it: a real process each, for a tenth of what imports cost.

    python -m tests.support.acceptance.launcher SOCKET

Each connection to the Unix socket asks for one process: a line of JSON (`words`, `environ`, `folder`, `out`, `err`) is
answered by its process id, and later by its return code. It ends with the process that started it.
"""

import gc
import json
import os
import select
import signal
import socket
import sys
from typing import Any

from bot.cli import database as database_commands
from bot.cli import demo as demo_commands
from bot.cli import doctor as doctor_commands
from bot.cli import documents as documents_commands
from bot.cli import main
from bot.cli import runner as runner_commands

POLL_SECONDS = 0.01

LOADED = (database_commands, demo_commands, doctor_commands, documents_commands, runner_commands)
"""What `bot.cli` loads only for the commands that need it."""


def serve(path: str) -> dict[str, Any] | None:
    """Answer until stdin ends. Comes back in each child too, with what it is to do; None in the launcher itself."""
    running: dict[int, socket.socket] = {}
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        while True:
            ready, _, _ = select.select([listener, sys.stdin], [], [], POLL_SECONDS if running else None)
            if sys.stdin in ready:
                return None
            if listener in ready:
                connection, _ = listener.accept()
                asked: dict[str, Any] = json.loads(connection.makefile().readline())
                child = os.fork()
                if child == 0:
                    return asked
                running[child] = connection
                connection.sendall(f"{child}\n".encode())
            _report_ended(running)


def _report_ended(running: dict[int, socket.socket]) -> None:
    for child in list(running):
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            with running.pop(child) as connection:
                connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def become(asked: dict[str, Any]) -> None:
    """Make this process what the console script would find itself in."""
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environ"])
    sys.argv = ["afterword", *asked["words"]]
    places = (("/dev/null", os.O_RDONLY), (asked["out"], os.O_WRONLY), (asked["err"], os.O_WRONLY))
    for number, (place, mode) in enumerate(places):
        file = os.open(place, mode | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(file, number)
        os.close(file)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.collect()
    gc.freeze()  # else a collection in a child would copy every page
    todo = serve(sys.argv[1])
    if todo is not None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        become(todo)
        sys.exit(main())
