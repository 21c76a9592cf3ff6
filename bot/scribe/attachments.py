"""Fetching the files of captured messages: what is wanted is a row until it is kept or refused."""

import asyncio
import logging
import time
from datetime import datetime, timedelta

from bot.errors import NotRecorded
from bot.incident import attachments as rules
from bot.slack.files import Files, NotKept, NotNow
from storage import attachments
from storage.attachments import Claimed
from storage.store import Store

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)
AT_ONCE = 3
ROUND_SECONDS = 10.0
"""No round begins later than this: the tick has other things to do, and what is left is taken up by the next one."""

MOST_ATTEMPTS = 8
_WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 15, 60, 180, 360))


async def fetch_due(store: Store, files: Files, now: datetime) -> int:
    """Fetch the files that are wanted by `now`, and keep or refuse each; how many were settled."""
    settled = 0
    began = time.monotonic()
    try:
        while time.monotonic() - began < ROUND_SECONDS:
            soonest = await store.read(attachments.next_due)
            if soonest is None or soonest > now:
                break
            claimed = await store.write(lambda tx: attachments.claim(tx, now, LEASE, AT_ONCE))
            settled += sum(await asyncio.gather(*(_fetch(store, files, one, now) for one in claimed)))
    except NotRecorded as error:
        log.warning("files are fetched later: %s", error)
    return settled


async def _fetch(store: Store, files: Files, claimed: Claimed, now: datetime) -> bool:
    """Whether one file was settled; where it was not, it is tried again later, at the latest when its lease ends."""
    file = claimed.attachment
    try:
        content = await files.read(file.address)
    except NotKept as never:
        return await _refuse(store, claimed, str(never))
    except NotNow as later:
        return await _again(store, claimed, now, str(later))
    kind = await asyncio.to_thread(rules.media_type, content, file.media_type)
    if not kind:
        return await _refuse(store, claimed, "it is of a kind that is not kept")
    return bool(await store.write(lambda tx: attachments.keep(tx, file, kind, content)))


async def _again(store: Store, claimed: Claimed, now: datetime, why: str) -> bool:
    if claimed.attempts >= MOST_ATTEMPTS:
        return await _refuse(store, claimed, "Slack did not give it, however often it was asked")
    log.info("a file is to be fetched again: %s", why)
    due_at = now + _WAITS[claimed.attempts - 1]
    await store.write(lambda tx: attachments.again(tx, claimed.attachment, due_at))
    return False


async def _refuse(store: Store, claimed: Claimed, note: str) -> bool:
    log.info("a file is not kept: %s", note)
    return bool(await store.write(lambda tx: attachments.refuse(tx, claimed.attachment, note)))
