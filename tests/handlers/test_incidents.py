"""`/incident` as people use it: opened, steered, closed, found again."""

import pytest

from bot.domain.records import Milestone, Status
from handlers.incidents import INCIDENT
from handlers.postmortem import POSTMORTEM
from tests.support.interactions import having, labels, last, on_stage, open_incident, press, type_command, window
from tests.support.play import reached_at


async def test_opening_answers_its_author_and_puts_the_live_message_into_the_channel(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        answer = await type_command(play, play.ana, "/incident open Checkout is *failing* & slow")
        assert "opened INC-1 Checkout is *failing* & slow" in answer.replace("*INC-1*", "INC-1")
        await play.settle()
        (card,) = play.slack.messages(play.channel, user=play.bo)
        assert "INC-1 Checkout is *failing* & slow" in card.plain
        assert ":white_circle: No severity · *Open* · No lead" in card.plain
        assert "*Next:* Set a severity and a lead: `/incident sev 2`, `/incident lead @ana`" in card.plain
        assert labels(card) == [
            "Add entry",
            "Resolved",
            "Mitigated",
            "Milestone",
            "Whole timeline",
            "Services and tags",
        ]
        assert card.pings == set()
        assert play.case().incident.channel_name == "checkout"


async def test_one_open_incident_a_channel_and_the_next_once_it_is_resolved(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        assert "INC-1 Checkout is failing is already open here" in await type_command(
            play, play.bo, "/incident open again"
        )
        await type_command(play, play.ana, "/incident resolved")
        assert "INC-2" in await type_command(play, play.bo, "/incident open again")


async def test_severity_and_lead_change_the_live_message_and_are_no_posts(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        assert "*INC-1* is now :large_orange_circle: sev2" in await type_command(play, play.ana, "/incident sev 2")
        assert last(play, play.ana).ephemeral_for == play.ana
        assert "(was :large_orange_circle: sev2)" in await type_command(play, play.bo, "/incident sev1")
        assert "INC-1 is already sev1." in await type_command(play, play.bo, "/incident severity 1")
        assert "Severities go from 1 (worst) to 4" in await type_command(play, play.bo, "/incident sev 7")
        assert "*Bo Demo* leads *INC-1* now" in await type_command(play, play.ana, "/incident lead @Bo Demo")
        await play.settle()
        assert "made you the lead of *INC-1* in #checkout" in last(play, play.bo, play.slack.dm(play.bo)).plain
        assert "You lead *INC-1* now" in await type_command(play, play.chandra, "/incident lead me")
        assert "Chandra Demo already leads INC-1." in await type_command(play, play.ana, "/incident lead @Chandra Demo")
        assert "I don't know who ana is" in await type_command(play, play.ana, "/incident lead ana")
        assert [entry.text for entry in play.case().entries][1:] == [
            "Severity set to sev2",
            "Severity changed from sev2 to sev1",
            "Bo Demo leads",
            "Chandra Demo takes over the lead from Bo Demo",
        ]
        await play.settle()
        card = having(play, play.ana, "timeline_show")
        assert ":red_circle: sev1 · *Open* · Lead: *Chandra Demo*" in card.plain
        assert (
            "Recent: Chandra Demo leads 12:30 UTC · Bo Demo leads 12:30 UTC · sev1 by Bo Demo 12:30 UTC" in card.plain
        )
        assert card.pings == set()
        assert [one.ts for one in play.slack.messages(play.channel)] == [card.ts]


async def test_nobody_leads_and_owns_nothing(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=["user_not_found"]) as play:
        await open_incident(play)
        nobody = play.slack.user("Nobody Demo")
        play.slack.fail("users.info", "user_not_found", times=9)
        for line in ("/incident lead @Nobody Demo", "/incident lead @Nobody Demo", "/action drain it @Nobody Demo"):
            assert f"Slack doesn't know the ID {nobody}" in await type_command(play, play.ana, line)
        assert (play.case().incident.lead, play.case().actions) == (None, ())


async def test_a_bot_or_somebody_who_left_cannot_lead(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        robot, gone = play.slack.user("Robo Demo", bot=True), play.slack.user("Gone Demo", deleted=True)
        await open_incident(play)
        assert "is a bot" in await type_command(play, play.ana, f"/incident lead @{play.slack.name_of(robot)}")
        assert "is deactivated" in await type_command(play, play.ana, f"/incident lead @{play.slack.name_of(gone)}")


async def test_milestones_take_a_time_and_words(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        assert "INC-1 impact started* at 11:55 UTC" in await type_command(play, play.ana, "/incident started 12:55")
        answer = await type_command(play, play.ana, "/incident detected 13:01 by the 5xx alert")
        assert "detected* at 12:01 UTC (13:01 Berlin) · by the 5xx alert" in answer
        await type_command(play, play.bo, "/incident acknowledged")
        await type_command(play, play.bo, "/incident mitigated 10 min ago traffic moved")
        case = play.case()
        assert case.incident.status is Status.MITIGATED
        assert [f"{reached_at(case, milestone):%H:%M}" for milestone in list(Milestone)[:4]] == [
            "11:55",
            "12:01",
            "12:30",
            "12:20",
        ]
        assert "Not recorded." in await type_command(play, play.ana, "/incident resolved 25:99 over")
        assert "hasn't happened yet" in await type_command(play, play.ana, "/incident resolved 2026-11-24 09:00")
        assert play.case().incident.status is Status.MITIGATED


async def test_resolving_asks_the_first_why_and_names_the_owner(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/incident lead @Bo Demo")
        answer = await type_command(play, play.ana, "/incident resolved 13:25 rolled back")
        assert "INC-1 resolved* at 12:25 UTC (13:25 Berlin)" in answer
        assert "Bo Demo owns the postmortem of INC-1. Reminders come after 24 and 48 hours while it's open." in answer
        assert "Next: the five whys, in their own thread" in answer
        assert play.bo in last(play, play.chandra).pings
        assert "already resolved" in await type_command(play, play.bo, "/incident resolved")
        await play.settle()
        assert labels(having(play, play.bo, "timeline_show")) == [
            "Add entry",
            "Postmortem",
            "Milestone",
            "Whole timeline",
            "Services and tags",
        ]


async def test_the_buttons_of_the_live_message_mitigate_and_resolve(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await press(play, play.bo, "incident_mitigated")
        assert "INC-1 mitigated* at 12:30 UTC" in last(play, play.bo).plain
        assert last(play, play.bo).ephemeral_for == play.bo
        assert "Mitigated 12:30 UTC" in last(play, play.chandra).plain  # the live message
        assert labels(having(play, play.bo, "timeline_show")) == [
            "Add entry",
            "Resolved",
            "Milestone",
            "Whole timeline",
            "Services and tags",
        ]
        card = having(play, play.bo, "incident_resolved")
        await press(play, play.bo, "incident_resolved")
        assert "Next: the five whys, in their own thread" in "".join(m.plain for m in play.slack.messages(play.channel))
        assert play.case().incident.status is Status.RESOLVED
        assert card.ts == having(play, play.bo, "timeline_show").ts  # one message, updated in place


async def test_reopening_takes_the_reminders_back(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        assert "isn't resolved, so you can't reopen it" in await type_command(play, play.ana, "/incident reopen")
        await type_command(play, play.ana, "/incident resolved")
        assert "reopened *INC-1*: errors are back" in await type_command(
            play, play.bo, "/incident reopen errors are back"
        )
        assert play.case().incident.status is Status.OPEN
        assert "cancelled" in await type_command(play, play.ana, "/postmortem reminders")
        await play.pass_time(hours=50)
        assert not any("postmortem is waiting for" in message.plain for message in play.slack.messages(play.channel))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("/incident mitgated", "mitigated"),
        ("/incident staus", "status"),
        ("/incident servity 2", "severity"),
        ("/incident role @Bo Demo", "/incident lead"),
        ("/postmortem exprot html", "export"),
        ("/postmortem summary", "/postmortem fill summary"),
    ],
)
async def test_an_unknown_sub_command_suggests_the_nearest(sqlite_url: str, typed: str, meant: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        command, word = typed.split(maxsplit=2)[:2]
        wanted = f"I don't know `{word}`. Did you mean `{meant}`? (`{command} help` lists everything)"
        assert (await type_command(play, play.ana, typed)).startswith(wanted)
        assert len(play.case().entries) == 1


async def test_help_lists_what_is_connected(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        for user, line in ((play.ana, "/incident help"), (play.ana, "/postmortem help")):
            answer = await type_command(play, user, line)
            assert not [
                word for word in ("page", "customers", "jsm", "connections", "confluence`") if f" {word}" in answer
            ]
            assert "html, " in answer or line == "/incident help"
    assert "`/incident page need a database person`" in INCIDENT.help_text(("paging",))
    assert "customers" not in INCIDENT.help_text(("paging", "jsm"))
    assert "`/incident connections`" in INCIDENT.help_text(("jira",))
    assert "`/postmortem confluence`" in POSTMORTEM.help_text(("confluence",))


async def test_the_overview_shows_how_it_stands(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        answer = await type_command(play, play.bo, "/incident")
        assert "INC-1 Checkout is failing" in answer
        assert last(play, play.bo).ephemeral_for == play.bo
        assert "Open, lead and close an incident" in await type_command(play, play.bo, "/incident help")


async def test_without_an_incident_one_sentence_and_a_button_that_opens_one(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        lines = (
            "/timeline failed over",
            "/timeline",
            "/why because the pool ran out",
            "/action add it",
            "/postmortem",
            "/incident sev 2",
        )
        for line in lines:
            answer = await type_command(play, play.ana, line)
            assert answer.startswith("No open incident here.")
            assert labels(last(play, play.ana)) == ["Open an incident"]
        view = await window(play, play.ana, "incident_form_open")
        await play.slack.submit(play.ana, view, {"title": "Checkout is failing"})
        await play.settle()
        assert play.case().incident.title == "Checkout is failing"
        assert any("opened *INC-1*" in message.plain for message in play.slack.messages(play.channel, user=play.ana))
        assert "INC-1 Checkout is failing" in having(play, play.bo, "timeline_show").plain


async def test_the_shortcut_opens_the_same_window(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        assert (await play.slack.global_shortcut(play.ana, "incident_open")).ok
        await play.settle()
        (view,) = play.slack.views(play.ana)
        await play.slack.submit(play.ana, view, {"title": "Checkout is failing", "channel": play.channel})
        await play.settle()
        assert play.case().incident.key == "INC-1"


async def test_an_incident_needs_a_channel(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        room = play.slack.dm(play.ana)
        assert "An incident needs a channel" in await type_command(play, play.ana, "/incident open something", room)
        await type_command(play, play.ana, "/timeline x")
        view = await window(play, play.ana, "incident_form_open")
        answer = await play.slack.submit(play.ana, view, {"title": "Something", "channel": room})
        assert any("An incident needs a channel" in complaint for complaint in answer.errors.values())


async def test_a_title_is_one_line_of_at_most_300_characters(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        assert "A title can have at most 300 characters." in await type_command(
            play, play.ana, "/incident open " + "so slow " * 40
        )
        await type_command(play, play.ana, "/incident open")
        assert play.case().incident.title == "Untitled incident"


async def test_once_the_postmortem_is_finished_the_channel_has_no_incident(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/incident resolved")
        await type_command(play, play.ana, "/postmortem waive a drill, nothing broke")
        for line in ("/incident mitigated", "/timeline more to say"):
            assert (await type_command(play, play.ana, line)).startswith("No open incident here.")
        assert "Waived: a drill, nothing broke" in await type_command(play, play.ana, "/postmortem")
