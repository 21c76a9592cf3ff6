"""The invitation to a review: an iCalendar file (RFC 5545, 5546), and links that fill in a new event elsewhere."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

LONGEST_LINK = 2_000
"""Characters of a link's details: beyond some thousands, calendars and Slack refuse the address."""


@dataclass(frozen=True, slots=True)
class Guest:
    """A person of an invitation: an address that opens them in Slack, and their name."""

    address: str
    name: str


@dataclass(frozen=True, slots=True)
class Invitation:
    """One event. `uid` stays the same when it is moved or called off, and `sequence` grows each time.

    All texts are plain; nothing in them is markup.
    """

    uid: str
    sequence: int
    starts_at: datetime
    minutes: int
    title: str
    description: str
    place: str
    link: str
    organizer: Guest
    guests: tuple[Guest, ...]
    sent_at: datetime
    is_cancelled: bool = False

    @property
    def ends_at(self) -> datetime:
        """When it is over."""
        return self.starts_at + timedelta(minutes=self.minutes)


def make_uid(team: str, key: str) -> str:
    """The event's id in every calendar."""
    return f"review.{key}.{team}@afterword".lower()


def write_invitation(invitation: Invitation) -> bytes:
    """The file: a request, or the cancellation of one. It takes long the first time: call it in a thread."""
    from icalendar import Calendar, Event, vCalAddress, vText  # noqa: PLC0415 (half as long as a start)

    calendar = Calendar()
    calendar.add("prodid", "-//Afterword//Review//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if invitation.is_cancelled else "REQUEST")
    event = Event()
    event.add("uid", invitation.uid)
    event.add("sequence", invitation.sequence)
    event.add("dtstamp", invitation.sent_at.astimezone(UTC).replace(microsecond=0))
    event.add("dtstart", invitation.starts_at.astimezone(UTC))
    event.add("dtend", invitation.ends_at.astimezone(UTC))
    event.add("summary", invitation.title)
    event.add("status", "CANCELLED" if invitation.is_cancelled else "CONFIRMED")
    if invitation.description:
        event.add("description", invitation.description)
    event.add("location", invitation.place)
    event.add("url", invitation.link)

    def address(guest: Guest) -> vCalAddress:
        found = vCalAddress(guest.address)
        found.params["CN"] = vText(_parameter(guest.name))
        return found

    # Slack's addresses and no made-up e-mail addresses: a calendar can answer to neither, and shows the names.
    event.add("organizer", address(invitation.organizer))
    for guest in invitation.guests:
        event.add("attendee", address(guest))
    calendar.add_component(event)
    return bytes(calendar.to_ical())


def _parameter(name: str) -> str:
    """A name as a parameter may hold it: no quotes and no controls, for which there is no escape there."""
    return "".join(letter for letter in name.replace('"', "'") if letter.isprintable()).strip() or "?"


def link_google(invitation: Invitation) -> str:
    """An address that opens a filled-in event in Google Calendar."""
    stamps = "/".join(f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}" for at in (invitation.starts_at, invitation.ends_at))
    values = {"action": "TEMPLATE", "text": invitation.title, "dates": stamps, "location": invitation.place}
    return _link("https://calendar.google.com/calendar/render", values, "details", invitation)


def link_outlook(invitation: Invitation) -> str:
    """The same in Outlook on the web."""
    values = {
        "path": "/calendar/action/compose",
        "rru": "addevent",
        "subject": invitation.title,
        "startdt": f"{invitation.starts_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "enddt": f"{invitation.ends_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "location": invitation.place,
    }
    return _link("https://outlook.office.com/calendar/0/deeplink/compose", values, "body", invitation)


def _link(base: str, values: dict[str, str], details: str, invitation: Invitation) -> str:
    """The address with as many lines of the description as fit."""
    lines = [invitation.link, *invitation.description.splitlines()]
    address = ""
    for count in range(len(lines), 0, -1):
        address = f"{base}?{urlencode({**values, details: chr(10).join(lines[:count])})}"
        if len(address) <= LONGEST_LINK:
            return address
    return address
