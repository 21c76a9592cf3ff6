"""Finds the time at the start of a text: `find_time` puts it together from its parts.

A time is a time of day with, in any order, a date, a weekday, a part of the day, a zone and the end of a range; or it
is relative to now ("-10m", "half an hour ago"). Nothing is interpreted here: the result is what was written, and
`instants` makes moments of it. Patterns are tried at one place of a short head of the text, so the work is bounded for
any text.
"""

import re
from datetime import timedelta

from bot.domain.times.clocks import TimeOfDay, apply_part, carry_halves, clock_at, list_day_shifts
from bot.domain.times.days import Day, day_at, join_dates
from bot.domain.times.evidence import find_leftover, is_silent, opens_silently
from bot.domain.times.language import AGO, BEFORE, PART, UNIT, WHEN, DayPart, Vocabulary
from bot.domain.times.scan import (
    CLOSING,
    ENDS_THERE,
    FLAGS,
    ISH,
    End,
    Parts,
    Scan,
    TimeFound,
    clock_with_front,
    end_step,
    take_equal,
    zone_behind,
)

HEAD = 120
"""Characters that are read: the longest time seen at the start of a line has about 80."""
# English without any of these holds no time: most lines end here.
_WORTH = re.compile(r"[0-9]|noon|midday|midnight|now|ago", re.IGNORECASE)
# Marks of lists, quotes and headings; a number is one only before a clock ("2. 14:05").
_BULLETS = re.compile(
    r"\s*(?:(?:[-*>|+\u2022\u00b7]|\#{1,6}|[0-9]{1,2}[.)](?=\s+[\[(*`~_]{0,3}[0-9]{1,2}:[0-9]))\s+){0,3}", re.ASCII
)
# Not the "'s" of Dutch parts of the day ("'s avonds").
_OPENERS = re.compile(r"(?!'s\s)[\[(*_`\"']{1,3}")
# A chat log: "ana [14:05] failed over". The name stays in the text.
_NAME = re.compile(r"(@?[\w.'-]{1,40}|[A-Z]\w{0,30}(?: [A-Z]\w{0,30}){1,2})\s{1,3}(?=\[[0-9~])")
# What separates a time from what happened. A figure behind a bare mark would belong to the time.
_SEPARATOR = re.compile(r"\s*(?:[:,;.|\u3001]|-{1,3}>?|=>|\u2192)(?=\s|$|[^\x00-\u2fff])\s*|[:;,-](?=[^\W\d])|\s+")
# What Japanese puts behind a time: ni, no, de, made.
_SIGN_PARTICLE = re.compile("(?:\u306b|\u3001|\u306e|\u3067|\u307e\u3067)\\s*")
# Words of a plan: then a moment to come is one of the readings.
_AHEAD = re.compile(r"\W*(?:\w+\W+){0,4}?(?:next|starts?|starting|expect\w*|until|will|planned|scheduled|eta)\b", FLAGS)


_USUAL = re.compile(r"[0-9]{2}:[0-9]{2} (?=[A-Za-z])", re.ASCII)
_USUAL_ENDS = 5


def find_time(head: str, words: Vocabulary) -> TimeFound | None:
    """The time at the start of `head`, which has plain digits, dashes and quotes (see `to_plain`), or None."""
    # One look decides most lines; other languages have times without figures.
    if words.language == "en" and not _WORTH.search(head):
        return None
    if opens_silently(scan := Scan(head, words)):
        return None
    return _find_usual(scan) or find_any(head, words)


def _find_usual(scan: Scan) -> TimeFound | None:
    """`14:05 failed over`: figures before an ordinary word, which the whole grammar would read just so."""
    read = clock_at(scan.head, 0, sure=False) if _USUAL.match(scan.head) else None
    if read is None or read[1] != _USUAL_ENDS or read[0].length:
        return None
    scan.at = _USUAL_ENDS
    if not is_silent(scan):
        return None
    is_ahead = bool(_AHEAD.match(scan.head, _USUAL_ENDS))
    return TimeFound(clock=read[0], ends=_USUAL_ENDS, rest=_USUAL_ENDS + 1, ahead=is_ahead)


def find_any(head: str, words: Vocabulary) -> TimeFound | None:
    """The same by the whole grammar, for every line that is not as usual."""
    scan = Scan(head, words)
    _take_openers(scan)
    begins = scan.at
    found = _read(scan, begins)
    if found is None:
        return _read_relative(head, words, begins)
    if not scan.unsure:
        return found
    others = (*found.others, *_read_others(head, words, frozenset(scan.unsure), begins))
    return found._replace(others=others, maybe_text="text" in scan.unsure)


def _read_others(head: str, words: Vocabulary, unsure: frozenset[str], begins: int) -> tuple[TimeFound, ...]:
    """Other readings of the same text, each without one of the unsure parts."""
    # The other reading is that the line has no time, which needs no second scan.
    if unsure == {"text"}:
        return ()
    scan = Scan(head, words, without=unsure)
    _take_openers(scan)
    found = _read(scan, begins)
    return (found._replace(leftover=""),) if found else ()


def _read(scan: Scan, begins: int) -> TimeFound | None:
    parts = Parts()
    clock = clock_with_front(scan, parts)
    if clock is None:
        return None
    found = read_rest(scan, clock, parts)
    return _set_bounds(scan, found, begins) if found else None


def _read_relative(head: str, words: Vocabulary, begins: int) -> TimeFound | None:
    scan = Scan(head, words)
    _take_openers(scan)
    scan.take_roughness()
    ago = ago_at(scan.head, scan.low, words, scan.at)
    if ago is None:
        return None
    scan.at = ago[1]
    return _set_bounds(scan, TimeFound(ago=ago[0]), begins)


def _set_bounds(scan: Scan, found: TimeFound, begins: int) -> TimeFound | None:
    """Set where the time begins and ends; None if it is part of a longer word."""
    ends, zone = scan.at, None
    # "[14:05] CET": the zone may be behind the bracket.
    if scan.openers and _unwrap(scan) and found.clock and not found.zone:
        zone = zone_behind(scan)
        ends = scan.at if zone else ends
    if scan.at == ends and not zone and UNCLEAN.match(scan.head, ends):
        return None
    leftover = "" if is_silent(scan) or ISH.match(scan.head, ends) else find_leftover(scan, found)
    if not scan.take(_SIGN_PARTICLE):
        scan.take(_SEPARATOR)
    return found._replace(
        begins=begins,
        ends=ends,
        rest=scan.at,
        prefix=scan.prefix,
        approximate=scan.approximate,
        zone=found.zone or zone,
        leftover=leftover,
        ahead=scan.ahead or bool(_AHEAD.match(scan.head, ends)),
    )


def _take_openers(scan: Scan) -> None:
    """Bullets, a name before a bracketed time, and what the time is wrapped in."""
    scan.take(_BULLETS)
    name = scan.take(_NAME) if "[" in scan.head[:60] else None
    scan.prefix = f"{name[1]} " if name else ""
    openers = scan.take(_OPENERS)
    scan.openers = openers.group() if openers else ""


def _unwrap(scan: Scan) -> bool:
    """Take what closes the wrapping of the time; a wrapping that closes later belongs to what happened."""
    head, at = scan.head, scan.at
    at += head[at : at + 1] in (":", ",", ".") and head[at + 1 : at + 2] in tuple("])*_`\"'")
    closed = 0
    for opener in reversed(scan.openers):
        if head[at : at + 1] != CLOSING.get(opener, opener):
            break
        at, closed = at + 1, closed + 1
    scan.at = at if closed else scan.at
    scan.prefix += scan.openers[: len(scan.openers) - closed]
    return bool(closed)


# With these behind them, the figures are part of something longer: "14:05%", "14:05.3", "14:05-2".
UNCLEAN = re.compile(
    r"[0-9A-Za-z_%$#&^\\@=+<\u00b0\u00c0-\u024f]|/(?![0-9]{1,2}:[0-9]{2})|[:.,][0-9]|:[0-9A-Za-z]{0,20}:|\.[A-Za-z]|-[0-9]|'[A-Za-z0-9]|\s+ago\b",
    re.ASCII,
)
# Between a time and its date. Group 1 announces a date; behind group 2 it may as well be text.
_LINK = re.compile(r"\s*(?:(,|\bon\b|\()|([-:/|\u00b7\u2022;@]))\s*|(?<=\s)|\s+", FLAGS)
_LATE_YEAR = re.compile(r"\s+((?:19|20)[0-9]{2})(?![0-9]|:[0-9])", re.ASCII)
# `systemctl status` writes the age behind the time: "14:05:33 UTC; 2h 5min ago".
_SINCE_THEN = re.compile(r";\s*(?:[0-9]{1,4}\s?(?:s|min|h|days?|weeks?|months?|years?)\s+){1,3}ago\b", FLAGS)
_EQUAL = re.compile(r"\s*([(\[/=])\s*")
_HALF = re.compile(r"\s*([ap])\.\s?m\b\.?", FLAGS)
_JOINED = re.compile(r"-[A-Za-z]")
# Padded figures ("14:05, 03/04 failed") are rarely a ratio, so they are asked about.
_PADDED = re.compile(r"[0-3][0-9][/-][0-3][0-9](?![0-9])", re.ASCII)
# Days and months that are also words of English.
_LOWER_WORD = frozenset({"sat", "sun", "may", "march", "mar"})
_CASE = re.compile(r"(?:-kor|'(?:[dt][ae]n?|y?[ae]))(?![\w'-])", re.IGNORECASE)
"""What Hungarian and Turkish add to a time to say "at" or "from": "14:05-kor", "14:05'te"."""
# One for each thing that may follow a time: roughness, zone, end, year, second clock, part of the day, date.
_MOST_STEPS = 7
_HOURS_WITH_H = frozenset({"es", "fr", "it", "pt"})
"""Languages in which "14:05 h" can only be a time."""


def read_rest(scan: Scan, clock: TimeOfDay, parts: Parts) -> TimeFound | None:
    """What may follow a time of day: roughness, zone, the end of a range, a part of the day, a date, a late year."""
    if scan.head[scan.at : scan.at + 1] in ("'", "-"):
        scan.take(_CASE)
    begun, alone = scan.at, not (parts.day or scan.sure or scan.openers)
    _take_steps(scan, clock, parts)
    if parts.end:
        clock, end_clock = carry_halves(clock, parts.end.clock)
        parts.end = parts.end._replace(clock=end_clock)
        parts.zone = parts.zone or parts.end.zone
    elif not _is_time(scan, clock, parts):
        return None
    if clock.form == "dot" and scan.at == begun and alone and clock.minute <= 12:
        return None
    if clock.length and scan.words.language not in _HOURS_WITH_H:
        scan.unsure.add("text")
    return _make_found(clock, parts)


def _take_steps(scan: Scan, clock: TimeOfDay, parts: Parts) -> None:
    for _ in range(_MOST_STEPS):
        if is_silent(scan):
            return
        if scan.take(ISH):
            scan.approximate = True
        elif not _step(scan, clock, parts):
            break
    if parts.day and parts.day.full and clock.precise:
        scan.take(_SINCE_THEN)


def _step(scan: Scan, clock: TimeOfDay, parts: Parts) -> bool:
    """Take one part that belongs to the time; False if there is none."""
    return bool(
        _zone_step(scan, clock, parts)
        or end_step(scan, clock, parts)
        or _year_step(scan, parts)
        or _also_step(scan, clock, parts)
        or _part_step(scan, clock, parts)
        or _day_step(scan, parts)
    )


def _zone_step(scan: Scan, clock: TimeOfDay, parts: Parts) -> bool:
    if parts.zone:
        return False
    parts.zone = zone_behind(scan, parts.day, clock)
    return parts.zone is not None


def _year_step(scan: Scan, parts: Parts) -> bool:
    """The year at the very end of what git and date print: "Tue Mar 5 14:05:33 UTC 2024"."""
    day = parts.day
    if day is None or day.form != "month" or parts.end:
        return False
    year = scan.take(_LATE_YEAR)
    if year is None:
        return False
    numbers = tuple((int(year[1]), month, number) for _, month, number in day.numbers)
    parts.day = day._replace(numbers=numbers, form="full")
    return True


def _is_time(scan: Scan, clock: TimeOfDay, parts: Parts) -> bool:
    """Whether the words around a number make it a time of day, not a number or part of a name ("1405Z-node")."""
    if clock.form == "plain":
        part = parts.part
        return bool(part and (part.day is not None or part.is_phrase or part.name in ("noon", "midnight", "am", "pm")))
    if clock.form == "short":
        return scan.sure or bool(parts.day or parts.zone or scan.words.language in _HOURS_WITH_H)
    if clock.form != "digits":
        return True
    if scan.head.startswith("-", scan.at):
        return False
    zone = parts.zone
    return bool(parts.day and parts.day.full) or bool(zone and zone.kind in ("offset", "abbreviation"))


def _also_step(scan: Scan, clock: TimeOfDay, parts: Parts) -> bool:
    """The same moment on another clock: "17:03 (15:03 UTC)", "11:05 UTC/12:05 CET". With a zone it is no range."""
    if parts.also or parts.end:
        return False
    if take_equal(scan, clock):
        return True
    before = scan.at
    opener = scan.take(_EQUAL)
    read = clock_at(scan.head, scan.at, sure=True) if opener else None
    if opener and read and read[0].form in ("colon", "hour", "digits"):
        scan.at = read[1]
        zone = zone_behind(scan, None, read[0])
        closed = opener[1] not in CLOSING or scan.head.startswith(CLOSING[opener[1]], scan.at)
        if zone and closed and zone.kind != "unknown":
            scan.at += opener[1] in CLOSING
            parts.also = End(read[0], None, zone)
            return True
    scan.at = before
    return False


def _part_step(scan: Scan, clock: TimeOfDay, parts: Parts) -> bool:
    """A part of the day behind the time: "3:15 this afternoon", "12:00 midnight", "9 Uhr abends"."""
    if parts.part:
        return False
    if half := (None if clock.half else _HALF.match(scan.head, scan.at)):
        parts.part, scan.at = DayPart(f"{half[1].lower()}m"), half.end()
        return True
    link = _LINK.match(scan.head, scan.at)
    at = link.end() if link else scan.at
    found = scan.words.at(PART, scan.low, at)
    if found is None or "part" in scan.without or (link and link[2]):
        return False
    end = found[1] + (link is not None and link[1] == "(" and scan.head[found[1] : found[1] + 1] == ")")
    if not ENDS_THERE.match(scan.head, end) and _may_be_text(found[0], scan.low[at : found[1]], clock, parts):
        scan.unsure.add("part")
    parts.part, scan.at = found[0], end
    return True


def _may_be_text(part: DayPart, written: str, clock: TimeOfDay, parts: Parts) -> bool:
    """Whether a part of the day behind a time may as well begin the text: "14:05 evening shift took over"."""
    if part.name == "midnight":
        return clock.hour in (0, 24)  # "00:00 midnight has passed" is the same moment either way
    dated = bool(parts.day and parts.day.form in ("word", "weekday"))
    plain = part.plain and " " not in written.strip() and part.day is None and not dated
    return plain and part.name not in ("noon", "am", "pm")


def _day_step(scan: Scan, parts: Parts) -> bool:
    """A date behind the time: "14:05 UTC on 23 November", "2:05 PM yesterday", "14:05 - 3 Sep 2021"."""
    before = scan.at
    link = scan.take(_LINK)
    if link is None or "day" in scan.without or (parts.day and (parts.day.full or parts.day.form == "word")):
        scan.at = before
        return False
    found = day_at(scan.head, scan.low, scan.words, scan.at)
    day = join_dates(parts.day, found[0]) if found else None
    if found is None or day is None or not _is_date(scan, link, found):
        scan.at = before
        return False
    parts.day, scan.at = day, found[1]
    if link[1] == "(" and scan.head[scan.at : scan.at + 1] == ")":
        scan.at += 1
    return True


def _is_date(scan: Scan, link: re.Match[str], found: tuple[Day, int]) -> bool:
    """Whether a date is meant behind a time, not a ratio ("14:05, 3/4 ready"); marks what may as well be text."""
    day, end = found
    head, lead = scan.head, (link[1] or "").lower()
    if _JOINED.match(head, end) or UNCLEAN.match(head, end + (lead == "(" and head[end : end + 1] == ")")):
        return False
    ends = bool(ENDS_THERE.match(head, end)) or bool(_is_followed_by_part(scan, end))
    word = scan.low[scan.at : end].split(" ")[-1 if day.form == "month" else 0].strip(".,")
    if day.form == "numbers" and head[end - 1] == ".":
        return True
    if day.form == "numbers" and lead != "on" and _PADDED.match(head, scan.at) and not ends:
        scan.unsure.add("day")
        return True
    if day.form in ("numbers", "dots") and not (lead == "on" and not head[end:].lstrip().lower().startswith("of ")):
        return ends and lead != ""
    if not ends and day.form in ("weekday", "month") and _is_lower_word(scan, day, end, word):
        return False
    is_certain = (
        ends or day.full or day.form == "word" or (lead and day.form != "ordinal") or _says_when(scan, day, end)
    )
    if not is_certain or (link[2] and not day.full) or day.form == "bare":
        scan.unsure.add("day")
    return True


def _says_when(scan: Scan, day: Day, end: int) -> bool:
    """Whether the author's own language has the weekday in a form that can only say when: "в пятницу", "pénteken"."""
    if scan.words.language == "en" or day.form != "weekday":
        return False
    phrase = " ".join(scan.low[scan.at : end].split()).strip(".,")
    return phrase in scan.words.words[WHEN] or (day.before_today and not phrase.startswith(("last ", "past ")))


def _is_followed_by_part(scan: Scan, end: int) -> bool:
    return scan.head[end : end + 1] == " " and scan.words.at(PART, scan.low, end + 1) is not None


def _is_lower_word(scan: Scan, day: Day, end: int, word: str) -> bool:
    """Whether "sat", "sun", "may" or "march" is a word of the sentence: in small letters, with more behind it."""
    written = scan.head[scan.at : end].strip(" .,")
    return word in _LOWER_WORD and written == written.lower() and not (day.numbers and day.weekday is not None)


def _make_found(clock: TimeOfDay, parts: Parts) -> TimeFound:
    """The time that was found, with the half and day that the part of the day implies."""
    found = TimeFound(clock=clock, day=parts.day, zone=parts.zone, end=parts.end, also=parts.also)
    part = parts.part
    if part is None:
        return found
    halved = apply_part(clock, part.name)
    if halved is None:
        return found._replace(problem="isn't in that part of the day")
    found = found._replace(clock=halved)
    if parts.end and not parts.end.clock.half and (ended := apply_part(parts.end.clock, part.name)):
        found = found._replace(end=parts.end._replace(clock=ended))
    if part.day is None:
        night = part.name in ("night", "last") and parts.day and halved.of_day() and _small_hours(halved)
        return _split_night(found, parts.day) if night and parts.day else found
    shifts = list_day_shifts(part, halved)
    days = [join_dates(parts.day, Day(ago=shift, form="word")) for shift in shifts]
    if not days or days[0] is None:
        return found
    return found._replace(day=days[0], others=tuple(found._replace(day=day) for day in days[1:]))


def _small_hours(clock: TimeOfDay) -> bool:
    of_day = clock.of_day()
    return bool(of_day and of_day[0].hour < 6)


def _split_night(found: TimeFound, day: Day) -> TimeFound:
    """In the night of a day, the small hours may be that day's or the next one's."""
    if day.ago is not None and not day.numbers:
        return found._replace(others=(found._replace(day=day._replace(ago=day.ago - 1)),))
    return found


_SPAN = re.compile(
    r"(?:([0-9]{1,4}(?:\.[0-9]{1,2})?)\s?|(an?|half\s+an?|one|two|three|five|ten)\s+)"
    r"(s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)(?![A-Za-z])\.?(?:\s*+,?+\s*+and\s++|\s*+)",
    FLAGS,
)
_MINUTES = re.compile(r"([0-9]{1,2})(?![0-9A-Za-z.,:])", re.ASCII)
_MINUTES_AGO = re.compile(r"([0-9]{1,2})(?=\s*ago)", re.ASCII)
_AGO = re.compile(r"\s*ago(?![\w'-])", FLAGS)
_END = re.compile(r"(?![\w%/'-])")
_NOW = re.compile(
    r"(?:(?:just|right)\s+now|now(?!\s+(?:that|it|its|it's|we|they|the|at|only|all|what|with|in|on|and|is|are|a|an|our"
    r"|there|or|for|to)\b))(?![\w'-])",
    FLAGS,
)
_AMOUNT = re.compile(r"\s*([0-9]{1,4})\s*")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_COUNTS = {"one": 1.0, "two": 2.0, "three": 3.0, "five": 5.0, "ten": 10.0}


def ago_at(head: str, low: str, words: Vocabulary, at: int) -> tuple[timedelta, int] | None:
    """How long before now the words at `at` mean, and where they end. A minus means "ago"."""
    now = _NOW.match(head, at)
    if now:
        return timedelta(0), now.end()
    signed = head.startswith("-", at)
    spans = _spans(head, at + signed, _MINUTES if signed else _MINUTES_AGO)
    if spans is None:
        return _in_words(low, words, at)
    back, end = spans
    if signed:
        end = len(head[:end].rstrip())
    match = _AGO.match(head, end) or (_END.match(head, end) if signed else None)
    return (back, match.end()) if match else _in_words(low, words, at)


def _spans(head: str, at: int, bare: re.Pattern[str]) -> tuple[timedelta, int] | None:
    back, last = timedelta(0), ""
    # Weeks, days and hours at most: people don't write four units, and every line pays for the loop.
    for _ in range(3):
        match = _SPAN.match(head, at)
        # A capital M counts millions or megabytes.
        if match is None or match[3] == "M":
            break
        amount = float(match[1]) if match[1] else _named_span(match[2].lower())
        last = match[3][0].lower()
        back += timedelta(seconds=round(amount * _SECONDS[last]))
        at = match.end()
    minutes = bare.match(head, at) if last == "h" else None
    if minutes:
        return back + timedelta(minutes=int(minutes[1])), minutes.end()
    return (back, at) if last else None


def _named_span(word: str) -> float:
    return 0.5 if word.startswith("half") else _COUNTS.get(word, 1.0)


def _in_words(low: str, words: Vocabulary, at: int) -> tuple[timedelta, int] | None:
    """A length of time with the "ago" of another language, before ("vor 10 Minuten") or behind ("10 minuti fa")."""
    if words.language == "en":
        return None
    before = words.at(BEFORE, low, at)
    amount = _AMOUNT.match(low, before[1] if before else at)
    unit = words.at(UNIT, low, amount.end()) if amount else None
    if not (amount and unit):
        return None
    end = unit[1]
    if not before:
        while low[end : end + 1].isspace():
            end += 1
        behind = words.at(AGO, low, end)
        if behind is None:
            return None
        end = behind[1]
    return timedelta(seconds=int(amount[1]) * unit[0]), end
