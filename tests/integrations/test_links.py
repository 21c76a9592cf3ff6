"""A memo of an old row loads, and is stored under the same keys.

The subjects of links are read as they were written by any version.
"""

import json
from datetime import UTC, datetime

import pytest

from bot.domain.samples import SAMPLES
from bot.integrations.links import (
    ActionMemo,
    CustomerUpdateMemo,
    IssueMemo,
    PageMemo,
    PagingMemo,
    SentFields,
    ServiceIncidentMemo,
    SubjectKind,
    kind_of,
    number_in,
    subject_of,
)

ACTION = {
    "summary": "Alert on pool exhaustion",
    "text": "1f0c",
    "due": None,
    "owner": "U1",
    "account": "",
    "done": True,
    "assigned": True,
    "accounts": {"U1": "acc-ana"},
    "there": {"due": "2026-12-01", "who": "acc-ana"},
    "seen": "2026-11-23T14:05:01+00:00",
    "gone": True,
    "linked": True,
    "links": {"a-page": "https://a.atlassian.net/wiki/1"},
    "incident": "INC-1",
    "agreed": True,
}
SERVICE_INCIDENT = {
    "title": "Checkout is failing",
    "severity": 2,
    "status": "open",
    "responders": ["acc-ana"],
    "accounts": {"U1": "acc-ana"},
    "seen": "2026-11-23T14:05:01+00:00",
    "linked": True,
    "links": {"a-page": "https://a.atlassian.net/wiki/1"},
}
PAGING = {
    "words": "need a database person",
    "by": "U1",
    "at": "2026-11-23T14:05:00+00:00",
    "request": "r-1",
    "sent_at": "2026-11-23T14:06:00+00:00",
}
UPDATE = {"status": "identified", "body": "It is the größte pool.", "components": ["c1"], "working": "", "mails": True}


@pytest.mark.parametrize(
    ("kind", "stored"),
    [
        (ActionMemo, ACTION),
        (ServiceIncidentMemo, SERVICE_INCIDENT),
        (PagingMemo, PAGING),
        (CustomerUpdateMemo, UPDATE),
    ],
)
def test_every_key_of_a_stored_memo_is_read_and_written(kind: type[ActionMemo], stored: dict[str, object]) -> None:
    assert json.loads(kind.from_json(json.dumps(stored)).to_json()) == stored


def test_a_page_memo_is_the_same_after_a_round_trip() -> None:
    memo = PageMemo(is_masked=True, back=("leadup",), gone=("fault",), files={"timeline.svg": "a1"}, links_at=3)
    assert PageMemo.from_json(memo.to_json()) == memo
    assert PageMemo.from_json("") == PageMemo()


def test_a_memo_from_data_center_loads() -> None:
    """There people had user names for account ids."""
    memo = ActionMemo.from_json(
        '{"owner": "U1", "there": {"due": null, "who": "ana.demo"}, "accounts": {"U1": "ana.demo"}}'
    )
    assert memo.remote is not None
    assert (memo.remote.who, memo.accounts) == ("ana.demo", {"U1": "ana.demo"})


def test_nothing_is_sent_until_something_was() -> None:
    assert ActionMemo.from_json('{"agreed": true}') == ActionMemo(is_agreed=True)
    assert ActionMemo.from_json("").sent is None


def test_what_was_never_sent_has_changed() -> None:
    now = SentFields("Drill", "1f0c", None, "U1", "")
    assert now.changed_since(None) == {"summary", "text", "due", "owner", "account"}
    assert now.changed_since(SentFields("Drill", "1f0c", "2026-12-01", "U1", "")) == {"due"}


def test_what_all_issues_have_in_common_is_read_from_either_memo() -> None:
    for stored in (ACTION, SERVICE_INCIDENT):
        memo = IssueMemo.from_json(json.dumps(stored))
        assert memo.accounts == {"U1": "acc-ana"}
        assert memo.seen_at == datetime(2026, 11, 23, 14, 5, 1, tzinfo=UTC)


def test_a_page_from_before_its_time_was_stored_loads() -> None:
    assert PagingMemo.from_json('{"words": "db", "by": "U1"}') == PagingMemo("db", "U1")


STORED = {
    "INC-7 action 12": (SubjectKind.ACTION, 12),
    "INC-7 incident": (SubjectKind.SERVICE_INCIDENT, None),
    "INC-7 postmortem": (SubjectKind.POSTMORTEM, None),
    "INC-7 customers": (SubjectKind.PUBLIC_INCIDENT, None),
    "INC-7 customer update #4": (SubjectKind.CUSTOMER_UPDATE, 4),
    "INC-7 postmortem for customers": (SubjectKind.CUSTOMER_POSTMORTEM, None),
    "INC-7 way back from Statuspage": (SubjectKind.METADATA, None),
    "INC-7 page of #9": (SubjectKind.PAGE, 9),
}


@pytest.mark.parametrize(("stored", "meant"), STORED.items())
def test_a_stored_subject_is_read(stored: str, meant: tuple[SubjectKind, int | None]) -> None:
    kind, number = meant
    assert kind_of(stored) is kind
    if number is not None:
        assert number_in(stored) == number


@pytest.mark.parametrize(("stored", "meant"), STORED.items())
def test_a_subject_is_written_as_it_is_stored(stored: str, meant: tuple[SubjectKind, int | None]) -> None:
    incident = next(iter(SAMPLES.values())).incident
    assert subject_of(incident, *meant) == stored.replace("INC-7", incident.key)


def test_every_kind_is_stored_somewhere() -> None:
    assert {kind for kind, _ in STORED.values()} == set(SubjectKind)


@pytest.mark.parametrize("subject", ["", "INC-7", "INC-7 actions", "INC-7 postmortem of", "action 3"])
def test_what_is_no_subject_has_no_kind(subject: str) -> None:
    assert kind_of(subject) is None
