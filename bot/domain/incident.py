"""The rules of an incident: which change may follow which, and which milestones were reached, when and by which entry.

Checks, forms and the document all read milestones here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from bot.domain.policy import PostmortemRule, SeverityPolicies, SeverityPolicy
from bot.domain.records import Entry, EntryKind, Incident, Milestone, PostmortemStatus, Status
from bot.errors import OutdatedButton, Refused

MILESTONE_TEXTS = {
    Milestone.IMPACT_STARTED: "Impact started",
    Milestone.DETECTED: "Detected",
    Milestone.ACKNOWLEDGED: "Acknowledged",
    Milestone.MITIGATED: "Mitigated",
    Milestone.RESOLVED: "Resolved",
}
"""A milestone's text if its author wrote none."""


def text_beyond_milestone(milestone: Milestone | None, text: str) -> str:
    """The text of an entry beyond its milestone; empty if it is only the milestone's own word."""
    is_bare = milestone is not None and text.strip(" .!\n").casefold() == MILESTONE_TEXTS[milestone].casefold()
    return "" if is_bare else text


RENAMED = "Renamed from "


def is_rename(entry: Entry) -> bool:
    """Whether an entry is the note of a rename, which is recorded as of the moment when it was typed."""
    is_note = entry.kind is EntryKind.NOTE and entry.milestone is None and not entry.source
    return is_note and entry.text.startswith(RENAMED) and entry.happened_at == entry.recorded_at


def is_bookkeeping(entry: Entry) -> bool:
    """Whether an entry only says how the incident itself changed, and nothing that a person saw."""
    if entry.milestone is not None:
        return not text_beyond_milestone(entry.milestone, entry.text)
    return entry.kind is not EntryKind.NOTE or is_rename(entry)


_STATUS_AFTER = {Milestone.MITIGATED: Status.MITIGATED, Milestone.RESOLVED: Status.RESOLVED}


NO_POLICIES = SeverityPolicies()


def reach_milestone(
    incident: Incident,
    milestone: Milestone,
    by: str,
    happened_at: datetime,
    policies: SeverityPolicies = NO_POLICIES,
    on_call: str = "",
) -> Incident:
    """The incident after a milestone; raises Refused if it is resolved already.

    A resolution gives it its policy. The postmortem's owner becomes whom that names (`on_call` acknowledged last), the
    lead, else the person who resolved it; no one if it is not required.
    """
    if incident.status is Status.RESOLVED and milestone is Milestone.RESOLVED:
        raise OutdatedButton(
            f"{incident.key} is already resolved. To correct the time, edit that entry. To open it again: "
            f"`/incident reopen`"
        )
    if incident.status is Status.RESOLVED:
        return incident
    status = _STATUS_AFTER.get(milestone, incident.status)
    if status is not Status.RESOLVED:
        return replace(incident, status=status)
    return adopt_policy(
        replace(incident, status=status, resolved_by=by, resolved_at=happened_at),
        policies.find(incident.severity),
        on_call,
    )


def adopt_policy(incident: Incident, policy: SeverityPolicy | None, on_call: str = "") -> Incident:
    """The resolved incident with a policy, and with the owner of its postmortem if one is required.

    Who was on call is kept with the policy: later the record may say otherwise.
    """
    if policy is not None and policy.owner == "on_call":
        policy = replace(policy, owner=on_call)
    incident = replace(incident, policy=policy)
    if incident.rule is not PostmortemRule.REQUIRED:
        return incident
    return replace(incident, postmortem_owner=incident.postmortem_owner or find_default_owner(incident))


def find_default_owner(incident: Incident) -> str | None:
    """Who owns the postmortem if no one is named: whom the policy names, else the lead, else who resolved it."""
    word = incident.policy.owner if incident.policy else ""
    named = {"lead": incident.lead, "opener": incident.opened_by}
    return named.get(word, word) or incident.lead or incident.resolved_by


def list_askable(incident: Incident) -> tuple[str, ...]:
    """Who can be asked whether an optional postmortem is worth writing, the first choice first."""
    asked = (incident.postmortem_owner, find_default_owner(incident), incident.lead, incident.opened_by)
    return tuple(dict.fromkeys(user for user in asked if user))


def find_policy(incident: Incident, policies: SeverityPolicies) -> SeverityPolicy | None:
    """The policy that counts for an incident: the one that it keeps, or before its resolution that of its severity."""
    return incident.policy if incident.status is Status.RESOLVED else policies.find(incident.severity)


def find_on_call(entries: Iterable[Entry]) -> str:
    """The person who acknowledged last; empty if none did."""
    marks = [entry for entry in entries if entry.milestone is Milestone.ACKNOWLEDGED and not entry.struck]
    return max(marks, key=lambda entry: (entry.happened_at, entry.number)).author if marks else ""


def choose_postmortem(incident: Incident, by: str) -> Incident:
    """The resolved incident whose postmortem a person wants although it is not required: from now on it is."""
    policy = incident.policy
    if policy is None or policy.postmortem is PostmortemRule.REQUIRED:
        raise OutdatedButton(f"The postmortem of {incident.key} is already asked for. To see it: `/postmortem`")
    chosen = replace(policy, postmortem=PostmortemRule.REQUIRED, is_chosen=True)
    return replace(incident, policy=chosen, postmortem_owner=incident.postmortem_owner or by)


def change_policy(incident: Incident, policy: SeverityPolicy | None) -> Incident:
    """The resolved incident after its severity changed: the policy of that one counts, unless its postmortem is done.

    Who asked for the postmortem already has still asked.
    """
    if policy is None or incident.status is not Status.RESOLVED or incident.postmortem_status.is_finished:
        return incident
    if incident.policy is not None and incident.policy.is_chosen:
        policy = replace(policy, postmortem=PostmortemRule.REQUIRED, is_chosen=True)
    return adopt_policy(incident, policy)


def reopen(incident: Incident) -> Incident:
    """The incident opened again; raises Refused unless it is resolved."""
    if incident.status is not Status.RESOLVED:
        raise Refused(f"{incident.key} isn't resolved, so you can't reopen it. Once it's over: `/incident resolved`")
    return replace(
        incident,
        status=Status.OPEN,
        resolved_by=None,
        resolved_at=None,
        postmortem_status=PostmortemStatus.OPEN,
        postmortem_reason="",
        published_at=None,
        policy=None,
    )


def derive_state(incident: Incident, entries: Iterable[Entry], policies: SeverityPolicies = NO_POLICIES) -> Incident:
    """The incident with status and milestones derived from its active entries, in the order of their numbers.

    Used after an entry was struck, restored or corrected. A milestone changes the incident as `reach_milestone`
    does; its opening and each reopening set it to open.
    """
    entries = tuple(entries)
    state = replace(incident, status=Status.OPEN, resolved_by=None, resolved_at=None)
    for entry in sorted(entries, key=lambda entry: entry.number):
        state = _after(state, entry)
    if state.status is Status.RESOLVED:
        is_new = incident.status is not Status.RESOLVED
        policy = policies.find(incident.severity) if is_new else incident.policy
        return adopt_policy(state, policy, find_on_call(entries))
    if incident.status is not Status.RESOLVED:
        return state
    state = replace(state, policy=None)
    return replace(state, postmortem_status=PostmortemStatus.OPEN, postmortem_reason="", published_at=None)


def _after(incident: Incident, entry: Entry) -> Incident:
    if entry.milestone is Milestone.RESOLVED:
        return replace(incident, status=Status.RESOLVED, resolved_by=entry.recorder, resolved_at=entry.happened_at)
    if entry.milestone is Milestone.MITIGATED and incident.status is Status.OPEN:
        return replace(incident, status=Status.MITIGATED)
    if entry.kind is EntryKind.STATUS and entry.milestone is None:
        return replace(incident, status=Status.OPEN, resolved_by=None, resolved_at=None)
    return incident


class Marking(Protocol):
    """What may mark a milestone: an entry of the record, or a line of the document."""

    @property
    def number(self) -> int: ...
    @property
    def happened_at(self) -> datetime: ...
    @property
    def milestone(self) -> Milestone | None: ...


M = TypeVar("M", bound=Marking)


@dataclass(frozen=True, slots=True)
class ReachedMilestone(Generic[M]):
    """When a milestone was reached; `by` is its entry, None if only the incident itself knows."""

    at: datetime
    by: M | None


def list_reached_milestones(incident: Incident, entries: Iterable[M]) -> dict[Milestone, ReachedMilestone[M]]:
    """The milestones that were reached, in their order, by the active entries.

    The record may correct itself: the latest entry that marks one counts. A resolution before a reopening does not.
    """
    latest = {entry.milestone: entry for entry in sorted(entries, key=lambda entry: entry.number) if entry.milestone}
    found = {
        milestone: ReachedMilestone(latest[milestone].happened_at, latest[milestone])
        for milestone in Milestone
        if milestone in latest
    }
    if incident.status is not Status.RESOLVED:
        found.pop(Milestone.RESOLVED, None)
    elif Milestone.RESOLVED not in found and incident.resolved_at is not None:
        found[Milestone.RESOLVED] = ReachedMilestone(incident.resolved_at, None)
    return found


def impact_start(milestones: Mapping[Milestone, ReachedMilestone[M]]) -> datetime | None:
    """The start of the impact, else the detection; None if no milestone says either."""
    if Milestone.IMPACT_STARTED in milestones:
        return milestones[Milestone.IMPACT_STARTED].at
    noticed = (milestones[mark].at for mark in (Milestone.DETECTED, Milestone.ACKNOWLEDGED) if mark in milestones)
    return min(noticed, default=None)


@dataclass(frozen=True, slots=True)
class IncidentSpan:
    """From when on an incident lasted, and until when it did; None while it is on."""

    since: datetime
    until: datetime | None

    @property
    def length(self) -> timedelta | None:
        """How long it lasted; None while it is on, or if its times contradict each other."""
        return self.until - self.since if self.until and self.until >= self.since else None


def measure_span(incident: Incident, entries: Iterable[M], first: datetime | None) -> IncidentSpan:
    """The start and end of an incident, as the document shows them too.

    `entries` are all that mark a milestone, `first` is the time of the first entry of all.
    """
    found = list_reached_milestones(incident, entries)
    until = found[Milestone.RESOLVED].at if Milestone.RESOLVED in found else None
    return IncidentSpan(impact_start(found) or first or incident.opened_at, until)


def is_after(one: datetime, other: datetime) -> bool:
    """Whether a moment is certainly later: one that was typed to the minute may be any second of it."""
    if 0 in (one.second, other.second):
        return one.replace(second=0, microsecond=0) > other.replace(second=0, microsecond=0)
    return one > other


@dataclass(frozen=True, slots=True)
class MilestoneReport:
    """A milestone as a person reported it: when (aware UTC), and in which words."""

    milestone: Milestone
    at: datetime
    text: str
    end: datetime | None = None
    approximate: bool = False


@dataclass(frozen=True, slots=True)
class Clash(Generic[M]):
    """What a milestone at a moment would contradict: the other milestone, which `is_later`, or the same `is_twice`."""

    milestone: Milestone
    at: datetime
    by: M | None
    is_twice: bool = False
    is_later: bool = False


def find_contradicted(
    marks: Mapping[Milestone, ReachedMilestone[M]], milestone: Milestone, at: datetime
) -> list[Milestone]:
    """The milestones that come before this one in every incident, and would be reached after it."""
    order = list(Milestone)
    before = order[: order.index(milestone)]
    return [other for other in before if other in marks and is_after(marks[other].at, at)]


def choose_clearest(marks: Mapping[Milestone, ReachedMilestone[M]], later: list[Milestone]) -> Milestone:
    """The contradiction to name if there are several: an end before the detection is the clearest."""
    return Milestone.DETECTED if Milestone.DETECTED in later else max(later, key=lambda each: marks[each].at)


def find_clash(
    incident: Incident, entries: Iterable[Entry], milestone: Milestone, at: datetime, now: datetime | None = None
) -> Clash[Entry] | None:
    """What a milestone that is typed at `now` would contradict among the active entries; None if nothing.

    A mitigation before a reopening did not last, and contradicts nothing. Neither does one before an acknowledgement
    that was typed without a time, which only shows when it was typed.
    """
    every = tuple(entries)
    reopened = max((entry.number for entry in every if _is_opening(entry)), default=0)
    marks = {
        each: mark
        for each, mark in list_reached_milestones(incident, every).items()
        if not _is_void(each, mark, reopened)
    }
    if milestone is Milestone.ACKNOWLEDGED and at == now:
        marks = {each: mark for each, mark in marks.items() if each not in _ENDS}
    elif milestone in _ENDS and _is_recorded_live(marks.get(Milestone.ACKNOWLEDGED)):
        del marks[Milestone.ACKNOWLEDGED]
    if milestone in marks and milestone is not Milestone.RESOLVED:
        return Clash(milestone, marks[milestone].at, marks[milestone].by, is_twice=True)
    if later := find_contradicted(marks, milestone, at):
        other = choose_clearest(marks, later)
        return Clash(other, marks[other].at, marks[other].by, is_later=True)
    order = list(Milestone)
    after = [each for each in order[order.index(milestone) + 1 :] if each in marks and is_after(at, marks[each].at)]
    if not after:
        return None
    other = min(after, key=lambda each: marks[each].at)
    return Clash(other, marks[other].at, marks[other].by)


_ENDS = (Milestone.MITIGATED, Milestone.RESOLVED)


def _is_void(milestone: Milestone, mark: ReachedMilestone[Entry], reopened: int) -> bool:
    return milestone is Milestone.MITIGATED and mark.by is not None and mark.by.number < reopened


def _is_recorded_live(mark: ReachedMilestone[Entry] | None) -> bool:
    """Whether a milestone was recorded as of the moment in which it was typed."""
    return mark is not None and mark.by is not None and mark.by.happened_at == mark.by.recorded_at


def _is_opening(entry: Entry) -> bool:
    """Whether an entry opens the incident, or opens it again."""
    return entry.kind is EntryKind.STATUS and entry.milestone is None
