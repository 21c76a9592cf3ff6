"""The tables, declared once. Rows never leave storage: callers get the frozen records of `bot.domain.records`."""

from storage.database.statements import metadata
from storage.tables import library, queues, record

# A table is in the metadata once its module was imported: the metadata imported from here is complete.
__all__ = ["library", "metadata", "queues", "record"]
