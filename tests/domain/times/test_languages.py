"""People write the words around a time in the language of their Slack profile."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.domain.times import Reading, read
from bot.domain.times.language import DAY, LANGUAGES, OTHERS, WEEKDAY, load_cldr_words, load_inflected_words

NOW = datetime(2026, 3, 5, 17, 30, tzinfo=UTC)  # a Thursday


def line(text: str, language: str, zone: str) -> Reading:
    return read(text, NOW, ZoneInfo(zone), language=language)


def describe(found: Reading) -> str:
    assert found.utc is not None, found
    end = f" {found.end_utc:%H:%M}" if found.end_utc else ""
    return f"{'~' if found.approximate else ''}{found.utc:%m-%d %H:%M}{end}"


GERMAN = [
    ("gestern um 22:15 Ausfall", "03-04 21:15"),
    ("22:15 gestern Ausfall", "03-04 21:15"),
    ("gestern Abend um 9:45 Uhr Ausfall", "03-04 20:45"),
    ("heute fr\u00fch 6:10 Ausfall", "03-05 05:10"),
    ("vorgestern um 14:05 Uhr Ausfall", "03-03 13:05"),
    ("gegen 6 Uhr Ausfall", "~03-05 05:00"),
    ("05.03. gegen 14 Uhr Ausfall", "~03-05 13:00"),
    ("13.02. ab 22:00 Uhr Ausfall", "02-13 21:00"),
    ("4. M\u00e4rz 2026 14:05 Ausfall", "03-04 13:05"),
    ("Mittwoch, 04.03.2026 um 14:05 Uhr Ausfall", "03-04 13:05"),
    ("zwischen 10:00 und 11:00 Uhr Ausfall", "03-05 09:00 10:00"),
    ("von 16:00 bis 18:00 Uhr Ausfall", "03-05 15:00 17:00"),
    ("vor 10 Minuten Ausfall", "03-05 17:20"),
    ("9 Uhr abends Ausfall", "03-04 20:00"),
    ("letzten Freitag 14:05 Ausfall", "02-27 13:05"),
    ("14:05 MEZ Ausfall", "03-05 13:05"),
    ("Mitternacht Ausfall", "03-04 23:00"),
]
FRENCH = [
    ("samedi vers 13h panne", "~02-28 12:00"),
    ("hier \u00e0 22h15 panne", "03-04 21:15"),
    ("22:15 hier panne", "03-04 21:15"),
    ("aujourd'hui \u00e0 13h, panne", "03-05 12:00"),
    ("31 Ao\u00fbt 2025 @ 08:50 panne", "08-31 06:50"),
    ("f\u00e9vr. 13 09:44:27 panne", "02-13 08:44"),
    ("de 10h \u00e0 11h30 panne", "03-05 09:00 10:30"),
    ("entre 10h et 11h panne", "03-05 09:00 10:00"),
    ("9h du soir panne", "03-04 20:00"),
    ("3 heures du matin panne", "03-05 02:00"),
    ("hier soir \u00e0 21h45 panne", "03-04 20:45"),
    ("il y a 10 minutes panne", "03-05 17:20"),
    ("2:05 de l'apr\u00e8s-midi panne", "03-05 13:05"),
]
SPANISH = [
    ("ayer a las 22:15 ca\u00edda", "03-04 21:15"),
    ("22:15 ayer ca\u00edda", "03-04 21:15"),
    ("21:30 hrs ca\u00edda", "03-04 20:30"),
    ("2:05 de la tarde ca\u00edda", "03-05 13:05"),
    ("2:05 p. m. ca\u00edda", "03-05 13:05"),
    ("el 3 de marzo a las 14:05 ca\u00edda", "03-03 13:05"),
    ("el lunes a las 9:00 ca\u00edda", "03-02 08:00"),
    ("anoche a las 11:30 ca\u00edda", "03-04 22:30"),
    ("desde las 10:00 hasta las 11:00 ca\u00edda", "03-05 09:00 10:00"),
    ("hace 10 minutos ca\u00edda", "03-05 17:20"),
    ("20:00 (hora Santiago) ca\u00edda", "03-04 23:00"),
]
PORTUGUESE = [
    ("ontem \u00e0s 22:15 queda", "03-04 22:15"),
    ("22:15 ontem queda", "03-04 22:15"),
    ("3 de mar\u00e7o \u00e0s 14:05 queda", "03-03 14:05"),
    ("segunda-feira \u00e0s 9:00 queda", "03-02 09:00"),
    ("ontem \u00e0 noite \u00e0s 9:45 queda", "03-04 21:45"),
    ("das 10:00 \u00e0s 11:00 queda", "03-05 10:00 11:00"),
    ("2:05 da tarde queda", "03-05 14:05"),
    ("h\u00e1 10 minutos queda", "03-05 17:20"),
]
DUTCH = [
    ("rond 09.00 uur storing", "~03-05 08:00"),
    ("gisteren om 22:15 storing", "03-04 21:15"),
    ("gisteravond om 9:45 storing", "03-04 20:45"),
    ("9:45 's avonds storing", "03-04 20:45"),
    ("van 10:00 tot 11:00 storing", "03-05 09:00 10:00"),
    ("10 minuten geleden storing", "03-05 17:20"),
    ("3 maart 14:05 storing", "03-03 13:05"),
]
ITALIAN = [
    ("ieri alle 22:15 guasto", "03-04 21:15"),
    ("ieri sera alle 9:45 guasto", "03-04 20:45"),
    ("luned\u00ec alle 9:00 guasto", "03-02 08:00"),
    ("tra le 10:00 e le 11:00 guasto", "03-05 09:00 10:00"),
    ("10 minuti fa guasto", "03-05 17:20"),
    ("2:05 del pomeriggio guasto", "03-05 13:05"),
]
JAPANESE = [
    ("3\u67084\u65e5\u306e20\u6642\u306b\u969c\u5bb3", "03-04 11:00"),
    ("\u5348\u5f8c1\u664237\u5206 \u969c\u5bb3", "03-05 04:37"),
    ("\u6628\u65e5 22:15 \u969c\u5bb3", "03-05 13:15"),
    ("10\u5206\u524d \u969c\u5bb3", "03-05 17:20"),
    ("2025\u5e7410\u670824\u65e5 16:37 JST\u9803 \u969c\u5bb3", "~10-24 07:37"),
]
RUSSIAN = [
    ("14:05 в пятницу сбой", "02-27 11:05"),
    ("14:05 в среду сбой", "03-04 11:05"),
    ("в субботу в 14:05 сбой", "02-28 11:05"),
    ("вчера в 14:05 сбой", "03-04 11:05"),
    ("14:05 в прошлую пятницу сбой", "02-27 11:05"),
    ("9:45 вечера сбой", "03-04 18:45"),
    ("14:05 2 дня назад сбой", "03-03 11:05"),
    ("14:05 мск сбой", "03-05 11:05"),
]
UKRAINIAN = [
    ("14:05 у п'ятницю збій", "02-27 12:05"),
    ("14:05 у середу збій", "03-04 12:05"),
    ("в суботу о 14:05 збій", "02-28 12:05"),
    ("14:05 у неділю збій", "03-01 12:05"),
    ("вчора о 14:05 збій", "03-04 12:05"),
    ("14:05 за київським часом збій", "03-05 12:05"),
]
POLISH = [
    ("14:05 w środę awaria", "03-04 13:05"),
    ("14:05 w srode awaria", "03-04 13:05"),
    ("we wtorek o 14:05 awaria", "03-03 13:05"),
    ("w niedzielę o 14:05 awaria", "03-01 13:05"),
    ("wczoraj o 14:05 awaria", "03-04 13:05"),
    ("14:05 w zeszły piątek awaria", "02-27 13:05"),
    ("10 minut temu awaria", "03-05 17:20"),
]
CZECH = [
    ("14:05 ve středu výpadek", "03-04 13:05"),
    ("včera ve 14:05 výpadek", "03-04 13:05"),
    ("v neděli ve 14:05 výpadek", "03-01 13:05"),
    ("14:05 SEČ výpadek", "03-05 13:05"),
    ("14:05 před 2 dny výpadek", "03-03 13:05"),
]
FINNISH = [
    ("14:05 maanantaina katkos", "03-02 12:05"),
    ("perjantaina klo 14.05 katkos", "02-27 12:05"),
    ("eilen 14:05 katkos", "03-04 12:05"),
    ("eilen klo 14:05 katkos", "03-04 12:05"),
]
HUNGARIAN = [
    ("14:05 pénteken hiba", "02-27 13:05"),
    ("hétfőn 14:05-kor hiba", "03-02 13:05"),
    ("tegnap 14:05 hiba", "03-04 13:05"),
    ("március 4-én 14:05-kor hiba", "03-04 13:05"),
]
TURKISH = [
    ("14:05 cuma günü kesinti", "02-27 11:05"),
    ("dün 14:05 kesinti", "03-04 11:05"),
    ("dün saat 14:05'te kesinti", "03-04 11:05"),
]
SWEDISH = [
    ("igår 14:05 avbrott", "03-04 13:05"),
    ("14:05 i fredags avbrott", "02-27 13:05"),
    ("i går kl. 14.05 avbrott", "03-04 13:05"),
]
SEVERAL = {
    ("sk", "Europe/Bratislava"): [("14:05 v stredu výpadok", "03-04 13:05")],
    ("hr", "Europe/Zagreb"): [("14:05 u srijedu pad", "03-04 13:05")],
    ("sr", "Europe/Belgrade"): [("juče u 14:05 pad", "03-04 13:05")],
    ("sl", "Europe/Ljubljana"): [("14:05 v sredo izpad", "03-04 13:05")],
    ("bg", "Europe/Sofia"): [("14:05 във вторник срив", "03-03 12:05")],
    ("et", "Europe/Tallinn"): [("14:05 reedel rike", "02-27 12:05")],
    ("lt", "Europe/Vilnius"): [("14:05 penktadienį gedimas", "02-27 12:05")],
    ("lv", "Europe/Riga"): [("vakar plkst. 14:05 kļūme", "03-04 12:05")],
    ("el", "Europe/Athens"): [("14:05 την Παρασκευή βλάβη", "02-27 12:05")],
    ("da", "Europe/Copenhagen"): [("14:05 i fredags fejl", "02-27 13:05")],
    ("no", "Europe/Oslo"): [("i går kl. 14:05 feil", "03-04 13:05")],
    ("ro", "Europe/Bucharest"): [("ieri la 14:05 avarie", "03-04 12:05")],
    ("he", "Asia/Jerusalem"): [("14:05 ביום שישי תקלה", "02-27 12:05")],
    ("ko", "Asia/Seoul"): [("3월 4일 14:05 장애", "03-04 05:05")],
    ("zh-CN", "Asia/Shanghai"): [("昨天14:05 故障", "03-05 06:05")],
    ("vi", "Asia/Ho_Chi_Minh"): [("14:05 hôm qua lỗi", "03-05 07:05")],
}
LINES = {
    ("ru-RU", "Europe/Moscow"): RUSSIAN,
    ("uk-UA", "Europe/Kyiv"): UKRAINIAN,
    ("pl-PL", "Europe/Warsaw"): POLISH,
    ("cs-CZ", "Europe/Prague"): CZECH,
    ("fi-FI", "Europe/Helsinki"): FINNISH,
    ("hu-HU", "Europe/Budapest"): HUNGARIAN,
    ("tr-TR", "Europe/Istanbul"): TURKISH,
    ("sv-SE", "Europe/Stockholm"): SWEDISH,
    **SEVERAL,
    ("de-DE", "Europe/Berlin"): GERMAN,
    ("fr-FR", "Europe/Paris"): FRENCH,
    ("es-ES", "Europe/Madrid"): SPANISH,
    ("pt-PT", "Europe/Lisbon"): PORTUGUESE,
    ("nl-NL", "Europe/Amsterdam"): DUTCH,
    ("it-IT", "Europe/Rome"): ITALIAN,
    ("ja-JP", "Asia/Tokyo"): JAPANESE,
}
ALL = [(*author, *one) for author, lines in LINES.items() for one in lines]


@pytest.mark.parametrize(("language", "zone", "text", "expected"), ALL)
def test_a_line_in_the_authors_own_language_is_read(language: str, zone: str, text: str, expected: str) -> None:
    assert describe(line(text, language, zone)) == expected


@pytest.mark.parametrize(("language", "zone", "text", "expected"), ALL)
def test_the_same_line_of_somebody_with_another_language_is_never_silently_wrong(
    language: str, zone: str, text: str, expected: str
) -> None:
    right = line(text, language, zone).utc
    for other in ("en", "xx-XX", ""):
        found = line(text, other, zone)
        assert found.utc in (None, right)
        if found.utc is None and any(mark in text for mark in (":", "Uhr", "uur", "\u6642")):
            assert right in (found.question or found.offer or ())


@pytest.mark.parametrize("language", ["en", *(language for language, _ in LINES)])
@pytest.mark.parametrize(
    "text",
    """10:05 failed over | yesterday 23:50 failed over | friday 10:00 failed over | Mar 3 10:05 failed over
    10 min ago failed over | 2:05pm failed over | 9:45 this morning failed over | last night 23:50 failed over
    14:05 UTC on 3 March 2026 failed over | noon failed over | between 9:05 and 9:20 failed over | may fail
    2 of 3 nodes | die Rolle 12 | the art of 10""".replace("\n", " | ").split(" | "),
)
def test_english_means_the_same_in_every_language(language: str, text: str) -> None:
    english = line(text.strip(), "en", "Europe/Berlin")
    found = line(text.strip(), language, "Europe/Berlin")
    assert (found.utc, found.end_utc, found.question, found.text) == (
        english.utc, english.end_utc, english.question, english.text
    )  # fmt: skip


ELSEWHERE = """14:05 freitags Ausfall | 14:05 Freitagabend Ausfall | 14:05 letzte Woche Ausfall | 14:05 vrijdags storing
    14:05 på fredag falt | 14:05 на прошлой неделе сбой | 14:05 в ночь на субботу сбой | 14:05 неделю назад сбой
    14:05 dwa dni temu awaria | 14:05 twee dagen geleden storing | 14:05 due giorni fa guasto | 14:05 5 мая сбой
    14:05 na sexta-feira caiu | 14:05 il y a 2 jours panne | 14:05 lokal tid feil | 14:05 heure locale panne
    14:05 czasu lokalnego awaria | 14:05 по местному времени сбой | 14:05 по Москве сбой | 14:05 по Киеву сбой
    14:05 perjantai-iltana katkos | 14:05 vinerea avarie | 14:05 waktu Jakarta mati""".replace("\n", " | ").split(" | ")


@pytest.mark.parametrize("text", [text.strip() for text in ELSEWHERE])
def test_what_tells_of_another_time_in_any_language_makes_it_a_question(text: str) -> None:
    found = line(text, "en", "Europe/Berlin")
    assert found.utc is None
    assert found.question


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
@pytest.mark.parametrize(
    "text",
    ["14:05 мск сбой", "14:05 МСК сбой", "МСК 14:05 сбой", "14:05 (мск) сбой", "14:05 по московскому времени сбой"],
)
def test_the_time_of_moscow_is_read_in_its_own_letters(text: str, zone: str) -> None:
    assert describe(line(text, "en", zone)) == "03-05 11:05"


@pytest.mark.parametrize("language", [*LANGUAGES, *OTHERS])
def test_the_words_of_a_language_mean_the_same_in_the_unicode_cldr_and_in_the_own_tables(language: str) -> None:
    for kind in (WEEKDAY, DAY):
        own, cldr = load_inflected_words(language, kind), load_cldr_words(language)[kind]
        assert {word: own[word] for word in own.keys() & cldr.keys()} == {
            word: cldr[word] for word in own.keys() & cldr.keys()
        }
    days = set(load_inflected_words(language, WEEKDAY).values())
    assert days in (set(), set(range(7)))
