"""From a time as written to the moments that it can be: calendars, clock changes, past and future."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import NamedTuple

from bot.domain.times.clocks import TimeOfDay
from bot.domain.times.days import Day, is_real, list_dates
from bot.domain.times.scan import TimeFound
from bot.domain.times.zones import Meaning, Zone, label_of, list_meanings

SKEW = timedelta(seconds=60)  # two clocks differ: this little ahead of now is now
_AHEAD = timedelta(minutes=60)  # a slip of the clock, or a plan: both are possible
_SOON = timedelta(hours=48)  # "Nov 24" said on the 23rd is more likely a slip than a whole year ago
_DAY = timedelta(days=1)


class Instant(NamedTuple):
    """One honest reading: a UTC moment, the end of a range, the zone it was read in, and its date there."""

    start: datetime
    end: datetime | None = None
    zone: str | None = None
    day: date | None = None


class Moments(NamedTuple):
    """The moments that a written time can be. Without a `problem` there is exactly one."""

    instants: tuple[Instant, ...]
    problem: str | None = None


class _Viewpoint(NamedTuple):
    """What a time is looked at from: now, and one zone that it may have been written in."""

    now: datetime
    label: str
    zone: tzinfo
    author: tzinfo

    def is_past(self, moment: datetime) -> bool:
        """Whether a moment is past, or as good as now."""
        return moment <= self.now + SKEW

    def describe_now(self) -> str:
        """The clock in the written zone, as a sentence about the future ends."""
        return f"(it's {self.now.astimezone(self.zone):%H:%M} {'UTC' if self.label == 'UTC' else f'in {self.label}'})"

    def todays(self, day: Day | None) -> tuple[date, ...]:
        """Today in the written zone; "yesterday 23:50 UTC" may also count from the author's own today."""
        here = self.now.astimezone(self.zone).date()
        own = self.now.astimezone(self.author).date() if day and day.form == "word" else here
        return (here,) if own == here else (here, own)


class _Local(NamedTuple):
    """A local time as UTC: one moment, or two when the clocks change; `gap`: the clocks skip it."""

    moments: tuple[datetime, ...]
    gap: bool = False


class _Sight(NamedTuple):
    """What one view makes of a time: the past readings, and the first thing about them that must be asked."""

    past: tuple[Instant, ...]
    oddity: str | None


def resolve(found: TimeFound, written: str, now: datetime, author: tzinfo) -> Moments:
    """The honest readings of a time at `now` (aware) for an author whose own zone is `author`, the earliest first."""
    if found.ago is not None:
        return Moments((Instant((now - found.ago).astimezone(UTC)),))
    if found.also:
        return _reconcile(found, written, now, author)
    result = _read(found, written, now, author)
    if found.problem and result.instants:
        return Moments(result.instants, f"{written} {found.problem}.")
    return result


def _reconcile(found: TimeFound, written: str, now: datetime, author: tzinfo) -> Moments:
    """A time written on two clocks: "17:03 (15:03 UTC)". The second gives the first one's distance from UTC."""
    alone = found._replace(also=None)
    implied = _implied_offset(found, now, author)
    if implied is None:
        return resolve(alone, written, now, author)
    other = resolve(alone._replace(zone=implied), written, now, author)
    if found.zone is None:
        return other
    first = resolve(alone, written, now, author)
    starts = {instant.start for instant in other.instants}
    both = tuple(instant for instant in first.instants if instant.start in starts)
    # The two clocks agree on one reading, which settles what each alone left open.
    if len(both) == 1:
        return Moments(both)
    return Moments(sort_distinct((*first.instants, *other.instants)), f"The two times in {written} don't agree.")


def _implied_offset(found: TimeFound, now: datetime, author: tzinfo) -> Zone | None:
    """The offset that the clock of a time has by its second writing."""
    meant = list_meanings(found.also.zone, author) if found.also and found.also.zone else ()
    here, there = (end.of_day() if end else None for end in (found.clock, found.also.clock if found.also else None))
    if not meant or here is None or there is None:
        return None
    offset = now.astimezone(meant[0].zone).utcoffset() or timedelta(0)
    lag = datetime.combine(now.date(), here[0]) - datetime.combine(now.date(), there[0])
    # The shorter way round: "23:03 (01:03 UTC)" is two hours behind UTC, not 22 ahead.
    whole = (offset + lag + timedelta(hours=12)) % _DAY - timedelta(hours=12)
    return Zone(_label(whole), "offset", offset=whole)


def _label(offset: timedelta) -> str:
    minutes = int(offset.total_seconds() // 60)
    return "UTC" if not minutes else f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def _read(found: TimeFound, written: str, now: datetime, author: tzinfo) -> Moments:
    if impossible := _impossible(found, written):
        return Moments((), impossible)
    zones = list_meanings(found.zone, author) if found.zone else (Meaning(label_of(author), author),)
    views = [_Viewpoint(now, *meaning[:2], author) for meaning in zones or (Meaning(label_of(author), author),)]
    sights = [_sight(found, view, today) for view in views for today in view.todays(found.day)]
    sights += _loose_sights(found, zones, views)
    past = _sort_choices(sights)
    if found.zone and not zones:
        return Moments(past, f"{found.zone.name} isn't a time zone that I know.")
    if not past:
        return _to_come(found, written, views)
    oddity = next((sight.oddity for sight in sights if sight.oddity), None)
    if len(past) == 1 and oddity is None:
        return Moments(past)
    return Moments(past, oddity or _several(found, written, past))


def _loose_sights(found: TimeFound, zones: tuple[Meaning, ...], views: list[_Viewpoint]) -> list[_Sight]:
    """The readings of loosely used zone names, if the name is not the one of that season."""
    loose: list[_Sight] = []
    for meaning, view in zip(zones, views, strict=False):
        if meaning.place is None:
            continue
        there = view._replace(zone=meaning.place)
        for today in view.todays(found.day):
            starts = [instant.start for instant in _sight(found, view, today).past]
            if any(
                start.astimezone(there.zone).utcoffset() != start.astimezone(view.zone).utcoffset() for start in starts
            ):
                loose.append(_sight(found, there, today))
    return loose


def sort_distinct(instants: Iterable[Instant]) -> tuple[Instant, ...]:
    """The instants by their start; of several with the same start, the last."""
    unique = {instant.start: instant for instant in instants}
    return tuple(unique[start] for start in sorted(unique))


def _sort_choices(sights: list[_Sight]) -> tuple[Instant, ...]:
    if len(sights) == 1 and len(sights[0].past) == 1:
        return sights[0].past
    # The first sight is in the zone that was written, so of two with the same start its label counts.
    return sort_distinct(instant for sight in reversed(sights) for instant in reversed(sight.past))


def _impossible(found: TimeFound, written: str) -> str | None:
    """Why this cannot be any time at all, or empty."""
    if found.clock is None or found.clock.of_day() is None:
        return f"{written} isn't a time of day."
    if found.end and found.end.clock.of_day() is None:
        return f"{written} doesn't end at a time of day."
    for day in (found.day, found.end.day if found.end else None):
        if day and day.numbers and not any(is_real(*numbers) for numbers in day.numbers):
            return f"{written} isn't a date that exists."
    return None


def _sight(found: TimeFound, view: _Viewpoint, today: date) -> _Sight:
    past: list[Instant] = []
    oddities: list[str] = []
    for row in list_dates(found.day, today):
        for day in row:
            local = _local(day, found.clock, view)
            passed = [moment for moment in local.moments if view.is_past(moment)]
            if passed:
                past += [Instant(moment, _end(found, day, moment, view), view.label, day) for moment in passed]
                oddities += _clock_change(local, passed, found, view)
                break
            if _may_come(found, local, view):
                past += [Instant(moment, None, view.label, day) for moment in local.moments]
                oddities.append(_still_to_come(local, view))
            if found.day and not found.day.full and found.day.numbers and min(local.moments) - view.now < _SOON:
                # Someone who writes a date that is to come has probably mistaken the date, not the clock.
                past += _same_clock_before(found, view)
                oddities.append(f"{_format_day(day)} hasn't happened yet.")
    if found.end:
        oddities += _odd_ends(past, view)
        past += _day_before(found, past, view)
    if found.day:
        past, wrong = _fitting(found.day, past, today)
        oddities += wrong
    return _Sight(tuple(past), oddities[0] if oddities else None)


def _fitting(day: Day, past: list[Instant], today: date) -> tuple[list[Instant], list[str]]:
    """The readings that match everything that is known of the day, and what does not match."""
    wrong: list[str] = []
    if day.weekday is not None and (day.numbers or day.of_month or day.ago is not None):
        wrong = _wrong_weekdays(day.weekday, past)
    if day.numbers and day.ago is not None:
        past, other = _of_day(past, today - timedelta(days=day.ago))
        wrong += other
    return past, wrong


def _may_come(found: TimeFound, local: _Local, view: _Viewpoint) -> bool:
    """Whether a time of day in the future may be meant: it is soon, or has a word like "next"."""
    # A written date is not a slip of the clock, and a range that reaches ahead has its own question.
    if found.end or (found.day and (found.day.full or found.day.form == "word")) or not local.moments:
        return False
    return min(local.moments) - view.now <= _AHEAD or (found.ahead and not found.day)


def _still_to_come(local: _Local, view: _Viewpoint) -> str:
    there = min(local.moments).astimezone(view.zone)
    return f"{there:%H:%M} hasn't happened yet {view.describe_now()}."


def _of_day(past: list[Instant], day: date) -> tuple[list[Instant], list[str]]:
    """Of the dates that figures can be, the one that an adjacent word picks ("today 14/07")."""
    fitting = [instant for instant in past if instant.day == day]
    if fitting:
        return fitting, []
    return past, [f"{_format_day(day)} isn't the same day as in figures."]


def _local(day: date, clock: TimeOfDay | None, view: _Viewpoint) -> _Local:
    of_day = clock.of_day() if clock else None
    if of_day is None:
        return _Local(())
    one = datetime.combine(day + of_day[1] if of_day[1] else day, of_day[0], view.zone)
    # PEP 495: of a time that comes twice, fold=1 is the later one. If it is the earlier, the clocks skip that time.
    other = one.replace(fold=1)
    first = one.astimezone(UTC)
    if one.utcoffset() == other.utcoffset():
        return _Local((first,))
    second = other.astimezone(UTC)
    return _Local((second, first), gap=True) if second < first else _Local((first, second))


def _clock_change(local: _Local, passed: list[datetime], found: TimeFound, view: _Viewpoint) -> list[str]:
    of_day = found.clock.of_day() if found.clock else None
    if of_day is None or (len(passed) < 2 and not local.gap):
        return []
    if local.gap:
        return [f"{of_day[0]:%H:%M} does not exist that night in {view.label}: the clocks go forward."]
    return [f"{of_day[0]:%H:%M} came twice that night in {view.label}: the clocks went back."]


def _end(found: TimeFound, day: date, start: datetime, view: _Viewpoint) -> datetime | None:
    """The end of a range: on its own date if it has one, else the first such time of day behind the start."""
    if found.end is None:
        return None
    zones = list_meanings(found.end.zone, view.author) if found.end.zone else ()
    there = view._replace(zone=zones[0].zone) if zones and found.end.zone != found.zone else view
    if found.end.day:
        rows = list_dates(found.end.day, day + _DAY)
        days = sorted(last for row in rows for last in row if last >= day)[:1] or [day]
    else:
        days = [start.astimezone(there.zone).date() + _DAY * more for more in (0, 1)]
    ends = [moment for last in days for moment in _local(last, found.end.clock, there).moments]
    # Without one behind the start the last is given, so that the range is asked about and not dropped.
    return next((end for end in ends if end > start), ends[-1])


def _same_clock_before(found: TimeFound, view: _Viewpoint) -> list[Instant]:
    """The latest past moment with this time of day: probably meant if the date is in the future."""
    today = view.now.astimezone(view.zone).date()
    for day in (today, today - _DAY):
        passed = [moment for moment in _local(day, found.clock, view).moments if view.is_past(moment)]
        if passed:
            return [Instant(moment, None, view.label, day) for moment in passed]
    return []


def _odd_ends(past: list[Instant], view: _Viewpoint) -> list[str]:
    if any(instant.end and not view.is_past(instant.end) for instant in past):
        return ["That range ends in the future."]
    if any(instant.end and instant.end < instant.start for instant in past):
        return ["That range ends before it begins."]
    return []


def _day_before(found: TimeFound, past: list[Instant], view: _Viewpoint) -> list[Instant]:
    """A range without a date whose end lies ahead may have been yesterday's."""
    ahead = [instant for instant in past if instant.end and instant.day and not view.is_past(instant.end)]
    if found.day or not ahead:
        return []
    day = min(instant.day for instant in ahead if instant.day) - _DAY
    moments = _local(day, found.clock, view).moments
    return [Instant(moment, _end(found, day, moment, view), view.label, day) for moment in moments]


def _wrong_weekdays(weekday: int, past: list[Instant]) -> list[str]:
    days = [instant.day for instant in past if instant.day and instant.day.weekday() != weekday]
    return [f"{_format_day(day)} {day.year} is a {day:%A}." for day in days]


def _to_come(found: TimeFound, written: str, views: list[_Viewpoint]) -> Moments:
    likely = _sort_choices([_Sight((*_same_clock_before(found, view), *_ahead(found, view)), None) for view in views])
    return Moments(likely, f"{written} hasn't happened yet {views[0].describe_now()}.")


def _ahead(found: TimeFound, view: _Viewpoint) -> tuple[Instant, ...]:
    """The moment as written, if it is at most two days ahead."""
    ahead: list[Instant] = []
    for row in list_dates(found.day, view.todays(found.day)[0]):
        for day in row:
            moments = _local(day, found.clock, view).moments
            ahead += [Instant(moment, None, view.label, day) for moment in moments if moment - view.now < _SOON]
    return tuple(ahead)


def _several(found: TimeFound, written: str, past: tuple[Instant, ...]) -> str:
    days = list(dict.fromkeys(instant.day for instant in past if instant.day))
    if found.day and len(found.day.numbers) > 1:
        return f"{written} could be {' or '.join(_format_day(day) for day in days)}."
    one_day = len({instant.start.date() for instant in past}) == 1
    times = [
        f"{instant.start:%H:%M}" if one_day else f"{_format_day(instant.start)} {instant.start:%H:%M}"
        for instant in past
    ]
    return f"{written} could be {' or '.join(times)} UTC."


def _format_day(day: date) -> str:
    return f"{day.day} {day:%B}"
