"""A month of one incident, played through the whole app, with all that was said in it: once, on time, and no more."""

from tests.support.acceptance.month import Month, moment, month
from tests.support.interactions import require_sayable


async def thursday(play: Month) -> None:
    """It breaks and is mended; two people answer the first why at once, and a third makes one of the two."""
    ana, bo, chandra = play.life.ana, play.life.bo, play.life.chandra
    await play.types(ana, "/incident open Checkout returns 503 to one in five")
    await play.types(ana, "/incident sev 2")
    await play.types(ana, "/incident lead @Ana Demo")
    await play.types(bo, "/timeline 7:50 errors on checkout rise to 20 %")
    await play.types(bo, "/incident detected 7:55 by the smoke test")
    await play.types(chandra, "/timeline rolled the pool size back to 40")
    await play.until("10-22 12:40")
    await play.types(ana, "/incident resolved")
    for user in (bo, chandra):
        await play.presses(user, "why_answer")
    await play.sends(bo, {"answer": "because the connection pool ran out"})
    await play.sends(chandra, {"answer": "because every request held two connections"})
    await play.types(ana, "/why edit 1 because the pool ran out: every request held two connections")
    await play.types(ana, "/why delete 2")
    await play.types(bo, "/why because a retry opens a connection of its own, see #4")
    await play.types(bo, "/why root")
    assert "1. because the pool ran out: every request held two" in await play.types(bo, "/why")
    await play.types(ana, "/action prevent: cap the retries @Chandra Demo due 2026-11-02")
    await play.types(ana, "/action detect: alert on the pool @Ana Demo due 2026-11-12")
    await play.opens_home(ana)
    await play.opens_home(chandra)


async def weekend_and_vacation(play: Month) -> None:
    """Ana is asked on Friday, not on the weekend in which her clocks change, and hands over before she leaves."""
    ana, bo = play.life.ana, play.life.bo
    await play.until("10-26 08:30")
    await play.presses(ana, "postmortem_snooze", "dm")
    await play.until("10-27 09:00")
    await play.presses(ana, "postmortem_hand_over", "dm")
    await play.sends(ana, {"owner": bo})
    assert "Your postmortems" not in play.home(ana)
    assert "*Your postmortems* · 1 to finish" in await play.opens_home(bo)


async def reopen_incident(play: Month) -> None:
    """It comes back: no one is asked for a postmortem until it is over, and then once more."""
    await play.until("10-28 15:00")
    await play.types(play.life.chandra, "/incident reopen")
    assert "Your postmortems" not in play.home(play.life.bo)
    await play.until("10-29 10:00")
    await play.types(play.life.chandra, "/incident resolved")
    await play.until("11-02 14:30")


async def two_write_at_once(play: Month) -> None:
    """Bo and Chandra write the impact at the same time; Bo is shown both texts, and makes one of them."""
    bo, chandra = play.life.bo, play.life.chandra
    await play.presses(bo, "postmortem_fill", "dm")
    await play.types(chandra, "/postmortem")
    await play.presses(chandra, "postmortem_fill")
    await play.sends(chandra, {"text_0": "One in five customers could not pay for 50 minutes."})
    await play.sends(bo, {"text_0": "Checkout failed."})
    assert "One in five customers could not pay" in play.window(bo).plain
    await play.sends(bo, {"text_0": "Checkout failed: one in five customers could not pay for 50 minutes."})
    await play.until("11-03 06:00")


async def back_after_a_week(play: Month) -> None:
    """The bot was away: everyone hears the latest of each thing, once, and Bo not before he is up."""
    chandra = play.life.chandra
    await play.until("11-11 06:00")
    assert "Action 1 of INC-1 is done" in await play.writes(chandra, "done 1")


async def the_other_action(play: Month) -> None:
    """Ana hears of it on her vacation and hands it over; Chandra gives it a new date, and does it."""
    ana, chandra = play.life.ana, play.life.chandra
    await play.until("11-13 09:00")
    await play.presses(ana, "action_hand_over", "dm")
    await play.sends(ana, {"owner": chandra})
    await play.until("11-16 05:00")
    assert "is now due Fri 20 Nov" in await play.writes(chandra, "2 friday")
    await play.until("11-18 05:00")
    assert "alert on the pool" in await play.opens_home(chandra)
    await play.presses_at_home(chandra, "action_done")
    assert "You're all caught up" in play.home(chandra)


async def publish_postmortem(play: Month) -> None:
    """Bo fills what is left from his Home tab."""
    bo = play.life.bo
    await play.until("11-18 15:00")
    await play.opens_home(bo)
    for _ in range(20):
        if "Fill: " not in play.home(bo):
            break
        await play.presses_at_home(bo, "postmortem_fill")
        await play.sends(bo, {"text_0": "It is known."})
    await play.types(bo, "/postmortem publish")


async def did_it_hold(play: Month) -> None:
    """Thirty days after each was done its owner is asked, and then all is quiet."""
    chandra = play.life.chandra
    await play.until("12-11 04:00")
    await play.presses(chandra, "action_held", "dm")
    await play.until("12-18 04:00")
    await play.presses(chandra, "action_came_back", "dm")
    await play.until("12-31 12:00")


WAITING = ":hourglass_flowing_sand: *INC-1* postmortem is waiting for"
TEN = "10 sections left; next: Impact."
NINE = "9 sections left; next: Incident summary."
OVERDUE = ":alarm_clock: You have 1 overdue action"
ASSIGNMENT = ":pushpin: @Ana Demo gave you an action."
SILENT = "Nothing has been recorded in *INC-1* Checkout returns 503 to one in five (sev2) for"
LOG_IT = "Anything new? Log it in its channel: `/timeline what happened`"

SCRIPT = [
    "10-22 12:00 #checkout: INC-1 Checkout returns 503 to one in five",
    f"10-22 12:40 Ana: {SILENT} 36 min. {LOG_IT}",
    "10-22 12:40 #checkout: *The five whys of INC-1*",
    f"10-22 12:47 Chandra: {ASSIGNMENT}",
    # Friday afternoon where Ana lives; on Saturday the channel alone, and she on Monday at nine, by winter time.
    f"10-23 12:40 Ana: {WAITING} you (resolved yesterday). {TEN}",
    f"10-23 12:40 #checkout: {WAITING} Ana Demo (resolved yesterday). {TEN}",
    f"10-24 12:40 #checkout: {WAITING} Ana Demo (resolved 2 days ago). {TEN}",
    f"10-26 08:00 Ana: {WAITING} you (resolved 4 days ago). {TEN}",
    # She has snoozed it for a day, and goes on vacation.
    f"10-27 08:30 Ana: {WAITING} you (resolved 5 days ago). {TEN}",
    f"10-27 09:01 Bo: :hourglass_flowing_sand: @Ana Demo made you the owner of the *INC-1* postmortem. {TEN}",
    # Reopened on the 28th, resolved on the 29th: 24 and 48 hours from then. Bo is told at eight by summer time, and
    # after the weekend at nine by winter time.
    f"10-28 16:00 Ana: {SILENT} 59 min. {LOG_IT}",
    f"10-30 10:00 #checkout: {WAITING} Bo Demo (resolved yesterday). {TEN}",
    f"10-30 12:00 Bo: {WAITING} you (resolved yesterday). {TEN}",
    f"10-31 10:00 #checkout: {WAITING} Bo Demo (resolved 2 days ago). {TEN}",
    f"11-02 14:00 Bo: {WAITING} you (resolved 4 days ago). {TEN}",
    f"11-03 03:30 Chandra: {OVERDUE}",
    # The bot was down from the 3rd to the 10th, and first makes sure of its clock. Five digests, and the reminder
    # of the 7th, have become one each.
    "11-10 10:30 Ana: :bell: *cap the retries*",
    f"11-10 10:30 Chandra: {OVERDUE}",
    f"11-10 13:00 Bo: {WAITING} you (resolved 12 days ago). {NINE}",
    f"11-11 03:30 Chandra: {OVERDUE}",
    # What one changes from a DM is answered there; the channel reads it on the live message.
    "11-11 06:00 Chandra: :white_check_mark: Action 1 of INC-1 is done: cap the retries",
    f"11-13 08:00 Ana: {OVERDUE}",
    f"11-13 09:01 Chandra: {ASSIGNMENT}",
    "11-13 09:01 Ana: @Chandra Demo now owns action 2 of INC-1: alert on the pool",
    f"11-13 09:30 Chandra: {OVERDUE}",
    f"11-16 03:30 Chandra: {OVERDUE}",
    "11-16 05:00 Chandra: Action 2 of INC-1 is now due Fri 20 Nov: alert on the pool",
    f"11-16 14:00 Bo: {WAITING} you (resolved 2 weeks ago). {NINE}",
    "11-18 05:00 Chandra: :white_check_mark: Action 2 of INC-1 is done: alert on the pool",
    # Published on the 18th: of the postmortem nothing more is said. What was done is asked about once.
    "12-11 03:30 Chandra: :mag: Did it hold? *cap the retries*",
    "12-11 04:00 Chandra: :white_check_mark: Action 1 of INC-1 held: cap the retries",
    "12-18 03:30 Chandra: :mag: Did it hold? *alert on the pool*",
    "12-18 04:00 Chandra: :leftwards_arrow_with_hook: Action 2 of INC-1 didn't hold: alert on the pool",
]
"""All that the bot says in three months but into threads and for single eyes, in order. Times are UTC."""


async def test_a_month(database_url: str) -> None:
    async with month(database_url) as play:
        async with play.up():
            for chapter in (thursday, weekend_and_vacation, reopen_incident, two_write_at_once):
                await chapter(play)
        play.life.clock.set(moment("11-10 10:00"))
        async with play.up():
            for chapter in (back_after_a_week, the_other_action, publish_postmortem, did_it_hold):
                await chapter(play)
            answer = await play.types(play.life.ana, "/postmortem reminders")
            case = await play.case()
        assert sorted(play.posts()) == sorted(SCRIPT)  # what goes to two at once goes in either order
        assert [answer.count(state) for state in (": sent", "was reopened)", "was published)")] == [7, 4, 2]
        require_sayable(play.life.slack)
        for user in (play.life.ana, play.life.bo, play.life.chandra):
            assert set(buttons_left(play, user)) <= {
                "Reopen postmortem",
                "Reopen action",
            }  # nothing is asked; what is done may be undone
        merged, root = case.whys
        assert merged.text == "because the pool ran out: every request held two connections"
        assert (root.parent, root.is_root) == (merged.number, True)
        impact = case.sections["impact"]
        assert impact.text == "Checkout failed: one in five customers could not pay for 50 minutes."
        assert (impact.author, impact.version) == (play.life.bo, 2)
        assert [action.held for action in case.actions] == ["held", "came back"]


def buttons_left(play: Month, user: str) -> list[str]:
    """What can still be pressed in someone's DM."""
    return [button[0] for message in play.life.slack.messages(play.life.slack.dm(user)) for button in message.buttons]
