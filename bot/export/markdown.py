"""Document to Markdown: GitHub Flavored, with YAML front matter."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import Any

from jinja2.sandbox import SandboxedEnvironment

from bot.export import escape
from bot.export.edition import OURS, Edition
from bot.export.kept import Draft, Keeper
from bot.export.regions import Compiled, split
from bot.export.rows import timeline_rows
from bot.incident.document import Document


class MarkdownWriter:
    """Writes documents with templates that were compiled before, or one document of which a team's made an edition."""

    def __init__(self, templates: SandboxedEnvironment, edition: Edition = OURS) -> None:
        self._templates = templates
        self._keeper = Keeper(templates)
        self._edition = edition

    def __call__(self, document: Document) -> bytes:
        """The whole document, UTF-8, with the markers that let an edited copy be taken back."""
        draft = self.draft(document)
        compiled = Compiled(draft.shown.head, tuple(draft.facts(document)))
        if trouble := self._edition.trouble:
            compiled = compiled.noting(f"template: {escape.yaml(trouble)}")
        return compiled.written().encode()

    def compiled(self, document: Document) -> Compiled:
        """The document as head and regions: what every other form that people read is rendered from."""
        return self.draft(document).shown

    def draft(self, document: Document) -> Draft:
        """The same, with what the record itself says beside what people wrote."""
        return self._keeper.draft(document, self.own(document))

    def own(self, document: Document) -> Compiled:
        """What the record itself says, without what people wrote into drafts."""
        return self._edition.own or self._by_ours(document)

    def own_preface(self, document: Document) -> str:
        """What a team's template says before the first region, where that is not what ours would say; else empty."""
        own = self._edition.own
        return own.preface if own is not None and own.preface != self._by_ours(document).preface else ""

    def with_timeline_apart(self, document: Document) -> tuple[Draft, bool]:
        """The draft for a form that draws the entries itself: without them where True, with them where False.

        Reading thousands of entries back from Markdown takes long; but where a team tells the timeline its own way it
        is to be seen in that way, and where people wrote that region anew it is theirs.
        """
        draft, apart = self.with_rows_apart(document, ("timeline",))
        return draft, bool(apart)

    def with_rows_apart(self, document: Document, regions: Collection[str]) -> tuple[Draft, frozenset[str]]:
        """The same for each of the regions `timeline` and `actions` that is asked for; those that are without rows."""
        free = [id_ for id_ in regions if not document.texts(id_)]
        without, own = self._without_rows(document, free), self._edition.own
        if own is None:
            apart = frozenset(id_ for id_ in free if without.body(id_))
            own = without if len(apart) == len(free) else self._without_rows(document, apart)
            return self._keeper.draft(document, own), apart
        ours = self._by_ours(document)
        apart = frozenset(id_ for id_ in free if own.body(id_) == ours.body(id_))
        for id_ in apart:
            own = own.with_body(id_, without.body(id_))
        return self._keeper.draft(document, own), apart

    def _without_rows(self, document: Document, regions: Iterable[str]) -> Compiled:
        bare: dict[str, Any] = dict.fromkeys(regions, ())
        return self._by_ours(replace(document, **bare))

    def _by_ours(self, document: Document) -> Compiled:
        return split("".join(self.pieces(self._templates, document)))

    @staticmethod
    def pieces(templates: SandboxedEnvironment, document: Document) -> Iterator[str]:
        """The Markdown with plain markers, piece by piece, as the templates make it."""
        rows = timeline_rows(document, escape.item, escape.verbatim)
        return templates.get_template("postmortem/document.md.j2").generate({"document": document, "rows": rows})
