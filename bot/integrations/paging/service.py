"""What people ask of paging: to wake someone on call."""

from bot.domain.secrets import RecordKind, RecordRef
from bot.domain.text import clean_input
from bot.errors import Refused
from bot.integrations.memos import PagingMemo
from bot.integrations.paging import views as paging_views
from bot.integrations.paging.sync import add_note
from bot.integrations.subjects import SubjectKind, subject_of
from bot.integrations.systems import System
from bot.services import secrets as secrets_service
from bot.services.context import Request, Services, require_incident, run_once
from bot.slack.views.blocks import Message
from storage import links as links_store
from storage.database.statements import Transaction
from storage.links import LinkKey


async def page(services: Services, request: Request, words: str) -> Message | None:
    """`/incident page WORDS`: page the people on call. The timeline says that it was asked for, and when."""
    if System.PAGING not in services.integrations.names:
        raise Refused(
            "Nobody was paged: paging is not connected. Page as you usually do, and write it down with `/timeline`. "
            "Whoever runs Afterword can connect it: AFTERWORD_JSM_KEY."
        )
    words = " ".join(clean_input(words, "That page").split())

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request, locking=True)
        text = f"Asked to page: {words or incident.title}"
        number = add_note(tx, incident, request.user, text, request.now)
        secrets_service.warn(tx, incident, RecordRef(RecordKind.ENTRY, str(number)), text, request)
        thing = LinkKey(request.team, System.PAGING, subject_of(incident, SubjectKind.PAGE, number), incident.id)
        memo = PagingMemo(words or incident.title, request.user, request.now)
        links_store.enqueue(tx, thing, request.now, memo.to_json())
        return paging_views.paging(incident, number)

    return await run_once(services, request, unit, verb="paging.page")
