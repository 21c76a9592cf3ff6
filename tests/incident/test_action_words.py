"""The kind and the link in what somebody types behind `/action`."""

from datetime import date

import pytest

from bot.incident.actions import Asked, read
from bot.incident.records import ActionKind

TODAY = date(2026, 11, 23)
FRIDAY = date(2026, 11, 27)
LINK = "https://demo.example/1?a=b"


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        ("prevent: add a load test due friday", Asked("add a load test", FRIDAY, ActionKind.PREVENT)),
        ("Detect: alert on the queue", Asked("alert on the queue", None, ActionKind.DETECT)),
        ("add a load test #prevent due friday", Asked("add a load test", FRIDAY, ActionKind.PREVENT)),
        ("#mitigate write the runbook", Asked("write the runbook", None, ActionKind.MITIGATE)),
        ("add a review kind process due friday", Asked("add a review", FRIDAY, ActionKind.PROCESS)),
        ("add a review due friday #process", Asked("add a review", FRIDAY, ActionKind.PROCESS)),
        (f"add a load test {LINK}", Asked("add a load test", None, None, LINK)),
        (f"add a load test ({LINK}) due friday", Asked("add a load test", FRIDAY, None, LINK)),
        (f"add a load test due friday {LINK}", Asked("add a load test", FRIDAY, None, LINK)),
        (f"prevent: see {LINK} for why", Asked(f"see {LINK} for why", None, ActionKind.PREVENT, LINK)),
        (LINK, Asked(LINK, None, None, LINK)),
        ("prevent the next one", Asked("prevent the next one", None)),
        ("mend the process: it is slow", Asked("mend the process: it is slow", None)),
        ("watch #prevention", Asked("watch #prevention", None)),
        ("add some kind of process", Asked("add some kind of process", None)),
    ],
)
def test_kind_and_link_are_taken_out_where_they_stand_apart(line: str, asked: Asked) -> None:
    assert read(line, TODAY) == asked
