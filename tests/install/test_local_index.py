"""Installing does not rot: what is published after the lock was made changes nothing.

The Makefile itself installs a tiny project from an index on loopback, with the oldest pip that Python 3.11 ever brought
and with the one that this Python brings.
"""

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.support.install.clean_environment import surroundings
from tests.support.install.package_index import Wheel, serving

pytestmark = pytest.mark.process

ROOT = Path(__file__).resolve().parents[2]
OLDEST_PIP = "22.3"
"""The pip of Python 3.11.0."""

BACKEND = Wheel(
    "backend",
    "1.0",
    code="""
import pathlib, shutil

def build_editable(folder, config_settings=None, metadata_directory=None):
    (built,) = pathlib.Path("built").iterdir()
    shutil.copy(built, folder)
    return built.name
""",
)
"""What hatchling is for us: it comes from the lock, and is used without another installation."""

COVERAGE = Wheel("coverage", "7.0", requires=('tomli; extra == "toml"',), extras=("toml",))
TOMLI = Wheel("tomli", "2.0")
PLUGIN = Wheel("pytest-cov", "7.0", requires=("coverage[toml]>=7",))
PROJECT = Wheel("afterword", "0.1", requires=("pytest-cov>=7",))
LOCKED = (BACKEND, COVERAGE, PLUGIN, TOMLI)
NEWER = tuple(replace(wheel, version="99.0") for wheel in LOCKED)
"""What is published once the lock is made; nothing that an installation does may depend on it."""

PYPROJECT = """
[build-system]
requires = ["backend"]
build-backend = "backend"
"""


@dataclass(frozen=True)
class Clone:
    """A fresh clone of a tiny project with our Makefile, and an environment that has only pip in it."""

    folder: Path
    index: str

    def write(self, makefile: str) -> None:
        (self.folder / "Makefile").write_text(makefile, encoding="utf-8")
        (self.folder / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
        for lock in ("requirements.lock", "requirements-dev.lock"):
            (self.folder / lock).write_text("".join(wheel.pin for wheel in LOCKED), encoding="utf-8")
        built = self.folder / "built"
        built.mkdir()
        (built / PROJECT.file).write_bytes(PROJECT.content)

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run a command for which pip knows one index and no file of settings, and keeps nothing from earlier."""
        settings = {
            "PIP_INDEX_URL": self.index,
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_CACHE_DIR": "1",
            "NO_PROXY": "*",
        }
        around = surroundings("PIP_", **settings)
        return subprocess.run(command, cwd=self.folder, env=around, capture_output=True, text=True, check=False)

    @property
    def versions(self) -> dict[str, str]:
        listed = self.run(".venv/bin/python", "-m", "pip", "freeze", "--exclude-editable").stdout.splitlines()
        return dict(line.split("==") for line in listed if "==" in line)


def our_makefile() -> str:
    return (ROOT / "Makefile").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def oldest_pip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the oldest pip, from wherever this machine gets its packages."""
    if sys.version_info >= (3, 12):
        pytest.skip(f"pip {OLDEST_PIP} cannot run on this Python, which never brought one so old")
    folder = tmp_path_factory.mktemp("pip")
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder), f"pip=={OLDEST_PIP}"]
    got = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if got.returncode:
        pytest.skip(f"pip {OLDEST_PIP} cannot be had here: {got.stderr.strip().splitlines()[-1:]}")
    (wheel,) = folder.iterdir()
    return wheel


@pytest.fixture(params=["oldest", "own"])
def clone(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Clone]:
    folder = tmp_path / "clone"
    home = folder / ".venv"
    venv.create(home, symlinks=True, with_pip=request.param == "own")
    if request.param == "oldest":
        wheel = request.getfixturevalue("oldest_pip")
        pip = [sys.executable, "-m", "pip", "--python", str(home / "bin" / "python"), "install", "-q", "--no-index"]
        subprocess.run([*pip, str(wheel)], check=True)
    with serving(tmp_path / "index", *LOCKED, *NEWER) as index:
        yield Clone(folder, index)
    shutil.rmtree(home)


def test_what_was_locked_is_installed_whatever_was_published_later(clone: Clone) -> None:
    clone.write(our_makefile())
    for target in (".venv/.installed", ".venv/.installed-dev"):
        made = clone.run("make", target)
        assert made.returncode == 0, made.stderr
        assert clone.versions.items() >= {wheel.name: wheel.version for wheel in LOCKED}.items()
    checked = clone.run(".venv/bin/python", "-m", "pip", "check")
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("clone", ["oldest"], indirect=True)
def test_the_oldest_pip_refuses_the_same_lock_where_it_looks_for_dependencies(clone: Clone) -> None:
    makefile = our_makefile()
    assert makefile.count("install --no-deps --require-hashes") == 2
    clone.write(makefile.replace("install --no-deps --require-hashes", "install --require-hashes"))
    made = clone.run("make", ".venv/.installed")
    assert made.returncode != 0
    assert "all requirements must have their versions pinned" in made.stderr
