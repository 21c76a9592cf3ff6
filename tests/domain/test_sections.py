"""Which of the texts that people wrote into one region of a draft are active."""

from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from bot.domain.checks import list_blank_sections
from bot.domain.records import EditedRegion, EditOrigin
from bot.domain.sections import group_by_region, list_active, list_filled, redact_markdown
from bot.domain.text import clean
from bot.export import escape
from tests.support.export.cases import NOTHING_KNOWN, at

_ONE = EditedRegion(1, "leadup", 1, EditOrigin.EDITED, "by hand", "f0", 0, "Ana", "file", "monday", at(17, 0))


def text(version: int, seen: int, author: str = "Ana", **changes: object) -> EditedRegion:
    """A text that its author wrote who had seen the version `seen`."""
    return replace(_ONE, version=version, seen=seen, author=author, **changes)  # type: ignore[arg-type]


def versions(*history: EditedRegion) -> list[int]:
    return [one.version for one in list_active(history)]


def test_what_its_author_saw_gives_way_to_their_text() -> None:
    assert versions(text(1, 0)) == [1]
    assert versions(text(1, 0), text(2, 1, "Bo")) == [2]


def test_what_they_had_not_seen_stands_beside_it() -> None:
    assert versions(text(1, 0), text(2, 0, "Bo")) == [1, 2]
    assert versions(text(1, 0), text(2, 1, "Bo"), text(3, 1, "Chandra")) == [2, 3]


def test_who_gives_the_same_copy_back_once_more_goes_on_with_their_own_text() -> None:
    assert versions(text(1, 0), text(2, 0)) == [2]
    assert versions(text(1, 0), text(2, 0, "Bo"), text(3, 0)) == [2, 3]


def test_two_people_without_a_name_are_not_taken_for_one() -> None:
    assert versions(text(1, 0, ""), text(2, 0, "")) == [1, 2]


def test_another_copy_or_another_way_is_no_going_on() -> None:
    assert versions(text(1, 0), text(2, 0, draft="tuesday")) == [1, 2]
    assert versions(text(1, 0, draft=""), text(2, 0, draft="")) == [1, 2]
    assert versions(text(1, 0), text(2, 0, source="canvas")) == [1, 2]


def test_a_choice_takes_the_place_of_all_that_were_seen_and_of_no_other() -> None:
    two = (text(1, 0), text(2, 0, "Bo"))
    assert versions(*two, text(3, 2, change=EditOrigin.CHOSEN)) == [3]
    assert versions(*two, text(3, 0, "Chandra"), text(4, 2, change=EditOrigin.CHOSEN)) == [3, 4]


def test_a_region_given_up_is_the_records_again_until_somebody_edits_it() -> None:
    given_up = text(2, 1, "Bo", change=EditOrigin.GIVEN_UP, markdown="")
    assert versions(text(1, 0), given_up) == []
    assert versions(text(1, 0), given_up, text(3, 2)) == [3]
    assert versions(text(1, 0), given_up, text(3, 0, "Chandra")) == [3]


def test_a_region_that_people_filled_in_a_draft_is_filled() -> None:
    history = (text(1, 0), text(1, 0, section="fault", markdown=""), text(1, 0, section="impact"))
    given_up = text(2, 1, section="impact", change=EditOrigin.GIVEN_UP, markdown="")
    assert list_filled((*history, given_up)) == {"leadup"}
    assert list(group_by_region(history)) == ["leadup", "fault", "impact"]
    blank = list_blank_sections(replace(NOTHING_KNOWN, edited_sections=(*history, given_up)))
    assert set(list_blank_sections(NOTHING_KNOWN)) - set(blank) == {"leadup"}


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=40), st.text(max_size=20))
def test_a_credential_leaves_a_text_however_its_draft_escaped_it(secret: str, around: str) -> None:
    assume("://" not in secret)  # an address is written as a link, twice
    around = clean(around).replace(secret, "")
    for write in (escape.inline, escape.block, escape.item, escape.cell, str):
        assert secret not in redact_markdown(f"{around} {write(f'it is {secret} now')}", {secret})
        assert "[redacted]" in redact_markdown(write(f"it is {secret} now"), {secret})
