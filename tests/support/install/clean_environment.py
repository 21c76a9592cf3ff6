"""The environment that a fresh clone finds itself in."""

import os

_OURS = ("PYTHON", "VIRTUAL_ENV", "MAKE", "MFLAGS", "AFTERWORD", "SLACK", "COVERAGE", "PYTEST")
"""Begins the names of what the tests, the `make test` above them or a shell hands on, and a stranger does not have."""


def surroundings(*without: str, **more: str) -> dict[str, str]:
    """That of the tests, without what leads to this checkout or begins with one of these."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith((*_OURS, *without))}
    return inherited | more
