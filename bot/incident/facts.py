"""What the record itself knows for a section, apart from the words in which a draft says it.

An edit that people made in a draft stands for as long as these facts are what they were. So nothing may be in here
that changes by time alone (that an action is overdue), by a person's new name, or by another wording of a template;
and everything that a section shows must be. Whatever is added here makes every kept edit of that section be asked
about once more.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator

from bot.incident.document import Document
from bot.incident.records import Milestone

_FIELD, _ROW = "\x1f", "\x1e"
"""No text of a document has control characters in it (`plain`)."""


def digests(document: Document) -> dict[str, str]:
    """The digest of the facts of each of the 14 sections, by slug."""
    return {part.slug: digest_of(known(document, part.slug)) for part in document.parts}


def digest_of(text: str) -> str:
    """Twelve hexadecimal digits: enough to see a change, not meant against forgery."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def known(document: Document, section: str) -> str:
    """The facts of one section, written in a way that only serves to compare them."""
    written = next((part.text for part in document.parts if part.slug == section), "")
    rows = _KNOWN[section](document) if section in _KNOWN else ()
    return _ROW.join([written, *rows])


def _row(*facts: object) -> str:
    return _FIELD.join(map(str, facts))


def _marks(*milestones: Milestone) -> Callable[[Document], Iterator[str]]:
    def rows(document: Document) -> Iterator[str]:
        for mark in map(document.mark, milestones):
            line = mark.line
            yield _row(mark.milestone, mark.at, *((line.number, line.approximate, line.author.id) if line else ()))

    return rows


_acknowledged = _marks(Milestone.DETECTED, Milestone.ACKNOWLEDGED)


def _response(document: Document) -> Iterator[str]:
    yield from _acknowledged(document)
    for one in document.participants:
        yield _row(one.who.id, one.is_lead, one.authored, one.recorded, one.first_at, one.last_at)


def _timeline(document: Document) -> Iterator[str]:
    # Every change of an entry is a version of it; counted, for ten thousand texts would take as long as writing them.
    yield _ROW.join([f"{line.number}.{line.version}" for line in document.timeline])
    for line in document.timeline:
        if line.source_change or line.files:
            files = ((file.name, file.size, file.is_kept, file.note) for file in line.files)
            yield _row(line.number, line.source_change, *files)


def _whys(document: Document) -> Iterator[str]:
    for step in sorted(document.whys, key=lambda step: step.number):
        cited = ((line.number, line.happened_at, line.text) for line in step.evidence)
        yield _row(step.number, step.parent, step.text, step.author.id, step.is_root, *cited)


def _roots(document: Document) -> Iterator[str]:
    roots = sorted(document.roots, key=lambda step: step.number)
    return (_row(step.number, step.text, step.author.id) for step in roots)


def _actions(document: Document) -> Iterator[str]:
    for item in document.actions:
        owner = item.owner.id if item.owner else None
        facts = (item.number, item.text, item.status, item.held, item.reason, owner, item.due_on, item.kind, item.link)
        yield _row(*facts)


_KNOWN: dict[str, Callable[[Document], Iterable[str]]] = {
    "impact": _marks(Milestone.IMPACT_STARTED, Milestone.MITIGATED),
    "detection": _marks(Milestone.IMPACT_STARTED, Milestone.DETECTED),
    "response": _response,
    "recovery": _marks(Milestone.IMPACT_STARTED, Milestone.MITIGATED, Milestone.RESOLVED),
    "timeline": _timeline,
    "whys": _whys,
    "root_cause": _roots,
    "actions": _actions,
}
