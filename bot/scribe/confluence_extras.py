"""What a page has beside its body: pictures, labels, and what is kept at it out of sight.

Where the account or its token may not do one of these, the page goes on without it, and that is told; what may pass by
itself is tried again. A token that is refused altogether is refused for the page as well, which is told then.
"""

from collections.abc import Awaitable

from bot.export.confluence_left import Record
from bot.incident.facts import digest_of
from bot.publish.calls import Upload
from bot.publish.confluence import Confluence
from bot.publish.confluence_records import Page
from bot.publish.failures import PublishError
from bot.scribe import confluence_memo as memos
from bot.scribe.confluence_memo import Memo
from bot.scribe.confluence_sheets import Sheet

_SVG = "image/svg+xml"


class Extras:
    """Those of pages of one Confluence."""

    def __init__(self, confluence: Confluence) -> None:
        self._confluence = confluence

    async def attached(self, page: Page, sheet: Sheet, memo: Memo) -> tuple[dict[str, str], str]:
        """Attach the pictures that changed, before a page shows them; what hangs there, and why nothing does."""
        files = dict(memo.files)
        for picture in sheet.attached:
            content = digest_of(picture.content.decode())
            if files.get(picture.name) == content:
                continue
            upload = Upload(picture.name, _SVG, picture.content)
            if refused := await _refused(self._confluence.attach(page.id, upload)):
                return files, refused
            files[picture.name] = content
        return files, ""

    async def labelled(self, page: Page, sheet: Sheet, memo: Memo) -> tuple[tuple[str, ...], str]:
        """Label a page; the labels that it has by us, and why not all of them."""
        if sheet.labels == memo.labels:
            return memo.labels, ""
        refused = await _refused(self._confluence.label(page.id, sheet.labels))
        return (memo.labels if refused else sheet.labels), refused

    async def planned(self, page: Page) -> Record:
        """How earlier attempts may have left the page, of which nobody knows whether they wrote."""
        try:
            return memos.record_in(await self._confluence.recall(page.id))
        except PublishError as error:
            if not error.is_permanent:
                raise
            return Record()

    async def plan(self, page: Page, record: Record) -> str:
        """Put down at the page how it may be left from now on; why that is not allowed."""
        return await _refused(self._confluence.remember(page.id, memos.told_of(record)))


async def _refused(call: Awaitable[None]) -> str:
    """Why a call was refused for good; empty where it was done."""
    try:
        await call
    except PublishError as error:
        if not error.is_permanent:
            raise
        return error.sentence
    return ""
