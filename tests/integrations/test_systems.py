"""The subjects of links are read as they were written by any version."""

import pytest

from bot.domain.samples import SAMPLES
from bot.integrations.systems import SubjectKind, kind_of, number_in, subject_of

STORED = {
    "INC-7 action 12": (SubjectKind.ACTION, 12),
    "INC-7 incident": (SubjectKind.SERVICE_INCIDENT, None),
    "INC-7 postmortem": (SubjectKind.POSTMORTEM, None),
    "INC-7 customers": (SubjectKind.PUBLIC_INCIDENT, None),
    "INC-7 customer update #4": (SubjectKind.CUSTOMER_UPDATE, 4),
    "INC-7 postmortem for customers": (SubjectKind.CUSTOMER_POSTMORTEM, None),
    "INC-7 way back from Statuspage": (SubjectKind.METADATA, None),
    "INC-7 page of #9": (SubjectKind.PAGE, 9),
}


@pytest.mark.parametrize(("stored", "meant"), STORED.items())
def test_a_stored_subject_is_read(stored: str, meant: tuple[SubjectKind, int | None]) -> None:
    kind, number = meant
    assert kind_of(stored) is kind
    if number is not None:
        assert number_in(stored) == number


@pytest.mark.parametrize(("stored", "meant"), STORED.items())
def test_a_subject_is_written_as_it_is_stored(stored: str, meant: tuple[SubjectKind, int | None]) -> None:
    incident = next(iter(SAMPLES.values())).incident
    assert subject_of(incident, *meant) == stored.replace("INC-7", incident.key)


def test_every_kind_is_stored_somewhere() -> None:
    assert {kind for kind, _ in STORED.values()} == set(SubjectKind)


@pytest.mark.parametrize("subject", ["", "INC-7", "INC-7 actions", "INC-7 postmortem of", "action 3"])
def test_what_is_no_subject_has_no_kind(subject: str) -> None:
    assert kind_of(subject) is None
