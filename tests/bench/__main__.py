"""`make bench`: what Afterword costs, as ratios against a floor measured in the same run."""

import tempfile
from pathlib import Path

import uvloop

from tests.bench import commands, compilation, group_commit, history, sockets, startup


def main() -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory(prefix="afterword-bench-") as name:
        folder = Path(name)
        startup.compare(folder)
        commands.compare(folder)
        uvloop.run(sockets.compare(folder))
        group_commit.compare(folder)
        uvloop.run(history.compare(folder))
    compilation.compare()


if __name__ == "__main__":
    main()
