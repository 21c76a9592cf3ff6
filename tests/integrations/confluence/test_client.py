"""A postmortem is a page: made once, and changed only where no one else did, with either kind of token."""

from dataclasses import replace

import pytest

from bot.integrations.confluence.client import PageDraft
from bot.integrations.http import Upload
from tests.support.integrations.atlassian_sites import DRAFT, Wiki, error_of
from tests.support.integrations.clients import SECRET
from tests.support.integrations.fakes.days import BadDay, page, refuse_with

LOST = [BadDay(502, acts=True), BadDay(acts=True, resets=True)]
CREATE = "POST .*/(pages|content)$"
WRITE = "PUT .*/(pages|content)/1000$"
PICTURE = Upload("timeline.svg", "image/svg+xml", b"<svg/>")


async def test_a_page_is_made_where_it_should_be(wiki: Wiki) -> None:
    made = await wiki.confluence.create(DRAFT, is_repeat=False)
    stands = wiki.fake.pages["1000"]
    assert (made.page.title, made.page.version, made.was_there) == ("Checkout returns 503s", 1, False)
    assert stands["parent"] == "900"
    assert stands["body"].startswith("<p>It was&nbsp;so.</p>")
    assert DRAFT.mark in stands["body"]
    assert made.page.url == f"{wiki.fake.url}/wiki/spaces/ENG/pages/1000"


@pytest.mark.parametrize("day", LOST, ids=str)
async def test_a_page_that_was_made_unseen_is_not_made_again(wiki: Wiki, day: BadDay) -> None:
    wiki.fake.next_time(CREATE, day)
    error = await error_of(wiki.confluence.create(DRAFT, is_repeat=False))
    assert (error.may_have_happened, error.is_permanent) == (True, False)
    made = await wiki.confluence.create(DRAFT, is_repeat=True)
    assert (made.page.id, made.was_there) == ("1000", True)
    assert len(wiki.fake.pages) == 1


async def test_even_a_repeat_that_nobody_called_one_makes_no_second_page(wiki: Wiki) -> None:
    await wiki.confluence.create(DRAFT, is_repeat=False)
    made = await wiki.confluence.create(DRAFT, is_repeat=False)
    assert (made.was_there, len(wiki.fake.pages)) == (True, 1)


async def test_a_title_that_is_taken_gets_the_incidents_key(wiki: Wiki) -> None:
    wiki.fake.put(DRAFT.title, "<p>another matter</p>")
    made = await wiki.confluence.create(DRAFT, is_repeat=True)
    assert (made.page.title, made.was_there) == ("Checkout returns 503s (INC-7)", False)
    again = await wiki.confluence.create(DRAFT, is_repeat=True)
    assert (again.page.id, again.was_there) == (made.page.id, True)


async def test_a_title_that_is_taken_is_known_in_whatever_language_it_is_refused(wiki: Wiki) -> None:
    wiki.fake.says_taken = "Eine Seite mit diesem Titel gibt es in diesem Bereich schon."
    wiki.fake.put(DRAFT.title, "<p>another matter</p>")
    assert (await wiki.confluence.create(DRAFT, is_repeat=False)).page.title == "Checkout returns 503s (INC-7)"


async def test_another_refusal_is_told_as_it_is(wiki: Wiki) -> None:
    wiki.fake.next_time(CREATE, refuse_with(400, {"message": "The parent page is in another space."}))
    error = await error_of(wiki.confluence.create(DRAFT, is_repeat=False))
    assert "The parent page is in another space." in str(error)
    assert wiki.fake.pages == {}


async def test_two_titles_that_are_taken_are_told(wiki: Wiki) -> None:
    for title in (DRAFT.title, f"{DRAFT.title} (INC-7)"):
        wiki.fake.put(title, "<p>another matter</p>")
    error = await error_of(wiki.confluence.create(DRAFT, is_repeat=False))
    assert error.is_permanent
    assert "Rename one of them" in str(error)


async def test_a_title_is_one_line_that_confluence_takes(wiki: Wiki) -> None:
    long = replace(DRAFT, title="very\nlong " * 60)
    for _ in range(2):
        await wiki.confluence.create(replace(long, mark=f"mark-{len(wiki.fake.pages)}"), is_repeat=False)
    titles = [stands["title"] for stands in wiki.fake.pages.values()]
    assert all(len(title) <= 255 and "\n" not in title for title in titles)
    assert titles[1].endswith("(INC-7)")


async def test_a_page_that_is_not_well_formed_is_never_sent(wiki: Wiki) -> None:
    error = await error_of(wiki.confluence.create(PageDraft("INC-7", "x", "<p>a<br></p>", "m"), is_repeat=False))
    assert error.is_permanent
    assert wiki.fake.seen == []


async def test_an_update_goes_on_top_of_what_was_seen(wiki: Wiki) -> None:
    made = await wiki.confluence.create(DRAFT, is_repeat=False)
    updated = await wiki.confluence.update(made.page, "New title", "<p>two</p>", "INC-7 draft 2")
    assert (updated.is_written, updated.page.version, updated.page.title) == (True, 2, "New title")
    assert wiki.fake.pages["1000"]["body"] == "<p>two</p>"
    assert (await wiki.confluence.update(updated.page, "New title", "<p>three</p>", "INC-7 draft 3")).page.version == 3


async def test_what_people_wrote_since_is_kept_and_shown(wiki: Wiki) -> None:
    made = await wiki.confluence.create(DRAFT, is_repeat=False)
    wiki.fake.edit("1000", "<p>by hand</p>")
    updated = await wiki.confluence.update(made.page, DRAFT.title, "<p>two</p>", "INC-7 draft 2")
    assert (updated.is_written, updated.page.version, updated.page.body) == (False, 2, "<p>by hand</p>")
    assert wiki.fake.pages["1000"]["body"] == "<p>by hand</p>"


@pytest.mark.parametrize("day", LOST, ids=str)
async def test_our_own_update_that_was_made_unseen_is_not_taken_for_peoples(wiki: Wiki, day: BadDay) -> None:
    made = await wiki.confluence.create(DRAFT, is_repeat=False)
    wiki.fake.next_time(WRITE, day)
    updated = await wiki.confluence.update(made.page, DRAFT.title, "<p>two</p>", "INC-7 draft 2")
    assert (updated.is_written, updated.page.version) == (True, 2)
    assert wiki.fake.pages["1000"]["number"] == 2


async def test_an_update_that_stays_unsure_says_so(wiki: Wiki) -> None:
    made = await wiki.confluence.create(DRAFT, is_repeat=False)
    wiki.fake.next_time(WRITE, *[BadDay(acts=False, resets=True)] * 3)
    error = await error_of(wiki.confluence.update(made.page, "x", "<p>two</p>", "INC-7 draft 2"))
    assert (error.may_have_happened, error.is_permanent) == (True, False)


async def test_a_page_that_was_deleted_or_trashed_is_not_there(wiki: Wiki) -> None:
    made = await wiki.confluence.create(DRAFT, is_repeat=False)
    wiki.fake.pages["1000"]["status"] = "trashed"
    assert await wiki.confluence.read("1000") is None
    del wiki.fake.pages["1000"]
    assert await wiki.confluence.read("1000") is None
    error = await error_of(wiki.confluence.update(made.page, "x", "<p>two</p>", "n"))
    assert (error.is_permanent, error.status) == (True, 404)


async def test_a_page_too_large_for_the_server_says_so(wiki: Wiki) -> None:
    wiki.fake.next_time(CREATE, refuse_with(413, {"message": "too large"}))
    error = await error_of(wiki.confluence.create(DRAFT, is_repeat=False))
    assert error.is_permanent
    assert "too large" in str(error)


async def test_labels_are_added_in_the_letters_that_confluence_takes(wiki: Wiki) -> None:
    await wiki.confluence.label("1000", ["Postmortem", "INC-7", "två ord!", "!!"])
    await wiki.confluence.label("1000", ["postmortem"])
    assert wiki.fake.labels["1000"] == ["postmortem", "inc-7", "två-ord"]
    await wiki.confluence.label("1000", ["!!"])
    assert len(wiki.fake.find_calls("label")) == 2


async def test_a_picture_is_attached_and_replaced(wiki: Wiki) -> None:
    await wiki.confluence.attach("1000", PICTURE)
    await wiki.confluence.attach("1000", replace(PICTURE, content=b"<svg>2</svg>"))
    assert wiki.fake.files == {("1000", "timeline.svg"): [b"<svg/>", b"<svg>2</svg>"]}


async def test_an_attachment_that_arrived_unseen_stays_one_attachment(wiki: Wiki) -> None:
    wiki.fake.next_time("(PUT|POST) .*/child/attachment$", BadDay(acts=True, resets=True))
    await wiki.confluence.attach("1000", PICTURE)
    assert list(wiki.fake.files) == [("1000", "timeline.svg")]


async def test_what_is_kept_at_a_page_comes_back(wiki: Wiki) -> None:
    assert await wiki.confluence.read_property("1000") == {}
    await wiki.confluence.write_property("1000", {"incident": "INC-7", "hashes": {"timeline": "a1"}})
    await wiki.confluence.write_property("1000", {"incident": "INC-7", "hashes": {"timeline": "b2"}})
    assert await wiki.confluence.read_property("1000") == {"incident": "INC-7", "hashes": {"timeline": "b2"}}
    asked = len(wiki.fake.seen)
    await wiki.confluence.write_property("1000", {"incident": "INC-7", "hashes": {"timeline": "b2"}})
    assert len(wiki.fake.seen) == asked + 1


async def test_doctor_hears_whether_the_space_is_there(wiki: Wiki) -> None:
    assert await wiki.confluence.check() == "space ENG (Engineering)"
    wiki.confluence._key = "GONE"
    error = await error_of(wiki.confluence.check())
    assert "no space GONE" in str(error)


@pytest.mark.parametrize("day", [page(200), page(502), refuse_with(503, {})], ids=str)
async def test_a_short_trouble_passes_unnoticed(wiki: Wiki, day: BadDay) -> None:
    wiki.fake.next_time("", day)
    await wiki.confluence.check()


async def test_a_revoked_token_is_told_without_the_token(wiki: Wiki) -> None:
    wiki.fake.authorization = "another"
    error = await error_of(wiki.confluence.check())
    assert (error.is_permanent, error.status) == (True, 401)
    assert SECRET not in str(error)
