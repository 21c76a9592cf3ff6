"""`/incident trends`: the figures of a period on one screen of a phone, and the incidents behind each."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum

from bot.domain.incident import MILESTONE_TEXTS
from bot.domain.numbers import (
    EXPECTED_MILESTONES,
    ActionFate,
    CountedIncident,
    Measure,
    Numbers,
    PostmortemFate,
    Selection,
    Spread,
    judge_action,
    judge_postmortem,
    measure_times,
)
from bot.domain.records import ActionStatus
from bot.domain.text import format_duration, shorten
from bot.slack.views import blocks
from bot.slack.views.blocks import Block, Message
from bot.slack.views.templates import words
from storage.numbers import MOST

LISTED = 20
"""Incidents behind a figure that are listed."""
_NAMED = 3
"""Services, tags and causes that are named: more do not fit on the screen of a phone."""


class Topic(StrEnum):
    """What a person may look behind. The values are in buttons."""

    POSTMORTEMS = "postmortems"
    ACTIONS = "actions"
    TIMES = "times"
    RETURNS = "returns"
    MILESTONES = "milestones"


_TITLES = {
    Topic.POSTMORTEMS: "Postmortems",
    Topic.ACTIONS: "Actions",
    Topic.TIMES: "Time from impact",
    Topic.RETURNS: "What came back",
    Topic.MILESTONES: "Missing milestones",
}
_MEASURES = {
    Measure.DETECT: "Detected",
    Measure.MITIGATE: "Mitigated",
    Measure.RESOLVE: "Resolved",
}


def trends_message(
    numbers: Numbers,
    chosen: Selection,
    now: datetime,
    address: str = "",
    *,
    is_public: bool = True,
    is_cut: bool = False,
) -> Message:
    """The figures of a selection. `address` is its page in the library; empty while that is off."""
    period, filters = chosen.period.describe(now), _list_filters(chosen)
    count = numbers.count("all")
    if not count:
        text = words.numbers.nothing(period=period, filters=filters, is_public=is_public, example="last quarter")
        return blocks.ephemeral(text)
    heading = words.numbers.heading(period=period, filters=filters, count=count, is_public=is_public)
    shown = [
        blocks.section(text, _show_button(topic, chosen))
        for topic, text in _write_topics(numbers).items()
        if text and list_behind(numbers, topic)
    ]
    read = [blocks.actions(*blocks.read_button(address))] if address else []
    note = blocks.context(words.numbers.note(is_cut=is_cut, most=MOST))
    return blocks.ephemeral(heading, *shown, *read, note)


def _list_filters(chosen: Selection) -> list[str]:
    severity = [f"sev{chosen.severity}"] if chosen.severity else []
    return [*severity, *filter(None, (chosen.service, chosen.tag))]


def _show_button(topic: Topic, chosen: Selection) -> Block:
    about = {"topic": str(topic), "period": chosen.period.name, **chosen.filters}
    return blocks.button("Show these", "numbers_show", json.dumps(about, ensure_ascii=False))


def _write_topics(numbers: Numbers) -> Mapping[Topic, str]:
    times = [(name, _write_spread(numbers.times[measure])) for measure, name in _MEASURES.items()]
    services, tags = (
        [(name, len(found)) for name, found in numbers.list_returning(kind)[:_NAMED]] for kind in ("service", "tag")
    )
    missing = [
        (MILESTONE_TEXTS[milestone], numbers.count(f"no_{milestone}"))
        for milestone in EXPECTED_MILESTONES
        if numbers.count(f"no_{milestone}")
    ]
    return {
        Topic.POSTMORTEMS: words.numbers.postmortems(
            in_two_days=numbers.in_two_days,
            in_a_week=numbers.in_a_week,
            unpublished=numbers.count(PostmortemFate.OPEN),
            waived=numbers.count(PostmortemFate.WAIVED),
        ),
        Topic.ACTIONS: words.numbers.actions(
            in_time=numbers.actions_in_time,
            overdue=numbers.actions[ActionFate.OVERDUE],
            pending=numbers.ages.count,
            middle=numbers.ages.median if numbers.ages.quartiles else None,
            oldest=numbers.ages.values[-1] if numbers.ages.values else None,
        ),
        Topic.TIMES: words.numbers.times(
            times=[(name, spread) for name, spread in times if spread],
            has_middle=any(spread.quartiles for spread in numbers.times.values()),
        ),
        Topic.RETURNS: words.numbers.returning(
            services=services,
            tags=tags,
            causes=[[f"INC-{number}" for number in cause.numbers] for cause in numbers.causes[:_NAMED]],
        ),
        Topic.MILESTONES: words.numbers.missing(missing=missing),
    }


def _write_spread(spread: Spread) -> str:
    """The median and the middle half, or all values if they are few; how many there are; empty for none."""
    if spread.quartiles is None or spread.median is None:
        return words.numbers.few_values(values=spread.values, count=spread.count) if spread.values else ""
    low, high = spread.quartiles
    return words.numbers.spread(middle=spread.median, low=low, high=high, count=spread.count)


def list_behind(numbers: Numbers, topic: Topic) -> tuple[CountedIncident, ...]:
    """The incidents behind a topic's figures, the latest first."""
    if topic is Topic.RETURNS:
        return _list_returning(numbers)
    belongs = _BEHIND[topic]
    return tuple(one for one in numbers.incidents if belongs(one))


def _list_returning(numbers: Numbers) -> tuple[CountedIncident, ...]:
    named = (some for kind in ("service", "tag") for _, some in numbers.list_returning(kind)[:_NAMED])
    rows = {one.incident.id for some in named for one in some}
    numbered = {number for cause in numbers.causes for number in cause.numbers}
    return tuple(one for one in numbers.incidents if one.incident.id in rows or one.incident.number in numbered)


def _lacks(one: CountedIncident) -> list[str]:
    return [MILESTONE_TEXTS[milestone] for milestone in EXPECTED_MILESTONES if milestone not in one.milestones]


_BEHIND: Mapping[Topic, Callable[[CountedIncident], bool]] = {
    Topic.POSTMORTEMS: lambda one: one.incident.resolved_at is not None,
    Topic.ACTIONS: lambda one: bool(one.actions),
    Topic.TIMES: lambda one: bool(measure_times(one)),
    Topic.MILESTONES: lambda one: bool(_lacks(one)),
}


def behind_message(numbers: Numbers, chosen: Selection, topic: Topic, now: datetime) -> Message:
    """The incidents behind a topic's figures, each with what was counted of it."""
    found = list_behind(numbers, topic)
    heading = words.numbers.behind(
        name=_TITLES[topic], period=chosen.period.describe(now), filters=_list_filters(chosen), count=len(found)
    )
    lines = [
        words.numbers.line(
            key=one.incident.key,
            title=shorten(one.incident.title, 120),
            severity=one.incident.severity,
            channel=one.incident.channel,
            facts=describe_counted(one, topic, now),
        )
        for one in found[:LISTED]
    ]
    more = [blocks.context(words.numbers.more(count=len(found) - LISTED))] if len(found) > LISTED else []
    return blocks.ephemeral(heading, *blocks.sections("\n".join(lines)), *more)


def describe_counted(one: CountedIncident, topic: Topic, now: datetime) -> str:
    """What was counted of an incident under a topic."""
    if topic is Topic.POSTMORTEMS:
        return _describe_postmortem(one, now)
    if topic is Topic.ACTIONS:
        return _describe_actions(one, now)
    if topic is Topic.TIMES:
        return ", ".join(
            f"{_MEASURES[measure].lower()} after {format_duration(took)}"
            for measure, took in measure_times(one).items()
        )
    if topic is Topic.MILESTONES:
        return words.numbers.lacks(names=[f"“{name}”" for name in _lacks(one)])
    same = [words.numbers.repeats(keys=[f"INC-{number}" for number in one.repeats])] if one.repeats else []
    return ", ".join([*one.services, *one.tags, *same]) or "–"


def _describe_postmortem(one: CountedIncident, now: datetime) -> str:
    fate, resolved = judge_postmortem(one), one.incident.resolved_at or now
    if fate is PostmortemFate.WAIVED:
        return words.numbers.waived()
    if fate is PostmortemFate.NOT_ASKED:
        return words.numbers.not_asked()
    if fate is PostmortemFate.OPEN:
        return words.numbers.unpublished(since=resolved, now=now)
    return words.numbers.published_after(age=max((one.incident.published_at or now) - resolved, now - now))


def _describe_actions(one: CountedIncident, now: datetime) -> str:
    fates = [judge_action(action, now) for action in one.actions]
    pending = sum(action.status is ActionStatus.OPEN for action in one.actions)
    counts = {
        "done in time": fates.count(ActionFate.IN_TIME),
        "done late": fates.count(ActionFate.LATE),
        "overdue": fates.count(ActionFate.OVERDUE),
        "open": pending - fates.count(ActionFate.OVERDUE),
        "dropped": fates.count(ActionFate.DROPPED),
        "done": fates.count(ActionFate.UNDATED)
        - sum(action.status is ActionStatus.OPEN and action.due_at is None for action in one.actions),
    }
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count)
