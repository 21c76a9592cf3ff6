"""What `/action` understands: what is to be done, of what kind, by when, and where its ticket is."""

import re
from dataclasses import dataclass
from datetime import date

from bot.errors import Refused
from bot.incident.due import day, is_amount, not_a_day
from bot.incident.records import ActionKind
from bot.incident.text import admit


@dataclass(frozen=True, slots=True)
class Add:
    """Write an action down; the line still holds owner and due date."""

    line: str


@dataclass(frozen=True, slots=True)
class Done:
    """Action 3 is done."""

    number: int


@dataclass(frozen=True, slots=True)
class Reopen:
    """Action 3 was not done after all, or is to be done after all."""

    number: int


@dataclass(frozen=True, slots=True)
class Show:
    """Show action 3 with all that can be done about it."""

    number: int


@dataclass(frozen=True, slots=True)
class Edit:
    """Word action 3 anew."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Drop:
    """Action 3 will not be done, for this reason."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class ListAll:
    """List the incident's actions."""


@dataclass(frozen=True, slots=True)
class Help:
    """Explain."""


Wish = Add | Done | Reopen | Show | Edit | Drop | ListAll | Help

_SIMPLE: dict[str, Wish] = {"": ListAll(), "list": ListAll(), "help": Help(), "?": Help()}
_UNFINISHED = {
    "done": "done 1",
    "close": "done 1",
    "drop": "drop 1 covered by the new rate limit",
    "reopen": "reopen 1",
    "undo": "reopen 1",
    "show": "show 1",
    "edit": "edit 1 cap the retries at 3",
    "move": "1 friday",
    "add": "add a load test @ana due friday",
}
_DONE = re.compile(r"(?:done|close|finish)\s+#?(?P<first>\d{1,4})|#?(?P<last>\d{1,4})\s+(?:is\s+)?done", re.IGNORECASE)
_NUMBERED = re.compile(r"(?:(?P<word>reopen|undo|show|edit|change)\s+)?#?(?P<number>\d{1,4})", re.IGNORECASE)
_EDIT = re.compile(r"edit\s+#?(\d{1,4})\s+(.+)", re.IGNORECASE | re.DOTALL)
_DROP = re.compile(r"drop\s+#?(\d{1,4})(?:\s+(.+))?", re.IGNORECASE | re.DOTALL)


def wish(text: str) -> Wish:
    """What somebody wants who typed `/action TEXT`; raises Refused for a word that only begins something."""
    text = text.strip()
    simple = _SIMPLE.get(text.lower())
    if simple is not None:
        return simple
    if example := _UNFINISHED.get(text.lower()):
        raise Refused(f"Something is missing there: `/action {example}`. `/action list` shows the numbers.")
    if done := _DONE.fullmatch(text):
        return Done(int(done["first"] or done["last"]))
    if one := _NUMBERED.fullmatch(text):
        is_back = (one["word"] or "").lower() in ("reopen", "undo")
        return Reopen(int(one["number"])) if is_back else Show(int(one["number"]))
    if edit := _EDIT.fullmatch(text):
        return Edit(int(edit[1]), edit[2].strip())
    if drop := _DROP.fullmatch(text):
        if not drop[2]:
            sentence = f"Say why it is dropped: `/action drop {drop[1]} covered by the new rate limit`."
            raise Refused(sentence)
        return Drop(int(drop[1]), drop[2].strip())
    return Add(text)


LONGEST_LINK = 2_000
_DUE = re.compile(
    r"(?:^|\s)(?:due|by|until)(?:\s+(?:on|by))?\s+(?P<when>\S+(?:\s+\S+){0,4}?)\s*(?:!|(?<!\d)\.)?$", re.IGNORECASE
)
_KINDS = "|".join(ActionKind)
_KIND = re.compile(
    rf"^(?P<first>{_KINDS}):\s+|(?:^|\s)#(?P<tag>{_KINDS})(?![\w-])|\s+kind:?\s+(?P<last>{_KINDS})$", re.IGNORECASE
)
_LINK = re.compile(r"https?://[^\s<>()]+", re.IGNORECASE)
_LAST_LINK = re.compile(r"\s+\(?(https?://[^\s<>()]+?)\)?[.,;]?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Asked:
    """An action as typed: its words, and the day it is due, if one was named."""

    text: str
    due_on: date | None
    kind: ActionKind | None = None
    link: str = ""


def read(line: str, today: date) -> Asked:
    """Split `what … due friday` into the words, the day, the kind (`prevent: …`, `#prevent`) and the link.

    `today` is the day where the author lives. What follows `due` and is no day raises Refused; what follows `by`
    or `until` and is no day stays text, as does a bare count (`cut it by 3 days` says how much, `by in 3 days` when).
    A link at the end is taken out of the words, one amid them stays there too.
    """
    line, kind = _kind_in(line.strip())
    line, link = _link_behind(line)
    asked = _dated_in(line, today)
    text, kind = (asked.text, kind) if kind else _kind_in(asked.text)
    if not link:
        text, link = _link_behind(text)
    if not link and (inside := _LINK.search(text)):
        link = inside[0].rstrip(".,;")
    return Asked(text, asked.due_on, kind, link)


def _kind_in(line: str) -> tuple[str, ActionKind | None]:
    match = _KIND.search(line)
    if match is None:
        return line, None
    kind = ActionKind((match["first"] or match["tag"] or match["last"]).lower())
    return f"{line[: match.start()]} {line[match.end() :].strip()}".strip(), kind


def _link_behind(line: str) -> tuple[str, str]:
    match = _LAST_LINK.search(line)
    return (line[: match.start()], match[1]) if match else (line, "")


def _dated_in(line: str, today: date) -> Asked:
    match = _DUE.search(line)
    if match is None:
        return Asked(line.strip(), None)
    is_due, when = match[0].strip().lower().startswith("due"), match["when"]
    due_on = day(when, today) if is_due or not is_amount(when) else None
    if due_on is not None:
        return Asked(line[: match.start()].strip(" ,;-–—"), due_on)
    if is_due:
        raise Refused(not_a_day(when))
    return Asked(line.strip(), None)


def address(typed: str) -> str:
    """A link as somebody entered it into its field, or empty; raises Refused for what is no address."""
    link = admit(typed, "That link")
    is_address = link.startswith(("https://", "http://")) and not any(letter.isspace() for letter in link)
    if link and (not is_address or len(link) > LONGEST_LINK):
        sentence = "A link is one address that begins with https:// or http://."
        raise Refused(sentence, field="link")
    return link
