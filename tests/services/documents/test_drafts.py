"""However drafts leave, are edited and come back: no text of either side is missing from the next one."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain import postmortem as postmortem_rules
from bot.domain.records import Incident, Place
from bot.export import Exporter
from bot.export.drafts import CompiledMarkdown, Region, split
from bot.services.documents import drafts as drafts_service
from bot.services.documents.drafts import EditedDraftFile
from storage import case as case_store
from storage.database.store import Store
from storage.postmortem import sections as sections_store
from tests.support.storage.sample_records import NOW, minutes, noting, open_incident

EXPORTER = Exporter()
CHANNELS = count(1)
PEOPLE = ("", "Ana", "Bo")
SECTION = "leadup"


@dataclass(slots=True)
class Left:
    """A draft out there: its text, and which words its reader sees in the section, or knowingly does not see."""

    markdown: str
    showed: frozenset[str]


@dataclass(slots=True)
class Edit:
    """Words of a person that came back, which words they had before them, and in which draft."""

    words: str
    showed: frozenset[str]
    by: str
    draft: int


@dataclass(slots=True)
class World:
    """One incident, its drafts, and what must not get lost."""

    store: Store
    incident: Incident
    record: str = ""
    words: list[str] = field(default_factory=list)
    drafts: list[Left] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)

    def new(self) -> str:
        self.words.append(f"words{len(self.words)}")
        return self.words[-1]

    def save(self, _: int, __: int) -> None:
        """Someone saves the section in Slack."""
        self.record = self.new()
        about = {"incident_id": self.incident.id, "slug": SECTION, "text": self.record, "author": "U1", "now": NOW}
        self.store.write_now(partial(sections_store.save, **about))  # type: ignore[arg-type]

    def note(self, _: int, __: int) -> None:
        """The record changes elsewhere."""
        self.store.write_now(noting(self.new(), Place("T1", self.incident.channel)))

    def export(self, _: int, __: int) -> None:
        """A draft leaves."""
        markdown = self.compile(minutes(len(self.drafts)))
        body = self.section(markdown).body
        showed = frozenset(words for words in self.words if _has(body, words))
        # What those had left out knowingly whose words it shows is left out of it knowingly.
        left_out = (one.showed for one in self.edits if one.words in showed)
        self.drafts.append(Left(markdown, showed.union(*left_out)))

    def edit(self, which: int, who: int) -> None:
        """Someone writes the section of one of the drafts again, and gives it back."""
        if not self.drafts:
            return
        number = which % len(self.drafts)
        left, by, words = self.drafts[number], PEOPLE[who], self.new()
        self.edits = [one for one in self.edits if not (by and one.draft == number and one.by == by)]
        self.edits.append(Edit(words, left.showed, by, number))
        self.give(_rewritten(left.markdown, f"It was **{words}**."), by)

    def bring_back(self, which: int, who: int) -> None:
        """A draft comes back as it left."""
        if self.drafts:
            self.give(self.drafts[which % len(self.drafts)].markdown, PEOPLE[who])

    def give(self, markdown: str, by: str) -> None:
        drafts_service.import_draft(self.store, EXPORTER, EditedDraftFile(markdown, by), "T1", NOW)
        again = drafts_service.import_draft(self.store, EXPORTER, EditedDraftFile(markdown, by), "T1", NOW)
        assert not any(one.is_new for one in again.settled)

    def compile(self, later: timedelta = timedelta()) -> str:
        case = self.store.read_now(lambda tx: case_store.load(tx, self.incident))
        return EXPORTER.render(postmortem_rules.compile_document(case, NOW + later), "markdown").decode()

    def section(self, markdown: str) -> Region:
        return next(region for region in split(markdown).regions if region.id == SECTION)

    def check(self) -> None:
        """A text stays in the section until a person who saw it gives it up."""
        body = self.section(self.compile()).body
        given_up: set[str] = set()
        for one in self.edits:
            given_up |= one.showed
        edits = [one for one in self.edits if one.words not in given_up]
        for one in edits:
            assert _has(body, one.words), (one, body)
        # The record's words may be missing only where everyone whose text stands had seen them and left them out.
        if self.record and not all(self.record in one.showed for one in edits):
            assert _has(body, self.record), (self.record, body)
        if not edits and self.record:
            assert _has(body, self.record)


def _has(body: str, words: str) -> bool:
    return words in body.replace("*", " ").replace(".", " ").split()


def _rewritten(markdown: str, body: str) -> str:
    """The draft with other words in one section; everything else, markers too, as it left."""
    start = markdown.index(f"<!-- afterword:{SECTION} ")
    start = markdown.index("\n", markdown.index("## Leadup", start))
    return f"{markdown[:start]}\n\n{body}\n\n{markdown[markdown.index('<!-- afterword:fault') :]}"


STEPS: tuple[Callable[[World, int, int], None], ...] = (
    World.save,
    World.note,
    World.export,
    World.export,
    World.edit,
    World.edit,
    World.bring_back,
)


@given(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 5), st.integers(0, 2)), min_size=3, max_size=14))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_of_either_side_is_ever_missing(
    sqlite_store: Store, steps: list[tuple[Callable[[World, int, int], None], int, int]]
) -> None:
    place = Place("T1", f"C{next(CHANNELS)}")
    world = World(sqlite_store, sqlite_store.write_now(lambda tx: open_incident(tx, place)))
    for step, which, who in steps:
        step(world, which, who)
    world.check()


@pytest.mark.parametrize("markdown", ["", "no draft", CompiledMarkdown("---\n---\n", ()).write()])
def test_the_same_rules_hold_for_no_draft_at_all(sqlite_store: Store, markdown: str) -> None:
    incident = sqlite_store.write_now(open_incident)
    with pytest.raises(Exception, match="of Afterword"):
        drafts_service.import_draft(sqlite_store, EXPORTER, EditedDraftFile(markdown, ""), "", NOW)
    assert sqlite_store.read_now(lambda tx: case_store.load(tx, incident)).edited_sections == ()
