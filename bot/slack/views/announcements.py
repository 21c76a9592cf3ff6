"""What people outside an incident's channel read: its post, the question about a late update, the weekly digest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain import text as text_rules
from bot.domain.incident import IncidentSpan
from bot.domain.library import library_url
from bot.domain.records import Case, Entry, Incident, PostmortemStatus, Status
from bot.domain.similarity import find_root_cause
from bot.domain.text import shorten
from bot.slack.views import blocks
from bot.slack.views.blocks import Block, Message
from bot.slack.views.incidents import channel_button
from bot.slack.views.templates import words
from bot.slack.views.timeline import Clocks
from storage.announcements.updates import IncidentUpdate

_TITLE = 300
_QUOTED = 280
LISTED = 8
"""Incidents of one kind that a digest names."""


@dataclass(frozen=True, slots=True)
class PostContent:
    """What the post of an incident shows. `reading` is where its postmortem is read; empty without a library."""

    case: Case
    course: IncidentSpan
    update: tuple[IncidentUpdate, Entry] | None = None
    reading: str = ""

    @property
    def is_published(self) -> bool:
        """Whether its postmortem is published."""
        return self.case.incident.postmortem_status is PostmortemStatus.PUBLISHED


def post(content: PostContent, now: datetime, *, follower: str = "") -> Message:
    """The post as it reads now: in the announce channel, or for a follower (a user id)."""
    incident = content.case.incident
    head = words.announcements.headline(
        key=incident.key, title=shorten(incident.title, _TITLE), link=incident.channel_link
    )
    text = "\n".join([head, _facts(content, now), *_news(content, now)])
    return blocks.message(text, blocks=[*blocks.sections(text), blocks.actions(*_buttons(content, follower))])


def _facts(content: PostContent, now: datetime) -> str:
    incident = content.case.incident
    return words.announcements.facts(
        severity=words.general.severity(number=incident.severity),
        status="Postmortem published" if content.is_published else str(incident.status).capitalize(),
        lead="" if incident.status is Status.RESOLVED else content.case.name(incident.lead),
        course=words.incidents.lasted(course=content.course, now=now),
        channel=incident.channel,
    )


def _news(content: PostContent, now: datetime) -> list[str]:
    """The latest update with its promise; once the postmortem is published, what happened and why in two lines."""
    if content.is_published:
        return _outcome(content.case)
    if content.update is None:
        return []
    update, entry = content.update
    day = content.course.since.date()
    text = shorten(text_rules.flatten(entry.text), _QUOTED)
    is_same_day = update.said_at.date() == day
    line = words.announcements.update(text=text, at=update.said_at, is_same_day=is_same_day, now=now)
    is_over = content.case.incident.status is Status.RESOLVED
    ahead = words.announcements.promise(quiet_at=update.quiet_at, next_at=update.next_at, day=day, now=now)
    return [line, *([] if is_over or not ahead else [ahead])]


def _outcome(case: Case) -> list[str]:
    written, cause = case.sections.get("summary"), find_root_cause(case)
    lines = []
    if written is not None and written.text.strip():
        lines.append(words.announcements.summary(text=shorten(text_rules.flatten(written.text), _QUOTED)))
    if cause:
        lines.append(words.announcements.cause(text=shorten(text_rules.flatten(cause), _QUOTED)))
    return lines


def _buttons(content: PostContent, follower: str) -> list[Block]:
    incident, value = content.case.incident, blocks.incident_value(content.case.incident)
    shown: list[Block] = blocks.read_button(content.reading) if content.is_published else []
    if not incident.is_closed:
        name, action = ("Stop following", "announce_unfollow") if follower else ("Follow", "announce_follow")
        shown.append(blocks.button(name, action, value))
    return shown or [channel_button(incident)]


def withdrawn_message() -> Message:
    """Takes the place of a post that its readers may not see any more."""
    return blocks.message(words.announcements.withdrawn())


def moved_message(incident: Incident, stage: str) -> Message:
    """The line that an older post to a follower becomes."""
    return blocks.message(words.announcements.moved(key=incident.key, stage=stage))


def unfollowed_message(incident: Incident) -> Message:
    """The line that a post becomes once its reader stops following."""
    return blocks.message(words.announcements.unfollowed(key=incident.key))


def unfollow_receipt(incident: Incident) -> Message:
    """To a person who stopped following."""
    return blocks.ephemeral(words.announcements.unfollowed(key=incident.key))


def follow_receipt(incident: Incident) -> Message:
    """To a person who follows an incident now."""
    return blocks.ephemeral(words.announcements.following(key=incident.key))


def update_receipt(entry: Entry, incident: Incident, next_at: datetime | None, clocks: Clocks, channel: str) -> Message:
    """To the author of an update. `channel` is where it is announced; empty for nowhere."""
    local = ""
    if next_at is not None and clocks.label:
        local = f"{next_at.astimezone(clocks.zone):%H:%M} {clocks.label}"
    text = words.announcements.update_receipt(
        key=incident.key,
        number=f"#{entry.number}",
        text=entry.text,
        next_at=next_at,
        local=local,
        channel=channel,
        now=clocks.now,
    )
    return blocks.ephemeral(text)


def late_message(incident: Incident, next_at: datetime, reader: str, now: datetime) -> Message:
    """To the lead alone: an update was promised for now."""
    value = blocks.incident_value(incident, **{"for": reader})
    text = words.announcements.late(
        key=incident.key,
        title=shorten(incident.title, _TITLE),
        link=incident.channel_link,
        next_at=next_at,
        now=now,
    )
    return blocks.message(
        text,
        blocks.actions(
            blocks.button("Write", "update_write", value, style="primary"),
            blocks.button("Nothing new", "update_quiet", value),
            blocks.button("No more", "update_end", value),
        ),
    )


def update_form(incident: Incident, channel: str, pace: int, reader: str) -> Block:
    """The form behind [Write]. `pace` is for how many seconds the last one was promised."""
    metadata = blocks.encode({"incident": incident.id, "channel": channel, "for": reader})
    again = f"in {round(pace / 60)}m" if pace else ""
    return blocks.modal(
        f"Update on {incident.key}",
        "update_write",
        [
            blocks.text_field("What can people outside read?", "text", multiline=True),
            blocks.text_field(
                "Next update",
                "next",
                hint=words.announcements.next_hint(),
                optional=True,
                initial_value=again,
            ),
        ],
        submit="Send update",
        private_metadata=metadata,
    )


def answered_line(incident: Incident, how: str, update: IncidentUpdate | None, now: datetime) -> Message:
    """What a question about a late update becomes: `how` is quiet, ended, answered or over."""
    if how == "quiet" and update is not None and update.quiet_at and update.next_at:
        text = words.announcements.extended(key=incident.key, at=update.quiet_at, next_at=update.next_at, now=now)
    elif how == "answered":
        text = words.announcements.answered(key=incident.key)
    elif how == "over":
        text = words.announcements.over(key=incident.key)
    else:
        text = words.announcements.ended(key=incident.key)
    return blocks.message(text)


@dataclass(frozen=True, slots=True)
class WeekInReview:
    """What a digest lists: what was published, what goes on, and how many actions of which incidents are overdue.

    `library` is the address of the library, where what was published is read; empty without one.
    """

    published: Sequence[Incident]
    unresolved: Sequence[Incident]
    overdue: Sequence[tuple[Incident, int]]
    library: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to say."""
        return not (self.published or self.unresolved or self.overdue)


def weekly_digest(week: WeekInReview) -> Message:
    """The weekly digest. What it names is public."""
    title = words.announcements.digest()
    parts = [
        _list(
            words.announcements.digest_published(count=len(week.published)),
            [(one, "") for one in week.published],
            week.library,
        ),
        _list(
            words.announcements.digest_open(count=len(week.unresolved)),
            [(one, words.general.severity(number=one.severity)) for one in week.unresolved],
        ),
        _list(
            words.announcements.digest_overdue(count=sum(count for _, count in week.overdue)),
            [(one, words.announcements.digest_count(count=count)) for one, count in week.overdue],
        ),
    ]
    return blocks.message(title, blocks=[blocks.section(title), *(blocks.section(part) for part in parts if part)])


def _list(title: str, incidents: Sequence[tuple[Incident, str]], library: str = "") -> str:
    """A title with the incidents below it, each with a word about it; empty without any."""
    if not incidents:
        return ""
    lines = [
        words.announcements.digest_line(
            key=one.key,
            title=shorten(one.title, 120),
            link=library_url(library, one) or one.channel_link,
            about=about,
        )
        for one, about in incidents[:LISTED]
    ]
    more = len(incidents) - LISTED
    return "\n".join([title, *lines, *([words.announcements.digest_more(count=more)] if more > 0 else [])])
