"""A command loads what it needs and no more: loading everything takes ten times as long as most commands do."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

RUN = """
import json, sys
from bot.cli import main
try:
    main(json.loads(sys.argv[1]), standalone_mode=False)
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""

BOT = {"aiohttp", "slack_bolt", "slack_sdk", "starlette", "uvicorn", "uvloop", "apscheduler", "prometheus_client"}
DATABASE = {"sqlalchemy", "sqlmodel", "psycopg", "alembic", "sqlite3"}
REST = {"pydantic", "jinja2", "httpx", "rich", "markdown_it", "marklas", "stamina", "weasyprint", "asyncio", "babel"}


def list_loaded(*words: str, folder: Path) -> set[str]:
    """The modules in a new interpreter after a command."""
    environ = {"DATABASE_URL": f"sqlite:///{folder}/afterword.db", "PATH": ""}
    ran = subprocess.run(
        [sys.executable, "-c", RUN, json.dumps(words)], env=environ, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return set(json.loads(ran.stderr.splitlines()[-1]))


@pytest.mark.parametrize("words", [("--help",), ("--version",), ("when", "--help"), ("when", "14:05 failed over")])
def test_what_answers_at_once_loads_neither_the_bot_nor_a_database(words: tuple[str, ...], tmp_path: Path) -> None:
    there = list_loaded(*words, folder=tmp_path)
    assert "bot.cli" in there
    assert there & (BOT | DATABASE | REST) == set()


def test_the_list_of_commands_loads_no_command(tmp_path: Path) -> None:
    assert {name for name in list_loaded("--help", folder=tmp_path) if name.startswith("bot.")} == {
        "bot.cli",
        "bot.errors",
    }


@pytest.mark.parametrize("words", [("migrate",), ("backup", "copy.db")])
def test_what_looks_after_the_database_does_not_load_the_bot(words: tuple[str, ...], tmp_path: Path) -> None:
    list_loaded("migrate", folder=tmp_path)
    words = tuple(f"{tmp_path}/{word}" if word.endswith(".db") else word for word in words)
    assert list_loaded(*words, folder=tmp_path) & BOT == set()
