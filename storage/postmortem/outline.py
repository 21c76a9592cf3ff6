"""The outline that an incident keeps, as JSON in a column."""

import json
from functools import lru_cache
from typing import Any

from sqlalchemy import Dialect, Text
from sqlalchemy.types import TypeDecorator

from bot.domain.outline import Outline
from bot.domain.sections import Section


class OutlineType(TypeDecorator[Outline]):
    """An outline as JSON: rows of a few hundred bytes that are read whole, and never searched."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Outline | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        sections, former = (
            [[one.slug, one.title, one.question, one.is_required] for one in group]
            for group in (value.sections, value.former)
        )
        stored = {"name": value.name, "title": value.title, "chosen": value.is_chosen}
        return json.dumps({**stored, "sections": sections, "former": former}, ensure_ascii=False)

    def process_result_value(self, value: Any, dialect: Dialect) -> Outline | None:
        return _read_outline(value) if value is not None else None


@lru_cache(maxsize=256)
def _read_outline(stored: str) -> Outline:
    """The same few outlines are read again and again, with every incident that has one."""
    found: dict[str, Any] = json.loads(stored)
    sections, former = (tuple(Section(*values) for values in found[key]) for key in ("sections", "former"))
    return Outline(found["name"], found["title"], sections, former, found["chosen"])
