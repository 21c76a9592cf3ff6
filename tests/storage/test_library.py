"""The library's lists on both databases: filters, pages, words, and nothing that is out of sight."""

from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from bot.domain.facets import Facet, FacetKind
from bot.domain.library import NOBODY, LibraryFilters, ShelfCursor, Stage, parse_span
from bot.domain.readers import Sight, public_sight
from bot.domain.records import EditOrigin, Incident, Place, PostmortemStatus, Status
from storage import actions as actions_store
from storage import channels as channels_store
from storage import facets as facets_store
from storage import incidents as incidents_store
from storage import library as library_store
from storage.actions import NewAction
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.library import LOOKED_THROUGH, RANKED
from storage.postmortem import sections as sections_store
from storage.postmortem.sections import NewEdit
from tests.support.shelves import public_channel, write_many
from tests.support.storage.sample_records import NOW

TEAM = "T1"
EVERYONE = public_sight(TEAM)


def add(tx: Transaction, days: int, channel: str = "C1", title: str = "Pool ran out", **changes: Any) -> Incident:
    """An incident that was opened so many days ago and is over, unless `changes` say something else."""
    at = NOW - timedelta(days=days)
    incident = incidents_store.open_new(tx, Place(TEAM, channel), title, "U1", at)
    over: dict[str, Any] = {"status": Status.RESOLVED, "resolved_at": at, "postmortem_status": PostmortemStatus.OPEN}
    saved = replace(incident, **over | changes)
    incidents_store.save(tx, saved)
    return saved


def pages(
    tx: Transaction, filters: LibraryFilters, sight: Sight = EVERYONE, most: int = 2
) -> tuple[list[int], list[int]]:
    """The numbers of all pages, and how many each page had."""
    found: list[int] = []
    sizes: list[int] = []
    after: ShelfCursor | None = None
    while True:
        page = library_store.list_page(tx, sight, filters, after, NOW, most)
        found += [incident.number for incident in page.incidents]
        sizes.append(len(page.incidents))
        after = page.after
        if after is None:
            return found, sizes


def fill(tx: Transaction) -> None:
    public_channel(tx, TEAM, "C1", NOW)
    late = NOW - timedelta(days=1)
    add(tx, 40, severity=1, postmortem_owner="U1", postmortem_status=PostmortemStatus.PUBLISHED)
    add(tx, 30, severity=1, postmortem_owner="U2", postmortem_status=PostmortemStatus.WAIVED)
    third = add(tx, 20, severity=2, postmortem_owner="U1")
    actions_store.add(tx, third.id, NewAction("load test", "U1", late.date(), late, "", "U1", NOW))
    facets_store.add(tx, third, Facet(FacetKind.SERVICE, "Checkout", "U1", NOW))
    facets_store.add(tx, third, Facet(FacetKind.TAG, "database", "U1", NOW))
    add(tx, 10, severity=None, postmortem_status=PostmortemStatus.IN_REVIEW)
    add(tx, 0, severity=1, status=Status.OPEN, resolved_at=None)


WANTED = [
    (LibraryFilters(), [5, 4, 3, 2, 1]),
    (LibraryFilters(severity="sev1"), [5, 2, 1]),
    (LibraryFilters(severity=NOBODY), [4]),
    (LibraryFilters(owner="U1"), [3, 1]),
    (LibraryFilters(owner=NOBODY), [5, 4]),
    (LibraryFilters(stage=Stage.OPEN), [5]),
    (LibraryFilters(stage=Stage.DRAFT), [3]),
    (LibraryFilters(stage=Stage.IN_REVIEW), [4]),
    (LibraryFilters(stage=Stage.PUBLISHED), [1]),
    (LibraryFilters(stage=Stage.WAIVED), [2]),
    (LibraryFilters(is_overdue=True), [3]),
    (LibraryFilters(service="CHECKOUT"), [3]),
    (LibraryFilters(tag="database", service="checkout"), [3]),
    (LibraryFilters(tag="checkout"), []),
    (LibraryFilters(severity="sev1", stage=Stage.PUBLISHED), [1]),
    (LibraryFilters(severity="sev1", owner="U2", stage=Stage.WAIVED), [2]),
    (LibraryFilters(span=parse_span("2026-11")), [5, 4, 3]),
    (LibraryFilters(span=parse_span("2026-10"), severity="sev1"), [2, 1]),
    (LibraryFilters(severity="sev4"), []),
]


@pytest.mark.parametrize(
    ("filters", "numbers"), WANTED, ids=lambda it: it.query() if isinstance(it, LibraryFilters) else ""
)
def test_each_filter_finds_what_it_asks_for_the_newest_first(
    filters: LibraryFilters, numbers: list[int], store: Store
) -> None:
    store.write_now(fill)
    assert store.read_now(lambda tx: pages(tx, filters))[0] == numbers


def test_every_combination_of_filters_is_what_each_finds_alone(sqlite_store: Store) -> None:
    sqlite_store.write_now(fill)
    every = {number: filters for filters, _ in WANTED for number in [filters.query()]}
    alone = {query: set(numbers) for filters, numbers in WANTED for query in [filters.query()]}

    def check(tx: Transaction) -> None:
        for one, other in product(every.values(), repeat=2):
            fields = ("severity", "stage", "owner", "span", "service", "tag", "is_overdue")
            if any(getattr(one, name) and getattr(other, name) for name in fields):
                continue
            both = replace(one, **{name: getattr(other, name) for name in fields if getattr(other, name)})
            assert set(pages(tx, both)[0]) == alone[one.query()] & alone[other.query()], both

    sqlite_store.read_now(check)


def test_pages_hold_each_incident_once_even_if_several_were_opened_at_one_moment(store: Store) -> None:
    def write(tx: Transaction) -> None:
        for index in range(7):
            add(tx, 3, public_channel(tx, TEAM, f"C{index}", NOW).channel)

    store.write_now(write)
    found, sizes = store.read_now(lambda tx: pages(tx, LibraryFilters(), most=3))
    assert sorted(found) == list(range(1, 8))
    assert sizes == [3, 3, 1]


def test_what_is_out_of_sight_is_in_no_list_no_count_and_no_page_break(store: Store) -> None:
    def write(tx: Transaction) -> None:
        public_channel(tx, TEAM, "C1", NOW)
        channels_store.save_privacy(tx, TEAM, {"CSECRET": True}, NOW)
        for days in range(9, 0, -1):
            title = "zebra pool" if days % 3 else "pool"
            secret = add(tx, days, "CSECRET" if days % 3 else "C1", title, severity=1)
            facets_store.add(tx, secret, Facet(FacetKind.SERVICE, "checkout", "U1", NOW))
        add(tx, 0, "CUNKNOWN", "pool of a channel that nobody described", severity=1)

    store.write_now(write)
    member = Sight(TEAM, public=True, channels=frozenset({"CSECRET"}))
    elsewhere = public_sight("T2")

    def look(tx: Transaction) -> None:
        for filters in (
            LibraryFilters(),
            LibraryFilters(severity="sev1", stage=Stage.DRAFT),
            LibraryFilters(service="checkout"),
        ):
            assert pages(tx, filters) == ([7, 4, 1], [2, 1])
            assert len(pages(tx, filters, member)[0]) == 9
            assert pages(tx, filters, elsewhere) == ([], [0])
            assert pages(tx, filters, Sight(TEAM)) == ([], [0])
        words = LibraryFilters(words="zebra pool")
        assert library_store.find_page(tx, EVERYONE, words, NOW, 10).incidents == ()
        assert len(library_store.find_page(tx, member, words, NOW, 10).incidents) == 6
        assert [library_store.find_visible(tx, EVERYONE, number) is not None for number in (1, 2, 99)] == [
            True,
            False,
            False,
        ]

    store.read_now(look)


def test_words_are_found_with_filters_and_the_best_match_is_first(store: Store) -> None:
    def write(tx: Transaction) -> None:
        public_channel(tx, TEAM, "C1", NOW)
        for days, title in ((5, "Checkout is slow"), (4, "Pool ran out"), (3, "Login is slow")):
            add(tx, days, title=title, severity=days - 2)
        sections_store.save(tx, 3, "lessons_learned", "the pool was mentioned once", "U1", NOW)

    store.write_now(write)

    def find(words: str, *, is_any: bool = False, **more: Any) -> list[int]:
        filters = LibraryFilters(words=words, **more)
        found = store.read_now(lambda tx: library_store.find_page(tx, EVERYONE, filters, NOW, 10, is_any=is_any))
        return [incident.number for incident in found.incidents]

    assert find("pool") == [2, 3]
    assert find("pools", severity="sev1") == [3]
    assert find("slow checkout") == [1]
    assert find("slow mentioned pool") == [3]
    assert set(find("checkout pool", is_any=True)) == {1, 2, 3}
    assert find("the of and") == find('" OR 1=1 --') == []


def test_a_search_looks_at_the_newest_and_says_so(sqlite_store: Store) -> None:
    sqlite_store.write_now(lambda tx: write_many(tx, TEAM, RANKED + 20, NOW))
    found = sqlite_store.read_now(
        lambda tx: library_store.find_page(tx, EVERYONE, LibraryFilters(words="pool shard"), NOW, 10)
    )
    assert found.is_cut
    assert found.has_more
    assert len(found.incidents) == 10


def test_filters_that_find_little_go_on_behind_what_was_looked_through(sqlite_store: Store) -> None:
    def write(tx: Transaction) -> None:
        incidents = write_many(tx, TEAM, LOOKED_THROUGH + 40, NOW)
        incidents_store.save(tx, replace(incidents[0], status=Status.OPEN, postmortem_status=PostmortemStatus.OPEN))

    sqlite_store.write_now(write)
    found, sizes = sqlite_store.read_now(lambda tx: pages(tx, LibraryFilters(stage=Stage.OPEN)))
    assert found == [1]
    assert sizes == [0, 1]


def test_open_actions_are_counted_by_incident(store: Store) -> None:
    def write(tx: Transaction) -> Incident:
        return write_many(tx, TEAM, 2, NOW, actions=3)[0]

    incident = store.write_now(write)
    found = store.read_now(lambda tx: library_store.count_open_actions(tx, [incident.id, 99], NOW))
    assert {row: (count.open, count.overdue) for row, count in found.items()} == {incident.id: (3, 3)}


def test_a_cause_that_was_rewritten_in_a_draft_is_not_shown(store: Store) -> None:
    incidents = store.write_now(lambda tx: write_many(tx, TEAM, 2, NOW))
    ids = [incident.id for incident in incidents]
    assert len(store.read_now(lambda tx: library_store.list_causes(tx, ids))) == 2
    edit = NewEdit("root_cause", EditOrigin.EDITED, "Another cause", "", 0, "U1", "file", NOW)
    store.write_now(lambda tx: sections_store.add_edit(tx, ids[0], edit))
    assert list(store.read_now(lambda tx: library_store.list_causes(tx, ids))) == [ids[1]]
