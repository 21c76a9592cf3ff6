"""The words that people read in Slack: the macros of `templates/slack/*.j2`, one file a noun.

`words.timeline.already(number=4, …)` calls the macro `already` of `timeline.j2` and returns its text, stripped.
Filters write times as docs/style.md has them. `day` (Wed 2 Dec) gets today's date. `day_time` (Wed 2 Dec, 9:00 UTC),
`when` (the same, but 9:00 UTC for today), `age` (12 min, 3 weeks) and `ago` (12 min ago, yesterday) get now. `span`
writes a length in full (1 h 12 min), `old` in one unit (3 weeks).

`macros.pyi` declares them for mypy; after a change in a template, `python -m tests.support.template_stub` rewrites it.
"""

import re
from collections.abc import Callable
from datetime import date
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from jinja2 import Environment, PackageLoader, StrictUndefined, TemplateNotFound
from jinja2.runtime import Macro
from markupsafe import Markup

from bot.bytecode import TemplateBytecode
from bot.domain.secrets import mask_credentials
from bot.domain.text import (
    capitalize_title,
    format_age,
    format_ago,
    format_day,
    format_day_time,
    format_duration,
    format_moment,
    format_when,
)
from bot.slack.mrkdwn import date_token, escape, mention, mrkdwn

if TYPE_CHECKING:
    from bot.slack.views.macros import Macros

PLAIN = ("drafts",)
"""Files whose words go into fields of forms. Slack shows those as plain text, so escapes would be seen."""


_USER_ID = re.compile(r"[UW][A-Z0-9]{7,}")


def _finalize(value: Any) -> Any:
    """Escape every value that a template shows, except what the filter `live` has marked."""
    return value if isinstance(value, Markup) else mrkdwn(str(value))


def _live(value: str) -> Markup:
    """Text that is mrkdwn already: ours, never a person's."""
    return Markup(value)  # noqa: S704 (marks mrkdwn that is ours; nothing here is HTML)


def _link(url: str, name: str) -> Markup:
    """A link. A `|` in the address is quoted, since it would end the address."""
    return _live(f"<{escape(url).replace('|', '%7C')}|{mrkdwn(name)}>")


_SEVERITY_MARKS = {
    1: ":red_circle:",
    2: ":large_orange_circle:",
    3: ":large_yellow_circle:",
    4: ":large_blue_circle:",
}


def _severity_mark(severity: int | None) -> Markup:
    """The colour of a severity, to stand beside its word; white if there is none yet."""
    return _live(_SEVERITY_MARKS.get(severity or 0, ":white_circle:"))


def _person(name: str) -> Markup:
    """A name in bold, which pings no one. Only where Slack has not told the name yet, the id as a mention."""
    return _live(mention(name) if _USER_ID.fullmatch(name) else f"*{mrkdwn(name)}*")


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("templates", package_path="slack"),
        bytecode_cache=TemplateBytecode(__file__),
        # A misspelt name fails in a test, and never leaves a hole in a message.
        undefined=StrictUndefined,
        finalize=_finalize,
        autoescape=False,  # noqa: S701 (HTML's escaping would show in Slack; _finalize escapes for mrkdwn)
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.do"],
    )
    environment.filters["live"] = _live
    environment.filters["masked"] = mask_credentials
    environment.filters["mention"] = lambda user: _live(mention(user))
    environment.filters["person"] = _person
    environment.filters["linked"] = _link
    environment.filters["clock"] = lambda moment: f"{moment:%H:%M}"
    environment.filters["face"] = lambda moment: _live(date_token(moment, format_day_time(moment, date.min)))
    environment.filters["dated"] = format_moment
    environment.filters["span"] = format_duration
    environment.filters["capital"] = capitalize_title
    environment.filters["day"] = format_day
    environment.filters["day_time"] = lambda moment, now: format_day_time(moment, now.date())
    environment.filters["severity_mark"] = _severity_mark
    environment.filters["when"] = format_when
    environment.filters["on_or_at"] = lambda when: f"{'on' if when[:1].isalpha() else 'at'} {when}"
    environment.filters["age"] = lambda since, now: format_age(now - since)
    environment.filters["ago"] = format_ago
    environment.filters["old"] = format_age
    return environment


class _MacroFiles:
    """Every macro as a function, by file. What mypy knows about them is held equal to the templates by a test.

    A file is loaded when its first word is needed: the bot prepares all of them, while most commands of the command
    line need none.
    """

    def __init__(self) -> None:
        self._environment = _environment()
        self._plain = self._environment.overlay(finalize=str)

    def __getattr__(self, file: str) -> SimpleNamespace:
        """The macros of a file, which stay: Python asks here only for what is not there yet."""
        environment = self._plain if file in PLAIN else self._environment
        try:
            module = environment.get_template(f"{file}.j2").module
        except TemplateNotFound:
            raise AttributeError(file) from None
        macros = {name: _as_function(it) for name, it in vars(module).items() if isinstance(it, Macro)}
        functions = self.__dict__[file] = SimpleNamespace(**macros)
        return functions

    def prepare(self) -> None:
        for name in self._environment.list_templates(extensions=["j2"]):
            getattr(self, name.removesuffix(".j2"))


def _as_function(macro: Macro) -> Callable[..., str]:
    return lambda **values: str(macro(**values)).strip()


_words = _MacroFiles()
# The stub knows every macro by name and type (decision 44); at run time the object finds them by attribute.
words = cast("Macros", _words)


def prepare() -> None:
    """Load every template, once, so that no request waits for one."""
    _words.prepare()
