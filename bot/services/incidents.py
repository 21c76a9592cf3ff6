"""Incidents: open, set severity and lead, rename, reopen, list, search. Each change is an entry of its timeline.

Also what happens when a channel is renamed or the bot joins it; and similar past incidents: the most similar are
proposed, and what people decide about each is saved.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from datetime import datetime
from functools import partial

from bot import bounds
from bot.domain import facets as facets_rules
from bot.domain import incident as incident_rules
from bot.domain import similarity as similarity_rules
from bot.domain import times
from bot.domain.alerts.groups import PROGRAMS
from bot.domain.facets import FacetKind, FacetName, list_names
from bot.domain.library import library_url
from bot.domain.records import Entry, EntryKind, Incident, Place, Status
from bot.domain.secrets import RecordKind, RecordRef, mask_credentials
from bot.domain.text import clean_input
from bot.domain.timeline import PendingEntry, require_text
from bot.domain.times.zones import label_of
from bot.errors import OutdatedButton, Refused
from bot.services import capture as capture_service
from bot.services import facets as facets_service
from bot.services import outline as outline_service
from bot.services import secrets as secrets_service
from bot.services.capture import CapturedEntry
from bot.services.context import Policy, Request, Services, require_able, require_incident, run_once
from bot.services.notifications.reminders import retire
from bot.services.policy import follow_severity
from bot.services.whys import update_prompt
from bot.slack.directory import find_language
from bot.slack.messages_in import MessageFile
from bot.slack.views import incidents as incidents_views
from bot.slack.views import postmortem as postmortem_views
from bot.slack.views.blocks import Block, Message
from bot.slack.views.incidents import SearchMatches, SimilarCase
from bot.slack.views.templates import words
from bot.slack.views.timeline import Clocks
from storage import case as case_store
from storage import deliveries as deliveries_store
from storage import facets as facets_store
from storage import incidents as incidents_store
from storage import reminders as reminders_store
from storage import search as search_store
from storage import timeline as timeline_store
from storage.database.statements import Transaction
from storage.deliveries import NewDelivery, RecordedMark
from storage.postmortem import sections as sections_store
from storage.queues import DeliveryKind
from storage.search import SearchHit, SearchQuery, Texts
from storage.timeline import NewEntry

LISTED = 25


@dataclass(frozen=True, slots=True)
class Opening:
    """An incident to open: the title as typed, the severity, the channel's name."""

    title: str
    severity: int | None = None
    channel_name: str = ""


async def open_new(services: Services, request: Request, opening: Opening) -> Message | None:
    """Open an incident in the channel. Raises Refused if one is open there."""
    return await run_once(
        services,
        request,
        lambda tx: compose_opened(tx, services.policy, open_in(tx, services, request, opening)),
        verb="incidents.open_new",
    )


def compose_opened(tx: Transaction, policy: Policy, incident: Incident, receipt: list[Block] | None = None) -> Message:
    """The receipt of an opening, with the services and tags that its title and its alerts name."""
    proposals = facets_service.list_proposals(tx, policy, incident)
    return incidents_views.opened_message(incident, receipt, proposals=proposals)


def open_in(tx: Transaction, services: Services | None, request: Request, opening: Opening) -> Incident:
    """The incident, opened in the request's channel as part of what else it asks for; raises Refused as above.

    Without services, for alerts that open one, its postmortem gets its sections once it has a severity or is resolved.
    """
    title = _one_line(opening.title) or "Untitled incident"
    current = incidents_store.find_current(tx, request.place, locking=True)
    if current is not None and current.status is not Status.RESOLVED:
        raise Refused(
            f"{current.key} {mask_credentials(current.title)} is already open here. A channel can have one open "
            f"incident. To close it: `/incident resolved`"
        )
    incident = incidents_store.open_new(tx, request.place, title, request.user, request.now)
    _note(tx, request, incident, f"Incident opened: {title}", EntryKind.STATUS)
    new = replace(incident, severity=opening.severity, channel_name=opening.channel_name)
    new = outline_service.fit_outline(tx, services, new) if services else new
    if new != incident:
        incident = new
        incidents_store.save(tx, incident)
    if opening.severity:
        _note(tx, request, incident, f"Severity set to sev{opening.severity}", EntryKind.SEVERITY)
    who = "" if request.user in PROGRAMS else request.user
    deliveries_store.enqueue(
        tx,
        NewDelivery(
            request.team, DeliveryKind.LIVE_MESSAGE, request.place.channel, "", request.now, incident.id, fallback=who
        ),
    )
    if who:
        secrets_service.warn(tx, incident, RecordRef(RecordKind.TITLE), title, request)
    return incident


def _one_line(title: str) -> str:
    """A title on one line. Raises Refused if it is too long."""
    line = " ".join(clean_input(title, "That title").split())
    if len(line) > bounds.TITLE:
        raise Refused(f"A title can have at most {bounds.TITLE} characters. Put the rest into the timeline.")
    return line


async def rename(services: Services, request: Request, title: str) -> Message | None:
    """Call the incident otherwise: what is wrong is often known only later."""
    title = _one_line(title)

    def unit(tx: Transaction) -> Message:
        before = require_incident(tx, request, locking=True)
        if before.title == title:
            raise Refused(f"{before.key} is already called that.")
        incident = replace(before, title=title)
        incidents_store.save(tx, incident)
        text = f"{incident_rules.RENAMED}{before.title} to {title}"
        number = _note(tx, request, incident, text, EntryKind.NOTE)
        secrets_service.warn(tx, incident, RecordRef(RecordKind.ENTRY, str(number)), title, request)
        return incidents_views.change_receipt(
            words.incidents.renamed(key=incident.key, title=title, before=before.title)
        )

    return await run_once(services, request, unit, verb="incidents.rename")


def _note(
    tx: Transaction, request: Request, incident: Incident, text: str, kind: EntryKind, at: datetime | None = None
) -> int:
    """Write a change of the record into the timeline; its number."""
    new = NewEntry(at or request.now, text, request.user, request.user, request.now, kind=kind)
    return timeline_store.append(tx, incident.id, new).number


async def set_severity(services: Services, request: Request, severity: int) -> Message | None:
    """Set the severity."""

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request, locking=True)
        before = incident.severity
        if before == severity:
            raise Refused(f"{incident.key} is already sev{severity}.")
        changed = follow_severity(tx, services, request, replace(incident, severity=severity))
        # Once it is resolved the postmortem keeps its sections, unless a person chooses others.
        if incident.status is not Status.RESOLVED:
            changed = outline_service.fit_outline(tx, services, changed)
        incidents_store.save(tx, changed)
        entry = f"Severity changed from sev{before} to sev{severity}" if before else f"Severity set to sev{severity}"
        _note(tx, request, incident, entry, EntryKind.SEVERITY)
        new, old = (words.general.severity(number=number) for number in (severity, before))
        text = words.incidents.severity_changed(key=incident.key, severity=new, before=old if before else "")
        if changed.policy != incident.policy:
            text = f"{text} {words.policy.rule_now(rule=changed.rule)}"
        return incidents_views.change_receipt(text)

    return await run_once(services, request, unit, verb="incidents.set_severity")


async def set_lead(services: Services, request: Request, lead: str, called: str) -> Message | None:
    """Set the lead, a user id; `called` is the name as typed, used if Slack does not send another."""
    await require_able(services, request, lead, "lead")
    name = services.slack.directory.name(request.team, lead) or called

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request, locking=True)
        if incident.lead == lead:
            raise Refused(f"{name} already leads {incident.key}.")
        before = services.slack.directory.name_or_id(request.team, incident.lead) if incident.lead else ""
        incidents_store.save(tx, replace(incident, lead=lead))
        text = f"{name} takes over the lead from {before}" if before else f"{name} leads"
        _note(tx, request, incident, text, EntryKind.LEAD)
        if lead != request.user:  # the one person besides who has to know
            message = incidents_views.new_lead_message(incident, request.user)
            deliveries_store.enqueue_message(tx, incident, message, request.now, to=lead)
        return incidents_views.change_receipt(
            words.incidents.lead_changed(key=incident.key, lead=name, is_self=lead == request.user)
        )

    return await run_once(services, request, unit, verb="incidents.set_lead")


async def reopen(services: Services, request: Request, line: str) -> Message | None:
    """It was not over: the incident is open again, and its reminders are withdrawn."""
    text = clean_input(line, "That entry")

    def unit(tx: Transaction) -> Message:
        incident = incident_rules.reopen(require_incident(tx, request, locking=True))
        incidents_store.save(tx, incident)
        reminders_store.cancel(tx, incident.id, "the incident was reopened", request.now)
        retire(tx, incident, words.reminders.reopened(), request.now)
        update_prompt(tx, request, incident.id)  # nothing is asked while it is open
        number = _note(tx, request, incident, f"Reopened: {text}" if text else "Reopened", EntryKind.STATUS)
        secrets_service.warn(tx, incident, RecordRef(RecordKind.ENTRY, str(number)), text, request)
        by = services.slack.directory.name_or_id(request.team, request.user)
        return incidents_views.channel_message(words.incidents.reopened(key=incident.key, by=by, text=text))

    return await run_once(services, request, unit, verb="incidents.reopen")


async def list_all(services: Services, request: Request, line: str = "") -> Message:
    """The workspace's incidents in those channels that the reader may look into; of a line only its filters count."""
    _, names = facets_rules.split_filters(line)
    found = await services.store.read(lambda tx: _list_latest(tx, request.team, names, LISTED * 4))
    shown: list[Incident] = []
    # Slack is asked about the channel of each, so about no more than are needed.
    for first in range(0, len(found), LISTED):
        part = found[first : first + LISTED]
        channels = (incident.channel for incident in part)
        visible = await services.visible_channels(request.team, request.user, channels, request.place.channel)
        shown += [incident for incident in part if incident.channel in visible]
        if len(shown) >= LISTED:
            break
    del shown[LISTED:]
    spans, facets = await services.store.read(
        lambda tx: (
            timeline_store.measure_spans(tx, shown),
            facets_store.list_by_incidents(tx, (incident.id for incident in shown)),
        )
    )
    rows = [(one, spans[one.id], facets.get(one.id, ())) for one in shown]
    return incidents_views.list_message(rows, names, request.now)


def _list_latest(tx: Transaction, team: str, names: Sequence[FacetName], most: int) -> tuple[Incident, ...]:
    if names:
        return facets_store.list_incidents(tx, team, names, most)
    return incidents_store.list_latest(tx, team, most)


def form(request: Request, channel: str, carried: PendingEntry) -> Block:
    """The form that opens an incident for these words."""
    return incidents_views.open_with_entry_form(channel, carried, _clocks(request, carried))


async def open_and_record(
    services: Services, request: Request, opening: Opening, carried: PendingEntry
) -> Message | None:
    """Open an incident in the request's channel and record the pending entry in it, in one transaction.

    If another person was faster, it is recorded in the incident that is open there, and the answer says so. It is not
    recorded twice (by a second press, or because it was typed again). Raises Refused if another channel was chosen that
    has an open incident: no one writes into that from outside.
    """
    wanted = await _capture(services, request, carried)

    def unit(tx: Transaction) -> Message:
        current = incidents_store.find_current(tx, request.place, locking=True)
        is_open = current is not None and current.status is not Status.RESOLVED
        # Looked at in the transaction: the button was shown because no incident was open, and someone may have opened
        # one.
        if current is not None and is_open and request.place.channel == carried.channel:
            return incidents_views.pending_receipt(current, _record_pending(tx, request, current, carried, wanted))
        opened = open_in(tx, services, request, opening)
        receipt = _record_pending(tx, request, opened, carried, wanted)
        return compose_opened(tx, services.policy, opened, receipt)

    return await run_once(services, request, unit, verb="carried.open_with")


def _clocks(request: Request, carried: PendingEntry) -> Clocks:
    label = label_of(carried.clock()) if carried.zone else ""
    return Clocks(request.now, carried.clock(), label, carried.language or "en")


async def _capture(services: Services, request: Request, carried: PendingEntry) -> CapturedEntry:
    person = await services.slack.directory.look_up(request.team, request.user)
    author = await services.slack.directory.look_up(request.team, carried.author) if carried.author else person
    reading = carried.reading()
    named = None
    if carried.names_times and carried.at is not None:
        named = times.read(carried.line, carried.at, services.zone_for(author), language=find_language(author))
    # Recorded is when it was typed, which [That was UTC] and the history go by.
    new = NewEntry(
        reading.utc or carried.typed_at,
        require_text(clean_input(reading.text, "That entry")),
        author.id,
        request.user,
        carried.typed_at,
        reading.end_utc,
        reading.approximate,
        permalink=carried.link,
        source=carried.source,
    )
    return CapturedEntry(
        new,
        tuple(MessageFile(*file) for file in carried.files),
        _clocks(request, carried),
        capture_service.MARKED if carried.is_marked else "added",
        seen_by=author.name if author.id != request.user else "",
        reading=reading if carried.at is None else None,
        unknown_zone=reading.assumed_zone and services.lacks_zone(person),
        named=named,
    )


def _record_pending(
    tx: Transaction, request: Request, incident: Incident, carried: PendingEntry, wanted: CapturedEntry
) -> list[Block]:
    """The answer about the pending entry: its receipt, where it is recorded already, or the preview of many lines."""
    if carried.is_paste:
        return incidents_views.paste_preview_blocks(incident, carried)
    if (before := _find_recorded(tx, incident, carried, wanted)) is not None:
        return incidents_views.already_recorded_blocks(*before)
    entry = timeline_store.add(
        tx, incident.id, incidents_store.take_entry_number_in(tx, incident.id), wanted.new, wanted.change
    )
    deliveries_store.store_mark(tx, _key(carried), RecordedMark(incident.id, entry.number), request.now)
    blocks: list[Block] = capture_service.receipt(
        entry, incident, wanted, capture_service.add_files(tx, entry, wanted.files)
    )["blocks"]
    return blocks


def _find_recorded(
    tx: Transaction, incident: Incident, carried: PendingEntry, wanted: CapturedEntry
) -> tuple[Incident, Entry] | None:
    """Where the text is recorded already: by this request, from the same message, or because it was typed again."""
    mark = deliveries_store.find_mark(tx, _key(carried))
    if mark is not None:
        there, entry = (
            incidents_store.find(tx, mark.incident),
            timeline_store.find_by_number(tx, mark.incident, mark.entry),
        )
        if there is not None and entry is not None:
            return there, entry
    if wanted.new.source:
        entry = timeline_store.find_by_source(tx, incident.id, wanted.new.source)
        return (incident, entry) if entry is not None else None
    # A command that was given back is often typed again before the button is pressed: that is one entry, not two.
    key = (wanted.new.recorder, wanted.new.text)
    since = [one for one in timeline_store.list_active(tx, incident.id) if one.recorded_at >= carried.typed_at]
    same = next((one for one in since if (one.recorder, one.text) == key), None)
    return (incident, same) if same is not None else None


def _key(carried: PendingEntry) -> str:
    # The keys of requests are hashes as well; the prefix keeps this one apart from all of them.
    return hashlib.sha256(f"carried\x00{carried.key}".encode()).hexdigest()


async def rename_channel(services: Services, place: Place, name: str) -> None:
    """Save a channel's new name, which exports show."""

    def unit(tx: Transaction) -> None:
        incident = incidents_store.find_current(tx, place, locking=True)
        if incident is not None:
            incidents_store.save(tx, replace(incident, channel_name=name))

    await services.store.write(unit)


async def welcome(services: Services, request: Request) -> None:
    """Greet a channel that the bot joined, once for each invitation.

    The live message of its incident can be posted now; without an open incident, a message says how to record.
    """

    def unit(tx: Transaction) -> None:
        incident = incidents_store.find_current(tx, request.place)
        if incident is not None and not incident.postmortem_status.is_finished:
            deliveries_store.enqueue(
                tx,
                NewDelivery(
                    request.team, DeliveryKind.LIVE_MESSAGE, request.place.channel, "", request.now, incident.id
                ),
            )
        else:
            card = incidents_views.welcome_message(services.policy.reaction)
            deliveries_store.enqueue(
                tx, NewDelivery(request.team, DeliveryKind.MESSAGE, request.place.channel, card, request.now)
            )

    await run_once(services, request, unit, verb="incidents.welcomed")


# Found by the database, then ranked by a rule that both databases share (decision 14).
CANDIDATES = 50
# More than are shown, because Slack may say that some of their channels are closed to readers here.
ASKED_ABOUT = 8
PROPOSED = 3
OF_ONE_SERVICE = 10


async def find_similar(services: Services, request: Request, incident: Incident) -> tuple[SimilarCase, ...]:
    """The most similar past incidents that no one has judged yet.

    Only those that every member of this channel may know of: from the same channel, or from a public one (not if the
    operator admits guests, who see no other channel).
    """
    candidates = await services.store.read(lambda tx: _candidates(tx, incident))
    channels = (one.case.incident.channel for one in candidates)
    known = await services.slack.channels.list_public(channels, incident.channel)
    if not services.belongs(await services.slack.directory.look_up(request.team, request.user)):
        known = frozenset({incident.channel})
    base = services.policy.library
    shown = [one for one in candidates if one.case.incident.channel in known][:PROPOSED]
    return tuple(replace(one, address=library_url(base, one.case.incident)) for one in shown)


async def find_similar_for_all(services: Services, incident: Incident) -> tuple[SimilarCase, ...]:
    """The same for the live message, which everyone in the channel reads: also guests, and people from elsewhere."""
    candidates = await services.store.read(lambda tx: _candidates(tx, incident))
    if not candidates:
        return ()
    known = frozenset({incident.channel})
    if not services.policy.allow_guests and not await services.slack.channels.is_shared(incident.channel):
        known = await services.slack.channels.list_public(
            (one.case.incident.channel for one in candidates), incident.channel
        )
    return tuple(one for one in candidates if one.case.incident.channel in known)[:PROPOSED]


def _candidates(tx: Transaction, incident: Incident) -> list[SimilarCase]:
    own = search_store.read_texts(tx, incident.id)
    words = similarity_rules.extract_words(own.title, own.cause, own.whys, own.sections)[: similarity_rules.MOST_WORDS]
    judged = search_store.list_verdicts(tx, incident.id)
    wanted = SearchQuery(words, is_any=True, before=incident.number)
    found = [
        one
        # As many more as were judged, for those are left out below.
        for one in search_store.find(tx, incident.team, wanted, CANDIDATES + len(judged))
        if one.incident.id not in judged
    ]
    services = list_names(facets_store.list_by_incident(tx, incident.id), FacetKind.SERVICE)
    found += _list_of_services(tx, incident, services, {*judged, *(one.incident.id for one in found)})
    facets = facets_store.list_by_incidents(tx, (one.incident.id for one in found)) if services else {}
    theirs = [list_names(facets.get(one.incident.id, ()), FacetKind.SERVICE) for one in found]
    matches = similarity_rules.rank(words, [_all(one.texts) for one in found], services, theirs)[:ASKED_ABOUT]
    return [SimilarCase(case_store.load_latest(tx, found[match.index].incident), match.shared) for match in matches]


def _list_of_services(
    tx: Transaction, incident: Incident, services: Sequence[str], known: Collection[int]
) -> list[SearchHit]:
    """The latest earlier incidents of each service that the words did not find."""
    found: dict[int, Incident] = {}
    for service in services:
        for one in facets_store.list_incidents(
            tx, incident.team, [FacetName(FacetKind.SERVICE, service)], OF_ONE_SERVICE
        ):
            if one.id not in known and one.number < incident.number:
                found[one.id] = one
    return [SearchHit(one, search_store.read_texts(tx, one.id)) for one in found.values()]


def _all(texts: Texts) -> str:
    return "\n".join(astuple(texts))


async def judge(services: Services, request: Request, other_id: int, *, is_same: bool) -> Message | None:
    """[Same cause] and [Not this one]: what was the same is written into the sections that ask for it."""
    await require_known(services, request, (other_id,))

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request, locking=True)
        # Two people may press at once; a verdict is written into the sections, and would be there twice.
        if other_id in search_store.list_verdicts(tx, incident.id):
            raise OutdatedButton("That's already decided. To see the result: `/postmortem`")
        save_verdicts(tx, request, incident, {other_id: is_same})
        case, *others = case_store.list_latest(tx, filter(None, (incident, incidents_store.find(tx, other_id))))
        return incidents_views.verdict_receipt(case, others[0], postmortem_views.next_row(case), is_same=is_same)

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
        raise Refused("That incident can't be quoted here: its channel is closed to some people in this one.")


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
            for slug, draft in similarity_rules.draft_recurrence(case_store.load_latest(tx, other)).items():
                added.setdefault(slug, []).append(draft)
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


# More than are shown, because matches in channels that the reader cannot see are left out.
SEARCHED = 60
SHOWN = 8


async def search(services: Services, request: Request, text: str) -> Message:
    """The incidents that have all the words, or any if none has all, in channels that the reader may look into."""
    wanted = _read_search(text)
    if not wanted:
        raise Refused("Search for what? Try `/incident search connection pool`")
    found = await _find(services, request, wanted)
    if not found.cases:
        return incidents_views.no_results_message(wanted.quotation)
    return incidents_views.search_results(found, wanted.quotation, request.now.date())


async def search_window(services: Services, request: Request, text: str) -> Block:
    """The same as a window with a field for other words; without a word it asks for one."""
    wanted = _read_search(text)
    found = await _find(services, request, wanted) if wanted else SearchMatches([])
    return incidents_views.search_window(text, found, wanted.quotation, request.now.date())


@dataclass(frozen=True, slots=True)
class WantedIncidents:
    """What a line searches for: words, and the services and tags that all must have."""

    words: tuple[str, ...]
    names: tuple[FacetName, ...]

    def __bool__(self) -> bool:
        return bool(self.words or self.names)

    @property
    def quotation(self) -> tuple[str, ...]:
        """As the answer says it."""
        return (*(f"{name.kind}:{name.name}" for name in self.names), *self.words)

    def list_rounds(self, team: str) -> list[Callable[[Transaction], tuple[Incident, ...]]]:
        """What is looked for one after the other, until something is found: all words first, then any of them."""
        if not self.words:
            return [lambda tx: _list_latest(tx, team, self.names, SEARCHED)]
        queries = (SearchQuery(self.words, is_any=is_any, names=self.names) for is_any in (False, True))
        return [
            partial(
                lambda tx, query: search_store.list_incidents(search_store.find(tx, team, query, SEARCHED)), query=query
            )
            for query in queries
        ]


def _read_search(text: str) -> WantedIncidents:
    rest, names = facets_rules.split_filters(text)
    return WantedIncidents(similarity_rules.extract_words(rest)[: similarity_rules.MOST_WORDS], names)


async def _find(services: Services, request: Request, wanted: WantedIncidents) -> SearchMatches:
    for is_any, look in enumerate(wanted.list_rounds(request.team)):
        found = await services.store.read(look)
        seen = await services.visible_channels(
            request.team, request.user, (one.channel for one in found), request.place.channel
        )
        shown = [incident for incident in found if incident.channel in seen]
        if shown:
            cases = await services.store.read(partial(case_store.list_latest, incidents=shown[:SHOWN]))
            return SearchMatches(cases, len(shown) - len(cases), bool(is_any), services.policy.library)
    return SearchMatches([])
