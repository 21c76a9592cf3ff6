"""Messages owed, on both databases: claimed by one, tried again, settled once."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import pytest

from storage import deliveries as deliveries_store
from storage import reminders as reminders_store
from storage.database.statements import Transaction
from storage.database.store import Store, open_store
from storage.deliveries import Delivery, NewDelivery, SendOutcome
from storage.queues import DeliveryKind, DeliveryState
from tests.storage.test_reminders import FIRST
from tests.support.storage.sample_records import NOW, minutes, open_incident
from tests.support.timeouts import PATIENT

OWED = NewDelivery("T1", DeliveryKind.MESSAGE, "C1", '{"text": "Hello"}', NOW)


def owe(store: Store, *deliveries: NewDelivery) -> None:
    for owed in deliveries:
        store.write_now(partial(deliveries_store.enqueue, new=owed))


def due(store: Store, at: float = 0, most: int = 9) -> tuple[Delivery, ...]:
    return store.read_now(lambda tx: deliveries_store.due(tx, NOW + minutes(at), most, locking=False))


def claim_delivery(store: Store, delivery: Delivery, owner: str = "us", at: float = 0) -> None:
    now = NOW + minutes(at)
    store.write_now(lambda tx: deliveries_store.claim(tx, delivery, owner, now + minutes(1), now))


def test_a_message_is_owed_with_a_key_of_its_own_and_all_it_was_given(store: Store) -> None:
    incident = store.write_now(open_incident)
    store.write_now(lambda tx: reminders_store.schedule(tx, FIRST))
    owe(store, OWED, replace(OWED, kind=DeliveryKind.EXPORT, incident_id=incident.id, reminder_id=1, fallback="U1"))
    plain, full = due(store)
    assert (plain.recipient, plain.body, plain.state, plain.attempts) == ("C1", '{"text": "Hello"}', "pending", 0)
    assert (plain.incident_id, plain.reminder_id, plain.first_tried_at) == (None, None, None)
    assert (full.kind, full.incident_id, full.reminder_id, full.fallback) == ("file", incident.id, 1, "U1")
    assert plain.send_key != full.send_key
    assert store.read_now(lambda tx: deliveries_store.list_by_reminder(tx, 1)) == (full,)
    assert store.read_now(deliveries_store.count_waiting) == 2


def test_due_is_what_has_come_the_longest_owed_first_and_no_more_than_asked(store: Store) -> None:
    owe(store, *(replace(OWED, recipient=str(at), due_at=NOW + minutes(at)) for at in (-1, -9, 3, 0)))
    assert [owed.recipient for owed in due(store)] == ["-9", "-1", "0"]
    assert [owed.recipient for owed in due(store, most=1)] == ["-9"]


def test_a_claimed_message_is_nobody_elses_until_the_lease_ends(store: Store) -> None:
    owe(store, OWED)
    (owed,) = due(store)
    claim_delivery(store, owed)
    assert due(store, 0.9) == ()
    (left,) = due(store, 1)
    assert (left.state, left.attempts, left.lease_owner, left.first_tried_at) == ("sending", 1, "us", NOW)
    claim_delivery(store, left, "them", 1)
    (again,) = due(store, 2)
    assert (again.attempts, again.lease_owner, again.first_tried_at) == (2, "them", NOW)


def test_an_outcome_is_written_unless_the_lease_was_lost(store: Store) -> None:
    owe(store, OWED)
    (owed,) = due(store)
    claim_delivery(store, owed)
    claim_delivery(store, due(store, 1)[0], "them", 1)
    sent = SendOutcome(DeliveryState.SENT, NOW + minutes(1), "C1", "1700000000.000100")
    assert not store.write_now(lambda tx: deliveries_store.settle(tx, owed, "us", sent))
    assert due(store, 2)[0].state == "sending"
    assert store.write_now(lambda tx: deliveries_store.settle(tx, owed, "them", sent))
    assert due(store, 99) == ()
    assert store.read_now(deliveries_store.count_waiting) == 0


@pytest.mark.parametrize(
    ("state", "is_over"),
    [
        (DeliveryState.UNSURE, False),
        (DeliveryState.PENDING, False),
        (DeliveryState.DEAD, True),
        (DeliveryState.SENT, True),
    ],
)
def test_what_is_not_over_is_due_again_when_it_says(store: Store, state: DeliveryState, is_over: bool) -> None:
    owe(store, OWED)
    (owed,) = due(store)
    claim_delivery(store, owed)
    elsewhere = replace(owed, recipient="U1", fallback="")
    outcome = SendOutcome(state, NOW + minutes(5), error="channel_not_found")
    store.write_now(lambda tx: deliveries_store.settle(tx, elsewhere, "us", outcome))
    assert due(store, 4) == ()
    later = due(store, 5)
    assert len(later) == (0 if is_over else 1)
    assert all((record.recipient, record.error, record.state) == ("U1", "channel_not_found", state) for record in later)


def test_the_next_one_due_is_the_earliest_that_is_owed(store: Store) -> None:
    assert store.read_now(deliveries_store.next_due) is None
    owe(store, replace(OWED, due_at=NOW + minutes(7)), replace(OWED, due_at=NOW + minutes(3)))
    assert store.read_now(deliveries_store.next_due) == NOW + minutes(3)
    (first, *_) = due(store, 3)
    claim_delivery(store, first, at=3)
    assert store.read_now(deliveries_store.next_due) == NOW + minutes(4)
    store.write_now(lambda tx: deliveries_store.settle(tx, first, "us", SendOutcome(DeliveryState.SENT, NOW)))
    assert store.read_now(deliveries_store.next_due) == NOW + minutes(7)


@pytest.mark.postgres
def test_two_replicas_claim_every_message_once(postgres_url: str) -> None:
    one, two = open_store(postgres_url, timeouts=PATIENT), open_store(postgres_url, timeouts=PATIENT)
    owe(one, *(replace(OWED, recipient=str(n)) for n in range(4)))
    seen = one.write_now(
        lambda tx: (
            deliveries_store.due(tx, NOW, 3),
            two.writer.submit(lambda other: deliveries_store.due(other, NOW, 9)).result(2),
        )
    )
    assert [[record.recipient for record in found] for found in seen] == [["0", "1", "2"], ["3"]]
    one.close()
    two.close()


def test_what_a_clock_that_was_a_year_ahead_put_off_is_due_soon_again(store: Store) -> None:
    year = timedelta(days=365)

    def due_times(tx: Transaction) -> list[datetime]:
        return [one.due_at for one in deliveries_store.list_messages(tx, 1)]

    def owe(tx: Transaction) -> None:
        incident = open_incident(tx)
        for at in (NOW, NOW + timedelta(days=5), NOW + year, NOW + year):
            deliveries_store.enqueue_message(tx, incident, {"text": "on"}, at)
        *_, leased = deliveries_store.list_messages(tx, incident.id)
        deliveries_store.claim(tx, leased, "a process that is no more", NOW + year + timedelta(minutes=1), NOW)

    store.write_now(owe)
    assert store.write_now(lambda tx: deliveries_store.recall(tx, NOW)) == 2
    soon = NOW + deliveries_store.LONGEST_LEASE
    assert store.read_now(due_times) == [NOW, NOW + timedelta(days=5), soon, soon]
    assert store.write_now(lambda tx: deliveries_store.recall(tx, NOW)) == 0
