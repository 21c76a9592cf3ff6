"""The policy that an incident keeps, as JSON in a column."""

import json
from typing import Any

from sqlalchemy import Dialect, Text
from sqlalchemy.types import TypeDecorator

from bot.domain.policy import SeverityPolicy, from_plain, to_plain


class PolicyType(TypeDecorator[SeverityPolicy]):
    """A policy as JSON text; null for an incident without one."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: SeverityPolicy | None, dialect: Dialect) -> str | None:
        del dialect
        return json.dumps(to_plain(value), ensure_ascii=False, sort_keys=True) if value is not None else None

    def process_result_value(self, value: Any, dialect: Dialect) -> SeverityPolicy | None:
        del dialect
        return from_plain(json.loads(value)) if value is not None else None
