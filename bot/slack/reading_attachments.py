"""What hangs below a message: what an app attached, messages that were forwarded, and previews of links.

Slack's reference of an attachment: https://docs.slack.dev/legacy/legacy-messaging/legacy-secondary-message-attachments
How a forwarded message looks is not documented; the shapes here are those that apps have met.
"""

import re
from collections.abc import Iterator
from enum import Enum, auto

from bot.slack.reading_blocks import shown_in, words_of
from bot.slack.text import unescaped
from bot.slack.told import Told, joined, object_in, objects_in, string

DEEPEST = 4
"""Messages forwarded within forwarded ones."""

_ADDRESS = re.compile(r"https?://[^\s<>|]+")
_PREVIEWS = ("from_url", "original_url", "is_msg_unfurl", "is_reply_unfurl", "is_app_unfurl")
_NOTHING = frozenset(
    {
        "[no preview available]",
        "this content can't be displayed.",
        "this content can’t be displayed.",
        "this message contains interactive elements.",
    }
)
"""What Slack itself puts where an app wrote no words."""


class _Kind(Enum):
    ATTACHED = auto()
    FORWARDED = auto()
    PREVIEW = auto()


def words_in(text: object) -> str:
    """Somebody's own words; empty for the words with which Slack says that there are none."""
    said = string(text).strip()
    return "" if said.lower() in _NOTHING else said


def words_below(attachments: object, said: str, depth: int = 0) -> str:
    """The words of what hangs below a message that says `said`. A preview says no more than its link does.

    It is taken only where there is nothing else.
    """
    if depth > DEEPEST:
        return ""
    kept: list[str] = []
    previews: list[str] = []
    for kind, told in _sorted(attachments, said):
        if kind is _Kind.FORWARDED:
            kept.append(_forwarded(told, depth, is_named=bool(said)))
        else:
            (previews if kind is _Kind.PREVIEW else kept).append(_attached(told))
    found = joined(kept)
    return found if said or found else joined(previews)


def files_below(attachments: object, said: str, depth: int = 0) -> Iterator[Told]:
    """The files of forwarded messages and of what was attached, as Slack tells of them."""
    if depth > DEEPEST:
        return
    for kind, told in _sorted(attachments, said):
        if kind is not _Kind.PREVIEW:
            yield from objects_in(told.get("files"))
            for below in _below(told):
                yield from files_below(below, string(told.get("text")), depth + 1)


def _sorted(attachments: object, said: str) -> Iterator[tuple[_Kind, Told]]:
    told = objects_in(attachments)
    links = {unescaped(address) for address in _ADDRESS.findall(said)} if told else set()
    return ((_kind_of(one, links), one) for one in told)


def _kind_of(told: Told, links: set[str]) -> _Kind:
    """A message was forwarded where Slack says so, and where no link in the words leads to it."""
    if told.get("is_share") is True:
        return _Kind.FORWARDED
    if not any(told.get(name) for name in _PREVIEWS):
        return _Kind.ATTACHED
    is_message = told.get("is_msg_unfurl") is True or told.get("is_reply_unfurl") is True
    is_linked = unescaped(string(told.get("from_url"))) in links
    return _Kind.FORWARDED if is_message and not is_linked else _Kind.PREVIEW


def _attached(told: Told) -> str:
    """An attachment in the order in which Slack shows it."""
    author = told.get("author_name") or told.get("service_name")
    blocks = shown_in(told.get("blocks"))
    above = [words_in(part) for part in (told.get("pretext"), author, told.get("title"), told.get("text"))]
    found = joined([*above, *_fields(told), blocks.text, words_in(told.get("footer"))])
    if found and blocks.is_whole:
        return found
    return joined([found, words_in(told.get("fallback"))]) or _picture(told)


def _picture(told: Told) -> str:
    """The address of what an attachment without any words shows or leads to."""
    names = ("image_url", "thumb_url", "title_link", "from_url")
    return next((f"<{found[0]}>" for name in names if (found := _ADDRESS.match(string(told.get(name))))), "")


def _fields(told: Told) -> Iterator[str]:
    for each in objects_in(told.get("fields")):
        title, value = string(each.get("title")).strip(), string(each.get("value")).strip()
        yield f"{title.removesuffix(':')}: {value}" if title and value else title or value


def _forwarded(told: Told, depth: int, *, is_named: bool) -> str:
    """A message of somebody else's: its words behind its author's name.

    Where it has none but files, those are named if `is_named`, beside the words of who forwarded it.
    """
    messages = [object_in(each.get("message")) for each in objects_in(told.get("message_blocks"))]
    blocks = [block for message in messages for block in objects_in(message.get("blocks"))]
    text = words_in(told.get("text"))
    own = words_of(text, blocks or objects_in(told.get("blocks")), is_app=bool(told.get("bot_id")))
    above = [words_in(told.get(name)) for name in ("pretext", "title")]
    below = (words_below(each, own, depth + 1) for each in _below(told))
    body = joined([*above, own, *_fields(told), *below])
    files = [name for file in objects_in(told.get("files")) if (name := string(file.get("name") or file.get("title")))]
    if not body and files:
        body = ", ".join(files) if is_named else ""
    elif not body:
        body = words_in(told.get("fallback")) or _picture(told)
    author = _author(told)
    return f"{author}: {body}" if author and body else body


def _below(told: Told) -> Iterator[object]:
    """What hung below the forwarded message itself."""
    yield told.get("attachments")
    for each in objects_in(told.get("message_blocks")):
        yield object_in(each.get("message")).get("attachments")


def _author(told: Told) -> str:
    for name in ("author_name", "author_subname"):
        if said := string(told.get(name)).strip():
            return said
    author = string(told.get("author_id"))
    return f"<@{author}>" if author.isascii() and author.isalnum() else ""
