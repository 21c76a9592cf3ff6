"""`make demo` and the start of `make test` from nothing, on every Python that we name and that this machine has."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.house_offenders import files
from tests.support.install.clean_environment import surroundings
from tests.support.install.lock_file import LOCKS, PYTHONS, ROOT

FOR_DEMO, FOR_TESTS = "kept-for-demo", "kept-for-tests"
"""Where a clone keeps its environment, before and after the tools for development came into it."""
ASKED = "import ensurepip, sys, venv; print(sys.version_info[:2] == tuple(map(int, sys.argv[1].split('.'))))"


def run(*command: str | Path, cwd: Path, **settings: str) -> "subprocess.CompletedProcess[str]":
    around = surroundings(PIP_NO_COMPILE="no", **settings)  # "no" is pip's word for yes; most is never imported
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


def inputs(interpreter: str) -> str:
    """A digest of all that decides what an installation makes: the Makefile, what it asks for, and the Python."""
    digest = hashlib.sha256(f"{interpreter} {run(interpreter, '-VV', cwd=ROOT).stdout}".encode())
    for name in ("Makefile", "pyproject.toml", *LOCKS):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


@contextmanager
def fresh_clone(folder: Path, interpreter: str) -> Iterator[Path]:
    """What is under version control, as it is now. Installs from nothing unless the same inputs worked last time.

    An installation takes half a minute, and with the same locks it ends in the same environment: what `make demo` made,
    and what `make test` made of that, are kept between runs, in pytest's cache. CI has no such cache.
    """
    folder.mkdir(parents=True, exist_ok=True)
    proof, wanted = folder / "works", inputs(interpreter)
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another run of the tests may be at it
        if not proof.exists() or proof.read_text() != wanted:
            shutil.rmtree(folder)
        else:
            proof.unlink()  # until it has worked again
            for each in set(folder.iterdir()) - {folder / FOR_DEMO, folder / FOR_TESTS}:
                shutil.rmtree(each) if each.is_dir() else each.unlink()
        for name in files():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
        yield folder
        proof.write_text(wanted)


@contextmanager
def environment(clone: Path, name: str) -> Iterator[Path]:
    """The clone's environment, as it was last time or as it is now; what it has become is kept under this name."""
    home, store = clone / ".venv", clone / name
    if store.exists():
        shutil.rmtree(home, ignore_errors=True)
        store.rename(home)
    yield home / "bin" / "python"
    shutil.copytree(home, store, symlinks=True, copy_function=os.link)  # pip writes no file in place


def done(*command: str | Path, cwd: Path) -> str:
    """What a command prints that must not fail. Its bytecode lasts as long as the environment."""
    ran = run(*command, cwd=cwd, PYTHONPYCACHEPREFIX=str(cwd / ".venv" / "bytecode"))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def require(python: Path, version: str, clone: Path) -> None:
    """An environment of this Python, in which all fits together."""
    assert done(python, "-c", "import sys; print(*sys.version_info[:2], sep='.')", cwd=clone) == f"{version}\n"
    done(python, "-m", "pip", "check", cwd=clone)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("version", PYTHONS)
def test_a_fresh_clone_plays_the_demo_and_collects_its_tests(version: str, pytestconfig: pytest.Config) -> None:
    """The demo before the tools for development are there: what only developers install must not be needed."""
    interpreter = python(version)
    with fresh_clone(pytestconfig.cache.mkdir("clones") / version, interpreter) as clone:
        with environment(clone, FOR_DEMO) as inside:
            done("make", f"PYTHON={interpreter}", "demo", cwd=clone)
            assert list((clone / "demo-out").glob("*.html"))
            require(inside, version, clone)
        with environment(clone, FOR_TESTS) as inside:
            done("make", f"PYTHON={interpreter}", ".venv/.installed-dev", cwd=clone)
            require(inside, version, clone)
            # Warnings are errors here too.
            done(inside, "-m", "pytest", "--collect-only", "--assert=plain", "-q", cwd=clone)


def test_the_classifiers_name_the_pythons_that_are_tried() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    before = "Programming Language :: Python :: 3."
    named = [each.removeprefix(before) for each in project["classifiers"] if each.startswith(before)]
    assert tuple(f"3.{minor}" for minor in named) == PYTHONS
    assert project["requires-python"] == f">={PYTHONS[0]}"
