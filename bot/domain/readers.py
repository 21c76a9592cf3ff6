"""Readers: who reads in the library, and which incidents of their workspace they may find there."""

from dataclasses import dataclass
from enum import StrEnum


class SignInOutcome(StrEnum):
    """What became of a sign-in."""

    ADMITTED = "admitted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Reader:
    """A person of a workspace who reads outside of Slack; both are Slack's ids."""

    team: str
    user: str


@dataclass(frozen=True, slots=True)
class Sight:
    """What a reader may find in lists, sums and searches; `visible_by` in storage/channels.py makes it a condition.

    `public`: the incidents of every channel that is known to be public. `channels` are their own channels: those of
    them that are private, and for a guest, who sees nothing else, the public ones too. By default nothing.
    """

    team: str
    public: bool = False
    channels: frozenset[str] = frozenset()


def public_sight(team: str) -> Sight:
    """What everyone of a workspace may find: for what is said to all of them."""
    return Sight(team, public=True)
