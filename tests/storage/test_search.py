"""Incidents found again by their words, on both databases: what is found, in which order, and what is not any more."""

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.records import Incident, Place
from bot.domain.similarity import extract_words
from storage import actions as actions_store
from storage import case as case_store
from storage import incidents as incidents_store
from storage import search as search_store
from storage import whys as whys_store
from storage.actions import NewAction
from storage.database.statements import Transaction
from storage.database.store import Store, open_store
from storage.postmortem import sections as sections_store
from storage.search import SearchQuery
from storage.tables import metadata
from tests.support.storage.sample_records import NOW
from tests.support.timeouts import PATIENT


def opening(title: str, channel: str = "C1", team: str = "T1") -> Callable[[Transaction], Incident]:
    return lambda tx: incidents_store.open_new(tx, Place(team, channel), title, "U1", NOW)


def keys(store: Store, words: str, **more: object) -> list[str]:
    wanted = SearchQuery(extract_words(words), **more)  # type: ignore[arg-type]
    return [one.incident.key for one in store.read_now(lambda tx: search_store.find(tx, "T1", wanted, 50))]


def test_titles_sections_whys_and_actions_are_found_as_soon_as_they_are_written(store: Store) -> None:
    incident = store.write_now(opening("Checkout fails"))
    assert keys(store, "checkout") == ["INC-1"]
    store.write_now(lambda tx: sections_store.save(tx, incident.id, "summary", "A retry storm", "U1", NOW))
    store.write_now(lambda tx: sections_store.save(tx, incident.id, "root_cause", "The pool was too small", "U1", NOW))
    store.write_now(lambda tx: whys_store.add(tx, incident.id, None, "Connections leaked", "U1", NOW))
    new = NewAction("Add a load test", "U2", None, None, "", "U1", NOW)
    store.write_now(lambda tx: actions_store.add(tx, incident.id, new))
    for words in ("storms", "pools", "leaked connection", "load testing", "CHECKOUT pool"):
        assert keys(store, words) == ["INC-1"], words
    assert keys(store, "checkout sandwich") == []
    assert keys(store, "checkout sandwich", is_any=True) == ["INC-1"]


def test_what_was_rewritten_struck_or_emptied_is_not_found_any_more(store: Store) -> None:
    incident = store.write_now(opening("Checkout fails"))
    why = store.write_now(lambda tx: whys_store.add(tx, incident.id, None, "Connections leaked", "U1", NOW))
    store.write_now(lambda tx: sections_store.save(tx, incident.id, "summary", "A retry storm", "U1", NOW))
    store.write_now(lambda tx: whys_store.save(tx, replace(why, struck=True)))
    store.write_now(lambda tx: sections_store.save(tx, incident.id, "summary", "", "U1", NOW))
    store.write_now(lambda tx: incidents_store.save(tx, replace(incident, title="Payment fails")))
    assert keys(store, "checkout leaked storm", is_any=True) == []
    assert keys(store, "payment") == ["INC-1"]


def test_a_root_cause_counts_more_than_a_passing_word_and_another_workspace_is_never_found(store: Store) -> None:
    passing = store.write_now(opening("Search is slow"))
    store.write_now(
        lambda tx: sections_store.save(tx, passing.id, "lessons", "Also look at the pool some day", "U1", NOW)
    )
    root = store.write_now(opening("Login is down", "C2"))
    store.write_now(lambda tx: sections_store.save(tx, root.id, "root_cause", "The pool ran out", "U1", NOW))
    store.write_now(opening("The pool", "C1", "T2"))
    assert keys(store, "pool") == ["INC-2", "INC-1"]
    assert keys(store, "pool", before=2) == ["INC-1"]


def test_a_unit_that_is_refused_leaves_nothing_to_find(store: Store) -> None:
    def write_and_refuse(tx: Transaction) -> None:
        opening("Checkout fails")(tx)
        raise LookupError

    with pytest.raises(LookupError):
        store.write_now(write_and_refuse)
    assert keys(store, "checkout") == []


NAUGHTY = [
    '"', "'", '"" OR ""', "NEAR(a b)", "title:checkout", "a* ^b", "(((", "-checkout", "AND OR NOT", "{title}: x", "\\",
    "%s %(query)s", ":query", "checkout'; DROP TABLE recall; --", "漢字 かな", "é ü ß", "🚒🔥", "\u202echeckout",
    "!!! &|<>",     "0", "x" * 5_000, "a:*b & !c | d", "\u0130\u0131 ﬁ Ⅷ ²", "مرحبا", "हिन्दी",
]  # fmt: skip


@pytest.mark.parametrize("text", NAUGHTY)
def test_no_words_are_syntax(store: Store, text: str) -> None:
    store.write_now(opening(f"About {text} and checkout"))
    keys(store, text)
    keys(store, text, is_any=True)
    assert keys(store, "checkout") == ["INC-1"]


def test_whatever_is_typed_finds_what_says_the_same(store: Store) -> None:
    store.write_now(opening("Checkout fails"))

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.text(max_size=60).filter(lambda text: "\x00" not in text and text.isprintable()))
    def holds(text: str) -> None:
        keys(store, text)
        assert keys(store, f"{text} checkout", is_any=True) == ["INC-1"]

    holds()


def add_many(connection: Any, first: int, last: int, title: str) -> None:
    """Incidents like INC-1, each in a channel of its own, `title` as an expression of SQL over their number `n`."""
    given_otherwise = {"id", "number", "title", "channel"}
    columns = [column.name for column in metadata.tables["incident"].columns if column.name not in given_otherwise]
    connection.execute(
        f"INSERT INTO incident (number, title, channel, {', '.join(columns)}) "
        f"WITH RECURSIVE numbers (n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM numbers WHERE n < {last}) "
        f"SELECT n, {title}, 'C' || n, {', '.join(columns)} FROM incident, numbers WHERE id = 1"
    )


def count_steps(store: Store, wanted: SearchQuery, most: int) -> tuple[int, list[str]]:
    """The steps that SQLite takes for a search, and what it finds."""
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 0

    def look(tx: Transaction) -> list[str]:
        connection: Any = tx._connection
        connection.set_progress_handler(step, 1)
        try:
            return [hit.incident.key for hit in search_store.find(tx, "T1", wanted, most)]
        finally:
            connection.set_progress_handler(None, 0)

    found = store.read_now(look)
    return steps, found


def test_what_is_found_costs_its_matches_however_many_incidents_there_are(sqlite_store: Store) -> None:
    sqlite_store.write_now(opening("Shelf 1 wobbles"))
    sqlite_store.write_now(lambda tx: add_many(tx._connection, 2, 500, "'Shelf ' || n || ' wobbles'"))
    steps, found = count_steps(sqlite_store, SearchQuery(("417",)), 50)
    assert found == ["INC-417"]
    assert 0 < steps < 700


@pytest.mark.parametrize(
    "wanted", [SearchQuery(("shelf",)), SearchQuery(("shelf", "wobbles")), SearchQuery(("shelf", "417"), is_any=True)]
)
def test_a_word_that_all_incidents_have_costs_no_more_with_each_of_them(
    sqlite_store: Store, wanted: SearchQuery
) -> None:
    title = "'Shelf ' || n || ' wobbles'"
    sqlite_store.write_now(opening("Shelf 1 wobbles"))
    sqlite_store.write_now(lambda tx: add_many(tx._connection, 2, 500, title))
    taken = [count_steps(sqlite_store, wanted, 50)[0]]
    sqlite_store.write_now(lambda tx: add_many(tx._connection, 501, 4000, title))
    taken += [count_steps(sqlite_store, wanted, 50)[0]]
    assert taken[1] <= taken[0] * 1.1


def test_a_rare_word_is_found_however_old_it_is_and_before_what_only_shares_common_ones(store: Store) -> None:
    store.write_now(opening("Zebra in the checkout"))
    store.write_now(lambda tx: add_many(tx._connection, 2, 700, "'Checkout pool ' || n"))
    assert keys(store, "checkout zebra") == ["INC-1"]
    assert keys(store, "pool checkout zebra quagga", is_any=True)[:2] == ["INC-1", "INC-700"]
    # Nothing but common words: the newest.
    assert "INC-1" not in keys(store, "checkout pool", is_any=True)
    assert "INC-700" in keys(store, "pool")
    assert len(keys(store, "pool checkout zebra", is_any=True)) == 50


def test_a_workspace_of_few_incidents_finds_them_among_those_of_a_large_one(store: Store) -> None:
    store.write_now(opening("Checkout pool"))
    store.write_now(opening("Checkout pool", "C1", "T2"))
    store.write_now(lambda tx: add_many(tx._connection, 2, 700, "'Checkout pool ' || n"))
    for wanted in (SearchQuery(("checkout", "pool")), SearchQuery(("checkout", "pool"), is_any=True)):
        found = store.read_now(lambda tx, wanted=wanted: search_store.find(tx, "T2", wanted, 50))  # type: ignore[misc]
        assert [(hit.incident.team, hit.incident.key) for hit in found] == [("T2", "INC-1")]


@pytest.mark.postgres
def test_postgresql_looks_words_up_in_its_index(postgres_url: str) -> None:
    store = open_store(postgres_url, timeouts=PATIENT)
    store.write_now(opening("Login is down"))
    connection = store.driver.connect()
    add_many(connection, 2, 3000, "'Shelf ' || n || ' wobbles'")
    connection.execute("ANALYZE")
    compiled = search_store._FIND["postgresql"].compile_for(store.driver.dialect)
    values = {"team": "T1", "query": '"417"', "before": search_store.LATEST, "most": 50}
    parameters = compiled.parameters(values | {"names": [], "count_of_names": 0})
    plan = connection.execute(f"EXPLAIN {compiled.sql}", parameters).fetchall()
    connection.close()
    assert any("recall_words_index" in line for (line,) in plan), "\n".join(line for (line,) in plan)
    assert keys(store, "shelf 417") == ["INC-417"]
    store.close()


def test_a_likeness_is_judged_once(store: Store) -> None:
    first, second = store.write_now(opening("One")), store.write_now(opening("Two", "C2"))
    store.write_now(lambda tx: search_store.add_verdict(tx, second.id, first.id, "U1", NOW, is_same=False))
    assert store.read_now(lambda tx: search_store.list_verdicts(tx, second.id)) == {first.id: False}
    assert store.read_now(lambda tx: search_store.list_verdicts(tx, first.id)) == {}


def test_a_forgotten_word_leaves_the_index_and_the_file(sqlite_url: str) -> None:
    secret = "zebrafish" + "password"
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    store = open_store(sqlite_url, timeouts=PATIENT)
    incident = store.write_now(opening("Checkout fails"))
    why = store.write_now(lambda tx: whys_store.add(tx, incident.id, None, f"It was {secret}", "U1", NOW))
    content = subprocess.run(["cat", *sorted(path.parent.glob("*"))], check=True, capture_output=True).stdout
    assert secret.encode() in content

    def redact(tx: Transaction) -> None:
        whys_store.redact(tx, why, lambda _: "It was [redacted]", "U1", NOW)
        search_store.purge(tx)

    store.write_now(redact)
    store.close()  # what is still in the log is moved
    content = subprocess.run(["cat", *sorted(path.parent.glob("*"))], check=True, capture_output=True).stdout
    assert secret.encode() not in content
    assert secret[:9].encode() not in content


def test_the_words_of_a_case_are_told_apart_by_where_they_stand(store: Store) -> None:
    incident = store.write_now(opening("Checkout fails"))
    why = store.write_now(lambda tx: whys_store.add(tx, incident.id, None, "The pool ran out", "U1", NOW))
    store.write_now(lambda tx: whys_store.save(tx, replace(why, is_root=True)))
    store.write_now(lambda tx: sections_store.save(tx, incident.id, "recurrence", "INC-0 sandwich", "U1", NOW))
    texts = store.read_now(lambda tx: search_store.read_texts(tx, incident.id))
    assert (texts.title, texts.cause, texts.sections) == ("Checkout fails", "The pool ran out", "")
    assert store.read_now(lambda tx: case_store.load(tx, incident)).audit == ()
