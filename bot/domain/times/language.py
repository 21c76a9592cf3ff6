"""The words for days, months, parts of the day and "ago" in the author's language.

Names come from the Unicode CLDR (`cldr`). The small words around a time ("at", "from", "about"), which CLDR lacks, are
here for the languages that were tried on real lines. English words keep their meaning in every language; on a conflict
English wins.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, NamedTuple

from bot.domain.times import cldr
from bot.domain.times.cases import INFLECTED

MONTH, WEEKDAY, DAY, PART, AT, FROM, BETWEEN, TO, AND, ABOUT, ON, LAST, NEXT, FILLER = (
    "month weekday day part at from between to and about on last next filler".split()
)
AGO, BEFORE, UNIT, VAGUE, WHEN = "ago before unit vague when".split()
"""`VAGUE` are words that point to a day and are never read: "next friday", "on fridays", "last week". `WHEN` are
weekdays in a form that can only say when: "on friday"."""

LANGUAGES: Final = ("de", "fr", "es", "pt", "nl", "it", "ja")
"""The languages that were tried, besides English."""

OTHERS: Final = tuple(
    "sv da nb fi pl cs sk hu ro bg hr sl uk ru tr el he ar hi id vi ko zh th ca et lv lt sr be mk is gl fa ms".split()
)
"""Further languages with words for days, months and parts of the day. Such a time is read if it is plain and in the
author's own language, and is a question otherwise."""

_SAME: Final = {"no": "nb", "nn": "nb", "bs": "hr", "sh": "sr", "iw": "he", "in": "id"}
SCRIPTS: Final = {"sr": ("sr", "sr_Latn")}


class DayPart(NamedTuple):
    """A part of the day; `day` is how many days ago it was, if the word says so ("tonight" is 0).

    `plain`: the word alone is a noun ("evening"), which may be what happened; "abends" can only be a time. `is_phrase`:
    it has a preposition ("in the evening").
    """

    name: str
    day: int | None = None
    plain: bool = True
    is_phrase: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """What words mean, by kind; a word is in small letters and without a dot behind it."""

    language: str
    words: Mapping[str, Mapping[str, Any]]
    patterns: Mapping[str, re.Pattern[str]] = field(default_factory=dict)

    def at(self, kind: str, low: str, place: int) -> tuple[Any, int] | None:
        """The meaning of the word of a kind at a place of a text in lower case, and where it ends."""
        pattern = self.patterns.get(kind)
        match = pattern.match(low, place) if pattern else None
        return (self.words[kind][_SPACES.sub(" ", match[1])], match.end()) if match else None


# kind: words; a "/" parts the word from its meaning.
_OWN: Final[dict[str, dict[str, str]]] = {
    "en": {
        MONTH: "sept/9",
        WEEKDAY: "tues/1|weds/2|thur/3|thurs/3",
        DAY: "day before yesterday/2|the day before yesterday/2",
        PART: "midday/noon|tonight/night 0|this night/night 0|last night/last|last evening/evening 1"
        "|this morning/morning 0|this afternoon/afternoon 0|this evening/evening 0|overnight/night|this noon/noon 0",
        AT: "at|by|as of|starting at|starting|precisely|exactly|time",
        FROM: "from|since|starting from",
        BETWEEN: "between",
        TO: "to|until|till|til|through|thru",
        AND: "and",
        ABOUT: "shortly after|shortly before|just after|just before|right around|around|about|circa|approximately"
        "|approx|roughly|ca|estimated",
        ON: "on|on the|the",
        LAST: "last|past",
        NEXT: "next",
        FILLER: "in|in the|at|or|then|plus|again|over|of|of the|the|that|during|during the|on|on the|same|this|a|an"
        "|that same",
        AGO: "ago",
        BEFORE: "",
        UNIT: "s/1|sec/1|secs/1|second/1|seconds/1|m/60|min/60|mins/60|minute/60|minutes/60|h/3600|hr/3600|hrs/3600"
        "|hour/3600|hours/3600|d/86400|day/86400|days/86400|w/604800|wk/604800|week/604800|weeks/604800",
    },
    "de": {
        MONTH: "jän/1|jänner/1|maerz/3|mrz/3",
        WEEKDAY: "sonnabend/5|mo/0|di/1|mi/2|do/3|fr/4|sa/5|so/6",
        PART: "früh/morning|morgens/morning|mittag/noon|mitternacht/midnight|letzte nacht/last|heute nacht/night 0"
        "|heute früh/morning 0|heute morgen/morning 0|heute abend/evening 0|heute mittag/noon 0"
        "|heute vormittag/morning 0|heute nachmittag/afternoon 0|gestern morgen/morning 1|gestern früh/morning 1"
        "|gestern abend/evening 1|gestern nacht/night 1",
        AT: "um|ab|punkt|per",
        FROM: "von|seit",
        BETWEEN: "zwischen",
        TO: "bis",
        AND: "und",
        ABOUT: "gegen|etwa|ungefähr|ca|rund|circa|zirka",
        ON: "am|den|der",
        LAST: "letzten|letzter|letzte|vergangenen",
        NEXT: "nächste|nächsten|nächster|nächstes",
        FILLER: "am|in der|in|des|dem|zur|zum",
        AGO: "her",
        BEFORE: "vor",
        UNIT: "sek/1|sekunde/1|sekunden/1|minute/60|minuten/60|std/3600|stunde/3600|stunden/3600|tag/86400|tage/86400"
        "|tagen/86400|woche/604800|wochen/604800",
    },
    "fr": {
        MONTH: "fev/2|fév/2|aout/8|juill/7",
        PART: "matin/morning|apres-midi/afternoon|nuit/night|midi/noon|minuit/midnight|ce matin/morning 0"
        "|cet après-midi/afternoon 0|ce soir/evening 0|cette nuit/night 0|hier soir/evening 1|hier matin/morning 1"
        "|la nuit dernière/last",
        AT: "à|dès|a",
        FROM: "de|depuis|à partir de|du",
        BETWEEN: "entre",
        TO: "à|jusqu'à|au",
        AND: "et",
        ABOUT: "vers|environ|aux alentours de|autour de",
        ON: "le|ce",
        LAST: "dernier|dernière",
        NEXT: "prochain|prochaine",
        FILLER: "du|de l'|de la|dans la|dans l'|de|en|au|le|la|l'",
        BEFORE: "il y a",
        UNIT: "seconde/1|secondes/1|minute/60|minutes/60|mn/60|heure/3600|heures/3600|jour/86400|jours/86400"
        "|semaine/604800|semaines/604800",
    },
    "es": {
        MONTH: "set/9|setiembre/9",
        PART: "tarde/afternoon|madrugada/night|mediodia/noon|medianoche/midnight|anoche/last|esta mañana/morning 0"
        "|esta tarde/afternoon 0|esta noche/night 0|ayer por la noche/night 1|ayer por la tarde/afternoon 1",
        AT: "a las|a la|las",
        FROM: "desde|desde las|de|de las|a partir de las",
        BETWEEN: "entre|entre las",
        TO: "a|a las|hasta|hasta las",
        AND: "y|y las",
        ABOUT: "sobre las|hacia las|alrededor de las|aproximadamente a las|cerca de las|aprox|aproximadamente",
        ON: "el|el día|del",
        LAST: "pasado|pasada",
        NEXT: "próximo|próxima",
        FILLER: "de la|del|por la|en la|de|al|a",
        AGO: "atrás",
        BEFORE: "hace",
        UNIT: "segundo/1|segundos/1|minuto/60|minutos/60|hora/3600|horas/3600|día/86400|días/86400|dia/86400"
        "|dias/86400|semana/604800|semanas/604800",
    },
    "pt": {
        PART: "meio-dia/noon|meia-noite/midnight|ontem à noite/evening 1|hoje de manhã/morning 0"
        "|hoje à tarde/afternoon 0|hoje à noite/evening 0|esta manhã/morning 0|esta tarde/afternoon 0"
        "|esta noite/evening 0",
        AT: "às|as|à|ao",
        FROM: "das|da|desde as|desde|a partir das",
        BETWEEN: "entre|entre as",
        TO: "às|as|à|a|até|até as|até às",
        AND: "e|e as",
        ABOUT: "por volta das|por volta de|cerca das|cerca de|aproximadamente às|perto das",
        ON: "em|no dia|dia|na|no|do dia",
        LAST: "passada|passado",
        NEXT: "próximo|próxima",
        FILLER: "da|de|do|à|na|pela|ao",
        AGO: "atrás",
        BEFORE: "há",
        UNIT: "segundo/1|segundos/1|minuto/60|minutos/60|hora/3600|horas/3600|dia/86400|dias/86400|semana/604800"
        "|semanas/604800",
    },
    "nl": {
        WEEKDAY: "ma/0|di/1|wo/2|do/3|vr/4|za/5|zo/6",
        DAY: "eergister/2",
        PART: "'s ochtends/morning|'s morgens/morning|'s middags/afternoon|'s avonds/evening|'s nachts/night"
        "|vanochtend/morning 0|vanmorgen/morning 0|vanmiddag/afternoon 0|vanavond/evening 0|vannacht/night 0"
        "|gisteravond/evening 1|gistermiddag/afternoon 1|gisterochtend/morning 1|gisternacht/night 1"
        "|middernacht/midnight|afgelopen nacht/last",
        AT: "om|vanaf",
        FROM: "van|sinds",
        BETWEEN: "tussen",
        TO: "tot|t/m",
        AND: "en",
        ABOUT: "rond|omstreeks|circa|ongeveer|tegen",
        ON: "op|de",
        LAST: "afgelopen|vorige",
        NEXT: "volgende",
        FILLER: "in de|van de|op de",
        AGO: "geleden",
        UNIT: "seconde/1|seconden/1|minuut/60|minuten/60|uur/3600|uren/3600|dag/86400|dagen/86400|week/604800"
        "|weken/604800",
    },
    "it": {
        PART: "mattino/morning|mezzogiorno/noon|mezzanotte/midnight|stamattina/morning 0|stamani/morning 0"
        "|stasera/evening 0|stanotte/night 0|ieri sera/evening 1|ieri mattina/morning 1|ieri pomeriggio/afternoon 1"
        "|ieri notte/night 1|questa mattina/morning 0|questo pomeriggio/afternoon 0|questa sera/evening 0",
        AT: "alle|alle ore|ore|all'|all'una",
        FROM: "dalle|dalle ore|da|a partire dalle",
        BETWEEN: "tra le|fra le|tra|fra",
        TO: "alle|a|fino alle|fino a|alle ore",
        AND: "e|e le",
        ABOUT: "verso le|circa alle|intorno alle|verso|circa",
        ON: "il|del",
        LAST: "scorso|scorsa",
        NEXT: "prossimo|prossima",
        FILLER: "di|del|della|nel|nella|la|il",
        AGO: "fa",
        UNIT: "secondo/1|secondi/1|minuto/60|minuti/60|ora/3600|ore/3600|giorno/86400|giorni/86400|settimana/604800"
        "|settimane/604800",
    },
    "ja": {
        DAY: "本日/0|おととい/2|前日/1",
        PART: "午前/am|午後/pm|朝/morning|夕方/evening|夜/evening|深夜/night|正午/noon|今朝/morning 0|今夜/evening 0"
        "|今晩/evening 0|昨夜/last|昨晩/last|未明/night",
        TO: "から|～|〜",
        ABOUT: "約|およそ",
        FILLER: "の|に|、",
        AGO: "前",
        UNIT: "秒/1|分/60|時間/3600|日/86400|週間/604800",
    },
}

_SPACES = re.compile(r"[\s\u00a0\u202f]+")
_ORDINARY = frozenset(
    "a am an and are as at be but by can did do dos for from had has he her his in is it its may me no not of off"
    " on one or"
    " out pod sat see set she so sun that the then they this to two up us was we were when who will with you pet art"
    " cat mat man men max min sec".split()
)
"""Words of everyday English, and some that programs are full of: in no other language do they name a day or a month."""


def load_own_words(language: str, kind: str) -> dict[str, Any]:
    """What the tables of this project have for a language; its scripts together."""
    found = {}
    for item in _OWN.get(language, {}).get(kind, "").split("|"):
        word, _, meaning = item.partition("/") if not item.startswith("t/m") else (item, "", "")
        if word:
            found[word] = _meaning(kind, word, meaning, plain=True)
    return found


def load_inflected_words(language: str, kind: str) -> dict[str, Any]:
    """What `languages.cases` has for a language; its scripts together."""
    found: dict[str, Any] = {}
    for code in SCRIPTS.get(language, (language,)):
        table = INFLECTED.get(code, {})
        for item in filter(None, table.get(kind, "").split("|") if kind != WHEN else ()):
            word, _, meaning = item.partition("/")
            found[word] = _meaning(kind, word, meaning, plain=False)
        if kind == WEEKDAY:
            found |= _weekdays(table, "days") | _weekdays(table, WHEN)
        elif kind == WHEN:
            found |= dict.fromkeys((*_weekdays(table, WHEN), *_behind_on(table)), True)
    return found


def _meaning(kind: str, word: str, meaning: str, *, plain: bool) -> Any:
    if kind != PART:
        return int(meaning) if meaning else True
    name, _, day = (meaning or word).partition(" ")
    return DayPart(name, int(day) if day else 1 if name == "last" else None, plain, is_phrase=not plain and " " in word)


def _weekdays(table: Mapping[str, str], kind: str) -> dict[str, int]:
    """The weekdays of a table, alone and behind a word for "on"."""
    days = {name.replace("_", " "): place % 7 for place, name in enumerate(table.get(kind, "").split())}
    return days | (_behind_on(table) if kind == "days" else {})


def _behind_on(table: Mapping[str, str]) -> dict[str, int]:
    days = [(name.replace("_", " "), place % 7) for place, name in enumerate(table.get("days", "").split())]
    return {f"{on} {name}": day for on in table.get("on", "").split("|") if on for name, day in days}


@cache
def load_cldr_words(language: str) -> dict[str, dict[str, Any]]:
    """The names in CLDR for months, weekdays, days near today, parts of the day and lengths of time.

    Raises KeyError for a language that CLDR does not know.
    """
    tables = cldr.read_words(language)
    return {
        kind: {name: _cldr_meaning(kind, meaning, name) for meaning, name in cldr.list_items(table)}
        for kind, table in tables.items()
    }


def _cldr_meaning(kind: str, meaning: str, name: str) -> Any:
    if kind != PART:
        return int(meaning) if meaning else True
    part = meaning.removesuffix(cldr.ONLY_TIME)
    return DayPart(part, None, part == meaning, is_phrase=" " in name and part not in ("am", "pm"))


def count_letters(word: str) -> int:
    """Letters of any script; marks and digits are none."""
    return sum(letter.isalpha() for letter in word)


def is_ordinary(word: str) -> bool:
    """Whether a word is one of everyday English, and so names a day or a month in no other language."""
    return word in _ORDINARY


def _is_name(word: str) -> bool:
    """Whether a word of CLDR is more than a single letter or a figure, so that it is distinct from ordinary text."""
    return not word.isascii() or (count_letters(word) >= 3 and word not in _ORDINARY)


def make_pattern(words: Iterable[str]) -> re.Pattern[str] | None:
    """One pattern for all of them, the longest first; a word of letters does not end within another word."""
    ordered = sorted(words, key=len, reverse=True)
    if not ordered:
        return None
    alternatives = "|".join(re.escape(word).replace("\\ ", r"\s+") for word in ordered)
    return re.compile(rf"({alternatives})(?:(?<=[^\x00-\u2fff])|(?<=['-])|\.?(?![\w\u00c0-\u024f]|['.-]\w))")


def _bare(words: Mapping[str, Any]) -> dict[str, Any]:
    """The same words typed without accents, if they stay long enough to be distinct."""
    found: dict[str, Any] = {}
    for word, value in words.items():
        if word.isascii() or any(letter > "\u0451" for letter in word):
            continue
        bare = "".join(letter for letter in unicodedata.normalize("NFD", word) if not "\u0300" <= letter <= "\u036f")
        bare = word.replace("\u0451", "\u0435") if any(letter >= "\u0430" for letter in word) else bare
        bare = bare.translate(_BARE)
        if bare != word and count_letters(bare) >= 5 and bare not in _ORDINARY:
            found[bare] = value
    return found


# Letters that Unicode does not split into a plain one and an accent.
_BARE = str.maketrans({"\u0142": "l", "\u0111": "d", "\u0131": "i", "\u00f8": "o", "\u00df": "ss"})


@cache
def list_names(language: str) -> dict[str, dict[str, Any]]:
    """What words mean in one language alone, by kind."""
    cldr = load_cldr_words(language)
    is_tried = language == "en" or language in LANGUAGES
    found: dict[str, dict[str, Any]] = {}
    for kind in (*cldr, *_OWN["en"], WHEN):
        named = {} if is_tried and kind in (UNIT, AGO, BEFORE) else cldr.get(kind, {})
        named = {word: value for word, value in named.items() if language == "en" or kind in _COUNTED or _is_name(word)}
        words = load_inflected_words(language, kind) | named | load_own_words(language, kind)
        found[kind] = (_bare(words) if kind in _ACCENTED else {}) | words
    return found


_COUNTED = (UNIT, AGO, BEFORE)
_ACCENTED = (MONTH, WEEKDAY, DAY, VAGUE, WHEN)


@cache
def vocabulary(language: str) -> Vocabulary:
    """The words of a language (a BCP 47 tag) and of English; English alone if the language is unknown."""
    own = language.replace("_", "-").partition("-")[0].lower()
    own = _SAME.get(own, own)
    try:
        found = [list_names(code) for code in ([own, "en"] if own and own != "en" else ["en"])]
    except KeyError:
        own, found = "en", [list_names("en")]
    words: dict[str, dict[str, Any]] = {}
    # English comes last, so that it wins.
    for kinds in found:
        for kind, named in kinds.items():
            words.setdefault(kind, {}).update(named)
    # Evidence only, which `foreign` takes from `list_names`.
    del words[VAGUE]
    for word in {"am", "pm", *words[DAY]}:  # the clock knows the first two, and "morgen" alone is tomorrow
        words[PART].pop(word, None)
    flat = {kind: {_SPACES.sub(" ", word): value for word, value in found.items()} for kind, found in words.items()}
    patterns = {kind: pattern for kind, found in flat.items() if (pattern := make_pattern(found))}
    return Vocabulary(own or "en", flat, patterns)
