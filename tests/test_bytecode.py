"""Templates are compiled once, and what was compiled counts only for exactly what it was compiled from."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from bot.bytecode import TemplateBytecode
from bot.export.templates import load_shipped_templates
from bot.rehearsal import page
from bot.rehearsal.page import WorkspaceRenderer
from bot.services.library.pages import load_pages
from bot.slack.views import templates

pytestmark = pytest.mark.process

LOAD = """
import sys, jinja2, jinja2.environment
if sys.argv[1] == "compiled":
    def refuse(*_, **__): raise RuntimeError("a template is compiled")
    jinja2.Environment.compile = refuse
from bot.slack.views import templates
from bot.export.templates import load_shipped_templates
from bot.rehearsal.page import WorkspaceRenderer
from bot.services.library import pages
is_of_workspace = lambda name: name.startswith("workspace") and name.endswith(".j2")
templates.prepare()
load_shipped_templates()
web = WorkspaceRenderer().environment
for name in web.list_templates(filter_func=is_of_workspace):
    web.get_template(name)
pages.prepare()
print(templates.words.general.__class__.__name__)
"""


def load(how: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """A new process that loads every template, as the bot does at its start."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, *options, "-X", f"pycache_prefix={folder}", "-c", LOAD, how]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)


def test_no_template_is_compiled_at_a_second_start(tmp_path: Path) -> None:
    first = load("anyhow", tmp_path)
    assert (first.returncode, first.stderr) == (0, "")
    again = load("compiled", tmp_path)
    assert (again.returncode, again.stderr, again.stdout) == (0, "", first.stdout)


def test_nothing_is_written_where_python_is_asked_not_to(tmp_path: Path) -> None:
    assert load("anyhow", tmp_path, "-B").returncode == 0
    assert list(tmp_path.iterdir()) == []
    assert "a template is compiled" in load("compiled", tmp_path).stderr


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module that makes an environment, beside a template; a checkout may forbid to write bytecode."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", None)
    (tmp_path / "module.py").write_text("trim_blocks = False")
    (tmp_path / "hello.j2").write_text("Hello {{ name }}!")
    return tmp_path


class CountingEnvironment(Environment):
    """Counts the templates that it compiles."""

    compiled = 0

    def compile(self, *parts: Any, **options: Any) -> Any:
        self.compiled += 1
        return super().compile(*parts, **options)


def render(folder: Path) -> tuple[str, int]:
    """What the template says in a new environment, and how many templates were compiled for that."""
    environment = CountingEnvironment(
        loader=FileSystemLoader(folder), bytecode_cache=TemplateBytecode(str(folder / "module.py"))
    )
    return environment.get_template("hello.j2").render(name="Ana"), environment.compiled


def list_written(folder: Path) -> list[Path]:
    return sorted((folder / "__pycache__").iterdir())


def test_what_was_compiled_is_used_again(folder: Path) -> None:
    assert [render(folder), render(folder)] == [("Hello Ana!", 1), ("Hello Ana!", 0)]
    assert len(list_written(folder)) == 1


def test_another_text_of_the_same_length_and_time_is_compiled_anew(folder: Path) -> None:
    render(folder)
    before = (folder / "hello.j2").stat()
    (folder / "hello.j2").write_text("Howdy {{ name }}?")
    os.utime(folder / "hello.j2", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert [render(folder), render(folder)] == [("Howdy Ana?", 1), ("Howdy Ana?", 0)]


def test_another_environment_is_compiled_for_anew(folder: Path) -> None:
    render(folder)
    (folder / "module.py").write_text("trim_blocks = True ")
    assert render(folder) == ("Hello Ana!", 1)


def test_another_python_is_compiled_for_anew(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    render(folder)
    monkeypatch.setattr(sys, "version", f"{sys.version} of another build")
    assert render(folder) == ("Hello Ana!", 1)


@pytest.mark.parametrize("damage", ["empty", "cut", "flipped", "other"])
def test_a_damaged_file_is_compiled_anew(folder: Path, damage: str) -> None:
    render(folder)
    (path,) = list_written(folder)
    content = path.read_bytes()
    flipped = content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]
    path.write_bytes({"empty": b"", "cut": content[:-20], "flipped": flipped, "other": b"x" * 500}[damage])
    assert [render(folder), render(folder)] == [("Hello Ana!", 1), ("Hello Ana!", 0)]


def test_where_nothing_can_be_written_it_is_compiled_each_time(folder: Path) -> None:
    (folder / "__pycache__").write_text("no folder")
    assert [render(folder), render(folder)] == [("Hello Ana!", 1), ("Hello Ana!", 1)]


def test_nothing_is_left_of_a_file_that_was_written(folder: Path) -> None:
    render(folder)
    assert [path.suffix for path in list_written(folder)] == [".pyc"]


def shipped_templates() -> Iterator[tuple[Environment, str, str]]:
    """Every shipped template, with its environment and the module that makes it."""
    words = templates._words
    for name in words._environment.list_templates(extensions=["j2"]):
        is_plain = name.removesuffix(".j2") in templates.PLAIN
        yield (words._plain if is_plain else words._environment), name, templates.__name__
    documents = load_shipped_templates()
    for name in documents.list_templates(filter_func=lambda name: name.startswith(("postmortem/", "publish/"))):
        if name.endswith(".j2"):
            yield documents, name, load_shipped_templates.__module__
    web = WorkspaceRenderer().environment
    library = load_pages()
    for name in web.list_templates(extensions=["j2"]):
        is_library = name.startswith("library")
        yield (library if is_library else web), name, (load_pages.__module__ if is_library else page.__name__)


def test_what_a_template_is_compiled_to_depends_on_no_other_module_of_ours() -> None:
    """Jinja runs filters of constants while it compiles: those must be of the module whose text is in the digest."""
    outside: list[tuple[str, str]] = []

    def watch(template: str, name: str, function: Any, module: str) -> Any:
        def call(*values: Any, **named: Any) -> Any:
            is_ours = function.__module__.startswith(("bot.", "handlers.", "storage."))
            if is_ours and (
                function.__module__ != module or (name == "finalize" and not isinstance(values[0], Markup))
            ):
                outside.append((template, name))
            return function(*values, **named)

        return call

    seen = 0
    for environment, name, module in shipped_templates():
        source, filename, _ = environment.loader.get_source(environment, name)  # type: ignore[union-attr]
        watching = environment.overlay()
        watching.filters = {
            each: watch(name, each, filter_, module) if filter_.__module__.startswith("bot.") else filter_
            for each, filter_ in environment.filters.items()
        }
        if environment.finalize not in (None, str):
            watching.finalize = watch(name, "finalize", environment.finalize, module)
        watching.compile(source, name, filename)
        seen += 1
    assert seen > 35
    assert outside == []
