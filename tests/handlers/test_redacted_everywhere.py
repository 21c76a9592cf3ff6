"""After a redaction, or once a person is forgotten: nothing is left in the database, nor in messages of the bot."""

import json

from sqlalchemy import text

from bot.services.history import people as people_service
from bot.slack.views import blocks
from storage import deliveries as deliveries_store
from storage.secrets import wipe
from storage.tables import metadata
from tests.handlers.test_secrets import files
from tests.support.alert_senders import call, pagerduty, watch_alerts
from tests.support.interactions import open_incident, type_command
from tests.support.play import Play

NAME = "Zephyrine Quast"
PARTS = ("zephyrine", "quast")


def shown_by_bot(play: Play) -> dict[str, str]:
    """Every message of the bot that it may still change: in channels, threads and conversations with people."""
    return {
        f"{one.channel} {one.ts}": json.dumps([one.text, one.blocks, one.attachments, one.plain])
        for channel in play.slack.workspace.channels
        for one in play.slack.messages(channel)
        if one.user == play.slack.bot_user_id and not one.ephemeral_for
    }


def leaks(play: Play, parts: tuple[str, ...] = PARTS) -> list[str]:
    shown = shown_by_bot(play)
    return [f"{where}: {message}" for where, message in shown.items() if any(part in message.lower() for part in parts)]


def all_values(play: Play) -> str:
    """Every value of every table, whatever the database."""
    queries = [text(f'SELECT * FROM "{table.name}"') for table in metadata.sorted_tables]
    with play.bot.store.driver.engine().connect() as connection:
        rows = [row for query in queries for row in connection.execute(query)]
    return "\n".join(str(value) for row in rows for value in row).lower()


async def fill(play: Play) -> None:
    """Her name in every place that people can write it to, and every message that the bot composes of those."""
    await open_incident(play, f"{NAME} cannot pay")
    await type_command(play, play.ana, f"/timeline 07:00 {NAME} called")
    await type_command(play, play.ana, f"/timeline edit 2 {NAME.upper()} called twice")
    await type_command(play, play.ana, "/incident lead @Bo Demo")
    await type_command(play, play.ana, f"/action call {NAME} back @Bo Demo due 2026-11-24")
    await type_command(play, play.bo, f"/action write to {NAME} @Chandra Demo due 2026-11-24")
    await play.settle()
    await type_command(play, play.ana, "/incident resolved")
    await play.settle()
    await type_command(play, play.ana, "/postmortem owner @Chandra Demo")
    await type_command(play, play.ana, f"/why because {NAME} was migrated first")
    await type_command(play, play.ana, f"/why because nobody asked {NAME}")
    for _ in range(4):
        await play.pass_time(hours=24)
        await play.settle()
    incident = play.case().incident
    post = blocks.message(f"It was {NAME}, and a customer.")
    play.bot.store.write_now(lambda tx: deliveries_store.enqueue_message(tx, incident, post, play.clock.now()))
    await type_command(play, play.bo, "/action done 1")
    await play.pass_time(seconds=5)
    await play.settle()


async def test_redacted_words_are_nowhere(database_url: str) -> None:
    async with watch_alerts(database_url) as play:
        await call(play, "pagerduty", pagerduty("incident.triggered", "2026-11-23T12:20:04Z"))
        await fill(play)
        places = {leak.split()[0] for leak in leaks(play)}
        assert len(places) >= 3, places  # the channel, and two people's conversations with the bot
        answer = await type_command(play, play.ana, f'/timeline redact 2 "{NAME}"')
        assert "is redacted in every version" in answer
        for _ in range(3):
            await play.pass_time(seconds=30)
            await play.settle()
        assert leaks(play) == []
        found = all_values(play)
        assert [part for part in PARTS if part in found] == []
        wipe(play.bot.store)
    if database_url.startswith("sqlite"):
        content = files(database_url).lower()
        assert [part for part in PARTS if part.encode() in content] == []


async def test_a_forgotten_person_is_in_no_message_to_others(database_url: str) -> None:
    async with watch_alerts(database_url) as play:
        await fill(play)
        parts, own = (play.bo.lower(), "bo demo"), play.slack.dm(play.bo)
        assert len({leak.split()[0] for leak in leaks(play, parts)} - {own}) >= 2
        play.slack.workspace.users[play.bo].deleted = True
        people_service.forget(play.bot.store, play.bo, (), play.clock.now(), is_dry=False)
        for _ in range(3):
            await play.pass_time(seconds=30)
            await play.settle()
        # The public answer to a command is no message of the bot's: Slack gives it no address to change it at.
        answers = (own, next(leak for leak in shown_by_bot(play) if "*INC-1 resolved*" in shown_by_bot(play)[leak]))
        assert [leak for leak in leaks(play, parts) if not leak.startswith(answers)] == []
        assert [part for part in parts if part in all_values(play)] == []
