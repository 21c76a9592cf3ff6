"""The chain over the history: it holds through redactions, and shows what was changed past the triggers."""

from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.domain.records import EditOrigin
from storage import audit as audit_store
from storage import timeline as timeline_store
from storage import whys as whys_store
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.history import chain as chain_store
from storage.postmortem import sections as sections_store
from storage.postmortem.sections import NewEdit
from tests.support.storage.sample_records import NOW, PLACE, entry, open_incident, record_entry

TABLES = ("entry_version", "why_version", "section", "kept_region", "audit")


def fill(tx: Transaction) -> None:
    """Two incidents, with a row or more of every kind of history."""
    first = open_incident(tx)
    second = open_incident(tx, replace(PLACE, channel="C2"))
    for place in (PLACE, replace(PLACE, channel="C2"), PLACE):
        record_entry(tx, entry("Der Schlüssel ging verloren, „so“ \\ war's\n✓"), place)
    sections_store.save(tx, first.id, "fault", "The pool ran out", "U1", NOW)
    why = whys_store.add(tx, first.id, None, "because the pool ran out", "U1", NOW)
    whys_store.amend(tx, replace(why, text="because it was small"), "edited", "U2", NOW)
    sections_store.add_edit(tx, second.id, NewEdit("fault", EditOrigin.EDITED, "Edited", "", 1, "U1", "file", NOW))
    audit_store.add_lines(tx, "U1", "whys.answer", "key", NOW)


def tamper(store: Store, *statements: str) -> None:
    """Run SQL as someone does who knows the database: without the triggers that guard it."""
    with store.driver.engine(writing=True).begin() as connection:
        for table in TABLES:
            if connection.dialect.name == "sqlite":
                connection.execute(text(f"DROP TRIGGER IF EXISTS {table}_no_update"))
                connection.execute(text(f"DROP TRIGGER IF EXISTS {table}_no_delete"))
            else:
                connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER {table}_append_only"))
        for statement in statements:
            connection.execute(text(statement))


def faults(store: Store) -> tuple[str, ...]:
    return chain_store.verify(store).faults


def test_all_that_is_written_is_chained(store: Store) -> None:
    store.write_now(fill)
    report = chain_store.verify(store)
    assert (report.rows, report.redacted, report.faults) == (9, 0, ())
    heads = store.read_now(chain_store.list_heads)
    assert [(head.incident_id, head.position) for head in heads] == [(1, 6), (2, 3)]
    assert store.read_now(lambda tx: chain_store.find_lost_heads(tx, heads)) == ()


def test_a_redaction_keeps_the_chain_and_leaves_nothing_to_guess_from(store: Store) -> None:
    store.write_now(fill)
    before = store.read_now(chain_store.list_heads)

    def redact(tx: Transaction) -> None:
        first = timeline_store.find_by_number(tx, 1, 1)
        assert first is not None
        timeline_store.redact(tx, first, lambda words: words.replace("Schlüssel", "[redacted]"), "U1", NOW)

    store.write_now(redact)
    report = chain_store.verify(store)
    assert (report.rows, report.redacted, report.faults) == (10, 1, ())
    assert store.read_now(lambda tx: chain_store.find_lost_heads(tx, before)) == ()
    with store.driver.engine().connect() as connection:
        proofs = [bytes(row[0]) for row in connection.execute(text("SELECT proof FROM chain ORDER BY id"))]
    assert [proof[:16] == bytes(16) for proof in proofs].count(True) == 1  # without a salt, no text can be tried


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("UPDATE entry_version SET text = 'harmless' WHERE id = 2", "INC-2: a version of an entry (row 2) was changed"),
        ("UPDATE audit SET who = 'U9' WHERE id = 1", "a line of the audit (row 1) was changed"),
        ("UPDATE section SET saved_at = (SELECT max(at) FROM audit), version = 2", "a version of a section (row 1)"),
        ("DELETE FROM why_version WHERE version = 2", "INC-1: a version of a why was deleted, 1 in all."),
        ("UPDATE kept_region SET markdown = 'Nicer'", "INC-2: an edited section (row 1) was changed"),
    ],
)
def test_what_is_changed_past_the_triggers_is_noticed(store: Store, statement: str, sentence: str) -> None:
    store.write_now(fill)
    tamper(store, statement)
    (fault,) = faults(store)
    assert sentence in fault


@pytest.mark.parametrize(
    ("forge", "sentence"),
    [
        # A version that goes with its proof breaks the chain.
        (
            "DELETE FROM chain WHERE place = 'why_version' AND row_id = 1; DELETE FROM why_version WHERE id = 1",
            "The chain of INC-1 is broken",
        ),
        # A proof that was made again for the changed text no longer fits the link.
        ("UPDATE chain SET proof = (SELECT proof FROM chain WHERE id = 1) WHERE id = 3", "is broken at its row"),
        ("DELETE FROM chain WHERE id = 1", "The chain of INC-1 is broken at its row 2."),
    ],
)
def test_a_forged_chain_is_noticed(store: Store, forge: str, sentence: str) -> None:
    store.write_now(fill)
    tamper(store, *forge.split("; "))
    assert any(sentence in fault for fault in faults(store))


def test_a_tail_that_was_cut_off_shows_beside_a_note(store: Store) -> None:
    store.write_now(fill)
    noted_heads = store.read_now(chain_store.list_heads)
    tamper(
        store,
        "DELETE FROM audit",
        "DELETE FROM chain WHERE place = 'audit'",
    )
    assert faults(store) == ()  # what is left is a whole chain
    lost = store.read_now(lambda tx: chain_store.find_lost_heads(tx, noted_heads))
    assert [head.incident_id for head in lost] == [1, 2]


def test_only_incidents_with_news_are_listed_again(store: Store) -> None:
    store.write_now(fill)
    newest = store.read_now(chain_store.find_newest)
    assert store.read_now(lambda tx: chain_store.list_heads(tx, newest)) == ()
    store.write_now(lambda tx: record_entry(tx, entry("more")))
    assert [head.incident_id for head in store.read_now(lambda tx: chain_store.list_heads(tx, newest))] == [1]


@pytest.mark.parametrize("verb", ["UPDATE audit SET who = 'U2'", "DELETE FROM audit", "DELETE FROM section"])
def test_history_is_not_changed_without_an_exemption(store: Store, verb: str) -> None:
    store.write_now(fill)
    with (
        pytest.raises(DBAPIError, match="append-only"),
        store.driver.engine(writing=True).begin() as connection,
    ):
        connection.execute(text(verb))
