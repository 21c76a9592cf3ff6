"""Slack's text format: typed text to plain text, and plain text to harmless mrkdwn.

`&`, `<` and `>` are escaped, as Slack documents. With `<` escaped no mention, link or date in a quoted text is live, so
quoting never pings anyone.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime

from bot.domain.alerts.groups import PROGRAMS
from bot.domain.text import Piece, PieceKind, split_pieces

_REACHED_BY = re.compile(r"^(?:mailto|tel|sms|callto|sips?):(?://)?", re.IGNORECASE)
"""The scheme of a link to a mail address or number, which people neither type nor read."""

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
"""Digits of a Unix time, up to the year 2286."""

SHORTEST_NUMBER = 5
"""Digits that suffice to recognize a telephone number by its end."""

_NO_MARK = "\u02cb"
"""A modifier letter that looks like a backtick and does not begin code."""

NameOf = Callable[[str], str]
"""The name of a person, channel or user group by its id; empty if it is not known."""


def escape(text: str) -> str:
    """Text escaped for mrkdwn. No mention, link or date in it is live."""
    if "&" in text or "<" in text or ">" in text:
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text


def mrkdwn(text: str) -> str:
    """A person's text as mrkdwn. Their code stays code, and nothing else becomes code.

    Slack has no escape for a backtick. One that marks no code is replaced by a similar letter; otherwise it would turn
    the following text, up to the next backtick, into code.
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
    """Slack has code marks of one and of three backticks."""
    if piece.kind is PieceKind.SPAN:
        return f"`{escape(piece.text.replace('`', _NO_MARK))}`"
    inside = escape(piece.text.replace("```", _NO_MARK * 3))
    is_apart = "\n" in inside or "`" in (inside[0], inside[-1])
    return f"```\n{inside}\n```" if is_apart else f"```{inside}```"


def find_users(text: str) -> tuple[str, ...]:
    """The user ids in a text, in order."""
    return tuple(match[1] for match in _USER.finditer(text)) if "<@" in text else ()


def find_channels(text: str) -> tuple[str, ...]:
    """The channel ids in a text, in order."""
    return tuple(match[1] for match in _CHANNEL.finditer(text)) if "<#" in text else ()


def find_group(text: str) -> tuple[str, str] | None:
    """The first user group in a text as (id, label). The label may be empty."""
    match = _GROUP.search(text)
    return (match[1], (match[2] or "").removeprefix("@")) if match else None


def strip_groups(text: str) -> str:
    """The text without user groups, for when `@oncall` only names the owner."""
    return re.sub(r"\s{2,}", " ", _GROUP.sub(" ", text)).strip()


def find_ids_to_name(text: str) -> tuple[str, ...]:
    """The ids that `to_plain_text` needs names for: people, and channels and user groups without a label."""
    return tuple(match[1] or match[2] or match[3] for match in _NAMED.finditer(text)) if "<" in text else ()


def strip_mentions(text: str) -> str:
    """The text without user mentions, for when `@ana` only names the owner."""
    return re.sub(r"\s{2,}", " ", _USER.sub(" ", text)).strip()


def to_plain_text(text: str, name_of: NameOf) -> str:
    """A typed text as plain text: mentions become names, links addresses, and entities are resolved once."""
    if "<" in text:
        text = _TAG.sub(lambda match: _tag(match[1], name_of), text)
    return unescape(text)


def unescape(text: str) -> str:
    """The text with Slack's three entities resolved once."""
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
    """Whether the label is the address itself: a mail address or number that Slack turned into a link.

    The typed number may have a zero in place of the country code.
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
    """A date token, which Slack shows in the reader's zone, in UTC; its label if it is invalid."""
    seconds = inside.partition("^")[0]
    if not seconds.isdecimal() or len(seconds) > MOST_DIGITS:
        return label
    moment = datetime.fromtimestamp(int(seconds), UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}".removesuffix(":00") + " UTC"


def date_token(moment: datetime, written: str) -> str:
    """A date token: each reader sees it in their zone. `written` is the fallback if Slack cannot show it."""
    return f"<!date^{int(moment.timestamp())}^{{date_short_pretty}} {{time}}|{escape(written)}>"


def mention(user: str | None) -> str:
    """A live mention of a person or user group. It pings in a channel, so use it only if that is meant.

    A program that wrote into the record is named, as it cannot be pinged. Anything else that is not an id of Slack's is
    escaped like any text, since an imported file may hold anything.
    """
    if not user or user in PROGRAMS:
        return PROGRAMS.get(user or "", "")
    if not _ID.fullmatch(user):
        return escape(user)
    return f"<!subteam^{user}>" if user.startswith("S") else f"<@{user}>"
