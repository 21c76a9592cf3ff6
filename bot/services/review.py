"""The review of a postmortem: plan it, move it, call it off, answer it.

Planning it sets the postmortem in review; publishing or waiving it ends what is still ahead of it. What goes out is in
`bot/services/notifications/invitations.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import Any

from bot.domain import postmortem as postmortem_rules
from bot.domain import review as review_rules
from bot.domain.records import Case, Incident, PostmortemStatus
from bot.domain.review import MOST_REVIEWERS, USUAL_MINUTES, Review, Reviewer, ReviewOrder, Verdict
from bot.domain.secrets import RecordKind, RecordRef
from bot.domain.text import clean_input, require_text
from bot.errors import OutdatedButton, Refused
from bot.services import secrets as secrets_service
from bot.services.context import Request, Services, require_able, require_incident, run_once
from bot.services.notifications import invitations as invitations_service
from bot.services.notifications.invitations import ANSWER, CANCEL, INVITE, close_card, enqueue, enqueue_with_file
from bot.services.notifications.reminders import update_reminders
from bot.slack.directory import find_zone
from bot.slack.views import review as review_views
from bot.slack.views.blocks import Block, Message
from bot.slack.views.templates import words
from storage import case as case_store
from storage import incidents as incidents_store
from storage import people as people_store
from storage.database.statements import Transaction
from storage.postmortem import reviews as reviews_store

_NOTHING = ReviewOrder()


@dataclass(frozen=True, slots=True)
class ReviewPlan:
    """What a person wants: when, and who reviews it.

    `seen` is the change that the form was opened with, None for a command: a command adds its people to those who are
    asked already, and a form has them all.
    """

    order: ReviewOrder
    users: tuple[str, ...]
    seen: int | None = None


async def read_order(services: Services, request: Request, text: str) -> ReviewOrder:
    """What was typed of the time, on its author's clock. Raises Refused for what is no moment ahead."""
    return review_rules.parse_order(text, request.now, await _find_zone(services, request))


async def _find_zone(services: Services, request: Request) -> tzinfo | None:
    person = await services.slack.directory.look_up(request.team, request.user)
    return None if services.lacks_zone(person) else services.zone_for(person)


async def has_review(services: Services, request: Request) -> bool:
    """Whether a review is planned, or was held, and not called off."""

    def look(tx: Transaction) -> bool:
        review = reviews_store.find(tx, require_incident(tx, request).id)
        return review is not None and not review.is_cancelled

    return await services.store.read(look)


async def plan_form(services: Services, request: Request, order: ReviewOrder = _NOTHING) -> Block:
    """The form that plans a review, or changes it. It proposes who led, owns and wrote."""

    def look(tx: Transaction) -> Block:
        incident = require_incident(tx, request)
        postmortem_rules.require_reviewable(incident)
        case = case_store.load_latest(tx, incident)
        return review_views.plan_form(case, order, postmortem_rules.propose_reviewers(case, request.user))

    return await services.store.read(look)


async def plan(services: Services, request: Request, wanted: ReviewPlan) -> Message | None:
    """Plan a review, move it, or change who is asked."""
    for user in wanted.users:
        await _require_reviewer(services, request, user)
    zone = await _find_zone(services, request) or UTC

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request, locking=True)
        postmortem_rules.require_reviewable(incident)
        before = reviews_store.find(tx, incident.id)
        review = _plan(tx, request, incident, before, wanted)
        if incident.postmortem_status is not PostmortemStatus.IN_REVIEW:
            incident = replace(incident, postmortem_status=PostmortemStatus.IN_REVIEW)
            incidents_store.save(tx, incident)
        invitations_service.schedule(tx, incident, review, request.now)
        _invite(tx, request, incident, before, review)
        update_reminders(tx, incident, request.now)
        case = case_store.load_latest(tx, incident)
        is_live = before is not None and not before.is_cancelled
        if is_live and before is not None and _is_same_time(before, review):
            return review_views.asked_receipt(case, zone, request.now)
        was = before.starts_at if is_live and before is not None else None
        return review_views.receipt(case, was, zone, request.now)

    return await run_once(services, request, unit, verb="review.plan")


async def _require_reviewer(services: Services, request: Request, user: str) -> None:
    person = await require_able(services, request, user, "review it", "reviewers")
    if services.is_excluded(person):
        raise Refused(f"{person.name} is a guest here, and can't see the record. Ask a member.", field="reviewers")


def _is_same_time(one: Review, other: Review) -> bool:
    return (one.starts_at, one.minutes) == (other.starts_at, other.minutes)


def _plan(tx: Transaction, request: Request, incident: Incident, before: Review | None, wanted: ReviewPlan) -> Review:
    """The review as it is now planned, saved with its people."""
    live = before if before is not None and not before.is_cancelled else None
    if wanted.seen is not None and wanted.seen != (live.sequence if live else -1):
        raise Refused("Someone else planned this review while you were writing. Open the form again to see it.")
    starts_at = wanted.order.starts_at or (live.starts_at if live else None)
    if starts_at is None:
        raise Refused(f"When is the review? Try {review_rules.EXAMPLE}")
    present = tuple(one.user for one in live.reviewers) if live and wanted.seen is None else ()
    users = tuple(dict.fromkeys((*present, *wanted.users)))
    if not users:
        raise Refused(f"Who reviews it? Try {review_rules.EXAMPLE}", field="reviewers")
    if len(users) > MOST_REVIEWERS:
        raise Refused(f"A review has at most {MOST_REVIEWERS} reviewers. Pick those who know most.", field="reviewers")
    minutes = wanted.order.minutes or (live.minutes if live else USUAL_MINUTES)
    is_same = live is not None and (starts_at, minutes, set(users)) == (
        live.starts_at,
        live.minutes,
        {one.user for one in live.reviewers},
    )
    if is_same:
        raise OutdatedButton(f"The review of {incident.key} is planned like that already.")
    review = Review(
        id=before.id if before else 0,
        incident_id=incident.id,
        sequence=before.sequence + 1 if before else 0,
        starts_at=starts_at,
        minutes=minutes,
        planned_by=live.planned_by if live else request.user,
        planned_at=request.now,
        is_cancelled=False,
    )
    reviews_store.save(tx, review)
    _ask(tx, before, live, incident, users)
    found = reviews_store.find(tx, incident.id)
    assert found is not None  # noqa: S101 (it was saved just now)
    return found


def _ask(
    tx: Transaction, before: Review | None, live: Review | None, incident: Incident, users: tuple[str, ...]
) -> None:
    """Ask these people, and no one else. Answers stand when a review is moved, and end when it was called off."""
    had = {one.user: one for one in before.reviewers} if before else {}
    for user in users:
        if user not in had:
            reviews_store.add_reviewer(tx, incident.id, user)
        elif live is None:
            asked = replace(had[user], verdict="", words="", answered_at=None, is_waiting=True, channel="", ts="")
            reviews_store.save_reviewer(tx, asked)
    for user, reviewer in had.items():
        if user not in users:
            reviews_store.remove_reviewer(tx, reviewer)


def _invite(
    tx: Transaction,
    request: Request,
    incident: Incident,
    before: Review | None,
    review: Review,
) -> None:
    """Enqueue what people hear of a plan: everyone of a new time, and else only those who are newly asked, or not."""
    now, live = request.now, before if before is not None and not before.is_cancelled else None
    body: dict[str, Any] = {"do": INVITE, "sequence": review.sequence, "by": request.user}
    had = {one.user: one for one in live.reviewers} if live else {}
    is_moved = live is None or not _is_same_time(live, review)
    was = {"was": live.starts_at.isoformat()} if live and live.starts_at != review.starts_at else {}
    if is_moved:
        enqueue(tx, incident, incident.channel, body | was, now)
    for reviewer in review.reviewers:
        earlier = had.get(reviewer.user)
        if earlier is not None and is_moved:
            line = words.review.has_moved(when=_describe(tx, incident, reviewer.user, review, now))
            close_card(tx, incident, earlier, review_views.closed_card(incident, line), now)
        if earlier is None or is_moved:
            enqueue_with_file(tx, incident, reviewer.user, body | (was if earlier else {}), now)
    asked = {one.user for one in review.reviewers}
    for user, earlier in had.items():
        if user not in asked:
            close_card(tx, incident, earlier, review_views.closed_card(incident, words.review.not_asked()), now)
            off = {"do": CANCEL, "sequence": review.sequence, "by": request.user, "ts": earlier.ts}
            enqueue(tx, incident, user, {**off, "do": invitations_service.FILE, "is_off": True}, now)


def _describe(tx: Transaction, incident: Incident, user: str, review: Review, now: datetime) -> str:
    zone = find_zone(people_store.find(tx, incident.team, user))
    return review_views.describe_time(review.starts_at, zone, now)


async def cancel(services: Services, request: Request) -> Message | None:
    """Call the review off: the postmortem is open again, and everyone who was asked hears of it."""

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request, locking=True)
        review = reviews_store.find(tx, incident.id)
        if review is None or review.is_cancelled:
            raise OutdatedButton(f"No review of {incident.key} is planned. Plan it: {review_rules.EXAMPLE}")
        if not review.is_ahead(request.now):
            raise OutdatedButton(f"The review of {incident.key} has been held. To meet again: {review_rules.EXAMPLE}")
        if incident.postmortem_status is PostmortemStatus.IN_REVIEW:
            incident = replace(incident, postmortem_status=PostmortemStatus.OPEN)
            incidents_store.save(tx, incident)
        _call_off(tx, request, incident, review, "")
        update_reminders(tx, incident, request.now)
        return review_views.cancel_receipt(incident)

    return await run_once(services, request, unit, verb="review.cancel")


def _call_off(tx: Transaction, request: Request, incident: Incident, review: Review, why: str) -> None:
    """Of a review that is still to come: everyone's calendar hears of it."""
    called_off = replace(review, sequence=review.sequence + 1, is_cancelled=True, planned_at=request.now)
    reviews_store.save(tx, called_off)
    reviews_store.stop_waiting(tx, review)
    body = {"do": CANCEL, "sequence": called_off.sequence, "by": request.user, "why": why}
    enqueue(tx, incident, incident.channel, body, request.now)
    line = review_views.closed_card(incident, words.review.was_called_off())
    for reviewer in review.reviewers:
        close_card(tx, incident, reviewer, line, request.now)
        enqueue_with_file(tx, incident, reviewer.user, body, request.now)


def end(tx: Transaction, request: Request, incident: Incident, why: str) -> None:
    """The postmortem is finished: a review that is still ahead won't take place, and no one is asked any more."""
    review = reviews_store.find(tx, incident.id)
    if review is None or review.is_cancelled:
        return
    if review.is_ahead(request.now):
        _call_off(tx, request, incident, review, why)
        return
    reviews_store.stop_waiting(tx, review)
    for reviewer in review.reviewers:
        close_card(tx, incident, reviewer, review_views.closed_card(incident, words.review.is_over()), request.now)


def require_reviewed(tx: Transaction, case: Case, *, is_required: bool) -> None:
    """Raises Refused if the policy wants a review before the publication, and it isn't there yet."""
    if not is_required:
        return
    users = [one.user for one in case.review.reviewers] if case.review else []
    gone = frozenset(user for user in users if people_store.has_left(tx, case.incident.team, user))
    if why := review_rules.explain_unready(case.review, gone):
        raise Refused(f"Not published: {why}")


async def work_form(services: Services, request: Request) -> Block:
    """The form behind [Needs work …]."""

    def look(tx: Transaction) -> Block:
        incident = require_incident(tx, request)
        return review_views.work_form(incident, _require_asked(tx, request, incident)[1])

    return await services.store.read(look)


def _require_asked(tx: Transaction, request: Request, incident: Incident) -> tuple[Review, Reviewer]:
    review = reviews_store.find(tx, incident.id)
    if incident.postmortem_status.is_finished:
        raise OutdatedButton(f"The postmortem of {incident.key} is already {incident.postmortem_status}.")
    if review is None or review.is_cancelled:
        raise OutdatedButton(f"The review of {incident.key} was called off.")
    reviewer = review.find(request.user)
    if reviewer is None:
        raise OutdatedButton(
            f"You aren't asked to review {incident.key}. To be: `/postmortem review @` and your name, in its channel"
        )
    return review, reviewer


async def answer(services: Services, request: Request, verdict: Verdict, text: str = "") -> Message | None:
    """A reviewer says that it looks good, or what needs work; the last answer counts."""
    if verdict is Verdict.WORK:
        text = require_text(clean_input(text, "That answer"), "What needs work? Say it in a sentence.")

    def unit(tx: Transaction) -> Message | None:
        incident = require_incident(tx, request, locking=True)
        review, before = _require_asked(tx, request, incident)
        if (before.verdict, before.words) == (verdict, text):
            return review_views.answer_receipt(incident, before)
        reviewer = replace(before, verdict=verdict.value, words=text, answered_at=request.now, is_waiting=False)
        reviews_store.save_reviewer(tx, reviewer)
        if text:
            subject = RecordRef(RecordKind.REVIEW, reviewer.user)
            secrets_service.warn(tx, incident, subject, text, request)
        card = review_views.answered_card(incident, reviewer)
        close_card(tx, incident, reviewer, card, request.now)
        invitations_service.update_reminders(tx, incident, request.user, request.now)
        others = [one for one in review.reviewers if one.user != request.user]
        is_last = verdict is Verdict.GOOD and all(one.verdict == Verdict.GOOD for one in others)
        _tell_owner(tx, request, incident, {"is_last": is_last}, is_wanted=is_last or verdict is Verdict.WORK)
        # Where the invitation is, it becomes the answer.
        is_there = bool(reviewer.ts) and request.place.channel == reviewer.channel
        return None if is_there else review_views.answer_receipt(incident, reviewer)

    return await run_once(services, request, unit, verb="review.answer")


def _tell_owner(
    tx: Transaction, request: Request, incident: Incident, about: Mapping[str, Any], *, is_wanted: bool
) -> None:
    owner = incident.postmortem_owner or incident.lead
    if is_wanted and owner and owner != request.user and not people_store.has_left(tx, incident.team, owner):
        enqueue(tx, incident, owner, {"do": ANSWER, "by": request.user, **about}, request.now)
