"""A section's form as the record fills it in, where nobody has written anything yet."""

from datetime import datetime

from bot.incident import drafts
from bot.incident.postmortem import compile as compiled
from bot.incident.records import Case
from bot.slack.words import words


def filled_in(case: Case, slug: str, now: datetime, other_causes: tuple[str, ...] = ()) -> str:
    """The text for the section's fields, plain as a field takes it; empty where the record knows nothing of it."""
    return str(words.drafts.section(draft=drafts.draft(compiled(case, now), slug, other_causes)))
