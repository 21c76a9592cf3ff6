"""A credential that also stands in other incidents: what was copied is reached, what was typed there is offered."""

import json

from bot.domain.records import EditOrigin
from bot.domain.secrets import REDACTED
from bot.rehearsal.screen import ShownMessage
from storage import audit as audit_store
from storage.postmortem import sections as sections_store
from storage.postmortem.sections import NewEdit
from storage.secrets import SearchScope, choose_mark, list_copies
from tests.handlers.test_alerts import open_from_suggestion
from tests.handlers.test_redaction import CLEAN, LEAK
from tests.handlers.test_secrets import PASSWORD, files
from tests.support.alert_senders import call, pagerduty, watch_alerts
from tests.support.interactions import labels, last, on_stage, open_incident, press, type_command
from tests.support.play import Play

BARE = f"the thing with {PASSWORD} once more"
"""It stands here without a word that says what it is: only the same words can find it."""


async def typed_there(play: Play, *people: str, private: bool = False) -> str:
    """An incident in another channel, in whose record people typed the same words; the channel."""
    room = play.slack.channel("search", list(people) or [play.bo, play.chandra], private=private)
    await play.slack.command(people[0] if people else play.bo, room, "/incident open Search is slow")
    opener = people[0] if people else play.bo
    for line in (f"/timeline {BARE}", "/incident resolved", f"/why because of {PASSWORD}", "/why edit 1 because"):
        await type_command(play, opener, line, room)
    await play.settle()
    return room


async def redact_message(play: Play) -> ShownMessage:
    """Bo leaks it in the first channel, and redacts it there; what he reads."""
    await open_incident(play)
    await type_command(play, play.bo, f"/timeline {LEAK}")
    return await press(play, play.bo, "secret_redact")


def everywhere(play: Play) -> str:
    """All that Slack was ever told, buttons included."""
    return json.dumps([call.args for call in play.slack.calls] + [answer.body for answer in play.slack.answers])


async def test_the_same_words_in_another_incident_are_offered_and_redacted_there(database_url: str) -> None:
    async with on_stage(database_url) as play:
        room = await typed_there(play)
        before = everywhere(play).count(PASSWORD)
        answer = await redact_message(play)
        assert "*INC-1* Search is slow contains the same text: #2 and why 1" in answer.plain
        assert labels(answer) == ["Redact in INC-1"]
        assert PASSWORD not in json.dumps(answer.blocks)
        case = play.case(room)
        assert BARE in [entry.text for entry in case.entries]
        done = await press(play, play.bo, "secret_redact_there")
        assert "Also redacted in *INC-1* Search is slow, in every version: #2 and why 1." in done.plain
        assert labels(done) == []
        case = play.case(room)
        assert BARE.replace(PASSWORD, REDACTED) in [entry.text for entry in case.entries]
        assert PASSWORD not in await type_command(play, play.bo, "/why show 1", room)
        lines = play.bot.store.read_now(lambda tx: audit_store.list_all(tx, case.incident.id))
        assert ("secrets.redact_there", play.bo) in [(line.verb, line.who) for line in lines]
        assert everywhere(play).count(PASSWORD) - before <= 1  # the command that leaked it is not ours


async def test_what_was_redacted_there_meanwhile_does_not_stand_there_any_more(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        room = await typed_there(play)
        await redact_message(play)
        await type_command(play, play.chandra, f"/timeline {LEAK}", room)
        await press(play, play.chandra, "secret_redact", channel=room)
        await press(play, play.bo, "secret_redact_there")
        assert "That text isn't there anymore: it was redacted or edited meanwhile." in last(play, play.bo).plain
        assert PASSWORD.encode() not in files(sqlite_url)


async def test_of_a_private_channel_only_its_members_are_offered_anything(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        room = await typed_there(play, play.chandra, private=True)
        answer = await redact_message(play)
        assert "also stand" not in answer.plain
        assert "Search" not in answer.plain
        assert PASSWORD in play.case(room).entries[1].text


async def test_who_left_the_channel_meanwhile_redacts_nothing_there(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        room = await typed_there(play, play.bo, private=True)
        assert labels(await redact_message(play)) == ["Redact in INC-1"]
        play.slack.workspace.channels[room].members.remove(play.bo)
        await play.pass_time(minutes=2)
        play.bot.services.slack.channels.forget(room)
        await press(play, play.bo, "secret_redact_there")
        assert PASSWORD in play.case(room).entries[1].text


async def test_several_incidents_are_offered_one_by_one_and_title_action_and_section_count(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        room = play.slack.channel("search", [play.bo])
        await type_command(play, play.bo, f"/incident open {BARE}", room)
        await type_command(play, play.bo, "/incident resolved", room)
        await type_command(play, play.bo, f"/action change {PASSWORD} @Bo Demo", room)
        await type_command(play, play.bo, "/incident open a second one", room)
        await type_command(play, play.bo, f"/timeline {BARE}", room)
        await play.settle()
        answer = await redact_message(play)
        assert "*INC-2* a second one contains the same text: #2" in answer.plain
        assert f"*INC-1* {BARE.replace(PASSWORD, REDACTED)} contains the same text: " in answer.plain
        assert "action 1, #1 and the title" in answer.plain
        assert labels(answer) == ["Redact in INC-2", "Redact in INC-1"]
        left = await press(play, play.bo, "secret_redact_there")
        assert "Also redacted in *INC-2*" in left.plain
        assert labels(left) == ["Redact in INC-1"]
        await press(play, play.bo, "secret_redact_there")
        assert PASSWORD.encode() not in files(sqlite_url)


async def quote_cause(play: Play) -> None:
    """INC-2, in the play's channel, was said to have INC-1's cause, and so quotes it."""
    payments = play.slack.channel("payments", [play.ana, play.bo])
    await open_incident(play, "Checkout pool exhausted", payments)
    for line in ("/incident resolved", f"/why because {LEAK} in the pool", "/why root"):
        await type_command(play, play.bo, line, payments)
    await play.pass_time(days=1)
    await open_incident(play, "Checkout fails: connection pool exhausted")
    await type_command(play, play.ana, "/incident resolved")
    await play.settle()
    await type_command(play, play.ana, "/postmortem")
    await press(play, play.ana, "recall_same")


async def test_a_draft_in_which_a_quotation_was_edited_is_reached_by_itself(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await quote_cause(play)
        case, escaped = play.case(), PASSWORD.replace("-", r"\-")
        edited = case.sections["recurrence"].text.replace(PASSWORD, escaped) + " as we see now"
        new = NewEdit("recurrence", EditOrigin.EDITED, edited, "f" * 12, 0, play.ana, "file", play.clock.now())
        play.bot.store.write_now(lambda tx: sections_store.add_edit(tx, case.incident.id, new))
        dm = play.slack.dm(play.bo)
        await press(play, play.bo, "secret_redact", channel=dm)
        answer = last(play, play.bo, dm)
        assert "so is the same text in Recurrence of INC-2." in answer.plain
        assert "also stand" not in answer.plain
        (draft,) = play.case().edited_sections
        assert CLEAN in draft.markdown
        assert draft.markdown.endswith("as we see now")
        assert escaped not in draft.markdown


async def test_the_alert_that_brought_it_is_redacted_with_the_entry(database_url: str) -> None:
    async with watch_alerts(database_url) as play:
        title = f"Checkout fails with {PASSWORD}"  # nothing says what it is, so no one was warned of it
        await call(play, "pagerduty", pagerduty("incident.triggered", "2026-11-23T12:20:04Z", title=title))
        await play.settle()
        await open_from_suggestion(play, channel=play.channel)
        incident = play.case().incident
        assert PASSWORD in incident.title
        holding = SearchScope(incident.id)
        mark = choose_mark(PASSWORD)
        found = play.bot.store.read_now(lambda tx: list_copies(tx, holding, mark))
        assert sorted(copy.place for copy in found) == ["alert", "alert_event"]
        await type_command(play, play.bo, f"/timeline {LEAK}")
        await press(play, play.bo, "secret_redact")
        assert play.case().incident.title == title.replace(PASSWORD, REDACTED)
        assert play.bot.store.read_now(lambda tx: list_copies(tx, holding, mark)) == ()
