"""Redaction in the database: what may change, what is found, and that the bytes leave the files.

Also finding the same words in other incidents, on both databases.
"""

import sqlite3
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from bot.domain import secrets as secrets_rules
from bot.domain.records import EditOrigin, Entry, Incident, Place
from bot.domain.secrets import RecordKind, locate
from bot.errors import NotRecorded
from storage import actions as actions_store
from storage import attachments as attachments_store
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage import links as links_store
from storage import secrets as secrets_store
from storage import timeline as timeline_store
from storage import whys as whys_store
from storage.actions import NewAction
from storage.attachments import NewAttachment
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.deliveries import InboxReply
from storage.links import LinkKey
from storage.postmortem import sections as sections_store
from storage.postmortem.sections import NewEdit
from storage.secrets import SearchScope
from storage.timeline import NewEntry
from tests.support.storage.sample_records import open_incident

NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
SECRET = "hunter" + "2-of-demo"
REDACT = partial(secrets_rules.redact_values, known={SECRET})


def write_incident(tx: Transaction) -> tuple[Incident, Entry]:
    """An incident with one entry that holds the secret."""
    incident = incidents_store.open_new(tx, Place("T1", "C1"), f"about {SECRET}", "U1", NOW)
    return incident, timeline_store.add(tx, incident.id, 1, NewEntry(NOW, f"it is {SECRET}", "U1", "U1", NOW))


def files(path: Path) -> bytes:
    """The database's files, log included; read by another process, for closing them here would drop SQLite's locks."""
    found = sorted(path.parent.glob(f"{path.name}*"))
    return subprocess.run(["cat", *found], check=True, capture_output=True).stdout


async def test_every_wording_is_redacted_and_the_history_grows(store: Store) -> None:
    _, entry = await store.write(write_incident)
    later = NOW + timedelta(minutes=1)
    after = await store.write(lambda tx: timeline_store.redact(tx, entry, REDACT, "U2", later))
    assert (after.text, after.version) == ("it is [redacted]", 2)
    first, second = await store.read(lambda tx: timeline_store.list_versions(tx, entry.id))
    assert (first.change, first.text, first.changed_at) == ("added", "it is [redacted]", NOW)
    assert (second.change, second.changed_by, second.changed_at) == ("redacted", "U2", later)
    assert secrets_store.wipe(store)


async def test_every_saving_of_a_section_is_redacted_and_one_that_stood_is_saved_anew(store: Store) -> None:
    incident, _ = await store.write(write_incident)

    def more(tx: Transaction) -> tuple[str, ...]:
        for slug, text in (("impact", f"{SECRET} leaked"), ("impact", "nothing"), ("fault", f"see {SECRET}")):
            sections_store.save(tx, incident.id, slug, text, "U1", NOW)
        return sections_store.redact(tx, incident.id, REDACT, "U2", NOW)

    assert await store.write(more) == ("fault", "impact")
    histories = {
        slug: [(one.version, one.author, one.text) for one in await store.read(history)]
        for slug in ("impact", "fault")
        for history in [partial(sections_store.list_versions_of, incident_id=incident.id, slug=slug)]
    }
    assert histories == {
        "impact": [(1, "U1", "[redacted] leaked"), (2, "U1", "nothing")],
        "fault": [(1, "U1", "see [redacted]"), (2, "U2", "see [redacted]")],
    }


async def test_every_wording_of_a_why_is_redacted_and_its_history_grows(store: Store) -> None:
    incident, _ = await store.write(write_incident)

    def more(tx: Transaction) -> None:
        why = whys_store.add(tx, incident.id, None, f"{SECRET} leaked", "U1", NOW)
        assert whys_store.redact(tx, why, str.strip, "U2", NOW) is None
        after = whys_store.redact(tx, why, REDACT, "U2", NOW)
        assert after is not None
        assert [(one.change, one.text) for one in whys_store.list_versions(tx, why.id)] == [
            ("added", "[redacted] leaked"),
            ("redacted", "[redacted] leaked"),
        ]
        assert whys_store.list_chain(tx, incident.id) == (after,)

    await store.write(more)


async def test_a_wording_still_changes_to_nothing_else(store: Store) -> None:
    _, entry = await store.write(write_incident)
    with pytest.raises(NotRecorded):
        await store.write(lambda tx: timeline_store.redact(tx, entry, lambda _: "something else", "U2", NOW))
    (only,) = await store.read(lambda tx: timeline_store.list_versions(tx, entry.id))
    assert only.text == f"it is {SECRET}"


async def test_every_other_text_that_quotes_it_is_found_within_reach_and_rewritten(store: Store) -> None:
    incident, entry = await store.write(write_incident)

    def more(tx: Transaction) -> None:
        attachments_store.enqueue(
            tx, entry.id, NewAttachment(f"{SECRET}.png", "image/png", 1, "https://a.example"), NOW
        )
        deliveries_store.store_reply(tx, "before", f'"{SECRET}"', NOW - timedelta(hours=1))
        deliveries_store.store_reply(tx, "after", f'"{SECRET}"', NOW)
        deliveries_store.store_reply(tx, "other", '"nothing"', NOW)

    await store.write(more)
    reach, mark = SearchScope(incident.id, "T1", NOW), secrets_store.choose_mark(SECRET)
    found = await store.read(lambda tx: secrets_store.list_copies(tx, reach, mark))
    assert sorted((copy.place, copy.text) for copy in found) == [
        ("attachment", f"{SECRET}.png"),
        ("inbox", f'"{SECRET}"'),
    ]
    for copy in found:
        await store.write(lambda tx, copy=copy: secrets_store.rewrite(tx, copy, REDACT(copy.text)))  # type: ignore[misc]
    assert await store.read(lambda tx: secrets_store.list_copies(tx, reach, mark)) == ()
    assert await store.read(lambda tx: deliveries_store.find_reply(tx, "after")) == InboxReply('"[redacted]"')


async def test_what_waits_for_another_system_is_found_and_what_was_sent_there_is_left_to_differ(store: Store) -> None:
    incident, _ = await store.write(write_incident)
    memo = f'{{"words": "{SECRET}"}}'
    for system in ("paging", "statuspage", "jira", "jsm"):
        thing = LinkKey("T1", system, "INC-1 it", incident.id)
        await store.write(lambda tx, thing=thing: links_store.enqueue(tx, thing, NOW, memo))  # type: ignore[misc]
    found = await store.read(
        lambda tx: secrets_store.list_copies(tx, SearchScope(incident.id), secrets_store.choose_mark(SECRET))
    )
    assert [(copy.place, copy.text) for copy in found] == [("link", memo), ("link", memo)]
    for copy in found:
        await store.write(lambda tx, copy=copy: secrets_store.rewrite(tx, copy, REDACT(copy.text)))  # type: ignore[misc]

    def memos(tx: Transaction) -> list[str]:
        known = (links_store.find(tx, "T1", system, "INC-1 it") for system in ("paging", "statuspage", "jira", "jsm"))
        return [link.memo for link in known if link is not None]

    assert [SECRET in memo for memo in await store.read(memos)] == [False, False, True, True]


async def test_only_the_entries_that_may_hold_it_are_named(store: Store) -> None:
    incident, _ = await store.write(write_incident)
    await store.write(lambda tx: timeline_store.add(tx, incident.id, 2, NewEntry(NOW, "else", "U1", "U1", NOW)))
    mark = secrets_store.choose_mark(SECRET)
    assert await store.read(lambda tx: secrets_store.list_entries(tx, incident.id, mark)) == (1,)
    assert await store.read(lambda tx: secrets_store.list_entries(tx, incident.id + 1, mark)) == ()


@pytest.mark.parametrize(("secret", "mark"), [("a-bcd_efghijklmnop", "efghijkl"), ('"\\"', ""), ("s3cr3t!", "s3cr3t")])
def test_a_mark_is_a_piece_that_no_encoding_changes(secret: str, mark: str) -> None:
    assert secrets_store.choose_mark(secret) == mark


def test_the_log_waits_for_a_reader_and_is_then_emptied(sqlite_store: Store, sqlite_url: str) -> None:
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    _, entry = sqlite_store.write_now(write_incident)
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM entry").fetchall()
    sqlite_store.write_now(lambda tx: timeline_store.redact(tx, entry, REDACT, "U2", NOW))
    assert not secrets_store.wipe(sqlite_store)
    assert f"it is {SECRET}".encode() in files(path)
    reader.execute("ROLLBACK")
    reader.close()
    assert secrets_store.wipe(sqlite_store)
    assert f"it is {SECRET}".encode() not in files(path)


def holding(tx: Transaction, place: Place) -> Incident:
    """An incident in which everything that can hold it does, some of it only in an earlier version."""
    incident = open_incident(tx, place, f"about {SECRET}")
    incidents_store.save(tx, replace(incident, postmortem_reason=f"only {SECRET}"))
    timeline_store.add(tx, incident.id, 4, NewEntry(NOW, f"it is {SECRET}", "U1", "U1", NOW))
    why = whys_store.add(tx, incident.id, None, f"because of {SECRET}", "U1", NOW)
    whys_store.amend(tx, replace(why, text="because"), "edited", "U1", NOW)
    sections_store.save(tx, incident.id, "fault", f"see {SECRET}", "U1", NOW)
    sections_store.save(tx, incident.id, "fault", "see there", "U1", NOW)
    link = f"https://demo.example/?key={SECRET}"
    actions_store.add(tx, incident.id, NewAction(f"change {SECRET}", None, None, None, link, "U1", NOW))
    text = NewEdit("leadup", EditOrigin.EDITED, f"By {SECRET}.", "f" * 12, 0, "U1", "file", NOW)
    sections_store.add_edit(tx, incident.id, text)
    return incident


def test_every_noun_and_wording_is_found_in_the_workspaces_other_incidents_only(store: Store) -> None:
    own, other = (store.write_now(lambda tx, c=channel: holding(tx, Place("T1", c))) for channel in ("C1", "C2"))  # type: ignore[misc]
    store.write_now(lambda tx: holding(tx, Place("T2", "C3")))
    ((incident, found),) = store.read_now(lambda tx: secrets_store.find_in_other_incidents(tx, own, "hunter2"))
    assert incident.key == other.key
    assert sorted((one.subject.kind, one.subject.which, one.part) for one in found) == [
        (RecordKind.ACTION, "1", 0),
        (RecordKind.ACTION, "1", 1),
        (RecordKind.DRAFT, "leadup", 1),
        (RecordKind.ENTRY, "4", 1),
        (RecordKind.SECTION, "fault", 1),
        (RecordKind.TITLE, "", 0),
        (RecordKind.TITLE, "", 1),
        (RecordKind.WHY, "1", 1),
    ]
    for wording in found:
        spot = locate(wording, SECRET)
        assert spot is not None
        assert store.read_now(lambda tx, s=spot: secrets_store.read_text(tx, other.id, s)) == wording.text  # type: ignore[misc]
        gone = replace(spot, part=9)
        assert store.read_now(lambda tx, s=gone: secrets_store.read_text(tx, other.id, s)) == ""  # type: ignore[misc]
    assert store.read_now(lambda tx: secrets_store.find_in_other_incidents(tx, own, "nowhere")) == ()
