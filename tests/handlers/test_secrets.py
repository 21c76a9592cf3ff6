"""A credential in the timeline: recorded, masked, and taken out of everything at one press."""

import subprocess
from pathlib import Path

from bot.domain import postmortem as postmortem_rules
from bot.domain.secrets import MASK, REDACTED
from bot.export import Exporter
from storage import timeline as timeline_store
from storage.postmortem import sections as sections_store
from tests.support.interactions import having, labels, last, on_stage, open_incident, press, type_command
from tests.support.play import Play

PASSWORD = "hunter" + "2-of-demo"
LEAK = f"rotated the password={PASSWORD} by hand"


def exports(play: Play) -> list[bytes]:
    document = postmortem_rules.compile_document(play.case(), play.clock.now())
    return [Exporter().render(document, form) for form in ("markdown", "html", "json", "csv")]


def read_channel(play: Play) -> str:
    """Everything that anyone sees in the channel now."""
    people = (play.ana, play.bo, play.chandra)
    return "\n".join(
        str(one.blocks) + one.plain for user in people for one in play.slack.messages(play.channel, user=user)
    )


def files(url: str) -> bytes:
    """The database's files, log included; read by another process, for closing them here would drop SQLite's locks."""
    path = Path(url.removeprefix("sqlite:///"))
    found = sorted(path.parent.glob(f"{path.name}*"))
    return subprocess.run(["cat", *found], check=True, capture_output=True).stdout


async def test_a_credential_is_recorded_and_only_its_author_is_warned(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        answer = await type_command(play, play.bo, f"/timeline 07:00 {LEAK}")
        assert play.case().entries[0].text == LEAK
        assert f"password={MASK} by hand" in answer
        assert "This looks like a password." in answer
        assert labels(last(play, play.bo)) == ["Edit", "History", "Redact", "Not a secret", "Undo", "That was UTC"]
        await play.settle()
        assert PASSWORD not in read_channel(play)
        assert f"password={MASK}" in having(play, play.ana, "timeline_show").plain


async def test_redact_takes_it_out_of_every_wording_answer_export_and_file(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.bo, f"/timeline {LEAK}")
        await type_command(play, play.ana, f"/timeline edit 2 {LEAK} at last")
        await type_command(play, play.ana, f"/timeline and again {PASSWORD}")
        await type_command(play, play.ana, "/incident resolved")
        await type_command(play, play.ana, f"/why the {PASSWORD} leaked")
        await type_command(play, play.ana, f"/action change {PASSWORD}")
        before = exports(play)
        assert PASSWORD.encode() in before[0]
        assert PASSWORD.encode() in files(sqlite_url)
        await press(play, play.bo, "secret_redact")
        assert "#2 is redacted in every version, and so is the same text in #3, why 1 and action 1." in read_channel(
            play
        )
        assert [entry.text for entry in play.case().entries][1:3] == [
            f"rotated the password={REDACTED} by hand at last",
            f"and again {REDACTED}",
        ]
        assert not [form for form in exports(play) if PASSWORD.encode() in form]
        assert PASSWORD.encode() not in files(sqlite_url)


async def test_the_history_says_who_redacted_and_when(database_url: str) -> None:
    async with on_stage(database_url) as play:
        await open_incident(play)
        await type_command(play, play.bo, f"/timeline {LEAK}")
        await press(play, play.bo, "secret_redact")
        history = await type_command(play, play.ana, "/timeline show 2")
        assert "1. Added by Bo Demo, 12:30 UTC" in history
        assert "2. Redacted by Bo Demo, 12:30 UTC" in history
        assert history.count(f"rotated the password={REDACTED} by hand") == 2


async def test_a_credential_that_was_edited_away_is_still_redacted_from_the_history(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.bo, f"/timeline {LEAK}")
        await type_command(play, play.ana, "/timeline edit 2 rotated the password")
        await press(play, play.bo, "secret_redact")
        assert play.case().entries[-1].text == "rotated the password"
        (entry,) = play.case().entries[1:]
        texts = [
            version.text for version in play.bot.store.read_now(lambda tx: timeline_store.list_versions(tx, entry.id))
        ]
        assert texts == [f"rotated the password={REDACTED} by hand", "rotated the password", "rotated the password"]
        assert PASSWORD.encode() not in files(sqlite_url)


async def test_what_is_harmless_stands_and_its_receipt_is_like_any_other(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.bo, f"/timeline {LEAK}")
        answer = await press(play, play.bo, "secret_harmless")
        assert LEAK in answer.plain
        assert labels(answer) == ["Edit", "History", "Undo"]
        assert play.case().entries[-1].text == LEAK


async def test_redacting_twice_says_so(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.bo, f"/timeline {LEAK}")
        receipt = having(play, play.bo, "secret_redact")
        await type_command(play, play.bo, f"/timeline edit 2 {LEAK} at last")
        await press(play, play.bo, "secret_redact")
        await play.slack.click(play.bo, receipt, "secret_redact")
        await play.settle()
        assert "#2 is already redacted." in read_channel(play)


async def test_an_edit_that_brings_a_credential_in_warns_as_well(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.bo, "/timeline rotated by hand")
        answer = await type_command(play, play.bo, f"/timeline edit 2 {LEAK}")
        assert "This looks like a password." in answer
        assert PASSWORD not in answer
        await press(play, play.bo, "secret_redact")
        assert PASSWORD.encode() not in files(sqlite_url)


async def test_a_question_of_a_time_keeps_no_copy_of_the_credential(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.bo, f"/timeline 03/04 14:05 {LEAK}")
        await press(play, play.bo, "timeline_at_0")
        await press(play, play.bo, "secret_redact")
        assert PASSWORD.encode() not in files(sqlite_url)


async def test_what_was_announced_aloud_leaves_the_database_with_the_entry(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.bo, f"/timeline {LEAK}")
        await type_command(play, play.bo, f"/incident mitigated {LEAK}")
        await press(play, play.bo, "secret_redact")
        assert PASSWORD.encode() not in files(sqlite_url)
        assert [entry.text for entry in play.case().entries][2] == f"rotated the password={REDACTED} by hand"


async def test_a_section_that_quotes_it_is_redacted_with_it(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.bo, f"/timeline {LEAK}")
        incident = play.case().incident
        await play.bot.store.write(
            lambda tx: sections_store.save(tx, incident.id, "impact", f"{PASSWORD} leaked", play.bo, play.clock.now())
        )
        await press(play, play.bo, "secret_redact")
        assert "#2 is redacted in every version, and so is the same text in the section Impact." in read_channel(play)
        assert play.case().sections["impact"].text == f"{REDACTED} leaked"
        assert PASSWORD.encode() not in files(sqlite_url)


async def test_a_milestone_with_a_credential_is_announced_masked_and_its_author_warned_in_a_dm(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        answer = await type_command(play, play.bo, f"/incident mitigated {LEAK}")
        assert f"password={MASK} by hand" in answer
        await play.settle()
        warning = last(play, play.bo, play.slack.dm(play.bo))
        assert "This looks like a password." in warning.plain
        assert PASSWORD not in warning.plain
        await play.slack.click(play.bo, warning, "secret_redact")
        await play.settle()
        assert play.case().entries[-1].text == f"rotated the password={REDACTED} by hand"
        assert PASSWORD not in read_channel(play)


async def test_nobody_else_redacts_from_outside_the_channel(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.bo, f"/timeline {LEAK}")
        elsewhere = play.slack.channel("elsewhere", [play.chandra])
        await type_command(play, play.chandra, "/incident open another", elsewhere)
        await type_command(play, play.chandra, f"/timeline {LEAK}", elsewhere)
        await play.settle()
        receipt = having(play, play.chandra, "secret_redact", elsewhere)
        await play.slack.click(play.chandra, receipt, "secret_redact")
        await play.settle()
        assert play.case().entries[-1].text == LEAK
        assert REDACTED in play.case(elsewhere).entries[-1].text
