"""Document to Markdown: GitHub Flavored, with YAML front matter."""

from dataclasses import replace

from jinja2 import Template
from jinja2.sandbox import SandboxedEnvironment

from bot.export import escape
from bot.export.kept import Draft, Keeper
from bot.export.regions import Compiled, split
from bot.export.rows import timeline_rows
from bot.incident.document import Document


class MarkdownWriter:
    """Writes documents with templates that were compiled before."""

    def __init__(self, templates: SandboxedEnvironment) -> None:
        self._whole: Template = templates.get_template("postmortem/document.md.j2")
        self._keeper = Keeper(templates)

    def __call__(self, document: Document) -> bytes:
        """The whole document, UTF-8, with the markers that let an edited copy be taken back."""
        draft = self.draft(document)
        return Compiled(draft.shown.head, tuple(draft.facts(document))).written().encode()

    def compiled(self, document: Document) -> Compiled:
        """The document as head and regions: what every other form that people read is rendered from."""
        return self.draft(document).shown

    def draft(self, document: Document) -> Draft:
        """The same, with what the record itself says beside what people wrote."""
        return self._keeper.draft(document, self.own(document))

    def own(self, document: Document) -> Compiled:
        """What the record itself says, without what people wrote into drafts."""
        rows = timeline_rows(document, escape.item, escape.inline)
        return split(self._whole.render({"document": document, "rows": rows}))

    def with_timeline_apart(self, document: Document) -> tuple[Compiled, bool]:
        """The same for a form that draws the entries itself: without them where True, with them where False.

        Reading thousands of entries back from Markdown takes long; but where a template has no region of that name,
        nobody knows where else to draw them, and where people wrote that region anew it is theirs.
        """
        if document.texts("timeline"):
            return self.compiled(document), False
        compiled = self.compiled(replace(document, timeline=()))
        if any(region.id == "timeline" for region in compiled.regions):
            return compiled, True
        return self.compiled(document), False
