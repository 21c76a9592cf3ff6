"""The review of a postmortem: when people meet over it, who was asked to read it, and what they say.

An incident has one review. It may be moved and called off, and is the same event in people's calendars all the while.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from bot.domain.text import shorten
from bot.domain.times import due_dates
from bot.domain.times.clocks import clock_at
from bot.domain.times.zones import label_of, list_meanings, zone_at
from bot.errors import Refused

USUAL_MINUTES = 60
MOST_MINUTES = 480
AHEAD = timedelta(hours=1)
"""How long before it everyone is reminded."""
FARTHEST = timedelta(days=60)
"""Reminders are silent until the review, so it may not be put off for ever."""
MOST_REVIEWERS = 20
ENOUGH = 2
"""So many people who say that it looks good are enough where a review is required."""

EXAMPLE = "`/postmortem review friday 14:00 @ana @bo`"


class Verdict(StrEnum):
    """What a reviewer says. The values are what the database holds."""

    GOOD = "good"
    WORK = "work"


@dataclass(frozen=True, slots=True)
class Reviewer:
    """A person who was asked to review; `verdict` is empty until they answer, `words` say what needs work.

    `is_waiting`: their answer is still wanted. `channel` and `ts` are where their invitation is.
    """

    id: int
    incident_id: int
    user: str
    verdict: str
    words: str
    answered_at: datetime | None
    is_waiting: bool
    channel: str
    ts: str


@dataclass(frozen=True, slots=True)
class Review:
    """When a postmortem is reviewed. `sequence` counts its changes, as calendars do."""

    id: int
    incident_id: int
    sequence: int
    starts_at: datetime
    minutes: int
    planned_by: str
    planned_at: datetime
    is_cancelled: bool
    reviewers: tuple[Reviewer, ...] = ()

    @property
    def ends_at(self) -> datetime:
        """When it is over."""
        return self.starts_at + timedelta(minutes=self.minutes)

    def is_ahead(self, now: datetime) -> bool:
        """Whether it is still to come."""
        return not self.is_cancelled and now < self.starts_at

    def find(self, user: str) -> Reviewer | None:
        """What a person was asked, if they were."""
        return next((one for one in self.reviewers if one.user == user), None)


@dataclass(frozen=True, slots=True)
class ReviewOrder:
    """What was typed: the time (None if only people were named), and the length (0 if it was not said)."""

    starts_at: datetime | None = None
    minutes: int = 0


# Of a text whose words are a blank apart, as `parse_order` makes it.
_LENGTH = re.compile(
    r"(?:^| )for (?:(?P<count>\d{1,3}) ?(?P<unit>m|mins?|minutes?|h|hrs?|hours?)|(?P<word>an hour|half an hour))$",
    re.IGNORECASE,
)
_CLOCK = re.compile(r"\b\d{1,2}(?::\d{2}(?:\s*[ap]m)?|\s*[ap]m)\b", re.IGNORECASE)
_WORDS = re.compile(r"^(?:on|for|at) | (?:with|by|and)$", re.IGNORECASE)


def parse_order(text: str, now: datetime, zone: tzinfo | None) -> ReviewOrder:
    """When a review is, as typed without its people: `friday 14:00`, `2026-12-04 2pm CET for 30m`.

    `zone` is the author's, None if it is unknown: then the text must name one. Raises Refused for what is not one
    moment ahead.
    """
    text, minutes = _take_length(" ".join(text.replace(",", " ").split()))
    text = _WORDS.sub("", text).strip()
    if not text:
        return ReviewOrder(None, minutes)
    text, zone = _take_zone(text, now, zone)
    # The day is read where the author is, or where the zone that they name is.
    due = due_dates.parse_due_date(text, now.astimezone(zone or UTC).date())
    if due is None:
        raise Refused(f"Which day? Try {EXAMPLE}" if _CLOCK.fullmatch(text) else _describe_unreadable(text))
    if due.day is None:
        days = " or ".join(f"`{day.isoformat()}`" for day in due.days[:3])
        raise Refused(f"{due.problem} Write the date: {days}" if days else due.problem.replace("due ", "review "))
    if not due.time_of_day:
        raise Refused(f"At what time? Try `/postmortem review {shorten(text, 40)} 14:00`")
    if zone is None:
        raise Refused(
            "Slack doesn't say which time zone you're in. Name it: `/postmortem review friday 14:00 Europe/Berlin @ana`"
        )
    return ReviewOrder(_require_ahead(_read_moment(due.day, due.time_of_day, zone), now), minutes)


def _describe_unreadable(text: str) -> str:
    return f"I couldn't read “{shorten(text, 60)}” as a day and a time. Try {EXAMPLE}"


def _take_length(text: str) -> tuple[str, int]:
    match = _LENGTH.search(text)
    if match is None:
        return text, 0
    if match["word"]:
        minutes = 30 if match["word"].lower().startswith("half") else 60
    else:
        minutes = int(match["count"]) * (60 if match["unit"].lower().startswith("h") else 1)
    return text[: match.start()].strip(), require_length(minutes)


def require_length(minutes: int) -> int:
    """The length, if a meeting may have it. Raises Refused if not."""
    if not 0 < minutes <= MOST_MINUTES:
        raise Refused("A review lasts between 1 minute and 8 hours. Try `for 30m`")
    return minutes


def _take_zone(text: str, now: datetime, author: tzinfo | None) -> tuple[str, tzinfo | None]:
    """The text without the zone behind its time of day, and that zone; else the author's."""
    clock = _CLOCK.search(text)
    at = clock.end() + len(text[clock.end() :]) - len(text[clock.end() :].lstrip()) if clock else 0
    found = zone_at(text, at) if clock else None
    meanings = list_meanings(found[0], author or UTC) if found else ()
    if found is None or not meanings:
        return text, author
    zones = [zone for meaning in meanings for zone in (meaning.zone, meaning.place) if zone is not None]
    if len({now.astimezone(zone).utcoffset() for zone in zones}) > 1:
        raise Refused(f"{meanings[0].label} could be more than one time zone. Name a city: `14:00 Europe/Berlin`")
    return f"{text[:at]}{text[found[1] :]}".strip(), meanings[0].zone


def _read_moment(day: date, clock: str, zone: tzinfo) -> datetime:
    clock = clock.removeprefix("at ").removeprefix("@").strip()
    found = clock_at(clock, 0, sure=True)
    of_day = found[0].of_day() if found and found[1] == len(clock) else None
    if of_day is None:
        raise Refused(f"“{shorten(clock, 30)}” isn't a time of day. Try `14:00` or `2pm`")
    at, days = of_day
    return combine(day + days, at, zone)


def combine(day: date, at: time, zone: tzinfo) -> datetime:
    """A local time as a moment in UTC. Raises Refused where the clocks change: one that is not, or that is twice."""
    local = datetime.combine(day, at, zone)
    moment = local.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise Refused(
            f"The clocks change: {at:%H:%M} doesn't exist on that day in {label_of(zone)}. Pick another time."
        )
    if local.replace(fold=1).astimezone(UTC) != moment:
        raise Refused(f"The clocks change: {at:%H:%M} comes twice on that day in {label_of(zone)}. Add `UTC` to it.")
    return moment


def _require_ahead(moment: datetime, now: datetime) -> datetime:
    if moment <= now:
        raise Refused(f"That's in the past: {moment:%a} {moment.day} {moment:%b %Y, %H:%M} UTC. Try {EXAMPLE}")
    if moment > now + FARTHEST:
        raise Refused(f"That's more than {FARTHEST.days} days away. A review comes while people still remember.")
    return moment


def explain_unready(review: Review | None, gone: frozenset[str] = frozenset()) -> str:
    """Why a postmortem that must be reviewed may not be published yet; empty if it may.

    It waits for two people who say that it looks good, or for all if fewer were asked. `gone` are those who left.
    """
    if review is None or review.is_cancelled:
        return f"It's reviewed before it's published. Plan the review: {EXAMPLE}"
    asked = [one for one in review.reviewers if one.user not in gone]
    good = sum(one.verdict == Verdict.GOOD for one in asked)
    needed = min(ENOUGH, len(asked))
    if not asked:
        return "Everyone who was asked to review it has left. Ask someone else: `/postmortem review @ana`"
    if good >= needed:
        return ""
    left = needed - good
    return f"It needs {left} more {'reviewer' if left == 1 else 'reviewers'} to say that it looks good."
