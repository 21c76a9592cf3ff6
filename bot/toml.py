"""Where something stands in a TOML file that a team wrote: tomllib does not say, and a mistake is named by its line."""

import re

Keys = tuple[str | int, ...]
"""Where something is in the file: the names of tables and keys, and the numbers of items in lists, from 0."""


_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


def describe_broken(name: str, text: str, problem: str) -> str:
    """The sentence about a file that is no TOML, of the problem that tomllib names."""
    place = _PLACE.search(problem)
    line = int(place[1]) if place and place[1] else text.count("\n") + 1
    what = _PLACE.sub("", problem)
    return f"{name}, line {line}: this isn't TOML ({what[:1].lower()}{what[1:]})."


_HEADING = re.compile(r"\s*(\[\[?)([^\[\]]+)\]")
_KEY = re.compile(r"([^=#]+)=")


def find_line(text: str, keys: Keys) -> int:
    """The line on which the table or key is written, or else the one that is nearest above it; the first is 1."""
    best, line = 0, 1
    table: Keys = ()
    counts: dict[Keys, int] = {}
    for number, written in enumerate(text.split("\n"), 1):
        if heading := _HEADING.match(written):
            table = _split(heading[2])
            if heading[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
            here = table
        elif key := _KEY.match(written):
            here = (*table, *_split(key[1]))
        else:
            continue
        common = _common(here, keys)
        if common == len(here) and common > best:
            best, line = common, number
    return line


def _split(joined: str) -> Keys:
    return tuple(part.strip().strip("\"'") for part in joined.split("."))


def _common(here: Keys, keys: Keys) -> int:
    pairs = zip(here, keys, strict=False)
    return next((number for number, (one, other) in enumerate(pairs) if one != other), min(len(here), len(keys)))
