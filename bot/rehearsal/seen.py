"""What a person sees: messages and windows as values to look at, and the answer to something they did."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from bot.rehearsal.reading import Reader, pings_in_blocks, pings_in_text, unescape
from bot.rehearsal.records import Json, Message, View


def elements_of(blocks: list[Json]) -> Iterator[tuple[Json, Json]]:
    """Every element that can be touched, with the block that it stands in."""
    for block in blocks:
        if block.get("type") in ("actions", "context_actions"):
            yield from ((block, element) for element in block.get("elements", ()))
        for key in ("accessory", "element"):
            if isinstance(block.get(key), dict) and "action_id" in block[key]:
                yield block, block[key]


def buttons_of(blocks: list[Json]) -> list[tuple[str, str, str]]:
    """Each button, and each line of an overflow menu: (words, action_id, value)."""
    found = []
    for _, element in elements_of(blocks):
        if element["type"] in ("button", "workflow_button"):
            found.append((element["text"]["text"], element.get("action_id", ""), element.get("value", "")))
        elif element["type"] == "overflow":
            found += [(o["text"]["text"], element["action_id"], o.get("value", "")) for o in element["options"]]
    return found


@dataclass(frozen=True)
class SeenMessage:
    """A message as it stood when it was looked at; `text` is raw, `plain` is what a person reads.

    `pings` are the ids (and "channel", "here", "everyone") that live mentions in text or blocks would ping.
    """

    channel: str
    ts: str
    user: str
    text: str
    blocks: list[Json]
    thread_ts: str
    ephemeral_for: str
    metadata: Json | None
    reactions: dict[str, list[str]]
    edited: bool
    files: list[str]
    attachments: list[Json] = field(default_factory=list)
    reader: Reader = field(default_factory=lambda: Reader(str), repr=False, compare=False)

    @property
    def plain(self) -> str:
        """Everything a person reads of it: the blocks where there are blocks, else the text; then attachments."""
        shown = self.reader.blocks(self.blocks) if self.blocks else self.reader.mrkdwn(self.text)
        return "\n".join([shown, *(self._attachment(one) for one in self.attachments)]).strip()

    def _attachment(self, attachment: Json) -> str:
        if attachment.get("blocks"):
            return self.reader.blocks(attachment["blocks"])
        return self.reader.mrkdwn(str(attachment.get("text") or attachment.get("fallback") or ""))

    @property
    def buttons(self) -> list[tuple[str, str, str]]:
        """Each button and overflow line: (words, action_id, value)."""
        return buttons_of(self.blocks)

    @property
    def pings(self) -> set[str]:
        """Who would be pinged, by the text or by the blocks or attachments."""
        return pings_in_text(self.text) | pings_in_blocks(self.blocks) | pings_in_blocks(self.attachments)


@dataclass(frozen=True)
class SeenView:
    """A modal as it stood when it was looked at; give it back to `submit`, `close`, `click_in_view`."""

    id: str
    title: str
    blocks: list[Json]
    callback_id: str
    private_metadata: str
    user: str
    submit: str = ""
    hash: str = ""
    reader: Reader = field(default_factory=lambda: Reader(str), repr=False, compare=False)

    @property
    def plain(self) -> str:
        """Everything a person reads of it, title first."""
        return "\n".join(part for part in (self.title, self.reader.blocks(self.blocks), self.submit) if part)

    @property
    def buttons(self) -> list[tuple[str, str, str]]:
        """Each button and overflow line: (words, action_id, value)."""
        return buttons_of(self.blocks)


def see_message(message: Message, reader: Reader) -> SeenMessage:
    """A message as a value."""
    return SeenMessage(
        channel=message.channel,
        ts=message.ts,
        user=message.user,
        text=message.text,
        blocks=message.blocks,
        thread_ts=message.thread_ts,
        ephemeral_for=message.ephemeral_for,
        metadata=message.metadata,
        reactions={name: list(users) for name, users in message.reactions.items()},
        edited=bool(message.edited),
        files=list(message.files),
        attachments=message.attachments,
        reader=reader,
    )


def see_view(view: View, reader: Reader) -> SeenView:
    """A modal as a value."""
    body = view.body
    return SeenView(
        id=view.id,
        title=(body.get("title") or {}).get("text", ""),
        blocks=view.blocks,
        callback_id=body.get("callback_id", ""),
        private_metadata=body.get("private_metadata", ""),
        user=view.user,
        submit=(body.get("submit") or {}).get("text", ""),
        hash=view.hash,
        reader=reader,
    )


Kind = Literal["slash_commands", "interactive", "events_api"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One thing sent to the app; `attempt` counts the repeats of an event."""

    kind: Kind
    payload: Json
    attempt: int = 0
    reason: str = ""


@dataclass(frozen=True)
class Answer:
    """What came of one delivery, as the person who caused it sees it.

    `status` is the app's HTTP status (200 for an acknowledged envelope, 0 for none); `body` what it said, decoded
    where it is JSON; `error` what Slack shows in its place (`operation_timeout`, `dispatch_failed`, …), or empty;
    `errors` the complaints of a refused modal by block_id; `message` the last message that came of it (its ack or its
    response_url), `ephemeral` the same where only that person sees it.
    """

    status: int = 0
    body: Any = ""
    error: str = ""
    raw: bytes = b""
    delivery: Delivery | None = None
    message: SeenMessage | None = None
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether the app took it."""
        return not self.error

    @property
    def ephemeral(self) -> SeenMessage | None:
        """The message that came of it, where only the person who acted sees it."""
        return self.message if self.message is not None and self.message.ephemeral_for else None

    @property
    def text(self) -> str:
        """What the person reads for it: the message that came of it, all its words, unescaped."""
        if self.message is not None:
            return self.message.plain
        if isinstance(self.body, dict):
            return unescape(str(self.body.get("text", "")))
        return unescape(str(self.body))
