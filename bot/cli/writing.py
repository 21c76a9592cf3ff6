"""What a command writes: whole or not at all, and a sentence where it cannot be."""

import errno
import sys
from pathlib import Path
from uuid import uuid4

import click


def write(content: bytes, output: Path | None) -> None:
    """Write to a file, in whose place it comes only once it is whole, or to standard output.

    Raises ClickException with a sentence; what stood in the file is there still.
    """
    try:
        if output is None:
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()
        elif output.exists() and not output.is_file():  # a pipe or a device is written to, not replaced
            output.write_bytes(content)
        else:
            _replace(output.resolve(), content)
    except OSError as error:
        if error.errno == errno.EPIPE:  # whoever read it has read enough
            raise
        where = "Standard output" if output is None else str(output)
        raise click.ClickException(
            f"{where} cannot be written ({error.strerror}). Nothing there was changed."
        ) from error


def _replace(output: Path, content: bytes) -> None:
    part = output.with_name(f".{output.name[:100]}.{uuid4().hex}.part")
    try:
        with part.open("xb") as file:
            file.write(content)
        if output.exists():
            part.chmod(output.stat().st_mode & 0o7777)
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)
