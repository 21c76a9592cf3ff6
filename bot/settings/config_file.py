"""`afterword.toml`, the file that AFTERWORD_CONFIG names: what a team decides beyond single settings.

Every mistake is a sentence that names the file and the line. A running bot reads a changed file again, and goes on by
the old one while there is a mistake in the new one.
"""

import difflib
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from bot import bounds
from bot.errors import Misconfigured
from bot.toml import Keys, describe_broken, find_line


class ConfigTable(BaseModel):
    """A table of the file. A field's description says what to write, for the sentence about a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SPAN = re.compile(r"([1-9][0-9]{0,3})\s?([dw])")


def _parse_span(value: object) -> object:
    found = _SPAN.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError('write days or weeks, as in "7d" or "2w"')
    return timedelta(days=int(found[1]) * (7 if found[2] == "w" else 1))


def _parse_hours(value: object) -> object:
    numbers: list[Any] = value if isinstance(value, list) else [value]
    if not numbers or not all(
        isinstance(one, int | float) and not isinstance(one, bool) and 0 < one <= 8784 for one in numbers
    ):
        raise ValueError("write hours between brackets, each more than 0 and at most 8784 (a year), as in [24, 48]")
    return tuple(sorted({timedelta(hours=one) for one in numbers}))


def _parse_rest(value: object) -> object:
    if isinstance(value, str) and value.strip().lower() == "none":
        return ()
    hours = value.split("-") if isinstance(value, str) else []
    numbers = [int(hour) if hour.strip().isascii() and hour.strip().isdecimal() else 24 for hour in hours]
    if len(numbers) != 2 or max(numbers) > 23 or numbers[0] == numbers[1]:
        raise ValueError('write two hours of the day, as in "20-8", or "none"')
    return tuple(numbers)


def _parse_days(value: object) -> object:
    names = [name.lower() for name in value if isinstance(name, str)] if isinstance(value, list) else ["?"]
    if not set(names) <= set(_DAYS) or (isinstance(value, list) and len(names) < len(value)):
        raise ValueError('write days between brackets, as in ["saturday", "sunday"]')
    if set(names) == set(_DAYS):
        raise ValueError("leave at least one day on which people can be reminded")
    return tuple(sorted({_DAYS.index(name) for name in names}))


def _require_words(value: object) -> object:
    if not isinstance(value, list) or not all(isinstance(one, str) and one.strip() for one in value):
        raise ValueError('write words between brackets, as in ["summary", "impact"]')
    return tuple(dict.fromkeys(one.strip().lower().replace(" ", "_") for one in value))


_PERSON = re.compile(r"@[^\s@#]+|[UW][A-Z0-9]{2,20}")
_CHANNEL = re.compile(r"#[^\s@#]+|[CG][A-Z0-9]{2,20}")


def _require_hearers(value: object) -> object:
    if not isinstance(value, list) or not all(_is_hearer(one) for one in value):
        raise ValueError('write who else hears between brackets: "lead", "opener", "@ana" or "#channel"')
    return tuple(dict.fromkeys(one.strip() for one in value))


def _is_hearer(value: object) -> bool:
    if not isinstance(value, str):
        return False
    word = value.strip()
    return word in ("lead", "opener") or bool(_PERSON.fullmatch(word) or _CHANNEL.fullmatch(word))


def _require_owner(value: object) -> object:
    word = value.strip() if isinstance(value, str) else ""
    if word not in ("lead", "opener", "on_call") and not _PERSON.fullmatch(word):
        raise ValueError('write "lead", "opener", "on_call" or a person as in "@ana"')
    return word


Span = Annotated[timedelta, BeforeValidator(_parse_span)]
Hours = Annotated[tuple[timedelta, ...], BeforeValidator(_parse_hours)]
RestHours = Annotated[tuple[int, ...], BeforeValidator(_parse_rest)]
WeekDays = Annotated[tuple[int, ...], BeforeValidator(_parse_days)]
Words = Annotated[tuple[str, ...], BeforeValidator(_require_words)]
Hearers = Annotated[tuple[str, ...], BeforeValidator(_require_hearers)]
Owner = Annotated[str, BeforeValidator(_require_owner)]


def _require_form(value: object) -> object:
    if not isinstance(value, str) or not value.strip():
        raise ValueError('write the name of a form between quotes, as in "short"')
    return value.strip()


FormName = Annotated[str, BeforeValidator(_require_form)]


class DueTable(ConfigTable):
    """In how many days an action is due that names no date, by its kind; `other` is for those without one."""

    prevent: Span | None = None
    detect: Span | None = None
    mitigate: Span | None = None
    process: Span | None = None
    other: Span | None = None


class PolicyTable(ConfigTable):
    """What is asked after an incident of one severity; what is left out is as in `[policy.default]`."""

    postmortem: Literal["required", "optional", "none"] | None = Field(
        None, description='write "required", "optional" or "none"'
    )
    remind_after: Hours | None = None
    weeks: Annotated[int, Field(ge=0, le=52)] | None = Field(None, description="write a number of weeks, 0 to 52")
    also: Hearers | None = None
    sections: Words | None = None
    due: DueTable | None = Field(None, description='write the days by kind, as in { mitigate = "7d", prevent = "30d" }')
    rest_hours: RestHours | None = None
    rest_days: WeekDays | None = None
    owner: Owner | None = None
    review: Literal["required", "optional"] | None = Field(None, description='write "required" or "optional"')


class PolicyTables(ConfigTable):
    """The policy of each severity, of incidents without one (`none`), and what counts for all of them (`default`)."""

    sev1: PolicyTable = PolicyTable()
    sev2: PolicyTable = PolicyTable()
    sev3: PolicyTable = PolicyTable()
    sev4: PolicyTable = PolicyTable()
    none: PolicyTable = PolicyTable()
    default: PolicyTable = PolicyTable()


class SectionsTable(ConfigTable):
    """Which form a postmortem has: by the incident's services and tags, then by its severity, else `default`."""

    sev1: FormName | None = None
    sev2: FormName | None = None
    sev3: FormName | None = None
    sev4: FormName | None = None
    none: FormName | None = None
    default: FormName | None = None
    services: dict[str, FormName] = Field({}, description='write a service and a form, as in { billing = "short" }')
    tags: dict[str, FormName] = Field({}, description='write a tag and a form, as in { security = "short" }')


class ConfigTables(ConfigTable):
    """The whole file."""

    policy: PolicyTables | None = None
    sections: SectionsTable | None = None


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """The file as it was read; without AFTERWORD_CONFIG it has no tables."""

    tables: ConfigTables = field(default_factory=ConfigTables)
    name: str = "afterword.toml"
    text: str = ""

    def mistake(self, keys: Keys, sentence: str) -> str:
        """A sentence about a mistake at `keys`, with the line that they are on."""
        return f"{self.name}, line {find_line(self.text, keys)}: {sentence}"


Check = Callable[[ConfigFile], object]
"""Raises Misconfigured for what the file's own tables cannot tell, such as the name of a section."""


def read(path: Path) -> ConfigFile:
    """The file at the path. Raises Misconfigured with a line for each mistake."""
    text = _read_text(path)
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Misconfigured(describe_broken(path.name, text, str(error))) from None
    except RecursionError:
        raise Misconfigured(f"{path.name} is nested too deep. Write each table under its own heading.") from None
    try:
        return ConfigFile(ConfigTables.model_validate(values), path.name, text)
    except ValidationError as error:
        mistakes = sorted(_list_mistakes(error, text, values))
        lines = (f"{path.name}, line {line}: {sentence}" for line, sentence in dict.fromkeys(mistakes))
        raise Misconfigured("\n".join(lines)) from None


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as opened:
            content = opened.read(bounds.CONFIG_FILE + 1)
    except OSError as error:
        raise Misconfigured(
            f"AFTERWORD_CONFIG names {path}, which can't be read ({error.strerror or 'unreadable'}). Fix it."
        ) from error
    if len(content) > bounds.CONFIG_FILE:
        raise Misconfigured(f"{path.name} has more than {bounds.CONFIG_FILE:,} bytes. It can't be AFTERWORD_CONFIG.")
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise Misconfigured(f"{path.name}, line {line}: this isn't UTF-8 text. Save it as UTF-8.") from error


def _list_mistakes(error: ValidationError, text: str, values: dict[str, Any]) -> Iterator[tuple[int, str]]:
    for wrong in error.errors():
        keys: Keys = tuple(wrong["loc"])
        if wrong["type"] == "extra_forbidden":
            yield find_line(text, keys), _describe_unknown(keys)
            continue
        keys = _known_part(keys, values)
        ours = wrong.get("ctx", {}).get("error") or _remedy(keys)
        shown = str(_value_at(values, keys))
        shown = shown if len(shown) <= 60 else f"{shown[:59]}…"
        yield find_line(text, keys), f"{_join(keys)} can't be {shown!r}: {ours}."


def _describe_unknown(keys: Keys) -> str:
    """The sentence about a key that is none: where it is, and which one was perhaps meant."""
    known = _fields_at(keys[:-1])
    called = str(keys[-1])
    near = difflib.get_close_matches(called.lower(), known, 1, 0.6)
    where = f"[{_join(keys[:-1])}]" if len(keys) > 1 else "the file"
    hint = f"Did you mean {near[0]}?" if near else f"It can have: {', '.join(known)}."
    return f"{called} isn't known in {where}. {hint}"


def _join(keys: Keys) -> str:
    return ".".join(map(str, keys))


def _known_part(keys: Keys, values: Any) -> Keys:
    """The part of the keys that the file has: pydantic adds the names of alternatives."""
    for number, key in enumerate(keys):
        is_key = isinstance(values, dict) and key in values
        is_item = isinstance(values, list) and isinstance(key, int) and key < len(values)
        if not (is_key or is_item):
            return keys[:number]
        values = values[key]
    return keys


def _value_at(values: Any, keys: Keys) -> Any:
    for key in keys:
        values = values[key]
    return values


def _fields_at(keys: Keys) -> list[str]:
    model = _model_at(keys)
    return list(model.model_fields) if model else []


def _remedy(keys: Keys) -> str:
    model = _model_at(keys[:-1]) if keys else None
    found = model.model_fields.get(str(keys[-1])) if model else None
    return (found.description if found else None) or "write a table here, with its keys below its heading"


def _model_at(keys: Keys) -> type[BaseModel] | None:
    """The table at the keys; None if there is none."""
    model: type[BaseModel] | None = ConfigTables
    for key in keys:
        if isinstance(key, int):
            continue
        found = model.model_fields.get(key) if model else None
        model = _model_in(found.annotation) if found else None
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The table in an annotation such as `tuple[Rule, ...]` or `PolicyTables | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (Union, UnionType, Annotated, list, tuple, dict):
        return next(filter(None, map(_model_in, get_args(annotation))), None)
    return None


class ConfigWatch:
    """Holds the file in force: `current`, and what is wrong with a newer one: `trouble`, empty if nothing is."""

    def __init__(self, path: Path | None, *checks: Check) -> None:
        """Reads the file. Raises Misconfigured for a mistake, as the bot does not start with one."""
        self._path = path
        self._checks = checks
        self.current = ConfigFile() if path is None else self._read(path)
        self.trouble = ""

    def _read(self, path: Path) -> ConfigFile:
        found = read(path)
        for check in self._checks:
            check(found)
        return found

    def reload(self) -> bool:
        """Read a changed file again; blocks. Whether something is new: another file in force, or a new mistake."""
        if self._path is None:
            return False
        before = (self.current, self.trouble)
        try:
            found = self._read(self._path)
            self.trouble = ""
            if found != self.current:
                self.current = found
        except Misconfigured as error:
            self.trouble = f"The policy before it stays in force. {error}"
        return (self.current, self.trouble) != before
