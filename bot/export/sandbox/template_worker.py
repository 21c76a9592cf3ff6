"""A team's own templates: run, and what is wrong with them named by file and line.

They run in Jinja's sandbox on plain data. What the sandbox cannot stop (a loop that never ends, a text that never
stops growing) is why all this happens in a process of its own (`custom_apart`), and never in the bot.

A team's templates at work, in a process of its own (see `bot.export.sandbox` and `bot.export.sandbox.team_templates`).
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
from bot.export import edited_draft
from bot.export.markdown import MarkdownWriter
from bot.export.regions import Compiled, split
from bot.export.sandbox import answer
from bot.export.sandbox.team_templates import TASK, BrokenTemplate
from bot.export.template_env import team_set

LONGEST = 20_000_000
"""Characters that a template may make of one incident."""


class OutOfTime(Exception):
    """Raised from outside while a template runs, so that the line is known at which its time was up."""


_ERRORS = (
    *(TemplateError, TypeError, ValueError, LookupError, AttributeError, ArithmeticError, OSError),
    *(RuntimeError, MemoryError, OutOfTime),
)


def markdown(templates: Mapping[str, str], document: Document) -> str:
    """What the record says by a team's templates, with its markers. Raises BrokenTemplate."""
    return _written(team_set(templates), document)


def tried(templates: Mapping[str, str], sample: str) -> tuple[list[str], list[str]]:
    """One of `SAMPLES` tried: sentences on what is broken, and on what is worth knowing."""
    environment = team_set(templates)
    if broken := list(_uncompiled(environment, templates)):
        return broken, []
    try:
        made = split(_written(environment, postmortem_rules.compile(SAMPLES[sample], NOW)))
    except BrokenTemplate as error:
        return [str(error)], []
    looks = {"everything known": _left_out, "nothing known": _unnamed, "hard to show": _unescaped}
    return [], list(looks[sample](made))


def _uncompiled(environment: SandboxedEnvironment, templates: Mapping[str, str]) -> Iterator[str]:
    for name in templates:
        try:
            environment.get_template(f"postmortem/{name}")
        except _ERRORS as error:
            yield _cause(error)


def _written(templates: SandboxedEnvironment, document: Document) -> str:
    pieces, length = [], 0
    try:
        for piece in MarkdownWriter.pieces(templates, document):
            pieces.append(piece)
            length += len(piece)
            if length > LONGEST:
                raise BrokenTemplate("The templates make more than 20 million characters of one incident.")
    except _ERRORS as error:
        raise BrokenTemplate(_cause(error)) from error
    written = "".join(pieces)
    _require_regions(split(written))
    return written


def _require_regions(made: Compiled) -> None:
    names = [region.id for region in made.regions]
    if not names:
        raise BrokenTemplate(
            "No section begins with a marker such as <!-- afterword:timeline -->: no edit of a draft could be seen."
        )
    for name in names:
        if names.count(name) > 1:
            raise BrokenTemplate(f"Two sections have the marker {name}: give each its own.")


def _left_out(made: Compiled) -> Iterator[str]:
    shown = {region.id for region in made.regions}
    for slug, section in BY_SLUG.items():
        if slug not in shown:
            yield f"The section {section.title} is not shown: nothing has the marker {slug}."


def _unnamed(made: Compiled) -> Iterator[str]:
    try:
        edited_draft.read(made.written())
    except Refused:
        yield "The front matter has no line `incident: {{ document.key }}`: no edited draft could be given back."


def _unescaped(made: Compiled) -> Iterator[str]:
    """Whether a text of the record takes effect as markup: the hard sample's texts hold some between stars."""
    reader = MarkdownIt("js-default", {"html": False})
    for region in made.regions:
        inside = [child for token in reader.parse(region.body) for child in token.children or ()]
        pairs = pairwise(inside)
        if any(one.type == "em_open" and other.content in EMPHASISED for one, other in pairs):
            where = region.title or region.id
            yield f"In {where} a text of the record takes effect as markup: write {{{{ text | inline }}}} or the like."


def _cause(error: BaseException) -> str:
    """File, line and cause in a sentence."""
    match error:
        case TemplateSyntaxError():
            return f"{_short(error.name or '')}, line {error.lineno}: {error.message}"
        case TemplateNotFound():
            return f"There is no template {error.message}."
        case SecurityError():
            return f"{_place(error)}: not allowed: {error}"
        case MemoryError():
            return f"{_place(error)}: it needs more memory than templates may have."
        case OutOfTime():
            return f"{_place(error)}: it takes longer than templates may."
    return f"{_place(error)}: {error}"


def _place(error: BaseException) -> str:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith(".j2")]
    return f"{_short(frames[-1].filename)}, line {frames[-1].lineno}" if frames else "The templates"


def _short(name: str) -> str:
    return Path(name).name


def make(given: bytes) -> bytes:
    """What a task asks for: a document's Markdown, or of a sample what is broken and what is worth knowing, as JSON."""
    task = TASK.validate_json(given)
    signal.signal(signal.SIGALRM, _ring)
    signal.setitimer(signal.ITIMER_REAL, max(0.001, task.until - time.monotonic()))
    if task.document is not None:
        made = markdown(task.templates, task.document)
    else:
        made = json.dumps(tried(task.templates, task.sample))
    signal.setitimer(signal.ITIMER_REAL, 0)
    return made.encode()


def _ring(_: int, __: FrameType | None) -> None:
    raise OutOfTime


if __name__ == "__main__":
    answer(make)
