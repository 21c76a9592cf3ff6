"""Names of emoji as signs."""

from importlib import resources

import pytest

from bot.rehearsal.screen import NAMED, find_emoji, replace_emoji

NAMES = sorted(
    {
        name
        for folder, ending in (("templates.slack", ".j2"), ("bot.slack", ".py"), ("bot.services", ".py"))
        for file in resources.files(folder.partition(".")[0]).joinpath(folder.partition(".")[2]).iterdir()
        if file.name.endswith(ending)
        for name in NAMED.findall(file.read_text("utf-8"))
        if name.strip(":").replace("_", "").isalpha() and len(name) > 4
    }
)


def test_there_are_names_to_look_at() -> None:
    assert {":memo:", ":hourglass_flowing_sand:", ":grey_question:"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_emoji_that_we_say_is_drawn(name: str) -> None:
    assert not find_emoji(name).isascii()


def test_what_only_looks_like_a_name_stays() -> None:
    assert replace_emoji("at 14:05:33 :nobody_knows_it: a::b :memo:") == "at 14:05:33 :nobody_knows_it: a::b 📝"
