"""The job that runs a team's templates, and finds what is wrong with them by file and line.

Jinja's sandbox keeps templates to plain data. It cannot stop an endless loop or a text that never stops growing, so
they run only in the worker process (`bot.export.sandbox`), never in the bot. Decision 24.
"""

import json
import signal
import time
import traceback
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from types import FrameType

from jinja2 import TemplateError
from jinja2.exceptions import SecurityError, TemplateNotFound, TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment
from markdown_it import MarkdownIt

from bot.domain import postmortem as postmortem_rules
from bot.domain.document import Document
from bot.domain.samples import EMPHASISED, NOW, SAMPLES
from bot.domain.sections import BY_SLUG
from bot.errors import Refused
from bot.export import drafts
from bot.export.drafts import CompiledMarkdown, split
from bot.export.markdown import MarkdownWriter
from bot.export.templates import BrokenTemplateError, load_team_templates, task_json

MAX_OUTPUT = 20_000_000
"""Characters that templates may make of one incident."""


class TemplateTimeoutError(Exception):
    """Raised by the timer while a template runs, so that its trace shows the line."""


_ERRORS = (
    *(TemplateError, TypeError, ValueError, LookupError, AttributeError, ArithmeticError, OSError),
    *(RuntimeError, MemoryError, TemplateTimeoutError),
)


def render_markdown(templates: Mapping[str, str], document: Document) -> str:
    """Render a document by a team's templates, with its region markers. Raises BrokenTemplateError."""
    return _render(load_team_templates(templates), document)


def try_sample(templates: Mapping[str, str], sample: str) -> tuple[list[str], list[str]]:
    """Try templates on one of `SAMPLES`. Returns sentences about what is broken, and about what is worth knowing."""
    environment = load_team_templates(templates)
    if broken := list(_find_syntax_errors(environment, templates)):
        return broken, []
    try:
        compiled = split(_render(environment, postmortem_rules.compile_document(SAMPLES[sample], NOW)))
    except BrokenTemplateError as error:
        return [str(error)], []
    checks = {
        "everything known": _find_missing_sections,
        "nothing known": _find_missing_key,
        "hard to show": _find_live_markup,
    }
    return [], list(checks[sample](compiled))


def _find_syntax_errors(environment: SandboxedEnvironment, templates: Mapping[str, str]) -> Iterator[str]:
    for name in templates:
        try:
            environment.get_template(f"postmortem/{name}")
        except _ERRORS as error:
            yield _describe_error(error)


def _render(templates: SandboxedEnvironment, document: Document) -> str:
    pieces, length = [], 0
    try:
        # Piece by piece, so that a text which never stops growing is stopped before it fills the memory.
        for piece in MarkdownWriter.generate(templates, document):
            pieces.append(piece)
            length += len(piece)
            if length > MAX_OUTPUT:
                raise BrokenTemplateError("The templates wrote more than 20 million characters for one incident.")
    except _ERRORS as error:
        raise BrokenTemplateError(_describe_error(error)) from error
    markdown = "".join(pieces)
    _require_regions(split(markdown))
    return markdown


def _require_regions(compiled: CompiledMarkdown) -> None:
    names = [region.id for region in compiled.regions]
    if not names:
        raise BrokenTemplateError(
            "No section begins with a marker such as <!-- afterword:timeline -->, so edits of a draft couldn't be "
            "recognized."
        )
    for name in names:
        if names.count(name) > 1:
            raise BrokenTemplateError(f"Two sections have the marker {name}. Give each a different one.")


def _find_missing_sections(compiled: CompiledMarkdown) -> Iterator[str]:
    shown = {region.id for region in compiled.regions}
    for slug, section in BY_SLUG.items():
        if slug not in shown:
            yield f"The section {section.title} isn't shown, because nothing has the marker {slug}."


def _find_missing_key(compiled: CompiledMarkdown) -> Iterator[str]:
    try:
        drafts.read(compiled.write())
    except Refused:
        yield "The front matter has no line `incident: {{ document.key }}`, so edited drafts couldn't be imported."


def _find_live_markup(compiled: CompiledMarkdown) -> Iterator[str]:
    # The hard sample has texts between stars. Rendered without a filter they become emphasis.
    reader = MarkdownIt("js-default", {"html": False})
    for region in compiled.regions:
        inside = [child for token in reader.parse(region.body) for child in token.children or ()]
        pairs = pairwise(inside)
        if any(one.type == "em_open" and other.content in EMPHASISED for one, other in pairs):
            where = region.title or region.id
            yield f"In {where} text from the record is treated as markup. Write {{{{ text | inline }}}} or the like."


def _describe_error(error: BaseException) -> str:
    match error:
        case TemplateSyntaxError():
            return f"{_file_name(error.name or '')}, line {error.lineno}: {error.message}"
        case TemplateNotFound():
            return f"There's no template {error.message}."
        case SecurityError():
            return f"{_error_place(error)}: not allowed: {error}"
        case MemoryError():
            return f"{_error_place(error)}: it needs more memory than templates can have."
        case TemplateTimeoutError():
            return f"{_error_place(error)}: it takes longer than templates can."
    return f"{_error_place(error)}: {error}"


def _error_place(error: BaseException) -> str:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith(".j2")]
    return f"{_file_name(frames[-1].filename)}, line {frames[-1].lineno}" if frames else "The templates"


def _file_name(name: str) -> str:
    return Path(name).name


def run(data: bytes) -> bytes:
    """The job, on `task_json`: Markdown for a document; for a sample, the two lists of `try_sample` as JSON."""
    task = task_json().validate_json(data)
    signal.signal(signal.SIGALRM, _raise_timeout)
    # At least a millisecond: zero would switch the timer off.
    signal.setitimer(signal.ITIMER_REAL, max(0.001, task.deadline - time.monotonic()))
    if task.document is not None:
        answer = render_markdown(task.templates, task.document)
    else:
        answer = json.dumps(try_sample(task.templates, task.sample))
    signal.setitimer(signal.ITIMER_REAL, 0)
    return answer.encode()


def _raise_timeout(_: int, __: FrameType | None) -> None:
    raise TemplateTimeoutError
