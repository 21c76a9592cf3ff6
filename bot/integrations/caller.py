"""Makes the calls that `http` describes, over httpx. Loaded only where a system is connected."""

import asyncio
import ipaddress
import json
import logging
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx
import stamina

from bot.errors import Misconfigured
from bot.integrations.http import (
    Call,
    Endpoint,
    IntegrationError,
    Response,
    RetryPolicy,
    error_of_missing_data,
    error_of_refusal,
)

log = logging.getLogger(__name__)

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_IMPOSSIBLE = (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL)
_BROKEN = (httpx.RequestError, TimeoutError, OSError)


class Caller:
    """Makes calls to one system. Raises Misconfigured if its address is not one."""

    def __init__(self, line: Endpoint, patience: RetryPolicy) -> None:
        self.line = line
        self._patience = patience
        host = _host(line)
        self._client = httpx.AsyncClient(
            headers={"Accept": "application/json", "User-Agent": "afterword", **line.headers},
            timeout=httpx.Timeout(patience.read, connect=patience.connect),
            follow_redirects=False,  # a redirect could carry the token to another host
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),  # a session would outlive a changed token
            trust_env=not _is_this_machine(host),  # proxies, and the certificates that SSL_CERT_FILE names
        )
        # Several jobs may call at once: each waits for its turn here, so that the gap is kept between all of them.
        self._pace = asyncio.Lock()
        self._free_at = 0.0

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def ask(self, call: Call) -> Response:
        """The answer to a call, after as many attempts as are safe. Raises IntegrationError."""
        unsure = False
        try:
            async for attempt in stamina.retry_context(
                on=lambda error: self._wait_before_another(call, error),
                attempts=self._patience.attempts,
                timeout=None,  # each attempt has its own limit
                wait_initial=self._patience.first_wait,
                wait_max=self._patience.longest_wait,
                # Jitter, so that jobs which failed together do not come back together.
                wait_jitter=self._patience.first_wait,
            ):
                with attempt:
                    try:
                        return await self._once(call)
                    except IntegrationError as error:
                        log.info(
                            "A %(method)s to %(system)s failed with status %(status)d.",
                            {
                                "event": "call_failed",
                                "system": error.system,
                                "method": call.method,
                                "status": error.status,
                            },
                        )
                        unsure = unsure or error.may_have_happened
                        raise
        except IntegrationError as error:
            error.may_have_happened = unsure  # a later refusal says nothing about an earlier attempt
            raise
        raise AssertionError("every attempt returns or raises")

    def _wait_before_another(self, call: Call, error: Exception) -> bool | float:
        if not isinstance(error, IntegrationError) or error.is_permanent:
            return False
        # A POST that may have arrived would be made twice. The caller looks it up first (decision 21).
        if error.may_have_happened and not call.repeats:
            return False
        if error.retry_after is None:
            return True
        # A longer wait is for the queue: sitting it out here would hold the attempt until its lease runs out.
        return error.retry_after if error.retry_after <= self._patience.longest_wait else False

    async def _once(self, call: Call) -> Response:
        await self._keep_gap()
        try:
            # Streamed, so that an answer which is too large is given up before it fills the memory.
            async with asyncio.timeout(self._patience.whole), self._client.stream(**self._request(call)) as response:
                body = await self._read_body(call, response)
        except _NOT_SENT as error:
            # From None, here and below: httpx's own error may carry the address with its query, or a header, into the
            # log.
            raise self._unreachable_error(error) from None
        except _IMPOSSIBLE:
            raise self._permanent_error("can't be reached at the address in the settings.") from None
        except _BROKEN as error:
            raise self._broken_error(call, error) from None
        return self._read_answer(call, response, body)

    def _request(self, call: Call) -> dict[str, Any]:
        request: dict[str, Any] = {
            "method": call.method,
            "url": self.line.base_url + call.path,
            "params": dict(call.query) or None,
            "headers": dict(call.headers),
        }
        if call.file:
            request["files"] = {"file": (call.file.name, call.file.content, call.file.media_type)}
            request["data"] = dict(call.form)
        elif call.body is not None:
            request["json"] = call.body
        return request

    async def _keep_gap(self) -> None:
        gap = self.line.gap * self._patience.pace
        if not gap:
            return
        async with self._pace:
            now = asyncio.get_running_loop().time()
            if self._free_at > now:
                await asyncio.sleep(self._free_at - now)
            self._free_at = max(now, self._free_at) + gap

    async def _read_body(self, call: Call, response: httpx.Response) -> bytes:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > self._patience.most_bytes:
                raise self._permanent_error("sent an answer that's too large.", is_unsure=call.writes)
        return bytes(body)

    def _read_answer(self, call: Call, response: httpx.Response, body: bytes) -> Response:
        system, status = self.line.system, response.status_code
        data, is_data = _parse_json(body)
        if response.is_success:
            if body.strip() and not is_data:
                raise self._redact(call, error_of_missing_data(system, status))
            return Response(system, status, data, call.writes)
        raise self._redact(call, error_of_refusal(system, status, response.headers, data, self.line.remedies))

    def _redact(self, call: Call, error: IntegrationError) -> IntegrationError:
        """The error without our secrets, which the system may have quoted. A call that only reads has done nothing."""
        for secret in filter(None, self.line.secrets):
            error.forget(secret)
        error.may_have_happened = error.may_have_happened and call.writes
        return error

    def _unreachable_error(self, error: Exception) -> IntegrationError:
        if "CERTIFICATE" in str(error).upper():
            words = "has a certificate that this machine doesn't trust. Set SSL_CERT_FILE to your authority's file."
        else:
            words = f"can't be reached at {_host(self.line)}. Check the address, and whether this network lets me out."
        return IntegrationError(self.line.system, f"{self.line.system} {words} I'll try again later.")

    def _broken_error(self, call: Call, error: Exception) -> IntegrationError:
        if isinstance(error, TimeoutError | httpx.TimeoutException):
            words = "didn't answer in time"
        else:
            words = "closed the connection"
        sentence = f"{self.line.system} {words}. I'll try again later."
        return IntegrationError(self.line.system, sentence, may_have_happened=call.writes)

    def _permanent_error(self, words: str, *, is_unsure: bool = False) -> IntegrationError:
        sentence = f"{self.line.system} {words}"
        return IntegrationError(self.line.system, sentence, is_permanent=True, may_have_happened=is_unsure)


def _parse_json(body: bytes) -> tuple[Any, bool]:
    try:
        return json.loads(body), True
    # Deeply nested brackets exhaust the parser's stack, and are no answer that we can use either.
    except (ValueError, RecursionError):
        return None, False


def _host(line: Endpoint) -> str:
    try:
        url = httpx.URL(line.base_url)
    except httpx.InvalidURL:
        url = httpx.URL("")
    # A password in the address would be sent in a header that `secrets` does not know, so no error would hide it.
    if url.scheme not in ("http", "https") or not url.host or url.userinfo:
        raise Misconfigured(
            f"The address of {line.system} must look like https://name.example, without a user name or password."
        )
    return url.host


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
