"""Where the reading of times was found before it moved; see `times`."""

from bot.incident.times import Reading, read, shown
from bot.incident.times.headings import date_alone

__all__ = ["Reading", "date_alone", "read", "shown"]
