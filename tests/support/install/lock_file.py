"""What a lock holds, and what it ought to: every requirement of every package in it, by extras and markers.

`pip check` alone does not do: it never looks at what a package asks for by an extra.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[3]
PYTHONS = ("3.11", "3.12", "3.13")
_MACHINES = (("linux", "Linux", "x86_64"), ("linux", "Linux", "aarch64"), ("darwin", "Darwin", "arm64"))

Environment = Mapping[str, str]

ENVIRONMENTS: list[Environment] = [
    {
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "os_name": "posix",
        "sys_platform": platform,
        "platform_system": system,
        "platform_machine": machine,
        "python_version": python,
        "python_full_version": f"{python}.0",
        "implementation_version": f"{python}.0",
    }
    for python in PYTHONS
    for platform, system, machine in _MACHINES
]
"""What the markers of a lock are asked about: every Python and system that it is for."""


@dataclass
class Walk:
    """From what is declared along every requirement."""

    pins: dict[str, Requirement]
    environment: Environment
    reached: set[tuple[str, str]] = field(default_factory=set)
    lacking: set[str] = field(default_factory=set)

    def follow(self, wanted: Iterable[str], extra: str = "") -> None:
        for requirement in map(Requirement, wanted):
            if requirement.marker is None or requirement.marker.evaluate({**self.environment, "extra": extra}):
                self._reach(requirement)

    def _reach(self, requirement: Requirement) -> None:
        name = canonicalize_name(requirement.name)
        pin = self.pins.get(name)
        if pin is None or not requirement.specifier.contains(version(pin), prereleases=True):
            self.lacking.add(str(requirement))
            return
        for extra in {"", *requirement.extras}:
            if (name, extra) not in self.reached:
                self.reached.add((name, extra))
                self.follow(needs(pin), extra)


def version(pin: Requirement) -> str:
    return str(pin.specifier).removeprefix("==")


def needs(pin: Requirement) -> list[str]:
    """What a locked package says that it needs, as the one that is installed here says it."""
    if pin.marker and not pin.marker.evaluate():
        return []  # it is for another system, and cannot be asked here
    installed = distribution(pin.name)
    assert installed.version == version(pin), f"{pin} is locked, {installed.version} is installed"
    return installed.requires or []


def pins(text: str) -> list[Requirement]:
    """The lines of a lock, each without its hashes."""
    return [Requirement(line) for line in re.findall(r"^(\w.*?) \\$", text, re.MULTILINE)]


def holding(text: str, environment: Environment) -> dict[str, Requirement]:
    """The pins of a lock that hold in an environment, by name."""
    here = [pin for pin in pins(text) if pin.marker is None or pin.marker.evaluate(dict(environment))]
    return {canonicalize_name(pin.name): pin for pin in here}


def walk_lock(text: str, roots: Iterable[str], environment: Environment) -> Walk:
    """What of a lock is needed in an environment, and what it lacks."""
    walk = Walk(holding(text, environment), environment)
    walk.follow(roots)
    return walk


@cache
def read_declared() -> dict[str, tuple[str, ...]]:
    """What pyproject.toml asks for: "dependencies", and by the name of each extra and group."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lists = {"dependencies": project["project"]["dependencies"]}
    lists |= project["project"]["optional-dependencies"] | project["dependency-groups"]
    return {name: tuple(requirements) for name, requirements in lists.items()}


LOCKS = {
    "requirements.lock": ("dependencies", "build"),
    "docs/deploy/image.lock": ("dependencies", "build", "docx", "pdf"),
    "requirements-dev.lock": ("dependencies", "build", "docx", "pdf", "dev"),
}
"""Each with what `make lock` makes it of."""


def roots(lock: str) -> Iterator[str]:
    """What a lock was made of."""
    return (requirement for name in LOCKS[lock] for requirement in read_declared()[name])


def read(lock: str) -> str:
    """The text of a lock."""
    return (ROOT / lock).read_text(encoding="utf-8")
