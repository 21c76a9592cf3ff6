"""What people ask the library for: filters as they stand in an address, and the stage that a postmortem is at.

Whatever an address has is read: what is no filter is left out, so that an old or mistyped link still shows a list.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from urllib.parse import urlencode

from bot.domain.records import Incident, PostmortemStatus, Status
from bot.domain.similarity import MOST_WORDS, extract_words

MOST_LETTERS = 400
"""Of what is searched for, as an address repeats it."""

NOBODY = "none"
"""An owner in an address: there is no owner yet; as a severity: it isn't recorded."""

_SPAN = re.compile(r"(?P<year>[0-9]{4})(?:-(?:(?P<month>0[1-9]|1[0-2])|Q(?P<quarter>[1-4])))?", re.IGNORECASE)
_KEY = re.compile(r"\s*(?:INC-?)?0*([1-9][0-9]{0,8})\s*", re.IGNORECASE)
_USER = re.compile(r"[A-Z0-9]{2,20}")
_CURSOR = re.compile(r"(?P<at>[0-9]{8}T[0-9]{6}\.[0-9]{6})-(?P<row>[0-9]{1,18})")


class Stage(StrEnum):
    """How far an incident and its postmortem are, in one word."""

    OPEN = "open"
    DRAFT = "draft"
    IN_REVIEW = "in_review"
    PUBLISHED = "published"
    WAIVED = "waived"


STAGES = {
    Stage.OPEN: "Open incident",
    Stage.DRAFT: "Draft",
    Stage.IN_REVIEW: "In review",
    Stage.PUBLISHED: "Published",
    Stage.WAIVED: "No postmortem",
}
"""What people read."""


def find_stage(incident: Incident) -> Stage:
    """The stage of an incident."""
    if incident.status is not Status.RESOLVED:
        return Stage.OPEN
    return Stage.DRAFT if incident.postmortem_status is PostmortemStatus.OPEN else Stage(incident.postmortem_status)


@dataclass(frozen=True, slots=True)
class CalendarSpan:
    """A month, a quarter or a year, in UTC, with the name that it has in an address: `2026-11`, `2026-Q4`, `2026`."""

    name: str
    since: datetime
    until: datetime


def parse_span(text: str) -> CalendarSpan | None:
    """A span by its name; None if it is none."""
    found = _SPAN.fullmatch(text.strip())
    year = int(found["year"]) if found else 0
    if not found or not 1970 <= year <= 9000:
        return None
    first, months = 1, 12
    if found["month"]:
        first, months = int(found["month"]), 1
    elif found["quarter"]:
        first, months = 3 * int(found["quarter"]) - 2, 3
    over = first + months - 1
    until = datetime(year + over // 12, over % 12 + 1, 1, tzinfo=UTC)
    return CalendarSpan(found.group().upper(), datetime(year, first, 1, tzinfo=UTC), until)


@dataclass(frozen=True, slots=True)
class LibraryFilters:
    """Which incidents are wanted; empty fields want all.

    `severity` is `sev1` to `sev4` or `none`; `owner` the id of the person who owns the postmortem, or `none`.
    """

    words: str = ""
    severity: str = ""
    stage: Stage | None = None
    owner: str = ""
    span: CalendarSpan | None = None
    service: str = ""
    tag: str = ""
    is_overdue: bool = False

    @property
    def terms(self) -> tuple[str, ...]:
        """The words to look for."""
        return extract_words(self.words)[:MOST_WORDS]

    @property
    def number(self) -> int | None:
        """The incident that the words name, as in `INC-7`."""
        found = _KEY.fullmatch(self.words)
        return int(found[1]) if found else None

    def query(self, before: str = "", **other: str) -> str:
        """The filters as the query of an address: the same ones are always the same text. `other` replaces some."""
        values = {
            "q": self.words,
            "severity": self.severity,
            "status": self.stage or "",
            "owner": self.owner,
            "month": self.span.name if self.span else "",
            "service": self.service,
            "tag": self.tag,
            "overdue": "1" if self.is_overdue else "",
            "before": before,
        }
        return urlencode([(name, value) for name, value in (values | other).items() if value])


def parse_filters(values: Mapping[str, str]) -> LibraryFilters:
    """The filters of an address."""
    severity, stage = values.get("severity", "").strip().lower(), values.get("status", "").strip().lower()
    owner = values.get("owner", "").strip()
    return LibraryFilters(
        words=" ".join(values.get("q", "").split())[:MOST_LETTERS].rstrip(),
        severity=severity if severity in ("sev1", "sev2", "sev3", "sev4", NOBODY) else "",
        stage=Stage(stage) if stage in list(map(str, Stage)) else None,
        owner=owner if owner == NOBODY or _USER.fullmatch(owner) else "",
        span=parse_span(values.get("month", "")),
        service=_parse_facet(values.get("service", "")),
        tag=_parse_facet(values.get("tag", "")),
        is_overdue=values.get("overdue", "") in ("1", "on", "yes", "true"),
    )


def _parse_facet(text: str) -> str:
    return " ".join(text.split())[:MOST_LETTERS].rstrip()


@dataclass(frozen=True, slots=True, order=True)
class ShelfCursor:
    """The last incident of a page, after which the next page begins."""

    opened_at: datetime
    row: int

    def __str__(self) -> str:
        """As an address has it."""
        at = self.opened_at.astimezone(UTC)
        # Not every C library pads the year of `%Y`, and a forged one may have less than four digits.
        return f"{at.year:04}{at:%m%dT%H%M%S.%f}-{self.row}"


def parse_cursor(text: str) -> ShelfCursor | None:
    """A cursor of an address; None if it is none, for the first page."""
    found = _CURSOR.fullmatch(text)
    if not found:
        return None
    try:
        at = datetime.strptime(found["at"], "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC)
    except ValueError:
        return None
    return ShelfCursor(at, int(found["row"]))


def library_url(base: str, incident: Incident) -> str:
    """The address of an incident's page in the library at `base`; empty while the library is off."""
    return f"{base}/library/{incident.key}" if base else ""


@dataclass(frozen=True, slots=True)
class OpenActions:
    """How many actions of an incident are open, and how many of these are overdue."""

    open: int = 0
    overdue: int = 0


NO_ACTIONS = OpenActions()
