"""How a postmortem's page on Confluence looks in Slack: where it is, what people changed on it, and questions first."""

from dataclasses import dataclass

from bot.domain.masking import MaskedItem
from bot.domain.outline import title_of
from bot.domain.records import Incident
from bot.domain.text import shorten
from bot.integrations.links import PageNews
from bot.slack.views import blocks
from bot.slack.views.blocks import Block, Message
from bot.slack.views.exports import masked_item_blocks
from bot.slack.views.templates import words
from storage.links import Link

LISTED, PLACES = 60, 8
"""How many masked items the window lists, and how many places of each."""

_TITLE = 150
MOST_CHOICES = 5
"""Sections with several texts that a message has a button for. `/postmortem` has them all."""


@dataclass(frozen=True, slots=True)
class PageStatus:
    """A page as it is now: title, address, version."""

    title: str
    url: str
    version: str
    is_masked: bool


def order_receipt(incident: Incident, *, is_there: bool) -> Message:
    """The page was ordered; Confluence has not answered yet."""
    return blocks.ephemeral(words.confluence.on_its_way(key=incident.key, is_there=is_there))


def page_message(incident: Incident, page: PageStatus, news: PageNews) -> Message:
    """Where the page is, its version, what people changed on it, and buttons for what needs a decision."""
    text = words.confluence.page_written(
        key=incident.key,
        title=shorten(page.title, _TITLE),
        url=page.url,
        version=page.version,
        is_new=news.is_new,
        is_changed=news.is_changed,
        is_masked=page.is_masked,
    )
    lines, buttons, choices = [], [], list[tuple[str, Block]]()
    if news.taken:
        lines.append(words.confluence.edits_taken(titles=[title_of(incident, id_) for id_ in news.taken]))
    if news.open:
        lines.append(words.confluence.open(titles=[title_of(incident, id_) for id_ in news.open]))
        # Each with a button of its own, which goes once its text is chosen.
        choices = [
            (
                title_of(incident, id_),
                blocks.button("Choose a text", "draft_look", blocks.incident_value(incident, section=id_)),
            )
            for id_ in news.open[:MOST_CHOICES]
        ]
    if news.gone:
        lines.append(words.confluence.sections_gone(titles=[title_of(incident, id_) for id_ in news.gone]))
        label = "Restore section" if len(news.gone) == 1 else "Restore sections"
        buttons.append(blocks.button(label, "confluence_back", blocks.incident_value(incident, back=list(news.gone))))
    lines += _list_omissions(news)
    if len(choices) == 1:
        buttons.insert(0, choices.pop()[1])
    shown = [blocks.section(text), *blocks.sections("\n".join(lines))]
    shown += [blocks.section(title, button) for title, button in choices]
    return blocks.message(text, blocks=[*shown, blocks.actions(*buttons)] if buttons else shown)


def _list_omissions(news: PageNews) -> list[str]:
    """What the page lacks, each with the reason."""
    found = [
        (news.pictures, words.confluence.no_pictures),
        (news.labels, words.confluence.no_labels),
        (news.kept, words.confluence.not_kept),
    ]
    return [describe(error=error) for error, describe in found if error]


def deletion_question(incident: Incident, link: Link) -> Message:
    """The page was deleted."""
    text = words.confluence.deleted(key=incident.key)
    new_page = blocks.button(
        "Create a new page", "confluence_anew", blocks.incident_value(incident, page=link.external_id), style="primary"
    )
    return blocks.message(text, blocks.actions(new_page))


def overwrite_question(incident: Incident, link: Link) -> Message:
    """The page was changed so much that ours and people's parts cannot be distinguished."""
    text = words.confluence.memory_lost(key=incident.key, url=link.url)
    about = blocks.incident_value(incident, page=link.external_id)
    sure = words.confluence.overwrite_sure()
    new_page = blocks.button("Create a new page", "confluence_anew", about, style="primary")
    over = blocks.button("Overwrite page", "confluence_overwrite", about, style="danger", confirm=sure)
    return blocks.message(text, blocks.actions(new_page, over))


def consent_question(incident: Incident, url: str) -> Message:
    """A private incident waits for consent. `url` is a page from before it was private, or empty."""
    text = words.confluence.private(key=incident.key, url=url)
    look = blocks.button("Review masked copy", "confluence_look", blocks.incident_value(incident), style="primary")
    return blocks.message(text, blocks.actions(look))


def consent_form(incident: Incident, finds: tuple[MaskedItem, ...]) -> Block:
    """The window that lists what a masked copy masks, and asks for consent."""
    shown = [
        blocks.section(words.confluence.leaving(key=incident.key, title=shorten(incident.title, _TITLE))),
        *masked_item_blocks(finds, words.confluence.finds, LISTED, PLACES),
    ]
    about = blocks.incident_value(incident, channel=incident.channel)
    return blocks.modal(
        "Send to Confluence", "confluence_agree", shown, submit="Send masked copy", private_metadata=about
    )


def consent_message(incident: Incident, by: str) -> Message:
    """Someone agreed to the masked copy."""
    return blocks.public(words.confluence.agreed(key=incident.key, by=by))


def order_message(incident: Incident, order: str, by: str) -> Message:
    """Someone ordered a change of the page: `anew`, `overwrite` or `back`."""
    return blocks.public(words.confluence.ordered(key=incident.key, order=order, by=by))


def offer_block(incident: Incident) -> Block:
    """[Send to Confluence]."""
    return blocks.actions(blocks.button("Send to Confluence", "confluence_publish", blocks.incident_value(incident)))


def update_note(link: Link) -> Block:
    """The existing page is updated, too."""
    return blocks.context(words.confluence.also(url=link.url))


def page_note(link: Link) -> Block:
    """Where the page is."""
    return blocks.context(words.confluence.page_state(url=link.url, version=link.status))
