"""Afterword's command line in this process, with the patience of the tests."""

from pathlib import Path

from click.testing import CliRunner, Result

from bot.cli import main
from tests.support.timeouts import PATIENT


def invoke(*words: str | Path, typed: str | bytes = "") -> Result:
    """What `afterword WORDS` answers, with `typed` on its standard input."""
    return CliRunner().invoke(main, list(map(str, words)), input=typed, obj=PATIENT)


def run(*words: str, typed: str = "") -> str:
    """What `afterword WORDS` prints; it must succeed."""
    result = invoke(*words, typed=typed)
    assert result.exit_code == 0, result.output
    return result.stdout
