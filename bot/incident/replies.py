"""What somebody may answer to a reminder in their conversation with the bot, as people write it.

`done 3`, `3 and 4 are done`, `:white_check_mark: 3`, `3 friday`, `won't do 3, too costly`, `3 @bo`; without a number
where only one action can be meant. What names an action and is not understood is `Unclear`, to be asked about.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from bot.incident import due
from bot.incident.due import Due
from bot.incident.mentions import unpicked_in


@dataclass(frozen=True, slots=True)
class About:
    """The action that is meant: its number, and its incident's where that was written (`INC-4 3`)."""

    number: int
    incident: int | None


@dataclass(frozen=True, slots=True)
class Done:
    """It is done."""


@dataclass(frozen=True, slots=True)
class Drop:
    """It will not be done, for this reason; empty where none was given."""

    reason: str


@dataclass(frozen=True, slots=True)
class Move:
    """It has a new due date; `beside` is a time of day that stood with it, which a due date has not."""

    due_on: date
    beside: str = ""


@dataclass(frozen=True, slots=True)
class Choose:
    """It has a new due date, which can be several days: somebody is to choose."""

    due: Due


@dataclass(frozen=True, slots=True)
class HandOver:
    """Whoever is mentioned in the message does it from now on."""


@dataclass(frozen=True, slots=True)
class Unclear:
    """Something that is not understood; empty where only the number was written.

    `problem` is why, where they name a day that there is not.
    """

    words: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Unpicked:
    """Somebody is named whom Slack does not know: the name was typed, and not picked from its list."""

    name: str


Deed = Done | Drop | Move | Choose | HandOver | Unpicked | Unclear


@dataclass(frozen=True, slots=True)
class Answer:
    """What becomes of which actions; of none by name where their writer takes for granted which."""

    about: tuple[About, ...]
    deed: Deed


MOST = 20
"""Actions that one message may name."""

_List = tuple[tuple[About, ...], str]

_TICK = re.compile(r"[✅✔☑]\ufe0f?|:(?:white_check_mark|heavy_check_mark|ballot_box_with_check):")
_EMOJI = re.compile(r"(?<!\w):[a-z][a-z0-9_+'-]*:|[\u2600-\u27bf\ufe0f\u200d\U0001f000-\U0001faff]", re.IGNORECASE)
_POLITE = re.compile(r"(?:[\s,;–-]*\b(?:please|pls|thanks|thank you|thx)\b)?[\s,;.!]*$", re.IGNORECASE)
_ABOUT = re.compile(
    r"(?:INC-(?P<incident>\d{1,6})\s*[,:/#]?\s*)?(?:actions?\s+)?#?(?P<number>\d{1,4})(?![\w/]|[.:-]\d)", re.IGNORECASE
)
_AND = re.compile(r"\s*(?:,\s*and\b|,|&|\+|\band\b)\s*", re.IGNORECASE)
_OR_BLANK = re.compile(rf"{_AND.pattern}|\s+", re.IGNORECASE)
_VERB = re.compile(
    r"(?:(?:i|we)\s+(?:have\s+)?|(?:it|that)(?:\s+is|[’']s)\s+|(?:is|are|all)\s+)?(?:"
    r"(?P<done>(?:done|finished)(?:\s+with)?|did|fixed|closed?|completed?|finish)"
    r"|(?P<drop>drop|(?:won[’']?t|will\s+not)\s+do|not\s+needed|skip|cancel)|(?P<move>move|postpone|delay)"
    r"|(?P<give>hand(?:\s+over)?|give|assign))(?![\w/-])[\s:,]*",
    re.IGNORECASE,
)
_BEGINS = re.compile(r"#?\d|INC-\d|(?:done|drop|close|finish|move|postpone|delay|give|assign|hand)\b", re.IGNORECASE)
_IT = re.compile(r"(?:it|that|this)(?![\w'])[\s,:]*", re.IGNORECASE)
_NO_MORE = re.compile(r"(?:done|now|already|today|too|as well)?", re.IGNORECASE)
_TO = re.compile(r"(?:due|by|until|to|on)\s+", re.IGNORECASE)
_TO_WHOM = re.compile(r"(?:over\s+)?(?:to|for)?", re.IGNORECASE)
_TO_NAME = re.compile(r"(?:over\s+)?(?:to|for)\s+(?=@)", re.IGNORECASE)
_NAME_WORDS = 2
_BECAUSE = re.compile(r"because\s+", re.IGNORECASE)
# `4 friday` behind `3,` is another number, and the day of both; `24 Dec` there is the day of the one.
_OTHERS = re.compile(
    rf"and\b|[&+]|#?\d{{1,4}}(?:(?:{_AND.pattern})#?\d{{1,4}})*\s+(?:{_TO.pattern})?"
    r"(?:mon|tue|wed|thu|fri|sat|sun|tod|tom|next\s|this\s|in\s|(?:the\s+)?end\s|eo|\d{4}-)",
    re.IGNORECASE,
)


def read(text: str, today: date, *, mentions: bool = False) -> Answer | None:
    """The answer that a message is, or None where it is none; `today` is the day where its author lives.

    `mentions` where it mentions one person; the mention itself is not in the text any more.
    """
    answer = _read(text, today, mentions=mentions)
    name = _name_in(answer.deed) if answer and answer.about else ""
    return Answer(answer.about, Unpicked(name)) if answer and name else answer


def _name_in(deed: Deed) -> str:
    """Whose name stands in place of what becomes of an action; empty where none does."""
    words = deed.words if isinstance(deed, Unclear) else deed.reason if isinstance(deed, Drop) else ""
    words = _TO_NAME.sub("", words, count=1)
    most = _NAME_WORDS if isinstance(deed, Drop) else 2 * _NAME_WORDS
    return unpicked_in(words) if words.startswith("@") and len(words.split()) <= most else ""


def _read(text: str, today: date, *, mentions: bool) -> Answer | None:
    plain = _plain(text)
    verb = _VERB.match(plain)
    kind, rest = (verb.lastgroup or "", plain[verb.end() :]) if verb else ("", plain)
    lists = tuple(_lists(rest, _OR_BLANK if kind == "done" else _AND))
    if mentions:
        return _given(kind, rest, lists)
    if not lists:
        return _of_the_one(kind, rest, today)
    about, behind = lists[-1]
    if kind in ("", "move"):
        return _behind(lists, today) if kind == "" else _moved(lists, today) or _unclear(about, behind, today)
    return Answer(about, _deed(kind, behind))


def is_courtesy(text: str) -> bool:
    """Whether a message is thanks, or an emoji, and nothing that wants an answer."""
    return bool(text.strip()) and not _plain(text.replace(":+1:", " "))


def in_command(text: str, today: date, *, mentions: bool = False) -> Answer | None:
    """The same behind `/action`, where whatever is no whole answer is a new action: `3 friday`, `done 1 and 2`."""
    answer = read(text, today, mentions=mentions) if _BEGINS.match(text.strip()) else None
    is_new = answer is None or (isinstance(answer.deed, Unclear) and answer.deed.words and not answer.deed.problem)
    return None if is_new else answer


def _plain(text: str) -> str:
    """The text without emoji, but for a tick, which says that something is done, and without `please`."""
    words = " ".join(_EMOJI.sub(" ", _TICK.sub(" done ", text)).split())
    return _POLITE.sub("", re.sub(r"\bdone(?: done)+\b", "done", words, flags=re.IGNORECASE)).strip()


def _lists(text: str, separator: re.Pattern[str]) -> Iterator[_List]:
    """The actions that a text begins with, one and then more of them, each time with what stands behind."""
    about: tuple[About, ...] = ()
    match = _ABOUT.match(text)
    while match is not None and len(about) < MOST:
        incident = int(match["incident"]) if match["incident"] else about[-1].incident if about else None
        about = (*about, About(int(match["number"]), incident))
        yield about, text[match.end() :].strip(" \t\n,:;")
        between = separator.match(text, match.end())
        match = _ABOUT.match(text, between.end()) if between else None


def _deed(kind: str, words: str) -> Deed:
    if kind == "done":
        return Done() if _NO_MORE.fullmatch(words) else Unclear(words)
    return Drop(_BECAUSE.sub("", words, count=1)) if kind == "drop" else Unclear(words)


def _behind(lists: tuple[_List, ...], today: date) -> Answer:
    """The numbers come first: `3 done`, `3 and 4 friday`."""
    about, words = lists[-1]
    verb = _VERB.match(words)
    if verb is not None and verb.lastgroup != "move":
        return Answer(about, _deed(verb.lastgroup or "", words[verb.end() :]))
    if verb is not None:
        lists = ((about, words[verb.end() :]),)
    return _moved(lists, today) or _unclear(about, words, today)


def _unclear(about: tuple[About, ...], words: str, today: date) -> Answer:
    found = _day(words, today)
    return Answer(about, Unclear(words, found.problem if found else ""))


def _day(words: str, today: date) -> Due | None:
    """The day that stands there; a month alone is one only behind a word as in `3 by march`."""
    said = _TO.sub("", words, count=1)
    if said == words and due.is_month(words):
        return None
    return due.read(said, today, is_limit=words.lower().startswith(("by", "until")))


def _moving(found: Due | None) -> Move | Choose | None:
    if found is None or not found.days:
        return None
    return Move(found.day, found.beside) if found.day else Choose(found)


def _moved(lists: tuple[_List, ...], today: date) -> Answer | None:
    """The fewest actions behind which a day is named, unless what stands there are more of them and their day."""
    for about, words in lists:
        deed = None if _OTHERS.match(words) else _moving(_day(words, today))
        if deed is not None:
            return Answer(about, deed)
    return None


def _given(kind: str, rest: str, lists: tuple[_List, ...]) -> Answer | None:
    """Somebody is mentioned: they are given it, where no more is said."""
    about, words = lists[-1] if lists else ((), _IT.sub("", rest, count=1))
    verb = _VERB.match(words) if lists and not kind else None
    if verb is not None:
        kind, words = verb.lastgroup or "", words[verb.end() :]
    if kind in ("", "give") and (lists or kind) and _TO_WHOM.fullmatch(words):
        return Answer(about, HandOver())
    return Answer(about, Unclear(words)) if lists else None


def _of_the_one(kind: str, rest: str, today: date) -> Answer | None:
    """No number: only what says nothing else is an answer, for people also talk."""
    words = _IT.sub("", rest, count=1)
    if kind == "done":
        return Answer((), Done()) if _NO_MORE.fullmatch(words) else None
    if kind == "drop":
        return Answer((), _deed(kind, words)) if not words or _BECAUSE.match(words) else None
    deed = _moving(_day(words, today)) if kind in ("", "move") and not words[:1].isdigit() else None
    return Answer((), deed) if deed is not None else None
