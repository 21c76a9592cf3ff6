"""`/timeline redact 4 "…"`: words that are no credential go from every version, copy and message, for those who may."""

import json

import pytest
from sqlalchemy import text

from bot.domain.secrets import find_words, has_remainder, is_redactable, read_quoted
from bot.slack.views import blocks
from storage import deliveries as deliveries_store
from storage import timeline as timeline_store
from storage.history import chain as chain_store
from storage.postmortem import sections as sections_store
from tests.handlers.test_secrets import exports, files
from tests.handlers.test_whys import resolve_incident
from tests.support.interactions import on_stage, open_incident, type_command
from tests.support.play import Play

NAME = "Acme Übersee & Söhne"
REDACT = f'/timeline redact 2 "{NAME}"'


async def _record_words(play: Play) -> None:
    await open_incident(play)
    await type_command(play, play.bo, f"/timeline 07:00 {NAME} called")
    await type_command(play, play.ana, f"/timeline edit 2 {NAME.upper()} called twice")
    await type_command(play, play.ana, f"/timeline wrote to {NAME}")
    await type_command(play, play.ana, f"/action call {NAME} back @Bo Demo")
    await play.settle()


def everything(play: Play) -> str:
    """Every text of the database, as PostgreSQL and SQLite both give it."""
    tables = ("entry", "entry_version", "why", "why_version", "section", "action", "incident", "inbox", "delivery")
    with play.bot.store.driver.engine().connect() as connection:
        rows = [row for table in tables for row in connection.execute(text(f"SELECT * FROM {table}"))]
    return "\n".join(str(value) for row in rows for value in row)


async def test_words_go_from_every_version_and_copy_and_the_chain_stays_whole(database_url: str) -> None:
    async with on_stage(database_url) as play:
        await _record_words(play)
        answer = await type_command(play, play.bo, REDACT)
        assert "#2 is redacted in every version, and so are the same words in #3 and action 1." in answer
        assert NAME not in answer
        await play.settle()
        stored = everything(play)
        for form in (NAME, NAME.upper(), "Acme", "ACME", json.dumps(NAME)[1:-1]):
            assert form not in stored
        assert not [form for form in exports(play) if b"Acme" in form or b"ACME" in form]
        history = await type_command(play, play.ana, "/timeline show 2")
        assert "Redacted by Bo Demo" in history
        report = chain_store.verify(play.bot.store)
        assert report.faults == ()
        assert report.redacted > 0


async def test_the_database_files_and_the_bots_messages_in_the_channel_lose_them_too(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await _record_words(play)
        incident, post = play.case().incident, blocks.message(f"It was {NAME}, and a customer.")
        play.bot.store.write_now(lambda tx: deliveries_store.enqueue_message(tx, incident, post, play.clock.now()))
        await play.pass_time(seconds=5)
        assert f"It was {NAME}" in posted_text(play)
        await type_command(play, play.bo, REDACT)
        await play.pass_time(seconds=5)
        await play.settle()
        assert b"bersee" not in files(sqlite_url)
        assert "bersee" not in posted_text(play)
        assert "It was [redacted], and a customer." in posted_text(play)


def posted_text(play: Play) -> str:
    """What all see in the channel: the messages that Slack lets an app change."""
    shown = [one for one in play.slack.messages(play.channel) if not one.ephemeral_for]
    return "\n".join(str(one.blocks) + one.plain for one in shown)


@pytest.mark.parametrize("who", ["lead", "owner"])
async def test_the_lead_and_the_postmortems_owner_may(sqlite_url: str, who: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.bo, f"/timeline {NAME} called")
        refused = await type_command(play, play.chandra, REDACT)
        assert "Only its author, the incident's lead or the postmortem's owner can redact words of #2." in refused
        command = "/incident lead" if who == "lead" else "/postmortem owner"
        await type_command(play, play.ana, f"{command} @Chandra Demo")
        assert "is redacted in every version" in await type_command(play, play.chandra, REDACT)
        assert "Acme" not in play.case().entries[1].text


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("redact 2 Acme", 'Put the words to redact in quotation marks: `/timeline redact 2 "the words"`'),
        ("redact 2", 'Put the words to redact in quotation marks: `/timeline redact 2 "the words"`'),
        ('redact 2 "ab"', "too short"),
        ('redact 2 "redacted"', "too short"),
        ('redact 2 "Initech"', "#2 doesn't contain those words."),
        ('redact 9 "Acme"', "INC-1 has no #9."),
    ],
)
async def test_what_cannot_be_redacted_is_said_and_nothing_is_recorded(
    sqlite_url: str, typed: str, sentence: str
) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.bo, f"/timeline {NAME} called")
        before = everything(play).count("Acme")
        assert sentence in await type_command(play, play.bo, f"/timeline {typed}")
        assert len(play.case().entries) == 2
        assert everything(play).count("Acme") == before
        assert "Initech" not in everything(play)


async def test_twice_is_once(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.bo, f"/timeline {NAME} called")
        await type_command(play, play.bo, REDACT)
        assert "doesn't contain those words" in await type_command(play, play.bo, REDACT)
        (entry,) = [one for one in play.case().entries if one.number == 2]
        assert entry.text == "[redacted] called"
        assert len(play.bot.store.read_now(lambda tx: timeline_store.list_versions(tx, entry.id))) == 2


async def test_words_of_a_why_go_from_the_sections_as_well(database_url: str) -> None:
    async with on_stage(database_url) as play:
        await resolve_incident(play)
        await type_command(play, play.bo, f"/why because {NAME} was migrated first")
        incident = play.case().incident
        play.bot.store.write_now(
            lambda tx: sections_store.save(tx, incident.id, "impact", f"Only {NAME}.", play.ana, play.clock.now())
        )
        answer = await type_command(play, play.bo, f"/why redact 1 “{NAME}”")
        assert "Why 1 is redacted in every version, and so are the same words in the section Impact." in answer
        await play.settle()
        assert "Acme" not in everything(play)
        assert play.case().sections["impact"].text == "Only [redacted]."


async def test_what_was_exported_before_is_named(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        await type_command(play, play.bo, f"/timeline {NAME} called")
        number = play.case().entries[-1].number
        await type_command(play, play.bo, "/postmortem export markdown")
        await play.settle()
        answer = await type_command(play, play.bo, f'/timeline redact {number} "{NAME}"')
        assert "Exported earlier, with the words still in it: 1 file in Slack." in answer


def test_only_whole_quotations_are_read() -> None:
    for typed in ('"a b"', "“a b”", "„a b“", "«a b»", "'a b'", "`a b`", '  "a b"  '):
        assert read_quoted(typed) == "a b"
    for typed in ("a b", '"a b', 'a "b"', '""', '"', "“"):
        assert read_quoted(typed) == ""


def test_words_are_found_in_any_case_and_remainders_are_seen() -> None:
    assert find_words(["ACME and acme", "none"], "Acme") == {"ACME", "acme"}
    assert is_redactable("Acme")
    assert not is_redactable("act")
    assert has_remainder("the customer *Acme* _Corp_", "Acme Corp")
    assert has_remainder("the customer Acme Co…", "Acme Corp")
    assert not has_remainder("the customer called", "customer Acme")
