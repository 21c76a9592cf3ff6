"""The JSON form, read back: what has passed here can be given out again exactly as it came."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime

from pydantic import ValidationError

from bot.errors import Refused
from bot.export.json_form import FORMAT, VERSION, as_object
from bot.export.json_record import Told, actions_of, given_under, record_of
from bot.export.json_shape import Head, PostmortemFile
from bot.export.times import iso
from bot.incident import postmortem

LARGEST = 256 * 1024**2
"""Bytes of a file: the files of an incident alone may be 100 MB, and a third more in Base64."""

_SHOWN = 60
_SEE = "docs/json.md tells the form."


def read(content: bytes) -> Told:
    """The record that a file tells.

    Raises Refused with a sentence that names the place and the cause: it is no JSON, it has another form, or parts of
    it contradict each other. What is accepted is accepted whole: exporting the record gives every value of the file.
    """
    if len(content) > LARGEST:
        raise Refused(f"It is larger than {LARGEST // 1024**2} MB, which no incident is.")
    try:
        _require_known(Head.model_validate_json(content))
        file = PostmortemFile.model_validate_json(content)
    except ValidationError as error:
        raise Refused(_sentence(error)) from error
    json.loads(content, object_pairs_hook=_require_said_once)
    _require_sound(file)
    told = record_of(file)
    _require_faithful(file, told)
    return told


def _require_said_once(pairs: list[tuple[str, object]]) -> None:
    """JSON lets a property stand twice in an object; whoever reads it takes the last, and the first would be lost."""
    _require_once("property", [name for name, _ in pairs])


def _require_known(head: Head) -> None:
    if head.format != FORMAT:
        raise Refused(f"It is no postmortem of Afterword: format must be {FORMAT!r}. {_SEE}")
    if head.version is not None and head.version > VERSION:
        raise Refused(
            f"It has version {head.version} of the form, and this Afterword reads {VERSION}. "
            "Bring Afterword up to date first."
        )


def _require_sound(file: PostmortemFile) -> None:
    every_entry, every_why = (*file.timeline, *file.struck.timeline), (*file.whys, *file.struck.whys)
    for what, numbers in (
        ("entry", [line.number for line in every_entry]),
        ("message", [line.message for line in every_entry if line.message]),
        ("why", [why.number for why in every_why]),
        ("action", [action.number for action in file.actions]),
        ("kept text", [f"{text.section} {text.version}" for text in file.kept]),
        ("likeness with", [said.incident for said in file.likenesses]),
    ):
        _require_once(what, numbers)
    whys, actions = {why.number for why in every_why}, {action.number for action in file.actions}
    for why in every_why:
        above = given_under(why)
        if above is not None and (above not in whys or above >= why.number):
            raise Refused(f"Why {why.number} cannot explain why {above}: a why explains one of the file before it.")
        for number in actions_of(why):
            if number not in actions:
                raise Refused(f"Why {why.number} names action {number}, which the file does not have.")
    for action in file.actions:
        if (action.due is None) != (action.overdue_at is None):
            raise Refused(
                f"Action {action.number} has a due day exactly where it has an overdue_at, which ends that day."
            )


def _require_once(what: str, numbers: Iterable[object]) -> None:
    seen: set[object] = set()
    for number in numbers:
        if number in seen:
            raise Refused(f"The file has {what} {number} twice.")
        seen.add(number)


def _require_faithful(file: PostmortemFile, told: Told) -> None:
    """Export what was read, and compare: what would be lost or changed on the way is refused, not dropped."""
    document = postmortem.compile(told.case, told.generated_at, told.history)
    try:
        again = PostmortemFile.model_validate_json(json.dumps(as_object(document)))
    except ValidationError as error:
        raise Refused(_sentence(error)) from error
    given = file.model_dump(exclude_unset=True)
    if not file.audit:  # an export may be made without it
        given.pop("audit", None)
    for summary in ("incident", "metrics"):  # what they sum up is the better place to name
        given |= {summary: given.pop(summary, {})}
    for place, said, follows in _differences(given, again.model_dump(), ""):
        raise Refused(
            f"{place} is {_shown(said)}, but from the rest of the file it follows that it is {_shown(follows)}. "
            f"Correct one of them, or leave it out. {_SEE}"
        )


def _differences(said: object, follows: object, place: str) -> Iterator[tuple[str, object, object]]:
    if isinstance(said, dict) and isinstance(follows, dict):
        for key, value in said.items():
            yield from _differences(value, follows.get(key), f"{place}.{key}".lstrip("."))
    elif isinstance(said, list) and isinstance(follows, list) and len(said) == len(follows):
        for number, (one, other) in enumerate(zip(said, follows, strict=True)):
            yield from _differences(one, other, f"{place}[{number}]")
    elif said != follows:
        yield place, said, follows


def _shown(value: object) -> str:
    if isinstance(value, list):
        return f"a list of {len(value)}"
    text = json.dumps(value, default=lambda odd: iso(odd) if isinstance(odd, datetime) else str(odd))
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _sentence(error: ValidationError) -> str:
    """The first mistake as a sentence."""
    mistakes = error.errors(include_url=False)
    first = mistakes[0]
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"]).lstrip(".")
    more = f" There are {len(mistakes) - 1} more mistakes." if len(mistakes) > 1 else ""
    if first["type"] == "json_invalid":
        return f"It cannot be read as JSON ({first['msg'].removeprefix('Invalid JSON: ')})."
    if first["type"] == "missing":
        return f"{place} is missing. {_SEE}{more}"
    if first["type"] == "extra_forbidden":
        return f"{place} is no property of this form. {_SEE}{more}"
    cause = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return f"{place or 'The file'} is {_shown(first['input'])}: {cause}. {_SEE}{more}"
