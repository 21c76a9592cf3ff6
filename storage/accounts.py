"""Who somebody is in another system: what a person chose there, which wins over every look-up."""

from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert as upsert

from storage.statements import Statement, Transaction
from storage.tables import AccountRow, table_of

_account = table_of(AccountRow)
_NAMES = ("team", "system", "user", "account", "chosen_by", "chosen_at")
_insert = upsert(_account).values({name: bindparam(name, type_=_account.c[name].type) for name in _NAMES})
_KEEP = Statement(
    _insert.on_conflict_do_update(
        index_elements=[_account.c.team, _account.c.system, _account.c.user],
        set_={name: _insert.excluded[name] for name in ("account", "chosen_by", "chosen_at")},
    )
)
_OF = Statement(
    select(_account.c.account).where(
        _account.c.team == bindparam("team"),
        _account.c.system == bindparam("system"),
        _account.c.user == bindparam("user"),
    )
)
_CHOSEN = Statement(
    select(_account.c.user, _account.c.account).where(
        _account.c.team == bindparam("team"), _account.c.system == bindparam("system")
    )
)


def choose(tx: Transaction, team: str, system: str, user: str, account: str, chosen: tuple[str, datetime]) -> None:
    """Keep what account a Slack person has in a system; `chosen` is by whom and when."""
    by, at = chosen
    tx.run(_KEEP, team=team, system=system, user=user, account=account, chosen_by=by, chosen_at=at)


def of(tx: Transaction, team: str, system: str, user: str | None) -> str:
    """The account that was chosen for a Slack person, or empty."""
    row = tx.row(_OF, team=team, system=system, user=user) if user else None
    return str(row[0]) if row else ""


def chosen(tx: Transaction, team: str, system: str) -> dict[str, str]:
    """Every account that was chosen in a workspace, by the ids of people in Slack."""
    return {str(user): str(account) for user, account in tx.rows(_CHOSEN, team=team, system=system)}
