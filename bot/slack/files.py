"""Downloads files that people shared, with the bot's token."""

from urllib.parse import urljoin, urlsplit

from aiohttp import ClientError, ClientResponse, ClientSession
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.records import LARGEST, describe_too_large
from bot.errors import AfterwordError

_OF_SLACK = ("slack.com", "slack-gov.com")
_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_HOPS = 3


class FileUnavailable(AfterwordError):
    """Slack did not return the file now. A retry may succeed."""


class FileRefused(AfterwordError):
    """The file can never be downloaded. The sentence says why."""


class FileReader:
    """Downloads with the client's session and token."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._session: ClientSession | None = client.session
        self._token = client.token
        self._api = urlsplit(client.base_url)

    async def read(self, address: str) -> bytes:
        """The bytes at a file's private address, at most 10 MB.

        Raises FileRefused if they can never be downloaded, FileUnavailable if Slack does not return them now.
        """
        if not self._is_slacks(address):
            raise FileRefused("it is kept outside of Slack")
        try:
            for _ in range(_MOST_HOPS):
                found = await self._fetch(address)
                if isinstance(found, bytes):
                    return found
                address = found
        except (ClientError, OSError, TimeoutError, ValueError) as error:
            raise FileUnavailable(f"Slack did not give a file ({type(error).__name__}).") from error
        raise FileRefused("its address leads nowhere")

    async def _fetch(self, address: str) -> bytes | str:
        """The bytes, or the address of a redirect. The token is sent to Slack's hosts only."""
        if self._session is None:
            raise FileUnavailable("There is no connection to Slack yet.")
        headers = {"Authorization": f"Bearer {self._token}"} if self._is_slacks(address) else {}
        async with self._session.get(address, headers=headers, allow_redirects=False) as answer:
            if answer.status in _REDIRECTS:
                return self._resolve_redirect(address, answer.headers.get("Location", ""))
            return await _read_content(answer)

    def _resolve_redirect(self, address: str, location: str) -> str:
        onward = urljoin(address, location)
        if not self._is_slacks(onward) and urlsplit(onward).scheme != "https":
            raise FileRefused("its address leads nowhere")
        return onward

    def _is_slacks(self, address: str) -> bool:
        """Whether an address is on one of Slack's hosts over TLS, or on the server of the Web API."""
        at = urlsplit(address)
        if (at.scheme, at.netloc) == (self._api.scheme, self._api.netloc):
            return True
        host = at.hostname or ""
        return at.scheme == "https" and any(host == own or host.endswith(f".{own}") for own in _OF_SLACK)


async def _read_content(answer: ClientResponse) -> bytes:
    if answer.status == 429 or answer.status >= 500:
        raise FileUnavailable(f"Slack did not give a file (status {answer.status}).")
    if answer.status != 200:
        raise FileRefused("Slack does not let me read it" if answer.status in (401, 403) else "it is gone")
    if answer.content_type == "text/html":  # Slack sends a login page if the token lacks files:read
        raise FileRefused("a web page came in its place; the right files:read may be missing")
    content = bytearray()
    async for piece in answer.content.iter_chunked(64 * 1024):
        content += piece
        if len(content) > LARGEST:
            raise FileRefused(describe_too_large(len(content), 0))
    return bytes(content)
