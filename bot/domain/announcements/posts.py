"""Posts for people outside an incident's channel: how far an incident is for them, and the weekly digest."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from enum import StrEnum

from bot.domain.records import Incident, PostmortemStatus, Status


class PostStage(StrEnum):
    """How far an incident is, for a follower. The values are what the database holds."""

    OPEN = "open"
    RESOLVED = "resolved"
    PUBLISHED = "published"


_RANKS = {stage: rank for rank, stage in enumerate(PostStage)}

EDITED_AFTER = timedelta(seconds=3)
"""At most one edit of a post in this time, however much changes."""

FRESH = timedelta(hours=1)
"""For so long after its publication an incident that was never announced still is."""


def stage_of(incident: Incident) -> PostStage:
    """The stage that an incident has reached."""
    if incident.status is not Status.RESOLVED:
        return PostStage.OPEN
    return PostStage.PUBLISHED if incident.postmortem_status is PostmortemStatus.PUBLISHED else PostStage.RESOLVED


def is_later(stage: PostStage, before: str) -> bool:
    """Whether a stage comes after the one that a person was told of; an empty one is before all."""
    return not before or _RANKS[stage] > _RANKS[PostStage(before)]


def is_news(incident: Incident, now: datetime) -> bool:
    """Whether an incident that was not announced yet is worth it: it is going on, or was published just now."""
    published = incident.published_at
    return incident.status is not Status.RESOLVED or (published is not None and now - published < FRESH)


_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WEEKLY = re.compile(
    r"(?P<day>[a-z]+)\s+(?P<hour>\d{1,2})(?::00)?(?:\s+(?P<channel>(?-i:[CG][A-Z0-9]+)))?", re.IGNORECASE
)
WEEK = timedelta(days=7)
CATCH_UP = timedelta(days=1)
"""A digest whose hour passed while the bot was down is still sent this long after it."""


@dataclass(frozen=True, slots=True)
class DigestRules:
    """On which day (0 is Monday) and at which hour of a zone the weekly digest goes to a channel."""

    day: int
    hour: int
    channel: str
    zone: tzinfo = UTC

    def slot(self, now: datetime) -> str | None:
        """The day whose digest is due by now; None if the last one was due too long ago."""
        local = now.astimezone(self.zone)
        day = local.date() - timedelta(days=(local.weekday() - self.day) % 7)
        due = datetime.combine(day, time(self.hour), self.zone)
        if due > local:
            due = datetime.combine(day - WEEK, time(self.hour), self.zone)
        return due.date().isoformat() if local - due < CATCH_UP else None


def parse_digest(text: str, channel: str, zone: tzinfo) -> DigestRules | None:
    """Read `monday 9` or `monday 9:00 C0123`; `none` is None. Raises ValueError for anything else.

    Without a channel of its own it goes to the announce channel.
    """
    if text.strip().lower() == "none":
        return None
    match = _WEEKLY.fullmatch(text.strip())
    days = {day[:length]: index for index, day in enumerate(_DAYS) for length in (3, len(day))}
    if match is None or match["day"].lower() not in days or int(match["hour"]) > 23:
        raise ValueError("write a day and an hour, as in monday 9, and a channel's ID behind them if you like; or none")
    to = match["channel"] or channel
    if not to:
        raise ValueError("name a channel: monday 9 C0123, or set AFTERWORD_ANNOUNCE_CHANNEL")
    return DigestRules(days[match["day"].lower()], int(match["hour"]), to, zone)


@dataclass(frozen=True, slots=True)
class AnnounceRules:
    """In which channel incidents are announced (empty: in none), and when the digest goes out."""

    channel: str = ""
    digest: DigestRules | None = None


NO_ANNOUNCEMENTS = AnnounceRules()
