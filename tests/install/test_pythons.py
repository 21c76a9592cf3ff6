"""`make demo` and the start of `make test` from nothing, on every Python that we name and that this machine has."""

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house_offenders import files
from tests.support.install.clean_environment import surroundings
from tests.support.install.lock_file import PYTHONS, ROOT

ASKED = "import ensurepip, sys, venv; print(sys.version_info[:2] == tuple(map(int, sys.argv[1].split('.'))))"


def run(*command: str | Path, cwd: Path) -> "subprocess.CompletedProcess[str]":
    around = surroundings(PIP_NO_COMPILE="no")  # "no" is pip's word for yes; most is never imported
    return subprocess.run(command, cwd=cwd, env=around, capture_output=True, text=True, check=False)


def places(version: str) -> Iterator[str]:
    """Where this machine may have a Python: under the tests, on the path, with pyenv, with uv."""
    yield str(Path(sys.base_prefix) / "bin" / f"python{version}")
    yield shutil.which(f"python{version}") or ""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from map(str, sorted(pyenv.glob(f"versions/{version}*/bin/python{version}"), reverse=True))
    if uv := shutil.which("uv"):
        yield run(uv, "python", "find", "--offline", "--no-python-downloads", version, cwd=ROOT).stdout.strip()


def python(version: str) -> str:
    """One that can make an environment; a machine without any skips the test."""
    for place in places(version):
        if place and Path(place).is_file() and run(place, "-c", ASKED, version, cwd=ROOT).stdout == "True\n":
            return place
    pytest.skip(f"this machine has no Python {version} with venv, on the path, with pyenv or with uv")


def cloned(folder: Path) -> Path:
    """What is under version control, as it is now, in a folder of its own."""
    for name in files():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    return folder


def done(*command: str | Path, cwd: Path) -> str:
    """What a command prints that must not fail."""
    ran = run(*command, cwd=cwd)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("version", PYTHONS)
def test_a_fresh_clone_plays_the_demo_and_collects_its_tests(version: str, tmp_path: Path) -> None:
    interpreter = python(version)
    clone = cloned(tmp_path / "clone")
    done("make", f"PYTHON={interpreter}", "demo", cwd=clone)
    assert list((clone / "demo-out").glob("*.html"))
    inside = clone / ".venv" / "bin" / "python"
    told = done(inside, "-c", "import sys; print(*sys.version_info[:2], sep='.')", cwd=clone)
    assert told == f"{version}\n"
    done(inside, "-m", "pip", "check", cwd=clone)
    done("make", ".venv/.installed-dev", cwd=clone)
    done(inside, "-m", "pip", "check", cwd=clone)
    done(inside, "-m", "pytest", "--collect-only", "--assert=plain", "-q", cwd=clone)  # warnings are errors here too
    shutil.rmtree(clone)


def test_the_classifiers_name_the_pythons_that_are_tried() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    before = "Programming Language :: Python :: 3."
    named = [each.removeprefix(before) for each in project["classifiers"] if each.startswith(before)]
    assert tuple(f"3.{minor}" for minor in named) == PYTHONS
    assert project["requires-python"] == f">={PYTHONS[0]}"
