"""Retention: only what the operator says goes, only from incidents that are over, and it is written down."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from bot.domain.records import AttachmentState, Incident, PostmortemStatus, Status
from bot.policy import build_retention_rules
from bot.services.history import retention as retention_service
from bot.services.history.retention import Pruner, RetentionRules
from storage import attachments as attachments_store
from storage import audit as audit_store
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage import timeline as timeline_store
from storage.database.statements import Transaction
from storage.database.store import Store, open_store
from storage.deliveries import SendOutcome
from storage.history import chain as chain_store
from storage.queues import DeliveryState
from storage.tables import metadata
from tests.settings.test_settings import settings_of
from tests.support import full_incident
from tests.support.command_line import invoke
from tests.support.storage.sample_records import NOW, PLACE, entry
from tests.support.timeouts import PATIENT

OVER = NOW + timedelta(days=10)
LATER = OVER + timedelta(days=100)
FILES = RetentionRules(files=timedelta(days=90))
ALL = RetentionRules(incidents=timedelta(days=90))


def _incident(tx: Transaction, number: int = 2) -> Incident:
    found = incidents_store.find_by_number(tx, PLACE.team, number)
    assert found is not None
    return found


def _fill(tx: Transaction) -> None:
    """INC-2 with something of everything, published; INC-1, which it quotes, is still open."""
    full_incident.write(tx)
    incident = _incident(tx)
    deliveries_store.enqueue_message(tx, incident, {"text": "Published"}, NOW)
    for delivery in deliveries_store.due(tx, NOW, 99):
        deliveries_store.claim(tx, delivery, "me", NOW, NOW)
        deliveries_store.settle(tx, delivery, "me", SendOutcome(DeliveryState.SENT, NOW, "C1", "1.2"))
    over = replace(incident, status=Status.RESOLVED, resolved_at=OVER, published_at=OVER)
    incidents_store.save(tx, replace(over, postmortem_status=PostmortemStatus.PUBLISHED))


@pytest.fixture
def full_store(store: Store) -> Store:
    store.write_now(_fill)
    return store


def count(store: Store, table: str) -> int:
    with store.driver.engine().connect() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def test_files_and_messages_go_and_the_record_stays(full_store: Store) -> None:
    entries, messages = count(full_store, "entry"), count(full_store, "delivery")
    before = full_store.read_now(lambda tx: attachments_store.list_by_incident(tx, _incident(tx).id, with_content=True))
    assert any(file.content for file in before)
    assert messages > 0
    report = full_store.write_now(lambda tx: retention_service.prune(tx, FILES, LATER))
    assert report.leftovers["INC-2"]["files"] >= 1
    assert report.leftovers["INC-2"]["messages"] == messages
    assert report.erased == {}
    after = full_store.read_now(lambda tx: attachments_store.list_by_incident(tx, _incident(tx).id, with_content=True))
    assert [file.name for file in after] == [file.name for file in before]
    assert not any(file.content for file in after)
    assert "it was deleted 90 days after the incident" in [file.note for file in after]
    assert AttachmentState.STORED not in [file.state for file in after]
    assert (count(full_store, "entry"), count(full_store, "delivery")) == (entries, 0)
    (line,) = [
        line
        for line in full_store.read_now(lambda tx: audit_store.list_all(tx, _incident(tx).id))
        if line.verb == "retention.prune"
    ]
    assert f"{messages} messages" in line.what
    again = full_store.write_now(lambda tx: retention_service.prune(tx, FILES, LATER))
    assert (again.leftovers, again.erased) == ({}, {})


def test_a_whole_incident_goes_with_all_that_belongs_to_it_and_nothing_else(full_store: Store) -> None:
    with full_store.driver.engine().connect() as connection:
        one = connection.execute(text("SELECT id FROM incident WHERE number = 2")).scalar_one()
    heads = full_store.read_now(chain_store.list_heads)
    first = full_store.read_now(lambda tx: timeline_store.list_active(tx, _incident(tx, 1).id))
    report = full_store.write_now(lambda tx: retention_service.prune(tx, ALL, LATER))
    assert report.erased["INC-2"] > 30
    for table in metadata.sorted_tables:
        for name in {"incident_id", "other_id"} & set(table.c.keys()):
            if table.name == "erasure":
                continue
            with full_store.driver.engine().connect() as connection:
                left = connection.execute(text(f"SELECT count(*) FROM {table.name} WHERE {name} = {one}"))
                assert left.scalar_one() == 0, table.name
    assert full_store.read_now(lambda tx: timeline_store.list_active(tx, _incident(tx, 1).id)) == first
    verdict = chain_store.verify(full_store)
    assert verdict.faults == ()
    assert full_store.read_now(lambda tx: chain_store.find_lost_heads(tx, heads)) == ()  # the erasure explains it
    assert count(full_store, "history_exemption") == 0
    opened = full_store.write_now(
        lambda tx: incidents_store.open_new(tx, replace(PLACE, channel="C9"), "New", "U1", NOW)
    )
    assert opened.number == 3  # no key is given out twice


@pytest.mark.parametrize(
    ("change", "rules", "after"),
    [
        ({"status": Status.OPEN, "resolved_at": None}, ALL, timedelta(days=5_000)),
        ({"postmortem_status": PostmortemStatus.IN_REVIEW}, ALL, timedelta(days=5_000)),
        ({"postmortem_status": PostmortemStatus.OPEN}, FILES, timedelta(days=5_000)),
        ({}, ALL, timedelta(days=89)),
        ({}, FILES, timedelta(days=89)),
        ({}, RetentionRules(), timedelta(days=5_000)),
    ],
)
def test_what_is_not_over_or_not_due_is_left_alone(
    full_store: Store, change: dict[str, object], rules: RetentionRules, after: timedelta
) -> None:
    full_store.write_now(lambda tx: incidents_store.save(tx, replace(_incident(tx), **change)))  # type: ignore[arg-type]
    report = full_store.write_now(lambda tx: retention_service.prune(tx, rules, OVER + after))
    assert (report.leftovers, report.erased) == ({}, {})


def test_a_waived_postmortem_counts_from_the_resolution(full_store: Store) -> None:
    waived = {"postmortem_status": PostmortemStatus.WAIVED, "published_at": None}
    full_store.write_now(lambda tx: incidents_store.save(tx, replace(_incident(tx), **waived)))  # type: ignore[arg-type]
    assert "INC-2" in full_store.write_now(lambda tx: retention_service.prune(tx, ALL, LATER)).erased


async def test_a_running_bot_prunes_hourly(full_store: Store) -> None:
    pruner = Pruner(full_store, FILES)
    await pruner.prune_if_due(OVER)
    assert count(full_store, "delivery") > 0
    await pruner.prune_if_due(OVER + timedelta(minutes=30))
    await pruner.prune_if_due(LATER)
    assert count(full_store, "delivery") == 0


def test_the_command_lists_first_and_deletes_on_demand(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    store = open_store(database_url, timeouts=PATIENT)
    store.write_now(_fill)
    store.close()
    now = ("--now", LATER.isoformat())
    assert "Nothing is due." in invoke("prune", *now).stderr
    monkeypatch.setenv("AFTERWORD_RETENTION_INCIDENT_DAYS", "90")
    dry = invoke("prune", "--dry-run", *now)
    assert "INC-2: the whole incident, " in dry.stdout
    assert invoke("prune", "--dry-run", *now).stdout == dry.stdout
    assert invoke("prune", *now).stdout == dry.stdout
    assert "Nothing is due." in invoke("prune", *now).stderr


def test_off_unless_the_operator_says_so() -> None:
    assert build_retention_rules(settings_of()) == RetentionRules()
    assert build_retention_rules(settings_of(AFTERWORD_RETENTION_DAYS="30")).files == timedelta(days=30)
    assert entry().text
