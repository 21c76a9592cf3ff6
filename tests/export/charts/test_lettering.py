from hypothesis import given, settings
from hypothesis import strategies as st

from bot.export.charts.svg import ELLIPSIS, text_width, wrap_text

SIZE = 12.0


@settings(deadline=None)
@given(st.text(max_size=300), st.floats(40, 500), st.integers(1, 5))
def test_wrapped_lines_keep_the_room_and_the_text(text: str, room: float, most: int) -> None:
    lines = wrap_text(text, room, SIZE, most)
    assert len(lines) <= most
    assert all(text_width(line, SIZE) <= room for line in lines)
    letters, whole = "".join("".join(lines).split()), "".join(text.split())
    assert letters == whole or (letters.endswith(ELLIPSIS) and whole.startswith(letters.removesuffix(ELLIPSIS)))


def test_words_are_kept_together_where_a_line_holds_them() -> None:
    assert wrap_text("The pool was full and nobody saw it", 130, SIZE, 3) == ("The pool was full", "and nobody saw it")


def test_what_is_cut_ends_in_an_ellipsis() -> None:
    assert wrap_text("The pool was full and nobody saw it", 130, SIZE, 1) == ("The pool was full…",)
    assert wrap_text("x" * 40_000, 100, SIZE, 2)[1].endswith(ELLIPSIS)


def test_east_asian_wide_characters_take_two() -> None:
    assert text_width("连接", SIZE) == 2 * text_width("ee", SIZE)
    assert text_width("e\u0301", SIZE) == text_width("e", SIZE)
