import random
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain import postmortem as postmortem_rules
from bot.domain.records import Case, Entry, EntryKind, Milestone, Status
from bot.export.charts import ChartImage, draw_timeline
from tests.export.test_real_incidents import FILES, read
from tests.support.deadlines import working_at_most
from tests.support.export.cases import FULL, NOTHING_KNOWN, NOW, at, case, entry, incident
from tests.support.export.svg_geometry import SVG, check, letters, parse_picture

MINUTES = st.integers(0, 240) | st.integers(0, 20_000)
UNKNOWN = incident(severity=None, status=Status.OPEN, resolved_at=None)


def drawn(about: Case) -> ChartImage:
    picture = draw_timeline(postmortem_rules.compile_document(about, NOW))
    assert picture is not None
    return picture


def words(about: Case) -> list[str]:
    return [line.text for line in check(drawn(about))]


def shapes(about: Case, fill: str) -> list[tuple[float, float]]:
    """The left and right ends of the rectangles in a tone."""
    root = parse_picture(drawn(about).svg)
    found = [one for one in root.iter(f"{SVG}rect") if f"fill-{fill}" in str(one.get("class")).split()]
    lefts = [float(str(one.get("x"))) for one in found]
    return [(left, left + float(str(one.get("width")))) for left, one in zip(lefts, found, strict=True)]


@st.composite
def timelines(draw: st.DrawFn) -> Case:
    """Entries, ranges, milestones and changes of severity at any time, in any order, contradicting each other."""
    entries: list[Entry] = []
    for number in range(1, draw(st.integers(1, 25)) + 1):
        happened = at(0, 0, day=1) + timedelta(minutes=draw(MINUTES))
        ended = happened + timedelta(minutes=draw(st.integers(-60, 600))) if draw(st.booleans()) else None
        level = draw(st.none() | st.integers(1, 4))
        entries.append(
            entry(
                number,
                happened,
                f"Severity changed from sev3 to sev{level}" if level else "replica is behind",
                ended_at=ended,
                kind=EntryKind.SEVERITY if level else EntryKind.NOTE,
                milestone=None if level else draw(st.none() | st.sampled_from(Milestone)),
                approximate=draw(st.booleans()),
            )
        )
    return case(entries=tuple(entries))


@settings(deadline=None, max_examples=150)
@given(timelines())
def test_whatever_was_recorded_the_letters_stand_apart_inside_the_frame(about: Case) -> None:
    check(drawn(about))


def test_without_entries_there_is_no_picture() -> None:
    assert draw_timeline(postmortem_rules.compile_document(NOTHING_KNOWN, NOW)) is None


def test_milestones_phases_severity_and_entries_are_told() -> None:
    found = words(FULL)
    assert {"2026-11-23, UTC", "7 entries", "sev2"} <= set(found)
    for name, when in (("Impact started", "~13:58"), ("Detected", "14:05"), ("Resolved", "15:10")):
        assert found[found.index(name) + 1] == when
    assert {"Detect 7 min", "Respond 36 min", "Recover 29 min"} <= set(found)
    assert {"1", "2", "3", "4", "5", "6", "7"} <= set(found)


def test_the_alternative_says_what_the_picture_shows() -> None:
    assert drawn(FULL).alternative == (
        "Timeline of INC-7, 2026-11-23 13:52–15:10 UTC, 7 entries. Impact started about 13:58, detected 14:05, "
        "acknowledged 14:09, mitigated 14:41, resolved 15:10. Phases: detect took 7 min, respond took 36 min, recover "
        "took 29 min. Severity: sev2 from 13:58."
    )


def test_it_is_named_and_described_for_those_who_do_not_see_it() -> None:
    picture = drawn(FULL)
    assert picture.name == "inc-7-timeline"
    names = set()
    for form in (picture.svg, picture.inline):
        root = parse_picture(form)
        assert root.get("role") == "img"
        title, description = (root.find(f"{SVG}{tag}") for tag in ("title", "desc"))
        assert title is not None
        assert description is not None
        assert (title.text, description.text) == ("Timeline of INC-7", picture.alternative)
        assert (root.get("aria-labelledby"), root.get("aria-describedby")) == (title.get("id"), description.get("id"))
        names |= {str(element.get("id")) for element in root.iter() if element.get("id")}
    assert len(names) == 4


def test_the_file_has_a_size_and_white_ground_and_the_inline_form_turns_dark_with_its_page() -> None:
    picture = drawn(FULL)
    alone, inside = parse_picture(picture.svg), parse_picture(picture.inline)
    assert (alone.get("width"), inside.get("width"), inside.get("height")) == ("800", "100%", None)
    ground = alone.find(f"{SVG}rect")
    assert ground is not None
    assert (ground.get("fill"), ground.get("width")) == ("#ffffff", "100%")
    style = inside.findtext(f"{SVG}style")
    assert style is not None
    assert style.startswith("@media screen and (prefers-color-scheme: dark){.afterword-picture .")
    assert alone.find(f"{SVG}style") is None


def test_it_is_drawn_alike_each_time() -> None:
    assert drawn(FULL) == drawn(FULL)


def test_phases_touch_and_are_as_long_as_they_took() -> None:
    (detect,), (respond,), (recover,) = (shapes(FULL, ground) for ground in ("pale-red", "pale-blue", "pale-green"))
    assert detect[1] == pytest.approx(respond[0], abs=0.2)
    assert respond[1] == pytest.approx(recover[0], abs=0.2)
    assert (respond[1] - respond[0]) / (recover[1] - recover[0]) == pytest.approx(36 / 29, abs=0.01)


def test_milestones_that_contradict_each_other_make_no_phase() -> None:
    about = case(
        entries=(
            entry(1, at(14, 5), milestone=Milestone.DETECTED),
            entry(2, at(13, 5), milestone=Milestone.MITIGATED),
            entry(3, at(13, 6), milestone=Milestone.RESOLVED),
            entry(4, at(14, 6), milestone=Milestone.IMPACT_STARTED),
        )
    )
    found = words(about)
    assert {"Mitigated", "Resolved", "Detected", "Impact started", "Recover 1 min"} <= set(found)
    assert not [word for word in found if word.startswith(("Detect ", "Respond"))]


def test_phases_that_overlap_keep_their_words_apart() -> None:
    about = case(
        entries=(
            entry(1, at(13, 28), milestone=Milestone.IMPACT_STARTED),
            entry(2, at(16, 0), milestone=Milestone.DETECTED),
            entry(3, at(13, 30), milestone=Milestone.MITIGATED),
            entry(4, at(14, 30), milestone=Milestone.RESOLVED),
        )
    )
    assert {"Detect 2 h 32 min", "Recover 1 h"} <= set(words(about))


def test_without_a_mitigation_respond_and_recover_are_one() -> None:
    about = case(
        entries=(entry(1, at(13, 0), milestone=Milestone.DETECTED), entry(2, at(14, 0), milestone=Milestone.RESOLVED))
    )
    assert "Respond and recover 1 h" in words(about)


def test_severity_changes_where_it_was_changed() -> None:
    about = case(
        entries=(
            entry(1, at(13, 0), milestone=Milestone.IMPACT_STARTED),
            entry(2, at(14, 0), "Severity changed from sev3 to sev1", kind=EntryKind.SEVERITY),
            entry(3, at(15, 0), milestone=Milestone.RESOLVED),
        )
    )
    (third,), (first,) = shapes(about, "amber"), shapes(about, "red")[-1:]
    assert third[1] == pytest.approx(first[0], abs=0.2)
    assert third[1] - third[0] == pytest.approx(first[1] - first[0], abs=0.2)
    assert {"sev3", "sev1"} <= set(words(about))


def test_unknown_severity_is_not_drawn() -> None:
    assert "Severity" not in words(case(about=UNKNOWN, entries=FULL.entries[:1]))


def test_a_silence_is_marked_with_its_length() -> None:
    about = case(about=UNKNOWN, entries=(entry(1, at(13, 0)), entry(2, at(13, 20)), entry(3, at(14, 5))))
    assert len(shapes(about, "quiet")) == 1
    assert {"45 min", "Grey: nothing is recorded for more than 30 min."} <= set(words(about))


def test_ranges_are_bars_and_what_finds_no_lane_is_counted() -> None:
    lasting = tuple(entry(number, at(13, number), ended_at=at(15, 0)) for number in range(1, 9))
    found = words(case(about=UNKNOWN, entries=lasting))
    assert "Ranges that are not drawn for want of room: 3." in found
    assert found.count("1") == 2  # below its mark and behind its bar


def test_approximate_times_are_hollow_and_explained() -> None:
    assert "Hollow, dashed or ~: the time is approximate." in " ".join(words(FULL))


def test_days_are_told_where_there_are_several() -> None:
    days = tuple(entry(day, at(9, 0, day=day)) for day in range(1, 11))
    found = words(case(about=UNKNOWN, entries=days))
    assert found[0] == "2026-11-01 to 2026-11-10, UTC"
    assert {"2 Nov", "9 Nov"} <= set(found)


def test_a_cut_axis_says_what_was_left_out() -> None:
    bursts = tuple(
        entry(day * 10 + minute, at(9, minute * 4, day=day)) for day in range(1, 11) for minute in range(1, 6)
    )
    found = words(case(about=UNKNOWN, entries=bursts))
    assert found.count("24 h") == 9
    assert any(word.startswith("Jagged: the axis is cut") for word in found)


def test_ten_thousand_entries_stay_small_and_quick() -> None:
    chance = random.Random(5)
    moments = sorted(at(6, 0) + timedelta(seconds=chance.betavariate(2, 5) * 864_000) for _ in range(10_000))
    entries = tuple(
        entry(number, moment, ended_at=moment + timedelta(minutes=number % 50))
        for number, moment in enumerate(moments, 1)
    )
    document = postmortem_rules.compile_document(case(entries=entries), NOW)
    with working_at_most(4):
        picture = draw_timeline(document)
    assert picture is not None
    assert len(picture.svg) < 80_000
    assert any(line.text.startswith("Each column counts the entries of ") for line in check(picture))


def test_numbers_are_thinned_where_they_would_touch() -> None:
    entries = tuple(entry(number, at(13, 0) + timedelta(seconds=20 * number)) for number in range(1, 101))
    shown = [int(word) for word in words(case(about=UNKNOWN, entries=entries)) if word.isdigit()]
    assert 20 < len(shown) < 100
    assert all(earlier < later for earlier, later in pairwise(shown))


def test_one_entry_is_a_picture() -> None:
    found = words(case(about=UNKNOWN, entries=(entry(1, at(14, 5)),)))
    assert {"1 entry", "14:05", "1"} <= set(found)


def test_an_incident_over_new_year_and_one_over_years_can_be_told_apart() -> None:
    newyear = [datetime.fromisoformat(f"{moment}:00+00:00") for moment in ("2026-12-31T23:30", "2027-01-01T00:20")]
    about = case(about=UNKNOWN, entries=tuple(entry(n, moment) for n, moment in enumerate(newyear, 1)))
    assert {"31 Dec", "1 Jan"} <= set(words(about))
    about = case(entries=(entry(1, newyear[0] - timedelta(days=900), milestone=Milestone.DETECTED), about.entries[1]))
    assert "2024-07-14" in words(about)


@pytest.mark.skipif(not FILES, reason="the published incidents are not beside this checkout")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_published_incidents_are_drawn(path: object) -> None:
    picture = drawn(read(path))  # type: ignore[arg-type]
    check(picture)
    assert letters(picture.inline) == letters(picture.svg)
