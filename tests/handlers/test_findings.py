"""What the checks found, beside the button that mends it; and that it hinders nobody from publishing."""

from bot.domain.records import Milestone, PostmortemStatus
from tests.support.interactions import having, last, on_stage, opened, press, told, window
from tests.support.play import Play, reached_at


async def wrong(play: Play) -> None:
    """An incident that was resolved before it was detected, with a bare action and a placeholder."""
    await opened(play)
    await told(play, play.ana, "/incident detected 12:20 UTC alarm")
    await told(play, play.ana, "/incident resolved 12:10 UTC")
    await press(play, play.ana, "milestone_keep")
    await told(play, play.ana, "/action cap the retries")
    await play.settle()


async def mend(play: Play, action: str, values: dict[str, object], nth: int = 0) -> None:
    """Press the finding's button, fill the form that it opens."""
    await told(play, play.ana, "/postmortem")
    seen = last(play, play.ana)
    value = [button[2] for button in seen.buttons if button[1] == action][nth]
    await play.slack.click(play.ana, seen, action, value)
    await play.settle()
    (view,) = play.slack.views(play.ana)
    answer = await play.slack.submit(play.ana, view, values)
    assert answer.ok, answer
    await play.settle()


async def test_the_overview_lists_what_to_look_at_and_each_button_mends_it(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await wrong(play)
        said = await told(play, play.ana, "/postmortem")
        assert "*To look at* (3)" in said
        assert "Resolved (2026-11-23 12:10 UTC) is before detected (2026-11-23 12:20 UTC)." in said
        assert "Action 1 has no owner, no due date and no link to a ticket: “cap the retries”" in said
        assert "No entry says when it got better (mitigated), only when it was over." in said
        await mend(play, "timeline_edit", {"when": "12:30 UTC", "text": "over"})
        due: dict[str, object] = {"owner": play.bo, "due": "2026-11-27", "link": "https://tracker.example.com/OPS-1"}
        await mend(play, "finding_action", due)
        assert (
            "*Action 1* of INC-1: cap the retries — Bo Demo · Fri 27 Nov 2026 · https://" in last(play, play.ana).plain
        )
        await mend(play, "incident_milestone", {"milestone": "mitigated", "when": "12:25 UTC", "text": ""})
        assert "To look at" not in await told(play, play.ana, "/postmortem")
        case = play.case()
        (action,) = case.actions
        assert (action.owner, str(action.due_on), action.link) == (play.bo, "2026-11-27", due["link"])
        assert action.overdue_at is not None
        mitigated = reached_at(case, Milestone.MITIGATED)
        assert mitigated is not None
        assert (mitigated.hour, mitigated.minute) == (12, 25)


async def test_a_placeholder_is_shown_with_the_button_of_its_section(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await wrong(play)
        await mend(play, "postmortem_fill", {"text_0": "TODO: write this"})
        said = await told(play, play.ana, "/postmortem")
        assert "Incident summary still holds a placeholder: “TODO”" in said
        await mend(play, "postmortem_fill", {"text_0": "It broke."})
        assert "placeholder" not in await told(play, play.ana, "/postmortem")


async def test_a_root_cause_becomes_an_action_and_is_found_no_more(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await opened(play)
        await told(play, play.ana, "/incident resolved")
        await told(play, play.bo, "/why because nobody tests the pool")
        await told(play, play.bo, "/why root")
        assert "The root cause in why 1 has no action: “because nobody tests the pool”" in await told(
            play, play.ana, "/postmortem"
        )
        await mend(play, "why_action", {"text": "Load test", "owner": play.bo, "due": "2026-11-27"})
        assert "The root cause" not in await told(play, play.ana, "/postmortem")
        assert play.case().whys[0].actions == (1,)


async def test_a_link_that_is_no_address_is_refused_at_its_field(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await wrong(play)
        await told(play, play.ana, "/postmortem")
        view = await window(play, play.ana, "finding_action")
        answer = await play.slack.submit(play.ana, view, {"link": "OPS-1"})
        assert answer.body["errors"] == {"link": "A link is one address that begins with https:// or http://."}
        past = await play.slack.submit(play.ana, view, {"due": "2026-11-01", "link": ""})
        assert past.body["errors"] == {"due": "2026-11-01 is past. Pick today or a later day."}


async def test_publishing_and_exporting_say_what_is_left_and_are_not_refused(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await wrong(play)
        assert "3 things in the record to look at" in await told(play, play.ana, "/postmortem export")
        for section in ("summary", "impact", "root_cause"):
            await told(play, play.ana, "/postmortem")
            seen = having(play, play.ana, "postmortem_pick")
            await play.slack.click(play.ana, seen, "postmortem_pick")
            await play.settle()
            (picking,) = play.slack.views(play.ana)
            await play.slack.submit(play.ana, picking, {"section": section})
            (view,) = play.slack.views(play.ana)
            await play.slack.submit(play.ana, view, {"text_0": "Known."})
            await play.settle()
        said = await told(play, play.ana, "/postmortem publish")
        assert "published the postmortem of *INC-1*" in said
        assert "3 things in the record to look at" in said
        assert play.case().incident.postmortem_status is PostmortemStatus.PUBLISHED
        assert "To look at" in (await press(play, play.bo, "postmortem_show")).plain


async def test_the_overview_shows_the_spans_and_a_dash_for_what_nobody_stamped(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await opened(play)
        early = await told(play, play.ana, "/postmortem")
        assert "How long it took counts from `/incident started 14:05` to `detected`" in early
        assert "postmortem age" not in early
        await told(play, play.ana, "/incident started 12:00 UTC")
        await told(play, play.ana, "/incident detected 12:07 UTC")
        await told(play, play.ana, "/incident resolved 12:30 UTC")
        await play.pass_time(hours=2)
        said = await told(play, play.ana, "/postmortem")
        assert "Detected after 7 min · acknowledged after – · mitigated after – · resolved after 30 min" in said
        assert "postmortem age 2 h" in said
