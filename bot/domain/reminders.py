"""When a reminder or a nudge is due, and whether there is still a reason for it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta, tzinfo
from enum import StrEnum

from bot.domain.announcements.posts import DigestRules
from bot.domain.policy import PostmortemRule, SeverityPolicy
from bot.domain.records import Incident, Status
from bot.domain.text import format_hours


class ReminderKind(StrEnum):
    """What a reminder is about. The values are what the database holds."""

    POSTMORTEM = "postmortem"
    OVERDUE = "overdue"
    """The daily digest of a person's overdue actions."""
    ESCALATED = "escalated"
    """To the lead: an action is a week overdue."""
    FOLLOW_UP = "held"
    """To the owner: did a finished action hold?"""
    ASSIGNED = "assigned"
    """To the owner: someone else gave them an action, or reopened theirs."""
    UNCLAIMED = "unclaimed"
    """A nudge: an open incident has no lead or no severity."""
    REVIEW = "review"
    """To reviewers and the owner: an hour before a review, and once it is over."""
    SILENT = "silent"
    """A nudge: nothing was recorded in an open and severe incident for a while."""
    PROMISED = "promised"
    """A nudge: an update was promised to people outside, and its time has come."""
    WEEKLY = "weekly"
    """The weekly digest for a channel."""


class ReminderState(StrEnum):
    """The state of a reminder. The values are what the database holds."""

    PENDING = "pending"
    SENT = "sent"
    """Its deliveries are enqueued."""
    CANCELLED = "cancelled"
    """Its reason is gone."""
    SKIPPED = "skipped"
    """A later reminder took its place."""


OF_ACTIONS = (ReminderKind.ESCALATED, ReminderKind.FOLLOW_UP, ReminderKind.ASSIGNED)
NUDGES = (ReminderKind.UNCLAIMED, ReminderKind.SILENT, ReminderKind.PROMISED, ReminderKind.WEEKLY)
AT_ONCE = (*NUDGES, ReminderKind.REVIEW)
"""Kinds that no quiet hours put off: later they would be of no use."""
ESCALATED_AFTER = timedelta(days=7)
FOLLOW_UP_AFTER = timedelta(days=30)

_WENT_OUT = frozenset({ReminderState.SENT, ReminderState.SKIPPED})
"""States of a reminder that was sent, or replaced by a later one that was."""

WEEK = timedelta(days=7)
_SNOOZED = "snoozed-"
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class QuietHours:
    """The hours without reminders by DM, on the person's own clock.

    `hours` are (from, until), of which the hour `until` is free again. On `weekends` every reminder waits; the weekly
    ones also do with `weekly_on_weekdays`. Every reminder also waits on the `days` of the week, from 0 for Monday.
    """

    hours: tuple[int, int] | None = None
    weekends: bool = False
    weekly_on_weekdays: bool = False
    days: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ReminderRules:
    """The operator's choices: how long after the resolution, for how many weeks more, at which hour of whose day."""

    after_resolution: tuple[timedelta, ...] = (timedelta(hours=24), timedelta(hours=48))
    overdue_hour: int = 9
    weeks: int = 4
    quiet: QuietHours = QuietHours()
    nudges: bool = True
    digest: DigestRules | None = None


def limit_rules(policy: SeverityPolicy | None, rules: ReminderRules) -> ReminderRules:
    """The rules for an incident with this policy; without one the rules themselves."""
    if policy is None:
        return rules
    hours = rules.after_resolution if policy.after_resolution is None else policy.after_resolution
    weeks = rules.weeks if policy.weeks is None else policy.weeks
    if policy.postmortem is not PostmortemRule.REQUIRED:
        hours, weeks = hours[:1] if policy.postmortem is PostmortemRule.OPTIONAL else (), 0
    quiet = rules.quiet
    if policy.rest_hours is not None:
        quiet = replace(quiet, hours=(policy.rest_hours[0], policy.rest_hours[1]) if policy.rest_hours else None)
    if policy.rest_days is not None:
        quiet = replace(quiet, weekends=False, weekly_on_weekdays=False, days=policy.rest_days)
    return replace(rules, after_resolution=hours, weeks=weeks, quiet=quiet)


def describe_policy(policy: SeverityPolicy, rules: ReminderRules) -> str:
    """`required, after 24 and 48 h, then 4 weeks`: what it asks, for the person who wrote it."""
    if policy.postmortem is PostmortemRule.NONE:
        return "none, so nothing is asked"
    limited = limit_rules(policy, rules)
    hours = format_hours(limited.after_resolution)
    if policy.postmortem is PostmortemRule.OPTIONAL:
        return f"optional, so one question after {hours} and no reminder"
    weekly = f", then {limited.weeks} {'week' if limited.weeks == 1 else 'weeks'}" if limited.weeks else ""
    also = f", also to {', '.join(policy.also)}" if policy.also else ""
    chosen = " (a person asked for it)" if policy.is_chosen else ""
    return f"required{chosen}, after {hours}{weekly}{also}"


@dataclass(frozen=True, slots=True)
class ReminderStep:
    """One postmortem reminder that is to come."""

    slot: str
    due_at: datetime


def postmortem_steps(
    incident: Incident, rules: ReminderRules, resolving: int, had: Mapping[str, ReminderState]
) -> tuple[ReminderStep, ...]:
    """The reminders of a resolved incident: each at its number of hours after the resolution, absolute in UTC.

    The weekly ones count from the last of those, and are named by their days: `9d after #5.1`.

    `resolving` is the number of the entry that resolved it, which the slots name (`24h after #5.1`): a new resolution
    after a reopening has its own reminders. `had` is the state of each reminder that the incident had, by slot: a step
    that went out for this resolution does not come again, and a withdrawn one gets another slot.
    """
    if incident.resolved_at is None:
        return ()
    found = []
    for after, called in _ladder(limit_rules(incident.policy, rules)):
        step = f"{called} after #{resolving}"
        states = [state for slot, state in had.items() if slot.rpartition(".")[0] == step]
        if not _WENT_OUT.intersection(states):
            # Numbered, because a slot is unique in the database, and one that was withdrawn may be needed again.
            found.append(ReminderStep(f"{step}.{len(states) + 1}", incident.resolved_at + after))
    return tuple(found)


def _ladder(rules: ReminderRules) -> list[tuple[timedelta, str]]:
    hours = [(after, f"{after.total_seconds() / 3600:g}h") for after in rules.after_resolution]
    last = max(rules.after_resolution, default=timedelta(0))
    weekly = [last + WEEK * number for number in range(1, rules.weeks + 1)]
    return hours + [(after, f"{after / timedelta(days=1):g}d") for after in weekly]


def step_name(slot: str) -> str:
    """`24h`, `9d`: a slot as people call it."""
    return slot.split(" ", 1)[0]


def describe_step(slot: str) -> str:
    """`after 24 h`, `after 9 days`, `snoozed`: a slot as a line about it begins."""
    if slot.startswith(_SNOOZED):
        return "snoozed"
    length, unit = step_name(slot)[:-1], step_name(slot)[-1]
    return f"after {length} h" if unit == "h" else f"after {length} {'day' if length == '1' else 'days'}"


def is_for_the_channel(slot: str) -> bool:
    """Whether a step also goes to the channel: steps in hours do, weekly and snoozed ones are for one person."""
    # The hours are a promise to everyone; weekly reminders would be noise in a channel (decision 13).
    return step_name(slot).endswith("h")


def is_weekly(slot: str) -> bool:
    """Whether a step is one of the weekly ones, which are named by their days."""
    return step_name(slot).endswith("d")


def plan_snooze(latest: str, had: Mapping[str, ReminderState], now: datetime) -> ReminderStep:
    """The reminder that a snooze makes, a day from now; `latest` and `had` as the resolution's other slots."""
    # Counted, because a slot is unique: each snooze needs another.
    count = sum(slot.startswith(_SNOOZED) for slot in had)
    return ReminderStep(
        f"{_SNOOZED}{count + 1} after {_resolution(latest).removeprefix('after ')}.1", now + timedelta(days=1)
    )


def restore_snooze(
    latest: str, had: Mapping[str, tuple[ReminderState, datetime]], now: datetime
) -> ReminderStep | None:
    """The snooze that was withdrawn early and is still ahead, in a new slot; None if there is none.

    `had` is the state and due time of each reminder by slot, `latest` the slot that was scheduled last: a snooze of an
    earlier resolution does not come back.
    """
    ahead = [
        due
        for slot, (state, due) in had.items()
        if slot.startswith(_SNOOZED)
        and state is ReminderState.CANCELLED
        and due > now
        and _resolution(slot) == _resolution(latest)
    ]
    if not ahead:
        return None
    return ReminderStep(plan_snooze(latest, {slot: state for slot, (state, _) in had.items()}, now).slot, max(ahead))


def find_snooze_end(pending: Mapping[str, datetime]) -> datetime | None:
    """The end of the owner's snooze, from the pending reminders (due time by slot); None without a snooze."""
    return max((due for slot, due in pending.items() if slot.startswith(_SNOOZED)), default=None)


def defer_past_quiet_hours(
    moment: datetime, zone: tzinfo, rules: ReminderRules, *, is_weekly: bool = False
) -> datetime:
    """The first moment from `moment` on that is neither in quiet hours nor on a quiet weekend in the zone, in UTC.

    A weekend ends on Monday at the hour of the daily digest, and other quiet days on the day after them.
    """
    is_quiet = rules.quiet.weekends or (is_weekly and rules.quiet.weekly_on_weekdays)
    for _ in range(4):  # evening, weekend, and Monday's small hours
        local = moment.astimezone(zone)
        days = {*rules.quiet.days, *((_SATURDAY, _SATURDAY + 1) if is_quiet else ())}
        later = _out_of_days(local, days, rules) or _out_of_night(local, rules.quiet)
        if later is None:
            break
        moment = later.astimezone(UTC)
    return moment


def _out_of_days(local: datetime, days: set[int], rules: ReminderRules) -> datetime | None:
    if local.weekday() not in days:
        return None
    ahead = next(number for number in range(1, 8) if (local.weekday() + number) % 7 not in days)
    return datetime.combine(local.date() + timedelta(days=ahead), time(rules.overdue_hour), local.tzinfo)


def _out_of_night(local: datetime, quiet: QuietHours) -> datetime | None:
    if quiet.hours is None:
        return None
    end = quiet.hours[1]
    if not _is_at_night(local.hour, quiet.hours):
        return None
    day = local.date() + timedelta(days=1 if local.hour >= end else 0)
    return datetime.combine(day, time(end), local.tzinfo)


def _is_at_night(hour: int, hours: tuple[int, int]) -> bool:
    start, end = hours
    return start <= hour < end if start < end else hour >= start or hour < end


def postmortem_reason_gone(incident: Incident | None) -> str:
    """Why a postmortem reminder must not go out, or empty if it must."""
    if incident is None:
        return "the incident is gone"
    if incident.status is not Status.RESOLVED:
        return "the incident was reopened"
    if incident.postmortem_status.is_finished:
        return f"the postmortem is {incident.postmortem_status}"
    return "the policy asks for no postmortem" if incident.rule is PostmortemRule.NONE else ""


def list_also(incident: Incident) -> tuple[str, ...]:
    """Who hears of the reminders besides the owner, by the policy: ids of people, ids and names of channels."""
    named = {"lead": incident.lead, "opener": incident.opened_by}
    found = (named.get(word, word) for word in incident.policy.also) if incident.policy else ()
    return tuple(dict.fromkeys(one for one in found if one))


def is_of_earlier_resolution(slot: str, latest: str) -> bool:
    """Whether a step counts from another resolution than the step that was scheduled last."""
    return _resolution(slot) != _resolution(latest)


def _resolution(slot: str) -> str:
    return slot.partition(" ")[2].rpartition(".")[0]


def follow_up_at(closed: datetime, zone: tzinfo, rules: ReminderRules) -> datetime:
    """When to ask whether a finished action helped: thirty days later, in the person's morning."""
    day = (closed.astimezone(zone) + FOLLOW_UP_AFTER).date()
    return datetime.combine(day, time(rules.overdue_hour), zone).astimezone(UTC)


def digest_slot(now: datetime, zone: tzinfo, rules: ReminderRules) -> str | None:
    """The day (in the owner's zone) whose digest of overdue actions is due by now; None before that day's hour.

    On a quiet weekend and in quiet hours there is none. If its hour is quiet, it is due as the quiet hours end.
    """
    local, hour, night = now.astimezone(zone), rules.overdue_hour, rules.quiet.hours
    if night is not None and _is_at_night(hour, night):
        hour = night[1]
    if local.time() < time(hour) or defer_past_quiet_hours(now, zone, rules) != now:
        return None
    return local.date().isoformat()


def is_of_earlier_day(slot: str, now: datetime, zone: tzinfo) -> bool:
    """Whether a digest was for a day that is over in its owner's zone."""
    # ISO dates sort as text.
    return slot < now.astimezone(zone).date().isoformat()


UNCLAIMED_AFTER = timedelta(minutes=15)
"""By then an incident has a lead and a severity."""

SILENT_AFTER = timedelta(minutes=30)
SILENCE_COUNTS_TO = 2
"""The least severe incident in which silence is worth a line: sev1 and sev2."""

TOO_LATE_AFTER = timedelta(hours=12)
"""After an outage of the bot, or in an incident that was left open, the moment to say it has passed."""


def list_unset(incident: Incident) -> tuple[str, ...]:
    """What an open incident lacks: `lead`, `severity`; nothing once it is mitigated or over."""
    if incident.status is not Status.OPEN:
        return ()
    return tuple(name for name in ("lead", "severity") if getattr(incident, name) is None)


def is_unclaimed(incident: Incident, now: datetime) -> bool:
    """Whether an incident has been open for long enough to have a lead and a severity, and lacks one."""
    return bool(list_unset(incident)) and UNCLAIMED_AFTER <= now - incident.opened_at < TOO_LATE_AFTER


def is_silent(incident: Incident, recorded_at: datetime, now: datetime) -> bool:
    """Whether nothing was recorded for too long, last at `recorded_at`, in an incident that is open and severe."""
    is_severe = incident.severity is not None and incident.severity <= SILENCE_COUNTS_TO
    is_due = SILENT_AFTER <= now - recorded_at < TOO_LATE_AFTER
    return incident.status is Status.OPEN and is_severe and is_due
