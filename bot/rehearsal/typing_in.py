"""What a person types, as Slack sends it on: names to ids, links marked, the three characters escaped."""

import re
from collections.abc import Mapping

from bot.rehearsal.reading import escape

LINK = r"https?://[^\s<>|]+[^\s<>|.,;:!?)\]'\"]"
MAIL = r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}"
BROADCAST = r"@(?:here|channel|everyone)\b"


class Keyboard:
    """Knows the names that can be typed: of people, and of channels."""

    def __init__(self, people: Mapping[str, str], channels: Mapping[str, str]) -> None:
        self.people = people
        self.channels = channels
        names = "|".join(
            [f"@{re.escape(name)}" for name in sorted(people, key=len, reverse=True) if name]
            + [f"\\#{re.escape(name)}" for name in sorted(channels, key=len, reverse=True) if name]
        )
        self._parts = re.compile(f"({LINK})|({MAIL})|({BROADCAST})|({names or '(?!)'})(?![\\w-])")

    def command(self, text: str) -> str:
        """As a slash command with escaping sends it: `<@U…|name>`, `<#C…|name>`, `<https://…>`."""
        return self._sent(text, named=True)

    def message(self, text: str) -> str:
        """As a message holds it: `<@U…>`, `<#C…|name>`, `<https://…>`."""
        return self._sent(text, named=False)

    def _sent(self, text: str, *, named: bool) -> str:
        parts, end = [], 0
        for match in self._parts.finditer(text):
            parts += [escape(text[end : match.start()]), self._marked(match, named=named)]
            end = match.end()
        return "".join([*parts, escape(text[end:])])

    def _marked(self, match: re.Match[str], *, named: bool) -> str:
        word = escape(match[0])
        if match[1]:
            return f"<{word}>"
        if match[2]:
            return f"<mailto:{word}|{word}>"
        if match[3]:
            return f"<!{match[0][1:]}>"
        name = match[0][1:]
        if match[0].startswith("#"):
            return f"<#{self.channels[name]}|{name}>"
        return f"<@{self.people[name]}|{name}>" if named else f"<@{self.people[name]}>"
