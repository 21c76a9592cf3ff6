"""A place for the database in which the bot may not write."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.catalog import ROOT
from tests.support.install.clean_environment import surroundings

NOBODY = 65534
# What is imported first may lie where only root can read it.
CODE = f"""
import os, sys
from sqlalchemy.dialects.sqlite import pysqlite
from bot.errors import Misconfigured
from storage.database import migrator
from storage.database.store import open_store
os.setgid({NOBODY}); os.setuid({NOBODY})
try:
    open_store(sys.argv[1])
except Misconfigured as error:
    print(error)
"""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everyone may enter, unlike those of the tests."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may start a program as another user")
@pytest.mark.parametrize("mode", [0o755, 0o700], ids=["readable", "closed"])
def test_a_folder_that_cannot_be_written_is_named_at_the_start(open_folder: Path, mode: int) -> None:
    home = open_folder / "home"
    home.mkdir()
    home.chmod(mode)
    done = subprocess.run(
        [sys.executable, "-c", CODE, f"sqlite:///{home}/afterword.db"],
        cwd=ROOT,
        env=surroundings(PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert f"{home}/afterword.db can't be written (Permission denied)" in done.stdout, done.stderr
    assert list(home.iterdir()) == []
