"""The policy by severity: what it limits, what it looks like in JSON, and what it makes of an incident."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.incident import (
    adopt_policy,
    change_policy,
    choose_postmortem,
    derive_state,
    find_default_owner,
    list_askable,
    reach_milestone,
    reopen,
)
from bot.domain.policy import PostmortemRule, SeverityPolicies, SeverityPolicy, from_plain, to_plain
from bot.domain.records import Incident, Milestone, PostmortemStatus, Status
from bot.domain.reminders import (
    QuietHours,
    ReminderRules,
    defer_past_quiet_hours,
    describe_policy,
    limit_rules,
    list_also,
    postmortem_steps,
)
from bot.errors import OutdatedButton

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOURS = (timedelta(hours=12), timedelta(hours=30))
OPTIONAL = SeverityPolicy("sev3", PostmortemRule.OPTIONAL)
NONE = SeverityPolicy("sev4", PostmortemRule.NONE)
REQUIRED = SeverityPolicy("sev1", after_resolution=HOURS, weeks=1, owner="opener", also=("lead", "U0CARE", "#ops"))
POLICIES = SeverityPolicies((REQUIRED, OPTIONAL, NONE))

words = st.text(min_size=1, max_size=9)
spans = st.integers(1, 8784).map(lambda hours: timedelta(hours=hours))
policies = st.builds(
    SeverityPolicy,
    severity=st.sampled_from(["sev1", "sev4", "none"]),
    postmortem=st.sampled_from(PostmortemRule),
    after_resolution=st.none() | st.lists(spans, min_size=1, max_size=3).map(tuple),
    weeks=st.none() | st.integers(0, 52),
    also=st.lists(words, max_size=3).map(tuple),
    sections=st.none() | st.lists(words, max_size=3).map(tuple),
    due=st.dictionaries(words, st.integers(1, 99).map(lambda days: timedelta(days=days)), max_size=3).map(
        lambda due: tuple(due.items())
    ),
    rest_hours=st.sampled_from([None, (), (20, 8)]),
    rest_days=st.none() | st.lists(st.integers(0, 6), max_size=6, unique=True).map(tuple),
    owner=st.just("") | words,
    needs_review=st.booleans(),
    is_chosen=st.booleans(),
)


def incident(**changed: object) -> Incident:
    found = Incident(
        1, "T1", "C1", 7, "It broke", Status.OPEN, 1, "U0LEAD", "U0OPEN", NOON, None, None, PostmortemStatus.OPEN,
        None, "", None,
    )  # fmt: skip
    return replace(found, **changed)  # type: ignore[arg-type]


def end_incident(severity: int | None, **changed: object) -> Incident:
    before = incident(severity=severity, **changed)
    return reach_milestone(before, Milestone.RESOLVED, "U0ENDS", NOON, POLICIES, "U0CALL")


@given(policies)
def test_what_is_stored_is_read_again(policy: SeverityPolicy) -> None:
    assert from_plain(json.loads(json.dumps(to_plain(policy)))) == policy


@pytest.mark.parametrize("values", [{}, {"severity": "sev1"}, {"severity": "sev1", "postmortem": "perhaps"}])
def test_what_is_no_policy_is_refused(values: dict[str, str]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (its words are for the log)
        from_plain(values)


def test_without_a_policy_the_rules_are_those_of_the_settings() -> None:
    rules = ReminderRules()
    assert limit_rules(None, rules) is rules
    assert limit_rules(SeverityPolicy("sev1"), rules) == rules
    assert end_incident(2).policy is None


def test_each_rule_has_its_steps() -> None:
    rules = ReminderRules()
    steps = {number: postmortem_steps(end_incident(number), rules, 5, {}) for number in (1, 2, 3, 4)}
    assert [step.slot for step in steps[1]] == ["12h after #5.1", "30h after #5.1", "8.25d after #5.1"]
    assert len(steps[2]) == 6
    assert [step.slot for step in steps[3]] == ["24h after #5.1"]
    assert steps[4] == ()


def test_only_a_required_postmortem_has_an_owner_from_the_start() -> None:
    assert [end_incident(number).postmortem_owner for number in (1, 2, 3, 4)] == ["U0OPEN", "U0LEAD", None, None]
    assert end_incident(3, postmortem_owner="U0BO").postmortem_owner == "U0BO"
    assert list_askable(end_incident(3)) == ("U0LEAD", "U0OPEN")


@pytest.mark.parametrize(
    ("owner", "expected"), [("", "U0LEAD"), ("on_call", "U0CALL"), ("opener", "U0OPEN"), ("U0ANA", "U0ANA")]
)
def test_the_default_owner_is_the_one_of_the_policy(owner: str, expected: str) -> None:
    policies = SeverityPolicies((replace(REQUIRED, owner=owner),))
    found = reach_milestone(incident(), Milestone.RESOLVED, "U0ENDS", NOON, policies, "U0CALL")
    assert found.postmortem_owner == expected
    assert find_default_owner(replace(found, lead=None, policy=None)) == "U0ENDS"


def test_a_reopening_drops_the_policy_and_a_correction_keeps_it() -> None:
    before = end_incident(3)
    assert reopen(before).policy is None
    assert derive_state(before, [], POLICIES).policy is None  # no entry resolves it any more
    assert adopt_policy(before, None).policy is None


def test_a_person_asks_for_it_once() -> None:
    chosen = choose_postmortem(end_incident(4), "U0BO")
    assert (chosen.rule, chosen.postmortem_owner) == (PostmortemRule.REQUIRED, "U0BO")
    assert chosen.policy is not None
    assert chosen.policy.is_chosen
    with pytest.raises(OutdatedButton):
        choose_postmortem(chosen, "U0BO")
    with pytest.raises(OutdatedButton):
        choose_postmortem(end_incident(2), "U0BO")
    changed = change_policy(chosen, OPTIONAL)
    assert changed.rule is PostmortemRule.REQUIRED


def test_a_corrected_severity_changes_what_is_asked_while_the_postmortem_is_open() -> None:
    before = end_incident(4)
    assert change_policy(before, REQUIRED).postmortem_owner == "U0OPEN"
    assert change_policy(before, None) == before
    done = replace(before, postmortem_status=PostmortemStatus.WAIVED)
    assert change_policy(done, REQUIRED) == done
    assert change_policy(incident(), REQUIRED) == incident()


def test_who_else_hears_is_named_by_their_part() -> None:
    assert list_also(end_incident(1)) == ("U0LEAD", "U0CARE", "#ops")
    assert list_also(end_incident(1, lead=None)) == ("U0CARE", "#ops")
    assert list_also(end_incident(2)) == ()


def test_names_become_ids_or_are_left_out() -> None:
    ids = {"ana": "U0ANA"}
    named = SeverityPolicies((replace(REQUIRED, also=("@ana", "@who", "lead"), owner="@who"),))
    (policy,) = named.name_people(lambda name: ids.get(name, "")).policies
    assert (policy.also, policy.owner) == (("U0ANA", "lead"), "")


def test_a_due_date_is_that_of_the_kind() -> None:
    policy = replace(REQUIRED, due=(("mitigate", timedelta(days=7)), ("other", timedelta(days=30))))
    today = date(2026, 11, 23)
    assert policy.due_on("mitigate", today) == date(2026, 11, 30)
    assert policy.due_on("", today) == date(2026, 12, 23)
    assert policy.due_on("prevent", today) is None


@pytest.mark.parametrize(
    ("hours", "days", "expected"),
    [
        (None, None, datetime(2026, 11, 28, 8, tzinfo=UTC)),  # as the settings say: a night that ends at 8
        ((), None, datetime(2026, 11, 28, 3, tzinfo=UTC)),
        (None, (4, 5, 6), datetime(2026, 11, 30, 9, tzinfo=UTC)),
        ((), (5,), datetime(2026, 11, 29, 9, tzinfo=UTC)),
        (None, (), datetime(2026, 11, 28, 8, tzinfo=UTC)),
    ],
)
def test_rest_is_by_the_policy(hours: tuple[int, ...] | None, days: tuple[int, ...] | None, expected: datetime) -> None:
    rules = ReminderRules(quiet=QuietHours((20, 8)))
    limited = limit_rules(replace(REQUIRED, rest_hours=hours, rest_days=days), rules)
    assert defer_past_quiet_hours(datetime(2026, 11, 28, 3, tzinfo=UTC), UTC, limited) == expected


@given(policies, st.integers(0, 365 * 24 * 60).map(lambda minutes: NOON + timedelta(minutes=minutes)))
def test_nobody_is_reminded_in_their_rest_and_everybody_in_the_end(policy: SeverityPolicy, moment: datetime) -> None:
    limited = limit_rules(policy, ReminderRules())
    found = defer_past_quiet_hours(moment, UTC, limited)
    assert moment <= found <= moment + timedelta(days=8)
    assert found.weekday() not in (policy.rest_days or ())
    if policy.rest_hours:
        assert 8 <= found.hour < 20


def test_each_policy_says_what_it_asks() -> None:
    rules = ReminderRules()
    assert describe_policy(REQUIRED, rules) == "required, after 12 and 30 h, then 1 week, also to lead, U0CARE, #ops"
    assert describe_policy(OPTIONAL, rules) == "optional, so one question after 24 h and no reminder"
    assert describe_policy(NONE, rules) == "none, so nothing is asked"
