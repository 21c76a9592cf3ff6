"""How often an address or a person may ask, in bounded memory."""

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.requests import Request

MOST_KEYS = 10_000
"""The latest askers are remembered; of a flood from more addresses than this, the rest begins again."""


class RateLimit:
    """At most `most` requests in a window of `seconds`, for each key."""

    def __init__(self, most: int, seconds: float, ticks: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._seconds = seconds
        self._ticks = ticks
        self._windows: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._windows)

    def wait_for(self, key: str) -> int:
        """Count a request; the seconds until another one is allowed, 0 if this one is."""
        now = self._ticks()
        began, count = self._windows.pop(key, (now, 0))
        if now - began >= self._seconds:
            began, count = now, 0
        self._windows[key] = began, count + 1
        if len(self._windows) > MOST_KEYS:
            self._windows.popitem(last=False)
        return max(1, round(self._seconds - (now - began))) if count >= self._most else 0


def find_address(request: Request) -> str:
    """The address that asks, a whole /64 of IPv6 counted as one.

    Behind a proxy on this machine or in its private network it is the last one of X-Forwarded-For, which that proxy
    added itself; what stands before it could be anyone's invention.
    """
    peer = _parse(request.client.host if request.client else "")
    if peer is not None and (peer.is_loopback or peer.is_private):
        peer = _parse(request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()) or peer
    if isinstance(peer, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((peer, 64), strict=False))
    return str(peer)


def _parse(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
