import random

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain import postmortem as postmortem_rules
from bot.domain.records import Case, Why
from bot.export.charts import ChartImage, draw_whys
from tests.support.export.cases import FULL, NOTHING_KNOWN, NOW, at, case, why
from tests.support.export.svg_geometry import SVG, check, parse_picture

LONG = "the pool of connections was full and nobody was told of it " * 20


def drawn(about: Case) -> ChartImage:
    picture = draw_whys(postmortem_rules.compile_document(about, NOW))
    assert picture is not None
    return picture


def words(about: Case) -> list[str]:
    return [line.text for line in check(drawn(about))]


def step(number: int, parent: int | None, text: str = "the pool was full", *, root: bool = False) -> Why:
    """A why of a chain that may be longer than an hour has minutes."""
    return Why(number, 1, number, parent, text, "U2", at(16, 0), root)


def frames(about: Case) -> list[tuple[float, float, float, float]]:
    root = parse_picture(drawn(about).svg)
    found = [one for one in root.iter(f"{SVG}rect") if one.get("rx")]
    return [tuple(float(str(one.get(name))) for name in ("x", "y", "width", "height")) for one in found]  # type: ignore[misc]


@st.composite
def chains(draw: st.DrawFn) -> Case:
    count = draw(st.integers(1, 30))
    whys = tuple(
        why(
            number,
            draw(st.none() | st.integers(1, number - 1)) if number > 1 else None,
            draw(st.sampled_from(["the pool was full", LONG, "x" * 300, "连接池已满" * 9])),
            root=draw(st.booleans()),
        )
        for number in range(1, count + 1)
    )
    return case(whys=whys)


@settings(deadline=None, max_examples=60)
@given(chains())
def test_whatever_grew_boxes_and_letters_stand_apart_inside_the_frame(about: Case) -> None:
    check(drawn(about))
    boxes = frames(about)
    for index, (x, y, wide, high) in enumerate(boxes):
        assert (x >= 0, x + wide <= 800) == (True, True)
        for left, top, width, height in boxes[:index]:
            assert x + wide <= left or left + width <= x or y + high <= top or top + height <= y


def test_without_whys_there_is_no_picture() -> None:
    assert draw_whys(postmortem_rules.compile_document(NOTHING_KNOWN, NOW)) is None


def test_the_incident_its_whys_and_the_root_cause_are_told() -> None:
    found = words(FULL)
    assert found[:2] == ["INC-7", "Checkout returns 503s"]
    assert {"1", "2", "3", "4", "5 · Root cause", "Nobody saw it fill", "The load test uses one customer"} <= set(found)


def test_a_root_cause_is_accented() -> None:
    root = parse_picture(drawn(FULL).svg)
    accented = [one for one in root.iter(f"{SVG}rect") if "stroke-accent" in str(one.get("class"))]
    assert len(accented) == 1


def test_the_alternative_says_what_the_picture_shows() -> None:
    picture = drawn(FULL)
    assert picture.name == "inc-7-whys"
    assert picture.alternative == (
        "The whys of INC-7 as a tree: 5 answers, 1 branch. It begins with why 1, “The payment API answered 503”. "
        "Root cause: why 5, “The load test uses one customer”."
    )


def test_a_long_answer_ends_in_an_ellipsis_and_keeps_its_whole_text_for_the_mouse() -> None:
    about = case(whys=(why(1, None, LONG),))
    assert words(about)[-1].endswith("…")
    root = parse_picture(drawn(about).svg)
    titles = [one.findtext(f"{SVG}title") for one in root.iter(f"{SVG}rect")]
    assert titles[-1] == LONG.strip()


def test_twelve_deep_with_branches_is_a_tree_of_few_columns() -> None:
    chain = [step(number, number - 1 or None) for number in range(1, 13)]
    branches = [step(12 + number, parent) for number, parent in enumerate((2, 4, 7, 9), 1)]
    boxes = frames(case(whys=(*chain, *branches)))
    assert len({x for x, *_ in boxes}) == 2
    assert min(wide for *_, wide, _ in boxes) > 350


def test_sixty_whys_that_branch_wildly_are_an_outline_of_wide_lines() -> None:
    chance = random.Random(4)
    whys = tuple(step(number, chance.randint(1, number - 1) if number > 1 else None) for number in range(1, 61))
    boxes = frames(case(whys=whys))
    assert len(boxes) == 61
    assert min(wide for *_, wide, _ in boxes) > 450
    assert boxes[-1][1] < 1_400


def test_what_is_not_drawn_is_counted() -> None:
    whys = tuple(step(number, number - 1 or None) for number in range(1, 121))
    assert words(case(whys=whys))[-1] == "Not drawn for want of room: 40 more."
