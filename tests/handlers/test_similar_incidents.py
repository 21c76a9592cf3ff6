"""Past incidents: searched, proposed, accepted and rejected; and never seen outside a private channel."""

from bot.domain.records import Case
from bot.rehearsal.screen import ShownView
from storage import search as search_store
from tests.support.interactions import having, labels, last, on_stage, open_incident, press, type_command, window
from tests.support.play import Play

SECRET = "zebrafish" + "9-of-demo"


async def past(play: Play, channel: str, title: str = "Checkout pool exhausted") -> None:
    """An incident of a month ago, with a root cause, an action that was done and one that was not."""
    await open_incident(play, title, channel)
    await type_command(play, play.bo, "/incident resolved", channel)
    await type_command(play, play.bo, "/why because the connection pool was too small", channel)
    await type_command(play, play.bo, "/why root", channel)
    await type_command(play, play.bo, "/action enlarge the pool", channel)
    await type_command(play, play.bo, "/action alert on waiting connections @Bo Demo", channel)
    await type_command(play, play.bo, "/action done 1", channel)
    await play.pass_time(days=30)


async def now_again(play: Play) -> None:
    await open_incident(play, "Checkout fails: connection pool exhausted")
    await type_command(play, play.ana, "/incident resolved")
    await play.settle()


def other_room(play: Play, *, private: bool = False) -> str:
    return play.slack.channel("payments", [play.ana, play.bo], private=private)


async def form(play: Play, user: str, section: str) -> ShownView:
    await type_command(play, user, "/postmortem")
    picking = await window(play, user, "postmortem_pick")
    await play.slack.submit(user, picking, {"section": section})
    (view,) = play.slack.views(user)
    return view


def read_sections(play: Play) -> dict[str, str]:
    case: Case = play.case()
    return {slug: section.text for slug, section in case.sections.items()}


async def test_search_finds_by_root_cause_and_says_what_was_done(database_url: str) -> None:
    async with on_stage(database_url) as play:
        await past(play, other_room(play))
        answer = await type_command(play, play.chandra, "/incident search small pools")
        assert "1 match for *small pools*" in answer
        assert "*INC-1* Checkout pool exhausted\nresolved Mon 23 Nov · #payments" in answer
        assert "Root cause: the connection pool was too small" in answer
        assert "1 of 2 actions done. Not done: alert on waiting connections" in answer
        answer = await type_command(play, play.chandra, "/incident search pool sandwich")
        assert "No incident matches all of *pool sandwich*. 1 matches some of it" in answer
        assert "No matches for *sandwich*." in await type_command(play, play.chandra, "/incident search sandwich")
        assert "Search for what?" in await type_command(play, play.chandra, '/incident search the "" *')
        assert "Search for what?" in await type_command(play, play.chandra, "/incident search")


async def test_a_private_channels_incident_is_found_by_its_members_only(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await past(play, other_room(play, private=True))
        assert "*INC-1*" in await type_command(play, play.bo, "/incident search pool")
        answer = await type_command(play, play.chandra, "/incident search pool")
        assert "INC-1" not in answer
        assert "No matches for *pool*." in answer


async def test_the_most_alike_is_proposed_and_accepted_into_both_sections(database_url: str) -> None:
    async with on_stage(database_url) as play:
        await past(play, other_room(play))
        await now_again(play)
        overview = await type_command(play, play.chandra, "/postmortem")
        assert "Has this happened before?" in overview
        assert "*INC-1* Checkout pool exhausted" in overview
        assert "_Words in common: " in overview
        assert labels(last(play, play.chandra))[-3:] == ["Same cause", "Not this one", "Show all checks"]
        answer = await press(play, play.chandra, "recall_same")
        assert "Added INC-1 to Recurrence of INC-2" in answer.plain.replace("*", "")
        sections = read_sections(play)
        first, cause, *done = sections["recurrence"].splitlines()
        assert first == "INC-1 Checkout pool exhausted, 2026-11-23"
        assert cause.endswith("the connection pool was too small")
        assert done == [
            "Actions then:",
            "- enlarge the pool (done 2026-11-23)",
            "- alert on waiting connections (still open, Bo Demo)",
        ]
        assert sections["backlog_check"].splitlines()[1:] == [done[2]]
        assert "Has this happened before?" not in await type_command(play, play.chandra, "/postmortem")


async def test_a_rejected_one_is_not_proposed_again(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await past(play, other_room(play))
        await now_again(play)
        await type_command(play, play.chandra, "/postmortem")
        await type_command(play, play.bo, "/postmortem")
        stale = having(play, play.bo, "recall_same")
        answer = await press(play, play.chandra, "recall_other")
        assert "INC-1 had another cause" in answer.plain
        assert "Has this happened before?" not in await type_command(play, play.chandra, "/postmortem")
        assert "Did INC-1" not in (await form(play, play.chandra, "recurrence")).plain
        await play.slack.click(play.bo, stale, "recall_same")
        await play.settle()
        assert "That's already decided" in last(play, play.bo).plain
        assert read_sections(play) == {}


async def test_in_a_sections_form_the_choice_is_kept_with_what_was_written(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await past(play, other_room(play))
        await past(play, other_room(play), "Checkout pool slow")
        await now_again(play)
        await type_command(play, play.ana, "/action enlarge the pool again")
        view = await form(play, play.ana, "backlog_check")
        assert "Did INC-1 have the same cause?" in view.plain
        answer = await play.slack.submit(
            play.ana, view, {"text_0": "The roadmap had it.", "alike_1": "Same cause", "alike_2": "Not this one"}
        )
        assert answer.errors == {}
        await play.settle()
        assert read_sections(play)["backlog_check"].startswith(
            "The roadmap had it.\n\nPromised after INC-1 and not done:\n- "
        )
        assert read_sections(play)["recurrence"].startswith("INC-1 ")
        assert "INC-2" not in read_sections(play)["recurrence"]
        incident = play.case().incident
        assert play.bot.store.read_now(lambda tx: search_store.list_verdicts(tx, incident.id)) == {1: True, 2: False}


async def test_a_private_incident_is_neither_proposed_nor_quoted_in_another_channel(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        room = other_room(play, private=True)
        await past(play, room)
        await now_again(play)
        assert "INC-1" not in await type_command(play, play.bo, "/postmortem")  # though Bo is in that channel
        await type_command(play, play.bo, "/incident open Checkout pool exhausted anew: connection", room)
        await type_command(play, play.bo, "/postmortem", room)
        await press(play, play.bo, "postmortem_show_all", channel=room)
        assert "*INC-1* Checkout pool exhausted" in having(play, play.bo, "recall_same", room).plain
        # A public channel that was made private since its incident was proposed.
        shown = having(play, play.bo, "recall_same", room)
        play.slack.workspace.channels[play.channel].private = True
        play.bot.services.slack.channels.forget(play.channel)
        (value,) = [value for _, action, value in shown.buttons if action == "recall_same" and '"other": 2' in value]
        await play.slack.click(play.bo, shown, "recall_same", value)
        await play.settle()
        seen = [message.plain for message in play.slack.messages(room, user=play.bo)]
        assert any("That incident can't be quoted here" in text for text in seen)
        assert play.case(room).sections == {}


async def test_redaction_takes_a_credential_out_of_the_search(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.bo, f"/timeline rotated the password={SECRET} by hand")
        await type_command(play, play.ana, f"/why the {SECRET} leaked")
        await type_command(play, play.ana, f"/action change {SECRET}")
        assert "1 match for" in await type_command(play, play.ana, "/incident search zebrafish9")
        await press(play, play.bo, "secret_redact")
        assert "No matches for" in await type_command(play, play.ana, "/incident search zebrafish9")
