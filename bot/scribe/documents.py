"""The document that each form is written from."""

from dataclasses import dataclass
from datetime import datetime

from bot.errors import Refused
from bot.export import Exporter
from bot.export.own_rules import mask_apart
from bot.incident import postmortem
from bot.incident.document import Document
from bot.incident.exports import Order
from bot.incident.masking import Find, MaskRules
from bot.incident.records import Case, Incident
from storage import cases, histories, incidents
from storage.statements import Transaction
from storage.store import Store

COMPLETE = "json"
"""The form that tells everything: every wording, what was taken back, and the audit."""


def named(tx: Transaction, number: int, team: str) -> Incident:
    """INC-7 by its number; `team` may be empty where one workspace alone has it.

    Raises Refused where there is none, or several workspaces have it.
    """
    found = [incidents.by_number(tx, one, number) for one in ((team,) if team else incidents.teams(tx))]
    known = [incident for incident in found if incident is not None]
    if len(known) != 1:
        several = f"{len(known)} workspaces have INC-{number}: name one with --team."
        raise Refused(
            several if known else f"There is no INC-{number}. DATABASE_URL names the database that was asked."
        )
    return known[0]


def compiled(tx: Transaction, incident: Incident, form: str, now: datetime) -> Document:
    """The document of an incident as of `now`, with as much of the record as a form of `bot.export.FORMATS` tells."""
    is_complete = form == COMPLETE
    case = cases.load(tx, incident, with_files=True, with_audit=is_complete)
    if not is_complete:
        return postmortem.compile(case, now)
    return postmortem.compile(case, now, histories.load(tx, incident))


def masked(tx: Transaction, incident: Incident, rules: MaskRules, now: datetime) -> tuple[Document, tuple[Find, ...]]:
    """A copy for a wider circle, whatever its form: without files, history and audit; and what is masked in it."""
    return mask_apart(postmortem.compile(cases.load(tx, incident), now), rules)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A document that somebody ordered; `masked` counts the finds of a masked copy, `case` may lack entries."""

    case: Case
    document: Document
    masked: int | None


class Papers:
    """Compiles what is ordered, in the form that it is written in; it blocks, so call it in a thread."""

    def __init__(self, store: Store, rules: MaskRules) -> None:
        self._store = store
        self._rules = rules

    def compiled(self, incident: Incident, order: Order, now: datetime) -> Leaf:
        """The incident's document, as of `now`, with all that its form shows."""

        def look(tx: Transaction) -> Leaf:
            if order.masked:
                return self._masked(tx, incident, now)
            return Leaf(cases.glance(tx, incident, 1)[0], compiled(tx, incident, order.form, now), None)

        return self._store.read_now(look)

    def light(self, incident: Incident, order: Order, now: datetime) -> Leaf:
        """The same without what its files hold, and without history: for what shows neither."""

        def look(tx: Transaction) -> Leaf:
            if order.masked:
                return self._masked(tx, incident, now)
            case = cases.load(tx, incident)
            return Leaf(case, postmortem.compile(case, now), None)

        return self._store.read_now(look)

    def _masked(self, tx: Transaction, incident: Incident, now: datetime) -> Leaf:
        document, finds = masked(tx, incident, self._rules, now)
        return Leaf(cases.glance(tx, incident, 1)[0], document, len(finds))


def customers_draft(papers: Papers, exporter: Exporter, incident: Incident, now: datetime) -> str:
    """A masked copy's sections as Markdown, for a page of customers; without our table of facts. It blocks."""
    document = papers.light(incident, Order("markdown", "", "", masked=True), now).document
    regions = exporter.glance(document).shown.regions
    return "\n\n".join(text for region in regions for text in (region.heading, region.body) if text) + "\n"
