"""What a person reads where something was not done: a sentence with the remedy, and their text given back."""

import json

from bot.errors import NotRecorded, Refused
from bot.incident.sections import BY_SLUG
from bot.slack import blocks
from bot.slack.blocks import Block, Message
from bot.slack.carried import value_of
from bot.slack.words import words
from storage.writer import PerhapsRecorded

PIECE = 2_500
GIVEN_BACK = 3 * PIECE
"""Characters of somebody's text that fit into an answer that gives it back."""


def _with_button(refused: Refused) -> str:
    """The sentence, which names the button only where that stands below it: a form shows none."""
    is_opening = refused.offer == "open_incident" and "/incident open" in refused.sentence
    return f"{refused.sentence[:-1]}, or with the button." if is_opening else refused.sentence


_RESTORING = {"restore_entry": "timeline_restore", "restore_why": "why_restore"}
"""Offers that bring back what was taken back, and the action ids of their buttons."""


def refusal(refused: Refused, typed: str) -> Message:
    """One sentence with the remedy, the button that mends it, and what somebody wrote given back."""
    said = words.general.refused(sentence=_with_button(refused))
    typed = typed or str(refused.carrying.get("line", ""))
    is_prose, value = len(typed.split()) > 1, value_of(refused.carrying)
    shown = [blocks.section(said), *(_given_back(typed) if is_prose or value else [])]
    if value:
        shown.append(blocks.context(words.general.carries(lines=bool(refused.carrying.get("is_paste")))))
    if refused.offer:
        shown.append(blocks.actions(_offered(refused.offer, value)))
    return blocks.whisper(said, shown, refused=True)


def _offered(offer: str, carrying: str) -> Block:
    """The button that mends it: [Open an incident], with what was typed, or the form of a section."""
    kind, _, slug = offer.partition(" ")
    if kind in _RESTORING:
        return blocks.button("Bring back", _RESTORING[kind], slug)
    if kind == "fill_section":
        slug, _, incident = slug.partition(" ")
        title, value = BY_SLUG[slug].title, json.dumps({"section": slug, "incident": int(incident)})
        return blocks.button(f"Fill {title}", "postmortem_fill", value, style="primary")
    return blocks.button("Open an incident", "incident_form_open", carrying, style="primary")


def not_recorded(error: NotRecorded, typed: str) -> Message:
    """The database did not take it, or nobody can say whether it did: say so, and give the text back."""
    told = words.general.perhaps_recorded if isinstance(error, PerhapsRecorded) else words.general.not_recorded
    said = told(cause=str(error))
    return blocks.whisper(said, [blocks.section(said), *_given_back(typed)], refused=True)


def apology(typed: str) -> Message:
    """Something broke: say so, and give the text back."""
    said = words.general.apology()
    return blocks.whisper(said, [blocks.section(said), *_given_back(typed)], refused=True)


def _given_back(typed: str) -> list[Block]:
    """The text to copy; as rich text, where nothing in it is markup."""
    if not typed.strip():
        return []
    pieces = [typed[at : at + PIECE] for at in range(0, min(len(typed), GIVEN_BACK), PIECE)]
    shown: list[Block] = [
        {
            "type": "rich_text",
            "elements": [{"type": "rich_text_preformatted", "elements": [{"type": "text", "text": piece}]}],
        }
        for piece in pieces
    ]
    if len(typed) > GIVEN_BACK:
        shown.append(blocks.context(words.general.given_back_in_part(fits=GIVEN_BACK, all=len(typed))))
    return shown
