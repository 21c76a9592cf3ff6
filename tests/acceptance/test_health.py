"""The real program, with a disk that takes no more, without Slack, and with settings that are wrong."""

import asyncio
import json
import re
import resource
from pathlib import Path
from typing import Any

import aiohttp

from bot.clock import SystemClock
from bot.rehearsal.server import StandIn
from tests.support.acceptance.programs import Program, command_begun, environ_of, free_port
from tests.support.deadlines import LONG_SECONDS
from tests.support.interactions import is_receipt


async def get(program: Program, path: str) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{program.port}{path}") as answer,
    ):
        return answer.status, await answer.text()


async def ready_until(program: Program, words: str) -> dict[str, Any]:
    """What /readyz says once it says this."""
    async with asyncio.timeout(LONG_SECONDS):
        while words not in (report := (await get(program, "/readyz"))[1]):  # noqa: ASYNC110 (another process)
            await asyncio.sleep(0.2)
    found: dict[str, Any] = json.loads(report)
    return found


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "program.log").read_text().splitlines()]


async def record_until_refused(slack: StandIn, user: str, channel: str) -> str:
    """The first answer that is no receipt: what the file has room for is recorded."""
    while True:
        answer = await slack.command(user, channel, "/timeline " + "x" * 3000)
        if not is_receipt(answer.body["text"]):
            return str(answer.body["text"])


async def test_a_disk_that_takes_no_more_is_named_everywhere_and_heals(tmp_path: Path) -> None:
    async with StandIn(SystemClock()) as slack:
        ana = slack.user("ana")
        channel = slack.channel("ops", [ana])
        environ = environ_of(slack, f"sqlite:///{tmp_path / 'afterword.db'}", AFTERWORD_LOG_FORMAT="json")
        program = Program(environ, free_port(), tmp_path)
        await program.start()
        slack.send_to(program.request_url)
        assert (await slack.command(ana, channel, "/incident open the disk fills")).ok
        assert (await get(program, "/readyz?only=database"))[0] == 200
        assert program.process is not None
        wal = (tmp_path / "afterword.db-wal").stat().st_size
        before = resource.prlimit(program.process.pid, resource.RLIMIT_FSIZE, (wal, resource.RLIM_INFINITY))
        assert re.search("NOT recorded.*disk", await record_until_refused(slack, ana, channel))
        status, report = await get(program, "/readyz")
        assert (status, "disk" in json.loads(report)["database"]) == (503, True)
        assert 'afterword_not_recorded_total{answer="not recorded"} 1.0' in (await get(program, "/metrics"))[1]
        resource.prlimit(program.process.pid, resource.RLIMIT_FSIZE, before)
        assert (await get(program, "/readyz?only=database"))[0] == 200
        assert is_receipt((await slack.command(ana, channel, "/timeline room again")).body["text"])
        await program.kill()
    assert "not_recorded" in {line["event"] for line in lines(tmp_path)}
    assert "xxx" not in (tmp_path / "program.log").read_text()


async def test_without_slack_it_records_says_for_how_long_and_run_finds_what_doctor_finds(tmp_path: Path) -> None:
    async with StandIn(SystemClock()) as slack:
        ana = slack.user("ana")
        channel = slack.channel("ops", [ana])
        environ = environ_of(slack, f"sqlite:///{tmp_path / 'afterword.db'}", AFTERWORD_LOG_FORMAT="json")
        environ |= {"SLACK_API_URL": "http://127.0.0.1:9/api/", "AFTERWORD_RACTION": "memo"}
        program = Program(environ, free_port(), tmp_path)
        await program.start()
        slack.send_to(program.request_url)
        assert (await slack.command(ana, channel, "/incident open Slack is away")).ok
        report = await ready_until(program, "Slack hasn't answered for")
        assert re.match(
            r"Slack hasn't answered for \d+ s \(ClientConnectorError\)\. Check the network", report["slack"]
        )
        assert (report["ready"], report["database"]) == (False, "ok")
        assert (await get(program, "/readyz?only=database"))[0] == 200
        assert is_receipt((await slack.command(ana, channel, "/timeline recorded all the same")).body["text"])
        await program.kill()
        doctor = await command_begun(environ, tmp_path, "doctor")
        printed = (await doctor.communicate())[0].decode()
    found = {line["sentence"] for line in lines(tmp_path) if line["event"] in ("check_failed", "check_noted")}
    wrong = {line.split(": ", 1)[1] for line in printed.splitlines() if line.startswith("FAIL")}
    assert any("auth.test with SLACK_BOT_TOKEN failed" in sentence for sentence in wrong)
    assert wrong <= found
    assert "AFTERWORD_RACTION isn't a setting. Check its spelling." in found
    assert "note  settings: AFTERWORD_RACTION isn't a setting. Check its spelling." in printed
