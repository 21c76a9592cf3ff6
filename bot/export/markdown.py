"""Document to Markdown: GitHub Flavored, with YAML front matter."""

from jinja2 import Template
from jinja2.sandbox import SandboxedEnvironment

from bot.export import escape
from bot.export.rows import timeline_rows
from bot.incident.document import Document


class MarkdownWriter:
    """Writes documents with templates that were compiled before."""

    def __init__(self, templates: SandboxedEnvironment) -> None:
        self._whole: Template = templates.get_template("postmortem/document.md.j2")
        self._sections: Template = templates.get_template("postmortem/sections.md.j2")

    def __call__(self, document: Document) -> bytes:
        """The whole document, UTF-8."""
        return self._whole.render(_view(document)).encode()

    def sections(self, document: Document) -> str:
        """The 14 sections alone, from `## Incident summary` on: the body of a page with a head of its own."""
        return self._sections.render(_view(document))


def _view(document: Document) -> dict[str, object]:
    return {"document": document, "rows": timeline_rows(document, escape.item, escape.inline)}
