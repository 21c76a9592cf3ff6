"""Services and tags in the database: one spelling each, found by their beginning, and with what people may see."""

from dataclasses import replace
from functools import partial

from bot.domain.facets import Facet, FacetKind, FacetName
from bot.domain.readers import Sight
from bot.domain.records import AuditLine, Incident, Status
from storage import audit as audit_store
from storage import channels as channels_store
from storage import facets as facets_store
from storage import incidents as incidents_store
from storage.database.statements import Transaction
from storage.database.store import Store
from tests.support.storage.sample_records import NOW, PLACE, open_incident

SERVICE, TAG = FacetKind.SERVICE, FacetKind.TAG
ALL = Sight("T1", channels=frozenset({"C1", "C2", "C3"}))


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

    def names(prefix: str, most: int = 9, sight: Sight = ALL) -> tuple[str, ...]:
        return store.read_now(lambda tx: facets_store.list_names(tx, SERVICE, prefix, sight, most))

    assert names("Che") == ("Checkout", "checkout-api")
    assert names("") == ("Chat", "Checkout", "checkout-api", "search", "поиск")
    assert names("", most=2) == ("Chat", "Checkout")
    assert names("ПО") == ("поиск",)
    assert names("%") == ()
    assert names("", sight=Sight("T2", public=True, channels=frozenset({"C1"}))) == ()


def test_a_name_is_found_and_spelled_as_far_as_one_sees(store: Store) -> None:
    open_with(store, "CHECKOUT", "Secret-Merger", channel="C1")
    open_with(store, "Checkout", channel="C2")
    open_with(store, "checkout", channel="C3")
    store.write_now(lambda tx: channels_store.save_privacy(tx, "T1", {"C1": True, "C2": False}, NOW))
    for sight, names, count in (
        (Sight("T1", public=True), ("Checkout",), 1),
        (Sight("T1", public=True, channels=frozenset({"C1"})), ("CHECKOUT", "Secret-Merger"), 2),
        (Sight("T1", channels=frozenset({"C3"})), ("checkout",), 1),
        (Sight("T1"), (), 0),
        (Sight("T2", public=True), (), 0),
    ):
        assert store.read_now(partial(facets_store.list_names, kind=SERVICE, prefix="", sight=sight, most=9)) == names
        count_of = partial(facets_store.count_in_sight, kind=SERVICE, name="checkout", sight=sight)
        assert store.read_now(count_of) == count
        spell = partial(facets_store.find_spelling, kind=SERVICE, name="cHeckout", sight=sight)
        assert store.read_now(spell) == (names[0] if names else "")


def test_renaming_reaches_every_incident_and_leaves_one_name(store: Store) -> None:
    first = open_with(store, "checkout", "search")
    both = open_with(store, "Checkout-API", "CHECKOUT", channel="C2")
    tagged = open_with(store, "checkout", channel="C3", kind=TAG)
    line = AuditLine(NOW, "U1", "facets.rename", "service checkout is now checkout-api", "key")
    store.write_now(partial(facets_store.rename, team="T1", kind=SERVICE, names=("Checkout", "checkout-api"), by=line))
    found = store.read_now(partial(facets_store.list_by_incidents, incident_ids=[first.id, both.id, tagged.id]))
    assert {row: [facet.name for facet in facets] for row, facets in found.items()} == {
        first.id: ["checkout-api", "search"],
        both.id: ["Checkout-API"],
        tagged.id: ["checkout"],
    }
    for incident, lines in ((first, 1), (both, 1), (tagged, 0)):
        assert len(store.read_now(partial(audit_store.list_all, incident_id=incident.id))) == lines
    assert [one.id for one in store.read_now(partial(facets_store.list_unresolved, team="T1", kind=SERVICE,
                                                     name="checkout-api"))] == [first.id, both.id]  # fmt: skip


def test_another_case_is_another_spelling_of_the_same_name(store: Store) -> None:
    incident = open_with(store, "checkout")
    line = AuditLine(NOW, "U1", "facets.rename", "", "")
    store.write_now(partial(facets_store.rename, team="T1", kind=SERVICE, names=("checkout", "Checkout"), by=line))
    (facet,) = store.read_now(partial(facets_store.list_by_incident, incident_id=incident.id))
    assert facet.name == "Checkout"


def test_incidents_are_listed_by_all_of_several_names(store: Store) -> None:
    first = open_with(store, "checkout", "search", channel="C1")
    second = open_with(store, "Checkout", channel="C2")
    open_with(store, "search", channel="C3")
    store.write_now(lambda tx: facets_store.add(tx, second, Facet(TAG, "pool", "U1", NOW)))
    resolved = replace(second, status=Status.RESOLVED, resolved_at=NOW)
    store.write_now(lambda tx: incidents_store.save(tx, resolved))

    def numbers(*names: FacetName, most: int = 9) -> list[int]:
        found = store.read_now(partial(facets_store.list_incidents, team="T1", names=names, most=most))
        return [incident.number for incident in found]

    checkout, search, pool = FacetName(SERVICE, "checkout"), FacetName(SERVICE, "search"), FacetName(TAG, "POOL")
    assert numbers(checkout) == [first.number, second.number]
    assert numbers(checkout, most=1) == [first.number]
    assert numbers(pool, checkout) == [second.number]
    assert numbers(checkout, search) == [first.number]
    assert numbers(search, pool) == []
    assert numbers(FacetName(TAG, "checkout")) == []


def test_a_forgotten_person_is_in_no_name(store: Store) -> None:
    incident = open_with(store, "ana demo's shop", "checkout", "Banana Demonstration")
    gone = store.write_now(partial(facets_store.forget, name="Ana Demo", pseudonym="Person 3f2a1c"))
    assert gone == {incident.id}
    left = store.read_now(partial(facets_store.list_by_incident, incident_id=incident.id))
    assert [facet.name for facet in left] == ["checkout", "Banana Demonstration"]
