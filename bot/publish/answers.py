"""What another system answered, read with care: what is not there is an error that says so, never a KeyError."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.publish.failures import PublishError


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer of `system`. `data` is its JSON, None where it was empty; `wrote` that the call was a write."""

    system: str
    status: int
    data: Any
    wrote: bool = False

    def text(self, *path: str) -> str:
        """What stands at a path of names, as text; raises PublishError where nothing does."""
        value = reach(self.data, *path)
        if isinstance(value, str | int) and not isinstance(value, bool):
            return str(value)
        raise self._unlike(".".join(path))

    def number(self, *path: str) -> int:
        """The whole number at a path; raises PublishError where there is none."""
        value = reach(self.data, *path)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        raise self._unlike(".".join(path))

    def objects(self, *path: str) -> list[Mapping[str, Any]]:
        """The list of objects at a path; raises PublishError where there is no list."""
        value = reach(self.data, *path) if path else self.data
        if isinstance(value, list):
            return [each for each in value if isinstance(each, dict)]
        raise self._unlike(".".join(path) or "a list")

    def _unlike(self, what: str) -> PublishError:
        return PublishError(
            self.system,
            f"{self.system} answered in a form that Afterword does not know (no {what}). "
            "Look whether its address in the settings is right.",
            may_have_happened=self.wrote,
            status=self.status,
        )


def reach(data: object, *path: str) -> Any:
    """What stands at a path of names in JSON; None where the path breaks off."""
    for name in path:
        data = data.get(name) if isinstance(data, dict) else None
    return data


def worded(data: object, *path: str) -> str:
    """The text at a path of names in JSON; empty where there is none."""
    value = reach(data, *path)
    return value if isinstance(value, str) else ""
