"""What the bot has loaded when it says that it is ready: all that answers need, and nothing that they do not."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.domain.records import Person
from storage import people as people_store
from storage.database.store import open_store
from tests.support.timeouts import PATIENT

pytestmark = pytest.mark.process

SECRET = "startup" * 3

SERVE = """
import asyncio, json, sys
from bot.cli import _load
_load("runner", "run")
from bot.app import Afterword
from bot.cli.settings import load_settings
from bot.clock import SystemClock
from bot.domain import times
from storage.database.store import open_store

async def main(secret, lines):
    settings = load_settings()
    store = open_store(settings.sqlalchemy_url)
    async with Afterword(settings, store, SystemClock()) as bot:
        port = asyncio.get_running_loop().create_future()
        serving = asyncio.create_task(bot.run(port))
        await port
        await asyncio.to_thread(times.prepare)  # what the bot itself does in a thread, at its end
        loaded = sorted(sys.modules)
        from tests.bench import load
        before, answers = set(sys.modules), []
        for line in lines:
            reader, writer = await asyncio.open_connection("127.0.0.1", port.result())
            answers.append((await load.ask(reader, writer, load.command(secret, line))).decode())
            writer.close()
        print(json.dumps({"loaded": loaded, "later": sorted(set(sys.modules) - before), "answers": answers}))
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
    store.close()

asyncio.run(main(*json.loads(sys.argv[1])))
"""

LINES = (
    *("/incident open checkout is down", "/timeline failed over", "/timeline 14:05 failed over", "/timeline show"),
    *("/timeline yesterday 23:50 CET failed", "/timeline gestern 14:05 x", "/timeline dnes 14:05 x", "/timeline"),
    *("/timeline edit 1 14:06 x", "/timeline paste", "/timeline undo", "/incident sev 2", "/incident lead me"),
    *("/incident list", "/incident search pool", "/incident help", "/action add a load test due friday"),
    *("/action list", "/action done 1", "/incident resolved", "/why because the pool ran out", "/why", "/postmortem"),
    *("/postmortem export html", "/postmortem owner me", "/postmortem help"),
)

RARE = {
    *("psycopg", "psycopg_binary", "alembic", "mako", "sqlalchemy.dialects.postgresql", "storage.database.postgres"),
    *(
        "httpx",
        "stamina",
        "marklas",
        "babel",
        "rich",
        "weasyprint",
        "bot.rehearsal",
        "bot.demo",
        "bot.export.json.schema",
    ),
}
"""What neither SQLite nor a bot without connections needs."""


@pytest.fixture(scope="module")
def startup(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """A bot in a process of its own, on a database that exists, after some of everything that people type."""
    url = f"sqlite:///{tmp_path_factory.mktemp('startup')}/afterword.db"
    store = open_store(url, timeouts=PATIENT)
    store.write_now(lambda tx: people_store.save(tx, Person("T0BENCH", "U0BENCH", "Bench", "Europe/Berlin")))
    store.close()
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "SLACK_BOT_TOKEN": "xoxb-" + "startup",
        "SLACK_SIGNING_SECRET": SECRET,
        "SLACK_API_URL": "http://127.0.0.1:9/api/",
        "DATABASE_URL": url,
        "AFTERWORD_PORT": "0",
    }
    command = [sys.executable, "-c", SERVE, json.dumps([SECRET, LINES])]
    ran = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    found: dict[str, list[str]] = json.loads(ran.stdout)
    return found


def test_no_answer_waits_for_a_module(startup: dict[str, list[str]]) -> None:
    assert len(startup["answers"]) == len(LINES)
    assert "(14:05 Berlin)" in startup["answers"][2]
    assert startup["later"] == []


def test_what_few_bots_need_is_not_loaded(startup: dict[str, list[str]]) -> None:
    loaded = set(startup["loaded"])
    assert loaded >= {"slack_bolt", "sqlalchemy", "jinja2", "handlers", "bot.domain.times"}
    assert loaded & RARE == set()
