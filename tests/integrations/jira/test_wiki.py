"""What goes to Jira Data Center is wiki markup that shows what was written; nothing takes effect by accident."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.integrations.markup import LONGEST_WIKI, escaped, markup, units
from tests.support.integrations.markdown_pieces import PIECES, WORDS


@pytest.mark.parametrize(
    ("markdown", "wiki"),
    [
        ("# Title\n\ntext", "h1. Title\n\ntext"),
        ("**bold** and *it* and `x-y`", r"{*}bold{*} and {_}it{_} and {{x\-y}}"),
        ("- a\n- b\n  1. c", "* a\n* b\n*# c"),
        ("[the page](https://wiki.example/a|b)", "[the page|https://wiki.example/a%7Cb]"),
        ("[x](ftp://files.example)", "x (ftp://files.example)"),
        ("> said", "{quote}\nsaid\n{quote}"),
        ("```py\na = {b}\n```", "{code:title=py}\na = {b}\n{code}"),
        ("```\n{code}\n```", "{noformat}\n{code}\n{noformat}"),
        ("| a | b |\n|---|---|\n| 1 | |", "||a||b||\n|1| |"),
        ("---", "----"),
        ("a\\\nb", "a\nb"),
        ("~~no~~ <b>yes</b>", r"{-}no{-} <b>yes</b>"),
    ],
)
def test_markdown_turns_into_what_jira_shows(markdown: str, wiki: str) -> None:
    assert markup(markdown) == wiki


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[~admin] see !secret.png!", r"\[\~admin\] see \!secret.png\!"),
        ("{color:red}no{color}", r"\{color:red\}no\{color\}"),
        ("C:\\temp", "C:&#92;temp"),
        ("h1. not a heading", r"h1\. not a heading"),
        ("fine :) (x) (and so)", r"fine \:) \(x) \(and so)"),
        ("what? ??cited??", r"what? \?\?cited\?\?"),
    ],
)
def test_what_would_be_markup_shows_as_it_is(text: str, shown: str) -> None:
    assert escaped(text) == shown


@given(st.text(alphabet="{}[]*_+^~|!#-?\\ ab\n(:)"))
def test_no_text_opens_a_macro_a_link_or_a_picture(text: str) -> None:
    assert not re.search(r"(?<!\\)[{\[!|]", escaped(text))


@given(st.lists(PIECES, max_size=25))
def test_any_markdown_comes_through_with_its_words(pieces: list[str]) -> None:
    shown = markup("".join(pieces))
    assert [word for word in WORDS if word in "".join(pieces) and word not in shown] == []


@pytest.mark.parametrize("deep", ["- " * 200 + "deep", "*a **b " * 100 + "deep" + "***" * 100], ids=["lists", "stars"])
def test_what_is_nested_too_deeply_comes_through_as_it_was_written(deep: str) -> None:
    assert "deep" in markup(deep)


def test_a_text_beyond_jiras_limit_is_cut() -> None:
    assert len(markup("word " * 20_000)) <= LONGEST_WIKI


@pytest.mark.parametrize("letter", ["*", "\\", "[x]", "😀", "h1. *\n"])
def test_what_grows_when_it_is_escaped_still_fits(letter: str) -> None:
    shown = markup(letter * (40_000 // len(letter)))
    assert LONGEST_WIKI // 2 < units(shown) <= LONGEST_WIKI
