"""Followers: single people who read of an incident by direct message, in one message that is kept up to date.

Also what happens when a channel becomes private, or public again: what was sent of it outside is looked at again.
"""

from bot.domain.records import Incident, Place
from bot.errors import Refused
from bot.services.announcements import posts as posts_service
from bot.services.context import Request, Services, describe_missing, require_visible, run_once
from bot.slack.views import announcements as announcements_views
from bot.slack.views.blocks import Message
from storage import incidents as incidents_store
from storage.announcements import posts as posts_store
from storage.database.statements import Transaction


def _require_incident(tx: Transaction, request: Request) -> Incident:
    """The incident that is meant. Whoever may look into its channel may follow it, also from outside.

    Raises Refused if there is none.
    """
    if request.incident_id is None:
        here = incidents_store.find_current(tx, request.place)
        if here is None:
            raise Refused(describe_missing(request))
        return here
    found = incidents_store.find(tx, request.incident_id)
    if found is None or found.team != request.team:
        raise Refused("That incident isn't in this workspace anymore.")
    return found


async def follow(services: Services, request: Request) -> Message | None:
    """Send the person the incident by direct message from now on."""
    await require_visible(services, request)

    def unit(tx: Transaction) -> Message:
        incident = _require_incident(tx, request)
        if incident.is_closed:
            raise Refused(f"{incident.key} is finished. To read about it: `/postmortem export {incident.key}`")
        if not posts_store.add(tx, incident, request.user):
            raise Refused(f"You're already following {incident.key}: look for it in your messages with me.")
        for post in posts_store.list_by_incident(tx, incident.id):
            if post.recipient == request.user:
                posts_service.enqueue_post(tx, post, request.now)
        return announcements_views.follow_receipt(incident)

    return await run_once(services, request, unit, verb="announcements.follow")


async def unfollow(services: Services, request: Request) -> Message | None:
    """Send the person no more of the incident. Their message becomes one line."""

    def unit(tx: Transaction) -> Message:
        incident = _require_incident(tx, request)
        post = posts_store.remove(tx, incident.id, request.user)
        if post is None:
            raise Refused(f"You aren't following {incident.key}. To start: `/incident follow {incident.key}`")
        if post.ts:
            line = announcements_views.unfollowed_message(incident)
            posts_service.replace_post(tx, post, incident, line, request.now)
        return announcements_views.unfollow_receipt(incident)

    return await run_once(services, request, unit, verb="announcements.unfollow")


async def look_at_channel(services: Services, place: Place) -> None:
    """A channel became private or public: look again at what people outside read of its incidents."""
    services.slack.channels.forget(place.channel)
    now = services.clock.now()
    await services.store.write(lambda tx: posts_service.look_at_channel(tx, place.team, place.channel, now))
    services.slack.outbox.notify()
