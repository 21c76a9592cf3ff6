"""The search for past incidents by their words."""

from dataclasses import dataclass

from bot.domain import similarity as similarity_rules
from bot.domain.records import Case, Incident
from bot.errors import Refused
from bot.services.context import Request, Services
from bot.slack.views import similar_incidents as similar_incidents_views
from bot.slack.views.blocks import Block, Message
from storage import case as case_store
from storage import search as search_store
from storage.database.statements import Transaction
from storage.search import SearchQuery

# More than are shown, because matches in channels that the reader cannot see are left out.
SEARCHED = 60
SHOWN = 8


@dataclass(frozen=True, slots=True)
class _Matches:
    """The best matches, how many more there are, and whether they have only some of the words."""

    cases: list[Case]
    more: int = 0
    is_any: bool = False


async def search(services: Services, request: Request, text: str) -> Message:
    """The incidents that have all the words, or any if none has all, in channels that the reader may look into."""
    words = _extract_words(text)
    if not words:
        raise Refused("Search for what? Try `/incident search connection pool`")
    found = await _find(services, request, words)
    if not found.cases:
        return similar_incidents_views.no_results_message(words)
    return similar_incidents_views.search_results(found.cases, found.more, words, is_any=found.is_any)


async def search_window(services: Services, request: Request, text: str) -> Block:
    """The same as a window with a field for other words; without a word it asks for one."""
    words = _extract_words(text)
    found = await _find(services, request, words) if words else _Matches([])
    return similar_incidents_views.search_window(text, found.cases, found.more, words, is_any=found.is_any)


def _extract_words(text: str) -> tuple[str, ...]:
    return similarity_rules.extract_words(text)[: similarity_rules.MOST_WORDS]


async def _find(services: Services, request: Request, words: tuple[str, ...]) -> _Matches:
    for wanted in (SearchQuery(words), SearchQuery(words, is_any=True)):
        found = search_store.list_incidents(
            await services.store.read(lambda tx, wanted=wanted: search_store.find(tx, request.team, wanted, SEARCHED))  # type: ignore[misc]
        )
        seen = await services.visible_channels(
            request.team, request.user, (one.channel for one in found), request.place.channel
        )
        shown = [incident for incident in found if incident.channel in seen]
        if shown:
            cases = await services.store.read(lambda tx, shown=shown: _load(tx, shown[:SHOWN]))  # type: ignore[misc]
            return _Matches(cases, len(shown) - len(cases), wanted.is_any)
    return _Matches([])


def _load(tx: Transaction, found: list[Incident]) -> list[Case]:
    return [case_store.load_latest(tx, incident, 1)[0] for incident in found]
