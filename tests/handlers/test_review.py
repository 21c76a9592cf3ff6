"""The review of a postmortem: planned, moved and called off with a calendar file, answered by those who were asked."""

from pathlib import Path

from bot.domain.records import PostmortemStatus
from tests.handlers.test_postmortem import NEEDED, fill, resolve_incident
from tests.support.calendars import read_event
from tests.support.interactions import labels, last, on_stage, press, type_command
from tests.support.play import Play

PLAN = "/postmortem review friday 14:00 @Bo Demo @Chandra Demo"


async def plan(play: Play, text: str = PLAN) -> str:
    """Ana, in Berlin, plans the review of a resolved incident that Bo owns; what she reads."""
    await resolve_incident(play)
    answer = await type_command(play, play.ana, text)
    await settle(play)
    return answer


async def settle(play: Play) -> None:
    """Deliver invitations, and then what follows from where they are."""
    await play.settle()
    await play.settle()


def events(play: Play) -> list[tuple[str, str, str, int, str]]:
    """Of each file: where it is, its method, its event's id, its sequence, and when it begins."""
    found = []
    for file in play.slack.files:
        method, event = read_event(file.bytes)
        start = f"{event['dtstart'].dt:%d %H:%M %Z}"
        found.append((file.channel, method, str(event["uid"]), int(event["sequence"]), start))
    return found


async def say_work(play: Play, user: str, text: str) -> None:
    await press(play, user, "review_work", channel=play.slack.dm(user))
    assert (await play.slack.submit(user, play.slack.views(user)[-1], {"text": text})).ok
    await settle(play)


async def test_a_plan_sets_in_review_and_invites_each_on_their_own_clock(database_url: str) -> None:
    async with on_stage(database_url) as play:
        answer = await plan(play)
        assert "is on *Fri 27 Nov, 14:00 (Berlin), 13:00 UTC · 1 h*" in answer
        assert "goes to Bo Demo and Chandra Demo by DM" in answer
        assert play.case().incident.postmortem_status is PostmortemStatus.IN_REVIEW
        bo, chandra = play.slack.dm(play.bo), play.slack.dm(play.chandra)
        card, file = play.slack.messages(bo)[-2:]
        assert "*Ana Demo asks you to review INC-1.*" in card.plain
        assert "Fri 27 Nov, 8:00 (New York), 13:00 UTC · 1 h · #checkout" in card.plain
        assert "• No severity is set." in card.plain
        assert labels(card) == ["Looks good", "Needs work …", "Show postmortem", "Google", "Outlook"]
        assert file.thread_ts == card.ts
        assert "18:30 (Kolkata)" in play.slack.messages(chandra)[-2].plain
        event = ("REQUEST", "review.inc-1.t0rehearse@afterword", 0, "27 13:00 UTC")
        assert sorted(events(play)) == sorted((where, *event) for where in (play.channel, bo, chandra))
        # In the thread of the live message, and nothing new in the channel itself.
        (posted,) = [file for file in play.slack.files if file.channel == play.channel]
        assert posted.thread_ts == play.slack.messages(play.channel)[0].ts


async def test_a_move_and_a_cancellation_are_the_same_event(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await plan(play)
        answer = await type_command(play, play.ana, "/postmortem review thursday 10:00 for 30m")
        assert "from Fri 27 Nov, 14:00 (Berlin), 13:00 UTC to *Thu 26 Nov, 10:00 (Berlin), 9:00 UTC · 30 min*" in answer
        await settle(play)
        room = play.slack.dm(play.bo)
        first, _, second, _ = play.slack.messages(room)[-4:]
        assert first.plain.endswith("moved to Thu 26 Nov, 4:00 (New York), 9:00 UTC.")
        assert labels(first) == []
        assert (
            "has moved.* Checkout is failing\nThu 26 Nov, 4:00 (New York), 9:00 UTC · 30 min (it was Fri"
            in second.plain
        )
        assert "called off the review" in (await type_command(play, play.chandra, "/postmortem review cancel")).lower()
        await settle(play)
        mine = [event[1:] for event in events(play) if event[0] == room]
        uid = "review.inc-1.t0rehearse@afterword"
        assert mine == [
            ("REQUEST", uid, 0, "27 13:00 UTC"),
            ("REQUEST", uid, 1, "26 09:00 UTC"),
            ("CANCEL", uid, 2, "26 09:00 UTC"),
        ]
        assert "*The review of INC-1 won't take place.*" in play.slack.messages(room)[-2].plain
        assert play.case().incident.postmortem_status is PostmortemStatus.OPEN
        again = await type_command(play, play.ana, "/postmortem review cancel")
        assert "No review of INC-1 is planned." in again
        await type_command(play, play.ana, PLAN)
        await settle(play)
        assert events(play)[-1][1:4] == ("REQUEST", uid, 3)


async def test_an_answer_is_given_once_and_may_be_changed(database_url: str) -> None:
    async with on_stage(database_url) as play:
        await plan(play)
        bo, chandra = play.slack.dm(play.bo), play.slack.dm(play.chandra)
        await say_work(play, play.chandra, "The root cause is thin.\nAsk the database people.")
        notice = last(play, play.bo, bo).plain
        assert "*Chandra Demo says that INC-1 needs work.*" in notice
        assert ">The root cause is thin.\n>Ask the database people." in notice
        card = play.slack.messages(chandra)[-2]
        assert "*You said that INC-1 needs work.*" in card.plain
        assert labels(card) == ["Looks good", "Needs work …", "Show postmortem"]
        await press(play, play.chandra, "review_good", channel=chandra)
        await settle(play)
        assert "*You said that INC-1 looks good.*" in play.slack.messages(chandra)[-2].plain
        before = len(play.slack.messages(bo))
        await press(play, play.bo, "review_good", channel=bo)
        await settle(play)
        # Bo owns it: that everyone says so is no news to who said it last.
        assert len(play.slack.messages(bo)) == before
        shown = await type_command(play, play.ana, "/postmortem")
        assert "• Bo Demo: :white_check_mark: looks good\n• Chandra Demo: :white_check_mark: looks good" in shown
        review = play.case().review
        assert review is not None
        assert [(one.verdict, one.words, one.is_waiting) for one in review.reviewers] == [("good", "", False)] * 2


async def test_only_those_who_were_asked_answer(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await plan(play, "/postmortem review friday 14:00 @Bo Demo")
        shown = await type_command(play, play.bo, "/postmortem review")
        assert "Looks good" in shown
        assert "Looks good" not in await type_command(play, play.ana, "/postmortem review")


async def test_reminders_are_silent_until_the_review_and_it_has_reminders_of_its_own(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await plan(play, "/postmortem review thursday 10:00 @Chandra Demo")
        chandra = play.slack.dm(play.chandra)
        await play.pass_time(days=2)
        assert not any("postmortem is waiting" in seen.plain for seen in play.slack.messages(play.channel))
        assert "its review is on Thu 26 Nov, 9:00 UTC" in await type_command(play, play.ana, "/postmortem reminders")
        await play.pass_time(hours=19, minutes=30)
        ahead = last(play, play.bo, play.slack.dm(play.bo)).plain
        assert "*The review of INC-1 is in 1 h.*" in ahead
        assert "*Still empty:* Root cause" in ahead
        assert labels(last(play, play.chandra, chandra)) == ["Looks good", "Needs work …", "Show postmortem"]
        await play.pass_time(hours=2)
        assert "is over, and your answer is missing" in last(play, play.chandra, chandra).plain
        await press(play, play.chandra, "review_good", channel=chandra)
        await settle(play)
        assert labels(last(play, play.chandra, chandra)) == ["Show postmortem"]


async def test_what_cannot_be_planned_is_refused_in_words(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        for typed, sentence in {
            "today 9:00 @Bo Demo": "That's in the past",
            "friday @Bo Demo": "At what time?",
            "14:00 @Bo Demo": "Which day?",
            "friday 14:00 @nobody": "I don't know who @nobody is.",
            "next friday 14:00 @Bo Demo": "could be either of two days",
        }.items():
            answer = await type_command(play, play.ana, f"/postmortem review {typed}")
            assert sentence in answer
            await settle(play)


async def test_a_publication_ends_a_review_that_is_still_ahead(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await plan(play)
        for section, text in NEEDED.items():
            await fill(play, play.bo, section, text)
        await type_command(play, play.bo, "/postmortem publish")
        await settle(play)
        assert play.case().incident.postmortem_status is PostmortemStatus.PUBLISHED
        room = play.slack.dm(play.chandra)
        assert "won't take place" in play.slack.messages(room)[-2].plain
        assert events(play)[-1][1] == "CANCEL"
        assert "review" not in (await type_command(play, play.ana, "/postmortem review")).lower().split("owner")[0]


async def test_a_policy_may_want_two_who_say_that_it_looks_good(sqlite_url: str, tmp_path: Path) -> None:
    policy = tmp_path / "afterword.toml"
    policy.write_text('[policy.none]\nreview = "required"\n', encoding="utf-8")
    async with on_stage(sqlite_url, environ={"AFTERWORD_CONFIG": str(policy)}) as play:
        await resolve_incident(play)
        for section, text in NEEDED.items():
            await fill(play, play.bo, section, text)
        assert "It's reviewed before it's published." in await type_command(play, play.bo, "/postmortem publish")
        await type_command(play, play.ana, PLAN)
        await settle(play)
        assert "It needs 2 more reviewers" in await type_command(play, play.bo, "/postmortem publish")
        for user in (play.bo, play.chandra):
            await press(play, user, "review_good", channel=play.slack.dm(user))
            await settle(play)
        await type_command(play, play.bo, "/postmortem publish")
        await settle(play)
        assert play.case().incident.postmortem_status is PostmortemStatus.PUBLISHED


async def test_of_a_private_incident_no_file_leaves_its_channel(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        room = play.slack.channel("secret", [play.ana, play.bo], private=True)
        await type_command(play, play.ana, "/incident open Keys leaked", room)
        await type_command(play, play.ana, "/incident resolved", room)
        await settle(play)
        await type_command(play, play.ana, "/postmortem review friday 14:00 @Bo Demo @Chandra Demo", room)
        await settle(play)
        (file,) = play.slack.files
        assert file.channel == room
        _, event = read_event(file.bytes)
        assert (str(event["summary"]), "description" in event) == ("Review of INC-1", False)
        assert "The calendar file is in the incident's thread." in last(play, play.bo, play.slack.dm(play.bo)).plain
        assert "in a channel you can't see" in last(play, play.chandra, play.slack.dm(play.chandra)).plain
        assert "Chandra Demo can't see #secret" in last(play, play.ana, play.slack.dm(play.ana)).plain
