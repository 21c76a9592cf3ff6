"""What the library's pages hold: lists of incidents, one postmortem with what came of it, and what a feed has.

Everything is asked within a reader's sight, in the statement itself, so nothing that they may not see is ever counted.
These functions read in the calling thread: call them in one that may block.
"""

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, replace
from datetime import datetime, timedelta

from bot.domain import facets as facets_rules
from bot.domain import postmortem as postmortem_rules
from bot.domain import similarity as similarity_rules
from bot.domain.facets import FacetKind
from bot.domain.library import NO_ACTIONS, STAGES, LibraryFilters, OpenActions, ShelfCursor, Stage, find_stage
from bot.domain.readers import Sight
from bot.domain.records import ActionStatus, Case, Incident
from bot.domain.text import capitalize_title, flatten, format_count, shorten, strip_code_marks
from bot.export import Exporter
from storage import case as case_store
from storage import facets as facets_store
from storage import incidents as incidents_store
from storage import library as library_store
from storage import people as people_store
from storage import search as search_store
from storage import timeline as timeline_store
from storage.database.statements import Transaction
from storage.search import LATEST, SearchQuery

PAGE = 25
"""Incidents of a page."""

MOST_FOUND = 50
"""Incidents that a search shows: who does not find it among them needs another word."""

MOST_SIMILAR = 5
_CANDIDATES = 50
_LONGEST_CAUSE = 220
_LONGEST_TITLE = 200


@dataclass(frozen=True, slots=True)
class ShelfRow:
    """An incident in a list, as its page and its templates need it. Texts are plain."""

    key: str
    title: str
    severity: str
    stage: Stage
    opened_at: datetime
    published_at: datetime | None
    cause: str = ""
    lasted: timedelta | None = None
    owner: str = ""
    owner_id: str = ""
    actions: OpenActions = NO_ACTIONS
    services: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    is_same: bool = False

    @property
    def stage_name(self) -> str:
        """The stage as people read it."""
        return STAGES[self.stage]


@dataclass(frozen=True, slots=True)
class Shelf:
    """One page of a list. `after` begins the next one. `is_cut` says that older incidents were not looked at yet.

    `is_any`: no incident has all the words, so these have some of them.
    """

    rows: tuple[ShelfRow, ...]
    after: ShelfCursor | None = None
    is_cut: bool = False
    is_any: bool = False
    has_more: bool = False


def list_shelf(
    tx: Transaction, sight: Sight, filters: LibraryFilters, before: ShelfCursor | None, now: datetime
) -> Shelf:
    """The incidents that the filters want: by words the best first, else the newest first."""
    if not filters.terms:
        page = library_store.list_page(tx, sight, filters, before, now, PAGE)
        rows = make_rows(tx, page.incidents, now)
        return Shelf(rows, page.after, page.is_cut, has_more=page.after is not None)
    found = library_store.find_page(tx, sight, filters, now, MOST_FOUND)
    is_any = not found.incidents and len(filters.terms) > 1
    if is_any:
        found = library_store.find_page(tx, sight, filters, now, MOST_FOUND, is_any=True)
    rows = make_rows(tx, found.incidents, now)
    return Shelf(rows, is_cut=found.is_cut, is_any=is_any and bool(rows), has_more=found.has_more)


def list_published(tx: Transaction, sight: Sight, now: datetime, most: int) -> tuple[ShelfRow, ...]:
    """The incidents whose postmortems are published, the newest incident first."""
    filters = LibraryFilters(stage=Stage.PUBLISHED)
    return make_rows(tx, library_store.list_page(tx, sight, filters, None, now, most).incidents, now)


def make_rows(tx: Transaction, incidents: Sequence[Incident], now: datetime) -> tuple[ShelfRow, ...]:
    """The rows of these incidents, in their order, with a fixed number of statements."""
    if not incidents:
        return ()
    ids = [incident.id for incident in incidents]
    actions = library_store.count_open_actions(tx, ids, now)
    causes = library_store.list_causes(tx, ids)
    facets = facets_store.list_by_incidents(tx, ids)
    spans = timeline_store.measure_spans(tx, incidents)
    owners = {incident.postmortem_owner for incident in incidents if incident.postmortem_owner}
    people = people_store.find_all(tx, incidents[0].team, owners)
    return tuple(
        replace(
            _make_row(incident),
            cause=shorten(flatten(strip_code_marks(causes.get(incident.id, ""))), _LONGEST_CAUSE),
            lasted=spans[incident.id].length,
            owner=people[incident.postmortem_owner].name if incident.postmortem_owner in people else "",
            owner_id=incident.postmortem_owner or "",
            actions=actions.get(incident.id, NO_ACTIONS),
            services=facets_rules.list_names(facets.get(incident.id, ()), FacetKind.SERVICE),
            tags=facets_rules.list_names(facets.get(incident.id, ()), FacetKind.TAG),
        )
        for incident in incidents
    )


def _make_row(incident: Incident) -> ShelfRow:
    title = capitalize_title(flatten(strip_code_marks(incident.title))) or "Untitled"
    return ShelfRow(
        incident.key,
        shorten(title, _LONGEST_TITLE),
        incident.severity_name,
        find_stage(incident),
        incident.opened_at,
        incident.published_at,
    )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an incident's actions, in numbers."""

    total: int = 0
    done: int = 0
    open: int = 0
    overdue: int = 0
    dropped: int = 0
    proved: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class PostmortemView:
    """A postmortem as a page of the library; `article` is safe HTML."""

    row: ShelfRow
    article: str
    outcome: Outcome
    similar: tuple[ShelfRow, ...]
    slack: str
    compiled_at: datetime | None
    channel: str


def exists(tx: Transaction, sight: Sight, number: int) -> bool:
    """Whether an incident is in sight."""
    return library_store.find_visible(tx, sight, number) is not None


def read_page(tx: Transaction, exporter: Exporter, sight: Sight, number: int, now: datetime) -> PostmortemView | None:
    """The page of an incident; None if there is none, or it is out of sight: the answer does not tell which."""
    incident = library_store.find_visible(tx, sight, number)
    if incident is None:
        return None
    case = case_store.load(tx, incident)
    document = postmortem_rules.compile_document(case, now)
    (row,) = make_rows(tx, [incident], now)
    similar = list_similar(tx, sight, incident)
    article = exporter.write_article(document)
    return PostmortemView(
        row, article, sum_up_actions(case, now), similar, incident.channel_link, now, incident.channel
    )


def sum_up_actions(case: Case, now: datetime) -> Outcome:
    """What came of the actions of an incident."""
    still = [action for action in case.actions if action.status is ActionStatus.OPEN]
    return Outcome(
        total=len(case.actions),
        done=sum(action.status is ActionStatus.DONE for action in case.actions),
        open=len(still),
        overdue=sum(action.overdue_at is not None and action.overdue_at <= now for action in still),
        dropped=sum(action.status is ActionStatus.DROPPED for action in case.actions),
        proved=sum(action.held == "held" for action in case.actions),
        failed=sum(action.held == "came back" for action in case.actions),
    )


def describe_outcome(outcome: Outcome) -> str:
    """The same in a sentence or two."""
    total, verb = format_count(outcome.total, "action"), "is" if outcome.done == 1 else "are"
    parts = [f"{outcome.done or 'None'} of {total} {verb} done"]
    if outcome.done == outcome.total:
        parts = ["All actions are done" if outcome.total > 1 else "Its action is done"]
    if outcome.open:
        late = "all overdue" if outcome.overdue == outcome.open else f"{outcome.overdue} of them overdue"
        parts.append(f"{outcome.open} open{', ' + late if outcome.overdue else ''}")
    if outcome.dropped:
        parts.append(f"{outcome.dropped} dropped")
    lines = ["; ".join(parts) + "."]
    if outcome.proved:
        lines.append(f"{outcome.proved} held.")
    if outcome.failed:
        lines.append(f"After {outcome.failed} the problem came back.")
    return " ".join(lines)


def list_similar(tx: Transaction, sight: Sight, incident: Incident) -> tuple[ShelfRow, ...]:
    """The incidents most like this one: first those of which people said that they had the same cause."""
    verdicts = search_store.list_verdicts(tx, incident.id)
    same = [other for other, is_same in verdicts.items() if is_same] + list(search_store.list_quoting(tx, incident.id))
    own = search_store.read_texts(tx, incident.id)
    words = similarity_rules.extract_words(own.title, own.cause, own.whys, own.sections)[: similarity_rules.MOST_WORDS]
    hits = search_store.find(tx, incident.team, SearchQuery(words, is_any=True, before=LATEST), _CANDIDATES)
    judged = {incident.id, *verdicts, *same}
    seen = library_store.choose_visible(tx, sight, [*same, *(hit.incident.id for hit in hits)])
    others = [hit for hit in hits if hit.incident.id in seen and hit.incident.id not in judged]
    matches = similarity_rules.rank(words, ["\n".join(astuple(hit.texts)) for hit in others])
    found = [replace(_make_row(one), is_same=True) for one in _find_all(tx, same) if one.id in seen]
    found += [replace(_make_row(others[match.index].incident), shared=match.shared[:5]) for match in matches]
    return tuple(found[:MOST_SIMILAR])


def _find_all(tx: Transaction, ids: Iterable[int]) -> list[Incident]:
    found = (incidents_store.find(tx, one) for one in dict.fromkeys(ids))
    return [incident for incident in found if incident is not None]
