"""How another system answered when it was asked how it is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Standing:
    """`system` is its name, `about` what to show: as whom we are signed in there, and where."""

    system: str
    about: str
