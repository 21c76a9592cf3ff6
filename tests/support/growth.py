"""Measures how the work on a text grows with its length, in CPU time of this thread: a busy machine is no matter.

A doubling counts only where it takes long enough to be told from noise, and what looks bad is measured again before it
is called so. No limit is in seconds: a ratio of two sizes, or of the work and of a plain look at the same text.
"""

import re
import time
from collections.abc import Callable
from typing import NamedTuple

from tests.support.patterns import Attack

MOST = 2.5
"""How much more a text of twice the length may cost: twice, and what caches and noise add."""
HEAVIEST = 300
"""How much more than a plain look at each of its words a text may cost."""
ROUNDS = 5
LADDER = (20, 27, 36, 48, 64, 85, 113, 150, 200, 270, 360, 480, 640, 850, 1130, 1500)
"""Lengths before the long one, in small steps: from that, what is exponential or cubic would never come back."""
FAR = 12
"""How much more than would be noticed in the long one is too much in a shorter one."""

_WORDS = re.compile(r"\w+|\W")
_NOTICED = 0.0004
"""Seconds that the longest text of the first look takes at most without being looked at again."""


class Bad(NamedTuple):
    """A text that costs too much, and what it cost at three sizes, in milliseconds."""

    attack: Attack
    cost: tuple[float, ...]

    def __str__(self) -> str:
        begin, pump, end = (part if len(part) < 80 else f"{part[:80]}…" for part in self.attack)
        return f"{begin!r} + {pump!r} * n + {end!r}: {', '.join(f'{one * 1000:.2f}' for one in self.cost)} ms"


def cost(work: Callable[[str], object], text: str, rounds: int = 1) -> float:
    """The CPU time of some work on a text: the least of a few rounds."""
    return min(_once(work, text) for _ in range(rounds))


def _once(work: Callable[[str], object], text: str) -> float:
    begun = time.thread_time()
    work(text)
    return time.thread_time() - begun


def judge(
    work: Callable[[str], object],
    attack: Attack,
    *,
    least: int = 500,
    noticed: float = _NOTICED,
    heaviest: float = HEAVIEST,
) -> Bad | None:
    """What is wrong with the cost of some work on texts of a kind; None if it grows no faster than they do."""
    for length in (*LADDER, 4 * least):
        is_last = length == 4 * least
        limit = noticed if is_last else FAR * noticed
        longest = cost(work, attack.text(length))
        if longest > limit and (is_last or cost(work, attack.text(length), 3) > limit):
            break
    else:
        return None
    # A single look at the longest is enough to acquit: what noise adds there only makes it look worse.
    shorter, half = (cost(work, attack.text(size), 3) for size in (length // 4, length // 2))
    for _ in range(ROUNDS):
        # What is bounded may still grow up to its bound at the first doubling, but not at both.
        if half <= MOST * shorter or longest <= MOST * half:
            break
        shorter, half, longest = (cost(work, attack.text(size), 3) for size in (length // 4, length // 2, length))
    else:
        return Bad(attack, (shorter, half, longest))
    for _ in range(ROUNDS):
        plain = cost(_WORDS.findall, attack.text(length), 3)
        if longest <= heaviest * plain + noticed:
            return None
        longest = cost(work, attack.text(length), 3)
    return Bad(attack, (shorter, half, longest, plain))
