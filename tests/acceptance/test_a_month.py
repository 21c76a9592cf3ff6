"""A month of one incident, played through the whole app, with all that was said in it: once, on time, and no more."""

from tests.acceptance.month import Month, moment, month


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
    assert "You owe no postmortem" in play.home(ana)
    assert "You owe 1 postmortem" in await play.opens_home(bo)


async def reopened(play: Month) -> None:
    """It comes back: nobody is asked for a postmortem until it is over again, and then anew."""
    await play.until("10-28 15:00")
    await play.types(play.life.chandra, "/incident reopen")
    assert "You owe no postmortem" in play.home(play.life.bo)
    await play.until("10-29 10:00")
    await play.types(play.life.chandra, "/incident resolved")
    await play.until("11-02 14:30")


async def two_write_at_once(play: Month) -> None:
    """Bo and Chandra write the summary at the same time; Bo is shown both texts, and makes one of them."""
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
    assert "You owe no action" in play.home(chandra)


async def published(play: Month) -> None:
    """Bo fills what is left from his Home tab."""
    bo = play.life.bo
    await play.until("11-18 15:00")
    await play.opens_home(bo)
    for _ in range(20):
        if "Fill next" not in play.home(bo):
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


async def test_a_month(sqlite_url: str) -> None:
    async with month(sqlite_url) as play:
        async with play.up():
            for chapter in (thursday, weekend_and_vacation, reopened, two_write_at_once):
                await chapter(play)
        play.life.clock.set(moment("11-10 10:00"))
        async with play.up():
            for chapter in (back_after_a_week, the_other_action, published, did_it_hold):
                await chapter(play)
        for post in play.posts():
            print(post.at, post.where, "|", post.said)
