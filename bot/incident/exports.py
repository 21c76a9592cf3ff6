"""An export that somebody ordered: which form goes where, and how much of it."""

import json
from dataclasses import asdict, dataclass

MARKDOWN, CANVAS = "markdown", "canvas"
"""The usual form, and the one that is no file."""


@dataclass(frozen=True, slots=True)
class Order:
    """The document in a form, for a channel, asked for by a user.

    A `masked` copy leaves out what a wider circle should not read, and all files. `agreed` says that somebody who
    knew that other organisations can read there wanted it posted.
    """

    form: str
    to: str
    by: str
    masked: bool = False
    agreed: bool = False

    def written(self) -> str:
        """As `read` takes it."""
        return json.dumps(asdict(self))


@dataclass(frozen=True, slots=True)
class RegionMark:
    """How a region was left in a copy outside: `reads` are digests of how it may read there, between blanks.

    `facts` and `seen` are what the marker of a draft carries besides (see `bot.incident.kept`).
    """

    reads: str
    facts: str = ""
    seen: int = 0


def read(written: str) -> Order:
    """The order that was written down."""
    return Order(**json.loads(written))
