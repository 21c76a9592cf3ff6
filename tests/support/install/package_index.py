"""A package index of plain files on loopback, with tiny wheels in it."""

import hashlib
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread


@dataclass(frozen=True)
class Wheel:
    """A package of one module."""

    name: str
    version: str
    requires: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    code: str = ""
    content: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "content", self._zip())

    @property
    def module(self) -> str:
        return self.name.replace("-", "_")

    @property
    def file(self) -> str:
        return f"{self.module}-{self.version}-py3-none-any.whl"

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def pin(self) -> str:
        """Its lines in a lock, in the shape that uv writes."""
        return f"{self.name}=={self.version} \\\n    --hash=sha256:{self.sha256}\n"

    def _zip(self) -> bytes:
        info = f"{self.module}-{self.version}.dist-info"
        head = ["Metadata-Version: 2.1", f"Name: {self.name}", f"Version: {self.version}"]
        extras = [f"Provides-Extra: {extra}" for extra in self.extras]
        requires = [f"Requires-Dist: {requirement}" for requirement in self.requires]
        files = {
            f"{self.module}.py": self.code,
            f"{info}/METADATA": "\n".join([*head, *extras, *requires, ""]),
            f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        record = f"{info}/RECORD"
        files[record] = "".join(f"{name},,\n" for name in (*files, record))
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, text in files.items():
                archive.writestr(name, text)
        return buffer.getvalue()


@contextmanager
def serving(folder: Path, *wheels: Wheel) -> Iterator[str]:
    """The address of a simple index of these wheels, served from the folder until the block ends."""
    for wheel in wheels:
        room = folder / "simple" / wheel.name
        room.mkdir(parents=True, exist_ok=True)
        (room / wheel.file).write_bytes(wheel.content)
        with (room / "index.html").open("a", encoding="utf-8") as page:
            page.write(f'<a href="{wheel.file}#sha256={wheel.sha256}">{wheel.file}</a><br>\n')
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/simple/"
        finally:
            server.shutdown()
            thread.join()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name that the base class gave it)
        """Say nothing: what a server prints is no part of a test's answer."""
