"""Fetching the files of captured messages: what is wanted is a row until it is kept or refused."""

import asyncio
import logging
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
MOST_ROUNDS = 20
MOST_ATTEMPTS = 8
_WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 15, 60, 180, 360))


async def fetch_due(store: Store, files: Files, now: datetime) -> int:
    """Fetch every file that is wanted by `now`, and keep or refuse it; how many were settled."""
    settled = 0
    for _ in range(MOST_ROUNDS):
        soonest = await store.read(attachments.next_due)
        if soonest is None or soonest > now:
            break
        claimed = await store.write(lambda tx: attachments.claim(tx, now, LEASE, AT_ONCE))
        settled += sum(await asyncio.gather(*(_fetch(store, files, one, now) for one in claimed)))
    return settled


async def _fetch(store: Store, files: Files, claimed: Claimed, now: datetime) -> bool:
    """Whether one file was settled; where it was not, it is tried again later, at the latest when its lease ends."""
    file = claimed.attachment
    try:
        content = await files.read(file.address)
    except NotKept as never:
        return await _refuse(store, claimed, str(never))
    except NotNow as later:
        if claimed.attempts >= MOST_ATTEMPTS:
            return await _refuse(store, claimed, "Slack did not give it, however often it was asked")
        log.info("a file is to be fetched again: %s", later)
        due_at = now + _WAITS[claimed.attempts - 1]
        await store.write(lambda tx: attachments.again(tx, file, due_at))
        return False
    kind = await asyncio.to_thread(rules.media_type, content, file.media_type)
    if not kind:
        return await _refuse(store, claimed, "it is of a kind that is not kept")
    try:
        return bool(await store.write(lambda tx: attachments.keep(tx, file, kind, content)))
    except NotRecorded as error:
        log.warning("a file was fetched and could not be kept yet: %s", error)
        return False


async def _refuse(store: Store, claimed: Claimed, note: str) -> bool:
    log.info("a file is not kept: %s", note)
    return bool(await store.write(lambda tx: attachments.refuse(tx, claimed.attachment, note)))
