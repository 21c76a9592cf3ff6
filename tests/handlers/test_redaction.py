"""A credential in a title, a why, an action or a section: masked, its author warned, and taken out everywhere."""

from bot.domain.records import AuditLine
from bot.domain.secrets import MASK, REDACTED
from bot.rehearsal.screen import ShownMessage
from storage import audit as audit_store
from storage.database.statements import Transaction
from storage.postmortem import sections as sections_store
from tests.handlers.test_capture_files import TABLE, list_files
from tests.handlers.test_secrets import PASSWORD, exports, files, read_channel
from tests.handlers.test_similar_incidents import form
from tests.handlers.test_stale_buttons import press_old
from tests.handlers.test_why_threads import thread
from tests.handlers.test_whys import resolve_incident
from tests.support.interactions import having, labels, last, on_stage, open_incident, press, type_command
from tests.support.play import Play

LEAK = f"the password={PASSWORD} was shared"
CLEAN = f"the password={REDACTED} was shared"


async def warning(play: Play, user: str) -> ShownMessage:
    """The warning in someone's DM, which does not quote what it warns of."""
    await play.settle()
    found = last(play, user, play.slack.dm(user))
    assert "This looks like a password." in found.plain
    assert PASSWORD not in found.plain
    return found


async def press_redact(play: Play, user: str) -> str:
    """[Redact] in the DM; the answer."""
    await play.slack.click(user, await warning(play, user), "secret_redact")
    await play.settle()
    return last(play, user, play.slack.dm(user)).plain


async def test_a_title_is_masked_and_redacted_with_the_entry_that_quotes_it(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play, LEAK)
        assert PASSWORD not in read_channel(play)
        assert f"INC-1 the password={MASK} was shared" in having(play, play.bo, "timeline_show").plain
        answer = await type_command(play, play.bo, "/incident list")
        assert f"*INC-1* the password={MASK} was shared" in answer
        assert "The title is redacted in every version, and so is the same text in #1." in await press_redact(
            play, play.ana
        )
        case = play.case()
        assert (case.incident.title, case.entries[0].text) == (CLEAN, f"Incident opened: {CLEAN}")
        assert PASSWORD.encode() not in files(sqlite_url)
        assert not [form for form in exports(play) if PASSWORD.encode() in form]


async def test_a_title_that_was_replaced_is_redacted_where_the_timeline_tells_it(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play, LEAK)
        assert PASSWORD not in await type_command(play, play.bo, "/incident rename a password leaked")
        assert "so is the same text in #1 and #2" in await press_redact(play, play.ana)
        assert f"Renamed from {CLEAN} to a password leaked" in [entry.text for entry in play.case().entries]
        assert PASSWORD.encode() not in files(sqlite_url)


async def test_a_new_title_warns_whoever_gave_it(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        assert PASSWORD not in await type_command(play, play.bo, f"/incident rename {LEAK}")
        await press_redact(play, play.bo)
        assert play.case().incident.title == CLEAN
        assert PASSWORD.encode() not in files(sqlite_url)


async def test_a_why_is_redacted_in_every_wording_and_its_history_says_so(database_url: str) -> None:
    async with on_stage(database_url) as play:
        await resolve_incident(play)
        await type_command(play, play.bo, f"/why because {LEAK}")
        warned = await warning(play, play.bo)
        assert "why 1" in warned.plain
        await type_command(play, play.ana, "/why edit 1 because it was shared")
        assert "Why 1 is redacted in every version." in await press_redact(play, play.bo)
        history = await type_command(play, play.ana, "/why show 1")
        assert f"1. Added by Bo Demo, 12:30 UTC: because {CLEAN}" in history
        assert "3. Redacted by Bo Demo" in history
        assert PASSWORD not in read_channel(play)
        assert "is already redacted" in await press_old(play, play.bo, warned, "secret_redact")


async def redacted_again(play: Play, user: str) -> str:
    warned = next(m for m in play.slack.messages(play.slack.dm(user)) if "secret_redact" in [b[1] for b in m.buttons])
    await play.slack.click(user, warned, "secret_redact")
    await play.settle()
    return last(play, user, play.slack.dm(user)).plain


async def test_an_edit_that_brings_one_into_a_why_warns_as_well(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        await type_command(play, play.bo, "/why because it was shared")
        await type_command(play, play.chandra, f"/why edit 1 because {LEAK}")
        assert "Why 1 is redacted" in await press_redact(play, play.chandra)
        assert play.case().whys[0].text == f"because {CLEAN}"
        assert PASSWORD.encode() not in files(sqlite_url)


async def test_an_action_is_masked_for_all_and_redacted_or_left(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        receipt = await type_command(play, play.bo, f"/action find out why {LEAK}")
        assert f"find out why the password={MASK} was shared" in receipt
        await play.slack.click(play.bo, await warning(play, play.bo), "secret_harmless")
        await play.settle()
        answer = last(play, play.bo, play.slack.dm(play.bo))
        assert answer.plain == f"Action 1 stays as you wrote it: find out why {LEAK}"
        assert MASK in await type_command(play, play.ana, "/action list")
        assert "is redacted in every version." in await redacted_again(play, play.bo)
        assert play.case().actions[0].text == f"find out why {CLEAN}"
        assert PASSWORD.encode() not in files(sqlite_url)


async def test_a_section_is_redacted_in_every_saving_and_a_form_left_open_brings_nothing_back(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        await play.slack.submit(play.bo, await form(play, play.bo, "fault"), {"text_0": f"First {LEAK}"})
        await play.slack.submit(play.bo, await form(play, play.bo, "fault"), {"text_0": f"Then {LEAK}"})
        left_open = await form(play, play.chandra, "fault")
        assert "the section Fault" in (await warning(play, play.bo)).plain
        assert "The section Fault is redacted in every version." in await press_redact(play, play.bo)
        incident = play.case().incident

        def texts(tx: Transaction) -> list[str]:
            return [saved.text for saved in sections_store.list_versions_of(tx, incident.id, "fault")]

        assert play.bot.store.read_now(texts) == [f"First {CLEAN}", f"Then {CLEAN}", f"Then {CLEAN}"]
        assert PASSWORD.encode() not in files(sqlite_url)
        await play.slack.submit(play.chandra, left_open)
        (again,) = play.slack.views(play.chandra)
        assert "*Bo Demo saved Fault while you were writing.*" in again.plain
        assert play.case().sections["fault"].text == f"Then {CLEAN}"


async def test_what_another_incident_quotes_is_reached_by_a_later_redaction(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        payments = play.slack.channel("payments", [play.ana, play.bo])
        await open_incident(play, "Checkout pool exhausted", payments)
        await type_command(play, play.bo, "/incident resolved", payments)
        await type_command(play, play.bo, f"/why because {LEAK} in the pool", payments)
        await type_command(play, play.bo, "/why root", payments)
        await play.pass_time(days=1)
        await open_incident(play, "Checkout fails: connection pool exhausted")
        await type_command(play, play.ana, "/incident resolved")
        await play.settle()
        await type_command(play, play.ana, "/postmortem")
        await press(play, play.ana, "recall_same")
        assert PASSWORD in play.case().sections["recurrence"].text
        answer = await redacted_again(play, play.bo)
        assert "so is the same text in Recurrence of INC-2." in answer
        assert CLEAN in play.case().sections["recurrence"].text
        assert PASSWORD.encode() not in files(sqlite_url)
        assert "recurrence" in [line.what.removeprefix("section ") for line in audit(play)]


async def test_redacting_a_quotation_says_where_it_was_quoted_from(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        payments = play.slack.channel("payments", [play.ana, play.bo])
        await open_incident(play, "Checkout pool exhausted", payments)
        await type_command(play, play.bo, "/incident resolved", payments)
        await type_command(play, play.bo, f"/why because {LEAK} in the pool", payments)
        await type_command(play, play.bo, "/why root", payments)
        await play.pass_time(days=1)
        await open_incident(play, "Checkout fails: connection pool exhausted")
        await type_command(play, play.ana, "/incident resolved")
        await play.settle()
        await type_command(play, play.ana, "/postmortem")
        await press(play, play.ana, "recall_same")
        answer = await redacted_again(play, play.ana)
        assert "The section Recurrence is redacted in every version." in answer
        assert "*INC-1* Checkout pool exhausted contains the same text: why 1\nRedact in INC-1" in answer
        assert CLEAN in play.case().sections["recurrence"].text
        assert LEAK in play.case(payments).whys[0].text


def audit(play: Play) -> tuple[AuditLine, ...]:
    incident = play.case().incident
    return play.bot.store.read_now(lambda tx: audit_store.list_all(tx, incident.id))


async def capture_message(play: Play) -> None:
    """A message with a credential and two files, recorded by a mention."""
    await open_incident(play)
    hanging = [("dump.csv", TABLE), ("more.csv", TABLE)]
    await play.slack.say(play.bo, play.channel, f"@afterword 07:00 {LEAK}", files=hanging)
    await play.settle()


async def test_redact_keeps_the_files_of_an_entry_and_says_so(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await capture_message(play)
        receipt = having(play, play.bo, "secret_redact")
        assert "*Redact with files* also deletes dump.csv and more.csv." in receipt.plain
        assert labels(receipt)[2:5] == ["Redact", "Redact with files", "Not a secret"]
        await press(play, play.bo, "secret_redact")
        assert [file.content for file in list_files(play)] == [TABLE, TABLE]


async def test_redact_with_files_lets_go_of_their_bytes_and_names_them(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await capture_message(play)
        assert TABLE in files(sqlite_url)
        answer = await press(play, play.bo, "secret_redact_files")
        assert "Deleted dump.csv and more.csv." in answer.plain
        assert [(file.name, file.state, file.content) for file in list_files(play)] == [
            ("dump.csv", "refused", b""),
            ("more.csv", "refused", b""),
        ]
        assert play.case().entries[0].text == CLEAN
        assert TABLE not in files(sqlite_url)
        assert (
            b"File dump.csv, 8 B \xe2\x80\x94 not kept: it was deleted when its entry was redacted" in exports(play)[0]
        )


async def test_an_edit_of_an_entry_with_files_offers_to_let_go_of_them(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await play.slack.say(play.bo, play.channel, "@afterword it was shared", files=[("dump.csv", TABLE)])
        await play.settle()
        answer = await type_command(play, play.bo, f"/timeline edit 2 {LEAK}")
        assert "*Redact with files* also deletes dump.csv. *Redact* keeps it." in answer


async def test_nobody_else_redacts_from_their_dm(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        await type_command(play, play.bo, f"/why because {LEAK}")
        (value,) = {button[2] for button in (await warning(play, play.bo)).buttons}
        room = play.slack.channel("elsewhere", [play.chandra])
        await type_command(play, play.chandra, f"/incident open {LEAK}", room)
        theirs = await warning(play, play.chandra)
        stolen = play.slack.workspace.channels[theirs.channel].messages[theirs.ts]
        for block in stolen.blocks:
            for element in block.get("elements", ()):
                element["value"] = value
        await play.slack.click(play.chandra, theirs, "secret_redact")
        await play.settle()
        assert play.case().whys[0].text == f"because {LEAK}"
        assert (
            "This button works in the channel of INC-1" in last(play, play.chandra, play.slack.dm(play.chandra)).plain
        )


async def test_the_messages_in_the_thread_of_the_whys_are_redacted_too(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        await type_command(play, play.bo, f"/why because {LEAK}")
        await type_command(play, play.ana, "/why because it was in the image")
        await press_redact(play, play.bo)
        texts = [message.plain for message in thread(play) if message.user == play.slack.bot_user_id]
        assert [MASK in text for text in texts] == [False] * len(texts)
        assert any(CLEAN in text for text in texts[1:])
