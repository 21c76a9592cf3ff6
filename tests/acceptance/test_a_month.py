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


async def reopened(play: Month) -> None:
    """It comes back: nobody is asked for a postmortem until it is over again, and then anew."""
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
    """The bot was away: everybody hears the latest of each thing, once, and Bo not before he is up."""
    chandra = play.life.chandra
    await play.until("11-11 06:00")
    assert "finished action 1" in await play.writes(chandra, "done 1")


async def the_other_action(play: Month) -> None:
    """Ana hears of it on her vacation and hands it over; Chandra gives it a new date, and does it."""
    ana, chandra = play.life.ana, play.life.chandra
    await play.until("11-13 09:00")
    await play.presses(ana, "action_hand_over", "dm")
    await play.sends(ana, {"owner": chandra})
    await play.until("11-16 05:00")
    assert "is now due Fri 20 Nov 2026" in await play.writes(chandra, "2 friday")
    await play.until("11-18 05:00")
    assert "alert on the pool" in await play.opens_home(chandra)
    await play.presses_at_home(chandra, "action_done")
    assert "You're all caught up" in play.home(chandra)


async def published(play: Month) -> None:
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


IT = "the postmortem of *INC-1* Checkout returns 503 to one in five"
PRIVATE = f":hourglass_flowing_sand: You owe {IT} in #checkout, resolved"
OVERDUE = ":alarm_clock: 1 corrective action of yours is overdue."
DONE = ":white_check_mark: @Chandra Demo finished action"
CAME_BACK = ":leftwards_arrow_with_hook: @Chandra Demo says that action 2 of INC-1 did not hold: alert on the pool"

SCRIPT = [
    "10-22 12:00 #checkout: INC-1 Checkout returns 503 to one in five",
    "10-22 12:40 #checkout: *The five whys of INC-1*",
    # Friday afternoon where Ana lives; on Saturday the channel alone, and she on Monday at nine, by winter time.
    f"10-23 12:40 Ana: {PRIVATE} 24 hours ago.",
    f"10-23 12:40 #checkout: :hourglass_flowing_sand: @Ana Demo owes {IT}, resolved 24 hours ago.",
    f"10-24 12:40 #checkout: :hourglass_flowing_sand: @Ana Demo owes {IT}, resolved 48 hours ago.",
    f"10-26 08:00 Ana: {PRIVATE} 3 days ago.",
    # She has snoozed it for a day, and goes on vacation.
    f"10-27 08:30 Ana: {PRIVATE} 4 days ago.",
    f"10-27 09:01 Bo: :hourglass_flowing_sand: @Ana Demo handed you {IT} in #checkout.",
    "10-27 09:01 #checkout: @Bo Demo owns the postmortem of INC-1 now, named by @Ana Demo",
    # Reopened on the 28th, resolved on the 29th: 24 and 48 hours from then. Bo is told at eight by summer time, and
    # after the weekend at nine by winter time.
    f"10-30 10:00 #checkout: :hourglass_flowing_sand: @Bo Demo owes {IT}, resolved 24 hours ago.",
    f"10-30 12:00 Bo: {PRIVATE} 25 hours ago.",
    f"10-31 10:00 #checkout: :hourglass_flowing_sand: @Bo Demo owes {IT}, resolved 48 hours ago.",
    f"11-02 14:00 Bo: {PRIVATE} 4 days ago.",
    f"11-03 03:30 Chandra: {OVERDUE}",
    # The bot was down from the 3rd to the 10th: five digests, and the reminder of the 7th, have become one each.
    "11-10 10:00 Ana: :bell: *cap the retries*",
    f"11-10 10:00 Chandra: {OVERDUE}",
    f"11-10 13:00 Bo: {PRIVATE} 12 days ago.",
    f"11-11 03:30 Chandra: {OVERDUE}",
    f"11-11 06:00 #checkout: {DONE} 1 of INC-1: cap the retries",
    f"11-11 06:00 Chandra: {DONE} 1 of INC-1: cap the retries",
    f"11-13 08:00 Ana: {OVERDUE}",
    "11-13 09:01 #checkout: @Ana Demo handed action 2 of INC-1 over to @Chandra Demo: alert on the pool",
    "11-13 09:01 Ana: @Ana Demo handed action 2 of INC-1 over to @Chandra Demo: alert on the pool",
    f"11-13 09:30 Chandra: {OVERDUE}",
    f"11-16 03:30 Chandra: {OVERDUE}",
    "11-16 05:00 #checkout: Action 2 of INC-1 is now due Fri 20 Nov 2026: alert on the pool",
    "11-16 05:00 Chandra: Action 2 of INC-1 is now due Fri 20 Nov 2026: alert on the pool",
    f"11-16 14:00 Bo: {PRIVATE} 18 days ago.",
    f"11-18 05:00 #checkout: {DONE} 2 of INC-1: alert on the pool",
    f"11-18 05:00 Chandra: {DONE} 2 of INC-1: alert on the pool",
    # Published on the 18th: of the postmortem nothing more is said. What was done is asked about once.
    "12-11 03:30 Chandra: :mag: Did it hold? *cap the retries*",
    "12-11 04:00 #checkout: :white_check_mark: @Chandra Demo says that action 1 of INC-1 held: cap the retries",
    "12-11 04:00 Chandra: :white_check_mark: @Chandra Demo says that action 1 of INC-1 held: cap the retries",
    "12-18 03:30 Chandra: :mag: Did it hold? *alert on the pool*",
    f"12-18 04:00 #checkout: {CAME_BACK}",
    f"12-18 04:00 Chandra: {CAME_BACK}",
]
"""All that the bot says in three months but into threads and for single eyes, in order. Times are UTC."""


async def test_a_month(database_url: str) -> None:
    async with month(database_url) as play:
        async with play.up():
            for chapter in (thursday, weekend_and_vacation, reopened, two_write_at_once):
                await chapter(play)
        play.life.clock.set(moment("11-10 10:00"))
        async with play.up():
            for chapter in (back_after_a_week, the_other_action, published, did_it_hold):
                await chapter(play)
            told = await play.types(play.life.ana, "/postmortem reminders")
            case = await play.case()
        assert sorted(play.posts()) == sorted(SCRIPT)  # what goes to two at once goes in either order
        assert [told.count(state) for state in (": sent at", "was reopened)", "was published)")] == [7, 4, 2]
        require_sayable(play.life.slack)
        for user in (play.life.ana, play.life.bo, play.life.chandra):
            assert set(buttons_left(play, user)) <= {"Open again"}  # nothing is asked; what is done may be undone
        merged, root = case.whys
        assert merged.text == "because the pool ran out: every request held two connections"
        assert (root.parent, root.is_root) == (merged.number, True)
        impact = case.sections["impact"]
        assert impact.text == "Checkout failed: one in five customers could not pay for 50 minutes."
        assert (impact.author, impact.version) == (play.life.bo, 2)
        assert [action.held for action in case.actions] == ["held", "came back"]


def buttons_left(play: Month, user: str) -> list[str]:
    """What can still be pressed in somebody's DM."""
    return [button[0] for said in play.life.slack.messages(play.life.slack.dm(user)) for button in said.buttons]
