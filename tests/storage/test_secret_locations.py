"""The same words in other incidents, whatever they stand in, on both databases."""

from dataclasses import replace

from bot.domain.records import Incident, Place
from bot.domain.secrets import RecordKind, locate
from bot.domain.sections import EditOrigin
from storage import actions as actions_store
from storage import edited_sections as edited_sections_store
from storage import incidents as incidents_store
from storage import secrets as secrets_store
from storage import sections as sections_store
from storage import timeline as timeline_store
from storage import whys as whys_store
from storage.actions import NewAction
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.edited_sections import NewEdit
from storage.timeline import NewEntry
from tests.support.storage.sample_records import NOW, opened

SECRET = "hunter" + "2-of-demo"


def holding(tx: Transaction, place: Place) -> Incident:
    """An incident in which everything that can hold it does, some of it in a wording that stands no more."""
    incident = opened(tx, place, f"about {SECRET}")
    incidents_store.save(tx, replace(incident, postmortem_reason=f"only {SECRET}"))
    timeline_store.add(tx, incident.id, 4, NewEntry(NOW, f"it is {SECRET}", "U1", "U1", NOW))
    why = whys_store.add(tx, incident.id, None, f"because of {SECRET}", "U1", NOW)
    whys_store.amend(tx, replace(why, text="because"), "edited", "U1", NOW)
    sections_store.save(tx, incident.id, "fault", f"see {SECRET}", "U1", NOW)
    sections_store.save(tx, incident.id, "fault", "see there", "U1", NOW)
    link = f"https://demo.example/?key={SECRET}"
    actions_store.add(tx, incident.id, NewAction(f"change {SECRET}", None, None, None, link, "U1", NOW))
    text = NewEdit("leadup", EditOrigin.EDITED, f"By {SECRET}.", "f" * 12, 0, "U1", "file", NOW)
    edited_sections_store.add(tx, incident.id, text)
    return incident


def test_every_noun_and_wording_is_found_in_the_workspaces_other_incidents_only(store: Store) -> None:
    own, other = (store.write_now(lambda tx, c=channel: holding(tx, Place("T1", c))) for channel in ("C1", "C2"))  # type: ignore[misc]
    store.write_now(lambda tx: holding(tx, Place("T2", "C3")))
    ((incident, found),) = store.read_now(lambda tx: secrets_store.find_in_other_incidents(tx, own, "hunter2"))
    assert incident.key == other.key
    assert sorted((one.subject.noun, one.subject.which, one.part) for one in found) == [
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
