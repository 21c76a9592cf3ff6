"""A person's id and names, replaced by a pseudonym in every text of every table.

All columns of text are walked, whatever their table, so that one that is added later is not forgotten.
"""

import html
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Table, Text, bindparam, delete, func, insert, literal, or_, select, type_coerce, update
from sqlalchemy.sql import ColumnElement

from bot.domain.reminders import ReminderState
from storage import facets as facets_store
from storage.database.statements import Statement, Transaction, table_of
from storage.postmortem.policy import PolicyType
from storage.queues import DeliveryState
from storage.tables import metadata
from storage.tables.queues import (
    DELIVERY_WAITING,
    REMINDER_PENDING,
    AccountRow,
    AlertRow,
    DeliveryRow,
    ReminderRow,
    TabRow,
)
from storage.tables.record import (
    ACTION_OPEN,
    POSTMORTEM_WANTED,
    ActionRow,
    EntryRow,
    HistoryExemptionRow,
    IncidentRow,
    PersonRow,
    WhyRow,
)

_person, _tab, _account = table_of(PersonRow), table_of(TabRow), table_of(AccountRow)
_incident, _action, _exemption = table_of(IncidentRow), table_of(ActionRow), table_of(HistoryExemptionRow)
_reminder, _delivery, _alert = table_of(ReminderRow), table_of(DeliveryRow), table_of(AlertRow)

_NAMES = Statement(select(_person.c.name).where(_person.c.id == bindparam("user")))
_EXEMPT = Statement(insert(_exemption).values(reason=bindparam("reason")))
_END_EXEMPTION = Statement(delete(_exemption))
# What belongs to the person alone goes.
_OWN_ROWS = {
    _person: Statement(delete(_person).where(_person.c.id == bindparam("user"))),
    _tab: Statement(delete(_tab).where(_tab.c.person == bindparam("user"))),
    _account: Statement(delete(_account).where(_account.c.user == bindparam("user"))),
}
# What the person still had to do has no owner then: a pseudonym can be reminded of nothing.
_OPEN_DUTIES = (
    Statement(
        update(_action)
        .where(_action.c.owner == bindparam("user"), ACTION_OPEN)
        .values(owner=literal(None))
        .returning(_action.c.incident_id)
    ),
    Statement(
        update(_incident)
        .where(_incident.c.postmortem_owner == bindparam("user"), POSTMORTEM_WANTED)
        .values(postmortem_owner=literal(None))
        .returning(_incident.c.id)
    ),
)
_LET_GO = (
    Statement(
        update(_reminder)
        .where(_reminder.c.subject == bindparam("user"), REMINDER_PENDING)
        .values(state=ReminderState.CANCELLED, note="the person was forgotten")
    ),
    Statement(
        update(_delivery)
        .where(_delivery.c.recipient == bindparam("user"), DELIVERY_WAITING)
        .values(state=DeliveryState.CANCELLED, error="the person was forgotten")
    ),
)
_NEITHER = {"chain", "history_exemption"}
"""Tables that hold nothing of people, and grow with the history."""


def _texts_of(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.columns if isinstance(column.type, Text | PolicyType))


@dataclass(frozen=True, slots=True)
class Alias:
    """What a person is called: `user` is their id, `names` all their names as people may have written them."""

    user: str
    names: tuple[str, ...]

    @property
    def forms(self) -> tuple[str, ...]:
        """Every way in which they may stand in a column: as typed, as mrkdwn, and as JSON within JSON."""
        shown = dict.fromkeys(form for name in self.names for form in (name, html.escape(name, quote=False)))
        quoted = [json.dumps(form)[1:-1] for form in shown]
        return (self.user, *dict.fromkeys((*shown, *quoted, *(json.dumps(form)[1:-1] for form in quoted))))

    def replace_in(self, text: str, pseudonym: str) -> str:
        """The text with the pseudonym in the place of mentions, ids and whole names."""
        user = re.escape(self.user)
        # One pass by alternatives: the mention first, and longer names before their parts.
        names = "|".join(re.escape(form) for form in sorted(self.forms[1:], key=len, reverse=True))
        pattern = rf"<@{user}(?:\|[^<>]*)?>|(?<![A-Z0-9]){user}(?![A-Z0-9])"
        return re.sub(rf"{pattern}|(?<!\w)(?:{names})(?!\w)" if names else pattern, pseudonym, text)


@dataclass(slots=True)
class ForgottenPerson:
    """What was replaced: rows by table, the incidents they belong to, and those that lost an owner.

    `deliveries` and `alerts` are rows that Slack may show.
    """

    rows: Counter[str] = field(default_factory=Counter)
    incidents: set[int] = field(default_factory=set)
    unowned: set[int] = field(default_factory=set)
    deliveries: set[int] = field(default_factory=set)
    alerts: set[int] = field(default_factory=set)


def find_names(tx: Transaction, user: str) -> tuple[str, ...]:
    """The names that Slack gave for a person; none if they were never seen."""
    return tuple(dict.fromkeys(name for name in tx.all(str, _NAMES, user=user) if name != user))


def forget(tx: Transaction, alias: Alias, pseudonym: str) -> ForgottenPerson:
    """Replace a person everywhere, the append-only history included. A second time changes nothing."""
    done = ForgottenPerson()
    tx.run(_EXEMPT, reason="forget")
    for statement in _OPEN_DUTIES:
        done.unowned |= {row[0] for row in tx.rows(statement, user=alias.user)}
    for statement in _LET_GO:
        tx.run(statement, user=alias.user)
    for table, statement in _OWN_ROWS.items():
        if count := tx.count(statement, user=alias.user):
            done.rows[table.name] += count
    for walk in _WALKS:
        walk.replace(tx, alias, pseudonym, done)
    for name in alias.names:
        if gone := facets_store.forget(tx, name, pseudonym):
            done.rows["facet"] += len(gone)
            done.incidents |= gone
    tx.run(_END_EXEMPTION)
    done.incidents |= done.unowned
    return done


class _TableWalk:
    """The columns of text of one table."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._keys = tuple(column.name for column in table.primary_key)
        self._texts = _texts_of(table)
        keys = tuple(table.c[name] for name in self._keys)
        texts = tuple(type_coerce(table.c[name], Text) for name in self._texts)
        # LIKE takes % and _ for wildcards, and on SQLite any case.
        self._find = {
            database: Statement(
                select(_incident_of(table), *keys, *texts).where(
                    or_(*(getattr(func, search)(text, bindparam("form")) > 0 for text in texts))
                )
            )
            for database, search in (("sqlite", "instr"), ("postgresql", "strpos"))
        }
        same = (table.c[name] == bindparam(f"old_{name}") for name in self._keys)
        new = {name: bindparam(f"new_{name}", type_=Text) for name in self._texts}
        self._write = Statement(update(table).where(*same).values(new))

    def replace(self, tx: Transaction, alias: Alias, pseudonym: str, done: ForgottenPerson) -> None:
        """Replace the person in every row, and count those."""
        for form in alias.forms:
            for incident_id, *values in tx.rows(self._find[tx.database], form=form):
                keys, texts = values[: len(self._keys)], values[len(self._keys) :]
                new = [text and alias.replace_in(text, pseudonym) for text in texts]
                if new == texts:
                    continue
                old = {f"old_{name}": value for name, value in zip(self._keys, keys, strict=True)}
                tx.run(
                    self._write, **old, **{f"new_{name}": value for name, value in zip(self._texts, new, strict=True)}
                )
                done.rows[self._table.name] += 1
                if incident_id is not None:
                    done.incidents.add(incident_id)
                if self._table is _delivery:
                    done.deliveries.add(keys[0])
                if self._table is _alert:
                    done.alerts.add(keys[0])


def _incident_of(table: Table) -> ColumnElement[Any]:
    """The incident that a row belongs to, or NULL."""
    if table is _incident:
        return _incident.c.id
    if "incident_id" in table.c:
        return table.c.incident_id
    for parent in (table_of(EntryRow), table_of(WhyRow)):
        if f"{parent.name}_id" in table.c:
            of = select(parent.c.incident_id).where(parent.c.id == table.c[f"{parent.name}_id"])
            return of.scalar_subquery()
    return literal(None)


_WALKS = tuple(_TableWalk(table) for table in metadata.sorted_tables if table.name not in _NEITHER and _texts_of(table))
