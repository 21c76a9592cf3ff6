"""The template set of the exports, compiled once."""

import base64
import json
from collections.abc import Callable
from pathlib import Path

from jinja2 import BaseLoader, ChoiceLoader, FileSystemLoader, PackageLoader, PrefixLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment, SandboxedEnvironment

from bot.export import escape, times

_FOLDER = "postmortem/"


def template_set(folder: Path | None = None) -> SandboxedEnvironment:
    """Every template of the document, compiled now, so that no export waits for it; those in `folder` win over ours.

    In Markdown templates a text of the record must pass a filter (`block`, `item`, `inline`, `cell`, `heading`,
    `yaml`); HTML templates escape by themselves. An unknown name is an error, never an empty place. Raises
    jinja2.TemplateError where a file is no template.
    """
    environment = ImmutableSandboxedEnvironment(
        loader=_loader(folder),
        autoescape=_is_html,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
        cache_size=-1,
    )
    filters: dict[str, Callable[..., str]] = {
        "block": escape.block,
        "item": escape.item,
        "inline": escape.inline,
        "cell": escape.cell,
        "heading": escape.heading,
        "dated": times.dated,
        "stamp": times.stamp,
        "span": times.span,
        "iso": times.iso,
        "yaml": _yaml,
        "base64": _base64,
    }
    environment.filters.update(filters)
    for name in environment.list_templates(filter_func=lambda name: name.startswith(_FOLDER) and name.endswith(".j2")):
        environment.get_template(name)
    return environment


def _loader(folder: Path | None) -> BaseLoader:
    ours = PackageLoader("templates", package_path="")
    if folder is None:
        return ours
    return ChoiceLoader([PrefixLoader({_FOLDER.rstrip("/"): FileSystemLoader(folder)}), ours])


def _is_html(name: str | None) -> bool:
    return name is None or not name.endswith(".md.j2")


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _yaml(text: str) -> str:
    # A JSON string is a YAML scalar, whatever the text (YAML 1.2, section 1.3).
    return json.dumps(text, ensure_ascii=False)
