"""Atlassian's schema of its document format, asked in a way that a whole page does not take half a minute.

The schema offers two dozen kinds for most places; of those only the ones are tried that are of the node's own kind.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

from jsonschema import Draft4Validator, validators
from jsonschema.exceptions import ValidationError

from tests.support.integrations.vendor_specs import spec_json

_any_of = Draft4Validator.VALIDATORS["anyOf"]
_kinds: dict[str, frozenset[str] | None] = {}


@cache
def schema() -> Any:
    """The validator; skips the test if the schema is not next to this checkout."""
    schema = spec_json("adf-schema-v1-full.json")
    for name in schema["definitions"]:
        _kinds[f"#/definitions/{name}"] = _kinds_of(schema["definitions"], schema["definitions"][name])
    by_kind: Any = validators
    return by_kind.extend(Draft4Validator, {"anyOf": _any_of_its_kind})(schema)


def _any_of_its_kind(validator: Any, options: Any, node: Any, whole: Any) -> Iterator[ValidationError]:
    if isinstance(node, dict) and "type" in node:
        alike = [one for one in options if _is_of(one, node["type"])]
        options = alike or options[:1]
    yield from _any_of(validator, options, node, whole)


def _is_of(option: Any, kind: str) -> bool:
    kinds = _kinds.get(option.get("$ref", ""))
    return kinds is None or kind in kinds


def _kinds_of(definitions: Any, part: Any) -> frozenset[str] | None:
    """The types of the nodes that a part of the schema may take; None where it does not say."""
    if "$ref" in part:
        return _kinds_of(definitions, definitions[part["$ref"].rpartition("/")[2]])
    if "anyOf" in part:
        found = [_kinds_of(definitions, one) for one in part["anyOf"]]
        return None if None in found else frozenset().union(*filter(None, found))
    if "allOf" in part:
        return next((kinds for one in part["allOf"] if (kinds := _kinds_of(definitions, one))), None)
    kinds = part.get("properties", {}).get("type", {}).get("enum")
    return frozenset(kinds) if kinds else None
