"""Whatever is pasted: nothing of it is lost, and no entry is on a day that no line names or implies."""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.domain.pasting.paste import read_sheet
from bot.errors import Refused

NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")

DAYS = st.dates(date(2019, 1, 1), date(2026, 11, 22))
CLOCKS = st.tuples(st.integers(0, 23), st.integers(0, 59)).map(lambda clock: f"{clock[0]:02}:{clock[1]:02}")
FORMS = ("{0:%Y-%m-%d}", "### {0:%Y-%m-%d} {0:%A}", "**{0:%B} {0.day}, {0.year}**", "{0:%A}, {0.day} {0:%B} {0.year}:")
LOST = ("Day 2", "4-6 March 2026", "03/04/2026", "Sunday, 2026-03-04", "March 2026", "XX/03/2026", "## 2026-03-??")
PROSE = (
    "to replica 2",
    "  and nobody saw it",
    "which took long",
    "the {0:%Y-%m-%d} backup was of no use to anybody here",
)
ASIDE = ("## Impact", "22:XX more", "- a sibling", "Resolved at 12:20.", "| Time | Event |", "---", "commit 0123456789")

PIECES = st.one_of(
    st.tuples(st.just("heading"), st.sampled_from(FORMS), DAYS),
    st.tuples(st.just("lost"), st.sampled_from(LOST), DAYS),
    st.tuples(st.just("bare"), CLOCKS, DAYS),
    st.tuples(st.just("dated"), CLOCKS, DAYS),
    st.tuples(st.just("prose"), st.sampled_from(PROSE), DAYS),
    st.tuples(st.just("aside"), st.sampled_from(ASIDE), DAYS),
)


def _write_moment(kind: str, form: str, day: date) -> str:
    if kind in ("heading", "prose"):
        return form.format(day)
    return {"bare": f"{form} x", "dated": f"{day:%Y-%m-%d} {form} x"}.get(kind, form)


@settings(deadline=None)
@given(st.lists(PIECES, min_size=1, max_size=14))
@example(
    [("prose", PROSE[3], date(2019, 1, 1)), ("aside", "---", date(2019, 1, 1)), ("bare", "00:00", date(2019, 1, 1))]
)
def test_no_entry_is_on_a_day_that_no_line_names_or_implies(pieces: list[tuple[str, str, date]]) -> None:
    text = "\n".join(_write_moment(*piece) for piece in pieces)
    try:
        lines = {line.number: line for line in read_sheet(text, NOW, BERLIN).lines}
    except Refused:
        return
    known: date | None = None
    is_lost = has_begun = False
    for number, (kind, _, day) in enumerate(pieces, 1):
        line = lines.get(number)
        moment = line.reading.utc if line and line.can_be_recorded else None
        here = moment.astimezone(BERLIN).date() if moment else None
        if kind in ("heading", "dated"):
            known, is_lost = day, False
        is_lost = is_lost or kind == "lost"
        has_begun = has_begun or kind != "prose"
        if here is None or kind not in ("bare", "dated"):
            continue
        assert not (kind == "bare" and is_lost), text
        if known:
            assert here == known, text
        else:
            assert NOW.astimezone(BERLIN).date() - here <= timedelta(days=1), text


@settings(deadline=None)
@given(st.lists(PIECES, min_size=1, max_size=10), st.booleans())
def test_a_bare_time_directly_below_a_day_is_never_asked(pieces: list[tuple[str, str, date]], rolls: bool) -> None:
    text = "\n".join(_write_moment(*piece) for piece in pieces) + "\n2020-02-20\n11:05 db down"
    last = read_sheet(text, NOW, BERLIN, rolls=rolls).lines[-1]
    assert last.reading.utc == datetime(2020, 2, 20, 10, 5, tzinfo=UTC)
    assert (last.text, last.problem) == ("db down", "")


TEXT = st.text(st.characters(codec="utf-8"), max_size=40)
SHAPED = st.builds(
    _write_moment, st.sampled_from(["heading", "bare", "dated", "prose"]), st.sampled_from(FORMS + PROSE), DAYS
)
LINES = st.one_of(TEXT, SHAPED, st.sampled_from([*LOST, *ASIDE, "Ana  2:05 PM", "Ana", "2:07", "All times in UTC"]))


@settings(deadline=None)
@given(st.lists(LINES, max_size=14), st.booleans(), st.sampled_from(["en", "de-DE", "ja-JP", "xx"]))
def test_no_word_of_any_paste_is_lost(pieces: list[str], rolls: bool, language: str) -> None:
    text = "2026-11-20 10:00 first\n" + "\n".join(pieces)
    try:
        read = read_sheet(text, NOW, BERLIN, rolls=rolls, language=language)
    except Refused:
        return
    words = " ".join([f"{line.written} {line.text}" for line in read.lines] + [line.written for line in read.heeded])
    for word in re.findall(r"\w+", text):
        assert word in words or not word.strip("_"), (word, text)


@settings(deadline=None)
@given(st.lists(LINES, max_size=14))
def test_every_line_stands_in_one_place(pieces: list[str]) -> None:
    try:
        read = read_sheet("2026-11-20 10:00 first\n" + "\n".join(pieces), NOW, BERLIN)
    except Refused:
        return
    numbers = [line.number for line in read.lines]
    assert numbers == sorted(set(numbers))
    assert [line.number for line in read.lines if line.can_be_recorded and not line.reading.utc] == []
