"""What `/postmortem` understands, and how the document's standing may change."""

import re
from dataclasses import dataclass, replace
from datetime import datetime

from bot.errors import Refused
from bot.incident.checks import blank_sections
from bot.incident.lifecycle import unknown
from bot.incident.records import Case, Incident, PostmortemStatus, Status
from bot.incident.sections import BY_SLUG, SECTIONS
from bot.incident.text import require

WORDS = (
    "status",
    "show",
    "fill",
    "owner",
    "export",
    "share",
    "publish",
    "confluence",
    "waive",
    "reopen",
    "reminders",
    "snooze",
    "help",
)
_MEANT = {section.slug: f"/postmortem fill {section.slug.replace('_', ' ')}" for section in SECTIONS}
_MEANT |= dict.fromkeys(("lead", "role", "who"), "/postmortem owner")
_MEANT |= dict.fromkeys(("unpublish", "unwaive", "undo", "open"), "/postmortem reopen")
"""What people type besides our words: a section's name, or a word of other tools. See `lifecycle.HARMFUL`."""
NEEDED = ("summary", "impact", "root_cause", "actions")
"""What must not be empty in a published postmortem."""


@dataclass(frozen=True, slots=True)
class Overview:
    """What is filled and what is missing."""


@dataclass(frozen=True, slots=True)
class Fill:
    """Open the form of a section, by its slug; empty for the next blank one."""

    section: str


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
class Reopen:
    """It is not finished after all."""


@dataclass(frozen=True, slots=True)
class ShowReminders:
    """What was sent, when, to whom, and what comes next."""


@dataclass(frozen=True, slots=True)
class Snooze:
    """Ask its owner again in a day."""


@dataclass(frozen=True, slots=True)
class Help:
    """Explain."""


Leaving = Export | Share | PutOnConfluence
Owing = SetOwner | Snooze | Waive
Wish = Overview | Fill | Owing | Leaving | Publish | Reopen | ShowReminders | Help


_KEY = re.compile(r"inc-?(?P<number>\d{1,9})[,:]?", re.IGNORECASE)
_MAY_NAME = frozenset(
    {"", "status", "show", "fill", "edit", "owner", "handover", "assign", "export", "share", "publish"}
)
_MAY_NAME |= {"published", "confluence", "waive", "reopen", "reminders", "snooze"}


@dataclass(frozen=True, slots=True)
class Named:
    """What is wanted of a postmortem, and the number of its incident where that was named (`publish INC-7`).

    `is_reason` where the key may as well begin the reason of a waiver.
    """

    text: str
    number: int | None = None
    is_reason: bool = False


def named(text: str) -> Named:
    """Take the incident's key out of what was typed: it stands first, or behind the sub-command, or behind a format."""
    words = text.split()
    most = 3 if words[:1] and words[0].lower() in ("export", "owner") else 2
    for index, word in enumerate(words[:most]):
        match = _KEY.fullmatch(word)
        command = words[0].lower() if index else ""
        if match and command in _MAY_NAME:
            rest = text.split(maxsplit=index + 1)[index + 1 :]
            return Named(" ".join([*words[:index], *rest]), int(match["number"]), command == "waive")
    return Named(text)


_SAID = re.compile(
    r"(?:please\s+)?(?P<word>publish|export|show|status|postmortem|fill|snooze|reopen|waive|reminders)"
    r"(?:\s+(?:the\s+)?postmortem)?(?:\s+of)?(?P<key>\s+inc-?\d{1,9})?(?P<rest>(?:\s+.*)?)",
    re.IGNORECASE | re.DOTALL,
)


def said_to_us(text: str) -> Named | None:
    """What somebody wants of a postmortem who writes it to the bot in plain words; None for what is something else.

    Only what can be nothing else: the word alone, with a key, and with what `/postmortem` takes behind it.
    """
    text = text.strip().rstrip(".!")
    if alone := _KEY.fullmatch(text):
        return Named("", int(alone["number"]))
    match = _SAID.fullmatch(text)
    if match is None:
        return None
    word, rest = match["word"].lower(), match["rest"].strip()
    word = "" if word in ("postmortem", "show", "status") else word
    is_ours = not rest or (word == "export" and len(rest.split()) == 1) or (word in ("waive", "fill") and match["key"])
    if not is_ours or (word == "waive" and not rest):
        return None
    number = int(re.sub(r"\D", "", match["key"])) if match["key"] else None
    return Named(f"{word} {rest}".strip(), number)


def wish(text: str) -> Wish:
    """What somebody wants who typed `/postmortem TEXT`; raises Refused for an unknown sub-command."""
    word, _, rest = text.strip().partition(" ")
    word, rest = word.lower(), rest.strip()
    if word in ("fill", "edit"):
        return Fill(_section(rest))
    if word in ("handover", "hand", "assign"):
        word, rest = "owner", " ".join(part for part in rest.split() if part.lower() not in ("over", "to"))
    if word == "owner":
        return SetOwner(require(rest, "Name the owner: `/postmortem owner @ana`."))
    if word == "waive":
        return Waive(require(rest, "Say why it is not needed: `/postmortem waive a drill, nothing broke`."))
    if word == "share":
        where, _, form = require(rest, "Name the channel: `/postmortem share #leadership`.").partition(" ")
        return Share(where, form.strip().lower() or "markdown")
    simple: dict[str, Wish] = {
        "": Overview(),
        "status": Overview(),
        "show": Overview(),
        "help": Help(),
        "?": Help(),
        "export": Export(rest.lower() or "markdown"),
        "publish": Publish(),
        "published": Publish(),
        "reopen": Reopen(),
        "confluence": PutOnConfluence(),
        "reminders": ShowReminders(),
        "snooze": Snooze(),
    }
    if word not in simple:
        raise Refused(unknown(word, "/postmortem", WORDS, _MEANT))
    return simple[word]


def _section(name: str) -> str:
    """The slug of the section that the words name, by its beginning too; raises Refused where none is, or several."""
    wanted = name.strip().lower().replace("_", " ")
    if not wanted:
        return ""
    found = [
        section.slug
        for section in SECTIONS
        if section.slug.replace("_", " ").startswith(wanted) or section.title.lower().startswith(wanted)
    ]
    if len(found) != 1:
        titles = ", ".join(section.title for section in SECTIONS)
        raise Refused(f"Name one of the sections, as in `/postmortem fill impact`: {titles}.")
    return found[0]


def publish(case: Case, now: datetime) -> Incident:
    """The incident with its postmortem published; raises Refused, naming what is empty, or where it is not resolved."""
    incident = case.incident
    _require_resolved(incident)
    blank = [slug for slug in NEEDED if slug in blank_sections(case)]
    if blank:
        titles = _listed([BY_SLUG[slug].title for slug in blank])
        rest = "is still empty. Fill it first." if len(blank) == 1 else "are still empty. Fill them first."
        raise Refused(f"Not published: {titles} {rest}", offer=f"fill_section {blank[0]} {incident.id}")
    return replace(incident, postmortem_status=PostmortemStatus.PUBLISHED, postmortem_reason="", published_at=now)


def can_publish(case: Case) -> bool:
    """Whether `publish` would take it."""
    is_asked = case.incident.status is Status.RESOLVED and not case.incident.postmortem_status.is_finished
    return is_asked and not set(NEEDED).intersection(blank_sections(case))


def waive(incident: Incident, reason: str) -> Incident:
    """The incident whose postmortem is not needed; raises Refused where it is not resolved, or settled already."""
    _require_resolved(incident)
    if incident.postmortem_status is PostmortemStatus.PUBLISHED:
        sentence = f"The postmortem of {incident.key} is published already: there is nothing left to waive."
        raise Refused(sentence)
    if (incident.postmortem_status, incident.postmortem_reason) == (PostmortemStatus.WAIVED, reason):
        sentence = f"The postmortem of {incident.key} is waived already, for this reason."
        raise Refused(sentence)
    return replace(incident, postmortem_status=PostmortemStatus.WAIVED, postmortem_reason=reason)


def reopen(incident: Incident) -> Incident:
    """The incident whose postmortem is asked for again; raises Refused where it is neither published nor waived."""
    if not incident.postmortem_status.is_finished:
        sentence = f"The postmortem of {incident.key} is open: it was neither published nor waived."
        raise Refused(sentence)
    return replace(incident, postmortem_status=PostmortemStatus.OPEN, postmortem_reason="", published_at=None)


def _require_resolved(incident: Incident) -> None:
    if incident.status is not Status.RESOLVED:
        sentence = f"{incident.key} is not resolved yet. `/incident resolved` comes first."
        raise Refused(sentence)


def _listed(titles: list[str]) -> str:
    return titles[0] if len(titles) == 1 else f"{', '.join(titles[:-1])} and {titles[-1]}"
