"""Exports in Slack: the receipt, the comment at the file, the question who will read it, and failures."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.domain import checks as checks_rules
from bot.domain.document import Document
from bot.domain.masking import MaskedItem
from bot.domain.outline import title_of
from bot.domain.postmortem import ExportOrder
from bot.domain.records import ActionStatus, Case, Incident, PostmortemStatus
from bot.domain.secrets import mask_credentials
from bot.domain.text import capitalize_title, format_duration, shorten, strip_code_marks
from bot.slack.channels import Audience
from bot.slack.views import blocks
from bot.slack.views.blocks import Block, Message
from bot.slack.views.templates import words

PEOPLE = ("U", "W")
"""Prefixes of user ids. A person gets the file in a direct message."""

MASKED, WHOLE = "masked", "whole"
LISTED, PLACES = 1_000, 20
"""Masked items in the form, and places of each. A view may hold 250 kB."""

_NAMES = {"docx": "Word", "markdown": "Markdown", "confluence": "Confluence", "canvas": "Canvas"}


def format_name(form: str) -> str:
    """`PDF`: how people call a format."""
    return _NAMES.get(form, form.upper())


def export_receipt(
    incident: Incident, order: ExportOrder, link: str, others: tuple[str, ...], notes: list[Block]
) -> Message:
    """The export has started: where it goes (`link` is of the incident's live message), and a menu of other formats."""
    channel = "" if order.to.startswith(PEOPLE) else order.to
    text = words.exports.exporting(form=format_name(order.form), channel=channel, link=link)
    offered = [blocks.option(format_name(other), blocks.incident_value(incident, form=other)) for other in others]
    menu = [blocks.actions(blocks.choice("exports_form", "Other formats", offered))] if offered else []
    return blocks.ephemeral(text, *menu, *notes)


def file_title(document: Document, form: str) -> str:
    """The title of a file, as plain text: what tells it from the incident's other files."""
    name = mask_credentials(shorten(strip_code_marks(capitalize_title(document.title)), 150))
    draft = "" if document.postmortem_status is PostmortemStatus.PUBLISHED else " draft"
    return f"{document.key} {name} – postmortem{draft} ({format_name(form)})"


def comment(case: Case, document: Document) -> str:
    """The comment at the file, as mrkdwn: the incident, how complete the document is, open actions, the owner.

    For a masked copy pass the masked document.
    """
    filled, total = checks_rules.count_sections(case)
    blank = [title_of(case.incident, slug) for slug in checks_rules.sort_by_weight(case)]
    return words.exports.comment(
        key=document.key,
        title=shorten(document.title, 300),
        facts=" · ".join(filter(None, (document.severity, str(document.status), _duration_label(document)))),
        filled=filled,
        total=total,
        blank=blank[:3],
        more=max(len(blank) - 3, 0),
        published=document.postmortem_status is PostmortemStatus.PUBLISHED,
        actions=sum(action.status is ActionStatus.OPEN for action in document.actions),
        owner=document.owner.name if document.owner else "",
    )


def _duration_label(document: Document) -> str:
    return f"lasted {format_duration(document.duration)}" if document.duration is not None else ""


def canvas_comment(
    incident: Incident, link: str, regions: Mapping[str, tuple[str, ...]], *, is_new: bool, masked: int | None
) -> str:
    """The lines below the comment of a canvas.

    `regions` are sections that people changed on it: `taken` into the draft, `left` on the canvas only, or `contested`
    because there are several texts.
    """
    titles = {
        fate: [title_of(incident, id_) if id_ else words.exports.head() for id_ in ids] for fate, ids in regions.items()
    }
    taken, left, contested = titles["taken"], titles["left"], titles["contested"]
    lines = [words.exports.canvas(link=link, is_new=is_new, taken=taken, left=left, contested=contested)]
    return "\n".join([*lines, words.exports.masked_count(count=masked)] if masked is not None else lines)


def archived_channel_note() -> str:
    """Why the file goes to the person who ordered it: the incident's channel is archived."""
    return words.exports.archived_channel()


def no_canvas_note(error: str) -> str:
    """Why there is a file instead of a canvas, and the remedy."""
    return words.exports.no_canvas(error=error)


def failure_message(incident: Incident, order: ExportOrder, error: str) -> Message:
    """To the person who ordered it: the export failed, and the remedy."""
    is_personal = order.to.startswith(PEOPLE)
    channel = "" if is_personal else order.to
    text = words.exports.failed(key=incident.key, form=format_name(order.form), channel=channel)
    remedy = words.exports.remedy(error=error, key=incident.key, form=order.form)
    value = blocks.incident_value(incident, form=order.form, to=order.to)
    again = blocks.button("Export again", f"exports_form_{order.form}" if is_personal else "exports_decide", value)
    return blocks.message(f"{text} {remedy}", blocks=[blocks.section(f"{text}\n{remedy}"), blocks.actions(again)])


def audience_question(incident: Incident, order: ExportOrder, *, is_known: bool) -> Message:
    """To the person who ordered it: nothing was posted yet, because others can read that channel."""
    title = shorten(incident.title, 300)
    question = words.exports.question(key=incident.key, title=title, channel=order.to, is_known=is_known)
    value = blocks.incident_value(incident, form=order.form, to=order.to)
    decide = blocks.button("Look and decide", "exports_decide", value, style="primary")
    return blocks.message(question, blocks.actions(decide))


def ordered_again_message(incident: Incident, order: ExportOrder) -> Message:
    """Replaces a question or a failure once the same export was ordered again."""
    channel = "" if order.to.startswith(PEOPLE) else order.to
    return blocks.message(words.exports.ordered_again(key=incident.key, form=format_name(order.form), channel=channel))


@dataclass(frozen=True, slots=True)
class ExportPreview:
    """An export that waits for consent: the document in a format, for an audience.

    `finds` is what a masked copy masks, None if no masked copy is offered. `must_mask`: only the masked copy may go.
    """

    incident: Incident
    form: str
    audience: Audience
    finds: tuple[MaskedItem, ...] | None
    must_mask: bool


def audience_form(preview: ExportPreview) -> Block:
    """Who can read the channel, what a masked copy masks, and the choice between the copies."""
    incident, audience, name = preview.incident, preview.audience, format_name(preview.form)
    title = shorten(incident.title, 300)
    leaving = words.exports.leaving(key=incident.key, title=title, form=name, to=audience.channel)
    shown = [blocks.section(leaving), blocks.section(words.exports.readers(audience=audience))]
    if preview.must_mask:
        shown.append(blocks.section(words.exports.only_masked(key=incident.key)))
    if preview.finds is not None:
        shown += masked_item_blocks(preview.finds)
    if preview.finds is not None and not preview.must_mask:
        copies = [blocks.option("A masked copy", MASKED), blocks.option("The whole", WHOLE)]
        shown.append(blocks.input_block("What is posted?", blocks.menu("copy", copies, copies[0], "radio_buttons")))
    metadata = blocks.incident_value(
        incident,
        channel=incident.channel,
        form=preview.form,
        to=audience.channel,
        agreed=audience.is_shared,
        masked=preview.must_mask,
    )
    submit = "Post the masked copy" if preview.must_mask else "Post"
    return blocks.modal("Who will read this?", "exports_post", shown, submit=submit, private_metadata=metadata)


def masked_item_blocks(
    finds: tuple[MaskedItem, ...],
    heading: Callable[..., str] | None = None,
    most: int = LISTED,
    most_places: int = PLACES,
) -> list[Block]:
    """The masked items, `most` of them. One that occurs in several places is one line, with `most_places` of these."""
    places: dict[tuple[str, str, str], list[str]] = {}
    for find in finds:
        places.setdefault((find.kind, find.text, find.hint), []).append(find.where)
    lines = [
        words.exports.find(kind=kind, text=hint, where=where[:most_places], more=max(len(where) - most_places, 0))
        for (kind, _, hint), where in list(places.items())[:most]
    ]
    first = (heading or words.exports.finds)(count=len(finds), left_out=max(len(places) - most, 0))
    return blocks.sections("\n".join([first, *lines]))


def post_receipt(incident: Incident, order: ExportOrder) -> Message:
    """The person consented; the export has started."""
    text = words.exports.posting(key=incident.key, form=format_name(order.form), channel=order.to, masked=order.masked)
    return blocks.ephemeral(text)
