"""What is to be said to Slack, as values; some of it is made only when it is sent."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from bot.errors import AfterwordError
from bot.slack.blocks import Message


@dataclass(frozen=True, slots=True)
class File:
    """A file to share; `note` is mrkdwn that is added to its comment."""

    name: str
    title: str
    content: bytes
    note: str = ""


class StillMaking(AfterwordError):
    """The file will be there another time."""


class StillUnknown(AfterwordError):
    """What may be said hangs on an answer that Slack did not give; another time."""


MakeFile = Callable[[], Awaitable[File]]
"""Makes the file when it is sent, so that nothing waits while it is compiled. Raises StillMaking."""


@dataclass(frozen=True, slots=True)
class Saying:
    """What to say. `text` (mrkdwn) is also what notifications and screen readers get, and is never empty.

    `thread_ts` makes it an answer in a thread, `update_ts` the new wording of a message that stands. With a `file`
    the text is its comment and the blocks are not shown.
    """

    text: str
    blocks: list[dict[str, Any]] = field(default_factory=list)
    thread_ts: str = ""
    file: File | MakeFile | None = None
    update_ts: str = ""
    only_there: bool = False
    """With `update_ts`: where that message is gone, nothing is said in its place."""
    to: str = ""
    """Who gets it, where that is not the delivery's recipient."""
    made: "MakeSaying | None" = None
    """With it only this counts, and the other fields do not."""
    is_keyed: bool = False
    """With `made`: it makes no file, and can be found again."""

    @classmethod
    def of(cls, said: Message) -> "Saying":
        """A message as Block Kit has it."""
        return cls(said["text"], said["blocks"], said.get("thread_ts", ""))

    @property
    def carries_key(self) -> bool:
        """Whether it can be found again in the channel's history; a shared file cannot."""
        return self.file is None and (self.made is None or self.is_keyed)


MakeSaying = Callable[[], Awaitable[Saying]]
"""Makes what is said when it is sent, where Slack has to be asked or told something first.

It may raise what the client raises, StillUnknown and NotRecorded: then nothing is said this time. It must bear being
called again.
"""
