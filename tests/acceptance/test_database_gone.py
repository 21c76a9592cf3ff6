"""The real program, whose database file is taken away while people type."""

import asyncio
from pathlib import Path

from bot.clock import SystemClock
from bot.rehearsal.server import StandIn
from tests.support.acceptance.programs import Program, environ_of, free_port
from tests.support.deadlines import LONG_SECONDS
from tests.support.interactions import is_receipt


async def test_a_file_that_is_taken_away_ends_the_process_and_nothing_in_it_is_called_recorded(tmp_path: Path) -> None:
    path = tmp_path / "afterword.db"
    async with StandIn(SystemClock()) as slack:
        ana = slack.user("ana")
        channel = slack.channel("ops", [ana])
        program = Program(environ_of(slack, f"sqlite:///{path}"), free_port(), tmp_path)
        await program.start()
        slack.send_to(program.request_url)
        assert (await slack.command(ana, channel, "/incident open the database moves")).ok
        assert is_receipt((await slack.command(ana, channel, "/timeline before")).body["text"])
        path.unlink()
        after = [await slack.command(ana, channel, f"/timeline after {number}") for number in range(10)]
        assert not [answer for answer in after if answer.ok and is_receipt(answer.body["text"])]
        assert any("NOT recorded" in str(answer.body) and "removed or replaced" in str(answer.body) for answer in after)
        assert program.process is not None
        async with asyncio.timeout(LONG_SECONDS):
            assert await program.process.wait() == 1
    log = (tmp_path / "program.log").read_text()
    assert "Error: The database file was removed or replaced while the bot ran. Put it back" in log
    assert "Traceback" not in log
