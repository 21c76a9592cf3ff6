"""What goes to Confluence and what comes from it, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ANEW, OVERWRITE, BACK = "anew", "overwrite", "back"
"""What people may order: another page, this page overwritten, or regions restored that people removed. Stored words."""


@dataclass(frozen=True, slots=True)
class Space:
    """A space: the id that calls use, and the name that people use."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class PageDraft:
    """A page to create. `key` (`INC-7`) is added to a title that is taken.

    `body` is storage XHTML. `mark` is what the page is known by again, so it belongs to this one alone. `parent_id` is
    the page above, or empty for the top of the space.
    """

    key: str
    title: str
    body: str
    mark: str
    parent_id: str = ""


@dataclass(frozen=True, slots=True)
class ConfluencePage:
    """A page as it stands. `note` is what its last writer said about the change; `body` is storage XHTML.

    `author_id` is that writer's account; `author` is their name, once we have looked it up.
    """

    id: str
    title: str
    version: int
    url: str
    body: str
    note: str
    is_current: bool
    author: str = ""
    author_id: str = ""


@dataclass(frozen=True, slots=True)
class CreatedPage:
    """What became of a create. `was_there`: an earlier attempt had made it."""

    page: ConfluencePage
    was_there: bool


@dataclass(frozen=True, slots=True)
class UpdatedPage:
    """What became of an update. Not `is_written`: people have changed the page since, and `page` is how it stands."""

    page: ConfluencePage
    is_written: bool


@dataclass(frozen=True, slots=True)
class PageProperty:
    """What we keep at a page out of sight; `id` and `version` are Confluence's own."""

    id: str
    version: int
    value: Mapping[str, Any]
