"""Ways to spoil a JSON file: each makes one random change somewhere in it."""

import json
import random
from collections.abc import Iterator
from typing import Any

ODD: tuple[Any, ...] = (
    None, "", "x", "\x00", "\u202eevil", -1, 0, 1, 2, 7, 1.5, True, False, 10**30, [], {}, [1], {"id": "U1"},
    "2026-11-23T14:05:00Z", "2026-11-23T14:05:00", "0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00",
    "2026-02-30", "INC-0", "INC-1", "sev9", "resolved", "open", "x" * 200_000, "U" * 300, "2027-01-01",
)  # fmt: skip

Path = tuple[str | int, ...]


def places(node: Any, at: Path = ()) -> Iterator[Path]:
    """Every place in the value, the value itself left out."""
    members = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, member in members:
        yield (*at, key)
        yield from places(member, (*at, key))


def spoil(content: bytes, chance: random.Random) -> bytes:
    """The file with one to three changes, of its bytes or of its values."""
    if chance.random() < 0.15:
        return _torn(content, chance)
    value = json.loads(content)
    for _ in range(chance.randint(1, 3)):
        _change(value, chance)
    return json.dumps(value).encode()


def _torn(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(content))
    return chance.choice(
        [
            content[:at],
            content[:at] + bytes([chance.randrange(256)]) + content[at + 1 :],
            content[:at] + content[at + chance.randrange(40) :],
            content[:at] + b"\\ud800" + content[at:],
            b"[" * at,
        ]
    )


def _change(value: Any, chance: random.Random) -> None:
    last: Any
    *way, last = chance.choice(list(places(value)))
    for key in way:
        value = value[key]
    kind = chance.randrange(5)
    if kind == 0:
        del value[last]
    elif kind == 1 and isinstance(value, list):
        value.append(value[last])
    elif kind == 2 and isinstance(value, list):
        chance.shuffle(value)
    elif kind == 3 and isinstance(value, dict):
        value[chance.choice(["odd", *value])] = value[last]
    else:
        value[last] = chance.choice(ODD)
