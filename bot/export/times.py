"""How moments, ranges and spans are written in a document: UTC, to the minute."""

from datetime import UTC, datetime, timedelta

_CLOCK = tuple(f"{hour:02}:{minute:02}" for hour in range(24) for minute in range(60))


def clock(moment: datetime) -> str:
    """`14:05`; seconds are not shown."""
    return _CLOCK[moment.hour * 60 + moment.minute]


def dated(moment: datetime) -> str:
    """`2026-11-23 14:05 UTC`."""
    return f"{moment.date().isoformat()} {clock(moment)} UTC"


def stamp(start: datetime, end: datetime | None = None, *, approximate: bool = False, with_date: bool = True) -> str:
    """When something was true: `14:05 UTC`, `~13:30–13:45 UTC`, `2026-11-23 23:50 – 2026-11-24 00:10 UTC`."""
    written = f"{start.date().isoformat()} {clock(start)}" if with_date else clock(start)
    if end is not None and end != start:
        same_day = end.date() == start.date()
        written += f"–{clock(end)}" if same_day else f" – {end.date().isoformat()} {clock(end)}"
    return f"~{written} UTC" if approximate else f"{written} UTC"


def span(length: timedelta) -> str:
    """`43 min`, `24 h 11 min`, `3 d 2 h`: hours run on to two days, so that a night's incident reads as hours."""
    minutes = int(length.total_seconds()) // 60
    if minutes < 1:
        return "under 1 min"
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24) if hours >= 48 else (0, hours)
    parts = [(days, "d"), (hours, "h"), (minutes, "min")]
    return " ".join(f"{count} {unit}" for count, unit in parts if count)


def iso(moment: datetime) -> str:
    """`2026-11-23T14:05:00Z`; microseconds only where there are any."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
