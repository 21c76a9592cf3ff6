"""Slack's text, in and out: what people typed becomes plain words, and plain words become harmless mrkdwn.

Only `&`, `<` and `>` are escaped on the way out, as Slack documents: with `<` escaped no mention, link or date in
somebody's words is live, so that quoting them never pings anyone.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime

from bot.domain.alerts import PROGRAMS
from bot.domain.text import Piece, PieceKind, split_pieces

_REACHED_BY = re.compile(r"^(?:mailto|tel|sms|callto|sips?):(?://)?", re.IGNORECASE)
"""What stands before a mail address or a number in a link; nobody types or reads it."""

_PHONE = re.compile(r"[\s+().\-/\u00a0\u2010-\u2013]+")
_TAG = re.compile(r"<([^<>\n]{1,3000})>")
_ENTITY = re.compile(r"&(amp|lt|gt);")
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">"}
_USER = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^<>]*)?>")

_CHANNEL = re.compile(r"<#([CG][A-Z0-9]+)(?:\|[^<>]*)?>")
_ID = re.compile(r"[A-Z0-9]+", re.ASCII)
_GROUP = re.compile(r"<!subteam\^(S[A-Z0-9]+)(?:\|([^<>]*))?>")
_NAMED = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^<>]*)?>|<#([CG][A-Z0-9]+)\|?>|<!subteam\^(S[A-Z0-9]+)\|?>")

MOST_DIGITS = 10
"""Digits of a moment in seconds since 1970, up to the year 2286."""

SHORTEST_NUMBER = 5
"""Digits from which on the end of a telephone number is the number."""

_NO_MARK = "\u02cb"
"""Looks like a backtick (it is a modifier letter), and opens no code."""

NameOf = Callable[[str], str]
"""The name of a person, a channel or a user group by its id; empty where it is not known."""


def escape(text: str) -> str:
    """Words as they may stand in mrkdwn: no mention, link or date in them is live."""
    if "&" in text or "<" in text or ">" in text:
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text


def mrkdwn(text: str) -> str:
    """What people wrote, as mrkdwn: their code is code, and nothing else of it can become some.

    Slack has no escape for a backtick: one that is no mark of code is shown as a letter that looks like it, or it would
    make code of the words of others, up to the next.
    """
    if "`" not in text:
        return escape(text)
    written, is_behind_block = "", False
    for piece in split_pieces(text):
        is_block = piece.kind is PieceKind.BLOCK
        written += "\n" if written and (is_block or is_behind_block) else ""
        written += _code(piece) if piece.marks else escape(piece.text.replace("`", _NO_MARK))
        is_behind_block = is_block
    return written


def _code(piece: Piece) -> str:
    """Slack knows marks of one backtick and of three."""
    if piece.kind is PieceKind.SPAN:
        return f"`{escape(piece.text.replace('`', _NO_MARK))}`"
    inside = escape(piece.text.replace("```", _NO_MARK * 3))
    is_apart = "\n" in inside or "`" in (inside[0], inside[-1])
    return f"```\n{inside}\n```" if is_apart else f"```{inside}```"


def find_users(text: str) -> tuple[str, ...]:
    """The user ids that Slack put into a text, in their order."""
    return tuple(match[1] for match in _USER.finditer(text)) if "<@" in text else ()


def find_channels(text: str) -> tuple[str, ...]:
    """The channel ids that Slack put into a text, in their order."""
    return tuple(match[1] for match in _CHANNEL.finditer(text)) if "<#" in text else ()


def find_group(text: str) -> tuple[str, str] | None:
    """The first user group that Slack put into a text, as (id, label); the label may be empty."""
    match = _GROUP.search(text)
    return (match[1], (match[2] or "").removeprefix("@")) if match else None


def strip_groups(text: str) -> str:
    """The text with its user groups taken out, as when `@oncall` only says who the owner is."""
    return re.sub(r"\s{2,}", " ", _GROUP.sub(" ", text)).strip()


def find_ids_to_name(text: str) -> tuple[str, ...]:
    """The ids in a text for which `to_plain_text` asks a name: people, and channels and user groups without a label."""
    return tuple(match[1] or match[2] or match[3] for match in _NAMED.finditer(text)) if "<" in text else ()


def strip_mentions(text: str) -> str:
    """The text with its user mentions taken out, as when `@ana` only says who the owner is."""
    return re.sub(r"\s{2,}", " ", _USER.sub(" ", text)).strip()


def to_plain_text(text: str, name_of: NameOf) -> str:
    """What a person typed, as words: mentions become names, links stay addresses, entities are resolved once."""
    if "<" in text:
        text = _TAG.sub(lambda match: _tag(match[1], name_of), text)
    return unescape(text)


def unescape(text: str) -> str:
    """The three characters that Slack escapes, resolved once."""
    return _ENTITY.sub(lambda match: _ENTITIES[match[1]], text) if "&" in text else text


def _tag(inside: str, name_of: NameOf) -> str:
    target, _, label = inside.partition("|")
    if target.startswith("@"):
        return f"@{name_of(target[1:]) or label or target[1:]}"
    if target.startswith("#"):
        return f"#{label or name_of(target[1:]) or target[1:]}"
    if target.startswith("!"):
        return _special(target[1:], label, name_of)
    address = _REACHED_BY.sub("", target)
    if not label or label in (target, address, address.split("://")[-1]):
        return address
    return label if address != target and _is_same_address(label, address) else f"{label} ({address})"


def _is_same_address(label: str, address: str) -> bool:
    """Whether somebody typed the mail address or the number itself, which Slack only made a link of.

    A number may lack the code of its country, and begin with a zero in its place.
    """
    bare = address.partition("?")[0]
    typed, called = _PHONE.sub("", label).lstrip("0"), _PHONE.sub("", bare)
    if not (typed.isdecimal() and called.isdecimal()):
        return label.lower() == bare.lower()
    return typed == called.lstrip("0") or (len(typed) >= SHORTEST_NUMBER and called.endswith(typed))


def _special(target: str, label: str, name_of: NameOf) -> str:
    kind, _, rest = target.partition("^")
    if kind == "subteam":
        return f"@{(label or name_of(rest) or rest).removeprefix('@')}"
    return _date(rest, label) if kind == "date" else f"@{kind}"


def _date(inside: str, label: str) -> str:
    """The moment that Slack shows every reader on their own clock, in UTC; its label where it is no moment."""
    seconds = inside.partition("^")[0]
    if not seconds.isdecimal() or len(seconds) > MOST_DIGITS:
        return label
    moment = datetime.fromtimestamp(int(seconds), UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}".removesuffix(":00") + " UTC"


def date_token(moment: datetime, written: str) -> str:
    """A moment that each reader sees in their own clock, with the UTC words where Slack shows none."""
    return f"<!date^{int(moment.timestamp())}^{{date_short_pretty}} {{time}}|{escape(written)}>"


def mention(user: str | None) -> str:
    """A live mention of a person or a user group: pings in a channel post, so only where that is meant.

    A program that wrote into the record is named: there is nobody to ping. What is no id of Slack's is words like any
    other: a file that was imported may hold whatever its writer liked.
    """
    if not user or user in PROGRAMS:
        return PROGRAMS.get(user or "", "")
    if not _ID.fullmatch(user):
        return escape(user)
    return f"<!subteam^{user}>" if user.startswith("S") else f"<@{user}>"
