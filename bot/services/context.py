"""The service context: everything a service needs, and the one way in which a request takes effect once.

Which changes other systems are to hear of: read from what a transaction noted, so that no verb can forget it.

What the help texts of a channel name as examples.
"""

import json
from collections.abc import Callable, Iterable, MutableMapping
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from bot.clock import Clock
from bot.domain.actions import WORDS as VAGUE
from bot.domain.alerts import NO_ALERTS, AlertRules
from bot.domain.masking import USUAL_RULES, MaskRules
from bot.domain.records import Component, Examples, Incident, Person, Place, PostmortemStatus, Status, choose_examples
from bot.domain.reminders import ReminderRules
from bot.domain.whys import WORDS
from bot.errors import Refused
from bot.export import Exporter
from bot.slack.channels import Channels, VisibleChannels
from bot.slack.directory import Directory, find_zone, has_zone
from bot.slack.outbox import Outbox
from bot.slack.refresh import Change, HomeTabQueue, LiveMessageQueue
from bot.slack.views.blocks import Block, Message
from bot.slack.views.templates import words
from storage import audit as audit_store
from storage import case as case_store
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage import links as links_store
from storage import people as people_store
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.deliveries import Owed
from storage.links import Thing
from storage.queues import DeliveryKind

CONFIRMED = "confirmed"
"""How a page stands that somebody was woken by, until its incident is over."""


def enqueue_changes(tx: Transaction, systems: Iterable[str], now: datetime) -> None:
    """Put down what was noted as changed for each connected system that follows it, in the same transaction."""
    for system in systems:
        for incident_id, what in dict.fromkeys(tx.changed):
            if system == "jira" and what.startswith("action "):
                _want(tx, system, incident_id, what, now)
            if system == "jsm" and what == "incident":
                _bump(tx, system, incident_id, what, now)
            if system == "paging" and what == "incident":
                _let_sleep(tx, system, incident_id, now)


def _want(tx: Transaction, system: str, incident_id: int, what: str, now: datetime) -> None:
    incident = incidents_store.find(tx, incident_id)
    if incident is not None:
        links_store.want(tx, Thing(incident.team, system, f"{incident.key} {what}", incident_id), now)


def _bump(tx: Transaction, system: str, incident_id: int, what: str, now: datetime) -> None:
    incident = incidents_store.find(tx, incident_id)
    if incident is not None:
        links_store.bump(tx, Thing(incident.team, system, f"{incident.key} {what}", incident_id), now)


def _let_sleep(tx: Transaction, system: str, incident_id: int, now: datetime) -> None:
    """Whoever was paged for what is over now is to be paged no more."""
    incident = incidents_store.find(tx, incident_id)
    if incident is None or incident.status is not Status.RESOLVED:
        return
    for link in links_store.of_incident(tx, incident_id):
        if link.system == system and link.status == CONFIRMED:
            links_store.bump(tx, Thing(link.team, link.system, link.subject, incident_id), now)


class PostmortemPage(Protocol):
    """What a system that holds postmortems as pages shows below messages about one."""

    def after_publication(self, tx: Transaction, incident: Incident, now: datetime) -> list[Block]:
        """Below a publication; brings the page up to date."""
        ...

    def current(self, tx: Transaction, incident: Incident) -> list[Block]:
        """Where the page is."""
        ...

    def below_export(self, tx: Transaction, incident: Incident) -> list[Block]:
        """Where the page is, or how to make it."""
        ...


class NoPage:
    """No such system is connected."""

    def after_publication(self, tx: Transaction, incident: Incident, now: datetime) -> list[Block]:
        """Nothing."""
        return []

    def current(self, tx: Transaction, incident: Incident) -> list[Block]:
        """Nothing."""
        return []

    below_export = current


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackGateway:
    """Slack: who is who, who may see which channel, what goes out, and what is kept up to date there."""

    directory: Directory
    channels: Channels
    outbox: Outbox
    live_messages: LiveMessageQueue
    home_tabs: HomeTabQueue


@dataclass(frozen=True, slots=True, kw_only=True)
class Integrations:
    """The other systems that are connected, by name.

    `components` are the parts of the service that Statuspage shows to customers. `page` is where postmortems are pages.
    `troubles` maps a system to why it could not be polled lately.
    """

    names: tuple[str, ...] = ()
    components: Callable[[], tuple[Component, ...]] = tuple
    page: PostmortemPage = field(default_factory=NoPage)
    troubles: MutableMapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The operator's choices.

    `input_zone` is `author`, `UTC` or an IANA name; `reaction` is the name of the emoji that records a message.
    An answer to a why with one of `blame_words` seems to blame a person; an action with one of `vague_words` has no
    clear end. `mask` is what a masked copy leaves out.
    """

    reminders: ReminderRules
    input_zone: str = "author"
    allow_guests: bool = False
    reaction: str = "memo"
    blame_words: tuple[str, ...] = WORDS
    vague_words: tuple[str, ...] = VAGUE
    alerts: AlertRules = NO_ALERTS
    mask: MaskRules = USUAL_RULES


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything that services work with. Built once, in `bot.app`."""

    store: Store
    clock: Clock
    slack: SlackGateway
    exporter: Exporter
    policy: Policy
    integrations: Integrations = field(default_factory=Integrations)

    def zone_for(self, person: Person) -> tzinfo:
        """The zone in which this person's times without a zone are read."""
        return find_zone(person) if self.policy.input_zone == "author" else ZoneInfo(self.policy.input_zone)

    def lacks_zone(self, person: Person) -> bool:
        """Whether their times are read in UTC for want of a zone of theirs that this machine knows."""
        return self.policy.input_zone == "author" and not has_zone(person)

    async def may_see(self, team: str, user: str, channels: Iterable[str], here: str) -> frozenset[str]:
        """Those of the channels that this person may look into; a guest none but those they belong to."""
        person = await self.slack.directory.look_up(team, user)
        return await self.slack.channels.list_visible(user, channels, here, belongs=not person.is_guest)

    async def sight(self, team: str, user: str, channels: Iterable[str]) -> VisibleChannels:
        """The same from no channel at all, and whether Slack answered for each of them."""
        person = await self.slack.directory.look_up(team, user)
        return await self.slack.channels.check_visible(user, channels, belongs=not person.is_guest)


@dataclass(frozen=True, slots=True)
class Request:
    """One request: who asked where and when (aware UTC), and the key by which a repeat of it is known.

    `incident_id` is the incident that its button names. `aloud`: no answer of Slack's carries a reply to the channel,
    so it is owed as a message. `home` is the workspace that the person belongs to, as far as Slack told with it.
    `sees` is the row of an incident that is asked about from outside its channel, which the person was found to be able
    to look into. `is_told_there`: what is said to all is said in the incident's channel, and whispered here.
    """

    place: Place
    user: str
    now: datetime
    key: str
    incident_id: int | None = None
    aloud: bool = False
    home: str = ""
    sees: int | None = None
    is_told_there: bool = False

    @property
    def team(self) -> str:
        """The workspace."""
        return self.place.team

    def at(self, place: Place) -> "Request":
        """The same request, about another channel's incident."""
        return replace(self, place=place, incident_id=None, sees=None, is_told_there=False)


class KeptReply(dict[str, Any]):
    """A message with the JSON under which it was kept, so that every repeat is answered with the same bytes."""

    def __init__(self, said: Message, encoded: str, *, owes: bool = False, changed: tuple[Change, ...] = ()) -> None:
        super().__init__(said)
        self.encoded = encoded
        self.owes = owes
        self.changed = changed


Unit = Callable[[Transaction], Message | None]


async def run_once(services: Services, request: Request, unit: Unit, *, verb: str) -> Message | None:
    """Run a unit and keep its reply under the request's key, in one transaction; a repeat gets that reply again.

    What it changed besides entries, which keep their own history, has its line in the audit in that transaction,
    under `verb`: `noun.verb`. Audits keep these words for good, so a verb never changes, even if its
    function is renamed.
    Raises what the unit raises, with nothing written, and NotRecorded where the database does not take it in time.
    """

    def run(tx: Transaction) -> KeptReply:
        before = deliveries_store.reply(tx, request.key)
        if before is not None:
            return KeptReply(json.loads(before) or {}, before)
        tx.clear_notes()
        said = _told_there(tx, request, unit(tx))
        if tx.changed:
            audit_store.add_lines(tx, request.user, verb, request.key, request.now)
            enqueue_changes(tx, services.integrations.names, request.now)
        encoded = json.dumps(said)
        if request.aloud and said is not None and said.get("response_type") == "in_channel":
            deliveries_store.owe(
                tx, Owed(request.team, DeliveryKind.MESSAGE, request.place.channel, encoded, request.now)
            )
        deliveries_store.keep(tx, request.key, encoded, request.now)
        return KeptReply(said or {}, encoded, owes=tx.owes, changed=tx.changed)

    reply = await services.store.write(run)
    services.slack.live_messages.mark_stale(request.place, request.incident_id)
    if reply.changed:
        services.slack.home_tabs.mark_changed(reply.changed)
    if reply.owes:
        services.slack.outbox.notify()
    return reply or None


def _told_there(tx: Transaction, request: Request, said: Message | None) -> Message | None:
    """What is said to all, said in the incident's channel where it was asked for elsewhere."""
    is_for_all = request.is_told_there and said is not None and said.get("response_type") == "in_channel"
    incident = incidents_store.find(tx, request.incident_id or 0) if is_for_all else None
    if said is None or incident is None or incident.channel == request.place.channel:
        return said
    deliveries_store.tell(
        tx, incident, {key: value for key, value in said.items() if key != "response_type"}, request.now
    )
    return said | {"response_type": "ephemeral"}


async def require_able(services: Services, request: Request, user: str, what: str, field: str = "") -> Person:
    """Whoever is to `own it` or to `lead`; raises Refused, at a form's `field`, for a bot, who has left, and nobody."""
    person = await services.slack.directory.look_up(request.team, user)
    if services.slack.directory.is_nobody(request.team, user):
        raise Refused(
            f"Slack knows nobody of the id {user[:40]}. Pick the name from Slack's list as you type @.", field=field
        )
    if person.is_bot or person.is_deactivated:
        state = "a bot" if person.is_bot else "deactivated"
        raise Refused(f"{person.name} cannot {what}: that account is {state}.", field=field)
    return person


def require_incident(tx: Transaction, request: Request, *, locking: bool = False) -> Incident:
    """The incident that a request is about: the one that its button names, else the channel's.

    Raises Refused with the offer to open one where the channel has none. A button that is pressed outside the
    incident's channel (in a DM) works for those who owe something there: its owner and its lead. So does a command that
    names the incident for everybody who may look into its channel, which `request` then says.
    """
    if request.incident_id is None:
        incident = incidents_store.find_current(tx, request.place, locking=locking)
        if incident is None:
            raise Refused(describe_missing(request), offer="open_incident")
        return incident
    found = incidents_store.find(tx, request.incident_id, locking=locking)
    if found is None or found.team != request.team:
        raise Refused("That incident is not here any more.")
    if not _may_touch(found, request):
        raise Refused(_not_yours(tx, found))
    return found


def _not_yours(tx: Transaction, incident: Incident) -> str:
    """The sentence for somebody elsewhere who neither leads an incident nor owes its postmortem (any more)."""
    owner = people_store.find(tx, incident.team, incident.postmortem_owner) if incident.postmortem_owner else None
    name = f" {owner.name} owns its postmortem now." if owner else ""
    return (
        f"{incident.key} is worked on in its own channel: use the button there.{name} "
        "From elsewhere only its lead and that owner can use it."
    )


def require_open_record(tx: Transaction, request: Request, *, locking: bool = False) -> Incident:
    """The same, where it still takes entries; raises Refused where it is closed, too."""
    incident = require_incident(tx, request, locking=locking)
    if not incident.is_closed:
        return incident
    if request.incident_id is None:
        raise Refused(describe_missing(request), offer="open_incident")
    raise Refused(describe_closed(incident), offer="open_incident")


def describe_closed(incident: Incident) -> str:
    """The sentence for an incident that takes no entries any more: why, and what can be done."""
    word = "published" if incident.postmortem_status is PostmortemStatus.PUBLISHED else "waived"
    return (
        f"{incident.key} is closed: its postmortem is {word}, so nothing more is recorded in it. "
        f"`/postmortem reopen {incident.key}` opens it again."
    )


def _may_touch(incident: Incident, request: Request) -> bool:
    if incident.channel == request.place.channel or request.sees == incident.id:
        return True
    return request.user in (incident.postmortem_owner, incident.lead)


async def require_visible(services: Services, request: Request) -> None:
    """Raises Refused for a button or a form of an incident whose channel this person cannot look into (any more).

    So it does where Slack does not say: that costs a second try, and nobody a secret. Whoever asks from inside the
    channel is in it, unless Slack told that they left: a form that they opened in there outlives that.
    """
    here = request.place.channel
    channel = (
        here if request.incident_id is None else await services.store.read(lambda tx: _channel_of(tx, request)) or here
    )
    if channel == here and not services.slack.channels.has_left(request.user, channel):
        return
    sight = await services.sight(request.team, request.user, [channel])
    if channel not in sight.seen:
        raise Refused(words.general.unseen() if sight.is_sure else words.general.unsure())


def _channel_of(tx: Transaction, request: Request) -> str:
    incident = incidents_store.find(tx, request.incident_id or 0)
    return incident.channel if incident else ""


def describe_missing(request: Request) -> str:
    """The sentence for a place that has no incident: in a direct message there never is one."""
    return IN_A_DM if request.place.channel.startswith("D") else NO_INCIDENT


IN_A_DM = (
    "Incidents live in channels, not in direct messages. Go to the incident's channel, or open one in a channel with "
    "`/incident open`."
)
NO_INCIDENT = "No incident is open in this channel. Open one with `/incident open what is wrong`."


async def read_examples(services: Services, request: Request) -> Examples:
    """Numbers of the channel's incident; where it has none, those that will be given first."""

    def look(tx: Transaction) -> Examples:
        try:
            incident = require_incident(tx, request)
        except Refused:
            return Examples()
        return choose_examples(case_store.load_latest(tx, incident, 1)[0])

    return await services.store.read(look)
