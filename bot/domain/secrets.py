"""Finds what looks like a credential in a text, and removes it.

A match is a reason to warn, never to refuse: the entry is recorded first (decision 10). Token formats are those that
their issuers document; an unmarked token (a hash, an id, a commit) is assumed to be harmless, as most are. A location
names a credential's place without its words, so that a button can carry it.
"""

import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

REDACTED = "[redacted]"
"""Replaces a credential. The append-only history lets a wording change only to one that holds this."""

MASK = "•••••"
"""Is shown for a credential that is still in the record."""


@dataclass(frozen=True, slots=True)
class SecretSpan:
    """The place of a credential in a text, and what it looks like, with its article (`a password`)."""

    start: int
    end: int
    kind: str


# Every pattern below needs one of these, so that ordinary words cost one look.
_HINTS = (
    ":// pass pwd secret token key credential bearer basic curl akia asia xox xapp- xwfp- ghp_ gho_ ghu_ ghs_ ghr_"
    " _pat_ gl k_live_ k_test_ k_prod_ whsec_ sk- aiza gocspx- ya29. eyj sg. npm_ pypi- hvs. hvb. hvr. _v1_ atatt3"
    " nrak- shpat_ shpca_ shppa_ shpss_ lin_api_ sig :aa hooks.slack"
).split()

# Each begins with its own mark and takes the whole run after it, so that no character is looked at twice.
_ISSUED = {
    "an AWS key": r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b",
    "a Slack token": r"\b(?:xox[a-z]|xapp|xwfp)-[A-Za-z0-9-]{10,}|\bxoxe\.xox[a-z]-[A-Za-z0-9-]{10,}",
    "a Slack webhook": r"(?<=hooks\.slack\.com/)(?:services|workflows|triggers)/[A-Za-z0-9/_+-]{20,}",
    "a GitHub token": r"\bgh[pousr]_[A-Za-z0-9]{36,}|\bgithub_pat_\w{22,}",
    "a GitLab token": r"\bgl(?:pat|dt|rt|rtr|soat|cbt|ptt|ft|imt|agent|oas|ffct)-[\w-]{20,}(?:\.[\w.-]{2,})?",
    "a Grafana token": r"\b(?:glsa|glc)_[A-Za-z0-9_+/=]{30,}",
    "a Stripe key": r"\b[sr]k_(?:live|test|prod)_[A-Za-z0-9]{10,}|\bwhsec_[A-Za-z0-9+/=]{20,}",
    "a Google key": r"\bAIza[\w-]{35}|\bGOCSPX-[\w-]{20,}|\bya29\.[\w-]{20,}",
    "an AI provider's key": r"\bsk-(?:proj|svcacct|admin|ant-[a-z0-9]{2,10})-[\w-]{20,}|\bsk-[A-Za-z0-9]{32,}",
    "a signed token (JWT)": r"(?<![\w-])eyJ[\w-]{5,}\.eyJ[\w-]{5,}\.[\w-]*",
    "a SendGrid key": r"\bSG\.[\w-]{16,32}\.[\w-]{16,}",
    "a package registry's token": r"\bnpm_[A-Za-z0-9]{36,}|\bpypi-[\w-]{50,}|\bdckr_[a-z]{2,4}_[\w-]{20,}",
    "a Vault token": r"\bhv[sbr]\.[\w-]{20,}",
    "a cloud provider's token": r"\bdo[opr]_v1_[0-9a-f]{64}\b",
    "an Atlassian token": r"\bATATT3[\w=-]{50,}",
    "a service's token": r"\bNRAK-[A-Z0-9]{27}\b|\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}\b|\blin_api_[A-Za-z0-9]{32,}",
    "a Telegram bot's token": r"\b\d{8,10}:AA[\w-]{33}",
    "a signed link": r"(?<=[?&]sig=)[\w%+/=-]{20,}|(?<=[?&]X-Amz-Signature=)[0-9a-f]{64}",
    "a private key": (
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:"
        r"(?:[\w+/=\s\\:,.()]|-(?!----))++-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
        r"|(?:\s|\\[nr])*(?:[\w+/=\\]{16,}+\s*+)++)"
    ),
}
_ISSUED_PATTERNS = tuple((kind, re.compile(pattern)) for kind, pattern in _ISSUED.items())

_PASSWORD, _TOKEN = "a password", "a secret"
_VALUE = r"[\"'`]?(?P<value>[^\s\"'`]{6,512})"
# A value given to a name like "password". The value decides: see `_is_credential`.
_NAMED = (
    (
        _PASSWORD,
        re.compile(
            r"(?:passw(?:or[dt]|d)|passphrase|pwd|(?<![a-z0-9])pass(?![a-z]))(?P<more>[a-z0-9_]{0,30})[\"'`]?"
            rf"(?P<sign>\s{{0,3}}(?::=|=>|=|:)\s{{0,3}}|\s{{1,3}}is\s{{1,3}}){_VALUE}",
            re.IGNORECASE,
        ),
    ),
    (
        _TOKEN,
        re.compile(
            r"(?:secret|token|credentials?|(?:api|access|auth|account|private|secret|signing|encryption)[_ -]?key)"
            rf"(?P<more>[a-z0-9_]{{0,30}})[\"'`]?(?P<sign>\s{{0,3}}(?::=|=>|=|:)\s{{0,3}}|\s{{1,3}}is\s{{1,3}}){_VALUE}",
            re.IGNORECASE,
        ),
    ),
    (
        _PASSWORD,
        re.compile(r"--[a-z-]{0,30}(?:password|passphrase)(?P<more>)(?P<sign>\s{1,3})" + _VALUE, re.IGNORECASE),
    ),
    (
        _TOKEN,
        re.compile(r"--[a-z-]{0,30}(?:token|secret|api-?key)(?P<more>)(?P<sign>\s{1,3})" + _VALUE, re.IGNORECASE),
    ),
    (
        _TOKEN,
        re.compile(r"\b(?:bearer|basic)(?P<more>)(?P<sign>\s{1,3})(?P<value>[\w.~+/=-]{16,})", re.IGNORECASE),
    ),
    (_PASSWORD, re.compile(r"(?P<more>)(?P<sign>://[^\s/:@?#]*:)(?P<value>[^\s/@]+)(?=@)")),
    (_PASSWORD, re.compile(r"\bcurl\b(?P<more>)(?P<sign>[^\n]{0,200}?\s(?:-u|--user)[\s=]\S{1,64}?:)" + _VALUE)),
)
_AFTER_NAME = re.compile(r"_?(?:id|ids|name|names|count|ttl|version|url|uri|file|path|arn|type|policy|length|age)$")
_STAND_IN = re.compile(r"[$<{\[%*•.(]|https?:|x{4,}|(?:your|example|redacted|null|none|true|false)\b", re.IGNORECASE)
# Names as people and programs build them: words, at most numbered, joined by signs (`payments-db-v2`, `prod/db#user`).
_NAME = re.compile(r"[A-Za-z]*+\d{0,3}+(?:[-_./:@#][A-Za-z]*+\d{0,3}+)*+")
_STAMP = re.compile(r"[\d:.,TZ+/-]+")
_UNBROKEN = re.compile(r"[^\s\"'`]+")
_SAID_OF_PASSWORDS = frozenset(
    "incorrect invalid missing expired changed rotated required wrong reset revoked leaked unset empty unknown "
    "updated correct password passwort secret".split()
)


def find_credentials(text: str) -> tuple[SecretSpan, ...]:
    """Every credential in a text, in order, none overlapping. A text without any costs microseconds."""
    lowered = text.lower()
    for hint in _HINTS:
        if hint in lowered:
            break
    else:
        return ()
    spans: list[SecretSpan] = []
    for span in sorted((*_find_issued(text), *_find_named(text)), key=lambda span: (span.start, -span.end)):
        # Two patterns may find the same one; what either found is taken out.
        if spans and span.start < spans[-1].end:
            before = spans[-1]
            spans[-1] = SecretSpan(before.start, max(before.end, span.end), before.kind)
        else:
            spans.append(span)
    return tuple(spans)


def replace_spans(text: str, spans: Iterable[SecretSpan], by: str = REDACTED) -> str:
    """The text with each of the spans, which are in order, replaced."""
    pieces: list[str] = []
    done = 0
    for span in spans:
        pieces += (text[done : span.start], by)
        done = span.end
    return "".join((*pieces, text[done:]))


def mask_credentials(text: str) -> str:
    """The text as it is shown to more than its author: credentials are masked."""
    spans = find_credentials(text)
    return replace_spans(text, spans, MASK) if spans else text


def redact_values(text: str, known: Iterable[str]) -> str:
    """The text with every occurrence of the known credentials redacted."""
    # The longest first: a shorter one may be a part of it, and would leave the rest.
    for value in sorted(known, key=len, reverse=True):
        text = text.replace(value, REDACTED)
    return text


QUOTES = {'"': '"', "“": "”", "„": "“", "«": "»", "'": "'", "‘": "’", "`": "`"}
FEWEST = 3
"""Characters of the shortest words that can be redacted: shorter ones are a part of too many others."""


def read_quoted(typed: str) -> str:
    """The words between the quotation marks that a person typed; empty if there are none around all of it."""
    typed = typed.strip()
    inner = typed[1:-1].strip()
    closing = {QUOTES.get(typed[:1], ""), '"', "”"} if typed[:1] in QUOTES else set()
    return inner if len(typed) > 2 and typed[-1] in closing else ""


def find_words(texts: Iterable[str], words: str) -> frozenset[str]:
    """The words as each text has them, in whatever case."""
    pattern = re.compile(re.escape(words), re.IGNORECASE)
    return frozenset(match.group() for text in texts for match in pattern.finditer(text))


def is_redactable(words: str) -> bool:
    """Whether words are long enough, and no part of the mark that would replace them."""
    return len(words) >= FEWEST and words.lower() not in REDACTED


def has_remainder(text: str, value: str) -> bool:
    """Whether a text that was cleaned still shows words, cut by an ellipsis or with other signs between them."""
    squashed = re.sub(r"[\W_]", "", value).lower()
    if squashed and squashed in re.sub(r"[\W_]", "", text).lower():
        return True
    return "…" in text and len(value) > LEAST and _has_beginning(text, value)


def _has_beginning(text: str, value: str) -> bool:
    """Whether an ellipsis in the text follows the beginning of the words, by Knuth, Morris and Pratt in one pass."""
    borders = _list_borders(value)
    matched = 0
    for letter in text:
        if matched == len(value):
            matched = borders[-1]
        if letter == "…" and matched >= LEAST:
            return True
        while matched and value[matched] != letter:
            matched = borders[matched - 1]
        matched += value[matched] == letter
    return False


def _list_borders(value: str) -> list[int]:
    """For each end within the words, how long a beginning of them stands before it, other than the whole."""
    borders = [0]
    for letter in value[1:]:
        length = borders[-1]
        while length and value[length] != letter:
            length = borders[length - 1]
        borders.append(length + (value[length] == letter))
    return borders


def redact(text: str, known: Iterable[str] = ()) -> str:
    """The text without its credentials, known ones and those that look like one."""
    text = redact_values(text, known)
    # One that follows another directly is seen only once that one is gone; each round leaves fewer.
    while spans := find_credentials(text):
        shorter = replace_spans(text, spans)
        if shorter == text:
            break
        text = shorter
    return text


def list_values(text: str) -> frozenset[str]:
    """The credentials themselves, including those that show only once an adjacent one is gone."""
    known: frozenset[str] = frozenset()
    while more := {text[span.start : span.end] for span in find_credentials(text)}:
        known |= more
        shorter = redact_values(text, more)
        if shorter == text:
            break
        text = shorter
    return known


def _find_issued(text: str) -> Iterator[SecretSpan]:
    for kind, pattern in _ISSUED_PATTERNS:
        yield from (SecretSpan(*match.span(), kind) for match in pattern.finditer(text))


def _find_named(text: str) -> Iterator[SecretSpan]:
    for kind, pattern in _NAMED:
        match = pattern.search(text)
        while match is not None:
            at = match.start("value")
            if _is_credential(match, kind):
                rest = _UNBROKEN.match(text, at) if "://" not in match["sign"] else None
                at = rest.end() if rest else match.end("value")
                yield SecretSpan(match.start("value"), at, kind)
            # A value that is no credential may itself be such a name ("token: password=…"), so it is searched too.
            match = pattern.search(text, at)


def _is_credential(match: re.Match[str], kind: str) -> bool:
    """Whether the value behind such a name is a credential, and not what happened to one."""
    value = match["value"].rstrip(".,;!?)")
    if _AFTER_NAME.search(match["more"].lower()) or _STAND_IN.match(value) or _STAMP.fullmatch(value):
        return False
    sign = match["sign"]
    if kind == _TOKEN:
        return len(value) >= 8 and _is_mixed(value) and _NAME.fullmatch(value) is None
    if "://" in sign:
        return True
    return len(value) >= 6 and (_is_mixed(value) or (sign == "=" and value.lower() not in _SAID_OF_PASSWORDS))


def _is_mixed(value: str) -> bool:
    return any(c.isdigit() or not (c.isalnum() or c in "-_./") for c in value) and any(c.isalpha() for c in value)


LEAST = 6
"""The least number of characters to look for in other incidents: shorter values are everywhere by chance."""


class RecordKind(StrEnum):
    """What of the record may hold a credential."""

    ENTRY = "entry"
    WHY = "why"
    ACTION = "action"
    SECTION = "section"
    TITLE = "title"
    DRAFT = "draft"
    """A section as edited in a draft that was given back."""
    REVIEW = "review"
    """What a reviewer says needs work."""


@dataclass(frozen=True, slots=True)
class RecordRef:
    """One thing of an incident: `which` is its number, of a section its slug; empty for the title.

    Of what was said in a review it is the user id of who said it.
    """

    kind: RecordKind
    which: str = ""

    @property
    def number(self) -> int:
        """The number of an entry, a why or an action; 0 for what has none."""
        return int(self.which) if self.which.isdigit() else 0


@dataclass(frozen=True, slots=True)
class RedactedRecord:
    """What a redaction changed; `elsewhere` are sections of other incidents, as (key, slug).

    `still_in` are the keys of past incidents that this one quotes, and that still hold it.
    """

    subjects: tuple[RecordRef, ...]
    elsewhere: tuple[tuple[str, str], ...] = ()
    still_in: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SecretWording:
    """One wording of one text of the record.

    `part` says which: for an entry, a why, a section or a draft its version; for an action 0 for its text, 1 for its
    link, 2 for its reason; for a title 0, and 1 for the reason why no postmortem is needed.
    """

    subject: RecordRef
    part: int
    text: str


@dataclass(frozen=True, slots=True)
class SecretLocation:
    """A place in a wording; `rest` is the sum of the text around it, by which it is known whether it is still there."""

    subject: RecordRef
    part: int
    start: int
    length: int
    rest: int


def locate(wording: SecretWording, value: str) -> SecretLocation | None:
    """The first place of a value in a wording; None if it is not there."""
    start = wording.text.find(value)
    if start < 0:
        return None
    return SecretLocation(wording.subject, wording.part, start, len(value), _sum(wording.text, value))


def read_value(location: SecretLocation, text: str) -> str:
    """The value at a location; empty if the wording was changed (redacted) since."""
    value = text[location.start : location.start + location.length]
    return value if len(value) == location.length and _sum(text, value) == location.rest else ""


def _sum(text: str, value: str) -> int:
    """A checksum of all but the value, so that it reveals nothing of it."""
    # A checksum and no hash of the value: a short credential could be guessed from its hash.
    return zlib.crc32(text.replace(value, "").encode("utf-8", "replace"))
