"""The locks hold all that is needed on every Python and system they are for, and nothing else."""

import re

import pytest
from packaging.utils import canonicalize_name

from tests.support.install.lock_file import ENVIRONMENTS, LOCKS, Environment, holding, pins, read, roots, walk_lock

each_lock = pytest.mark.parametrize("lock", LOCKS)
each_environment = pytest.mark.parametrize(
    "environment",
    ENVIRONMENTS,
    ids=lambda each: f"{each['python_version']}-{each['sys_platform']}-{each['platform_machine']}",
)


def without(text: str, name: str) -> str:
    """A lock from which one pin is gone."""
    return re.sub(rf"^{name}==.*\n(?:\s.*\n)*", "", text, flags=re.MULTILINE)


@each_lock
@each_environment
def test_every_requirement_of_every_locked_package_is_locked(lock: str, environment: Environment) -> None:
    walk = walk_lock(read(lock), roots(lock), environment)
    assert walk.lacking == set()
    assert len(walk.reached) > 20


@each_lock
def test_nothing_is_locked_that_nothing_needs(lock: str) -> None:
    text = read(lock)
    wanted = {name for each in ENVIRONMENTS for name, _ in walk_lock(text, roots(lock), each).reached}
    assert {name for each in ENVIRONMENTS for name in holding(text, each)} - wanted == set()


@each_lock
@pytest.mark.parametrize("name", ["psycopg-binary", "mdurl", "hatchling"], ids=["by extra", "by another", "by us"])
def test_a_package_that_a_lock_lacks_is_named(lock: str, name: str) -> None:
    walk = walk_lock(without(read(lock), name), roots(lock), ENVIRONMENTS[0])
    assert [requirement.partition(";")[0].rstrip("=~><.0123456789") for requirement in walk.lacking] == [name]


def test_a_version_that_nobody_asked_for_is_named() -> None:
    text = re.sub(r"^python-dotenv==\S+", "python-dotenv==1.1", read("requirements.lock"), flags=re.MULTILINE)
    assert walk_lock(text, roots("requirements.lock"), ENVIRONMENTS[0]).lacking == {"python-dotenv>=1.2"}


def test_all_locks_hold_the_same_versions() -> None:
    demo, image, dev = ({canonicalize_name(pin.name): str(pin) for pin in pins(read(lock))} for lock in LOCKS)
    assert demo.items() <= image.items() <= dev.items()
