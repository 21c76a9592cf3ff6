"""Charts of figures: what is drawn of few, of many, of nothing, and of names that are markup."""

from datetime import timedelta
from xml.etree.ElementTree import fromstring

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.numbers import Spread
from bot.export.charts.numbers import MOST_DOTS, MOST_ROWS, BarPart, BarRow, DotRow, draw_bars, draw_dots
from bot.export.charts.svg import Caption, ChartImage, drop_style, text_width

CAPTION = Caption("trends-x", "Figures", "What they are")
SVG = "{http://www.w3.org/2000/svg}"


def bar(name: str, *counts: int) -> BarRow:
    names = ("In time", "Late", "Not at all")
    return BarRow(name, tuple(BarPart(*part) for part in zip(names, ("green", "amber", "quiet"), counts, strict=True)))


def spread(*minutes: float) -> Spread:
    return Spread(tuple(sorted(timedelta(minutes=count) for count in minutes)))


def texts(chart: ChartImage | None) -> list[str]:
    assert chart is not None
    return [one.text or "" for one in fromstring(chart.inline).iter(f"{SVG}text")]


def test_each_part_has_its_count_in_it_and_each_bar_its_sum() -> None:
    chart = draw_bars(CAPTION, [bar("Sep", 2, 1, 0), bar("Oct", 0, 0, 4)])
    assert texts(chart) == ["In time", "Late", "Not at all", "Sep", "2", "1", "3", "Oct", "4", "4"]


def test_a_part_too_narrow_for_its_count_has_none_and_says_it_under_the_mouse() -> None:
    chart = draw_bars(CAPTION, [bar("Sep", 1, 900, 0)])
    assert texts(chart)[3:] == ["Sep", "900", "901"]
    assert chart is not None
    assert "Sep: 1 in time" in chart.inline


def test_of_nothing_there_is_no_chart() -> None:
    assert draw_bars(CAPTION, [bar("Sep", 0, 0, 0)]) is None
    assert draw_bars(CAPTION, []) is None
    assert draw_dots(CAPTION, [DotRow("Sep", Spread())], "one incident") is None


def test_more_rows_than_fit_are_left_to_the_table() -> None:
    chart = draw_bars(CAPTION, [bar(f"row {index}", 1, 0, 0) for index in range(MOST_ROWS + 5)])
    assert f"row {MOST_ROWS - 1}" in texts(chart)
    assert f"row {MOST_ROWS}" not in texts(chart)


def test_few_values_are_dots_without_a_middle_and_many_are_a_line() -> None:
    few = draw_dots(CAPTION, [DotRow("Sep", spread(1, 5, 60))], "one incident")
    many = draw_dots(CAPTION, [DotRow("Sep", spread(*range(1, MOST_DOTS + 2)))], "one incident")
    assert few is not None
    assert many is not None
    assert "n=3" in texts(few)
    # Beside that of the key: three dots, and no band.
    assert (few.inline.count("<circle"), few.inline.count('fill="#dfeaf7"')) == (4, 1)
    assert (many.inline.count("<circle"), many.inline.count('fill="#dfeaf7"')) == (1, 2)


def test_a_name_that_is_markup_or_endless_stays_a_label_in_its_column() -> None:
    chart = draw_bars(CAPTION, [bar("<script>alert(1)</script>" * 20, 1, 0, 0)])
    assert chart is not None
    assert "<script" not in chart.inline + chart.narrow
    label = texts(chart)[3]
    assert label.endswith("…")
    assert text_width(label, 12) <= 150
    assert "<style" not in drop_style(chart.inline)


@settings(deadline=None)
@given(st.lists(st.floats(0, 10_000_000), min_size=1, max_size=60))
def test_every_length_has_a_place_on_the_axis(minutes: list[float]) -> None:
    chart = draw_dots(CAPTION, [DotRow("any", spread(*minutes))], "one incident")
    assert chart is not None
    root = fromstring(chart.inline)
    places = [float(one.attrib["cx"]) for one in root.iter(f"{SVG}circle")]
    assert all(0 <= place <= 800 for place in places)
    assert f"n={len(minutes)}" in texts(chart)
