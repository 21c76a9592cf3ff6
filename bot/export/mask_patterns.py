"""The operator's own patterns in a masked copy. They run in a process that can be killed.

A Python regular expression may run for ever on a text of forty letters, and it holds the interpreter meanwhile. A text
that takes too long is masked as a whole: what could not be checked does not leave.
"""

import json
import re
import signal
import time
from collections.abc import Sequence
from dataclasses import replace
from types import FrameType

from bot.domain.document import Document
from bot.domain.masking import MaskedItem, MaskRules, Spans, find_matches, list_texts, mask
from bot.export.sandbox import MEGABYTE, JobError, Limits, run_job

# Much more than `SECONDS_IN_ALL`: the job stops by itself, and this only catches one that cannot.
LIMITS = Limits(seconds=20.0, memory=512 * MEGABYTE)
SECONDS_PER_TEXT = 0.2
SECONDS_IN_ALL = 1.0
"""Of processor time, so that a busy machine changes nothing. Ten thousand entries take a twentieth of a second."""


def mask_in_sandbox(document: Document, rules: MaskRules) -> tuple[Document, tuple[MaskedItem, ...]]:
    """`mask`, safe for any pattern. With patterns it blocks for half a second and more: call it in a thread."""
    return mask(document, apply_patterns(rules, list_texts(document)) if rules.patterns else rules)


def apply_patterns(rules: MaskRules, texts: Sequence[str]) -> MaskRules:
    """The rules, with what their patterns match in these texts. Blocks as `mask_in_sandbox` does.

    If the process fails, the rules mask every text as a whole.
    """
    if not rules.patterns:
        return rules
    task = json.dumps({"patterns": [pattern.pattern for pattern in rules.patterns], "texts": texts})
    try:
        matches = json.loads(run_job("mask patterns", task.encode(), LIMITS))
    except (JobError, OSError):
        return replace(rules, looked={})
    spans = (None if one is None else tuple((start, end) for start, end in one) for one in matches)
    return replace(rules, looked=dict(zip(texts, spans, strict=True)))


class PatternTimeoutError(Exception):
    """Raised by the timer while a pattern runs."""


def run(data: bytes) -> bytes:
    """The job: the spans at which the patterns match in each text, as JSON; null for a text that took too long."""
    task = json.loads(data)
    patterns = tuple(re.compile(pattern) for pattern in task["patterns"])
    # Python checks for signals while it matches, so the pattern itself is broken off, and the text after it gets its
    # turn.
    signal.signal(signal.SIGVTALRM, _raise_timeout)
    deadline = time.process_time() + SECONDS_IN_ALL
    spans = [_match_in_time(patterns, text, deadline - time.process_time()) for text in task["texts"]]
    return json.dumps(spans).encode()


def _match_in_time(patterns: tuple[re.Pattern[str], ...], text: str, left: float) -> Spans | None:
    if left <= 0:
        return None
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, min(SECONDS_PER_TEXT, left))
        spans = find_matches(patterns, text)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    except (PatternTimeoutError, RecursionError, MemoryError):
        return None
    return spans


def _raise_timeout(_: int, __: FrameType | None) -> None:
    raise PatternTimeoutError
