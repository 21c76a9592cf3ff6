"""Timelines as teams publish them, pasted unchanged: each entry is at its time, or is a question."""

import pytest

from bot.domain.pasting.paste import PastedLine, read_sheet
from tests.support.published_timelines import TIMELINES, Timeline


def format_time(line: PastedLine) -> str:
    return f"{line.reading.utc:%Y-%m-%d %H:%M}" if line.can_be_recorded else "*"


@pytest.mark.parametrize("timeline", TIMELINES, ids=[timeline.name for timeline in TIMELINES])
def test_every_entry_of_a_published_shape_is_at_its_time_or_asked(timeline: Timeline) -> None:
    lines = read_sheet(timeline.text, timeline.now, timeline.home, language=timeline.language).lines
    recorded = [format_time(line) for line in lines if line.can_be_recorded]
    assert recorded == [moment for moment in timeline.dated_moments if moment != "*"]
    assert sum(not line.can_be_recorded for line in lines) >= timeline.dated_moments.count("*")


@pytest.mark.parametrize("timeline", TIMELINES, ids=[timeline.name for timeline in TIMELINES])
def test_pasted_years_later_a_text_with_its_year_is_read_the_same(timeline: Timeline) -> None:
    later = timeline.now.replace(year=timeline.now.year + 3)
    lines = read_sheet(timeline.text, later, timeline.home, language=timeline.language).lines
    if _has_its_year(timeline):
        assert [format_time(line) for line in lines if line.can_be_recorded] == [
            one for one in timeline.dated_moments if one != "*"
        ]


def test_a_weekday_tells_that_a_day_without_its_year_is_of_another_year() -> None:
    chat = TIMELINES[-1]
    later = chat.now.replace(year=chat.now.year + 3)
    lines = read_sheet(chat.text, later, chat.home, language=chat.language).lines
    assert [line.can_be_recorded for line in lines] == [False] * 5
    assert lines[0].problem == "4 March 2029 is a Sunday."


def _has_its_year(timeline: Timeline) -> bool:
    """Whether the text gives its year; a day without one is the latest past one."""
    years = {word[:4] for word in timeline.moments.split() if "-" in word}
    return any(year in timeline.text or f"/{year[2:]}" in timeline.text for year in years)
