"""The words that people read in Slack: macros of `templates/slack/*.j2`, one file a noun, compiled at the start."""

from types import SimpleNamespace
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bot.domain.secrets import mask_credentials
from bot.export import markdown
from bot.slack.mrkdwn import clock_face, escape, mention, mrkdwn

NOUNS = (
    "timeline",
    "incidents",
    "whys",
    "actions",
    "postmortem",
    "reminders",
    "general",
    "secrets",
    "home",
    "capture",
    "paste",
    "lookback",
    "recall",
    "findings",
    "connections",
    "statuspage",
    "confluence",
    "drafts",
    "alerts",
    "edits",
    "exports",
)

PLAIN = ("drafts",)
"""Those whose words go into the fields of forms, where nothing is markup and nothing must be escaped."""


def _finalize(value: Any) -> Any:
    """Every value that a template shows is escaped for mrkdwn, unless it is marked as live."""
    return value if isinstance(value, Markup) else mrkdwn(str(value))


def _live(value: str) -> Markup:
    """Words that are already mrkdwn: our own, never a person's."""
    return Markup(value)  # noqa: S704 (marks mrkdwn that is ours; nothing here is HTML)


def _linked(url: str, name: str) -> Markup:
    """A link that reads as the name; what would end it early is quoted as in any address."""
    return _live(f"<{escape(url).replace('|', '%7C')}|{mrkdwn(name)}>")


class Words:
    """`words.timeline.receipt(entry=…)` gives a macro's text, stripped."""

    def __init__(self) -> None:
        environment = Environment(
            loader=PackageLoader("templates", package_path="slack"),
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
        environment.filters["linked"] = _linked
        environment.filters["clock"] = lambda moment: f"{moment:%H:%M}"
        environment.filters["stamp"] = lambda moment: f"{moment:%Y-%m-%d %H:%M}"
        environment.filters["face"] = lambda moment: _live(clock_face(moment, f"{moment:%Y-%m-%d %H:%M} UTC"))
        environment.filters["dated"] = markdown.dated
        environment.filters["span"] = markdown.span
        plain = environment.overlay(finalize=str)
        for noun in NOUNS:
            macros = self._macros(plain if noun in PLAIN else environment, noun)
            setattr(self, noun, SimpleNamespace(**macros))

    @staticmethod
    def _macros(environment: Environment, noun: str) -> dict[str, Any]:
        module = environment.get_template(f"{noun}.j2").module
        return {name: _stripped(macro) for name, macro in vars(module).items() if not name.startswith("_")}


def _stripped(macro: Any) -> Any:
    return lambda **given: str(macro(**given)).strip() if callable(macro) else macro


words: Any = Words()
"""Loaded at import, so that no template is ever compiled while somebody waits for an answer."""
