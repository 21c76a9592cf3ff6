"""An incident with something of everything that the record can hold, written as the bot writes it."""

from dataclasses import replace
from datetime import date, datetime, timedelta

from bot.domain.facets import Facet, FacetKind
from bot.domain.outline import Outline
from bot.domain.policy import SeverityPolicy
from bot.domain.records import (
    ActionKind,
    ActionStatus,
    AttachmentState,
    EditOrigin,
    Incident,
    Milestone,
    Person,
    PostmortemStatus,
    Status,
)
from bot.domain.reminders import ReminderRules
from bot.domain.sections import SECTIONS, Section
from bot.export import Exporter
from bot.services.documents import compiler as compiler_service
from storage import actions as actions_store
from storage import attachments as attachments_store
from storage import audit as audit_store
from storage import facets as facets_store
from storage import incidents as incidents_store
from storage import people as people_store
from storage import search as search_store
from storage import timeline as timeline_store
from storage import whys as whys_store
from storage.actions import NewAction
from storage.attachments import ClaimedAttachment, NewAttachment
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.postmortem import sections as sections_store
from storage.postmortem.sections import NewEdit
from storage.timeline import NewEntry
from tests.support.storage.sample_records import NOW, PLACE, open_incident

EXPORTER = Exporter()
LATER = NOW + timedelta(days=10)
RULES = ReminderRules()
POLICY = SeverityPolicy(
    "sev2",
    after_resolution=(timedelta(hours=24), timedelta(hours=48)),
    weeks=4,
    also=("lead", "#incidents"),
    sections=("summary",),
    due=(("mitigate", timedelta(days=7)),),
    rest_hours=(20, 8),
    rest_days=(5, 6),
    owner="opener",
    is_chosen=True,
)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
SECRET = "hunter2-of-" + "demo"


def second(count: int) -> datetime:
    return NOW + timedelta(seconds=count)


def note(text: str, count: int, who: str = "U1", **more: object) -> NewEntry:
    new = NewEntry(second(count), text, who, who, second(count + 30))
    return replace(new, **more)  # type: ignore[arg-type]


def write(tx: Transaction) -> Incident:
    """INC-2 of the workspace, which was compared with INC-1."""
    for user, name in (("U1", "Ana Demo"), ("U2", "Bo Demo"), ("S1", "@storage")):
        people_store.save(tx, Person(PLACE.team, user, name, "Europe/Berlin"))
    past = open_incident(tx, replace(PLACE, channel="C0"), "Long ago")
    incident = open_incident(tx, title="Checkout <fails> \u202e& burns")
    _timeline(tx, incident)
    _whys(tx, incident)
    _parts(tx, incident)
    _links(tx, incident)
    _add_edits(tx, incident)
    facets_store.add(tx, incident, Facet(FacetKind.SERVICE, "Checkout API", "U2", second(899)))
    facets_store.add(tx, incident, Facet(FacetKind.TAG, "database", "U2", second(899)))
    search_store.add_verdict(tx, incident.id, past.id, "U9", second(900), is_same=True)
    audit_store.add_lines(tx, "U2", "recall.judge", "Ev" + "0DEMO", second(900))
    after = replace(
        incident,
        status=Status.RESOLVED,
        severity=2,
        lead="U1",
        resolved_by="U2",
        resolved_at=second(600),
        postmortem_status=PostmortemStatus.IN_REVIEW,
        postmortem_owner="U2",
        channel_name="inc-checkout",
        outline=Outline("own", "Own form", (*SECTIONS, Section("costs", "Costs", "What did it cost?"))),
        policy=POLICY,
    )
    incidents_store.save(tx, after)
    return after


def _timeline(tx: Transaction, incident: Incident) -> None:
    def add(new: NewEntry, change: str = "added"):  # type: ignore[no-untyped-def]
        return timeline_store.add(tx, incident.id, incidents_store.take_entry_number_in(tx, incident.id), new, change)

    add(note("Errors climb", 0, milestone=Milestone.IMPACT_STARTED, approximate=True, ended_at=second(200)))
    edited = add(note("Failed over", 120))
    timeline_store.amend(
        tx, replace(edited, text="Failed over to replica", happened_at=second(110)), "edited", "U2", second(200)
    )
    struck = add(note("Wrong channel, sorry", 130, "U2", source="C1:17.3"), "marked")
    attachments_store.enqueue(
        tx, struck.id, NewAttachment("cat.png", "image/png", 12, "https://files.slack.com/c"), NOW
    )
    timeline_store.amend(tx, replace(struck, struck=True), "struck", "U2", second(210))
    captured = add(
        note(
            "See the graph",
            140,
            "U3",
            recorder="U1",
            source="C1:17.4",
            source_change="edited",
            permalink="https://a.example/p",
        ),
        "marked",
    )
    attachments_store.enqueue(
        tx, captured.id, NewAttachment('g"><b>.png', "image/png", 3, "https://files.slack.com/a"), NOW
    )
    attachments_store.enqueue(
        tx, captured.id, NewAttachment("dump.bin", "", 3, "https://files.slack.com/b", "it is no picture"), NOW
    )
    for claimed in attachments_store.claim(tx, "process 1", NOW, timedelta(minutes=1), 9):
        _keep(tx, claimed)
    secret = add(note(f"logged in with {SECRET}", 150))
    timeline_store.redact(tx, secret, lambda text: text.replace(SECRET, "[redacted]"), "U1", second(220))
    for count in range(3):  # pasted: all at one moment
        add(note(f"pasted {count}", 300, recorded_at=second(400)))
    add(note("Over", 600, "U2", milestone=Milestone.RESOLVED))


def _keep(tx: Transaction, claimed: ClaimedAttachment) -> None:
    if claimed.attachment.name.startswith("g"):
        stored = replace(
            claimed.attachment, state=AttachmentState.STORED, media_type="image/png", size=len(PNG), content=PNG
        )
        attachments_store.settle(tx, stored, "process 1", NOW)


def _whys(tx: Transaction, incident: Incident) -> None:
    first = whys_store.add(tx, incident.id, None, "The pool was full, see #2", "U1", second(700))
    second_ = whys_store.add(tx, incident.id, first.number, "Nobody looked", "U2", second(710))
    third = whys_store.add(tx, incident.id, second_.number, "The alarm was off", "U2", second(720))
    whys_store.add(tx, incident.id, first.number, "The load test was small", "U1", second(730))
    whys_store.amend(tx, replace(second_, struck=True), "struck", "U1", second(740))
    whys_store.amend(tx, replace(third, is_root=True), "root", "U2", second(750))


def _parts(tx: Transaction, incident: Incident) -> None:
    for slug, text, who, count in (
        ("summary", "It broke.\nIt was mended.", "U1", 800),
        ("fault", "first", "U1", 801),
        ("fault", "second", "U2", 802),
        ("leadup", "withdrawn", "U4", 803),
        ("leadup", "", "U4", 804),
    ):
        sections_store.save(tx, incident.id, slug, text, who, second(count))
    new = NewAction("Pool per process", "U1", date(2026, 11, 24), second(100_000), "", "U2", second(810))
    actions_store.add(tx, incident.id, new)
    for text, status, reason, hold in (
        ("Load test", ActionStatus.DONE, "", "held"),
        ("Alarm", ActionStatus.DONE, "", ""),
        ("Rewrite it", ActionStatus.DROPPED, "too large", ""),
    ):
        made = actions_store.add(
            tx, incident.id, replace(new, text=text, owner="S1", kind=ActionKind.PREVENT, link="https://b.example/1")
        )
        actions_store.save(tx, replace(made, status=status, reason=reason, held=hold, closed_at=second(5000)))
    actions_store.add(tx, incident.id, replace(new, text="Some day", owner=None, due_on=None, overdue_at=None))
    audit_store.add_lines(tx, "U1", "actions.add", "Ev" + "1DEMO", second(810))


def _links(tx: Transaction, incident: Incident) -> None:
    """Two actions for the third why, and one of them for the second too, which is struck."""
    made = actions_store.list_all(tx, incident.id)
    every = whys_store.list_all(tx, incident.id)
    for why, action in ((every[2], made[2]), (every[2], made[0]), (every[1], made[0])):
        whys_store.link(tx, why, action)


def _add_edits(tx: Transaction, incident: Incident) -> None:
    edit = NewEdit(
        "fault", EditOrigin.EDITED, "By *hand* \u202e<b>\n\n- one", "0123456789ab", 0, "U2", "file", second(820)
    )
    sections_store.add_edit(tx, incident.id, edit)
    by_name = replace(edit, markdown="", facts="", author="Dana from support", draft="2026-11-23T12:00:00Z")
    sections_store.add_edit(tx, incident.id, by_name)
    sections_store.add_edit(tx, incident.id, replace(edit, section="customers", author="", source="canvas"))
    for change in (EditOrigin.EDITED, EditOrigin.CHOSEN, EditOrigin.GIVEN_UP):
        sections_store.add_edit(
            tx, incident.id, replace(edit, section="leadup", change=change, author="U1", source="slack", seen=1)
        )
    audit_store.add_lines(tx, "U1", "drafts.keep", "Ev" + "2DEMO", second(830))


def export_incident(store: Store, key: int = 2, form: str = "json", team: str = PLACE.team) -> bytes:
    """The incident in a form, as of `LATER`."""

    def look(tx: Transaction):  # type: ignore[no-untyped-def]
        incident = incidents_store.find_by_number(tx, team, key)
        assert incident is not None
        return compiler_service.compile_document(tx, incident, form, LATER)

    return EXPORTER.render(store.read_now(look), form)
