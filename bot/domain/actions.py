"""The rules of actions: answers to a reminder, a new action's words, day, kind and link, and the hint on vague words.

People answer in their own way: `done 3`, `3 and 4 are done`, `:white_check_mark: 3`, `3 friday`, `won't do 3, too
costly`, `3 @bo`, or without a number if only one action can be meant. An answer that names an action and is not
understood is `Unclear`, and becomes a question.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date

from bot.domain.records import ActionKind
from bot.domain.text import clean_input, describe_unlinked_name, find_nearest, find_unlinked_name
from bot.domain.times import due_dates
from bot.domain.times.due_dates import Due
from bot.domain.whys import find_blame_word
from bot.errors import Refused


@dataclass(frozen=True, slots=True)
class About:
    """The action that is meant: its number, and its incident's if that was written (`INC-4 3`)."""

    number: int
    incident: int | None


@dataclass(frozen=True, slots=True)
class ReplyDone:
    """It is done."""


@dataclass(frozen=True, slots=True)
class ReplyDrop:
    """It will not be done, for this reason; empty if none was given."""

    reason: str


@dataclass(frozen=True, slots=True)
class MoveDueDate:
    """It has a new due date; `time_of_day` is one that was written with it and is not part of it."""

    due_on: date
    time_of_day: str = ""


@dataclass(frozen=True, slots=True)
class Choose:
    """Its new due date can be several days: a person must choose."""

    due: Due


@dataclass(frozen=True, slots=True)
class HandOver:
    """The person mentioned in the message does it from now on."""


@dataclass(frozen=True, slots=True)
class Unclear:
    """The words that were not understood; empty if there was only the number.

    `problem` is why, if they name a day that does not exist.
    """

    words: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Unpicked:
    """A name that Slack does not know: it was typed, not picked from its list."""

    name: str


Operation = ReplyDone | ReplyDrop | MoveDueDate | Choose | HandOver | Unpicked | Unclear


@dataclass(frozen=True, slots=True)
class ReplyAnswer:
    """What to do with which actions; without numbers if its writer takes for granted which."""

    about: tuple[About, ...]
    operation: Operation


_MISSPELT = 0.7
"""How similar to a weekday a word must be to be called a misspelling of it: 0 (not at all) to 1 (equal)."""

MOST = 20
"""Actions that one message may name."""

_List = tuple[tuple[About, ...], str]

# Slack sends a tick as an emoji or by its name, with or without the variation selector.
_TICK = re.compile(r"[✅✔☑]\ufe0f?|:(?:white_check_mark|heavy_check_mark|ballot_box_with_check):")
_EMOJI = re.compile(r"(?<!\w):[a-z][a-z0-9_+'-]*:|[\u2600-\u27bf\ufe0f\u200d\U0001f000-\U0001faff]", re.IGNORECASE)
# A run of blanks is taken whole, and from its first one: else each of them would be tried as the beginning.
_POLITE = re.compile(r"(?<![\s,;–-])[\s,;–-]*+\b(?:please|pls|thanks|thank you|thx)\Z", re.IGNORECASE)
# Not the figures of a version, a date or a share.
_ABOUT = re.compile(
    r"(?:INC-(?P<incident>\d{1,6})\s*+[,:/#]?+\s*+)?(?:actions?\s++)?#?(?P<number>\d{1,4})(?![\w/]|[.:-]\d)",
    re.IGNORECASE,
)
_AND = re.compile(r"\s*+(?:,\s*+and\b|,|&|\+|\band\b)\s*+", re.IGNORECASE)
_OR_BLANK = re.compile(rf"{_AND.pattern}|\s++", re.IGNORECASE)
_VERB = re.compile(
    r"(?:(?:i|we)\s+(?:have\s+)?|(?:it|that)(?:\s+is|[’']s)\s+|(?:is|are|all)\s+)?(?:"
    r"(?P<done>(?:done|finished)(?:\s+with)?|did|fixed|closed?|completed?|finish)"
    r"|(?P<drop>drop|(?:won[’']?t|will\s+not)\s+do|not\s+needed|skip|cancel)|(?P<move>move|postpone|delay)"
    r"|(?P<give>hand(?:\s+over)?|give|assign))(?![\w/-])[\s:,]*",
    re.IGNORECASE,
)
# Behind `/action` any line may be a new action, so an answer must begin like one.
_REPLY_BEGINS = re.compile(
    r"#?\d|INC-\d|(?:done|drop|close|finish|move|postpone|delay|give|assign|hand)\b", re.IGNORECASE
)
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


def read_reply(text: str, today: date, *, mentions: bool = False) -> ReplyAnswer | None:
    """The answer that a message is, or None; `today` is the day in its author's zone.

    `mentions`: it mentions one person, and the mention is no longer in the text.
    """
    answer = _read(text, today, mentions=mentions)
    name = _name_in(answer.operation) if answer and answer.about else ""
    return ReplyAnswer(answer.about, Unpicked(name)) if answer and name else answer


def _name_in(operation: Operation) -> str:
    """The typed name of a person who is to get the action; empty if there is none."""
    words = (
        operation.words
        if isinstance(operation, Unclear)
        else operation.reason
        if isinstance(operation, ReplyDrop)
        else ""
    )
    words = _TO_NAME.sub("", words, count=1)
    most = _NAME_WORDS if isinstance(operation, ReplyDrop) else 2 * _NAME_WORDS
    return find_unlinked_name(words) if words.startswith("@") and len(words.split()) <= most else ""


def _read(text: str, today: date, *, mentions: bool) -> ReplyAnswer | None:
    plain = _plain(text)
    verb = _VERB.match(plain)
    kind, rest = (verb.lastgroup or "", plain[verb.end() :]) if verb else ("", plain)
    lists = tuple(_split_number_lists(rest, _OR_BLANK if kind == "done" else _AND))
    if mentions:
        return _parse_mention(kind, rest, lists)
    if not lists:
        return _parse_unnumbered(kind, rest, today)
    about, behind = lists[-1]
    if kind in ("", "move"):
        return (
            _parse_numbers_first(lists, today)
            if kind == ""
            else _count_moved(lists, today) or _unclear(about, behind, today)
        )
    return ReplyAnswer(about, _parse_operation(kind, behind))


def is_courtesy(text: str) -> bool:
    """Whether a message is thanks, or an emoji, and nothing that wants an answer."""
    return bool(text.strip()) and not _plain(text.replace(":+1:", " "))


def in_command(text: str, today: date, *, mentions: bool = False) -> ReplyAnswer | None:
    """An answer behind `/action`, if it is a whole one; anything else is a new action: `3 friday`, `done 1 and 2`."""
    answer = read_reply(text, today, mentions=mentions) if _REPLY_BEGINS.match(text.strip()) else None
    if answer is None or not isinstance(answer.operation, Unclear) or not answer.operation.words:
        return answer
    return answer if answer.operation.problem else _find_misspelt_day(answer)


def _find_misspelt_day(answer: ReplyAnswer) -> ReplyAnswer | None:
    """The answer with its problem, if its one word is nearly a weekday; else it is a new action."""
    words = answer.operation.words if isinstance(answer.operation, Unclear) else ""
    day = find_nearest(words, due_dates.WEEKDAYS, _MISSPELT) if words.isalpha() else ""
    if not day:
        return None
    number = answer.about[0].number if answer.about else 1
    problem = f"I couldn't read “{words}” as a date for action {number}. Try `/action {number} {day}`"
    return ReplyAnswer(answer.about, Unclear(words, problem))


def _plain(text: str) -> str:
    """The text without `please` and emoji, except for a tick, which means done."""
    words = " ".join(_EMOJI.sub(" ", _TICK.sub(" done ", text)).split())
    # A tick next to the word says it twice.
    words = re.sub(r"\bdone(?: done)+\b", "done", words, flags=re.IGNORECASE).rstrip(" ,;.!")
    return _POLITE.sub("", words).strip()


def _split_number_lists(text: str, separator: re.Pattern[str]) -> Iterator[_List]:
    """The ways to split a text into leading action numbers, one and then more of them, and the rest."""
    about: tuple[About, ...] = ()
    match = _ABOUT.match(text)
    # Bounded, for a message may be forty thousand figures.
    while match is not None and len(about) < MOST:
        incident = int(match["incident"]) if match["incident"] else about[-1].incident if about else None
        about = (*about, About(int(match["number"]), incident))
        yield about, text[match.end() :].strip(" \t\n,:;")
        between = separator.match(text, match.end())
        match = _ABOUT.match(text, between.end()) if between else None


def _parse_operation(kind: str, words: str) -> Operation:
    if kind == "done":
        return ReplyDone() if _NO_MORE.fullmatch(words) else Unclear(words)
    return ReplyDrop(_BECAUSE.sub("", words, count=1)) if kind == "drop" else Unclear(words)


def _parse_numbers_first(lists: tuple[_List, ...], today: date) -> ReplyAnswer:
    """The numbers come first: `3 done`, `3 and 4 friday`."""
    about, words = lists[-1]
    verb = _VERB.match(words)
    if verb is not None and verb.lastgroup != "move":
        return ReplyAnswer(about, _parse_operation(verb.lastgroup or "", words[verb.end() :]))
    if verb is not None:
        lists = ((about, words[verb.end() :]),)
    return _count_moved(lists, today) or _unclear(about, words, today)


def _unclear(about: tuple[About, ...], words: str, today: date) -> ReplyAnswer:
    found = _day(words, today)
    return ReplyAnswer(about, Unclear(words, found.problem if found else ""))


def _day(words: str, today: date) -> Due | None:
    """The day in the words; a lone month counts only behind a word, as in `3 by march`."""
    rest = _TO.sub("", words, count=1)
    if rest == words and due_dates.is_month(words):
        return None
    return due_dates.parse_due_date(rest, today, is_limit=words.lower().startswith(("by", "until")))


def _parse_due_change(due: Due | None) -> MoveDueDate | Choose | None:
    if due is None or not due.days:
        return None
    return MoveDueDate(due.day, due.time_of_day) if due.day else Choose(due)


def _count_moved(lists: tuple[_List, ...], today: date) -> ReplyAnswer | None:
    """The least number of actions in front of a day, unless the rest are more of them with their day."""
    for about, words in lists:
        operation = None if _OTHERS.match(words) else _parse_due_change(_day(words, today))
        if operation is not None:
            return ReplyAnswer(about, operation)
    return None


def _parse_mention(kind: str, rest: str, lists: tuple[_List, ...]) -> ReplyAnswer | None:
    """A mention hands the action over, if nothing else is said."""
    about, words = lists[-1] if lists else ((), _IT.sub("", rest, count=1))
    verb = _VERB.match(words) if lists and not kind else None
    if verb is not None:
        kind, words = verb.lastgroup or "", words[verb.end() :]
    if kind in ("", "give") and (lists or kind) and _TO_WHOM.fullmatch(words):
        return ReplyAnswer(about, HandOver())
    return ReplyAnswer(about, Unclear(words)) if lists else None


def _parse_unnumbered(kind: str, rest: str, today: date) -> ReplyAnswer | None:
    """Without a number, only words that can mean nothing else are an answer, because people also chat."""
    words = _IT.sub("", rest, count=1)
    if kind == "done":
        return ReplyAnswer((), ReplyDone()) if _NO_MORE.fullmatch(words) else None
    if kind == "drop":
        return ReplyAnswer((), _parse_operation(kind, words)) if not words or _BECAUSE.match(words) else None
    operation = _parse_due_change(_day(words, today)) if kind in ("", "move") and not words[:1].isdigit() else None
    return ReplyAnswer((), operation) if operation is not None else None


LONGEST_LINK = 2_000
# "due to" names a cause; "deadline" is also what an action is about, so it needs its colon.
_WORD = r"(?:due(?:\s+date)?(?!\s+to\b)|by|until|till|deadline(?=:))(?![\w-])"
_ON = r"\s*+[:=]?+\s*+(?:(?:on|by)\s++)?+"
_BEGINS = re.compile(rf"(?<!\S){_WORD}", re.IGNORECASE)
_BEHIND = re.compile(rf"(?P<word>{_WORD}){_ON}(?P<when>\S++(?:\s++\S++){{0,7}}?)\s*+(?:!|(?<!\d)\.)?$", re.IGNORECASE)
_REFUSED_WORDS = 5
"""With at most this many words, "due" introduces a day; with more it is about something else."""
_IN_BRACKETS = re.compile(
    rf"(?:[(\[]\s*+(?P<word>{_WORD}){_ON}|(?<!\S)@?(?P<call>due)\s?\()(?P<when>[^()\[\]]{{1,60}}+)[)\]]",
    re.IGNORECASE,
)
_IN_FRONT = re.compile(
    r"(?P<word>due)\s*+[:=]?+\s*+(?P<when>[^:,]{1,40}+)[:,]\s++(?P<rest>\S.*)", re.IGNORECASE | re.DOTALL
)
_KINDS = "|".join(ActionKind)
_KIND = re.compile(
    rf"^(?P<first>{_KINDS}):\s++|(?:^|\s)#(?P<tag>{_KINDS})(?![\w-])|(?<!\s)\s++kind:?\s++(?P<last>{_KINDS})$",
    re.IGNORECASE,
)
_LINK = re.compile(r"https?://[^\s<>()]+", re.IGNORECASE)
_LAST_LINK = re.compile(r"(?<!\s)\s++\(?(https?://[^\s<>()]+?)\)?[.,;]?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TypedAction:
    """An action as typed: its words, and the day it is due, if one was named.

    `unsure`: it can be several days, and a person must choose before it is recorded.
    """

    text: str
    due_on: date | None
    kind: ActionKind | None = None
    link: str = ""
    unsure: Due | None = None


def parse_action(line: str, today: date) -> TypedAction:
    """Split `what … due friday` into the words, the day, the kind (`prevent: …`, `#prevent`) and the link.

    `today` is the day in the author's zone. Words behind `due` that are no day raise Refused. Behind `by` or `until`
    they stay text, as does a bare count (`cut it by 3 days` says how much, `by in 3 days` when). A day that does not
    exist is refused behind any of them. A time of day stays in the words, because a due date has none. A link at the
    end is taken out of the words, one among them stays there too.
    """
    line, kind = _kind_in(line.strip())
    line, link = _link_behind(line)
    typed = _find_due_date(line, today)
    text, kind = (typed.text, kind) if kind else _kind_in(typed.text)
    if not link:
        text, link = _link_behind(text)
    if not link and (inside := _LINK.search(text)):
        link = inside[0].rstrip(".,;")
    return replace(typed, text=text, kind=kind, link=link)


def _kind_in(line: str) -> tuple[str, ActionKind | None]:
    match = _KIND.search(line)
    if match is None:
        return line, None
    kind = ActionKind((match["first"] or match["tag"] or match["last"]).lower())
    return f"{line[: match.start()]} {line[match.end() :].strip()}".strip(), kind


def _link_behind(line: str) -> tuple[str, str]:
    match = _LAST_LINK.search(line)
    return (line[: match.start()], match[1]) if match else (line, "")


def _find_due_date(line: str, today: date) -> TypedAction:
    behind = [found for word in _BEGINS.finditer(line) if (found := _BEHIND.match(line, word.start()))]
    for match in (_IN_BRACKETS.search(line), *behind, _IN_FRONT.fullmatch(line)):
        if match and (typed := _split_due_date(match, today)):
            return typed
    for match in behind:
        if match["word"].lower().startswith("d") and len(match["when"].split()) <= _REFUSED_WORDS:
            name = find_unlinked_name(match["when"])
            raise Refused(describe_unlinked_name(name) if name else due_dates.describe_unreadable(match["when"]))
    return TypedAction(line.strip(), None)


def _split_due_date(match: re.Match[str], today: date) -> TypedAction | None:
    """The line without its due date; None if it has none. Raises Refused for a day that does not exist."""
    parts = match.groupdict()
    when, is_due = parts["when"].strip(), (parts["word"] or "due").lower().startswith("d")
    found = (
        due_dates.parse_due_date(when, today, is_limit=not is_due) if is_due or not due_dates.is_amount(when) else None
    )
    if found is None or not (found.days or is_due or any(map(str.isalpha, when))):
        return None
    if not found.days:
        raise Refused(found.problem)
    before, behind = match.string[: match.start()].strip(" ,;-–—"), match.string[match.end() :].strip()
    clock = f"({found.time_of_day})" if found.time_of_day else ""
    text = " ".join(filter(None, (before, parts.get("rest") or behind, clock)))
    return TypedAction(text, found.day, unsure=None if found.day else found)


def parse_link(typed: str) -> str:
    """A link as entered into its field, or empty; raises Refused for anything that is no address."""
    link = clean_input(typed, "That link")
    is_address = link.startswith(("https://", "http://")) and not any(letter.isspace() for letter in link)
    if link and (not is_address or len(link) > LONGEST_LINK):
        raise Refused(
            "A link is one address that begins with https:// or http://, as in https://jira.example/OPS-7.",
            field="link",
        )
    return link


VAGUE_WORDS = (
    *("improve", "enhance", "better", "strengthen", "optimize", "optimise", "increase awareness", "raise awareness"),
    *("be careful", "be more careful", "pay attention", "pay more attention", "keep an eye on", "be aware"),
    *("look into", "think about", "consider", "investigate", "explore", "discuss", "try to", "revisit"),
    *("communicate", "remind", "as needed", "if possible", "where possible", "more robust", "best practices"),
)
"""The words to look for, unless the operator sets others."""

MANY_WORDS = 12
"""A text of this many words says what is meant."""


def find_vague_word(text: str, words: Iterable[str]) -> str:
    """The first of these words in an action's text, as written; empty if there is none.

    Also empty if the text has a figure, a name in code or a dozen words: those can be measured.
    """
    is_plain = not any(letter.isdigit() or letter in '`/"' for letter in text)
    return find_blame_word(text, words) if is_plain and len(text.split()) < MANY_WORDS else ""
