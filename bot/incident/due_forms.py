"""The forms in which people write a day where something is due, as patterns; `due` says what each comes to."""

import re

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_NUMBERS = ("a", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
COUNTS = {word: max(count, 1) for count, word in enumerate(_NUMBERS)} | {"an": 1}

NAMED_MONTH = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    "|nov(?:ember)?|dec(?:ember)?"
)
_NAMED_DAY = (
    "mon(?:day)?|tue(?:s(?:day)?)?|wed(?:s|nesday)?|thu(?:r(?:s(?:day)?)?)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?"
)
_YEAR = r"(?P<year>\d{4}|'?\d{2})"
_MONTH = rf"(?P<month>{NAMED_MONTH})\.?"
_OF_MONTH = r"(?:the\s+)?(?P<day>\d{1,2})(?:st|nd|rd|th|\.)?"

_COUNT = rf"(?P<count>\d{{1,3}}|an|{'|'.join(_NUMBERS)})\s*(?P<unit>days?|d|weeks?|w|fortnights?|months?|years?)"
COUNTED = re.compile(_COUNT, re.IGNORECASE)
IN = re.compile(rf"(?:(?:in|within)\s+)?{_COUNT}(?:['’]s?)?(?:\s+(?:time|from\s+(?:now|today)))?")
FRACTION = re.compile(r"(\d{1,2})/(\d{1,2})")

_ZONE = r"(?:z|utc|gmt|[a-z]{1,3}[sd]?t|[a-z]+/[a-z_]+|[+-]\d{1,2}:?\d{2})"
_CLOCK = (
    rf"(?:at\s+|@\s*)?(?:\d{{1,2}}(?::\d{{2}}){{1,2}}(?:\s*[ap]\.?m\b\.?)?|\d{{1,2}}\s*[ap]\.?m\b\.?|noon|midday|midnight"
    rf"|(?:in\s+the\s+)?(?:morning|afternoon|evening)|(?:at\s+)?night|lunch(?:time)?)(?:\s*{_ZONE})?"
    rf"|at\s+\d{{1,2}}(?:\s+{_ZONE})?"
)
DAYS_END = r"eod|cob|eob|(?:the\s+)?end\s+of\s+(?:the\s+)?(?:business\s+)?day|close\s+of\s+business"
CLOCK_BEHIND = re.compile(rf"(?:[\s,]+|(?<=\d)t(?=\d))(?P<clock>{_CLOCK}|(?P<end>{DAYS_END}))$")
CLOCK_BEFORE = re.compile(rf"(?P<clock>{_CLOCK}|(?P<end>{DAYS_END}))(?:[\s,]+(?:on\s+|of\s+)?|$)")

SIMPLE = {"today": 0, "tonight": 0, "tomorrow": 1, "the day after tomorrow": 2, "day after tomorrow": 2}
ON_WEEKDAY = re.compile(
    rf"(?P<how>next|coming|this(?:\s+coming)?|the\s+coming|on)?\s*(?P<weekday>{_NAMED_DAY})\.?"
    r"(?:\s+(?:(?:of\s+)?(?P<whose>next|this)\s+week|(?P<week>week)|(?P<after>after\s+next)))?"
)
WEEK_FIRST = re.compile(
    rf"(?:(?P<whose>next|this)\s+week(?:['’]s)?(?:\s+on)?|(?P<week>a\s+week\s+(?:on|from)))\s+(?P<weekday>{_NAMED_DAY})\.?"
)
WITH_WEEKDAY = re.compile(
    rf"(?:on\s+)?(?P<weekday>{_NAMED_DAY})\.?[\s,]+(?P<rest>.*\d.*)|(?P<rest2>.*\d.*?)[\s,]+\(?(?P<weekday2>{_NAMED_DAY})\)?"
)
SPAN = re.compile(
    r"(?:the\s+)?end\s+of\s+(?:the\s+)?(?:this\s+)?(?P<next>next\s+)?(?P<unit>week|month|quarter|year)"
    r"|eo(?P<short>[wmqy])|(?P<unit2>week|month|quarter|year)(?:['’]s)?[\s-]end|(?:in\s+)?(?:this|(?P<next2>next))\s+"
    r"(?P<unit3>week|month|quarter|year)"
)
MONTH_ALONE = re.compile(
    rf"(?:(?:the\s+)?(?P<end>end\s+of)\s+|in\s+|during\s+)?{_MONTH}(?:[\s,]+(?P<year>\d{{4}}|'\d{{2}}))?"
    r"|(?P<year2>\d{4})[-/](?P<figure>\d{1,2})|(?P<figure2>\d{1,2})/(?P<year3>\d{4})"
)
QUARTER = re.compile(
    r"(?:(?:the\s+)?end\s+of\s+|in\s+)?(?:q(?P<quarter>[1-4])(?:[\s/-]*(?P<year>\d{4}))?|(?P<year2>\d{4})[\s/-]*q(?P<quarter2>[1-4]))"
)
YEARS_END = re.compile(r"(?:the\s+)?end\s+of\s+(?P<year>\d{4})")
ISO = re.compile(r"(?P<year>\d{4})(?P<sep>[-/.])(?P<month>\d{1,2})(?P=sep)(?P<day>\d{1,2})|(20\d{2})(\d{2})(\d{2})")
FIGURES = re.compile(rf"(?P<a>\d{{1,2}})(?P<sep>[/-])(?P<b>\d{{1,2}})(?:(?P=sep){_YEAR})?")
DOTTED = re.compile(rf"(?P<day>\d{{1,2}})\.\s?(?P<month>\d{{1,2}})\.(?:\s?{_YEAR})?")
NAMED = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?:on\s+)?{_OF_MONTH}(?:\s+of\s+|[\s-]*){_MONTH}(?:[\s,-]+{_YEAR})?",
        rf"(?:on\s+)?{_MONTH}[\s-]*{_OF_MONTH}(?:[\s,]+{_YEAR})?",
        rf"(?P<year>\d{{4}})[\s-]{_MONTH}[\s-]{_OF_MONTH}",
    )
)
ORDINAL = re.compile(
    r"(?:on\s+)?(?:the\s+)?(?P<day>\d{1,2})(?:st|nd|rd|th)(?:\s+of\s+(?:this|the|(?P<next>next))\s+month)?"
)
BARE = re.compile(r"(?:the\s+)?(?P<day>\d{1,2})")
