"""A day as people name it, and a moment with its day on a button."""

from datetime import date, datetime, timedelta

from bot.slack.words import words

_AHEAD = timedelta(minutes=1)


def in_words(day: date, today: date) -> str:
    """`yesterday`, `3 days ago`, `tomorrow`; further off the weekday; empty for today."""
    ahead = (day - today).days
    return str(words.timeline.day(ahead=ahead, weekday=f"{day:%A}")) if ahead else ""


def is_ahead(moment: datetime, now: datetime) -> bool:
    """Whether a moment is still to come; a minute ahead is still now, as where times are read."""
    return moment > now + _AHEAD


def labelled(moment: datetime, now: datetime) -> str:
    """`17:31 UTC`, `yesterday 17:31 UTC`, `5 Apr 08:00 UTC`, `5 Apr 2025 08:00 UTC`: for the label of a button.

    Of what is still to come today is named as well.
    """
    days = (moment.date() - now.date()).days
    if abs(days) == 1 or (days == 0 and is_ahead(moment, now)):
        day = in_words(moment.date(), now.date()) or "today"
    elif days == 0:
        day = ""
    else:
        day = f"{moment:%-d %b}" if moment.year == now.year else f"{moment:%-d %b %Y}"
    return f"{day} {moment:%H:%M} UTC".strip()
