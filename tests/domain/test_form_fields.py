"""The text of a form's field reads back as the value that it was filled with."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot import bounds
from bot.domain.text import clean_input, fingerprint, join_fields, split_into_fields
from bot.domain.timeline import FormMoment, format_time, parse_time

NOW = datetime(2026, 11, 30, 21, 30, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [
    ZoneInfo(name)
    for name in (
        *("Europe/Berlin", "Europe/London", "America/Los_Angeles", "America/New_York", "America/St_Johns"),
        *("Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Kiritimati", "Etc/UTC"),
    )
]
FOLDS = [
    datetime(2026, 10, 25, 1, tzinfo=UTC),  # Berlin, London
    datetime(2026, 11, 1, 9, tzinfo=UTC),  # Los Angeles
    datetime(2026, 11, 1, 6, tzinfo=UTC),  # New York
    datetime(2026, 4, 4, 15, tzinfo=UTC),  # Lord Howe, by half an hour
    datetime(2026, 3, 29, 1, tzinfo=UTC),  # forward
]
SPANS = st.one_of(
    st.timedeltas(timedelta(microseconds=1), timedelta(minutes=2)),
    st.integers(1, 200).map(lambda minutes: timedelta(minutes=minutes)),
    st.timedeltas(timedelta(minutes=1), timedelta(days=60)),
)


@st.composite
def moments(draw: st.DrawFn) -> datetime:
    """Any past moment, often near one at which clocks change, to the minute, the second or the microsecond."""
    anywhere = st.datetimes(datetime(1995, 1, 1), NOW.replace(tzinfo=None), timezones=st.just(UTC))  # noqa: DTZ001
    around = st.builds(
        lambda at, by: at + by, st.sampled_from(FOLDS), st.timedeltas(-timedelta(hours=3), timedelta(hours=3))
    )
    moment = draw(st.one_of(anywhere, around))
    finest = draw(st.sampled_from(["minutes", "seconds", "microseconds"]))
    return datetime.fromisoformat(moment.isoformat(timespec=finest))


@st.composite
def times(draw: st.DrawFn) -> FormMoment:
    """A moment, or a span that is over."""
    start = draw(moments())
    end = start + draw(SPANS) if draw(st.booleans()) else None
    assume(end is None or end <= NOW)
    return FormMoment(start, end, draw(st.booleans()))


@given(times(), st.sampled_from(ZONES))
def test_any_time_of_the_record_reads_back_from_its_field(when: FormMoment, zone: ZoneInfo) -> None:
    assert parse_time(format_time(when, NOW, zone), NOW, zone) == when


@given(times(), st.sampled_from(ZONES), st.timedeltas(timedelta(0), timedelta(days=400)))
def test_a_form_that_stays_open_says_the_same_later(when: FormMoment, zone: ZoneInfo, later: timedelta) -> None:
    assert parse_time(format_time(when, NOW, zone), NOW + later, zone) == when


@pytest.mark.parametrize(
    ("when", "text"),
    [
        (FormMoment(datetime(2026, 11, 27, 10, tzinfo=UTC)), "2026-11-27 11:00"),
        (FormMoment(datetime(2026, 11, 27, 10, 0, 5, tzinfo=UTC)), "2026-11-27 11:00:05"),
        (FormMoment(datetime(2026, 11, 27, 10, 0, 5, 250_000, tzinfo=UTC)), "2026-11-27 11:00:05.25"),
        (
            FormMoment(
                datetime(2026, 11, 27, 10, tzinfo=UTC), datetime(2026, 11, 27, 11, 5, tzinfo=UTC), approximate=True
            ),
            "~2026-11-27 11:00 - 12:05",
        ),
        (
            FormMoment(datetime(2026, 11, 27, 10, tzinfo=UTC), datetime(2026, 11, 29, 11, tzinfo=UTC)),
            "2026-11-27 11:00 to 2026-11-29 12:00",
        ),
        (FormMoment(datetime(2026, 10, 25, 0, 30, tzinfo=UTC)), "2026-10-25 02:30 +02:00"),
        (FormMoment(datetime(2026, 10, 25, 1, 30, tzinfo=UTC)), "2026-10-25 02:30 +01:00"),
        (
            FormMoment(datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
            "2026-10-25 02:30 +02:00 to 2026-10-25 02:30 +01:00",
        ),
    ],
)
def test_a_field_shows_no_more_of_a_time_than_it_needs(when: FormMoment, text: str) -> None:
    assert format_time(when, NOW, BERLIN) == text


def test_a_span_whose_end_lies_ahead_is_told_in_utc_for_it_would_be_asked_about() -> None:
    ahead = FormMoment(NOW - timedelta(hours=1), NOW + timedelta(hours=2))
    assert format_time(ahead, NOW, BERLIN) == "2026-11-30 20:30 UTC to 2026-11-30 23:30 UTC"


WORDS = st.text(st.sampled_from("aä🙂 .\n\t\r"), min_size=1, max_size=40)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A text as the gate lets it through: short, around the end of a field, or as long as any may be."""
    word = draw(WORDS)
    most = draw(
        st.sampled_from([1, bounds.FIELD - 1, bounds.FIELD, bounds.FIELD + 1, bounds.FIELD * 2, bounds.TEXT - 10])
    )
    text = (word * (most // len(word) + 1))[: most + draw(st.integers(0, 9))]
    return clean_input(text + draw(st.sampled_from(["", "x", " end"])), most=bounds.TEXT + 99)[: bounds.TEXT].strip()


@given(texts())
def test_any_text_is_the_same_in_the_fields_of_a_form(text: str) -> None:
    fields = split_into_fields(text)
    if fields is None:  # nearly nothing but white space
        assert sum(map(str.isspace, text)) > 500
        return
    assert "".join(fields.parts) == text
    assert all(0 < len(part) <= bounds.FIELD for part in fields.parts) or not text
    assert len(fields.parts) < bounds.FIELDS
    assert join_fields(fields.parts, fields.gaps) == text
    stripped = [part.strip() for part in fields.parts]
    if all(stripped):  # as Slack may send it
        assert fingerprint(join_fields(stripped, fields.gaps)) == fingerprint(text)


@given(texts(), st.integers(0, 20))
def test_a_field_that_is_written_anew_leaves_the_others_as_they_were(text: str, number: int) -> None:
    fields = split_into_fields(text)
    assume(fields is not None and all(part.strip() for part in fields.parts))
    assert fields is not None
    number %= len(fields.parts)
    sent = [*fields.parts[:number], "anew", *fields.parts[number + 1 :]]
    before, after = "".join(fields.parts[:number]), "".join(fields.parts[number + 1 :])
    now = join_fields(sent, fields.gaps)
    assert now.startswith(before.rstrip())
    assert now.endswith(after.lstrip())
    assert "anew" in now[len(before.rstrip()) : len(now) - len(after.lstrip())]


def test_what_stands_in_one_field_more_begins_a_line_unless_the_field_before_is_full() -> None:
    assert join_fields(["It broke.", "It was mended."], []) == "It broke.\nIt was mended."
    assert join_fields(["x" * bounds.FIELD, "y"], []) == "x" * bounds.FIELD + "y"


def test_a_text_is_cut_where_a_paragraph_a_line_or_a_word_ends() -> None:
    fields = split_into_fields("a" * 2_500 + "\n\n" + "b " * 600)
    assert fields is not None
    assert [part[:1] for part in fields.parts] == ["a", "b"]
    assert fields.gaps == ("\n\n",)


def test_a_text_that_is_longer_than_any_is_in_no_form() -> None:
    assert split_into_fields("x" * (bounds.TEXT + 1)) is None
    assert split_into_fields("x" * bounds.TEXT) is not None


@given(texts())
def test_the_mark_of_a_field_knows_the_text_whatever_slack_does_to_its_line_ends(text: str) -> None:
    assert fingerprint(text) == fingerprint(f" {text.replace(chr(13) + chr(10), chr(10)).replace(chr(13), chr(10))}\n")
    assert fingerprint(text) != fingerprint(f"{text}.")
