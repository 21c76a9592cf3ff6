"""The grammar of the times that people put before what happened: finds a time at the start of a text.

A time is a time of day with, in any order, a date, a weekday, a part of the day, a zone and the end of a range.
Nothing is interpreted here: what is found is what was written, which `instants` turns into moments. Patterns are tried
at one place of a short head of the text, so the work is bounded for any text.
"""

import re
from dataclasses import dataclass

from bot.incident.times.clocks import Clock, clock_at, in_part, part_shift, with_halves
from bot.incident.times.days import Day, day_at, joined
from bot.incident.times.evidence import is_silent, leftover
from bot.incident.times.language import ABOUT, AND, AT, BETWEEN, FROM, LAST, NEXT, ON, PART, TO, Part, Vocabulary
from bot.incident.times.loose import loose_at
from bot.incident.times.offsets import zone_behind
from bot.incident.times.scan import End, Found, Scan
from bot.incident.times.spans import ago_at
from bot.incident.times.zonenames import ROUGH_NAMES
from bot.incident.times.zones import Zone, zone_at

HEAD = 120
"""Characters looked at: the longest time known to stand at the start of a line has about 80."""

_FLAGS = re.ASCII | re.IGNORECASE
_WORTH = re.compile(r"[0-9]|noon|midday|midnight|now|ago", re.IGNORECASE)
_BULLETS = re.compile(
    r"\s*(?:(?:[-*>|+\u2022\u00b7]|\#{1,6}|[0-9]{1,2}[.)](?=\s+[\[(*`~_]{0,3}[0-9]{1,2}:[0-9]))\s+){0,3}", re.ASCII
)
_OPENERS = re.compile(r"(?!'s\s)[\[(*_`\"']{1,3}")
_CLOSING = {"[": "]", "(": ")"}
_NAME = re.compile(r"(@?[\w.'-]{1,40}|[A-Z]\w{0,30}(?: [A-Z]\w{0,30}){1,2})\s{1,3}(?=\[[0-9~])")
_TILDE = re.compile(r"[~\u2248]\s*")
_GAP = re.compile(
    r"(T)(?=[0-9])|([\])]{0,2})"
    r"(?:[\s,_;]*(?:@|-+|\||:|/|\u00b7|\u2022)[\s,|]*|[\s,_;]+|\.(?=[0-9]{2}:[0-9]{2}))([\[(*`]{0,2})",
    _FLAGS,
)
_SIGN_GAP = re.compile("[\\s\u306e\u3001]*")
_ISH = re.compile(
    r"\s?-?ish\b|\s+or\s+so\b|\s*(?:-\s*)?\((?:(?:maybe|approx\.?|approximately|about|around|roughly|ca\.?|circa|estimated|guess"
    r"|ish|earlier|later|or|perhaps|probably|not|sure|unsure|i|think)[\s?,]*){1,6}\)|\s?\?{1,3}(?=[\s:,-]|$)"
    r"|\s?~(?=\s|$)|\s?(?:\u9803|\u3054\u308d)|\s+(?:aprox|approx)(?:imad\w+|imately)?\b\.?",
    _FLAGS,
)
_TO = re.compile(r"\s*(?:-{1,3}>?|\u2192|~\s?(?=[0-9])|\.\.\.?|/(?=[0-9]{4}-)|\u304b\u3089)\s*", _FLAGS)
_DASH = re.compile(r"\s*-{1,3}\s*")
_SHORT_END = re.compile(r"-([0-9]{2})(?![0-9:.%/]|\s?[ap]\.?m|\s+-?[0-9]|\s+(?:hours?|days?)\b)", _FLAGS)
_SEPARATOR = re.compile(r"\s*(?:[:,;.|\u3001]|-{1,3}>?|=>|\u2192)(?=\s|$|[^\x00-\u2fff])\s*|[:;,-](?=[^\W\d])|\s+")
_SIGN_PARTICLE = re.compile("(?:\u306b|\u3001|\u306e|\u3067|\u307e\u3067)\\s*")
_UNCLEAN = re.compile(
    r"[0-9A-Za-z_/%$#&^\\@=+<\u00b0\u00c0-\u024f]|[:.,][0-9]|:[0-9A-Za-z]{0,20}:|\.[A-Za-z]|-[0-9]|'[A-Za-z0-9]|\s+ago\b",
    re.ASCII,
)
_LINK = re.compile(r"\s*(?:(,|\bon\b|\()|([-:/|\u00b7\u2022;@]))\s*|(?<=\s)|\s+", _FLAGS)
_ENDS_THERE = re.compile(r"\)?\s*(?:[:;,.|]?$|[:;,.|-](?=\s))")
_LATE_YEAR = re.compile(r"\s+((?:19|20)[0-9]{2})(?![0-9]|:[0-9])", re.ASCII)
_SINCE_THEN = re.compile(r";\s*(?:[0-9]{1,4}\s?(?:s|min|h|days?|weeks?|months?|years?)\s+){1,3}ago\b", _FLAGS)
_EQUAL = re.compile(r"\s*([(\[/=])\s*")
_AHEAD = re.compile(r"\W*(?:\w+\W+){0,4}?(?:next|starts?|starting|expect\w*|until|will|planned|scheduled|eta)\b", _FLAGS)
_HALF = re.compile(r"\s*([ap])\.\s?m\b\.?", _FLAGS)
_PADDED = re.compile(r"[0-3][0-9][/-][0-3][0-9](?![0-9])", re.ASCII)
_LOWER_WORD = frozenset({"sat", "sun", "may", "march", "mar"})


@dataclass(slots=True)
class _Parts:
    """What of a time has been found: at most one of each."""

    day: Day | None = None
    part: Part | None = None
    zone: Zone | None = None
    end: End | None = None
    also: End | None = None


def find(head: str, words: Vocabulary) -> Found | None:
    """The time at the start of `head`, which has plain digits, dashes and quotes (see `plain`), or None."""
    if words.language == "en" and not _WORTH.search(head):
        return None
    scan = Scan(head, words)
    _open(scan)
    begins = scan.at
    found = _read(scan, begins)
    if found is None:
        return _relative(head, words, begins)
    if not scan.unsure:
        return found
    others = (*found.others, *_others(head, words, frozenset(scan.unsure), begins))
    return found._replace(others=others, maybe_text="text" in scan.unsure)


def _others(head: str, words: Vocabulary, unsure: frozenset[str], begins: int) -> tuple[Found, ...]:
    """The same text read without what was unsure in it."""
    if unsure == {"text"}:
        return ()
    scan = Scan(head, words, without=unsure)
    _open(scan)
    found = _read(scan, begins)
    return (found._replace(leftover=""),) if found else ()


def _read(scan: Scan, begins: int) -> Found | None:
    parts = _Parts()
    clock = _before(scan, parts, 0)
    if clock is None:
        return None
    found = _with_rest(scan, clock, parts)
    return _bounded(scan, found, begins) if found else None


def _relative(head: str, words: Vocabulary, begins: int) -> Found | None:
    """A time relative to now."""
    scan = Scan(head, words)
    _open(scan)
    _rough(scan)
    ago = ago_at(scan.head, scan.low, words, scan.at)
    if ago is None:
        return None
    scan.at = ago[1]
    return _bounded(scan, Found(ago=ago[0]), begins)


def _bounded(scan: Scan, found: Found, begins: int) -> Found | None:
    """The same with where it stands; None where it is part of a longer word."""
    ends, zone = scan.at, None
    if scan.openers and _unwrap(scan) and found.clock and not found.zone:
        zone = zone_behind(scan)
        ends = scan.at if zone else ends
    if scan.at == ends and not zone and _UNCLEAN.match(scan.head, ends):
        return None
    beside = "" if is_silent(scan) or _ISH.match(scan.head, ends) else leftover(scan, found)
    scan.take(_SIGN_PARTICLE) or scan.take(_SEPARATOR)
    return found._replace(
        begins=begins,
        ends=ends,
        rest=scan.at,
        kept=scan.kept,
        approximate=scan.approximate,
        zone=found.zone or zone,
        leftover=beside,
        ahead=scan.ahead or bool(_AHEAD.match(scan.head, ends)),
    )


def _open(scan: Scan) -> None:
    """Bullets, a name before a bracketed time, and what the time is wrapped in."""
    scan.take(_BULLETS)
    name = scan.take(_NAME) if "[" in scan.head[:60] else None
    scan.kept = f"{name[1]} " if name else ""
    openers = scan.take(_OPENERS)
    scan.openers = openers.group() if openers else ""


def _unwrap(scan: Scan) -> bool:
    """Take what closes the wrapping of the time; a wrapping that closes later belongs to what happened."""
    head, at = scan.head, scan.at
    at += head[at : at + 1] in (":", ",", ".") and head[at + 1 : at + 2] in tuple("])*_`\"'")
    closed = 0
    for opener in reversed(scan.openers):
        if head[at : at + 1] != _CLOSING.get(opener, opener):
            break
        at, closed = at + 1, closed + 1
    scan.at = at if closed else scan.at
    scan.kept += scan.openers[: len(scan.openers) - closed]
    return bool(closed)


def _rough(scan: Scan) -> None:
    """Take a word that makes the time approximate, if it stands here."""
    if scan.take(_TILDE) or scan.word(ABOUT):
        scan.approximate = True


def _lead(scan: Scan) -> None:
    """Take the little words before a time: "at", "from about", "between"."""
    for _ in range(4):
        before = scan.at
        if scan.word(BETWEEN):
            scan.between = True
        elif scan.word(AT) or scan.word(FROM):
            scan.ahead = scan.ahead or scan.low.startswith("by", before)
        elif scan.take(_TILDE) or scan.word(ABOUT):
            scan.approximate = True
        else:
            return
        if not _has_room(scan, before):
            scan.at = before
            return
        scan.sure = True


def _has_room(scan: Scan, before: int) -> bool:
    """Whether a little word is apart from what follows, as words are in languages that part them."""
    return scan.head[before : scan.at] != scan.head[before : scan.at].rstrip() or not scan.head[before].isalpha()


def _before(scan: Scan, parts: _Parts, depth: int) -> Clock | None:
    """The time of day, behind whatever date and part of the day stand before it."""
    _lead(scan)
    if depth < 5 and not _is_colon(scan):
        start, state = scan.at, (parts.day, parts.part, scan.approximate, scan.sure, scan.openers, scan.joined)
        if _take_part(scan, parts) or _take_day(scan, parts) or _take_zone(scan, parts):
            clock = _behind_gap(scan, parts, depth)
            if clock:
                return clock
        scan.at = start
        parts.day, parts.part, scan.approximate, scan.sure, scan.openers, scan.joined = state
        parts.zone = None
        if loose := loose_at(scan.head, start):
            parts.day, clock, scan.at = loose
            return clock
    return _clock(scan, parts)


def _is_colon(scan: Scan) -> bool:
    return scan.head[scan.at + 1 : scan.at + 2] == ":" or scan.head[scan.at + 2 : scan.at + 3] == ":"


def _take_day(scan: Scan, parts: _Parts) -> bool:
    found = day_at(scan.head, scan.low, scan.words, scan.at)
    day = joined(parts.day, found[0]) if found else None
    if found is None or day is None:
        return False
    parts.day, scan.at = day, found[1]
    return True


def _take_part(scan: Scan, parts: _Parts) -> bool:
    found = scan.words.at(PART, scan.low, scan.at)
    if found is None or parts.part is not None or found[0].name in ("noon", "midnight"):
        return False
    if found[0].name in ("am", "pm") and scan.head[scan.at].isascii():
        return False
    parts.part, scan.at = found
    return True


def _take_zone(scan: Scan, parts: _Parts) -> bool:
    """A zone before the time: "UTC 14:05", "CET: 14:05"."""
    head, at = scan.head, scan.at
    if parts.zone or not (head[at : at + 1].isupper() or head[at : at + 1] in ("+", "-")):
        return False
    found = zone_at(head, at, scan.words)
    if found is None or found[0].kind in ("unknown", "local"):
        return False
    zone, end = found
    said = head[at:end].lower()
    if zone.kind == "region" and "/" not in said and " time" not in said and said not in ROUGH_NAMES:
        return False
    if zone.doubtful and said not in ROUGH_NAMES:
        return False
    parts.zone, scan.at = zone, end
    return True


def _behind_gap(scan: Scan, parts: _Parts, depth: int) -> Clock | None:
    """The rest of what stands before a time, where something parts it from what was read."""
    dated = parts.day
    gap = scan.take(_GAP)
    if gap is None:
        if scan.head[scan.at - 1 : scan.at].isascii():
            return None
        scan.take(_SIGN_GAP)
    if gap:
        scan.joined = gap[1] is not None
        scan.openers = ("" if gap[2] else scan.openers) + (gap[3] or "")
    sure, scan.sure = scan.sure, True
    clock = _before(scan, parts, depth + 1)
    if clock is None or clock.form == "plain" and not parts.part:
        scan.sure = sure
        return clock if clock and sure_plain(scan, parts) else None
    if dated and dated.form == "dots" and parts.day is dated and gap and (clock.form != "colon" or gap.group().strip()):
        return None
    return clock


def sure_plain(scan: Scan, parts: _Parts) -> bool:
    """Whether a number alone behind a date begins a range: "Nov 23, 9-10am"."""
    return bool(parts.day) and bool(_DASH.match(scan.head, scan.at))


def _clock(scan: Scan, parts: _Parts) -> Clock | None:
    stamp = bool(parts.day and parts.day.full)
    read = clock_at(scan.head, scan.at, sure=scan.sure, stamp=stamp) or _named(scan)
    if read is None:
        return None
    scan.at = read[1]
    return read[0]


def _named(scan: Scan) -> tuple[Clock, int] | None:
    """Noon and midnight in the author's own language."""
    found = scan.words.at(PART, scan.low, scan.at) if scan.words.language != "en" else None
    if found is None or found[0].name not in ("noon", "midnight") or found[0].day is not None:
        return None
    return Clock(12 if found[0].name == "noon" else 0, form="named"), found[1]


def _with_rest(scan: Scan, clock: Clock, parts: _Parts) -> Found | None:
    """What may follow a time of day: roughness, zone, the end of a range, a part of the day, a date, a late year."""
    begun, alone = scan.at, not (parts.day or scan.sure or scan.openers)
    for _ in range(7):
        before = scan.at
        if is_silent(scan):
            break
        if scan.take(_ISH):
            scan.approximate = True
        elif not _step(scan, clock, parts):
            break
        if scan.at == before:
            break
    if parts.day and parts.day.full and clock.precise:
        scan.take(_SINCE_THEN)
    if parts.end:
        clock, end_clock = with_halves(clock, parts.end.clock)
        parts.end = parts.end._replace(clock=end_clock)
        parts.zone = parts.zone or parts.end.zone
    elif not _is_time(scan, clock, parts):
        return None
    if clock.form == "dot" and scan.at == begun and alone and clock.minute <= 12:
        return None
    if clock.length and scan.words.language not in ("es", "pt", "it", "fr"):
        scan.unsure.add("text")
    return _found(clock, parts)


def _step(scan: Scan, clock: Clock, parts: _Parts) -> bool:
    """Take one thing that belongs to the time; False where nothing more does."""
    return bool(
        _zone_step(scan, clock, parts)
        or _end_step(scan, clock, parts)
        or _year_step(scan, parts)
        or _also_step(scan, clock, parts)
        or _part_step(scan, clock, parts)
        or _day_step(scan, parts)
    )


def _zone_step(scan: Scan, clock: Clock, parts: _Parts) -> bool:
    if parts.zone:
        return False
    parts.zone = zone_behind(scan, parts.day, clock)
    return parts.zone is not None


def _year_step(scan: Scan, parts: _Parts) -> bool:
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


def _is_time(scan: Scan, clock: Clock, parts: _Parts) -> bool:
    """Whether a number is a time of day by what stands beside it, and not a number or part of a name ("1405Z-node")."""
    if clock.form == "plain":
        return bool(parts.part and (parts.part.day is not None or parts.part.name in ("noon", "midnight", "am", "pm")))
    if clock.form == "short":
        return scan.sure or bool(parts.day or parts.zone or scan.words.language in ("fr", "pt", "it", "es"))
    if clock.form != "digits":
        return True
    if scan.head.startswith("-", scan.at):
        return False
    zone = parts.zone
    return bool(parts.day and parts.day.full) or bool(zone and zone.kind in ("offset", "abbreviation"))


def _end_step(scan: Scan, start: Clock, parts: _Parts) -> bool:
    """The end of a range."""
    if parts.end:
        return False
    before = scan.at
    if (short := scan.take(_SHORT_END)) and start.form == "colon":
        parts.end = _short_end(scan, start, int(short[1]), before)
        return parts.end is not None
    scan.at = before
    link = _range_link(scan)
    if not link:
        return False
    state = scan.approximate, scan.joined, scan.sure
    scan.joined = False
    _rough(scan)
    ended = _Parts()
    clock = _before(scan, ended, 3)
    if clock and _may_end(start, clock, link):
        if scan.take(_ISH):
            scan.approximate = True
        ended.zone = ended.zone or zone_behind(scan, ended.day, clock)
        if _equal(scan, clock, ended) and not ended.zone:
            ended.zone = zone_behind(scan, ended.day, clock)
        if not ended.day:
            _end_day(scan, ended)
        if not ended.zone:
            ended.zone = zone_behind(scan, ended.day, clock)
        if ended.part:
            clock = in_part(clock, ended.part.name) or clock
        parts.end = End(clock, ended.day, ended.zone)
        return True
    scan.at = before
    scan.approximate, scan.joined, scan.sure = state
    return False


def _end_day(scan: Scan, ended: _Parts) -> None:
    """The date of a range's end, where it stands behind it with an "on" and has its year."""
    before = scan.at
    link = scan.take(re.compile(r"\s+on\s+|\s*,\s*"))
    found = day_at(scan.head, scan.low, scan.words, scan.at) if link else None
    if found and found[0].full and link and "on" in link.group():
        ended.day, scan.at = found
    else:
        scan.at = before


def _range_link(scan: Scan) -> str:
    """What stands between the two ends of a range, or nothing."""
    before = scan.at
    if scan.between:
        while scan.head[scan.at : scan.at + 1].isspace():
            scan.at += 1
        if scan.word(AND):
            return scan.head[before : scan.at]
        scan.at = before
    if scan.take(_TO):
        return scan.head[before : scan.at]
    spaced = scan.head[scan.at : scan.at + 1].isspace() or not scan.head[scan.at - 1 : scan.at].isascii()
    while scan.head[scan.at : scan.at + 1].isspace():
        scan.at += 1
    if spaced and scan.word(TO):
        return scan.head[before : scan.at]
    scan.at = before
    return ""


def _short_end(scan: Scan, start: Clock, number: int, before: int) -> End | None:
    """The end in "16:05:57-58" is a second later, in "14:05-20" 14:20, and in "14:30-15" 15:00."""
    last = start.second if start.precise else start.minute
    if last < number < 60:
        return End(start._replace(second=number) if start.precise else start._replace(minute=number))
    if not start.precise and start.hour < number < 24:
        return End(Clock(number))
    scan.at = before
    return None


def _may_end(start: Clock, end: Clock, link: str) -> bool:
    """Whether a second time ends a range. Behind a spaced dash it may as well be the first word of what happened."""
    if end.form in ("plain", "digits", "short") and not (end.form == start.form == "short"):
        return False
    if end.form == "dot" and start.form != "dot":
        return False
    if start.form == "plain" and end.form != "hour" and link.strip() != link:
        return False
    first, last = (part.of_day() for part in with_halves(start, end))
    if first is None or last is None or link.strip() != "-" or link == "-":
        return True
    return last[0] > first[0] or (last[0].hour - first[0].hour) % 24 < 12


def _equal(scan: Scan, clock: Clock, parts: _Parts) -> bool:
    """The same time of day written a second way, in brackets: "16:30 (04:30 pm)"."""
    before = scan.at
    if scan.take(re.compile(r"\s*\(")):
        read = clock_at(scan.head, scan.at, sure=True)
        if read and scan.head[read[1] : read[1] + 1] == ")" and read[0].of_day() == clock.of_day():
            scan.at = read[1] + 1
            return True
    scan.at = before
    return False


def _also_step(scan: Scan, clock: Clock, parts: _Parts) -> bool:
    """The same moment on another clock: "17:03 (15:03 UTC)", "11:05 UTC/12:05 CET"; its zone tells it from a range."""
    if parts.also or parts.end:
        return False
    if _equal(scan, clock, parts):
        return True
    before = scan.at
    opener = scan.take(_EQUAL)
    read = clock_at(scan.head, scan.at, sure=True) if opener else None
    if opener and read and read[0].form in ("colon", "hour", "digits"):
        scan.at = read[1]
        zone = zone_behind(scan, None, read[0])
        closed = opener[1] not in _CLOSING or scan.head.startswith(_CLOSING[opener[1]], scan.at)
        if zone and closed and zone.kind != "unknown":
            scan.at += opener[1] in _CLOSING
            parts.also = End(read[0], None, zone)
            return True
    scan.at = before
    return False


def _part_step(scan: Scan, clock: Clock, parts: _Parts) -> bool:
    """A part of the day behind the time: "3:15 this afternoon", "12:00 midnight", "9 Uhr abends"."""
    if parts.part:
        return False
    if half := (None if clock.half else _HALF.match(scan.head, scan.at)):
        parts.part, scan.at = Part(f"{half[1].lower()}m"), half.end()
        return True
    link = _LINK.match(scan.head, scan.at)
    at = link.end() if link else scan.at
    found = scan.words.at(PART, scan.low, at)
    if found is None or "part" in scan.without or (link and link[2]):
        return False
    end = found[1] + (bool(link) and link[1] == "(" and scan.head[found[1] : found[1] + 1] == ")")
    dated = bool(parts.day and parts.day.form in ("word", "weekday"))
    plain = found[0].plain and " " not in scan.low[at : found[1]].strip() and found[0].day is None and not dated
    if plain and found[0].name not in ("noon", "midnight", "am", "pm") and not _ENDS_THERE.match(scan.head, end):
        scan.unsure.add("part")
    parts.part, scan.at = found[0], end
    return True


def _day_step(scan: Scan, parts: _Parts) -> bool:
    """A date behind the time: "14:05 UTC on 23 November", "2:05 PM yesterday", "14:05, Nov 23", "14:05 - 3 Sep 2021"."""
    before = scan.at
    link = scan.take(_LINK)
    if link is None or "day" in scan.without or (parts.day and (parts.day.full or parts.day.form == "word")):
        scan.at = before
        return False
    found = day_at(scan.head, scan.low, scan.words, scan.at)
    day = joined(parts.day, found[0]) if found else None
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
    if _UNCLEAN.match(head, end + (lead == "(" and head[end : end + 1] == ")")):
        return False
    ends = bool(_ENDS_THERE.match(head, end)) or bool(_is_followed_by_part(scan, end))
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
    if not (ends or day.full or day.form == "word" or (lead and day.form != "ordinal")) or (link[2] and not day.full):
        scan.unsure.add("day")
    return True


def _is_followed_by_part(scan: Scan, end: int) -> bool:
    return scan.head[end : end + 1] == " " and scan.words.at(PART, scan.low, end + 1) is not None


def _is_lower_word(scan: Scan, day: Day, end: int, word: str) -> bool:
    """Whether "sat", "sun", "may" or "march" is a word of the sentence: in small letters, with more behind it."""
    written = scan.head[scan.at : end].strip(" .,")
    return word in _LOWER_WORD and written == written.lower() and not (day.numbers and day.weekday is not None)


def _found(clock: Clock, parts: _Parts) -> Found:
    """What was found, with what the part of the day says about its half and its day."""
    found = Found(clock=clock, day=parts.day, zone=parts.zone, end=parts.end, also=parts.also)
    part = parts.part
    if part is None:
        return found
    halved = in_part(clock, part.name)
    if halved is None:
        return found._replace(problem="is not a time of that part of the day")
    found = found._replace(clock=halved)
    if parts.end and not parts.end.clock.half and (ended := in_part(parts.end.clock, part.name)):
        found = found._replace(end=parts.end._replace(clock=ended))
    if part.day is None:
        night = part.name in ("night", "last") and parts.day and halved.of_day() and _small_hours(halved)
        return _either_night(found, parts.day) if night and parts.day else found
    shifts = part_shift(part, halved)
    days = [joined(parts.day, Day(ago=shift, form="word")) for shift in shifts]
    if not days or days[0] is None:
        return found
    return found._replace(day=days[0], others=tuple(found._replace(day=day) for day in days[1:]))


def _small_hours(clock: Clock) -> bool:
    of_day = clock.of_day()
    return bool(of_day and of_day[0].hour < 6)


def _either_night(found: Found, day: Day) -> Found:
    """In the night of a day, the small hours may be that day's or the next one's."""
    if day.ago is not None and not day.numbers:
        return found._replace(others=(found._replace(day=day._replace(ago=day.ago - 1)),))
    return found


__all__ = ["HEAD", "LAST", "NEXT", "ON", "find"]
