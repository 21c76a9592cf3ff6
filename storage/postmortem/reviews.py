"""The reviews of postmortems, and the people who were asked."""

from collections.abc import Callable, Iterable
from dataclasses import fields, replace

from sqlalchemy import bindparam, delete, select

from bot.domain.review import Review, Reviewer
from storage.database.statements import (
    Statement,
    Transaction,
    columns_of,
    insert_into,
    table_of,
    update_by_id,
    values_of,
)
from storage.tables.record import IncidentRow, ReviewerRow, ReviewRow

_review, _reviewer, _incident = table_of(ReviewRow), table_of(ReviewerRow), table_of(IncidentRow)
_OF_REVIEW = tuple(field.name for field in fields(Review) if field.name not in ("id", "reviewers"))
_OF_REVIEWER = ("verdict", "words", "answered_at", "is_waiting", "channel", "ts")
_FIND = Statement(
    select(*(_review.c[name] for name in ("id", *_OF_REVIEW))).where(_review.c.incident_id == bindparam("incident_id"))
)
_REVIEWERS = Statement(
    select(*columns_of(_reviewer, Reviewer))
    .where(_reviewer.c.incident_id == bindparam("incident_id"))
    .order_by(_reviewer.c.id)
)
_ADD = Statement(insert_into(_review))
_SAVE = Statement(update_by_id(_review, _OF_REVIEW))
_ADD_REVIEWER = Statement(insert_into(_reviewer))
_SAVE_REVIEWER = Statement(update_by_id(_reviewer, _OF_REVIEWER))
_REMOVE = Statement(delete(_reviewer).where(_reviewer.c.id == bindparam("row_id")))


def find(tx: Transaction, incident_id: int) -> Review | None:
    """The review of an incident, with everyone who is asked, if there is one."""
    found = tx.one(Review, _FIND, incident_id=incident_id)
    return replace(found, reviewers=tx.all(Reviewer, _REVIEWERS, incident_id=incident_id)) if found else None


def save(tx: Transaction, review: Review) -> None:
    """Save when it is, or that it is called off; the people are saved one by one."""
    values = {name: getattr(review, name) for name in _OF_REVIEW}
    tx.note(review.incident_id, "review")
    if review.id:
        tx.run(_SAVE, row_id=review.id, **{f"new_{name}": value for name, value in values.items()})
    else:
        tx.run(_ADD, **values)


def add_reviewer(tx: Transaction, incident_id: int, user: str) -> None:
    """Ask a person."""
    restore_reviewer(tx, Reviewer(0, incident_id, user, "", "", None, is_waiting=True, channel="", ts=""))


def restore_reviewer(tx: Transaction, reviewer: Reviewer) -> None:
    """Add a person as they are."""
    tx.note(reviewer.incident_id, "reviewer")
    tx.run(_ADD_REVIEWER, **{name: value for name, value in values_of(reviewer).items() if name != "id"})


def save_reviewer(tx: Transaction, reviewer: Reviewer) -> None:
    """Save a person's answer."""
    tx.note(reviewer.incident_id, "reviewer")
    _save(tx, reviewer)


def save_invitation(tx: Transaction, reviewer: Reviewer, channel: str, ts: str) -> None:
    """Save where a person's invitation is. It changes nothing of the record."""
    _save(tx, replace(reviewer, channel=channel, ts=ts))


def _save(tx: Transaction, reviewer: Reviewer) -> None:
    tx.run(_SAVE_REVIEWER, row_id=reviewer.id, **{f"new_{name}": getattr(reviewer, name) for name in _OF_REVIEWER})


def remove_reviewer(tx: Transaction, reviewer: Reviewer) -> None:
    """Ask a person no more."""
    tx.note(reviewer.incident_id, "reviewer")
    tx.run(_REMOVE, row_id=reviewer.id)


def stop_waiting(tx: Transaction, review: Review) -> None:
    """No answer is wanted any more."""
    for reviewer in review.reviewers:
        if reviewer.is_waiting:
            _save(tx, replace(reviewer, is_waiting=False))


def redact(tx: Transaction, incident_id: int, clean: Callable[[str], str]) -> tuple[str, ...]:
    """Replace what reviewers wrote by what `clean` makes of it; the ids of those whose words it changed."""
    review = find(tx, incident_id)
    reviewers: Iterable[Reviewer] = review.reviewers if review else ()
    changed = [one for one in reviewers if clean(one.words) != one.words]
    for one in changed:
        save_reviewer(tx, replace(one, words=clean(one.words)))
    return tuple(one.user for one in changed)
