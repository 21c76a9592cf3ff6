"""The command line beside the running program, on one SQLite file: neither takes anything from the other."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.clock import SystemClock
from bot.rehearsal.server import StandIn
from storage.database.store import Store
from tests.support import full_incident
from tests.support.acceptance.programs import Program, afterword, environ_of, free_port
from tests.support.deadlines import LONG_SECONDS
from tests.support.interactions import is_receipt
from tests.support.play import TEAM

BESIDE = (
    ("export", "INC-1"),
    ("tick", "--dry-run"),
    ("tick",),
    ("doctor",),
    ("migrate",),
    ("backup", "copy.db"),
)


@asynccontextmanager
async def program_in(folder: Path) -> AsyncIterator[tuple[Program, StandIn, str, str]]:
    """The program, running, and someone in a channel where an incident is open and has been looked at."""
    async with StandIn(SystemClock()) as slack:
        slack.patience = LONG_SECONDS
        ana = slack.user("Ana Demo", "Europe/Berlin")
        channel = slack.channel("checkout", [ana])
        environ = environ_of(slack, f"sqlite:///{folder / 'afterword.db'}", AFTERWORD_LOG_LEVEL="WARNING")
        program = Program(environ, free_port(), folder)
        slack.send_to(program.request_url)
        await program.start()
        try:
            for text in ("/incident open checkout is failing", *["/timeline show"] * 8):
                assert (await slack.command(ana, channel, text)).ok
            yield program, slack, ana, channel
        finally:
            await program.kill()


async def texts(program: Program, folder: Path) -> list[str]:
    """What another process finds in the record."""
    exported = json.loads(await afterword(program.environ, folder, "export", "INC-1", "--format", "json"))
    return [line["text"] for line in exported["timeline"]][1:]


@pytest.mark.parametrize("words", BESIDE, ids=" ".join)
async def test_what_is_recorded_after_a_command_ran_beside_the_bot_is_on_disk(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    async with program_in(tmp_path) as (program, slack, ana, channel):
        await afterword(program.environ, tmp_path, *words)
        answer = await slack.command(ana, channel, "/timeline failed over to replica")
        assert is_receipt(answer.text)
        assert await texts(program, tmp_path) == ["failed over to replica"]
        await slack.command(ana, channel, "/timeline errors are falling")
        await program.kill()
        assert await texts(program, tmp_path) == ["failed over to replica", "errors are falling"]


async def test_an_incident_imported_beside_the_bot_is_known_to_it_and_takes_nothing_from_it(
    tmp_path: Path, sqlite_store: Store
) -> None:
    sqlite_store.write_now(full_incident.write)
    folder = tmp_path / "program"
    folder.mkdir()
    (folder / "INC-2.json").write_bytes(full_incident.export_incident(sqlite_store))
    async with program_in(folder) as (program, slack, ana, channel):
        command = ("import", "INC-2.json", "--team", TEAM, "--channel", channel)
        assert "INC-2 was imported" in await afterword(program.environ, folder, *command)
        assert is_receipt((await slack.command(ana, channel, "/timeline failed over to replica")).text)
        assert "Checkout" in (await slack.command(ana, channel, "/incident search alarm")).text
        assert await texts(program, folder) == ["failed over to replica"]
