"""What a document is written with: our own templates, or what a team's made of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.export.regions import Compiled


@dataclass(frozen=True, slots=True)
class Edition:
    """One document as a team's templates tell it.

    `own` is what the record says, as head and regions; None: our templates are to write it. `styles` are sheets by the
    name of the file of ours that they take the place of. `trouble` says why a team's templates could not be used.
    """

    own: Compiled | None = None
    styles: Mapping[str, str] = field(default_factory=dict)
    trouble: str = ""


OURS = Edition()
