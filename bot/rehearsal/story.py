"""An incident file: the story that a rehearsal plays. The README tells its form."""

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, tzinfo
from importlib import resources
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.domain.records import Milestone
from bot.domain.sections import BY_SLUG
from bot.errors import Misconfigured

SOMEBODY = "Responder Demo"


@dataclass(frozen=True, slots=True)
class StoryEntry:
    """One entry: when (aware UTC), by whom, what, and the milestone that it marks."""

    at: datetime
    author: str
    text: str
    milestone: Milestone | None = None


@dataclass(frozen=True, slots=True)
class StoryWhy:
    """One answer of the five whys."""

    author: str
    text: str


@dataclass(frozen=True, slots=True)
class StoryAction:
    """One corrective action."""

    text: str
    owner: str
    due: date | None


@dataclass(frozen=True, slots=True)
class Story:
    """A whole incident, ready to be played. `people` maps names to IANA zones."""

    title: str
    severity: int | None
    channel: str
    lead: str
    people: dict[str, str]
    entries: tuple[StoryEntry, ...]
    whys: tuple[StoryWhy, ...] = ()
    actions: tuple[StoryAction, ...] = ()
    sections: dict[str, str] = field(default_factory=dict)


def shipped_story() -> Story:
    """The incident that ships with Afterword."""
    return parse_story(json.loads(resources.files("bot.rehearsal").joinpath("oversubscribed.json").read_text("utf-8")))


def read_story(path: Path) -> Story:
    """The story of an incident file; raises Misconfigured, saying what is wrong with it."""
    try:
        return parse_story(json.loads(path.read_text("utf-8")))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        cause = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise Misconfigured(f"{path} is no incident file: {cause}. The README tells its form.") from error


def parse_story(content: dict[str, Any]) -> Story:
    """The story that an incident file's object tells; raises KeyError or ValueError where it tells none."""
    zone_name = str(content.get("zone") or "UTC")
    zone = _find_zone(zone_name)
    entries = tuple(sorted(_parse_entries(content["entries"], zone), key=lambda entry: entry.at))
    if not entries:
        raise ValueError("it has no entries")
    authors = {entry.author for entry in entries} | {
        str(why["author"]) for why in _list_objects(content, "whys") if why.get("author")
    }
    owners = {str(action["owner"]) for action in _list_objects(content, "actions") if action.get("owner")}
    people = dict.fromkeys(sorted(authors | owners), zone_name) | dict(content.get("people") or {})
    first = entries[0].author
    return Story(
        title=str(content["title"]),
        severity=_parse_severity(content.get("severity")),
        channel=str(content.get("channel") or "incident"),
        lead=str(content.get("lead") or first),
        people={name: str(place) for name, place in people.items()},
        entries=entries,
        whys=tuple(
            StoryWhy(str(why.get("author") or first), str(why["text"])) for why in _list_objects(content, "whys")
        ),
        actions=tuple(_parse_action(action, first) for action in _list_objects(content, "actions")),
        sections=_parse_sections(content.get("sections") or {}),
    )


def _parse_entries(found: list[dict[str, Any]], zone: tzinfo) -> list[StoryEntry]:
    entries: list[StoryEntry] = []
    for entry in found:
        before = entries[-1].at if entries else None
        milestone = Milestone(entry["milestone"]) if entry.get("milestone") else None
        author = str(entry.get("author") or SOMEBODY)
        entries.append(StoryEntry(_parse_time(str(entry["at"]), zone, before), author, str(entry["text"]), milestone))
    return entries


def _parse_time(text: str, zone: tzinfo, before: datetime | None) -> datetime:
    """`2026-03-10T14:20:00Z`, the same without an offset in the file's zone, or `14:20` on the last entry's day."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        day = before.astimezone(zone).date() if before else date(2026, 1, 5)
        moment = datetime.combine(day, time.fromisoformat(text))
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def _list_objects(content: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """A list whose members may be plain texts."""
    return [member if isinstance(member, dict) else {"text": member} for member in content.get(name) or []]


def _parse_action(action: dict[str, Any], somebody: str) -> StoryAction:
    due = action.get("due")
    return StoryAction(
        str(action["text"]), str(action.get("owner") or somebody), date.fromisoformat(str(due)) if due else None
    )


def _parse_sections(found: dict[str, Any]) -> dict[str, str]:
    """Texts by slug; a section may be named by its slug or by its title."""
    titles = {section.title.lower(): slug for slug, section in BY_SLUG.items()}
    named = {titles.get(name.lower(), name): str(text) for name, text in found.items() if text}
    return {slug: text for slug, text in named.items() if slug in BY_SLUG}


def _parse_severity(found: Any) -> int | None:
    digits = "".join(letter for letter in str(found or "") if letter.isdigit())
    return int(digits) if digits in ("1", "2", "3", "4") else None


def _find_zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"its zone {name!r} is no IANA zone") from error
