"""Reminders on both databases: once per slot, found when due, settled once."""

from dataclasses import replace

import pytest

from bot.domain.reminders import ReminderKind, ReminderState
from storage import reminders as reminders_store
from storage.database.store import Store, open_store
from storage.reminders import Reminder
from tests.support.storage.sample_records import NOW, minutes, open_incident
from tests.support.timeouts import PATIENT

FIRST = Reminder(0, "T1", ReminderKind.POSTMORTEM, "1", "24h", 1, NOW, ReminderState.PENDING, None, "")


def schedule_reminders(store: Store, *reminders: Reminder) -> list[bool]:
    return store.write_now(lambda tx: [reminders_store.schedule(tx, reminder) for reminder in reminders])


@pytest.mark.usefixtures("incident_id")
def test_a_reminder_is_put_down_once_for_its_slot(store: Store) -> None:
    others = [
        replace(FIRST, slot="48h"),
        replace(FIRST, subject="2"),
        replace(FIRST, kind=ReminderKind.OVERDUE),
        replace(FIRST, team="T2"),
    ]
    assert schedule_reminders(store, FIRST, *others) == [True] * 5
    assert schedule_reminders(store, replace(FIRST, due_at=NOW + minutes(5)), *others) == [False] * 5
    (record,) = [
        record for record in store.read_now(lambda tx: reminders_store.due(tx, NOW, 9, locking=False)) if record.id == 1
    ]
    assert replace(record, id=0) == FIRST


@pytest.mark.usefixtures("incident_id")
def test_a_settled_reminder_keeps_its_slot(store: Store) -> None:
    schedule_reminders(store, FIRST)
    (due,) = store.read_now(lambda tx: reminders_store.due(tx, NOW, 9, locking=False))
    store.write_now(lambda tx: reminders_store.settle(tx, due, ReminderState.SENT, "to U1", NOW + minutes(1)))
    assert schedule_reminders(store, FIRST) == [False]
    assert store.read_now(lambda tx: reminders_store.due(tx, NOW + minutes(99), 9, locking=False)) == ()
    settled = store.read_now(lambda tx: reminders_store.find(tx, due.id))
    assert settled == replace(due, state=ReminderState.SENT, note="to U1", settled_at=NOW + minutes(1))
    store.write_now(lambda tx: reminders_store.settle(tx, due, ReminderState.SKIPPED, "too late", NOW + minutes(2)))
    assert store.read_now(lambda tx: reminders_store.find(tx, due.id)) == settled


@pytest.mark.usefixtures("incident_id")
def test_due_is_what_has_come_the_latest_first_and_no_more_than_asked(store: Store) -> None:
    schedule_reminders(store, *(replace(FIRST, slot=str(at), due_at=NOW + minutes(at)) for at in (0, -5, 1, -9)))
    slots = [record.slot for record in store.read_now(lambda tx: reminders_store.due(tx, NOW, 9, locking=False))]
    assert slots == ["0", "-5", "-9"]
    assert [record.slot for record in store.read_now(lambda tx: reminders_store.due(tx, NOW, 2, locking=False))] == [
        "0",
        "-5",
    ]


def test_what_is_still_to_come_of_an_incident_is_withdrawn(store: Store, incident_id: int) -> None:
    schedule_reminders(store, FIRST, replace(FIRST, slot="48h", due_at=NOW + minutes(9)), replace(FIRST, subject="U1"))
    schedule_reminders(store, replace(FIRST, subject="U2", incident_id=None))
    (*_, sent) = store.read_now(lambda tx: reminders_store.due(tx, NOW, 9, locking=False))
    store.write_now(lambda tx: reminders_store.settle(tx, sent, ReminderState.SENT, "", NOW))
    assert store.write_now(lambda tx: reminders_store.cancel(tx, incident_id, "published", NOW)) == 2
    assert store.write_now(lambda tx: reminders_store.cancel(tx, incident_id, "published", NOW)) == 0
    states = [
        (record.slot, record.state)
        for record in store.read_now(lambda tx: reminders_store.list_by_incident(tx, incident_id))
    ]
    assert states == [("24h", "sent"), ("24h", "cancelled"), ("48h", "cancelled")]
    assert [record.subject for record in store.read_now(lambda tx: reminders_store.due(tx, NOW, 9, locking=False))] == [
        "U2"
    ]
    assert store.read_now(lambda tx: reminders_store.find(tx, 99)) is None


@pytest.mark.postgres
def test_what_one_replica_holds_is_left_to_it_by_the_other(postgres_url: str) -> None:
    one, two = open_store(postgres_url, timeouts=PATIENT), open_store(postgres_url, timeouts=PATIENT)
    one.write_now(open_incident)
    schedule_reminders(one, *(replace(FIRST, slot=str(at), due_at=NOW - minutes(at)) for at in range(4)))
    seen = one.write_now(
        lambda tx: (
            reminders_store.due(tx, NOW, 3),
            two.writer.submit(lambda other: reminders_store.due(other, NOW, 9)).result(2),
        )
    )
    assert [[record.slot for record in found] for found in seen] == [["0", "1", "2"], ["3"]]
    one.close()
    two.close()
