"""The image, built without an engine and used as people will: doctor, a demo, an incident, an export, the end.

buildah builds it in a chroot, on a base that mmdebstrap makes from this machine's Debian mirror. It needs root and both
programs; the read-only root and the health check are the engine's, so only their settings are looked at.
"""

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

from bot.clock import SystemClock
from bot.rehearsal.server import StandIn
from tests.support.acceptance.programs import environ_of, free_port
from tests.support.deadlines import LONG_SECONDS
from tests.support.install.clean_environment import surroundings
from tests.support.install.lock_file import ROOT

BASE = "docker.io/library/debian:trixie-slim"
IMAGE = "afterword:test"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
SECONDS = 1_500
"""For the base and the image: some 250 MB are downloaded."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2 * SECONDS), pytest.mark.xdist_group("image")]


@dataclass(frozen=True)
class Builder:
    """buildah with a storage of its own."""

    folder: Path

    def words(self, verb: str, *words: str | Path) -> list[str]:
        store = ("--root", self.folder / "store", "--runroot", self.folder / "run", "--storage-driver", "overlay")
        return [str(word) for word in ("buildah", *store, verb, *words)]

    def run(self, verb: str, *words: str | Path) -> str:
        done = subprocess.run(
            self.words(verb, *words),
            cwd=ROOT,
            env=surroundings(BUILDAH_ISOLATION="chroot"),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-2_000:]
        return done.stdout.strip()


def mirror() -> str:
    """The address from which this machine gets Debian's packages."""
    lists = [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in lists if path.is_file())
    found = re.search(r"^(?:URIs:|deb) (?:\[[^]]*\] )?(https?://\S+/debian)/?(?: |$)", text, re.MULTILINE)
    if found is None:
        pytest.skip("this machine has no mirror of Debian in its lists")
    return found[1]


@pytest.fixture(scope="module")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Builder]:
    """A storage that holds the base image, and nothing else."""
    if os.geteuid() != 0 or not all(map(shutil.which, ("buildah", "mmdebstrap"))) or not KEYRING.exists():
        pytest.skip("building the image needs root, buildah and mmdebstrap")
    folder = tmp_path_factory.mktemp("image")
    packages = f"deb {mirror()} trixie main"
    base = ["mmdebstrap", "--variant=minbase", f"--keyring={KEYRING}", "--include=ca-certificates", "trixie"]
    made = subprocess.run(
        [*base, str(folder / "base.tar"), packages], capture_output=True, text=True, timeout=SECONDS, check=False
    )
    if made.returncode != 0:
        pytest.skip(f"mmdebstrap made no base: {made.stderr.strip().splitlines()[-1:]}")
    builder = Builder(folder)
    container = builder.run("from", "scratch")
    builder.run("add", "-q", container, folder / "base.tar", "/")
    (folder / "base.tar").unlink()
    builder.run("commit", "-q", "--rm", container, BASE)
    yield builder
    builder.run("rm", "--all")
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def image(builder: Builder) -> str:
    """Built as the Dockerfile says, from the files of this checkout."""
    certificates = f"{CERTIFICATES}:{CERTIFICATES}:ro"  # a mirror of the package index may have its own authority
    isolated = ("--isolation", "chroot", "--network", "host", "--pull-never", "--format", "docker")
    builder.run("build", *isolated, "-v", certificates, "-t", IMAGE, ".")
    return IMAGE


@pytest.fixture
def container(builder: Builder, image: str) -> Iterator[str]:
    name = builder.run("from", "--pull-never", image)
    yield name
    builder.run("rm", name)


def inside(builder: Builder, container: str, *command: str, **settings: str) -> list[str]:
    """The words that run a command in a container, as the image's user."""
    settings_words = [word for name, value in settings.items() for word in ("-e", f"{name}={value}")]
    return builder.words(
        "run", "--isolation", "chroot", "--network", "host", *settings_words, container, "--", *command
    )


def output(builder: Builder, container: str, *command: str, **settings: str) -> str:
    done = subprocess.run(
        inside(builder, container, *command, **settings),
        env=surroundings(BUILDAH_ISOLATION="chroot"),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_image_says_how_it_is_run(builder: Builder, image: str) -> None:
    config = json.loads(builder.run("inspect", "--type", "image", image))["Docker"]["config"]
    assert config["User"] == "10001:10001"
    assert (config["Entrypoint"], config["Cmd"]) == (["afterword"], ["run"])
    assert set(config["ExposedPorts"]) == {"3000/tcp"}
    assert set(config["Volumes"]) == {config["WorkingDir"]} == {"/data"}
    assert "/healthz" in config["Healthcheck"]["Test"][-1]


def test_the_program_runs_as_a_user_who_can_write_nothing_but_the_data(builder: Builder, container: str) -> None:
    assert output(builder, container, "id", "-u") == "10001\n"
    writable = (
        "find / -xdev -type d -writable -not -path '/proc/*' -not -path '/tmp*' -not -path '/var/tmp*' 2>/dev/null"
    )
    found = output(builder, container, "sh", "-c", f"{writable} || true").split()
    assert {path for path in found if not path.startswith(("/dev", "/run", "/sys"))} == {"/data"}


def test_no_tool_that_installs_packages_is_left_in_its_environment(builder: Builder, container: str) -> None:
    names = output(builder, container, "sh", "-c", "ls /opt/afterword/bin /opt/afterword/lib/python3*/site-packages")
    assert "afterword" in names
    assert not {"pip", "hatchling", "editables", "pytest"} & set(names.split())


def test_the_demo_writes_every_format_in_an_empty_folder(builder: Builder, container: str) -> None:
    output(builder, container, "afterword", "demo")
    kinds = {name.rpartition(".")[2] for name in output(builder, container, "ls", "/data/demo-out").split()}
    assert {"md", "html", "pdf", "csv", "json", "xml"} <= kinds


@asynccontextmanager
async def bot_in(
    builder: Builder, container: str, settings: dict[str, str]
) -> AsyncIterator[asyncio.subprocess.Process]:
    """`afterword run` in the container, alive on its port."""
    words = inside(builder, container, "afterword", "run", **settings)
    process = await asyncio.create_subprocess_exec(*words, env=surroundings(BUILDAH_ISOLATION="chroot"))
    try:
        async with asyncio.timeout(LONG_SECONDS), aiohttp.ClientSession() as session:
            while not await is_alive(session, settings["AFTERWORD_PORT"]):
                assert process.returncode is None
                await asyncio.sleep(0.1)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def is_alive(session: aiohttp.ClientSession, port: str) -> bool:
    try:
        async with session.get(f"http://127.0.0.1:{port}/healthz") as answer:
            return answer.ok
    except aiohttp.ClientError:
        return False


def bot_pid(port: int) -> int:
    """The process inside the container: a signal to buildah itself does not reach it."""
    for status in Path("/proc").glob("[0-9]*/cmdline"):
        words = status.read_bytes().split(b"\0")
        settings = (status.parent / "environ").read_bytes() if b"run" in words else b""
        if words[1:2] == [b"/opt/afterword/bin/afterword"] and f"AFTERWORD_PORT={port}".encode() in settings:
            return int(status.parent.name)
    raise AssertionError("no such process")


def owner(pid: int) -> int:
    """The user id of a process."""
    return Path(f"/proc/{pid}").stat().st_uid


async def test_an_incident_is_recorded_and_exported_and_the_bot_ends_in_order(builder: Builder, container: str) -> None:
    async with StandIn(SystemClock()) as slack:
        ana = slack.user("Ana")
        channel = slack.channel("incident", [ana])
        port = free_port()
        settings = environ_of(slack, "sqlite:////data/afterword.db") | {"AFTERWORD_PORT": str(port)}
        async with bot_in(builder, container, settings) as process:
            slack.send_to(f"http://127.0.0.1:{port}/slack/events")
            assert (await slack.command(ana, channel, "/incident open the queue is full")).ok
            text = f"drained by hand at {datetime.now(UTC):%H:%M:%S}"
            assert (await slack.command(ana, channel, f"/timeline {text}")).ok
            async with aiohttp.ClientSession() as session:
                answer = await session.get(f"http://127.0.0.1:{port}/readyz")
                assert answer.status == 200, await answer.text()
            words = ("afterword", "export", "INC-1", "--format", "markdown")
            exported = await asyncio.to_thread(output, builder, container, *words, **settings)
            assert text in exported
            pid = bot_pid(port)
            assert owner(pid) == 10001
            os.kill(pid, signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), LONG_SECONDS) == 0
