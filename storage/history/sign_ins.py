"""Who signed in to the library or was refused, and what may be used only once, on whichever replica."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.sqlite import insert as upsert

from bot.domain.readers import Reader, SignInOutcome
from storage.database.statements import Statement, Transaction, columns_of, insert_into, table_of
from storage.tables.library import SignInRow, SpentKeyRow

_sign_in, _spent = table_of(SignInRow), table_of(SpentKeyRow)


@dataclass(frozen=True, slots=True)
class SignInLine:
    """A line of the audit: Slack's ids, and no names. `reason` is why it was refused."""

    team: str
    person: str
    at: datetime
    outcome: SignInOutcome
    reason: str


_ADD = Statement(insert_into(_sign_in))
_LATEST = Statement(
    select(*columns_of(_sign_in, SignInLine))
    .where(_sign_in.c.team == bindparam("team"))
    .order_by(_sign_in.c.at.desc(), _sign_in.c.id.desc())
    .limit(bindparam("most"))
)
_SPEND = Statement(
    upsert(_spent)
    .values(key=bindparam("key"), expires_at=bindparam("expires_at", type_=_spent.c.expires_at.type))
    .on_conflict_do_nothing()
    .returning(_spent.c.key)
)
_IS_SPENT = Statement(select(_spent.c.key).where(_spent.c.key == bindparam("key")))
_PRUNE_SPENT = Statement(delete(_spent).where(_spent.c.expires_at < bindparam("now", type_=_spent.c.expires_at.type)))
_PRUNE_LINES = Statement(delete(_sign_in).where(_sign_in.c.at < bindparam("before", type_=_sign_in.c.at.type)))


def add(tx: Transaction, reader: Reader, outcome: SignInOutcome, reason: str, now: datetime) -> None:
    """Note what became of a sign-in."""
    tx.run(_ADD, team=reader.team, person=reader.user, at=now, outcome=outcome, reason=reason)


def list_latest(tx: Transaction, team: str, most: int) -> tuple[SignInLine, ...]:
    """The latest sign-ins of a workspace, the last one first."""
    return tx.all(SignInLine, _LATEST, team=team, most=most)


def spend(tx: Transaction, key: str, expires_at: datetime) -> bool:
    """Use a key up. False if it was used before, by whichever replica."""
    return bool(tx.rows(_SPEND, key=key, expires_at=expires_at))


def is_spent(tx: Transaction, key: str) -> bool:
    """Whether a key was used up."""
    return bool(tx.rows(_IS_SPENT, key=key))


def prune(tx: Transaction, now: datetime, before: datetime) -> int:
    """Delete keys that have expired anyway, and lines from before a moment. Returns how many rows went."""
    return tx.count(_PRUNE_SPENT, now=now) + tx.count(_PRUNE_LINES, before=before)
