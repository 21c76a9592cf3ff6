"""A wire to PostgreSQL that counts round trips, and can be cut while a commit is on it, as a failing network does."""

import select
import socket
import threading
from pathlib import Path
from typing import Literal

SOCKET = ".s.PGSQL.5432"
Cut = Literal["before", "after"]


class Relay:
    """Passes everything on until a COMMIT comes by while a cut is set: then the wire breaks, once.

    `before`: the server never sees the commit. `after`: it does it, but its answer is lost. While `is_down` no one
    gets through at all. `trips` counts how often a client waited for an answer.
    """

    def __init__(self, folder: Path, server: Path) -> None:
        self.is_down = False
        self.cuts = 0
        self.trips = 0
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
        asked = _Asked()
        with client, socket.socket(socket.AF_UNIX) as server:
            server.connect(str(self._server))
            while True:
                # What the client sent goes first: an answer belongs to what was asked before it.
                for ready in select.select([client, server], [], [])[0]:
                    data = ready.recv(65536)
                    if not data:
                        return
                    if ready is client and self._cut and b"COMMIT" in data:
                        self._break(client, server, data)
                        return
                    if ready is client:
                        asked.read(data)
                    else:
                        self.trips += asked.is_waiting
                        asked.is_waiting = False
                    (server if ready is client else client).sendall(data)

    def _break(self, client: socket.socket, server: socket.socket, data: bytes) -> None:
        cut, self._cut = self._cut, None
        self.cuts += 1
        self.is_down = self._down_after
        if cut == "after":
            server.sendall(data)
            while server not in select.select([client, server], [], [])[0]:
                server.sendall(client.recv(65536))


class _Asked:
    """What a client sends, message by message, and whether it waits for an answer."""

    def __init__(self) -> None:
        self.is_waiting = True  # a connection begins with a message that is answered
        self._has_begun = False
        self._has_asked = False
        self._rest = b""

    def read(self, data: bytes) -> None:
        self._rest += data
        while len(self._rest) >= (size := self._measure()):
            if self._has_begun:
                self._note(self._rest[:1])
            self._has_begun = True
            self._rest = self._rest[size:]

    def _measure(self) -> int:
        """The size of the next message, or more than there is. Only the first one does not begin with its kind."""
        head = 1 if self._has_begun else 0
        return head + max(4, int.from_bytes(self._rest[head : head + 4], "big"))

    def _note(self, kind: bytes) -> None:
        if kind in b"QS" or (kind == b"H" and self._has_asked):  # a flush behind a sync asks for nothing more
            self.is_waiting = True
            self._has_asked = False
        else:
            self._has_asked = True
