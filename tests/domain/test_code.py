import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.text import PieceKind, find_closing_marks, flatten, shorten, split_pieces, strip_code_marks
from tests.support.deadlines import working_at_most
from tests.support.export.export_text import letters

W, S, B = PieceKind.WORDS, PieceKind.SPAN, PieceKind.BLOCK
TEXTS = st.lists(
    st.sampled_from(["`", "``", "```", "````", "a", "b c", " ", "\n", "sh\n", "<b>", "]]>", "é", "don`t"])
).map("".join)


def read(text: str) -> list[tuple[PieceKind, str]]:
    return [(piece.kind, piece.text) for piece in split_pieces(text)]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("no code", [(W, "no code")]),
        ("ran `kubectl get po`, twice", [(W, "ran "), (S, "kubectl get po"), (W, ", twice")]),
        ("(`a`)", [(W, "("), (S, "a"), (W, ")")]),
        ("`pod`s restarted", [(S, "pod"), (W, "s restarted")]),
        ("use ``a`b`` here", [(W, "use "), (S, "a`b"), (W, " here")]),
        ("`` ` `` alone", [(S, "`"), (W, " alone")]),
        ("```one line```", [(B, "one line")]),
        ("before\n```\nline 1\n  line 2\n```\nafter", [(W, "before"), (B, "line 1\n  line 2"), (W, "after")]),
        ("```\na `b` c\n```", [(B, "a `b` c")]),
        ("````\n```\nx\n```\n````", [(B, "```\nx\n```")]),
        ("``` a ```` b ``` c", [(B, " a ```` b "), (W, "c")]),
    ],
)
def test_code_is_what_marks_of_one_length_hold(text: str, pieces: list[tuple[PieceKind, str]]) -> None:
    assert read(text) == pieces


@pytest.mark.parametrize(
    "text",
    [
        "`",
        "unbalanced ` one",
        "don`t and won`t",
        "`two\nlines`",
        "` `",
        "```\n\n```",
        "``` never closed",
        "`a``",
        "a ``b` c",
    ],
)
def test_a_backtick_that_marks_nothing_is_text(text: str) -> None:
    assert all(kind is W for kind, _ in read(text))
    assert "".join(piece for _, piece in read(text)) == text


@pytest.mark.parametrize(
    ("text", "language", "code"),
    [
        ("```bash\nls\n```", "bash", "ls"),
        ("```SQL\nselect 1\n```", "sql", "select 1"),
        ("```ERROR\nat line 1\n```", "", "ERROR\nat line 1"),
        ("```bash```", "", "bash"),
        ("```bash\n```", "", "bash"),
    ],
)
def test_a_language_is_only_what_names_one_before_code(text: str, language: str, code: str) -> None:
    (piece,) = split_pieces(text)
    assert (piece.language, piece.text) == (language, code)


@given(TEXTS)
def test_nothing_but_marks_languages_and_blanks_is_left_out(text: str) -> None:
    letters = "".join(piece.text for piece in split_pieces(text))
    assert "".join(letters.replace("`", "").replace("sh", "").split()) == (
        "".join(text.replace("`", "").replace("sh", "").split())
    )


@given(TEXTS.filter(lambda text: "``" not in text))
@example("don`t `do`")
@example("a` b`c")
@example("`\n`")
def test_a_lone_span_is_found_as_among_others(text: str) -> None:
    # Two marks have a way of their own; with a span behind them it is the general one.
    alone, among = split_pieces(text), split_pieces(f"{text}\n`x`")
    if text.count("`") % 2 == 0:
        assert [piece for piece in alone if piece.marks] == [piece for piece in among if piece.marks][:-1]


@given(TEXTS)
@example("`\n``don`t```a``a```")
@example("``` ```<b>```aa```")
def test_a_text_on_one_line_has_the_same_words_and_no_block_of_code(text: str) -> None:
    line = flatten(text)
    assert "\n" not in line
    assert all(piece.kind is not B for piece in split_pieces(line))
    assert letters(strip_code_marks(line)) == letters(strip_code_marks(text))


def test_a_block_on_one_line_is_a_span_of_code() -> None:
    assert flatten("see\n```bash\nkubectl get\n  pods\n```\nabove") == "see `kubectl get pods` above"
    assert flatten("```\na `b` c\n```") == "`` a `b` c ``"


@given(TEXTS, st.integers(10, 60))
def test_a_text_cut_in_code_closes_it_and_never_grows(text: str, most: int) -> None:
    short = shorten(text, most)
    assert len(short) <= most
    assert short == text or "…" in short


def test_code_that_is_cut_is_still_code() -> None:
    assert shorten("ran `kubectl get pods --all-namespaces`", 20) == "ran `kubectl get p…`"
    assert read(shorten("see\n```\n" + "line\n" * 90 + "```", 60))[-1][0] is B
    assert find_closing_marks("a `b` c", 6) == ""


@pytest.mark.parametrize("text", ["` " * 20_000, "`` ` " * 8_000, "```\n" * 10_000, "`a\n" * 13_000, "`" * 40_000])
def test_many_backticks_cost_no_more_than_as_many_letters(text: str) -> None:
    with working_at_most(1.0):
        split_pieces(text)
