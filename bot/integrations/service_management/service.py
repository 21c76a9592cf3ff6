"""What people ask of Jira Service Management: to open the channel's incident there, too."""

from bot.errors import Refused
from bot.integrations.service_management import views as service_management_views
from bot.integrations.subjects import SubjectKind, subject_of
from bot.integrations.systems import System
from bot.services.context import Request, Services, require_incident, run_once
from bot.slack.views.blocks import Message
from storage import links as links_store
from storage.database.statements import Transaction
from storage.links import LinkKey


async def open_incident(services: Services, request: Request) -> Message | None:
    """`/incident jsm`: open the channel's incident in the service project. Refused if none is connected."""
    if System.SERVICE_MANAGEMENT not in services.integrations.names:
        raise Refused(
            "Jira Service Management is not connected. Whoever runs Afterword can connect it: AFTERWORD_JSM_PROJECT."
        )

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request, locking=True)
        subject = subject_of(incident, SubjectKind.SERVICE_INCIDENT)
        thing = LinkKey(request.team, System.SERVICE_MANAGEMENT, subject, incident.id)
        link = links_store.find(tx, thing.team, thing.system, thing.subject)
        if link is not None and link.external_id:
            return service_management_views.in_jsm_already(incident, (link.external_id, link.url))
        links_store.enqueue(tx, thing, request.now)
        tx.note(incident.id, "incident in Jira Service Management")
        return service_management_views.on_its_way(incident)

    return await run_once(services, request, unit, verb="jsm.open_there")
