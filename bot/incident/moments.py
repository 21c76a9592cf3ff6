"""Where the reading of times was found before it moved; see `times`."""

from bot.incident.times import Reading, read, shown

__all__ = ["Reading", "read", "shown"]
