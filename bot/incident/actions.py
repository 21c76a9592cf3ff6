"""What `/action` understands: what is to be done, of what kind, by when, and where its ticket is."""

import re
from dataclasses import dataclass, replace
from datetime import date

from bot.errors import Refused
from bot.incident import due
from bot.incident.due import Due
from bot.incident.mentions import unpicked, unpicked_in
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
class Named:
    """A name stands where words were wanted, as in `edit 3 @ana`: to hand action 3 over is written otherwise."""

    number: int
    name: str


@dataclass(frozen=True, slots=True)
class ListAll:
    """List the incident's actions."""


@dataclass(frozen=True, slots=True)
class Help:
    """Explain."""


OfOne = Done | Reopen | Show | Edit | Drop
Wish = Add | OfOne | Named | ListAll | Help

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
_WITH_NAME = re.compile(
    r"(?:reopen|undo|show|edit|change|drop)\s+#?(?P<number>\d{1,4})\s+(?:(?:over\s+)?(?:to|for)\s+)?(?P<name>@\S+)(?:\s+[^\s@]+)?",
    re.IGNORECASE,
)
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
    return _of_one(text) or Add(text)


def _of_one(text: str) -> Wish | None:
    """What is said of one action by its number; None where that is not its whole form."""
    if done := _DONE.fullmatch(text):
        return Done(int(done["first"] or done["last"]))
    if one := _NUMBERED.fullmatch(text):
        is_back = (one["word"] or "").lower() in ("reopen", "undo")
        return Reopen(int(one["number"])) if is_back else Show(int(one["number"]))
    if named := _WITH_NAME.fullmatch(text):
        return Named(int(named["number"]), named["name"])
    if edit := _EDIT.fullmatch(text):
        return Edit(int(edit[1]), edit[2].strip())
    if drop := _DROP.fullmatch(text):
        if not drop[2]:
            sentence = f"Say why it is dropped: `/action drop {drop[1]} covered by the new rate limit`."
            raise Refused(sentence)
        return Drop(int(drop[1]), drop[2].strip())
    return None


LONGEST_LINK = 2_000
_WORD = r"(?:due(?:\s+date)?(?!\s+to\b)|by|until|till|deadline(?=:))(?![\w-])"
_ON = r"\s*[:=]?\s*(?:(?:on|by)\s+)?"
_BEGINS = re.compile(rf"(?<!\S){_WORD}", re.IGNORECASE)
_BEHIND = re.compile(rf"(?P<word>{_WORD}){_ON}(?P<when>\S+(?:\s+\S+){{0,7}}?)\s*(?:!|(?<!\d)\.)?$", re.IGNORECASE)
_REFUSED_WORDS = 5
"""So few words behind "due" were meant as a day; where there are more it is said of something else."""
_IN_BRACKETS = re.compile(
    rf"(?:[(\[]\s*(?P<word>{_WORD}){_ON}|(?<!\S)@?(?P<call>due)\s?\()(?P<when>[^()\[\]]{{1,60}})[)\]]",
    re.IGNORECASE,
)
_IN_FRONT = re.compile(r"(?P<word>due)\s*[:=]?\s*(?P<when>[^:,]{1,40})[:,]\s+(?P<rest>\S.*)", re.IGNORECASE | re.DOTALL)
_KINDS = "|".join(ActionKind)
_KIND = re.compile(
    rf"^(?P<first>{_KINDS}):\s+|(?:^|\s)#(?P<tag>{_KINDS})(?![\w-])|\s+kind:?\s+(?P<last>{_KINDS})$", re.IGNORECASE
)
_LINK = re.compile(r"https?://[^\s<>()]+", re.IGNORECASE)
_LAST_LINK = re.compile(r"\s+\(?(https?://[^\s<>()]+?)\)?[.,;]?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Asked:
    """An action as typed: its words, and the day it is due, if one was named.

    `unsure` where that can be several days: which one is to be asked before it is written down.
    """

    text: str
    due_on: date | None
    kind: ActionKind | None = None
    link: str = ""
    unsure: Due | None = None


def read(line: str, today: date) -> Asked:
    """Split `what … due friday` into the words, the day, the kind (`prevent: …`, `#prevent`) and the link.

    `today` is the day where the author lives. What follows `due` and is no day raises Refused; what follows `by`
    or `until` and is no day stays text, as does a bare count (`cut it by 3 days` says how much, `by in 3 days` when);
    a day that no calendar has is refused behind any of them. A time of day stays in the words, for a due date has none.
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
    return replace(asked, text=text, kind=kind, link=link)


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
    behind = [found for word in _BEGINS.finditer(line) if (found := _BEHIND.match(line, word.start()))]
    for match in (_IN_BRACKETS.search(line), *behind, _IN_FRONT.fullmatch(line)):
        if match and (asked := _dated(match, today)):
            return asked
    for match in behind:
        if match["word"].lower().startswith("d") and len(match["when"].split()) <= _REFUSED_WORDS:
            name = unpicked_in(match["when"])
            raise Refused(unpicked(name) if name else due.not_a_day(match["when"]))
    return Asked(line.strip(), None)


def _dated(match: re.Match[str], today: date) -> Asked | None:
    """The line without its due date; None where it has none there. Raises Refused for a day that there is not."""
    parts = match.groupdict()
    when, is_due = parts["when"].strip(), (parts["word"] or "due").lower().startswith("d")
    found = due.read(when, today, is_limit=not is_due) if is_due or not due.is_amount(when) else None
    if found is None or not (found.days or is_due or any(map(str.isalpha, when))):
        return None
    if not found.days:
        raise Refused(found.problem)
    before, behind = match.string[: match.start()].strip(" ,;-–—"), match.string[match.end() :].strip()
    beside = f"({found.beside})" if found.beside else ""
    text = " ".join(filter(None, (before, parts.get("rest") or behind, beside)))
    return Asked(text, found.day, unsure=None if found.day else found)


def address(typed: str) -> str:
    """A link as somebody entered it into its field, or empty; raises Refused for what is no address."""
    link = admit(typed, "That link")
    is_address = link.startswith(("https://", "http://")) and not any(letter.isspace() for letter in link)
    if link and (not is_address or len(link) > LONGEST_LINK):
        sentence = "A link is one address that begins with https:// or http://."
        raise Refused(sentence, field="link")
    return link
