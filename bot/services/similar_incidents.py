"""Similar past incidents: search them by words, propose the most similar, and save what people decide about each."""

from collections.abc import Iterable, Mapping
from dataclasses import astuple

from bot.domain import similarity as similarity_rules
from bot.domain.records import Case, Incident
from bot.domain.secrets import RecordKind, RecordRef
from bot.domain.text import clean_input
from bot.errors import Refused
from bot.services import secrets as secrets_service
from bot.services.context import Request, Services, require_incident, run_once
from bot.slack.views import postmortem as postmortem_views
from bot.slack.views import similar_incidents as similar_incidents_views
from bot.slack.views.blocks import Message
from bot.slack.views.similar_incidents import SimilarCase
from storage import case as case_store
from storage import incidents as incidents_store
from storage import search as search_store
from storage import sections as sections_store
from storage.database.statements import Transaction
from storage.search import SearchQuery, Texts

SEARCHED = 60
SHOWN = 8
CANDIDATES = 50
ASKED_ABOUT = 8
PROPOSED = 3


async def search(services: Services, request: Request, text: str) -> Message:
    """The incidents that have all the words, or any if none has all, in channels that the reader may look into."""
    words = similarity_rules.extract_words(text)[: similarity_rules.MOST_WORDS]
    if not words:
        raise Refused("Name a word that tells incidents apart, as in `/incident search connection pool`.")
    for wanted in (SearchQuery(words), SearchQuery(words, is_any=True)):
        found = search_store.list_incidents(
            await services.store.read(lambda tx, wanted=wanted: search_store.find(tx, request.team, wanted, SEARCHED))  # type: ignore[misc]
        )
        seen = await services.visible_channels(
            request.team, request.user, (one.channel for one in found), request.place.channel
        )
        shown = [incident for incident in found if incident.channel in seen]
        if shown:
            told = await services.store.read(lambda tx, shown=shown: _cases(tx, shown[:SHOWN]))  # type: ignore[misc]
            return similar_incidents_views.search_results(told, len(shown) - len(told), words, is_any=wanted.is_any)
    return similar_incidents_views.no_results_message(words)


def _cases(tx: Transaction, found: Iterable[Incident]) -> list[Case]:
    return [case_store.load_latest(tx, incident, 1)[0] for incident in found]


async def find_similar(services: Services, request: Request, incident: Incident) -> tuple[SimilarCase, ...]:
    """The most similar past incidents that no one has judged yet.

    Only those that every member of this channel may know of: from the same channel, or from a public one (not if the
    operator admits guests, who see no other channel).
    """
    candidates = await services.store.read(lambda tx: _candidates(tx, incident))
    channels = (one.case.incident.channel for one in candidates)
    known = await services.slack.channels.list_public(channels, incident.channel)
    if (await services.slack.directory.look_up(request.team, request.user)).is_guest:
        known = frozenset({incident.channel})
    return tuple(one for one in candidates if one.case.incident.channel in known)[:PROPOSED]


def _candidates(tx: Transaction, incident: Incident) -> list[SimilarCase]:
    own = search_store.read_texts(tx, incident.id)
    words = similarity_rules.extract_words(own.title, own.cause, own.whys, own.told)[: similarity_rules.MOST_WORDS]
    judged = search_store.list_verdicts(tx, incident.id)
    wanted = SearchQuery(words, is_any=True, before=incident.number)
    found = [
        one
        for one in search_store.find(tx, incident.team, wanted, CANDIDATES + len(judged))
        if one.incident.id not in judged
    ]
    matches = similarity_rules.rank(words, [_all(one.texts) for one in found])[:ASKED_ABOUT]
    return [
        SimilarCase(case_store.load_latest(tx, found[match.index].incident, 1)[0], match.shared) for match in matches
    ]


def _all(texts: Texts) -> str:
    return "\n".join(astuple(texts))


async def judge(services: Services, request: Request, other_id: int, *, is_same: bool) -> Message | None:
    """[Same cause] and [Not this one]: what was the same is written into the sections that ask for it."""
    await require_known(services, request, (other_id,))

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request, locking=True)
        if other_id in search_store.list_verdicts(tx, incident.id):
            raise Refused("Somebody has said that already. `/postmortem` shows what stands.")
        save_verdicts(tx, request, incident, {other_id: is_same})
        case, *others = _cases(tx, filter(None, (incident, incidents_store.find(tx, other_id))))
        return similar_incidents_views.verdict_receipt(
            case, others[0], postmortem_views.next_row(case), is_same=is_same
        )

    return await run_once(services, request, unit, verb="recall.judge")


async def require_known(services: Services, request: Request, others: Iterable[int]) -> None:
    """Raises Refused unless each of the other incidents may be quoted in the incident."""
    ids = tuple(others)

    def look(tx: Transaction) -> tuple[Incident, list[Incident | None]]:
        return require_incident(tx, request), [incidents_store.find(tx, other) for other in ids]

    incident, found = await services.store.read(look)
    past = [one for one in found if one is not None and one.team == incident.team and one.number < incident.number]
    known = await services.slack.channels.list_public((one.channel for one in past), incident.channel)
    if len(past) < len(ids) or not all(one.channel in known for one in past):
        raise Refused("That incident cannot be quoted here: it is in a channel that not everybody here can see.")


def save_verdicts(tx: Transaction, request: Request, incident: Incident, verdicts: Mapping[int, bool]) -> None:
    """Save decisions about other incidents; those with the same cause are written into the sections."""
    before = search_store.list_verdicts(tx, incident.id)
    added: dict[str, list[str]] = {}
    for other_id, is_same in verdicts.items():
        other = incidents_store.find(tx, other_id)
        if other is None or other_id in before:
            continue
        search_store.add_verdict(tx, incident.id, other_id, request.user, request.now, is_same=is_same)
        if is_same:
            for slug, told in similarity_rules.draft_recurrence(case_store.load_latest(tx, other, 1)[0]).items():
                added.setdefault(slug, []).append(told)
    saved = sections_store.list_latest(tx, incident.id) if added else {}
    for slug, more in added.items():
        text = clean_input(
            similarity_rules.append_text(saved[slug].text if slug in saved else "", *more), "That section"
        )
        sections_store.save(tx, incident.id, slug, text, request.user, request.now)
        secrets_service.warn(tx, incident, RecordRef(RecordKind.SECTION, slug), text, request)


def list_other_causes(tx: Transaction, incident: Incident) -> tuple[str, ...]:
    """The keys of the incidents that were decided to have another cause."""
    rejected = (other for other, is_same in search_store.list_verdicts(tx, incident.id).items() if not is_same)
    found = (incidents_store.find(tx, other) for other in rejected)
    return tuple(other.key for other in found if other is not None)
