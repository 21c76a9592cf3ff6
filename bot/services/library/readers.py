"""Who may read what outside of Slack: by the same rules as in Slack, for each page and each sum."""

from collections.abc import Iterable

from bot.domain.readers import Reader, Sight, public_sight
from bot.services.context import Services

__all__ = ["Reader", "Sight", "may_read", "public_sight", "sees", "visible_to"]


async def may_read(services: Services, reader: Reader) -> bool:
    """Whether a person may read at all now: not once their account is deactivated, nor as a guest unless admitted."""
    return not await find_objection(services, reader)


async def find_objection(services: Services, reader: Reader) -> str:
    """Why a person may not read, as a word of the audit; empty if they may."""
    people = services.slack.directory
    if people.home not in ("", reader.team):
        return "other workspace"
    await people.reread(reader.team, reader.user, most_seconds=0.0)
    person = await people.look_up(reader.team, reader.user)
    if person.is_deactivated:
        return "deactivated"
    if services.is_excluded(person):
        return "guest"
    return "unidentified" if services.is_unidentified(reader.team, reader.user) else ""


async def sees(services: Services, reader: Reader, channels: Iterable[str]) -> frozenset[str]:
    """Those of the channels that a reader may look into now. Fails closed."""
    if not await may_read(services, reader):
        return frozenset()
    return (await services.check_channels(reader.team, reader.user, channels)).seen - {""}


async def visible_to(services: Services, reader: Reader) -> Sight:
    """What a reader may find in lists and sums, with one call to Slack a minute at most. Fails closed."""
    if not await may_read(services, reader):
        return Sight(reader.team)
    belongs = services.belongs(await services.slack.directory.look_up(reader.team, reader.user))
    own = await services.slack.channels.list_own(reader.user, with_public=not belongs)
    return Sight(reader.team, public=belongs, channels=own)
