"""The library as static files: masked by rule, of published postmortems only, never of a private incident.

Every page is a file in one folder and links are relative, so it works from any address, and from a disk. A page depends
on the record and the day alone: a second run on the same day changes nothing.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot.domain import postmortem as postmortem_rules
from bot.domain.document import Document
from bot.domain.library import LibraryFilters, Stage
from bot.domain.masking import MaskRules
from bot.domain.readers import Sight, public_sight
from bot.domain.records import Incident
from bot.domain.similarity import extract_words
from bot.domain.text import capitalize_title, flatten, shorten, strip_code_marks
from bot.export import Exporter
from bot.export.mask_patterns import mask_in_sandbox
from bot.services.library import catalog as catalog_service
from bot.services.library import pages as pages_service
from bot.services.library.catalog import PostmortemView, ShelfRow
from bot.services.library.pages import Feed, FeedEntry, Site
from storage import case as case_store
from storage import channels as channels_store
from storage import incidents as incidents_store
from storage import library as library_store
from storage.database.statements import Transaction

INDEX = "index.html"
NEWEST = 50
"""Incidents on the first page; the others are on those of their years."""

FEED_ENTRIES = 30
MOST_WORDS = 400
"""Of an incident, in the search's index. Long timelines have more; the first ones tell incidents apart."""

_AT_ONCE = 200
_LONGEST_CAUSE = 220
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class StaticSite(Site):
    """A `Site` of files in one folder."""

    root: str = "."
    can_filter: bool = False

    def index(self, query: str = "") -> str:
        """The first page. A file knows no query."""
        return INDEX

    def page(self, key: str) -> str:
        """The page of an incident by its key."""
        return f"{key}.html"

    def facet(self, kind: str, name: str) -> str:
        """The page of a service or a tag."""
        return name_facet_file(kind, name)


@dataclass(frozen=True, slots=True)
class StaticLibrary:
    """The files of the library by name, and the published incidents that are left out of it, since not public."""

    files: Mapping[str, bytes]
    written: tuple[str, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Volume:
    """A published incident, masked: its row in lists, its page's parts and its words."""

    row: ShelfRow
    article: str
    outcome: catalog_service.Outcome
    similar: tuple[ShelfRow, ...]
    words: tuple[str, ...]


def name_facet_file(kind: str, name: str) -> str:
    """`service-checkout.html`. What is not only plain letters gets a digest, so that no two names share a file."""
    folded = name.casefold()
    letters = unicodedata.normalize("NFKD", folded).encode("ascii", "ignore").decode()
    slug = _NOT_IN_NAMES.sub("-", letters).strip("-")[:40]
    digest = "" if slug == folded else f"-{hashlib.sha256(folded.encode()).hexdigest()[:8]}"
    return f"{kind}-{slug}{digest}.html"


def write_library(
    tx: Transaction, exporter: Exporter, rules: MaskRules, team: str, now: datetime, address: str = ""
) -> StaticLibrary:
    """The library of a workspace as of the beginning of the day of `now`, in UTC. It takes a second for ten incidents.

    `address` is where it will be, for the feed; without one there is no feed.
    """
    day = datetime(now.year, now.month, now.day, tzinfo=UTC)
    visible = list(_list_published(tx, public_sight(team), now))
    volumes = {incident.key: _make_volume(tx, exporter, rules, incident, day) for incident in visible}
    volumes = {key: _match_similar(volume, volumes) for key, volume in volumes.items()}
    site = StaticSite(feed="feed.atom" if address else "")
    files = {name: page.encode() for name, page in _draw(site, list(volumes.values()), day)}
    if address:
        files["feed.atom"] = _draw_feed(address, [volume.row for volume in volumes.values()]).encode()
    everything = _list_published(tx, _see_all(tx, team), now)
    left = tuple(incident.key for incident in everything if incident.key not in volumes)
    return StaticLibrary(files, tuple(volumes), left)


def _see_all(tx: Transaction, team: str) -> Sight:
    _, channels = channels_store.list_of_incidents(tx, 0)
    return Sight(team, public=True, channels=frozenset(channels.get(team, ())))


def _list_published(tx: Transaction, sight: Sight, now: datetime) -> Iterator[Incident]:
    """The incidents in sight whose postmortems are published, the newest first."""
    filters = LibraryFilters(stage=Stage.PUBLISHED)
    page = library_store.list_page(tx, sight, filters, None, now, _AT_ONCE)
    yield from page.incidents
    while page.after is not None:
        page = library_store.list_page(tx, sight, filters, page.after, now, _AT_ONCE)
        yield from page.incidents


def _make_volume(tx: Transaction, exporter: Exporter, rules: MaskRules, incident: Incident, now: datetime) -> _Volume:
    case = case_store.load(tx, incident)
    document, _ = mask_in_sandbox(postmortem_rules.compile_document(case, now), rules)
    (bare,) = catalog_service.make_rows(tx, [incident], now)
    row = replace(
        bare,
        title=capitalize_title(flatten(strip_code_marks(document.title))) or "Untitled",
        cause=_describe_cause(document),
        services=document.services,
        tags=document.tags,
    )
    similar = catalog_service.list_similar(tx, public_sight(incident.team), incident)
    outcome = catalog_service.sum_up_actions(case, now)
    return _Volume(row, exporter.write_article(document), outcome, similar, _list_words(document))


def _describe_cause(document: Document) -> str:
    """The root causes in short; nothing if people rewrote them in a draft, where only they say what is the cause."""
    if document.texts("root_cause") or document.texts("whys"):
        return ""
    causes = "; ".join(flatten(strip_code_marks(step.text)) for step in document.roots)
    return shorten(causes, _LONGEST_CAUSE)


def _list_words(document: Document) -> tuple[str, ...]:
    """The words of the document, by which its page is found; each once."""
    texts = [
        document.title,
        *(part.text for part in document.parts),
        *(text.markdown for text in document.kept if text.stands),
        *(step.text for step in document.whys),
        *(action.text for action in document.actions),
        *(line.text for line in document.timeline),
    ]
    return extract_words(*texts)


def _match_similar(volume: _Volume, volumes: Mapping[str, _Volume]) -> _Volume:
    """Similar incidents as the library has them: of those in it, and by words that are left in both masked copies."""
    found = []
    for one in volume.similar:
        other = volumes.get(one.key)
        if other is not None:
            shared = tuple(word for word in one.shared if word in volume.words and word in other.words)
            if shared or one.is_same:
                found.append(replace(other.row, shared=shared, is_same=one.is_same))
    return replace(volume, similar=tuple(found))


def _draw(site: StaticSite, volumes: Sequence[_Volume], now: datetime) -> Iterator[tuple[str, str]]:
    """The name and the text of every file but the feed."""
    yield "style.css", pages_service.write_style()
    yield "search.js", pages_service.read_script("library_search.js")
    yield "search-index.js", _write_search_index(volumes)
    rows = [volume.row for volume in volumes]
    years = _group(rows, lambda row: [str(row.opened_at.year)])
    services, tags = (_group(rows, lambda row: row.services), _group(rows, lambda row: row.tags))
    shelves = {
        "years": [(f"{year}.html", year) for year in sorted(years, reverse=True)],
        "services": [(site.facet("service", name), name) for name in sorted(services, key=str.casefold)],
        "tags": [(site.facet("tag", name), f"#{name}") for name in sorted(tags, key=str.casefold)],
    }
    pages = [(INDEX, "Postmortems", rows[:NEWEST])]
    pages += [(f"{year}.html", f"Incidents of {year}", listed) for year, listed in years.items()]
    pages += [(site.facet("service", name), f"Service: {name}", listed) for name, listed in services.items()]
    pages += [(site.facet("tag", name), f"Tag: {name}", listed) for name, listed in tags.items()]
    for name, title, listed in pages:
        more = {"total": len(rows), "is_first": name == INDEX, "here": name}
        yield (
            name,
            pages_service.draw(
                "library_static.html.j2",
                site,
                place="index",
                title=title,
                rows=listed,
                shelves=shelves,
                now=now,
                **more,
            ),
        )
    for volume in volumes:
        view = PostmortemView(volume.row, volume.article, volume.outcome, volume.similar, "", None, "")
        yield site.page(volume.row.key), pages_service.draw_postmortem(site, view)


def _group(rows: Sequence[ShelfRow], names: Callable[[ShelfRow], Sequence[str]]) -> dict[str, list[ShelfRow]]:
    found: dict[str, list[ShelfRow]] = {}
    for row in rows:
        for name in names(row):
            found.setdefault(name, []).append(row)
    return found


def _write_search_index(volumes: Sequence[_Volume]) -> str:
    """The index as a script: a browser lets a page on a disk load scripts, and no data."""
    rows = [
        {
            "key": volume.row.key,
            "title": volume.row.title,
            "about": " · ".join(filter(None, (f"{volume.row.opened_at:%Y-%m-%d}", volume.row.severity.upper()))),
            "cause": volume.row.cause,
            "facets": [name.casefold() for name in (*volume.row.services, *volume.row.tags)],
            "words": " ".join(volume.words[:MOST_WORDS]),
        }
        for volume in volumes
    ]
    return f"window.afterwordIndex = {json.dumps(rows, ensure_ascii=False, separators=(',', ':'))};\n"


def _draw_feed(address: str, rows: Sequence[ShelfRow]) -> str:
    base = address.rstrip("/")
    newest = sorted(rows, key=lambda row: row.published_at or row.opened_at, reverse=True)[:FEED_ENTRIES]
    entries = tuple(FeedEntry(row, f"{base}/{row.key}.html") for row in newest)
    at = next((row.published_at or row.opened_at for row in newest), datetime(1970, 1, 1, tzinfo=UTC))
    return pages_service.draw_feed(Feed(f"{base}/feed.atom", f"{base}/{INDEX}", at, entries))


def find_team(tx: Transaction, team: str) -> str:
    """The workspace to write: the one that is named, or the only one. Empty if there are none, or several."""
    teams = incidents_store.list_teams(tx)
    return team or (teams[0] if len(teams) == 1 else "")
