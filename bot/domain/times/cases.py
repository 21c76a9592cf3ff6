"""Words that CLDR lacks for further languages: days in their grammatical cases, and the small words around a time.

A table gives words by kind. `days` are seven words from Monday on, any number of times; "_" is a blank within a word.
Each is used alone and behind every word of `on`. `when` are weekdays in a form that can only say when. `vague` is only
evidence of a time and never read: "on fridays", "next friday", a part of the day joined to its weekday. Words of the
other kinds are separated by "|", and "/" separates a word from its meaning, as in the tables of `language`.
"""

from typing import Final

_GERMAN = "montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag"
_DUTCH = "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag"
_SWEDISH = "måndag tisdag onsdag torsdag fredag lördag söndag"
_DANISH = "mandag tirsdag onsdag torsdag fredag lørdag søndag"
_FINNISH = "maanantai tiistai keskiviikko torstai perjantai lauantai sunnuntai"


def _compounds(days: str, ends: str) -> str:
    return "|".join(f"{day}{end}" for day in days.split() for end in ends.split("|"))


INFLECTED: Final[dict[str, dict[str, str]]] = {
    "de": {
        "on": "am",
        "days": "montag dienstag mittwoch donnerstag freitag samstag sonntag",
        "vague": _compounds(_GERMAN, "s|abend|nachmittag|mittag|vormittag|morgen|früh|nacht|abends|morgens|nachmittags")
        + "|am wochenende",
    },
    "nl": {
        "on": "op",
        "days": _DUTCH,
        "vague": _compounds(_DUTCH, "s|avond|middag|ochtend|morgen|nacht|avonds|middags") + "|in het weekend",
    },
    "fr": {"vague": "avant hier|lundis|mardis|mercredis|jeudis|vendredis|samedis|dimanches"},
    "es": {
        "on": "el|el día",
        "days": "lunes martes miércoles jueves viernes sábado domingo",
        "vague": "antier|antes de ayer|antes de anoche|sábados|domingos",
        "day": "antier/2",
    },
    "pt": {
        "on": "na|no",
        "days": "segunda-feira terça-feira quarta-feira quinta-feira sexta-feira sábado domingo segunda terça quarta "
        "quinta sexta sábado domingo",
        "vague": "sábados|domingos|segundas-feiras|terças-feiras|quartas-feiras|quintas-feiras|sextas-feiras",
    },
    "it": {
        "vague": "avant'ieri",
        "day": "avantieri/2|l'altroieri/2",
    },
    "ru": {
        "on": "в|во",
        "days": "понедельник вторник среду четверг пятницу субботу воскресенье",
        "vague": "понедельника|вторника|среды|четверга|пятницы|субботы|воскресенья|понедельнику|вторнику|среде|четвергу"
        "|пятнице|субботе|воскресенью|понедельникам|вторникам|средам|четвергам|пятницам|субботам|воскресеньям|выходные"
        "|выходных|накануне",
        "part": "утром/morning|днём/afternoon|днем/afternoon|вечером/evening|ночью/night|в полночь/midnight"
        "|в полдень/noon",
        "at": "в|во|ровно в|примерно в",
        "from": "с|со|начиная с",
        "to": "до|по",
        "and": "и",
        "about": "около|примерно|приблизительно|где-то в|ближе к",
        "last": "в прошлый|в прошлую|в прошлое|прошлый|прошлую|прошлое|прошлой|прошлого",
        "next": "следующий|следующую|следующее",
        "filler": "в|во|на",
    },
    "uk": {
        "on": "в|у",
        "days": "понеділок вівторок середу четвер п'ятницю суботу неділю",
        "day": "вчора/1",
        "vague": "понеділка|вівторка|середи|четверга|п'ятниці|суботи|неділі|понеділкам|п'ятницям|суботам|вихідні"
        "|вихідних|напередодні",
        "part": "вранці/morning|зранку/morning|вдень/afternoon|увечері/evening|ввечері/evening|вночі/night|уночі/night"
        "|опівночі/midnight|опівдні/noon",
        "at": "о|об|в|у|рівно о|приблизно о",
        "from": "з|із|від",
        "to": "до|по",
        "and": "і|та",
        "about": "близько|приблизно|біля|десь о",
        "last": "минулого|минулої|минулий|минулу",
        "next": "наступного|наступної",
        "filler": "в|у|на",
    },
    "be": {
        "on": "у|ў",
        "days": "панядзелак аўторак сераду чацвер пятніцу суботу нядзелю",
        "at": "а|у|ў",
    },
    "pl": {
        "on": "w|we",
        "days": "poniedziałek wtorek środę czwartek piątek sobotę niedzielę",
        "vague": "poniedziałku|wtorku|środy|czwartku|piątku|soboty|niedzieli|piątki|weekend",
        "part": "nad ranem/night|nocą/night",
        "at": "o|o godz|o godzinie|godz|godzina",
        "from": "od",
        "to": "do",
        "about": "około|ok|koło|o około|około godziny|mniej więcej o",
        "last": "w zeszły|w zeszłą|zeszły|zeszłą|w ubiegły|w ubiegłą|ubiegły|ubiegłą|ostatni|ostatnią",
        "next": "następny|następną|przyszły|przyszłą",
        "filler": "w|we",
    },
    "cs": {
        "on": "v|ve",
        "days": "pondělí úterý středu čtvrtek pátek sobotu neděli",
        "vague": "pondělka|úterka|středy|čtvrtka|pátku|soboty|neděle|o víkendu|víkend",
        "part": "o půlnoci/midnight|v poledne/noon",
        "at": "v|ve|o|v čase|přesně v",
        "from": "od",
        "to": "do",
        "about": "kolem|okolo|asi v|asi ve|přibližně v|cca",
        "last": "minulé|minulý|minulou|v minulý|minulého",
        "next": "příští",
        "filler": "v|ve",
    },
    "sk": {
        "on": "v|vo",
        "days": "pondelok utorok stredu štvrtok piatok sobotu nedeľu",
        "vague": "pondelka|utorka|stredy|štvrtka|piatka|soboty|nedele|víkend",
        "part": "doobeda/morning|poobede/afternoon",
        "at": "o|presne o",
        "from": "od",
        "to": "do",
        "about": "okolo|asi o|približne o|cca",
        "last": "minulý|minulú|minulého",
        "next": "budúci|budúcu",
        "filler": "v|vo",
    },
    "hr": {
        "on": "u",
        "days": "ponedjeljak utorak srijedu četvrtak petak subotu nedjelju",
        "day": "sinoć/1",
        "vague": "ponedjeljka|utorka|srijede|četvrtka|petka|subote|nedjelje|petkom|subotom|nedjeljom|vikend|sinoć|noćas"
        "|jutros|večeras",
        "part": "poslijepodne/afternoon|u ponoć/midnight|u podne/noon",
        "at": "u|točno u",
        "from": "od",
        "to": "do",
        "about": "oko|otprilike u|negdje oko",
        "last": "prošli|prošlu|prošle|prošlog|u prošli|u prošlu",
        "next": "sljedeći|sljedeću",
    },
    "sr": {
        "on": "у",
        "days": "понедељак уторак среду четвртак петак суботу недељу",
        "vague": "понедељка|уторка|среде|четвртка|петка|суботе|недеље|синоћ|ноћас|јутрос|вечерас|викенд",
        "at": "у|тачно у",
        "from": "од",
        "to": "до",
        "about": "око|отприлике у",
        "last": "прошли|прошлу|прошле|прошлог",
        "next": "следећи|следећу",
    },
    "sr_Latn": {
        "on": "u",
        "days": "ponedeljak utorak sredu četvrtak petak subotu nedelju",
        "vague": "ponedeljka|utorka|srede|četvrtka|petka|subote|nedelje|sinoć|noćas|jutros|večeras|vikend|juce|jucer",
        "at": "u|tačno u",
        "from": "od",
        "to": "do",
        "about": "oko|otprilike u",
        "last": "prošli|prošlu|prošle|prošlog",
        "next": "sledeći|sledeću",
    },
    "sl": {
        "on": "v",
        "days": "ponedeljek torek sredo četrtek petek soboto nedeljo",
        "vague": "ponedeljka|torka|srede|četrtka|petka|sobote|nedelje|petkih|sobotah|nedeljah|sinoči|davi|nocoj|vikend"
        "|včerajšnji",
        "at": "ob|točno ob",
        "from": "od",
        "to": "do",
        "about": "okoli|okrog|približno ob",
        "last": "prejšnji|prejšnjo|pretekli|preteklo|minuli|minulo",
        "next": "naslednji|naslednjo",
    },
    "bg": {
        "on": "в|във",
        "days": "понеделник вторник сряда четвъртък петък събота неделя",
        "day": "завчера/2|оня ден/2",
        "vague": "понеделника|вторника|срядата|четвъртъка|петъка|съботата|неделята|снощи|тази нощ|уикенда",
        "part": "в полунощ/midnight",
        "at": "в|във|точно в",
        "from": "от",
        "to": "до",
        "about": "около|към|приблизително в",
        "last": "миналия|миналата|изминалия",
        "next": "следващия|следващата",
        "filler": "в|във|на",
    },
    "mk": {
        "on": "во",
        "days": "понеделник вторник среда четврток петок сабота недела",
        "vague": "синоќа|викендов",
        "at": "во",
    },
    "sv": {
        "days": f"{_SWEDISH} måndagen tisdagen onsdagen torsdagen fredagen lördagen söndagen",
        "when": "i_måndags i_tisdags i_onsdags i_torsdags i_fredags i_lördags i_söndags på_måndagen på_tisdagen "
        "på_onsdagen på_torsdagen på_fredagen på_lördagen på_söndagen",
        "day": "igår/1|idag/0|förrgår/2|häromdagen/2",
        "vague": _compounds(
            _SWEDISH, "s|ar|arna|skväll|smorgon|seftermiddag|snatt|smorse|kväll|morgon|eftermiddag|natt"
        )
        + "|igår kväll|häromdagen|i helgen|inatt|i natt|imorse|i morse|ikväll|i kväll|igår natt|i fjol",
        "part": "vid midnatt/midnight",
        "at": "kl|klockan|vid klockan|prick",
        "from": "från|sedan",
        "to": "till",
        "and": "och",
        "about": "runt|vid|cirka|ca|omkring|ungefär|runt kl|cirka kl|ungefär kl|vid kl",
        "last": "förra|senaste",
        "next": "nästa",
        "filler": "på|den",
    },
    "da": {
        "days": f"{_DANISH} mandagen tirsdagen onsdagen torsdagen fredagen lørdagen søndagen",
        "when": "i_mandags i_tirsdags i_onsdags i_torsdags i_fredags i_lørdags i_søndags",
        "day": "igår/1|idag/0|forgårs/2",
        "vague": _compounds(_DANISH, "s|e|aften|morgen|eftermiddag|nat") + "|i weekenden|i nat|inat|i morges|i aften",
        "part": "ved midnat/midnight",
        "at": "kl|klokken|præcis",
        "from": "fra|siden",
        "to": "til",
        "and": "og",
        "about": "omkring|cirka|ca|ved|omkring kl|cirka kl|ca kl",
        "last": "sidste|forrige",
        "next": "næste",
        "filler": "på|den",
    },
    "nb": {
        "days": f"{_DANISH} mandagen tirsdagen onsdagen torsdagen fredagen lørdagen søndagen",
        "day": "igår/1|idag/0|forgårs/2",
        "vague": _compounds(_DANISH, "s|er|kveld|morgen|ettermiddag|natt|skveld|smorgen")
        + "|i helgen|i natt|inatt|i morges|i kveld|måndag|laurdag|sundag",
        "part": "om morgenen/morning|om ettermiddagen/afternoon|om kvelden/evening|om natten/night"
        "|ved midnatt/midnight",
        "at": "kl|klokka|klokken|nøyaktig",
        "from": "fra|siden",
        "to": "til",
        "and": "og",
        "about": "rundt|omkring|cirka|ca|omtrent|rundt kl|cirka kl|ca kl|ved",
        "last": "sist|forrige|siste",
        "next": "neste",
        "filler": "på|den",
    },
    "is": {
        "days": "mánudaginn þriðjudaginn miðvikudaginn fimmtudaginn föstudaginn laugardaginn sunnudaginn",
        "when": "á_mánudaginn á_þriðjudaginn á_miðvikudaginn á_fimmtudaginn á_föstudaginn á_laugardaginn á_sunnudaginn",
        "at": "kl|klukkan",
        "last": "síðasta|síðastliðinn",
    },
    "fi": {
        "when": "maanantaina tiistaina keskiviikkona torstaina perjantaina lauantaina sunnuntaina",
        "day": "toissapäivänä/2",
        "vague": _compounds(_FINNISH, "n|sta|hin|sin|aamuna|iltana|-iltana|aamupäivänä|iltapäivänä|-iltapäivänä|yönä")
        + "|eilisiltana|eilisaamuna|viikonloppuna|viime yönä|eilisen|eilisestä",
        "at": "klo|kello|tasan|tasan klo",
        "from": "alkaen",
        "about": "noin|noin klo|suunnilleen|suunnilleen klo",
        "last": "viime|edellisenä",
        "next": "ensi|seuraavana",
    },
    "et": {
        "when": "esmaspäeval teisipäeval kolmapäeval neljapäeval reedel laupäeval pühapäeval",
        "vague": "esmaspäevast|teisipäevast|kolmapäevast|neljapäevast|reedest|laupäevast|pühapäevast|reedeti"
        "|reede õhtul|nädalavahetusel",
        "at": "kell|kella|täpselt kell",
        "about": "umbes|umbes kell|kella paiku",
        "last": "eelmisel|möödunud",
        "next": "järgmisel",
    },
    "hu": {
        "when": "hétfőn kedden szerdán csütörtökön pénteken szombaton vasárnap",
        "day": "ma/0",
        "vague": "hétfői|keddi|szerdai|csütörtöki|pénteki|szombati|vasárnapi|hétfőtől|péntektől|hétvégén|tegnapi"
        "|hétfőnként|péntekenként|szombatonként|vasárnaponként|péntekre|hétfőre",
        "part": "hajnalban/night|éjfélkor/midnight|délben/noon",
        "at": "pontban|pontosan",
        "about": "kb|körülbelül|nagyjából|úgy",
        "last": "múlt|előző|elmúlt",
        "next": "jövő|következő",
    },
    "tr": {
        "when": "pazartesi_günü salı_günü çarşamba_günü perşembe_günü cuma_günü cumartesi_günü pazar_günü",
        "day": "önceki gün/2|evvelki gün/2",
        "vague": "pazartesiden|salıdan|çarşambadan|perşembeden|cumadan|cumartesiden|pazardan|pazartesiye|cumaya"
        "|cumartesiye|cumaları|cumartesileri|pazarları|hafta sonu|haftasonu|dünkü|dün akşam|dün gece|dün sabah",
        "part": "sabahleyin/morning|akşamleyin/evening|öğlen/noon",
        "at": "saat|tam|tam saat",
        "about": "yaklaşık|yaklaşık saat|saat yaklaşık|civarı",
        "last": "geçen|geçtiğimiz",
        "next": "gelecek|önümüzdeki",
    },
    "lt": {
        "when": "pirmadienį antradienį trečiadienį ketvirtadienį penktadienį šeštadienį sekmadienį",
        "vague": "pirmadienio|antradienio|trečiadienio|ketvirtadienio|penktadienio|šeštadienio|sekmadienio"
        "|penktadieniais|savaitgalį|vakarykštis",
        "part": "ryte/morning|rytą/morning|po pietų/afternoon|vakare/evening|naktį/night|vidurnaktį/midnight"
        "|vidurdienį/noon",
        "at": "lygiai",
        "from": "nuo",
        "to": "iki",
        "about": "apie|maždaug",
        "last": "praeitą|praėjusį",
        "next": "kitą",
    },
    "lv": {
        "when": "pirmdien otrdien trešdien ceturtdien piektdien sestdien svētdien pirmdienā otrdienā trešdienā "
        "ceturtdienā piektdienā sestdienā svētdienā",
        "vague": "pirmdienas|otrdienas|trešdienas|ceturtdienas|piektdienas|sestdienas|svētdienas|nedēļas nogalē",
        "at": "plkst|pulksten",
        "from": "no",
        "to": "līdz",
        "about": "ap|apmēram|aptuveni|ap plkst",
        "last": "pagājušo|pagājušajā",
        "next": "nākamo|nākamajā",
    },
    "el": {
        "on": "τη|την|το",
        "days": "δευτέρα τρίτη τετάρτη πέμπτη παρασκευή σάββατο κυριακή",
        "day": "χτες/1|εχθές/1|εχτές/1|προχτές/2",
        "vague": "δευτέρας|τρίτης|τετάρτης|πέμπτης|παρασκευής|σαββάτου|κυριακής|δευτέρες|παρασκευές|σάββατα|κυριακές"
        "|σαββατοκύριακο|απόψε|χθεσινό|χθεσινή",
        "part": "τη νύχτα/night|τα μεσάνυχτα/midnight",
        "at": "στις|στη|στην|ώρα",
        "from": "από τις|από",
        "to": "έως τις|έως|μέχρι τις|μέχρι|ως τις",
        "about": "περίπου στις|γύρω στις|κατά τις|περίπου",
        "last": "την προηγούμενη|το προηγούμενο|προηγούμενη|περασμένη|την περασμένη|το περασμένο",
        "next": "επόμενη|την επόμενη|το επόμενο",
        "filler": "το|τη|την",
    },
    "ro": {
        "day": "astăzi/0",
        "vague": "lunea|marțea|miercurea|joia|vinerea|sâmbăta|duminica|marţi|sâmbătă|aseară|astă-noapte|azi-noapte"
        "|diseară|weekendul|lunii",
        "part": "dimineață/morning|după-amiază/afternoon|după amiază/afternoon|la prânz/noon",
        "at": "la|la ora|ora|la orele",
        "from": "de la|din",
        "to": "la|până la",
        "about": "pe la|în jurul orei|aproximativ la|circa",
        "last": "trecut|trecută",
        "next": "viitor|viitoare",
    },
    "ca": {
        "on": "el",
        "days": "dilluns dimarts dimecres dijous divendres dissabte diumenge",
        "day": "abans d'ahir/2|despús-ahir/2",
        "vague": "anit|aquesta nit|ahir a la nit|el cap de setmana",
        "part": "al matí/morning|del matí/morning|a la tarda/afternoon|de la tarda/afternoon|al vespre/evening"
        "|del vespre/evening|a la nit/night|de la nit/night",
        "at": "a les|a la|les",
        "from": "des de les|de les",
        "to": "a les|fins a les",
        "about": "cap a les|al voltant de les|aproximadament a les|sobre les",
        "last": "passat|passada",
    },
    "gl": {"at": "ás"},
    "he": {
        "on": "יום|ביום",
        "days": "שני שלישי רביעי חמישי שישי שבת ראשון",
        "when": "ביום_שני ביום_שלישי ביום_רביעי ביום_חמישי ביום_שישי בשבת ביום_ראשון",
        "vague": "אמש|הלילה|הבוקר|בסוף השבוע",
        "at": "בשעה|ב-|ב",
        "about": "בסביבות|בערך ב-|לקראת",
    },
    "ar": {
        "on": "يوم|في يوم",
        "days": "الاثنين الثلاثاء الأربعاء الخميس الجمعة السبت الأحد",
        "day": "امس/1|بالأمس/1|أول من أمس/2",
        "vague": "البارحة|الليلة|الليلة الماضية|مبارح|امبارح",
        "at": "الساعة|في الساعة|عند الساعة|في تمام الساعة",
        "about": "حوالي الساعة|حوالي|قرابة الساعة",
        "last": "الماضي|الماضية",
    },
    "fa": {
        "on": "روز",
        "days": "دوشنبه سه‌شنبه چهارشنبه پنجشنبه جمعه شنبه یکشنبه",
        "vague": "دیشب|امشب|پنج‌شنبه|سه شنبه",
        "at": "ساعت|در ساعت",
    },
    "hi": {
        "when": "सोमवार_को मंगलवार_को बुधवार_को गुरुवार_को शुक्रवार_को शनिवार_को रविवार_को",
        "day": "कल/1|परसों/2",
        "vague": "बीते कल|कल रात|आज रात",
    },
    "id": {
        "on": "hari|pada hari|pada",
        "days": "senin selasa rabu kamis jumat sabtu minggu",
        "day": "kemarin lusa/2",
        "vague": "tadi malam|semalam|tadi pagi|tadi siang|tadi sore|jum'at|akhir pekan",
        "at": "jam|pukul|pkl|pk|tepat pukul",
        "from": "dari|sejak|mulai",
        "to": "sampai|hingga",
        "about": "sekitar|sekitar jam|sekitar pukul|kira-kira",
        "last": "lalu|kemarin",
    },
    "ms": {
        "on": "hari|pada hari",
        "days": "isnin selasa rabu khamis jumaat sabtu ahad",
        "at": "jam|pukul",
    },
    "vi": {
        "on": "vào|hôm|vào hôm",
        "days": "thứ_hai thứ_ba thứ_tư thứ_năm thứ_sáu thứ_bảy chủ_nhật thứ_2 thứ_3 thứ_4 thứ_5 thứ_6 thứ_7 chủ_nhật",
        "vague": "tối qua|đêm qua|sáng qua|chiều qua|sáng nay|chiều nay|tối nay|cuối tuần",
        "part": "buổi sáng/morning|buổi chiều/afternoon|buổi tối/evening",
        "at": "lúc|vào lúc",
        "from": "từ",
        "to": "đến",
        "about": "khoảng|lúc khoảng|tầm",
        "last": "trước|tuần trước",
    },
    "ko": {
        "day": "그제/2|엊그제/2",
        "vague": "어젯밤|어제밤|지난밤|오늘밤|주말",
        "about": "약|대략",
    },
    "zh": {
        "days": "週一 週二 週三 週四 週五 週六 週日 礼拜一 礼拜二 礼拜三 礼拜四 礼拜五 礼拜六 礼拜天 "
        "禮拜一 禮拜二 禮拜三 禮拜四 禮拜五 禮拜六 禮拜天 星期一 星期二 星期三 星期四 星期五 星期六 星期天 "
        "周一 周二 周三 周四 周五 周六 周天",
        "day": "昨日/1|今日/0|前日/2",
        "vague": "昨晚|昨夜|今晚|今早|今晨|周末|週末|上週|次日|翌日",
        "about": "大约|大約|约|約",
    },
    "th": {
        "at": "เวลา",
        "vague": "เมื่อคืน|เมื่อคืนนี้|เมื่อเช้า",
        "day": "เมื่อวานนี้/1",
        "about": "ประมาณ",
    },
    "ja": {"vague": "昨晩|翌日|今晩|夕べ|ゆうべ|きのう"},
}
"""By a BCP 47 tag."""
