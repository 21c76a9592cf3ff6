"""The invitation as calendars read it: folded, escaped, in UTC, the same event however often it changes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

from hypothesis import given
from hypothesis import strategies as st

from bot.export.invitation import (
    LONGEST_LINK,
    Guest,
    Invitation,
    link_google,
    link_outlook,
    make_uid,
    write_invitation,
)
from tests.support.calendars import read_event

PLAIN = Invitation(
    uid=make_uid("T1", "INC-7"),
    sequence=0,
    starts_at=datetime(2026, 12, 4, 13, 0, tzinfo=UTC),
    minutes=60,
    title="Review of INC-7: checkout, down; again",
    description="Agenda:\n- #4 is in the future\n- Who led? \\o/",
    place="#checkout in Slack",
    link="https://slack.com/app_redirect?team=T1&channel=C1",
    organizer=Guest("slack://user?team=T1&id=U1", "Ana Demo"),
    guests=(Guest("slack://user?team=T1&id=U2", 'Bo "the, boss"; Demo: ß'),),
    sent_at=datetime(2026, 12, 1, 9, 30, 12, 345, tzinfo=UTC),
)

# What text of people is once it passed the gate: no controls but line ends.
LINE = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=200)
TEXT = st.lists(LINE, max_size=6).map("\n".join)
MOMENT = st.integers(0, 600_000_000).map(lambda after: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=after))


@given(title=LINE.filter(str.strip), description=TEXT, name=LINE, at=MOMENT, minutes=st.integers(1, 480))
def test_every_text_comes_back_as_it_was(title: str, description: str, name: str, at: datetime, minutes: int) -> None:
    made = replace(
        PLAIN, title=title, description=description, starts_at=at, minutes=minutes, guests=(Guest("slack://u", name),)
    )
    content = write_invitation(made)
    for line in content.split(b"\r\n"):
        assert len(line) <= 75
        line.decode()  # a fold cuts no letter in half
    event = read_event(content).properties
    assert event["summary"] == title
    assert event.get("description", "") == description
    assert (event["dtstart"].dt, event["dtend"].dt) == (at, at + timedelta(minutes=minutes))
    shown = event["attendee"].params["CN"]
    assert shown == ("".join(letter for letter in name.replace('"', "'") if letter.isprintable()).strip() or "?")


def test_an_invitation_is_a_request_in_utc_that_names_everyone() -> None:
    content = write_invitation(PLAIN)
    method, event = read_event(content)
    assert method == "REQUEST"
    assert b"DTSTART:20261204T130000Z\r\n" in content
    assert (event["uid"], event["sequence"], event["status"]) == ("review.inc-7.t1@afterword", 0, "CONFIRMED")
    assert event["organizer"].params["CN"] == "Ana Demo"
    assert "mailto" not in content.decode().lower()


def test_a_cancellation_is_the_same_event_with_a_higher_sequence() -> None:
    content = write_invitation(replace(PLAIN, sequence=2, is_cancelled=True))
    method, event = read_event(content)
    assert method == "CANCEL"
    assert (event["uid"], event["sequence"], event["status"]) == ("review.inc-7.t1@afterword", 2, "CANCELLED")


def test_links_fill_in_title_time_and_agenda() -> None:
    google = parse_qs(urlsplit(link_google(PLAIN)).query)
    assert google["dates"] == ["20261204T130000Z/20261204T140000Z"]
    assert google["text"] == [PLAIN.title]
    assert google["details"] == [f"{PLAIN.link}\n{PLAIN.description}"]
    outlook = parse_qs(urlsplit(link_outlook(PLAIN)).query)
    assert outlook["startdt"] == ["2026-12-04T13:00:00Z"]
    assert outlook["subject"] == [PLAIN.title]


@given(TEXT)
def test_a_link_is_short_enough_for_slack(description: str) -> None:
    for link in (link_google, link_outlook):
        assert len(link(replace(PLAIN, description=description))) <= LONGEST_LINK
