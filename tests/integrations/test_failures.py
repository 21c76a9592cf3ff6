"""What another system answered is read with care, and its complaints in every form that vendors use."""

import httpx
import pytest

from bot.integrations.http import IntegrationError, Response, complaints, retry_after


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        ("1.5", 1.5),
        ("Mon, 23 Nov 2026 14:07:00 GMT", 120.0),
        ("Mon, 23 Nov 2026 14:00:00 GMT", 0.0),
        ("-5", 0.0),
        ("9999999", 86_400.0),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("", None),
    ],
)
def test_a_retry_after_is_seconds_or_a_date_by_the_answers_own_clock(header: str, seconds: float | None) -> None:
    headers = httpx.Headers({"Retry-After": header, "Date": "Mon, 23 Nov 2026 14:05:00 GMT"})
    assert retry_after(headers) == seconds


def test_a_date_without_the_answers_own_clock_says_nothing() -> None:
    assert retry_after(httpx.Headers({"Retry-After": "Mon, 23 Nov 2026 14:07:00 GMT"})) is None


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"errorMessages": ["a"], "errors": {"duedate": "b"}}, ["a", "duedate: b"]),
        ({"errors": [{"status": 400, "code": "X", "title": "a", "detail": None}]}, ["a"]),
        ({"statusCode": 400, "message": "a\nb"}, ["a b"]),
        ({"error": ["a", "b"]}, ["a", "b"]),
        ({"error": "<b>a</b>"}, ["a"]),
        ([1], []),
        (None, []),
        ({"message": {"odd": 1}, "errors": 5}, []),
    ],
)
def test_every_vendors_complaint_is_read(data: object, words: list[str]) -> None:
    assert complaints(data) == words


@pytest.mark.parametrize("data", [None, [], "x", {}, {"id": None}, {"id": {"a": 1}}, {"id": True}])
def test_an_answer_of_another_shape_is_an_error_and_not_a_crash(data: object) -> None:
    answer = Response("Shelf", 200, data, wrote=True)
    for read in (answer.text, answer.number, answer.objects):
        with pytest.raises(IntegrationError) as caught:
            read("id")
        assert caught.value.may_have_happened
