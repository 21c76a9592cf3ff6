"""Services and tags: by what incidents are found and counted. No catalogue says which there are: people name them.

Two names are one if only case, spacing or the form of their characters differs. What they were first called is shown.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.secrets import find_credentials
from bot.domain.text import find_nearest, remove_controls, to_one_line
from bot.errors import Refused


class FacetKind(StrEnum):
    """What a name says of an incident: which service it struck, or anything else people sort by."""

    SERVICE = "service"
    TAG = "tag"


LONGEST = 40
"""Characters of a name."""

MOST = 10
"""Names of one kind that an incident has at most. More would say nothing."""


def fold(name: str) -> str:
    """What two spellings of one name have in common."""
    # A compatible character may have a case, one in lower case may be decomposed, and either may hold a blank.
    plain = unicodedata.normalize("NFKC", to_one_line(name)).casefold()
    return to_one_line(unicodedata.normalize("NFKC", plain))


@dataclass(frozen=True, slots=True)
class FacetName:
    """A service or a tag by its name, as a person wrote it."""

    kind: FacetKind
    name: str

    @property
    def key(self) -> str:
        """By which it is compared."""
        return fold(self.name)


@dataclass(frozen=True, slots=True)
class Facet:
    """A service or a tag of an incident, as it is spelled there. `added_by` is a user id, or empty."""

    kind: FacetKind
    name: str
    added_by: str
    added_at: datetime

    @property
    def key(self) -> str:
        """By which it is compared."""
        return fold(self.name)


def list_names(facets: Iterable[Facet], kind: FacetKind) -> tuple[str, ...]:
    """The names of one kind, in their order."""
    return tuple(facet.name for facet in facets if facet.kind is kind)


@dataclass(frozen=True, slots=True)
class FacetChange:
    """What a line adds to an incident's names of one kind, and what it takes away."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


_MARKS = "-–—−+#"
_TAKES_AWAY = "-–—−"
# A mark behind a blank begins a name too: `checkout -payments`, `#database #pool`.
_SPLIT = re.compile(rf"[,;\n]|\s(?=[{_MARKS}][^\W_])")
_QUOTES = "\"'`“”„‘’«»"


def parse(text: str, kind: FacetKind) -> FacetChange:
    """Read `checkout, -payments`: names to add and, behind a minus, names to take away.

    Raises Refused for a name that cannot be stored, and for a line that names nothing.
    """
    added: dict[str, str] = {}
    removed: dict[str, str] = {}
    for part in _SPLIT.split(remove_controls(text)):
        word = part.strip()
        if word.strip(_MARKS + _QUOTES + " "):
            name = read_name(word, kind)
            (removed if word[0] in _TAKES_AWAY else added).setdefault(fold(name), name)
    if not added and not removed:
        raise Refused(f"Which {kind}? Try `/incident {kind} {EXAMPLES[kind]}`")
    return FacetChange(tuple(name for key, name in added.items() if key not in removed), tuple(removed.values()))


EXAMPLES = {FacetKind.SERVICE: "checkout, payments", FacetKind.TAG: "database"}


def read_name(text: str, kind: FacetKind) -> str:
    """One name as it is stored: on one line, without marks before and quotation marks around it.

    Raises Refused if it is none.
    """
    name = to_one_line(text.replace("`", "")).lstrip(_MARKS + _QUOTES + " ").rstrip(_QUOTES + " ")
    if not any(letter.isalnum() for letter in name):
        raise Refused(f"A {kind} needs a name with letters or digits. Try `/incident {kind} {EXAMPLES[kind]}`")
    if len(name) > LONGEST:
        raise Refused(
            f"The name of a {kind} can have {LONGEST} characters; this one has {len(name)}. Put commas between several."
        )
    if find_credentials(name):
        raise Refused(f"That looks like a credential, so it isn't saved. Choose another name for the {kind}.")
    return name


_BECOMES = re.compile(r"=>|->|→|=|\s(?:to|into|as)\s", re.IGNORECASE)


def parse_renaming(text: str, kind: FacetKind) -> tuple[str, str]:
    """Read `checkout = checkout-api`: the old name and the new one. Raises Refused for anything else."""
    match = _BECOMES.search(text)
    if match is None or not text[: match.start()].strip() or not text[match.end() :].strip():
        raise Refused(f"What's the new name? Try `/incident {kind} rename old = new`")
    old, new = read_name(text[: match.start()], kind), read_name(text[match.end() :], kind)
    if old == new:
        raise Refused(f"Both names are the same. Try `/incident {kind} rename old = new`")
    return old, new


def require_room(names: Iterable[str], kind: FacetKind) -> None:
    """Raise Refused if an incident would have more names of a kind than it can."""
    count = len({fold(name) for name in names})
    if count > MOST:
        raise Refused(f"An incident can have {MOST} {kind}s; that would be {count}. Remove one with `-name`.")


def find_like(name: str, known: Iterable[str]) -> str:
    """The known name that a misspelled one is most like; empty if none is."""
    by_key = {fold(each): each for each in known}
    return by_key.get(find_nearest(fold(name), by_key), "")


_FILTER = re.compile(r"""(?<!\S)(services?|tags?)[:=](?:"([^"]*)"|“([^”]*)”|(\S*))""", re.IGNORECASE)


def split_filters(text: str) -> tuple[str, tuple[FacetName, ...]]:
    """What is left of a search for `service:checkout tag:"slow query" pool`, and the names in it, each once.

    Raises Refused for a name that no incident can have.
    """
    names: dict[tuple[FacetKind, str], FacetName] = {}
    for match in _FILTER.finditer(text):
        kind = FacetKind(match[1].lower().removesuffix("s"))
        for part in "".join(filter(None, match.groups()[1:])).strip(",").split(","):
            name = FacetName(kind, read_name(part, kind))
            names.setdefault((kind, name.key), name)
    return " ".join(_FILTER.sub(" ", text).split()), tuple(names.values())


_LONGEST_PHRASE = 3
_WORD = re.compile(r"[^\s,;:!?()\[\]{}\"“”]+")


def list_phrases(title: str) -> tuple[str, ...]:
    """What may be a name in a title: each word, and up to three in a row, folded; the longer first."""
    words = [word.strip(".'’`") for word in _WORD.findall(fold(title))]
    found = (
        " ".join(words[at : at + length])
        for length in range(_LONGEST_PHRASE, 0, -1)
        for at in range(len(words) - length + 1)
    )
    return tuple(dict.fromkeys(phrase for phrase in found if len(phrase) <= LONGEST))
