"""Each file that installs Afterword somewhere passes the checker of the program that will read it."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.install.lock_file import ROOT

DEPLOY = ROOT / "docs" / "deploy"
KUBERNETES = sorted(DEPLOY.glob("kubernetes-*.yaml"))
UNIT = DEPLOY / "afterword.service"

pytestmark = pytest.mark.slow


def check(
    program: str, *words: str | Path, text: str | None = None, **settings: str
) -> "subprocess.CompletedProcess[str]":
    """Run a checker of this environment, or of the system."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    found = shutil.which(program, path=path)
    if found is None:
        pytest.skip(f"this machine has no {program}")
    environ = {"PATH": path, "HOME": os.environ.get("HOME", "/"), **settings}
    return subprocess.run(
        [found, *words], cwd=ROOT, env=environ, input=text, capture_output=True, text=True, timeout=120, check=False
    )


# --- the image -----------------------------------------------------------------------------------------------------


def test_the_dockerfile_follows_the_rules_of_hadolint() -> None:
    done = check("hadolint", "Dockerfile")
    assert (done.returncode, done.stdout) == (0, "")


def test_hadolint_refuses_a_dockerfile_that_breaks_one() -> None:
    broken = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("WORKDIR /data", "WORKDIR data")
    assert check("hadolint", "-", text=broken).returncode == 1


def test_the_image_runs_as_a_user_without_a_name_and_keeps_its_data_in_a_volume() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    assert {"USER 10001:10001", "VOLUME /data", 'ENTRYPOINT ["afterword"]', 'CMD ["run"]'} <= set(lines)
    assert any(line.startswith("HEALTHCHECK ") for line in lines)
    bases = [line.split()[1] for line in lines if line.startswith("FROM ")]
    assert len(bases) == 2
    assert set(bases) == {"debian:trixie-slim"}


def test_everything_that_the_dockerfile_copies_passes_the_ignore_file() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    wanted = {name for line in copied for name in line.split()}
    ignore = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in ignore
    assert {line.removeprefix("!") for line in ignore if line.startswith("!")} == wanted
    assert all((ROOT / name).exists() for name in wanted)


# --- Compose -------------------------------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the compose file and the settings that .env.example begins with."""
    shutil.copy(ROOT / "compose.yaml", tmp_path)
    shutil.copy(ROOT / ".env.example", tmp_path / ".env")
    return tmp_path


def compose(project: Path, **settings: str) -> "subprocess.CompletedProcess[str]":
    return check("docker-compose", "--project-directory", project, "-f", project / "compose.yaml", "config", **settings)


def test_compose_starts_one_bot_on_sqlite(project: Path) -> None:
    done = compose(project)
    assert done.stderr == ""
    services = yaml.safe_load(done.stdout)["services"]
    assert list(services) == ["afterword"]
    bot = services["afterword"]
    assert bot["read_only"] is True
    assert bot["cap_drop"] == ["ALL"]
    assert bot["environment"]["DATABASE_URL"] == "sqlite:///afterword.db"  # beside WORKDIR, which is the volume
    assert bot["environment"]["AFTERWORD_HOST"] == "0.0.0.0"
    assert [(port["host_ip"], port["published"]) for port in bot["ports"]] == [("127.0.0.1", "3000")]


def test_the_profile_adds_a_database_server_and_no_second_bot(project: Path) -> None:
    done = compose(project, COMPOSE_PROFILES="postgres", POSTGRES_PASSWORD="demo")
    assert done.stderr == ""
    services = yaml.safe_load(done.stdout)["services"]
    assert set(services) == {"afterword", "postgres"}
    assert services["afterword"]["depends_on"]["postgres"]["condition"] == "service_healthy"
    assert services["postgres"]["environment"]["POSTGRES_PASSWORD"] == "demo"


def test_compose_refuses_a_key_that_it_does_not_know(project: Path) -> None:
    file = project / "compose.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("read_only:", "readonly:"), encoding="utf-8")
    done = compose(project)
    assert done.stdout == ""  # the program as the package index has it forgets its exit status
    assert "readonly" in done.stderr


# --- Kubernetes ----------------------------------------------------------------------------------------------------


def documents(file: Path) -> Iterator[dict[str, Any]]:
    yield from yaml.safe_load_all(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("file", KUBERNETES, ids=lambda file: str(file.stem))
def test_the_manifests_fit_the_schema_of_kubernetes(file: Path) -> None:
    done = check("kubernetes-validate", "--strict", file)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_schema_refuses_a_field_that_is_misspelt(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text(
        KUBERNETES[0].read_text(encoding="utf-8").replace("readinessProbe:", "readyProbe:"), encoding="utf-8"
    )
    assert check("kubernetes-validate", "--strict", broken).returncode == 1


def test_one_pod_writes_to_a_sqlite_file_and_replicas_share_postgresql() -> None:
    found = {}
    for file in KUBERNETES:
        (deployment,) = (each for each in documents(file) if each["kind"] == "Deployment")
        found[file.stem] = (deployment["spec"]["replicas"], deployment["spec"]["strategy"]["type"])
    assert found == {"kubernetes-sqlite": (1, "Recreate"), "kubernetes-postgresql": (3, "RollingUpdate")}


@pytest.mark.parametrize("file", KUBERNETES, ids=lambda file: str(file.stem))
def test_the_probes_ask_the_health_paths_and_the_container_is_locked_down(file: Path) -> None:
    (deployment,) = (each for each in documents(file) if each["kind"] == "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    paths = {name: container[name]["httpGet"]["path"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert paths == {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz?only=database"}
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert pod["securityContext"]["runAsUser"] == 10001
    assert {mount["mountPath"] for mount in container["volumeMounts"]} >= {"/tmp"}


# --- systemd -------------------------------------------------------------------------------------------------------


def verify(text: str, folder: Path) -> str:
    """What `systemd-analyze verify` says of a unit: nothing if it is well. Its status is 0 even for a bad key."""
    unit = folder / UNIT.name
    unit.write_text(text.replace("/opt/afterword/bin/afterword", "/bin/true"), encoding="utf-8")  # ours isn't installed
    return check("systemd-analyze", "verify", unit).stderr


def test_systemd_understands_every_line_of_the_unit(tmp_path: Path) -> None:
    assert verify(UNIT.read_text(encoding="utf-8"), tmp_path) == ""


def test_systemd_names_a_line_that_it_does_not_understand(tmp_path: Path) -> None:
    broken = UNIT.read_text(encoding="utf-8").replace("NoNewPrivileges", "NoMorePrivileges")
    assert "NoMorePrivileges" in verify(broken, tmp_path)


# --- the release ---------------------------------------------------------------------------------------------------


def test_a_release_is_tested_before_anything_is_published() -> None:
    flow = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8"))
    jobs = flow["jobs"]
    assert any(step.get("run", "").startswith("make test") for step in jobs["test"]["steps"])
    assert {name for name, job in jobs.items() if job.get("needs") != "test"} == {"test"}
