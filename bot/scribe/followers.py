"""What keeps one kind of thing of ours in step with another system: the shape of all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from storage.links import Link
from storage.statements import Transaction
from storage.store import Store


@dataclass(frozen=True, slots=True)
class Kept:
    """What an errand came to: where the thing stands now, and what its follower wants to remember (`memo`).

    Not `is_all`: this much is done and is written down, so that it is never done again; the rest is owed at once.
    """

    external_id: str
    url: str
    status: str = ""
    memo: str = ""
    is_all: bool = True


@dataclass(frozen=True, slots=True)
class NotYet:
    """Something else must come first: look again after a while. It is no failure, and no attempt."""

    wait: timedelta


class Follower(Protocol):
    """Keeps one kind of thing of ours in step with one system."""

    def is_urgent(self, link: Link) -> bool:
        """Whether people are told of a link's first failure, even of one that may mend itself."""

    def prepare(self, tx: Transaction, link: Link, now: datetime) -> Any | None:
        """What to bring there, read after it was claimed: what changes from now on is owed anew.

        None where nothing is wanted any more, NotYet where it has to wait.
        """

    async def perform(self, link: Link, prepared: Any) -> Kept:
        """Do it. Raises PublishError. `link.is_unsure`: an earlier attempt may have been taken, so look first."""

    def keep(self, tx: Transaction, link: Link, kept: Kept, now: datetime) -> None:
        """Write down what follows from it (a tracker's address at an action, say), in the transaction that settles."""

    async def look(self, store: Store, now: datetime) -> Sequence[int]:
        """Read what changed over there; the incidents that changed by it here. Raises PublishError."""

    async def aclose(self) -> None:
        """Let the connections go."""
