"""A draft that people edited, as the channel meets it: what stands, what is asked, and the choice."""

import asyncio
import json

from bot.export import escape
from bot.export.drafts import split
from bot.services.documents import drafts as drafts_service
from bot.services.documents.drafts import EditedDraftFile
from tests.handlers.test_audit import deeds
from tests.handlers.test_postmortem import fill
from tests.support.interactions import (
    export_text,
    having,
    labels,
    last,
    on_stage,
    open_incident,
    press,
    type_command,
    window,
)
from tests.support.play import TEAM, Play


async def give_back(play: Play, markdown: str, by: str) -> None:
    """What `afterword import --draft` does."""
    store, exporter = play.bot.store, play.bot.services.exporter
    await asyncio.to_thread(
        drafts_service.import_draft, store, exporter, EditedDraftFile(markdown, by), TEAM, play.clock.now()
    )


async def edit_draft(play: Play, text: str = "It *grew*.", by: str = "") -> None:
    """Someone edits the leadup in the draft and gives it back."""
    draft = await export_text(play)
    start, end = draft.index("## Leadup\n") + len("## Leadup\n"), draft.index("<!-- afterword:fault")
    await give_back(play, f"{draft[:start]}\n{text}\n\n{draft[end:]}", by or play.bo)


async def contest_leadup(play: Play) -> None:
    """The leadup was edited in a draft, and saved in Slack since."""
    await open_incident(play)
    await edit_draft(play)
    await fill(play, play.ana, "leadup", "A release.")


async def leadup(play: Play) -> str:
    """The section's body in the next draft."""
    return next(region.body for region in split(await export_text(play)).regions if region.id == "leadup")


def read_channel(play: Play, user: str) -> str:
    """Everything that someone sees in the channel; an answer may stand in the place of what was pressed."""
    return "\n".join(message.plain for message in play.slack.messages(play.channel, user=user))


async def test_an_edited_section_stands_and_the_overview_says_whose_it_is(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        assert "1 of 14 sections" in await type_command(play, play.ana, "/postmortem")
        await edit_draft(play)
        answer = await type_command(play, play.ana, "/postmortem")
        assert "2 of 14 sections" in answer
        assert "*Leadup* has Bo Demo's text from the draft, " in answer
        assert await leadup(play) == "It *grew*."
        assert "More than one text" not in read_channel(play, play.ana)


async def test_where_both_changed_both_are_shown_and_keeping_the_edit_settles_it(database_url: str) -> None:
    async with on_stage(database_url) as play:
        await contest_leadup(play)
        answer = await type_command(play, play.chandra, "/postmortem")
        assert "Bo Demo edited *Leadup* in the draft, and the record has changed since. Choose a text." in answer
        both = await press(play, play.chandra, "draft_look")
        assert "It _grew_." in both.plain
        assert "A release." in both.plain
        assert labels(both) == ["Keep the edited text", "Use the record's text", "Write a new text"]
        done = await press(play, play.chandra, "draft_keep")
        assert "*Leadup* of INC-1 now has Bo Demo's text. If the record changes, you'll be asked again." in done.plain
        assert await leadup(play) == "It *grew*."
        assert ("Chandra Demo", "drafts.keep", "draft leadup") in deeds(play)


async def test_taking_the_records_words_gives_the_section_back_to_it(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await contest_leadup(play)
        await type_command(play, play.ana, "/postmortem")
        await press(play, play.ana, "draft_look")
        assert (
            "*Leadup* of INC-1 is written from the record again." in (await press(play, play.ana, "draft_take")).plain
        )
        assert await leadup(play) == "A release."
        await fill(play, play.ana, "leadup", "Release 4.12.")
        assert await leadup(play) == "Release 4.12."
        assert "draft_look" not in [button[1] for button in last(play, play.ana).buttons]
        assert [text.markdown for text in play.case().edited_sections] == ["It *grew*.", ""]


async def test_writing_anew_starts_from_the_edit_and_takes_the_place_of_both(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await contest_leadup(play)
        await type_command(play, play.ana, "/postmortem")
        await press(play, play.ana, "draft_look")
        view = await window(play, play.ana, "draft_anew")
        assert "A release." in view.plain
        await play.slack.submit(play.ana, view, {"text_0": "It grew with **4.12**.\n\n<!-- afterword:fault -->"})
        await play.settle()
        assert "Saved your text for *Leadup* of INC-1." in read_channel(play, play.ana)
        assert await leadup(play) == "It grew with **4.12**.\n\n\\<!-- afterword:fault -->"
        assert ("Ana Demo", "drafts.write_anew", "draft leadup") in deeds(play)


async def test_a_choice_made_meanwhile_is_not_overridden_and_nothing_typed_is_lost(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await contest_leadup(play)
        await type_command(play, play.ana, "/postmortem")
        before = await press(play, play.ana, "draft_look")
        view = await window(play, play.ana, "draft_anew")
        await type_command(play, play.bo, "/postmortem")
        await press(play, play.bo, "draft_look")
        await press(play, play.bo, "draft_keep")
        await play.slack.click(play.ana, before, "draft_take")
        await play.settle()
        assert "Leadup changed while you were choosing. To see it: `/postmortem`" in last(play, play.ana).plain
        await play.slack.submit(play.ana, view, {"text_0": "Mine."})
        await play.settle()
        assert "Someone else saved another one in the meantime. `/postmortem` shows both." in read_channel(
            play, play.ana
        )
        body = await leadup(play)
        assert "It *grew*." in body
        assert "Mine." in body


async def test_a_press_that_slack_repeats_takes_effect_once(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await contest_leadup(play)
        await type_command(play, play.ana, "/postmortem")
        both = await press(play, play.ana, "draft_look")
        answer = await play.slack.click(play.ana, both, "draft_keep")
        await play.slack.deliver_again(answer)
        await play.settle()
        assert [text.version for text in play.case().edited_sections] == [1, 2]


async def test_two_peoples_edits_are_each_beside_their_own_button(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        draft = await export_text(play)
        for by, text in ((play.bo, "His."), ("Dana from support", "Theirs.")):
            await give_back(play, draft.replace("## Leadup\n\n_Not recorded_", f"## Leadup\n\n{text}"), by)
        assert "*Leadup* has 2 different texts. Choose one." in await type_command(play, play.ana, "/postmortem")
        both = await press(play, play.ana, "draft_look")
        keep = [button for button in both.buttons if button[1] == "draft_keep"]
        assert [label for label, *_ in keep] == ["Keep Bo Demo's text", "Keep Dana from support's text"]
        await play.slack.click(play.ana, both, "draft_keep", keep[1][2])
        await play.settle()
        assert await leadup(play) == "Theirs."


async def test_an_emptied_section_is_blanked_only_by_choice(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await fill(play, play.ana, "leadup", "A release.")
        await edit_draft(play, "")
        await type_command(play, play.ana, "/postmortem")
        both = await press(play, play.ana, "draft_look")
        assert "Left blank." in both.plain
        assert labels(both)[0] == "Leave it blank"
        assert "*Leadup* of INC-1 stays blank." in (await press(play, play.ana, "draft_keep")).plain
        assert await leadup(play) == "_Left blank by Bo Demo._"


async def test_the_sections_form_says_that_an_edit_stands(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await edit_draft(play)
        await type_command(play, play.ana, "/postmortem")
        picking = await window(play, play.ana, "postmortem_pick")
        await play.slack.submit(play.ana, picking, {"section": "leadup"})
        (view,) = play.slack.views(play.ana)
        assert "Bo Demo edited this section in the draft, " in view.plain


async def test_long_texts_are_cut_in_slack_and_whole_in_the_draft(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        long = "\n\n".join(f"{number}. It <grew> & **grew**." for number in range(1_000))
        await edit_draft(play, long)
        await fill(play, play.ana, "leadup", "A release.")
        await type_command(play, play.ana, "/postmortem")
        both = await press(play, play.ana, "draft_look")
        assert "Shortened. For the full text" in both.plain
        assert labels(both)[-1] == "Write a new text"
        assert "999. It <grew> & **grew**." in await leadup(play)
        view = await window(play, play.ana, "draft_anew")
        await play.slack.submit(play.ana, view)
        await play.settle()
        assert await leadup(play) == long


async def test_a_text_longer_than_a_form_is_sent_to_the_file(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await edit_draft(play, "word " * 9_000)
        await type_command(play, play.ana, "/postmortem")
        await press(play, play.ana, "draft_look")
        message = await press(play, play.ana, "draft_anew")
        assert "Leadup is too long for a form. Export the draft" in message.plain
        assert play.slack.views(play.ana) == []


async def test_a_publication_says_that_a_choice_is_open_and_json_tells_it(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await contest_leadup(play)
        for section in ("summary", "impact", "root_cause", "actions"):
            await fill(play, play.ana, section, "Words.")
        await type_command(play, play.ana, "/incident resolved")
        answer = await type_command(play, play.ana, "/postmortem publish")
        assert "More than one text for Leadup: the draft shows all of them until you choose." in answer
        await press(play, play.ana, "postmortem_publish_anyway")
        told_of = json.loads(await export_text(play, "json"))["kept"]
        assert [(one["section"], one["author"], one["stands"]) for one in told_of] == [("leadup", "Bo Demo", True)]


async def test_redacting_an_entry_takes_it_out_of_what_people_wrote_too(database_url: str) -> None:
    async with on_stage(database_url) as play:
        await open_incident(play)
        secret = "hunter*2_*of" + "-demo"
        await type_command(play, play.bo, f"/timeline rotated the password={secret} by hand")
        draft = await export_text(play)
        escaped = escape.inline(secret)
        assert escaped != secret
        assert escaped in draft
        await give_back(play, draft.replace("by hand", "by *hand*"), play.bo)
        assert escaped in play.case().edited_sections[0].markdown
        await press(play, play.bo, "secret_redact")
        assert "rotated the password=[redacted] by *hand*" in play.case().edited_sections[0].markdown
        again = await export_text(play)
        assert escaped not in again
        assert secret not in again


async def test_a_credential_in_an_edit_is_masked_in_slack(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        secret = "hunter" + "2-of-demo"
        await edit_draft(play, f"password={secret}")
        await type_command(play, play.ana, "/postmortem")
        await press(play, play.ana, "draft_look")
        assert secret not in having(play, play.ana, "draft_take").plain
