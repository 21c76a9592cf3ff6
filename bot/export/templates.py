"""The templates of documents: the shipped ones, compiled once, and a team's own (`AFTERWORD_TEMPLATES`).

A team's folder is read for each export, so an edited file takes effect at once. The bot only reads: a worker process
runs the templates (`bot.export.template_job`), given their text. If they cannot be used, the shipped ones are, and the
export says why: a broken template never stops an export. Decision 24.
"""

import base64
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, partial
from importlib.resources import files
from pathlib import Path

from jinja2 import BaseLoader, ChoiceLoader, Environment, PackageLoader, PrefixLoader, StrictUndefined, TemplateNotFound
from jinja2.sandbox import ImmutableSandboxedEnvironment, SandboxedEnvironment
from pydantic import TypeAdapter

from bot import bounds
from bot.bytecode import TemplateBytecode
from bot.domain import text as text_rules
from bot.domain.document import Document, TimelineLine
from bot.domain.samples import SAMPLES
from bot.domain.text import shorten, to_one_line
from bot.errors import AfterwordError
from bot.export import escape
from bot.export.drafts import CompiledMarkdown, split
from bot.export.sandbox import MEGABYTE, JobError, Limits, run_job

TEMPLATES = ("document.md.j2", "glance.md.j2", "sections.md.j2", "facts.md.j2", "words.j2")
STYLES = ("page.css", "paper.css")

SHIPPED_FOLDER = files("templates") / "postmortem"
_CLOSES_STYLE = re.compile(r"</\s*style", re.IGNORECASE)


class BrokenTemplateError(AfterwordError):
    """A team's templates cannot be used. The sentence names file, line and cause."""


@dataclass(frozen=True, slots=True)
class TemplateFolder:
    """The files of a folder that differ from the shipped ones: text by path. `troubles` say why it cannot be used."""

    templates: Mapping[str, str]
    styles: Mapping[str, str]
    troubles: tuple[str, ...]

    @property
    def additional(self) -> tuple[str, ...]:
        """The templates that replace none of the shipped ones."""
        return tuple(name for name in self.templates if name not in TEMPLATES)


def read_folder(folder: Path) -> TemplateFolder:
    """Read every template and style sheet of a folder. Never raises: errors are in `troubles`."""
    if not folder.is_dir():
        return TemplateFolder({}, {}, (f"There's no folder {folder}. Set AFTERWORD_TEMPLATES to a folder.",))
    texts: dict[str, str] = {}
    troubles = []
    try:
        for path in _list_files(folder):
            name = path.relative_to(folder).as_posix()
            try:
                texts[name] = _read_file(path, name, folder.resolve())
            except BrokenTemplateError as error:
                troubles.append(str(error))
    except (BrokenTemplateError, OSError) as error:
        troubles.append(str(error))
    own = {name: text for name, text in texts.items() if text != shipped_text(name)}
    styles = {name: text for name, text in own.items() if name in STYLES}
    return TemplateFolder({name: own[name] for name in own if name.endswith(".j2")}, styles, tuple(troubles))


def shipped_text(name: str) -> str | None:
    """The shipped file of that name, if a team's may replace it."""
    return (SHIPPED_FOLDER / name).read_text(encoding="utf-8") if name in (*TEMPLATES, *STYLES) else None


def _list_files(folder: Path) -> Iterator[Path]:
    # In order. Hidden folders are left out, because a mounted Kubernetes volume keeps its versions there.
    seen = 0
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        seen += len(folders) + len(names)
        if seen > bounds.TEMPLATES:  # the setting names something else, such as the root of a disk
            raise BrokenTemplateError(
                f"{folder} holds more than {bounds.TEMPLATES} files. Name a folder that has only your templates."
            )
        for name in sorted(names):
            if name.endswith((".j2", ".css")) and not name.startswith("."):
                yield Path(where, name)


def _read_file(path: Path, name: str, folder: Path) -> str:
    try:
        target = path.resolve(strict=True)
        if not target.is_relative_to(folder):
            raise BrokenTemplateError(f"{name} is a link that leads out of the folder. Put the file itself there.")
        if not target.is_file() or target.stat().st_size > bounds.TEMPLATE:
            raise BrokenTemplateError(f"{name} isn't a file of at most {bounds.TEMPLATE // 1_000_000} MB.")
        text = target.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, RuntimeError) as error:  # RuntimeError: links in a circle
        raise BrokenTemplateError(f"{name} can't be read as UTF-8 text.") from error
    if name in STYLES and (closes := _CLOSES_STYLE.search(text)):
        line = text.count("\n", 0, closes.start()) + 1
        raise BrokenTemplateError(f"{name}, line {line}: a style sheet can't contain {closes[0]}.")
    return text


@dataclass(frozen=True, slots=True)
class TemplateOverride:
    """What a team's templates make of one document.

    `compiled` is its head and regions; None means that the shipped templates write it. `styles` are style sheets by the
    name of the shipped file that they replace. `trouble` says why the team's templates could not be used.
    """

    compiled: CompiledMarkdown | None = None
    styles: Mapping[str, str] = field(default_factory=dict)
    trouble: str = ""


NO_OVERRIDE = TemplateOverride()

EXPORT_LIMITS = Limits(seconds=20.0, memory=512 * MEGABYTE, output=80 * MEGABYTE)
CANVAS_LIMITS = replace(EXPORT_LIMITS, seconds=8.0)
"""A canvas is written by the outbox, so other messages wait meanwhile."""
ANSWER_LIMITS = replace(EXPORT_LIMITS, seconds=1.5)
"""A person waits for the answer."""

# It goes into the export's comment and front matter, next to what people wrote.
MAX_TROUBLE_LENGTH = 300
_SHARE_OF_TIME = 0.9
"""The job stops itself after this part of its time, so that it can still say at which line it was."""


@dataclass(frozen=True, slots=True)
class TemplateTask:
    """The job's input: a team's templates by name, and a document, or else the name of a sample to try.

    `deadline` is a moment of the system's monotonic clock.
    """

    templates: Mapping[str, str]
    document: Document | None
    sample: str
    deadline: float


@cache
def task_json() -> TypeAdapter[TemplateTask]:
    """What writes and reads the job's input. Made when a team's templates are first used."""
    return TypeAdapter(TemplateTask)


"""Reads and writes a task as JSON and not as a pickle: what the worker reads must be data and nothing else."""


@dataclass(frozen=True, slots=True)
class TemplateTrial:
    """The outcome of trying a folder: the shipped files that it replaces, and sentences."""

    used: tuple[str, ...]
    broken: tuple[str, ...]
    notes: tuple[str, ...]


def render_or_fall_back(folder: Path | None, document: Document, limits: Limits) -> TemplateOverride:
    """`render`; NO_OVERRIDE with the trouble if that fails."""
    try:
        return render(folder, document, limits)
    except BrokenTemplateError as error:
        return replace(NO_OVERRIDE, trouble=shorten(to_one_line(str(error)), MAX_TROUBLE_LENGTH))


def render(folder: Path | None, document: Document, limits: Limits) -> TemplateOverride:
    """Render a document by a team's templates. Blocks for half a second. Raises BrokenTemplateError.

    A folder with style sheets alone starts no process. No folder gives NO_OVERRIDE.
    """
    if folder is None:
        return NO_OVERRIDE
    files = read_folder(folder)
    if files.troubles:
        raise BrokenTemplateError(files.troubles[0])
    if not files.templates:
        return TemplateOverride(styles=files.styles) if files.styles else NO_OVERRIDE
    markdown = _run_task(TemplateTask(files.templates, _without_contents(document), "", _deadline(limits)), limits)
    return TemplateOverride(split(markdown), files.styles)


def try_folder(folder: Path) -> TemplateTrial:
    """Try a folder's templates on three sample incidents, each within EXPORT_LIMITS. Blocks for two seconds."""
    files = read_folder(folder)
    outcomes = {name: _try_sample(files, name) for name in SAMPLES} if files.templates and not files.troubles else {}
    notes = [_describe_unused(name) for name in files.additional]
    notes += [note for _, sample_notes in outcomes.values() for note in sample_notes]
    sentences = dict.fromkeys(sentence for broken, _ in outcomes.values() for sentence in broken)
    broken = [_name_samples(one, [name for name in outcomes if one in outcomes[name][0]]) for one in sentences]
    used = tuple(name for name in (*TEMPLATES, *STYLES) if name in {*files.templates, *files.styles})
    return TemplateTrial(used, (*files.troubles, *broken), tuple(notes))


def _try_sample(files: TemplateFolder, sample: str) -> tuple[list[str], list[str]]:
    task = TemplateTask(files.templates, None, sample, _deadline(EXPORT_LIMITS))
    try:
        broken, notes = json.loads(_run_task(task, EXPORT_LIMITS))
    except BrokenTemplateError as error:
        return [str(error)], []
    return broken, notes


def _deadline(limits: Limits) -> float:
    return time.monotonic() + _SHARE_OF_TIME * limits.seconds


def _run_task(task: TemplateTask, limits: Limits) -> str:
    try:
        return run_job("team templates", task_json().dump_json(task), limits).decode()
    except JobError as error:
        raise BrokenTemplateError(str(error)) from error
    except OSError as error:
        raise BrokenTemplateError(f"The process for templates couldn't be started: {error.strerror}.") from error


def _name_samples(sentence: str, samples: list[str]) -> str:
    return sentence if len(samples) == len(SAMPLES) else f"{sentence} (Tried on: {', '.join(samples)}.)"


def _describe_unused(name: str) -> str:
    if (SHIPPED_FOLDER / name).is_file():
        return f"{name} isn't used. That file is always ours, and writes what the others made."
    return f"{name} doesn't replace any of ours. It's used only if another template includes it."


def _without_contents(document: Document) -> Document:
    # Markdown never shows the bytes of attached files, so the worker is spared them.
    return replace(document, timeline=tuple(map(_without_bytes, document.timeline)))


def _without_bytes(line: TimelineLine) -> TimelineLine:
    return line._replace(files=tuple(map(partial(replace, content=b""), line.files))) if line.files else line


_FOLDER = "postmortem/"
_OURS = PackageLoader("templates", package_path="")


@cache
def load_shipped_templates() -> SandboxedEnvironment:
    """Every template of the document, loaded at the first call, so that no export waits for it.

    All callers in a process share one environment: do not change it.

    In Markdown templates a text of the record must pass a filter (`block`, `item`, `inline`, `cell`, `heading`,
    `yaml`); HTML templates escape automatically. An unknown name is an error, never an empty place.
    """
    environment = _make_environment(_OURS)
    environment.bytecode_cache = TemplateBytecode(__file__)
    for name in environment.list_templates(filter_func=lambda name: name.startswith(_FOLDER) and name.endswith(".j2")):
        environment.get_template(name)
    return environment


def load_team_templates(templates: Mapping[str, str]) -> SandboxedEnvironment:
    """The same with a team's templates, by their names in its folder, in place of ours. Each is compiled when used."""
    return _make_environment(ChoiceLoader([PrefixLoader({_FOLDER.rstrip("/"): _TextLoader(templates)}), _OURS]))


def _make_environment(loader: BaseLoader) -> SandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        loader=loader,
        autoescape=_is_html,
        # A misspelt name must fail when a template is tried, not leave a hole in a postmortem.
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # The shipped files do not change while the bot runs, so no export pays for a look at the disk.
        auto_reload=False,
        # Never drops a template: compiling one again would make an export wait.
        cache_size=-1,
    )
    filters: dict[str, Callable[..., str]] = {
        "block": escape.block,
        "item": escape.item,
        "inline": escape.inline,
        "cell": escape.cell,
        "heading": escape.heading,
        "capital": text_rules.capitalize_title,
        "dated": text_rules.format_moment,
        "stamp": text_rules.format_range,
        "span": text_rules.format_duration,
        "iso": text_rules.format_iso,
        "yaml": escape.yaml,
        "base64": _encode_base64,
    }
    environment.filters.update(filters)
    return environment


class _TextLoader(BaseLoader):
    """Templates from memory. Errors name them as the files that they were read from."""

    def __init__(self, templates: Mapping[str, str]) -> None:
        self._templates = templates

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        if template not in self._templates:
            raise TemplateNotFound(template)
        return self._templates[template], template, lambda: True


def _is_html(name: str | None) -> bool:
    return name is None or not name.endswith(".md.j2")


def _encode_base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
