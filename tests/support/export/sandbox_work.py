"""A job for `bot.export.sandbox`: the first word of its input says how it behaves."""

import os
import signal
import sys
import time

from bot.errors import Refused

print("what a library prints while it is imported")  # noqa: T201


def run(content: bytes) -> bytes:
    """Behave in the given way."""
    how, _, rest = content.partition(b" ")
    match how:
        case b"turn":
            print("what a library prints")  # noqa: T201
            return rest[::-1]
        case b"refuse":
            raise Refused(rest.decode())
        case b"fail":
            raise ValueError(rest.decode())
        case b"die" | b"exit":
            end(how)
        case b"eat":
            return bytes(int(rest))
        case b"environment":
            return repr(dict(os.environ)).encode()
        case b"sleep":
            time.sleep(float(rest))
    return str(os.getpid()).encode()


def end(how: bytes) -> None:
    """Killed by the system, or with a status of its own."""
    if how == b"exit":
        sys.exit(7)
    os.kill(os.getpid(), signal.SIGKILL)
