"""A masked copy where the operator's own patterns count: they are tried in a process that can be ended.

Python's regular expressions may take for ever at a text of forty letters, and let nothing else happen meanwhile. A text
at which they take too long is masked as a whole: nothing leaves that was not looked through.
"""

import json
from collections.abc import Sequence
from dataclasses import replace

from bot.domain.document import Document
from bot.domain.masking import MaskedItem, MaskRules, list_texts, mask
from bot.export.sandbox import Bounds, FailedApart, run_apart

BOUNDS = Bounds(seconds=20.0, memory=512 * 1024**2)


def mask_apart(document: Document, rules: MaskRules) -> tuple[Document, tuple[MaskedItem, ...]]:
    """`mask`, within bounds. It blocks, with patterns for half a second and more: call it in a thread."""
    return mask(document, looked(rules, list_texts(document)) if rules.patterns else rules)


def looked(rules: MaskRules, texts: Sequence[str]) -> MaskRules:
    """The rules with what their patterns find in these texts. It blocks as `mask_apart` does."""
    if not rules.patterns:
        return rules
    task = json.dumps({"patterns": [pattern.pattern for pattern in rules.patterns], "texts": texts})
    try:
        found = json.loads(run_apart("bot.export.sandbox.mask_worker", task.encode(), BOUNDS))
    except (FailedApart, OSError):
        return replace(rules, looked={})
    spans = (None if one is None else tuple((start, end) for start, end in one) for one in found)
    return replace(rules, looked=dict(zip(texts, spans, strict=True)))
