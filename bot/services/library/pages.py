"""The library's pages as HTML: the frame, the index, a postmortem, a feed; and their style sheet.

One set of templates for the bot's own pages and for static files: a `Site` says where its links lead.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bot.bytecode import TemplateBytecode
from bot.domain.library import NOBODY, STAGES, LibraryFilters, Stage
from bot.domain.text import format_age, format_count, format_day, format_duration, format_iso, format_moment
from bot.export.charts import write_dark_rules
from bot.services.library.catalog import PostmortemView, Shelf, ShelfRow, describe_outcome

_SHEETS = ("postmortem/page.css", "web/library.css")
_DARK = "@media screen and (prefers-color-scheme: dark) {{\n{rules}\n}}\n"

SEVERITIES = (
    *(("", "Any"), ("sev1", "SEV1"), ("sev2", "SEV2"), ("sev3", "SEV3"), ("sev4", "SEV4")),
    (NOBODY, "Not recorded"),
)
NOTICES = {
    Stage.OPEN: ("The incident isn't over.", "This is what's recorded so far."),
    Stage.DRAFT: ("Draft.", "It isn't published yet: it may change, and parts may be missing."),
    Stage.IN_REVIEW: ("In review.", "It isn't published yet: it may change."),
    Stage.WAIVED: ("No postmortem.", "People decided that this incident needs none. This is what's recorded."),
}


@dataclass(frozen=True, slots=True)
class Site:
    """Where the pages are, and who reads them. `root` is the index's address, without a slash at its end.

    `person` is the reader's name, `sign_out` the address that ends their session, with the `token` that proves the form
    is ours. An empty `feed` or `trends` means that there is no such page.
    """

    root: str = "/library"
    person: str = ""
    user: str = ""
    sign_out: str = ""
    token: str = ""
    feed: str = ""
    feed_is_personal: bool = False
    trends: str = ""
    can_filter: bool = True

    @property
    def style(self) -> str:
        """The address of the style sheet; another one after each change."""
        return f"{self.root}/style.css?{_style_digest()}"

    def index(self, query: str = "") -> str:
        """The index, filtered by a query."""
        return f"{self.root}?{query}" if query else self.root

    def page(self, key: str) -> str:
        """The page of an incident by its key."""
        return f"{self.root}/{key}"

    def facet(self, kind: str, name: str) -> str:
        """The incidents with a service or a tag."""
        return self.index(urlencode({kind: name}))


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """A published postmortem in the feed."""

    row: ShelfRow
    address: str


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed of published postmortems: its own address, that of the index, and its entries."""

    address: str
    index: str
    updated_at: datetime
    entries: tuple[FeedEntry, ...] = field(default=())


def _format_roughly(length: timedelta) -> str:
    """How long something was, in two units at most."""
    return format_age(length) if length >= timedelta(days=2) else format_duration(length)


@cache
def load_pages() -> Environment:
    """The templates of the library, compiled once. An unknown name is an error, never an empty place."""
    environment = Environment(
        loader=PackageLoader("templates", package_path="web"),
        bytecode_cache=TemplateBytecode(__file__),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= {
        "iso": format_iso,
        "dated": format_moment,
        "roughly": _format_roughly,
        "full_day": lambda day: format_day(day, date.min),
    }
    return environment


def prepare() -> None:
    """Compile every template of the library, so that no request waits for one."""
    environment = load_pages()
    for name in environment.list_templates(filter_func=lambda name: name.startswith("library") and "." in name):
        if name.endswith(".j2"):
            environment.get_template(name)
    write_style()


@cache
def write_style() -> str:
    """The style sheet of all pages."""
    loader = PackageLoader("templates", package_path="")
    sheets = [loader.get_source(load_pages(), name)[0] for name in _SHEETS]
    return "\n".join([*sheets, _DARK.format(rules=write_dark_rules())])


def read_script(name: str) -> str:
    """A script of the static files. The bot's own pages need none."""
    environment = load_pages()
    if environment.loader is None:
        raise LookupError("the templates have no loader")
    return environment.loader.get_source(environment, name)[0]


@cache
def _style_digest() -> str:
    return hashlib.sha256(write_style().encode()).hexdigest()[:12]


def draw(name: str, site: Site, **values: Any) -> str:
    """A template of the library as text. `values` are what its blocks need; `place` names the entry of the menu."""
    return load_pages().get_template(name).render(site=site, **({"place": ""} | values))


def draw_index(site: Site, filters: LibraryFilters, shelf: Shelf, *, is_first: bool, now: datetime) -> str:
    """The index, or one of its pages."""
    is_filtered = bool(filters.query())
    return draw(
        "library_index.html.j2",
        site,
        place="index",
        filters=filters,
        rows=shelf.rows,
        now=now,
        summary=summarize(filters, shelf, is_first=is_first),
        is_filtered=is_filtered,
        severities=SEVERITIES,
        stages=[("", "Any"), *((str(stage), name) for stage, name in STAGES.items())],
        owners=list_owners(site, filters, shelf.rows),
        services=sorted({name for row in shelf.rows for name in row.services}),
        tags=sorted({name for row in shelf.rows for name in row.tags}),
        older=site.index(filters.query(str(shelf.after))) if shelf.after else "",
        newest="" if is_first else site.index(filters.query()),
    )


def list_owners(site: Site, filters: LibraryFilters, rows: Sequence[ShelfRow]) -> list[tuple[str, str]]:
    """The owners to choose from: the reader, and those of the page. Others would say who owns what one may not see."""
    found = {row.owner_id: row.owner for row in rows if row.owner}
    mine = {site.user: f"{found.pop(site.user, site.person)} (you)"} if site.user else {}
    chosen = {filters.owner: filters.owner} if filters.owner not in ("", NOBODY, *mine, *found) else {}
    listed = sorted(found.items(), key=lambda pair: pair[1].casefold())
    return [("", "Anyone"), *mine.items(), *listed, *chosen.items(), (NOBODY, "No owner yet")]


def summarize(filters: LibraryFilters, shelf: Shelf, *, is_first: bool) -> str:
    """What the list is, in a sentence. A number stands there only if it counts all that there are."""
    count = len(shelf.rows)
    if filters.terms:
        return _summarize_search(filters, shelf)
    if filters.words:
        return "These words are in too many texts to look for. Try others."
    if not filters.query():
        if not count and is_first:
            return "No postmortems yet. An incident appears here once it's opened in a channel that you can see."
        return "The newest incidents first." if is_first else "Older incidents."
    if shelf.is_cut:
        return "There may be more among older incidents." if count else "None among the newest. Look further back."
    if not count:
        return "No incident matches." if is_first else "No older incident matches."
    if is_first and not shelf.has_more:
        return f"{format_count(count, 'incident')} {'matches' if count == 1 else 'match'}."
    return "The newest first." if is_first else "Older ones."


def _summarize_search(filters: LibraryFilters, shelf: Shelf) -> str:
    count, words = len(shelf.rows), ", ".join(filters.terms[:8]) + ("…" if len(filters.terms) > 8 else "")
    if not count:
        return f"No incident has: {words}."
    which = "some of" if shelf.is_any else "all of" if len(filters.terms) > 1 else ""
    if shelf.has_more or shelf.is_cut:
        return f"The best matches among the newest for: {words}. Add a word or a filter to see others."
    verb = "has" if count == 1 else "have"
    return f"{format_count(count, 'incident')} {verb} {which + ': ' if which else ''}{words}."


def draw_postmortem(site: Site, view: PostmortemView) -> str:
    """The page of an incident."""
    page = {
        "key": view.row.key,
        "title": view.row.title,
        "stage": view.row.stage,
        # Safe: written by the exporter, which escapes people's texts.
        "article": Markup(view.article),  # noqa: S704
        "outcome": view.outcome,
        "outcome_text": describe_outcome(view.outcome),
        "similar": view.similar,
        "slack": view.slack,
        "compiled_at": view.compiled_at,
    }
    notices = {str(stage): {"title": title, "text": text} for stage, (title, text) in NOTICES.items()}
    return draw("library_page.html.j2", site, page=page, notices=notices)


def draw_blank(site: Site, *, is_sure: bool = True) -> str:
    """The page in place of one that does not exist, or that the reader may not see, or may if only Slack said so."""
    return draw("library_blank.html.j2", site, is_sure=is_sure)


def draw_feed(feed: Feed) -> str:
    """The Atom feed."""
    return load_pages().get_template("library_feed.xml.j2").render(feed=feed)
