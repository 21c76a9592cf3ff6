"""The Jinja environment of the exports, compiled once."""

import base64
from collections.abc import Callable, Mapping
from functools import cache

from jinja2 import BaseLoader, ChoiceLoader, Environment, PackageLoader, PrefixLoader, StrictUndefined, TemplateNotFound
from jinja2.sandbox import ImmutableSandboxedEnvironment, SandboxedEnvironment

from bot.export import escape, markdown

_FOLDER = "postmortem/"
_OURS = PackageLoader("templates", package_path="")


@cache
def load_shipped_templates() -> SandboxedEnvironment:
    """Every template of the document, compiled at the first call, so that no export waits for it.

    There is one set in a process, which everybody shares: do not change it.

    In Markdown templates a text of the record must pass a filter (`block`, `item`, `inline`, `cell`, `heading`,
    `yaml`); HTML templates escape by themselves. An unknown name is an error, never an empty place.
    """
    environment = _make_environment(_OURS)
    for name in environment.list_templates(filter_func=lambda name: name.startswith(_FOLDER) and name.endswith(".j2")):
        environment.get_template(name)
    return environment


def load_team_templates(templates: Mapping[str, str]) -> SandboxedEnvironment:
    """The same with a team's templates, by their names in its folder, over ours; each is compiled when it is used."""
    return _make_environment(ChoiceLoader([PrefixLoader({_FOLDER.rstrip("/"): _TextLoader(templates)}), _OURS]))


def _make_environment(loader: BaseLoader) -> SandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        loader=loader,
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
        "dated": markdown.format_moment,
        "stamp": markdown.format_range,
        "span": markdown.format_duration,
        "iso": markdown.format_iso,
        "yaml": escape.yaml,
        "base64": _encode_base64,
    }
    environment.filters.update(filters)
    return environment


class _TextLoader(BaseLoader):
    """Templates that are held already, under names that stand for their files in what an error tells."""

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
