"""The policy by severity: whether a postmortem is asked for, when and of whom, and what it needs.

An incident keeps the policy that counted when it was resolved. One without a policy is asked for as the settings say:
every severity, and none, at 24 and at 48 hours.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

UNSET = "none"
"""The name of the policy for incidents without a severity."""

OTHER = "other"
"""The kind of an action that has none, among the default due dates."""


class PostmortemRule(StrEnum):
    """Whether a postmortem is asked for. The values are what the database and the file hold."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    """Its owner is asked once, privately."""
    NONE = "none"


@dataclass(frozen=True, slots=True)
class SeverityPolicy:
    """What is asked after an incident of one severity. None means: as the settings say.

    `also` are those who hear of reminders besides the owner: `lead`, `opener`, people and channels. `owner` is `lead`,
    `opener`, `on_call` (who acknowledged last) or a person; empty for no one. `due` is by the kind of an action.
    `is_chosen`: a person asked for the postmortem although the policy did not.
    """

    severity: str
    postmortem: PostmortemRule = PostmortemRule.REQUIRED
    after_resolution: tuple[timedelta, ...] | None = None
    weeks: int | None = None
    also: tuple[str, ...] = ()
    sections: tuple[str, ...] | None = None
    due: tuple[tuple[str, timedelta], ...] = ()
    rest_hours: tuple[int, ...] | None = None
    rest_days: tuple[int, ...] | None = None
    owner: str = ""
    needs_review: bool = False
    is_chosen: bool = False

    def due_on(self, kind: str, today: date) -> date | None:
        """The day on which an action of a kind is due that names none; None if the policy says nothing of it."""
        span = dict(self.due).get(kind or OTHER)
        return today + span if span is not None else None


@dataclass(frozen=True, slots=True)
class SeverityPolicies:
    """The policies that the team's file has, of `sev1` to `sev4` and `none`; empty without a file."""

    policies: tuple[SeverityPolicy, ...] = ()

    def find(self, severity: int | None) -> SeverityPolicy | None:
        """The policy of a severity, or of incidents without one; None without a file."""
        name = f"sev{severity}" if severity else UNSET
        return next((one for one in self.policies if one.severity == name), None)

    def name_people(self, find_id: Callable[[str], str]) -> "SeverityPolicies":
        """The same with ids in place of names such as `@ana`; one without an id is left out."""
        return SeverityPolicies(tuple(_name_people(policy, find_id) for policy in self.policies))


def _name_people(policy: SeverityPolicy, find_id: Callable[[str], str]) -> SeverityPolicy:
    words = (find_id(word[1:]) if word.startswith("@") else word for word in policy.also)
    owner = find_id(policy.owner[1:]) if policy.owner.startswith("@") else policy.owner
    return replace(policy, also=tuple(word for word in words if word), owner=owner)


def to_plain(policy: SeverityPolicy) -> dict[str, Any]:
    """The policy as it is in JSON, without what it leaves to the settings."""
    values: dict[str, Any] = {"severity": policy.severity, "postmortem": policy.postmortem.value}
    if policy.after_resolution is not None:
        values["remind_after"] = [after / timedelta(hours=1) for after in policy.after_resolution]
    if policy.weeks is not None:
        values["weeks"] = policy.weeks
    values |= {"also": list(policy.also)} if policy.also else {}
    for name in ("sections", "rest_hours", "rest_days"):
        value = getattr(policy, name)
        if value is not None:
            values[name] = list(value)
    values |= {"due": {kind: span.days for kind, span in policy.due}} if policy.due else {}
    values |= {"owner": policy.owner} if policy.owner else {}
    values |= {"review": "required"} if policy.needs_review else {}
    values |= {"chosen": True} if policy.is_chosen else {}
    return values


def from_plain(values: Mapping[str, Any]) -> SeverityPolicy:
    """The policy that `to_plain` made; keys of later versions are left out. Raises ValueError for what is none."""
    hours = values.get("remind_after")
    try:
        return SeverityPolicy(
            severity=str(values["severity"]),
            postmortem=PostmortemRule(values["postmortem"]),
            after_resolution=None if hours is None else tuple(timedelta(hours=one) for one in hours),
            weeks=values.get("weeks"),
            also=tuple(values.get("also", ())),
            sections=_tuple(values, "sections"),
            due=tuple((kind, timedelta(days=days)) for kind, days in values.get("due", {}).items()),
            rest_hours=_tuple(values, "rest_hours"),
            rest_days=_tuple(values, "rest_days"),
            owner=values.get("owner", ""),
            needs_review=values.get("review") == "required",
            is_chosen=bool(values.get("chosen")),
        )
    except (KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"not a policy: {error}") from error


def _tuple(values: Mapping[str, Any], name: str) -> tuple[Any, ...] | None:
    return tuple(values[name]) if name in values else None
