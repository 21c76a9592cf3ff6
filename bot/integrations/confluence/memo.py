"""What is remembered of the page of a postmortem: how it was left, what people decided, what there is to tell."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from bot.export.confluence.merge import HeadSnapshot, PageSnapshot, RegionSnapshot
from bot.integrations.confluence.views import PageNews

ANEW, OVERWRITE = "anew", "overwrite"
"""What somebody may order: a page of its own once more, or the whole page written over."""


@dataclass(frozen=True, slots=True)
class PageMemo:
    """The memo of a link, as a value.

    `is_masked`: somebody agreed to a masked copy, and nothing else may stand there. `order` and `back` (regions to be
    put back) are what somebody decided and is not done yet. `copy` counts the pages that were made; `title` is the
    page's as we left it, `named` what we wanted it to be. `gone` are regions that were asked about; `files` the
    digests of what is attached, by name. `links_at`: the count of changes (see `Link.wanted`) at which nothing but the
    links to other systems is to be brought onto the page; whoever asks for the page counts further.
    """

    is_masked: bool = False
    order: str = ""
    back: tuple[str, ...] = ()
    copy: int = 1
    title: str = ""
    named: str = ""
    record: PageSnapshot = field(default_factory=PageSnapshot)
    gone: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    news: PageNews = field(default_factory=PageNews)
    links_at: int = 0

    def written(self) -> str:
        """As text."""
        return json.dumps(asdict(self), ensure_ascii=False)

    def for_another_page(self) -> "PageMemo":
        """What is left of it where another page is made."""
        return PageMemo(is_masked=self.is_masked, order=self.order, copy=self.copy + 1)


def read(text: str) -> PageMemo:
    """A memo out of its text; empty where there is none."""
    found: dict[str, Any] = json.loads(text or "{}")
    news, record = PageNews(**_plain(found.pop("news", {}))), record_in(found.pop("record", {}))
    return replace(PageMemo(**_plain(found)), record=record, news=news)


def told_of(record: PageSnapshot) -> dict[str, Any]:
    """How a page is left, as JSON's own values."""
    return asdict(record)


def record_in(found: Mapping[str, Any]) -> PageSnapshot:
    """The same, read again."""
    regions = {id_: RegionSnapshot(**_plain(left)) for id_, left in found.get("regions", {}).items()}
    return PageSnapshot(regions, HeadSnapshot(**_plain(found.get("head", {}))))


def _plain(found: Mapping[str, Any]) -> dict[str, Any]:
    """JSON knows no tuples."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in found.items()}
