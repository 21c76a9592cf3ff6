"""Retention: what goes from incidents that are long over, by the operator's settings. Off unless they say so."""

import logging
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from storage import audit as audit_store
from storage import incidents as incidents_store
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.history import retention as retention_store

log = logging.getLogger(__name__)

AT_ONCE = 20
"""Incidents in one transaction: a sweep must not hold up people who record."""

EVERY = timedelta(hours=1)
_WHO = "afterword retention"


@dataclass(frozen=True, slots=True)
class RetentionRules:
    """How long after its end an incident keeps its files and messages, and how long it is kept at all."""

    files: timedelta | None = None
    incidents: timedelta | None = None


@dataclass(slots=True)
class PruneReport:
    """What went: by incident, and the incidents that are gone altogether, with their rows."""

    leftovers: dict[str, dict[str, int]] = field(default_factory=dict)
    erased: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> Counter[str]:
        """What went from incidents that stay."""
        return sum((Counter(counts) for counts in self.leftovers.values()), Counter())


class _PruneUndo(Exception):
    def __init__(self, report: PruneReport) -> None:
        super().__init__()
        self.report = report


def prune(tx: Transaction, rules: RetentionRules, now: datetime, most: int = AT_ONCE) -> PruneReport:
    """Delete what is due, of at most so many incidents. What went is in the audit, or in the erasure of an incident."""
    report = PruneReport()
    if rules.incidents is not None:
        for row in retention_store.list_expired(tx, now - rules.incidents, most):
            incident = incidents_store.find(tx, row, locking=True)
            if incident is not None:
                reason = f"{rules.incidents.days} days after its end"
                report.erased[incident.key] = retention_store.erase(tx, incident, reason, now)
    if rules.files is not None:
        for row in retention_store.list_with_leftovers(tx, now - rules.files, most):
            incident = incidents_store.find(tx, row, locking=True)
            note = f"it was deleted {rules.files.days} days after the incident"
            if incident is not None and (counts := retention_store.drop_leftovers(tx, row, note)):
                report.leftovers[incident.key] = counts
                tx.clear_notes()
                tx.note(row, "retention: " + ", ".join(f"{count} {name}" for name, count in counts.items()))
                audit_store.add_lines(tx, _WHO, "retention.prune", "", now)
    return report


def rehearse(store: Store, rules: RetentionRules, now: datetime) -> PruneReport:
    """What `prune` would delete in all, rolled back again."""

    def unit(tx: Transaction) -> None:
        raise _PruneUndo(prune(tx, rules, now, most=1_000_000))

    try:
        store.write_now(unit)
    except _PruneUndo as undo:
        return undo.report
    return PruneReport()


class Pruner:
    """Prunes now and then while the bot runs."""

    def __init__(self, store: Store, rules: RetentionRules) -> None:
        self._store = store
        self._rules = rules
        self._due: datetime | None = None

    async def prune_if_due(self, now: datetime) -> None:
        """Prune once an hour; again at the next sweep while there is more."""
        if self._rules == RetentionRules() or (self._due is not None and now < self._due <= now + EVERY):
            return
        report = await self._store.write(lambda tx: prune(tx, self._rules, now))
        if report.leftovers or report.erased:
            log.info(
                "Retention: incidents pruned %(pruned)d, erased %(erased)d.",
                {"event": "retention", "pruned": len(report.leftovers), "erased": len(report.erased)},
            )
        is_more = max(len(report.leftovers), len(report.erased)) >= AT_ONCE
        self._due = None if is_more else now + EVERY
