"""Where each incident's history ends, noted in a file outside the database.

The chain shows a change within the history. That its end was cut off, as by a damaged log of SQLite's or an older copy
in the database's place, shows only beside a note. Each line of the file is an incident's row, a position in its chain,
and the link there.
"""

import asyncio
import logging
import os
from collections.abc import Iterable
from pathlib import Path

from storage.database.drivers import Driver, SqliteDriver
from storage.database.store import Store
from storage.history import chain as chain_store
from storage.history.chain import ChainHead

log = logging.getLogger(__name__)

_TITLE = (
    "# Afterword's notes of where each incident's history ends. `afterword doctor` compares them with the database.\n"
)
_SPARE_LINES = 1_000
"""Lines that were replaced since, before the file is rewritten."""

_LATE = 1_000
"""Rows of the chain that are looked at again: on PostgreSQL a row may be committed after one that is newer."""


def find_notes_file(choice: str, driver: Driver) -> Path | None:
    """The file of AFTERWORD_CHAIN_FILE; `beside` is next to a SQLite database, and none with PostgreSQL."""
    if choice == "beside":
        return driver.path.with_name(f"{driver.path.name}.chain") if isinstance(driver, SqliteDriver) else None
    return None if choice == "none" else Path(choice).expanduser().absolute()


def read_notes(file: Path) -> tuple[ChainHead, ...]:
    """The last note about each incident. A line that was cut by a crash counts for nothing."""
    heads: dict[int, ChainHead] = {}
    lines = file.read_text(encoding="ascii", errors="replace").splitlines() if file.exists() else []
    for line in lines:
        parts = line.split()
        if len(parts) != 3 or not (parts[0].isdecimal() and parts[1].isdecimal() and len(parts[2]) == 64):
            continue
        head = ChainHead(int(parts[0]), int(parts[1]), parts[2])
        # The highest one stays: a database that lost its end goes on below it, and that must be seen for good.
        if head.incident_id not in heads or head.position > heads[head.incident_id].position:
            heads[head.incident_id] = head
    return tuple(heads.values())


class ChainNotes:
    """Keeps the file up to date while the bot runs. Without a file it does nothing."""

    def __init__(self, store: Store, file: Path | None) -> None:
        self._store = store
        self._file = file
        self._noted: dict[int, ChainHead] | None = None
        self._newest = 0
        self._lines = 0

    async def write(self) -> None:
        """Note the incidents whose history grew. A file that cannot be written is logged, and tried again next time."""
        if self._file is None:
            return
        try:
            await asyncio.to_thread(self._write, self._file)
        except OSError as error:
            log.warning(
                "Where the history ends couldn't be noted in %(file)s (%(cause)s). Check AFTERWORD_CHAIN_FILE and the "
                "disk; it's tried again at the next sweep.",
                {"event": "chain_not_noted", "file": str(self._file), "cause": error.strerror},
            )

    def _write(self, file: Path) -> None:
        if self._noted is None:
            self._noted = {head.incident_id: head for head in read_notes(file)}
            self._lines = len(self._noted)
            self._warn(self._noted.values())
        newest, grown = self._store.read_now(
            lambda tx: (
                chain_store.find_newest(tx),
                chain_store.list_heads(tx, max(self._newest - _LATE, 1) if self._newest else 0),
            )
        )
        new = [head for head in grown if _is_news(head, self._noted.get(head.incident_id))]
        if new:
            self._noted |= {head.incident_id: head for head in new}
            self._lines += len(new)
            is_long = self._lines > len(self._noted) + _SPARE_LINES
            _write_all(file, self._noted.values()) if is_long else _append(file, new)
            self._lines = len(self._noted) if is_long else self._lines
        self._newest = newest

    def _warn(self, noted: Iterable[ChainHead]) -> None:
        lost = self._store.read_now(lambda tx: chain_store.find_lost_heads(tx, noted))
        if lost:
            log.critical(
                "The history doesn't match %(file)s (incidents: %(incidents)d): its end was cut off, or the database "
                "was replaced. Run `afterword doctor`, and compare with a backup.",
                {"event": "history_cut", "incidents": len(lost), "file": str(self._file)},
            )


def _is_news(head: ChainHead, noted: ChainHead | None) -> bool:
    return noted is None or head.position > noted.position


def _append(file: Path, heads: Iterable[ChainHead]) -> None:
    is_new = not file.exists()
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w", encoding="ascii") as opened:
        # Begun on a line of its own: the one before may have been cut.
        opened.write((_TITLE if is_new else "\n") + _format(heads))
        opened.flush()
        os.fsync(opened.fileno())


def _write_all(file: Path, heads: Iterable[ChainHead]) -> None:
    part = file.with_name(f".{file.name}.part")
    part.unlink(missing_ok=True)
    _append(part, heads)
    part.replace(file)


def _format(heads: Iterable[ChainHead]) -> str:
    return "".join(f"{head.incident_id} {head.position} {head.link}\n" for head in heads)
