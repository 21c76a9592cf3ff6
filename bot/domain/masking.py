"""Makes a masked copy of a document for readers outside the channel, and lists what was masked.

The record stays whole. Every text is searched for credentials, e-mail and IP addresses, and for the operator's own
patterns. Pictures and files cannot be searched, so a masked copy has none, no links into the channel, and no history:
struck texts stay inside.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from enum import Enum
from typing import Any, Protocol

from bot.domain import secrets as secrets_rules
from bot.domain.document import ActionItem, Document, EditedText, FileItem, TimelineLine, WhyStep
from bot.domain.text import shorten

MASKED = "[masked]"
LEFT_OUT = "a masked copy has no files"

_EMAIL_KIND, _ADDRESS_KIND = "an e-mail address", "an IP address"
_SHOWN_KINDS = frozenset({_EMAIL_KIND, _ADDRESS_KIND})
_OWN_KIND, _ENDLESS_KIND = "a match of your own rule", "a text that took your own rules too long"
_LONGEST_HINT = 80
_Spans = Callable[[str], Iterator[tuple[int, int, str]]]
Spans = tuple[tuple[int, int], ...]
"""Places in a text: (start, end)."""

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}\b")
_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}(?:[0-9A-Fa-f]{1,4}|(?:\d{1,3}\.){3}\d{1,3})?(?![\w:])")
_NAMES_NOTHING = frozenset(
    [
        *("id", "key", "slug", "delivery", "verb", "media_type", "severity", "channel_id"),
        *("section", "facts", "source", "draft"),  # of what came back in drafts
    ]
)
"""Fields that are names of ours: a mask in them would only break links."""

_HISTORY = frozenset({"versions", "struck", "struck_whys", "audit"})
"""Parts with struck texts, and with who did what: readers outside get none of them."""


@dataclass(frozen=True, slots=True)
class MaskedItem:
    """One thing that was masked: `kind` with its article, `where` in the document, and the text itself."""

    kind: str
    where: str
    text: str

    @property
    def hint(self) -> str:
        """Enough of it to recognise it: credentials and matches of own patterns are never shown in full."""
        text = " ".join(self.text.split())
        return shorten(text, _LONGEST_HINT) if self.kind in _SHOWN_KINDS else f"{text[: min(4, len(text) // 3)]}…"


@dataclass(frozen=True, slots=True)
class MaskRules:
    """What to look for: `usual` are names of `USUAL`, `patterns` are the operator's own.

    A pattern can take for ever on the wrong text. So `looked` holds the matches that the process with limits
    found (`bot.export.mask_patterns`): for each text the spans, or None if it took too long. A text that is missing
    there, or took too long, is masked as a whole. Without `looked` the patterns run here.
    """

    usual: tuple[str, ...]
    patterns: tuple[re.Pattern[str], ...] = ()
    looked: "Mapping[str, Spans | None] | None" = field(default=None, compare=False)

    def spans(self, text: str) -> tuple[tuple[int, int, str], ...]:
        """What they find in a text, in order, none overlapping: start, end and kind."""
        found = [span for name in self.usual for span in USUAL[name](text)]
        found += self._own(text) if self.patterns else []
        merged: list[tuple[int, int, str]] = []
        # Of two that begin together the longer comes first and swallows the other.
        for span in sorted(found, key=lambda span: (span[0], -span[1])):
            if not merged or span[0] >= merged[-1][1]:
                merged.append(span)
            elif span[1] > merged[-1][1]:
                merged[-1] = (merged[-1][0], span[1], merged[-1][2])
        return tuple(merged)

    def _own(self, text: str) -> list[tuple[int, int, str]]:
        spans = find_matches(self.patterns, text) if self.looked is None else self.looked.get(text)
        if spans is None:
            return [(0, len(text), _ENDLESS_KIND)] if text.strip() else []
        return [(start, end, _OWN_KIND) for start, end in spans]


def find_matches(patterns: tuple[re.Pattern[str], ...], text: str) -> Spans:
    """The spans of a text that the patterns match, as (start, end). Can take for ever."""
    return tuple(match.span() for pattern in patterns for match in pattern.finditer(text) if match[0])


def _credentials(text: str) -> Iterator[tuple[int, int, str]]:
    yield from ((span.start, span.end, span.kind) for span in secrets_rules.find_credentials(text))


def _emails(text: str) -> Iterator[tuple[int, int, str]]:
    if "@" in text:
        yield from ((*match.span(), _EMAIL_KIND) for match in _EMAIL.finditer(text))


def _addresses(text: str) -> Iterator[tuple[int, int, str]]:
    for pattern in (_IPV4, _IPV6):
        for match in pattern.finditer(text):
            if _is_address(match[0]):
                yield (*match.span(), _ADDRESS_KIND)


def _is_address(text: str) -> bool:
    """Whether an IP address says anything: a program's own, such as 127.0.0.1, is no secret."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    names_a_thing = any(character.isdigit() for character in text)  # `a::b` is a name in a program
    return names_a_thing and not address.is_loopback and not address.is_unspecified


USUAL: dict[str, _Spans] = {"credentials": _credentials, "emails": _emails, "addresses": _addresses}
"""The rules that we know, by the names that the operator chooses them with."""

USUAL_RULES = MaskRules(tuple(USUAL))
"""All of them, and no patterns."""


def parse_rules(usual: str, patterns: str) -> MaskRules:
    """Parse the operator's setting: names of `USUAL` between commas, or `none`; regular expressions between blanks.

    Raises ValueError with a sentence for an unknown name or an invalid expression.
    """
    names = [] if usual.strip() == "none" else [name.strip() for name in usual.split(",") if name.strip()]
    for name in names:
        if name not in USUAL:
            raise ValueError(f"there is no rule {name!r}; there are {', '.join(USUAL)}, and none")
    try:
        return MaskRules(tuple(dict.fromkeys(names)), tuple(re.compile(pattern) for pattern in patterns.split()))
    except re.error as error:
        raise ValueError(f"{error.pattern!r} is no regular expression: {error}") from error


def mask(document: Document, rules: MaskRules) -> tuple[Document, tuple[MaskedItem, ...]]:
    """The document as it may be shown more widely, and everything that was masked in it, in reading order."""
    finds: dict[MaskedItem, None] = {}
    masked = _mask_document(document, rules, finds, "")
    return masked, tuple(finds)


class _Rules(Protocol):
    def spans(self, text: str) -> tuple[tuple[int, int, str], ...]: ...


class _Reading:
    """Looks for nothing, and records every text that it is given."""

    def __init__(self) -> None:
        self.texts: dict[str, None] = {}

    def spans(self, text: str) -> tuple[tuple[int, int, str], ...]:
        self.texts[text] = None
        return ()


def list_texts(document: Document) -> tuple[str, ...]:
    """Every text of a document that `mask` looks into."""
    reading = _Reading()
    _mask_document(document, reading, {}, "")
    return tuple(reading.texts)


def _mask_document(value: Any, rules: _Rules, finds: dict[MaskedItem, None], where: str) -> Any:
    match value:
        # Before str: a StrEnum is one, and a value of ours.
        case Enum() | bytes():
            return value
        case str():
            return _text(value, rules, finds, where)
        case FileItem():
            emptied = replace(value, is_kept=False, content=b"", note=LEFT_OUT)
            return _parts(emptied, rules, finds, where)
        # Before tuple, which a named tuple is.
        case TimelineLine():
            named = {"text": value.text, "author": value.author, "recorder": value.recorder, "files": value.files}
            changed = {name: _mask_document(part, rules, finds, f"#{value.number}") for name, part in named.items()}
            return value._replace(**changed, permalink="", source="", versions=())
        case tuple():
            return tuple(_mask_document(part, rules, finds, where) for part in value)
        case _ if is_dataclass(value):
            return _parts(value, rules, finds, where)
        case _:
            return value


def _parts(value: Any, rules: _Rules, finds: dict[MaskedItem, None], where: str) -> Any:
    changed = {}
    for part in fields(value):
        if part.name in _HISTORY:
            changed[part.name] = ()
        elif part.name not in _NAMES_NOTHING:
            changed[part.name] = _mask_document(
                getattr(value, part.name), rules, finds, _where(value, part.name, where)
            )
    return replace(value, **changed)


def _where(value: object, field: str, where: str) -> str:
    """What a reader calls the place."""
    number = getattr(value, "number", None)
    if isinstance(value, Document):
        return {"title": "the title", "channel_name": "the channel's name"}.get(field, "the head")
    if isinstance(value, WhyStep | ActionItem):
        return f"{'why' if isinstance(value, WhyStep) else 'action'} {number}"
    if isinstance(value, EditedText):
        return f"the edited {value.section.replace('_', ' ')}"
    title = getattr(value, "title", "")
    return str(title) or where


def mask_text(text: str, rules: MaskRules) -> str:
    """One text as it may be shown more widely."""
    return _text(text, rules, {}, "")


def _text(text: str, rules: _Rules, finds: dict[MaskedItem, None], where: str) -> str:
    spans = rules.spans(text)
    if not spans:
        return text
    pieces, done = [], 0
    for start, end, kind in spans:
        finds[MaskedItem(kind, where, text[start:end])] = None
        pieces += [text[done:start], MASKED]
        done = end
    return "".join([*pieces, text[done:]])
