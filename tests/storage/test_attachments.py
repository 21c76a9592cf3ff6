"""Files of captured messages, and what becomes of those messages, on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.records import Attachment, AttachmentState, Entry, Place
from storage import attachments as attachments_store
from storage import case as case_store
from storage import timeline as timeline_store
from storage.attachments import NewAttachment
from storage.database.statements import Transaction
from storage.database.store import Store
from tests.support.storage.sample_records import NOW, PLACE, entry, minutes, open_incident

LEASE = timedelta(minutes=2)
OWNER = "process 1"
CONTENT = bytes(range(256)) * 40
FILE = NewAttachment("graph's \u202e.png", "image/png", len(CONTENT), "https://files.slack.com/a")
SOURCE = "C1:1795437300.000002"


def capture_entry(tx: Transaction, incident_id: int, number: int = 1, source: str = SOURCE) -> Entry:
    return timeline_store.add(tx, incident_id, number, replace(entry(), source=source), "marked")


@pytest.fixture
def file_entry(store: Store, incident_id: int) -> Entry:
    """An entry with one file that is to be fetched."""

    def unit(tx: Transaction) -> Entry:
        made = capture_entry(tx, incident_id)
        attachments_store.enqueue(tx, made.id, FILE, NOW)
        return made

    found: Entry = store.write_now(unit)
    return found


def keep(store: Store, file: Attachment, media_type: str, owner: str = OWNER) -> bool:
    """Settle a file as stored; whether the lease was still there."""
    stored = replace(file, state=AttachmentState.STORED, media_type=media_type, size=len(CONTENT), content=CONTENT)
    return bool(store.write_now(lambda tx: attachments_store.settle(tx, stored, owner, NOW)))


def test_a_file_is_wanted_then_kept_and_read_back_byte_for_byte(store: Store, file_entry: Entry) -> None:
    assert store.read_now(attachments_store.next_due) == NOW
    (claimed,) = store.write_now(lambda tx: attachments_store.claim(tx, OWNER, NOW, LEASE, 5))
    assert claimed.attempts == 1
    assert (claimed.attachment.name, claimed.attachment.state) == (FILE.name, "wanted")
    assert keep(store, claimed.attachment, "image/gif")
    (light,) = store.read_now(lambda tx: attachments_store.list_by_incident(tx, file_entry.incident_id))
    (whole,) = store.read_now(
        lambda tx: attachments_store.list_by_incident(tx, file_entry.incident_id, with_content=True)
    )
    assert (light.state, light.media_type, light.content) == ("kept", "image/gif", b"")
    assert whole == replace(light, content=CONTENT)
    assert store.read_now(attachments_store.next_due) is None


def test_a_claimed_file_is_left_to_its_process_until_the_lease_ends(store: Store, file_entry: Entry) -> None:
    def take(now_in_minutes: float) -> int:
        claimed = store.write_now(
            lambda tx: attachments_store.claim(tx, OWNER, NOW + minutes(now_in_minutes), LEASE, 5)
        )
        return len(claimed)

    assert [take(0), take(1), take(2), take(3)] == [1, 0, 1, 0]


def test_what_is_claimed_together_has_an_end(store: Store, file_entry: Entry) -> None:
    for _ in range(4):
        store.write_now(lambda tx: attachments_store.enqueue(tx, file_entry.id, FILE, NOW))
    found = [len(store.write_now(lambda tx: attachments_store.claim(tx, OWNER, NOW, LEASE, 2))) for _ in range(4)]
    assert found == [2, 2, 1, 0]


def test_a_file_may_be_tried_again_and_settled_only_once(store: Store, file_entry: Entry) -> None:
    (claimed,) = store.write_now(lambda tx: attachments_store.claim(tx, OWNER, NOW, LEASE, 5))
    assert store.write_now(lambda tx: attachments_store.settle(tx, claimed.attachment, OWNER, NOW + minutes(9)))
    assert store.read_now(attachments_store.next_due) == NOW + minutes(9)
    (again,) = store.write_now(lambda tx: attachments_store.claim(tx, OWNER, NOW + minutes(9), LEASE, 5))
    assert again.attempts == 2
    refused = replace(again.attachment, state=AttachmentState.REFUSED, note="it is gone")
    assert store.write_now(lambda tx: attachments_store.settle(tx, refused, OWNER, NOW))
    assert not keep(store, again.attachment, "image/png")
    (file,) = store.read_now(
        lambda tx: attachments_store.list_by_incident(tx, file_entry.incident_id, with_content=True)
    )
    assert (file.state, file.note, file.content) == ("refused", "it is gone", b"")


def test_who_lost_the_lease_of_a_file_writes_nothing(store: Store, file_entry: Entry) -> None:
    (first,) = store.write_now(lambda tx: attachments_store.claim(tx, OWNER, NOW, LEASE, 5))
    (second,) = store.write_now(lambda tx: attachments_store.claim(tx, "process 2", NOW + LEASE, LEASE, 5))
    assert not keep(store, first.attachment, "image/png")
    assert keep(store, second.attachment, "image/png", "process 2")


def test_a_file_that_was_discarded_while_it_was_fetched_is_not_stored(store: Store, file_entry: Entry) -> None:
    (claimed,) = store.write_now(lambda tx: attachments_store.claim(tx, OWNER, NOW, LEASE, 5))
    store.write_now(lambda tx: attachments_store.discard(tx, file_entry.id, "redacted"))
    assert not keep(store, claimed.attachment, "image/png")
    (file,) = store.read_now(
        lambda tx: attachments_store.list_by_incident(tx, file_entry.incident_id, with_content=True)
    )
    assert (file.state, file.note, file.content) == ("refused", "redacted", b"")


def test_a_refused_file_takes_no_room_and_is_never_due(store: Store, file_entry: Entry) -> None:
    store.write_now(
        lambda tx: attachments_store.enqueue(tx, file_entry.id, replace(FILE, size=10**9, note="too large"), NOW)
    )
    assert store.read_now(lambda tx: attachments_store.sum_sizes(tx, file_entry.incident_id)) == len(CONTENT)
    assert len(store.write_now(lambda tx: attachments_store.claim(tx, OWNER, NOW, LEASE, 5))) == 1


def test_the_files_of_an_entry_that_was_taken_back_are_left_out(store: Store, file_entry: Entry) -> None:
    assert len(store.read_now(lambda tx: attachments_store.list_by_incident(tx, file_entry.incident_id))) == 1
    store.write_now(lambda tx: timeline_store.amend(tx, replace(file_entry, struck=True), "struck", "U1", NOW))
    assert store.read_now(lambda tx: attachments_store.list_by_incident(tx, file_entry.incident_id)) == ()


def test_a_case_has_its_files_and_what_they_hold_where_that_is_asked(store: Store, file_entry: Entry) -> None:
    (claimed,) = store.write_now(lambda tx: attachments_store.claim(tx, OWNER, NOW, LEASE, 5))
    assert keep(store, claimed.attachment, "image/png")
    incident = store.write_now(lambda tx: open_incident(tx, Place("T1", "C2")))
    assert store.read_now(lambda tx: case_store.load(tx, incident)).attachments == ()
    about = replace(incident, id=file_entry.incident_id)
    light = store.read_now(lambda tx: case_store.load(tx, about))
    whole = store.read_now(lambda tx: case_store.load(tx, about, with_files=True))
    assert [len(case.attachments[0].content) for case in (light, whole)] == [0, len(CONTENT)]


def test_a_message_is_found_again_by_its_source(store: Store, incident_id: int) -> None:
    made = store.write_now(lambda tx: capture_entry(tx, incident_id))
    assert store.read_now(lambda tx: timeline_store.find_by_source(tx, incident_id, SOURCE)) == made
    assert store.read_now(lambda tx: timeline_store.find_by_source(tx, incident_id, "C1:1")) is None
    assert store.read_now(lambda tx: timeline_store.list_versions(tx, made.id))[0].change == "marked"


def test_what_became_of_a_message_is_said_once_and_a_deletion_is_final(store: Store, incident_id: int) -> None:
    made = store.write_now(lambda tx: capture_entry(tx, incident_id))

    def unlike(change: str, place: Place = PLACE) -> tuple[tuple[int, int], ...]:
        found: tuple[tuple[int, int], ...] = store.read_now(
            lambda tx: timeline_store.list_unmarked_captures(tx, place, SOURCE, change)
        )
        return found

    assert unlike("edited") == ((made.id, incident_id),)
    assert unlike("edited", Place("T1", "C2")) == ()
    store.write_now(lambda tx: timeline_store.mark_change(tx, made.id, "edited"))
    assert unlike("edited") == ()
    assert unlike("deleted") == ((made.id, incident_id),)
    store.write_now(lambda tx: timeline_store.mark_change(tx, made.id, "deleted"))
    assert unlike("edited") == unlike("deleted") == ()
    found = store.read_now(lambda tx: timeline_store.find_by_source(tx, incident_id, SOURCE))
    assert found == replace(made, source_change="deleted")
