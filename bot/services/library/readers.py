"""Who reads the library, and what they may see there: the same as in Slack."""

from collections.abc import Iterable
from dataclasses import dataclass

from bot.services.context import Services
from storage.channels import Sight


@dataclass(frozen=True, slots=True)
class Reader:
    """A person of a workspace who is signed in."""

    team: str
    user: str


async def sees(services: Services, reader: Reader, channels: Iterable[str]) -> frozenset[str]:
    """Those of the channels that the reader may see now, by Slack's word. Fails closed."""
    return (await services.check_channels(reader.team, reader.user, channels)).seen


async def visible_to(services: Services, reader: Reader) -> Sight:
    """What a list may show the reader, without a call for each channel. Fails closed."""
    person = await services.slack.directory.look_up(reader.team, reader.user)
    if services.is_excluded(person) or services.is_unidentified(reader.team, reader.user):
        return Sight()
    return Sight(has_public=services.belongs(person))
