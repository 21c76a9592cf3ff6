"""Two replicas whose clocks disagree, and a slow Slack: each reminder goes out once, and none before its time.

With a thousand reminders: `python -m tests.bench.skewed_clocks 1000`, for ten minutes of mostly waiting.
"""

from typing import Any

import pytest

from tests.support.skew import LATENCIES, send_all


@pytest.mark.postgres
@pytest.mark.parametrize("skews", [(-300, 5, 50), (65, 300, 600)])
@pytest.mark.parametrize("latency", LATENCIES)
async def test_each_reminder_goes_out_once_however_far_the_clocks_are_apart(
    postgres_server: Any, skews: tuple[float, ...], latency: float
) -> None:
    sent = await send_all(postgres_server, skews, latency, 80)
    # Those that are due in nine minutes are overdue to a machine ten minutes ahead.
    assert sent == dict.fromkeys(skews, ({1: 80}, {0: 8}))
