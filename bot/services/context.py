"""The service context: what services work with, the request they serve, and `run_once`, which serves it once."""

from collections.abc import Callable, Iterable, MutableMapping
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from bot.clock import Clock
from bot.domain.actions import VAGUE_WORDS
from bot.domain.alerts.groups import NO_ALERTS, PROGRAMS, AlertRules
from bot.domain.announcements.posts import NO_ANNOUNCEMENTS, AnnounceRules
from bot.domain.incident import list_askable
from bot.domain.masking import USUAL_RULES, MaskRules
from bot.domain.outline import OutlineRules
from bot.domain.policy import PostmortemRule, SeverityPolicies
from bot.domain.records import (
    Component,
    Examples,
    Incident,
    Person,
    Place,
    PostmortemStatus,
    Status,
    System,
    choose_examples,
)
from bot.domain.reminders import ReminderRules
from bot.domain.whys import BLAME_WORDS
from bot.errors import OutdatedButton, Refused
from bot.export import Exporter
from bot.export.outlines import OutlineShelf
from bot.services.announcements import posts as posts_service
from bot.services.notifications import outdated_buttons as outdated_buttons_service
from bot.slack.channel_privacy import ChannelPrivacy
from bot.slack.channels import Channels, VisibleChannels
from bot.slack.directory import Directory, find_zone, has_zone
from bot.slack.files import AttachmentFetcher
from bot.slack.outbox import Outbox
from bot.slack.refresh import Change, HomeTabQueue, LiveMessageQueue
from bot.slack.views import blocks
from bot.slack.views.blocks import Block, Message, encode
from bot.slack.views.templates import words
from storage import audit as audit_store
from storage import case as case_store
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage import links as links_store
from storage import people as people_store
from storage.database.foresight import Foresee
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.deliveries import NewDelivery
from storage.links import LinkKey
from storage.queues import DeliveryKind

RECORDING = frozenset({"capture.record", "carried.open_with", "incidents.open_new", "timeline.record", "whys.answer"})
"""The verbs that are open to people of whom Slack has not said yet who they are."""

CONFIRMED = "confirmed"
"""The status of a page on call that woke a person, until its incident is over."""


def enqueue_changes(tx: Transaction, systems: Iterable[str], now: datetime) -> None:
    """Enqueue the changes that the transaction noted, for each connected system that follows them.

    It happens in the transaction of the change, so no service can forget it
    (docs/decisions/0021-one-sync-row-per-thing-and-system.md).
    """
    for system in systems:
        for incident_id, what in dict.fromkeys(tx.changed):
            incident = incidents_store.find(tx, incident_id)
            if incident is None:
                continue
            if system == System.JIRA and what.startswith("action "):
                links_store.enqueue(tx, LinkKey(incident.team, system, f"{incident.key} {what}", incident_id), now)
            if system == System.SERVICE_MANAGEMENT and what == "incident":
                links_store.enqueue_if_known(
                    tx, LinkKey(incident.team, system, f"{incident.key} {what}", incident_id), now
                )
            if system == System.PAGING and what == "incident":
                _close_pages(tx, incident, now)


def _close_pages(tx: Transaction, incident: Incident, now: datetime) -> None:
    """Enqueue the end of the confirmed pages of an incident that is resolved: they must wake no one again."""
    if incident.status is not Status.RESOLVED:
        return
    for link in links_store.list_by_incident(tx, incident.id):
        if link.system == System.PAGING and link.status == CONFIRMED:
            links_store.enqueue_if_known(tx, LinkKey(link.team, link.system, link.subject, incident.id), now)


class PostmortemPage(Protocol):
    """The blocks about a postmortem's page in another system, below messages about the postmortem."""

    def after_publication(self, tx: Transaction, incident: Incident, now: datetime) -> list[Block]:
        """Below a publication; also enqueues the update of the page."""
        ...

    def current(self, tx: Transaction, incident: Incident) -> list[Block]:
        """A link to the page, if there is one."""
        ...

    def below_export(self, tx: Transaction, incident: Incident) -> list[Block]:
        """A link to the page, or the button that makes it."""
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
    attachments: AttachmentFetcher
    live_messages: LiveMessageQueue
    home_tabs: HomeTabQueue
    channel_privacy: ChannelPrivacy


@dataclass(frozen=True, slots=True, kw_only=True)
class Integrations:
    """The other systems that are connected, by name.

    `components` are the parts of the service that Statuspage shows to customers. `page` is where postmortems are pages.
    `troubles` maps a system to why its last poll failed.
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
    clear end. `pin_card`: live messages are pinned. `mask` is what a masked copy leaves out.
    `find_severities` returns the policies by severity that are in force now.
    `outline_rules` are those that give incidents their outlines, as the policy file has them now.
    `library` is the address below which people read postmortems in a browser, empty while they can't.
    """

    reminders: ReminderRules
    input_zone: str = "author"
    allow_guests: bool = False
    reaction: str = "memo"
    blame_words: tuple[str, ...] = BLAME_WORDS
    vague_words: tuple[str, ...] = VAGUE_WORDS
    pin_card: bool = False
    alerts: AlertRules = NO_ALERTS
    mask: MaskRules = USUAL_RULES
    outline_rules: Callable[[], OutlineRules] = OutlineRules
    library: str = ""
    find_severities: Callable[[], SeverityPolicies] = SeverityPolicies
    announce: AnnounceRules = NO_ANNOUNCEMENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything that services work with. Built once, in `bot.app`."""

    store: Store
    clock: Clock
    slack: SlackGateway
    exporter: Exporter
    policy: Policy
    integrations: Integrations = field(default_factory=Integrations)
    outlines: OutlineShelf = field(default_factory=OutlineShelf)

    def find_policies(self, team: str) -> SeverityPolicies:
        """The policies by severity, with the ids of people for their names; who is not found is left out."""
        return self.policy.find_severities().name_people(lambda name: self.slack.directory.find_by_name(team, name))

    def zone_for(self, person: Person) -> tzinfo:
        """The zone in which a person's times are read if they name none."""
        return find_zone(person) if self.policy.input_zone == "author" else ZoneInfo(self.policy.input_zone)

    def lacks_zone(self, person: Person) -> bool:
        """Whether a person's times are read in UTC because their zone is unknown to Slack or to this machine."""
        return self.policy.input_zone == "author" and not has_zone(person)

    async def visible_channels(self, team: str, user: str, channels: Iterable[str], here: str) -> frozenset[str]:
        """The channels that a person may look into; a guest only those that they belong to. Fails closed."""
        person = await self.slack.directory.look_up(team, user)
        if self.is_excluded(person) or self.is_unidentified(team, user):
            return frozenset()
        return await self.slack.channels.list_visible(user, channels, here, belongs=self.belongs(person))

    async def check_channels(self, team: str, user: str, channels: Iterable[str]) -> VisibleChannels:
        """The same for a person outside every channel, and whether Slack answered for each of them."""
        person = await self.slack.directory.look_up(team, user)
        if self.is_excluded(person):
            return VisibleChannels(frozenset())
        if self.is_unidentified(team, user):
            return VisibleChannels(frozenset(), is_sure=False)
        return await self.slack.channels.check_visible(user, channels, belongs=self.belongs(person))

    def is_excluded(self, person: Person) -> bool:
        """Whether a person may neither record nor read: a deactivated account, and a guest unless those are admitted.

        People of other organizations count as guests.
        """
        return person.is_deactivated or (person.is_guest and not self.policy.allow_guests)

    def is_unidentified(self, team: str, user: str) -> bool:
        """Whether a person may record but not read, because Slack has not said yet who they are.

        Where guests are admitted, they may read what a guest could read.
        """
        return not self.policy.allow_guests and not self.slack.directory.is_known(team, user)

    def belongs(self, person: Person) -> bool:
        """Whether a person may see public channels that they are not in: only a known member may."""
        return self.slack.directory.is_known(person.team, person.id) and not person.is_guest


@dataclass(frozen=True, slots=True)
class Request:
    """Who asks, where and when (aware UTC), and the key by which a repeat is recognised.

    `incident_id` is the incident that the button names. `aloud`: no answer to Slack carries a reply to the channel, so
    it is enqueued as a message. `home` is the workspace that the person belongs to, if Slack sent it with the request.
    `sees` is the row of an incident that the person may look into although they ask from outside its channel.
    `is_told_there`: a reply to everyone goes to the incident's channel, and the person reads it privately.
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
        """The same request about the incident of another channel."""
        return replace(self, place=place, incident_id=None, sees=None, is_told_there=False)


class StoredReply(dict[str, Any]):
    """A reply with the JSON that was stored for it, so that every repeat gets the same bytes."""

    def __init__(
        self, message: Message, encoded: str, *, has_enqueued: bool = False, changed: tuple[Change, ...] = ()
    ) -> None:
        super().__init__(message)
        self.encoded = encoded
        self.has_enqueued = has_enqueued
        self.changed = changed


Unit = Callable[[Transaction], Message | None]


async def run_once(
    services: Services, request: Request, unit: Unit, foresee: Foresee | None = None, *, verb: str
) -> Message | None:
    """Run a unit and store its reply under the request's key, in one transaction; a repeat gets that reply again.

    What it changed, besides entries, gets a line in the audit in that transaction, under `verb` (`noun.verb`). Audits
    keep these words for good, so a verb never changes, even if its function is renamed.
    `foresee` makes the statements that the unit begins with, for the path of every `/timeline` (see `Foresee`).
    Raises what the unit raises, with nothing written, and NotRecorded if the database does not take it in time.
    """
    is_new = _is_newcomer(services, request, verb)

    def run(tx: Transaction) -> StoredReply:
        before = deliveries_store.find_reply(tx, request.key)
        # Slack repeats a request that was not answered within three seconds: it gets the same bytes, and no second
        # effect.
        if before is not None:
            return StoredReply(before.content, before.encoded)
        # One transaction runs the units of several requests; what others changed is not this one's.
        tx.clear_notes()
        message = _redirect(tx, request, unit(tx))
        message = _note_newcomer(tx, request, message) if is_new else message
        if tx.changed:
            audit_store.add_lines(tx, request.user, verb, request.key, request.now)
            enqueue_changes(tx, services.integrations.names, request.now)
            posts_service.announce_changes(tx, services.policy.announce, request.now)
            outdated_buttons_service.drop(tx, request.now)
        encoded = encode(message)
        if request.aloud and message is not None and message.get("response_type") == "in_channel":
            deliveries_store.enqueue(
                tx,
                NewDelivery(
                    request.team,
                    DeliveryKind.MESSAGE,
                    request.place.channel,
                    encoded,
                    request.now,
                    _incident_of(tx, request, message),
                ),
            )
        # Stored even if there is no reply: the key is what tells a repeat.
        deliveries_store.store_reply(tx, request.key, encoded, request.now)
        return StoredReply(message or {}, encoded, has_enqueued=tx.has_enqueued, changed=tx.changed)

    reply = await services.store.write(run, _after_inbox(request, foresee))
    _refresh(services.slack, request, reply)
    return reply or None


def _after_inbox(request: Request, foresee: Foresee | None) -> Foresee | None:
    """What a unit begins with if its request is first looked for in the inbox."""
    return foresee and (lambda tx: (deliveries_store.find_reply(tx, request.key), foresee(tx)))


def _refresh(slack: SlackGateway, request: Request, reply: StoredReply) -> None:
    """Refresh what the unit changed. Only after the commit: an earlier refresh would show the record as it was."""
    for incident_id in _list_stale(request, reply):
        slack.live_messages.mark_stale(request.place, incident_id)
    if reply.changed:
        slack.home_tabs.mark_changed(reply.changed)
    if reply.has_enqueued:
        slack.outbox.notify()


def _is_newcomer(services: Services, request: Request, verb: str) -> bool:
    """Whether a person records of whom Slack has not said yet who they are. Programs have no Slack account."""
    is_known = services.slack.directory.is_known(request.team, request.user)
    return not is_known and verb in RECORDING and request.user not in PROGRAMS


def _note_newcomer(tx: Transaction, request: Request, message: Message | None) -> Message | None:
    """Note who recorded, for the mark; the receipt says so."""
    about = request.incident_id
    incident = incidents_store.find(tx, about) if about else incidents_store.find_current(tx, request.place)
    if incident is None:
        return message
    people_store.add_newcomer(tx, request.team, request.user, incident.id, request.now)
    if message is None or message.get("response_type") != "ephemeral":
        return message
    note = words.general.marked()
    *above, last = message["blocks"]
    below = [last] if last["type"] == "actions" else []
    shown = [*above, *([] if below else [last]), blocks.context(note), *below]
    return blocks.replace_blocks(message, shown)


def _incident_of(tx: Transaction, request: Request, message: Message) -> int | None:
    """The incident that a message about this request belongs to: its buttons go once they are outdated."""
    changed = (incident_id for incident_id, _ in tx.changed)
    return request.incident_id or next(changed, None) or _incident_in(tx, request, message)


def _incident_in(tx: Transaction, request: Request, message: Message) -> int | None:
    """The one incident that the buttons of a message name, as in a DM about a postmortem."""
    named = {carried.get("incident") for carried in blocks.list_values(message.get("blocks") or ())}
    (row,) = named if len(named) == 1 else (None,)
    found = incidents_store.find(tx, row) if isinstance(row, int) else None
    return found.id if found is not None and found.team == request.team else None


def _list_stale(request: Request, reply: StoredReply) -> list[int | None]:
    """The incidents whose live messages are stale; None stands for that of the channel.

    From outside a channel people also change incidents that their request does not name, as by `done 3`.
    """
    # A DM, or a person: a press in the Home tab has no channel, so its place is the person who pressed.
    is_elsewhere = request.place.channel.startswith(("D", "U", "W"))
    changed = (incident_id for incident_id, _ in reply.changed) if is_elsewhere else ()
    return list(dict.fromkeys([request.incident_id, *changed]))


def _redirect(tx: Transaction, request: Request, message: Message | None) -> Message | None:
    """The reply; if it is for everyone and was asked for elsewhere, it is sent to the incident's channel instead."""
    is_for_all = request.is_told_there and message is not None and message.get("response_type") == "in_channel"
    incident = incidents_store.find(tx, request.incident_id or 0) if is_for_all else None
    if message is None or incident is None or incident.channel == request.place.channel:
        return message
    deliveries_store.enqueue_message(
        tx, incident, {key: value for key, value in message.items() if key != "response_type"}, request.now
    )
    return message | {"response_type": "ephemeral"}


async def require_able(services: Services, request: Request, user: str, what: str, field: str = "") -> Person:
    """The person who shall `own it` or `lead`.

    Raises Refused, at a form's `field`, for a bot, a deactivated account, and an id that Slack does not know.
    """
    person = await services.slack.directory.look_up(request.team, user)
    if services.slack.directory.is_missing(request.team, user):
        raise Refused(
            f"Slack doesn't know the ID {user[:40]}. Type @ and pick the name from Slack's list.", field=field
        )
    if person.is_bot or person.is_deactivated:
        state = "a bot" if person.is_bot else "deactivated"
        raise Refused(f"{person.name} can't {what}: that account is {state}.", field=field)
    return person


def require_incident(tx: Transaction, request: Request, *, locking: bool = False) -> Incident:
    """The incident that a request is about: the one that its button names, or else the channel's.

    Raises Refused, with the offer to open one, if the channel has none. Outside the incident's channel, as in a DM, a
    button works for the owner of the postmortem and the lead, and a command that names the incident for everyone who
    may look into its channel (`request.sees`). `locking` if the incident is about to be saved: it then stays as read.
    """
    if request.incident_id is None:
        incident = incidents_store.find_current(tx, request.place, locking=locking)
        if incident is None:
            raise Refused(describe_missing(request), offer="open_incident")
        return incident
    found = incidents_store.find(tx, request.incident_id, locking=locking)
    # A button's value comes from outside: a row number of another workspace must lead nowhere.
    if found is None or found.team != request.team:
        raise Refused("That incident isn't in this workspace anymore.")
    if not _may_touch(found, request):
        raise Refused(_not_yours(tx, found))
    return found


def _not_yours(tx: Transaction, incident: Incident) -> str:
    """The sentence for a person outside the channel who neither leads the incident nor owns its postmortem."""
    owner = people_store.find(tx, incident.team, incident.postmortem_owner) if incident.postmortem_owner else None
    name = f", now {owner.name}," if owner else ""
    return (
        f"This button works in the channel of {incident.key}. Elsewhere, only its lead and the owner of its "
        f"postmortem{name} can use it."
    )


def require_open_record(tx: Transaction, request: Request, *, locking: bool = False) -> Incident:
    """The same incident if it still takes entries. Raises Refused if it is closed."""
    incident = require_incident(tx, request, locking=locking)
    if not incident.is_closed:
        return incident
    if request.incident_id is None:
        raise Refused(describe_missing(request), offer="open_incident")
    raise OutdatedButton(describe_closed(incident), offer="open_incident")


def describe_closed(incident: Incident) -> str:
    """The sentence for an incident that takes no more entries: why, and the remedy."""
    word = "published" if incident.postmortem_status is PostmortemStatus.PUBLISHED else "waived"
    return (
        f"{incident.key} is closed: its postmortem is {word}. To add to it, reopen it first: "
        f"`/postmortem reopen {incident.key}`"
    )


def _may_touch(incident: Incident, request: Request) -> bool:
    if incident.channel == request.place.channel or request.sees == incident.id:
        return True
    asked = list_askable(incident) if incident.rule is PostmortemRule.OPTIONAL else ()
    return request.user in (incident.postmortem_owner, incident.lead, *asked)


async def require_visible(services: Services, request: Request) -> None:
    """Raises Refused for a button or a form of an incident whose channel this person may not look into (any more).

    It fails closed: if Slack does not answer, the person tries again, and no secret leaks. A person inside the channel
    counts as a member unless Slack reported that they left: a form outlives its author's membership.
    """
    here = request.place.channel
    channel = (
        here if request.incident_id is None else await services.store.read(lambda tx: _channel_of(tx, request)) or here
    )
    if channel == here and not services.slack.channels.has_left(request.user, channel):
        return
    sight = await services.check_channels(request.team, request.user, [channel])
    if channel not in sight.seen:
        raise Refused(words.general.unseen() if sight.is_sure else words.general.unsure())


def _channel_of(tx: Transaction, request: Request) -> str:
    incident = incidents_store.find(tx, request.incident_id or 0)
    return incident.channel if incident else ""


def describe_missing(request: Request) -> str:
    """The sentence for a place without an incident; a direct message never has one."""
    return IN_A_DM if request.place.channel.startswith("D") else NO_INCIDENT


OPENING = "`/incident open checkout is failing`"
"""How an incident is opened, the same in every hint: an example that works as it is pasted."""
IN_A_DM = (
    "Incidents belong to channels, not to direct messages. Send this in the incident's channel, or open one there: "
    f"{OPENING}"
)
NO_INCIDENT = f"No open incident here. Start one: {OPENING}"


async def read_examples(services: Services, request: Request) -> Examples:
    """Examples for help texts: numbers of the channel's incident, or the first numbers if it has none."""

    def look(tx: Transaction) -> Examples:
        try:
            incident = require_incident(tx, request)
        except Refused:
            return Examples()
        return choose_examples(case_store.load_latest(tx, incident))

    return await services.store.read(look)
