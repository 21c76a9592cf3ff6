"""One connection: a request has to be here whole within a bounded time and size, whoever sends it.

uvicorn bounds neither: a peer that says nothing, or one byte now and then, would hold its connection for ever, and the
headers of one request could fill the memory. The endpoints bound the bodies that they read.
"""

import asyncio
import logging
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

log = logging.getLogger(__name__)

REQUEST_SECONDS = 10.0
"""From the first byte, or from the connection where none comes; Slack itself gives up after three."""

MOST_HEAD_BYTES = 64 * 1024
"""Of a request's line and headers; what a proxy adds to Slack's is a few hundred."""


class BoundedConnection(HttpToolsProtocol):
    """Ends where a request does not arrive within `seconds`, or has more headers than anybody needs."""

    seconds: ClassVar[float] = REQUEST_SECONDS
    _deadline: asyncio.TimerHandle | None = None
    _in_head = True
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody is here: now they have to ask."""
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """They are gone."""
        self._rest()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """A piece of a request."""
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MOST_HEAD_BYTES:
                self._give_up("its headers are too long")

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0
        self._expect()

    def on_headers_complete(self) -> None:
        """All but its body is here."""
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """All of it is here."""
        self._rest()
        super().on_message_complete()

    def _expect(self) -> None:
        self._rest()
        self._deadline = self.loop.call_later(self.seconds, self._give_up, "it did not arrive in time")

    def _rest(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self, why: str) -> None:
        if not self.transport.is_closing():
            log.info("a request was broken off: %s", why)
        self.transport.abort()  # closing politely would wait for a peer that may not read


def bounded(seconds: float) -> type[BoundedConnection]:
    """The kind of connection on which each request has so many seconds to arrive."""
    return type("BoundedConnection", (BoundedConnection,), {"seconds": seconds})
