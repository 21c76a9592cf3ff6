"""Create, read and rewrite canvases. Slack's plan and the bot's scopes decide whether that is possible.

A permanent refusal is raised as `NoCanvas`; every other error is raised as the client raises it.
"""

import logging
from collections.abc import Awaitable
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import AfterwordError
from bot.export.canvas.merge import CanvasStep
from bot.slack.errors import CALL_ERRORS, parse_refusal

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
        """The channel's canvas if it begins like ours: then the answer to an earlier attempt was lost. Else empty."""
        try:
            told = await _call(self._client.conversations_info(channel=channel))
            found = str(((told["channel"].get("properties") or {}).get("canvas") or {}).get("file_id") or "")
            return found if found and _has_same_first_line(await self.read(found), markdown) else ""
        except NoCanvas:
            return ""

    async def read(self, canvas: str) -> str:
        """A canvas as Markdown. Raises CanvasGone, or NoCanvas if the bot may not read it."""
        return str((await _call(self._client.canvases_getContent(canvas_id=canvas)))["content"])

    async def read_back(self, canvas: str) -> str:
        """The same right after writing; empty if Slack does not return it."""
        try:
            return await self.read(canvas)
        except (NoCanvas, *CALL_ERRORS) as error:
            log.info("a canvas could not be read back: %s", type(error).__name__)
            return ""

    async def apply_step(self, canvas: str, step: CanvasStep) -> bool:
        """Make one change. False if its block is not found, or found more often than expected.

        Raises CanvasGone, NoCanvas.
        """
        told = await _call(
            self._client.canvases_sections_lookup(canvas_id=canvas, criteria={"contains_text": step.words})
        )
        sections = [str(section["id"]) for section in told["sections"]]
        if len(sections) != step.count:
            return False
        change: dict[str, Any] = {"operation": step.operation, "section_id": sections[step.place]}
        if step.markdown:
            change["document_content"] = {"type": "markdown", "markdown": step.markdown}
        try:
            await _call(self._client.canvases_edit(canvas_id=canvas, changes=[change]))
        except NoCanvas as refusal:  # section ids change with every edit, also by people
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
        log.info("a canvas was refused: %s", refusal.word)
        raise (CanvasGone if refusal.word == "canvas_not_found" else NoCanvas)(refusal.word) from error


def _has_same_first_line(found: str, ours: str) -> bool:
    """Compares the line with the incident's key and title, ignoring spaces."""
    first, second = (text.strip().partition("\n")[0].replace(" ", "") for text in (found, ours))
    return first == second
