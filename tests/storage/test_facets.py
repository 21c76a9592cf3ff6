"""Services and tags in the database: one spelling each, found by their beginning, and with what people may see."""

from dataclasses import replace
from functools import partial

from bot.domain.facets import Facet, FacetKind
from bot.domain.records import Incident
from storage import facets as facets_store
from storage.database.statements import Transaction
from storage.database.store import Store
from tests.support.storage.sample_records import NOW, PLACE, open_incident

SERVICE, TAG = FacetKind.SERVICE, FacetKind.TAG


def open_with(store: Store, *names: str, channel: str = "C1", kind: FacetKind = SERVICE) -> Incident:
    """An incident of a channel with these names."""

    def unit(tx: Transaction) -> Incident:
        incident = open_incident(tx, replace(PLACE, channel=channel))
        for name in names:
            facets_store.add(tx, incident, Facet(kind, name, "U1", NOW))
        return incident

    return store.write_now(unit)


def test_names_are_read_back_by_kind_in_their_order(store: Store) -> None:
    incident = open_with(store, "search", "checkout")
    store.write_now(lambda tx: facets_store.add(tx, incident, Facet(TAG, "database", "U2", NOW)))
    found = store.read_now(lambda tx: facets_store.list_by_incident(tx, incident.id))
    assert found == (
        Facet(SERVICE, "search", "U1", NOW),
        Facet(SERVICE, "checkout", "U1", NOW),
        Facet(TAG, "database", "U2", NOW),
    )
    other = open_with(store, channel="C2")
    both = store.read_now(lambda tx: facets_store.list_by_incidents(tx, [other.id, incident.id]))
    assert both == {incident.id: found}


def test_the_first_spelling_stays(store: Store) -> None:
    incident = open_with(store, "Checkout", "CHECKOUT", "checkout")
    assert [facet.name for facet in store.read_now(lambda tx: facets_store.list_by_incident(tx, incident.id))] == [
        "Checkout"
    ]


def test_only_what_changes_is_noted(store: Store) -> None:
    incident = open_with(store, "checkout")

    def unit(tx: Transaction) -> tuple[tuple[int, str], ...]:
        tx.clear_notes()
        facets_store.add(tx, incident, Facet(SERVICE, "Checkout", "U1", NOW))
        facets_store.remove(tx, incident.id, SERVICE, "search")
        assert tx.changed == ()
        facets_store.add(tx, incident, Facet(TAG, "checkout", "U1", NOW))
        assert facets_store.remove(tx, incident.id, SERVICE, "CHECKOUT")
        return tx.changed

    assert store.write_now(unit) == ((incident.id, "tag checkout"), (incident.id, "service CHECKOUT removed"))


def test_names_are_found_by_their_beginning_in_any_script(store: Store) -> None:
    open_with(store, "Checkout", "checkout-api", "Chat", "search", "поиск")
    open_with(store, "checkout", channel="C2")
    open_with(store, "checkers", channel="C3", kind=TAG)

    def names(prefix: str, most: int = 9) -> tuple[str, ...]:
        return store.read_now(lambda tx: facets_store.list_names(tx, "T1", SERVICE, prefix, most))

    assert names("che") == ("checkout", "checkout-api")
    assert names("") == ("chat", "checkout", "checkout-api", "search", "поиск")
    assert names("", most=2) == ("chat", "checkout")
    assert names("по") == ("поиск",)
    assert names("%") == ()
    assert store.read_now(lambda tx: facets_store.list_names(tx, "T2", SERVICE, "", 9)) == ()


def test_a_name_comes_with_the_channels_of_its_latest_incidents(store: Store) -> None:
    open_with(store, "CHECKOUT", channel="C-private")
    for number in range(facets_store.LATEST_USES - 1):
        open_with(store, "Checkout", channel=f"C{number}")
    (uses,) = store.read_now(lambda tx: facets_store.list_uses(tx, "T1", SERVICE, ["checkout", "nothing"]))
    assert len(uses.channels) == facets_store.LATEST_USES
    assert uses.spell(uses.channels) == "CHECKOUT"
    assert uses.spell(frozenset({"C3"})) == "Checkout"
    assert uses.spell(frozenset({"C999"})) == ""
    open_with(store, "checkout", channel="C-newest")
    (uses,) = store.read_now(lambda tx: facets_store.list_uses(tx, "T1", SERVICE, ["checkout"]))
    assert len(uses.channels) == facets_store.LATEST_USES
    assert "C-newest" in uses.channels
    assert "C-private" not in uses.channels


def test_the_incidents_of_a_name_are_listed_the_oldest_first(store: Store) -> None:
    first, _other, third = (
        open_with(store, "Checkout"),
        open_with(store, "search", channel="C2"),
        open_with(store, "checkout", channel="C3"),
    )
    assert store.read_now(partial(facets_store.list_with_name, team="T1", kind=SERVICE, name="CHECKOUT")) == (
        (first.id, "C1", "Checkout"),
        (third.id, "C3", "checkout"),
    )
