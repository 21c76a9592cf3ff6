"""An import beside the running bot: the bot knows the incident at once, and Slack hears nothing of it."""

from bot.export.json import reader as json_reader
from bot.services.documents import drafts as drafts_service
from bot.services.documents.drafts import Imported, ImportRequest
from storage.database.store import Store, open_store
from tests.support import full_incident
from tests.support.full_incident import RULES, export_incident
from tests.support.interactions import is_receipt, on_stage, open_incident, type_command
from tests.support.play import TEAM, Play
from tests.support.timeouts import PATIENT


def take_in(play: Play, content: bytes) -> Imported:
    """As the command line does: another connection to the same database, on the same clock."""
    beside = open_store(play.bot.settings.sqlalchemy_url, timeouts=PATIENT)
    try:
        wish = ImportRequest(team=TEAM, channel=play.channel)
        return drafts_service.import_record(beside, json_reader.read(content), wish, RULES, play.clock.now())
    finally:
        beside.close()


async def test_the_bot_lists_finds_and_exports_what_was_imported_beside_it(
    sqlite_store: Store, database_url: str
) -> None:
    sqlite_store.write_now(full_incident.write)
    if database_url.startswith("sqlite"):
        database_url += ".play"
    async with on_stage(database_url) as play:
        await type_command(play, play.ana, "/incident open Something else")
        await type_command(play, play.ana, "/incident resolved")
        await play.settle()
        said_before = len(play.slack.calls)
        assert take_in(play, export_incident(sqlite_store)).incident.key == "INC-2"
        await play.settle()
        posts = [call.method for call in play.slack.calls[said_before:] if not call.method.startswith("users.")]
        assert posts == []
        assert "INC-2* Checkout <fails>" in (await type_command(play, play.bo, "/incident list")).replace(
            "&lt;", "<"
        ).replace("&gt;", ">")
        assert "INC-2" in await type_command(play, play.bo, "/incident search alarm")
        assert "Failed over to replica" in await type_command(play, play.bo, "/timeline show")
        assert is_receipt(await type_command(play, play.bo, "/timeline One more thing"))
        await open_incident(play, "The next one")
        assert "INC-3" in await type_command(play, play.bo, "/incident list")
