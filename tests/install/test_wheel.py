"""The wheel as a stranger gets it: built, installed beside nothing of the checkout, and started from elsewhere."""

import json
import os
import subprocess
import sys
import sysconfig
import time
import tomllib
import urllib.request
import venv
import zipfile
from pathlib import Path

import pytest

from tests.support.acceptance.programs import free_port
from tests.support.deadlines import LONG_SECONDS
from tests.support.install.clean_environment import surroundings
from tests.test_bytecode import LOAD

pytestmark = pytest.mark.process

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {"bot", "handlers", "storage", "templates"}


def run(*command: str | Path, cwd: Path) -> str:
    """What a command prints, in an environment that leads to nothing of the checkout."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment that holds the wheel, and our dependencies but not our checkout."""
    home = tmp_path_factory.mktemp("installed")
    venv.create(home, with_pip=False)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(home)}))
    # A folder that a .pth file adds gets its own .pth files ignored, the one of an editable install among them.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    programs = home / "bin"
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", programs / "python")
    run(*pip, "install", "-q", "--no-deps", "--no-index", "--force-reinstall", wheel, cwd=home)
    return programs


def test_the_wheel_holds_every_file_of_the_four_packages_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        files = {name for name in archive.namelist() if ".dist-info/" not in name}
    expected = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert files == expected


def test_the_wheel_carries_the_license(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        assert [name for name in archive.namelist() if name.endswith("licenses/LICENSE")]


def test_the_version_is_told_the_same_everywhere(wheel: Path, programs: Path) -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    output = run(programs / "python", "-c", "import bot; print(bot.__version__, bot.__file__)", cwd=programs)
    version, file = output.split(maxsplit=1)
    assert version == declared
    assert f"-{declared}-" in wheel.name
    assert f"## [{declared}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert not Path(file.strip()).is_relative_to(ROOT)


def test_the_program_starts_from_anywhere(programs: Path) -> None:
    assert "manifest" in run(programs / "afterword", "--help", cwd=Path("/"))


def test_the_program_finds_its_own_packages_beside_others_of_the_same_name(programs: Path, tmp_path: Path) -> None:
    for package in PACKAGES:
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("raise RuntimeError('a stranger')")
    assert "manifest" in run(programs / "afterword", "--help", cwd=tmp_path)


def test_no_dependency_brings_a_package_of_our_names(programs: Path) -> None:
    ask = "import json, importlib.metadata as m; print(json.dumps(m.packages_distributions()))"
    owners = json.loads(run(programs / "python", "-c", ask, cwd=programs))
    assert {package: set(owners.get(package, ())) for package in PACKAGES} == {name: {"afterword"} for name in PACKAGES}


def test_the_demo_plays_from_the_wheel_in_an_empty_folder(programs: Path, tmp_path: Path) -> None:
    run(programs / "afterword", "demo", cwd=tmp_path)
    assert {"demo-out"} == {path.name for path in tmp_path.iterdir()}
    assert {".html", ".md", ".json"} <= {path.suffix for path in (tmp_path / "demo-out").iterdir()}


def test_the_stand_in_is_served_from_the_wheel_in_an_empty_folder(programs: Path, tmp_path: Path) -> None:
    port = free_port()
    words = (str(programs / "afterword"), "rehearse", "--port", str(port))
    running = subprocess.Popen(words, cwd=tmp_path, env=surroundings(), stdout=subprocess.DEVNULL)
    try:
        page = served_page(f"http://127.0.0.1:{port}/", running)
    finally:
        running.terminate()
        running.wait(LONG_SECONDS)
    assert "<title>" in page


def served_page(address: str, running: "subprocess.Popen[bytes]") -> str:
    """The page at an address, once someone listens there."""
    ends = time.monotonic() + LONG_SECONDS
    while time.monotonic() < ends:
        assert running.poll() is None
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                return str(answer.read().decode())
        except urllib.error.URLError:
            time.sleep(0.1)
    raise AssertionError(f"nothing answers at {address}")


def test_a_second_start_compiles_no_template(programs: Path, tmp_path: Path) -> None:
    first = run(programs / "python", "-c", LOAD, "anyhow", cwd=tmp_path)
    assert run(programs / "python", "-c", LOAD, "compiled", cwd=tmp_path) == first
