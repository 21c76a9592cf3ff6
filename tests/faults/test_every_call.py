"""Every command, with the database or Slack failing at its first call, at its second, and so on to its last.

What was acknowledged is stored; what was refused is not; the same delivery again ends in the same state; and nothing is
posted twice. The statements that fail are real ones, interrupted inside SQLite.
"""

import asyncio
import shutil
import sqlite3
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot.rehearsal.delivery import AppAnswer
from handlers import COMMANDS
from tests.support.play import Play, playing

# The people's connections are cut with the workspace after each of hundreds of bots: one that ends in the midst of a
# call now and then leaves its socket to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

NUMBERS = {"entry": 2, "earlier_why": 1, "why": 2, "action": 1}
LINES = sorted(
    {
        f"{table.name} {verb.example.format_map(NUMBERS)}".strip()
        for table in COMMANDS
        for verb in table.verbs
        if not verb.needs
    }
)
HISTORY = (
    "/incident open the queue is full",
    "/timeline workers restarted",
    "/timeline the queue drains",
    "/incident resolved",
    "/why because a consumer hung",
    "/why because it had no timeout",
    "/action add a timeout @Ana Demo due friday",
    "/action alert on the age of the queue @Bo Demo due friday",
)
PASSING = {"delivery", "sweep", "person", "workspace", "tab", "alembic_version", "lookback", "newcomer", "attachment"}
"""What the bot writes by itself in the background, or about Slack: no part of the record."""

TOLERATED = {
    "files.completeUploadExternal": "a file carries no key by which it could be found, so it may be there twice",
    "conversations.info": "while Slack doesn't say who reads there, nothing is exported, and the person is told",
}
"""Calls after whose failure the number of posts may be another one."""

STRIDE = 8
"""`make fast` tries every eighth line, `make test` them all."""

each_line = pytest.mark.parametrize(
    "line", [pytest.param(line, marks=pytest.mark.slow if at % STRIDE else ()) for at, line in enumerate(LINES)]
)


class Statements:
    """Counts the statements of the SQLite connections that were opened while it was current, and interrupts one."""

    current: "Statements | None" = None

    def __init__(self) -> None:
        self.connections: list[sqlite3.Connection] = []
        self.left: int | None = None
        self.was_hit = False

    def interrupt(self, number: int) -> None:
        """Let the statement of this number fail, counted from now on over all connections."""
        self.left = number
        for connection in self.connections:
            with suppress(sqlite3.ProgrammingError):  # closed since
                connection.set_trace_callback(partial(self._count, connection))

    def _count(self, connection: sqlite3.Connection, _: str) -> None:
        if self.left is None:
            return
        self.left -= 1
        if self.left == 0:
            self.left, self.was_hit = None, True
            connection.interrupt()


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "sqlite3.connect/handle" and Statements.current is not None:
        Statements.current.connections.append(arguments[0])


sys.addaudithook(_audit)  # can't be taken away again, so it does nothing unless a test is current


@dataclass(frozen=True)
class State:
    """What a database holds of the record."""

    rows: dict[str, int]
    content: int

    @classmethod
    def read(cls, path: Path) -> "State":
        with closing(sqlite3.connect(path)) as connection:
            names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            names = [name for name in names if name not in PASSING and not name.startswith(("recall", "sqlite"))]
            found = {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in names}
        return cls({name: len(rows) for name, rows in found.items()}, hash(repr(sorted(found.items()))))


@pytest.fixture(scope="module")
def database(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with an incident in it."""
    path = tmp_path_factory.mktemp("recorded") / "afterword.db"
    shutil.copyfile(sqlite_template, path)
    asyncio.run(record(path))
    return path


async def record(path: Path) -> None:
    async with playing(f"sqlite:///{path}") as play:
        await tell(play)


async def tell(play: Play) -> None:
    for line in HISTORY:
        assert (await play.slack.command(play.ana, play.channel, line)).ok
        await play.settle()  # else it is chance which posts come before the next command, and which never
    await catch_up(play)


@asynccontextmanager
async def resume(database: Path, folder: Path) -> AsyncIterator[tuple[Play, Path, Statements]]:
    """The same people and channel, and a bot on a copy of the database, whose statements are counted."""
    path = folder / "afterword.db"
    for suffix in ("", "-wal", "-shm", ".chain"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    shutil.copyfile(database, path)
    Statements.current = statements = Statements()
    try:
        async with playing(f"sqlite:///{path}") as play:
            await play.slack.command(play.ana, play.channel, "/timeline help")  # who types is known from here on
            await play.settle()
            yield play, path, statements
    finally:
        Statements.current = None


def refuses(answer: AppAnswer) -> bool:
    return "NOT recorded" in answer.text or "Nothing was saved" in answer.text


async def whispers(play: Play) -> list[str]:
    """What only the person who typed reads, besides the answer itself: a private message, or a DM."""
    await play.bot.boundary.drain()
    seen = play.slack.messages(play.channel, user=play.ana) + play.slack.messages(play.slack.dm(play.ana))
    return [message.plain for message in seen if message.ephemeral_for or message.channel != play.channel]


@each_line
async def test_the_database_may_fail_at_any_statement_of_any_command(line: str, database: Path, tmp_path: Path) -> None:
    async with resume(database, tmp_path) as (play, path, _):
        undisturbed = await play.slack.command(play.ana, play.channel, line)
        assert undisturbed.ok
        assert not refuses(undisturbed)
        after = State.read(path)
    for number in range(1, 200):
        async with resume(database, tmp_path) as (play, path, statements):
            before = State.read(path)
            statements.interrupt(number)
            answer = await play.slack.command(play.ana, play.channel, line)
            statements.left = None
            assert answer.ok, number
            assert answer.text or play.slack.views(play.ana) or await whispers(play), number
            if refuses(answer):
                assert State.read(path) == before, (number, answer.text)
                assert line.partition(" ")[2] in answer.text, answer.text
            again = await play.slack.deliver_again(answer)
            assert again.ok
            assert not refuses(again), (number, again.text)
            assert State.read(path).rows == after.rows, (number, answer.text, again.text)
            assert (await play.slack.command(play.ana, play.channel, "/timeline help")).ok
        if not statements.was_hit:
            return
    raise AssertionError("a command takes 200 statements")


def posts(play: Play) -> Counter[str]:
    """How many messages of the bot are in each place."""
    rooms = (play.channel, *(play.slack.dm(user) for user in (play.ana, play.bo, play.chandra)))
    return Counter(
        message.channel
        for room in rooms
        for message in play.slack.messages(room)
        if message.user == play.slack.bot_user_id
    )


async def catch_up(play: Play) -> None:
    """Let the bot do what follows a command, and what it has to repeat: a doubt is looked into after half a minute."""
    await play.settle()
    for _ in range(3):
        await play.pass_time(minutes=2)
        await play.settle()


async def calls_after(line: str, url: str) -> tuple[list[str], Counter[str]]:
    """Which methods are called after a command if nothing fails, and how many messages there are then."""
    async with playing(url) as play:
        await tell(play)
        before = len(play.slack.calls)
        await play.slack.command(play.ana, play.channel, line)
        await catch_up(play)
        return [call.method for call in play.slack.calls[before:]], posts(play)


@each_line
@pytest.mark.parametrize("how", [{"drop": "after"}, {"status": 500}], ids=["answer lost", "refused"])
async def test_slack_may_fail_at_any_call_that_follows_a_command(
    line: str, how: dict[str, Any], sqlite_template: Path, tmp_path: Path
) -> None:
    def fresh(number: int) -> str:
        shutil.copyfile(sqlite_template, tmp_path / f"{number}.db")
        return f"sqlite:///{tmp_path}/{number}.db"

    methods, undisturbed = await calls_after(line, fresh(0))
    for at, method in enumerate(methods):
        async with playing(fresh(at + 1)) as play:
            await tell(play)
            if before := methods[:at].count(method):
                play.slack.fail(method, times=before)
            play.slack.fail(method, **how)
            answer = await play.slack.command(play.ana, play.channel, line)
            assert answer.ok
            assert not refuses(answer), (method, answer.text)
            await catch_up(play)
            if method not in TOLERATED:
                assert posts(play) == undisturbed, (at, method)
