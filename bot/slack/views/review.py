"""The review of a postmortem in Slack: invitations, answers, the forms to plan it and to say what needs work."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from bot.domain import checks as checks_rules
from bot.domain.checks import Agenda
from bot.domain.outline import title_of
from bot.domain.records import Case, Incident
from bot.domain.review import USUAL_MINUTES, Review, Reviewer, ReviewOrder, Verdict
from bot.domain.text import flatten, format_day, format_duration, shorten
from bot.domain.times.zones import label_of
from bot.slack.views import blocks
from bot.slack.views import postmortem as postmortem_views
from bot.slack.views.blocks import Block, Message
from bot.slack.views.templates import words

LENGTHS = (15, 30, 45, 60, 90, 120)
LONGEST_TITLE, LONGEST_WORDS, LONGEST_LINE = 200, 1_500, 300


def describe_time(at: datetime, zone: tzinfo, now: datetime) -> str:
    """`Fri 4 Dec, 14:00 (Berlin), 13:00 UTC`: a moment on a person's clock, and in UTC if that differs."""
    local = at.astimezone(zone)
    day = format_day(local.date(), now.date())
    if local.utcoffset() == timedelta(0):
        return f"{day}, {local:%-H:%M} UTC"
    other = (
        "" if local.date() == at.astimezone(UTC).date() else f"{format_day(at.astimezone(UTC).date(), now.date())}, "
    )
    return f"{day}, {local:%-H:%M} ({label_of(zone)}), {other}{at.astimezone(UTC):%-H:%M} UTC"


def _length(review: Review) -> str:
    return format_duration(timedelta(minutes=review.minutes))


def _when(review: Review, zone: tzinfo, now: datetime) -> str:
    return f"{describe_time(review.starts_at, zone, now)} · {_length(review)}"


@dataclass(frozen=True, slots=True)
class InvitationContent:
    """What an invitation says besides the record: the agenda, past incidents like this one, and links to calendars.

    `by` is the name of who planned it, `was` when it was before, `links` are labels and addresses.
    """

    agenda: Agenda
    similar: tuple[tuple[str, str], ...]
    by: str
    was: datetime | None = None
    links: tuple[tuple[str, str], ...] = ()
    is_private: bool = False


def agenda_text(content: InvitationContent) -> str:
    """The agenda as plain lines, for a calendar; empty if there is nothing on it."""
    findings, whys = content.agenda
    lines = [
        *findings,
        *(f"Why is that? {why}" for why in whys),
        *(f"Is it like {key}? {one}" for key, one in content.similar),
    ]
    return "\n".join(["Agenda:", *(f"- {line}" for line in lines)]) if lines else ""


def invitation_message(
    case: Case, content: InvitationContent, reviewer: Reviewer, zone: tzinfo, now: datetime
) -> Message:
    """To a reviewer: when, what about, and the buttons to answer."""
    incident, review = case.incident, _review(case)
    text = words.review.invitation(
        key=incident.key,
        title=shorten(incident.title, LONGEST_TITLE),
        channel=incident.channel,
        by=content.by,
        when=_when(review, zone, now),
        was=describe_time(content.was, zone, now) if content.was else "",
    )
    agenda = words.review.agenda(findings=content.agenda.findings, whys=content.agenda.whys, similar=content.similar)
    calendars = [blocks.link_button(label, f"review_{label.lower()}", url) for label, url in content.links]
    shown = [
        blocks.section(text),
        blocks.section(agenda),
        blocks.actions(*_answer_buttons(incident, reviewer), _show_button(incident, reviewer.user)),
        *([blocks.actions(*calendars)] if calendars else []),
        blocks.context(words.review.invitation_hint(is_private=content.is_private)),
    ]
    return blocks.message(text, blocks=shown)


def _review(case: Case) -> Review:
    assert case.review is not None  # noqa: S101 (whoever asks for its messages has looked)
    return case.review


def _value(incident: Incident, user: str) -> str:
    # For the reader: it works in their DM although they neither lead the incident nor own its postmortem.
    return blocks.incident_value(incident, **{"for": user})


def _answer_buttons(incident: Incident, reviewer: Reviewer) -> list[Block]:
    """The answers that a person can still give; the one that they gave is left out."""
    value = _value(incident, reviewer.user)
    good = blocks.button("Looks good", "review_good", value, style="" if reviewer.verdict else "primary")
    work = blocks.button("Needs work …", "review_work", value)
    return [good] * (reviewer.verdict != Verdict.GOOD) + [work]


def _show_button(incident: Incident, user: str) -> Block:
    return blocks.button("Show postmortem", "postmortem_show", _value(incident, user))


def posted_text(case: Case, by: str, was: datetime | None) -> str:
    """What the invitation says in the incident's thread, where everyone reads their own clock."""
    review = _review(case)
    return words.review.posted(
        key=case.incident.key,
        by=by,
        at=review.starts_at,
        minutes=_length(review),
        names=[case.name(one.user) for one in review.reviewers],
        was=was,
    )


def called_off_message(incident: Incident, review: Review, by: str, why: str, zone: tzinfo, now: datetime) -> Message:
    """To a reviewer: it won't take place. `why` is empty if a person called it off."""
    return blocks.message(
        words.review.called_off(
            key=incident.key,
            title=shorten(incident.title, LONGEST_TITLE),
            channel=incident.channel,
            by=by,
            when=_when(review, zone, now),
            why=why,
        )
    )


def posted_called_off_text(incident: Incident, review: Review, by: str, why: str) -> str:
    """The same in the incident's thread."""
    return words.review.posted_called_off(key=incident.key, by=by, at=review.starts_at, why=why)


def closed_card(incident: Incident, why: str) -> Message:
    """The one line that an invitation becomes."""
    return blocks.message(
        words.review.card_closed(key=incident.key, title=shorten(incident.title, LONGEST_TITLE), why=why)
    )


def answered_card(incident: Incident, reviewer: Reviewer) -> Message:
    """What an invitation becomes once its reader has answered; the answer may be changed."""
    text = words.review.answered(
        key=incident.key,
        title=shorten(incident.title, LONGEST_TITLE),
        verdict=reviewer.verdict,
        lines=_quote(reviewer.words),
    )
    row = [*_answer_buttons(incident, reviewer), _show_button(incident, reviewer.user)]
    return blocks.message(text, blocks=[blocks.section(text), blocks.actions(*row)])


def _quote(text: str) -> list[str]:
    return [line for line in shorten(text, LONGEST_WORDS).splitlines() if line.strip()]


def answer_receipt(incident: Incident, reviewer: Reviewer) -> Message:
    """To the reviewer who answered elsewhere than below their invitation."""
    return answered_card(incident, reviewer) | {"response_type": "ephemeral"}


def answer_notice(case: Case, reviewer: Reviewer, *, is_last: bool) -> Message:
    """To the owner: what a reviewer wants changed, or that everyone says that it looks good."""
    incident = case.incident
    title = shorten(incident.title, LONGEST_TITLE)
    if is_last:
        text = words.review.all_good(key=incident.key, title=title)
    else:
        text = words.review.needs_work(
            key=incident.key, title=title, by=case.name(reviewer.user), lines=_quote(reviewer.words)
        )
    row = [blocks.button("Show postmortem", "postmortem_show", blocks.incident_value(incident))]
    return blocks.message(text, blocks=[blocks.section(text), blocks.actions(*row)])


def receipt(case: Case, was: datetime | None, zone: tzinfo, now: datetime) -> Message:
    """To the person who planned or moved it."""
    review = _review(case)
    text = words.review.receipt(
        key=case.incident.key,
        when=_when(review, zone, now),
        names=[case.name(one.user) for one in review.reviewers],
        was=describe_time(was, zone, now) if was else "",
    )
    return blocks.ephemeral(text, blocks.actions(*_plan_buttons(case.incident, review, now)))


def asked_receipt(case: Case, zone: tzinfo, now: datetime) -> Message:
    """To the person who changed only who reviews."""
    review = _review(case)
    names = [case.name(one.user) for one in review.reviewers]
    text = words.review.asked_receipt(key=case.incident.key, when=_when(review, zone, now), names=names)
    return blocks.ephemeral(text, blocks.actions(*_plan_buttons(case.incident, review, now)))


def _plan_buttons(incident: Incident, review: Review, now: datetime) -> list[Block]:
    """[Change review], and [Call off review] as long as it is still to come."""
    about = blocks.incident_value(incident)
    sure = words.review.cancel_sure(key=incident.key)
    off = blocks.button("Call off review", "review_cancel", about, confirm=sure)
    return [blocks.button("Change review", "review_plan", about), *([off] if review.is_ahead(now) else [])]


def cancel_receipt(incident: Incident) -> Message:
    """To the person who called it off."""
    return blocks.ephemeral(words.review.cancel_receipt(key=incident.key))


def status_blocks(case: Case, user: str, zone: tzinfo, now: datetime) -> list[Block]:
    """The review below the overview of a postmortem: when, who says what, and what this reader can do about it."""
    review, incident = case.review, case.incident
    if review is None or (review.is_cancelled and not any(one.verdict for one in review.reviewers)):
        return []
    answers = [
        (case.name(one.user), one.verdict, shorten(flatten(one.words), LONGEST_LINE)) for one in review.reviewers
    ]
    text = words.review.status(
        when=_when(review, zone, now),
        answers=answers,
        is_past=review.ends_at <= now,
        is_cancelled=review.is_cancelled,
    )
    shown = [blocks.section(text)]
    if review.is_cancelled or incident.postmortem_status.is_finished:
        return shown
    mine = review.find(user)
    row = _answer_buttons(incident, mine) if mine else []
    return [*shown, blocks.actions(*row, *_plan_buttons(incident, review, now))]


def plan_form(case: Case, order: ReviewOrder, proposed: Sequence[str]) -> Block:
    """The form to plan a review or to change it, with what was typed and the people who may take part."""
    incident, review = case.incident, case.review if case.review and not case.review.is_cancelled else None
    at = order.starts_at or (review.starts_at if review else None)
    minutes = order.minutes or (review.minutes if review else USUAL_MINUTES)
    users = [one.user for one in review.reviewers] if review else list(proposed)
    lengths = sorted({*LENGTHS, minutes})
    options = {length: blocks.option(format_duration(timedelta(minutes=length)), str(length)) for length in lengths}
    when: Block = {"type": "datetimepicker", "action_id": "starts_at"}
    who: Block = {"type": "multi_users_select", "action_id": "reviewers"}
    metadata = {
        "incident": incident.id,
        "channel": incident.channel,
        "sequence": review.sequence if review else -1,
    }
    return blocks.modal(
        f"Review of {incident.key}",
        "review_plan",
        [
            blocks.section(words.postmortem.about(key=incident.key, title=shorten(incident.title, 300))),
            blocks.input_block("When?", when | ({"initial_date_time": int(at.timestamp())} if at else {})),
            blocks.input_block("How long?", blocks.menu("minutes", options.values(), options[minutes])),
            blocks.input_block("Who reviews it?", who | ({"initial_users": users} if users else {})),
        ],
        submit="Invite",
        private_metadata=json.dumps(metadata),
    )


def work_form(incident: Incident, reviewer: Reviewer) -> Block:
    """The form behind [Needs work …]."""
    return blocks.modal(
        "Needs work",
        "review_work",
        [
            blocks.section(words.postmortem.about(key=incident.key, title=shorten(incident.title, 300))),
            *blocks.text_fields("What needs work?", reviewer.words, hint=words.review.work_hint()),
        ],
        submit="Send",
        private_metadata=json.dumps(
            {
                "incident": incident.id,
                "channel": incident.channel,
                "for": reviewer.user,
                **blocks.field_marks(reviewer.words),
            }
        ),
    )


def reminder_message(case: Case, user: str, zone: tzinfo, now: datetime, *, is_after: bool) -> Message:
    """An hour before it, and once it is over: to a reviewer, or to the owner, who reads what is still empty."""
    incident, review = case.incident, _review(case)
    is_owner, reviewer = user == incident.postmortem_owner, review.find(user)
    title = shorten(incident.title, LONGEST_TITLE)
    blank = [title_of(incident, slug) for slug in checks_rules.sort_by_weight(case)]
    if is_after:
        waiting = [case.name(one.user) for one in review.reviewers if one.is_waiting]
        text = words.review.after(
            key=incident.key, title=title, channel=incident.channel, is_owner=is_owner, waiting=waiting
        )
    else:
        text = words.review.ahead(
            key=incident.key,
            title=title,
            channel=incident.channel,
            when=_when(review, zone, now),
            length=format_duration(review.starts_at - now),
            is_owner=is_owner,
            blank=blank,
        )
    row = _answer_buttons(incident, reviewer) if reviewer and reviewer.is_waiting else []
    row.append(_show_button(incident, user))
    slug = checks_rules.find_next_section(case)
    if is_owner and slug:
        label, ref = postmortem_views.fill_label(incident, slug), postmortem_views.section_ref(incident, slug)
        row.append(blocks.button(label, "postmortem_fill", ref))
    return blocks.message(text, blocks=[blocks.section(text), blocks.actions(*row)])


def home_blocks(incident: Incident, review: Review, user: str, zone: tzinfo, now: datetime) -> list[Block]:
    """A review that waits for this person, on their Home tab."""
    line = words.review.home_line(
        key=incident.key,
        title=shorten(incident.title, LONGEST_TITLE),
        channel=incident.channel,
        when=_when(review, zone, now),
    )
    reviewer = review.find(user)
    row = _answer_buttons(incident, reviewer) if reviewer else []
    return [blocks.section(line), blocks.actions(*row, _show_button(incident, user))]


def hidden_invitation() -> Message:
    """To a reviewer who cannot see the incident's channel."""
    return blocks.message(words.review.asked_unseen())


def hidden_change() -> Message:
    """The same about a review that moved or was called off."""
    return blocks.message(words.review.changed_unseen())


def unable_message(incident: Incident, name: str) -> Message:
    """To who planned it: a reviewer cannot see the channel."""
    return blocks.message(words.review.cannot_see(key=incident.key, channel=incident.channel, name=name))
