"""Real processes, each doing one piece of work within its bounds."""

import asyncio
import contextlib
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import uvloop

from bot.export.sandbox import JOBS, JobError, JobTimeoutError, Limits, kill_all, run_job
from tests.support.deadlines import SOON_SECONDS, until_now

pytestmark = pytest.mark.process

JOBS_OF_TESTS = {"test": "tests.support.export.sandbox_work", "none": "tests.export.nowhere"}
OUTSIDE = ("storage", "handlers", "bot.settings", "bot.slack", "bot.services", "bot.integrations", "slack_", "aiohttp")
"""What no job needs: the database, Slack, secrets, the network."""
PROCESSES = Path("/proc")
MEGABYTE = 1024 * 1024


@pytest.fixture(autouse=True)
def _jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, module in JOBS_OF_TESTS.items():
        monkeypatch.setitem(JOBS, name, module)


def list_loaded(*modules: str) -> set[str]:
    """All that a fresh interpreter has loaded once it has imported these modules."""
    code = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    return set(ran.stdout.split())


def work(content: bytes, **bounds: float) -> bytes:
    return run_job("test", content, Limits(**bounds))  # type: ignore[arg-type]


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def children() -> set[int]:
    """The processes that this one started and has not reaped."""
    if not PROCESSES.exists():
        pytest.skip("the system does not tell its processes as Linux does")
    found = set()
    for path in PROCESSES.glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            _, parent, *_ = path.read_text(errors="replace").rpartition(")")[2].split()
            if int(parent) == os.getpid():
                found.add(int(path.parent.name))
    return found


def test_the_answer_is_what_was_made_and_nothing_that_was_printed() -> None:
    assert work(b"turn abc") == b"cba"
    assert is_gone(int(work(b"tell me")))


def test_much_is_given_and_taken_at_once_without_a_deadlock() -> None:
    much = os.urandom(8 * MEGABYTE)
    assert work(b"turn " + much) == much[::-1]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"refuse Say it otherwise.", "Say it otherwise."),
        (b"fail with somebody's words", "It failed (ValueError)."),
        (b"die", "It was stopped by SIGKILL. It may have needed more than 1024 MB of memory."),
        (b"exit", "It ended with status 7."),
        (b"", "It failed (OverflowError)."),
    ],
)
def test_what_goes_wrong_is_a_sentence(content: bytes, sentence: str) -> None:
    content = content or b"eat 99999999999999999999999"
    with pytest.raises(JobError, match=f"^{re.escape(sentence)}$"):
        work(content)


def test_a_module_that_is_not_there_is_a_sentence() -> None:
    with pytest.raises(JobError, match="It ended with status 1"):
        run_job("none", b"")


def test_what_takes_too_long_is_ended_and_gone() -> None:
    before, began = children(), time.monotonic()
    with pytest.raises(JobTimeoutError, match=r"longer than 0\.8 seconds"):
        work(b"sleep 600", seconds=0.8)
    assert time.monotonic() - began < SOON_SECONDS
    assert children() <= before


def test_what_does_not_read_what_it_is_given_is_ended_too() -> None:
    with pytest.raises(JobError):
        run_job("none", bytes(8 * MEGABYTE))


def test_more_memory_than_allowed_is_refused_by_the_system() -> None:
    with pytest.raises(JobError, match="It needs more than 512 MB of memory"):
        work(b"eat 900000000", memory=512 * MEGABYTE)


def test_more_output_than_allowed_is_refused() -> None:
    assert len(work(b"eat 1048576", output=MEGABYTE)) == MEGABYTE
    with pytest.raises(JobError, match="Its output was more than 1 MB"):
        work(b"eat 1048577", output=MEGABYTE)


def test_it_knows_none_of_the_bots_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xo" + "xb-not-a-token")
    monkeypatch.setenv("DATABASE_URL", "postgresql://user:word@db.example/afterword")
    output = work(b"environment")
    assert b"not-a-token" not in output
    assert b"db.example" not in output


def test_threads_work_at_the_same_time_under_the_bots_loop() -> None:
    async def all_at_once() -> list[bytes]:
        jobs = [asyncio.to_thread(work, b"turn " + str(number).encode()) for number in range(10, 16)]
        return await asyncio.gather(*jobs)

    before = children()
    assert uvloop.run(all_at_once()) == [str(number).encode()[::-1] for number in range(10, 16)]
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(work, [b"turn ab", b"turn cd"])) == [b"ba", b"dc"]
    assert children() <= before


def test_all_that_runs_can_be_ended_at_once() -> None:
    with ThreadPoolExecutor(1) as pool:
        sleeping = pool.submit(work, b"sleep 600", seconds=600)

        def is_ended() -> bool:
            kill_all()
            return sleeping.done()

        until_now(is_ended)
        with pytest.raises(JobError, match="SIGKILL"):
            sleeping.result()


@pytest.mark.parametrize("name", JOBS.keys() - JOBS_OF_TESTS)
def test_a_job_loads_no_other_job_and_nothing_that_reaches_outside(name: str) -> None:
    there = list_loaded("bot.export.sandbox", JOBS[name])
    others = {"bot.export.pdf_job", "bot.export.template_job", "weasyprint"} - {JOBS[name]}
    if name == "pdf":
        others.discard("weasyprint")
    assert there & others == set()
    assert [module for module in there if module.startswith(OUTSIDE)] == []


def test_the_bot_loads_no_job_that_is_not_its_own_to_run() -> None:
    assert list_loaded("bot.cli", "bot.app") & {"bot.export.pdf_job", "bot.export.template_job", "weasyprint"} == set()
