"""Whatever people type is kept or refused whole, pings no one, and breaks no draft."""

import csv
import io
import json

import html5lib
import pytest

from tests.support.interactions import export_text, having, last, on_stage, open_incident, type_command, window
from tests.support.play import Play

HOSTILE = {
    "mentions typed by hand": "<@U0R00000003> <!channel> <!here> <!everyone> <!subteam^S123|@team> <#C123>",
    "mrkdwn": "*bold* _it_ ~no~ `code` ```block``` > quote\n> more",
    "markdown": "# Heading\n\n| a | b |\n|---|---|\n- [x] done ![i](http://x.demo/i.png) [l](javascript:alert(1))",
    "html": "<script>alert(1)</script></td></table><img src=x onerror=alert(1)> &lt;b&gt; &amp;amp;",
    "formula": '=HYPERLINK("http://x.demo","y")\t+1 @SUM(A1)',
    "template": "{{ 7*7 }} {% raw %} ${7*7} #{7*7}",
    "right to left": "abc \u202egnp.exe\u202c \u2066x\u2069 \u05d0\u05d1 \u200b\ufeff",
    "json": '"quote" \\ back\\slash \\u0000 </script> \u2028\u2029',
    "emoji": "👩‍👩‍👧‍👦 é ﷽ \U0001f525",
    "control": "bell\x07 esc\x1b[31m tab\t del\x7f form\x0c",
}

COMMANDS = (
    "/timeline 12:05 ",
    "/incident detected 12:10 ",
    "/timeline edit 2 12:06 ",
    "/incident resolved 12:20 ",
    "/why because ",
    "/action fix ",
    "/action drop 1 ",
    "/action ",
)


def everything_said(play: Play) -> set[str]:
    """Everyone whom anything that the bot posted would ping."""
    pings: set[str] = set()
    for channel in play.slack.workspace.channels:
        for user in (play.ana, play.bo, play.chandra):
            pings |= {ping for seen in play.slack.messages(channel, user=user) for ping in seen.pings}
    return pings


async def play_every_field(play: Play, text: str) -> None:
    """The text as a title, an entry, a why, an action, a reason and a section, by command and by form."""
    await play.slack.command(play.ana, play.channel, f"/incident open {text[:290]}")
    await play.settle()
    for line in COMMANDS:
        await type_command(play, play.ana, line + text)
        await play.settle()
    view = await window(play, play.ana, "timeline_form_open")
    await play.slack.submit(play.ana, view, {"line": text})
    view = await window(play, play.ana, "why_answer")
    await play.slack.submit(play.ana, view, {"answer": text})
    await type_command(play, play.ana, "/postmortem")
    view = await window(play, play.ana, "postmortem_fill")
    await play.slack.submit(play.ana, view, {"text_0": text})
    await play.settle()
    for look in ("/timeline", "/timeline show", "/timeline show 2", "/why", "/action", "/postmortem", "/incident",
                 "/incident list"):  # fmt: skip
        await type_command(play, play.bo, look)


@pytest.mark.parametrize("text", list(HOSTILE.values()), ids=list(HOSTILE))
async def test_hostile_words_in_every_field_ping_nobody_and_break_no_draft(sqlite_url: str, text: str) -> None:
    async with on_stage(sqlite_url) as play:
        await play_every_field(play, text)
        assert everything_said(play) <= {play.ana}  # who acted is named; no one else is
        case = play.case()
        assert case.incident.title == " ".join(text[:290].split())
        assert case.entries[-1].text == text.strip()
        assert [section.text for section in case.sections.values()] == [text.strip()]
        assert case.whys[-1].text == text.strip()
        assert [action.reason for action in case.actions] == [text.strip(), ""]
        await play.pass_time(hours=24)
        draft = await export_text(play, "markdown")
        page = await export_text(play, "html")
        html5lib.HTMLParser(strict=True).parse(page)
        assert "<script" not in page.split("</style>")[-1]
        told_json = json.loads(await export_text(play, "json"))
        assert told_json["timeline"][-1]["milestone"] is None
        rows = list(csv.reader(io.StringIO(await export_text(play, "csv"))))
        assert len({len(row) for row in rows}) == 1
        for control in ("\u202e", "\u2066", "\x1b", "\x07"):
            assert control not in draft + page


@pytest.mark.parametrize("transport", ["http", "socket"])
async def test_nul_and_lone_surrogates_never_reach_the_record(sqlite_url: str, transport: str) -> None:
    async with on_stage(sqlite_url, transport=transport) as play:
        await open_incident(play)
        view = await window(play, play.bo, "timeline_form_open")
        await play.slack.submit(play.bo, view, {"line": "before\x00after \ud83d end"})
        await play.settle()
        assert play.case().entries[-1].text == "beforeafter \ufffd end"
        assert "beforeafter \ufffd end" in having(play, play.ana, "timeline_show").plain


async def test_a_text_of_which_nothing_can_be_kept_is_no_text(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        assert "but not what happened" in await type_command(play, play.bo, "/timeline \x00")
        await type_command(play, play.ana, "/incident resolved")
        await type_command(play, play.ana, "/action add a load test")
        assert "Why did it happen? Try `/why because the connection pool ran out`" in await type_command(
            play, play.bo, "/why \x00"
        )
        assert "What needs doing?" in await type_command(play, play.bo, "/action \x00")
        assert "Why won't it be done?" in await type_command(play, play.bo, "/action drop 1 \x00")
        assert "Say why it isn't needed" in await type_command(play, play.bo, "/postmortem waive \x00")
        case = play.case()
        assert (len(case.entries), case.whys, [str(action.status) for action in case.actions]) == (2, (), ["open"])
        assert case.incident.postmortem_reason == ""


async def test_what_cannot_be_kept_is_replaced_in_every_field(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, transport="socket") as play:
        await play_every_field(play, "before\x00after \ud83d end")
        case, expected = play.case(), "beforeafter \ufffd end"
        assert case.incident.title == expected
        assert {entry.text for entry in case.entries} == {expected, f"Incident opened: {expected}"}
        assert {why.text for why in case.whys} == {f"because {expected}", expected}
        assert {action.text for action in case.actions} == {f"fix {expected}", expected}
        assert [action.reason for action in case.actions] == [expected, ""]
        assert [section.text for section in case.sections.values()] == [expected]
        assert json.loads(await export_text(play, "json"))["incident"]["title"] == expected


async def test_people_named_in_a_text_stand_there_by_name(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(
            play, play.ana, "/timeline paged @Bo Demo in #checkout, see https://x.demo/a?b=1&c=2 and @here <b>"
        )
        entry = play.case().entries[-1]
        assert entry.text == "paged @Bo Demo in #checkout, see https://x.demo/a?b=1&c=2 and @here <b>"
        assert last(play, play.ana).pings == set()
        await type_command(play, play.ana, "/incident resolved over, says @Chandra Demo")
        assert play.chandra not in last(play, play.bo).pings
        await type_command(play, play.ana, "/postmortem waive a drill of @Chandra Demo")
        assert play.case().incident.postmortem_reason == "a drill of @Chandra Demo"
        assert everything_said(play) == {play.ana}


async def test_forty_thousand_characters_are_kept_whole_and_shown_short(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        text = "word & <tag> " * 3_076 + "end of it.!"
        text = text[:39_990] + "the end..!"
        assert len(text) == 40_000
        answer = await type_command(play, play.ana, f"/timeline {text}")
        assert play.case().entries[-1].text == text
        assert "…" in answer
        await play.settle()
        assert text in json.dumps(json.loads(await export_text(play, "json")), ensure_ascii=False)
        for look in ("/timeline", "/timeline show", "/timeline show 2", "/timeline edit 2", "/timeline undo"):
            assert "word &" in await type_command(play, play.ana, look)


@pytest.mark.parametrize(
    "command", ["/timeline", "/why", "/action", "/action drop 1", "/postmortem waive", "/incident open"]
)
async def test_a_text_longer_than_can_be_kept_is_refused_and_given_back(sqlite_url: str, command: str) -> None:
    async with on_stage(sqlite_url) as play:
        if command != "/incident open":
            await open_incident(play)
            await type_command(play, play.ana, "/incident resolved")
        answer = await type_command(play, play.ana, f"{command} {'word ' * 8_000}x")
        assert "at most 40,000 can be kept. Split it into several." in answer
        assert answer.count("word ") > 1_400
        assert "characters fit here" in answer


async def test_one_word_is_not_given_back_and_prose_is(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        kinds = {"/postmortem publish": [], "/incident resolved 25:99 rolled back": ["rich_text"]}
        for line, expected in kinds.items():
            await type_command(play, play.ana, line)
            blocks = last(play, play.ana).blocks
            assert [block["type"] for block in blocks if block["type"] == "rich_text"] == expected


async def test_the_field_below_the_list_keeps_words_as_they_were_typed(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/timeline")
        overview = last(play, play.ana)
        typed = "25:99 &lt;b&gt; <!here> ordered " + "x" * 2_500
        await play.slack.enter(play.ana, overview, "timeline_entered", typed)
        await play.settle()
        refused = last(play, play.ana)
        assert "25:99 &lt;b&gt; <!here> ordered" in refused.plain  # given back as it was
        assert refused.pings == set()
