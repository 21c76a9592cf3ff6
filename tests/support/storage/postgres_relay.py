"""A wire to PostgreSQL that can be cut while a commit is on it: what a failing network does, at a chosen moment."""

import select
import socket
import threading
from pathlib import Path
from typing import Literal

SOCKET = ".s.PGSQL.5432"
Cut = Literal["before", "after"]


class Relay:
    """Passes everything on until a COMMIT comes by while a cut is set: then the wire breaks, once.

    `before`: the server never sees the commit. `after`: it does it, but its answer is lost. While `is_down` nobody
    gets through at all.
    """

    def __init__(self, folder: Path, server: Path) -> None:
        self.is_down = False
        self.cuts = 0
        self._cut: Cut | None = None
        self._down_after = False
        self._server = server / SOCKET
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(folder / SOCKET))
        self._listening.listen()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def arm(self, cut: Cut | None, *, down: bool = False) -> None:
        """Cut at the next commit; `down` leaves the wire cut."""
        self._cut, self._down_after = cut, down

    def close(self) -> None:
        """Let go of the socket; open a store's connections no more."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in self._threads:
            thread.join(timeout=5)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            if self.is_down:
                client.close()
                continue
            thread = threading.Thread(target=self._pass_on, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _pass_on(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server:
            server.connect(str(self._server))
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    data = ready.recv(65536)
                    if not data:
                        return
                    if ready is client and self._cut and b"COMMIT" in data:
                        self._break(server, data)
                        return
                    (server if ready is client else client).sendall(data)

    def _break(self, server: socket.socket, data: bytes) -> None:
        cut, self._cut = self._cut, None
        self.cuts += 1
        self.is_down = self._down_after
        if cut == "after":
            server.sendall(data)
            server.recv(65536)
