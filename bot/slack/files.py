"""Files in Slack: canvases, which the bot creates, reads and rewrites, and files that people shared, which it fetches.

Slack's plan and the bot's scopes decide whether canvases are possible. A permanent refusal is raised as `NoCanvas`;
every other error of a canvas call is raised as the client raises it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urljoin, urlsplit

from aiohttp import ClientError, ClientResponse, ClientSession
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.clock import Clock
from bot.domain.records import LARGEST, Attachment, AttachmentState, describe_too_large, detect_media_type
from bot.errors import AfterwordError
from bot.export.canvas import CanvasStep
from bot.queue import BatchWorker
from bot.slack.errors import CALL_ERRORS, parse_refusal
from storage import attachments as attachments_store
from storage.attachments import ClaimedAttachment
from storage.database.statements import Transaction
from storage.database.store import Store

log = logging.getLogger(__name__)

_NOT_OURS = ("channel_canvas_already_exists", "free_team_canvas_tab_already_exists")


class NoCanvas(AfterwordError):
    """Slack refuses permanently. `error` is its error code."""

    def __init__(self, error: str) -> None:
        super().__init__(f"Slack refused the canvas ({error}).")
        self.error = error


class CanvasGone(NoCanvas):
    """The canvas was deleted, or the bot lost access to it."""


class Canvases:
    """Slack's canvas methods."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    async def create(self, channel: str, title: str, markdown: str) -> str:
        """Create the channel's canvas, or another tab if the channel has a canvas already. Returns its id.

        The channel's members may edit it. Raises NoCanvas.
        """
        content = {"type": "markdown", "markdown": markdown}
        try:
            own = self._client.conversations_canvases_create(channel_id=channel, document_content=content, title=title)
            return str((await _call(own))["canvas_id"])
        except NoCanvas as refusal:
            if refusal.error not in _NOT_OURS:
                raise
            if ours := await self._find_ours(channel, markdown):
                return ours
            if refusal.error != "channel_canvas_already_exists":
                raise
        another = self._client.canvases_create(channel_id=channel, document_content=content, title=title)
        return str((await _call(another))["canvas_id"])

    async def _find_ours(self, channel: str, markdown: str) -> str:
        """The channel's canvas if it begins like ours; else empty."""
        # Then an earlier attempt made it and its answer was lost: another tab would be a second copy.
        try:
            answer = await _call(self._client.conversations_info(channel=channel))
            canvas = str(((answer["channel"].get("properties") or {}).get("canvas") or {}).get("file_id") or "")
            return canvas if canvas and _has_same_first_line(await self.read(canvas), markdown) else ""
        except NoCanvas:
            return ""

    async def read(self, canvas: str) -> str:
        """A canvas as Markdown. Raises CanvasGone, or NoCanvas if the bot may not read it."""
        return str((await _call(self._client.canvases_getContent(canvas_id=canvas)))["content"])

    async def read_back(self, canvas: str) -> str:
        """The same right after writing; empty if Slack does not return it."""
        # Slack changes Markdown when it stores it, so later edits by people are compared with what it returned
        # (docs/decisions/0022-a-canvas-is-read-back-after-each-write.md).
        try:
            return await self.read(canvas)
        except (NoCanvas, *CALL_ERRORS) as error:
            log.info(
                "Slack didn't show a canvas (%(cause)s), so edits in it weren't read.",
                {"event": "canvas_unread", "cause": type(error).__name__},
            )
            return ""

    async def apply_step(self, canvas: str, step: CanvasStep) -> bool:
        """Make one change. False if its block is not found, or found more often than expected.

        Raises CanvasGone, NoCanvas.
        """
        # Looked up by its words right before the change: a block that a person has touched is not found, so their words
        # are not overwritten (docs/decisions/0028-a-canvas-is-changed-block-by-block.md).
        lookup = self._client.canvases_sections_lookup(canvas_id=canvas, criteria={"contains_text": step.words})
        sections = [str(section["id"]) for section in (await _call(lookup))["sections"]]
        # A count of another than expected means that someone copied or changed the block: the change could hit
        # theirs.
        if len(sections) != step.count:
            return False
        change: dict[str, Any] = {"operation": step.operation, "section_id": sections[step.place]}
        if step.markdown:
            change["document_content"] = {"type": "markdown", "markdown": step.markdown}
        try:
            await _call(self._client.canvases_edit(canvas_id=canvas, changes=[change]))
        except NoCanvas as refusal:
            # Section ids change with every edit, so a person who edits right now makes ours invalid.
            if refusal.error != "canvas_editing_failed":
                raise
            return False
        return True

    async def rewrite(self, canvas: str, markdown: str) -> None:
        """Replace the whole content. Raises CanvasGone, NoCanvas."""
        change = {"operation": "replace", "document_content": {"type": "markdown", "markdown": markdown}}
        await _call(self._client.canvases_edit(canvas_id=canvas, changes=[change]))

    async def link(self, canvas: str) -> str:
        """The canvas's address; empty if the bot may not ask for it."""
        try:
            return str((await _call(self._client.files_info(file=canvas)))["file"]["permalink"])
        except NoCanvas:
            return ""


async def _call(call: Awaitable[Any]) -> Any:
    try:
        return await call
    except SlackApiError as error:
        refusal = parse_refusal(error)
        if refusal.is_passing or refusal.is_locked_out:
            raise
        log.info(
            "Slack refused a canvas (%(cause)s). The person who asked for it is told.",
            {"event": "canvas_refused", "cause": refusal.word},
        )
        raise (CanvasGone if refusal.word == "canvas_not_found" else NoCanvas)(refusal.word) from error


def _has_same_first_line(found: str, ours: str) -> bool:
    """Compares the line with the incident's key and title. Spaces are ignored, since Slack changes some."""
    first, second = (text.strip().partition("\n")[0].replace(" ", "") for text in (found, ours))
    return first == second


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
        # Files may also come from the server of the Web API, as they do in tests and in the rehearsal.
        self._api = urlsplit(client.base_url)

    async def read(self, address: str) -> bytes:
        """The bytes at a file's private address, at most 10 MB.

        Raises FileRefused if they can never be downloaded, FileUnavailable if Slack does not return them now.
        """
        if not self._is_slacks(address):
            raise FileRefused("it is kept outside of Slack")
        try:
            for _ in range(_MOST_HOPS):
                result = await self._fetch(address)
                if isinstance(result, bytes):
                    return result
                address = result
        except (ClientError, OSError, TimeoutError, ValueError) as error:
            raise FileUnavailable(f"Slack did not give a file ({type(error).__name__}).") from error
        raise FileRefused("its address leads nowhere")

    async def _fetch(self, address: str) -> bytes | str:
        """The bytes, or the address of a redirect."""
        if self._session is None:
            raise FileUnavailable("Slack isn't connected yet.")
        # Redirects are followed by hand, so that the token goes to no other host than Slack's.
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
        raise FileRefused("Slack sent a web page instead; the scope files:read may be missing")
    # Counted while it is read: the size that Slack names beforehand is not trusted.
    content = bytearray()
    async for piece in answer.content.iter_chunked(64 * 1024):
        content += piece
        if len(content) > LARGEST:
            raise FileRefused(describe_too_large(len(content), 0))
    return bytes(content)


LEASE = timedelta(minutes=2)
ATTEMPT_SECONDS = 60.0
AT_ONCE = 3
MOST_ATTEMPTS = 8
_WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 15, 60, 180, 360))
"""After each failure. Slack keeps a file for as long as its message, so there is time."""


class AttachmentFetcher(BatchWorker[ClaimedAttachment, Attachment, bool]):
    """Downloads the files of captured messages. A file is stored, or refused for a reason that exports show.

    An attempt may be repeated after a crash: to download twice does no harm, and a file is settled once.
    """

    def __init__(self, store: Store, files: FileReader, clock: Clock) -> None:
        super().__init__("the files of messages", store, clock, attempt_seconds=ATTEMPT_SECONDS)
        self._files = files

    def _next_due(self, tx: Transaction) -> datetime | None:
        return attachments_store.next_due(tx)

    def _claim(self, tx: Transaction, now: datetime) -> Sequence[ClaimedAttachment]:
        return attachments_store.claim(tx, self._owner, now, LEASE, AT_ONCE)

    async def _attempt(self, job: ClaimedAttachment, now: datetime) -> Attachment:
        file = job.attachment
        content = await self._files.read(file.address)
        # In a thread: whether ten megabytes are text is known at their end.
        kind = await asyncio.to_thread(detect_media_type, content, file.media_type)
        if not kind:
            raise FileRefused("it is of a kind that is not kept")
        return replace(file, state=AttachmentState.STORED, note="", media_type=kind, size=len(content), content=content)

    async def _finish(self, job: ClaimedAttachment, ended: Attachment | BaseException, now: datetime) -> bool:
        file, due_at = job.attachment, now
        if isinstance(ended, Attachment):
            file = ended
        elif isinstance(ended, FileRefused):
            file = _refuse(file, str(ended))
        elif job.attempts >= MOST_ATTEMPTS:
            file = _refuse(file, "Slack did not give it, however often it was asked")
        else:
            log.info(
                "File %(file)d couldn't be copied (%(cause)s). It's tried again.",
                {
                    "event": "file_deferred",
                    "file": file.id,
                    "cause": str(ended) if isinstance(ended, AfterwordError) else type(ended).__name__,
                },
            )
            due_at = now + _WAITS[job.attempts - 1]
        was_ours = await self._store.write(lambda tx: attachments_store.settle(tx, file, self._owner, due_at))
        return was_ours and file.state is not AttachmentState.WANTED

    def _report_unsettled(self, job: ClaimedAttachment, error: BaseException) -> bool:
        log.warning(
            "The outcome of copying a file couldn't be saved (%(cause)s). It's copied again later.",
            {"event": "file_unsettled", "cause": type(error).__name__},
        )
        return False


def _refuse(file: Attachment, note: str) -> Attachment:
    log.info(
        "File %(file)d isn't copied into the record: %(cause)s.",
        {"event": "file_refused", "file": file.id, "cause": note},
    )
    return replace(file, state=AttachmentState.REFUSED, note=note)
