"""What the checks found, beside the button that mends it; and that it hinders no one from publishing."""

from bot.domain.records import Milestone, PostmortemStatus
from tests.support.interactions import (
    count_phone_lines,
    having,
    last,
    on_stage,
    open_incident,
    press,
    type_command,
    window,
)
from tests.support.play import Play, reached_at


async def wrong(play: Play) -> None:
    """An incident that was resolved before it was detected, with a bare action and a placeholder."""
    await open_incident(play)
    await type_command(play, play.ana, "/incident detected 12:20 UTC alarm")
    await type_command(play, play.ana, "/incident resolved 12:10 UTC")
    await press(play, play.ana, "milestone_keep")
    await type_command(play, play.ana, "/action cap the retries")
    await play.settle()


async def mend(play: Play, action: str, values: dict[str, object], nth: int = 0) -> None:
    """Press the finding's button, fill the form that it opens."""
    await type_command(play, play.ana, "/postmortem")
    seen = last(play, play.ana)
    value = [button[2] for button in seen.buttons if button[1] == action][nth]
    await play.slack.click(play.ana, seen, action, value)
    await play.settle()
    (view,) = play.slack.views(play.ana)
    answer = await play.slack.submit(play.ana, view, values)
    assert answer.ok, answer
    await play.settle()


async def test_the_overview_lists_three_things_to_check_and_all_of_them_on_demand(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await wrong(play)
        answer = await type_command(play, play.ana, "/postmortem")
        assert "*5 things to check*" in answer
        assert "Resolved (12:10 UTC) is before detected (12:20 UTC)." in answer
        assert "Action 1 has no owner, due date or ticket: “cap the retries”" in answer
        assert "No lead is recorded." in answer
        assert "No entry says when it was mitigated." not in answer
        assert "2 more" in answer
        everything = (await press(play, play.ana, "postmortem_show_all")).plain
        assert "No severity is set." in everything
        assert "No entry says when it was mitigated." in everything
        assert "Show all checks" not in everything


async def test_each_button_of_a_finding_fixes_it(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await wrong(play)
        await mend(play, "timeline_edit", {"when": "12:30 UTC", "text": "over"})
        due: dict[str, object] = {"owner": play.bo, "due": "2026-11-27", "link": "https://tracker.example.com/OPS-1"}
        await mend(play, "finding_action", due)
        assert (
            "*Action 1* of INC-1: cap the retries — Bo Demo · due Fri 27 Nov · https://" in last(play, play.ana).plain
        )
        await mend(play, "incident_milestone", {"milestone": "mitigated", "when": "12:25 UTC", "text": ""})
        await mend(play, "finding_lead", {"lead": play.bo})
        await mend(play, "finding_severity", {"severity": "2"})
        assert "to check" not in await type_command(play, play.ana, "/postmortem")
        case = play.case()
        (action,) = case.actions
        assert (case.incident.lead, case.incident.severity) == (play.bo, 2)
        assert (action.owner, str(action.due_on), action.link) == (play.bo, "2026-11-27", due["link"])
        assert action.overdue_at is not None
        mitigated = reached_at(case, Milestone.MITIGATED)
        assert mitigated is not None
        assert (mitigated.hour, mitigated.minute) == (12, 25)


async def test_a_placeholder_is_shown_with_the_button_of_its_section(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await wrong(play)
        await mend(play, "postmortem_fill", {"text_0": "TODO: write this"})
        answer = await type_command(play, play.ana, "/postmortem")
        assert "Root cause still has a placeholder: “TODO”" in answer
        await mend(play, "postmortem_fill", {"text_0": "It broke."}, nth=1)
        assert "placeholder" not in await type_command(play, play.ana, "/postmortem")


async def test_a_root_cause_becomes_an_action_and_is_found_no_more(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/incident resolved")
        await type_command(play, play.bo, "/why because nobody tests the pool")
        await type_command(play, play.bo, "/why root")
        assert "The root cause in why 1 has no action: “because nobody tests the pool”" in await type_command(
            play, play.ana, "/postmortem"
        )
        await mend(play, "why_action", {"text": "Load test", "owner": play.bo, "due": "2026-11-27"})
        assert "The root cause" not in await type_command(play, play.ana, "/postmortem")
        assert play.case().whys[0].actions == (1,)


async def test_a_link_that_is_no_address_is_refused_at_its_field(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await wrong(play)
        await type_command(play, play.ana, "/postmortem")
        view = await window(play, play.ana, "finding_action")
        answer = await play.slack.submit(play.ana, view, {"link": "OPS-1"})
        assert answer.body["errors"] == {
            "link": "A link is one address that begins with https:// or http://, as in https://jira.example/OPS-7."
        }
        past = await play.slack.submit(play.ana, view, {"due": "2026-11-01", "link": ""})
        assert past.body["errors"] == {"due": "Sun 1 Nov is past. Pick today or a later day, such as Mon 30 Nov."}


async def test_publishing_asks_about_what_is_left_and_is_not_refused(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await wrong(play)
        assert "to check" not in await type_command(play, play.ana, "/postmortem export")
        for section in ("summary", "impact", "root_cause"):
            await type_command(play, play.ana, "/postmortem")
            seen = having(play, play.ana, "postmortem_pick")
            await play.slack.click(play.ana, seen, "postmortem_pick")
            await play.settle()
            (picking,) = play.slack.views(play.ana)
            await play.slack.submit(play.ana, picking, {"section": section})
            (view,) = play.slack.views(play.ana)
            await play.slack.submit(play.ana, view, {"text_0": "Known."})
            await play.settle()
        answer = await type_command(play, play.ana, "/postmortem publish")
        assert "*Publish INC-1 as it is?* 2 things to fix first:" in answer
        assert play.case().incident.postmortem_status is PostmortemStatus.OPEN
        await press(play, play.ana, "postmortem_publish_anyway")
        assert play.case().incident.postmortem_status is PostmortemStatus.PUBLISHED
        assert "things to check" in (await press(play, play.bo, "postmortem_show")).plain


async def test_the_overview_shows_how_long_it_took_and_leaves_out_what_is_unknown(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        early = await type_command(play, play.ana, "/postmortem")
        assert "How long did it last? Say when impact began: `/incident started 14:05`" in early
        await type_command(play, play.ana, "/incident started 12:00 UTC")
        await type_command(play, play.ana, "/incident detected 12:07 UTC")
        await type_command(play, play.ana, "/incident resolved 12:30 UTC")
        await play.pass_time(hours=2)
        answer = await type_command(play, play.ana, "/postmortem")
        assert "Lasted 30 min · detected after 7 min" in answer
        assert "–" not in answer


EMPTY = (
    "Impact, Incident summary, Detection, Recovery, Response, Fault, Leadup, Lessons learned, Recurrence, Backlog check"
)


async def test_the_overview_of_a_usual_incident_fits_one_screen_of_a_phone(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play, "Checkout down for EU")
        await type_command(play, play.ana, "/incident sev 2")
        await type_command(play, play.ana, "/incident lead @Bo Demo")
        await type_command(play, play.ana, "/incident started 12:00 UTC")
        await type_command(play, play.ana, "/incident detected 12:07 UTC")
        await type_command(play, play.ana, "/incident mitigated 12:05 UTC")
        await press(play, play.ana, "milestone_keep")
        await play.pass_time(hours=1)
        await type_command(play, play.ana, "/incident resolved")
        await type_command(play, play.bo, "/why because retries had no limit")
        await type_command(play, play.bo, "/why root")
        await type_command(play, play.bo, "/action cap the retries @Chandra Demo due friday")
        await type_command(play, play.bo, "/action add a load test")
        answer = await type_command(play, play.ana, "/postmortem")
        shown = last(play, play.ana)
        assert answer.splitlines() == [
            "*Postmortem of INC-1* Checkout down for EU",
            "████░░░░░░░░░░  4 of 14 sections filled",
            "Owner: Bo Demo",
            "Fill: Impact",
            "Other sections",
            "Export",
            f"*Still empty:* {EMPTY}",
            "Lasted 1 h 30 min · detected after 7 min",
            "*4 things to check*",
            ":warning: Mitigated (12:05 UTC) is before detected (12:07 UTC).",
            "Edit #6",
            ":warning: Action 2 has no owner, due date or ticket: “add a load test”",
            "Edit action",
            ":grey_question: Action 1 has no ticket: “cap the retries”",
            "Edit action",
            "1 more",
            "Show all checks",
        ]
        assert count_phone_lines(shown) <= 18
        assert "Mitigated (12:05 UTC) is before detected" in shown.text
        everything = await press(play, play.ana, "postmortem_show_all")
        assert "Nothing is recorded from 12:30 to 13:30 UTC (1 h). Anything to add?" in everything.plain
