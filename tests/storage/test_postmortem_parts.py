"""What a postmortem is made of besides the timeline, on both databases."""

from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

from bot.domain.records import Action, ActionStatus, Person, Place
from storage import actions as actions_store
from storage import case as case_store
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage import people as people_store
from storage import whys as whys_store
from storage.actions import NewAction
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.deliveries import InboxReply
from storage.postmortem import sections as sections_store
from tests.support.storage.sample_records import NOW, PLACE, minutes, noting, open_incident


def action(
    store: Store, incident_id: int, text: str = "Add an index", owner: str | None = "U1", overdue: float = 1
) -> Action:
    new = NewAction(text, owner, date(2026, 11, 22), NOW - minutes(overdue), "https://demo.example/1", "U2", NOW)
    return store.write_now(lambda tx: actions_store.add(tx, incident_id, new))


def test_whys_are_numbered_branched_saved_and_struck(store: Store, incident_id: int) -> None:
    first = store.write_now(lambda tx: whys_store.add(tx, incident_id, None, "The pool was full", "U1", NOW))
    second = store.write_now(lambda tx: whys_store.add(tx, incident_id, 1, "A query was slow", "U2", NOW))
    branch = store.write_now(lambda tx: whys_store.add(tx, incident_id, 1, "A retry storm", "U2", NOW))
    assert [(why.number, why.parent) for why in (first, second, branch)] == [(1, None), (2, 1), (3, 1)]
    root = replace(second, text="An index was missing", is_root=True)
    store.write_now(lambda tx: whys_store.save(tx, root))
    store.write_now(lambda tx: whys_store.save(tx, replace(branch, struck=True)))
    assert store.read_now(lambda tx: whys_store.list_chain(tx, incident_id)) == (first, root)


def test_a_why_may_have_several_actions_and_an_action_several_whys(store: Store, incident_id: int) -> None:
    first, second = action(store, incident_id), action(store, incident_id, "Alert on it")
    store.write_now(lambda tx: whys_store.add(tx, incident_id, None, "The pool was full", "U1", NOW))
    store.write_now(lambda tx: whys_store.add(tx, incident_id, 1, "Nobody saw it", "U1", NOW))

    def link(tx: Transaction, number: int, about: Action) -> None:
        whys_store.link(tx, whys_store.list_chain(tx, incident_id)[number - 1], about)

    for number, about in ((1, second), (1, first), (2, second), (2, second)):
        store.write_now(partial(link, number=number, about=about))
    assert [why.actions for why in store.read_now(lambda tx: whys_store.list_chain(tx, incident_id))] == [(1, 2), (2,)]


def test_the_last_saving_of_a_section_counts_and_the_others_are_kept(store: Store, incident_id: int) -> None:
    for slug, text in (("fault", "A leak"), ("leadup", "A release"), ("fault", "A slow leak"), ("leadup", "")):
        store.write_now(
            partial(sections_store.save, incident_id=incident_id, slug=slug, text=text, author="U1", now=NOW)
        )
    latest = store.read_now(lambda tx: sections_store.list_latest(tx, incident_id))
    assert {slug: (record.text, record.version) for slug, record in latest.items()} == {"fault": ("A slow leak", 2)}
    history = store.read_now(lambda tx: sections_store.list_versions_of(tx, incident_id, "fault"))
    assert [(record.text, record.author, record.saved_at) for record in history] == [
        ("A leak", "U1", NOW),
        ("A slow leak", "U1", NOW),
    ]


def test_an_action_is_numbered_read_back_and_closed(store: Store, incident_id: int) -> None:
    first, second = action(store, incident_id), action(store, incident_id, "Alert on it", None)
    assert (first.number, first.status, first.due_on) == (1, ActionStatus.OPEN, date(2026, 11, 22))
    done = replace(first, status=ActionStatus.DROPPED, reason="Bought a bigger one", closed_at=NOW, due_on=None)
    store.write_now(lambda tx: actions_store.save(tx, done))
    assert store.read_now(lambda tx: actions_store.list_all(tx, incident_id)) == (done, second)
    assert store.read_now(lambda tx: actions_store.find(tx, first.id)) == done
    assert store.read_now(lambda tx: actions_store.find(tx, 99)) is None


def test_overdue_is_what_is_open_and_past_its_day_with_the_longest_first(store: Store, incident_id: int) -> None:
    short, long = action(store, incident_id, overdue=0), action(store, incident_id, overdue=90)
    action(store, incident_id, "Not yet", overdue=-1)
    action(store, incident_id, "Nobody's", None)
    closed = action(store, incident_id, "Done", "U3")
    store.write_now(lambda tx: actions_store.save(tx, replace(closed, status=ActionStatus.DONE, closed_at=NOW)))
    foreign = store.write_now(lambda tx: open_incident(tx, Place("T2", "C1")))
    action(store, foreign.id)
    owed = store.read_now(lambda tx: actions_store.list_overdue_of(tx, "T1", "U1", NOW))
    assert [found.action for found in owed] == [long, short]
    assert {found.incident.id for found in owed} == {incident_id}
    assert sorted(store.read_now(lambda tx: actions_store.list_overdue_owners(tx, NOW))) == [("T1", "U1"), ("T2", "U1")]
    assert store.read_now(lambda tx: actions_store.list_overdue_owners(tx, NOW - minutes(100))) == ()


def test_a_person_is_kept_as_last_seen(store: Store) -> None:
    ana = Person("T1", "U1", "Ana Demo", "Europe/Berlin")
    moved = replace(ana, name="Ana D.", zone="Asia/Tokyo", is_guest=True)
    foreign = Person("T2", "U1", "Ben Demo", "", is_bot=True, is_deactivated=True)
    for person in (ana, foreign, moved):
        store.write_now(partial(people_store.save, person=person))
    assert set(store.read_now(people_store.list_all)) == {moved, foreign}
    assert store.read_now(lambda tx: people_store.find(tx, "T2", "U1")) == foreign
    assert store.read_now(lambda tx: people_store.find(tx, "T2", "U2")) is None


def test_a_delivery_of_slack_is_remembered_with_its_reply_until_it_cannot_be_repeated(store: Store) -> None:
    for key, age in (("old", 90), ("new", 10)):
        store.write_now(
            partial(deliveries_store.store_reply, key=key, reply_text=f"reply to {key}", now=NOW - minutes(age))
        )
    assert store.read_now(lambda tx: deliveries_store.find_reply(tx, "old")) == InboxReply("reply to old")
    assert store.read_now(lambda tx: deliveries_store.find_reply(tx, "never")) is None
    assert store.write_now(lambda tx: deliveries_store.prune_replies(tx, NOW - minutes(60))) == 1
    assert store.read_now(lambda tx: deliveries_store.find_reply(tx, "old")) is None
    assert store.read_now(lambda tx: deliveries_store.find_reply(tx, "new")) == InboxReply("reply to new")


def test_a_case_is_the_whole_record_of_one_incident_and_of_no_other(store: Store, incident_id: int) -> None:
    elsewhere = Place("T1", "C2")
    other = store.write_now(lambda tx: open_incident(tx, elsewhere))
    for place, number in ((Place("T1", "C1"), incident_id), (elsewhere, other.id)):
        store.write_now(noting(f"entry {number}", place))
        values: dict[str, Any] = {"incident_id": number, "author": "U1", "now": NOW}
        store.write_now(partial(whys_store.add, parent=None, text=f"why {number}", **values))
        store.write_now(partial(sections_store.save, slug="fault", text=f"fault {number}", **values))
        action(store, number, f"action {number}")
    store.write_now(lambda tx: people_store.save(tx, Person("T1", "U1", "Ana Demo")))
    case = store.read_now(lambda tx: case_store.load(tx, other))
    assert case.incident == other
    assert [record.text for record in case.entries] == [f"entry {other.id}"]
    assert [record.text for record in case.whys] == [f"why {other.id}"]
    assert {slug: record.text for slug, record in case.sections.items()} == {"fault": f"fault {other.id}"}
    assert [record.text for record in case.actions] == [f"action {other.id}"]
    assert case.name("U1") == "Ana Demo"


async def test_every_wording_of_a_why_stays_and_cannot_be_changed(store: Store) -> None:
    incident = await store.write(open_incident)
    why = await store.write(lambda tx: whys_store.add(tx, incident.id, None, "the pool", "U1", NOW))
    after = await store.write(lambda tx: whys_store.amend(tx, replace(why, text="a full pool"), "edited", "U2", NOW))
    assert after.version == 2
    record = await store.read(lambda tx: whys_store.list_versions(tx, why.id))
    assert [(one.version, one.change, one.text, one.changed_by) for one in record] == [
        (1, "added", "the pool", "U1"),
        (2, "edited", "a full pool", "U2"),
    ]
    assert await store.read(lambda tx: whys_store.list_chain(tx, incident.id)) == (after,)


async def test_what_explained_a_struck_why_explains_the_one_above_and_every_one_can_be_read(store: Store) -> None:
    incident = await store.write(open_incident)

    def three(tx: Transaction) -> None:
        for parent in (None, 1, 2):
            why = whys_store.add(tx, incident.id, parent, "because", "U1", NOW)
            if why.number == 2:
                whys_store.amend(tx, replace(why, struck=True), "struck", "U1", NOW)

    await store.write(three)
    chain = await store.read(lambda tx: whys_store.list_chain(tx, incident.id))
    assert [(why.number, why.parent) for why in chain] == [(1, None), (3, 1)]
    every = await store.read(lambda tx: whys_store.list_all(tx, incident.id))
    assert [(why.number, why.parent, why.struck) for why in every] == [(1, None, False), (2, 1, True), (3, 2, False)]


async def test_the_thread_of_the_whys_finds_its_incident_in_its_channel_only(store: Store) -> None:
    incident = await store.write(open_incident)
    assert await store.read(lambda tx: incidents_store.read_whys_thread(tx, incident.id)) == ""
    await store.write(lambda tx: incidents_store.save_whys_thread(tx, incident.id, "1795437000.000003"))
    found = await store.read(lambda tx: incidents_store.find_by_whys_thread(tx, PLACE, "1795437000.000003"))
    assert found is not None
    assert found.id == incident.id
    other = Place(PLACE.team, "C2")
    assert await store.read(lambda tx: incidents_store.find_by_whys_thread(tx, other, "1795437000.000003")) is None
