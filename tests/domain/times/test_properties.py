"""Any moment in any supported form is read back exactly, and no text at all does harm."""

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from hypothesis import assume, given
from hypothesis import strategies as st

from bot.domain.times import read
from bot.domain.times.grammar import HEAD

NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
ZONES = [
    ZoneInfo(name)
    for name in ("Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata", "Australia/Lord_Howe", "Etc/UTC")
]

DATED = [
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d, %H:%M",
    "%Y-%m-%d - %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d %I:%M%p",
    "%Y%m%dT%H%M",
    "%d.%m.%Y %H:%M",
    "%d %B %Y %H:%M",
    "%d. %B %Y, %H:%M",
    "%b %d %Y %H:%M",
    "%b %d, %Y at %I:%M %p",
    "%Y %B %d %H:%M",
    "%a, %d %b %Y %H:%M",
    "%A, %B %d, %Y, %H:%M",
    "%d-%b-%Y %H:%M",
    "%d/%b/%Y:%H:%M",
    "[%Y-%m-%d %H:%M]",
    "**%Y-%m-%d %H:%M**",
    "%H:%M, %d %B %Y",
    "%I:%M %p on %B %d, %Y",
]
CLOCKS = ["%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M%p", "%I:%M:%S %p", "%Hh%M", "[%H:%M]", "~%H:%M", "at %H:%M", "%H:%M:"]

FIRST, LAST = (datetime(year, 1, 1, tzinfo=UTC).replace(tzinfo=None) for year in (1990, 2026))
past = st.datetimes(FIRST, LAST, timezones=st.just(UTC))
instants = past.map(lambda moment: moment.replace(second=0, microsecond=0))
recent = st.integers(0, 86_000).map(lambda seconds: (NOW - timedelta(seconds=seconds)).replace(microsecond=0))
zones = st.sampled_from(ZONES)


def is_single(moment: datetime, zone: tzinfo) -> bool:
    """Whether the clocks of a zone showed this time only once."""
    local = moment.astimezone(zone).replace(tzinfo=None)
    return local.replace(tzinfo=zone, fold=0).utcoffset() == local.replace(tzinfo=zone, fold=1).utcoffset()


@given(instants, st.sampled_from(DATED), zones)
def test_a_date_and_time_in_any_form_is_read_back(moment: datetime, form: str, zone: ZoneInfo) -> None:
    found = read(f"{moment.astimezone(zone):{form}} failed over", NOW, zone)
    if is_single(moment, zone):
        assert (found.utc, found.text) == (moment, "failed over")
    else:
        assert moment in (found.question or ())


@given(past, st.sampled_from(["seconds", "milliseconds", "microseconds"]), zones)
def test_what_a_machine_writes_is_read_back_to_its_last_figure(moment: datetime, spec: str, zone: ZoneInfo) -> None:
    local = moment.astimezone(zone)
    exact = datetime.fromisoformat(local.isoformat(timespec=spec)).astimezone(UTC)
    for separator in "T ":
        found = read(f"{local.isoformat(separator, spec)} failed over", NOW, zone)
        assert (found.utc, found.text, found.precise) == (exact, "failed over", True)


@given(recent, st.sampled_from(CLOCKS), st.sampled_from(["", " UTC", "Z", " (UTC)", "+00:00", " GMT"]))
def test_a_time_of_day_of_the_last_day_is_read_back(moment: datetime, form: str, zone: str) -> None:
    assume(moment > NOW - timedelta(hours=22, minutes=58))
    written = moment if "%S" in form else moment.replace(second=0)
    found = read(f"{moment:{form}} failed over", NOW, UTC)
    assert (found.utc, found.text) == (written, "failed over")
    if zone and form.endswith(("M", "S")):
        assert read(f"{moment:{form}}{zone} failed over", NOW, ZoneInfo("Asia/Tokyo")).utc == written


@given(recent, st.integers(1, 600), st.sampled_from(["-", " - ", " to ", "\u2013", " until "]))
def test_a_range_is_read_back_with_both_ends(start: datetime, minutes: int, dash: str) -> None:
    start = start.replace(second=0) - timedelta(hours=10)
    end = start + timedelta(minutes=minutes)
    found = read(f"{start:%Y-%m-%d %H:%M}{dash}{end:%H:%M} UTC failed over", NOW, ZoneInfo("Asia/Tokyo"))
    assert (found.utc, found.end_utc, found.text) == (start, end, "failed over")


@given(st.integers(1, 9000), st.sampled_from([("m", 1), (" min", 1), ("h", 60), (" hours", 60), (" minutes", 1)]))
def test_a_time_before_now_is_read_back(amount: int, unit: tuple[str, int]) -> None:
    word, minutes = unit
    moment = NOW - timedelta(minutes=amount * minutes)
    for text in (f"-{amount}{word} failed over", f"{amount}{word} ago: failed over"):
        found = read(text, NOW, UTC)
        assert (found.utc, found.text) == (moment, "failed over")


near_times = st.text(alphabet="0123456789:.-/~ apmzUTC[](),|+\u2013\u00a0'Novmay*", max_size=40)
words = st.lists(
    st.sampled_from(
        "14:05 9 31 Nov may 2026-11-23 23/11 05/04 yesterday today monday last at ~ - – to pm am UTC IST Berlin New "
        "York Z +02:00 -03:00 10m ago an hour noon 22.04 | [ ] ( ) : , on between and (maybe) ish 2:30 24:00"
        " 25:99".split()
    ),
    max_size=8,
).map(" ".join)


@given(st.one_of(st.text(max_size=200), near_times, words), zones)
def test_any_text_gets_a_reading_that_is_consistent_and_not_in_the_future(text: str, zone: ZoneInfo) -> None:
    found = read(text, NOW, zone)
    moments = [found.utc] if found.utc else list(found.question or ())
    latest = timedelta(seconds=60) if found.utc else timedelta(hours=48)
    assert all(moment <= NOW + latest and moment.utcoffset() == timedelta(0) for moment in moments)
    assert moments == sorted(set(moments))
    assert found.utc is None or found.question is None
    assert (found.problem is None) == (found.question is None)
    assert found.end_utc is None or (found.utc is not None and found.lasts == found.end_utc - found.utc > timedelta(0))
    assert found.end_utc is None or found.end_utc <= NOW + timedelta(seconds=60)
    assert (found.written is None) == (found.utc is None and found.question is None)
    assert found.written is not None or found.text == text


@given(words, st.sampled_from(["é", "x", "🔥", "\u0000", "\u200b"]))
def test_the_length_of_what_happened_changes_nothing_about_its_time(line: str, letter: str) -> None:
    short, long = f"11:05 {line} " + " " * HEAD + letter, f"11:05 {line} " + " " * HEAD + letter * 5000
    one, other = read(short, NOW, UTC), read(long, NOW, UTC)
    assert (one.utc, one.question, one.written) == (other.utc, other.question, other.written)
