"""What `/incident` understands, and which change may follow which."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from bot.errors import Refused
from bot.incident.records import Entry, EntryKind, Incident, Milestone, PostmortemStatus, Status
from bot.incident.text import nearest

WORDS = (
    "status",
    "open",
    "sev",
    "severity",
    "lead",
    "rename",
    "started",
    "detected",
    "acknowledged",
    "mitigated",
    "resolved",
    "reopen",
    "list",
    "search",
    "connections",
    "page",
    "jsm",
    "customers",
    "help",
)
HARMFUL = frozenset({"page", "resolved", "jsm", "customers", "publish", "waive", "confluence", "share"})
"""Sub-commands, of whichever command, that are never guessed.

They wake people, end something, take something away, or tell others: whoever wants that types it.
"""
_ALIKE = 0.7
_MILESTONES = {
    "started": Milestone.IMPACT_STARTED,
    "detected": Milestone.DETECTED,
    "acknowledged": Milestone.ACKNOWLEDGED,
    "mitigated": Milestone.MITIGATED,
    "resolved": Milestone.RESOLVED,
    "resolve": Milestone.RESOLVED,
    "detect": Milestone.DETECTED,
    "mitigate": Milestone.MITIGATED,
    "acknowledge": Milestone.ACKNOWLEDGED,
    "ack": Milestone.ACKNOWLEDGED,
    "close": Milestone.RESOLVED,
    "closed": Milestone.RESOLVED,
}
_MEANT = {
    "declare": "/incident open",
    "new": "/incident open",
    "create": "/incident open",
    "role": "/incident lead",
    "owner": "/incident lead",
    "assign": "/incident lead",
    "priority": "/incident sev 2",
    "update": "/timeline what happened",
    "note": "/timeline what happened",
    "log": "/timeline what happened",
    "add": "/timeline what happened",
    "action": "/action what @owner due friday",
    "why": "/why because …",
    "postmortem": "/postmortem",
    "export": "/postmortem export",
}
"""What people type who know other tools, where it is too little like our word to be found by its letters."""
SAID = {
    Milestone.IMPACT_STARTED: "Impact started",
    Milestone.DETECTED: "Detected",
    Milestone.ACKNOWLEDGED: "Acknowledged",
    Milestone.MITIGATED: "Mitigated",
    Milestone.RESOLVED: "Resolved",
}
"""What a milestone's entry says where its author said nothing more."""


def beyond(milestone: Milestone | None, text: str) -> str:
    """What an entry says besides its milestone; empty where that is no more than the milestone's own word."""
    is_bare = milestone is not None and text.strip(" .!\n").casefold() == SAID[milestone].casefold()
    return "" if is_bare else text


@dataclass(frozen=True, slots=True)
class Open:
    """Open an incident in the channel."""

    title: str


@dataclass(frozen=True, slots=True)
class SetSeverity:
    """Say how bad it is: 1 to 4."""

    severity: int


@dataclass(frozen=True, slots=True)
class SetLead:
    """Say who leads; still the text that names a person."""

    who: str


@dataclass(frozen=True, slots=True)
class Rename:
    """Call it otherwise."""

    title: str


@dataclass(frozen=True, slots=True)
class Reach:
    """A milestone was reached; the line may hold a time and words."""

    milestone: Milestone
    line: str


@dataclass(frozen=True, slots=True)
class Reopen:
    """It was not over; the line may say why."""

    line: str


@dataclass(frozen=True, slots=True)
class ListAll:
    """List the workspace's incidents."""


@dataclass(frozen=True, slots=True)
class Search:
    """Find past incidents by their words."""

    words: str


@dataclass(frozen=True, slots=True)
class Help:
    """Explain."""


@dataclass(frozen=True, slots=True)
class Page:
    """Have those on call paged, with these words."""

    words: str


@dataclass(frozen=True, slots=True)
class OpenInJsm:
    """Open it in Jira Service Management, too."""


@dataclass(frozen=True, slots=True)
class Customers:
    """What customers are told."""


@dataclass(frozen=True, slots=True)
class Connections:
    """How the other systems stand."""


@dataclass(frozen=True, slots=True)
class Overview:
    """Nothing was typed: how the channel's incident stands."""


Changing = Open | Rename | SetSeverity | SetLead | Reach | Reopen
Elsewhere = Connections | Page | OpenInJsm | Customers
Wish = Changing | Elsewhere | ListAll | Search | Help | Overview

_SEVERITY = re.compile(r"(?:sev(?:erity)?)?[\s:=-]*([1-4])", re.IGNORECASE)


def wish(text: str) -> Wish:
    """What somebody wants who typed `/incident TEXT`; raises Refused for an unknown sub-command, naming the nearest."""
    word, _, rest = text.strip().partition(" ")
    word, rest = word.lower(), rest.strip()
    if word in _MILESTONES:
        return Reach(_MILESTONES[word], rest)
    if re.fullmatch(r"sev(erity)?[-:=]?[1-4]?", word):
        return SetSeverity(_severity(text.strip()))
    if word == "lead":
        return SetLead(_require(rest, "`/incident lead @ana`"))
    if word in ("rename", "title"):
        return Rename(_require(rest, "`/incident rename checkout is down in Europe`"))
    if word == "search":
        return Search(_require(rest, "`/incident search connection pool`"))
    simple: dict[str, Wish] = {
        "": Overview(),
        "status": Overview(),
        "show": Overview(),
        "help": Help(),
        "?": Help(),
        "list": ListAll(),
        "connections": Connections(),
        "page": Page(rest),
        "jsm": OpenInJsm(),
        "customers": Customers(),
        "open": Open(rest),
        "reopen": Reopen(rest),
    }
    if word not in simple:
        raise Refused(unknown(word, "/incident", WORDS, _MEANT))
    return simple[word]


def _severity(text: str) -> int:
    match = _SEVERITY.fullmatch(text)
    if match is None:
        sentence = "A severity is 1 (worst) to 4, as in `/incident sev 2`."
        raise Refused(sentence)
    return int(match[1])


def _require(rest: str, example: str) -> str:
    if not rest:
        sentence = f"Something is missing there: {example}."
        raise Refused(sentence)
    return rest


def unknown(word: str, command: str, words: Iterable[str], meant: Mapping[str, str] = MappingProxyType({})) -> str:
    """The sentence for a sub-command that does not exist; `meant` are whole commands of ours for words of other tools.

    Nothing that is `HARMFUL` is ever suggested, and nothing in its place where it is the nearest.
    """
    near, close = nearest(word, words), nearest(word, words, _ALIKE)
    guess = meant.get(word, "") or ("" if near in HARMFUL else close)
    hint = f" Did you mean `{guess}`?" if guess else ""
    return f"I don't know `{word[:40].replace('`', '')}`.{hint} (`{command} help` lists everything)"


_STATUS_AFTER = {Milestone.MITIGATED: Status.MITIGATED, Milestone.RESOLVED: Status.RESOLVED}


def reach(incident: Incident, milestone: Milestone, by: str, happened_at: datetime) -> Incident:
    """The incident after a milestone; raises Refused where it is resolved already.

    The postmortem falls to the lead, else to whoever resolved.
    """
    if incident.status is Status.RESOLVED and milestone is Milestone.RESOLVED:
        sentence = f"{incident.key} is resolved already. To correct the time, edit that entry; else `/incident reopen`."
        raise Refused(sentence)
    if incident.status is Status.RESOLVED:
        return incident
    status = _STATUS_AFTER.get(milestone, incident.status)
    if status is not Status.RESOLVED:
        return replace(incident, status=status)
    return replace(
        incident,
        status=status,
        resolved_by=by,
        resolved_at=happened_at,
        postmortem_owner=incident.postmortem_owner or incident.lead or by,
    )


def reopen(incident: Incident) -> Incident:
    """The incident opened again; raises Refused where it is not resolved."""
    if incident.status is not Status.RESOLVED:
        sentence = f"{incident.key} is not resolved, so there is nothing to reopen."
        raise Refused(sentence)
    return replace(
        incident,
        status=Status.OPEN,
        resolved_by=None,
        resolved_at=None,
        postmortem_status=PostmortemStatus.OPEN,
        postmortem_reason="",
        published_at=None,
    )


def as_told(incident: Incident, entries: Iterable[Entry]) -> Incident:
    """The incident as its standing entries tell it, in the order of their numbers.

    For after one was taken back, brought back or corrected: a milestone moves the incident on as `reach` does, its
    opening and each reopening put it back to open.
    """
    told = replace(incident, status=Status.OPEN, resolved_by=None, resolved_at=None)
    for entry in sorted(entries, key=lambda entry: entry.number):
        told = _after(told, entry)
    if told.status is Status.RESOLVED:
        return replace(told, postmortem_owner=told.postmortem_owner or told.lead or told.resolved_by)
    if incident.status is not Status.RESOLVED:
        return told
    return replace(told, postmortem_status=PostmortemStatus.OPEN, postmortem_reason="", published_at=None)


def _after(incident: Incident, entry: Entry) -> Incident:
    if entry.milestone is Milestone.RESOLVED:
        return replace(incident, status=Status.RESOLVED, resolved_by=entry.recorder, resolved_at=entry.happened_at)
    if entry.milestone is Milestone.MITIGATED and incident.status is Status.OPEN:
        return replace(incident, status=Status.MITIGATED)
    if entry.kind is EntryKind.STATUS and entry.milestone is None:
        return replace(incident, status=Status.OPEN, resolved_by=None, resolved_at=None)
    return incident
