"""A location in the record does not contain the words there, and is valid only while they are unchanged."""

from hypothesis import assume, given
from hypothesis import strategies as some

from bot.domain.secrets import REDACTED, RecordKind, RecordRef, SecretWording, locate, read_value

WHY = RecordRef(RecordKind.WHY, "1")


@given(some.text(max_size=40), some.text(min_size=6, max_size=20), some.text(max_size=40))
def test_what_stands_at_a_spot_is_found_again_and_once_redacted_is_not(before: str, value: str, after: str) -> None:
    assume(value not in REDACTED)
    text = before + value + after
    spot = locate(SecretWording(WHY, 1, text), value)
    assert spot is not None
    assert read_value(spot, text) == value
    clean = text.replace(value, REDACTED)
    assume(value not in clean)
    assert value not in read_value(spot, clean)


def test_a_spot_tells_nothing_of_what_stands_there() -> None:
    spots = {
        locate(SecretWording(WHY, 1, f"it is {value}, they say {value}"), value) for value in ("hunter2", "hunter3")
    }
    assert len(spots) == 1
    assert locate(SecretWording(WHY, 1, "it is gone"), "hunter2") is None


def test_another_wording_is_not_taken_for_it() -> None:
    spot = locate(SecretWording(WHY, 1, "it is hunter2 now"), "hunter2")
    assert spot is not None
    for other in ("it was hunter2 now", "", "it is", "it is [redacted] now"):
        assert read_value(spot, other) == ""
