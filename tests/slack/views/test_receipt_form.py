"""The usual receipt is filled into a form: it says what the templates and blocks of every other receipt would say."""

import json
from dataclasses import replace
from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import times
from bot.domain.records import Status
from bot.domain.text import clean_input
from bot.domain.times.zones import label_of
from bot.slack.views import timeline as timeline_views
from bot.slack.views.blocks import EncodedMessage
from bot.slack.views.timeline import QUOTED, Clocks, ReceiptNotes, usual_receipt
from tests.support.export.cases import NOW, case, entry

OPEN = replace(case(entries=()).incident, status=Status.OPEN)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia")
TEXTS = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="%(){}`*_~<>&|\\\"'GAP-TEXT0123456789\n ", max_size=60),
    st.sampled_from(["GAP-WHEN", "%(text)s", "100 % of %s", "```a\nb```", "`x`", "\u2063\U0001f525", "x" * QUOTED]),
)


@given(
    text=TEXTS,
    zone=st.sampled_from(ZONES),
    minutes=st.integers(0, 4_000),
    number=st.integers(1, 10**6),
    incident=st.integers(1, 2**53),
    version=st.integers(1, 9),
)
def test_a_filled_receipt_is_the_one_that_the_blocks_make(
    text: str, zone: str, minutes: int, number: int, incident: int, version: int
) -> None:
    text = clean_input(text)
    at = NOW.astimezone(UTC) - timedelta(minutes=minutes)
    one = replace(entry(number, at, text), incident_id=incident, version=version)
    clocks = Clocks(NOW, ZoneInfo(zone), label_of(ZoneInfo(zone)) if zone != "UTC" else "")
    reading = times.read(f"{at.astimezone(clocks.zone):%H:%M} words", NOW, clocks.zone)
    shown = timeline_views.receipt(one, OPEN, clocks, reading=reading, notes=ReceiptNotes())
    if isinstance(shown, EncodedMessage):
        written = reading.written if one.happened_at.astimezone(clocks.zone).utcoffset() else ""
        made = usual_receipt(one, clocks.describe_entry(one), text, written or "")
        assert shown.encoded == json.dumps(made)
        assert shown == made


@pytest.mark.parametrize(
    ("text", "written", "is_filled"),
    [
        ("failed over to replica", "14:05", True),
        ("failed over to replica", "", True),
        ("100 % of <requests> & `more`", "14:05", True),
        ("failed over to replica", "14:05 o'clock", False),
        ("failed over to replica", 'at "14:05"', False),
        ("x" * (QUOTED + 1), "14:05", True),
        ("<" * QUOTED, "14:05", False),
        ("list", "14:05", False),
        ("the password is hunter2secret99", "14:05", False),
    ],
)
def test_only_the_usual_receipt_is_filled(text: str, written: str, is_filled: bool) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    reading = times.Reading(text, NOW, written=written, assumed_zone=bool(written))
    shown = timeline_views.receipt(
        entry(4, NOW, text), OPEN, Clocks(NOW, berlin, "Berlin"), reading=reading, notes=ReceiptNotes()
    )
    assert isinstance(shown, EncodedMessage) is is_filled
    assert [button["text"]["text"] for button in shown["blocks"][-1]["elements"]][:2] == (
        ["Undo", "That was UTC"] if written else ["Undo"]
    )


def test_what_must_be_noted_is_never_left_out() -> None:
    berlin = Clocks(NOW, ZoneInfo("Europe/Berlin"), "Berlin")
    for incident, notes in (
        (replace(OPEN, status=Status.RESOLVED), ReceiptNotes()),
        (OPEN, ReceiptNotes(author="Bo")),
        (OPEN, ReceiptNotes(unknown_zone=True)),
        (OPEN, ReceiptNotes(slip="14:05")),
        (OPEN, ReceiptNotes(named=times.Reading("x", offer=(NOW - timedelta(hours=2),)))),
    ):
        shown = timeline_views.receipt(entry(4, NOW, "failed over"), incident, berlin, reading=None, notes=notes)
        assert [block["type"] for block in shown["blocks"]] == ["section", "context", "actions"]
