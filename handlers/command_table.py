"""A slash command as a table of verbs. A row of the table groups verbs that belong together.

Parsing, help, "did you mean", the manifest's usage hint and the README's table are made from these tables.
"""

import re
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property

from bot.domain.records import Examples
from bot.domain.text import find_nearest, require_length
from bot.errors import Refused
from bot.export import FORMATS
from bot.manifest import SlashCommand
from bot.services.context import Services, read_examples
from bot.services.documents import exports as exports_service
from bot.slack.views import blocks
from bot.slack.views.blocks import Message
from handlers.boundary import Boundary
from handlers.requests import Command, Form

ALONE = ""
NUMBER = r"\s+#?(?P<number>\d{1,4})"
TEXT = r"\s+(?P<text>.+)"
MAYBE_TEXT = r"(?:\s+(?P<text>.+))?"
ANYTHING = r"(?P<text>.+)"
"""The whole line, for the default verb."""

_ALIKE = 0.7
"""How similar to a verb a word must be to be called a misspelling of it: 0 (not at all) to 1 (equal)."""


def _join_formats(forms: Sequence[str]) -> str:
    return f"{', '.join(forms[:-1])} or {forms[-1]}"


FIRST: dict[str, object] = asdict(Examples()) | {"reaction": "memo", "forms": _join_formats(tuple(FORMATS))}
"""Values for the names in examples and help lines while nothing is recorded."""

Answer = Awaitable[Message | Form | None]


@dataclass(frozen=True)
class Verb:
    """One thing that people can ask for with a command.

    `words` (separated by blanks) begin it; `form` is the regular expression of what follows, or of the whole line if
    there are none. `also` are words that are understood but never suggested, `others` further forms of the whole line.
    `example` and `help` may name recorded numbers, as `{why}`: see `Examples`. `missing` answers an incomplete line.
    A verb that `needs` a system is listed only if that is connected ("any": if any is). `harmful` verbs wake people,
    end or remove something, or publish it: they are never suggested. `usage` is its part of the hint that Slack shows
    while the command is typed. The `is_default` verb gets every line that no other verb matches. A message in a thread
    is marked as recorded if its verb `changes` the record. A verb that `is_recording` takes a person's own words and
    shows nothing that others wrote: it is open to people of whom Slack has not said yet who they are.
    """

    words: str
    form: str
    run: Callable[[Boundary, Command], Answer]
    help: str
    example: str
    also: str = ""
    others: tuple[str, ...] = ()
    missing: str = ""
    needs: str = ""
    harmful: bool = False
    usage: str = ""
    is_default: bool = False
    changes: bool = False
    is_recording: bool = False

    @cached_property
    def known_by(self) -> tuple[str, ...]:
        """All the words that begin it."""
        return tuple(f"{self.words} {self.also}".split())

    @cached_property
    def _forms(self) -> tuple[re.Pattern[str], ...]:
        begins = "|".join(map(re.escape, self.known_by)) if self.words else ""
        return tuple(re.compile(form, re.IGNORECASE | re.DOTALL) for form in (f"(?:{begins}){self.form}", *self.others))

    def match(self, text: str) -> re.Match[str] | None:
        """The match of the whole text, if it is this verb's."""
        for form in self._forms:
            if match := form.fullmatch(text):
                return match
        return None

    def is_available(self, systems: Collection[str]) -> bool:
        """Whether the system that it needs is connected."""
        return not self.needs or self.needs in systems or (self.needs == "any" and bool(systems))


@dataclass(frozen=True)
class CommandTable:
    """A slash command. Without a default verb, a line whose first word is no verb's is refused.

    `intro` heads the help, `notes` end it. `missing` answers an incomplete line, with `{example}`; empty if the default
    verb gets such lines. `foreign` maps words of other tools to commands of ours.
    """

    name: str
    description: str
    intro: str
    rows: tuple[tuple[Verb, ...], ...]
    notes: tuple[str, ...] = ()
    missing: str = "That's only half a command. Try {example}"
    foreign: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def default(self) -> Verb | None:
        return next((verb for row in self.rows for verb in row if verb.is_default), None)

    @cached_property
    def verbs(self) -> tuple[Verb, ...]:
        """Every verb, in the order in which they are tried."""
        asks = Verb("help", ALONE if self.default else MAYBE_TEXT, self._help, "shows this", "help", also="?")
        verbs = [verb for row in self.rows for verb in row if not verb.is_default]
        return (*verbs, asks, *([self.default] if self.default else []))

    def parse(self, text: str, systems: Collection[str] = ()) -> tuple[Verb, re.Match[str]]:
        """The verb and its match. Raises Refused for an incomplete line or an unknown word."""
        text = text.strip()
        word = text.lower().rstrip(" .…") if self.default else text.lower().partition(" ")[0]
        for verb in self.verbs:
            if verb.is_default:
                self._require_whole(word)
            if match := verb.match(text):
                return verb, match
        self._require_whole(word.rstrip("-:=0123456789"))
        raise Refused(self._unknown(word, systems))

    async def run(self, boundary: Boundary, command: Command) -> Message | Form | None:
        """Do what was typed."""
        # Names first, because the verbs' forms read what people see; ids of mentions would not match a word.
        text = await boundary.services.slack.directory.resolve_names(command.request.team, command.text)
        require_length(text, "That command")
        verb, match = self.parse(text, boundary.services.integrations.names)
        if not verb.is_recording:
            await boundary.require_identified(command.request)
        return await verb.run(boundary, replace(command, match=match))

    def _require_whole(self, word: str) -> None:
        half = next((verb for verb in self.verbs if word in verb.known_by), None) if self.missing else None
        if half and not any(verb.match(word) for verb in self.verbs if not verb.is_default):
            raise Refused((half.missing or self.missing).format(example=f"`{self._example(half, FIRST)}`"))

    def _unknown(self, word: str, systems: Collection[str]) -> str:
        """The sentence for an unknown word. If the nearest verb is harmful, none is suggested."""
        verbs = {one: verb for verb in self.verbs for one in verb.words.split()}
        near, close = verbs.get(find_nearest(word, verbs)), find_nearest(word, verbs, _ALIKE)
        is_safe = near is not None and not near.harmful and verbs[close or "help"].is_available(systems)
        # A harmful verb is never suggested: people press what is offered without reading it at three in the morning.
        guess = self.foreign.get(word, "") or (close if is_safe else "")
        hint = f" Did you mean `{guess}`?" if guess else ""
        return f"I don't know `{word[:40].replace('`', '')}`.{hint} (`{self.name} help` lists everything)"

    async def _help(self, boundary: Boundary, command: Command) -> Message:
        examples = await read_examples(boundary.services, command.request)
        return blocks.ephemeral(self.describe(boundary.services, examples))

    def describe(self, services: Services, examples: Examples) -> str:
        """The help for this workspace: with what is connected, and numbers that are recorded."""
        named = asdict(examples) | {
            "reaction": services.policy.reaction,
            "forms": _join_formats(exports_service.list_formats(services)),
        }
        return self.help_text(services.integrations.names, named)

    def help_text(self, systems: Collection[str], named: Mapping[str, object] = FIRST) -> str:
        """The help; `named` are the values for the names in examples and help lines."""
        listed = (verb for row in self.rows for verb in row if verb.is_available(systems))
        lines = (f"• `{self._example(verb, named)}` {verb.help.format(**named)}" for verb in listed)
        return "\n".join([self.intro, *lines, *(note.format(**named) for note in self.notes)])

    def in_manifest(self) -> SlashCommand:
        """The command for the app's manifest."""
        hint = " | ".join([*(verb.usage for row in self.rows for verb in row if verb.usage), "help"])
        return SlashCommand(self.name, self.description, hint)

    def _example(self, verb: Verb, named: Mapping[str, object]) -> str:
        return f"{self.name} {verb.example}".strip().format(**named)
