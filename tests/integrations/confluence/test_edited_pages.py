"""What people do on a published page is kept, asked about, and never written over."""

from tests.handlers.test_outdated_buttons import shown_now
from tests.handlers.test_postmortem import fill
from tests.handlers.test_stale_buttons import press_old
from tests.support.integrations.confluence_pages import (
    PAGE,
    body,
    heading,
    link,
    newest_message,
    number,
    put,
    region,
    take_off,
    with_confluence,
    write,
)
from tests.support.integrations.fakes.confluence import FakeConfluence
from tests.support.interactions import labels, press, type_command


def list_edits(play) -> list[tuple[str, str, str, str]]:  # type: ignore[no-untyped-def]
    return [(text.section, text.markdown, text.author, text.source) for text in play.case().edited_sections]


def between(wiki: FakeConfluence, first: str, second: str) -> str:
    """What stands on the page between two of its texts."""
    whole = body(wiki)
    return whole[whole.index(first) + len(first) : whole.index(second)]


async def test_what_people_wrote_on_the_page_stays_as_they_wrote_it_and_is_in_the_draft(database_url: str) -> None:
    async with with_confluence(database_url) as (play, wiki):
        await put(play)
        theirs = '<p>It <em>grew</em>, says <ac:link><ri:user ri:account-id="acc-Bo" /></ac:link>.</p>'
        write(wiki, "leadup", theirs)
        await type_command(play, play.ana, "/timeline failed over")
        message = await put(play)
        assert theirs in body(wiki)
        assert "failed over" in region(wiki, "timeline")
        assert list_edits(play) == [("leadup", "It *grew*, says Bo.", "Confluence", "confluence")]
        assert "Edited on the page, and copied into the draft: *Leadup*." in message.plain
        assert "*Leadup* has Confluence's text from the draft" in await type_command(play, play.ana, "/postmortem")
        message = await put(play)
        assert "No changes for" in message.plain
        assert (number(wiki), len(list_edits(play))) == (4, 1)


async def test_a_second_edit_on_the_page_takes_the_place_of_the_first(database_url: str) -> None:
    async with with_confluence(database_url) as (play, wiki):
        await put(play)
        write(wiki, "leadup", "<p>It grew.</p>", by="Chloé Martin")
        await put(play)
        write(wiki, "leadup", "<p>It grew fast.</p>", by="Ben Okafor")
        await put(play)
        assert list_edits(play) == [
            ("leadup", "It grew.", "Chloé Martin", "confluence"),
            ("leadup", "It grew fast.", "Ben Okafor", "confluence"),
        ]
        assert region(wiki, "leadup") == "It grew fast."
        assert "*Leadup* has Ben Okafor's text from the draft" in await type_command(play, play.ana, "/postmortem")


async def test_on_the_cloud_an_edit_stands_under_the_name_of_who_made_it(database_url: str) -> None:
    async with with_confluence(database_url) as (play, wiki):
        await put(play)
        write(wiki, "leadup", "<p>It grew.</p>", by="Chloé Martin")
        await put(play)
        write(wiki, "leadup", "<p>It grew fast.</p>", by="Chloé Martin")
        await put(play)
        assert [author for _, _, author, _ in list_edits(play)] == ["Chloé Martin", "Chloé Martin"]
        assert "*Leadup* has Chloé Martin's text from the draft" in await type_command(play, play.ana, "/postmortem")
        assert [seen.body for seen in wiki.find_calls("users-bulk")] == [{"accountIds": ["acc-Chloé Martin"]}]


async def test_a_name_that_may_not_be_asked_for_costs_nothing_but_the_name(database_url: str) -> None:
    async with with_confluence(database_url) as (play, wiki):
        await put(play)
        wiki.hides_people = True
        write(wiki, "leadup", "<p>It grew.</p>", by="Chloé Martin")
        await put(play)
        assert list_edits(play) == [("leadup", "It grew.", "Confluence", "confluence")]
        assert region(wiki, "leadup") == "It grew."


async def test_where_page_and_record_changed_both_are_shown_until_somebody_chooses(database_url: str) -> None:
    async with with_confluence(database_url) as (play, wiki):
        await put(play)
        write(wiki, "leadup", "<p>It grew.</p>")
        await fill(play, play.ana, "leadup", "A release.")
        message = await put(play)
        assert "More than one text for *Leadup*. Choose the one to keep." in message.plain
        both = region(wiki, "leadup")
        assert both.index("It grew.") < both.index("What the record says now") < both.index("A release.")
        await press(play, play.bo, "draft_look")
        await press(play, play.bo, "draft_keep")
        await put(play)
        assert region(wiki, "leadup") == "It grew."


async def test_the_records_text_chosen_takes_the_place_of_what_stood_on_the_page(sqlite_url: str) -> None:
    async with with_confluence(sqlite_url) as (play, wiki):
        await put(play)
        write(wiki, "leadup", "<p>It grew.</p>")
        await put(play)
        await fill(play, play.ana, "leadup", "A release.")
        await put(play)
        assert "It grew." in region(wiki, "leadup")
        await press(play, play.bo, "draft_look")
        await press(play, play.bo, "draft_take")
        await put(play)
        assert region(wiki, "leadup") == "A release."


async def test_a_choice_made_on_the_page_itself_settles_it(sqlite_url: str) -> None:
    async with with_confluence(sqlite_url) as (play, wiki):
        await put(play)
        write(wiki, "leadup", "<p>It grew.</p>")
        await fill(play, play.ana, "leadup", "A release.")
        await put(play)
        wiki.edit(PAGE, body(wiki).replace("A release.", "A release, 4.12."))
        await put(play)
        assert "A release, 4.12." in body(wiki)
        write(wiki, "leadup", "<p>It grew with a release.</p>")
        message = await put(play)
        assert region(wiki, "leadup") == "It grew with a release."
        assert "More than one text" not in message.plain


async def test_what_markdown_cannot_hold_is_not_written_over_even_where_both_changed(sqlite_url: str) -> None:
    async with with_confluence(sqlite_url) as (play, wiki):
        await put(play)
        theirs = '<p>See <ac:image><ri:attachment ri:filename="graph.png" /></ac:image></p>'
        write(wiki, "leadup", theirs)
        await fill(play, play.ana, "leadup", "A release.")
        for _ in range(2):
            message = await put(play)
            assert theirs in body(wiki)
            assert "More than one text for *Leadup*" in message.plain
        assert len(list_edits(play)) == 1
        await press(play, play.bo, "draft_look")
        await press(play, play.bo, "draft_take")
        await put(play)
        assert region(wiki, "leadup") == "A release."


async def test_a_section_that_people_added_stays_where_it_is(database_url: str) -> None:
    async with with_confluence(database_url) as (play, wiki):
        await put(play)
        added = "<h2>Thanks</h2><p>To the <strong>night</strong> shift&hellip;</p>"
        above = "<p>Read this <em>first</em>.</p>"
        whole = body(wiki).replace("<h2>", f"{above}<h2>", 1)
        at = whole.index(heading(wiki, "impact"))
        wiki.edit(PAGE, whole[:at] + added + whole[at:])
        await fill(play, play.ana, "fault", "The pool was small.")
        await type_command(play, play.ana, "/incident sev 1")
        await put(play)
        assert (
            between(wiki, "The pool was small.", heading(wiki, "impact"))
            .strip()
            .endswith(added.replace("&hellip;", "…"))
        )
        assert above in body(wiki)
        assert "SEV1" in body(wiki)
        assert list_edits(play) == []


async def test_a_region_that_people_took_off_stays_off_until_somebody_wants_it_back(database_url: str) -> None:
    async with with_confluence(database_url) as (play, wiki):
        await put(play)
        take_off(wiki, "fault")
        take_off(wiki, "lessons")
        await type_command(play, play.ana, "/timeline failed over")
        message = await put(play)
        assert "Removed from the page: *Fault*, *Lessons learned*. They're still in the draft." in message.plain
        assert labels(message) == ["Restore sections"]
        await fill(play, play.ana, "fault", "The pool was small.")
        message = await put(play)
        assert labels(message) == []
        assert "afterword-fault" not in body(wiki)
        await press(play, play.bo, "confluence_back")
        await newest_message(play)
        assert region(wiki, "fault") == "The pool was small."
        whole = body(wiki)
        assert whole.index("afterword-leadup") < whole.index("afterword-fault") < whole.index("afterword-impact")
        assert whole.index("afterword-recurrence") < whole.index("afterword-lessons") < whole.index("afterword-actions")
        assert link(play).external_id == PAGE


async def test_a_region_that_people_emptied_is_asked_about(sqlite_url: str) -> None:
    async with with_confluence(sqlite_url) as (play, wiki):
        await fill(play, play.ana, "leadup", "A release.")
        await put(play)
        write(wiki, "leadup", "<p />")
        message = await put(play)
        assert "More than one text for *Leadup*" in message.plain
        assert "Emptied" in region(wiki, "leadup")
        assert "A release." in region(wiki, "leadup")


async def test_a_region_that_people_moved_is_brought_up_to_date_where_it_is(sqlite_url: str) -> None:
    async with with_confluence(sqlite_url) as (play, wiki):
        await put(play)
        first, *regions = body(wiki).split("<h2>")
        regions.insert(0, regions.pop(7))
        wiki.edit(PAGE, "<h2>".join([first, *regions]))
        await type_command(play, play.ana, "/timeline failed over")
        await put(play)
        assert body(wiki).index("afterword-timeline") < body(wiki).index("afterword-summary")
        assert "failed over" in region(wiki, "timeline")
        assert list_edits(play) == []


async def test_what_the_editor_rewrites_by_itself_is_nobodys_edit(sqlite_url: str) -> None:
    async with with_confluence(sqlite_url) as (play, wiki):
        await put(play)
        again = (
            body(wiki).replace("<p>", '<p local-id="5b3c">').replace("<td>", "<td><p>").replace("</td>", "</p></td>")
        )
        cell = '<ac:layout-section ac:type="fixed-width"><ac:layout-cell>{}</ac:layout-cell></ac:layout-section>'
        wiki.edit(PAGE, f"<ac:layout>{cell.format(again)}</ac:layout>")
        await type_command(play, play.ana, "/timeline failed over")
        await put(play)
        assert "failed over" in region(wiki, "timeline")
        assert body(wiki).endswith("</ac:layout-cell></ac:layout-section></ac:layout>")
        assert list_edits(play) == []


async def test_a_page_in_which_nothing_is_found_is_left_alone_until_somebody_decides(database_url: str) -> None:
    async with with_confluence(database_url) as (play, wiki):
        await put(play)
        wiki.edit(PAGE, "<p>We start over here.</p>")
        message = await put(play)
        assert "Nothing was written." in message.plain
        assert labels(message) == ["Create a new page", "Overwrite page"]
        assert body(wiki) == "<p>We start over here.</p>"
        await press(play, play.bo, "confluence_overwrite")
        await newest_message(play)
        assert "pool enlarged" in region(wiki, "timeline")
        assert (len(wiki.pages), number(wiki)) == (1, 4)


async def test_a_new_page_leaves_the_one_alone_in_which_nothing_is_found(sqlite_url: str) -> None:
    async with with_confluence(sqlite_url) as (play, wiki):
        await put(play)
        wiki.edit(PAGE, "<p>We start over here.</p>")
        message = await put(play)
        await press(play, play.bo, "confluence_anew")
        await newest_message(play)
        assert (body(wiki), link(play).external_id, len(wiki.pages)) == ("<p>We start over here.</p>", "1001", 2)
        assert labels(shown_now(play, message)) == []
        assert "That's already decided" in await press_old(play, play.ana, message, "confluence_anew")
        await newest_message(play)
        assert len(wiki.pages) == 2
