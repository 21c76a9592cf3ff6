"""A team's own templates: tried, and what is wrong with them named by file and line.

They run in Jinja's sandbox on plain data. What the sandbox cannot stop (a loop that never ends, a text that never
stops growing) is why a caller runs `rendered` in a process of its own (see `apart`).
"""

import traceback
from collections.abc import Iterator
from pathlib import Path

from jinja2 import TemplateError
from jinja2.exceptions import SecurityError, TemplateNotFound, TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment
from markdown_it import MarkdownIt

from bot.errors import AfterwordError
from bot.export.environment import template_set
from bot.export.markdown import MarkdownWriter
from bot.export.regions import Compiled
from bot.incident import postmortem
from bot.incident.document import Document
from bot.incident.samples import HARD, NOW, SAMPLES
from bot.incident.sections import BY_SLUG

LONGEST = 20_000_000
"""Characters that a template may make of one incident."""

_ERRORS = (TemplateError, TypeError, ValueError, LookupError, AttributeError, ArithmeticError, OSError)


class BrokenTemplate(AfterwordError):
    """A template cannot be used; the sentence names file, line and cause."""


def own_set(folder: Path) -> SandboxedEnvironment:
    """The templates of a folder, over ours. Raises BrokenTemplate."""
    if not folder.is_dir():
        raise BrokenTemplate(f"There is no folder {folder}: AFTERWORD_TEMPLATES must name one.")
    for path in sorted(folder.rglob("*.*")):
        if path.suffix in (".j2", ".css"):
            _require_text(path)
    try:
        return template_set(folder)
    except _ERRORS as error:
        raise BrokenTemplate(_cause(error)) from error


def _require_text(path: Path) -> None:
    try:
        path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BrokenTemplate(f"{path.name} cannot be read as text in UTF-8.") from error


def compiled(templates: SandboxedEnvironment, document: Document) -> Compiled:
    """What the record says by a team's templates, as head and regions. Raises BrokenTemplate."""
    try:
        made = MarkdownWriter(templates).own(document)
    except _ERRORS as error:
        raise BrokenTemplate(_cause(error)) from error
    _require_regions(made)
    return made


def check(folder: Path) -> tuple[str, ...]:
    """Try a folder's templates on three incidents; sentences on what is worth knowing. Raises BrokenTemplate."""
    templates = own_set(folder)
    made = {name: compiled(templates, postmortem.compile(case, NOW)) for name, case in SAMPLES.items()}
    return (*_unknown(folder), *_left_out(made["everything known"]), *_unescaped(made["hard to show"]))


def _require_regions(made: Compiled) -> None:
    if sum(len(region.body) for region in made.regions) > LONGEST:
        raise BrokenTemplate("The templates make more than 20 million characters of one incident.")
    names = [region.id for region in made.regions]
    if not names:
        raise BrokenTemplate(
            "No section begins with a marker such as <!-- afterword:timeline -->: no edit of a draft could be seen."
        )
    for name in names:
        if names.count(name) > 1:
            raise BrokenTemplate(f"Two sections have the marker {name}: give each its own.")


def _unknown(folder: Path) -> Iterator[str]:
    known = set(template_set().list_templates())
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and f"postmortem/{name}" not in known and path.suffix == ".j2":
            yield f"{name} takes the place of no template of ours; it is used only where another includes it."


def _left_out(made: Compiled) -> Iterator[str]:
    shown = {region.id for region in made.regions}
    for slug, section in BY_SLUG.items():
        if slug not in shown:
            yield f"The section {section.title} is not shown: nothing has the marker {slug}."


def _unescaped(made: Compiled) -> Iterator[str]:
    """Whether a text of the record takes effect as markup: the hard sample's texts hold some between backquotes."""
    reader = MarkdownIt("js-default", {"html": False})
    for region in made.regions:
        inside = [child for token in reader.parse(region.body) for child in token.children or ()]
        if any(child.type == "code_inline" and child.content in HARD for child in inside):
            where = region.title or region.id
            yield f"In {where} a text of the record takes effect as markup: write {{{{ text | inline }}}} or the like."


def _cause(error: BaseException) -> str:
    """File, line and cause in a sentence."""
    match error:
        case TemplateSyntaxError():
            where = f"{_short(error.name or '')}, line {error.lineno}"
        case TemplateNotFound():
            return f"There is no template {error.message}."
        case _:
            where = _place(error)
    return f"{where}: {'not allowed: ' if isinstance(error, SecurityError) else ''}{error}"


def _place(error: BaseException) -> str:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith((".j2", ".css"))]
    return f"{_short(frames[-1].filename)}, line {frames[-1].lineno}" if frames else "The templates"


def _short(name: str) -> str:
    return Path(name).name
