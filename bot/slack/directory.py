"""The people of the workspace with names and zones, and the names of channels and user groups.

A request is answered from memory. Unknown people are looked up in Slack, with a time limit. Once a day the whole list
is read, so that names and zones stay current.
"""

import asyncio
import logging
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot import bounds
from bot.domain.records import Person
from bot.errors import NotRecorded
from bot.slack.errors import CALL_ERRORS, describe_cause, parse_refusal
from bot.slack.message_text import read_object, read_string
from bot.slack.mrkdwn import find_ids_to_name, to_plain_text
from bot.timeouts import Timeouts
from storage import people as people_store
from storage.database.store import Store

log = logging.getLogger(__name__)

REMEMBERED_SECONDS = 24 * 3600.0
NAMES_ASK_AGAIN_SECONDS = 60.0
"""After an answer without a name: the scope is missing, or the bot cannot see the channel."""

_ALL_GROUPS = "S"
"""A key for the whole list of groups, so that it is not requested again at once."""


class NameCache:
    """Asks Slack once for each name and remembers it for a day.

    Names of private channels are never shown, because people outside the channel may read the text.
    """

    def __init__(self, client: AsyncWebClient, timeouts: Timeouts = Timeouts()) -> None:
        self._client = client
        self._timeouts = timeouts
        self._names: dict[tuple[str, str], str] = {}
        self._asked: dict[tuple[str, str], float] = {}
        self._in_use: dict[str, tuple[tuple[str, str], ...]] = {}

    def name(self, team: str, about: str) -> str:
        """The name of a channel, or the handle of a user group; empty if it is not known."""
        return self._names.get((team, about), "")

    def remember(self, team: str, about: str, name: str) -> None:
        """Store a name that Slack sent."""
        self._names[team, about] = name
        self._asked[team, about] = time.monotonic() + REMEMBERED_SECONDS

    async def learn(self, team: str, ids: Iterable[str]) -> None:
        """Ask Slack for the names that are not known, with a time limit. Never raises for a failed call."""
        wanted = [about for about in ids if self._asked.get((team, about), 0.0) <= time.monotonic()]
        if not wanted:
            return
        # Before the calls: requests that come meanwhile, and those after a failure, go on without the names.
        for about in wanted:
            self._asked[team, about] = time.monotonic() + NAMES_ASK_AGAIN_SECONDS
        groups = [about for about in wanted if about.startswith("S")]
        asking = [self._channel(team, about) for about in wanted if not about.startswith("S")]
        try:
            async with asyncio.timeout(self._timeouts.slack_names):
                await asyncio.gather(*asking, *([self._groups(team)] if groups else []))
        except TimeoutError:
            log.warning(
                "Slack didn't send all names in time (%(names)d), so a text keeps their IDs.",
                {"event": "names_late", "names": len(wanted)},
            )

    async def groups(self, team: str) -> tuple[tuple[str, str], ...]:
        """(id, handle) of every user group that is enabled, requested at most once a minute.

        Empty if Slack does not answer in time or the scope is missing.
        """
        await self.learn(team, [_ALL_GROUPS])
        return self._in_use.get(team, ())

    async def _channel(self, team: str, channel: str) -> None:
        try:
            answer: Any = await self._client.conversations_info(channel=channel)
        except CALL_ERRORS as error:
            log.info(
                "Slack didn't send the name of %(channel)s (%(cause)s). Its ID is shown instead.",
                {"event": "channel_name_unread", "channel": channel, "cause": describe_cause(error)},
            )
            return
        info = answer["channel"]
        if info.get("name") and not info.get("is_private"):
            self.remember(team, channel, info["name"])

    async def _groups(self, team: str) -> None:
        try:
            answer: Any = await self._client.usergroups_list(include_disabled=True)
        except CALL_ERRORS as error:
            log.info(
                "Slack didn't send the names of user groups (%(cause)s). Their IDs are shown instead.",
                {"event": "groups_unread", "cause": describe_cause(error)},
            )
            return
        in_use = []
        for group in answer["usergroups"]:  # disabled ones, too: old texts name them
            handle = group.get("handle") or group.get("name") or group["id"]
            self.remember(team, group["id"], handle)
            if not group.get("date_delete"):
                in_use.append((group["id"], handle))
        self._in_use[team] = tuple(in_use)


_EVERYONE = ""
_PEOPLE = ("U", "W")
_NO_USER = "user_not_found"
_NOT_OURS = frozenset({_NO_USER, "user_not_visible"})


class Directory:
    """Everyone who was ever seen. Call `load` once at the start; `look_up` answers from memory.

    `home` is the workspace that the bot is installed in, and `url` its address. Both are empty until Slack has
    answered, and in a whole enterprise.
    """

    def __init__(self, store: Store, client: AsyncWebClient) -> None:
        self._store = store
        self._client = client
        self._people: dict[tuple[str, str], Person] = {}
        self._failed_until: dict[tuple[str, str], float] = {}
        self._strangers: set[tuple[str, str]] = set()
        self._missing: set[tuple[str, str]] = set()
        self._read_at: dict[tuple[str, str], float] = {}
        self._learned_at: dict[tuple[str, str], float] = {}
        self._timeouts = store.timeouts
        self.names = NameCache(client, store.timeouts)
        self.home = ""
        self.url = ""

    async def load(self) -> None:
        """Read the people from the database."""
        for person in await self._store.read(people_store.list_all):
            self._people[person.team, person.id] = person

    def name(self, team: str, about: str) -> str:
        """The name of a person, channel or user group; empty if it is not known."""
        person = self._people.get((team, about))
        return person.name if person else self.names.name(team, about)

    def name_or_id(self, team: str, user: str) -> str:
        """A person as words name them, without a ping: by their id if the name is not known."""
        return self.name(team, user) or user

    def ids(self, team: str) -> set[str]:
        """The ids of everyone in a workspace who was ever seen."""
        return {user for of, user in self._people if of == team and user.startswith(_PEOPLE)}

    def find_by_name(self, team: str, name: str) -> str:
        """The id of the only person with this name, or with this first name; empty if there is none, or several."""
        wanted = name.casefold()
        members = [one for one in self._people.values() if one.team == team and not (one.is_bot or one.is_deactivated)]
        whole = [one.id for one in members if one.name.casefold() == wanted]
        first = [one.id for one in members if one.name.casefold().partition(" ")[0] == wanted]
        found = whole or first
        return found[0] if len(found) == 1 else ""

    def get(self, team: str, user: str) -> Person | None:
        """A person as last seen; None for a person who was never seen."""
        return self._people.get((team, user))

    async def look_up(self, team: str, user: str) -> Person:
        """A person, from memory or from Slack. Without an answer from Slack, a person without a name and zone.

        A user whom Slack does not know, or does not show us, is not of our workspace and counts as a guest.
        """
        person = self._people.get((team, user))
        if person is not None:
            return person
        # No second wait in this time: an acknowledgement must not be late for a name (decision 7).
        if any(self._failed_until.get((team, about), 0) > time.monotonic() for about in (user, _EVERYONE)):
            return Person(team, user, user, is_guest=(team, user) in self._strangers)
        try:
            async with asyncio.timeout(self._timeouts.slack_person):
                answer: Any = await self._client.users_info(user=user, include_locale=True)
        except CALL_ERRORS as error:
            log.warning(
                "Slack didn't say who %(user)s is (%(cause)s). Their zone is read as UTC meanwhile.",
                {"event": "person_unknown", "user": user, "cause": describe_cause(error)},
            )
            refusal = parse_refusal(error) if isinstance(error, SlackApiError) else None
            # If Slack does not answer at all, only one request in this time waits for it; the others go on without.
            about = user if refusal and not refusal.is_trouble else _EVERYONE
            self._failed_until[team, about] = time.monotonic() + self._timeouts.slack_person_again
            if refusal and refusal.word in _NOT_OURS:
                self._strangers.add((team, user))
            if refusal and refusal.word == _NO_USER:
                self._missing.add((team, user))
            return Person(team, user, user, is_guest=(team, user) in self._strangers)
        return await self.learn(team, answer["user"])

    def is_known(self, team: str, user: str) -> bool:
        """Whether Slack ever said who this is. That they are not of our workspace counts as knowing."""
        return (team, user) in self._people or (team, user) in self._strangers

    async def reread(self, team: str, user: str, *, most_seconds: float) -> None:
        """Read a person again if others share the database and the last reading is older than that.

        Slack tells one replica of a new role; the others find it here.
        """
        about = team, user
        if not self._store.is_shared or time.monotonic() - self._read_at.get(about, -most_seconds) < most_seconds:
            return
        person = await self._store.read(lambda tx: people_store.find(tx, team, user))
        self._read_at[about] = time.monotonic()
        if person is not None:
            self._people[about] = person

    def is_missing(self, team: str, user: str) -> bool:
        """Whether Slack's last answer was that there is no user with this id."""
        return (team, user) in self._missing

    async def look_up_as(self, team: str, user: str, called: str, *, is_bot: bool) -> Person:
        """A person as in `look_up`. If Slack does not describe them, `called` is their name, from their message.

        That name is stored only if Slack refused for good. Otherwise a later answer brings the name with the zone.
        """
        person = await self.look_up(team, user)
        if not called or person.name != user:
            return person
        if (team, user) not in self._strangers:
            return replace(person, name=called)
        return await self.learn(team, {"id": user, "real_name": called, "is_bot": is_bot, "is_stranger": True})

    async def look_up_all(self, team: str, ids: tuple[str, ...]) -> None:
        """Look up all unknown people, channels and user groups among the ids, concurrently."""
        users = [about for about in ids if about.startswith(_PEOPLE)]
        others = [about for about in ids if not about.startswith(_PEOPLE)]
        await asyncio.gather(*(self.look_up(team, user) for user in users), self.names.learn(team, others))

    async def resolve_names(self, team: str, text: str) -> str:
        """A typed text with names in place of ids. Unknown ids are looked up first."""
        if ids := find_ids_to_name(text):
            await self.look_up_all(team, ids)
        return self.resolve_known_names(team, text)

    def resolve_known_names(self, team: str, text: str) -> str:
        """A typed text with the names that are known now in place of ids."""
        return to_plain_text(text, lambda about: self.name(team, about))

    async def learn_group(self, team: str, group: str, label: str, zone: str) -> Person:
        """Store a user group that owns something. Its zone is that of the person who named it first."""
        before = self._people.get((team, group))
        handle = label or self.name(team, group).removeprefix("@") or group
        person = Person(team, group, f"@{handle}", before.zone if before else zone)
        if person != before:
            self._people[team, group] = person
            await self._store.write(lambda tx: people_store.save(tx, person))
        return person

    async def learn(self, team: str, user: dict[str, Any], *, asked_at: float | None = None) -> Person:
        """Store a user object from Slack. Without a locale, as in events, the known one stays.

        `asked_at` is when a list was requested (monotonic): what was learned since then is newer than its page.
        """
        person = parse_person(team, user)
        before = self._people.get((team, person.id))
        if before is not None and asked_at is not None and self._learned_at.get((team, person.id), 0.0) > asked_at:
            return before
        self._learned_at[team, person.id] = time.monotonic()
        if before is not None and not person.locale:
            person = replace(person, locale=before.locale)
        self._strangers.discard((team, person.id))
        self._missing.discard((team, person.id))
        if person != before:
            self._people[team, person.id] = person
            await self._store.write(lambda tx: people_store.save(tx, person))
        return person


def parse_person(team: str, user: dict[str, Any]) -> Person:
    """The person of a user object: https://docs.slack.dev/reference/objects/user-object."""
    profile = read_object(user.get("profile"))
    names = (profile.get("display_name"), user.get("real_name"), profile.get("real_name"), user.get("name"))
    return Person(
        team=team,
        id=user["id"],
        name=next(filter(None, map(read_string, names)), user["id"]),
        zone=read_string(user.get("tz")),
        is_guest=bool(user.get("is_restricted") or user.get("is_ultra_restricted")) or _is_external(team, user),
        is_bot=bool(user.get("is_bot")),
        is_deactivated=bool(user.get("deleted")),
        locale=read_string(user.get("locale")),
    )


def _is_external(team: str, user: dict[str, Any]) -> bool:
    """Whether a user object belongs to another organization.

    In a channel shared with us, `is_stranger` is false for them, so the team ids are compared as well.
    """
    own = {user.get("team_id") or team, *(user.get("enterprise_user") or {}).get("teams", ())}
    return bool(user.get("is_stranger")) or team not in own


def find_zone(person: Person | None) -> tzinfo:
    """A person's zone; UTC if it is unknown, or missing on this machine."""
    return (_load_zone(person.zone) if person else None) or UTC


def has_zone(person: Person) -> bool:
    """Whether a person's zone is known and exists on this machine."""
    return _load_zone(person.zone) is not None


def find_language(person: Person) -> str:
    """The language in which a person's times are read, as a BCP 47 tag. Default: English."""
    return person.locale or "en"


def _load_zone(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name) if 0 < len(name) <= bounds.ZONE else None
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a name that is a folder of zones
        return None


REFRESH_EVERY = timedelta(days=1)
RETRY_AFTER = timedelta(minutes=5)
"""After a failed refresh."""

MOST_LOOKED_UP = 100
"""People that the list lacks, those of other organizations, are requested one by one: at most so many."""

TRIES = 5
LONGEST_WAIT = 60.0
"""At most so many waits, in seconds each, for Slack's rate limit on one page of the list."""


class DirectoryRefresher:
    """Reads the list of people in a background task: a large workspace takes minutes at Slack's rate limit."""

    def __init__(self, client: AsyncWebClient, people: Directory) -> None:
        self._client = client
        self._people = people
        self._due: datetime | None = None
        self._reading: asyncio.Task[None] | None = None

    def start(self, now: datetime) -> None:
        """Refresh now, and from then on daily by `refresh_if_due`."""
        self._due = now
        self.refresh_if_due(now)

    def refresh_if_due(self, now: datetime) -> None:
        """Start a refresh if one is due. Does nothing before `start`."""
        is_reading = self._reading is not None and not self._reading.done()
        # Due more than a day ahead means that the clock was set back: then refresh now.
        if self._due is None or is_reading or now < self._due <= now + REFRESH_EVERY:
            return
        self._due = now + REFRESH_EVERY
        self._reading = asyncio.create_task(self._refresh(now))

    async def wait(self) -> None:
        """Wait for a running refresh."""
        if self._reading is not None:
            await asyncio.wait([self._reading])

    async def close(self) -> None:
        """Cancel a running refresh."""
        self._due = None
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])

    async def _refresh(self, now: datetime) -> None:
        try:
            answer: Any = await self._client.auth_test()
            team = str(answer["team_id"])
            if not answer.get("is_enterprise_install"):
                self._people.home, self._people.url = team, str(answer.get("url") or "")
            listed = await self._read_members(team)
            await self._look_up_others(team, listed)
        except (*CALL_ERRORS, NotRecorded) as error:
            self._due = now + RETRY_AFTER
            log.warning(
                "The list of people couldn't be read from Slack (%(cause)s). Recording works without it, and it's "
                "tried again.",
                {"event": "people_unread", "cause": type(error).__name__},
            )

    async def _read_members(self, team: str) -> set[str]:
        listed: set[str] = set()
        cursor = ""
        while True:
            asked_at = time.monotonic()
            page = await self._page(cursor)
            for user in page["members"]:
                listed.add(user["id"])
                # Someone who left and is not known here has nothing here, or was forgotten on purpose.
                if not user.get("deleted") or self._people.get(team, user["id"]) is not None:
                    await self._people.learn(team, user, asked_at=asked_at)
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return listed

    async def _page(self, cursor: str) -> Any:
        for _ in range(TRIES):
            try:
                return await self._client.users_list(limit=200, cursor=cursor, include_locale=True)
            except SlackApiError as error:
                rest = parse_refusal(error).rest
                if rest is None:
                    raise
                await asyncio.sleep(min(rest, LONGEST_WAIT))
        return await self._client.users_list(limit=200, cursor=cursor, include_locale=True)

    async def _look_up_others(self, team: str, listed: set[str]) -> None:
        for user in sorted(self._people.ids(team) - listed)[:MOST_LOOKED_UP]:
            try:
                answer: Any = await self._client.users_info(user=user, include_locale=True)
            except SlackApiError as error:
                refusal = parse_refusal(error)
                log.info(
                    "Slack no longer describes %(user)s (%(cause)s).",
                    {"event": "person_gone", "user": user, "cause": refusal.word},
                )
                if refusal.rest is not None:
                    return
                continue
            await self._people.learn(team, answer["user"])
