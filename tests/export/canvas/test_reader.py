"""A canvas read back: what reads the same is not an edit, and what people wrote is in what is written next."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.export import canvas
from bot.export.canvas import HEAD, MergedCanvas, add_pending_marks, find_edited, mark_regions, split_regions
from bot.export.markdown_reader import digest_shown
from bot.rehearsal.web_api.files import write_as_slack

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=200)
HEADINGS = {"Impact": "impact", "Timeline": "timeline", "Five whys": "whys"}
CANVAS = """| INC-7 | Checkout |
| --- | --- |
| Status | open |

## Impact

- **All** of the *EU*, see [status](https://status.example.com/)
- nobody else

## Timeline

- **14:05 UTC** it broke

## Five whys

*Not recorded*
"""


def merge_canvas(new: Mapping[str, str], found: Mapping[str, str], marks: Mapping[str, str]) -> MergedCanvas:
    """The next canvas, with everything that people changed as they left it."""
    return canvas.merge(new, found, find_edited(new, found, marks))


def left(canvas: str) -> dict[str, str]:
    """How a canvas is left that Slack gives back in its own hand."""
    return mark_regions(split_regions(canvas, HEADINGS), split_regions(write_as_slack(canvas), HEADINGS))


def test_the_regions_are_found_by_their_headings() -> None:
    found = split_regions(CANVAS, HEADINGS)
    assert list(found) == [HEAD, "impact", "timeline", "whys"]
    assert found[HEAD].startswith("| INC-7 |")
    assert found["whys"] == "## Five whys\n\n*Not recorded*"
    assert "\n\n".join(found.values()) + "\n" == CANVAS


def test_slacks_own_hand_is_no_edit() -> None:
    found = split_regions(write_as_slack(CANVAS), HEADINGS)
    assert found["impact"] != split_regions(CANVAS, HEADINGS)["impact"]
    assert merge_canvas(split_regions(CANVAS, HEADINGS), found, left(CANVAS)).edited == ()
    unread = mark_regions(split_regions(CANVAS, HEADINGS), {})
    assert merge_canvas(split_regions(CANVAS, HEADINGS), found, unread).edited == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("nobody else", "nobody else!"),
        ("nobody else", "**nobody** else"),
        ("- nobody else", "nobody else"),
        ("https://status.example.com/", "https://status.example.org/"),
        ("## Timeline", "## By hand\n\nA heading of my own.\n\n## Timeline"),
        ("## Impact", "### Impact"),
    ],
)
def test_whatever_reads_differently_is_an_edit_and_stays(old: str, new: str) -> None:
    found = split_regions(CANVAS.replace(old, new), HEADINGS)
    after = merge_canvas(split_regions(CANVAS.replace("it broke", "it broke again"), HEADINGS), found, left(CANVAS))
    assert after.edited == ("impact",)
    assert new.partition("\n")[0] in after.markdown
    assert "it broke again" in after.markdown


def test_an_edit_stays_theirs_however_often_the_canvas_is_written() -> None:
    marks = left(CANVAS)
    canvas = CANVAS.replace("nobody else", "somebody else")
    for word in ("again", "and again"):
        after = merge_canvas(
            split_regions(CANVAS.replace("it broke", word), HEADINGS), split_regions(canvas, HEADINGS), marks
        )
        assert after.edited == ("impact",)
        assert "somebody else" in after.markdown
        assert word in after.markdown
        canvas = write_as_slack(after.markdown)
        known = {id_: marks[id_] for id_ in after.edited}
        marks = mark_regions(after.regions, split_regions(canvas, HEADINGS)) | known


def test_what_was_taken_out_comes_back_and_what_was_put_on_top_stays() -> None:
    without = "Read this first.\n\n" + CANVAS.replace("## Timeline\n\n- **14:05 UTC** it broke\n\n", "")
    after = merge_canvas(split_regions(CANVAS, HEADINGS), split_regions(without, HEADINGS), left(CANVAS))
    assert after.edited == (HEAD,)
    assert after.markdown == "Read this first.\n\n" + CANVAS


def test_a_second_heading_of_the_same_words_belongs_to_where_it_stands() -> None:
    found = split_regions(CANVAS + "\n## Impact\n\nOnce more.", HEADINGS)
    assert found["whys"].endswith("## Impact\n\nOnce more.")
    assert merge_canvas(split_regions(CANVAS, HEADINGS), found, left(CANVAS)).edited == ("whys",)


def test_somebody_who_was_quicker_than_the_reading_back_is_seen() -> None:
    quick = split_regions(CANVAS.replace("nobody else", "us as well"), HEADINGS)
    marks = mark_regions(split_regions(CANVAS, HEADINGS), quick)
    assert merge_canvas(split_regions(CANVAS, HEADINGS), quick, marks).edited == ("impact",)


def test_a_write_that_was_not_remembered_is_not_taken_for_an_edit() -> None:
    newer = split_regions(CANVAS.replace("it broke", "it broke again"), HEADINGS)
    marks = add_pending_marks(left(CANVAS), newer)
    newest = split_regions(CANVAS.replace("it broke", "it broke thrice"), HEADINGS)
    assert merge_canvas(newest, newer, marks).edited == ()
    assert merge_canvas(newest, split_regions(CANVAS, HEADINGS), marks).edited == ()


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=200), st.sampled_from(["impact", "whys"])
)
def test_whatever_people_write_is_in_the_next_canvas(text: str, region: str) -> None:
    found = split_regions(CANVAS, HEADINGS)
    found[region] += f"\n\n{text}"
    after = merge_canvas(split_regions(CANVAS.replace("14:05", "14:06"), HEADINGS), found, left(CANVAS))
    is_edit = digest_shown(found[region]) != digest_shown(split_regions(CANVAS, HEADINGS)[region])
    assert after.edited == ((region,) if is_edit else ())
    assert found[region] in after.markdown or not is_edit
    assert "14:06" in after.markdown
