"""What `/postmortem` understands, and how the document's standing may change."""

from dataclasses import dataclass, replace
from datetime import datetime

from bot.errors import Refused
from bot.incident.checks import blank_sections
from bot.incident.lifecycle import unknown
from bot.incident.records import Case, Incident, PostmortemStatus, Status
from bot.incident.sections import BY_SLUG

WORDS = ("owner", "export", "share", "publish", "confluence", "waive", "reminders", "help")
NEEDED = ("summary", "impact", "root_cause", "actions")
"""What must not be empty in a published postmortem."""


@dataclass(frozen=True, slots=True)
class Overview:
    """What is filled and what is missing."""


@dataclass(frozen=True, slots=True)
class SetOwner:
    """Say who owes it; still the text that names a person."""

    who: str


@dataclass(frozen=True, slots=True)
class Export:
    """Put the file into the channel."""

    format: str


@dataclass(frozen=True, slots=True)
class Share:
    """Put the file into another channel; still the text that names it."""

    where: str
    format: str


@dataclass(frozen=True, slots=True)
class Publish:
    """It is finished."""


@dataclass(frozen=True, slots=True)
class PutOnConfluence:
    """Make its page on Confluence, or bring it up to date."""


@dataclass(frozen=True, slots=True)
class Waive:
    """It is not needed, for this reason."""

    reason: str


@dataclass(frozen=True, slots=True)
class ShowReminders:
    """What was sent, when, to whom, and what comes next."""


@dataclass(frozen=True, slots=True)
class Help:
    """Explain."""


Leaving = Export | Share | PutOnConfluence
Wish = Overview | SetOwner | Leaving | Publish | Waive | ShowReminders | Help


def wish(text: str) -> Wish:
    """What somebody wants who typed `/postmortem TEXT`; raises Refused for an unknown sub-command."""
    word, _, rest = text.strip().partition(" ")
    word, rest = word.lower(), rest.strip()
    if word == "owner":
        if not rest:
            sentence = "Name the owner: `/postmortem owner @ana`."
            raise Refused(sentence)
        return SetOwner(rest)
    if word == "waive":
        if not rest:
            sentence = "Say why it is not needed: `/postmortem waive a drill, nothing broke`."
            raise Refused(sentence)
        return Waive(rest)
    if word == "share":
        where, _, form = rest.partition(" ")
        if not where:
            sentence = "Name the channel: `/postmortem share #leadership`."
            raise Refused(sentence)
        return Share(where, form.strip().lower() or "markdown")
    simple: dict[str, Wish] = {
        "": Overview(),
        "help": Help(),
        "?": Help(),
        "export": Export(rest.lower() or "markdown"),
        "publish": Publish(),
        "published": Publish(),
        "confluence": PutOnConfluence(),
        "reminders": ShowReminders(),
    }
    if word not in simple:
        raise Refused(unknown(word, "/postmortem", WORDS))
    return simple[word]


def publish(case: Case, now: datetime) -> Incident:
    """The incident with its postmortem published; raises Refused, naming what is empty, or where it is not resolved."""
    incident = case.incident
    _require_resolved(incident)
    blank = [slug for slug in NEEDED if slug in blank_sections(case)]
    if blank:
        titles = _listed([BY_SLUG[slug].title for slug in blank])
        rest = "is still empty. Fill it first." if len(blank) == 1 else "are still empty. Fill them first."
        raise Refused(f"Not published: {titles} {rest}", offer=f"fill_section {blank[0]}")
    return replace(incident, postmortem_status=PostmortemStatus.PUBLISHED, postmortem_reason="", published_at=now)


def waive(incident: Incident, reason: str) -> Incident:
    """The incident whose postmortem is not needed; raises Refused where it is not resolved."""
    _require_resolved(incident)
    return replace(incident, postmortem_status=PostmortemStatus.WAIVED, postmortem_reason=reason)


def _require_resolved(incident: Incident) -> None:
    if incident.status is not Status.RESOLVED:
        sentence = f"{incident.key} is not resolved yet. `/incident resolved` comes first."
        raise Refused(sentence)


def _listed(titles: list[str]) -> str:
    return titles[0] if len(titles) == 1 else f"{', '.join(titles[:-1])} and {titles[-1]}"
