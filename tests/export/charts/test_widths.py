"""Pictures on screens of every width: which form the page shows, and that its letters are large enough to be read."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings

from bot.domain import postmortem as postmortem_rules
from bot.domain.records import Case
from bot.export.charts import ChartImage, draw_timeline, draw_whys
from tests.export.charts.test_timeline import timelines
from tests.export.test_whys import trees
from tests.support.export.cases import FULL, NOW
from tests.support.export.svg_geometry import check, find_smallest_type

STYLE = (Path(__file__).resolve().parents[3] / "templates" / "postmortem" / "page.css").read_text("utf-8")
REM = 16
SCREENS = (390, 720, 1200)


def pixels(pattern: str) -> float:
    """A length of the style sheet."""
    found = re.search(pattern, STYLE)
    assert found is not None, pattern
    return float(found[1]) * REM


PADDING = 2 * pixels(r"body \{[^}]*padding: \S+ ([0-9.]+)rem")
WIDEST = pixels(r"body \{[^}]*max-width: ([0-9.]+)rem")
CONTENTS = pixels(r"\.columns \{[^}]*columns: ([0-9.]+)rem") + pixels(r"\.columns \{[^}]*gap: ([0-9.]+)rem")
ONE_COLUMN = pixels(r"@media \(max-width: ([0-9.]+)rem\) \{\n  body")
NARROW_BELOW = pixels(r"@media screen and \(max-width: ([0-9.]+)rem\) \{\n  \.wide")
NARROW_AT_MOST = pixels(r"\.narrow \{[^}]*max-width: ([0-9.]+)rem")


def room(screen: float) -> float:
    """How wide the text of the page is on a screen."""
    wide = min(screen, WIDEST) - PADDING
    return wide if screen <= ONE_COLUMN else wide - CONTENTS


def find_form(picture: ChartImage, screen: float) -> tuple[str, float]:
    """The form that the page shows on a screen, and how wide it is drawn."""
    is_narrow = screen <= NARROW_BELOW
    return (picture.narrow, min(room(screen), NARROW_AT_MOST)) if is_narrow else (picture.inline, room(screen))


def check_on_screens(picture: ChartImage, *screens: float) -> None:
    check(picture)  # no two labels overlap in any form, whatever it is scaled to
    for screen in screens:
        assert find_smallest_type(*find_form(picture, screen)) >= 10, screen


def timeline(about: Case) -> ChartImage:
    picture = draw_timeline(postmortem_rules.compile_document(about, NOW))
    assert picture is not None
    return picture


@settings(deadline=None, max_examples=80)
@given(timelines())
def test_the_labels_of_any_timeline_are_apart_and_large_on_every_screen(about: Case) -> None:
    check_on_screens(timeline(about), *SCREENS)


@settings(deadline=None, max_examples=40)
@given(trees())
def test_the_labels_of_any_tree_of_whys_are_apart_and_large_on_every_screen(about: Case) -> None:
    picture = draw_whys(postmortem_rules.compile_document(about, NOW))
    if picture:
        check_on_screens(picture, *SCREENS)


@pytest.mark.parametrize("form", ["inline", "narrow"])
def test_no_screen_between_a_phone_and_a_large_one_shows_letters_too_small(form: str) -> None:
    picture = timeline(FULL)
    shown = [screen for screen in range(360, 1921) if find_form(picture, screen)[0] == getattr(picture, form)]
    assert len(shown) > 300
    check_on_screens(picture, *shown)
